"""Each version of remotecommand that a real API server speaks: exit codes, binary output, terminals and their sizes.

It speaks the best that is offered; so what is between strips the others from the offer.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import aiohttp
import pytest

from notebook_mux.errors import Closed
from notebook_mux.gateway.cluster import Cluster
from notebook_mux.kube.answers import Answer
from notebook_mux.remote import run as run_module
from notebook_mux.remote.program import Order, Program
from notebook_mux.remote.terminal import Terminal
from notebook_mux.wire.frames import Channel
from notebook_mux.wire.remotecommand import V4, V4_BASE64, V5, outcome
from tests import waiting
from tests.controlplane.terminals import WAIT_SECONDS, query, sized
from tests.controlplane.test_exec import pod, running
from tests.controlplane.test_headlamp_terminals import Houses
from tests.controlplane.test_terminal import PLAIN
from tests.controlplane.test_upstream import cluster_of
from tests.controlplane.test_whole_way import create
from tests.fault.proxy import Proxy
from tests.headlamp import SERVERS, HeadlampServer, kubeconfig_of, start_headlamp
from tests.testbed.control_plane import ControlPlane

__all__ = ["start_headlamp"]

VERSIONS = [V5, V4, V4_BASE64]
ALL_BYTES = "".join(f"\\{byte:03o}" for byte in range(256))
"""Every byte, for printf within a shell's words."""


class Stripping:
    """A `remote.dialer.Dialer` on whose way only one version passes."""

    def __init__(self, cluster: Cluster, *passes: str) -> None:
        self.cluster = cluster
        self.name = cluster.name
        self.passes = passes
        self.chosen: list[str | None] = []

    async def websocket(
        self, path: str, query: str = "", *, protocols: Sequence[str]
    ) -> aiohttp.ClientWebSocketResponse:
        socket = await self.cluster.websocket(path, query, protocols=[one for one in protocols if one in self.passes])
        self.chosen.append(socket.protocol)
        return socket

    async def request(
        self, method: str, path: str, query: str = "", *, headers: Mapping[str, str] | None = None,
        body: str | bytes | None = None, timeout: float = 30.0,
    ) -> Answer:  # fmt: skip
        raise AssertionError("nothing is asked for")


@pytest.fixture
async def cluster(control_plane: ControlPlane) -> AsyncIterator[Cluster]:
    async with cluster_of(control_plane.kubeconfig) as found:
        yield found


@pytest.fixture
def path(control_plane: ControlPlane, namespace: str) -> str:
    """Of a running pod's exec."""
    create(control_plane, pod("web-0", namespace))
    control_plane.kubectl("wait", "--for=condition=Ready", "pod/web-0", "-n", namespace, "--timeout=60s")
    return f"/api/v1/namespaces/{namespace}/pods/web-0/exec"


def shell(script: str, **flags: str) -> str:
    given = {"container": "main", "stdout": "true", "stderr": "true"} | flags
    words = [("command", word) for word in ("sh", "-c", script)]
    return urlencode([*given.items(), *words], quote_via=quote)


async def finished(program: Program) -> dict[int, bytes]:
    """All that it wrote, by channel."""
    output: dict[int, bytes] = {}
    place = 0
    moved = asyncio.Event()
    program.moved = moved.set
    while Channel.END not in output:
        async with asyncio.timeout(WAIT_SECONDS):
            await moved.wait()
        moved.clear()
        while (found := program.ring.read(place, 1 << 16)) is not None:
            output[found[0]] = output.get(found[0], b"") + found[1]
            place += len(found[1])
        program.forget(place)
    return output


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("code", [0, 3, 255])
async def test_exit_codes_and_every_byte(cluster: Cluster, path: str, version: str, code: int) -> None:
    dialer = Stripping(cluster, version)
    script = f"for n in $(seq 100); do printf '{ALL_BYTES}'; done; printf '\\377err' >&2; exit {code}"
    output = await finished(Program(dialer, Order(path, shell(script))))
    assert dialer.chosen == [version]
    assert output[Channel.STDOUT] == bytes(range(256)) * 100
    assert output[Channel.STDERR] == b"\xfferr"
    assert outcome(output[Channel.ERROR]).code == code
    assert output[Channel.END] == b"{}"


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_command_that_is_not_there(cluster: Cluster, path: str, version: str) -> None:
    words = {"container": "main", "stdout": "true", "command": "no-such-command"}
    output = await finished(Program(Stripping(cluster, version), Order(path, urlencode(words))))
    assert outcome(output[Channel.ERROR]).is_missing


