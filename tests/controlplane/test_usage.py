"""Columns of usage where a cluster has a metrics API, has none, and has one that does not answer; each way to it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

import notebook_mux as nm
from notebook_mux.widgets import table as tables
from tests.controlplane.test_headlamp_client import apply
from tests.headlamp import CERTIFICATE, SERVERS, HeadlampServer, kubeconfig_of, start_headlamp
from tests.playground import RunningPlayground
from tests.testbed.control_plane import ControlPlane, Refused
from tests.waiting import eventually

__all__ = ["start_headlamp"]

SERVICE = {
    "apiVersion": "apiregistration.k8s.io/v1",
    "kind": "APIService",
    "metadata": {"name": "v1beta1.metrics.k8s.io"},
    "spec": {
        "group": "metrics.k8s.io", "version": "v1beta1", "groupPriorityMinimum": 100, "versionPriority": 100,
        "insecureSkipTLSVerify": True, "service": {"name": "metrics-server", "namespace": "kube-system"},
    },
}  # fmt: skip


@pytest.fixture(autouse=True)
def _first_figures_are_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cell goes on without them after a moment, which a busy machine may need."""
    monkeypatch.setattr(tables, "USAGE_SECONDS", 60.0)


def table_of(manager: nm.Manager, namespace: str) -> nm.Table:
    return manager.table("pods", usage=True, namespace=namespace)


def test_no_metrics_api_is_said_and_the_rows_are_there(control_plane: ControlPlane, namespace: str) -> None:
    pod = {"containers": [{"name": "c", "image": "i:1"}]}
    apply(
        control_plane,
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x", "namespace": namespace}, "spec": pod},
    )
    manager = nm.connect(kubeconfig=control_plane.kubeconfig)
    table = table_of(manager, namespace)
    [row] = table.rows
    assert (row["Name"], row["CPU"], row["%Mem/L"]) == ("x", None, None)
    [cluster] = manager.clusters
    said = f"no metrics in {cluster}: the metrics API (metrics-server) is not installed"
    assert said in table._copies()["text/plain"]


def test_one_that_does_not_answer_is_said(control_plane: ControlPlane, namespace: str) -> None:
    apply(control_plane, SERVICE)
    metrics_answer(control_plane, 503)  # the server passes on to it a moment later
    try:
        manager = nm.connect(kubeconfig=control_plane.kubeconfig)
        said = table_of(manager, namespace)._copies()["text/plain"]
        assert "the metrics API does not answer now" in said
    finally:
        control_plane.kubectl("delete", "apiservice", "v1beta1.metrics.k8s.io")
        metrics_answer(control_plane, 404)


def metrics_answer(plane: ControlPlane, wanted: int) -> None:
    """Wait until the API server says this of metrics."""

    def status() -> int:
        try:
            plane.api("/apis/metrics.k8s.io/v1beta1/pods")
        except Refused as refused:
            return int(refused.args[0])
        return 200

    eventually(lambda: status() == wanted, f"{wanted} for metrics", seconds=60)


@pytest.mark.parametrize("kind", SERVERS)
def test_by_way_of_a_headlamp_server(
    kind: str,
    control_plane: ControlPlane,
    tmp_path: Path,
    first_look: RunningPlayground,
    start_headlamp: Callable[..., HeadlampServer],
) -> None:
    config = kubeconfig_of(control_plane, tmp_path / "kubeconfig")
    both = json.loads(config.read_text())
    other = json.loads(first_look.kubeconfig.read_text())
    for part in ("clusters", "users", "contexts"):
        both[part] += other[part]
    config.write_text(json.dumps(both))
    server = start_headlamp(kind, config)
    name = other["contexts"][0]["name"]
    manager = nm.connect(name, CERTIFICATE, url=server.url, namespace="default")
    table = table_of(manager, "default")
    measured = {row["Cluster"] for row in table.rows if row["CPU"]}
    assert measured == {name}
    assert f"no metrics in {CERTIFICATE}: the metrics API (metrics-server) is not" in table._copies()["text/plain"]
