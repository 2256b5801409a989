"""``/openapi/v2``: what it says of built-in and custom kinds, in both forms; kubectl takes a List by it."""

from __future__ import annotations

import asyncio
import gzip
import shutil
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from notebook_mux.playground.protobuf import wire
from notebook_mux.playground.schemas.documents import Documents
from notebook_mux.playground.schemas.swagger import JSON, PROTOBUF as GNOSTIC, Swagger
from tests.playground import RunningPlayground
from tests.unit.playground.client import Client
from tests.unit.playground.worlds import world
from tests.waiting import eventually

Json = dict[str, Any]

PROTOBUF = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
META = "#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
FREE = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
TEXT = {"type": "string"}
SPEC = {"type": "object", "required": ["size", "maybe"], "description": "What is wanted.", "properties": {
    "size": {"type": "integer", "minimum": 1, "maximum": 2.5, "exclusiveMaximum": True, "default": 1},
    "mode": {"type": "string", "enum": ["a", "b"], "maxLength": 3, "pattern": "^.$"},
    "maybe": {"type": "object", "nullable": True, "properties": {"a": TEXT}},
    "port": {"x-kubernetes-int-or-string": True, "anyOf": [{"type": "integer"}, TEXT]},
    "free": {**FREE, "properties": {"kept": TEXT}},
    "frees": {"type": "array", "maxItems": 0, "items": FREE},
    "open": {"type": "object", "additionalProperties": True},
    "texts": {"type": "object", "additionalProperties": TEXT},
    "inner": {"type": "object", "x-kubernetes-embedded-resource": True, "properties": {"spec": FREE}},
}}  # fmt: skip
SPEC_2 = {"type": "object", "required": ["size"], "description": "What is wanted.", "properties": {
    "size": {"type": "integer", "minimum": 1, "maximum": 2.5, "exclusiveMaximum": True},
    "mode": {"type": "string", "enum": ["a", "b"], "maxLength": 3, "pattern": "^.$"},
    "maybe": {},
    "port": {"x-kubernetes-int-or-string": True},
    "free": {"x-kubernetes-preserve-unknown-fields": True},
    "frees": {"type": "array", "maxItems": 0, "items": {"x-kubernetes-preserve-unknown-fields": True}},
    "open": {"type": "object", "additionalProperties": True},
    "texts": {"type": "object", "additionalProperties": TEXT},
    "inner": {"type": "object", "required": ["kind", "apiVersion"], "x-kubernetes-embedded-resource": True,
              "properties": {"apiVersion": TEXT, "kind": TEXT, "metadata": {"$ref": META},
                             "spec": {"x-kubernetes-preserve-unknown-fields": True}}},
}}  # fmt: skip
"""As a kube-apiserver 1.37.2 says it."""


