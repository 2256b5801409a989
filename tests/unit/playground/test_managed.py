from __future__ import annotations

from typing import Any

import pytest

from notebook_mux.playground import managed, schemas
from notebook_mux.playground.apply import ownership
from notebook_mux.playground.apply.ownership import Change, Owner
from notebook_mux.playground.kinds import built_in
from notebook_mux.playground.patches import MERGE
from notebook_mux.playground.paths import Target
from notebook_mux.playground.scenarios import Settings
from notebook_mux.playground.server import Playground
from notebook_mux.playground.store import Stored
from notebook_mux.playground.writes import Asking, Writer
from tests.unit.playground import lives
from tests.unit.playground.worlds import Json, world


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


def test_entries_have_the_servers_order_whoever_writes():
    cluster = world()
    lives.created(cluster, {
        "kind": "Deployment", "apiVersion": "apps/v1", "metadata": {"name": "app", "namespace": "default"},
        "spec": {"replicas": 1, "selector": {"matchLabels": {"app": "app"}}, "template": {
            "metadata": {"labels": {"app": "app"}}, "spec": {"containers": [lives.container()]}}},
    })  # fmt: skip
    cluster.agenda.step(10)

    def patched(patch: bytes, manager: str) -> Json:
        target = Target(cluster.kind("deployments.apps"), "default", "app")
        return Writer(cluster).patch(target, MERGE, patch, Asking(manager)).decode()

    patched(b'{"spec": {"template": {"spec": {"terminationGracePeriodSeconds": 5}}}}', "kubectl-patch")
    cluster.agenda.step(10)  # of these seconds is the status, which was there before the patch
    before = lives.now(cluster, "app", "deployments.apps")
    entries = before["metadata"]["managedFields"]
    assert [one["manager"] for one in entries] == ["test", "kubectl-patch", "kube-controller-manager"]
    assert entries[1]["time"] < entries[2]["time"]
    assert patched(b'{"spec": {}}', "kubectl-patch") == before


@pytest.mark.parametrize("scenario", ["first-look", "rolling-update", "hpa", "node-lost", "two-clusters"])
def test_an_object_written_back_as_it_is_is_no_change(scenario: str):
    """A change that is none would wake all who watch, and kubectl would say "patched"."""
    for served in Playground(scenario).served:
        cluster, writer = served.cluster, served.api.writer
        cluster.agenda.step(5)

        def changed(stored: Stored, writer: Writer = writer) -> bool:
            target = Target(stored.kind, *stored.key)
            new = writer.patch(target, MERGE, b"{}", Asking("me"))
            again = writer.replace(target, new.decode(), Asking("me"))
            return {stored.revision, new.revision, again.revision} != {stored.revision}

        everything, _ = cluster.store.everything()
        assert [(one.kind.kind, one.key) for one in everything if changed(one)] == []
        assert len({one.kind.kind for one in everything}) > 20
