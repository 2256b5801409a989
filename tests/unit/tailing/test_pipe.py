from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import random
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from notebook_mux.errors import ServerError
from notebook_mux.gateway.cluster import Cluster
from notebook_mux.tailing import pipe as module
from notebook_mux.tailing.pipe import BUFFER_BYTES, SAID_CHARACTERS, ending
from notebook_mux.wire import messages
from notebook_mux.wire.frames import MAX_PAYLOAD, Channel
from notebook_mux.wire.logs import LogEnd
from tests.serving import talking
from tests.unit.gateway.tls_api import Api
from tests.unit.tailing.served import EVERY, LOG, Session, Writing, order, until

READ_BYTES = 256 * 1024
"""What asyncio and its TLS take from a socket at once."""

Connect = Callable[..., Cluster]


@pytest.fixture
async def session(api: Api, connect: Connect) -> AsyncIterator[Session]:
    found = Session(connect(api.url, {"token": "canary"}))
    yield found
    await asyncio.gather(*found.desk.release(), return_exceptions=True)


def writing(api: Api, write: Callable[[web.StreamResponse], Any] | None = None) -> Writing:
    api.handle = found = Writing(write)
    return found


def pieces(content: bytes, seed: int, most: int) -> list[bytes]:
    rng, found = random.Random(seed), []
    while content:
        size = rng.randint(1, most)
        found.append(content[:size])
        content = content[size:]
    return found


@pytest.mark.parametrize("most", [1, 40, 3000, 200_000])
async def test_every_byte_as_it_is(api: Api, session: Session, most: int):
    content = (EVERY * 20)[:3000] if most == 1 else EVERY * 3000

    async def write(response: web.StreamResponse) -> None:
        for piece in pieces(content, most, most):
            await response.write(piece)

    log = writing(api, write)
    session.desk.open(order(query="follow=true&container=main&timestamps=true"))
    assert await session.text() == content
    assert session.last == LogEnd(status=200)
    [request] = log.requests
    assert request.raw_path == f"{LOG}?follow=true&container=main&timestamps=true"
    assert request.headers["Accept-Encoding"] == "identity"
    assert session.desk.streams == {}
    assert session.said == []


async def test_an_empty_frame_says_that_the_server_answers(api: Api, session: Session):
    log = writing(api)
    session.desk.open(order())
    assert await session.frame() == (1, Channel.STDOUT, b"")
    assert session.desk.streams[1].status == 200
    response = await log.log()
    await response.write(b"2026-11-29T19:30:05.000000000Z one\n")
    assert await session.more(wanted=b"\n") == b"2026-11-29T19:30:05.000000000Z one\n"
    log.end.set()
    assert await session.end() == LogEnd(status=200)


async def test_an_empty_log(api: Api, session: Session):
    api.handle = lambda request: web.Response(text="")
    session.desk.open(order(query=""))
    assert await session.text() == b""
    assert session.last == LogEnd(status=200)


async def test_lines_one_by_one_are_gathered(api: Api, session: Session):
    lines = [b"line %d\n" % number for number in range(3000)]

    async def write(response: web.StreamResponse) -> None:
        for line in lines:
            await response.write(line)  # as an API server: each a chunk and a write

    writing(api, write)
    session.desk.open(order())
    assert await session.text() == b"".join(lines)
    assert session.sender.sent_frames < len(lines) / 3


async def test_64_mib(api: Api, session: Session):
    block = random.Random(1).randbytes(1 << 20)

    async def write(response: web.StreamResponse) -> None:
        for _ in range(64):
            await response.write(block)

    writing(api, write)
    session.desk.open(order(query=""))
    assert await session.frame() == (1, Channel.STDOUT, b"")
    digest, size = hashlib.sha256(), 0
    while (got := await session.frame())[1] == Channel.STDOUT:
        digest.update(got[2])
        size += len(got[2])
    assert size == 64 << 20
    assert digest.digest() == hashlib.sha256(block * 64).digest()


