"""The playground's fixtures, for the tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.controlplane.places import here
from tests.controlplane.sides import place, side
from tests.managers import close_all
from tests.playground import first_look, playground, start_playground, still_look

__all__ = ["first_look", "here", "place", "playground", "side", "start_playground", "still_look"]


@pytest.fixture(autouse=True)
def _nothing_is_left() -> Iterator[None]:
    """Close all managers that a test has connected, and their sockets, which the tests after it count."""
    yield
    close_all()
