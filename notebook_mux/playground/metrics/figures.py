"""What containers and nodes use at a time: declared, or plausible.

A figure depends on the cluster's seed, the object and the time alone, so it is the same for all who ask, however often,
and moves slowly as real ones do. It follows what a container does: it starts busy, a crash loop is always starting,
nothing is used where nothing runs. Declared are, by annotations of a pod (or ``/cpu.NAME`` of one container)

* ``playground.notebook-mux/cpu``: ``250m``, or ``90%`` of the request;
* ``playground.notebook-mux/memory``: ``200Mi``, or ``64Mi+2Mi/s``, more each second since its start;

and by an annotation of a workload (Deployment, StatefulSet, ReplicaSet) its work as a whole, which its ready pods have:

* ``playground.notebook-mux/load``: ``800m``, or ``300%`` of one pod's request.

A workload with a HorizontalPodAutoscaler and no load of its own has one that wanders about the autoscaler's target, so
that it has something to do; it is nothing for an image that says so itself (``hpa-example``), whose load are the pods
that ask its service in a loop (``while sleep 0.01; do wget -q -O- http://php-apache; done``).
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from notebook_mux.playground.clock import since_epoch
from notebook_mux.playground.cluster import Cluster
from notebook_mux.playground.controllers import behaviour
from notebook_mux.playground.controllers.parts import is_ready
from notebook_mux.playground.metrics import quantity
from notebook_mux.playground.selectors import match_expressions
from notebook_mux.playground.stories.commands import image_name, script_of

Json = dict[str, Any]

CPU = f"{behaviour.PREFIX}cpu"
LOAD = f"{behaviour.PREFIX}load"

MIB = 2.0**20
BUSY_START_S = 20.0
"""A program that starts is busy for so long, less and less."""

WAVES_S = (420.0, 1500.0, 5400.0)
"""Seconds of the waves that a figure is made of."""

SHARE_OF_CPU, SHARE_OF_MEMORY = (0.12, 0.45), (0.35, 0.8)
"""Of a request, that a container usually uses."""

CPU_CORES, MEMORY_MIB = (0.001, 0.012), (8.0, 60.0)
"""Of a container without requests."""

IDLE_CORES, IDLE_MIB = 0.00002, 0.9
"""Of a script that sleeps."""

SYSTEM_CORES, SYSTEM_MIB = (0.09, 0.18), (620.0, 900.0)
"""Of a node beside its pods: kubelet, runtime, kernel."""

ASKED_CORES = 0.6
"""What one pod that asks a service in a loop makes it work."""

ASKING_CORES, QUIET_CORES = 0.01, 0.001
"""What asking takes, and a program that nobody asks."""

WARM_S = 120.0
"""Until a program has the memory that it usually has."""

TARGETS = {"Deployment": "deployments.apps", "StatefulSet": "statefulsets.apps", "ReplicaSet": "replicasets.apps"}
AUTOSCALERS = "horizontalpodautoscalers.autoscaling"
QUIET = frozenset({"hpa-example"})
"""Images that work only while somebody asks them."""

_ASKS = re.compile(r"https?://([a-z0-9-]+)(?:\.([a-z0-9-]+))?")


class Usage(NamedTuple):
    """What is used: cores, bytes."""

    cpu: float
    memory: float


class Figures:
    """What everything in a cluster uses at one time. What several pods have in common is looked up once.

    Args:
        cluster: The cluster.
        now: Unix seconds.
    """

    def __init__(self, cluster: Cluster, now: float):
        self._cluster = cluster
        self._now = now
        self._workloads: dict[str, tuple[str, Json] | None] = {}
        self._shares: dict[str, float | None] = {}
        self._asked: dict[tuple[str, str], int] | None = None

    def of_pod(self, pod: Json) -> dict[str, Usage]:
        """What each running container of a pod uses, by name; sidecars too."""
        found: dict[str, Usage] = {}
        running = list(_running(pod))
        share = self._share_of_load(pod) if running else None
        first = pod["spec"]["containers"][0]["name"]
        for container, status in running:
            since = self._now - since_epoch(status["state"]["running"]["startedAt"])
            own = share if container["name"] == first else None
            found[container["name"]] = Usage(self._cpu(pod, container, since, own), self._memory(pod, container, since))
        return found

    def of_node(self, node: Json) -> Usage:
        """What a node uses: its pods, and what it needs itself."""
        seed, name = f"{self._cluster.seed}/node", node["metadata"]["name"]
        cpu = _within(SYSTEM_CORES, _wave(f"{seed}/{name}/cpu", self._now))
        memory = _within(SYSTEM_MIB, _wave(f"{seed}/{name}/memory", self._now)) * MIB
        for stored in self._cluster.store.items("pods"):
            if stored.fields["spec.nodeName"] == name and stored.fields["status.phase"] == "Running":
                for used in self.of_pod(stored.decode()).values():
                    cpu, memory = cpu + used.cpu, memory + used.memory
        room = (node.get("status") or {}).get("allocatable") or {}
        most_cpu, most_memory = (quantity.value(room.get(one, "1e15")) for one in ("cpu", "memory"))
        return Usage(min(cpu, most_cpu), min(memory, most_memory))

    # ------------------------------------------------------------------------------------------------ containers

    def _cpu(self, pod: Json, container: Json, since: float, share: float | None) -> float:
        limit, request = _limit(container, "cpu"), requested(container, "cpu")
        said = _said(pod, CPU, container["name"])
        if said:
            try:
                return min(limit, _amount(said, request))
            except ValueError:
                pass
        seed = f"{self._cluster.seed}/{_name(pod)}/{container['name']}"
        ripple = 0.97 + 0.06 * _wave(f"{seed}/ripple", self._now)
        if share is not None:
            return min(limit, share * ripple)
        if script_of(container) is not None:
            return IDLE_CORES * ripple
        if asked_by(container):
            return min(limit, ASKING_CORES * ripple)
        # The pods of one workload do much the same.
        part = _hash(f"{self._cluster.seed}/{_owner(pod)}/{container['name']}")
        usual = _within(CPU_CORES, part) if request is None else _within(SHARE_OF_CPU, part) * request
        busy = 1 + 4 * max(0.0, 1 - since / BUSY_START_S)
        return min(limit, usual * (0.7 + 0.6 * _wave(seed, self._now)) * busy)

    def _memory(self, pod: Json, container: Json, since: float) -> float:
        limit, request = _limit(container, "memory"), requested(container, "memory")
        said = _said(pod, behaviour.MEMORY, container["name"])
        if said:
            try:
                begin, rate = behaviour.memory_of(said)
                return min(limit, begin + rate * max(0.0, since))
            except ValueError:
                pass
        if script_of(container) is not None:
            return IDLE_MIB * MIB
        seed = f"{self._cluster.seed}/{_name(pod)}/{container['name']}/memory"
        part = _hash(f"{self._cluster.seed}/{_owner(pod)}/{container['name']}/memory")
        usual = _within(MEMORY_MIB, part) * MIB if request is None else _within(SHARE_OF_MEMORY, part) * request
        warm = min(1.0, 0.6 + 0.4 * since / WARM_S)
        return min(limit, usual * warm * (0.95 + 0.1 * _wave(seed, self._now)))

    # ------------------------------------------------------------------------------------------- a workload's work

    def _share_of_load(self, pod: Json) -> float | None:
        """A pod's part of its workload's work, cores; None where that has none of its own."""
        owner = _owner(pod)
        if owner not in self._workloads:
            self._workloads[owner] = self._workload(pod)
        found = self._workloads[owner]
        if found is None:
            return None
        resource, obj = found
        uid = obj["metadata"]["uid"]
        if uid not in self._shares:
            total = self._load(resource, obj, pod)
            self._shares[uid] = None if total is None else total / max(1, self._ready(obj))
        share = self._shares[uid]
        return share if share is None or is_ready(pod) else 0.0

    def _ready(self, obj: Json) -> int:
        matches = match_expressions(obj["spec"].get("selector"))
        return sum(
            one.fields["status.phase"] == "Running" and not one.deleting and matches(one.labels)
            and is_ready(one.decode())
            for one in self._cluster.store.items("pods", obj["metadata"]["namespace"])
        )  # fmt: skip

    def _workload(self, pod: Json) -> tuple[str, Json] | None:
        """The topmost workload of a pod, and its resource; None for a pod of its own."""
        namespace, obj, found = pod["metadata"]["namespace"], pod, None
        for _ in range(2):
            owners = obj["metadata"].get("ownerReferences") or ()
            owner = next((one for one in owners if one.get("controller")), None)
            resource = TARGETS.get(owner["kind"], "") if owner else ""
            above = self._cluster.get(resource, namespace, owner["name"]) if owner and resource else None
            if above is None:
                break
            obj, found = above, (resource, above)
        return found

    def _load(self, resource: str, obj: Json, pod: Json) -> float | None:
        """The work of a workload as a whole, cores; None where it has none of its own."""
        container = pod["spec"]["containers"][0]
        request = requested(container, "cpu")
        said = (obj["metadata"].get("annotations") or {}).get(LOAD)
        if said:
            try:
                return _amount(said, request)
            except ValueError:
                return None
        asked = ASKED_CORES * self._askers(obj)
        if image_name(container.get("image", "")) in QUIET:
            return asked + QUIET_CORES
        return asked or self._wandering(resource, obj, request)

    def _wandering(self, resource: str, obj: Json, request: float | None) -> float | None:
        """The work of a workload with an autoscaler, about what that aims at."""
        autoscaler = self._autoscaler(resource, obj)
        if autoscaler is None or request is None:
            return None
        spec = autoscaler["spec"]
        metric: Json = next((one["resource"]["target"] for one in spec.get("metrics") or ()
                       if one.get("type") == "Resource" and one["resource"]["name"] == "cpu"), {})  # fmt: skip
        goal = float(metric.get("averageUtilization", 0)) / 100 * request
        if not goal:
            return None
        span = (0.6 * spec.get("minReplicas", 1), 1.05 * spec["maxReplicas"])
        return goal * _within(span, _wave(f"{self._cluster.seed}/{_name(obj)}/load", self._now))

    def _autoscaler(self, resource: str, obj: Json) -> Json | None:
        for stored in self._cluster.store.items(AUTOSCALERS, obj["metadata"]["namespace"]):
            found = stored.decode()
            target = found["spec"]["scaleTargetRef"]
            if TARGETS.get(target.get("kind", "")) == resource and target.get("name") == obj["metadata"]["name"]:
                return found
        return None

    def _askers(self, obj: Json) -> int:
        """How many containers ask a service of a workload again and again."""
        if self._asked is None:
            self._asked = self._all_askers()
        if not self._asked:
            return 0
        namespace = obj["metadata"]["namespace"]
        labels = ((obj["spec"].get("template") or {}).get("metadata") or {}).get("labels") or {}
        return sum(
            self._asked.get((namespace, one.name), 0)
            for one in self._cluster.store.items("services", namespace)
            if (wanted := one.decode()["spec"].get("selector")) and wanted.items() <= labels.items()
        )

    def _all_askers(self) -> dict[tuple[str, str], int]:
        found: dict[tuple[str, str], int] = {}
        for stored in self._cluster.store.items("pods"):
            if stored.fields["status.phase"] != "Running" or stored.deleting or b"http://" not in stored.body:
                continue
            for container, _ in _running(stored.decode()):
                if asked := asked_by(container):
                    key = (asked[1] or stored.namespace, asked[0])
                    found[key] = found.get(key, 0) + 1
        return found


def _running(pod: Json) -> Iterator[tuple[Json, Json]]:
    status = pod.get("status") or {}
    for kind, field in (("containers", "containerStatuses"), ("initContainers", "initContainerStatuses")):
        known = {one["name"]: one for one in status.get(field) or ()}
        for container in pod["spec"].get(kind) or ():
            now = known.get(container["name"])
            if now is not None and "running" in now["state"]:
                yield container, now


def requested(container: Json, resource: str) -> float | None:
    """What a container requests; its limit where it requests nothing; None without both."""
    resources = container.get("resources") or {}
    said = (resources.get("requests") or {}).get(resource, (resources.get("limits") or {}).get(resource))
    return None if said is None else quantity.value(said)


def _limit(container: Json, resource: str) -> float:
    said = ((container.get("resources") or {}).get("limits") or {}).get(resource)
    return math.inf if said is None else quantity.value(said)


# ------------------------------------------------------------------------------------------------------- chance


def _hash(text: str) -> float:
    """A number from 0 to 1 for a text, the same each time."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=6).digest()) / 2**48


