from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from aiohttp import web

from notebook_mux.errors import MuxError, NotFound, ProtocolError, Unreachable
from notebook_mux.gateway.cluster import Cluster
from notebook_mux.remote import conversation
from notebook_mux.remote.run import Order, Run, Typed
from notebook_mux.remote.viewers import Seat
from notebook_mux.wire.remotecommand import PIECE, Ended
from tests.unit.gateway.tls_api import Api
from tests.unit.remote.pods import EXEC, SUCCESS, V4, V4_BASE64, V5, Pods, Script, says
from tests.waiting import until

EXIT_3 = b'\3{"status":"Failure","reason":"NonZeroExitCode","details":{"causes":[{"reason":"ExitCode","message":"3"}]}}'


def failure(message: str) -> bytes:
    """A Status of what could not be started."""
    return b"\3" + json.dumps({"status": "Failure", "reason": "InternalError", "message": message}).encode()


WORDS = (
    'failed to exec in container: exec failed: exec: "bash": executable file not found in $PATH: unknown',
    "fork/exec /bin/bash: no such file or directory",
    "crun: executable file `bash` not found in $PATH: No such file or directory",
    "hcs::System::CreateProcess x: The system cannot find the file specified.",
)


class Terminal:
    """A `run.Listener`."""

    def __init__(self) -> None:
        self.commands: list[list[str]] = []
        self.output: list[tuple[int, bytes]] = []

    def began(self, command: list[str]) -> None:
        self.commands.append(command)

    async def wrote(self, channel: int, data: bytes) -> None:
        self.output.append((channel, data))


class Tried:
    """Runs a script for each command, by its name."""

    def __init__(self, **scripts: Script) -> None:
        self.scripts = scripts
        self.tried: list[str] = []
        self.offered = ""

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        command = request.query["command"]
        self.tried.append(command)
        self.offered = request.headers["Sec-WebSocket-Protocol"]
        return await Pods(self.scripts[command])(request)


@pytest.fixture
def start(api: Api, connect: Callable[..., Cluster]) -> Callable[..., Run]:
    def begin(handler: Any, *commands: str, **order: Any) -> Run:
        api.handle = handler
        queries = tuple(f"tty=true&command={command}&command=-l" for command in commands)
        return Run(connect(api.url, {"token": "canary"}), Order(EXEC, queries, **order), Typed(), Terminal())

    return begin


def heard(run: Run) -> Terminal:
    assert isinstance(run.listener, Terminal)
    return run.listener


async def test_output_and_the_exit_code(start: Callable[..., Run]):
    handler = Tried(bash=says(b"\1one", b"\2two", b"\1", EXIT_3))
    run = start(handler, "bash", "sh")
    found = await run.outcome()
    assert (found.how, found.code) == (Ended.EXITED, 3)
    assert heard(run).output == [(1, b"one"), (2, b"two")]
    assert heard(run).commands == [["bash", "-l"]]
    assert handler.tried == ["bash"]
    assert handler.offered.replace(" ", "") == f"{V5},{V4},{V4_BASE64}"


@pytest.mark.parametrize("words", WORDS)
async def test_the_next_command_where_one_is_not_there(start: Callable[..., Run], words: str):
    handler = Tried(bash=says(failure(words)), sh=says(b"\1$ ", SUCCESS))
    run = start(handler, "bash", "sh", "cmd")
    assert (await run.outcome()).code == 0
    assert handler.tried == ["bash", "sh"]
    assert heard(run).commands == [["bash", "-l"], ["sh", "-l"]]
    assert heard(run).output == [(1, b"$ ")]


async def test_the_words_of_docker(start: Callable[..., Run]):
    status = EXIT_3.replace(b'"3"', b'"126"')
    handler = Tried(bash=says(b"\1OCI runtime exec failed: exec failed: ...", status), sh=says(SUCCESS))
    assert (await start(handler, "bash", "sh").outcome()).code == 0
    assert handler.tried == ["bash", "sh"]
    handler = Tried(bash=says(b"\1bash: x: No such file or directory", status), sh=says(SUCCESS))
    assert (await start(handler, "bash", "sh").outcome()).code == 126
    assert handler.tried == ["bash"], "a shell said so, which was there"


async def test_one_that_has_written_something_was_there(start: Callable[..., Run]):
    handler = Tried(bash=says(b"\1$ ", failure(WORDS[1])), sh=says(SUCCESS))
    assert (await start(handler, "bash", "sh").outcome()).how is Ended.FAILED
    assert handler.tried == ["bash"]


async def test_none_of_them_is_there(start: Callable[..., Run]):
    handler = Tried(bash=says(failure(WORDS[0])), sh=says(failure(WORDS[1])))
    found = await start(handler, "bash", "sh").outcome()
    assert (found.how, found.message) == (Ended.FAILED, WORDS[1])


async def test_what_else_goes_wrong_tries_no_other(start: Callable[..., Run]):
    async def hangs_up(socket: web.WebSocketResponse) -> None:
        await socket.send_bytes(b"\1some")
        await socket.close(code=1011)

    async def nothing(socket: web.WebSocketResponse) -> None:
        pass

    for script in (hangs_up, nothing):
        handler = Tried(bash=script, sh=says(SUCCESS))
        with pytest.raises(Unreachable) as lost:
            await start(handler, "bash", "sh").outcome()
        assert lost.value.cluster == "prod"
        assert "start it again" in (lost.value.todo or "")
        assert handler.tried == ["bash"]
    handler = Tried(bash=says(failure("container is not running")), sh=says(SUCCESS))
    assert (await start(handler, "bash", "sh").outcome()).message == "container is not running"
    assert handler.tried == ["bash"]


