"""Field validation: what is unknown, twice there or of a wrong type, in bodies and patches."""

from __future__ import annotations

from typing import Any

from tests.controlplane.sides import Json
from tests.unit.playground.client import JSON_PATCH, MERGE, STRATEGIC, Answer, Client

APPLY = "application/apply-patch+yaml"
MODES = ("Strict", "Warn", "Ignore")
QUANTITY = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"


def deployment(*, spec: Json | None = None, pod: Json | None = None, **container: Any) -> Json:
    template = {"containers": [{"name": "a", "image": "b", **container}], **(pod or {})}
    found = {"selector": {"matchLabels": {"a": "b"}}, "replicas": 0,
             "template": {"metadata": {"labels": {"a": "b"}}, "spec": template}}  # fmt: skip
    return {"kind": "Deployment", "apiVersion": "apps/v1", "metadata": {"name": "d"}, "spec": {**found, **(spec or {})}}


def said(answer: Answer) -> tuple[int, list[str] | str]:
    """A failure's words, or the warnings of a success."""
    if answer.status < 400:
        return answer.status, answer.headers.get_all("Warning") or []
    assert answer.json()["code"] == answer.status
    return answer.status, answer.json()["message"]


def warned(*texts: str) -> list[str]:
    return ['299 - "' + text.replace('"', '\\"') + '"' for text in texts]


def apps(place: str) -> str:
    return place.replace("/api/v1/", "/apis/apps/v1/") + "/deployments"


TWICE = (
    b'{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"dup"},"foo":1,"data":{"a":"1","a":"2"},"foo":2,'
    b'"bar":{"x":1},"metadata":{"name":"dup","x":1}}'
)
TWICE_SAID = ('unknown field "foo"', 'duplicate field "data.a"', 'unknown field "bar"', 'duplicate field "metadata"',
              'unknown field "metadata.x"')  # fmt: skip
IN_YAML = b'kind: ConfigMap\napiVersion: v1\nmore: 1\nmetadata: {name: m}\ndata: {a: "1", a: "2", d: 2020-01-01}\n'
UNHANDLED = 'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: '


def test_unknown_and_doubled_fields_of_a_new_object(side: Client, place: str):
    maps = f"{place}/configmaps"
    got = [said(side.ask("POST", maps, TWICE, fieldValidation=mode, dryRun="All")) for mode in MODES]
    assert got == [(400, UNHANDLED + ", ".join(TWICE_SAID)), (201, warned(*TWICE_SAID)), (201, [])]
    kept = side.ask("POST", maps, TWICE, dryRun="All")
    assert said(kept) == got[1]
    assert (kept.json()["data"], "foo" in kept.json(), "x" in kept.json()["metadata"]) == ({"a": "2"}, False, False)
    got = [
        said(side.ask("POST", maps, IN_YAML, media="application/yaml", fieldValidation=mode, dryRun="All"))
        for mode in MODES
    ]
    line = 'line 5: key "a" already set in map'
    strict = f'{UNHANDLED}yaml: unmarshal errors:\n  {line}, unknown field "more"'
    assert got == [(400, strict), (201, warned(line, 'unknown field "more"')), (201, [])]
    answer = side.ask("POST", maps, IN_YAML, media="application/yaml", dryRun="All")
    assert answer.json()["data"] == {"a": "2", "d": "2020-01-01"}
    deep = deployment(bar=1, env=[{"name": "x"}, {"name": "y", "nme": "z"}], spec={"foo": 1, "Replicas": 3})
    unknown = [f'unknown field "spec.template.spec.containers[0].{name}"' for name in ("bar", "env[1].nme")]
    unknown += ['unknown field "spec.foo"', 'unknown field "spec.Replicas"']
    assert said(side.ask("POST", apps(place), deep, fieldValidation="Strict")) == (
        400,
        'Deployment in version "v1" cannot be handled as a Deployment: strict decoding error: ' + ", ".join(unknown),
    )
    answer = side.ask("POST", apps(place), deep, fieldValidation="X")
    supported = 'supported values: "", "Ignore", "Strict", "Warn"'
    words = f'CreateOptions.meta.k8s.io "" is invalid: fieldValidation: Unsupported value: "X": {supported}'
    assert said(answer) == (422, words)
    assert answer.json()["details"]["causes"][0]["reason"] == "FieldValueNotSupported"


