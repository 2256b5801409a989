"""Kinds that are defined at run time, on the playground and on a real API server: the same answers."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.controlplane.both import DISCOVERY, Both, kept, kubectl_runner
from tests.playground import RunningPlayground
from tests.testbed.control_plane import ControlPlane
from tests.unit.playground.client import MERGE, STRATEGIC, TABLE, Answer, Client

Json = dict[str, Any]

CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
GROUP = "f.example.com"
BOATS = f"/apis/{GROUP}/v1/namespaces/crds/boats"
NAME = f"boats.{GROUP}"

SPEC: Json = {
    "type": "object",
    "description": "What the boat is to be.",
    "required": ["crew"],
    "properties": {
        "crew": {"type": "integer", "minimum": 1, "maximum": 10, "description": "How many sail it."},
        "name": {"type": "string", "pattern": "^[a-z]+$", "minLength": 2, "maxLength": 8},
        "color": {"type": "string", "enum": ["red", "blue"], "default": "red"},
        "ratio": {"type": "number", "exclusiveMinimum": True, "minimum": 0, "multipleOf": 0.5},
        "flags": {"type": "array", "minItems": 1, "maxItems": 2, "items": {"type": "string", "maxLength": 9},
                  "x-kubernetes-list-type": "set"},
        "ports": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"],
                  "items": {"type": "object", "required": ["name"],
                            "properties": {"name": {"type": "string"}, "port": {"x-kubernetes-int-or-string": True}}}},
        "when": {"type": "string", "format": "date-time"},
        "day": {"type": "string", "format": "date"},
        "small": {"type": "integer", "format": "int32"},
        "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
        "map": {"type": "object", "additionalProperties": {"type": "integer"}, "maxProperties": 2},
        "nothing": {"type": "string", "nullable": True},
        "on": {"type": "boolean"},
        "one": {"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "string"}},
                "oneOf": [{"required": ["a"]}, {"required": ["b"]}]},
        "any": {"type": "integer", "anyOf": [{"minimum": 10}, {"maximum": 3}]},
        "no": {"type": "string", "not": {"enum": ["bad"]}},
        "all": {"type": "integer", "allOf": [{"minimum": 3}, {"maximum": 7}]},
        "min": {"type": "integer"},
        "max": {"type": "integer"},
        "fixed": {"type": "string",
                  "x-kubernetes-validations": [{"rule": "self == oldSelf", "message": "fixed is fixed"}]},
    },
    "x-kubernetes-validations": [
        {"rule": "!has(self.min) || !has(self.max) || self.min <= self.max", "message": "min must not be above max"},
        {"rule": "!has(self.name) || self.name != 'zz'", "messageExpression": "'not ' + self.name",
         "reason": "FieldValueForbidden", "fieldPath": ".name"},
        {"rule": "!has(self.flags) || self.flags.all(f, f.startsWith('f'))"},
    ],
}  # fmt: skip
SCHEMA: Json = {
    "type": "object",
    "description": "Something that swims.",
    "properties": {
        "spec": SPEC,
        "status": {"type": "object", "properties": {"phase": {"type": "string"}, "replicas": {"type": "integer"}}},
    },
}


def defined(schema: Json, plural: str = "boats", kind: str = "Boat", **version: Any) -> Json:
    v1 = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}, **version}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{GROUP}"},
        "spec": {
            "group": GROUP,
            "scope": "Namespaced",
            "names": {"plural": plural, "kind": kind, "shortNames": ["bt"], "categories": ["all"]},
            "versions": [v1],
        },
    }


DEFINITION = defined(
    SCHEMA,
    subresources={"status": {}, "scale": {"specReplicasPath": ".spec.crew", "statusReplicasPath": ".status.replicas"}},
    additionalPrinterColumns=[
        {"name": "Crew", "type": "integer", "jsonPath": ".spec.crew", "description": "How many."},
        {"name": "Color", "type": "string", "jsonPath": ".spec.color", "priority": 1},
        {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
    ],
    selectableFields=[{"jsonPath": ".spec.color"}, {"jsonPath": ".spec.crew"}],
)


def boat(name: str, spec: Any, **more: Any) -> Json:
    return {"apiVersion": f"{GROUP}/v1", "kind": "Boat", "metadata": {"name": name}, "spec": spec, **more}


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory, control_plane: ControlPlane) -> Iterator[Both]:
    """Both servers, with boats defined and a namespace for them."""
    running = RunningPlayground(tmp_path_factory.mktemp("crds"))
    found = Both(tmp_path_factory.mktemp("both"), control_plane, running)
    name = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "crds"}}
    assert found.statuses("POST", "/api/v1/namespaces", name) == 201
    define(found, DEFINITION)
    yield found
    for side in found.sides.values():
        for one in side.get(CRDS).json()["items"]:
            if one["spec"]["group"] == GROUP:
                side.ask("DELETE", f"{CRDS}/{one['metadata']['name']}")
        side.ask("DELETE", "/api/v1/namespaces/crds")
    running.close()


def define(both: Both, definition: Json) -> None:
    """Make a definition, and wait until its kind is served."""
    both.same("POST", CRDS, definition)
    group, plural = definition["spec"]["group"], definition["spec"]["names"]["plural"]
    both.until(lambda side: side.get(f"/apis/{group}/v1/{plural}").status == 200, "it is served")


def told(answer: Answer) -> Any:
    """What a client is told, causes without an order: the real server's is that of a map."""
    body = kept(answer.json())
    causes = (body.get("details") or {}).get("causes") or []
    if len(causes) > 1:
        body["message"] = body["message"].partition(": [")[0]
        body["details"]["causes"] = sorted(causes, key=json.dumps)
    return answer.status, body, sorted(answer.headers.get_all("Warning") or [])


