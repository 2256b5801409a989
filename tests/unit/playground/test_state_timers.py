"""What has begun goes on after a kill where it would be: work, waits, graces, deadlines."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from notebook_mux.playground import controllers
from notebook_mux.playground.clock import Agenda, since_epoch
from notebook_mux.playground.cluster import Cluster
from notebook_mux.playground.controllers import recorder
from notebook_mux.playground.controllers.nodes import is_node_ready
from notebook_mux.playground.controllers.parts import condition
from notebook_mux.playground.state.folder import StateFolder
from tests.unit.playground.state_timers import LIVED_S, WANTED
from tests.unit.playground.worlds import NOW, Json, status

DOWN_S = 5.0
ROUNDED_S = 1.0
"""Times in objects are whole seconds."""

SEEN_S = 1.0
"""From a moment to what a controller does about it, images pulled and containers started included where it says so."""


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    """The cluster of `state_timers`, killed and there again some seconds later."""
    folder = tmp_path / "state"
    command = [sys.executable, "-m", "tests.unit.playground.state_timers", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    cluster = Cluster("demo", 0, Agenda(lambda: NOW + LIVED_S + DOWN_S))

    def begin_anew(_: Cluster) -> None:
        raise AssertionError("nothing was kept")

    def go_on(one: Cluster) -> None:
        controllers.start(one)

    with StateFolder(folder, WANTED, WANTED) as state:
        state.fill({"demo": cluster}, begin_anew, go_on)
        yield cluster


def pods(cluster: Cluster, app: str) -> list[Json]:
    found = [one.decode() for one in cluster.store.items("pods", "default") if one.name.startswith(f"{app}-")]
    return sorted(found, key=lambda one: str(one["metadata"]["creationTimestamp"]))


def until(cluster: Cluster, second: float) -> None:
    """Let time pass until so many seconds after the cluster's beginning."""
    cluster.agenda.step(NOW + second - cluster.agenda.now())


def ends(pod: Json) -> Any:
    return pod["status"]["containerStatuses"][0]["state"]["terminated"]


def test_what_has_begun_goes_on_after_a_kill(cluster: Cluster, monkeypatch: pytest.MonkeyPatch):
    before = {app: pods(cluster, app) for app in ("long", "short", "failing", "flaky", "limited", "slow")}
    (leaving,) = [one["metadata"]["name"] for one in before["slow"] if "deletionTimestamp" in one["metadata"]]
    restarts = before["flaky"][0]["status"]["containerStatuses"][0]["restartCount"]
    last_crash = before["flaky"][0]["status"]["containerStatuses"][0]["lastState"]["terminated"]["finishedAt"]
    assert "back-off 20s" in before["flaky"][0]["status"]["containerStatuses"][0]["state"]["waiting"]["message"]

    until(cluster, 42)
    assert leaving in [one["metadata"]["name"] for one in pods(cluster, "slow")], "it takes 25 s to end"
    until(cluster, 47)
    assert leaving not in [one["metadata"]["name"] for one in pods(cluster, "slow")]

    until(cluster, 64)
    assert cluster.get("jobs.batch", "default", "short") is not None
    assert any(one.name.startswith("tick-") for one in cluster.store.items("jobs.batch")), "the minute has come"
    until(cluster, 69)
    assert cluster.get("jobs.batch", "default", "short") is None, "its time after its end is over"
    (node,) = [one for one in cluster.store.items("nodes") if one.name == "node-3"]
    assert is_node_ready(node.decode())

    until(cluster, 100)
    (long,) = pods(cluster, "long")
    assert long["metadata"]["uid"] == before["long"][0]["metadata"]["uid"]
    assert since_epoch(ends(long)["finishedAt"]) - since_epoch(ends(long)["startedAt"]) <= 60 + ROUNDED_S
    first, second, third, fourth = pods(cluster, "failing")
    for failed, next_one, wait in ((first, second, 10), (second, third, 20), (third, fourth, 40)):
        waited = since_epoch(next_one["metadata"]["creationTimestamp"]) - since_epoch(ends(failed)["finishedAt"])
        assert wait - ROUNDED_S <= waited <= wait + DOWN_S + SEEN_S
    flaky = pods(cluster, "flaky")[0]["status"]["containerStatuses"][0]
    assert (flaky["restartCount"], flaky["lastState"]["terminated"]["exitCode"]) == (restarts + 2, 2)
    assert "back-off 1m20s" in flaky["state"]["waiting"]["message"], "after those of 20 s and 40 s"
    assert since_epoch(flaky["lastState"]["terminated"]["startedAt"]) >= since_epoch(last_crash) + 60
    limited = status(cluster, "jobs.batch", "limited")
    late = condition(limited["conditions"], "FailureTarget")
    assert late["reason"] == "DeadlineExceeded"
    assert 0 <= since_epoch(late["lastTransitionTime"]) - since_epoch(limited["startTime"]) - 70 <= SEEN_S + ROUNDED_S
    node = cluster.store.get("nodes", "", "node-3") or node
    assert not is_node_ready(node.decode()), "50 s after its last sign of life"

    until(cluster, 125)
    stuck = condition(status(cluster, "deployments.apps", "stuck")["conditions"], "Progressing")
    assert (stuck["status"], stuck["reason"]) == ("False", "ProgressDeadlineExceeded")

    monkeypatch.setattr(recorder, "KEPT", 20)
    assert cluster.store.count("events") > 20
    until(cluster, 240)
    assert cluster.store.count("events") == 20, "those of before the kill make room too"
