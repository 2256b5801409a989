"""The scheduler: a node for each pod, the emptiest that is ready."""

from __future__ import annotations

from collections import Counter
from typing import Any

from notebook_mux.playground.controllers.base import Controller
from notebook_mux.playground.controllers.nodes import is_node_ready
from notebook_mux.playground.controllers.parts import set_condition
from notebook_mux.playground.store import Key, Stored

Json = dict[str, Any]

AGAIN_S = 5.0
"""A pod without a place is looked at again after so long, or when it changes."""

COMPONENT = "default-scheduler"


class Scheduler(Controller):
    """The scheduler."""

    watches = ("pods",)

    def sync(self, key: Key) -> None:
        """Find a node for a pod that has none."""
        stored = self.store.get("pods", *key)
        if stored is None or stored.deleting or stored.fields["spec.nodeName"]:
            return
        if stored.fields["spec.schedulerName"] not in ("", COMPONENT):
            return
        obj = stored.decode()
        fitting, why = self._fitting(obj["spec"])
        if not fitting:
            self._no_place(stored, why)
            self.later(AGAIN_S, key)
            return
        load = Counter(one.fields["spec.nodeName"] for one in self.store.items("pods"))
        node = min(fitting, key=lambda name: (load[name], name))

        def place(pod: Json) -> None:
            pod["spec"]["nodeName"] = node
            set_condition(pod["status"], "PodScheduled", True, self.agenda.stamp(), lastProbeTime=None)
            for condition in pod["status"]["conditions"]:
                if condition["type"] == "PodScheduled":
                    condition.pop("reason", None)
                    condition.pop("message", None)

        if self.cluster.update("pods", *key, place) is not None:
            said = f"Successfully assigned {stored.namespace}/{stored.name} to {node}"
            self.recorder.event(stored, "Scheduled", said, component=COMPONENT)

    def _fitting(self, spec: Json) -> tuple[list[str], Counter[str]]:
        wanted = (spec.get("nodeSelector") or {}).items()
        fitting, why = [], Counter[str]()
        for node in self.store.items("nodes"):
            obj = node.decode()
            if obj["spec"].get("unschedulable"):
                why["node(s) were unschedulable"] += 1
            elif not is_node_ready(obj):
                why["node(s) had untolerated taint(s)"] += 1
            elif not wanted <= dict(node.labels).items():
                why["node(s) didn't match Pod's node affinity/selector"] += 1
            else:
                fitting.append(node.name)
        return fitting, why

    def _no_place(self, stored: Stored, why: Counter[str]) -> None:
        total = self.store.count("nodes")
        reasons = ", ".join(f"{count} {reason}" for reason, count in sorted(why.items()))
        said = f"0/{total} nodes are available: {reasons}." if why else "no nodes available to schedule pods"

        def change(pod: Json) -> None:
            set_condition(pod["status"], "PodScheduled", False, self.agenda.stamp(), lastProbeTime=None,
                          reason="Unschedulable", message=said)  # fmt: skip

        self.cluster.update("pods", *stored.key, change)
        self.recorder.event(stored, "FailedScheduling", said, component=COMPONENT, warning=True)
