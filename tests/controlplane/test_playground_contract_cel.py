"""Rules of custom kinds, on the playground and on a real API server: the same values and the same words.

`cel/values.txt` has expressions, whose values the messages of rules tell, or why they have none; what
`cel/refused.txt` has cannot be compiled.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.controlplane.both import Both, kubectl_runner
from tests.playground import RunningPlayground
from tests.testbed.control_plane import ControlPlane

Json = dict[str, Any]

CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
GROUP = "cel.example.com"
FOLDER = Path(__file__).parent / "cel"
VALUES = (FOLDER / "values.txt").read_text().splitlines()
REFUSED = (FOLDER / "refused.txt").read_text().splitlines()
AT_ONCE = 60
"""Rules of one kind: what all may cost is bounded by the real server."""


def defined(name: str, properties: Json, **spec: Any) -> Json:
    schema = {"type": "object", "properties": {"spec": {"type": "object", "properties": properties, **spec}}}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{name}s.{GROUP}"},
        "spec": {"group": GROUP, "scope": "Cluster", "names": {"plural": f"{name}s", "kind": name.title()},
                 "versions": [version]},
    }  # fmt: skip


def text(rule: str, **more: str) -> Json:
    return {"type": "string", "maxLength": 8, "x-kubernetes-validations": [{"rule": rule, **more}]}


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory, control_plane: ControlPlane) -> Iterator[Both]:
    running = RunningPlayground(tmp_path_factory.mktemp("cel"))
    found = Both(tmp_path_factory.mktemp("both"), control_plane, running)
    yield found
    for side in found.sides.values():
        for one in side.get(CRDS).json()["items"]:
            if one["spec"]["group"] == GROUP:
                side.ask("DELETE", f"{CRDS}/{one['metadata']['name']}")
    running.close()


def define(both: Both, *definitions: Json) -> list[str]:
    """Make definitions; the paths of their kinds when they are served."""
    paths = []
    for definition in definitions:
        for answer in both.ask("POST", CRDS, definition):
            assert answer.status == 201, answer.body.decode()
        paths.append(f"/apis/{GROUP}/v1/{definition['spec']['names']['plural']}")
    both.until(lambda side: all(side.get(path).status == 200 for path in paths), "they are served")
    return paths


def causes(both: Both, *arguments: Any, **options: Any) -> dict[str, Json]:
    """By field, what both refuse, each in the same words."""
    real, ours = (answer.json() for answer in both.ask(*arguments, **options))
    found: list[dict[str, Json]] = []
    for body in (real, ours):
        assert body.get("code") == 422, body
        found.append({one["field"]: one for one in body["details"]["causes"]})
    for field, one in found[0].items():
        assert found[1].get(field) == one
    assert found[1].keys() == found[0].keys()
    return found[0]


def test_what_expressions_give(both: Both):
    """Addresses, networks, URLs, quantities, versions, formats, lists, sets, comprehensions of two variables."""
    definitions = []
    for number in range(0, len(VALUES), AT_ONCE):
        part = VALUES[number : number + AT_ONCE]
        properties = {f"p{index}": text(f"dyn({one}) == 'no'", messageExpression=f"'%s'.format([{one}])")
                      for index, one in enumerate(part)}  # fmt: skip
        definitions.append(defined(f"value{number}", properties))
    for path, definition in zip(define(both, *definitions), definitions, strict=True):
        names = definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]
        obj = {"apiVersion": f"{GROUP}/v1", "kind": definition["spec"]["names"]["kind"], "metadata": {"name": "one"},
               "spec": dict.fromkeys(names, "hello")}  # fmt: skip
        assert causes(both, "POST", path, obj).keys() == {f"spec.{name}" for name in names}


def test_what_cannot_be_compiled(both: Both):
    """Each in the words of the compiler, with a mark below the place."""
    properties = {f"p{index}": text(one, message="m") for index, one in enumerate(REFUSED)}
    found = causes(both, "POST", CRDS, defined("bad", properties), dryRun="All")
    assert len(found) == len(REFUSED)
    messages = ["1", "self", "foo", "1 +", "dyn('a')", "'%d'.format(['a'])", "int('x') == 1 ? 'a' : 'b'"]
    properties = {f"p{index}": text("true", messageExpression=one) for index, one in enumerate(messages)}
    assert len(causes(both, "POST", CRDS, defined("bad", properties), dryRun="All")) == len(messages) - 1


def test_what_a_schema_makes_of_types(both: Both):
    fields = {
        "s": {"type": "string", "maxLength": 9}, "i": {"x-kubernetes-int-or-string": True}, "f": {"type": "number"},
        "l": {"type": "array", "maxItems": 3, "items": {"type": "object", "properties": {"n": {"type": "integer"}}}},
        "d": {"type": "string", "format": "duration"}, "t": {"type": "string", "format": "date-time"},
        "b": {"type": "string", "format": "byte"}, "m": {"type": "object", "additionalProperties": {"type": "integer"}},
        "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
        "any": {"x-kubernetes-preserve-unknown-fields": True},
    }  # fmt: skip
    rules = ["self.i", "self.d == 1", "self.t == 1", "self.m == 1", "self.f == 1", "self.b == 1", "self.any == 1",
             "self.free.x == 1", "self.l.all(x, x.n == 'a')", "self.m.all(k, k == 1)", "self.s == null", "self.d.foo",
             "self.m['a'] == 'a'", "self.m.b == 'a'", "self.zz == 1", "has(self.zz)", "self.l[0].zz == 1",
             "self.t - self.t == 1", "oldSelf.s == 1", "self.i + 1 == 'a'"]  # fmt: skip
    written = [{"rule": rule, "message": "m"} for rule in rules]
    found = causes(both, "POST", CRDS, defined("typed", fields, **{"x-kubernetes-validations": written}), dryRun="All")
    assert len(found) == len(rules)


def test_a_gateway_whose_rules_use_the_libraries(both: Both, tmp_path: Path):
    """As people write them; what kubectl says of an object that keeps to them, and of one that does not."""
    fields: Json = {
        "address": text("isIP(self) && ip(self).family() == 4", message="must be an IPv4 address") | {"maxLength": 40},
        "network": text("cidr(self).containsIP('10.0.0.1')") | {"maxLength": 40},
        "page": text("isURL(self) && url(self).getScheme() == 'https'", reason="FieldValueForbidden",
                     messageExpression="'%s is not https'.format([self])") | {"maxLength": 40},
        "size": text("quantity(self).isLessThan(quantity('1Gi'))", message="must be below 1Gi"),
        "version": text("semver(self).isGreaterThan(semver('1.2.0'))", message="must be later") | {"maxLength": 20},
        "name": text("!format.dns1123Label().validate(self).hasValue()",
                     messageExpression="format.dns1123Label().validate(self).value()[0]"),
        "weights": {"type": "object", "maxProperties": 4, "additionalProperties": {"type": "integer"},
                    "x-kubernetes-validations": [{"rule": "self.all(k, v, v >= 0 && k != '')", "message": "below 0"},
                                                 {"rule": "self.transformList(k, v, v).sum() == 100"}]},
    }  # fmt: skip
    [path] = define(both, defined("gate", fields))
    good = {"address": "10.0.0.1", "network": "10.0.0.0/8", "page": "https://a.b/c", "size": "512Mi",
            "version": "1.10.0-rc.1", "name": "a-b", "weights": {"a": 40, "b": 60}}  # fmt: skip
    bad = {"address": "::1", "network": "10.0.0.0", "page": "http://a", "size": "2Gi", "version": "1.2",
           "name": "A_b", "weights": {"a": -1, "b": 60}}  # fmt: skip
    obj = {"apiVersion": f"{GROUP}/v1", "kind": "Gate", "metadata": {"name": "one"}, "spec": good}
    assert both.same("POST", path, obj)["code"] == 201
    found = causes(both, "POST", path, {**obj, "metadata": {"name": "two"}, "spec": bad})
    assert set(found) == {f"spec.{name}" for name in bad}
    both.listed(GROUP, "gates")
    run = kubectl_runner(both, tmp_path)
    real, ours = run("""patch gate one --type merge -p '{"spec":{"page":"ftp://a"}}'""")
    assert ours == real
    assert "ftp://a is not https" in real