def test_unknown_and_doubled_fields_of_changes(side: Client, place: str):
    path = f"{apps(place)}/d"
    assert side.ask("POST", apps(place), deployment()).status == 201
    assert said(side.ask("PUT", path, deployment(spec={"foo": 1}), fieldValidation="Strict", dryRun="All")) == (
        400,
        'Deployment in version "v1" cannot be handled as a Deployment: strict decoding error: unknown field "spec.foo"',
    )
    unknown = 'unknown field "spec.foo"'
    image = 'unknown field "spec.template.spec.containers[0].imag"'
    twice = (
        b'[{"op":"add","path":"/spec/foo","value":1},'
        b'{"op":"add","op":"add","path":"/spec/template/spec/containers/0/imag","value":"x"}]'
    )
    merging = b'{"spec":{"foo":1,"template":{"spec":{"containers":[{"name":"a","imag":"x"}]}}}}'
    patches = [
        (STRATEGIC, merging, (image, unknown)),
        (MERGE, b'{"spec":{"foo":1,"replicas":3,"replicas":0}}', ('duplicate field "spec.replicas"', unknown)),
        (JSON_PATCH, twice, ('json patch duplicate field "[1].op"', unknown, image)),
    ]
    for media, body, problems in patches:
        strict, warn, ignore = (
            side.ask("PATCH", path, body, media=media, fieldValidation=mode, dryRun="All") for mode in MODES
        )
        assert said(ignore) == (200, [])
        assert (warn.status, sorted(said(warn)[1])) == (200, sorted(warned(*problems)))
        assert "foo" not in warn.json()["spec"]
        assert strict.status == 422
        assert strict.json()["message"].startswith(' "" is invalid: patch: Invalid value: "')
        words = strict.json()["message"].rpartition("strict decoding error: ")[2]
        assert sorted(words.split(", ")) == sorted(problems)
        assert strict.json()["details"]["causes"][0]["field"] == "patch"
    body = b"kind: Deployment\napiVersion: apps/v1\nspec: {replicas: 1, replicas: 2}\n"
    got = [said(side.ask("PATCH", path, body, media=APPLY, fieldValidation=mode, dryRun="All", fieldManager="x",
                         force="true")) for mode in MODES]  # fmt: skip
    line = 'line 3: key "replicas" already set in map'
    begin = "error strict decoding patch: error converting YAML to JSON: yaml: unmarshal errors:\n  "
    assert got == [(400, begin + line), (200, warned(line)), (200, [])]


