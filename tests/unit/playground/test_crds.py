"""Definitions and custom objects without a server; how the real one answers is in tests/controlplane."""

from __future__ import annotations

from typing import Any

import pytest

from notebook_mux.playground.crds import checks, definitions, objects, shapes
from notebook_mux.playground.crds.cel import CelError, SyntaxProblem, check, evaluate, parse
from notebook_mux.playground.crds.cel.names import escaped, unescaped
from notebook_mux.playground.crds.cel.static import BOOL, DYN, type_of_schema
from notebook_mux.playground.crds.conditions import is_true
from notebook_mux.playground.crds.rules import compile_schema
from notebook_mux.playground.crds.versions import CRDS, by_priority
from notebook_mux.playground.kinds import Kinds
from notebook_mux.playground.selectors import fields_of
from tests.unit.playground.worlds import world

Json = dict[str, Any]


def value(text: str, **names: Any) -> Any:
    return evaluate(parse(text), names)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 + 2 * 3 - 4 / 2 % 3", 5), ("-7 / 2", -3), ("-7 % 2", -1), ("7.0 / 2.0", 3.5), ("'a' + 'b'", "ab"),
        ("[1] + [2]", [1, 2]), ("1 < 2 && !(2 <= 1)", True), ("1 == 1.0", True), ("true == 1", False),
        ("'a' in ['a', 'b']", True), ("'k' in {'k': 1}", True), ("{'k': [1, 2]}.k[1]", 2), ("2 > 1 ? 'y' : 'n'", "y"),
        ("'abc'.size() + size([1])", 4), ("r'\\d'", "\\d"), ("\"\"\"a'b\"\"\"", "a'b"), ("0x1F", 31), ("1.5e3", 1500.0),
        ("'a-b'.matches('^[a-z]-b$')", True), ("'abc'.startsWith('a') && 'abc'.endsWith('c')", True),
        ("'a,b'.split(',').map(x, x + '!').join('')", "a!b!"), ("[1, 2, 3].filter(x, x > 1).sum()", 5),
        ("[1, 2].all(x, x > 0) && [1, 2].exists_one(x, x == 2)", True), ("[3, 1].max() + [3, 1].min()", 4),
        ("duration('1h30m') > duration('80m')", True), ("timestamp('2026-01-02T03:04:05Z').getFullYear()", 2026),
        ("int('7') + int(2.9)", 9), ("string(1.0) + string(true)", "1true"), ("type(1) == int", True),
        ("false && [1][5] == 1", False), ("[1][5] == 1 || true", True), ("{'a': 1}.?b.orValue(3)", 3),
        ("{'a': 1}[?'a'].hasValue()", True), ("optional.none().orValue(1)", 1), ("sets.contains([1, 2], [2])", True),
        ("quantity('1Ki') == quantity('1024')", True), ("[5].transformMap(i, v, v * 2)", {0: 10}),
        ("'ABC'.lowerAscii().replace('b', 'x')", "axc"),
        ("[1, 2, 2].distinct()", [1, 2]),
    ],
)  # fmt: skip
def test_expressions(text: str, expected: Any):
    found = value(text)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("1 / 0", "division by zero"), ("[1][2]", "index out of bounds: 2"), ("{'a': 1}.b", "no such key: b"),
        ("1 + 'a'", "no such overload"), ("9223372036854775807 + 1", "integer overflow"),
        ("int('x')", "type conversion error"), (" || ".join(["1 < 0"] * 900), "recursion limit"),
        ("[1, 'a'].max()", "no such overload"), ("'a'.size(1)", "no such overload"), ("!1", "no such overload"),
    ],
)  # fmt: skip
def test_expressions_without_a_value(text: str, error: str):
    with pytest.raises(CelError, match=error):
        value(text)


@pytest.mark.parametrize(
    "text",
    ["", "1 +", "(1", "[1", "{1:2", "a.", "'a", "1 2", "if", "a ? b", "@", "(" * 500 + ")" * 500, "!" * 500 + "a"],
)  # fmt: skip
def test_what_is_no_expression(text: str):
    with pytest.raises(SyntaxProblem):
        parse(text)


def test_a_rule_cannot_run_for_ever():
    many = "[" + ",".join("1" * 120) + "]"
    with pytest.raises(CelError, match="cost limit"):
        value(f"{many}.all(a, {many}.all(b, {many}.all(c, {many}.all(d, a + b + c + d > 0))))")


