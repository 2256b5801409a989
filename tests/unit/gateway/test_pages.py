"""A page's socket as a session of its own; who may open one is tried in `tests/security/test_terminal_socket.py`."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from notebook_mux.gateway import pages
from notebook_mux.gateway.pages import Page
from notebook_mux.gateway.shared import Shared
from notebook_mux.remote.run import Order
from notebook_mux.remote.terminal import Terminal
from notebook_mux.remote.terminals import Kept
from notebook_mux.wire import messages
from notebook_mux.wire.frames import NUMBER, Channel, decode_frame, encode_frame
from notebook_mux.wire.sending import Parts
from tests.waiting import until

ORIGIN = "https://hub.example"
VIEW = "0123456789abcdef"


class FakeSocket:
    """What the page sends is put in; what it gets is kept."""

    def __init__(self) -> None:
        self.frames: asyncio.Queue[str | bytes | None] = asyncio.Queue()
        self.sent: list[str | bytes] = []
        self.closed: tuple[int, str] | None = None
        self.aborted = False
        self.pings = 0
        self.writable = asyncio.Event()
        self.writable.set()

    async def send(self, frame: str | Parts) -> None:
        await self.writable.wait()
        self.sent.append(frame if isinstance(frame, str) else b"".join(frame))

    async def receive(self) -> str | bytes | None:
        return await self.frames.get()

    async def ping(self) -> None:
        self.pings += 1

    async def close(self, code: int, reason: str) -> None:
        self.closed = code, reason

    def abort(self) -> None:
        self.aborted = True

    def say(self, message: messages.Message) -> None:
        self.frames.put_nowait(messages.encode(message))


class NoCluster:
    name = "one"

    async def websocket(self, *arguments: Any, **options: Any) -> Any:
        await asyncio.Event().wait()


class Place:
    """A gateway's shared things, one terminal, one page."""

    def __init__(self) -> None:
        self.shared = Shared("instance-1")
        order = Order("/x", ("command=sh",))

        def entry(terminal: Terminal) -> Kept:
            return Kept("kernel", "k", "ref", terminal)

        self.kept = self.shared.terminals.create(entry, NoCluster(), order)  # type: ignore[arg-type]
        self.socket = FakeSocket()
        self.welcomed = 0
        self.page = Page(self.socket, ORIGIN, self.shared, self._welcome)
        self.running = asyncio.create_task(self.page.run())

    def _welcome(self) -> None:
        self.welcomed += 1

    def view(self, **fields: Any) -> messages.View:
        id_ = self.kept.terminal.id
        given: dict[str, Any] = {"stream": 1, "terminal": id_, "view": VIEW, "credit": 1 << 20}
        return messages.View(ticket=self.shared.tickets.give(id_, ORIGIN), **(given | fields))

    async def shown(self) -> None:
        self.socket.say(self.view())
        await until(lambda: self.socket.sent)
        assert isinstance(messages.decode_gateway(str(self.socket.sent[0])), messages.Shown)

    def output(self) -> bytes:
        frames = [decode_frame(frame) for frame in self.socket.sent if isinstance(frame, bytes)]
        return b"".join(payload for stream, channel, payload in frames if (stream, channel) == (1, Channel.STDOUT))


@pytest.fixture
async def place() -> Any:
    made = Place()
    yield made
    made.page.end()
    await made.running
    await made.shared.terminals.aclose()
    assert made.socket.aborted
    assert not made.shared.pages


async def test_it_is_shown_and_told(place: Place):
    await place.shown()
    assert (place.welcomed, place.shared.pages) == (1, {place.page})
    await place.kept.terminal.wrote(Channel.STDOUT, b"output")
    await until(lambda: place.output() == b"output")
    place.socket.frames.put_nowait(None)
    await place.running
    assert (place.socket.closed, place.kept.terminal.viewers) == ((1000, ""), [])


async def test_its_credit_is_its_own(place: Place):
    place.socket.say(place.view(credit=1))
    await until(lambda: len(place.socket.sent) >= 2)
    for _ in range(3):
        await place.kept.terminal.wrote(Channel.STDOUT, b"x" * 1000)
    assert place.output() == b""
    place.socket.say(messages.Credit(stream=1, bytes=1 << 20))
    await until(lambda: len(place.output()) == 3000)


async def test_the_gateway_ends(place: Place):
    await place.shown()
    place.page.end()
    place.page.end()
    await place.running
    assert place.socket.closed == (1001, "closing")


async def test_another_page_has_the_view(place: Place):
    await place.shown()
    nothing: Any = lambda *anything: None  # noqa: E731 - three times the same
    place.kept.terminal.look(VIEW, -1, output=True, wake=nothing, grant=nothing, ended=nothing)
    await place.running
    assert place.socket.closed == (1000, "closed")
    assert isinstance(messages.decode_gateway(str(place.socket.sent[-1])), messages.Ended)


async def test_who_does_not_read_is_not_read(place: Place, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(pages, "BACKLOG", 3)
    await place.shown()
    place.socket.writable.clear()
    for _ in range(10):
        place.page.send(messages.Credit(stream=1, bytes=1))
    place.socket.say(messages.Size(stream=1, columns=1, rows=1))
    place.socket.say(messages.Size(stream=1, columns=2, rows=2))
    await until(lambda: place.kept.terminal.size == (1, 1))
    assert place.socket.frames.qsize() == 1
    place.socket.writable.set()
    await until(lambda: place.kept.terminal.size == (2, 2))


async def test_the_way_is_kept_open(place: Place, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(pages, "PING_SECONDS", 0.01)
    await place.shown()
    await until(lambda: place.socket.pings > 2)


async def test_its_failure_is_told_as_one(
    place: Place, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    await place.shown()

    def fails(*arguments: Any) -> None:
        raise RuntimeError("canary")

    monkeypatch.setattr(place.page._screens, "size", fails)
    place.socket.say(messages.Size(stream=1, columns=1, rows=1))
    await place.running
    assert place.socket.closed == (1011, "gateway")
    assert "RuntimeError" in caplog.text
    assert "canary" not in caplog.text


WORDS = st.one_of(
    st.text(max_size=50),
    st.binary(max_size=40),
    st.builds(
        lambda place, data: encode_frame(1, 0, NUMBER.pack(place) + data), st.integers(0, 9), st.binary(max_size=9)
    ),
    st.builds(
        lambda columns, rows: messages.encode(messages.Size(stream=1, columns=columns, rows=rows)),
        st.integers(-1, 70_000),
        st.integers(-1, 70_000),
    ),
    st.builds(lambda size: messages.encode(messages.Credit(stream=1, bytes=size)), st.integers(-1, 1 << 50)),
)


@settings(max_examples=50, deadline=None)
@given(words=st.lists(WORDS, max_size=10), welcome=st.booleans())
def test_whatever_is_said_it_ends_by_the_rules(words: list[str | bytes], welcome: bool):
    async def run() -> None:
        place = Place()
        if welcome:
            await place.shown()
        for word in words:
            place.socket.frames.put_nowait(word)
        place.socket.frames.put_nowait(None)
        await place.running
        assert place.socket.closed is not None
        assert place.socket.closed[0] in (1000, 1002)
        assert place.socket.aborted
        assert (place.shared.pages, place.kept.terminal.viewers) == (set(), [])
        await place.shared.terminals.aclose()

    asyncio.run(run())
