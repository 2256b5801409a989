"""Clients that take in what a gateway sends at the least cost a client can have, so that they hold up nobody.

Run as a child with ``{"url": ..., "count": 1, "dialect": "v1"|"floor", "pods": ...}``. They say ``{"ready": true}``
when each holds a first list of so many pods (v1) or is connected. The order ``{"until": version}`` is answered when
each has seen that resourceVersion, with the pods received since the last order.

A real client decodes records and grants credit; these hop from one length to the next (v1) or look for two words in
the bytes of the socket (the floor's), and grant all credit at once. What the gateway pays for a client is the same, but
for a grant every 512 KiB. They must cost less than what is measured: ten who share the machine with it would else fall
behind, and what is left out for them would be in the figure.
"""

from __future__ import annotations

import asyncio
import contextlib
import struct
from functools import partial
from typing import cast
from urllib.parse import parse_qs, urlsplit

import msgspec
import uvloop

from notebook_mux.wire import messages
from notebook_mux.wire.frames import FRAME_HEAD, RECORD_HEAD, Channel, Kind, Record
from notebook_mux.wire.sending import CONNECTION_STREAM
from tests.benchmarks.processes import arguments, order, orders_async, say

STREAM = 1_000_000
"""A stream id that no request has."""

CREDIT = 1 << 39
POD = b'"kind":"Pod"'
VERSION = b'"resourceVersion":"'
VERSION_BYTES = len(VERSION) + 24
REF = b'"ref":"'
BINARY = 0x82
LENGTHS = {126: 2, 127: 8}
"""Bytes of a frame's length after these (RFC 6455, 5.2)."""

UPGRADED = b"HTTP/1.1 101"
KEY = "dGhlIHNhbXBsZSBub25jZQ=="
"""Any will do; this is RFC 6455's own."""


_head_of = msgspec.json.Decoder(Record).decode


def text_frame(message: messages.Message) -> bytes:
    """A client's text frame, with a mask that changes nothing."""
    content = messages.encode(message).encode()
    return struct.pack("!BBH4x", 0x81, 0x80 | 126, len(content)) + content


class Hops:
    """Counts the records of a v1 connection without a look at what is in them, however it is cut into pieces."""

    def __init__(self) -> None:
        self.records = 0
        self.version = 0
        self._rest = b""
        self._skip = 0
        self._left = 0

    def take(self, data: bytes) -> None:
        """What came next."""
        if self._rest:
            data, self._rest = self._rest + data, b""
        at, end, last = self._skip, len(data), b""
        while at < end:
            if self._left == 0:
                start = self._frame(data, at)
                if not start:
                    break
                at = start
                continue
            if end - at < RECORD_HEAD.size:
                break
            kind, _, head, cells, content = RECORD_HEAD.unpack_from(data, at)
            begin = at + RECORD_HEAD.size
            if end < begin + head:
                break
            if kind == Kind.PUT:
                self.records += 1
                last = data[begin : begin + head]
            size = RECORD_HEAD.size + head + cells + content
            self._left -= size
            at += size
        self._skip = max(0, at - end)
        self._rest = data[at:]
        if last:
            self.version = max(self.version, int(_head_of(last).version))

    def _frame(self, data: bytes, at: int) -> int:
        """Where the records of the frame at `at` begin, or what follows it if it has none; 0: not all is there yet."""
        there = len(data) - at
        if there < 2:
            return 0
        start = at + 2 + LENGTHS.get(data[at + 1], 0)
        size = data[at + 1] if data[at + 1] < min(LENGTHS) else int.from_bytes(data[at + 2 : start], "big")
        binary = data[at] == BINARY
        if there < start - at + (FRAME_HEAD.size if binary else 0):
            return 0
        if not binary or data[start + FRAME_HEAD.size - 1] != Channel.CHANGES:
            return start + size
        self._left = size - FRAME_HEAD.size
        return start + FRAME_HEAD.size