async def test_it_is_refused(start: Callable[..., Run]):
    answer = {"kind": "Status", "message": 'pods "web-0" not found', "reason": "NotFound", "code": 404}
    with pytest.raises(NotFound) as refused:
        await start(lambda request: web.json_response(answer, status=404), "bash", "sh").outcome()
    assert (refused.value.cluster, refused.value.said) == ("prod", 'pods "web-0" not found')


async def test_what_is_no_output_is_an_error(start: Callable[..., Run]):
    with pytest.raises(ProtocolError):
        await start(Pods(says(b"\7what")), "sh").outcome()


class Slow:
    """Says its first word only when it is told to, and keeps what it gets."""

    def __init__(self, protocol: str = V5) -> None:
        self.protocol = protocol
        self.go = asyncio.Event()
        self.got: list[bytes | str] = []
        self.socket: web.WebSocketResponse

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        self.socket = web.WebSocketResponse(protocols=[self.protocol], timeout=0.2, autoping=False)
        await self.socket.prepare(request)
        await self.go.wait()
        if "base64" in self.protocol:
            await self.socket.send_str("1")
        else:
            await self.socket.send_bytes(b"\1")
        async for message in self.socket:
            self.got.append(message.type.name if message.type.name == "PING" else message.data)
        return self.socket

    @property
    def typed(self) -> bytes:
        return b"".join(got[1:] for got in self.got if isinstance(got, bytes) and got[0] == 0)


async def end(task: asyncio.Task[Any]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_nothing_is_sent_before_its_first_word(start: Callable[..., Run]):
    slow = Slow()
    run = start(slow, "sh")
    seat = Seat()
    task = asyncio.create_task(run.outcome())
    await until(lambda: hasattr(slow, "socket"))
    run.resize(80, 24)
    run.resize(100, 40)
    seat.waiting = 5
    run.typed.put(b"ahead", seat)
    assert slow.got == []
    slow.go.set()
    await until(lambda: len(slow.got) == 2)
    assert slow.got == [b'\4{"Width":100,"Height":40}', b"\0ahead"]
    assert seat.waiting == 0
    run.resize(1, 1)
    run.resize(100, 40)
    run.resize(90, 30)
    await until(lambda: len(slow.got) == 3)
    assert slow.got[2] == b'\4{"Width":90,"Height":30}'
    await end(task)


async def test_without_a_terminal_there_is_no_size(start: Callable[..., Run]):
    slow = Slow()
    run = start(slow, "sh", tty=False)
    task = asyncio.create_task(run.outcome())
    slow.go.set()
    run.resize(80, 24)
    run.typed.put(b"x", Seat())
    await until(lambda: slow.got == [b"\0x"])
    await end(task)


async def test_small_pieces_and_who_waits_for_them(start: Callable[..., Run]):
    slow = Slow()
    run = start(slow, "sh")
    task = asyncio.create_task(run.outcome())
    one, two = Seat(), Seat()
    one.waiting, two.waiting = 40_000, 3
    run.typed.put(bytes(40_000), one)
    run.typed.put(b"two", two)
    slow.go.set()
    await until(lambda: len(slow.typed) == 40_003)
    assert max(len(got) for got in slow.got) == PIECE + 1
    assert (one.waiting, two.waiting) == (0, 0)
    await end(task)


async def test_base64_is_spoken(start: Callable[..., Run]):
    slow = Slow(V4_BASE64)
    run = start(slow, "sh")
    task = asyncio.create_task(run.outcome())
    slow.go.set()
    run.resize(80, 24)
    run.typed.put("grün\0".encode(), Seat())
    await until(lambda: len(slow.got) == 2)
    size = base64.b64encode(b'{"Width":80,"Height":24}').decode()
    assert slow.got == [f"4{size}", "0" + base64.b64encode("grün\0".encode()).decode()]
    await slow.socket.send_str("1" + base64.b64encode(b"out\xff").decode())
    await slow.socket.send_str("3" + base64.b64encode(SUCCESS[1:]).decode())
    await slow.socket.close()
    assert (await task).code == 0
    assert heard(run).output == [(1, b"out\xff")]


async def test_what_was_typed_for_a_command_that_is_not_there_goes_to_the_next(start: Callable[..., Run]):
    got: list[bytes] = []

    async def missing(socket: web.WebSocketResponse) -> None:
        got.append((await socket.receive()).data)
        await socket.send_bytes(failure(WORDS[0]))

    async def reads(socket: web.WebSocketResponse) -> None:
        await socket.send_bytes(b"\1$ ")
        while sum(len(data) - 1 for data in got[1:]) < 8:
            got.append((await socket.receive()).data)
        await socket.send_bytes(SUCCESS)

    run = start(Tried(bash=missing, sh=reads), "bash", "sh")
    task = asyncio.create_task(run.outcome())
    run.typed.put(b"first", Seat())
    await until(lambda: got[:1] == [b"\0first"])  # the next may have it already
    run.typed.put(b"two", Seat())
    assert (await task).code == 0
    assert b"".join(data[1:] for data in got[1:]) == b"firsttwo"


async def test_the_way_is_kept_open(start: Callable[..., Run], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(conversation, "PING_SECONDS", 0.01)
    slow = Slow()
    task = asyncio.create_task(start(slow, "sh").outcome())
    slow.go.set()
    await until(lambda: slow.got.count("PING") > 2)
    await slow.socket.ping()
    await slow.socket.send_bytes(b"\1still here")
    await end(task)


async def test_a_cluster_that_is_not_there(connect: Callable[..., Cluster]):
    run = Run(connect("https://127.0.0.1:1", {}), Order(EXEC, ("command=sh",)), Typed(), Terminal())
    with pytest.raises(MuxError) as failed:
        await run.outcome()
    assert failed.value.cluster == "prod"
