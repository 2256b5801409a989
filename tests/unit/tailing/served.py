"""What a desk's session does, without a socket, and logs that a scripted API server writes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import msgspec
from aiohttp import web

from notebook_mux.errors import UnknownContext
from notebook_mux.tailing.desk import Desk
from notebook_mux.tailing.pipe import Api
from notebook_mux.wire import messages
from notebook_mux.wire.frames import FRAME_HEAD, Channel, decode_frame
from notebook_mux.wire.logs import LogEnd
from notebook_mux.wire.sending import MAX_CREDIT, Sender, Source
from tests.waiting import until as wait_until

LOG = "/api/v1/namespaces/x/pods/web-0/log"
REF = "ref-one"
EVERY = bytes(range(256))

until = partial(wait_until, seconds=20)


def order(stream: int = 1, **fields: Any) -> messages.Log:
    """What a client asks."""
    given: dict[str, Any] = {
        "stream": stream,
        "cluster": REF,
        "path": LOG,
        "query": "follow=true",
        "credit": MAX_CREDIT,
    }
    return messages.Log(**(given | fields))


class Session:
    """A session with one desk; its frames wait until they are read here.

    Args:
        api: The cluster that it has resolved.
    """

    def __init__(self, api: Api) -> None:
        self.sender = Sender(MAX_CREDIT)
        self.said: list[messages.Message] = []
        self.woken = asyncio.Event()
        self._api = api
        self.desk = Desk(self, self._find)

    def _find(self, ref: str) -> Api:
        if ref != REF:
            raise UnknownContext("a cluster that this connection has not asked for")
        return self._api

    # --- what a desk calls ----------------------------------------------------------------------------------------

    def send(self, message: messages.Message) -> None:
        self.said.append(message)

    def wake(self, stream: int) -> None:
        self.sender.wake(stream)
        self.woken.set()

    def open_lane(self, stream: int, source: Source, credit: int) -> None:
        self.sender.add(stream, source, credit)
        self.woken.set()

    def close_lane(self, stream: int) -> None:
        self.sender.remove(stream)

    # --- what a client does ---------------------------------------------------------------------------------------

    async def frame(self) -> tuple[int, int, bytes]:
        """The next frame of any stream."""
        async with asyncio.timeout(20):
            while (found := self.sender.next()) is None:
                self.woken.clear()
                await self.woken.wait()
        assert isinstance(found, bytes)
        return decode_frame(found)

    async def text(self, stream: int = 1, wanted: int | bytes | None = None) -> bytes:
        """What comes on a stream that begins, up to so many bytes, up to these, or up to its end."""
        first = await self.frame()
        assert first == (stream, Channel.STDOUT, b"")
        return await self.more(stream, wanted)

    async def more(self, stream: int = 1, wanted: int | bytes | None = None) -> bytes:
        """What comes next; see `text`. The end is left to `end` where something was wanted."""
        parts = bytearray()
        while True:
            number, channel, payload = await self.frame()
            assert number == stream
            if channel == Channel.END:
                assert wanted is None, f"it has ended: {payload!r}"
                self.last = msgspec.json.decode(payload, type=LogEnd)
                return bytes(parts)
            assert channel == Channel.STDOUT
            assert payload
            parts += payload
            if isinstance(wanted, int) and len(parts) >= wanted:
                return bytes(parts)
            if isinstance(wanted, bytes) and parts.endswith(wanted):
                return bytes(parts)

    async def end(self, stream: int = 1) -> LogEnd:
        """The end of a stream of which nothing else is to come."""
        number, channel, payload = await self.frame()
        assert (number, channel) == (stream, Channel.END)
        return msgspec.json.decode(payload, type=LogEnd)

    def grant(self, stream: int, frames: Iterable[bytes] | int) -> None:
        """Allow more, as a client that has taken in these payloads."""
        size = frames if isinstance(frames, int) else sum(FRAME_HEAD.size + len(payload) for payload in frames)
        self.sender.grant(stream, size)
        self.woken.set()


class Writing:
    """One log as the server writes it: a handler of `tests.unit.gateway.tls_api.Api`.

    Args:
        write: Writes it; without, it is held open until `end`.
    """

    def __init__(self, write: Callable[[web.StreamResponse], Any] | None = None) -> None:
        self.requests: list[web.Request] = []
        self.open = 0
        self.end = asyncio.Event()
        self._write = write
        self._responses: asyncio.Queue[web.StreamResponse] = asyncio.Queue()

    def __call__(self, request: web.Request) -> Any:
        return self._answer(request) if request.path.endswith("/log") else web.json_response({"gitVersion": "v1"})

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request)
        response = web.StreamResponse(headers={"Content-Type": "text/plain"})
        self.open += 1
        try:
            await response.prepare(request)
            self._responses.put_nowait(response)
            if self._write is not None:
                await self._write(response)
            else:
                while not self.end.is_set() and not self.gone(request):
                    await asyncio.sleep(0.005)
        except OSError:
            pass
        finally:
            self.open -= 1
        return response

    @staticmethod
    def gone(request: web.Request) -> bool:
        """Whether the client's connection is there no more."""
        return request.transport is None or request.transport.is_closing()

    async def log(self) -> web.StreamResponse:
        """The next one that was asked for, to be written to."""
        return await self._responses.get()
