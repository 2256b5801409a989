# ruff: noqa: E501 - a session is one line, as it is read
"""exec and attach over WebSocket: the channels without input or output, and whole sessions on a playground."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import psutil
import pytest

from notebook_mux.playground.remotecommand.options import Streams
from notebook_mux.playground.remotecommand.protocol import Broken, EndOfInput, Input, Resize, Server, choose
from notebook_mux.playground.sandbox.modes import SANDBOX
from notebook_mux.playground.shell import worlds
from notebook_mux.wire.remotecommand import V1, V1_BASE64, V4, V4_BASE64, V5, RemoteCommand, outcome
from tests.playground import RunningPlayground
from tests.unit.playground import sockets
from tests.unit.playground.client import Client
from tests.unit.playground.sandboxes import SAYS, SHELLS, need
from tests.unit.playground.shells import pod
from tests.waiting import eventually, until

ALL = Streams("main", ("cat",), True, True, True, False)
TTY = Streams("main", ("sh",), True, True, False, True)
EXEC = "/api/v1/namespaces/default/pods/one/exec"
WAIT_S = 30.0


# --------------------------------------------------------------------------------------------- the channels alone


def test_which_version_is_spoken():
    assert choose([V4, V5]) == V5
    assert choose(["v3.channel.k8s.io", V4]) == V4
    assert choose([V4_BASE64, V4]) == V4_BASE64
    assert choose([]) == V1
    assert choose(["v3.channel.k8s.io", "v2.channel.k8s.io", "x"]) is None


@pytest.mark.parametrize("version", [V5, V4, V4_BASE64, V1, V1_BASE64])
def test_a_client_and_a_server_understand_each_other(version: str):
    """The project's own client, which is tested on real servers, at the other end."""
    client, server = (
        RemoteCommand(version, stdin=True, tty=True),
        Server(version, Streams("", (), True, True, False, True)),
    )
    assert client.receive(server.begin()) is None
    assert [server.receive(one) for one in client.write(b"a\xff" * 9000)] == [
        Input(b"a\xff" * 8192),
        Input(b"a\xff" * 808),
    ]
    assert server.receive(client.resize(101, 33)) == Resize(101, 33)
    assert client.receive(server.write(1, b"\x00out")) == (1, b"\x00out")
    if version == V5:
        assert server.receive(client.close_stdin()) == EndOfInput()
        assert server.receive(client.close_stdin()) is None, "a second end is none"
    for message in server.end(3):
        client.receive(message)
    status = client.status()
    assert status is not None
    ended = outcome(status)
    assert (ended.code, "3" in ended.message) == ((-1, True) if version in (V1, V1_BASE64) else (3, True))


FRAMES: list[tuple[str, Streams, bytes | str, Any]] = [
    (V5, ALL, b"\x00", None),
    (V5, ALL, b"\x00x", Input(b"x")),
    (V5, ALL, "\x00x", Input(b"x")),
    (V5, ALL, b"\xff\x00", EndOfInput()),
    (V5, ALL, b"\xff\x00\x00", Broken()),
    (V5, ALL, b"\xff", Broken()),
    (V5, ALL, b"\xff\x09", Broken()),
    (V5, ALL, b"\xff\x01", None),
    (V5, ALL, b"\x09x", None),
    (V5, ALL, b'\x04{"Width":1,"Height":1}', None),
    (V5, TTY, b'\x04{"Width":100,"Height":30}', Resize(100, 30)),
    (V5, TTY, b'\x04{"Width":-1,"Height":30}', None),
    (V5, TTY, b"\x04nonsense", None),
    (V5, Streams("", (), False, True), b"\x00x", None),
    (V5, ALL, b"", Broken()),
    (V4, ALL, b"\xff\x00", None),
    (V4_BASE64, ALL, "0eA==", Input(b"x")),
    (V4_BASE64, ALL, b"0eA==", Input(b"x")),
    (V4_BASE64, ALL, "0!", Broken()),
    (V4_BASE64, ALL, "xeA==", Broken()),
]


@pytest.mark.parametrize(("version", "streams", "message", "event"), FRAMES)
def test_what_a_message_says(version: str, streams: Streams, message: bytes | str, event: Any):
    assert Server(version, streams).receive(message) == event


def test_the_first_message_is_on_the_lowest_channel():
    assert Server(V5, ALL).begin() == b"\x01"
    assert Server(V5, Streams("", (), False, False, True)).begin() == b"\x02"
    assert Server(V5, Streams("", (), True)).begin() == b"\x03"
    assert Server(V1_BASE64, ALL).begin() == "1"


