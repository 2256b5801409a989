"""One log on its way from the API server to one stream: as it comes, in order, and no faster than it is taken."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Protocol

import aiohttp
import msgspec

from notebook_mux.errors import MuxError, NotFound, ServerError, TimedOut
from notebook_mux.kube.answers import Answer, plain
from notebook_mux.remote import keepalive
from notebook_mux.wire.frames import MAX_FRAME, MAX_PAYLOAD, Channel
from notebook_mux.wire.logs import LogEnd

BUFFER_BYTES = 256 * 1024
"""What waits for the client before nothing more is read: a second of a container that writes more than anyone reads."""

READ_AHEAD = (BUFFER_BYTES - MAX_FRAME) // 2
"""The rest besides the frame that is ready, as aiohttp has it, which stops reading at twice that much."""

GATHER_SECONDS = 0.016
"""After a small piece, until the next one is looked for: an API server sends each line by itself. The first after a
pause goes at once, and a screen shows sixty pictures a second."""

SMALL = 16 * 1024
"""Bytes: at a megabyte a second a piece is larger, and needs no gathering."""

BEGIN_SECONDS = 2.0
"""After which a followed log counts as begun though no answer has come: a node answers with the first line, which a
quiet container writes when it likes, and a refusal comes sooner."""

ANSWER_SECONDS = 60.0
"""Until an answer begins that will end: an API server gives up on a node that is not there after 30."""

REFUSAL_BYTES = 16 * 1024
"""Of the body of a refusal; a Status has a few hundred."""

REFUSAL_SECONDS = 10.0

SAID_CHARACTERS = 2000
"""Of the server's words, so that they fit into one frame however they are escaped."""

ACCEPT = {"Accept": "application/json, */*"}
"""As kubectl: the log is text, and a refusal is a Status."""

GONE_TODO = "it may have been deleted; see which there are, as with nm.get('pods')"

log = logging.getLogger(__name__)


class Api(Protocol):
    """What a log needs of a cluster, reached directly by a gateway or through a Headlamp server.

    Attributes:
        last_contact: `time.monotonic` seconds of the last sign of life from it.
    """

    last_contact: float

    @property
    def name(self) -> str:
        """As the user has it."""

    def stream(
        self, path: str, query: str = "", *, headers: Mapping[str, str], timeout: float | None, read_ahead: int
    ) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        """A long answer, uncompressed; leaving the block ends it.

        Raises:
            MuxError: No answer, or none within `timeout` seconds.
        """

    def refused(self, answer: Answer, what: str) -> MuxError:
        """The error for an answer that is no success; `what` was tried."""

    def failed(self, error: BaseException) -> MuxError:
        """The error for what aiohttp or the system raised while an answer was read."""

    async def is_alive(self) -> bool:
        """Whether it answers anything at all just now."""


