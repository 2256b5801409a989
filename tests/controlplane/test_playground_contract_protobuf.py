"""Protobuf: bodies and answers in it say what they say in JSON, on the real server and here."""

from __future__ import annotations

import shutil
import struct
import zipfile
from typing import Any

import pytest
import yaml

from notebook_mux.playground import protobuf as codec
from notebook_mux.playground.validation import without_nulls
from tests.conftest import ORIGINAL_ENVIRON
from tests.controlplane.sides import Json, config_map
from tests.testbed import protobuf
from tests.unit.playground import objects
from tests.unit.playground.client import MERGE, PARTIAL, PARTIAL_LIST, TABLE, Client

PB = codec.MEDIA
WATCHED = f"{PB};stream=watch"


@pytest.mark.skipif(shutil.which("go") is None, reason="there is no Go, whose modules the table is made of")
def test_the_table_is_what_the_modules_say():
    modules = protobuf.modules(ORIGINAL_ENVIRON)
    if not protobuf.there(modules):
        pytest.skip("Go's modules are not there: `python -m tests.testbed build` gets them")
    with zipfile.ZipFile(protobuf.TARGET) as archive:
        written = {name: archive.read(name) for name in archive.namelist()}
    assert written == protobuf.contents(modules), "run `python -m tests.testbed.protobuf`"


def plain(obj: Json) -> Json:
    """An object without what is another each time."""
    metadata = {key: value for key, value in obj["metadata"].items() if key not in (
        "uid", "resourceVersion", "creationTimestamp", "managedFields", "generation")}  # fmt: skip
    return {**obj, "metadata": metadata}


def created(side: Client, place: str) -> list[tuple[str, Json]]:
    """The path and the object of one of each kind, made by a body in protobuf."""
    found = []
    seen = set()
    for resource, obj, _ in objects.printed():
        if resource in seen or resource in ("priorityclasses.scheduling.k8s.io", "storageclasses.storage.k8s.io"):
            continue
        seen.add(resource)
        path = objects.path_of(resource, place.rpartition("/")[2])
        if resource == "events":
            obj["involvedObject"]["namespace"] = place.rpartition("/")[2]
        answer = side.ask("POST", path, codec.wrap(obj), media=PB, accept=PB)
        assert answer.status == 201, (resource, answer.body)
        assert answer.headers["Content-Type"] == PB
        found.append((f"{path}/{obj['metadata']['name']}", codec.unwrap(answer.body)))
    return found


def test_objects_of_all_kinds(side: Client, place: str, request: pytest.FixtureRequest):
    real = "real" in request.node.name
    made = created(side, place)
    assert len(made) >= 15
    for path, obj in made:
        assert obj["metadata"]["uid"]
        # A read in one form after the other, until nobody changed it in between.
        for _ in range(20):
            first, second = side.get(path), side.get(path, accept=PB)
            read = codec.unwrap(second.body)
            if read["metadata"]["resourceVersion"] == first.json()["metadata"]["resourceVersion"]:
                break
        if real:
            assert first.json() == read, path
        else:  # not each empty list that Go shows as null is in what the playground stores
            assert without_nulls(first.json()) == without_nulls(read), path
        assert codec.unwrap(codec.wrap(read)) == read, path
        assert plain(read)["metadata"].items() >= plain(obj)["metadata"].items(), path


def test_answers_in_protobuf(side: Client, place: str):
    maps = f"{place}/configmaps"
    made = side.ask("POST", maps, codec.wrap(config_map("a", x="1")), media=PB, accept=f"{PB},application/json")
    assert (made.status, codec.unwrap(made.body)["data"]) == (201, {"x": "1"})
    found = side.get(maps, accept=PB, labelSelector="of=test")
    listed = codec.unwrap(found.body)
    assert (listed["kind"], [one["metadata"]["name"] for one in listed["items"]]) == ("ConfigMapList", ["a"])
    assert listed["metadata"]["resourceVersion"]
    partial = side.get(f"{maps}/a", accept=PARTIAL.replace("application/json", PB))
    assert codec.unwrap(partial.body)["kind"] == "PartialObjectMetadata"
    assert "data" not in codec.unwrap(partial.body)
    partial = side.get(maps, accept=PARTIAL_LIST.replace("application/json", PB), labelSelector="of=test")
    assert [one["metadata"]["name"] for one in codec.unwrap(partial.body)["items"]] == ["a"]
    missing = side.get(f"{maps}/nope", accept=PB)
    status = codec.unwrap(missing.body)
    assert (missing.status, status["reason"]) == (404, "NotFound")
    assert status["details"] == {"name": "nope", "kind": "configmaps"}
    changed = side.ask("PATCH", f"{maps}/a", {"data": {"y": "2"}}, media=MERGE, accept=PB)
    assert codec.unwrap(changed.body)["data"] == {"x": "1", "y": "2"}
    gone = side.ask("DELETE", f"{maps}/a", codec.wrap({"kind": "DeleteOptions", "apiVersion": "v1", "dryRun": ["All"]}),
                    media=PB, accept=PB)  # fmt: skip
    assert (gone.status, codec.unwrap(gone.body)["status"]) == (200, "Success")
    assert side.get(f"{maps}/a").status == 200
    in_yaml = side.get(f"{maps}/a", accept="application/yaml")
    assert in_yaml.headers["Content-Type"] == "application/yaml"
    assert in_yaml.body.startswith(b'apiVersion: v1\ndata:\n  x: "1"\n')