def same(both: Both, *arguments: Any, **options: Any) -> tuple[int, Json, list[str]]:
    real, ours = (told(answer) for answer in both.ask(*arguments, **options))
    assert ours == real, (arguments, options)
    found: tuple[int, Json, list[str]] = real
    return found


# ------------------------------------------------------------------------------------------------ what is served


def test_what_a_definition_makes(both: Both):
    def status(side: Client) -> Any:
        found = side.get(f"{CRDS}/{NAME}").json()["status"]
        for one in found["conditions"] or ():
            one.pop("lastTransitionTime")
        return found

    both.until(lambda side: len(status(side)["conditions"] or ()) == 2, "it is established")
    real, ours = (status(side) for side in both.sides.values())
    assert ours == real
    assert [one["status"] for one in ours["conditions"]] == ["True", "True"]
    both.listed(GROUP, "boats")
    for path, accept in (("/apis", DISCOVERY), (f"/apis/{GROUP}", ""), (f"/apis/{GROUP}/v1", "")):
        documents = [answer.json() for answer in both.ask("GET", path, accept=accept)]
        for document in documents:
            if "items" in document:
                document["items"] = [one for one in document["items"] if one["metadata"].get("name") == GROUP]
            for resource in document.get("resources", ()):
                resource.pop("storageVersionHash", None)
        assert documents[1] == documents[0], path
    assert both.statuses("GET", f"/apis/{GROUP}/v1/nothings") == 404
    assert both.statuses("GET", f"/apis/{GROUP}/v9/boats") == 404
    assert both.same("GET", BOATS, accept=TABLE)["columnDefinitions"][1]["name"] == "Crew"


# ------------------------------------------------------------------------------------------------------- objects

