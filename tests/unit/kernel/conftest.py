"""A core of its own and a gateway that does as it is told."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from notebook_mux.kernel.core import Core
from tests.unit.kernel.fake_gateway import FakeGateway

WAIT_SECONDS = 10.0


@pytest.fixture
def gateway() -> Iterator[FakeGateway]:
    fake = FakeGateway().start()
    yield fake
    fake.close()


@pytest.fixture
def core() -> Iterator[Core]:
    made = Core(linger_seconds=0.2)
    yield made
    made.shutdown()


def eventually(condition: Callable[[], object], what: str = "") -> None:
    """Wait until `condition` holds; fail with `what` after `WAIT_SECONDS`."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"not within {WAIT_SECONDS:g} s: {what or condition}"
        time.sleep(0.005)
