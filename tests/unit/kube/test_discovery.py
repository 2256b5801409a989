from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from notebook_mux.errors import Forbidden, ServerError, Unreachable
from notebook_mux.kube import discovery
from notebook_mux.kube.answers import Answer
from notebook_mux.kube.discovery import discover

AGGREGATED = {"content-type": "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList", "etag": '"1"'}


def served(resource: str, kind: str, **more: Any) -> dict[str, Any]:
    return {"resource": resource, "responseKind": {"kind": kind}, "scope": "Namespaced", "verbs": ["list"], **more}


CORE = {"items": [{"metadata": {}, "versions": [{"version": "v1", "resources": [
    served("pods", "Pod", singularResource="pod", shortNames=["po"], categories=["all"],
           subresources=[{"subresource": "log"}]),
    served("nodes", "Node", scope="Cluster"),
]}]}]}  # fmt: skip
GROUPS = {"items": [{"metadata": {"name": "autoscaling"}, "versions": [
    {"version": "v2", "resources": [served("horizontalpodautoscalers", "HorizontalPodAutoscaler")]},
    {"version": "v1", "resources": [served("horizontalpodautoscalers", "HorizontalPodAutoscaler")]},
]}, {"metadata": {"name": "away"}, "versions": [{"version": "v1", "freshness": "Stale"}]}]}  # fmt: skip


class FakeCluster:
    name = "prod"

    def __init__(self, answers: dict[str, Answer | Exception]) -> None:
        self.answers = answers
        self.asked: list[tuple[str, str]] = []

    async def request(self, method: str, path: str, query: str = "", *, headers: dict[str, str], **_: Any) -> Answer:
        await asyncio.sleep(0)
        self.asked.append((path, headers.get("If-None-Match", "")))
        answer = self.answers.get(path, Answer(404, {}, b""))
        if isinstance(answer, Exception):
            raise answer
        if headers.get("If-None-Match") and headers["If-None-Match"] == answer.headers.get("etag"):
            return Answer(304, answer.headers, b"")
        return answer


def json_answer(body: Any, headers: dict[str, str] | None = None) -> Answer:
    return Answer(200, headers or {}, json.dumps(body).encode())


async def test_aggregated():
    cluster = FakeCluster({"/api": json_answer(CORE, AGGREGATED), "/apis": json_answer(GROUPS, AGGREGATED)})
    first, second = await asyncio.gather(discover(cluster), discover(cluster))  # type: ignore[arg-type]
    assert first is second
    assert [path for path, _ in cluster.asked] == ["/api", "/apis"]
    pods, nodes, v2, v1 = first
    assert (pods.name, pods.singular, pods.kind, pods.group, pods.version) == ("pods", "pod", "Pod", "", "v1")
    assert (pods.short_names, pods.categories, pods.verbs, pods.namespaced) == (["po"], ["all"], ["list"], True)
    assert (nodes.singular, nodes.namespaced) == ("node", False)
    assert [(one.group, one.version, one.preferred) for one in (v2, v1)] == [
        ("autoscaling", "v2", True), ("autoscaling", "v1", False),
    ]  # fmt: skip
    assert await discover(cluster, refresh=True) == first  # type: ignore[arg-type]
    assert cluster.asked[2:] == [("/api", '"1"'), ("/apis", '"1"')]


async def test_it_is_asked_again_after_a_while(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(discovery, "FRESH_SECONDS", 0.0)
    cluster = FakeCluster({"/api": json_answer(CORE, AGGREGATED), "/apis": json_answer({}, AGGREGATED)})
    await discover(cluster)  # type: ignore[arg-type]
    await discover(cluster)  # type: ignore[arg-type]
    assert len(cluster.asked) == 4


async def test_the_old_form():
    resources = {"resources": [
        {"name": "pods", "singularName": "", "kind": "Pod", "namespaced": True, "verbs": ["get"], "shortNames": ["po"]},
        {"name": "pods/log", "kind": "Pod", "namespaced": True, "verbs": ["get"]},
    ]}  # fmt: skip
    group = {
        "name": "g",
        "versions": [{"version": "v1beta1"}, {"version": "v1"}],
        "preferredVersion": {"version": "v1"},
    }
    things = {
        "resources": [{"name": "things", "singularName": "thing", "kind": "Thing", "namespaced": False, "verbs": []}]
    }
    cluster = FakeCluster({
        "/api": json_answer({"kind": "APIVersions", "versions": ["v1"]}),
        "/apis": json_answer({"kind": "APIGroupList", "groups": [group, {**group, "name": "away"}]}),
        "/api/v1": json_answer(resources), "/apis/g/v1": json_answer(things), "/apis/g/v1beta1": json_answer(things),
        "/apis/away/v1": Unreachable("away"), "/apis/away/v1beta1": json_answer([]),
    })  # fmt: skip
    found = await discover(cluster)  # type: ignore[arg-type]
    assert [(one.name, one.group, one.version, one.preferred) for one in found] == [
        ("pods", "", "v1", True), ("things", "g", "v1", True), ("things", "g", "v1beta1", False),
    ]  # fmt: skip
    assert (found[0].singular, found[0].short_names) == ("pod", ["po"])


async def test_failures():
    with pytest.raises(Forbidden):
        await discover(FakeCluster({"/api": Answer(403, {}, b"")}))  # type: ignore[arg-type]
    with pytest.raises(Unreachable):
        await discover(FakeCluster({"/api": Unreachable("no")}))  # type: ignore[arg-type]
    with pytest.raises(ServerError, match="cannot be understood"):
        await discover(FakeCluster({"/api": Answer(200, {}, b'{"x":' + b"[" * 100_000)}))  # type: ignore[arg-type]
    with pytest.raises(ServerError, match="cannot be understood"):
        await discover(FakeCluster({"/api": json_answer(["?"])}))  # type: ignore[arg-type]
    only_core = FakeCluster({"/api": json_answer(CORE, AGGREGATED)})
    assert len(await discover(only_core)) == 2  # type: ignore[arg-type]