class Pipe:
    """A sender's `Source`; runs from its making on. On the loop of whoever has it.

    It holds at most one frame, which is as long as what has come by then; all else waits in the connection, whose
    reading stops. So a piece is put together once and passed on as it is.

    Args:
        api: Where.
        path: The log of a pod.
        query: Encoded.
        what: The log in words.
        follows: Whether its answer has no end.
        moved: Called when there is something to send.
        taken: Called when the last frame was taken.

    Attributes:
        since: Its beginning, in Unix seconds.
        status: The server's HTTP status; 0 while it has not answered.
        total: Bytes that have come.
        heard: `time.monotonic` seconds of the last of them.
    """

    def __init__(
        self,
        api: Api,
        path: str,
        query: str,
        what: str,
        *,
        follows: bool,
        moved: Callable[[], None],
        taken: Callable[[], None],
    ) -> None:
        self.api = api
        self.path = path
        self.query = query
        self.since = time.time()
        self.status = 0
        self.total = 0
        self.heard = time.monotonic()
        self._what = what
        self._follows = follows
        self._moved = moved
        self._taken = taken
        self._begun = False
        self._greets = False
        self._piece = b""
        self._end = b""
        self._room = asyncio.Event()
        self._given_up = False
        self._task = asyncio.get_running_loop().create_task(self._run(), name="log")

    @property
    def over(self) -> bool:
        """Whether nothing more comes from the server."""
        return self._task.done()

    @property
    def waits(self) -> bool:
        """Whether it waits for the server, and not for the client."""
        return not (self._piece or self._end)

    def pull(self, limit: int) -> tuple[int, bytes] | None:
        """The next frame; see `notebook_mux.wire.sending.Source`."""
        if self._greets:
            self._greets = False
            return Channel.STDOUT, b""
        if self._piece:
            piece, self._piece = self._piece[:limit], self._piece[limit:]  # the first is the whole one, and no copy
            if not self._piece:
                self._room.set()
            return Channel.STDOUT, piece
        if self._end:
            end, self._end = self._end, b""
            self._taken()
            return Channel.END, end
        return None

    def cancel(self) -> asyncio.Task[None]:
        """End the request; the task that does it."""
        self._task.cancel()
        return self._task

    def give_up(self) -> None:
        """End the request, for the server has died; the client is told."""
        if not self.over:
            self._given_up = True
            self._task.cancel()

    # --- its life -------------------------------------------------------------------------------------------------

    async def _run(self) -> None:
        failure: MuxError | None = None
        try:
            await self._read()
        except MuxError as error:
            failure = error
        except (aiohttp.ClientError, OSError) as error:
            failure = self.api.failed(error)
        except asyncio.CancelledError:
            if not self._given_up:
                raise
            silent = round(time.monotonic() - self.heard)
            failure = TimedOut(f"{self._what}: no sign of life from the server for {silent} s", cluster=self.api.name)
        except Exception as error:  # its reader must hear of an end
            log.exception("a log failed")
            failure = ServerError(f"{self._what}: reading it failed", said=type(error).__name__)
        self._end = ending(self.status, failure)
        self._moved()

    async def _read(self) -> None:
        timeout = None if self._follows else ANSWER_SECONDS
        stream = self.api.stream(self.path, self.query, headers=ACCEPT, timeout=timeout, read_ahead=READ_AHEAD)
        beginning = asyncio.get_running_loop().call_later(BEGIN_SECONDS, self._begin) if self._follows else None
        try:
            async with stream as response:
                self._hear()
                self.status = response.status
                if not 200 <= self.status < 300:
                    raise await self._refusal(response)
                keepalive.tune(response, READ_AHEAD)
                self._begin()
                await self._pass_on(response.content)
        finally:
            if beginning is not None:
                beginning.cancel()

    def _begin(self) -> None:
        if not self._begun:
            self._begun = self._greets = True
            self._moved()

    def _hear(self) -> None:
        self.heard = self.api.last_contact = time.monotonic()

    async def _refusal(self, response: aiohttp.ClientResponse) -> MuxError:
        answer = Answer(self.status, plain(response.headers), await _beginning(response.content))
        error = self.api.refused(answer, self._what)
        if isinstance(error, NotFound):
            error.todo = GONE_TODO
        return error

    async def _pass_on(self, content: aiohttp.StreamReader) -> None:
        while piece := await content.read(MAX_PAYLOAD):
            self._hear()
            self.total += len(piece)
            self._piece = piece
            self._room.clear()
            self._moved()
            await self._room.wait()
            if len(piece) < SMALL and not content.is_eof():
                await asyncio.sleep(GATHER_SECONDS)


def ending(status: int, failure: MuxError | None) -> bytes:
    """The payload of a log's last frame."""
    if failure is None:
        return msgspec.json.encode(LogEnd(status=status))
    said = failure.said[:SAID_CHARACTERS] if failure.said else None
    return msgspec.json.encode(
        LogEnd(status=status, code=failure.code, what=failure.what, said=said, todo=failure.todo)
    )


async def _beginning(content: aiohttp.StreamReader) -> bytes:
    """What a refusal says, as far as it comes."""
    parts: list[bytes] = []
    left = REFUSAL_BYTES
    try:
        async with asyncio.timeout(REFUSAL_SECONDS):
            while left > 0 and (part := await content.read(left)):
                parts.append(part)
                left -= len(part)
    except (aiohttp.ClientError, OSError):  # a time limit too
        pass
    return b"".join(parts)
