"""What belongs to an object, or uses it, followed live: its replica sets and pods, its endpoints, a claim's pods."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec

from notebook_mux import clocks
from notebook_mux.errors import MuxError
from notebook_mux.handles.kin import Kin, Thing, owner_in
from notebook_mux.handles.selectors import field_selector, label_selector
from notebook_mux.handles.targets import selector_of
from notebook_mux.printing import facts
from notebook_mux.printing.facts import Json, listed, part, word
from notebook_mux.widgets.watched import Target, Told

log = logging.getLogger(__name__)

MOST_ROWS = 200
"""Of one kind: what is more is found in a table."""

NEWEST_FIRST = ("ReplicaSet", "Job")
"""Kinds of which there is one for each roll-out or run."""

SERVICE_LABEL = "kubernetes.io/service-name"
"""What an endpoint slice names its service by (kubernetes/staging/src/k8s.io/api/discovery/v1/well_known_labels.go)."""

JOB_LABEL = "job-name"

Test = Callable[[bytes], bool]


class Wanted(NamedTuple):
    """Objects of one kind that have to do with another one.

    Attributes:
        title: What they are to it.
        word: Their kind as a cluster is asked for it.
        kind: As ``Pod``.
        namespace: Where; None is all namespaces.
        labels: A label selector, or "".
        fields: A field selector, or "".
        test: Which of them; None: those that belong to it by their owners.
        deep: Whether what belongs to something of its own counts, too.
        quiet: Whether nothing is said where it cannot be read: it was looked for on the off chance.
    """

    title: str
    word: str
    kind: str
    namespace: str | None
    labels: str = ""
    fields: str = ""
    test: Test | None = None
    deep: bool = False
    quiet: bool = False


def every(_: bytes) -> bool:
    """All that was asked for."""
    return True


def wanted(content: Json) -> list[Wanted]:
    """What to look for around an object."""
    group = str(content.get("apiVersion") or "").rpartition("/")[0]
    kind = str(content.get("kind") or "")
    metadata = part(content, "metadata")
    name, space = str(metadata.get("name") or ""), str(metadata.get("namespace") or "")
    try:
        selector = selector_of(content)
    except Exception:  # a server may say of a known kind what no server should
        log.debug("the selector of an object is none", exc_info=True)
        selector = ""
    match group, kind:
        case "apps", "Deployment":
            return [
                Wanted("Replica sets", "replicasets.apps", "ReplicaSet", space, selector),
                Wanted("Pods", "pods", "Pod", space, selector, deep=True),
            ]
        case ("apps", "ReplicaSet" | "StatefulSet" | "DaemonSet") | ("batch", "Job") | ("", "ReplicationController"):
            return [Wanted("Pods", "pods", "Pod", space, selector)]
        case "batch", "CronJob":
            return [
                Wanted("Jobs", "jobs.batch", "Job", space),
                Wanted("Pods", "pods", "Pod", space, JOB_LABEL, deep=True),
            ]
        case "", "Service":
            slices = label_selector({SERVICE_LABEL: name})
            found = [
                Wanted("Endpoint slices", "endpointslices.discovery.k8s.io", "EndpointSlice", space, slices, test=every)
            ]
            return [*([Wanted("Pods", "pods", "Pod", space, selector, test=every)] if selector else []), *found]
        case "", "Node":
            fields = field_selector({"spec.nodeName": name})
            return [Wanted("Pods", "pods", "Pod", None, fields=fields, test=every)]
        case "", "PersistentVolumeClaim" | "ConfigMap" | "Secret" | "ServiceAccount":
            return [Wanted("Used by pods", "pods", "Pod", space, test=lambda data: uses(data, kind, name))]
        case "policy", "PodDisruptionBudget":
            return [Wanted("Pods", "pods", "Pod", space, selector, test=every)] if selector else []
        case "storage.k8s.io", "StorageClass":
            used = [
                ("Claims", "persistentvolumeclaims", "PersistentVolumeClaim"),
                ("Volumes", "persistentvolumes", "PersistentVolume"),
            ]
            return [
                Wanted(title, plural, its, None, test=lambda data: of_class(data, name)) for title, plural, its in used
            ]
    if group in BUILT_IN:
        return []
    return [Wanted(title, plural, its, space or None, quiet=True) for title, plural, its in OWNED]


def asked_of(content: Json) -> tuple[Any, ...]:
    """What is looked for: the same for the same, so that nothing is asked anew."""
    return tuple(one[:6] for one in wanted(content))


BUILT_IN = frozenset(
    [
        "", "apps", "batch", "policy", "autoscaling", "apiextensions.k8s.io", "storage.k8s.io", "node.k8s.io",
        "rbac.authorization.k8s.io", "networking.k8s.io", "discovery.k8s.io", "coordination.k8s.io", "events.k8s.io",
        "scheduling.k8s.io", "metrics.k8s.io", "certificates.k8s.io", "admissionregistration.k8s.io",
        "apiregistration.k8s.io", "flowcontrol.apiserver.k8s.io",
    ]
)  # fmt: skip
"""Groups whose kinds own nothing but what is named above."""

OWNED = (
    ("Deployments", "deployments.apps", "Deployment"),
    ("Stateful sets", "statefulsets.apps", "StatefulSet"),
    ("Daemon sets", "daemonsets.apps", "DaemonSet"),
    ("Jobs", "jobs.batch", "Job"),
    ("Pods", "pods", "Pod"),
    ("Services", "services", "Service"),
    ("Claims", "persistentvolumeclaims", "PersistentVolumeClaim"),
)
"""What an operator makes of a custom resource, where it says so by an owner reference."""


# --- who uses what ----------------------------------------------------------------------------------------------------

_decode = msgspec.json.Decoder(dict[str, Any]).decode


def uses(data: bytes, kind: str, name: str) -> bool:
    """Whether a pod's JSON names such an object of its namespace."""
    if name.encode() not in data:
        return False  # most pods, without decoding them
    spec = part(_decode(data), "spec")
    if kind == "ServiceAccount":
        return spec.get("serviceAccountName") == name
    for volume in listed(spec, "volumes"):
        sources = [volume, *listed(part(volume, "projected"), "sources")]
        if any(part(one, key).get(field) == name for one in sources for key, field in IN_VOLUMES[kind]):
            return True
    if kind == "Secret" and any(one.get("name") == name for one in listed(spec, "imagePullSecrets")):
        return True
    if kind not in IN_ENVIRONMENT:
        return False
    whole, single = IN_ENVIRONMENT[kind]
    for group in ("containers", "initContainers", "ephemeralContainers"):
        for container in listed(spec, group):
            if any(part(one, whole).get("name") == name for one in listed(container, "envFrom")):
                return True
            if any(part(one, "valueFrom", single).get("name") == name for one in listed(container, "env")):
                return True
    return False


