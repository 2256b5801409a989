"""The lookup of schemas: references followed, what a field adds to its type, custom kinds."""

from __future__ import annotations

from typing import Any

from hypothesis import given, strategies as st

from notebook_mux.playground import schemas
from notebook_mux.playground.cluster import Cluster
from notebook_mux.playground.kinds import built_in
from notebook_mux.playground.schemas import library


def kind(resource: str) -> Any:
    return next(one for one in built_in() if one.resource == resource)


def at(resource: str, path: str) -> schemas.Schema:
    found = schemas.of(kind(resource))
    for step in path.split("."):
        assert found is not None, path
        found = found.items if step == "[]" else found.additional if step == "*" else found.field(step)
    assert found is not None, path
    return found


def test_lists_and_maps_say_how_they_are_merged():
    containers = at("pods", "spec.containers")
    assert (containers.type, containers.list_type, containers.map_keys) == ("array", "map", ("name",))
    assert (containers.patch_strategy, containers.patch_merge_key) == ("merge", "name")
    assert containers.items is not None
    assert (containers.items.name, containers.items.required) == ("io.k8s.api.core.v1.Container", ("name",))
    assert at("pods", "spec.containers.[].ports").map_keys == ("containerPort", "protocol")
    assert at("services", "spec.ports").patch_merge_key == "port"
    assert at("pods", "metadata.finalizers").list_type == "set"
    assert at("pods", "spec.containers.[].command").list_type == "atomic"
    assert at("pods", "spec.nodeSelector").map_type == "atomic"
    assert at("services", "spec.selector").map_type == "atomic"
    assert at("deployments.apps", "spec.strategy").patch_strategy == "retainKeys"
    assert at("pods", "spec.volumes").patch_strategy == "merge,retainKeys"
    assert at("deployments.apps", "spec.selector").map_type == "atomic"


def test_types_and_defaults():
    assert at("pods", "spec.containers.[].resources.limits.*").type == ""
    assert at("deployments.apps", "spec.strategy.rollingUpdate.maxSurge").int_or_string
    assert at("deployments.apps", "spec.replicas").format == "int32"
    assert at("pods", "spec.containers.[].resources").default == {}
    assert at("deployments.apps", "spec.replicas").default is schemas.UNSET
    assert at("pods", "spec").field("containerz") is None
    assert at("pods", "metadata.labels").open
    assert at("pods", "metadata.managedFields.[].fieldsV1").open
    assert not at("pods", "spec").open
    assert at("pods", "spec.containers") is at("pods", "spec.containers")


def test_every_kind_of_the_catalog_has_one():
    assert [one.resource for one in built_in() if schemas.of(one) is None and one.group != "metrics.k8s.io"] == []


def test_custom_kinds_come_and_go_with_their_definition():
    cluster = Cluster()
    spec = {"type": "object", "properties": {"size": {"type": "integer", "default": 3}}, "required": ["size"]}
    schema = {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec}}}
    names = {"plural": "widgets", "kind": "Widget"}
    versions = [{"name": "v1", "served": True, "storage": True, "schema": schema}]
    stored = cluster.create({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "widgets.example.com"},
        "spec": {"group": "example.com", "names": names, "scope": "Namespaced", "versions": versions},
    })  # fmt: skip
    custom = next(one for one in cluster.kinds if one.custom)
    found = cluster.schemas.of(custom)
    assert found is not None
    assert found.field("spec").field("size").default == 3  # type: ignore[union-attr]
    assert found.field("metadata").field("ownerReferences").map_keys == ("uid",)  # type: ignore[union-attr]
    cluster.store.remove(stored.kind, stored.key)
    assert cluster.schemas.of(custom) is None


leaves = st.none() | st.booleans() | st.integers() | st.text("ab", max_size=9)
documents = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("xyz"), inner, max_size=4),
    max_leaves=25,
)


@given(documents)
def test_folding_keeps_a_document(document: Any):
    assert library.unfold(library.fold(document, 4)) == document