async def test_a_client_that_takes_nothing_stops_the_server(api: Api, session: Session, monkeypatch):
    content = random.Random(2).randbytes(16 << 20)
    written = 0

    async def write(response: web.StreamResponse) -> None:
        nonlocal written
        for at in range(0, len(content), 64 * 1024):
            await response.write(content[at : at + 64 * 1024])
            written = at

    responses = _kept(session, monkeypatch)
    writing(api, write)
    session.desk.open(order(credit=0))
    await until(lambda: responses and responses[0].content.total_bytes > 0)
    before = -1
    while written != before:  # until it stands still
        before = written
        await asyncio.sleep(0.3)
    pipe = session.desk.streams[1]
    assert written < len(content) - MAX_PAYLOAD
    assert len(pipe._piece) <= MAX_PAYLOAD
    assert pipe.total == len(pipe._piece)
    assert responses[0].content.total_bytes <= BUFFER_BYTES + READ_BYTES
    # A client that takes it in small portions gets all of it.
    found = bytearray()
    session.grant(1, 1)
    while True:
        _, channel, payload = await session.frame()
        if channel == Channel.END:
            break
        found += payload
        session.grant(1, [payload])
    assert found == content


def _kept(session: Session, monkeypatch: pytest.MonkeyPatch) -> list[aiohttp.ClientResponse]:
    """The responses that the cluster gives, to look into."""
    found: list[aiohttp.ClientResponse] = []
    stream = session._api.stream

    @contextlib.asynccontextmanager
    async def kept(*args: Any, **options: Any) -> AsyncIterator[aiohttp.ClientResponse]:
        async with stream(*args, **options) as response:
            found.append(response)
            yield response

    monkeypatch.setattr(session._api, "stream", kept)
    return found


# --- what goes wrong ------------------------------------------------------------------------------------------------


def status_of(code: int, message: str, **more: Any) -> web.Response:
    return web.json_response({"kind": "Status", "message": message, "code": code, **more}, status=code)


@pytest.mark.parametrize(
    ("status", "code"),
    [(400, "invalid"), (401, "login"), (403, "forbidden"), (404, "not-found"), (422, "invalid"), (429, "server"),
     (500, "server"), (503, "server"), (302, "server")],
)  # fmt: skip
async def test_a_refusal(api: Api, session: Session, status: int, code: str):
    api.handle = lambda request: status_of(status, "said by the server")
    session.desk.open(order(query="container=main"))
    end = await session.end()
    assert (end.status, end.code, end.said) == (status, code, "said by the server")
    assert end.what == f"the log of main in pod x/web-0: the server answered {status}"
    assert end.todo
    assert session.desk.streams == {}
    assert "canary" not in repr(end)


async def test_a_refusal_whose_words_have_no_end(api: Api, session: Session, monkeypatch):
    monkeypatch.setattr(module, "REFUSAL_SECONDS", 0.2)

    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(status=500)
        await response.prepare(request)
        await response.write(b"so it begins ")
        while not Writing.gone(request):
            await asyncio.sleep(0.01)
        return response

    api.handle = endless
    session.desk.open(order())
    end = await session.end()
    assert (end.status, end.code, end.said) == (500, "server", "so it begins")

    api.handle = lambda request: status_of(500, "\x01" * 100_000)
    session.desk.open(order(2))
    assert (await session.end(2)).status == 500


def test_the_words_of_an_end_fit_into_a_frame():
    error = ServerError("w" * 1000, said="\x00" * 1_000_000, todo="t")
    assert len(ending(500, error)) < MAX_PAYLOAD
    assert len(json.loads(ending(500, error))["said"]) == SAID_CHARACTERS
    assert json.loads(ending(200, None)) == {"status": 200}


async def test_nobody_answers(api: Api, session: Session):
    await api.leave()
    session.desk.open(order())
    end = await session.end()
    assert (end.status, end.code) == (0, "unreachable")
    assert "no connection to https://127.0.0.1" in end.what


