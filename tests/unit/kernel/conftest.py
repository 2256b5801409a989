"""A core of its own and a gateway that does as it is told."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest

from notebook_mux.kernel.core import Core
from tests import waiting
from tests.unit.kernel.fake_gateway import FakeGateway

WAIT_SECONDS = 10.0

eventually = partial(waiting.eventually, seconds=WAIT_SECONDS, pause=0.005)


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
