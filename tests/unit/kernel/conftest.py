"""A core of its own and a gateway that does as it is told."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest

from notebook_mux.kernel.core import Core
from tests import waiting
from tests.unit.kernel.fake_gateway import FakeGateway

WAIT_SECONDS = 30.0

eventually = partial(waiting.eventually, seconds=WAIT_SECONDS, pause=0.005)


@pytest.fixture
def gateway() -> Iterator[FakeGateway]:
    fake = FakeGateway().start()
    yield fake
    fake.close()


@pytest.fixture
def core() -> Iterator[Core]:
    made = Core()
    yield made
    made.shutdown()


def linger_no_more(core: Core, conn: str) -> None:
    """What is let go from now on ends at once; before, a slow machine has the time to hold what it has opened."""
    core._endpoints[conn].linger_seconds = 0.0