WRONG: list[Any] = [
    {}, {"crew": "x"}, {"crew": 0}, {"crew": 11}, {"crew": 1.5}, {"crew": None}, {"crew": 3.0},
    {"crew": 1, "name": "A"}, {"crew": 1, "name": "a"}, {"crew": 1, "name": "abcdefghij"}, {"crew": 1, "name": 5},
    {"crew": 1, "color": "green"}, {"crew": 1, "ratio": 0}, {"crew": 1, "ratio": 0.3}, {"crew": 1, "flags": []},
    {"crew": 1, "flags": ["fa", "fb", "fc"]}, {"crew": 1, "flags": ["fa", "fa"]}, {"crew": 1, "flags": "x"},
    {"crew": 1, "flags": [1]}, {"crew": 1, "ports": [{"name": "a", "port": 1}, {"name": "a", "port": "x"}]},
    {"crew": 1, "ports": [{"port": 1}]}, {"crew": 1, "ports": [{"name": "a", "port": True}]},
    {"crew": 1, "when": "x"}, {"crew": 1, "when": 5}, {"crew": 1, "day": "2020-13-01"},
    {"crew": 1, "small": 5_000_000_000}, {"crew": 1, "map": {"a": "x"}}, {"crew": 1, "map": {"a": 1, "b": 2, "c": 3}},
    {"crew": 1, "on": "true"}, {"crew": 1, "on": 1}, {"crew": 1, "one": {}}, {"crew": 1, "one": {"a": 1, "b": "x"}},
    {"crew": 1, "any": 5}, {"crew": 1, "any": "q"}, {"crew": 1, "no": "bad"}, {"crew": 1, "all": 9},
    {"crew": 1, "all": 1}, {"crew": 1, "min": 5, "max": 2}, {"crew": 1, "name": "zz"}, {"crew": 1, "flags": ["x"]},
    {"crew": "x", "min": 5, "max": 2}, {"crew": 1, "one": []}, {"crew": 1, "free": "x"}, [], "x",
]  # fmt: skip


def test_objects_that_cannot_be(both: Both):
    for spec in WRONG:
        code, body, _ = same(both, "POST", BOATS, boat("wrong", spec))
        assert (code, body["reason"]) == (422, "Invalid"), spec
    head = {"apiVersion": f"{GROUP}/v1", "kind": "Boat", "metadata": {"name": "wrong"}}
    assert same(both, "POST", BOATS, {**head, "kind": "Bot"})[0] == 422
    assert same(both, "POST", BOATS, {**head, "apiVersion": f"{GROUP}/v2"})[0] == 400
    bare = json.dumps({"metadata": {"name": "wrong"}}, separators=(",", ":")).encode()
    assert same(both, "POST", BOATS, bare)[0] == 400


def test_what_is_filled_in_and_taken_away(both: Both):
    spec = {"crew": 3, "flags": ["fa"], "nothing": None, "color": None, "on": None}
    code, made, _ = same(both, "POST", BOATS, boat("filled", spec, status={"phase": "x"}))
    assert (code, made["spec"]["color"], made["spec"]["nothing"]) == (201, "red", None)
    assert "status" not in made
    strange = {"crew": 1, "x": 1, "free": {"y": {"z": 1}}, "ports": [{"name": "a", "q": 2}], "map": {"k": 1}}
    for mode in ("Strict", "Warn", "Ignore", ""):
        query = {"fieldValidation": mode} if mode else {}
        name = f"strange{mode.lower()}"
        code, _, warnings = same(both, "POST", BOATS, boat(name, strange, zzz=1), **query)
        assert (code, len(warnings)) == {"Strict": (400, 0), "Ignore": (201, 0)}.get(mode, (201, 3))


def test_changes(both: Both):
    path = f"{BOATS}/changed"
    assert same(both, "POST", BOATS, boat("changed", {"crew": 3, "fixed": "x", "flags": ["fa"]}))[0] == 201
    assert same(both, "PATCH", path, {"spec": {"fixed": "y"}}, media=MERGE)[0] == 422
    told_status = same(both, "PATCH", f"{path}/status", {"status": {"phase": "ok", "replicas": 2}, "spec": {"crew": 9}},
                       media=MERGE)[1]  # fmt: skip
    assert (told_status["spec"]["crew"], told_status["status"]) == (3, {"phase": "ok", "replicas": 2})
    assert same(both, "PATCH", f"{path}/status", {"status": {"phase": 5}}, media=MERGE)[0] == 422
    assert same(both, "GET", f"{path}/scale")[1]["spec"] == {"replicas": 3}
    assert same(both, "PATCH", f"{path}/scale", {"spec": {"replicas": 5}}, media=MERGE)[0] == 200
    assert same(both, "PATCH", f"{path}/scale", {"spec": {"replicas": 50}}, media=MERGE)[0] == 422
    assert same(both, "GET", path)[1]["metadata"]["generation"] == 2
    assert same(both, "PATCH", path, {"spec": {}}, media=STRATEGIC)[0] == 415
    warned = same(both, "PATCH", path, {"metadata": {"finalizers": ["foo", "a.b"]}}, media=MERGE)[2]
    assert len(warned) == 2
    assert same(both, "PATCH", path, {"metadata": {"finalizers": None}}, media=MERGE)[0] == 200
    for selector, names in (("spec.color=red,spec.crew=5", ["changed"]), ("spec.crew=7", [])):
        for answer in both.ask("GET", BOATS, fieldSelector=selector):
            assert [one["metadata"]["name"] for one in answer.json()["items"]] == names
    assert same(both, "GET", BOATS, fieldSelector="spec.zzz=1")[0] == 400


