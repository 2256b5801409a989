"""Writes the cluster's events, as controllers and kubelets do: one for each cause, counted when it comes again."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from notebook_mux.playground import managed
from notebook_mux.playground.clock import rfc3339_micro
from notebook_mux.playground.cluster import Cluster
from notebook_mux.playground.store import Key, Stored

Json = dict[str, Any]

CONTROL_PLANE = "control-plane"
"""The host that the control plane's parts say they are on."""

KEPT = 400
"""Events that a cluster keeps; a real one keeps them for an hour."""


class Recorder:
    """Writes events into a cluster."""

    def __init__(self, cluster: Cluster):
        self._cluster = cluster
        there = sorted(cluster.store.items("events"), key=lambda one: one.revision)
        self._known: OrderedDict[tuple[str, ...], Key] = OrderedDict(((one.uid,), one.key) for one in there)

    def event(
        self, about: Stored, reason: str, message: str, *, component: str, host: str = "", warning: bool = False,
        field: str = "", action: str = "",
    ) -> None:  # fmt: skip
        """Record that something happened to an object.

        Args:
            about: The object.
            reason: One word.
            message: A sentence.
            component: Who says so.
            host: On which node, for a kubelet.
            warning: Whether it is of type Warning.
            field: The part of the object, such as ``spec.containers{web}``.
            action: What was done, for those who write events of ``events.k8s.io`` (KEP-383), as the scheduler does:
                these are counted as a series, whatever their message.
        """
        if action:
            self._of_series(about, reason, message, component, warning, action)
            return
        cause = (about.uid, reason, message, component, field)
        stamp = self._cluster.agenda.stamp()
        if (key := self._known.get(cause)) is not None:

            def again(event: Json) -> None:
                event["count"] += 1
                event["lastTimestamp"] = stamp

            if self._cluster.update("events", *key, again) is not None:
                self._known.move_to_end(cause)
                return
        self._keep(cause, self._make(about, reason, message, component, host, warning, field, stamp))

    def _keep(self, cause: tuple[str, ...], made: Json) -> None:
        self._known[cause] = self._cluster.create(made).key
        while len(self._known) > KEPT:
            self._cluster.remove("events", *self._known.popitem(last=False)[1])

    def _of_series(
        self, about: Stored, reason: str, message: str, component: str, warning: bool, action: str,
    ) -> None:  # fmt: skip
        cause = (about.uid, reason, component, action)
        now = rfc3339_micro(self._cluster.agenda.now())
        if (key := self._known.get(cause)) is not None:

            def again(event: Json) -> None:
                count = (event.get("series") or {}).get("count", 1)
                event["series"] = {"count": count + 1, "lastObservedTime": now}

            if self._cluster.update("events", *key, again) is not None:
                self._known.move_to_end(cause)
                return
        stamp = self._cluster.agenda.stamp()
        event = self._make(about, reason, message, component, "", warning, "", stamp)
        del event["count"]
        event |= {"source": {}, "firstTimestamp": None, "lastTimestamp": None, "eventTime": now, "action": action,
                  "reportingInstance": f"{component}-{CONTROL_PLANE}"}  # fmt: skip
        self._keep(cause, event)

    def _make(
        self, about: Stored, reason: str, message: str, component: str, host: str, warning: bool, field: str, stamp: str
    ) -> Json:
        involved: Json = {
            "kind": about.kind.kind,
            "namespace": about.namespace,
            "name": about.name,
            "uid": about.uid,
            "apiVersion": about.kind.api_version,
            "resourceVersion": str(about.revision),
            "fieldPath": field,
        }
        event: Json = {
            "kind": "Event",
            "apiVersion": "v1",
            "metadata": {
                "name": f"{about.name}.{self._cluster.random.getrandbits(64):016x}",
                "namespace": about.namespace or "default",
                "creationTimestamp": stamp,
            },
            "involvedObject": {key: value for key, value in involved.items() if value},
            "reason": reason,
            "message": message,
            "source": {"component": component, **({"host": host} if host else {})},
            "firstTimestamp": stamp,
            "lastTimestamp": stamp,
            "count": 1,
            "type": "Warning" if warning else "Normal",
            "eventTime": None,
            "reportingComponent": component,
            "reportingInstance": host,
        }
        managed.record(event, component, stamp, event)
        return event
