"""The gateway's upstream half on a real API server: lists, watches, and everything that breaks them."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from notebook_mux.errors import LoginRequired, Unreachable
from notebook_mux.gateway import watching
from notebook_mux.gateway.cluster import Cluster
from notebook_mux.gateway.kubeconfig import load
from notebook_mux.gateway.upstream import Upstream
from notebook_mux.kube.discovery import discover
from notebook_mux.wire.frames import Record, decode_records
from tests.testbed.control_plane import ControlPlane
from tests.unit.gateway.model_server import Mirror

JSON = {"Content-Type": "application/json"}
SECONDS = 60.0


@contextlib.asynccontextmanager
async def cluster_of(kubeconfig: Path) -> AsyncIterator[Cluster]:
    [context] = await asyncio.to_thread(load, [kubeconfig], None, {})
    cluster = Cluster(context)
    try:
        yield cluster
    finally:
        await cluster.aclose()


@contextlib.asynccontextmanager
async def watched(
    cluster: Cluster, path: str, query: str = "", **options: Any
) -> AsyncIterator[tuple[Upstream, Mirror]]:
    upstream = Upstream(cluster, path, query, **options)
    mirror = Mirror(upstream)
    upstream.subscribe(mirror)
    try:
        yield upstream, mirror
    finally:
        await upstream.aclose()


async def until(what: Callable[[], bool], seconds: float = SECONDS) -> None:
    async with asyncio.timeout(seconds):
        while not what():
            await asyncio.sleep(0.02)


def seen(mirror: Mirror) -> list[tuple[str, bool]]:
    """What was told, without the object that a controller makes in each namespace at its own time."""
    return [(name, deleted) for _, name, deleted in mirror.seen if name != "kube-root-ca.crt"]


async def listed(cluster: Cluster, path: str, query: str = "") -> dict[str, tuple[str, str]]:
    answer = await cluster.request("GET", path, query)
    assert answer.status == 200, answer.said
    found = [item["metadata"] for item in json.loads(answer.body)["items"]]
    return {meta["uid"]: (meta["name"], meta["resourceVersion"]) for meta in found}


async def settles(upstream: Upstream, mirror: Mirror, cluster: Cluster, query: str = "") -> None:
    """The reader has what a fresh list has: now, or as soon as what is under way has come."""
    async with asyncio.timeout(SECONDS):
        while not upstream.is_synced or mirror.listed() != await listed(cluster, upstream.key[1], query):
            await asyncio.sleep(0.1)
    kept = {}
    for encoded in upstream.records.values():
        [(_, _, record)] = decode_records(encoded)
        assert isinstance(record, Record)
        kept[record.uid] = (record.name, record.version)
    assert kept == mirror.listed()


async def put(cluster: Cluster, namespace: str, name: str, **data: str) -> None:
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    body = json.dumps({"metadata": {"name": name, "labels": {"app": "web"}}, "data": data})
    answer = await cluster.request("POST", path, headers=JSON, body=body)
    if answer.status == 409:
        merge = {"Content-Type": "application/merge-patch+json"}
        answer = await cluster.request("PATCH", f"{path}/{name}", headers=merge, body=json.dumps({"data": data}))
    assert answer.status in (200, 201), answer.said


async def test_list_watch_and_printed_cells(control_plane: ControlPlane, namespace: str):
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    async with cluster_of(control_plane.kubeconfig) as cluster:
        assert (await cluster.probe())["version"].startswith("v1.")
        await put(cluster, namespace, "before", a="b")
        async with watched(cluster, path) as (upstream, mirror):
            await until(lambda: upstream.is_synced)
            assert [column["name"] for column in upstream.columns] == ["Name", "Data", "Age"]
            await put(cluster, namespace, "during", a="b", c="d")
            await put(cluster, namespace, "before", a="changed")
            assert (await cluster.request("DELETE", f"{path}/during")).status == 200
            await until(lambda: any(deleted for _, _, deleted in mirror.seen))
            assert seen(mirror) == [("during", False), ("before", False), ("during", True)]
            before = next(record for record in mirror.held.values() if record.name == "before")
            assert json.loads(before.cells)[:2] == ["before", 1]
            content = json.loads(before.object)
            assert content["data"] == {"a": "changed"}
            assert (content["kind"], content["metadata"]["uid"]) == ("ConfigMap", before.uid)
            await settles(upstream, mirror, cluster)
            assert upstream.state.state == "live"


async def test_selectors_and_stopping_to_match(control_plane: ControlPlane, namespace: str):
    path, query = f"/api/v1/namespaces/{namespace}/configmaps", "labelSelector=app%3Dweb"
    async with cluster_of(control_plane.kubeconfig) as cluster:
        await put(cluster, namespace, "one")
        async with watched(cluster, path, query) as (upstream, mirror):
            await until(lambda: upstream.is_synced)
            assert [record.name for record in mirror.held.values()] == ["one"]
            control_plane.kubectl("-n", namespace, "label", "configmap", "one", "app-")
            await until(lambda: seen(mirror) == [("one", True)])
            await settles(upstream, mirror, cluster, query)
        async with watched(cluster, path, "fieldSelector=spec.no%3Dx") as (upstream, _):
            await until(lambda: upstream.state.state == "invalid")
            assert "field selector" in (upstream.state.said or "")
            assert upstream.state.retry_at is None


async def test_a_large_list_comes_compressed(control_plane: ControlPlane, namespace: str):
    async with cluster_of(control_plane.kubeconfig) as cluster:
        for number in range(4):
            await put(cluster, namespace, f"large-{number}", a="x" * 100_000)
        then = (await cluster.request("GET", f"/api/v1/namespaces/{namespace}/configmaps", "limit=1")).body
        version = json.loads(then)["metadata"]["resourceVersion"]
        await put(cluster, namespace, "later")
        # A resumed version is listed, not watched, and lists are compressed from 128 KiB on.
        path = f"/api/v1/namespaces/{namespace}/configmaps"
        async with watched(cluster, path, resume_version=version) as (upstream, mirror):
            await until(lambda: seen(mirror) == [("later", False)])
            assert upstream.start_version == version
            await settles(upstream, mirror, cluster)


async def test_a_kind_that_appears_later(control_plane: ControlPlane):
    crd = {
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "boats.test.example"},
        "spec": {
            "group": "test.example", "scope": "Cluster", "names": {"plural": "boats", "kind": "Boat"},
            "versions": [{
                "name": "v1", "served": True, "storage": True,
                "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
                "additionalPrinterColumns": [{"name": "Sails", "type": "integer", "jsonPath": ".sails"}],
            }],
        },
    }  # fmt: skip
    path = "/apis/test.example/v1/boats"
    async with cluster_of(control_plane.kubeconfig) as cluster, watched(cluster, path) as (upstream, mirror):
        await until(lambda: upstream.state.state == "missing")
        assert upstream.state.code == 404
        control_plane.kubectl("create", "-f", "-", input=json.dumps(crd))
        try:
            await until(lambda: upstream.state.state == "live")
            assert [column["name"] for column in upstream.columns] == ["Name", "Sails"]
            await asyncio.to_thread(control_plane.established, "boats.test.example")
            boat = {"apiVersion": "test.example/v1", "kind": "Boat", "metadata": {"name": "a"}, "sails": 3}
            await asyncio.to_thread(control_plane.kubectl, "create", "-f", "-", input=json.dumps(boat))
            await until(lambda: mirror.number >= 1)
            assert [json.loads(record.cells) for record in mirror.held.values()] == [["a", 3]]
            kinds = await discover(cluster, refresh=True)
            assert any((kind.name, kind.group) == ("boats", "test.example") for kind in kinds)
        finally:
            await asyncio.to_thread(control_plane.kubectl, "delete", "crd", "boats.test.example")
        await until(lambda: upstream.state.state == "missing")
        assert not mirror.held


async def test_discovery_is_what_kubectl_shows(control_plane: ControlPlane):
    async with cluster_of(control_plane.kubeconfig) as cluster:
        async with asyncio.timeout(SECONDS):  # until the kinds of other tests are gone
            while True:
                found = await discover(cluster, refresh=True)
                words = await asyncio.to_thread(control_plane.kubectl, "api-resources", "--no-headers", "-o", "name")
                ours = {f"{kind.name}.{kind.group}".rstrip(".") for kind in found if kind.preferred}
                if await discover(cluster, refresh=True) == found:
                    break
        assert ours == set(words.split())
        pods = next(kind for kind in found if kind.name == "pods")
        assert (pods.singular, pods.kind, pods.short_names, pods.categories) == ("pod", "Pod", ["po"], ["all"])
        assert pods.namespaced
        assert "watch" in pods.verbs


async def test_who_may_not(control_plane: ControlPlane, namespace: str, tmp_path: Path):
    token = await asyncio.to_thread(control_plane.token, "default", namespace)
    path = control_plane.write_kubeconfig(tmp_path / "plain", token=token)
    async with cluster_of(path) as cluster:
        await cluster.probe()
        async with watched(cluster, "/api/v1/secrets") as (upstream, _):
            await until(lambda: upstream.state.state == "forbidden")
            assert "cannot" in (upstream.state.said or "")
            assert "at the cluster scope" in (upstream.state.said or "")
            assert upstream.state.retry_at is not None
    path = control_plane.write_kubeconfig(tmp_path / "bad", token="no-such-token")
    async with cluster_of(path) as cluster:
        with pytest.raises(LoginRequired) as caught:
            await cluster.probe()
        assert "no-such-token" not in str(caught.value)
        async with watched(cluster, "/api/v1/pods") as (upstream, _):
            await until(lambda: upstream.state.state == "login")
            assert upstream.state.said == "Unauthorized"


async def test_impersonation(control_plane: ControlPlane, tmp_path: Path):
    fields = json.loads(control_plane.kubeconfig.read_text())
    [user] = fields["users"]
    user["user"] |= {
        "as": "jane",
        "as-groups": ["sailors", "cooks"],
        "as-uid": "7",
        "as-user-extra": {"on/board": ["yes"]},
    }
    path = tmp_path / "as"
    path.write_text(json.dumps(fields))
    async with cluster_of(path) as cluster:
        body = json.dumps({"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"})
        answer = await cluster.request(
            "POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", headers=JSON, body=body
        )
        who = json.loads(answer.body)["status"]["userInfo"]
        assert (who["username"], who["uid"], who["extra"]) == ("jane", "7", {"on/board": ["yes"]})
        assert {"sailors", "cooks"} <= set(who["groups"])


BREAKABLE = ("--etcd-compaction-interval=10s", "--min-request-timeout=5")


async def test_the_api_server_dies_and_comes_back(control_plane_with: Callable[..., ControlPlane]):
    plane = control_plane_with(*BREAKABLE)
    async with (
        cluster_of(plane.kubeconfig) as cluster,
        watched(cluster, "/api/v1/namespaces/default/configmaps") as (upstream, mirror),
        watched(cluster, "/api/v1/pods") as (pods, _),
    ):
        await until(lambda: upstream.is_synced and pods.is_synced)
        await put(cluster, "default", "before")
        await until(lambda: ("before", False) in seen(mirror))
        incarnation = upstream.incarnation
        await asyncio.to_thread(plane.kill, "apiserver")
        await until(lambda: upstream.state.state == "unreachable" and "refused" in (upstream.state.said or ""))
        assert upstream.state.retry_at is not None
        await until(lambda: pods.state.state == "unreachable")
        with pytest.raises(Unreachable):
            await cluster.probe()
        assert mirror.held, "what was there is shown on"
        plane.start("apiserver")  # not in a thread: what a thread started dies with it (PR_SET_PDEATHSIG)
        await put(cluster, "default", "before", a="changed")
        await put(cluster, "default", "after")
        upstream.retry()
        await until(lambda: upstream.state.state == "live" and pods.state.state == "live")
        await put(cluster, "default", "last")
        await until(lambda: any(name == "last" for _, name, _ in mirror.seen))
        await settles(upstream, mirror, cluster)
        assert upstream.incarnation == incarnation


async def test_the_api_server_stalls(control_plane_with: Callable[..., ControlPlane], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(watching, "TICK_SECONDS", 0.2)
    monkeypatch.setattr(watching, "QUIET_SECONDS", 0.5)
    monkeypatch.setattr("notebook_mux.gateway.cluster.ALIVE_SECONDS", 1.0)
    plane = control_plane_with(*BREAKABLE)
    async with (
        cluster_of(plane.kubeconfig) as cluster,
        watched(cluster, "/api/v1/namespaces/default/configmaps") as (upstream, mirror),
    ):
        await until(lambda: upstream.is_synced)
        plane.stop("apiserver")
        try:
            await until(lambda: upstream.state.state == "stale")
            assert "no sign of life" in upstream.state.reason
        finally:
            plane.cont("apiserver")
        upstream.retry()
        await until(lambda: upstream.state.state == "live")
        await put(cluster, "default", "awake")
        await until(lambda: any(name == "awake" for _, name, _ in mirror.seen))
        await settles(upstream, mirror, cluster)


async def test_an_expired_version(control_plane_with: Callable[..., ControlPlane]):
    plane = control_plane_with(*BREAKABLE)
    path = "/api/v1/namespaces/default/configmaps"
    async with cluster_of(plane.kubeconfig) as cluster:
        await put(cluster, "default", "gone")
        async with watched(cluster, path) as (upstream, mirror):
            await until(lambda: upstream.is_synced)
            held = set(mirror.held)
            await asyncio.to_thread(plane.kill, "apiserver")
            await until(lambda: upstream.state.state == "unreachable")
            # A server that has just started has no history: what was long ago is too old for it.
            upstream._reflector.version = "1"
            plane.start("apiserver")
            await cluster.request("DELETE", f"{path}/gone")
            await put(cluster, "default", "fresh")
            upstream.retry()
            await until(lambda: any(entry[0] == "relisted" for entry in mirror.log))
            assert upstream.relists == 1
            await settles(upstream, mirror, cluster)
            assert held - set(mirror.held)
            assert "fresh" in {record.name for record in mirror.held.values()}


async def test_a_server_without_watch_list(control_plane_with: Callable[..., ControlPlane]):
    plane = control_plane_with("--feature-gates=WatchList=false")
    path = "/api/v1/namespaces/default/configmaps"
    async with cluster_of(plane.kubeconfig) as cluster, watched(cluster, path) as (upstream, mirror):
        await until(lambda: upstream.is_synced)
        assert upstream.state.state == "live"
        assert [column["name"] for column in upstream.columns] == ["Name", "Data", "Age"]
        await put(cluster, "default", "new")
        await until(lambda: seen(mirror) == [("new", False)])
        await settles(upstream, mirror, cluster)
        assert upstream.relists == 0