def crd(plural: str, kind: str, schema: Json) -> Json:
    versions = [{"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}]
    return {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": f"{plural}.explained.io"},
            "spec": {"group": "explained.io", "scope": "Namespaced", "names": {"plural": plural, "kind": kind},
                     "versions": versions}}  # fmt: skip


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPlayground]:
    """A playground with a custom kind that has a schema, and one that takes anything."""
    running = RunningPlayground(tmp_path_factory.mktemp("openapi"))
    running.create(crd("houses", "House", {"type": "object", "properties": {"spec": SPEC}}))
    running.create(crd("towns", "Town", {**FREE, "description": "Anything."}))
    yield running
    running.close()


@pytest.fixture(scope="module")
def client(running: RunningPlayground) -> Client:
    return Client(running.kubeconfig)


@pytest.fixture(scope="module")
def document(client: Client) -> Json:
    found: Json = client.get("/openapi/v2").json()
    return found


def test_definitions(document: Json):
    assert (document["swagger"], document["info"]["title"]) == ("2.0", "Kubernetes")
    found = document["definitions"]
    pod = found["io.k8s.api.core.v1.Pod"]
    assert pod["x-kubernetes-group-version-kind"] == [{"group": "", "kind": "Pod", "version": "v1"}]
    assert pod["properties"]["spec"]["$ref"] == "#/definitions/io.k8s.api.core.v1.PodSpec"
    assert "description" in pod["properties"]["spec"]
    assert found["io.k8s.apimachinery.pkg.api.resource.Quantity"]["type"] == "string"
    target = found["io.k8s.apimachinery.pkg.util.intstr.IntOrString"]
    assert (target["type"], target["format"]) == ("string", "int-or-string")
    groups = {one["group"] for one in found["io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions"][
        "x-kubernetes-group-version-kind"]}  # fmt: skip
    assert {"", "apps", "batch"} <= groups
    assert "explained.io" not in groups
    assert not [name for name in references(document) if name not in found]


def references(value: Any) -> Iterator[str]:
    """The definitions that anything refers to."""
    if isinstance(value, list):
        for one in value:
            yield from references(one)
    elif isinstance(value, dict):
        target = value.get("$ref")
        if isinstance(target, str) and target.startswith("#/definitions/"):
            yield target.removeprefix("#/definitions/")
        for one in value.values():
            yield from references(one)


def test_custom_kinds(document: Json):
    house = document["definitions"]["io.explained.v1.House"]
    assert house["properties"]["spec"] == SPEC_2
    assert house["properties"]["metadata"]["$ref"] == META
    assert house["x-kubernetes-group-version-kind"] == [{"group": "explained.io", "kind": "House", "version": "v1"}]
    town = document["definitions"]["io.explained.v1.Town"]
    assert sorted(town) == ["type", "x-kubernetes-group-version-kind"]  # so that kubectl lets all fields be
    items = document["definitions"]["io.explained.v1.TownList"]["properties"]["items"]["items"]
    assert items == {"$ref": "#/definitions/io.explained.v1.Town"}


def test_paths(document: Json):
    item = document["paths"]["/apis/apps/v1/namespaces/{namespace}/deployments/{name}"]
    patch = item["patch"]
    assert patch["x-kubernetes-group-version-kind"] == {"group": "apps", "kind": "Deployment", "version": "v1"}
    assert "application/strategic-merge-patch+json" in patch["consumes"]
    assert patch["produces"][:2] == ["application/json", "application/yaml"]
    assert patch["responses"]["200"]["schema"] == {"$ref": "#/definitions/io.k8s.api.apps.v1.Deployment"}
    shared = [one["$ref"].removeprefix("#/parameters/") for one in patch["parameters"] if "$ref" in one]
    assert {document["parameters"][name]["name"] for name in shared} == {"body", "fieldManager", "force"}
    assert "force-tOGGb0Yi" in shared  # the name that the real server gives it
    assert {one["name"] for one in patch["parameters"] if "$ref" not in one} == {"dryRun", "fieldValidation"}
    custom = document["paths"]["/apis/explained.io/v1/namespaces/{namespace}/houses/{name}"]
    assert custom["get"]["consumes"] == ["application/json", "application/yaml"]
    assert "application/strategic-merge-patch+json" not in custom["patch"]["consumes"]


def test_what_caches_go_by(client: Client, running: RunningPlayground):
    plain = client.get("/openapi/v2", accept="*/*")
    mark = plain.headers["ETag"]
    assert (plain.status, plain.headers["Content-Type"], plain.headers["Vary"]) == (200, "application/json", "Accept")
    packed = client.get("/openapi/v2", headers={"Accept-Encoding": "gzip"})
    assert (packed.headers["Content-Encoding"], gzip.decompress(packed.body)) == ("gzip", plain.body)
    for media in (PROTOBUF, "application/json"):
        again = client.get("/openapi/v2", accept=media, headers={"If-None-Match": mark})
        assert (again.status, again.body, again.headers["ETag"]) == (304, b"", mark)
    assert client.get("/openapi/v2", accept="text/html").status == 406
    running.create(crd("rivers", "River", {"type": "object"}))
    after = client.get("/openapi/v2", headers={"If-None-Match": mark})
    assert after.status == 200
    assert "io.explained.v1.River" in after.json()["definitions"]
    assert client.ask("DELETE", f"{CRDS}/rivers.explained.io").status == 200
    asking = {"headers": {"If-None-Match": mark}}
    eventually(lambda: client.get("/openapi/v2", **asking).status == 304, "it is as before", seconds=30)


# The field numbers of messages of gnostic's OpenAPIv2.proto, and how to read each.
WORDS = {1: "$ref", 2: "format", 4: "description", 13: "pattern"}
DOUBLES = {7: "maximum", 9: "minimum"}
SWITCHES = {8: "exclusiveMaximum", 10: "exclusiveMinimum", 16: "uniqueItems"}
COUNTS = {11: "maxLength", 14: "maxItems"}


def entries(data: bytes) -> dict[str, bytes]:
    """A message that is a map: names and values."""
    found = {}
    for number, _, entry in wire.split(data):
        assert number == 1
        fields = {key: value for key, _, value in wire.split(entry)}
        found[fields[1].decode()] = fields.get(2, b"")
    return found


def free(data: bytes) -> Any:
    """The message Any."""
    return yaml.safe_load({number: value for number, _, value in wire.split(data)}[2])


def schema(data: bytes) -> Json:
    """The message Schema as JSON has it."""
    found: Json = {}
    for number, _, value in wire.split(data):
        if number in WORDS:
            found[WORDS[number]] = value.decode()
        elif number in DOUBLES:
            found[DOUBLES[number]] = struct.unpack("<d", value)[0]
        elif number in SWITCHES:
            found[SWITCHES[number]] = bool(value)
        elif number in COUNTS:
            found[COUNTS[number]] = value
        elif number == 19:
            found.setdefault("required", []).append(value.decode())
        elif number == 20:
            found.setdefault("enum", []).append(free(value))
        elif number == 21:
            ((which, _, inner),) = wire.split(value)
            found["additionalProperties"] = schema(inner) if which == 1 else bool(inner)
        elif number == 22:
            ((_, _, inner),) = wire.split(value)
            found["type"] = inner.decode()
        elif number == 23:
            ((_, _, inner),) = wire.split(value)
            found["items"] = schema(inner)
        elif number == 25:
            found["properties"] = {name: schema(inner) for name, inner in entries(value).items()}
        elif number == 31:
            fields = {key: inner for key, _, inner in wire.split(value)}
            found[fields[1].decode()] = free(fields[2])
        else:
            raise AssertionError(f"field {number}")
    return found


def test_protobuf_says_the_same(client: Client, document: Json):
    answer = client.get("/openapi/v2", accept=PROTOBUF)
    assert answer.headers["Content-Type"] == "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
    fields = {number: value for number, _, value in wire.split(answer.body)}
    assert sorted(fields) == [1, 2, 8, 9, 10, 12, 13]
    definitions = entries(fields[9])
    assert list(definitions) == list(document["definitions"])
    for name, data in definitions.items():
        expected = document["definitions"][name]
        found = schema(data)
        assert found == without_zeros(expected), name
    assert list(entries(fields[10])) == list(document["parameters"])
    paths = {}
    for _, _, entry in wire.split(fields[8]):
        (_, _, name), (_, _, item) = wire.split(entry)
        paths[name.decode()] = {number: value for number, _, value in wire.split(item)}
    assert list(paths) == list(document["paths"])
    patch = list(wire.split(paths["/api/v1/namespaces/{namespace}/pods/{name}"][8]))
    consumes = [value.decode() for number, _, value in patch if number == 7]
    assert consumes == document["paths"]["/api/v1/namespaces/{namespace}/pods/{name}"]["patch"]["consumes"]
    extensions = [{key: inner for key, _, inner in wire.split(value)} for number, _, value in patch if number == 13]
    kinds = [free(one[2]) for one in extensions if one[1] == b"x-kubernetes-group-version-kind"]
    assert kinds == [{"group": "", "kind": "Pod", "version": "v1"}]


def without_zeros(value: Json) -> Json:
    """A schema in which a message has nothing of what is zero."""
    found = {key: one for key, one in value.items() if key != "maxItems" or one}
    for key in ("items", "additionalProperties"):
        if isinstance(found.get(key), dict):
            found[key] = without_zeros(found[key])
    if "properties" in found:
        found["properties"] = {name: without_zeros(one) for name, one in found["properties"].items()}
    return found


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="there is no kubectl on the PATH")
def test_kubectl_takes_a_list(running: RunningPlayground, tmp_path: Path):
    def kubectl(*words: str, given: Any = None, code: int = 0) -> str:
        command = ["kubectl", "--kubeconfig", str(running.kubeconfig), "--cache-dir", str(tmp_path), *words]
        text = yaml.safe_dump(given) if given else ""
        done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=90, check=False)
        assert done.returncode == code, done.stderr
        return done.stdout + done.stderr

    def listed(**more: Any) -> Json:
        config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "one"}, "data": {"a": "1"}}
        house = {"apiVersion": "explained.io/v1", "kind": "House", "metadata": {"name": "one"},
                 "spec": {"size": 1, "maybe": {}, "free": {"any": 1}, "port": 80, **more}}  # fmt: skip
        town = {"apiVersion": "explained.io/v1", "kind": "Town", "metadata": {"name": "one"}, "any": {"a": 1}}
        return {"apiVersion": "v1", "kind": "List", "items": [config, house, town]}

    refused = kubectl("create", "-f", "-", given=listed(sizze=1), code=1)
    assert 'ValidationError(House.spec): unknown field "sizze" in io.explained.v1.House.spec' in refused
    assert running.get("configmaps", "one") is None
    created = kubectl("create", "-f", "-", given=listed())
    assert created.split() == ["configmap/one", "created", "house.explained.io/one", "created",
                               "town.explained.io/one", "created"]  # fmt: skip
    assert "configmap/one replaced" in kubectl("replace", "-f", "-", given=listed(mode="b"))
    explained = kubectl("explain", "houses.spec", "--output=plaintext-openapiv2")
    assert "What is wanted." in explained
    assert "size\t<integer> -required-" in explained
    assert "containers\t<[]Object> -required-" in kubectl("explain", "pods.spec", "--output=plaintext-openapiv2")


async def test_others_have_their_turn_while_it_is_made():
    """It is made beside the loop, once for all who ask, and anew when a kind was defined meanwhile."""
    cluster = world(1)
    made = Swagger(Documents(cluster.kinds, cluster.schemas), cluster.schemas)
    turns, bodies = 0, [asyncio.create_task(made.body(form)) for form in (JSON, JSON, GNOSTIC)]
    while not all(one.done() for one in bodies):
        turns += 1
        if turns == 3:
            version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {"type": "object"}}}
            names = {"plural": "cars", "singular": "car", "kind": "Car", "listKind": "CarList"}
            spec = {"group": "late.io", "scope": "Namespaced", "names": names, "versions": [version]}
            cluster.create({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
                            "metadata": {"name": "cars.late.io"}, "spec": spec})  # fmt: skip
        await asyncio.sleep(0)
    one, other, _ = (task.result() for task in bodies)
    assert one is other
    assert b"late.io" in one
    assert turns > 30
