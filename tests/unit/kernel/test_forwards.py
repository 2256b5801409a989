from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from notebook_mux.kernel import forwards as module
from notebook_mux.kernel.failure import Failure
from notebook_mux.kernel.forwards import Aim, Forward, Forwards
from notebook_mux.wire import messages
from notebook_mux.wire.forwards import ForwardState
from notebook_mux.wire.frames import Channel

CREDIT = 1 << 20
AIM = Aim("ref", "/p", 80, "s")


class Line:
    """A connection whose gateway lets every forward listen, unless it is told not to."""

    def __init__(self) -> None:
        self.handlers: list[Forward] = []
        self.told: list[messages.Message] = []
        self.ended: list[Forward] = []
        self.begun: list[messages.Forward | None] = []
        self.answer: ForwardState | messages.Ended | None = ForwardState(port=4000, state="listening", path="/p")

    async def open(self, timeout: float) -> None:
        """It is."""

    def attach(self, handler: Forward) -> None:
        self.handlers.append(handler)
        self.begin(handler)

    def begin(self, handler: Forward) -> None:
        self.begun.append(handler.begin(len(self.begun) + 1, CREDIT))
        if isinstance(self.answer, ForwardState):
            say(handler, self.answer)
        elif self.answer is not None:
            handler.control(self.answer)

    def detach(self, handler: Forward) -> None:
        self.ended.append(handler)

    def tell(self, message: messages.Message) -> None:
        self.told.append(message)


def say(handler: Forward, state: ForwardState) -> None:
    handler.data(Channel.FORWARD, msgspec.json.encode(state))


def listening(**fields: Any) -> ForwardState:
    given: dict[str, Any] = {"port": 4000, "state": "listening", "path": "/p"}
    return ForwardState(**(given | fields))


def nothing() -> None:
    """Nobody looks for another pod."""


@pytest.fixture
def line() -> Line:
    return Line()


@pytest.fixture
async def forwards(line: Line) -> Forwards:
    return Forwards(line, lambda ref: f"{ref}-now", named=True)


async def test_it_is_asked_for_once(line: Line, forwards: Forwards):
    await forwards.open("web", AIM, nothing)
    await forwards.open("web", AIM, nothing)
    assert line.begun == [
        messages.Forward(stream=1, key="web", cluster="ref-now", path="/p", port=80, scope="s", credit=CREDIT)
    ]
    assert line.told == []
    assert forwards.view("web")["port"] == 4000
    assert forwards.view("web")["state"] == "listening"
    assert forwards.view("other")["state"] == "closed"


async def test_it_is_found_again_on_its_port(line: Line, forwards: Forwards):
    await forwards.open("web", AIM, nothing)
    [handler] = line.handlers
    handler.lost("the network", 5.0)
    assert forwards.view("web") | {"reason": ""} == msgspec.structs.asdict(listening()) | {"state": "offline"}
    assert forwards.view("web")["reason"] == "the network"
    line.begin(handler)
    assert line.begun[1] is not None
    assert (line.begun[1].stream, line.begun[1].local, line.begun[1].key) == (2, 4000, "web")
    assert forwards.view("web")["state"] == "listening"


async def test_it_goes_elsewhere(line: Line, forwards: Forwards):
    await forwards.open("web", AIM, nothing)
    forwards.point("web", "/q", 81)
    forwards.point("web", "/q", 81)
    forwards.point("nothing", "/q", 81)
    assert [(m.stream, m.path, m.port, m.key) for m in line.told if isinstance(m, messages.Forward)] == [
        (1, "/q", 81, "web")
    ]
    line.handlers[0].lost("the network", 5.0)
    forwards.point("web", "/r", 82)
    assert len(line.told) == 1
    line.begin(line.handlers[0])
    assert line.begun[1] is not None
    assert (line.begun[1].path, line.begun[1].port) == ("/r", 82)


