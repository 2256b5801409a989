"""The kubelets of all nodes: a pod's life from ContainerCreating to its end.

What a pod's containers do is said by `behaviour`; without a word of it they run for ever, or (in a job) end well after
some seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from notebook_mux.playground.controllers import behaviour, containers
from notebook_mux.playground.controllers.base import Controller
from notebook_mux.playground.controllers.nodes import is_node_ready
from notebook_mux.playground.controllers.parts import set_condition, set_status
from notebook_mux.playground.store import Key, Stored

Json = dict[str, Any]

CREATE_S = (0.3, 1.2)
PULL_S = (0.6, 2.5)
READY_S = (0.6, 3.0)
STOP_S = (0.8, 2.5)
NEXT_INIT_S = (0.1, 0.4)
"""Seconds, at random within: slow enough to be seen, quick enough to be watched."""

BACK_OFF_S = (10, 20, 40, 80, 160, 300)
"""The kubelet's own (MaxContainerBackOff is 300 s)."""

NOT_READY_AGAIN_S = 2.0
COMPONENT = "kubelet"


@dataclass
class _Life:
    """What a kubelet remembers of a pod: how often it failed, and whether something is planned."""

    failures: int = 0
    planned: bool = False
    stopping: bool = False


class Kubelet(Controller):
    """All kubelets."""

    watches = ("pods",)

    def start(self) -> None:
        """Begin with nothing remembered."""
        self._lives: dict[str, _Life] = {}
        super().start()

    def sync(self, key: Key) -> None:
        """Do what a pod's state asks for next."""
        stored = self.store.get("pods", *key)
        if stored is None or not stored.fields["spec.nodeName"]:
            return
        life = self._lives.setdefault(stored.uid, _Life())
        node = self.cluster.get("nodes", "", stored.fields["spec.nodeName"])
        if node is None or not is_node_ready(node):
            if stored.deleting and node is None:
                self._forget(stored)
            else:
                self.later(NOT_READY_AGAIN_S, key)
            return
        if stored.deleting:
            if not life.stopping:
                life.stopping = True
                self._stop(stored)
        elif stored.fields["status.phase"] == "Pending" and not life.planned:
            life.planned = True
            self._plan(CREATE_S, stored, self._creating)

    def _plan(self, seconds: tuple[float, float] | float, stored: Stored, action: Any) -> None:
        """Do something with a pod later, if it is still there, not being deleted, and its node is ready."""
        wait = self.random.uniform(*seconds) if isinstance(seconds, tuple) else seconds

        def act() -> None:
            now = self.store.get("pods", *stored.key)
            if now is None or now.uid != stored.uid or now.deleting:
                return
            node = self.cluster.get("nodes", "", now.fields["spec.nodeName"])
            if node is not None and not is_node_ready(node):
                self.agenda.after(NOT_READY_AGAIN_S, act)
                return
            action(now, now.decode())

        self.agenda.after(wait, act)

    # ------------------------------------------------------------------------------------------- its steps

    def _creating(self, stored: Stored, obj: Json) -> None:
        """The sandbox is made, images are pulled."""
        stamp = self.agenda.stamp()
        node = self.cluster.get("nodes", "", stored.fields["spec.nodeName"]) or {}
        address = containers.node_address(node)
        status: Json = {"hostIP": address, "hostIPs": [{"ip": address}], "startTime": stamp}
        init = obj["spec"].get("initContainers") or []
        waiting = {"waiting": {"reason": "PodInitializing" if init else "ContainerCreating"}}
        status["containerStatuses"] = [containers.waiting(one, waiting) for one in obj["spec"]["containers"]]
        if init:
            obj["status"]["initContainerStatuses"] = [containers.waiting(one, waiting) for one in init]
        self._set(obj, {**status, **self._conditions(obj, stamp, ready=False, sandbox=False)})
        for one in obj["spec"]["containers"]:
            self._say(stored, "Pulling", f'Pulling image "{one["image"]}"', one["name"])
        if behaviour.of(obj).kind == "no-image":
            self._plan(PULL_S, stored, self._no_image)
        else:
            self._plan(PULL_S, stored, self._initialise if init else self._running)

    def _initialise(self, stored: Stored, obj: Json) -> None:
        """The next init container starts; after the last the containers do."""
        statuses = obj["status"]["initContainerStatuses"]
        index = next((at for at, one in enumerate(statuses) if not containers.is_initialised(one)), None)
        if index is None:
            self._running(stored, obj)
            return
        container, stamp = obj["spec"]["initContainers"][index], self.agenda.stamp()
        statuses[index] = containers.running(self.cluster, container, statuses[index], stamp)
        sidecar = container.get("restartPolicy") == "Always"
        statuses[index] |= {"started": sidecar, "ready": sidecar}
        self._set(obj, self._conditions(obj, stamp, ready=False))
        self._say(stored, "Started", "Container started", container["name"], kind="initContainers")
        outcome = behaviour.of_init(container)
        if sidecar:
            self._plan(NEXT_INIT_S, stored, self._initialise)
        elif outcome is not None:
            seconds, code = outcome
            self._plan(seconds, stored, lambda now, state: self._initialised(now, state, index, code))

    def _initialised(self, stored: Stored, obj: Json, index: int, code: int) -> None:
        """An init container has ended: well, for good, or to be started again."""
        stamp, status = self.agenda.stamp(), obj["status"]["initContainerStatuses"][index]
        containers.end(status, stamp, code=code)
        status["ready"] = code == 0
        failed = {"phase": "Failed"} if code and obj["spec"].get("restartPolicy") == "Never" else {}
        self._set(obj, {**failed, **self._conditions(obj, stamp, ready=False)})
        if not code:
            self._plan(NEXT_INIT_S, stored, self._initialise)
        elif not failed:
            wait = self._next_wait(stored)
            self._plan(1.0, stored, lambda now, state: self._back_off(
                now, state, state["status"]["initContainerStatuses"][index], wait, self._initialise))  # fmt: skip

    def _no_image(self, stored: Stored, obj: Json) -> None:
        image = obj["spec"]["containers"][0]["image"]
        name = obj["spec"]["containers"][0]["name"]
        said = f'Failed to pull image "{image}": {image}: not found'
        self._say(stored, "Failed", said, name, warning=True)
        back_off = {"reason": "ImagePullBackOff", "message": f'Back-off pulling image "{image}"'}
        for one in obj["status"]["containerStatuses"]:
            one["state"] = {"waiting": back_off}
        self._set(obj, {})
        self._say(stored, "BackOff", f'Back-off pulling image "{image}"', name)

    def _running(self, stored: Stored, obj: Json) -> None:
        """The containers that do not run start, for the first time or again."""
        stamp = self.agenda.stamp()
        life = self._lives.setdefault(stored.uid, _Life())
        before = {one["name"]: one for one in obj["status"].get("containerStatuses") or ()}
        run = {name for name, one in before.items() if "running" in one["state"]}
        started = [one for one in obj["spec"]["containers"] if one["name"] not in run]
        statuses = before | {
            one["name"]: containers.running(self.cluster, one, before.get(one["name"], {}), stamp) for one in started
        }
        status: Json = {"phase": "Running", "containerStatuses": list(statuses.values())}
        if "podIP" not in obj["status"]:
            address = obj["status"]["hostIP"] if obj["spec"].get("hostNetwork") else self._address(stored)
            status |= {"podIP": address, "podIPs": [{"ip": address}]}
        self._set(obj, {**status, **self._conditions(obj, stamp, ready=False)})
        for one in started:
            took = f"{self.random.uniform(0.2, 2.4):.3f}s"
            size = self.random.randint(20_000_000, 190_000_000)
            said = (
                f'Successfully pulled image "{one["image"]}" in {took} ({took} including waiting). '
                f"Image size: {size} bytes."
            )
            if not life.failures:
                self._say(stored, "Pulled", said, one["name"])
            self._say(stored, "Created", f"Container created: {one['name']}", one["name"])
            self._say(stored, "Started", "Container started", one["name"])
        kind, seconds, _ = behaviour.of(obj)
        if kind in ("complete", "fail"):
            self._plan(seconds, stored, self._ended)
        else:
            self._plan(READY_S, stored, self._ready)
        if kind == "crash":
            self._plan(seconds, stored, self._crashed)

    def _ready(self, stored: Stored, obj: Json) -> None:
        """The readiness probes pass."""
        for one in obj["status"]["containerStatuses"]:
            one["ready"] = "running" in one["state"]
        ready = all(one["ready"] for one in obj["status"]["containerStatuses"])
        self._set(obj, self._conditions(obj, self.agenda.stamp(), ready=ready))

    def _ended(self, stored: Stored, obj: Json) -> None:
        """The containers end by themselves; they are not started again."""
        stamp = self.agenda.stamp()
        kind, _, code = behaviour.of(obj)
        failed = kind == "fail"
        for one in obj["status"]["containerStatuses"]:
            containers.end(one, stamp, code=code or int(failed))
        phase = "Failed" if failed else "Succeeded"
        conditions = self._conditions(obj, stamp, ready=False, completed=not failed)
        self._set(obj, {"phase": phase, **conditions})

    def _crashed(self, stored: Stored, obj: Json) -> None:
        """The first container ends, and should not; it is started again after a growing wait."""
        stamp = self.agenda.stamp()
        first = obj["status"]["containerStatuses"][0]
        code = behaviour.of(obj).code
        containers.end(first, stamp, code=self.random.choice((1, 1, 2, 137)) if code is None else code)
        wait = self._next_wait(stored)
        self._set(obj, self._conditions(obj, stamp, ready=False))
        self._plan(1.0, stored, lambda now, state: self._back_off(
            now, state, state["status"]["containerStatuses"][0], wait, self._running))  # fmt: skip

    def _next_wait(self, stored: Stored) -> int:
        """Seconds until a container that has failed is started again: more each time."""
        life = self._lives.setdefault(stored.uid, _Life())
        life.failures += 1
        return BACK_OFF_S[min(life.failures, len(BACK_OFF_S)) - 1]

    def _back_off(self, stored: Stored, obj: Json, first: Json, wait: int, again: Any) -> None:
        text = f"{wait}s" if wait < 60 else f"{wait // 60}m{wait % 60}s"
        name, pod = first["name"], f"{stored.name}_{stored.namespace}({stored.uid})"
        said = f"back-off {text} restarting failed container={name} pod={pod}"
        first["lastState"] = {"terminated": first["state"]["terminated"]}
        first["state"] = {"waiting": {"reason": "CrashLoopBackOff", "message": said}}
        self._set(obj, {})
        about = f"Back-off restarting failed container {name} in pod {pod}"
        self._say(stored, "BackOff", about, name, warning=True)
        self._plan(float(wait), stored, again)

    # ------------------------------------------------------------------------------------------- its end

    def _stop(self, stored: Stored) -> None:
        obj = stored.decode()
        grace = obj["metadata"].get("deletionGracePeriodSeconds", 30)
        for one in obj["spec"]["containers"]:
            self._say(stored, "Killing", f"Stopping container {one['name']}", one["name"])
        wait = min(grace, self.random.uniform(*STOP_S))
        self.agenda.after(wait, lambda: self._forget(stored))

    def _forget(self, stored: Stored) -> None:
        now = self.store.get("pods", *stored.key)
        if now is None or now.uid != stored.uid:
            return
        self._lives.pop(stored.uid, None)
        obj = now.decode()
        if obj["metadata"].get("finalizers"):
            obj["metadata"]["deletionGracePeriodSeconds"] = 0
            self.cluster.put(now, obj)
            return
        stamp = self.agenda.stamp()
        for kind in ("initContainerStatuses", "containerStatuses"):
            for one in obj["status"].get(kind) or ():
                if "running" in one["state"]:
                    containers.end(one, stamp, code=0)
        conditions = self._conditions(obj, stamp, ready=False)
        self._set(obj, {"phase": "Succeeded", **conditions} if stored.fields["status.podIP"] else conditions)
        self.cluster.remove("pods", *stored.key)

    # ------------------------------------------------------------------------------------------- its words

    def _set(self, obj: Json, status: Json) -> None:
        stored = self.store.get("pods", obj["metadata"]["namespace"], obj["metadata"]["name"])
        if stored is not None:
            set_status(obj, COMPONENT, self.agenda.stamp(), status)
            self.cluster.put(stored, obj)

    @staticmethod
    def _conditions(obj: Json, stamp: str, *, ready: bool, sandbox: bool = True, completed: bool = False) -> Json:
        status: Json = {"conditions": [dict(one) for one in obj["status"].get("conditions") or ()]}
        why: Json = {}
        if completed:
            why = {"reason": "PodCompleted"}
        elif not ready:
            names = " ".join(one["name"] for one in obj["spec"]["containers"])
            why = {"reason": "ContainersNotReady", "message": f"containers with unready status: [{names}]"}
        uninitialised = [one["name"] for one in obj["status"].get("initContainerStatuses") or ()
                         if not containers.is_initialised(one)]  # fmt: skip
        before: Json = {"reason": "PodCompleted"} if completed else {}
        if uninitialised:
            said = f"containers with incomplete status: [{' '.join(uninitialised)}]"
            before = {"reason": "ContainersNotInitialized", "message": said}
        for kind, value, more in (
            ("PodReadyToStartContainers", sandbox, {}),
            ("Initialized", not uninitialised, before),
            ("Ready", ready, why),
            ("ContainersReady", ready, why),
            ("PodScheduled", True, {}),
        ):
            set_condition(status, kind, value, stamp, lastProbeTime=None, **more)
        return status

    def _say(
        self, stored: Stored, reason: str, message: str, container: str, *, warning: bool = False,
        kind: str = "containers",
    ) -> None:  # fmt: skip
        field = f"spec.{kind}{{{container}}}"
        node = stored.fields["spec.nodeName"]
        self.recorder.event(stored, reason, message, component=COMPONENT, host=node, warning=warning, field=field)

    def _address(self, stored: Stored) -> str:
        node = stored.fields["spec.nodeName"]
        number = sum(ord(letter) for letter in node) % 8
        return f"10.244.{number}.{self.random.randint(2, 250)}"
