"""The scheduler in a time of its own: choices, preemption, waiting for volumes, and what it does again when."""

from __future__ import annotations

from typing import Any

from notebook_mux.playground.cluster import Cluster
from notebook_mux.playground.controllers.parts import begin_deletion, condition
from notebook_mux.playground.controllers.scheduling.matching import tolerates
from notebook_mux.playground.label_selectors import requirement_holds, selects
from notebook_mux.playground.scenarios import apps
from tests.unit.playground.test_admission import made, pod
from tests.unit.playground.worlds import Json, pods, status, world


def node_of(cluster: Cluster, name: str) -> str:
    obj = cluster.get("pods", "default", name)
    assert obj is not None
    return str(obj["spec"].get("nodeName", ""))


def why(cluster: Cluster, name: str) -> str:
    return str(condition(status(cluster, "pods", name)["conditions"], "PodScheduled").get("message", ""))


def label(cluster: Cluster, name: str) -> None:
    cluster.update("pods", "default", name, lambda obj: obj["metadata"].update(labels={"app": name}))


def tried(cluster: Cluster, name: str) -> int:
    """How often a pod was told that there is no place."""
    found = [one.decode() for one in cluster.store.items("events") if one.fields["involvedObject.name"] == name]
    (event,) = [one for one in found if one["reason"] == "FailedScheduling"]
    return int((event.get("series") or {}).get("count", 1))


def test_the_same_seed_gives_the_same_places():
    def places(seed: int) -> list[str]:
        cluster = world(nodes=3, seed=seed)
        apps.deployment(cluster, "web", "default", "nginx:1", 7)
        cluster.agenda.step(10)
        return sorted(one["spec"]["nodeName"] for one in pods(cluster, "web"))

    assert places(4) == places(4)
    assert {places(4).count(node) for node in ("node-1", "node-2", "node-3")} <= {2, 3}


def test_a_pod_waits_longer_each_time_and_goes_on_when_there_is_room():
    cluster = world(nodes=1)
    made(cluster, "pods", "first", spec=pod({"cpu": "7"}))
    cluster.agenda.step(5)
    made(cluster, "pods", "second", spec=pod({"cpu": "6"}))
    cluster.agenda.step(20)
    assert tried(cluster, "second") == 1  # nothing changed
    made(cluster, "configmaps", "c")
    cluster.agenda.step(20)
    assert tried(cluster, "second") == 1  # nothing that matters
    cluster.agenda.step(300)
    assert tried(cluster, "second") == 2  # once in a while even so
    stored = cluster.store.get("pods", "default", "first")
    assert stored is not None
    begin_deletion(cluster, stored)
    cluster.agenda.step(40)
    assert node_of(cluster, "second") == "node-1"


def test_the_important_first_and_only_as_many_leave_as_must():
    cluster = world(nodes=1)
    made(cluster, "priorityclasses.scheduling.k8s.io", "high", value=100)
    made(cluster, "priorityclasses.scheduling.k8s.io", "low", value=-5)
    for name, cpu, of in (("small", "1", "low"), ("large", "5", "low"), ("plain", "1", "")):
        made(cluster, "pods", name, spec=pod({"cpu": cpu}, priorityClassName=of) if of else pod({"cpu": cpu}))
    cluster.agenda.step(5)
    made(cluster, "pods", "important", spec=pod({"cpu": "4"}, priorityClassName="high"))
    cluster.agenda.step(0.5)
    assert status(cluster, "pods", "important")["nominatedNodeName"] == "node-1"
    victim = cluster.store.get("pods", "default", "large")
    assert victim is not None
    assert victim.deleting
    told = condition(victim.decode()["status"]["conditions"], "DisruptionTarget")
    assert (told["reason"], told["message"]) == (
        "PreemptionByScheduler", "default-scheduler: preempting to accommodate a higher priority pod",
    )  # fmt: skip
    made(cluster, "pods", "between", spec=pod({"cpu": "4"}))  # what was made free is promised
    cluster.agenda.step(40)
    assert node_of(cluster, "important") == "node-1"
    assert node_of(cluster, "between") == ""
    assert {node_of(cluster, name) for name in ("small", "plain")} == {"node-1"}
    assert "nominatedNodeName" not in status(cluster, "pods", "important")


