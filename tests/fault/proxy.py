"""A TCP proxy that does to a connection what networks do: cut it at any byte, stall it, delay it, split it."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass

from notebook_mux.kernel.thread import LoopThread
from notebook_mux.listening import stop_accepting

CHUNK = 64 * 1024


@dataclass
class Faults:
    """What happens to the bytes of one direction. Counts are of bytes of one connection."""

    cut_after: int | None = None
    """Abort both sides after so many bytes."""
    stall_after: int | None = None
    """Pass nothing on after so many bytes, and say nothing."""
    split: int = CHUNK
    """Pass on pieces of at most so many bytes."""
    delay: float = 0.0
    """Seconds before each piece."""


class Proxy:
    """Listens on a port of its own and passes on to ``127.0.0.1:target``. Methods may be called from a test.

    `faults` holds for what the server sends and `sending` for what the client does, on connections that are opened from
    then on.
    """

    def __init__(self, target: int) -> None:
        self.target = target
        self.port = 0
        self._changes: dict[bytes, bytes] = {}
        self.changed = 0
        self.faults = Faults()
        self.sending = Faults()
        self.accepted = 0
        self.passed = 0
        self._thread = LoopThread("fault proxy")
        self._open: set[asyncio.StreamWriter] = set()
        self._refusing = False
        self._thread.submit(self._listen()).result(10)

    async def _listen(self) -> None:
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        # The gateway wants to be called by its own port, and from its own origin.
        for field in ("Host: ", "Origin: http://"):
            said, instead = (f"{field}127.0.0.1:{port}\r\n".encode() for port in (self.port, self.target))
            self._changes[said] = instead
        self._server = server

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        if self._refusing:
            writer.transport.abort()
            return
        faults, sending = self.faults, self.sending
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.transport.abort()
            return
        both = {writer, far_writer}
        self._open |= both
        ways = [
            asyncio.ensure_future(self._pass(reader, far_writer, sending)),
            asyncio.ensure_future(self._pass(far_reader, writer, faults)),
        ]
        try:
            with contextlib.suppress(asyncio.CancelledError):  # the proxy ends; a stream's callback would log it
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            self._open -= both
            for end in both:
                end.transport.abort()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, faults: Faults) -> None:
        passed = 0
        with contextlib.suppress(OSError):
            while data := await reader.read(CHUNK):
                for said, instead in self._changes.items():
                    if said in data:
                        data = data.replace(said, instead, 1)
                        self.changed += 1
                while data:
                    size = min(len(data), faults.split)
                    if faults.cut_after is not None:
                        size = min(size, faults.cut_after - passed)
                    piece, data = data[:size], data[size:]
                    if faults.delay:
                        await asyncio.sleep(faults.delay)
                    if faults.stall_after is not None and passed + len(piece) > faults.stall_after:
                        await asyncio.Event().wait()
                    writer.write(piece)
                    await writer.drain()
                    passed += len(piece)
                    self.passed += len(piece)
                    if faults.cut_after is not None and passed >= faults.cut_after:
                        return

    def cut(self) -> None:
        """Abort all connections that are open."""
        self._thread.call(lambda: [writer.transport.abort() for writer in list(self._open)])

    def refuse(self, refusing: bool) -> None:
        """Abort new connections at once."""
        self._refusing = refusing

    async def _end(self) -> None:
        await stop_accepting(self._server.sockets)
        self._server.close()

    def close(self) -> None:
        """End for good."""
        self.cut()
        self._thread.submit(self._end()).result(10)
        self._thread.stop(5)
