"""A client of a gateway that looks at terminals of a real API server: what a page shows, as text."""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any
from urllib.parse import quote, urlencode

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from notebook_mux.urls import split_token
from notebook_mux.wire import messages
from notebook_mux.wire.frames import NUMBER, Channel, decode_frame, encode_frame
from tests import waiting

WAIT_SECONDS = 40.0
WINDOW = 1 << 20
SCOPE = "manager-1"


def query(*words: str, **flags: str) -> str:
    """Of a terminal that runs these words."""
    given = {"container": "main", "stdin": "true", "stdout": "true", "tty": "true"} | flags
    return urlencode([*given.items(), *(("command", word) for word in words)], quote_via=quote)


def sized(columns: int, rows: int) -> str:
    """What a shell is to run: wait until its terminal has this size, and say it.

    A size and the input have a channel each in remotecommand, and behind the API server either may be the first.
    """
    return f'until [ "$(stty size)" = "{rows} {columns}" ]; do sleep 0.05; done; stty size'


class Screen:
    """One view: what it was sent, in order."""

    def __init__(self, client: Looker, stream: int, view: str) -> None:
        self.client, self.stream, self.view = client, stream, view
        self.output = bytearray()
        self.states: list[dict[str, Any]] = []
        self.notes: list[dict[str, Any]] = []
        self.place = 0
        self.sent = 0
        self.shown: messages.Shown | None = None
        self.ended: messages.Ended | None = None
        self.grants = True
        self.credit = 0

    def take(self, channel: int, payload: bytes) -> None:
        if channel == Channel.VIEW:
            note = json.loads(payload)
            self.notes.append(note)
            self.place = note.get("place", self.place)
            return
        self.place += len(payload)
        if channel == Channel.ERROR:
            self.states.append(json.loads(payload))
        else:
            self.output += payload

    @property
    def text(self) -> str:
        return self.output.decode(errors="replace")

    @property
    def state(self) -> dict[str, Any]:
        return self.states[-1] if self.states else {}

    async def until(self, condition: Callable[[], object], what: str = "") -> None:
        def shown() -> str:
            return f"{what}; shown: {self.text[-300:]!r} {self.states}"

        await waiting.until(condition, shown, seconds=WAIT_SECONDS)

    async def sees(self, text: str | bytes) -> None:
        wanted = text.encode() if isinstance(text, str) else text
        await self.until(lambda: wanted in self.output, f"{text!r} is shown")

    async def has_size(self, columns: int, rows: int) -> None:
        """The shell's terminal comes to this size."""
        await self.type(f"{sized(columns, rows)}\r")
        await self.sees(f"{rows} {columns}\r\n$ ")

    async def reaches(self, state: str) -> dict[str, Any]:
        await self.until(lambda: self.state.get("state") == state, f"the state {state}")
        return self.state

    async def type(self, text: str | bytes) -> None:
        data = text.encode() if isinstance(text, str) else text
        for at in range(0, len(data), 60_000):
            piece = data[at : at + 60_000]
            await self.client.socket.send(encode_frame(self.stream, Channel.STDIN, NUMBER.pack(self.sent) + piece))
            self.sent += len(piece)

    async def resize(self, columns: int, rows: int) -> None:
        await self.client.say(messages.Size(stream=self.stream, columns=columns, rows=rows))


class Looker:
    """A client: its requests and its views."""

    def __init__(self, socket: Any) -> None:
        self.socket = socket
        self.screens: dict[int, Screen] = {}
        self.closed = False
        self.ref = ""
        self.instance = ""
        self._numbers = iter(range(1, 1 << 20))
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self._reading = asyncio.create_task(self._read())

    async def say(self, message: messages.Message) -> None:
        await self.socket.send(messages.encode(message))

    async def ask(self, kind: Any, **fields: Any) -> Any:
        """The value of an Answer; a Failure is raised as an AssertionError with it."""
        if self.closed:
            raise ConnectionError("the gateway has gone")
        number = next(self._numbers)
        self._answers[number] = asyncio.get_running_loop().create_future()
        await self.say(kind(id=number, **fields))
        found = await asyncio.wait_for(self._answers[number], WAIT_SECONDS)
        assert isinstance(found, messages.Answer), found
        return found.value

    async def terminal(self, path: str, *queries: str, key: str = "shell", **fields: Any) -> dict[str, Any]:
        given = {"key": key, "cluster": self.ref, "path": path, "queries": list(queries), "scope": SCOPE}
        found: dict[str, Any] = await self.ask(messages.Terminal, **(given | fields))
        return found

    async def look(self, terminal: str, columns: int = 80, rows: int = 24, **fields: Any) -> Screen:
        stream = next(self._numbers)
        screen = self.screens[stream] = Screen(self, stream, fields.pop("view", secrets.token_hex(8)))
        given: dict[str, Any] = {"columns": columns, "rows": rows, "credit": WINDOW}
        await self.say(messages.View(stream=stream, terminal=terminal, view=screen.view, **(given | fields)))
        answered = partial(_answered, screen)
        await waiting.until(answered, "an answer to the view", seconds=WAIT_SECONDS)
        if screen.shown is not None:
            screen.sent = screen.shown.taken
        return screen

    async def _read(self) -> None:
        try:
            async for frame in self.socket:
                if isinstance(frame, bytes):
                    await self._data(frame)
                    continue
                message = messages.decode_gateway(frame)
                if isinstance(message, messages.Welcome):
                    self.instance = message.instance
                elif isinstance(message, messages.Answer | messages.Failure):
                    self._answers.pop(message.id).set_result(message)
                elif isinstance(message, messages.Shown):
                    screen = self.screens[message.stream]
                    screen.shown, screen.place = message, message.place
                elif isinstance(message, messages.Ended):
                    self.screens[message.stream].ended = message
                elif isinstance(message, messages.Credit):
                    self.screens[message.stream].credit += message.bytes
        except ConnectionClosed:
            pass
        finally:
            self.closed = True
            for waiting_ in self._answers.values():
                if not waiting_.done():
                    waiting_.set_exception(ConnectionError("the gateway has gone"))

    async def _data(self, frame: bytes) -> None:
        stream, channel, payload = decode_frame(frame)
        screen = self.screens[stream]
        screen.take(channel, payload)
        await self.say(messages.Credit(stream=0, bytes=len(frame)))
        if screen.grants:
            await self.say(messages.Credit(stream=stream, bytes=len(frame)))

    async def close(self) -> None:
        await self.socket.close()
        await asyncio.gather(self._reading, return_exceptions=True)


def _answered(screen: Screen) -> bool:
    if screen.client.closed and screen.shown is None:
        raise ConnectionError("the gateway has gone")
    return bool(screen.shown or screen.ended)


@contextlib.asynccontextmanager
async def looking(url: str, kernel: str = "kernel-1.json", write: bool = True) -> AsyncIterator[Looker]:
    """A client that has resolved the gateway's own cluster."""
    base, token = split_token(url)
    async with connect(
        base.replace("http", "ws", 1).rstrip("/") + messages.PATH,
        subprotocols=[messages.SUBPROTOCOL],  # type: ignore[list-item]
        additional_headers={"Authorization": f"Bearer {token}"},
        compression=None, proxy=None, max_size=None, ping_interval=None, close_timeout=0.5,
    ) as socket:  # fmt: skip
        client = Looker(socket)
        try:
            await client.say(messages.Hello(package="0", kernel=kernel))
            client.ref = (await client.ask(messages.Contexts, source=messages.Source()))[0]["ref"]
            if write:
                await client.ask(messages.Scope, scope=SCOPE, write=[client.ref])
            yield client
        finally:
            await client.close()
