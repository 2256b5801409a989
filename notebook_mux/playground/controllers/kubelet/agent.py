"""The kubelets' frame: looking at pods, planning, writing their status and events, and what comes next for each."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from notebook_mux.playground import managed
from notebook_mux.playground.clock import since_epoch
from notebook_mux.playground.controllers import containers, nodes
from notebook_mux.playground.controllers.base import Controller
from notebook_mux.playground.controllers.kubelet import public, status
from notebook_mux.playground.controllers.kubelet.lives import Life
from notebook_mux.playground.controllers.kubelet.starting import Starting
from notebook_mux.playground.controllers.kubelet.stopping import Stopping
from notebook_mux.playground.controllers.kubelet.watching import Watching
from notebook_mux.playground.history import Change
from notebook_mux.playground.store import Key, Stored

Json = dict[str, Any]
Action = Callable[[Stored, Json, Life], object]

CREATE_S = (0.3, 1.2)
"""Until a kubelet has looked at a new pod: slow enough to be seen, quick enough to be watched."""

AWAY_S = 2.0
"""After which it is looked again whether a node that was away is back."""

COMPONENT = "kubelet"
POD_NETWORK = "10.244"
KINDS = ("initContainers", "containers", "ephemeralContainers")
FIELDS = {"initContainers": "initContainerStatuses", "containers": "containerStatuses",
          "ephemeralContainers": "ephemeralContainerStatuses"}  # fmt: skip
DEADLINE = "Pod was active on the node longer than the specified deadline"

OF_INTEREST = (b'"ephemeralContainers"', b'"readinessGates"', b'"playground.notebook-mux/')
"""What makes a change to a pod that runs matter to its kubelet, besides a new generation of its spec."""


class Kubelet(Controller):
    """All kubelets."""

    watches = ("pods", "nodes")

    def start(self) -> None:
        """Begin with nothing remembered; pods that run already are taken over."""
        self._lives: dict[Key, Life] = {}
        self._nodes: dict[str, tuple[int, bool, str]] = {}
        self._addresses: dict[str, int] = {}
        self.starting = Starting(self)
        self.stopping = Stopping(self)
        self.watching = Watching(self)
        public.register(self)
        for one in self.store.items("pods"):
            if one.fields["status.phase"] not in status.FINISHED:
                self._lives[one.key] = Life.taken_over(one.uid, one.content)
        super().start()

    def keys(self, change: Change) -> Iterable[Key]:
        """A pod's own key; those of all pods of a node that is away or back."""
        if change.new.kind.resource == "pods":
            return (change.new.key,)
        up = change.type != "DELETED" and self._look(change.new)[1]
        was = self._nodes.pop(change.new.name, (0, up, ""))[1]
        if up == was:
            return ()
        return [one.key for one in self.store.items("pods") if one.fields["spec.nodeName"] == change.new.name]

    def sync(self, key: Key) -> None:
        """Do what a pod's state asks for next."""
        stored = self.store.get("pods", *key)
        life = self._lives.get(key)
        if life is not None and (stored is None or stored.uid != life.uid):
            self.forget(key)
            life = None
        if stored is None or not stored.fields["spec.nodeName"]:
            return
        if life is None:
            life = self._lives[key] = Life(stored.uid)
        elif life.settled and not stored.deleting and not self._matters(stored, life):
            return
        if not self.is_up(stored):
            return
        if stored.deleting:
            self.stopping.stop(stored, life)
        elif stored.fields["status.phase"] not in status.FINISHED:
            self.advance(stored, life)
        elif not life.timers:
            self.forget(key)

    @staticmethod
    def _matters(stored: Stored, life: Life) -> bool:
        return (
            stored.fields["status.phase"] != "Running"
            or f'"generation":{life.generation}'.encode() not in stored.body
            or any(mark in stored.body for mark in OF_INTEREST)
        )

    # ------------------------------------------------------------------------------------------ what comes next

    def advance(self, stored: Stored, life: Life) -> None:
        """Do what comes next for a pod that is to run."""
        obj = stored.decode()
        if not obj["status"].get("startTime"):
            self.plan(stored, life, "admit", CREATE_S, self._admit, keep=True)
            return
        self._plan_deadline(stored, obj, life)
        if not life.mounted and not obj["status"].get("podIP"):
            self.starting.mount(stored, obj, life)
            return
        life.mounted = True
        renewed = self._resize(obj, life)
        for kind, container in self._turn(obj):
            self.starting.consider(stored, obj, life, kind, container)
        changed = obj != stored.content
        if changed or renewed or obj["spec"].get("readinessGates"):
            self.put(stored, obj)
        life.settled = not changed and obj["status"].get("phase") == "Running" and not life.timers

    def _turn(self, obj: Json) -> Iterable[tuple[str, Json]]:
        """Whose turn it is: init containers one after the other, then all others at once."""
        known = status.statuses(obj, "initContainers")
        begun = status.has_begun(obj)
        for container in obj["spec"].get("initContainers") or ():
            sidecar = status.is_sidecar(container)
            if begun and not sidecar:
                continue
            if sidecar or not status.is_initialised(container, known.get(container["name"])):
                yield "initContainers", container
            known = status.statuses(obj, "initContainers")
            if not begun and not status.is_initialised(container, known.get(container["name"])):
                return
        for kind in ("containers", "ephemeralContainers"):
            for container in obj["spec"].get(kind) or ():
                yield kind, container

    def _admit(self, stored: Stored, obj: Json, life: Life) -> None:
        """The kubelet has seen the pod."""
        said = public.declared(self.cluster).of(obj)
        if said:
            obj["metadata"].setdefault("annotations", {})["playground.notebook-mux/behaviour"] = said
        address = self.address(stored)
        init = obj["spec"].get("initContainers") or []
        waits = {"waiting": {"reason": "PodInitializing" if init else "ContainerCreating"}}
        obj["status"] |= {"hostIP": address, "hostIPs": [{"ip": address}], "startTime": self.agenda.stamp()}
        obj["status"]["containerStatuses"] = [containers.waiting(one, waits) for one in obj["spec"]["containers"]]
        if init:
            obj["status"]["initContainerStatuses"] = [containers.waiting(one, waits) for one in init]
        self.put(stored, obj)
        self.mark(stored.key)

    def _plan_deadline(self, stored: Stored, obj: Json, life: Life) -> None:
        seconds = obj["spec"].get("activeDeadlineSeconds")
        if seconds is None or "deadline" in life.timers:
            return
        begun = since_epoch(obj["status"]["startTime"])
        self.plan(stored, life, "deadline", max(0.0, begun + seconds - self.agenda.now()), self._expire)

    def _expire(self, stored: Stored, obj: Json, life: Life) -> None:
        self.say(stored, life, "DeadlineExceeded", DEADLINE)
        obj["status"] |= {"phase": "Failed", "reason": "DeadlineExceeded", "message": DEADLINE}
        self.stopping.end_all(stored, obj, life)

    def _resize(self, obj: Json, life: Life) -> bool:
        """Give running containers the resources of a newer spec; whether it is newer."""
        generation = obj["metadata"].get("generation", 1)
        if generation == life.generation:
            return False
        life.generation = generation
        for kind in ("initContainers", "containers"):
            known = status.statuses(obj, kind)
            for container in obj["spec"].get(kind) or ():
                now, wanted = known.get(container["name"]), container.get("resources") or {}
                if now is not None and "running" in now["state"] and now.get("resources", wanted) != wanted:
                    now["resources"] = wanted
                    if "requests" in wanted:
                        now["allocatedResources"] = wanted["requests"]
        return True

    # ------------------------------------------------------------------------------------------- for its parts

    def plan(
        self, stored: Stored, life: Life, purpose: str, seconds: tuple[float, float] | float, action: Action, *,
        keep: bool = False, stopping: bool = False,
    ) -> None:  # fmt: skip
        """Do something with a pod later, if it is still there; a node that is away does it once it is back.

        Args:
            stored: The pod.
            life: What is remembered of it.
            purpose: What else was planned for it is planned no more.
            seconds: After how many, at random within two.
            action: What; it is given the pod, a copy to change, and the life.
            keep: Whether what was planned for the same purpose stays instead.
            stopping: Whether it is for a pod that is being deleted; else that ends it.
        """
        if purpose in life.timers:
            if keep:
                return
            life.cancel(purpose)
        wait = self.random.uniform(*seconds) if isinstance(seconds, tuple) else seconds

        def act() -> None:
            life.timers.pop(purpose, None)
            now = self.store.get("pods", *stored.key)
            if now is None or now.uid != life.uid or (now.deleting and not stopping):
                return
            if not self.is_up(now):
                life.timers[purpose] = self.agenda.after(AWAY_S, act)
                return
            action(now, now.decode(), life)

        life.timers[purpose] = self.agenda.after(wait, act)

    def put(self, stored: Stored, obj: Json) -> Stored:
        """Write a pod's status, with the phase and the conditions that its containers mean."""
        now = self.store.get("pods", *stored.key)
        if now is None or now.uid != stored.uid:
            return stored
        found = obj["status"]
        found["phase"] = status.phase(obj)
        found["observedGeneration"] = obj["metadata"].get("generation", 1)
        stamp = self.agenda.stamp()
        found["conditions"] = status.conditions(obj, stamp, sandbox=bool(found.get("podIP")))
        if obj == now.content:
            return now
        managed.record(obj, COMPONENT, stamp, {"status": obj["status"]}, subresource="status")
        return self.cluster.put(now, obj)

    def say(
        self, stored: Stored, life: Life, reason: str, message: str, container: str = "", *, warning: bool = False,
        kind: str = "containers",
    ) -> None:  # fmt: skip
        """Record an event about a pod, or about one of its containers; no more than a kubelet sends."""
        if not life.may_say(self.agenda.now()):
            return
        field = f"spec.{kind}{{{container}}}" if container else ""
        node = stored.fields["spec.nodeName"]
        self.recorder.event(stored, reason, message, component=COMPONENT, host=node, warning=warning, field=field)

    def life(self, stored: Stored) -> Life:
        """What is remembered of a pod."""
        found = self._lives.get(stored.key)
        if found is None or found.uid != stored.uid:
            found = self._lives[stored.key] = Life(stored.uid)
        return found

    def forget(self, key: Key) -> None:
        """Remember nothing of a pod, and do nothing more with it."""
        life = self._lives.pop(key, None)
        if life is not None:
            life.cancel()

    def is_up(self, stored: Stored) -> bool:
        """Whether the kubelet of a pod's node works."""
        return self._node(stored)[1]

    def address(self, stored: Stored) -> str:
        """The address of a pod's node."""
        return self._node(stored)[2]

    def _node(self, stored: Stored) -> tuple[int, bool, str]:
        name = stored.fields["spec.nodeName"]
        node = self.store.get("nodes", "", name)
        if node is None:
            return 0, False, "127.0.0.1"
        known = self._nodes.get(name)
        if known is None or known[0] != node.revision:
            known = self._nodes[name] = self._look(node)
        return known

    @staticmethod
    def _look(node: Stored) -> tuple[int, bool, str]:
        obj = node.content
        return node.revision, not nodes.is_silent(obj), containers.node_address(obj)

    def new_address(self, stored: Stored, obj: Json) -> str:
        """The address of a pod's sandbox: the node's, or the next of the node's network."""
        if obj["spec"].get("hostNetwork"):
            return self.address(stored)
        name = stored.fields["spec.nodeName"]
        node = self.cluster.get("nodes", "", name) or {}
        network = (node.get("spec") or {}).get("podCIDR") or f"{POD_NETWORK}.0.0/24"
        number = self._addresses.get(name)
        if number is None:
            here = (one for one in self.store.items("pods") if one.fields["spec.nodeName"] == name)
            last = (one.fields["status.podIP"].rpartition(".")[2] for one in here)
            number = max((int(one) for one in last if one.isdigit()), default=1)
        self._addresses[name] = number = number % 253 + 2 if number >= 254 else number + 1
        return f"{network.rpartition('.')[0]}.{number}"

    # -------------------------------------------------------------------------------------------- for everybody

    def kill(self, namespace: str, pod: str, container: str, code: int, reason: str = "") -> bool:
        """End a container at once; see `public.kill`."""
        stored = self.store.get("pods", namespace, pod)
        if stored is None:
            return False
        obj, life = stored.decode(), self.life(stored)
        for kind in KINDS:
            now = status.statuses(obj, kind).get(container)
            if now is not None and "running" in now["state"]:
                self.stopping.ended(stored, obj, life, kind, container, code, reason)
                return True
        return False

    def probe_again(self, namespace: str, pod: str, container: str) -> None:
        """Ask a container's HTTP probes again; see `public.probe_again`."""
        stored, life = self.store.get("pods", namespace, pod), self._lives.get((namespace, pod))
        if stored is not None and life is not None and stored.uid == life.uid:
            self.watching.again(stored, stored.decode(), life, container)
