from __future__ import annotations

import copy
import json
import pickle
from typing import Any

import pytest
import yaml
from IPython.lib.pretty import pretty

from notebook_mux.handles.objects import LAST_APPLIED, Change, Object, veiled
from tests.unit.fake_core import DEPLOYMENTS, PODS, pod

CANARY = "c2VjcmV0LWNhbmFyeQ=="
SECRET = {
    "apiVersion": "v1",
    "kind": "Secret",
    "metadata": {"name": "key", "namespace": "default", "annotations": {LAST_APPLIED: CANARY, "other": "kept"}},
    "data": {"password": CANARY},
    "stringData": {"more": CANARY},
}


def test_an_object_has_names_for_what_is_asked_most() -> None:
    one = Object.of(pod("web-0"), "dev", PODS)
    assert (one.name, one.namespace, one.kind, one.cluster) == ("web-0", "default", "Pod", "dev")
    assert one["apiVersion"] == "v1"
    assert one["status"]["phase"] == "Running"
    assert repr(one) == "<Pod default/web-0 in dev>"


def test_an_item_of_a_list_gets_its_kind_and_another_keeps_its_own() -> None:
    record = pod("web")
    assert Object.of(record, "dev", DEPLOYMENTS)["apiVersion"] == "apps/v1"
    record.object = b'{"kind":"Mine","metadata":{"name":"web"}}'
    assert Object.of(record, "dev", DEPLOYMENTS) == {"kind": "Mine", "metadata": {"name": "web"}}
    record.object = b""
    assert Object.of(record, "dev", None) == {"metadata": {"name": "web", "namespace": "default"}}


def test_each_reader_has_an_object_of_its_own() -> None:
    record = pod("web-0")
    first, second = (Object.of(record, "dev", PODS) for _ in range(2))
    first["status"]["phase"] = "edited"
    assert second["status"]["phase"] == "Running"


def test_copies_keep_the_cluster() -> None:
    one = Object.of(pod("web-0"), "dev", PODS)
    for other in (one.copy(), copy.copy(one), copy.deepcopy(one), pickle.loads(pickle.dumps(one))):
        assert other == one
        assert other.cluster == "dev"
    assert json.loads(json.dumps(one)) == one


def test_yaml_leaves_out_managed_fields_and_writes_blocks() -> None:
    content = {
        "kind": "ConfigMap",
        "metadata": {"name": "x", "managedFields": [{"manager": "kubectl"}]},
        "data": {"a": "1\n2\n", "b": "plain"},
    }
    text = Object(content).yaml()
    assert "managedFields" not in text
    assert "a: |" in text
    assert yaml.safe_load(text) == {"kind": "ConfigMap", "metadata": {"name": "x"}, "data": content["data"]}
    assert "managedFields" in content["metadata"]


def test_a_secret_is_shown_only_when_asked_for() -> None:
    secret = Object(SECRET, "dev")
    shown = (repr(secret), str(secret), pretty(secret), secret.yaml(), repr([secret]), pretty({"a": [secret]}))
    for text in shown:
        assert CANARY not in text
    assert "password: <hidden, 20 characters>" in secret.yaml()
    assert "other: kept" in secret.yaml()
    assert secret["data"]["password"] == CANARY
    assert CANARY in secret.yaml(show_secrets=True)
    assert SECRET["data"] == {"password": CANARY}
    assert veiled({"kind": "Secret"}) == {"kind": "Secret"}
    assert veiled({"kind": "Secret", "metadata": {"annotations": None}, "data": None})["data"] is None


def test_a_notebook_shows_yaml_of_bounded_length() -> None:
    one = Object({"kind": "ConfigMap", "metadata": {"name": "x"}, "data": {f"k{i}": "v" for i in range(500)}})
    lines = pretty(one).splitlines()
    assert lines[0] == "kind: ConfigMap"
    assert lines[-1].startswith("# … ")
    assert len(lines) == 81
    assert pretty([one]) == "[<ConfigMap x>]"


@pytest.mark.parametrize("content", [{}, {"metadata": None}, {"metadata": "x"}, {"metadata": {"name": None}}])
def test_odd_objects_have_empty_names(content: Any) -> None:
    assert (Object(content).name, Object(content).namespace, Object(content).kind) == ("", "", "")
    assert repr(Object(content)).startswith("<Object")
    Object(content).yaml()


def test_changes() -> None:
    old, new = pod("web-0"), pod("web-0", status="Failed")
    change = Change("MODIFIED", "dev", new, old, PODS)
    assert (change.type, change.cluster) == ("MODIFIED", "dev")
    assert change.object["status"]["phase"] == "Failed"
    assert change.old is not None
    assert change.old["status"]["phase"] == "Running"
    assert change.object is change.object
    assert repr(change) == "<Change MODIFIED Pod default/web-0 in dev>"
    gone = Change("DELETED", "dev", None, old, None)
    assert gone.object.name == "web-0"
    added = Change("ADDED", "dev", new, None, PODS)
    assert added.old is None
