"""What is said of an object: the telling things, each with what it means, and never a secret."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from notebook_mux.printing import facts, kind_facts
from notebook_mux.widgets.details import sections

NOW = "2026-11-30T12:00:00Z"

CRASHING: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "web-0", "namespace": "shop"},
    "spec": {
        "nodeName": "n1",
        "serviceAccountName": "web",
        "containers": [
            {
                "name": "main",
                "image": "web:1",
                "ports": [{"name": "http", "containerPort": 8080}],
                "resources": {"requests": {"cpu": "100m"}, "limits": {"memory": "64Mi"}},
                "livenessProbe": {"httpGet": {"path": "/healthz", "port": 8080}, "periodSeconds": 10},
                "envFrom": [{"configMapRef": {"name": "settings"}}],
                "env": [
                    {"name": "PLAIN", "value": "what-it-is-set-to"},
                    {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "api", "key": "token"}}},
                    {"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}},
                ],
                "volumeMounts": [{"name": "data", "mountPath": "/data", "readOnly": True}],
            }
        ],
        "initContainers": [{"name": "first", "image": "init:1"}],
        "volumes": [
            {"name": "data", "persistentVolumeClaim": {"claimName": "web-data"}},
            {"name": "tmp", "emptyDir": {}},
        ],
    },
    "status": {
        "phase": "Running",
        "conditions": [
            {"type": "PodScheduled", "status": "True", "lastTransitionTime": NOW},
            {"type": "Ready", "status": "False", "reason": "ContainersNotReady", "message": "unready: [main]"},
        ],
        "initContainerStatuses": [
            {"name": "first", "ready": True, "state": {"terminated": {"exitCode": 0, "reason": "Completed"}}}
        ],
        "containerStatuses": [
            {
                "name": "main",
                "ready": False,
                "restartCount": 7,
                "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 5m0s"}},
                "lastState": {"terminated": {"exitCode": 137, "reason": "OOMKilled", "finishedAt": NOW}},
            }
        ],
    },
}  # fmt: skip


def by_title(found: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {section["title"]: section for section in found}


def values(section: dict[str, Any]) -> dict[str, Any]:
    return dict(section["items"])


def test_a_pod_that_crashes_says_why() -> None:
    found = by_title(sections(CRASHING))
    assert [row[:4] for row in found["Conditions"]["rows"]] == [
        ["Ready", {"text": "False", "tone": "bad"}, "ContainersNotReady", "unready: [main]"],
        ["PodScheduled", {"text": "True", "tone": "good"}, "", ""],
    ]
    first, main = found["Containers"]["cards"]
    assert (first["title"], first["kind"], first["state"]["tone"]) == ("first", "init", "done")
    assert main["state"] == {"text": "CrashLoopBackOff: back-off 5m0s", "tone": "bad"}
    shown = values(main)
    assert shown["Restarts"]["text"] == "7, last for OOMKilled ({} ago)"
    assert shown["Last state"]["text"] == "OOMKilled, exit code 137, {} ago"
    assert shown["Last state"]["since"] == 1796040000.0
    assert shown["Requests"] == "cpu 100m"
    assert shown["Liveness"]["text"] == "http-get :8080/healthz period=10s"
    assert shown["Mounts"] == [{"text": "/data ← data (read only)", "mono": True}]
    assert "Command" not in shown, "what is not there has no line"
    assert values(found["Pod"])["Node"]["ref"] == {"kind": "Node", "namespace": "", "name": "n1"}
    claim = found["Volumes"]["rows"][0][2]
    assert claim["ref"] == {"kind": "PersistentVolumeClaim", "namespace": "shop", "name": "web-data"}


def test_of_an_environment_names_alone() -> None:
    (section,) = [one for one in sections(CRASHING) if one["title"] == "Containers"]
    said = json.dumps(section)
    assert "what-it-is-set-to" not in said
    shown = values(section["cards"][1])["Environment"]
    assert [one["text"] for one in shown] == [
        "* from ConfigMap settings",
        "PLAIN",
        "TOKEN from Secret api, key token",
        "NODE from spec.nodeName",
    ]
    assert shown[2]["ref"] == {"kind": "Secret", "namespace": "shop", "name": "api"}


def test_a_secret_says_sizes_and_nothing_else() -> None:
    value = base64.b64encode(b"hunter2 is long enough").decode()
    secret = {"apiVersion": "v1", "kind": "Secret", "type": "Opaque", "data": {"b": value, "a": ""}}
    found = by_title(sections(secret))
    assert found["Keys"]["keys"] == [
        {"name": "a", "size": 0, "secret": True},
        {"name": "b", "size": 22, "secret": True},
    ]
    assert value not in json.dumps(found)
    assert facts.secret_value(secret, "b") == ("hunter2 is long enough", True)
    raw = base64.b64encode(b"\xff\x00").decode()
    assert facts.secret_value({"data": {"k": raw}}, "k") == (raw, False)
    with pytest.raises(KeyError):
        facts.secret_value(secret, "c")


@pytest.mark.parametrize(
    ("kind", "status", "reason", "tone"),
    [
        ("Ready", "True", "", "good"),
        ("Ready", "False", "", "bad"),
        ("Ready", "Unknown", "NodeStatusUnknown", "warn"),
        ("Ready", "False", "PodCompleted", "done"),
        ("MemoryPressure", "False", "", ""),
        ("MemoryPressure", "True", "", "bad"),
        ("ReplicaFailure", "True", "", "bad"),
    ],
)
def test_what_a_condition_means(kind: str, status: str, reason: str, tone: str) -> None:
    assert facts.condition_tone(kind, status, reason) == tone


def test_what_is_looked_for_in_other_kinds() -> None:
    ports = [{"port": 80, "targetPort": "http", "nodePort": 30080}]
    spec = {"type": "NodePort", "selector": {"app": "web"}, "clusterIP": "10.0.0.1", "ports": ports}
    service = by_title(sections({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": spec}))
    assert service["Ports"]["columns"] == ["Port", "Target", "Node port"], "no column for what none of them has"
    assert [one["text"] for one in service["Ports"]["rows"][0]] == ["80/TCP", "http", "30080"]
    node = by_title(
        sections(
            {
                "apiVersion": "v1",
                "kind": "Node",
                "spec": {"unschedulable": True, "taints": [{"key": "gpu", "effect": "NoSchedule"}]},
                "status": {"capacity": {"cpu": "4"}, "allocatable": {"cpu": "3800m"}},
            }
        )
    )
    assert node["Resources"]["rows"] == [["cpu", "4", "3800m"]]
    assert values(node["Node"])["Taints"] == [{"text": "gpu:NoSchedule", "mono": True}]
    assert values(node["Node"])["Schedulable"]["tone"] == "warn"
    settings = by_title(sections({"apiVersion": "v1", "kind": "ConfigMap", "data": {"k": "x" * 5000}}))
    (key,) = settings["Keys"]["keys"]
    assert (len(key["text"]), key["cut"], key["size"]) == (4000, 1000, 5000)


def test_a_kind_that_nobody_knows_shows_its_fields() -> None:
    custom = {
        "apiVersion": "example.com/v1",
        "kind": "Widget",
        "spec": {"size": 3, "on": True, "nested": {"a": [1]}, "none": None},
        "status": {"phase": "Made", "conditions": [{"type": "Ready", "status": "True"}]},
        "extra": "field",
    }
    found = by_title(sections(custom))
    assert values(found["Spec"]) == {"size": "3", "on": "true", "nested": {"text": '{"a":[1]}', "mono": True}}
    assert values(found["Status"]) == {"phase": "Made"}
    assert values(found["Fields"]) == {"extra": "field"}
    assert found["Conditions"]["rows"][0][1] == {"text": "True", "tone": "good"}


@pytest.mark.parametrize("name", sorted({kind for _, kind in kind_facts.KINDS}))
@pytest.mark.parametrize("odd", [None, "text", 3, [], [None, 1], {"a": None}])
def test_no_object_is_so_odd_that_nothing_is_shown(name: str, odd: Any) -> None:
    for group, kind in kind_facts.KINDS:
        if kind != name:
            continue
        api = f"{group}/v1" if group else "v1"
        for where in ("spec", "status", "data", "metadata", "rules", "subjects", "endpoints", "involvedObject"):
            sections({"apiVersion": api, "kind": kind, where: odd})
        spec = dict.fromkeys(("containers", "ports", "template", "taints", "tls", "rules", "selector"), odd)
        status = {"conditions": odd, "loadBalancer": odd}
        sections({"apiVersion": api, "kind": kind, "spec": spec, "status": status})
