from __future__ import annotations

import pytest

from notebook_mux.headlamp import telling as module
from notebook_mux.headlamp.telling import OPENING, Telling
from notebook_mux.kube.reflector import Reflector, Wait
from notebook_mux.kube.troubles import Trouble
from notebook_mux.wire import messages
from tests.waiting import until

FORBIDDEN = Trouble("forbidden", "not allowed", "pods is forbidden", 403)


def make() -> tuple[Telling, Reflector, list[messages.State]]:
    told: list[messages.State] = []
    reflector = Reflector(watch_list=False)
    return Telling(7, reflector, told.append, 1.0), reflector, told


async def test_a_list_is_not_live_before_its_watch_is_open():
    telling, reflector, told = make()
    telling.now()
    reflector.page("5", "")
    telling.now()
    assert [(state.state, state.reason) for state in told] == [("connecting", ""), ("connecting", OPENING)]
    telling.is_open = True
    telling.now()
    assert told[-1].state == "live"
    assert told[-1].synced
    assert all(state.stream == 7 for state in told)


async def test_a_refusal_stays_until_the_watch_is_open():
    telling, reflector, told = make()
    reflector.page("5", "")
    reflector.ended(0.0, 0, FORBIDDEN)
    step = reflector.step()
    assert isinstance(step, Wait)
    telling.now(step)
    assert (told[-1].state, told[-1].said, told[-1].status) == ("forbidden", "pods is forbidden", 403)
    assert told[-1].retry_at is not None
    reflector.waited()
    reflector.page("6", "")
    telling.now()
    assert told[-1].state == "forbidden", "a list alone does not make it live"
    telling.is_open = True
    telling.now()
    assert told[-1].state == "live"


async def test_the_same_state_is_told_once():
    telling, _, told = make()
    telling.now()
    telling.now()
    assert len(told) == 1


async def test_a_watch_that_does_not_come_back_soon_is_stale(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "REOPEN_SECONDS", 0.01)
    telling, reflector, told = make()
    reflector.page("5", "")
    telling.is_open = True
    telling.now()
    telling.is_open = False
    telling.now()
    assert told[-1].state == "live", "an end is followed by another watch at once"
    await until(lambda: told[-1].state == "stale")
    assert "not open again" in told[-1].reason
    telling.close()


async def test_a_watch_that_comes_back_is_not():
    telling, reflector, told = make()
    reflector.page("5", "")
    telling.is_open = True
    telling.now()
    telling.is_open = False
    telling.now()
    assert telling._reopening is not None
    telling.is_open = True
    telling.now()
    assert telling._reopening is None
    assert told[-1].state == "live"
