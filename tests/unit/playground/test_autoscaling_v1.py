"""autoscaling/v1: the same autoscalers in the older version, with what that does not know in annotations."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from notebook_mux.playground.conversions import autoscalers
from tests.playground import RunningPlayground
from tests.unit.playground.client import MERGE, STRATEGIC, TABLE, Client
from tests.waiting import eventually

Json = dict[str, Any]

V1 = "/apis/autoscaling/v1/namespaces/default/horizontalpodautoscalers"
V2 = "/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers"
ANNOTATION = "autoscaling.alpha.kubernetes.io/"
TARGET = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
SERVICE = {"apiVersion": "v1", "kind": "Service", "name": "s"}
SELECTOR = {"matchLabels": {"a": "b"}}


def metric(kind: str, key: str, goal: Json, **more: Any) -> Json:
    return {"type": kind, key: {**more, "target": goal}}


def goal(of_type: str, field: str, value: Any) -> Json:
    return {"type": of_type, field: value}


METRICS = [
    metric("Resource", "resource", goal("Utilization", "averageUtilization", 70), name="memory"),
    metric("Resource", "resource", goal("AverageValue", "averageValue", "500m"), name="cpu"),
    metric("ContainerResource", "containerResource", goal("AverageValue", "averageValue", "5Mi"), name="memory",
           container="c"),
    metric("Pods", "pods", goal("AverageValue", "averageValue", "10"), metric={"name": "qps", "selector": SELECTOR}),
    metric("Object", "object", goal("Value", "value", "2k"), describedObject=SERVICE, metric={"name": "qps"}),
    metric("Object", "object", goal("AverageValue", "averageValue", "3"), describedObject=SERVICE,
           metric={"name": "rps"}),
    metric("External", "external", goal("AverageValue", "averageValue", "30"),
           metric={"name": "q", "selector": SELECTOR}),
    metric("External", "external", goal("Value", "value", "30"), metric={"name": "v"}),
]  # fmt: skip
METRICS_V1 = [
    {"type": "Resource", "resource": {"name": "memory", "targetAverageUtilization": 70}},
    {"type": "Resource", "resource": {"name": "cpu", "targetAverageValue": "500m"}},
    {"type": "ContainerResource",
     "containerResource": {"name": "memory", "container": "c", "targetAverageValue": "5Mi"}},
    {"type": "Pods", "pods": {"metricName": "qps", "selector": SELECTOR, "targetAverageValue": "10"}},
    {"type": "Object", "object": {"target": SERVICE, "metricName": "qps", "targetValue": "2k"}},
    {"type": "Object", "object": {"target": SERVICE, "metricName": "rps", "averageValue": "3", "targetValue": "0"}},
    {"type": "External", "external": {"metricName": "q", "metricSelector": SELECTOR, "targetAverageValue": "30"}},
    {"type": "External", "external": {"metricName": "v", "targetValue": "30"}},
]  # fmt: skip
"""As a kube-apiserver 1.37.2 writes them into the annotation."""

CPU = metric("Resource", "resource", goal("Utilization", "averageUtilization", 60), name="cpu")


def autoscaler(version: str, name: str, **spec: Any) -> Json:
    return {"apiVersion": f"autoscaling/{version}", "kind": "HorizontalPodAutoscaler", "metadata": {"name": name},
            "spec": {"scaleTargetRef": TARGET, "maxReplicas": 5, **spec}}  # fmt: skip


def read(obj: Json, name: str) -> Any:
    """What an annotation says."""
    return json.loads(obj["metadata"]["annotations"][ANNOTATION + name])


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPlayground]:
    running = RunningPlayground(tmp_path_factory.mktemp("autoscaling"))
    yield running
    running.close()


@pytest.fixture(scope="module")
def client(running: RunningPlayground) -> Client:
    return Client(running.kubeconfig)


def test_one_way_and_back():
    rules = {"scaleDown": {"stabilizationWindowSeconds": 60, "policies": [{"type": "Percent", "value": 5}]}}
    current = [{"type": "Resource", "resource": {"name": "cpu", "current": {"averageUtilization": 7,
                                                                           "averageValue": "1m"}}}]  # fmt: skip
    conditions = [{"type": "AbleToScale", "status": "True"}]
    new = autoscaler("v2", "many", metrics=[*METRICS, CPU], behavior=rules)
    new["metadata"]["annotations"] = {"note": "x"}
    new["status"] = {"currentReplicas": 1, "desiredReplicas": 2, "currentMetrics": current, "conditions": conditions}
    old = autoscalers.to_v1(new)
    assert old["spec"] == {"scaleTargetRef": TARGET, "maxReplicas": 5, "targetCPUUtilizationPercentage": 60}
    assert read(old, "metrics") == METRICS_V1
    assert read(old, "behavior") == {"ScaleDown": {
        "StabilizationWindowSeconds": 60, "Policies": [{"Type": "Percent", "Value": 5}], "Tolerance": None,
    }}  # fmt: skip
    assert read(old, "current-metrics") == [
        {"type": "Resource", "resource": {"name": "cpu", "currentAverageUtilization": 7, "currentAverageValue": "1m"}}
    ]
    assert read(old, "conditions") == conditions
    assert old["metadata"]["annotations"]["note"] == "x"
    assert old["status"] == {"currentReplicas": 1, "desiredReplicas": 2, "currentCPUUtilizationPercentage": 7}
    assert autoscalers.to_v2(old) == new
    assert autoscalers.to_v2(autoscaler("v1", "bare"))["spec"] == {"scaleTargetRef": TARGET, "maxReplicas": 5}


@pytest.mark.parametrize("text", ["no JSON", "7", '[{"type":"Pods","pods":7}]', '["a"]'])
def test_annotations_that_cannot_be_read_say_nothing(text: str):
    old = autoscaler("v1", "odd", targetCPUUtilizationPercentage=60)
    old["metadata"]["annotations"] = {ANNOTATION + name: text for name in ("metrics", "behavior")}
    found = autoscalers.to_v2(old)
    assert found["spec"] == autoscaler("v2", "odd", metrics=[CPU])["spec"]
    assert "annotations" not in found["metadata"]


def raised(client: Client) -> Json:
    """The autoscaler as it is now, with a higher limit."""
    seen: Json = client.get(f"{V1}/new").json()
    seen["spec"]["maxReplicas"] = 9
    return seen


def test_objects_of_both_versions(client: Client, running: RunningPlayground):
    made = client.ask("POST", V1, autoscaler("v1", "old", targetCPUUtilizationPercentage=60))
    assert (made.status, made.json()["apiVersion"]) == (201, "autoscaling/v1")
    assert made.json()["spec"] == autoscaler("v1", "old", targetCPUUtilizationPercentage=60, minReplicas=1)["spec"]
    assert client.get(f"{V2}/old").json()["spec"]["metrics"] == [CPU]
    assert client.ask("POST", V1, autoscaler("v1", "bare")).json()["spec"]["targetCPUUtilizationPercentage"] == 80
    assert client.ask("POST", V2, autoscaler("v2", "new", metrics=[*METRICS, CPU])).status == 201

    for media in (STRATEGIC, MERGE):
        wanted = 41 if media == MERGE else 40
        patched = client.ask("PATCH", f"{V1}/new", {"spec": {"targetCPUUtilizationPercentage": wanted}}, media=media)
        assert (patched.status, patched.json()["spec"]["targetCPUUtilizationPercentage"]) == (200, wanted)
        assert read(patched.json(), "metrics") == METRICS_V1
        metrics = client.get(f"{V2}/new").json()["spec"]["metrics"]
        assert metrics[:-1] == METRICS
        assert metrics[-1]["resource"]["target"]["averageUtilization"] == wanted

    replaced = client.ask("PUT", f"{V1}/new", raised(client))
    while replaced.status == 409:  # the controller has written its status in between
        replaced = client.ask("PUT", f"{V1}/new", raised(client))
    assert replaced.status == 200, replaced.body
    seen = replaced.json()
    assert seen["metadata"]["generation"] == 4
    seen["metadata"]["resourceVersion"] = "1"
    assert client.get(f"{V2}/new").json()["spec"]["metrics"] == metrics
    assert client.ask("PUT", f"{V1}/new", seen).status == 409
    assert client.ask("PUT", f"{V1}/new", client.get(f"{V2}/new").json()).status == 400

    listed = client.get(V1).json()
    assert (listed["kind"], listed["apiVersion"]) == ("HorizontalPodAutoscalerList", "autoscaling/v1")
    assert [one["spec"].get("metrics") for one in listed["items"]] == [None] * 3
    events = client.events(V1)
    assert {one["object"]["apiVersion"] for one in events} == {"autoscaling/v1"}
    rows = client.get(V1, accept=TABLE).json()["rows"]
    assert [row["cells"][2] for row in rows if row["cells"][0] == "old"] == ["cpu: <unknown>/60%"]

    applied = json.dumps(autoscaler("v1", "applied", targetCPUUtilizationPercentage=60)).encode()
    asked: Json = {"media": "application/apply-patch+yaml", "fieldManager": "me"}
    assert client.ask("PATCH", f"{V1}/applied", applied, **asked).json()["apiVersion"] == "autoscaling/v1"
    assert client.get(f"{V2}/applied").json()["spec"]["metrics"] == [CPU]
    strict = client.ask("POST", V1, autoscaler("v1", "strict", metrics=[]), fieldValidation="Strict")
    assert (strict.status, 'unknown field "spec.metrics"' in strict.json()["message"]) == (400, True)

    assert client.ask("DELETE", f"{V1}/old").json()["status"] == "Success"
    gone = client.ask("DELETE", V1).json()
    assert (gone["apiVersion"], len(gone["items"])) == ("autoscaling/v1", 3)
    assert running.list("horizontalpodautoscalers.autoscaling") == []


def test_discovery_prefers_the_newer(client: Client):
    group = client.get("/apis/autoscaling").json()
    assert [one["version"] for one in group["versions"]] == ["v2", "v1"]
    assert group["preferredVersion"]["version"] == "v2"
    names = [one["name"] for one in client.get("/apis/autoscaling/v1").json()["resources"]]
    assert names == ["horizontalpodautoscalers", "horizontalpodautoscalers/status"]


def test_a_quota_counts_each_once(client: Client, running: RunningPlayground):
    resource = "count/horizontalpodautoscalers.autoscaling"
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "spec": {"hard": {resource: "1"}}}
    running.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "small"}})
    running.create(autoscaler("v2", "one") | {"metadata": {"name": "one", "namespace": "small"}})
    running.create(quota | {"metadata": {"name": "room", "namespace": "small"}})

    def used() -> str:
        found = running.get("resourcequotas", "room", "small") or {}
        return str(((found.get("status") or {}).get("used") or {}).get(resource, ""))

    eventually(lambda: used() != "", "it is counted", seconds=30)
    assert used() == "1"
    assert client.ask("DELETE", "/api/v1/namespaces/small").status == 200
    eventually(lambda: client.get("/api/v1/namespaces/small").status == 404, "it is gone", seconds=30)


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="there is no kubectl on the PATH")
def test_kubectl_autoscale(running: RunningPlayground, tmp_path: Path):
    def kubectl(*words: str) -> str:
        command = ["kubectl", "--kubeconfig", str(running.kubeconfig), "--cache-dir", str(tmp_path), *words]
        done = subprocess.run(command, capture_output=True, text=True, timeout=40, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    kubectl("create", "deployment", "web", "--image=nginx")
    assert "autoscaled" in kubectl("autoscale", "deployment", "web", "--max=4", "--cpu-percent=70")
    assert "/70%" in kubectl("get", "hpa", "web")
    assert kubectl("get", "horizontalpodautoscalers.v1.autoscaling", "web",
                   "-o", "jsonpath={.spec.targetCPUUtilizationPercentage}") == "70"  # fmt: skip
