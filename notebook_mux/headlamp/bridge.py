"""A Headlamp server as the kernel's connection sees it: a transport that speaks notebook-mux.v1, in memory.

What the connection sends is answered here, by REST and by the multiplexer; so subscriptions, stores, feeds and requests
are the same as with our own gateway.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
from collections import deque
from collections.abc import AsyncIterator, MutableMapping
from typing import Any

from notebook_mux._version import __version__
from notebook_mux.errors import InvalidArgument, MuxError, ProtocolError
from notebook_mux.headlamp.answers import Answers
from notebook_mux.headlamp.config import Config
from notebook_mux.headlamp.house import House
from notebook_mux.headlamp.lanes import Lanes
from notebook_mux.headlamp.rest import Server
from notebook_mux.headlamp.running import Running
from notebook_mux.headlamp.watch import Watch
from notebook_mux.kube.scope import checked_query, needs_write
from notebook_mux.wire import messages
from notebook_mux.wire.frames import MAX_PAYLOAD, Channel, encode_frame, split_record

ROOM_BYTES = 8 * 1024 * 1024
"""What may wait in memory for the kernel's store before the multiplexer is not read any more: a second of a storm."""

DIALECT = "headlamp"

LAST_WORDS_SECONDS = 0.5
"""For which the end of the multiplexed socket waits for programs whose own sockets end as well: a server that dies
takes all with it, and what has been lost there is told now and not when another server answers."""


