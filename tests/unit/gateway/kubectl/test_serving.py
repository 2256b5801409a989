"""kubectl's API server on the gateway, with a playground behind it."""

from __future__ import annotations

import asyncio
import io
import json
import ssl
from collections.abc import Iterator
from typing import Any

import aiohttp
import pytest

from notebook_mux.gateway.kubectl import grants
from notebook_mux.playground.scenarios import Settings
from notebook_mux.wire import messages
from tests.playground import RunningPlayground, start_playground  # noqa: F401 - a fixture
from tests.unit.gateway.kubectl.served import KEY, SCOPE, running
from tests.waiting import until

CONFIGMAP = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"a": "b"}}
CONFIGMAPS = "/api/v1/namespaces/default/configmaps"


@pytest.fixture(scope="module")
def look(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPlayground]:
    started = RunningPlayground(tmp_path_factory.mktemp("playground"), "first-look", settings=Settings(still=True))
    yield started
    started.close()


@pytest.fixture(autouse=True)
def _clean(look: RunningPlayground) -> None:
    look.clear()


async def answer(asking: Any) -> tuple[int, Any]:
    async with asking as response:
        text = await response.text()
        return response.status, json.loads(text) if "json" in response.headers.get("Content-Type", "") else text


def pod_of(look: RunningPlayground, prefix: str) -> str:
    return str(next(pod["metadata"]["name"] for pod in look.list("pods", "default")
                    if pod["metadata"]["name"].startswith(prefix)))  # fmt: skip


async def test_the_kubeconfig(look):
    async with running(look) as gateway, gateway.client() as kernel:
        served = await gateway.served(kernel, names=["prod", "arn:aws:eks:eu-1:1:cluster/x", "prod "])
        config = served.config
        assert config["current-context"] == "prod"
        assert [one["name"] for one in config["contexts"]] == ["prod", "arn:aws:eks:eu-1:1:cluster/x", "prod "]
        assert {one["context"]["namespace"] for one in config["contexts"]} == {"lab"}
        paths = [one["cluster"]["server"].partition("/clusters/")[2] for one in config["clusters"]]
        assert paths == ["prod", "arn-aws-eks-eu-1-1-cluster-x", "prod-"]
        assert all(one["cluster"]["server"].startswith("https://127.0.0.1:") for one in config["clusters"])
        again = await gateway.served(kernel, names=["prod"])
        assert again.token == served.token
        other = await gateway.served(kernel, key="o" * 40)
        assert other.token != served.token


async def test_reading_without_the_right_to_write(look):
    async with running(look) as gateway, gateway.client() as kernel:
        served = await gateway.served(kernel)
        status, pods = await answer(served.ask("GET", "/api/v1/namespaces/default/pods?limit=2"))
        assert (status, len(pods["items"])) == (200, 2)
        status, review = await answer(
            served.ask("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", json={
                "apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview",
                "spec": {"resourceAttributes": {"verb": "list", "resource": "pods"}}})
        )  # fmt: skip
        assert (status, review["status"]["allowed"]) == (201, True)
        before = look.requests()
        pod = f"/api/v1/namespaces/default/pods/{pod_of(look, 'web')}"
        for method, path in [
            ("POST", CONFIGMAPS), ("PUT", f"{CONFIGMAPS}/c"), ("PATCH", f"{CONFIGMAPS}/c"), ("DELETE", pod),
            ("POST", f"{CONFIGMAPS}?dryRun=All"), ("POST", f"{pod}/exec?command=ls&stdout=1"),
            ("GET", f"{pod}/exec?command=ls&stdout=1"), ("GET", f"{pod}/portforward"), ("GET", f"{pod}/proxy/"),
        ]:  # fmt: skip
            status, refused = await answer(served.ask(method, path, json=CONFIGMAP if method == "POST" else None))
            assert (status, refused["kind"], refused["reason"]) == (403, "Status", "Forbidden"), (method, path)
            assert refused["message"].endswith(
                "this connection may only look; connect with nm.connect(..., write=True)"
            )
        assert look.requests() == before


async def test_writing(look):
    async with running(look) as gateway, gateway.client(write=True) as kernel:
        served = await gateway.served(kernel)
        status, made = await answer(served.ask("POST", CONFIGMAPS, {"User-Agent": "helm/3"}, json=CONFIGMAP))
        assert status == 201
        assert made["metadata"]["managedFields"][0]["manager"] == "helm"
        big = CONFIGMAP | {"data": {"a": "x" * 900_000}}
        status, _ = await answer(served.ask("PUT", f"{CONFIGMAPS}/c", json=big))
        assert status == 200
        patch = {"Content-Type": "application/merge-patch+json"}
        status, found = await answer(served.ask("PATCH", f"{CONFIGMAPS}/c", patch, data='{"data": {"a": "new"}}'))
        assert (status, found["data"]) == (200, {"a": "new"})
        status, _ = await answer(served.ask("DELETE", f"{CONFIGMAPS}/c"))
        assert status == 200
        status, refused = await answer(served.ask("POST", CONFIGMAPS, data=io.BytesIO(b"x" * (3 * 1024 * 1024 + 1))))
        assert (status, refused["kind"]) == (400, "Status")
        await kernel.client.ask(messages.Scope(id=900, scope=SCOPE, write=[]))
        status, _ = await answer(served.ask("POST", CONFIGMAPS, json=CONFIGMAP))
        assert status == 403, "the scope of now decides"


