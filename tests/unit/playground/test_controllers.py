"""The control loops, in a time of their own."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from notebook_mux.playground.cluster import Cluster
from notebook_mux.playground.controllers.cronjobs import is_due
from notebook_mux.playground.controllers.deployments import REVISION, share
from notebook_mux.playground.controllers.nodes import SILENT
from notebook_mux.playground.controllers.parts import begin_deletion, is_ready
from notebook_mux.playground.scenarios import apps
from notebook_mux.printers.pods import print_pod
from tests.unit.playground.worlds import NOW, Json, pods, status, world


def shown(cluster: Cluster, app: str) -> set[str]:
    return {print_pod(one, cluster.agenda.now())[2] for one in pods(cluster, app)}


def seen_states(cluster: Cluster, app: str, seconds: float) -> list[set[str]]:
    states: list[set[str]] = []
    for _ in range(int(seconds / 0.1)):
        cluster.agenda.step(0.1)
        if not states or states[-1] != shown(cluster, app):
            states.append(shown(cluster, app))
    return states


def events(cluster: Cluster, reason: str) -> list[str]:
    return [one.decode()["message"] for one in cluster.store.items("events") if one.fields["reason"] == reason]


def released(image: str) -> Callable[[Json], None]:
    return lambda obj: obj["spec"]["template"]["spec"]["containers"][0].update(image=image)


def scaled(count: int) -> Callable[[Json], None]:
    return lambda obj: obj["spec"].update(replicas=count)


def test_a_deployment_becomes_pods_that_become_ready():
    cluster = world()
    apps.deployment(cluster, "web", "default", "nginx:1", 3)
    states = [one for found in seen_states(cluster, "web", 15) for one in sorted(found)]
    assert list(dict.fromkeys(states)) == ["Pending", "ContainerCreating", "Running"]
    found = pods(cluster, "web")
    assert len(found) == 3
    assert all(is_ready(one) for one in found)
    assert {one["spec"]["nodeName"] for one in found} == {"node-1", "node-2", "node-3"}
    assert status(cluster, "deployments.apps", "web")["availableReplicas"] == 3
    assert len(events(cluster, "Scheduled")) == len(events(cluster, "Started")) == 3
    (message,) = events(cluster, "ScalingReplicaSet")
    assert message.startswith("Scaled up replica set web-")


def test_pods_look_like_real_ones():
    cluster = world()
    apps.deployment(cluster, "web", "default", "nginx:1", 1)
    cluster.agenda.step(15)
    (stored,) = [one for one in cluster.store.items("pods") if one.labels.get("app") == "web"]
    assert 3000 <= len(stored.encoded) <= 6500
    pod = stored.decode()
    assert [one["manager"] for one in pod["metadata"]["managedFields"]] == ["kube-controller-manager", "kubelet"]
    container = pod["status"]["containerStatuses"][0]
    assert {"name", "state", "lastState", "ready", "restartCount", "image", "imageID", "containerID", "started"} <= set(
        container
    )
    assert [one["type"] for one in pod["status"]["conditions"]] == [
        "PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled",
    ]  # fmt: skip


def test_scaling_up_and_down():
    cluster = world()
    apps.deployment(cluster, "web", "default", "nginx:1", 2)
    for count in (5, 1, 0, 2):
        cluster.agenda.step(15)
        cluster.update("deployments.apps", "default", "web", scaled(count))
        cluster.agenda.step(15)
        assert len(pods(cluster, "web")) == count
        assert status(cluster, "deployments.apps", "web").get("readyReplicas", 0) == count


def test_a_deleted_pod_is_terminating_and_another_takes_its_place():
    cluster = world()
    apps.deployment(cluster, "web", "default", "nginx:1", 2)
    cluster.agenda.step(15)
    before = {one["metadata"]["name"] for one in pods(cluster, "web")}
    victim = cluster.store.get("pods", "default", min(before))
    assert victim is not None
    begin_deletion(cluster, victim)
    cluster.agenda.step(0.5)
    state = cluster.get("pods", "default", victim.name)
    assert state is not None
    assert print_pod(state, NOW)[2] == "Terminating"
    assert len(pods(cluster, "web")) == 2
    cluster.agenda.step(15)
    assert cluster.get("pods", "default", victim.name) is None
    assert len({one["metadata"]["name"] for one in pods(cluster, "web")} - before) == 1


def test_a_rolling_update_keeps_enough_pods():
    cluster = world()
    apps.deployment(cluster, "web", "default", "nginx:1", 4)
    cluster.agenda.step(20)

    cluster.update("deployments.apps", "default", "web", released("nginx:2"))
    least = most = 4
    for _ in range(300):
        cluster.agenda.step(0.1)
        found = pods(cluster, "web")
        least = min(least, sum(is_ready(one) for one in found))
        most = max(most, len(found))
    assert (least, most) == (3, 5)  # 25 per cent of four, either way
    assert {one["spec"]["containers"][0]["image"] for one in pods(cluster, "web")} == {"nginx:2"}
    found = [one.decode() for one in cluster.store.items("replicasets.apps")]
    sets = {one["metadata"]["annotations"][REVISION]: one["spec"]["replicas"] for one in found}
    assert sets == {"1": 0, "2": 4}
    condition = status(cluster, "deployments.apps", "web")["conditions"][1]
    assert (condition["type"], condition["reason"]) == ("Progressing", "NewReplicaSetAvailable")


def test_back_to_an_older_template_is_a_new_revision_of_the_same_set():
    cluster = world()
    apps.deployment(cluster, "web", "default", "nginx:1", 1)
    for image in ("nginx:2", "nginx:1"):
        cluster.agenda.step(20)
        cluster.update("deployments.apps", "default", "web", released(image))
    cluster.agenda.step(20)
    found = [one.decode() for one in cluster.store.items("replicasets.apps")]
    assert sorted(one["metadata"]["annotations"][REVISION] for one in found) == ["2", "3"]
    deployment = cluster.get("deployments.apps", "default", "web")
    assert deployment is not None
    assert deployment["metadata"]["annotations"][REVISION] == "3"


def test_a_crash_loop_waits_longer_and_longer():
    cluster = world()
    apps.deployment(cluster, "flaky", "default", "x:1", 1, behaviour="crash 5")
    states = [one for found in seen_states(cluster, "flaky", 70) for one in found]
    assert {"Running", "Error", "CrashLoopBackOff"} & set(states) >= {"Running", "CrashLoopBackOff"}
    (pod,) = pods(cluster, "flaky")
    container = pod["status"]["containerStatuses"][0]
    assert container["restartCount"] >= 2
    assert container["lastState"]["terminated"]["exitCode"] != 0
    warned = [one.decode() for one in cluster.store.items("events") if one.fields["reason"] == "BackOff"]
    assert len(warned) == 1
    assert warned[0]["count"] >= 3


def test_a_stateful_set_in_order_with_its_volumes():
    cluster = world()
    apps.stateful_set(cluster, "db", "default", "postgres:17", 2)
    cluster.agenda.step(0.5)
    assert [one["metadata"]["name"] for one in pods(cluster, "db")] == ["db-0"]
    cluster.agenda.step(20)
    assert [one["metadata"]["name"] for one in pods(cluster, "db")] == ["db-0", "db-1"]
    claims = [one.decode() for one in cluster.store.items("persistentvolumeclaims")]
    assert [(one["metadata"]["name"], one["status"]["phase"]) for one in claims] == [
        ("data-db-0", "Bound"),
        ("data-db-1", "Bound"),
    ]
    assert cluster.store.count("persistentvolumes") == 2
    cluster.update("statefulsets.apps", "default", "db", lambda obj: obj["spec"].update(replicas=1))
    cluster.agenda.step(10)
    assert [one["metadata"]["name"] for one in pods(cluster, "db")] == ["db-0"]
    assert status(cluster, "statefulsets.apps", "db")["readyReplicas"] == 1


def test_a_daemon_set_on_each_node():
    cluster = world(nodes=3)
    apps.daemon_set(cluster, "agent", "default", "x:1")
    cluster.agenda.step(15)
    assert sorted(one["spec"]["nodeName"] for one in pods(cluster, "agent")) == ["node-1", "node-2", "node-3"]
    assert status(cluster, "daemonsets.apps", "agent")["numberReady"] == 3


@pytest.mark.parametrize(("behaviour", "condition"), [("complete 3", "Complete"), ("fail 3", "Failed")])
def test_jobs_end(behaviour: str, condition: str):
    cluster = world()
    apps.job(cluster, "import", "default", "x:1", behaviour)
    cluster.agenda.step(1)
    (job,) = cluster.store.items("jobs.batch")
    assert status(cluster, "jobs.batch", job.name)["active"] == 1
    cluster.agenda.step(40)
    found = status(cluster, "jobs.batch", job.name)
    assert found["conditions"][-1]["type"] == condition
    assert ("completionTime" in found) == (condition == "Complete")
    cluster.agenda.step(61)
    assert cluster.store.count("jobs.batch") == 0  # its ttl
    cluster.agenda.step(5)
    assert pods(cluster, "import") == []


def test_a_cron_job_each_minute():
    cluster = world()
    apps.cron_job(cluster, "tick", "default", "x:1", "* * * * *", "complete 4")
    cluster.agenda.step(5 * 60)
    jobs = [one.decode() for one in cluster.store.items("jobs.batch")]
    assert 3 <= len(jobs) <= 4  # the history's limit, and one that may run
    assert status(cluster, "cronjobs.batch", "tick")["lastScheduleTime"].endswith(":00Z")


@pytest.mark.parametrize(
    ("schedule", "due"),
    [("* * * * *", True), ("*/15 * * * *", True), ("5 * * * *", False), ("0-30/10 10 * * *", True), ("@hourly", False),
     ("30 10 5 1 5", True), ("30 10 5 1 0", True),
     ("30 10 6 1 0", False), ("1,30 * * * *", True), ("x", False), ("a b c d e", False)],
)  # fmt: skip
def test_schedules(schedule: str, due: bool):
    assert is_due(schedule, datetime(2024, 1, 5, 10, 30, tzinfo=UTC)) is due


def test_a_node_that_falls_silent_and_comes_back():
    cluster = world()
    apps.daemon_set(cluster, "agent", "default", "x:1")
    cluster.agenda.step(15)
    cluster.update(
        "nodes", "", "node-2", lambda obj: obj["metadata"].setdefault("annotations", {}).update({SILENT: "1"})
    )
    cluster.agenda.step(2)
    away = {one["spec"]["nodeName"] for one in pods(cluster, "agent") if not is_ready(one)}
    assert away == {"node-2"}
    node = cluster.get("nodes", "", "node-2")
    assert node is not None
    assert {one["key"] for one in node["spec"]["taints"]} == {"node.kubernetes.io/unreachable"}
    cluster.update("nodes", "", "node-2", lambda obj: obj["metadata"]["annotations"].pop(SILENT))
    cluster.agenda.step(2)
    assert all(is_ready(one) for one in pods(cluster, "agent"))
    assert len(events(cluster, "NodeReady")) == 1


NOWHERE = (
    "0/1 nodes are available: 1 node(s) were unschedulable. preemption: 0/1 nodes are available: "
    "1 Preemption is not helpful for scheduling."
)


def test_no_place_for_a_pod_is_said():
    cluster = world(nodes=1)
    cluster.update("nodes", "", "node-1", lambda obj: obj["spec"].update(unschedulable=True))
    apps.deployment(cluster, "web", "default", "nginx:1", 1)
    cluster.agenda.step(3)
    assert events(cluster, "FailedScheduling") == [NOWHERE]
    cluster.update("nodes", "", "node-1", lambda obj: obj["spec"].pop("unschedulable"))
    cluster.agenda.step(20)
    assert all(is_ready(one) for one in pods(cluster, "web"))


def slice_of(cluster: Cluster, service: str) -> Json:
    found = cluster.store.items("endpointslices.discovery.k8s.io")
    (one,) = [one.decode() for one in found if one.labels["kubernetes.io/service-name"] == service]
    return one


def test_endpoints_are_the_ready_pods():
    cluster = world()
    apps.deployment(cluster, "web", "default", "nginx:1", 2)
    apps.service(cluster, "web", "default")
    cluster.agenda.step(15)
    found = slice_of(cluster, "web")
    assert [one["conditions"]["ready"] for one in found["endpoints"]] == [True, True]
    assert found["ports"] == [{"name": "http", "protocol": "TCP", "port": 8080}]
    cluster.update("deployments.apps", "default", "web", lambda obj: obj["spec"].update(replicas=0))
    cluster.agenda.step(15)
    found = slice_of(cluster, "web")
    assert found["endpoints"] is None


def test_what_belongs_to_a_deleted_owner_goes_too():
    cluster = world()
    apps.deployment(cluster, "web", "default", "nginx:1", 2)
    cluster.agenda.step(15)
    cluster.remove("deployments.apps", "default", "web")
    cluster.agenda.step(10)
    assert cluster.store.count("replicasets.apps") == 0
    assert pods(cluster, "web") == []


def test_a_deleted_namespace_is_emptied():
    cluster = world()
    from notebook_mux.playground.scenarios import base

    base.namespace(cluster, "shop")
    apps.deployment(cluster, "web", "shop", "nginx:1", 2)
    cluster.agenda.step(15)
    namespace = cluster.store.get("namespaces", "", "shop")
    assert namespace is not None
    begin_deletion(cluster, namespace)
    cluster.agenda.step(0.3)
    assert status(cluster, "namespaces", "shop", "")["phase"] == "Terminating"
    cluster.agenda.step(15)
    assert cluster.store.get("namespaces", "", "shop") is None
    assert [
        kind.resource for kind in cluster.kinds if kind.namespaced and cluster.store.items(kind.resource, "shop")
    ] == []


def test_shares():
    assert [share(value, 10, up=True) for value in ("25%", 3, None)] == [3, 3, 0]
    assert share("25%", 10, up=False) == 2
