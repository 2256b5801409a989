"""How many replicas a metric asks for (kubernetes/pkg/controller/podautoscaler/replica_calculator.go)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from notebook_mux.playground.clock import since_epoch
from notebook_mux.playground.cluster import Cluster
from notebook_mux.playground.controllers.parts import condition
from notebook_mux.playground.metrics import quantity
from notebook_mux.playground.metrics.figures import Figures
from notebook_mux.playground.metrics.serving import of_pod, scraped
from notebook_mux.playground.selectors import match_expressions
from notebook_mux.playground.store import Stored

Json = dict[str, Any]

TOLERANCE = 0.1
"""--horizontal-pod-autoscaler-tolerance."""

INITIAL_S = 300.0
"""--horizontal-pod-autoscaler-cpu-initialization-period."""

NOT_YET_S = 30.0
"""--horizontal-pod-autoscaler-initial-readiness-delay."""

ELSEWHERE = {
    "Pods": ("FailedGetPodsMetric", "pods", "custom.metrics.k8s.io", "custom"),
    "Object": ("FailedGetObjectMetric", "object", "custom.metrics.k8s.io", "custom"),
    "External": ("FailedGetExternalMetric", "external", "external.metrics.k8s.io", "external"),
}
"""Metrics that only an adapter has, and there is none."""


class NoReplicas(Exception):
    """A metric does not say how many replicas there are to be; the message says why.

    Attributes:
        reason: One word.
        whole: The message as the controller passes it on.
    """

    def __init__(self, reason: str, message: str, before: str):
        super().__init__(message)
        self.reason = reason
        self.whole = f"failed to get {before} metric value: {message}"


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a metric asks for.

    Args:
        replicas: How many.
        metric: What it is called in a reason.
        status: The metric's current value, as the autoscaler's status has it.
    """

    replicas: int
    metric: str
    status: Json


class Group:
    """The pods of a target, and what they use.

    Args:
        cluster: Their cluster.
        namespace: Their namespace.
        selector: The target's.
        now: Unix seconds.
    """

    def __init__(self, cluster: Cluster, namespace: str, selector: Json, now: float):
        matches = match_expressions(selector)
        self.now = now
        self.scraped = scraped(cluster)
        figures = Figures(cluster, self.scraped)
        self.pods: list[tuple[Stored, Json]] = [
            (one, one.decode()) for one in cluster.store.items("pods", namespace) if matches(one.labels)
        ]
        self.metrics: dict[str, dict[str, Json]] = {}
        for stored, _ in self.pods:
            found = of_pod(figures, stored, self.scraped)
            if found is not None:
                self.metrics[stored.name] = {one["name"]: one["usage"] for one in found["containers"]}

    def used(self, resource: str, container: str) -> dict[str, int]:
        """What each pod that is measured uses, in thousandths."""
        found = {}
        for name, usages in self.metrics.items():
            chosen = usages if not container else {container: usages[container]} if container in usages else {}
            if chosen:
                found[name] = sum(quantity.milli(one[resource]) for one in chosen.values())
        return found

    def requests(self, resource: str, container: str) -> dict[str, int]:
        """What each pod requests, in thousandths.

        Raises:
            ValueError: One of them requests nothing; the message says which.
        """
        found = {}
        for stored, pod in self.pods:
            beside = [one for one in pod["spec"].get("initContainers") or () if one.get("restartPolicy") == "Always"]
            containers = [one for one in (*pod["spec"]["containers"], *beside) if container in ("", one["name"])]
            if not containers:
                raise ValueError(f"container {container} not found in Pod {stored.name}")
            total = 0
            for one in containers:
                said = ((one.get("resources") or {}).get("requests") or {}).get(resource)
                if said is None:
                    raise ValueError(f"missing request for {resource} in container {one['name']} of Pod {stored.name}")
                total += quantity.milli(said)
            found[stored.name] = total
        return found

    def sort(self, used: dict[str, int], resource: str) -> tuple[int, set[str], set[str]]:
        """How many pods count, which are not ready for it, and which are not measured; those that go are left out."""
        ready, unready, missing = 0, set[str](), set[str]()
        for stored, pod in self.pods:
            phase = stored.fields["status.phase"]
            if stored.deleting or phase == "Failed":
                used.pop(stored.name, None)
            elif phase == "Pending" or (stored.name in used and resource == "cpu" and self._is_young(pod)):
                used.pop(stored.name, None)
                unready.add(stored.name)
            elif stored.name not in used:
                missing.add(stored.name)
            else:
                ready += 1
        return ready, unready, missing

    def _is_young(self, pod: Json) -> bool:
        """Whether what a pod uses says nothing yet of what it will use."""
        status = pod["status"]
        found, begun = condition(status.get("conditions"), "Ready"), status.get("startTime")
        if not found or not begun:
            return True
        changed, start = (since_epoch(one) for one in (found["lastTransitionTime"], begun))
        unready = found["status"] == "False"
        if start + INITIAL_S > self.now:
            return unready or self.scraped < changed + self._window
        return unready and start + NOT_YET_S > changed

    _window = 15.0


