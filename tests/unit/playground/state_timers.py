"""A process that fills a kept cluster with things that have begun, and is then killed.

``python -m tests.unit.playground.state_timers FOLDER``: of a cluster at `worlds.NOW`, `LIVED_S` seconds of its life.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

from notebook_mux.playground import controllers, defaults
from notebook_mux.playground.clock import Agenda
from notebook_mux.playground.cluster import Cluster
from notebook_mux.playground.controllers.nodes import stop
from notebook_mux.playground.controllers.parts import begin_deletion
from notebook_mux.playground.scenarios import apps, base
from notebook_mux.playground.scenarios.apps import MANAGER
from notebook_mux.playground.state.folder import StateFolder
from tests.unit.playground.worlds import NOW

Json = dict[str, Any]
WANTED = {"scenario": "empty", "seed": 0, "clusters": 1}
LIVED_S = 30.0
"""What has been waited for by then is not over yet: the crash loop is in its second back-off, of 20 s."""


def job(cluster: Cluster, name: str, behaviour: str, **spec: Any) -> None:
    """A job of a name."""
    pods = apps.template(name, "busybox:1.37", port=None, behaviour=behaviour, extra={"restartPolicy": "Never"})
    obj: Json = {"kind": "Job", "apiVersion": "batch/v1", "metadata": {"name": name, "namespace": "default"},
                 "spec": {**spec, "template": pods}}  # fmt: skip
    defaults.apply("jobs.batch", obj)
    base.make(cluster, MANAGER, obj)


def build(cluster: Cluster) -> None:
    """What has begun: long and short work, failures, waits, a pod that takes its time to end, a node that is away."""
    base.begin(cluster, nodes=3)
    controllers.start(cluster)
    cluster.agenda.jump(NOW)
    cluster.agenda.step(1)
    # Nothing is to be on the node that will be away.
    cluster.update("nodes", "", "node-3", lambda obj: obj["spec"].update(unschedulable=True))
    cluster.agenda.step(0.5)
    job(cluster, "long", "complete 60")
    job(cluster, "short", "complete 5", ttlSecondsAfterFinished=60)
    job(cluster, "failing", "fail 2", backoffLimit=6)
    job(cluster, "limited", "complete 300", activeDeadlineSeconds=70)
    apps.deployment(cluster, "flaky", "default", "example/flaky:1", 1, behaviour="crash 1 2", port=None)
    apps.deployment(cluster, "stuck", "default", "example/stuck:1", 1, behaviour="no-image", port=None)
    cluster.update("deployments.apps", "default", "stuck", lambda obj: obj["spec"].update(progressDeadlineSeconds=90))
    apps.deployment(cluster, "slow", "default", "example/slow:1", 1, behaviour="stops 25", port=None)
    apps.cron_job(cluster, "tick", "default", "busybox:1.37", "* * * * *", "complete 1")
    cluster.agenda.step(LIVED_S - 11.5)
    stop(cluster, "node-3", grace=50)
    (slow,) = (one for one in cluster.store.items("pods", "default") if one.labels.get("app") == "slow")
    begin_deletion(cluster, slow)
    cluster.agenda.step(10)


def main() -> None:
    """Live, and be killed."""
    state = StateFolder(Path(sys.argv[1]), WANTED, WANTED)
    state.fill({"demo": Cluster("demo", 0, Agenda(lambda: NOW))}, build, lambda _: None)
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main()