# --------------------------------------------------------------------------------------------------- definitions


def _of(**properties: Json) -> Json:
    return {"type": "object", "properties": {"spec": {"type": "object", "properties": properties}}}


def _ruled(rule: str, **more: Any) -> Json:
    schema = _of(
        a={"type": "integer"}, b={"type": "string"},
        l={"type": "array", "maxItems": 5, "items": {"type": "string", "maxLength": 5}},
        o={"type": "object", "properties": {"x-y": {"type": "integer"}}},
    )  # fmt: skip
    schema["properties"]["spec"]["x-kubernetes-validations"] = [{"rule": rule, **more}]
    return schema


def _changed(path: str, value: Any) -> Json:
    """A definition with another value at a path; None takes it away."""
    found: Any = defined({"type": "object"}, "boots", "Boot")
    *steps, last = path.split("/")
    at = found
    for step in steps:
        at = at[int(step)] if step.isdigit() else at[step]
    if value is None:
        del at[last]
    else:
        at[last] = value
    result: Json = found
    return result


NO_SCHEMAS: list[Json] = [
    {}, {"properties": {"a": {}}}, {"type": "string"}, {"type": "object", "nullable": True},
    _of(a={"type": "text"}), _of(a={"type": "array"}), _of(a={"description": "x"}),
    _of(a={"type": "object", "properties": {"b": {"type": "string"}}, "additionalProperties": {"type": "string"}}),
    _of(a={"type": "array", "items": {"type": "string"}, "uniqueItems": True}),
    _of(a={"type": "integer", "anyOf": [{"type": "integer", "description": "x"}, {"minimum": 3}]}),
    _of(a={"type": "string", "pattern": "("}), _of(a={"$ref": "#/x"}), _of(a={"type": "integer", "default": "x"}),
    _of(a={"type": "object", "default": {"b": 1}, "properties": {"b": {"type": "string"}}}),
    {"type": "object",
     "properties": {"metadata": {"type": "object", "properties": {"labels": {"type": "object"}}}}},
    _of(a={"type": "object", "x-kubernetes-preserve-unknown-fields": False}),
    _of(a={"type": "array", "x-kubernetes-list-type": "map",
           "items": {"type": "object", "properties": {"n": {"type": "string"}}}}),
    _of(a={"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["n", "q"],
           "items": {"type": "object", "properties": {"n": {"type": "string"}}}}),
    _of(a={"type": "string", "x-kubernetes-list-type": "set"}),
    _of(a={"type": "object", "x-kubernetes-embedded-resource": True}),
    *map(_ruled, ("self.a >", "self.zz > 1", "foo > 1", "self.b.foo()", "foo(self.b)", "", "self.a == 'x'",
                  "self.a + 1", "self.a.b == 1", "has(self)", "self.a > 1 &&\nself.a < 3", "(self.a > 1")),
    _ruled("self.a > 1", message="x\ny"),
]  # fmt: skip

NO_DEFINITIONS: list[Json] = [
    _changed("metadata/name", "x.y"), _changed("spec/group", "nodot"), _changed("spec/group", None),
    _changed("spec/scope", "Foo"), _changed("spec/scope", None), _changed("spec/names/kind", ""),
    _changed("spec/names/listKind", "Boot"), _changed("spec/names/plural", "Bo_ats"),
    _changed("spec/names/shortNames", ["A"]), _changed("spec/versions/0/schema", None), _changed("spec/versions", []),
    _changed("spec/versions/0/name", "V1"), _changed("spec/preserveUnknownFields", True),
    _changed("spec/versions/0/deprecationWarning", "x"), _changed("spec/conversion", {"strategy": "Foo"}),
    _changed("spec/group", "foo.k8s.io"),
    *(defined(schema, "boots", "Boot") for schema in NO_SCHEMAS),
    defined({"type": "object"}, "boots", "Boot", additionalPrinterColumns=[
        {"name": "", "type": "foo", "jsonPath": "x", "format": "q"}]),
    *(defined(_of(n={"type": "integer"}), "boots", "Boot", subresources={"scale": scale}) for scale in (
        {"specReplicasPath": "spec.n", "statusReplicasPath": ".spec.n", "labelSelectorPath": ".foo"},
        {"specReplicasPath": "", "statusReplicasPath": ".status.n"})),
    defined(_of(n={"type": "integer"}, o={"type": "object"}), "boots", "Boot", selectableFields=[
        {"jsonPath": path} for path in (".spec.n", ".spec.n", ".spec.zz", ".spec.o", ".metadata.name", "")]),
]  # fmt: skip


