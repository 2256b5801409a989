"""What each student has in the cluster: a namespace, rights in it, a quota, limits, and the lesson's scenario.

By the objects that an administrator would make, so that ``kubectl`` shows all of it.
"""

from __future__ import annotations

import asyncio
from typing import Any

from notebook_mux.classroom.students import Student
from notebook_mux.playground.accounts import given
from notebook_mux.playground.cluster import Cluster
from notebook_mux.playground.controllers.parts import begin_deletion
from notebook_mux.playground.history import Change
from notebook_mux.playground.rbac import people
from notebook_mux.playground.rbac.resolver import CLUSTER_ROLES, GROUP
from notebook_mux.playground.scenarios import base
from notebook_mux.playground.scenarios.stories import Story
from notebook_mux.playground.server import Served

Json = dict[str, Any]

MANAGER = "notebook-mux"

LABEL = "notebook-mux/student"
"""On a student's namespace, with its name: ``nm.table("namespaces", selector="notebook-mux/student")`` is the class."""

STUDENTS = "notebook-mux:students"
"""The group of all students, and the ClusterRole of what they may read outside of their namespaces."""

READABLE: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("", ("nodes", "persistentvolumes")),
    ("storage.k8s.io", ("storageclasses",)),
    ("scheduling.k8s.io", ("priorityclasses",)),
    ("networking.k8s.io", ("ingressclasses",)),
    (GROUP, ("clusterroles",)),
    ("apiextensions.k8s.io", ("customresourcedefinitions",)),
    ("metrics.k8s.io", ("nodes",)),
)
"""What lessons look at that belongs to nobody: no namespaces, so that a class's list is not read out by all of it."""

QUOTA: dict[str, str] = {
    "pods": "40",
    "requests.cpu": "20",
    "requests.memory": "40Gi",
    "requests.storage": "20Gi",
    "services": "20",
    "configmaps": "50",
    "secrets": "50",
    "count/deployments.apps": "20",
    "count/jobs.batch": "30",
}
"""Of one student: several times what a lesson makes, and small enough that a loop without end is the student's own
trouble. More CPU than a node has, so that a pod too large for all nodes is Pending and not refused."""

CRITICAL = ("system-cluster-critical", "system-node-critical")
"""Priorities that no student's pod may have: it would drive those of others from their nodes, a neighbour's first
(kubernetes.io, "Limit Priority Class consumption by default")."""

DEFAULTS: Json = {"cpu": "50m", "memory": "64Mi"}
"""What a container asks for that says nothing, which a quota on CPU and memory would refuse."""

NODES, STUDENTS_A_NODE = 3, 2
"""Nodes of a class: a few, and one for so many students."""

CPUS, MEMORY = "4", "8Gi"
"""Of a node, as lessons have them: what is too large there is too large here."""

ACCOUNTS = "serviceaccounts"
KEPT = ("name", "namespace", "labels", "annotations")
"""Of a service account's metadata, what is not its own alone."""

GONE_SECONDS = 60.0
"""For a namespace to be emptied: a pod that will not stop has its 30 seconds."""


