"""Disruption budgets and evictions: the sums, the refusals, what is written."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from notebook_mux.playground import eviction
from notebook_mux.playground.cluster import Cluster
from notebook_mux.playground.controllers import kubelet
from notebook_mux.playground.controllers.disruption import KIND
from notebook_mux.playground.deletes import Deleter
from notebook_mux.playground.paths import Target
from notebook_mux.playground.scenarios import apps
from notebook_mux.playground.status import ApiError
from tests.unit.playground.lives import Json, condition, created, now, pod, reasons, until
from tests.unit.playground.worlds import pods, world


@pytest.fixture
def cluster() -> Cluster:
    found = world(nodes=2)
    apps.deployment(found, "web", "default", "nginx:1", 3)
    found.agenda.step(15)
    return found


def budget(cluster: Cluster, name: str = "web", **spec: Any) -> Json:
    """A budget for the pods of ``web``; its status after a moment."""
    spec = {"selector": {"matchLabels": {"app": "web"}}, **spec}
    created(cluster, {"kind": "PodDisruptionBudget", "apiVersion": "policy/v1",
                      "metadata": {"name": name, "namespace": "default"}, "spec": spec})  # fmt: skip
    cluster.agenda.step(1)
    return told(cluster, name)


def told(cluster: Cluster, name: str = "web") -> Json:
    found: Json = now(cluster, name, KIND)["status"]
    return found


def evict(cluster: Cluster, name: str, **options: Any) -> Json:
    stored = cluster.store.get("pods", "default", name)
    assert stored is not None
    target = Target(cluster.kind("pods"), "default", name, "eviction")
    body = {"kind": "Eviction", "apiVersion": "policy/v1", "metadata": {"name": name}, "deleteOptions": options}
    return eviction.evict(cluster, Deleter(cluster), target, stored, msgspec.json.encode(body), dry_run=False)


def numbers(status: Json) -> tuple[int, ...]:
    return tuple(status[one] for one in ("expectedPods", "currentHealthy", "desiredHealthy", "disruptionsAllowed"))


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"minAvailable": 2}, (3, 3, 2, 1)),
        ({"minAvailable": "50%"}, (3, 3, 2, 1)),
        ({"maxUnavailable": 1}, (3, 3, 2, 1)),
        ({"maxUnavailable": "34%"}, (3, 3, 1, 2)),
        ({"minAvailable": 5}, (3, 3, 5, 0)),
        ({"maxUnavailable": 0}, (3, 3, 3, 0)),
        ({"minAvailable": 1, "selector": {}}, (3, 3, 1, 2)),
        ({"minAvailable": 1, "selector": {"matchLabels": {"x": "y"}}}, (0, 0, 1, 0)),
    ],
)  # fmt: skip
def test_what_a_budget_allows(cluster: Cluster, spec: Json, expected: tuple[int, ...]):
    status = budget(cluster, **spec)
    assert numbers(status) == expected
    found = status["conditions"][0]
    assert (found["type"], found["status"] == "True") == ("DisruptionAllowed", expected[3] > 0)
    assert found["reason"] == ("SufficientPods" if expected[3] else "InsufficientPods")


def test_evictions_as_long_as_the_budget_lasts(cluster: Cluster):
    budget(cluster, minAvailable=2)
    first, second, _ = sorted(one["metadata"]["name"] for one in pods(cluster, "web"))
    assert evict(cluster, first) == {
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201,
    }  # fmt: skip
    assert condition(now(cluster, first), "DisruptionTarget")["reason"] == "EvictionByEvictionAPI"
    assert list(told(cluster)["disruptedPods"]) == [first]
    with pytest.raises(ApiError) as refused:
        evict(cluster, second)
    assert (refused.value.code, refused.value.reason, refused.value.message) == (
        429, "TooManyRequests", "Cannot evict pod as it would violate the pod's disruption budget.",
    )  # fmt: skip
    cluster.agenda.step(0.5)
    with pytest.raises(ApiError) as refused:
        evict(cluster, second)
    assert refused.value.details == {"causes": [{
        "reason": "DisruptionBudget", "message": "The disruption budget web needs 2 healthy pods and has 2 currently",
    }]}  # fmt: skip
    until(cluster, lambda: told(cluster)["disruptionsAllowed"] == 1, 30)
    assert "disruptedPods" not in told(cluster)
    evict(cluster, second)


def test_what_needs_no_budget(cluster: Cluster):
    budget(cluster, maxUnavailable=0)
    name = pods(cluster, "web")[0]["metadata"]["name"]
    with pytest.raises(ApiError):
        evict(cluster, name)
    kubelet.declare(cluster, "never", "no-image")
    waiting = pod("waiting", {"name": "main", "image": "never"})
    waiting["metadata"]["labels"] = {"app": "web"}
    created(cluster, waiting)
    cluster.agenda.step(3)
    evict(cluster, "waiting")  # Pending
    cluster.update(KIND, "default", "web", lambda one: one["spec"].update(unhealthyPodEvictionPolicy="AlwaysAllow"))
    cluster.agenda.step(1)
    assert kubelet.kill(cluster, "default", name, "web", 1)
    evict(cluster, name)  # not ready
    assert "deletionTimestamp" in now(cluster, name)["metadata"]


def test_two_budgets_and_one_that_is_not_looked_at_yet(cluster: Cluster):
    budget(cluster, "a", minAvailable=1)
    name = pods(cluster, "web")[0]["metadata"]["name"]
    cluster.update(KIND, "default", "a", lambda one: one["spec"].update(minAvailable=2))
    with pytest.raises(ApiError) as refused:
        evict(cluster, name)
    assert refused.value.details is not None
    assert refused.value.details["causes"][0]["message"] == (
        "The disruption budget a is still being processed by the server."
    )
    assert refused.value.retry_after == 10
    budget(cluster, "b", minAvailable=1)
    with pytest.raises(ApiError, match="more than one PodDisruptionBudget") as refused:
        evict(cluster, name)
    assert refused.value.code == 500


def test_preconditions_and_dry_runs(cluster: Cluster):
    budget(cluster, minAvailable=1)
    name = pods(cluster, "web")[0]["metadata"]["name"]
    evict(cluster, name, dryRun=["All"])
    assert told(cluster)["disruptionsAllowed"] == 2
    with pytest.raises(ApiError) as refused:
        evict(cluster, name, preconditions={"uid": "another"})
    assert refused.value.code == 409
    assert "deletionTimestamp" not in now(cluster, name)["metadata"]


def test_pods_of_nobody_cannot_be_counted_by_share(cluster: Cluster):
    alone = pod("alone")
    alone["metadata"]["labels"] = {"app": "alone"}
    created(cluster, alone)
    cluster.agenda.step(6)
    status = budget(cluster, "alone", maxUnavailable=1, selector={"matchLabels": {"app": "alone"}})
    assert numbers(status) == (0, 1, 0, 0)
    assert "UnmanagedPods" in reasons(cluster, "alone")
