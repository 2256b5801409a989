from __future__ import annotations

from typing import Any

from notebook_mux.playground import managed


def test_fields_are_named_as_the_server_names_them():
    obj = {"spec": {"replicas": 1, "containers": [{"name": "a", "ports": [{"containerPort": 80, "protocol": "TCP"}]}],
                    "args": ["x"]}}  # fmt: skip
    assert managed.fields_of(obj) == {
        "f:spec": {
            "f:replicas": {},
            "f:containers": {
                ".": {},
                'k:{"name":"a"}': {
                    ".": {},
                    "f:name": {},
                    "f:ports": {
                        ".": {},
                        'k:{"containerPort":80,"protocol":"TCP"}': {".": {}, "f:containerPort": {}, "f:protocol": {}},
                    },
                },
            },
            "f:args": {},
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
    assert entries[1]["fieldsV1"] == {"f:metadata": {"f:labels": {"f:z": {}}}}
    assert "f:name" not in str(entries)
