"""Horizontal pod autoscalers, on a load that wanders."""

from __future__ import annotations

import math
from typing import Any

from notebook_mux.playground.controllers.base import Controller
from notebook_mux.playground.controllers.parts import MANAGER, set_condition, set_status
from notebook_mux.playground.store import Key

Json = dict[str, Any]

KIND = "horizontalpodautoscalers.autoscaling"
PERIOD_S = 15.0
"""The controller's own period (--horizontal-pod-autoscaler-sync-period)."""

TOLERANCE = 0.1
STEP = 25
"""Per cent of a request that the load moves within a period, at most."""

COMPONENT = "horizontal-pod-autoscaler"
TARGETS = {"Deployment": "deployments.apps", "StatefulSet": "statefulsets.apps", "ReplicaSet": "replicasets.apps"}


class Autoscaler(Controller):
    """The controller of autoscalers."""

    watches = (KIND,)

    def start(self) -> None:
        """Look at all of them every period."""
        self._load: dict[str, float] = {}
        super().start()
        self.agenda.every(PERIOD_S, lambda: self.mark(*[one.key for one in self.store.items(KIND)]))

    def keys(self, change: Any) -> Any:
        """None: only the period counts."""
        return (change.new.key,) if change.type == "ADDED" else ()

    def sync(self, key: Key) -> None:
        """Let the load wander, and scale by it."""
        stored = self.store.get(KIND, *key)
        if stored is None or stored.deleting:
            return
        spec = stored.decode()["spec"]
        target = spec["scaleTargetRef"]
        resource = TARGETS.get(target.get("kind", ""), "")
        found = self.store.get(resource, key[0], target.get("name", "")) if resource else None
        metric = next((one for one in spec.get("metrics") or () if one.get("type") == "Resource"), None)
        if found is None or metric is None:
            return
        goal = metric["resource"]["target"].get("averageUtilization", 80)
        replicas = max(1, found.decode()["spec"].get("replicas", 1))
        load = self._wander(stored.uid, goal, spec)
        used = max(1, round(load / replicas))
        wanted = replicas
        if abs(used / goal - 1) > TOLERANCE:
            wanted = math.ceil(replicas * used / goal)
        wanted = min(max(wanted, spec.get("minReplicas", 1)), spec["maxReplicas"])
        if wanted != replicas:
            self.cluster.update(resource, *found.key, lambda obj: obj["spec"].update(replicas=wanted))
            why = "cpu resource utilization (percentage of request) above target" if wanted > replicas else \
                  "All metrics below target"  # fmt: skip
            self.recorder.event(stored, "SuccessfulRescale", f"New size: {wanted}; reason: {why}", component=COMPONENT)
        self._tell(key, replicas, wanted, used, metric["resource"]["name"])

    def _wander(self, uid: str, goal: int, spec: Json) -> float:
        low, high = float(goal * spec.get("minReplicas", 1) * 0.6), float(goal * spec["maxReplicas"] * 1.05)
        load = self._load.get(uid, (low + high) / 2) + self.random.uniform(-1, 1) * STEP / 100 * (high - low)
        self._load[uid] = load = min(max(load, low), high)
        return load

    def _tell(self, key: Key, replicas: int, wanted: int, used: int, name: str) -> None:
        stamp = self.agenda.stamp()

        def change(obj: Json) -> None:
            status: Json = {"conditions": list((obj.get("status") or {}).get("conditions") or ())}
            set_condition(status, "AbleToScale", True, stamp, reason="ReadyForNewScale",
                          message="recommended size matches current size")  # fmt: skip
            set_condition(status, "ScalingActive", True, stamp, reason="ValidMetricFound",
                          message="the HPA was able to successfully calculate a replica count")  # fmt: skip
            current = {"averageUtilization": used, "averageValue": f"{used * 2}m"}
            status |= {
                "currentReplicas": replicas,
                "desiredReplicas": wanted,
                "currentMetrics": [{"type": "Resource", "resource": {"name": name, "current": current}}],
            }
            if wanted != replicas:
                status["lastScaleTime"] = stamp
            set_status(obj, MANAGER, stamp, status)

        self.cluster.update(KIND, *key, change)
