"""How many pods each replica set of a deployment gets; the whole roll-out is in the contract tests."""

from __future__ import annotations

from typing import Any

import pytest

from notebook_mux.playground.clock import rfc3339
from notebook_mux.playground.controllers.parts import condition
from notebook_mux.playground.controllers.rollouts import progress, sizes
from notebook_mux.playground.controllers.rollouts.sets import DESIRED, MAX, Set
from notebook_mux.playground.kinds import Kinds
from notebook_mux.playground.scenarios import apps
from notebook_mux.playground.store import Stored
from tests.unit.playground.worlds import NOW, Json, pods, status, world

KIND = Kinds().of("replicasets.apps")


def of(name: str, replicas: int, available: int | None = None, most: int = 0) -> Set:
    """A replica set; its pods are available unless it is said how many are."""
    metadata = {"name": name, "namespace": "n", "uid": name, "creationTimestamp": f"2024-01-01T00:00:{name}Z",
                "annotations": {DESIRED: "0", MAX: str(most)}}  # fmt: skip
    count = replicas if available is None else available
    obj: Json = {"metadata": metadata, "spec": {"replicas": replicas}, "status": {"availableReplicas": count}}
    return Set.read(Stored(KIND, obj, 1))


def spec(replicas: int, surge: Any = "25%", missing: Any = "25%") -> Json:
    return {"replicas": replicas, "strategy": {"rollingUpdate": {"maxSurge": surge, "maxUnavailable": missing}}}


@pytest.mark.parametrize(
    ("wanted", "old", "new", "grown"),
    [(spec(4), 4, 0, 1), (spec(4), 3, 1, 2), (spec(4), 0, 3, 4), (spec(4), 5, 0, 0), (spec(10, 3, 0), 10, 0, 3),
     (spec(2), 0, 5, 2), (spec(1, 0, 1), 1, 0, 0)],
)  # fmt: skip
def test_the_newest_grows_as_there_is_room(wanted: Json, old: int, new: int, grown: int):
    newest = of("02", new)
    assert sizes.of_new(wanted, [of("01", old), newest], newest) == grown


def test_the_old_go_as_they_can_be_missed():
    def left(wanted: Json, new: Set, *old: Set) -> dict[str, int]:
        return {one.name: count for one, count in sizes.of_old(wanted, old, new)}

    assert left(spec(4), of("02", 1, 0), of("01", 4)) == {"01": 3}
    assert left(spec(4), of("02", 2, 2), of("01", 3)) == {"01": 1}
    assert left(spec(4, 1, 0), of("02", 1, 0), of("01", 4)) == {}  # none may be missing
    assert left(spec(4), of("03", 1, 0), of("01", 2), of("02", 2, 0)) == {"02": 1}  # what does not work goes first
    assert left(spec(0), of("02", 0), of("01", 3)) == {"01": 0}


def test_a_change_of_size_keeps_the_parts():
    def grown(wanted: Json, *sets: Set) -> dict[str, int]:
        return {one.name: count for one, count in sizes.proportional(wanted, sets, sets[-1])}

    both = of("01", 8, most=13), of("02", 5, 0, most=13)
    assert grown(spec(15, 3, 2), *both) == {"01": 11, "02": 7}  # the documentation's own example
    assert grown(spec(6), of("01", 4)) == {"01": 6}
    assert grown(spec(4), of("01", 2), of("02", 4)) == {"01": 0}
    assert sum(grown(spec(0), *both).values()) == 0


@pytest.mark.parametrize(
    ("wanted", "surge", "missing"),
    [(spec(10), 3, 2), (spec(1), 1, 0), (spec(3, 0, 0), 0, 1), (spec(4, 2, 9), 2, 4), (spec(0), 0, 0),
     ({"replicas": 3, "strategy": {"type": "Recreate"}}, 0, 0)],
)  # fmt: skip
def test_shares_of_the_replicas(wanted: Json, surge: int, missing: int):
    assert (sizes.surge(wanted), sizes.unavailable(wanted)) == (surge, missing)


def test_want_of_progress():
    obj: Json = {"metadata": {"name": "d"}, "spec": {"replicas": 2, "progressDeadlineSeconds": 60}}
    counts = dict.fromkeys(("replicas", "updatedReplicas", "readyReplicas", "availableReplicas"), 0)

    def look(seconds: float, **more: int) -> tuple[str, str]:
        now = counts | more
        obj["status"] = {**now, "conditions": progress.conditions(obj, now, "rs", None, NOW + seconds)}
        found = condition(obj["status"]["conditions"], "Progressing")
        return found.get("status", ""), found.get("reason", "")

    assert look(0, replicas=1, updatedReplicas=1) == ("True", "ReplicaSetUpdated")
    assert progress.until_late(obj, NOW) == 61
    assert look(50, replicas=1, updatedReplicas=1) == ("True", "ReplicaSetUpdated")
    assert look(55, replicas=2, updatedReplicas=2) == ("True", "ReplicaSetUpdated")
    assert condition(obj["status"]["conditions"], "Progressing")["lastUpdateTime"] == rfc3339(NOW + 55)
    assert look(116, replicas=2, updatedReplicas=2) == ("False", "ProgressDeadlineExceeded")
    assert progress.until_late(obj, NOW + 116) is None
    done = {"replicas": 2, "updatedReplicas": 2, "readyReplicas": 2, "availableReplicas": 2}
    assert look(120, **done) == ("True", "NewReplicaSetAvailable")
    assert look(500, **{**done, "availableReplicas": 1}) == ("True", "NewReplicaSetAvailable")


def test_pods_count_after_they_have_been_ready_for_a_while():
    cluster = world()
    apps.deployment(cluster, "web", "default", "nginx:1", 2)
    cluster.update("deployments.apps", "default", "web", lambda obj: obj["spec"].update(minReadySeconds=30))
    cluster.agenda.step(15)
    assert len(pods(cluster, "web")) == status(cluster, "deployments.apps", "web")["readyReplicas"] == 2
    assert "availableReplicas" not in status(cluster, "deployments.apps", "web")
    cluster.agenda.step(40)
    assert status(cluster, "deployments.apps", "web")["availableReplicas"] == 2


def test_a_name_that_is_taken_is_no_end():
    cluster = world()
    apps.deployment(cluster, "web", "default", "nginx:1", 1)
    cluster.agenda.step(10)
    (first,) = cluster.store.items("replicasets.apps")
    cluster.update("replicasets.apps", *first.key, lambda obj: obj["metadata"].pop("ownerReferences"))
    cluster.update("deployments.apps", "default", "web", lambda obj: obj["spec"].update(minReadySeconds=1))
    cluster.agenda.step(20)
    assert status(cluster, "deployments.apps", "web")["collisionCount"] == 1
    assert cluster.store.count("replicasets.apps") == 2
    assert status(cluster, "deployments.apps", "web")["availableReplicas"] == 1