def prepare(served: Served, students: int) -> None:
    """Make what a class has in common: nodes enough, and what all may read. Twice is fine."""
    cluster = served.cluster
    is_new = cluster.store.get(CLUSTER_ROLES, "", STUDENTS) is None
    if is_new:
        for node in cluster.store.items("nodes"):  # those that the cluster begins with are larger
            cluster.update("nodes", "", node.name, _resize)
        rules = [
            {"apiGroups": [group], "resources": list(resources), "verbs": ["get", "list", "watch"]}
            for group, resources in READABLE
        ]
        role = {"kind": "ClusterRole", "apiVersion": f"{GROUP}/v1", "metadata": {"name": STUDENTS}, "rules": rules}
        base.make(cluster, MANAGER, role)
    for number in range(NODES + -(-students // STUDENTS_A_NODE)):
        plan = base.NodePlan(f"node-{number + 1}", cpu=CPUS, memory=MEMORY)
        if cluster.store.get("nodes", "", plan.name) is None:
            base.node(cluster, plan, number)
    people.grant(cluster, STUDENTS, STUDENTS, group=True)


def _resize(node: Json) -> None:
    for amounts in ("capacity", "allocatable"):
        node["status"][amounts].update(cpu=CPUS, memory=MEMORY)


def enrol(served: Served, student: Student, token: str) -> bool:
    """Let a student in, with a namespace and defaults for its containers; twice is fine.

    Returns:
        Whether the namespace is new, and empty.
    """
    cluster, namespace = served.cluster, student.namespace
    is_new = cluster.store.get("namespaces", "", namespace) is None
    labels = {LABEL: namespace}
    people.enrol(
        cluster, served.access, student.name, namespace=namespace, groups=[STUDENTS], labels=labels, token=token
    )
    if is_new:
        given.give(cluster, namespace)  # not in a moment, as controllers do: a lesson's pods come next
        _make(cluster, student, "LimitRange", {"limits": [{"type": "Container", "defaultRequest": DEFAULTS}]})
    return is_new


def bound(cluster: Cluster, student: Student) -> None:
    """Set the student's quotas, once the lesson is there: it is counted, and never refused."""
    _make(cluster, student, "ResourceQuota", {"hard": QUOTA})
    critical = {"scopeName": "PriorityClass", "operator": "In", "values": list(CRITICAL)}
    spec = {"hard": {"pods": "0"}, "scopeSelector": {"matchExpressions": [critical]}}
    _make(cluster, student, "ResourceQuota", spec, "priority")


def _make(cluster: Cluster, student: Student, kind: str, spec: Json, name: str = "class") -> None:
    metadata = {"name": name, "namespace": student.namespace}
    base.make(cluster, MANAGER, {"kind": kind, "apiVersion": "v1", "metadata": metadata, "spec": spec})


def furnish(cluster: Cluster, student: Student, scenario: str, seed: int, begun: float | None) -> Story:
    """Build the lesson's scenario into a student's namespace, with answers of the student's own.

    Args:
        cluster: Where.
        student: Whose.
        scenario: Its name.
        seed: The class's.
        begun: When its story began, of one that is there and goes on after a restart.

    Raises:
        BadScenario: It cannot be built there.
    """
    from notebook_mux.playground import scenarios

    return scenarios.build_into(cluster, scenario, student.namespace, student.seed(seed), begun=begun)


def shut(cluster: Cluster, student: Student) -> None:
    """Let no token of the namespace's service accounts be good any more: whoever was in may have drawn some.

    The accounts are others of the same names, with the rights of before; pods that run get tokens of them. All else
    that is in the namespace stays.
    """
    for stored in cluster.store.items(ACCOUNTS, student.namespace):
        old = stored.decode()
        kept = {key: old["metadata"][key] for key in KEPT if key in old["metadata"]}
        cluster.remove(ACCOUNTS, student.namespace, stored.name)
        if cluster.store.get(ACCOUNTS, student.namespace, stored.name) is None:
            base.make(cluster, MANAGER, {**old, "metadata": kept})


async def empty(cluster: Cluster, student: Student) -> None:
    """Delete a student's namespace and all that is in it; returns when it is gone.

    Raises:
        TimeoutError: Something in it does not go.
    """
    stored = cluster.store.get("namespaces", "", student.namespace)
    if stored is None:
        return
    gone = asyncio.Event()

    def changed(change: Change) -> None:
        if change.type == "DELETED" and change.new.name == student.namespace:
            gone.set()

    unlisten = cluster.store.listen("namespaces", changed)
    try:
        begin_deletion(cluster, stored)
        async with asyncio.timeout(GONE_SECONDS):
            await gone.wait()
    finally:
        unlisten()
