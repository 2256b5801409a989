from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from notebook_mux.life.idle import IDLE_S, IdleEnd, idle_seconds
from notebook_mux.life.name import ServiceName
from notebook_mux.life.runtime import Tenure

NAME = ServiceName("gateway")


async def until(condition: Callable[[], bool]) -> None:
    while not condition():  # it is about a file, which wakes nobody
        await asyncio.sleep(0.01)


class Service:
    """What a service tells its `IdleEnd`, and what was done to it."""

    def __init__(self, tenure: Tenure):
        self.clients = 0
        self.done: list[str] = []
        self.arrives_at_the_door = False
        self.end = IdleEnd(
            tenure, busy=lambda: self.clients > 0, close_door=self.close, open_door=self.open, seconds=0.05
        )

    async def close(self) -> None:
        self.done.append("close" if not NAME.runtime_file().exists() else "closed before it was withdrawn")
        if self.arrives_at_the_door:
            self.arrives_at_the_door = False
            self.clients = 1

    def open(self) -> None:
        self.done.append("open")


@pytest.fixture
def tenure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tenure:
    monkeypatch.setenv("NOTEBOOK_MUX_RUNTIME_DIR", str(tmp_path / "run"))
    return Tenure(NAME)


async def test_without_clients_it_ends(tenure: Tenure) -> None:
    with tenure:
        tenure.publish(1)
        service = Service(tenure)
        assert await service.end.wait() == "idle"
        assert service.done == ["close"]
        assert not NAME.runtime_file().exists()


async def test_a_client_keeps_it(tenure: Tenure) -> None:
    with tenure:
        tenure.publish(1)
        service = Service(tenure)
        service.clients = 1
        waiting = asyncio.ensure_future(service.end.wait())
        done, _ = await asyncio.wait([waiting], timeout=0.3)
        assert not done
        service.clients = 0
        assert await waiting == "idle"


async def test_a_client_at_the_closing_door_opens_it_again(tenure: Tenure) -> None:
    with tenure:
        tenure.publish(1)
        service = Service(tenure)
        service.arrives_at_the_door = True
        waiting = asyncio.ensure_future(service.end.wait())
        await until(lambda: service.done == ["close", "open"])
        await until(NAME.runtime_file().exists)
        service.clients = 0
        assert await waiting == "idle"
        assert service.done == ["close", "open", "close"]


async def test_a_touch_starts_the_time_anew(tenure: Tenure) -> None:
    now = 0.0
    end = IdleEnd(
        tenure, busy=lambda: False, close_door=lambda: None, open_door=lambda: None, seconds=0.05, clock=lambda: now
    )
    waiting = asyncio.ensure_future(end.wait())
    now = 0.04
    end.touch()
    now = 0.08
    done, _ = await asyncio.wait([waiting], timeout=0.1)
    assert not done
    now = 0.1
    assert await waiting == "idle"


async def test_a_request_to_end_does_not_wait_for_clients(tenure: Tenure) -> None:
    with tenure:
        tenure.publish(1)
        service = Service(tenure)
        service.clients = 1
        service.end.ask("stop")
        service.end.ask("again")
        assert await service.end.wait() == "stop"
        assert service.done == ["close"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_asks_for_the_end(number: signal.Signals, tenure: Tenure) -> None:
    with tenure:
        service = Service(tenure)
        service.clients = 1
        before = signal.getsignal(number)
        with service.end.signals():
            os.kill(os.getpid(), number)
            assert await service.end.wait() == number.name
        assert signal.getsignal(number) in (before, signal.SIG_DFL, signal.default_int_handler)


async def test_files_are_refreshed_now_and_then(tenure: Tenure, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("notebook_mux.life.idle.REFRESH_S", 0.0)
    with tenure:
        tenure.publish(1)
        service = Service(tenure)
        service.clients = 1
        waiting = asyncio.ensure_future(service.end.wait())
        NAME.runtime_file().unlink()
        await until(NAME.runtime_file().exists)
        service.end.ask("stop")
        await waiting


@pytest.mark.parametrize(
    ("text", "seconds"), [("", IDLE_S), ("2.5", 2.5), ("0", IDLE_S), ("-1", IDLE_S), ("soon", IDLE_S), ("nan", IDLE_S)]
)
def test_the_idle_time(text: str, seconds: float) -> None:
    assert idle_seconds({"NOTEBOOK_MUX_IDLE_SECONDS": text}) == seconds
