"""The pods that all benchmarks speak of: 4 to 6 kB each with managed fields, as a Deployment's pods are in a cluster.

A pod is a template of bytes with holes for what a change of its status moves (versions, restarts, times), so that a
sender makes a change in a microsecond and the measured side gets real JSON of a real shape.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cached_property
from typing import Any

NAMESPACES = 50
"""Pod number n lies in namespace n modulo this."""

FIRST_VERSION = 1_000_000
"""resourceVersions start here, so that all have seven digits."""

CREATED = "2026-11-20T08:15:30Z"
PRINTED = 1_795_500_000.0
"""Unix seconds of the moment at which all cells are printed."""

_HOLES = re.compile(r'"@(\w+)@"')

COLUMNS: list[dict[str, Any]] = [
    {"name": name, "type": "string", "format": "name" if name == "Name" else "", "description": text, "priority": wide}
    for name, text, wide in (
        ("Name", "Name must be unique within a namespace.", 0),
        ("Ready", "The aggregate readiness state of this pod for accepting traffic.", 0),
        ("Status", "The aggregate status of the containers in this pod.", 0),
        ("Restarts", "The number of times the containers in this pod have been restarted and when.", 0),
        ("Age", "CreationTimestamp is a timestamp representing the server time.", 0),
        ("IP", "podIP address allocated to the pod.", 1),
        ("Node", "The node that the pod is scheduled to.", 1),
        ("Nominated Node", "The node that the pod is nominated to.", 1),
        ("Readiness Gates", "The readiness gates of the pod.", 1),
    )
]
"""kubectl's nine columns of pods."""


def namespace(number: int) -> str:
    """The name of a namespace."""
    return f"team-{number:02d}"