def test_names_of_fields():
    for field, name in (
        ("a-b", "a__dash__b"),
        ("a.b/c", "a__dot__b__slash__c"),
        ("in", "__in__"),
        ("a__b", "a__underscores__b"),
    ):
        assert (escaped(field), unescaped(name)) == (name, field)
    assert value("self.a__dash__b + self.__in__", self={"a-b": 1, "in": 2}) == 3
    schema: Json = {"type": "object", "properties": {"a-b": {"type": "integer"}}}
    scope = {"self": type_of_schema(schema) or DYN}
    assert check(parse("has(self.a__dash__b) && self.a__dash__b > 0"), scope) == (BOOL, "")
    for text, error in (("self.zz", "undefined field"), ("other", "undeclared reference"), ("self.f()", "undeclared"),
                        ("self.a__dash__b == 'x'", "no matching overload")):  # fmt: skip
        with pytest.raises(SyntaxProblem, match=error):
            check(parse(text), scope)
    with pytest.raises(SyntaxProblem, match="overload"):  # a type within itself does not end
        check(parse("[].all(x, x == [x] && x == [[x]])"), scope)


def test_rules_of_items_and_changes():
    item = {"type": "object", "properties": {"name": {"type": "string"}, "n": {"type": "integer"}},
            "x-kubernetes-validations": [{"rule": "self.n >= oldSelf.n", "message": "n only grows"},
                                         {"rule": "self.n < 10", "reason": "FieldValueForbidden"}]}  # fmt: skip
    of_map = {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]}
    schema = {"type": "object", "properties": {"list": {"type": "array", "items": item, **of_map}}}
    rules = compile_schema(schema)
    assert rules is not None
    old = {"list": [{"name": "a", "n": 5}, {"name": "b", "n": 1}]}
    new = {"list": [{"name": "b", "n": 2}, {"name": "a", "n": 4}, {"name": "c", "n": 10}]}
    assert [(one["field"], one["message"]) for one in rules.check(new, "", old)] == [
        ("list[1]", "Invalid value: n only grows"),
        ("list[2]", "Forbidden: failed rule: self.n < 10"),
    ]
    assert list(rules.check(old)) == []
    assert compile_schema({"type": "object", "x-kubernetes-validations": [{"rule": "isURL(1)"}]}) is None


def test_formats_that_are_only_words_are_said_aloud():
    schema = {"type": "object", "properties": {"u": {"type": "string", "format": "strange"}}}
    crd = {"spec": {"versions": [{"name": "v1", "schema": {"openAPIV3Schema": schema}}]}}
    assert definitions.warnings(crd, None) == ['unrecognized format "strange"']
    assert definitions.warnings(crd, crd) == []


def test_defaults():
    schema = {"type": "object", "properties": {
        "a": {"type": "integer", "default": 1}, "n": {"type": "string", "nullable": True, "default": "x"},
        "m": {"type": "object", "additionalProperties": {"type": "object", "properties": {"d": {"default": True}}}},
        "l": {"type": "array", "items": {"type": "object", "properties": {"d": {"default": [1]}}}}}}  # fmt: skip
    obj: Json = {"a": None, "n": None, "m": {"k": {}}, "l": [{}, {"d": [2]}]}
    shapes.fill(obj, schema)
    assert obj == {"a": 1, "n": None, "m": {"k": {"d": True}}, "l": [{"d": [1]}, {"d": [2]}]}
    obj["l"][0]["d"].append(9)
    assert schema["properties"]["l"]["items"]["properties"]["d"]["default"] == [1]  # type: ignore[index]


def test_what_did_not_change_is_not_looked_at_again():
    schema = {"type": "object", "properties": {"a": {"type": "integer", "maximum": 3}, "b": {"type": "integer"}}}
    old = {"a": 9, "b": 1}
    assert checks.check({"a": 9, "b": 2}, schema, old=old) == []
    assert [one["field"] for one in checks.check({"a": 8, "b": "x"}, schema, old=old)] == ["a", "b"]
    assert [one["field"] for one in checks.check({"a": 9, "b": 2}, schema)] == ["a"]


@pytest.mark.parametrize(
    ("form", "right", "wrong"),
    [
        ("date", "2026-02-28", "2026-02-30"), ("date-time", "2026-01-02T03:04:05.5+01:00", "2026-01-02"),
        ("ipv4", "10.0.0.1", "10.0.0.256"), ("ipv6", "::1", "10.0.0.1"), ("cidr", "10.0.0.0/8", "10.0.0.0"),
        ("uuid", "123e4567-e89b-12d3-a456-426614174000", "123"), ("email", "a@b.c", "a"), ("byte", "YQ==", "Y"),
        ("duration", "1h", "x"), ("hostname", "a.b", "-a"), ("mac", "01:23:45:67:89:ab", "01:23"),
        ("uri", "https://a", ""),
        ("isbn", "978-3-16-148410-0", "978-3-16-148410-1"),
        ("creditcard", "4111 1111 1111 1111", "4111 1111 1111 1112"),
        ("rgbcolor", "rgb(1, 2, 255)", "rgb(1, 2, 256)"), ("k8s-short-name", "a-b", "a.b"),
        ("k8s-long-name", "a.b", "A"),
    ],
)  # fmt: skip
def test_formats(form: str, right: str, wrong: str):
    schema = {"type": "string", "format": form}
    assert checks.check(right, schema) == []
    assert len(checks.check(wrong, schema)) == 1


