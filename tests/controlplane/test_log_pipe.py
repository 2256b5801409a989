"""Logs of a real API server: through our gateway, and by way of Headlamp servers, our own and a real one."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import random
import uuid
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from notebook_mux.tailing import desk as desk_module
from notebook_mux.urls import split_token
from notebook_mux.wire import messages
from notebook_mux.wire.frames import Channel
from notebook_mux.wire.logs import LogEnd
from tests.controlplane.headlamp import gateway, running_pod
from tests.headlamp import CERTIFICATE, HeadlampServer, kubeconfig_of, start_headlamp
from tests.testbed.control_plane import ControlPlane
from tests.unit.gateway.headlamp.api import TOKEN
from tests.unit.tailing.clients import BridgeSocket, LogClient, through_bridge
from tests.waiting import eventually

__all__ = ["start_headlamp"]

WAYS = ["gateway", "ours", "real"]
STAMP = "2026-01-01T00:00:0{}.{:09}Z"


@contextlib.asynccontextmanager
async def through_gateway(kubeconfig: Path) -> AsyncIterator[LogClient]:
    """Our own dialect."""
    async with gateway(kubeconfig) as served:
        url = served.url(messages.PATH).replace("http:", "ws:")
        async with connect(
            url,
            subprotocols=[Subprotocol(messages.SUBPROTOCOL)],
            additional_headers={"Authorization": f"Bearer {TOKEN}"},
            compression=None,
            max_size=None,
            proxy=None,
            ping_interval=None,
        ) as socket:
            client = LogClient(socket, CERTIFICATE)
            await client.begin()
            yield client


Way = Callable[[Path], contextlib.AbstractAsyncContextManager[LogClient]]


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest, start_headlamp: Callable[..., HeadlampServer]) -> Way:
    """From a kubeconfig to a client."""
    if request.param == "gateway":
        return through_gateway

    @contextlib.asynccontextmanager
    async def opened(kubeconfig: Path) -> AsyncIterator[LogClient]:
        server = await asyncio.to_thread(start_headlamp, request.param, kubeconfig)
        async with through_bridge(*split_token(server.url), cluster=CERTIFICATE) as client:
            yield client

    return opened


@pytest.fixture
async def client(way: Way, control_plane: ControlPlane, tmp_path: Path) -> AsyncIterator[LogClient]:
    """A client of each way to the shared API server."""
    kubeconfig = await asyncio.to_thread(kubeconfig_of, control_plane, tmp_path / "kubeconfig")
    async with way(kubeconfig) as found:
        yield found


async def log_path(plane: ControlPlane, namespace: str) -> str:
    """The log of a pod that runs."""
    return f"{await running_pod(plane, namespace)}/log"


class Writer:
    """Writes the log of a container, in the form that a container runtime does (CRI)."""

    def __init__(self, plane: ControlPlane, namespace: str, pod: str = "web") -> None:
        self.path = plane.folder / "logs" / f"{namespace}_{pod}_main.log"
        self.path.write_bytes(b"")
        self._number = 0

    def line(self, text: bytes, *, tag: str = "F") -> bytes:
        """Append one; returns it as it is read with timestamps."""
        stamp = STAMP.format(0, self._number)
        self._number += 1
        with self.path.open("ab") as file:
            file.write(f"{stamp} stdout {tag} ".encode() + text + b"\n")
        return stamp.encode() + b" " + text + b"\n"

    def fill(self, texts: list[bytes]) -> bytes:
        """Write many at once; returns them as they are read without timestamps."""
        stamp = STAMP.format(1, 0).encode()
        with self.path.open("ab") as file:
            file.write(b"".join(stamp + b" stdout F " + text + b"\n" for text in texts))
        return b"".join(text + b"\n" for text in texts)


async def test_each_line_when_it_is_written(client: LogClient, control_plane: ControlPlane, namespace: str):
    path = await log_path(control_plane, namespace)
    writer = Writer(control_plane, namespace)
    first = writer.line(b"first")
    await client.log(5, path, "container=main&follow=true&timestamps=true")
    await client.begun(5)
    assert await client.until(5, b"first\n") == first
    for number in range(30):
        # The next one is written when this one has come: nothing on the way waits for more.
        line = writer.line(b"line %d \xff\x00\x1b[31m <b>" % number)
        assert await client.until(5, b"<b>\n") == line
    await client.forget(5)


async def test_the_time_from_which(client: LogClient, control_plane: ControlPlane, namespace: str):
    path = await log_path(control_plane, namespace)
    writer = Writer(control_plane, namespace)
    writer.fill([b"one", b"two"])
    query = "timestamps=true&sinceTime=2026-01-01T00%3A00%3A01Z&tailLines=1"
    await client.log(5, path, query)
    assert await client.rest(5) == (b"2026-01-01T00:00:01.000000000Z two\n", LogEnd(status=200))


async def test_lines_that_the_runtime_split(client: LogClient, control_plane: ControlPlane, namespace: str):
    path = await log_path(control_plane, namespace)
    writer = Writer(control_plane, namespace)
    long = random.Random(1).randbytes(200_000).hex().encode()
    for at in range(0, len(long), 16 * 1024):
        writer.line(long[at : at + 16 * 1024], tag="P")
    writer.line(b"")
    await client.log(5, path, "")
    assert await client.rest(5) == (long + b"\n", LogEnd(status=200))


async def test_a_quiet_container(client: LogClient, control_plane: ControlPlane, namespace: str):
    path = await log_path(control_plane, namespace)
    writer = Writer(control_plane, namespace)
    await client.log(5, path, "follow=true&tailLines=0")
    await client.begun(5)  # though its node has said nothing yet

    async def speak() -> None:
        while True:  # what is written before the node has looked is old, and not asked for
            writer.line(b"at last")
            await asyncio.sleep(0.5)

    speaking = asyncio.create_task(speak())
    assert (await client.until(5, b"\n")).splitlines()[0] == b"at last"
    speaking.cancel()


async def test_twenty_megabytes(client: LogClient, control_plane: ControlPlane, namespace: str):
    path = await log_path(control_plane, namespace)
    rng = random.Random(7)
    content = Writer(control_plane, namespace).fill([rng.randbytes(rng.randint(1, 300)).hex().encode()
                                                    for _ in range(70_000)])  # fmt: skip
    await client.log(5, path, "")
    found, end = await client.rest(5)
    assert (len(found), end) == (len(content), LogEnd(status=200))
    assert hashlib.sha256(found).digest() == hashlib.sha256(content).digest()


async def test_a_client_that_takes_its_time(client: LogClient, control_plane: ControlPlane, namespace: str):
    path = await log_path(control_plane, namespace)
    content = Writer(control_plane, namespace).fill([b"%0400d" % number for number in range(5000)])
    await client.log(5, path, "", credit=1)
    await client.log(6, path, "")
    whole, end = await client.rest(6)
    assert (whole, end.status) == (content, 200)
    found = bytearray()
    while True:
        channel, payload = await client.frame(5)
        if channel == Channel.END:
            break
        found += payload
        await client.took(5, payload)
    assert found == content


async def test_many_side_by_side(client: LogClient, control_plane: ControlPlane, namespace: str):
    path = await log_path(control_plane, namespace)
    writer = Writer(control_plane, namespace)
    streams = range(10, 40)
    for stream in streams:
        await client.log(stream, path, "follow=true")
    writer.line(b"for all")
    for stream in streams:
        await client.begun(stream)
        assert await client.until(stream, b"\n") == b"for all\n"
    if isinstance(client.socket, BridgeSocket):
        assert client.socket.bridge.details()["direct_sockets"] == len(streams)
    for stream in streams:
        await client.forget(stream)
    if isinstance(client.socket, BridgeSocket):
        assert client.socket.bridge.details()["direct_sockets"] == 0


async def test_what_is_not_there(client: LogClient, control_plane: ControlPlane, namespace: str):
    path = await log_path(control_plane, namespace)
    await client.log(5, path.replace("/web/", "/nope/"))
    _, end = await client.rest(5)
    assert (end.status, end.code, end.said) == (404, "not-found", 'pods "nope" not found')
    await client.log(6, path, "container=nope")
    _, end = await client.rest(6)
    assert (end.status, end.code) == (400, "invalid")
    assert "container nope is not valid for pod web" in str(end.said)
    await client.log(7, path, "tailLines=-1")
    _, end = await client.rest(7)
    assert (end.status, end.code) == (422, "invalid")
    await client.log(8, path, "follow=true&nonsense=1")
    await client.log(9, path.replace("/log", "/proxy"))
    await client.log(10, path, "")
    await client.rest(10)
    assert [(ended.stream, ended.code) for ended in client.ended] == [(8, "invalid"), (9, "invalid")]


async def test_who_may_not(way: Way, control_plane: ControlPlane, namespace: str, tmp_path: Path):
    path = await log_path(control_plane, namespace)
    kubeconfig = await asyncio.to_thread(kubeconfig_of, control_plane, tmp_path / "kubeconfig")
    config = json.loads(kubeconfig.read_text())
    cluster = config["contexts"][0]["context"]["cluster"]
    config["users"].append({"name": "weak", "user": {"token": control_plane.token("default", namespace)}})
    config["users"].append({"name": "gone", "user": {"token": "expired"}})
    for name in ("weak", "gone"):
        config["contexts"].append({"name": name, "context": {"cluster": cluster, "user": name}})
    kubeconfig.write_text(json.dumps(config))
    async with way(kubeconfig) as client:
        await client.log(5, path, cluster=client.refs["weak"])
        _, end = await client.rest(5)
        assert (end.status, end.code) == (403, "forbidden")
        assert 'cannot get resource "pods/log"' in str(end.said)
        await client.log(6, path, cluster=client.refs["gone"])
        _, end = await client.rest(6)
        assert (end.status, end.code) == (401, "login")


@pytest.fixture
def plane(control_plane_with: Callable[..., ControlPlane]) -> ControlPlane:
    """One that may be broken; started by the main thread, with which its parts end."""
    return control_plane_with()


def made_namespace(plane: ControlPlane) -> str:
    """A namespace where pods can be made."""
    name = f"n{uuid.uuid4().hex[:8]}"
    plane.kubectl("create", "namespace", name)
    accounts = ("get", "serviceaccounts", "--namespace", name, "--output", "name")
    eventually(lambda: "serviceaccount/default" in plane.kubectl(*accounts), seconds=30, pause=0.05)
    return name


@pytest.mark.slow
async def test_a_node_that_dies(way: Way, plane: ControlPlane, tmp_path: Path):
    """The API server ends its answer as if all was well: what has stopped is for the pod's state to say."""
    kubeconfig = await asyncio.to_thread(kubeconfig_of, plane, tmp_path / "kubeconfig")
    namespace = await asyncio.to_thread(made_namespace, plane)
    path = await log_path(plane, namespace)
    writer = Writer(plane, namespace)
    async with way(kubeconfig) as client:
        writer.line(b"one")
        await client.log(5, path)
        await client.begun(5)
        await client.until(5, b"one\n")
        plane.kill("kubelet")
        assert await client.rest(5) == (b"", LogEnd(status=200))
        await client.log(6, path)
        _, end = await client.rest(6)
        assert (end.status, end.code) == (500, "server")
        assert "connection refused" in str(end.said)
        plane.start("kubelet")
        stream = 7
        await client.log(stream, path)
        while await client.frame(stream) != (Channel.STDOUT, b""):  # it is not up yet
            await asyncio.sleep(0.05)
            stream += 1
            await client.log(stream, path)
        assert await client.until(stream, b"\n") == b"one\n"