MAGIC = b"k8s\0"
"""What an object in protobuf begins with."""


def frames(body: bytes) -> list[tuple[str, Json]]:
    """The events of a watch."""
    found = []
    while body:
        (size,) = struct.unpack(">I", body[:4])
        event, body = body[4 : 4 + size], body[4 + size :]
        kind, raw = event[2 : 2 + event[1]].decode(), event[event.index(MAGIC) :]
        found.append((kind, codec.unwrap(raw)))
    return found


@pytest.mark.parametrize("accept", [PB, WATCHED, f"{WATCHED},application/json;stream=watch"])
def test_watches_in_protobuf(side: Client, place: str, accept: str):
    maps = f"{place}/configmaps"
    made = side.ask("POST", maps, config_map("a", x="1")).json()
    side.ask("POST", maps, config_map("b"))
    answer = side.watched(maps, lambda body: body.count(MAGIC) >= 3, accept=accept, labelSelector="of=test",
                          allowWatchBookmarks="true", sendInitialEvents="true",
                          resourceVersionMatch="NotOlderThan")  # fmt: skip
    assert answer.headers["Content-Type"] == WATCHED
    events = frames(answer.body)
    assert [kind for kind, _ in events[:3]] == ["ADDED", "ADDED", "BOOKMARK"]
    by_name = {one["metadata"].get("name"): one for kind, one in events if kind == "ADDED"}
    assert by_name["a"] == side.get(f"{maps}/a").json()
    assert events[2][1]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}
    later = side.watched(maps, lambda body: MAGIC in body, accept=accept, labelSelector="of=test",
                         resourceVersion=made["metadata"]["resourceVersion"])  # fmt: skip
    assert [(kind, one["metadata"]["name"]) for kind, one in frames(later.body)] == [("ADDED", "b")]


ONLY = "only the following media types are accepted: "
TYPES = "application/json, application/yaml, application/vnd.kubernetes.protobuf"
STREAMS = "application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch"


def test_what_cannot_be_said_in_protobuf(side: Client, place: str):
    table = side.get(f"{place}/configmaps", accept=TABLE.replace("application/json", PB))
    assert (table.status, table.json()["message"]) == (406, ONLY + TYPES)
    table = side.get(f"{place}/configmaps", accept=f"{TABLE.replace('application/json', PB)},{TABLE}")
    assert (table.status, table.json()["kind"]) == (200, "Table")
    watch = side.get(f"{place}/configmaps", accept="application/yaml", watch="1")
    assert (watch.status, yaml.safe_load(watch.body)["message"]) == (406, ONLY + STREAMS)


BAD: list[tuple[bytes, str]] = [
    (b"k8s\0\x0a\xff", "unexpected EOF (6b3873000aff)"),
    (b"xxx", "provided data does not appear to be a protobuf message, expected prefix [107 56 115 0] (787878)"),
    (b"", "empty data (<empty>)"),
]


def test_bodies_that_are_none(side: Client, place: str):
    for body, words in BAD:
        answer = side.ask("POST", f"{place}/configmaps", body, media=PB)
        message = f"the object provided is unrecognized (must be of type ConfigMap): {words}"
        assert (answer.status, answer.json()["message"]) == (400, message)
    pod = codec.wrap(objects.pod("a"))
    answer = side.ask("POST", f"{place}/configmaps", pod, media=PB)
    why = "converting (v1.Pod) to (core.ConfigMap): unknown conversion"
    words = f'Pod in version "v1" cannot be handled as a ConfigMap: {why}'
    assert (answer.status, answer.json()["message"]) == (400, words)


def test_reviews(side: Client):
    spec: dict[str, Any] = {"resourceAttributes": {"verb": "get", "resource": "pods", "namespace": "default"}}
    review = {"kind": "SelfSubjectAccessReview", "apiVersion": "authorization.k8s.io/v1", "metadata": {}, "spec": spec}
    path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    answer = side.ask("POST", path, codec.wrap(review), media=PB, accept=f"{PB},application/json")
    found = codec.unwrap(answer.body)
    assert (answer.status, found["status"]["allowed"], found["spec"]) == (201, True, spec)