IN_VOLUMES = {
    "PersistentVolumeClaim": [("persistentVolumeClaim", "claimName")],
    "ConfigMap": [("configMap", "name")],
    "Secret": [("secret", "secretName"), ("secret", "name")],
}
IN_ENVIRONMENT = {"ConfigMap": ("configMapRef", "configMapKeyRef"), "Secret": ("secretRef", "secretKeyRef")}


def of_class(data: bytes, name: str) -> bool:
    """Whether a claim or a volume is of such a class."""
    return name.encode() in data and part(_decode(data), "spec").get("storageClassName") == name


def owners(content: Json) -> list[dict[str, str]]:
    """What an object belongs to, as references; the controller first."""
    metadata = part(content, "metadata")
    found = sorted(listed(metadata, "ownerReferences"), key=lambda one: not one.get("controller"))
    space = str(metadata.get("namespace") or "")
    refs = []
    for one in found:
        kind, name = str(one.get("kind") or ""), str(one.get("name") or "")
        if kind and name:
            # an owner is in the same namespace, or in none
            where = "" if kind in PLACELESS else space
            refs.append({"kind": word(kind, str(one.get("apiVersion") or "")), "namespace": where, "name": name})
    return refs


PLACELESS = frozenset(["Node", "Namespace", "PersistentVolume", "ClusterRole", "CustomResourceDefinition"])
"""Kinds in no namespace that own something; others of the kind are asked in the object's, which does no harm."""


