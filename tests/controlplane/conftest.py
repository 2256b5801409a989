"""The playground's fixtures, for the tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from notebook_mux.handles import managers
from notebook_mux.kernel import holder
from tests.controlplane.places import here
from tests.controlplane.sides import place, side
from tests.playground import first_look, playground, start_playground, still_look

__all__ = ["first_look", "here", "place", "playground", "side", "start_playground", "still_look"]


CLOSE_SECONDS = 60


@pytest.fixture(autouse=True)
def _nothing_is_left() -> Iterator[None]:
    """Close all managers that a test has connected, and their sockets, which the tests after it count.

    The socket of a manager that nobody holds is open until the last of its endpoint is closed.
    """
    yield
    for manager in managers.known():
        manager.close()
    core = holder.running()
    if core is not None:
        for connection in core.status()["connections"]:
            core.close(connection["id"]).result(CLOSE_SECONDS)
