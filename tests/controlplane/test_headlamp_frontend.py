"""Headlamp's own clients, unmodified, against our gateway before a real API server; under Node.

None of their code is here: a checkout's folder is named by `SOURCES`.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.controlplane.headlamp import Maps, gateway, running_pod
from tests.testbed.control_plane import ControlPlane
from tests.unit.gateway.headlamp.api import TOKEN

SOURCES = "NOTEBOOK_MUX_HEADLAMP_FRONTEND"
HOW = (
    f"{SOURCES} names no folder frontend/ of a checkout of Headlamp: git clone --depth 1 -b v0.45.0 "
    f"https://github.com/kubernetes-sigs/headlamp /tmp/headlamp && export {SOURCES}=/tmp/headlamp/frontend"
)
HERE = Path(__file__).parent / "headlamp_frontend"
OURS = Path(__file__).parents[2] / "notebook_mux" / "widgets" / "frontend"
EVERY = bytes(range(256))


@pytest.fixture(scope="module")
def bundle(developer_environ: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The clients and what drives them, in one file."""
    named = developer_environ.get(SOURCES, "")
    if not (Path(named) / "src/lib/k8s/api/v2/multiplexer.ts").is_file():
        pytest.skip(HOW)
    if shutil.which("node") is None or not (OURS / "node_modules" / "esbuild").is_dir():
        pytest.skip("Node and esbuild are needed: cd notebook_mux/widgets/frontend && npm ci")
    made = tmp_path_factory.mktemp("headlamp") / "driver.mjs"
    subprocess.run(["node", HERE / "bundle.mjs", named, OURS, made], check=True, timeout=60)
    return made