@pytest.mark.slow
async def test_a_server_that_dies_and_comes_back(
    way: Way, plane: ControlPlane, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    kubeconfig = await asyncio.to_thread(kubeconfig_of, plane, tmp_path / "kubeconfig")
    namespace = await asyncio.to_thread(made_namespace, plane)
    path = await log_path(plane, namespace)
    writer = Writer(plane, namespace)
    async with way(kubeconfig) as client:
        writer.line(b"one")
        await client.log(5, path)
        await client.begun(5)
        await client.until(5, b"one\n")
        plane.kill("apiserver")
        _, end = await client.rest(5)
        assert (end.status, end.code) == (200, "unreachable")
        await client.log(6, path)
        _, end = await client.rest(6)
        assert (end.status, end.code) in ((0, "unreachable"), (502, "unreachable"))
        plane.start("apiserver")
        writer.line(b"two")
        await client.log(7, path, "follow=true&tailLines=1")
        await client.begun(7)
        assert await client.until(7, b"\n") == b"two\n"
        # One that has stalled looks like a container that says nothing, until it is asked.
        monkeypatch.setattr(desk_module, "QUIET_SECONDS", 0.5)
        monkeypatch.setattr(desk_module, "TICK_SECONDS", 0.2)
        monkeypatch.setattr("notebook_mux.gateway.cluster.ALIVE_SECONDS", 1.0)
        monkeypatch.setattr("notebook_mux.headlamp.rest.ALIVE_SECONDS", 1.0)
        plane.stop("apiserver")
        try:
            _, end = await client.rest(7)
        finally:
            plane.cont("apiserver")
        assert (end.status, end.code) == (200, "timeout")