class Bridge:
    """An open connection; has the methods of `notebook_mux.kernel.transport.Transport`. On the loop's thread.

    Args:
        server: Open: its config was read.
        config: That.
        house: What runs by way of it, from one bridge to the next.
        options: For tests: ``patience``, ``tick_seconds`` and ``ack_seconds`` of watches and sockets.
    """

    def __init__(self, server: Server, config: Config, house: House, **options: Any) -> None:
        self.instance = secrets.token_hex(8)
        self._house = house
        self._server = server
        self._options = {key: options[key] for key in ("patience", "tick_seconds") if key in options}
        sockets = {key: options[key] for key in ("tick_seconds", "ack_seconds") if key in options}
        self._lanes = Lanes(server, self._room, self._lost, **sockets)
        self._answers = Answers(server, config, self, self._lanes.open)
        self._watches: dict[int, Watch] = {}
        self._ending: set[asyncio.Task[Any]] = set()
        self._out: deque[str | bytes] = deque()
        self._out_bytes = 0
        self._wanted = asyncio.Event()
        self._running = Running(house, self._answers, self.tell, self._wanted.set)
        self._drained = asyncio.Event()
        self._why = ""
        self._garbage = False
        self._closed = False
        server.renewed = lambda cluster: self._lost(f"the token of {cluster} was renewed", False)

    @classmethod
    async def open(
        cls,
        base: str,
        token: str | None,
        tokens: MutableMapping[str, str] | None = None,
        house: House | None = None,
        **options: Any,
    ) -> Bridge:
        """Connect to the Headlamp server at `base` (http or https).

        Args:
            base: Its URL, with the prefix it is served under.
            token: The desktop token, or the clusters' own where the server asks for none.
            tokens: By cluster tokens that the server renewed; kept by the caller from one connection to the next.
            house: Kept by the caller as well, who closes it.
            options: See `Bridge`.

        Raises:
            GatewayError: It does not answer, or refuses us.
            ProtocolError: What answers is no Headlamp server.
        """
        server, config = await cls.ask(base, token, {} if tokens is None else tokens)
        return await cls.start(server, config, house or House(), **options)

    @staticmethod
    def house() -> House:
        """A house for the bridges to one server."""
        return House()

    @staticmethod
    async def ask(base: str, token: str | None, tokens: MutableMapping[str, str]) -> tuple[Server, Config]:
        """The first half of `open`: whether a Headlamp server is there, and what it serves."""
        server = Server(base, token, tokens)
        try:
            return server, await server.config()
        except BaseException:
            await server.close()
            raise

    @classmethod
    async def start(cls, server: Server, config: Config, house: House, **options: Any) -> Bridge:
        """The second half of `open`: the multiplexed socket."""
        bridge = cls(server, config, house, **options)
        try:
            if server.login is None:  # else the upgrade must wait for the names of the clusters that its cookies name
                await bridge._lanes.open()
        except BaseException:
            await bridge.close()
            raise
        return bridge

    # --- what the connection calls --------------------------------------------------------------------------------

    @property
    def sent_bytes(self) -> int:
        """Bytes sent on multiplexed sockets."""
        return self._lanes.counts()["sent_bytes"]

    @property
    def sent_frames(self) -> int:
        """Frames sent on multiplexed sockets."""
        return self._lanes.counts()["sent_frames"]

    def details(self) -> dict[str, Any]:
        """For the status: the dialect, and the sockets there are."""
        counts = self._lanes.counts()
        return {
            "dialect": DIALECT,
            "sockets": counts["sockets"],
            "direct_sockets": counts["direct_sockets"] + self._house.sockets + self._running.logs,
            "forced_directs": self._lanes.forced,
        }

    def send(self, frame: str | bytes) -> None:
        """A message of the kernel's, or a frame of a program's input."""
        if isinstance(frame, bytes):
            self._input(frame)
            return
        message = messages.decode_client(frame)
        try:
            if self._running.take(message):
                return
        except ProtocolError as error:
            self._lost(error.what, True)
            return
        if isinstance(message, messages.Hello):
            self._running.arrive(message)
            welcome = messages.Welcome(
                instance=self._house.instance, package=f"{__version__} (Headlamp)", environment=False
            )
            self.tell(welcome)
        elif isinstance(message, messages.Subscribe):
            self._subscribe(message)
        elif isinstance(message, messages.Unsubscribe):
            self._unsubscribe(message.stream)
        elif isinstance(message, messages.Retry):
            for watch in self._watches.values():
                if message.cluster is None or self._answers.clusters.get(message.cluster) is watch.cluster:
                    watch.retry()
        elif isinstance(message, messages.Cancel):
            self._answers.cancel(message.id)
        else:
            self._answers.begin(message)  # type: ignore[arg-type]  # `take` has had the others

    def _input(self, frame: bytes) -> None:
        try:
            self._running.frame(frame)
        except ProtocolError as error:
            self._lost(error.what, True)

    async def frames(self) -> AsyncIterator[str | bytes]:
        """What the kernel gets, until the server is gone.

        Raises:
            ProtocolError: The server sent what the protocol does not allow.
        """
        last_words: float | None = None
        now = asyncio.get_running_loop().time
        while True:
            while (frame := self._next()) is not None:
                yield frame
            self._drained.set()
            self._wanted.clear()
            if not self._why:
                await self._wanted.wait()
                continue
            last_words = last_words or now() + LAST_WORDS_SECONDS
            if self._garbage:
                raise ProtocolError(self._why)
            if self._closed or not self._running.busy:
                return
            try:
                async with asyncio.timeout_at(last_words):
                    await self._wanted.wait()
            except TimeoutError:
                return

    def _next(self) -> str | bytes | None:
        if self._out:
            frame = self._out.popleft()
            self._out_bytes -= len(frame)
            return frame
        return self._running.next()

    @property
    def closing_words(self) -> str:
        """Why it ended, once it has."""
        return self._why or "the connection was closed"

    def abort(self) -> None:
        """Cut everything; what has to be awaited ends by itself, and `close` awaits it."""
        if not self._closed:
            self._end("the socket was cut")
            self._lanes.abort()
            self._keep(asyncio.get_running_loop().create_task(self._finish()))

    async def close(self) -> None:
        """Close everything, politely; nothing of it is left afterwards."""
        self._end("closed")
        try:
            await self._lanes.close()
        finally:
            await self._finish()
            await asyncio.gather(*self._ending, return_exceptions=True)

    def forget(self) -> None:
        """In a forked child: close the copies of the file descriptors without a word."""
        self._lanes.forget()
        for descriptor in self._server.file_descriptors():
            with contextlib.suppress(OSError):
                os.close(descriptor)

    # --- streams --------------------------------------------------------------------------------------------------

    def _subscribe(self, message: messages.Subscribe) -> None:
        try:
            cluster = self._answers.cluster(message.cluster)
            if needs_write("GET", message.path):
                raise InvalidArgument("a path that cannot be watched")
            checked_query(message.query)
        except MuxError as error:
            self.tell(
                messages.Ended(
                    stream=message.stream, code=error.code, what=error.what, said=error.said, todo=error.todo
                )
            )
            return
        self._watches[message.stream] = Watch(message, self.instance, cluster, self._lanes, self, **self._options)

    def _unsubscribe(self, stream: int) -> None:
        watch = self._watches.pop(stream, None)
        if watch is not None:
            self._keep(watch.close())

    # --- what comes -----------------------------------------------------------------------------------------------

    def tell(self, message: messages.Message) -> None:
        """A control message for the kernel; a state of a stream that is gone is left out."""
        self._push(messages.encode(message))

    def put(self, stream: int, records: list[bytes]) -> None:
        """Records of a stream, put together to frames."""
        if self._closed:
            return
        parts: list[bytes] = []
        size = 0
        for record in records:
            if parts and size + len(record) > MAX_PAYLOAD:
                self._push(encode_frame(stream, Channel.CHANGES, b"".join(parts)))
                parts, size = [], 0
            if len(record) > MAX_PAYLOAD:
                for channel, part in split_record(record):
                    self._push(encode_frame(stream, channel, part))
            else:
                parts.append(record)
                size += len(record)
        if parts:
            self._push(encode_frame(stream, Channel.CHANGES, b"".join(parts)))

    def body(self, id_: int, content: bytes) -> None:
        """The body of an answer."""
        for at in range(0, len(content), MAX_PAYLOAD):
            self._push(encode_frame(id_, Channel.BODY, content[at : at + MAX_PAYLOAD]))
        self._push(encode_frame(id_, Channel.END, b""))

    def _push(self, frame: str | bytes) -> None:
        self._out.append(frame)
        self._out_bytes += len(frame)
        self._wanted.set()

    async def _room(self) -> None:
        while self._out_bytes > ROOM_BYTES and not self._closed:
            self._drained.clear()
            await self._drained.wait()

    # --- the end --------------------------------------------------------------------------------------------------

    def _lost(self, why: str, garbage: bool) -> None:
        if not self._why:
            self._why, self._garbage = why, garbage
        self._wanted.set()

    def _end(self, why: str) -> None:
        self._lost(why, False)
        self._closed = True
        self._drained.set()
        for task in self._running.release():
            self._keep(task)
        for stream in list(self._watches):
            self._unsubscribe(stream)
        for task in self._answers.close():
            self._keep(task)

    async def _finish(self) -> None:
        """What is left when the sockets are gone: HTTP."""
        me = asyncio.current_task()
        try:
            await asyncio.gather(*(task for task in self._ending if task is not me), return_exceptions=True)
        finally:
            await self._server.close()

    def _keep(self, task: asyncio.Task[Any]) -> None:
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)
