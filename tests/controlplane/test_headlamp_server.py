"""Headlamp's dialect of our gateway before a real API server."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from notebook_mux.gateway.headlamp import multiplexer
from notebook_mux.wire import headlamp as wire
from tests.controlplane.headlamp import Maps, gateway, running_pod
from tests.controlplane.test_whole_way import eventually, may
from tests.testbed.control_plane import ControlPlane
from tests.unit.gateway.headlamp.api import TOKEN, Client

EVERY = bytes(range(256))


async def event(client: Client, **fields: Any) -> tuple[str, str]:
    found = await client.hears(wire.DATA, **fields)
    return found["type"], found["object"]["metadata"]["name"]


async def test_what_is_written_is_seen(control_plane: ControlPlane, namespace: str):
    async with gateway(control_plane.kubeconfig) as running, running.client() as client, running.client() as other:
        maps = Maps(running, namespace)
        watch = await maps.watch()
        await client.subscribe(**watch)
        await other.subscribe(**watch)
        await maps.make("one", text="é😀 <&> \u2028")
        await maps.ask("PATCH", "/one", {"data": {"text": "two"}}, "application/merge-patch+json")
        await maps.ask("DELETE", "/one")
        for who in (client, other):
            first = await who.hears(wire.DATA, user_id="u1", query=watch["query"])
            assert first["object"]["data"]["text"] == "é😀 <&> \u2028"
            assert [await event(who) for _ in range(2)] == [("MODIFIED", "one"), ("DELETED", "one")]
        await other.say(wire.CLOSE, **watch)
        assert (await other.hears(wire.STATUS))["state"] == "closed"
        await maps.make("two")
        assert await event(client) == ("ADDED", "two")


async def test_two_queries_of_one_path_and_user(control_plane: ControlPlane, namespace: str):
    async with gateway(control_plane.kubeconfig) as running, running.client() as client:
        maps = Maps(running, namespace)
        watch = await maps.watch()
        queries = [f"{watch['query']}&labelSelector=app%3D{app}" for app in "ab"]
        for query in queries:
            await client.subscribe(**watch | {"query": query})
        for app in "ab":
            await maps.ask("POST", body={"metadata": {"name": app, "labels": {"app": app}}})
        for app, query in zip("ab", queries, strict=True):
            assert await event(client, query=query) == ("ADDED", app)


async def test_an_end_is_told(control_plane: ControlPlane, namespace: str):
    async with gateway(control_plane.kubeconfig) as running, running.client() as client:
        watch = await Maps(running, namespace).watch()
        ending = watch | {"query": f"{watch['query']}&timeoutSeconds=1"}
        for _ in range(2):
            await client.subscribe(**ending)
            await client.hears(wire.COMPLETE, query=ending["query"])
            assert (await client.hears(wire.STATUS))["state"] == "closed"


async def test_errors_have_the_servers_words(control_plane: ControlPlane, namespace: str, tmp_path: Path):
    plane = control_plane
    viewer = plane.write_kubeconfig(tmp_path / "viewer", "viewer", token=plane.token("default", namespace))
    async with gateway(viewer) as running, running.client() as client:
        path = f"/api/v1/namespaces/{namespace}/configmaps"
        await client.say(cluster="testbed", path=path)
        assert (await client.hears(wire.STATUS))["code"] == 403
        error = await client.hears(wire.ERROR)
        assert f'cannot watch resource "configmaps" in API group "" in the namespace "{namespace}"' in error["error"]
        async with running.get(f"/clusters/testbed{path}") as response:
            assert (response.status, (await response.json())["reason"]) == (403, "Forbidden")
    async with gateway(plane.kubeconfig) as running, running.client() as client:
        for path, query, code in (
            ("/api/v1/nonsense", "watch=1", 404),
            ("/api/v1/pods", "watch=1&resourceVersion=abc", 500),
            ("/api/v1/pods", "watch=1&labelSelector=%3D%3D", 400),
        ):
            await client.say(cluster="testbed", path=path, query=query)
            await client.hears(wire.STATUS)
            assert (await client.hears(wire.ERROR))["code"] == code


async def test_a_tokens_cookie_is_who_asks(control_plane: ControlPlane, namespace: str, tmp_path: Path):
    plane = control_plane
    plane.kubectl("create", "rolebinding", "see", "-n", namespace, "--clusterrole=view",
                  f"--serviceaccount={namespace}:default")  # fmt: skip
    asked = {"verb": "list", "resource": "configmaps", "namespace": namespace}
    eventually(lambda: may(plane, f"system:serviceaccount:{namespace}:default", **asked), "the binding is known")
    nobody = plane.write_kubeconfig(tmp_path / "nobody", "nobody", username="")
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    async with gateway(nobody) as running, running.http() as http:
        async with running.get(f"/clusters/testbed{path}") as response:
            assert response.status in (401, 403)
        token = plane.token("default", namespace)
        response = await http.post(running.url("/clusters/testbed/set-token"), json={"token": token})
        cookies = [value.partition(";")[0] for value in response.headers.getall("Set-Cookie")]
        paths = [value.split("; ")[1] for value in response.headers.getall("Set-Cookie")]
        assert paths == ["Path=/clusters/testbed", "Path=/wsMultiplexer"]
        async with (
            running.http(Cookie=cookies[0]) as known,
            known.get(running.url(f"/clusters/testbed{path}")) as response,
        ):
            assert response.status == 200
        headers = {"X-HEADLAMP_BACKEND-TOKEN": TOKEN, "Cookie": cookies[0]}
        async with running.client(additional_headers=headers) as client:
            await client.subscribe(cluster="testbed", path=path)


@pytest.fixture
async def pod(control_plane: ControlPlane, namespace: str) -> str:
    """The path of a pod that runs."""
    return await running_pod(control_plane, namespace)


CAT = "exec?container=main&command=cat&stdin=1&stdout=1&stderr=1"


async def output(socket: Any, channel: int = 1) -> bytes:
    """All of a channel until the end."""
    found = b""
    with contextlib.suppress(ConnectionClosed):
        while True:
            frame = await socket.recv()
            found += frame[1:] if frame[0] == channel else b""
    return found


async def test_exec_carries_every_byte(control_plane: ControlPlane, pod: str):
    async with gateway(control_plane.kubeconfig) as running:
        url = f"/clusters/testbed{pod}/{CAT}"
        async with running.socket(url, subprotocols=["v5.channel.k8s.io"]) as socket:
            assert socket.subprotocol == "v5.channel.k8s.io"
            for _ in range(4):
                await socket.send(b"\0" + EVERY * 100)
            await socket.send(b"\xff\0")
            assert await output(socket) == EVERY * 400
            assert socket.close_code == 1000
        offered = ["base64.binary.k8s.io", "v4.channel.k8s.io", "v3.channel.k8s.io", "v2.channel.k8s.io"]
        async with running.socket(url.replace("command=cat", "command=false"), subprotocols=offered) as socket:
            assert socket.subprotocol == "v4.channel.k8s.io"
            status = json.loads(await output(socket, 3))
            assert status["details"]["causes"] == [{"reason": "ExitCode", "message": "1"}]
        with pytest.raises(InvalidStatus) as caught:
            await running.socket(url.replace("=main", "=none"), subprotocols=["v5.channel.k8s.io"]).__aenter__()
        assert b"none is not valid for pod web" in caught.value.response.body
        assert caught.value.response.status_code == 400


async def test_exec_through_the_multiplexer(control_plane: ControlPlane, pod: str):
    async with gateway(control_plane.kubeconfig) as running, running.client() as client:
        path, query = f"{pod}/exec", CAT.partition("?")[2]
        await client.subscribe(cluster="testbed", path=path, query=query, data="\0hello é\n")
        found = b""
        while "\n" not in found.decode():
            answer = await client.told()
            assert (answer.type, answer.binary) == (wire.DATA, True)
            found += answer.payload().removeprefix(b"\1")
        assert found == "hello é\n".encode()


async def test_logs_both_ways(control_plane: ControlPlane, pod: str):
    async with gateway(control_plane.kubeconfig, write=False) as running, running.client() as client:
        path, query = f"{pod}/log", "container=main&tailLines=2&follow=true"
        await client.subscribe(cluster="testbed", path=path, query=query)
        found = b""
        while b"line 2\n" not in found:
            found += (await client.told()).payload()
        assert found == b"line 1\nline 2\n"
        await client.say(wire.CLOSE, cluster="testbed", path=path, query=query)
        assert (await client.hears(wire.STATUS))["state"] == "closed"
        from base64 import b64decode

        url = f"/clusters/testbed{path}?container=main&tailLines=1"
        async with running.socket(url, subprotocols=["base64.binary.k8s.io"]) as socket:
            text = ""
            with contextlib.suppress(ConnectionClosed):
                while True:
                    text += b64decode(await socket.recv()).decode()
            assert text == "line 2\n"


async def test_a_watch_as_a_direct_socket(control_plane: ControlPlane, namespace: str):
    async with gateway(control_plane.kubeconfig) as running:
        maps = Maps(running, namespace)
        watch = await maps.watch()
        url = f"/clusters/testbed{watch['path']}?{watch['query']}"
        async with running.socket(url, subprotocols=["base64.binary.k8s.io"]) as socket:
            await maps.make("one")
            assert json.loads(await socket.recv())["object"]["metadata"]["name"] == "one"


async def test_without_write_nothing_changes(control_plane: ControlPlane, pod: str, namespace: str):
    async with gateway(control_plane.kubeconfig, write=False) as running, running.http() as http:
        for method, path in (
            ("DELETE", pod), ("PATCH", pod), ("POST", f"/api/v1/namespaces/{namespace}/pods"),
            ("POST", f"{pod}/eviction"), ("GET", f"{pod}/exec"), ("GET", f"{pod}/attach"),
            ("GET", f"{pod}/portforward"), ("GET", f"{pod}/proxy/"),
        ):  # fmt: skip
            async with http.request(method, running.url(f"/clusters/testbed{path}"), json={}) as response:
                status = await response.json()
                assert (status["kind"], status["code"], "--write" in status["message"]) == ("Status", 403, True)
        review = {"kind": "SelfSubjectAccessReview", "apiVersion": "authorization.k8s.io/v1",
                  "spec": {"resourceAttributes": {"verb": "list", "resource": "pods"}}}  # fmt: skip
        url = running.url("/clusters/testbed/apis/authorization.k8s.io/v1/selfsubjectaccessreviews")
        async with http.post(url, json=review) as response:
            assert (await response.json())["status"]["allowed"] is True


@pytest.fixture
def own(control_plane_with: Callable[..., ControlPlane]) -> ControlPlane:
    """One to break. Started here, for its parts end with the thread that started them."""
    return control_plane_with("--v=1")


async def test_a_server_that_falls_silent_is_noticed(own: ControlPlane, monkeypatch):
    monkeypatch.setattr(multiplexer, "QUIET_SECONDS", 0.5)
    monkeypatch.setattr(multiplexer, "TICK_SECONDS", 0.2)
    monkeypatch.setattr("notebook_mux.gateway.cluster.ALIVE_SECONDS", 0.5)
    plane = own
    async with gateway(plane.kubeconfig) as running, running.client() as client:
        watch = await Maps(running, "default").watch()
        await client.subscribe(**watch)
        plane.stop("apiserver")
        try:
            while (found := await client.told()).type != wire.STATUS:
                pass
        finally:
            plane.cont("apiserver")
        status = json.loads(found.data)
        assert (status["state"], status["code"]) == ("closed", 504)
        assert "no sign of life" in status["error"]
        await client.subscribe(**watch)


async def test_a_server_that_dies_and_comes_back(own: ControlPlane):
    plane = own
    async with gateway(plane.kubeconfig) as running, running.client() as client:
        maps = Maps(running, "default")
        watch = await maps.watch()
        await client.subscribe(**watch)
        plane.kill("apiserver")
        while True:  # a server that is killed may have said its goodbye to this watch
            found = await client.told()
            if found.type == wire.STATUS:
                break
        assert json.loads(found.data)["state"] == "closed"
        await client.say(**watch)
        assert (await client.hears(wire.STATUS))["state"] == "error"
        assert "no connection to" in (await client.hears(wire.ERROR))["error"]
        plane.start("apiserver")
        # A client lists again: a new API server's cache begins now, and what is older may be expired (410) or not.
        await client.subscribe(**await maps.watch())
        await maps.make("after")
        while await event(client) != ("ADDED", "after"):
            pass