async def test_an_answer_that_does_not_begin_and_will_end(api: Api, session: Session, monkeypatch):
    monkeypatch.setattr(module, "ANSWER_SECONDS", 0.2)

    async def silent(request: web.Request) -> web.StreamResponse:
        while not Writing.gone(request):
            await asyncio.sleep(0.01)
        return web.Response()

    api.handle = silent
    session.desk.open(order(query="follow=false"))
    end = await session.end()
    assert (end.status, end.code) == (0, "timeout")


@pytest.mark.parametrize("refuses", [False, True])
async def test_a_quiet_container_has_no_answer_and_yet_begins(
    api: Api, session: Session, refuses: bool, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(module, "BEGIN_SECONDS", 0.05)
    speaks = asyncio.Event()

    async def quiet(request: web.Request) -> web.StreamResponse:
        await speaks.wait()
        return status_of(500, "no node") if refuses else web.Response(text="at last\n")

    api.handle = quiet
    session.desk.open(order())
    assert await session.frame() == (1, Channel.STDOUT, b"")
    assert session.desk.streams[1].status == 0
    speaks.set()
    if refuses:
        end = await session.end()
        assert (end.status, end.said) == (500, "no node")
    else:
        assert await session.more() == b"at last\n"
        assert session.last == LogEnd(status=200)


async def test_a_log_that_is_cut_at_any_byte(connect: Connect):
    lines = [b"line %d of the log\n" % number for number in range(5)]
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n"
    body = b"".join(b"%x\r\n%b\r\n" % (len(line), line) for line in lines) + b"0\r\n\r\n"
    whole, cut = head + body, 0

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(whole[:cut])
        await writer.drain()

    async with talking(talk) as port:
        session = Session(connect(f"http://127.0.0.1:{port}", {}, trusted=False))
        for stream, cut in enumerate(range(len(whole) + 1), 1):
            session.desk.open(order(stream))
            found = bytearray()
            while (got := await session.frame())[1] == Channel.STDOUT:
                found += got[2]
            end = json.loads(got[2])
            assert b"".join(lines).startswith(found)
            if cut == len(whole):
                assert (end, bytes(found)) == ({"status": 200}, b"".join(lines))
            else:
                assert end["code"] == "unreachable", (cut, end)
                assert end.get("status", 0) == (200 if cut >= len(head) else 0)
    assert session.desk.requests == 0


async def test_one_that_is_wanted_no_more(api: Api, session: Session):
    log = writing(api)
    for stream in (1, 2):
        session.desk.open(order(stream))
        await log.log()
    assert session.desk.requests == log.open == 2
    tasks = {pipe._task for pipe in session.desk.streams.values()}
    assert session.desk.end(1)
    assert not session.desk.end(1)
    await until(lambda: log.open == 1)
    assert session.desk.requests == 1
    assert session.desk.release()
    await until(lambda: log.open == 0)
    await until(lambda: all(task.done() for task in tasks))
    assert session.desk.streams == {}
    assert not session.desk._ending


async def test_one_that_is_wanted_no_more_before_it_was_answered(api: Api, session: Session):
    log = writing(api)
    session.desk.open(order(1))
    pipe = session.desk.streams[1]
    assert session.desk.end(1)  # its task has not begun
    await until(lambda: pipe.over)
    assert log.requests == []

    asked: list[web.Request] = []

    async def silent(request: web.Request) -> web.StreamResponse:
        asked.append(request)
        while not Writing.gone(request):
            await asyncio.sleep(0.005)
        asked.clear()
        return web.Response()

    api.handle = silent
    session.desk.open(order(2))
    await until(lambda: asked)
    assert session.desk.end(2)
    await until(lambda: not asked)
    assert [message for message in session.said if isinstance(message, messages.Ended)] == []


async def test_a_mistake_of_ours_is_an_end(api: Api, session: Session, monkeypatch, caplog):
    def broken(self: Any, *args: Any, **options: Any) -> Any:
        raise ZeroDivisionError("a secret")

    monkeypatch.setattr(Cluster, "stream", broken)
    session.desk.open(order())
    end = await session.end()
    assert (end.code, end.said) == ("server", "ZeroDivisionError")
    assert "a log failed" in caplog.text
