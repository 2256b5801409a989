"""Objects in protobuf: what is written is read again, and what is no message is refused."""

from __future__ import annotations

import base64
from functools import cache
from typing import Any

import pytest
from hypothesis import given, strategies as st

from notebook_mux.playground import protobuf
from notebook_mux.playground.kinds import built_in
from notebook_mux.playground.protobuf import codec, special, table
from tests.unit.playground import objects

Json = dict[str, Any]

TEXT = st.text(st.characters(blacklist_categories=["Cs"]), max_size=8)
JSON = st.recursive(st.booleans() | st.integers(-9, 9) | TEXT, lambda one: st.lists(one, max_size=3), max_leaves=4)
MOMENTS = st.integers(0, 4102444800)
AMOUNTS = st.sampled_from(["0", "500m", "64Mi", "1e3", "-1", "2.5"])
SCALARS: dict[str, st.SearchStrategy[Any]] = {
    "string": TEXT,
    "bytes": st.binary(max_size=6).map(lambda data: base64.b64encode(data).decode()),
    "int32": st.integers(-(2**31), 2**31 - 1),
    "int64": st.integers(-(2**63), 2**63 - 1),
    "bool": st.booleans(),
    "double": st.floats(allow_nan=False, allow_infinity=False, width=32).map(
        lambda one: int(one) if one.is_integer() else one
    ),
}
SPECIAL: dict[str, st.SearchStrategy[Any]] = {
    f"{table.META}.Time": MOMENTS.map(lambda one: special.MESSAGES[f"{table.META}.Time"].read(_moment(one))),
    f"{table.META}.MicroTime": MOMENTS.map(lambda one: special.MESSAGES[f"{table.META}.MicroTime"].read(_moment(one))),
    f"{table.META}.Duration": st.sampled_from(["0s", "1h0m0s", "1m30s", "2.5s", "500ms"]),
    f"{table.META}.Verbs": st.lists(TEXT, max_size=2),
    f"{table.META}.FieldsV1": st.dictionaries(TEXT, JSON, min_size=1, max_size=2),
    "k8s.io.apimachinery.pkg.api.resource.Quantity": AMOUNTS,
    "k8s.io.apimachinery.pkg.util.intstr.IntOrString": st.integers(0, 99999) | TEXT,
}


def _moment(seconds: int) -> bytes:
    return codec.encode(f"{table.META}.Timestamp", {"seconds": seconds, "nanos": 0})


@cache
def valued(kind: str, depth: int = 4) -> st.SearchStrategy[Any]:
    """Values of a type, as Go's encoder would show them."""
    if kind in SCALARS:
        return SCALARS[kind]
    if kind in special.MESSAGES:
        return SPECIAL.get(
            kind, st.lists(TEXT, max_size=2) if "Value" in kind else st.dictionaries(TEXT, JSON, min_size=1)
        )
    if depth == 0:
        return st.just({})
    fields: dict[str, st.SearchStrategy[Any]] = {}
    embedded: list[st.SearchStrategy[Any]] = []
    for field in table.fields(kind) or ():
        inner = valued(field.kind, depth - 1)
        if not field.name:
            embedded.append(inner)
        elif field.is_map:
            fields[field.name] = st.dictionaries(TEXT, inner, min_size=1, max_size=2)
        elif field.is_list:
            fields[field.name] = st.lists(inner, min_size=1, max_size=2)
        else:
            fields[field.name] = inner
    own = st.fixed_dictionaries({}, optional=fields)
    if not embedded:
        return own
    return st.tuples(own, *embedded).map(lambda parts: {key: value for part in parts for key, value in part.items()})


KINDS = [kind for kind in built_in() if protobuf.has_message(kind.api_version, kind.kind)]


@given(st.data())
def test_what_is_written_is_read_again(data: st.DataObject):
    kind = data.draw(st.sampled_from(KINDS))
    message = table.message_of(kind.api_version, kind.kind)
    assert message is not None
    obj = {"kind": kind.kind, "apiVersion": kind.api_version, **data.draw(valued(message))}
    once = protobuf.unwrap(protobuf.wrap(obj))
    assert protobuf.unwrap(protobuf.wrap(once)) == once
    assert _contains(once, obj), (once, obj)


def _contains(read: Any, written: Any) -> bool:
    """Whether all that was written is read; what is empty may be left out."""
    if isinstance(written, dict) and isinstance(read, dict):
        return all(_contains(read.get(key), value) for key, value in written.items())
    if isinstance(written, list) and isinstance(read, list):
        return len(read) == len(written) and all(_contains(a, b) for a, b in zip(read, written, strict=True))
    return read == written or (_is_empty(read) and _is_empty(written))