def _wave(seed: str, now: float) -> float:
    """A number from 0 to 1 that wanders slowly."""
    total = sum(math.sin(2 * math.pi * (now / length + _hash(f"{seed}/{length}"))) for length in WAVES_S)
    return 0.5 + total / (2 * len(WAVES_S))


def _within(span: tuple[float, float], part: float) -> float:
    return span[0] + part * (span[1] - span[0])


def _said(pod: Json, key: str, container: str) -> str:
    annotations = pod["metadata"].get("annotations") or {}
    return str(annotations.get(f"{key}.{container}") or annotations.get(key) or "")


def _amount(said: str, request: float | None) -> float:
    if said.endswith("%"):
        return float(said[:-1]) / 100 * (request or 0.0)
    return quantity.value(said)


def _owner(pod: Json) -> str:
    owners = pod["metadata"].get("ownerReferences") or ()
    return next((str(one["uid"]) for one in owners if one.get("controller")), pod["metadata"]["uid"])


def asked_by(container: Json) -> tuple[str, str] | None:
    """The service and, if it is said, its namespace that a container's command asks in a loop; None if it asks none."""
    words = " ".join(str(one) for one in (*(container.get("command") or ()), *(container.get("args") or ())))
    if "while" not in words and "until" not in words and not words.startswith(("hey ", "ab ", "wrk ")):
        return None
    found = _ASKS.search(words)
    return (found[1], found[2] or "") if found else None


def _name(obj: Json) -> str:
    """What chance goes by: a cluster that begins anew has the same names, and other uids."""
    return f"{obj['metadata']['namespace']}/{obj['metadata']['name']}"
