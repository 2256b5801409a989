"""The floor on the gateway's side: what anything must pay that stands between a TLS watch and a WebSocket.

Run as a child with ``{"port": ..., "ca": ...}``; it says ``{"url": ...}`` and ends with its input. One aiohttp client
reads the Table watch over TLS, splits it into lines, decodes of each what a gateway must know, typed (the kind of
event, the cells, the object's metadata), and sends the line on as it came: batches of up to 64 KiB, flushed 5 ms after
their first event, to every WebSocket that is connected. The loop is uvloop, as the gateway's. No store, no list to
catch up from, no resume, no credit, no fairness, no bound on what a slow reader leaves unsent.
"""

from __future__ import annotations

import asyncio
import ssl

import aiohttp
import msgspec
from websockets.asyncio.server import ServerConnection, broadcast, serve

from tests.benchmarks.floors import Cells, Content
from tests.benchmarks.processes import arguments, order, orders_async, say
from tests.benchmarks.scripted_api import TOKEN

FLUSH_SECONDS = 0.005
BATCH_BYTES = 64 * 1024
ACCEPT = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
READ_BYTES = 256 * 1024
"""aiohttp's buffer: large enough that it never pauses the transport for one event."""


class Row(msgspec.Struct):
    """A row of a Table."""

    cells: Cells
    object: Content


class Table(msgspec.Struct):
    """A Table of one row."""

    rows: list[Row]


class Event(msgspec.Struct):
    """A line of a Table watch."""

    type: str
    object: Table


_decode = msgspec.json.Decoder(Event).decode


class Floor:
    """One upstream, and whoever is connected."""

    def __init__(self) -> None:
        self.sockets: set[ServerConnection] = set()
        self.version = ""
        self._batch: list[bytes] = []
        self._size = 0
        self._flush: asyncio.TimerHandle | None = None

    def take(self, line: bytes) -> None:
        """One event."""
        event = _decode(line)
        self.version = event.object.rows[0].object.metadata.resourceVersion
        self._batch.append(line)
        self._size += len(line)
        if self._size >= BATCH_BYTES:
            self.flush()
        elif self._flush is None:
            self._flush = asyncio.get_running_loop().call_later(FLUSH_SECONDS, self.flush)

    def flush(self) -> None:
        """Send what has gathered."""
        if self._flush is not None:
            self._flush.cancel()
            self._flush = None
        broadcast(self.sockets, b"".join(self._batch))
        self._batch, self._size = [], 0

    async def talk(self, socket: ServerConnection) -> None:
        """A subscriber, until it goes."""
        self.sockets.add(socket)
        try:
            await socket.wait_closed()
        finally:
            self.sockets.discard(socket)

    async def read(self, url: str, context: ssl.SSLContext) -> None:
        """The upstream."""
        headers = {"Authorization": f"Bearer {TOKEN}", "Accept": ACCEPT, "Accept-Encoding": "identity"}
        timeout = aiohttp.ClientTimeout(total=None)
        async with aiohttp.ClientSession(headers=headers, timeout=timeout, read_bufsize=READ_BYTES) as session:
            async with session.get(f"{url}?limit=1", ssl=context) as response:
                version = (await response.json())["metadata"]["resourceVersion"]
            query = {"watch": "1", "resourceVersion": version, "includeObject": "Object"}
            async with session.get(url, params=query, ssl=context) as response:
                rest = b""
                async for data in response.content.iter_any():
                    *lines, rest = (rest + data).split(b"\n")
                    for line in lines:
                        self.take(line)


async def main(port: int, ca: str) -> None:
    """Serve until the input ends."""
    floor = Floor()
    context = ssl.create_default_context(cafile=ca)
    reading = asyncio.get_running_loop().create_task(floor.read(f"https://127.0.0.1:{port}/api/v1/pods", context))
    async with serve(floor.talk, "127.0.0.1", 0, compression=None, ping_interval=None) as server:
        say(url=f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}/")
        reader = await orders_async()
        while await order(reader) is not None:
            say(version=floor.version)
        reading.cancel()


if __name__ == "__main__":
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(**arguments()))