def test_a_budget_decides_who_leaves():
    cluster = world(nodes=2)
    made(cluster, "priorityclasses.scheduling.k8s.io", "high", value=100)
    for name, node in (("guarded", "node-1"), ("free", "node-2")):
        spec = pod({"cpu": "6"}, nodeSelector={"kubernetes.io/hostname": node})
        made(cluster, "pods", name, spec=spec)
        label(cluster, name)
    made(cluster, "poddisruptionbudgets.policy", "b",
         spec={"minAvailable": 1, "selector": {"matchLabels": {"app": "guarded"}}})  # fmt: skip
    cluster.agenda.step(5)
    made(cluster, "pods", "important", spec=pod({"cpu": "6"}, priorityClassName="high"))
    cluster.agenda.step(40)
    assert node_of(cluster, "important") == "node-2"
    assert node_of(cluster, "guarded") == "node-1"


def test_a_volume_is_made_where_the_pod_goes():
    cluster = world(nodes=2)
    claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    made(cluster, "persistentvolumeclaims", "data", spec=claim)
    cluster.agenda.step(5)
    assert status(cluster, "persistentvolumeclaims", "data") == {"phase": "Pending"}
    volumes = [{"name": "v", "persistentVolumeClaim": {"claimName": "data"}}]
    made(cluster, "pods", "user", spec=pod(volumes=volumes))
    cluster.agenda.step(8)
    node = node_of(cluster, "user")
    assert node
    found = cluster.get("persistentvolumeclaims", "default", "data")
    assert found is not None
    assert found["metadata"]["annotations"]["volume.kubernetes.io/selected-node"] == node
    volume = cluster.get("persistentvolumes", "", found["spec"]["volumeName"])
    assert volume is not None
    assert volume["status"]["phase"] == found["status"]["phase"] == "Bound"
    required = volume["spec"]["nodeAffinity"]["required"]["nodeSelectorTerms"][0]["matchExpressions"]
    assert required == [{"key": "kubernetes.io/hostname", "operator": "In", "values": [node]}]
    told = {one.fields["reason"] for one in cluster.store.items("events")
               if one.fields["involvedObject.name"] == "data"}  # fmt: skip
    assert told == {"WaitForFirstConsumer", "ExternalProvisioning", "Provisioning", "ProvisioningSucceeded"}
    cordoned = cluster.update("nodes", "", node, lambda obj: obj["spec"].update(unschedulable=True))
    assert cordoned is not None
    made(cluster, "pods", "second", spec=pod(volumes=volumes))
    cluster.agenda.step(3)
    reasons = "1 node(s) didn't match PersistentVolume's node affinity, 1 node(s) were unschedulable"
    assert why(cluster, "second").startswith(f"0/2 nodes are available: {reasons}.")
    for name in ("user", "second"):
        stored = cluster.store.get("pods", "default", name)
        assert stored is not None
        begin_deletion(cluster, stored)
    claimed = cluster.store.get("persistentvolumeclaims", "default", "data")
    assert claimed is not None
    begin_deletion(cluster, claimed)
    cluster.agenda.step(40)
    assert cluster.store.count("persistentvolumeclaims") == cluster.store.count("persistentvolumes") == 0


def test_tolerations_and_selectors():
    taint = {"key": "k", "value": "v", "effect": "NoSchedule"}
    cases: list[tuple[Json, bool]] = [
        ({"key": "k", "operator": "Exists"}, True), ({"operator": "Exists"}, True), ({"key": "k", "value": "v"}, True),
        ({"key": "k", "value": "w"}, False), ({"key": "k", "operator": "Exists", "effect": "NoExecute"}, False),
        ({"key": "other", "operator": "Exists"}, False), ({"value": "v"}, False),
    ]  # fmt: skip
    for toleration, wanted in cases:
        assert tolerates([toleration], taint) is wanted, toleration
    assert selects({}, {"a": "b"})
    assert not selects(None, {"a": "b"})
    requirements: list[tuple[Any, ...]] = [
        ("In", ["b"], True), ("NotIn", ["b"], False), ("Exists", [], True), ("DoesNotExist", [], False),
        ("Gt", ["1"], False), ("Lt", ["1"], False), ("Other", [], False),
    ]  # fmt: skip
    for operator, values, wanted in requirements:
        requirement = {"key": "a", "operator": operator, "values": values}
        assert requirement_holds(requirement, {"a": "b"}) is wanted, operator
    assert requirement_holds({"key": "a", "operator": "Gt", "values": ["5"]}, {"a": "7"})
    assert requirement_holds({"key": "a", "operator": "NotIn", "values": ["5"]}, {})
