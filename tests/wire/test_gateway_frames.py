"""The gateway's frames, byte by byte, over a real socket."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import struct
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator

from notebook_mux._version import __version__
from tests.unit.gateway.fake_feed import FakeFeed, FakeState
from tests.unit.gateway.serving import PODS, TOKEN, Serving, serving

KEY = b64encode(bytes(16)).decode()
ACCEPT = b64encode(hashlib.sha1(f"{KEY}258EAFA5-E914-47DA-95CA-C5AB0DC85B11".encode()).digest()).decode()
TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


class Wire:
    """A TCP connection that was upgraded; RFC 6455 by hand."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def frame(self) -> tuple[int, bytes]:
        """Opcode and payload of the next frame, which must be whole and unmasked."""
        first, second = await self.reader.readexactly(2)
        assert first & 0xF0 == 0x80, "fragmented, or with an extension"
        assert second < 0x80, "a server does not mask"
        length = second
        if length == 126:
            (length,) = struct.unpack("!H", await self.reader.readexactly(2))
        elif length == 127:
            (length,) = struct.unpack("!Q", await self.reader.readexactly(8))
        return first & 15, await self.reader.readexactly(length)

    def send(self, payload: str | bytes, opcode: int | None = None, pieces: int = 1) -> None:
        """One frame, masked, written in so many pieces."""
        opcode = opcode or (TEXT if isinstance(payload, str) else BINARY)
        data = payload.encode() if isinstance(payload, str) else payload
        mask = b"\x11\x22\x33\x44"
        size = bytes([0x80 | len(data)]) if len(data) < 126 else b"\xfe" + struct.pack("!H", len(data))
        frame = bytes([0x80 | opcode]) + size + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(data))
        step = -(-len(frame) // pieces)
        for at in range(0, len(frame), step):
            self.writer.write(frame[at : at + step])

    async def says(self, opcode: int, payload: str | bytes) -> None:
        assert await self.frame() == (opcode, payload.encode() if isinstance(payload, str) else payload)


@contextlib.asynccontextmanager
async def wired(running: Serving, query: str = "") -> AsyncIterator[Wire]:
    """An upgraded connection, before hello."""
    port = running.gateway.port
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(
        f"GET /notebook-mux{query} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: notebook-mux.v1\r\n"
        f"Sec-WebSocket-Extensions: permessage-deflate\r\nAuthorization: Bearer {TOKEN}\r\n\r\n".encode()
    )
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    fields = {line.partition(":")[0].lower(): line.partition(":")[2].strip() for line in head.splitlines()[1:]}
    assert head.startswith("HTTP/1.1 101 ")
    assert fields["sec-websocket-accept"] == ACCEPT
    assert fields["sec-websocket-protocol"] == "notebook-mux.v1"
    assert "sec-websocket-extensions" not in fields
    try:
        yield Wire(reader, writer)
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


HELLO = '{"type":"hello","package":"0"}'
WELCOME = f'{{"type":"welcome","instance":"instance-1","package":"{__version__}","credit":8388608,"environment":true}}'
RESOLVE = '{"type":"contexts","id":1,"source":{"kubeconfig":["c"]},"names":["*"]}'
RESOLVED = (
    '{"type":"answer","id":1,"value":[{"name":"one","ref":"ref-one","server":"https://one","user":"me","current":true},'
    '{"name":"two","ref":"ref-two","server":"https://two","user":"me"}]}'
)
LIVE = '{"type":"state","stream":2,"state":"live","since":1.0,"synced":true}'
SUBSCRIBE = '{"type":"subscribe","stream":2,"cluster":"ref-one","path":"/api/v1/pods","credit":1000000}'


async def greeted(wire: Wire) -> None:
    wire.send(HELLO)
    await wire.says(TEXT, WELCOME)
    wire.send(RESOLVE)
    await wire.says(TEXT, RESOLVED)


def changes(stream: int, *records: bytes) -> bytes:
    return struct.pack("!IB", stream, 16) + b"".join(records)


def literal(kind: int, number: int, head: str, cells: str = "", content: str = "") -> bytes:
    sizes = struct.pack("!BQHII", kind, number, len(head), len(cells), len(content))
    return sizes + f"{head}{cells}{content}".encode()


COLUMNS = literal(6, 0, "[]", "", '[{"name":"Name","type":"string","format":"name","description":"","priority":0}]')


def pod(kind: int, number: int, name: str, version: int) -> bytes:
    head = f'["uid-{name}","default","{name}","{version}","2026-01-01T00:00:00Z",1.0]'
    return literal(kind, number, head, f'["{name}"]', f'{{"metadata":{{"name":"{name}"}}}}')


async def test_a_stream_from_its_snapshot_to_its_end():
    async with serving() as running, wired(running) as wire:
        feed = running.upstreams.feeds[PODS] = FakeFeed("a")
        await greeted(wire)
        wire.send(SUBSCRIBE, pieces=7)
        await wire.says(TEXT, LIVE)
        begin = literal(3, 0, '["instance-1","inc-1","100"]')
        end = literal(4, 0, '["instance-1","inc-1","100"]')
        await wire.says(BINARY, changes(2, begin, COLUMNS, pod(1, 0, "a", 100), end))
        feed.put("b", flush=False)
        feed.delete("a")
        await wire.says(BINARY, changes(2, pod(1, 1, "b", 101), pod(2, 2, "a", 102)))
        feed.bookmark()
        await wire.says(BINARY, changes(2, literal(7, 2, '["instance-1","inc-1","103"]')))
        feed.say(FakeState("unreachable", "no route", None, None))
        await wire.says(TEXT, LIVE.replace('"live"', '"unreachable","reason":"no route"'))
        wire.send('{"type":"unsubscribe","stream":2}')
        wire.send('{"type":"probe","id":3,"cluster":"ref-one"}')
        await wire.says(TEXT, '{"type":"answer","id":3,"value":{"version":"v1.37.2"}}')
        assert feed.sinks == 0


async def test_a_stream_that_goes_on():
    async with serving() as running, wired(running) as wire:
        feed = running.upstreams.feeds[PODS] = FakeFeed("a")
        feed.put("b")
        feed.put("c")
        await greeted(wire)
        at = '"resume":{"instance":"instance-1","incarnation":"inc-1","number":1,"version":"101"}'
        wire.send(f"{SUBSCRIBE[:-1]},{at}}}")
        await wire.says(TEXT, LIVE)
        resumed = literal(5, 1, '["instance-1","inc-1","101"]')
        columns = COLUMNS[:1] + struct.pack("!Q", 1) + COLUMNS[9:]
        await wire.says(BINARY, changes(2, resumed, columns, pod(1, 2, "c", 102)))


async def test_a_long_record_in_parts():
    async with serving() as running, wired(running) as wire:
        feed = running.upstreams.feeds[PODS] = FakeFeed()
        await greeted(wire)
        wire.send(SUBSCRIBE)
        await wire.says(TEXT, LIVE)
        await wire.frame()
        feed.put("big", size=100_000)
        feed.put("b")
        opcode, first = await wire.frame()
        assert (opcode, len(first), first[:5]) == (BINARY, 65536, b"\0\0\0\x02\x11")
        opcode, second = await wire.frame()
        assert (opcode, second[:5]) == (BINARY, b"\0\0\0\x02\x10")
        assert first[5:] + second[5:] == feed.records["uid-big"]
        await wire.says(BINARY, changes(2, pod(1, 2, "b", 102)))


async def test_an_answer_with_a_body():
    async with serving() as running, wired(running) as wire:
        await greeted(wire)
        wire.send('{"type":"http","id":3,"cluster":"ref-one","method":"GET","path":"/version"}')
        await wire.says(TEXT, '{"type":"head","id":3,"headers":{"content-type":"text/plain"}}')
        await wire.says(BINARY, b"\0\0\0\x03\x12GET /version?")
        await wire.says(BINARY, b"\0\0\0\x03\x13")


async def test_a_refused_change():
    async with serving() as running, wired(running) as wire:
        await greeted(wire)
        wire.send('{"type":"http","id":3,"cluster":"ref-one","method":"DELETE","path":"/api/v1/pods"}')
        await wire.says(
            TEXT,
            '{"type":"failure","id":3,"code":"write-refused","what":"DELETE /api/v1/pods would change something, and '
            'this connection may only look","cluster":"one","todo":"connect with nm.connect(..., write=True)"}',
        )


async def test_a_ping_is_answered():
    async with serving() as running, wired(running) as wire:
        await greeted(wire)
        wire.send(b"hello?", PING)
        await wire.says(PONG, b"hello?")


async def test_the_client_closes():
    async with serving() as running, wired(running) as wire:
        await greeted(wire)
        wire.send(b"\x03\xe8", CLOSE)
        await wire.says(CLOSE, b"\x03\xe8")
        assert await wire.reader.read() == b""


async def test_a_data_frame_without_a_channel_is_refused():
    async with serving() as running, wired(running) as wire:
        await greeted(wire)
        wire.send(b"\0\0\0\x02\0ls\n")  # of a stream that is not open: ignored
        wire.send(b"\0\0\0\x02")
        await wire.says(
            TEXT,
            '{"type":"goodbye","code":"protocol","what":"a binary frame of 4 bytes is shorter than its header"}',
        )
        await wire.says(CLOSE, b"\x03\xeaprotocol")


async def test_text_that_is_no_utf8_closes():
    async with serving() as running, wired(running) as wire:
        await greeted(wire)
        wire.send(b'{"type":"\xff"}', TEXT)
        opcode, payload = await wire.frame()
        assert (opcode, payload[:2]) == (CLOSE, b"\x03\xef")


async def test_a_cut_at_any_byte_of_a_message_leaves_nothing():
    async with serving() as running:
        for size in range(1, 40, 6):
            async with wired(running) as wire:
                await greeted(wire)
                wire.send(SUBSCRIBE)
                await wire.says(TEXT, LIVE)
                (session,) = running.shared.sessions
                frame = bytes([0x80 | TEXT, 0x80 | 33]) + bytes(4) + b'{"type":"unsubscribe","stream":2}'
                wire.writer.write(frame[:size])
                await wire.writer.drain()
                wire.writer.transport.abort()
            await session.ended.wait()
            assert running.feed.sinks == 0


def test_the_key_is_one():
    assert len(b64decode(KEY)) == 16