def _is_empty(value: Any) -> bool:
    """Whether nothing is in it, however deep."""
    return all(_is_empty(one) for one in value.values()) if isinstance(value, dict) else not value


@given(st.binary(max_size=60))
def test_other_bytes_are_refused_or_read(data: bytes):
    for body in (data, b"k8s\0" + data):
        try:
            found = protobuf.unwrap(body, api_version="v1", kind="Pod")
        except protobuf.Malformed:
            continue
        assert found["kind"]


@given(st.data())
def test_a_cut_object_is_refused_or_read(data: st.DataObject):
    body = protobuf.wrap(objects.deployment("web"))
    cut = body[: data.draw(st.integers(4, len(body) - 1))]
    try:
        found = protobuf.unwrap(cut)
    except protobuf.Malformed:
        return
    assert _contains(objects.deployment("web") | found, found)


def test_all_kinds_have_a_message_but_custom_ones():
    assert len(KINDS) >= 30
    assert protobuf.has_message("apps/v1", "DeploymentList")
    assert protobuf.has_message("apps/v1", "DeleteOptions")
    assert not protobuf.has_message("example.com/v1", "Widget")
    with pytest.raises(KeyError):
        protobuf.wrap({"kind": "Widget", "apiVersion": "example.com/v1"})


@pytest.mark.parametrize(
    "obj",
    [
        {"spec": {"replicas": "three"}},
        {"spec": []},
        {"metadata": {"creationTimestamp": "yesterday"}},
        {"metadata": {"labels": {"a": 5}}},
        {"spec": {"strategy": {"rollingUpdate": {"maxSurge": 1.5}}}},
    ],
)
def test_a_value_of_another_type_is_refused(obj: Json):
    with pytest.raises(protobuf.Malformed):
        protobuf.wrap({"kind": "Deployment", "apiVersion": "apps/v1", **obj})


def test_empty_values_are_shown_as_go_shows_them():
    """A struct that is no pointer is always there, a pointer only where it was sent, other empty values not at all."""
    read = protobuf.unwrap(protobuf.wrap({"kind": "Deployment", "apiVersion": "apps/v1", "spec": {
        "replicas": 0, "paused": False, "template": {"spec": {"containers": [{"name": "a"}]}}}}))  # fmt: skip
    assert read == {
        "kind": "Deployment", "apiVersion": "apps/v1", "metadata": {}, "status": {},
        "spec": {"replicas": 0, "strategy": {}, "template": {
            "metadata": {}, "spec": {"containers": [{"name": "a", "resources": {}}]}}},
    }  # fmt: skip


def test_schemas_of_definitions_are_read_as_they_were():
    schema: Json = {
        "type": "object", "x-kubernetes-preserve-unknown-fields": True, "$schema": "s",
        "properties": {
            "list": {"type": "array", "items": {"type": "integer", "default": 3, "enum": [1, 3]}},
            "map": {"type": "object", "additionalProperties": {"type": "string"}},
            "closed": {"type": "object", "additionalProperties": False},
        },
    }  # fmt: skip
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    spec = {"group": "b.c", "scope": "Cluster", "names": {"plural": "a", "kind": "A"}, "versions": [version]}
    crd = {"kind": "CustomResourceDefinition", "apiVersion": "apiextensions.k8s.io/v1", "metadata": {"name": "a.b.c"},
           "spec": spec}  # fmt: skip
    found = protobuf.unwrap(protobuf.wrap(crd))
    assert found["spec"]["versions"][0]["schema"]["openAPIV3Schema"] == schema


def test_the_table_has_all_that_its_fields_are_made_of():
    open_, known = {message for kind in KINDS if (message := table.message_of(kind.api_version, kind.kind))}, set()
    while open_:
        message = open_.pop()
        known.add(message)
        fields = table.fields(message)
        assert fields is not None, message
        open_ |= {one.kind for one in fields if not one.is_scalar} - known


def test_a_frame_of_a_watch():
    frame = protobuf.frame("ADDED", {"kind": "ConfigMap", "apiVersion": "v1", "data": {"a": "b"}})
    assert int.from_bytes(frame[:4], "big") == len(frame) - 4
    assert frame[4:11] == b"\x0a\x05ADDED"
    assert protobuf.unwrap(frame[frame.index(b"k8s\0") :])["data"] == {"a": "b"}