def test_definitions_that_cannot_be(both: Both):
    for definition in NO_DEFINITIONS:
        assert same(both, "POST", CRDS, definition, dryRun="All")[0] == 422, definition
    for inner, code in (({"type": "array", "items": 3}, 422), ({"type": "array", "items": [{"type": "string"}]}, 422),
                        ({"type": "array", "items": {"type": 3}}, 400), ({"type": "array", "items": [3]}, 400),
                        ({"type": "object", "additionalProperties": 3}, 400),
                        ({"type": "object", "additionalProperties": {"items": "x", "type": "array"}}, 422),
                        ({"type": "object", "additionalProperties": {"pattern": 1}}, 400)):  # fmt: skip
        assert same(both, "POST", CRDS, defined(_of(a=inner), "boots", "Boot"), dryRun="All")[0] == code, inner
    # These can be, and some of it is warned of.
    for schema, warnings in ((_of(a={"type": "string", "format": "foo"}), 1),
                             (_of(a={"x-kubernetes-int-or-string": True,
                                     "anyOf": [{"type": "integer"}, {"type": "string"}]}), 0),
                             (_ruled("self.l.all(x, x.size() < 3 && x.matches('^[a-z]+$'))"), 0),
                             (_ruled("self.o.x__dash__y > 1 && self.a == oldSelf.a"), 0)):  # fmt: skip
        code, _, told_too = same(both, "POST", CRDS, defined(schema, "boots", "Boot"), dryRun="All")
        assert (code, len(told_too)) == (201, warnings)