async def test_input_needs_the_version_that_can_end_it(cluster: Cluster, path: str, tmp_path: Path) -> None:
    order = Order(path, shell("cat", stdin="true"), stdin=True)
    whole = Program(Stripping(cluster, V5), order)
    whole.feed(0, b"input")
    whole.end_input()
    assert (await finished(whole))[Channel.STDOUT] == b"input"
    for passes in (V4, V4_BASE64):
        program = Program(Stripping(cluster, passes), order)
        program.feed(0, b"input")
        program.end_input()
        output = await finished(program)
        ended = json.loads(output.pop(Channel.END))
        assert output == {}, "nothing of it is taken for a result"
        assert ended["code"] == "outcome-unknown"
        assert ended["said"] == "chosen: none; offered: v5.channel.k8s.io"


class View:
    """One who looks at a terminal, and takes all that there is."""

    def __init__(self, terminal: Terminal, columns: int, rows: int) -> None:
        self.output = b""
        self.states: list[dict[str, Any]] = []
        self.sent = 0
        self.viewer = terminal.look(
            "view-of-the-test-1", -1, output=True, wake=self.wake, grant=lambda size: None, ended=lambda reason: None
        )
        terminal.resize(self.viewer, columns, rows)
        self.terminal = terminal

    def wake(self) -> None:
        asyncio.get_running_loop().call_soon(self.take)

    def take(self) -> None:
        while (found := self.viewer.pull(1 << 16)) is not None:
            if found[0] == Channel.ERROR:
                self.states.append(json.loads(found[1]))
            elif found[0] == Channel.STDOUT:
                self.output += found[1]

    def type(self, text: str) -> None:
        self.viewer.feed(self.sent, text.encode())
        self.sent += len(text.encode())

    async def sees(self, text: str) -> None:
        await waiting.until(lambda: text.encode() in self.output, f"{text!r} is shown", seconds=WAIT_SECONDS)


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_terminal_its_sizes_and_its_exit_code(cluster: Cluster, path: str, version: str) -> None:
    dialer = Stripping(cluster, version)
    terminal = Terminal(dialer, run_module.Order(path, (query("no-such-shell"), PLAIN)))
    view = View(terminal, 101, 33)
    try:
        await view.sees("$ ")
        assert dialer.chosen == [version] * 2, "a shell that is not there, and one that is"
        view.type(f"{sized(101, 33)}\r")
        await view.sees("33 101\r\n$ ")
        terminal.resize(view.viewer, 80, 24)
        view.type(f"{sized(80, 24)}\r")
        await view.sees("24 80\r\n$ ")
        view.type("printf 'gr\\303\\274n \\346\\274\\242 \\377\\n'; sleep 98763\r")
        await waiting.until(lambda: running("98763"), "it sleeps", seconds=WAIT_SECONDS)
        wanted = b"gr\xc3\xbcn \xe6\xbc\xa2 \xff\r\n"
        await waiting.until(lambda: wanted in view.output, "every byte", seconds=WAIT_SECONDS)
        view.type("\x03")
        await waiting.until(lambda: not running("98763"), "Ctrl-C is obeyed", seconds=WAIT_SECONDS)
        view.type("exit 9\r")
        await waiting.until(lambda: view.states[-1]["state"] == "ended", "its end", seconds=WAIT_SECONDS)
        assert view.states[-1]["code"] == 9
    finally:
        await terminal.close(Closed("the test is over"))


class StrippingProxy(Proxy):
    """A proxy of HTTP on whose way only one version passes; what is between a client and a Headlamp server may be."""

    def __init__(self, target: int, passes: str) -> None:
        super().__init__(target)
        self._changes[b"v5.channel.k8s.io,v4.channel.k8s.io,v4.base64.channel.k8s.io"] = passes.encode()


@pytest.mark.parametrize("version", [V4, V4_BASE64])
@pytest.mark.parametrize("kind", SERVERS)
async def test_a_proxy_before_a_headlamp_server(
    control_plane: ControlPlane,
    path: str,
    tmp_path: Path,
    start_headlamp: Callable[..., HeadlampServer],
    kind: str,
    version: str,
) -> None:
    server = start_headlamp(kind, kubeconfig_of(control_plane, tmp_path / "kubeconfig"))
    proxy = StrippingProxy(server.port, version)
    headlamp = Houses(server.url.replace(f":{server.port}", f":{proxy.port}", 1))
    try:
        async with headlamp.looking() as client:
            found = await client.terminal(path, PLAIN)
            screen = await client.look(found["terminal"], 90, 20)
            await screen.sees("$ ")
            await screen.has_size(90, 20)
            await screen.type("exit 6\r")
            assert (await screen.reaches("ended"))["code"] == 6
        assert proxy.changed > 0
    finally:
        await headlamp.house.close()
        proxy.close()