FIELD = "json: cannot unmarshal {} into Go struct field {} of type {}"
POD = "spec.template.spec"
ONE = f"{POD}.containers"
WRONG: list[tuple[Json, str]] = [
    (deployment(spec={"replicas": "3"}), FIELD.format("string", "DeploymentSpec.spec.replicas", "int32")),
    (deployment(spec={"replicas": 1.5}), FIELD.format("number 1.5", "DeploymentSpec.spec.replicas", "int32")),
    (deployment(spec={"replicas": 2**31}), FIELD.format("number 2147483648", "DeploymentSpec.spec.replicas", "int32")),
    (deployment(spec={"replicas": True}), FIELD.format("bool", "DeploymentSpec.spec.replicas", "int32")),
    (deployment(spec={"template": []}), FIELD.format("array", "DeploymentSpec.spec.template", "v1.PodTemplateSpec")),
    (deployment(pod={"containers": "x"}), FIELD.format("string", f"PodSpec.{ONE}", "[]v1.Container")),
    (deployment(pod={"containers": ["x"]}), FIELD.format("string", f"PodSpec.{ONE}", "v1.Container")),
    (deployment(image=1), FIELD.format("number", f"Container.{ONE}.image", "string")),
    (deployment(command="sh"), FIELD.format("string", f"Container.{ONE}.command", "[]string")),
    (deployment(command=[1]), FIELD.format("number", f"Container.{ONE}.command", "string")),
    (deployment(env=[{"name": "A", "value": 1}]), FIELD.format("number", f"EnvVar.{ONE}.env.value", "string")),
    (deployment(ports=[{"containerPort": "80"}]), FIELD.format(
        "string", f"ContainerPort.{ONE}.ports.containerPort", "int32")),
    (deployment(stdin="yes"), FIELD.format("string", f"Container.{ONE}.stdin", "bool")),
    (deployment(pod={"restartPolicy": 5}), FIELD.format("number", f"PodSpec.{POD}.restartPolicy", "v1.RestartPolicy")),
    (deployment(pod={"nodeSelector": {"a": 1}}), FIELD.format("number", f"PodSpec.{POD}.nodeSelector", "string")),
    (deployment(pod={"nodeSelector": []}), FIELD.format("array", f"PodSpec.{POD}.nodeSelector", "map[string]string")),
    (deployment(resources={"limits": "x"}), FIELD.format(
        "string", f"ResourceRequirements.{ONE}.resources.limits", "v1.ResourceList")),
    (deployment(livenessProbe={"httpGet": {"port": True}}), FIELD.format(
        "bool", f"HTTPGetAction.{ONE}.livenessProbe.ProbeHandler.httpGet.port", "int32")),
    (deployment(pod={"volumes": [{"name": "v", "emptyDir": "y"}]}), FIELD.format(
        "string", f"Volume.{POD}.volumes.VolumeSource.emptyDir", "v1.EmptyDirVolumeSource")),
    (deployment(pod={"volumes": [{"name": "v", "configMap": {"name": 5}}]}), FIELD.format(
        "number", f"ConfigMapVolumeSource.{POD}.volumes.VolumeSource.configMap.LocalObjectReference.name", "string")),
    (deployment(resources={"limits": {"cpu": "abc"}}), QUANTITY),
    (deployment(resources={"limits": {"cpu": ""}}), QUANTITY),
    (deployment(resources={"limits": {"cpu": True}}), QUANTITY),
    (deployment(resources={"limits": {"cpu": "1GM"}}), "unable to parse quantity's suffix"),
    (deployment(image=1, resources={"limits": {"cpu": "1z"}}), QUANTITY),
]  # fmt: skip


def test_values_of_a_wrong_type(side: Client, place: str):
    for body, words in WRONG:
        answer = side.ask("POST", apps(place), body, dryRun="All", fieldValidation="Strict")
        assert said(answer) == (400, f'Deployment in version "v1" cannot be handled as a Deployment: {words}')
        assert answer.json()["reason"] == "BadRequest"
    patch = {"spec": {"template": {"spec": {"containers": [{"name": "a", "resources": {"limits": {"cpu": "x"}}}]}}}}
    assert side.ask("POST", apps(place), deployment()).status == 201
    answer = side.ask("PATCH", f"{apps(place)}/d", patch, media=STRATEGIC)
    shown = "map[spec:map[template:map[spec:map[containers:[map[name:a resources:map[limits:map[cpu:x]]]]]]]]"
    assert said(answer) == (422, f' "" is invalid: patch: Invalid value: "{shown}": {QUANTITY}')
    answer = side.ask("PATCH", f"{apps(place)}/d", {"spec": {"replicas": "x"}}, media=MERGE)
    assert answer.status == 422
    assert answer.json()["message"].endswith(FIELD.format("string", "DeploymentSpec.spec.replicas", "int32"))