async def test_another_pod_is_looked_for(line: Line, forwards: Forwards):
    looks: list[str] = []
    await forwards.open("web", Aim("ref", "/p", 80, "s", moves=True), lambda: looks.append("look"))
    [handler] = line.handlers
    say(handler, listening(connections=1, total=1))
    assert looks == []
    say(handler, listening(errors=1, error="refused"))
    say(handler, listening(errors=1, error="refused", total=2))
    assert looks == ["look"]
    say(handler, listening(state="lost", reason="gone", errors=1))
    assert looks == ["look"] * 2
    await forwards.open("fixed", AIM, lambda: looks.append("no"))
    say(line.handlers[1], listening(state="lost", errors=1))
    assert looks == ["look"] * 2


async def test_a_refusal(line: Line, forwards: Forwards):
    line.answer = messages.Ended(stream=1, code="write-refused", what="only looking", todo="write=True")
    with pytest.raises(Failure) as caught:
        await forwards.open("web", AIM, nothing)
    assert (caught.value.code, caught.value.fields["todo"]) == ("write-refused", "write=True")
    assert forwards.view("web")["state"] == "closed"
    assert line.ended == line.handlers
    line.answer = listening()
    await forwards.open("web", AIM, nothing)  # asked again, it is another one
    assert len(line.handlers) == 2


async def test_one_that_the_gateway_ends(line: Line, forwards: Forwards):
    await forwards.open("web", AIM, nothing)
    [handler] = line.handlers
    handler.control(messages.Ended(stream=1, code="invalid", what="too many", said="64"))
    assert (forwards.view("web")["state"], forwards.view("web")["reason"]) == ("ended", "too many: 64")
    assert handler.begin(7, CREDIT) is None
    await forwards.open("web", AIM, nothing)
    assert line.handlers[1] is not handler
    assert forwards.view("web")["state"] == "listening"


async def test_whoever_watches_is_woken(line: Line, forwards: Forwards):
    await forwards.open("web", AIM, nothing)
    seen: list[str] = []
    undo = forwards.watch("web", lambda: seen.append(forwards.view("web")["error"]))
    say(line.handlers[0], listening())
    say(line.handlers[0], listening(errors=1, error="one"))
    assert seen == ["one"]
    undo()
    undo()
    say(line.handlers[0], listening(errors=2, error="two"))
    assert seen == ["one"]
    forwards.watch("nothing", nothing)()


async def test_its_end(line: Line, forwards: Forwards):
    await forwards.open("web", AIM, nothing)
    forwards.end("web")
    forwards.end("web")
    assert line.ended == line.handlers
    assert line.handlers[0].view["state"] == "closed"
    say(line.handlers[0], listening(total=5))
    assert line.handlers[0].view["state"] == "closed"


@pytest.mark.parametrize(("named", "leaving", "left"), [(True, True, True), (True, False, False), (False, True, False)])
async def test_the_connections_end(line: Line, named: bool, leaving: bool, left: bool):
    forwards = Forwards(line, lambda ref: ref, named=named)
    forwards.leaving = leaving
    await forwards.open("web", AIM, nothing)
    forwards.close()
    # A restarted kernel of that name finds it again; that of a script nobody could.
    assert len(line.ended) == (0 if left else 1)
    line.handlers[0].lost("closed", None)
    assert line.handlers[0].view["state"] == "closed"
    assert (forwards.key_at_gateway("web") == "web") is named


async def test_two_scripts_do_not_share(line: Line):
    keys = {Forwards(line, lambda ref: ref, named=False).key_at_gateway("web") for _ in range(2)}
    assert len(keys) == 2
    assert all(len(key) > 32 for key in keys)


async def test_a_gateway_that_does_not_answer(line: Line, forwards: Forwards, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "OPEN_SECONDS", 0.02)
    line.answer = None
    with pytest.raises(Failure) as caught:
        await forwards.open("web", AIM, nothing)
    assert caught.value.code == "timeout"
    assert line.ended == line.handlers
    await asyncio.sleep(0)