async def test_answers_pass_as_they_come(look):
    async with running(look) as gateway, gateway.client() as kernel:
        served = await gateway.served(kernel)
        protobuf = {"Accept": "application/vnd.kubernetes.protobuf", "Accept-Encoding": "gzip"}
        async with served.ask("GET", "/api/v1/namespaces", protobuf) as response:
            content = await response.read()
            assert (response.status, content[:4]) == (200, b"k8s\x00")
        async with served.ask("GET", f"{CONFIGMAPS}?watch=1&allowWatchBookmarks=false") as watch:
            await asyncio.to_thread(look.create, CONFIGMAP | {"metadata": {"name": "watched", "namespace": "default"}})
            while (event := json.loads(await watch.content.readline()))["object"]["metadata"]["name"] != "watched":
                pass
            assert event["type"] == "ADDED"
        pod = pod_of(look, "web")
        async with served.ask("GET", f"/api/v1/namespaces/default/pods/{pod}/log?tailLines=2") as log:
            assert len((await log.text()).splitlines()) == 2
        look.refuse(503, times=1, retry_after=1)
        async with served.ask("GET", "/api/v1/namespaces") as response:
            assert (response.status, response.headers["Retry-After"]) == (503, "1")
        await asyncio.to_thread(look.delete, "configmaps", "watched")


async def test_a_program_s_websocket(look):
    async with running(look) as gateway, gateway.client(write=True) as kernel:
        served = await gateway.served(kernel)
        path = f"/api/v1/namespaces/default/pods/{pod_of(look, 'web')}/exec?command=cat&stdin=1&stdout=1"
        context = ssl.create_default_context(cadata=served.authority.decode())
        async with served.http.ws_connect(
            served.server + path, headers={"Authorization": f"Bearer {served.token}"}, ssl=context,
            protocols=["v5.channel.k8s.io"],
        ) as socket:  # fmt: skip
            assert socket.protocol == "v5.channel.k8s.io"
            await socket.send_bytes(b"\x00hello")
            while (message := await socket.receive()).data != b"\x01hello":
                assert message.type is aiohttp.WSMsgType.BINARY
            await socket.send_bytes(b"\xff\x00")
            last = [message.data async for message in socket]
            assert json.loads(last[-1][1:])["status"] == "Success"


async def test_acting_as_another_user(look):
    async with running(look) as gateway, gateway.client(write=True) as kernel:
        served = await gateway.served(kernel)
        acting = {"Impersonate-User": "system:serviceaccount:default:default"}
        status, refused = await answer(served.ask("GET", "/api/v1/namespaces/default/pods", acting))
        assert (status, refused["reason"]) == (403, "Forbidden")
        assert "system:serviceaccount:default:default" in refused["message"], "the cluster has decided"
        await kernel.client.ask(messages.Scope(id=900, scope=SCOPE, write=[]))
        status, refused = await answer(served.ask("GET", "/api/v1/namespaces/default/pods", acting))
        assert status == 403
        assert "may only look" in refused["message"]


async def test_a_client_that_comes_back(look, monkeypatch):
    async with running(look) as gateway:
        async with gateway.client() as kernel:
            served = await gateway.served(kernel)
        await until(lambda: not gateway.shared.sessions)
        waiting = asyncio.create_task(answer(served.ask("GET", "/api/v1/namespaces")))
        async with gateway.client() as kernel:
            again = await gateway.served(kernel)
            assert again.token == served.token
            assert (await waiting)[0] == 200, "it has waited for the client"
            async with served.ask("GET", f"{CONFIGMAPS}?watch=1&resourceVersion={look.revision}") as watch:
                monkeypatch.setattr(grants, "LINGER_SECONDS", 0.0)
                monkeypatch.setattr(grants, "AWAY_SECONDS", 0.1)
                await kernel.client.socket.close()
                with pytest.raises(aiohttp.ClientError):
                    await watch.content.readline()
        status, refused = await answer(served.ask("GET", "/api/v1/namespaces"))
        assert (status, refused["reason"]) == (401, "Unauthorized")
        assert "nm.kubeconfig()" in refused["message"]


async def test_a_client_that_stays_away(look, monkeypatch):
    monkeypatch.setattr(grants, "AWAY_SECONDS", 0.05)
    async with running(look) as gateway:
        async with gateway.client() as kernel:
            served = await gateway.served(kernel)
        status, refused = await answer(served.ask("GET", "/api/v1/namespaces"))
        assert (status, refused["reason"]) == (504, "Timeout")


async def test_what_ends_a_grant(look):
    async with running(look) as gateway, gateway.client() as kernel:
        served = await gateway.served(kernel)
        assert (await kernel.client.ask(messages.Kubeconfig(id=900, key=KEY)))[1] == b""
        assert (await answer(served.ask("GET", "/api/v1/namespaces")))[0] == 401
        assert len(gateway.shared.kubectl.grants) == 0


async def test_where_the_gateway_listens(look):
    """A gateway of several users may be reached from other machines, and so is what it serves to kubectl."""
    async with running(look) as gateway, gateway.client() as kernel:
        gateway.shared.kubectl.host = "127.0.0.2"
        served = await gateway.served(kernel)
        assert served.server.startswith("https://127.0.0.2:")
        assert (await answer(served.ask("GET", "/api/v1/namespaces")))[0] == 200
        assert (await answer(served.ask("GET", "/api/v1/namespaces", {"Host": "127.0.0.1"})))[0] == 403
        gateway.shared.kubectl.most = 0
        status, refused = await answer(served.ask("GET", "/api/v1/namespaces"))
        assert (status, refused["reason"]) == (429, "TooManyRequests")


async def test_bad_questions(look):
    async with running(look) as gateway, gateway.client() as kernel:
        for key, refs in (("short", kernel.refs), (KEY, ["nothing"])):
            kernel.refs = refs
            with pytest.raises(AssertionError, match="Failure"):
                await kernel.kubeconfig(key=key)
