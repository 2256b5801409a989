from __future__ import annotations

from typing import Any

from notebook_mux.playground import managed, schemas
from notebook_mux.playground.apply import ownership
from notebook_mux.playground.apply.ownership import Change, Owner
from notebook_mux.playground.kinds import built_in
from notebook_mux.playground.scenarios import Settings
from notebook_mux.playground.server import Playground


def test_fields_are_named_as_the_server_names_them():
    spec = {"replicas": 1, "template": {"spec": {"containers": [
        {"name": "a", "args": ["x"], "ports": [{"containerPort": 80}], "env": [{"name": "X", "value": "1"}]}]}},
        "selector": {"matchLabels": {"app": "a"}}}  # fmt: skip
    found = managed.entry("me", "apps/v1", "t", {"kind": "Deployment", "spec": spec})
    assert found["fieldsV1"] == {
        "f:spec": {
            "f:replicas": {},
            "f:selector": {},  # atomic
            "f:template": {  # structs and required lists are nobody's
                "f:spec": {
                    "f:containers": {
                        'k:{"name":"a"}': {
                            ".": {},
                            "f:name": {},
                            "f:args": {},
                            "f:env": {".": {}, 'k:{"name":"X"}': {".": {}, "f:name": {}, "f:value": {}}},
                            "f:ports": {
                                ".": {},
                                'k:{"containerPort":80,"protocol":"TCP"}': {".": {}, "f:containerPort": {}},
                            },
                        }
                    }
                }
            },
        }
    }


def test_one_entry_for_each_manager_and_subresource():
    obj: dict[str, Any] = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a", "labels": {"x": "y"}}}
    managed.record(obj, "me", "t1", obj)
    managed.record(obj, "kubelet", "t2", {"status": {"phase": "Running"}}, subresource="status")
    managed.record(obj, "me", "t3", {"metadata": {"labels": {"z": ""}}})
    entries = obj["metadata"]["managedFields"]
    assert [(one["manager"], one.get("subresource"), one["time"]) for one in entries] == [
        ("kubelet", "status", "t2"), ("me", None, "t3"),
    ]  # fmt: skip
    assert entries[1]["fieldsV1"] == {"f:metadata": {"f:labels": {".": {}, "f:z": {}}}}
    assert "f:name" not in str(entries)


def test_what_the_parts_write_is_what_a_comparison_finds():
    """The way that is fast says of each object of a scenario what comparing it with nothing says."""
    cluster = Playground("first-look", settings=Settings(still=True)).served[0].cluster
    looked_at = set()
    for kind in built_in():
        for stored in cluster.store.items(kind.resource):
            obj = stored.decode()
            obj["metadata"].pop("managedFields", None)
            change = Change(Owner("m", "Update", kind.api_version), kind.api_version, "t", schemas.of(kind))
            compared = ownership.encode(ownership.update({}, obj, {}, change))
            assert managed.fields_of(obj, schemas.of(kind)) == (compared[0]["fieldsV1"] if compared else {}), stored.key
            looked_at.add(kind.kind)
    assert {"Pod", "Deployment", "Service", "Node", "CronJob", "Event"} <= looked_at