class Page:
    """The clients in a process of their own."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    def do(self, deed: str, **words: Any) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": deed, **words}).encode() + b"\n")

    async def says(self) -> dict[str, Any]:
        """What it says next."""
        assert self._process.stdout is not None
        line = await self._process.stdout.readline()
        assert line, "the page has ended"
        return dict(json.loads(line))

    async def did(self, deed: str, **words: Any) -> dict[str, Any]:
        """Do something and hear that it is done."""
        self.do(deed, **words)
        said = await self.says()
        assert said.get("done") == deed, said
        return said

    async def event(self, id_: str) -> tuple[str, str]:
        """The next event is this subscription's: its type and its object's name."""
        said = await self.says()
        assert said.get("id") == id_, said
        assert "event" in said, said
        return said["event"]["type"], said["event"]["object"]["metadata"]["name"]


@contextlib.asynccontextmanager
async def page(bundle: Path, url: str, base: str = "") -> AsyncIterator[Page]:
    """Headlamp's clients, told the gateway's address and token as the desktop app tells them."""
    process = await asyncio.create_subprocess_exec(
        "node", "--experimental-websocket", bundle, url.rstrip("/").removesuffix(base), TOKEN, base,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
        limit=1 << 24,
    )  # fmt: skip
    try:
        running = Page(process)
        assert await running.says() == {"ready": True}
        yield running
    finally:
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()


async def test_the_multiplexers_client(bundle: Path, control_plane: ControlPlane, namespace: str):
    async with gateway(control_plane.kubeconfig) as running, page(bundle, running.gateway.url) as client:
        maps = Maps(running, namespace)
        watch = await maps.watch()
        other = watch | {"query": f"{watch['query']}&labelSelector=app%3Da"}
        await client.did("subscribe", id="all", **watch)
        await client.did("subscribe", id="some", **other)
        await client.did("subscribe", id="again", **watch)
        await maps.ask("POST", body={"metadata": {"name": "one"}})
        assert [await client.event(one) for one in ("all", "again")] == [("ADDED", "one")] * 2
        await maps.ask("POST", body={"metadata": {"name": "two", "labels": {"app": "a"}}})
        heard = [await client.says() for _ in range(3)]
        assert sorted(one["id"] for one in heard) == ["again", "all", "some"]
        assert {one["event"]["object"]["metadata"]["name"] for one in heard} == {"two"}
        client.do("state")
        state = await client.says()
        assert state["protocol"] == "headlamp.multiplexer.k8s.io"
        assert len(state["active"]) == 2
        (one,) = running.headlamp.clients
        assert (len(one.subscriptions), len(one.feeds)) == (2, 2)

        # Its last listener goes: CLOSE comes 100 ms later, and ends that stream alone.
        await client.did("undo", id="some")
        async with asyncio.timeout(30):
            while len(one.feeds) > 1:
                await asyncio.sleep(0.01)
        await maps.ask("DELETE", "/two")
        assert [await client.event(one) for one in ("all", "again")] == [("DELETED", "two")] * 2


async def test_a_status_is_taken_for_no_event(bundle: Path, control_plane: ControlPlane, namespace: str):
    async with gateway(control_plane.kubeconfig) as running, page(bundle, running.gateway.url) as client:
        watch = await Maps(running, namespace).watch()
        for query in (f"{watch['query']}&timeoutSeconds=1", ""):
            path = watch["path"] if query else f"/api/v1/watch/namespaces/{namespace}/configmaps"
            await client.did("subscribe", id="it", cluster="testbed", path=path, query=query)
            (one,) = running.headlamp.clients
            async with asyncio.timeout(30):
                while not (feeds := list(one.feeds)) or feeds[0].cluster is None:
                    await asyncio.sleep(0.01)
                while query and one.subscriptions:
                    await asyncio.sleep(0.01)
            client.do("state", id="now")
            while (said := await client.says()).get("id") != "now":
                # Without a resourceVersion a watch begins with what is there.
                assert said["event"]["type"] == "ADDED", said
            if query:
                assert f"testbed:{path}:{query}" in said["completed"]


async def test_errors_reach_its_error_listeners(bundle: Path, control_plane: ControlPlane, namespace: str):
    async with gateway(control_plane.kubeconfig, write=False) as running, page(bundle, running.gateway.url) as client:
        for cluster, path, words in (
            ("none", "/api/v1/pods", "there is no cluster of that name"),
            ("testbed", "/api/v1/nonsense", "404"),
            ("testbed", "/api/v1/namespaces/x/pods/y/exec", "--write"),
        ):
            client.do("subscribe", id=path, cluster=cluster, path=path, query="watch=1")
            said = [await client.says() for _ in range(2)]
            (error,) = [one["error"] for one in said if "error" in one]
            assert words in error


async def test_it_comes_back(bundle: Path, control_plane: ControlPlane, namespace: str):
    async with gateway(control_plane.kubeconfig) as running, page(bundle, running.gateway.url) as client:
        maps = Maps(running, namespace)
        await client.did("subscribe", id="all", **await maps.watch())
        await client.did("cut")
        await maps.make("meanwhile")
        await client.did("connect")
        assert await client.event("all") == ("ADDED", "meanwhile")


async def test_the_hooks(bundle: Path, control_plane: ControlPlane, namespace: str):
    async with gateway(control_plane.kubeconfig) as running, page(bundle, running.gateway.url) as client:
        maps = Maps(running, namespace)
        watch = await maps.watch()
        url = f"{watch['path']}?{watch['query']}"
        client.do("hook", id="multiplexed", cluster="testbed", url=url)
        client.do("watch", id="direct", cluster="testbed", url=url)
        await maps.make("one")
        heard = [await client.says() for _ in range(2)]
        assert sorted(one["id"] for one in heard) == ["direct", "multiplexed"]
        assert all(one["event"]["object"]["metadata"]["name"] == "one" for one in heard)


async def test_terminals_and_logs(bundle: Path, control_plane: ControlPlane, namespace: str):
    pod = await running_pod(control_plane, namespace)
    channels = [f"v{version}.channel.k8s.io" for version in (4, 3, 2)] + ["channel.k8s.io"]
    async with gateway(control_plane.kubeconfig) as running, page(bundle, running.gateway.url) as client:
        url = f"{pod}/exec?container=main&command=cat&stdin=1&stdout=1&stderr=1&tty=0"
        await client.did("stream", id="exec", cluster="testbed", url=url, protocols=channels)
        client.do("type", id="exec", bytes=[0, *EVERY])
        found: list[int] = []
        while len(found) < len(EVERY):
            said = await client.says()
            if said.get("done") == "type":
                assert said["protocol"] == "v4.channel.k8s.io"
            else:
                assert said["bytes"][0] == 1
                found += said["bytes"][1:]
        assert bytes(found) == EVERY
        client.do("cancel", id="exec")

        await client.did("stream", id="log", cluster="testbed", url=f"{pod}/log?container=main&tailLines=1&follow=true")
        text = ""
        while not text.endswith("\n"):
            from base64 import b64decode

            text += b64decode((await client.says())["text"]).decode()
        assert text == "line 2\n"


async def test_requests(bundle: Path, control_plane: ControlPlane, namespace: str):
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    post = {"method": "POST", "headers": {"Content-Type": "application/json"}}
    there = gateway(control_plane.kubeconfig, write=False, base="/user/me")
    async with there as running, page(bundle, running.gateway.url, "/user/me") as client:
        client.do("request", id=1, cluster="testbed", path=path)
        assert (await client.says())["body"]["kind"] == "ConfigMapList"
        client.do("fetch", id=2, cluster="testbed", path=path, init={})
        assert (await client.says())["body"]["kind"] == "ConfigMapList"
        client.do("request", id=3, cluster="testbed", path=path, init={**post, "body": "{}"})
        said = await client.says()
        assert (said["status"], "started to look only" in said["error"]) == (403, True)
        client.do("request", id=4, path="/config")
        assert [one["name"] for one in (await client.says())["body"]["clusters"]] == ["testbed"]
    async with gateway(control_plane.kubeconfig) as running, page(bundle, running.gateway.url) as client:
        body = json.dumps({"metadata": {"name": "made"}})
        client.do("request", id=5, cluster="testbed", path=path, init={**post, "body": body})
        assert (await client.says())["body"]["metadata"]["name"] == "made"
