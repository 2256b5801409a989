from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partial

import pytest

from notebook_mux.errors import InvalidArgument
from notebook_mux.forwards import forwards as module
from notebook_mux.forwards.forwards import MAX_KEY, Forwards, Held
from tests.unit.forwards.pods import Going
from tests.waiting import until

OWNER = ("kernel-1.json", "svc/web 80")


@pytest.fixture
async def forwards() -> AsyncIterator[Forwards]:
    found = Forwards()
    yield found
    await found.aclose()


@pytest.fixture
def take(forwards: Forwards, going: Going) -> partial[Held]:
    return partial(forwards.take, aim=going.aim(), port=0, allowed=going.allowed)


async def test_the_same_key_is_the_same_forward(take: partial[Held], forwards: Forwards, going: Going):
    held = take(OWNER)
    left = []
    held.leave = lambda: left.append(True)
    assert take(OWNER, aim=going.aim(port=81)) is held
    assert held.forward.aim.port == 81
    assert left == [True]
    assert take(("kernel-2.json", OWNER[1])) is not held
    assert take((OWNER[0], "svc/web 81")) is not held
    assert len(forwards) == len(list(forwards)) == 3


async def test_one_whose_client_has_gone_is_kept_for_a_while(going: Going):
    touched: list[int] = []
    kept = Forwards(lease_seconds=0.05, touched=lambda: touched.append(len(kept)))
    held = kept.take(OWNER, going.aim(), 0, going.allowed)
    kept.left(held)
    assert not held.forward.has_client
    assert kept.take(OWNER, going.aim(), 0, going.allowed) is held
    assert held.forward.has_client
    await asyncio.sleep(0.1)
    assert list(kept) == [held]
    kept.left(held)
    await until(lambda: not len(kept), "its lease has ended")
    assert touched == [0]
    await kept.aclose()


async def test_one_that_was_dropped_is_another_one(take: partial[Held], forwards: Forwards):
    held = take(OWNER)
    forwards.drop(held)
    forwards.drop(held)
    forwards.left(held)
    assert held.lease is None
    assert take(OWNER) is not held


async def test_limits(take: partial[Held], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "MAX_FORWARDS", 2)
    for key in ("", "x" * (MAX_KEY + 1)):
        with pytest.raises(InvalidArgument, match="a forward's key"):
            take(("k", key))
    take(("k", "1"))
    take(("k", "2"))
    with pytest.raises(InvalidArgument, match="2 ports are forwarded already"):
        take(("k", "3"))
    take(("k", "1"))
    take(("other", "1"))


async def test_a_secret_opens_one(take: partial[Held], forwards: Forwards):
    held, other = take(OWNER), take(("k", "1"))
    assert forwards.by_secret("") is None
    held.secret, other.secret = "a" * 43, "b" * 43
    assert forwards.by_secret("a" * 43) is held
    assert forwards.by_secret("b" * 43) is other
    for wrong in ("", "a", "a" * 44, "c" * 43, "ä\udcff"):
        assert forwards.by_secret(wrong) is None
    assert "aaa" not in repr(held)
    forwards.drop(held)
    assert forwards.by_secret("a" * 43) is None