OTHERS: list[tuple[str, Json, str]] = [
    ("secrets", {"data": {"a": "???"}}, "illegal base64 data at input byte 0"),
    ("secrets", {"data": {"a": "abcde"}}, "illegal base64 data at input byte 4"),
    ("secrets", {"data": {"a": 5}}, FIELD.format("number", "Secret.data", "[]uint8")),
    ("secrets", {"data": "x"}, FIELD.format("string", "Secret.data", "map[string][]uint8")),
    ("configmaps", {"data": {"a": {"x": 1}}}, FIELD.format("object", "ConfigMap.data", "string")),
    ("configmaps", {"metadata": "x"}, FIELD.format("string", "ConfigMap.metadata", "v1.ObjectMeta")),
    ("configmaps", {"metadata": {"uid": 5}}, FIELD.format("number", "ObjectMeta.metadata.uid", "types.UID")),
    ("configmaps", {"metadata": {"creationTimestamp": 5}}, FIELD.format(
        "number", "ObjectMeta.metadata.creationTimestamp", "string")),
    ("configmaps", {"metadata": {"creationTimestamp": "2020-01-01"}},
     'parsing time "2020-01-01" as "2006-01-02T15:04:05Z07:00": cannot parse "" as "T"'),
    ("configmaps", {"kind": "Pod"}, "converting (v1.Pod) to (core.ConfigMap): unknown conversion"),
    ("configmaps", {"kind": "Foo", "apiVersion": "foo/v1"},
     'no kind "Foo" is registered for version "foo/v1" in scheme "pkg/runtime/scheme.go:111"'),
]  # fmt: skip


def test_values_of_other_kinds(side: Client, place: str):
    for plural, more, words in OTHERS:
        kind = {"secrets": "Secret", "configmaps": "ConfigMap"}[plural]
        body = {"kind": kind, "apiVersion": "v1", "metadata": {"name": "x"}, **more}
        answer = side.ask("POST", f"{place}/{plural}", body, dryRun="All")
        assert said(answer) == (400, f'{body["kind"]} in version "v1" cannot be handled as a {kind}: {words}')


UNREADABLE: list[tuple[bytes, str]] = [
    (b'{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"abcdefghijk",,',
     "invalid character ',' looking for beginning of object key string ({\"kind\":\"ConfigMap\",\"apiVersio ...)"),
    (b'{"data":tru}', "invalid character '}' in literal true (expecting 'e') ({\"data\":tru})"),
    (b'{"data":', 'unexpected end of JSON input ({"data":)'),
    (b'{"data" 5}', "invalid character '5' after object key ({\"data\" 5})"),
    (b'{"data":5 6}', "invalid character '6' after object key:value pair ({\"data\":5 6})"),
    (b'{"data":[5 6]}', "invalid character '6' after array element ({\"data\":[5 6]})"),
    (b"{} x", "invalid character 'x' after top-level value ({} x)"),
    (b'{"kind":5}', 'json: cannot unmarshal number into Go struct field .kind of type string ({"kind":5})'),
    (b"", "unexpected end of JSON input (<empty>)"),
]  # fmt: skip


def test_bodies_that_are_no_objects(side: Client, place: str):
    begin = "the object provided is unrecognized (must be of type ConfigMap): "
    for body, words in UNREADABLE:
        answer = side.ask("POST", f"{place}/configmaps", body)
        assert said(answer) == (400, f"{begin}couldn't get version/kind; json parse error: {words}")
    answer = side.ask("POST", f"{place}/configmaps", b"[1,2]")
    assert answer.json()["message"].startswith(
        f"{begin}couldn't get version/kind; json parse error: json: cannot unmarshal array"
    )
    answer = side.ask("POST", f"{place}/configmaps", b"kind: [", media="application/yaml")
    assert said(answer) == (400, f"{begin}yaml: line 1: did not find expected node content (6b696e643a205b)")
    without = side.ask("POST", f"{place}/configmaps", {"metadata": {"name": "a"}}, dryRun="All")
    assert (without.status, without.json()["kind"]) == (201, "ConfigMap")


