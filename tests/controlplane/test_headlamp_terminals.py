"""Terminals by way of Headlamp servers: a real one where it is named, and our gateway's dialect."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from notebook_mux.headlamp.bridge import Bridge
from notebook_mux.headlamp.house import House
from notebook_mux.urls import split_token
from notebook_mux.wire import messages
from tests.controlplane.terminals import SCOPE, Looker, query
from tests.controlplane.test_exec import pod, running
from tests.controlplane.test_terminal import PLAIN
from tests.controlplane.test_whole_way import create
from tests.headlamp import CERTIFICATE, SERVERS, TOKEN, HeadlampServer, kubeconfig_of, start_headlamp
from tests.testbed.control_plane import ControlPlane

__all__ = ["start_headlamp"]


@pytest.fixture
def path(control_plane: ControlPlane, namespace: str) -> str:
    """Of a running pod's exec."""
    create(control_plane, pod("web-0", namespace))
    control_plane.kubectl("wait", "--for=condition=Ready", "pod/web-0", "-n", namespace, "--timeout=60s")
    return f"/api/v1/namespaces/{namespace}/pods/web-0/exec"


@pytest.fixture(params=SERVERS)
def server(
    request: pytest.FixtureRequest,
    control_plane: ControlPlane,
    tmp_path: Path,
    start_headlamp: Callable[..., HeadlampServer],
) -> HeadlampServer:
    """A server of each kind."""
    return start_headlamp(request.param, kubeconfig_of(control_plane, tmp_path / "kubeconfig"))


class InMemory:
    """A bridge as the socket of a `Looker`."""

    def __init__(self, bridge: Bridge) -> None:
        self.bridge = bridge
        self.close = bridge.close

    async def send(self, frame: str | bytes) -> None:
        self.bridge.send(frame)

    def __aiter__(self) -> AsyncIterator[str | bytes]:
        return self.bridge.frames()


class Houses:
    """The kernel's side: bridges to one server, and what outlives them."""

    def __init__(self, url: str) -> None:
        self.base, self.token = split_token(url)
        self.house = House()

    @contextlib.asynccontextmanager
    async def looking(self, cluster: str = CERTIFICATE, *, write: bool = True) -> AsyncIterator[Looker]:
        """A client on a bridge of its own."""
        client = Looker(InMemory(await Bridge.open(self.base, self.token, {}, self.house)))
        try:
            await client.say(messages.Hello(package="0", kernel="kernel-1.json"))
            client.ref = (await client.ask(messages.Contexts, source=messages.Source(), names=[cluster]))[0]["ref"]
            if write:
                await client.ask(messages.Scope, scope=SCOPE, write=[client.ref])
            yield client
        finally:
            await client.close()


@pytest.fixture
async def headlamp(server: HeadlampServer) -> AsyncIterator[Houses]:
    made = Houses(server.url)
    yield made
    await made.house.close()
    assert made.house.sockets == 0


@pytest.mark.parametrize("cluster", [CERTIFICATE, TOKEN])
async def test_a_shell_its_size_and_its_exit_code(headlamp: Houses, path: str, cluster: str) -> None:
    async with headlamp.looking(cluster) as client:
        found = await client.terminal(path, query("no-such-shell"), query("/no/bash"), PLAIN)
        screen = await client.look(found["terminal"], 101, 33)
        assert screen.shown is not None
        assert (screen.shown.columns, screen.shown.rows) == (101, 33)
        assert screen.shown.kept == 0, "it ends with its kernel"
        await screen.sees("$ ")
        assert screen.state["command"][-1] == "sh", "the first of the shells that is there"
        await screen.has_size(101, 33)
        await screen.resize(80, 24)
        await screen.has_size(80, 24)
        await screen.type("exit 3\r")
        ended = await screen.reaches("ended")
        assert (ended["run"], ended["code"]) == (1, 3)
        again = await client.terminal(path, PLAIN, start="again", terminal=found["terminal"])
        assert again["created"]
        await screen.until(lambda: screen.state["run"] == 2 and screen.state["state"] == "running")
        await client.ask(messages.Hangup, terminal=found["terminal"])
        await screen.until(lambda: screen.ended)


async def test_ctrl_c_and_characters_of_many_bytes(headlamp: Houses, path: str) -> None:
    async with headlamp.looking() as client:
        screen = await client.look((await client.terminal(path, PLAIN))["terminal"])
        await screen.sees("$ ")
        await screen.type("sleep 98765\r")
        await screen.until(lambda: running("98765"))
        await screen.type("\x03")
        await screen.type("printf '\\346\\274\\242\\345\\255\\227 \\360\\237\\220\\247\\n'\r")
        await screen.sees("漢字 🐧\r\n$ ")
        await screen.until(lambda: not running("98765"))


async def test_two_views_and_the_smaller_size(headlamp: Houses, path: str) -> None:
    async with headlamp.looking() as client:
        found = await client.terminal(path, PLAIN)
        one, two = await client.look(found["terminal"], 100, 30), await client.look(found["terminal"], 80, 40)
        await one.sees("$ ")
        await one.has_size(80, 30)
        await two.sees("30 80\r\n$ ")
        await client.say(messages.Unsubscribe(stream=two.stream))
        await one.until(lambda: one.notes[-1].get("columns") == 100)
        await one.has_size(100, 30)


async def test_it_outlives_the_multiplexed_socket(headlamp: Houses, path: str) -> None:
    async with headlamp.looking() as client:
        first = await client.terminal(path, PLAIN)
        screen = await client.look(first["terminal"])
        await screen.sees("$ ")
        await screen.type("echo on'e'; kept=yes\r")
        await screen.sees("one\r\n$ ")
        client.socket.bridge.abort()
    async with headlamp.looking() as client:
        found = await client.terminal(path, start="find")
        assert found["terminal"] == first["terminal"]
        screen = await client.look(found["terminal"])
        await screen.sees("one\r\n$ ")
        await screen.type("echo $kept\r")
        await screen.sees("yes\r\n$ ")


async def test_a_flood_waits_for_who_looks_and_obeys(headlamp: Houses, path: str) -> None:
    async with headlamp.looking() as client:
        found = await client.terminal(path, PLAIN)
        screen = await client.look(found["terminal"])
        await screen.sees("$ ")
        await screen.type("yes 98764\r")
        await screen.until(lambda: len(screen.output) > 8 << 20)
        await screen.type("\x03")
        await screen.until(lambda: screen.output.endswith(b"\r\n$ "))
        kept = headlamp.house.terminals.get(found["terminal"]).terminal.ring
        assert kept.end - kept.start <= 2 << 20


async def test_there_is_no_way_for_a_page_of_its_own(headlamp: Houses, path: str) -> None:
    async with headlamp.looking() as client:
        found = await client.terminal(path, PLAIN)
        with pytest.raises(AssertionError, match="no WebSocket of a page's own"):
            await client.ask(messages.Ticket, terminal=found["terminal"], origin="http://localhost:8888")


async def test_looking_is_the_default(headlamp: Houses, path: str) -> None:
    async with headlamp.looking(write=False) as client:
        with pytest.raises(AssertionError, match="write-refused"):
            await client.terminal(path, PLAIN)
        assert len(headlamp.house.terminals) == 0