class Words:
    """Counts the floor's events by two words that each has."""

    def __init__(self) -> None:
        self.records = 0
        self.version = 0
        self._before = b""

    def take(self, data: bytes) -> None:
        """What came next."""
        # A word may be cut by the end of what was read: look again at the end of what came before.
        before = self._before
        self.records += data.count(POD) + (before[1 - len(POD) :] + data[: len(POD) - 1]).count(POD)
        seen = before + data
        self._before = seen[-VERSION_BYTES:]
        at = seen.rfind(VERSION, 0, -(VERSION_BYTES - len(VERSION))) + len(VERSION)
        if at >= len(VERSION):
            self.version = max(self.version, int(seen[at : seen.index(b'"', at)]))


class Subscriber(asyncio.Protocol):
    """One socket with one stream of all pods."""

    def __init__(self, url: str, dialect: str, pods: int) -> None:
        self.counted: Hops | Words = Hops() if dialect == "v1" else Words()
        self.synced = asyncio.Event()
        self.moved = asyncio.Event()
        self._url = urlsplit(url)
        self._v1 = dialect == "v1"
        self._pods = pods
        self._beginning: bytes | None = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the upgrade."""
        self._transport = cast("asyncio.Transport", transport)
        token = parse_qs(self._url.query).get("token", [""])[0]
        path = self._url.path.rstrip("/") + (messages.PATH if self._v1 else "/")
        lines = [f"GET {path} HTTP/1.1", f"Host: {self._url.netloc}", "Connection: Upgrade", "Upgrade: websocket",
                 "Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {KEY}"]  # fmt: skip
        if self._v1:
            lines += [f"Sec-WebSocket-Protocol: {messages.SUBPROTOCOL}", f"Authorization: Bearer {token}"]
        self._transport.write("\r\n".join([*lines, "", ""]).encode())

    def data_received(self, data: bytes) -> None:
        """What came from the gateway."""
        if self._beginning is not None:
            self._begin(self._beginning + data)
            return
        self.counted.take(data)
        if not self.synced.is_set() and self.counted.records >= self._pods:
            self.synced.set()
        self.moved.set()

    def _begin(self, data: bytes) -> None:
        self._beginning = data
        assert self._transport is not None
        head, end, _ = data.partition(b"\r\n\r\n")
        if not end:
            return
        if not head.startswith(UPGRADED):
            raise RuntimeError(f"no upgrade: {head!r}")
        if not self._v1:
            self._beginning = None
            self.synced.set()
        elif REF not in data:
            if data.endswith(end):
                self._transport.write(text_frame(messages.Hello(package="benchmark")))
                self._transport.write(text_frame(messages.Contexts(id=1, source=messages.Source())))
        elif data.endswith(b"}"):
            self._beginning = None
            ref = data.split(REF)[1].split(b'"')[0].decode()
            self._transport.write(text_frame(messages.Credit(stream=CONNECTION_STREAM, bytes=CREDIT)))
            asked = messages.Subscribe(stream=STREAM, cluster=ref, path="/api/v1/pods", credit=CREDIT)
            self._transport.write(text_frame(asked))

    async def until(self, version: int) -> None:
        """Wait for a version."""
        while self.counted.version < version:
            self.moved.clear()
            await self.moved.wait()


def _same(subscriber: Subscriber) -> Subscriber:
    return subscriber


async def main(url: str, count: int, dialect: str, pods: int) -> None:
    """Read until the input ends."""
    subscribers = [Subscriber(url, dialect, pods) for _ in range(count)]
    port = urlsplit(url).port or 80
    for subscriber in subscribers:
        await asyncio.get_running_loop().create_connection(partial(_same, subscriber), "127.0.0.1", port)
    for subscriber in subscribers:
        await subscriber.synced.wait()
        subscriber.counted.records = 0
    say(ready=True)
    reader = await orders_async()
    while (given := await order(reader)) is not None:
        await asyncio.gather(*(s.until(given["until"]) for s in subscribers))
        say(records=[s.counted.records for s in subscribers])
        for subscriber in subscribers:
            subscriber.counted.records = 0


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(**arguments()))