class Pod:
    """One pod and its changes; equal numbers give equal pods."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.uid = f"{number:08x}-5d1e-4f0a-9c3b-{number * 7919 % (1 << 48):012x}"
        self.namespace = namespace(number % NAMESPACES)
        self.name = f"web-{number % 97:02d}-{number * 2654435761 % (1 << 32):08x}-{number:05d}"
        self.node = f"node-{number % 40:02d}.example.internal"
        self.address = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"

    def object(self, version: int, change: int) -> bytes:
        """Its JSON as the API sends it, after `change` changes."""
        values = {
            "VERSION": b'"%d"' % version,
            "RESTARTS": b"%d" % change,
            "MOMENT": b'"2026-11-24T%02d:%02d:%02dZ"' % (change // 3600 % 24, change // 60 % 60, change % 60),
        }
        return b"".join([part if index % 2 == 0 else values[part] for index, part in enumerate(self._parts)])

    def cells(self, change: int) -> bytes:
        """Its row as the server prints it."""
        restarts = f"{change} (5m{change % 60}s ago)" if change else "0"
        row = [self.name, "1/1", "Running", restarts, "3d20h", self.address, self.node, "<none>", "<none>"]
        return json.dumps(row, separators=(",", ":")).encode()

    @cached_property
    def _parts(self) -> list[Any]:
        """The template cut at its holes: bytes, a hole's name, bytes ..."""
        pieces = _HOLES.split(json.dumps(self._template(), separators=(",", ":")))
        return [piece.encode() if index % 2 == 0 else piece for index, piece in enumerate(pieces)]

    def _template(self) -> dict[str, Any]:
        return {
            "kind": "Pod",
            "apiVersion": "v1",
            "metadata": self._metadata(),
            "spec": self._spec(),
            "status": self._status(),
        }

    @property
    def _variables(self) -> int:
        """Environment variables of the main container: what makes pods of different lengths."""
        return self.number % 11

    def _metadata(self) -> dict[str, Any]:
        labels = {"app.kubernetes.io/name": "web", "app.kubernetes.io/instance": f"web-{self.number % 97:02d}",
                  "app.kubernetes.io/part-of": "shop", "pod-template-hash": f"{self.number * 31 % (1 << 32):08x}",
                  "tier": "frontend"}  # fmt: skip
        owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": self.name.rsplit("-", 1)[0],
                 "uid": f"{self.number % 97:08x}-aaaa-4bbb-8ccc-0123456789ab", "controller": True,
                 "blockOwnerDeletion": True}  # fmt: skip
        return {
            "name": self.name,
            "generateName": self.name.rsplit("-", 1)[0] + "-",
            "namespace": self.namespace,
            "uid": self.uid,
            "resourceVersion": "@VERSION@",
            "generation": 1,
            "creationTimestamp": CREATED,
            "labels": labels,
            "annotations": {"prometheus.io/scrape": "true", "prometheus.io/port": "9102"},
            "ownerReferences": [owner],
            "managedFields": self._managed_fields(),
        }

    def _managed_fields(self) -> list[dict[str, Any]]:
        dot: dict[str, Any] = {".": {}}
        container = dot | {f"f:{name}": {} for name in (
            "args", "image", "imagePullPolicy", "livenessProbe", "name", "ports", "resources",
            "terminationMessagePath", "terminationMessagePolicy", "volumeMounts")}  # fmt: skip
        container["f:env"] = dot | {f'k:{{"name":"VARIABLE_{n}"}}': dot | {"f:name": {}, "f:value": {}}
                                    for n in range(self._variables)}  # fmt: skip
        condition: dict[str, Any] = {"f:lastProbeTime": {}, "f:lastTransitionTime": {}, "f:status": {}, "f:type": {}}
        conditions = {f'k:{{"type":"{kind}"}}': dot | condition for kind in ("ContainersReady", "Initialized", "Ready")}
        manager = {"operation": "Update", "apiVersion": "v1", "fieldsType": "FieldsV1"}
        names = ("dnsPolicy", "enableServiceLinks", "restartPolicy", "schedulerName", "securityContext", "volumes")
        spec: dict[str, Any] = {f"f:{name}": {} for name in names}
        return [
            {"manager": "kube-controller-manager", "time": CREATED, **manager,
             "fieldsV1": {"f:metadata": {"f:annotations": dot, "f:generateName": {}, "f:labels": dot,
                                         "f:ownerReferences": dot},
                          "f:spec": spec | {"f:containers": {'k:{"name":"web"}': container}}}},
            {"manager": "kubelet", "time": "@MOMENT@", **manager, "subresource": "status",
             "fieldsV1": {"f:status": {"f:conditions": conditions, "f:containerStatuses": {}, "f:hostIP": {},
                                       "f:phase": {}, "f:podIP": {}, "f:podIPs": dot, "f:startTime": {}}}},
        ]  # fmt: skip

    def _spec(self) -> dict[str, Any]:
        probe = {"httpGet": {"path": "/healthz", "port": 8080, "scheme": "HTTP"}, "initialDelaySeconds": 5,
                 "timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3}  # fmt: skip
        mounts = [{"name": "kube-api-access-x7k2p", "readOnly": True,
                   "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount"}]  # fmt: skip
        common = {"terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File",
                  "imagePullPolicy": "IfNotPresent", "volumeMounts": mounts}  # fmt: skip
        web = {"name": "web", "image": "registry.example.com/shop/web:v2.14.3", "args": ["--listen=:8080"],
               "ports": [{"name": "http", "containerPort": 8080, "protocol": "TCP"}],
               "env": [{"name": f"VARIABLE_{n}", "value": f"value {n}"}
                       for n in range(self._variables)],
               "resources": {"limits": {"cpu": "500m", "memory": "512Mi"}, "requests": {"cpu": "100m",
                             "memory": "128Mi"}},
               "livenessProbe": probe, **common}  # fmt: skip
        projected = {"sources": [{"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
                                 {"configMap": {"name": "kube-root-ca.crt",
                                                "items": [{"key": "ca.crt", "path": "ca.crt"}]}}],
                     "defaultMode": 420}  # fmt: skip
        return {
            "volumes": [{"name": "kube-api-access-x7k2p", "projected": projected}],
            "containers": [web],
            "restartPolicy": "Always", "terminationGracePeriodSeconds": 30, "dnsPolicy": "ClusterFirst",
            "serviceAccountName": "default", "serviceAccount": "default", "nodeName": self.node,
            "securityContext": {}, "schedulerName": "default-scheduler", "priority": 0, "enableServiceLinks": True,
            "tolerations": [{"key": f"node.kubernetes.io/{key}", "operator": "Exists", "effect": "NoExecute",
                             "tolerationSeconds": 300} for key in ("not-ready", "unreachable")],
            "preemptionPolicy": "PreemptLowerPriority",
        }  # fmt: skip

    def _status(self) -> dict[str, Any]:
        ended = {"terminated": {"exitCode": 137, "reason": "OOMKilled", "startedAt": CREATED, "finishedAt": "@MOMENT@",
                                "containerID": f"containerd://{self.number + 1:064x}"}}  # fmt: skip
        return {
            "phase": "Running",
            "conditions": [{"type": kind, "status": "True", "lastProbeTime": None, "lastTransitionTime": CREATED}
                           for kind in ("Initialized", "Ready", "ContainersReady", "PodScheduled")],
            "hostIP": "192.168.0.12", "hostIPs": [{"ip": "192.168.0.12"}], "podIP": self.address,
            "podIPs": [{"ip": self.address}], "startTime": CREATED, "qosClass": "Burstable",
            "containerStatuses": [
                {"name": "web", "state": {"running": {"startedAt": "@MOMENT@"}}, "lastState": ended, "ready": True,
                 "restartCount": "@RESTARTS@", "image": "registry.example.com/shop/web:v2.14.3",
                 "imageID": f"registry.example.com/shop/web@sha256:{'5e' * 32}",
                 "containerID": f"containerd://{self.number:064x}", "started": True}],
        }  # fmt: skip


class Population:
    """Pods with their present state, and an endless run of changes to them, one after another in turn."""

    def __init__(self, count: int) -> None:
        self.pods = [Pod(number) for number in range(count)]
        self.versions = [FIRST_VERSION + number for number in range(count)]
        self.changes = [0] * count
        self.version = FIRST_VERSION + count
        self._next = 0

    def change(self) -> Pod:
        """Change the next pod and return it; read its new state with `object` and `cells`."""
        pod = self.pods[self._next]
        self._next = (self._next + 1) % len(self.pods)
        self.version += 1
        self.versions[pod.number] = self.version
        self.changes[pod.number] += 1
        return pod

    def object(self, pod: Pod) -> bytes:
        """A pod's JSON as it is now."""
        return pod.object(self.versions[pod.number], self.changes[pod.number])

    def cells(self, pod: Pod) -> bytes:
        """A pod's row as it is now."""
        return pod.cells(self.changes[pod.number])

    def in_namespace(self, name: str | None) -> Iterator[Pod]:
        """The pods of one namespace, or (None) of all."""
        return (pod for pod in self.pods if name in (None, pod.namespace))
