"""Nodes that stop, are cordoned, or go: their conditions and taints, and what becomes of their pods."""

from __future__ import annotations

import pytest

from notebook_mux.playground.cluster import Cluster
from notebook_mux.playground.controllers import nodes, taints
from notebook_mux.playground.scenarios import apps
from tests.unit.playground.lives import Json, condition, created, now, pod, reasons, row, shown, until
from tests.unit.playground.worlds import pods, world


@pytest.fixture
def cluster() -> Cluster:
    found = world(nodes=2)
    apps.deployment(found, "web", "default", "nginx:1", 2)
    template = {"metadata": {"labels": {"app": "agent"}}, "spec": pod()["spec"]}
    created(found, {"kind": "DaemonSet", "apiVersion": "apps/v1", "metadata": {"name": "agent", "namespace": "default"},
                    "spec": {"selector": {"matchLabels": {"app": "agent"}}, "template": template}})  # fmt: skip
    found.agenda.step(15)
    return found


def node(cluster: Cluster, name: str = "node-2") -> Json:
    return now(cluster, name, "nodes", "")


def keys(cluster: Cluster, name: str = "node-2") -> list[tuple[str, str]]:
    return [(one["key"], one["effect"]) for one in node(cluster, name)["spec"].get("taints", ())]


def on(cluster: Cluster, app: str, name: str = "node-2") -> list[Json]:
    """An application's pods on a node, those that are being deleted too."""
    found = [one.decode() for one in cluster.store.items("pods") if one.labels.get("app") == app]
    return [one for one in found if one["spec"].get("nodeName") == name]


def test_leases_are_renewed_until_a_node_stops(cluster: Cluster):
    def renewed() -> str:
        lease = now(cluster, "node-2", nodes.LEASES, nodes.LEASE_NAMESPACE)
        return str(lease["spec"]["renewTime"])

    before = renewed()
    cluster.agenda.step(25)
    assert renewed() > before
    nodes.stop(cluster, "node-2")
    before = renewed()
    cluster.agenda.step(25)
    assert renewed() == before


def test_a_node_that_stops_is_noticed_after_its_grace(cluster: Cluster):
    cluster.update("nodes", "", "node-2", lambda one: one["spec"].update(
        taints=[{"key": "people", "value": "x", "effect": "NoSchedule"}]))  # fmt: skip
    nodes.stop(cluster, "node-2", grace=nodes.GRACE_S)
    cluster.agenda.step(40)
    assert row(cluster, node(cluster), "nodes")[1] == "Ready"
    cluster.agenda.step(15)
    assert row(cluster, node(cluster), "nodes")[1] == "NotReady"
    ready = condition(node(cluster), "Ready")
    assert (ready["status"], ready["reason"], ready["message"]) == (
        "Unknown", "NodeStatusUnknown", "Kubelet stopped posting node status.",
    )  # fmt: skip
    assert keys(cluster) == [("people", "NoSchedule"), (nodes.UNREACHABLE, "NoSchedule"),
                             (nodes.UNREACHABLE, "NoExecute")]  # fmt: skip
    for app in ("web", "agent"):
        assert all(condition(one, "Ready")["status"] == "False" for one in on(cluster, app))
    nodes.resume(cluster, "node-2")
    cluster.agenda.step(3)
    assert keys(cluster) == [("people", "NoSchedule")]
    assert row(cluster, node(cluster), "nodes")[1] == "Ready"
    assert all(condition(one, "Ready")["status"] == "True" for app in ("web", "agent") for one in on(cluster, app))