def propose(group: Group, metric: Json, current: int, behaviour: Json | None) -> Proposal:
    """What a metric asks for.

    Args:
        group: The target's pods.
        metric: Of the autoscaler's spec.
        current: How many replicas there are.
        behaviour: Of the autoscaler's spec.

    Raises:
        NoReplicas: It says nothing.
    """
    kind = metric["type"]
    if kind in ELSEWHERE:
        reason, before, api, called = ELSEWHERE[kind]
        name = ((metric.get(kind.lower()) or {}).get("metric") or {}).get("name", "")
        raise NoReplicas(reason, f"unable to get metric {name}: unable to fetch metrics from {called} metrics API: "
                                 f"no {called} metrics API ({api}) registered", before)  # fmt: skip
    field = "resource" if kind == "Resource" else "containerResource"
    said = metric[field]
    resource, container, target = said["name"], said.get("container", ""), said["target"]
    tolerances = _tolerances(behaviour)
    wanted = "utilization" if "averageUtilization" in target else "usage"
    try:
        used = group.used(resource, container)
        if not used:
            why = f"unable to get metrics for resource {resource}: no metrics returned from resource metrics API"
            raise ValueError(why)
        if wanted == "utilization":
            replicas, value = _by_utilisation(group, used, resource, container, target, current, tolerances)
        else:
            replicas, value = _by_value(group, used, resource, target, current, tolerances)
    except ValueError as why:
        reason = "FailedGetResourceMetric" if kind == "Resource" else "FailedGetContainerResourceMetric"
        before = f"{resource} resource" if kind == "Resource" else f"{container} container"
        raise NoReplicas(reason, f"failed to get {resource} {wanted}: {why}", before) from None
    called = f"{resource} resource"
    if wanted == "utilization":
        middle = "" if kind == "Resource" else " container"
        called = f"{resource}{middle} resource utilization (percentage of request)"
    which: Json = {"name": resource, **({"container": container} if container else {})}
    return Proposal(replicas, called, {"type": kind, field: {**which, "current": value}})


def _by_utilisation(
    group: Group, used: dict[str, int], resource: str, container: str, target: Json, current: int,
    tolerances: tuple[float, float],
) -> tuple[int, Json]:  # fmt: skip
    goal = int(target["averageUtilization"])
    ready, unready, missing = group.sort(used, resource)
    if not used:
        raise ValueError("did not receive metrics for targeted pods (pods might be unready)")
    requests = group.requests(resource, container)
    ratio, percent, raw = _utilisation(used, requests, goal)
    value = {"averageUtilization": percent, "averageValue": _quantity(resource, raw)}
    grows = bool(unready) and ratio > 1
    if not grows and not missing:
        return current if _is_within(ratio, tolerances) else math.ceil(ratio * ready), value
    least = max(100, goal) if ratio < 1 else 0
    if ratio != 1:
        used |= {name: requests[name] * least // 100 for name in missing}
    if grows:
        used |= dict.fromkeys(unready, 0)
    again, _, _ = _utilisation(used, requests, goal)
    return _second_thought(ratio, again, len(used), current, tolerances), value


def _by_value(
    group: Group, used: dict[str, int], resource: str, target: Json, current: int, tolerances: tuple[float, float]
) -> tuple[int, Json]:
    goal = quantity.milli(target["averageValue"])
    ready, unready, missing = group.sort(used, resource)
    if not used:
        raise ValueError("did not receive metrics for targeted pods (pods might be unready)")
    average = sum(used.values()) // len(used)
    ratio = average / goal
    value = {"averageValue": _quantity(resource, average)}
    grows = bool(unready) and ratio > 1
    if not grows and not missing:
        return current if _is_within(ratio, tolerances) else math.ceil(ratio * ready), value
    if ratio != 1:
        used |= dict.fromkeys(missing, goal if ratio < 1 else 0)
    if grows:
        used |= dict.fromkeys(unready, 0)
    again = sum(used.values()) // len(used) / goal
    return _second_thought(ratio, again, len(used), current, tolerances), value


def _second_thought(first: float, again: float, count: int, current: int, tolerances: tuple[float, float]) -> int:
    """The proposal once pods that are not measured are counted too: never in the other direction."""
    if _is_within(again, tolerances) or (first < 1 < again) or (again < 1 < first):
        return current
    found = math.ceil(again * count)
    return current if (again < 1 and found > current) or (again > 1 and found < current) else found


def _utilisation(used: dict[str, int], requests: dict[str, int], goal: int) -> tuple[float, int, int]:
    total = sum(requests[name] for name in used if name in requests)
    if not total:
        raise ValueError("no metrics returned matched known pods")
    amount = sum(used.values())
    percent = amount * 100 // total
    return percent / goal, percent, amount // len(used)


def _is_within(ratio: float, tolerances: tuple[float, float]) -> bool:
    down, up = tolerances
    return 1 - down <= ratio <= 1 + up


def _tolerances(behaviour: Json | None) -> tuple[float, float]:
    found = [((behaviour or {}).get(one) or {}).get("tolerance") for one in ("scaleDown", "scaleUp")]
    down, up = (TOLERANCE if one is None else quantity.value(one) for one in found)
    return down, up


def _quantity(resource: str, amount: int) -> str:
    """A number of thousandths as the controller writes it: memory in the largest binary unit that fits."""
    return quantity.of_milli(amount, memory=resource == "memory")