def test_what_is_empty_is_not_kept(side: Client, place: str):
    """As Go's encoder leaves it out."""
    body = {"kind": "ConfigMap", "apiVersion": "v1", "data": {"a": None}, "binaryData": {},
            "metadata": {"name": "x", "labels": {}, "annotations": {"a": ""}, "finalizers": []}}  # fmt: skip
    got = side.ask("POST", f"{place}/configmaps", body, dryRun="All").json()
    assert got["data"] == {"a": ""}
    assert got["metadata"]["annotations"] == {"a": ""}
    assert not {"labels", "finalizers"} & got["metadata"].keys()
    assert "binaryData" not in got
    amounts = {"limits": {"cpu": 0.5, "memory": "1024Mi"}, "requests": {"cpu": "0.1", "memory": "1e3"}}
    empty = {"hostNetwork": False, "nodeSelector": {}}
    pod = deployment(stdin=False, env=[], workingDir="", pod=empty, resources=amounts)
    spec = side.ask("POST", apps(place), pod, dryRun="All").json()["spec"]["template"]["spec"]
    assert spec["containers"][0]["resources"] == {
        "limits": {"cpu": "500m", "memory": "1Gi"}, "requests": {"cpu": "100m", "memory": "1e3"}}  # fmt: skip
    assert not {"stdin", "env", "workingDir"} & spec["containers"][0].keys()
    assert not {"hostNetwork", "nodeSelector"} & spec.keys()


CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


def test_custom_kinds(side: Client, place: str):
    part = {"type": "object", "properties": {"name": {"type": "string"}}}
    spec = {"type": "object", "properties": {
        "size": {"type": "integer"}, "parts": {"type": "array", "items": part},
        "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
        "map": {"type": "object", "additionalProperties": {"type": "string"}},
    }}  # fmt: skip
    schema = {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec}}}
    crd = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
           "metadata": {"name": "fields.strict.io"},
           "spec": {"group": "strict.io", "scope": "Namespaced", "names": {"plural": "fields", "kind": "Field"},
                    "versions": [{"name": "v1", "served": True, "storage": True, "schema": schema}]}}  # fmt: skip
    assert side.ask("POST", CRDS, crd).status == 201
    path = place.replace("/api/v1/", "/apis/strict.io/v1/") + "/fields"
    try:
        while side.get(path).status != 200:
            pass
        body = {"size": 1, "foo": 2, "parts": [{"name": "a"}, {"nme": "b"}], "free": {"x": 1}, "map": {"a": "b"}}
        obj = {"kind": "Field", "apiVersion": "strict.io/v1", "metadata": {"name": "f", "x": 1}, "more": 1,
               "spec": body}  # fmt: skip
        problems = [f'unknown field "{name}"' for name in ("metadata.x", "more", "spec.foo", "spec.parts[1].nme")]
        strict, warn, ignore = (side.ask("POST", path, obj, fieldValidation=mode, dryRun="All") for mode in MODES)
        begin = 'Field in version "v1" cannot be handled as a Field: strict decoding error: '
        assert said(strict) == (400, begin + ", ".join(problems))
        assert said(warn) == (201, warned(*problems))
        assert said(ignore) == (201, [])
        expected = {"size": 1, "parts": [{"name": "a"}, {}], "free": {"x": 1}, "map": {"a": "b"}}
        assert warn.json()["spec"] == ignore.json()["spec"] == expected
        doubled = (
            b'{"kind":"Field","apiVersion":"strict.io/v1","metadata":{"name":"f"},'
            b'"spec":{"size":1,"size":2,"free":{"a":1,"a":2}}}'
        )
        answer = side.ask("POST", path, doubled, fieldValidation="Strict")
        assert said(answer) == (400, f'{begin}duplicate field "spec.size", duplicate field "spec.free.a"')
        assert side.ask("POST", path, doubled, fieldValidation="Ignore").status == 201
        answer = side.ask("PATCH", f"{path}/f", {"spec": {"foo": 3}}, media=MERGE)
        assert (said(answer), answer.json()["spec"].keys()) == (
            (200, warned('unknown field "spec.foo"')),
            {"size", "free"},
        )
    finally:
        side.ask("DELETE", f"{CRDS}/fields.strict.io")
