"""What a server writes of an object that nobody said, and that an object written back as it is stays as it is."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.controlplane.sides import Json
from tests.unit.playground.client import MERGE, STRATEGIC, Client
from tests.waiting import eventually

STAMP_S = 1.1
"""After which the next entry of managedFields has another time: these are of whole seconds."""

WAIT_S = 60.0


def workload(kind: str, version: str, **spec: Any) -> Json:
    pod = {"restartPolicy": "Never"} if kind == "Job" else {}
    template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "a", "image": "b"}], **pod}}
    return {"kind": kind, "apiVersion": version, "metadata": {"name": "one"}, "spec": {"template": template, **spec}}


def of_group(place: str, group: str, resource: str) -> str:
    return f"{place.replace('/api/v1/', f'/apis/{group}/')}/{resource}"


def test_an_event_has_all_its_times(side: Client, place: str):
    said = {"involvedObject": {"kind": "Pod", "name": "x", "namespace": place.rpartition("/")[2]}, "reason": "R",
            "message": "m", "type": "Normal"}  # fmt: skip
    unsaid = {"source": {}, "firstTimestamp": None, "lastTimestamp": None, "eventTime": None,
              "reportingComponent": "", "reportingInstance": ""}  # fmt: skip
    event = {"kind": "Event", "apiVersion": "v1", "metadata": {"name": "x.1"}, **said}
    made = side.ask("POST", f"{place}/events", event).json()
    changed = side.ask("PATCH", f"{place}/events/x.1", {"metadata": {"labels": {"a": "b"}}}, media=MERGE).json()
    for found in (made, changed):
        owned = found["metadata"]["managedFields"][0]["fieldsV1"]
        assert owned.items() >= {f"f:{name}": {} for name in said}.items()
        assert not owned.keys() & {f"f:{name}" for name in unsaid}
        assert {name: found[name] for name in (*said, *unsaid)} == {**said, **unsaid}


CLAIM = {
    "kind": "PersistentVolumeClaim", "apiVersion": "v1", "metadata": {"name": "one"},
    "spec": {"accessModes": ["ReadWriteOnce"], "storageClassName": "none",
             "resources": {"requests": {"storage": "1Gi"}}},
}  # fmt: skip
SELECTOR = {"matchLabels": {"a": "b"}}


@pytest.mark.parametrize(
    ("group", "resource", "obj", "times"),
    [
        ("", "persistentvolumeclaims", CLAIM, {"lastProbeTime", "lastTransitionTime"}),
        ("batch/v1", "jobs", workload("Job", "batch/v1", suspend=True), {"lastProbeTime", "lastTransitionTime"}),
        ("apps/v1", "deployments", workload("Deployment", "apps/v1", replicas=0, selector=SELECTOR),
         {"lastUpdateTime", "lastTransitionTime"}),
        ("apps/v1", "replicasets", workload("ReplicaSet", "apps/v1", replicas=0, selector=SELECTOR),
         {"lastTransitionTime"}),
    ],
    ids=["claim", "job", "deployment", "replica set"],
)  # fmt: skip
def test_a_condition_has_all_its_times(side: Client, place: str, group: str, resource: str, obj: Json, times: set[str]):
    path = of_group(place, group, resource) if group else f"{place}/{resource}"
    assert side.ask("POST", path, obj).status == 201
    new = {"status": {"conditions": [{"type": "Mine", "status": "True"}]}}
    answer = side.ask("PATCH", f"{path}/one/status", new, media=STRATEGIC)
    assert answer.status == 200, answer.body
    found = next(one for one in answer.json()["status"]["conditions"] if one["type"] == "Mine")
    assert found == {"type": "Mine", "status": "True", **dict.fromkeys(times)}


def test_managers_in_the_order_of_their_times(side: Client, place: str):
    path = of_group(place, "apps/v1", "deployments")
    obj = workload("Deployment", "apps/v1", replicas=0, selector=SELECTOR)

    def seen() -> Json:
        return dict(side.get(f"{path}/one").json())

    def settled() -> bool:
        """Its controller has seen it, and has written nothing more while the next second began."""
        found = seen()
        if found.get("status", {}).get("observedGeneration") != found["metadata"]["generation"]:
            return False
        time.sleep(STAMP_S)
        return found == seen()

    def changed(patch: Json, manager: str) -> Json:
        return dict(side.ask("PATCH", f"{path}/one", patch, media=MERGE, fieldManager=manager).json())

    assert side.ask("POST", path, obj, fieldManager="maker").status == 201
    eventually(settled, seconds=WAIT_S)
    changed({"spec": {"minReadySeconds": 1}}, "zed")
    eventually(settled, seconds=WAIT_S)
    changed({"spec": {"revisionHistoryLimit": 3}}, "amy")
    eventually(settled, seconds=WAIT_S)
    before = seen()
    entries = before["metadata"]["managedFields"]
    times = [one["time"] for one in entries]
    assert times == sorted(times)
    assert [one["manager"] for one in entries if one["manager"] in ("maker", "zed", "amy")] == ["maker", "zed", "amy"]
    status = next(one for one in entries if one.get("subresource") == "status")
    assert status["time"] >= next(one["time"] for one in entries if one["manager"] == "amy")
    assert changed({"spec": {"minReadySeconds": 1}}, "zed") == before  # not one byte of it is another


def test_names_of_api_services(side: Client):
    path = "/apis/apiregistration.k8s.io/v1/apiservices"
    before = side.get(f"{path}/v1.").json()
    assert side.ask("PATCH", f"{path}/v1.", {"metadata": {"labels": {}}}, media=MERGE).json() == before
    kind = {"kind": "APIService", "apiVersion": "apiregistration.k8s.io/v1"}
    spec = {"group": "a.b", "version": "v1", "groupPriorityMinimum": 100, "versionPriority": 10}
    for name in ("x", "v2.a.b"):
        answer = side.ask("POST", path, {**kind, "metadata": {"name": name}, "spec": spec})
        assert answer.status == 422
        assert answer.json()["message"] == (
            f'APIService.apiregistration.k8s.io "{name}" is invalid: metadata.name: Invalid value: "{name}": '
            'must be `spec.version+"."+spec.group`: "v1.a.b"'
        )