def test_the_words_at_the_end():
    """As a real API server of 1.37 wrote them, byte for byte."""
    assert Server(V5, ALL).end(0) == [b'\x03{"metadata":{},"status":"Success"}']
    assert Server(V4, ALL).end(0) == [b'\x03{"status":"Success"}']
    assert Server(V1, ALL).end(0) == []
    assert Server(V1, ALL).end(3) == [b"\x03command terminated with non-zero exit code: exit status 3"]
    failed = json.loads(Server(V5, ALL).end(0, "error executing command in container: no")[0][1:])
    assert (
        failed["message"]
        == "Internal error occurred: Internal error occurred: error executing command in container: no"
    )
    assert failed["details"]["causes"] == [
        {"message": "Internal error occurred: error executing command in container: no"}
    ]


# ------------------------------------------------------------------------------------------------- whole sessions


@pytest.fixture(scope="module", params=SHELLS)
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPlayground]:
    need(request.param)
    one = RunningPlayground(tmp_path_factory.mktemp("exec"), "empty", shell=request.param)
    client = Client(one.kubeconfig)
    one.create(pod("one"))
    one.create(pod("two", more={"nodeSelector": {"no": "node"}}))
    one.create(pod("read", command=["sh"], stdin=True, stdinOnce=True, more=None) | {})
    eventually(lambda: [one["status"]["phase"] for one in client.get("/api/v1/pods").json()["items"]].count("Running") == 2,
               "the pods run", seconds=WAIT_S)  # fmt: skip
    yield one
    one.close()


@pytest.fixture
def server(running: RunningPlayground, tmp_path: Path) -> sockets.Server:
    return sockets.Server(running.kubeconfig, tmp_path)


@pytest.mark.parametrize("version", [V5, V4])
async def test_output_exit_code_and_close_in_this_order(server: sockets.Server, version: str):
    told = await server.session(
        EXEC, [version], command=["sh", "-c", "echo out; echo err >&2; exit 3"], stdout=1, stderr=1
    )
    assert told.messages[0] == b"\x01"
    assert sorted(told.messages[1:-1]) == [b"\x01out\n", b"\x02err\n"]
    assert outcome(told.messages[-1][1:]).code == 3
    assert told.code == 1000


async def test_input_and_its_end(server: sockets.Server):
    given = bytes(range(256)) * 4096
    pieces = [b"\x00" + given[at : at + 100_000] for at in range(0, len(given), 100_000)]
    told = await server.session(EXEC, [V5], *pieces, b"\xff\x00", command="cat", stdin="true", stdout="true")
    assert told.output == given
    assert max(map(len, told.messages)) <= 32 * 1024 + 1
    assert told.messages[-1] == b'\x03{"metadata":{},"status":"Success"}'


async def test_base64_and_no_version_at_all(server: sockets.Server):
    told = await server.session(EXEC, [V4_BASE64], command=["printf", "a\\377"], stdout=1)
    assert told.messages[:2] == ["1", "1Yf8="]
    async with server.open(EXEC, [], command="true", stdout=1) as socket:
        assert socket.inner._response.headers["Sec-WebSocket-Protocol"] == ""
        assert (await socket.rest()).messages == [b"\x01"]


async def test_a_terminal_its_sizes_and_keys(running: RunningPlayground, server: sockets.Server):
    async with server.open(EXEC, [V5], command="sh", stdin=1, stdout=1, tty=1) as socket:
        await socket.send(b'\x04{"Width":101,"Height":33}')
        await socket.sees(b"/ # ")
        assert SAYS[running.playground.cluster.shell].encode() in socket.told.output, "it says what it is"
        await socket.send(b"\x00stty size\r")
        await socket.sees(b"33 101\r\n/ # ")
        await socket.send(b'\x04{"Width":80,"Height":24}', b"\x00stty size\r")
        await socket.sees(b"24 80\r\n/ # ")
        # A key is the program's once the program has spoken: a real shell loses what comes while it hands the terminal on.
        await socket.send(b"\x00sh -c 'echo sle\"\"eps; exec sleep 1000'\r")
        await socket.sees(b"sleeps\r\n")
        await socket.send(b"\x00\x03")
        await socket.sees(b"^C\r\n/ # ")
        await socket.send(b"\x00echo is $?\r")
        await socket.sees(b"is 130\r\n/ # ")
        await socket.send(b"\x00sh -c 'echo lis\"\"tens; exec cat'; echo was $?\r")
        await socket.sees(b"listens\r\n")
        await socket.send(b"\x00typed\r")
        await socket.sees(b"typed\r\ntyped\r\n")
        await socket.send(b"\x00\x04")
        await socket.sees(b"was 0\r\n/ # ")
        await socket.send(b"\x00exit 9\r")
        told = await socket.rest()
    assert outcome(told.messages[-1][1:]).code == 9