def test_pods_of_a_lost_node_are_evicted_after_their_toleration(cluster: Cluster):
    hasty = {"key": nodes.UNREACHABLE, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 20}
    created(cluster, pod("hasty", nodeName="node-2", tolerations=[hasty]))
    cluster.agenda.step(8)
    (victim,) = on(cluster, "web")
    nodes.stop(cluster, "node-2")
    until(cluster, lambda: shown(cluster, "hasty") == "Terminating", 30)
    assert condition(now(cluster, "hasty"), "DisruptionTarget")["reason"] == "DeletionByTaintManager"
    assert "TaintManagerEviction" in reasons(cluster, "hasty")
    cluster.agenda.step(250)
    assert shown(cluster, victim["metadata"]["name"]) == "Running"
    until(cluster, lambda: shown(cluster, victim["metadata"]["name"]) == "Terminating", 60)
    until(
        cluster, lambda: sum(condition(one, "Ready").get("status") == "True" for one in pods(cluster, "web")) == 2, 30
    )
    cluster.agenda.step(600)
    # Nobody there answers: the pods stay as they are, and the daemon's pod is not even told to go.
    assert shown(cluster, victim["metadata"]["name"]) == "Terminating"
    (agent,) = on(cluster, "agent")
    assert "deletionTimestamp" not in agent["metadata"]
    nodes.resume(cluster, "node-2")
    until(cluster, lambda: cluster.get("pods", "default", victim["metadata"]["name"]) is None, 10)


def test_a_node_that_is_back_in_time_keeps_its_pods(cluster: Cluster):
    before = {one["metadata"]["name"] for one in on(cluster, "web")}
    nodes.stop(cluster, "node-2")
    cluster.agenda.step(200)
    nodes.resume(cluster, "node-2")
    cluster.agenda.step(400)
    assert {one["metadata"]["name"] for one in on(cluster, "web")} == before
    (name,) = before
    assert "TaintManagerEviction" in reasons(cluster, name)  # Cancelling deletion


def test_a_cordoned_node_is_tainted(cluster: Cluster):
    cluster.update("nodes", "", "node-2", lambda one: one["spec"].update(unschedulable=True))
    cluster.agenda.step(1)
    assert keys(cluster) == [(nodes.UNSCHEDULABLE, "NoSchedule")]
    cluster.update("nodes", "", "node-2", lambda one: one["spec"].pop("unschedulable"))
    cluster.agenda.step(1)
    assert keys(cluster) == []


def test_a_taint_of_somebody_evicts_at_once(cluster: Cluster):
    (victim,) = on(cluster, "web")
    cluster.update("nodes", "", "node-2", lambda one: one["spec"].update(
        taints=[{"key": "maintenance", "effect": "NoExecute"}]))  # fmt: skip
    cluster.agenda.step(8)
    assert on(cluster, "web") == []
    assert cluster.get("pods", "default", victim["metadata"]["name"]) is None


def test_the_pods_of_a_node_that_is_gone_are_collected(cluster: Cluster):
    (victim,) = on(cluster, "web")
    cluster.remove("nodes", "", "node-2")
    cluster.agenda.step(20)
    assert cluster.get("pods", "default", victim["metadata"]["name"]) is not None
    cluster.agenda.step(45)
    assert on(cluster, "web") == []
    assert cluster.get(nodes.LEASES, nodes.LEASE_NAMESPACE, "node-2") is None


def test_pods_of_a_node_that_is_out_of_service_are_let_go(cluster: Cluster):
    (victim,) = on(cluster, "web")
    nodes.stop(cluster, "node-2")
    cluster.update("nodes", "", "node-2", lambda one: one["spec"].update(
        taints=[{"key": taints.OUT_OF_SERVICE, "value": "nodeshutdown", "effect": "NoExecute"}]))  # fmt: skip
    until(cluster, lambda: cluster.get("pods", "default", victim["metadata"]["name"]) is None, 10)


EXISTS, FOR_A_WHILE = {"operator": "Exists"}, {"key": "a", "operator": "Exists", "tolerationSeconds": 30}


@pytest.mark.parametrize(
    ("tolerations", "seconds"),
    [
        ([], None),
        ([EXISTS], taints.FOR_EVER),
        ([{"key": "a", "value": "1"}], taints.FOR_EVER),
        ([{"key": "a", "value": "2"}], None),
        ([{"key": "a", "operator": "Exists", "effect": "NoSchedule"}], None),
        ([FOR_A_WHILE], 30.0),
        ([FOR_A_WHILE, {**FOR_A_WHILE, "tolerationSeconds": -1}], 0.0),
    ],
)
def test_how_long_a_taint_is_tolerated(tolerations: list[Json], seconds: float | None):
    taint = {"key": "a", "value": "1", "effect": "NoExecute"}
    assert taints.seconds_tolerated(tolerations, [taint]) == seconds
