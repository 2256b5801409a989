"""What comes after a container: its end, the wait until it is started again, and the end of its pod."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from notebook_mux.playground import managed
from notebook_mux.playground.clock import since_epoch
from notebook_mux.playground.controllers import behaviour, containers
from notebook_mux.playground.controllers.kubelet import status
from notebook_mux.playground.controllers.kubelet.lives import Life
from notebook_mux.playground.store import Stored
from notebook_mux.playground.stories.commands import outcome

if TYPE_CHECKING:
    from notebook_mux.playground.controllers.kubelet.agent import Kubelet

Json = dict[str, Any]

STOP_S = (0.8, 2.5)
"""What a program takes to end that is told to, where nothing tells."""

CLEAN_S = (0.1, 0.5)
"""Of a pod in which nothing runs."""

LEAST_GRACE_S = 2.0
"""A container gets it even where no grace is left (minimumGracePeriodInSeconds)."""

GRACE_S = 30
"""terminationGracePeriodSeconds where a pod says nothing."""

SYNC_S = (10.0, 13.0)
CRASHES = (1, 1, 2, 137)
"""Exit codes of a crash that names none."""

KILLED, TERMINATED = 137, 143
"""128 and the number of SIGKILL and SIGTERM."""

OOM = "OOMKilled"


class Stopping:
    """What a kubelet does once a container has ended, or is to.

    Args:
        kubelet: Whose it is.
    """

    def __init__(self, kubelet: Kubelet):
        self._kubelet = kubelet

    # ------------------------------------------------------------------------------------------ one container

    def end(self, stored: Stored, obj: Json, life: Life, kind: str, container: Json) -> None:
        """A container ends by itself, as its behaviour says."""
        found = behaviour.stages(obj, container)
        code = self._kubelet.random.choice(CRASHES) if found.code is None else found.code
        killed = found.oom or (found.code is None and code == KILLED)
        self.ended(stored, obj, life, kind, container["name"], code, OOM if killed else "")

    def ended(self, stored: Stored, obj: Json, life: Life, kind: str, name: str, code: int, reason: str = "") -> None:
        """A container has ended."""
        now = status.statuses(obj, kind)[name]
        if "running" not in now["state"]:
            return
        containers.end(now, self._kubelet.agenda.stamp(), code=code, reason=reason)
        now["ready"] = kind == "initContainers" and code == 0
        if kind == "ephemeralContainers":
            del now["started"]
        life.settled = False
        life.cancel(f"end/{name}", f"kill/{name}")
        self._kubelet.watching.forget(life, name)
        self._kubelet.put(stored, obj)

    def stop_container(
        self,
        stored: Stored,
        obj: Json,
        life: Life,
        kind: str,
        container: Json,
        said: str,
        *,
        grace: float | None = None,
    ) -> None:
        """Tell a container to end; it does after a while, or is killed after its grace."""
        name = container["name"]
        if f"kill/{name}" in life.timers:
            return
        self._kubelet.watching.forget(life, name)
        self._kubelet.say(stored, life, "Killing", said or f"Stopping container {name}", name, kind=kind)
        if grace is None:
            grace = obj["spec"].get("terminationGracePeriodSeconds", GRACE_S)
        seconds, code = self._how(obj, container, float(grace))
        self._kubelet.plan(stored, life, f"kill/{name}", seconds,
                           lambda now, state, live: self.ended(now, state, live, kind, name, code))  # fmt: skip

    def _how(self, obj: Json, container: Json, grace: float) -> tuple[float, int]:
        """How long a container takes to end that is told to, and with which exit code."""
        hook = ((container.get("lifecycle") or {}).get("preStop")) or {}
        before = float((hook.get("sleep") or {}).get("seconds") or 0)
        if words := (hook.get("exec") or {}).get("command"):
            before += (outcome({"command": words}) or (0.1, 0))[0]
        stops = behaviour.stages(obj, container).stops
        after = self._kubelet.random.uniform(*STOP_S) if stops is None else stops
        most = max(grace, LEAST_GRACE_S)
        if before + after > most:
            return most, KILLED
        shell = bool(container.get("command") or container.get("args"))
        return before + after, TERMINATED if shell and stops is None else 0

    # ---------------------------------------------------------------------------------------- until it is back

    def back_off(self, stored: Stored, life: Life, kind: str, container: Json, wait: float) -> None:
        """Say after a moment that a container that has ended waits for its next start."""
        self._kubelet.plan(stored, life, f"start/{container['name']}", wait,
                           lambda now, state, live: self._waits(now, state, live, kind, container))  # fmt: skip

    def _waits(self, stored: Stored, obj: Json, life: Life, kind: str, container: Json) -> None:
        """The wait before a container's next start; what it is for is said again and again."""
        name, agenda = container["name"], self._kubelet.agenda
        now = status.statuses(obj, kind)[name]
        ended = now["state"].get("terminated") or (now.get("lastState") or {}).get("terminated")
        since = since_epoch(ended["finishedAt"]) if ended else 0.0
        left = life.remaining(f"c/{name}", since, agenda.now())
        if left <= 0:
            life.next(f"c/{name}", since)
            self._kubelet.starting.pull(stored, obj, life, kind, container)
            return
        whole = f"{stored.name}_{stored.namespace}({stored.uid})"
        wait = life.backoffs[f"c/{name}"].seconds
        said = f"back-off {_duration(wait)} restarting failed container={name} pod={whole}"
        if ended and "terminated" in now["state"]:
            now["lastState"] = {"terminated": ended}
        now["state"] = {"waiting": {"reason": "CrashLoopBackOff", "message": said}}
        self._kubelet.say(stored, life, "BackOff", f"Back-off restarting failed container {name} in pod {whole}", name,
                          warning=True, kind=kind)  # fmt: skip
        self._kubelet.put(stored, obj)
        self.back_off(stored, life, kind, container, min(left, self._kubelet.random.uniform(*SYNC_S)))

    # -------------------------------------------------------------------------------------------- a whole pod

    def end_all(self, stored: Stored, obj: Json, life: Life) -> None:
        """Stop all containers of a pod that has come to its end; its phase is set already."""
        life.cancel()
        for kind in ("containers", "initContainers"):
            for container in obj["spec"].get(kind) or ():
                now = status.statuses(obj, kind).get(container["name"])
                if now is not None and "running" in now["state"]:
                    self.stop_container(stored, obj, life, kind, container, "")
        self._kubelet.put(stored, obj)

    def stop(self, stored: Stored, life: Life) -> None:
        """Stop a pod that is being deleted; once more, sooner, if its grace has become shorter."""
        obj = stored.decode()
        grace = float(obj["metadata"].get("deletionGracePeriodSeconds", GRACE_S))
        agenda = self._kubelet.agenda
        if life.stopping:
            entry = life.timers.get("gone")
            if entry is not None and entry.due > agenda.now() + max(grace, LEAST_GRACE_S):
                self._kubelet.plan(stored, life, "gone", grace, self._gone, stopping=True)
            return
        life.stopping = True
        life.cancel()
        wait = 0.0
        for kind in ("containers", "initContainers", "ephemeralContainers"):
            for container in obj["spec"].get(kind) or ():
                now = status.statuses(obj, kind).get(container["name"])
                if now is not None and "running" in now["state"]:
                    name = container["name"]
                    if not life.taken:
                        self._kubelet.say(stored, life, "Killing", f"Stopping container {name}", name, kind=kind)
                    wait = max(wait, self._how(obj, container, grace)[0])
        wait = min(wait or self._kubelet.random.uniform(*CLEAN_S), max(grace, LEAST_GRACE_S))
        if life.taken:  # it was told to end so long before the time by which it has to be gone
            wait = max(0.0, wait - (agenda.now() + grace - since_epoch(obj["metadata"]["deletionTimestamp"])))
        self._kubelet.plan(stored, life, "gone", wait, self._gone, stopping=True)

    def _gone(self, stored: Stored, obj: Json, life: Life) -> None:
        """All containers of a pod have ended."""
        stamp = self._kubelet.agenda.stamp()
        grace = float(obj["metadata"].get("deletionGracePeriodSeconds", GRACE_S))
        ran = False
        for kind in ("initContainers", "containers", "ephemeralContainers"):
            for container in obj["spec"].get(kind) or ():
                now = status.statuses(obj, kind).get(container["name"])
                if now is not None and "running" in now["state"]:
                    code = self._how(obj, container, grace)[1]
                    containers.end(now, stamp, code=KILLED if code == KILLED else 0)
                    ran = True
        if ran:
            obj["status"]["phase"] = status.phase(obj, terminal=True)
        obj["status"]["conditions"] = status.conditions(obj, stamp, sandbox=False)
        managed.record(obj, "kubelet", stamp, {"status": obj["status"]}, subresource="status")
        if obj["metadata"].get("finalizers"):
            obj["metadata"]["deletionGracePeriodSeconds"] = 0
            self._kubelet.cluster.put(stored, obj)
            return
        self._kubelet.cluster.put(stored, obj)
        self._kubelet.cluster.remove("pods", *stored.key)


def _duration(seconds: float) -> str:
    """``20s``, ``2m40s``, as Go writes it."""
    whole = int(seconds)
    return f"{whole}s" if whole < 60 else f"{whole // 60}m{whole % 60}s"
