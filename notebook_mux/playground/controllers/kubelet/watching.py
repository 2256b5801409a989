"""Containers that run: when they end by themselves, and what their probes find.

A probe that passes and will go on to pass is not asked again: only what may change is on the agenda.
"""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING, Any

from notebook_mux.playground.clock import since_epoch
from notebook_mux.playground.controllers import behaviour
from notebook_mux.playground.controllers.kubelet import probes, status
from notebook_mux.playground.controllers.kubelet.lives import Life
from notebook_mux.playground.controllers.kubelet.probes import LIVENESS, READINESS, STARTUP, Probing
from notebook_mux.playground.store import Stored

if TYPE_CHECKING:
    from notebook_mux.playground.controllers.kubelet.agent import Kubelet

Json = dict[str, Any]

FIRST_S = (0.5, 2.0)
"""Of a container, until its first probe."""


class Watching:
    """What a kubelet does while a container runs.

    Args:
        kubelet: Whose it is.
    """

    def __init__(self, kubelet: Kubelet):
        self._kubelet = kubelet
        self._running: set[asyncio.Task[None]] = set()

    @staticmethod
    def forget(life: Life, name: str) -> None:
        """Probe a container no more, until it is watched again."""
        for kind in (READINESS, LIVENESS, STARTUP):
            life.counts.pop(f"{kind}/{name}", None)
            life.cancel(f"{kind}/{name}")

    def watch(self, stored: Stored, obj: Json, life: Life, kind: str, container: Json, now: Json) -> None:
        """Plan a running container's end and its probes, where they are not yet."""
        name = container["name"]
        if f"kill/{name}" in life.timers:
            return
        begun = since_epoch(now["state"]["running"]["startedAt"])
        left = begun - self._kubelet.agenda.now()
        ends = behaviour.stages(obj, container).ends
        if ends is not None:
            self._kubelet.plan(stored, life, f"end/{name}", max(0.0, left + ends),
                               lambda now, state, live: self._kubelet.stopping.end(now, state, live, kind, container),
                               keep=True)  # fmt: skip
        else:
            life.cancel(f"end/{name}")
        if kind == "ephemeralContainers" or (kind == "initContainers" and not status.is_sidecar(container)):
            return
        for which in (READINESS, LIVENESS) if now.get("started") else (STARTUP,):
            probing = probes.of(self._kubelet.cluster, obj, container, which)
            if probing is None or f"{which}/{name}" in life.counts:
                continue
            life.counts[f"{which}/{name}"] = 0
            if left < 0 and which == READINESS and now["ready"] and self._goes_on(probing, -left):
                continue  # a pod that was taken over as it runs
            first = max(0.0, left) + probing.delay + self._kubelet.random.uniform(*FIRST_S)
            self._plan(stored, life, kind, container, which, first)

    def again(self, stored: Stored, obj: Json, life: Life, name: str) -> None:
        """Ask a container's HTTP probes that rest, since they passed, on their beat again."""
        for kind in ("initContainers", "containers"):
            for container in obj["spec"].get(kind) or ():
                for which in (READINESS, LIVENESS) if container["name"] == name else ():
                    probing, key = probes.of(self._kubelet.cluster, obj, container, which), f"{which}/{name}"
                    if (
                        probing is not None
                        and "httpGet" in probing.probe
                        and key in life.counts.keys() - life.timers.keys()
                    ):
                        self._plan(stored, life, kind, container, which, probing.period)

    def _plan(self, stored: Stored, life: Life, kind: str, container: Json, which: str, wait: float) -> None:
        self._kubelet.plan(stored, life, f"{which}/{container['name']}", wait,
                           lambda now, state, live: self._probe(now, state, live, kind, container, which))  # fmt: skip

    def _probe(self, stored: Stored, obj: Json, life: Life, kind: str, container: Json, which: str) -> None:
        """Ask once; a command is run, and tells later."""
        name = container["name"]
        now = status.statuses(obj, kind).get(name)
        probing = probes.of(self._kubelet.cluster, obj, container, which)
        if now is None or probing is None or "running" not in now["state"]:
            return
        at = self._kubelet.agenda.now() - since_epoch(now["state"]["running"]["startedAt"])
        if probing.runs and not probing.is_declared_bad(at):
            task = asyncio.ensure_future(self._run(stored, life, kind, now["containerID"], probing))
            self._running.add(task)
            task.add_done_callback(self._running.discard)
            return
        self._told(stored, obj, life, kind, now, probing, at, probing.problem(at))

    async def _run(self, stored: Stored, life: Life, kind: str, run: str, probing: Probing) -> None:
        """Run a probe's command, and go on with its container if that still runs then."""
        problem = await probing.run()
        found = self._kubelet.store.get("pods", *stored.key)
        if found is None or found.uid != stored.uid or found.deleting:
            return
        obj = found.decode()
        now = status.statuses(obj, kind).get(probing.container["name"])
        if now is not None and "running" in now["state"] and now["containerID"] == run:
            at = self._kubelet.agenda.now() - since_epoch(now["state"]["running"]["startedAt"])
            self._told(found, obj, life, kind, now, probing, at, problem)

    def _told(
        self, stored: Stored, obj: Json, life: Life, kind: str, now: Json, probing: Probing, at: float,
        problem: str | None,
    ) -> None:  # fmt: skip
        """Count what a probe said, do what that means, and plan when to ask again."""
        container, which = probing.container, probing.kind
        name = container["name"]
        key = f"{which}/{name}"
        count = life.counts.get(key, 0)
        life.counts[key] = count = max(count, 0) + 1 if problem is None else min(count, 0) - 1
        if problem is not None:
            said = f"{which} probe failed: {problem}"
            self._kubelet.say(stored, life, "Unhealthy", said, name, warning=True, kind=kind)
        stopped = self._judge(stored, obj, life, kind, container, now, probing, count)
        if not stopped and (wait := self._until_next(probing, at, count)) is not None:
            self._plan(stored, life, kind, container, which, wait)

    @staticmethod
    def _until_next(probing: Probing, at: float, count: int) -> float | None:
        """Seconds until a probe may find something else, on its own beat; None if it never will."""
        if count < probing.successes:
            return probing.period
        if probing.kind == STARTUP:
            return None
        change = probing.changes_after(at)
        return None if change == math.inf else probing.period * max(1, math.ceil((change - at) / probing.period))

    @staticmethod
    def _goes_on(probing: Probing, at: float) -> bool:
        return probing.problem(at) is None and probing.changes_after(at) == math.inf

    def _judge(
        self, stored: Stored, obj: Json, life: Life, kind: str, container: Json, now: Json, probing: Probing, count: int
    ) -> bool:
        """Do what a probe's answers mean; whether the container is stopped."""
        life.settled = False
        if count >= probing.successes:
            if probing.kind == STARTUP:
                now["started"] = True
                now["ready"] = "readinessProbe" not in container
            elif probing.kind == READINESS:
                now["ready"] = True
        elif -count >= probing.failures:
            if probing.kind != READINESS:
                self._kill(stored, obj, life, kind, container, probing)
                return True
            now["ready"] = False
        self._kubelet.put(stored, obj)
        return False

    def _kill(self, stored: Stored, obj: Json, life: Life, kind: str, container: Json, probing: Probing) -> None:
        said = f"Container {container['name']} failed {probing.kind.lower()} probe"
        if status.restarts(obj, container, 1, init=kind == "initContainers"):
            said += ", will be restarted"
        grace = probing.probe.get("terminationGracePeriodSeconds")
        self._kubelet.stopping.stop_container(stored, obj, life, kind, container, said, grace=grace)