def crd(*versions: Json, plural: str = "boats", kind: str = "Boat") -> Json:
    return {"kind": "CustomResourceDefinition", "apiVersion": "apiextensions.k8s.io/v1",
            "metadata": {"name": f"{plural}.f.io"},
            "spec": {"group": "f.io", "scope": "Namespaced", "names": {"plural": plural, "kind": kind},
                     "versions": list(versions)}}  # fmt: skip


V1: Json = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {"type": "object"}}}


def test_versions_of_a_kind():
    assert by_priority({"v1alpha1", "foo", "v2beta3", "v1", "v10", "v2beta10"}) == [
        "v10", "v1", "v2beta10", "v2beta3", "v1alpha1", "foo",
    ]  # fmt: skip
    kinds = Kinds()
    newer = {**V1, "name": "v2beta1", "storage": False, "selectableFields": [{"jsonPath": ".spec.on"}]}
    kinds.define(crd(newer, V1))
    first = kinds.of("boats.f.io")
    assert (first.version, [one.version for one in kinds.groups()["f.io"]]) == ("v1", ["v1", "v2beta1"])
    beta = kinds.find("f.io", "v2beta1", "boats")
    assert beta is not None
    assert fields_of(beta, {"spec": {"on": True}}) == {"spec.on": "true"}
    kinds.define(crd(newer, V1))
    assert kinds.of("boats.f.io") is first  # nothing changed
    kinds.define(crd(V1, plural="ships", kind="Boat"))
    assert kinds.find("f.io", "v1", "ships") is None  # another has its name
    kinds.define(crd({**V1, "served": False}))
    assert kinds.find("f.io", "v1", "boats") is None


def test_a_definition_is_emptied_before_it_goes():
    cluster = world(1)
    cluster.create(crd(V1))
    cluster.agenda.step(1)
    made = cluster.get(CRDS, "", "boats.f.io")
    assert made is not None
    assert [(one["type"], one["status"]) for one in made["status"]["conditions"]] == [
        ("NamesAccepted", "True"), ("Established", "True"),
    ]  # fmt: skip
    for name, finalizers in (("a", []), ("b", ["x.io/y"])):
        metadata = {"name": name, "namespace": "default", "finalizers": finalizers}
        cluster.create({"kind": "Boat", "apiVersion": "f.io/v1", "metadata": metadata})
    from notebook_mux.playground.deletes import Deleter

    Deleter(cluster).begin(cluster.store.items(CRDS)[0], {})
    cluster.agenda.step(2)
    assert [one.name for one in cluster.store.items("boats.f.io")] == ["b"]
    cluster.remove("boats.f.io", "default", "b")
    cluster.agenda.step(2)
    assert cluster.store.items(CRDS) == []
    assert cluster.kinds.of_object("f.io/v1", "Boat") is None


def test_conditions_that_say_nothing_of_themselves():
    """Whoever may write a status may write such; it is no reason for a definition to be served no more."""
    cluster = world(1)
    cluster.create(crd(V1))
    cluster.agenda.step(1)
    strange: Json = {"lastTransitionTime": "2026-01-01T00:00:00Z"}
    cluster.update(CRDS, "", "boats.f.io", lambda obj: obj["status"]["conditions"].insert(0, strange))
    cluster.agenda.step(1)
    made = cluster.get(CRDS, "", "boats.f.io")
    assert made is not None
    assert made["status"]["conditions"][0] == strange
    assert is_true(made, "Established")
    assert not is_true(made, "Terminating")
    moved = {**made, "spec": {**made["spec"], "scope": "Cluster"}}
    assert "spec.scope" in [one["field"] for one in definitions.problems(moved, made)]


def test_numbers_at_paths():
    kinds = Kinds()
    scale = {"specReplicasPath": ".spec.n", "statusReplicasPath": ".status.n"}
    kinds.define(crd({**V1, "subresources": {"scale": scale}}))
    kind = kinds.of("boats.f.io")
    head = {"kind": "Boat", "apiVersion": "f.io/v1", "metadata": {"name": "a"}}
    for spec, said in (({"n": -1}, "should be a non-negative integer"),
                       ({"n": "x"}, "x is of the type string, expected int64"),
                       ({"n": 1 << 40}, "should be less than or equal to 2147483647")):  # fmt: skip
        (found,) = objects.problems(kind, {**head, "spec": spec}, None)
        assert (found["field"], found["message"].endswith(said)) == (".spec.n", True)
