"""A custom kind: backups, with columns of every type and a date."""

from __future__ import annotations

from typing import Any

from notebook_mux.playground.cluster import Cluster
from notebook_mux.playground.scenarios.base import make

Json = dict[str, Any]

GROUP = "demo.notebook-mux.dev"
RESOURCE = f"backups.{GROUP}"

COLUMNS = [
    {"name": "Source", "type": "string", "jsonPath": ".spec.source", "description": "What is saved"},
    {"name": "Phase", "type": "string", "jsonPath": ".status.phase"},
    {"name": "Progress", "type": "integer", "jsonPath": ".status.progress"},
    {"name": "Size", "type": "number", "jsonPath": ".status.gibibytes", "priority": 1},
    {"name": "Verified", "type": "boolean", "jsonPath": ".status.verified", "priority": 1},
    {"name": "Last Backup", "type": "date", "jsonPath": ".status.lastBackupTime"},
    {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
]


def define(cluster: Cluster) -> None:
    """The definition."""
    stamp = cluster.agenda.stamp()
    names: Json = {"plural": "backups", "singular": "backup", "kind": "Backup", "listKind": "BackupList"}
    names["shortNames"] = ["bk"]
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": schema},
        "subresources": {"status": {}},
        "additionalPrinterColumns": COLUMNS,
    }
    conditions = [
        {"type": kind, "status": "True", "lastTransitionTime": stamp, "reason": reason, "message": message}
        for kind, reason, message in (
            ("NamesAccepted", "NoConflicts", "no conflicts found"),
            ("Established", "InitialNamesAccepted", "the initial names have been accepted"),
        )
    ]
    make(
        cluster,
        "helm",
        {
            "kind": "CustomResourceDefinition",
            "apiVersion": "apiextensions.k8s.io/v1",
            "metadata": {"name": RESOURCE},
            "spec": {
                "group": GROUP,
                "scope": "Namespaced",
                "names": {**names, "categories": ["demo"]},
                "conversion": {"strategy": "None"},
                "versions": [version],
            },
            "status": {"conditions": conditions, "acceptedNames": names, "storedVersions": ["v1"]},
        },
    )


def backup(cluster: Cluster, name: str, namespace: str, source: str, *, done: bool) -> None:
    """One backup."""
    status: Json = {"phase": "Pending"}
    if done:
        status = {
            "phase": "Completed",
            "progress": 100,
            "gibibytes": round(cluster.random.uniform(1, 40), 1),
            "verified": True,
            "lastBackupTime": cluster.agenda.stamp(),
        }
    make(
        cluster,
        "backup-operator",
        {
            "kind": "Backup",
            "apiVersion": f"{GROUP}/v1",
            "metadata": {"name": name, "namespace": namespace, "labels": {"app": source}},
            "spec": {"source": source, "schedule": "@daily", "keep": 7},
            "status": status,
        },
    )


def move_on(cluster: Cluster, name: str, namespace: str) -> None:
    """One step of a backup: it begins, grows, and is done; then it begins again."""

    def change(obj: Json) -> None:
        status = obj.setdefault("status", {})
        progress = status.get("progress", 0)
        if status.get("phase") != "Running":
            obj["status"] = {**status, "phase": "Running", "progress": 0, "verified": False}
            return
        progress = min(100, progress + cluster.random.randint(4, 15))
        status["progress"] = progress
        status["gibibytes"] = round(progress * 0.31, 1)
        if progress == 100:
            status |= {"phase": "Completed", "verified": True, "lastBackupTime": cluster.agenda.stamp()}

    cluster.update(RESOURCE, namespace, name, change)