async def test_who_goes_ends_what_was_started(running: RunningPlayground, server: sockets.Server):
    long = str(4_000_000 + os.getpid())  # and nobody else's on this machine

    def sleeping() -> int:
        cluster = running.playground.cluster
        found = cluster.get("pods", "default", "one")
        assert found is not None
        if cluster.shell == SANDBOX:
            return sum(one.info["cmdline"] == ["sleep", long] for one in psutil.process_iter(["cmdline"]))
        processes = worlds.of(cluster).container(found, "main").processes
        return sum(one.words == ("sleep", long) for one in processes)

    async with server.open(EXEC, [V5], command=["sleep", long], stdout=1) as socket:
        await socket.take()
        await until(lambda: running.call(sleeping) == 1, "it runs", seconds=WAIT_S)
    await until(lambda: running.call(sleeping) == 0, "it has ended", seconds=WAIT_S)
    await until(
        lambda: not running.call(lambda: running.playground.first.api.sessions), "so has the session", seconds=WAIT_S
    )


async def test_input_that_nobody_reads_stops_the_reading(server: sockets.Server):
    """As on a real server: what is behind it waits, and is not kept in memory."""
    async with server.open(EXEC, [V5], command=["sh", "-c", "sleep 0.5; wc -c"], stdin=1, stdout=1) as socket:
        for _ in range(3):
            await socket.send(b"\x00" + bytes(1024 * 1024))
        await socket.send(b"\xff\x00")
        told = await socket.rest()
    assert told.output == b"3145728\n"


async def test_what_breaks_the_rules_ends_without_a_status(server: sockets.Server):
    told = await server.session(EXEC, [V5], b"\xff\x00\x00", command="cat", stdin=1, stdout=1)
    assert (told.messages, told.code) == ([b"\x01"], 1000)


async def test_what_cannot_be_started_is_said_at_the_end(server: sockets.Server):
    for command, words in (("nope", 'exec: "nope": executable file not found in $PATH'),
                           ("/no/pe", "stat /no/pe: no such file or directory"), ("/etc", "permission denied")):  # fmt: skip
        told = await server.session(EXEC, [V5], command=command, stdout=1)
        ended = outcome(told.messages[-1][1:])
        assert (ended.reason, ended.code) == ("InternalError", -1)
        assert words in ended.message
    told = await server.session(EXEC, [V5], command="true")
    assert "you must specify at least 1 of stdin, stdout, stderr" in outcome(told.messages[-1][1:]).message
    told = await server.session(EXEC, [V5], stdout=1)
    assert "args must not be empty" in outcome(told.messages[-1][1:]).message


@pytest.mark.parametrize(("path", "query", "protocols", "status"), [
    ("none/exec", {"command": "ls"}, [V5], 404),
    ("one/exec", {"command": "ls", "container": "other"}, [V5], 400),
    ("two/exec", {"command": "ls", "stdout": 1}, [V5], 400),
    ("one/exec", {"command": "ls", "stdout": 1}, ["v3.channel.k8s.io"], 403),
    ("one/exec", {"command": "ls"}, [V4], 400),
])  # fmt: skip
async def test_what_is_refused_before(server: sockets.Server, path: str, query: Any, protocols: list[str], status: int):
    with pytest.raises(aiohttp.WSServerHandshakeError) as raised:
        await server.session(f"/api/v1/namespaces/default/pods/{path}", protocols, **query)
    assert raised.value.status == status


def test_spdy_is_refused_in_plain_words(running: RunningPlayground):
    headers = {"Connection": "Upgrade", "Upgrade": "SPDY/3.1", "X-Stream-Protocol-Version": "v4.channel.k8s.io"}
    answer = Client(running.kubeconfig).ask("POST", EXEC, headers=headers, command="ls", stdout="1")
    assert (answer.status, "WebSocket only" in answer.json()["message"]) == (400, True)


def test_both_rights_are_asked_for(running: RunningPlayground):
    running.forbid(verb="create", resource="pods/exec")
    try:
        answer = Client(running.kubeconfig).get(EXEC, command="ls", stdout="1")
        assert (answer.status, 'cannot create resource "pods/exec"' in answer.json()["message"]) == (403, True)
    finally:
        running.clear()


async def test_attached_clients_share_a_program(server: sockets.Server):
    path = "/api/v1/namespaces/default/pods/read/attach"
    async with server.open(path, [V5], stdout=1) as other:
        await other.take()
        told = await server.session(path, [V5], b"\x00echo $((40+2))\nexit 5\n", b"\xff\x00", stdin=1, stdout=1)
        assert told.output == b"42\n"
        assert outcome(told.messages[-1][1:]).code == 0, "an attach tells no exit code"
        await asyncio.wait_for(other.rest(), WAIT_S)
        assert other.told.output == b"42\n"