def test_versions_and_the_end(both: Both):
    """Another version beside the first, a name that is taken, and a definition that waits for its objects."""
    definition = defined(_of(n={"type": "integer"}), "ships", "Ship")
    definition["spec"]["names"]["shortNames"] = ["sh"]
    define(both, definition)
    ships = f"/apis/{GROUP}/v1/namespaces/crds/ships"
    ship = {"apiVersion": f"{GROUP}/v1", "kind": "Ship", "metadata": {"name": "a"}, "spec": {"n": 1}}
    assert same(both, "POST", ships, ship)[0] == 201
    second = copy.deepcopy(definition["spec"]["versions"][0]) | {"name": "v2", "storage": False, "deprecated": True}
    second["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]["extra"] = {
        "type": "string",
        "default": "e",
    }
    versions = [definition["spec"]["versions"][0], second]
    assert same(both, "PATCH", f"{CRDS}/ships.{GROUP}", {"spec": {"versions": versions}}, media=MERGE)[0] == 200
    newer = ships.replace("/v1/", "/v2/")
    both.until(lambda side: side.get(f"{newer}/a").status == 200, "the other version is served")
    code, seen, warnings = same(both, "GET", f"{newer}/a")
    assert (seen["apiVersion"], seen["spec"], len(warnings)) == (f"{GROUP}/v2", {"n": 1}, 1)
    code, made, _ = same(both, "POST", newer, {**ship, "apiVersion": f"{GROUP}/v2", "metadata": {"name": "b"}})
    assert (code, made["spec"]) == (201, {"n": 1})  # the version for storing has no place for the default
    assert same(both, "GET", f"{ships}/b")[1]["apiVersion"] == f"{GROUP}/v1"
    both.until(lambda side: len(side.get(f"/apis/{GROUP}").json()["versions"]) == 2, "both are discovered")
    assert both.same("GET", f"/apis/{GROUP}")["preferredVersion"]["version"] == "v2"
    gone = {"spec": {"versions": [{**second, "storage": True}]}}
    assert same(both, "PATCH", f"{CRDS}/ships.{GROUP}", gone, media=MERGE)[0] == 422
    other = {"spec": {"scope": "Cluster", "names": {"kind": "Zz"}}}
    assert same(both, "PATCH", f"{CRDS}/ships.{GROUP}", other, media=MERGE)[0] == 422

    shoes = defined({"type": "object"}, "shoes", "Ship")
    shoes["spec"]["names"]["shortNames"] = ["se"]
    assert both.statuses("POST", CRDS, shoes) == 201
    path = f"{CRDS}/shoes.{GROUP}"
    both.until(lambda side: len(_conditions(side, path)) == 2, "its names are looked at")
    real, ours = (_conditions(side, path) for side in both.sides.values())
    assert ours == real
    assert {one["type"]: one["status"] for one in ours.values()} == {"NamesAccepted": "False", "Established": "False"}

    kept_back = {"metadata": {"finalizers": ["x.io/y"]}}
    assert same(both, "PATCH", f"{ships}/a", kept_back, media=MERGE)[0] == 200
    for answer in both.ask("DELETE", f"{CRDS}/ships.{GROUP}"):
        assert answer.json()["metadata"]["finalizers"] == ["customresourcecleanup.apiextensions.k8s.io"]
    at = f"{CRDS}/ships.{GROUP}"
    both.until(
        lambda side: _conditions(side, at).get("Terminating", {}).get("reason") == "InstanceDeletionInProgress",
        "it is being emptied",
    )
    both.until(lambda side: side.get(f"{ships}/b").status == 404, "what nothing holds is gone")
    assert same(both, "POST", ships, {**ship, "metadata": {"name": "c"}})[0] == 403
    assert same(both, "PATCH", f"{ships}/a", {"metadata": {"finalizers": None}}, media=MERGE)[0] == 200
    both.until(lambda side: side.get(at).status == 404, "it is gone")
    both.until(lambda side: side.get(ships).status == 404, "it is not served any more")
    both.until(lambda side: _conditions(side, path)["Established"]["status"] == "True", "another has the names now")


def _conditions(side: Client, path: str) -> dict[str, Json]:
    found = side.get(path).json().get("status", {}).get("conditions") or ()
    return {one["type"]: {key: one[key] for key in ("type", "status", "reason", "message")} for one in found}


# -------------------------------------------------------------------------------------------------------- kubectl

KUBECTL = """\
apply -f crd.yaml
wait --for condition=established --timeout=30s crd/crontabs.stable.example.com
apply -f one.yaml
get ct
get crontabs.stable.example.com -o wide
scale --replicas=3 crontab/one
get ct one -o jsonpath={.spec.replicas}
explain ct.spec
explain crontab --recursive
apply -f one.yaml
patch ct one --type=merge -p {\\"spec\\":{\\"replicas\\":50}}
patch ct one --type=merge -p {\\"spec\\":{\\"image\\":\\"y\\"}}
patch ct one -p {\\"spec\\":{\\"image\\":\\"y\\"}}
patch ct one --type=merge -p {\\"spec\\":{\\"foo\\":\\"y\\"}}
apply -f wrong.yaml
apply --server-side -f one.yaml
apply --server-side --force-conflicts -f one.yaml
api-resources --api-group=stable.example.com
get crd crontabs.stable.example.com
delete crd crontabs.stable.example.com
get ct
"""
STABLE = "stable.example.com"
DOCUMENT = f"/openapi/v3/apis/{STABLE}/v1"
FILES = Path(__file__).with_name("crds")


def test_kubectl_says_the_same(both: Both, tmp_path: Path):
    for file in FILES.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    run = kubectl_runner(both, tmp_path)
    for words in KUBECTL.splitlines():
        real, ours = run(words)
        assert ours == real, words
        if words.startswith("wait "):
            both.listed(STABLE, "crontabs")
            both.until(lambda side: "CronTab" in side.get(DOCUMENT).body.decode(), "it is documented")
        elif words.startswith("delete crd"):
            both.until(lambda side: side.get(f"/apis/{STABLE}/v1/crontabs").status == 404, "it is not served any more")