# --- live -------------------------------------------------------------------------------------------------------------


class Relatives:
    """What was `wanted` around an object, and is there. Not thread-safe: under the widget's lock.

    Args:
        manager: The `Manager` of its cluster.
        target: The object.
        content: The object as it is.
    """

    def __init__(self, manager: Any, target: Target, content: Json) -> None:
        self._root = Thing(str(content.get("kind") or ""), target.namespace, target.name)
        self._kin = Kin([self._root])
        self.key = asked_of(content)
        self._groups: list[_Group] = []
        for one in wanted(content):
            try:
                told = Told(manager, target, one.word, one.namespace, one.labels, one.fields)
            except MuxError:
                continue  # a selector that only the server understands
            self._groups.append(_Group(one, told))

    def open(self, wake: Callable[[], None]) -> None:
        """Listen.

        Raises:
            MuxError: The connection is closed.
        """
        for group in self._groups:
            group.told.open(wake)

    def close(self) -> None:
        """Listen no more. Idempotent."""
        for group in self._groups:
            group.told.close()

    def refresh(self) -> None:
        """Take in what was told."""
        for group in self._groups:
            for kind, _, new, old in group.told.drain():
                record = new or old
                thing = Thing(group.asked.kind, record.namespace, record.name)
                if group.asked.test is None:
                    # what is in no namespace may own what is in one
                    space = record.namespace if self._root.namespace else ""
                    self._kin.learn(thing, owner_in(record.object, space))
                    if kind == "DELETED":
                        self._kin.forget(thing)
                group.take(kind, record)

    def shown(self, ours: float) -> list[dict[str, Any]]:
        """The groups as a page has them, those with something in them; with what cannot be read in words.

        Args:
            ours: Now, Unix seconds.
        """
        return [shown for group in self._groups if (shown := group.shown(self._has, ours)) is not None]

    def contents(self, kind: str) -> list[Json]:
        """The objects of a kind, decoded."""
        return [
            _decode(record.object)
            for group in self._groups
            if group.asked.kind == kind
            for record in group.records.values()
        ]

    def _has(self, asked: Wanted, record: Any) -> bool:
        thing = Thing(asked.kind, record.namespace, record.name)
        way = self._kin.way(thing)
        return self._root in (way if asked.deep else way[:1])


class _Group:
    """The objects of one kind."""

    def __init__(self, asked: Wanted, told: Told) -> None:
        self.asked, self.told = asked, told
        self.records: dict[str, Any] = {}

    def take(self, kind: str, record: Any) -> None:
        test = self.asked.test
        if kind == "DELETED" or (test is not None and not test(record.object)):
            self.records.pop(record.uid, None)
        else:
            self.records[record.uid] = record

    def shown(self, has: Callable[[Wanted, Any], bool], ours: float) -> dict[str, Any] | None:
        view = self.told.view
        state = view.states[self.told.cluster]
        mine = [one for one in self.records.values() if self.asked.test is not None or has(self.asked, one)]
        # the newest first, by two sorts of which the second keeps the first's order
        mine.sort(key=lambda one: (one.namespace, one.name))
        if self.asked.kind in NEWEST_FIRST:
            mine.sort(key=lambda one: one.created, reverse=True)
        note = ""
        if not self.asked.quiet and not state.synced and state.state not in ("connecting", "closed"):
            note = f"cannot be read: {': '.join(filter(None, (state.reason, state.said)))}"
        if not mine and not note:
            return None
        skewed = self.told.cluster in clocks.skewed(view.states)
        printer = facts.Printer(view.columns, state.resource, skewed=skewed, without=("Name",))
        resource = state.resource or {}
        kind = facts.qualified(str(resource.get("kind") or self.asked.kind), str(resource.get("group") or ""))
        rows = [
            {
                "ref": {"kind": kind, "namespace": record.namespace, "name": record.name},
                "cells": printer.cells(record),
            }
            for record in mine[:MOST_ROWS]
        ]
        return {
            "title": self.asked.title,
            "columns": printer.titles,
            "rows": rows,
            "total": len(mine),
            "spaces": self.asked.namespace is None,
            "note": note,
        }
