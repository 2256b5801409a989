"""Who owns which field after each step: the playground and a real API server say the same, times aside."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tests.controlplane.pairs import Pair, pair
from tests.unit.playground import objects
from tests.unit.playground.client import JSON_PATCH, MERGE, STRATEGIC, Answer, Client

__all__ = ["pair"]

Json = dict[str, Any]
Step = tuple[str, Callable[[Client], Answer]]

APPLY = "application/apply-patch+yaml"
CONTROLLERS = "controller-manager"
"""In the manager's name of controllers: what these have written by a moment is nobody's promise."""


def owners(answer: Answer) -> Any:
    """What an answer says: the object's fields and owners, or the failure."""
    body = answer.json()
    if body["kind"] == "Status":
        details = body.get("details") or {}
        causes = sorted(details.pop("causes", ()), key=lambda one: (one["message"], one.get("field", "")))
        return answer.status, body.get("reason"), body["message"], details, causes
    metadata = body["metadata"]
    entries = [
        {key: value for key, value in one.items() if key != "time"}
        for one in metadata.get("managedFields", ())
        if CONTROLLERS not in one["manager"]
    ]
    entries.sort(key=lambda one: json.dumps(one, sort_keys=True))  # of one second in one place, of two in the other
    own = {key: metadata.get(key) for key in ("labels", "annotations", "finalizers", "generation")}
    own["annotations"] = {key: value for key, value in (own["annotations"] or {}).items() if "revision" not in key}
    rest = {key: value for key, value in body.items() if key not in ("metadata", "status")}
    if "clusterIP" in (rest.get("spec") or {}):
        rest["spec"] = {key: value for key, value in rest["spec"].items() if key not in ("clusterIP", "clusterIPs")}
    return answer.status, rest, own, entries


def told(sides: Pair, steps: list[Step]) -> dict[str, Any]:
    """Take the steps on both sides, compare each, and return what the playground said."""
    said = {}
    for name, step in steps:
        mine, theirs = (owners(step(one)) for one in sides)
        assert mine == theirs, name
        said[name] = mine
    return said


class Place:
    """The steps that are taken on one object."""

    def __init__(self, path: str, obj: Json):
        self.path, self.obj = path, obj
        self.item = f"{path}/{obj['metadata']['name']}"

    def create(self, manager: str, **more: Any) -> Callable[[Client], Answer]:
        return lambda side: side.ask("POST", self.path, {**self.obj, **more}, fieldManager=manager)

    def apply(
        self, manager: str, subresource: str = "", query: Json | None = None, **said: Any
    ) -> Callable[[Client], Answer]:
        head = {key: self.obj[key] for key in ("apiVersion", "kind")}
        body = {**head, "metadata": {"name": self.obj["metadata"]["name"]}, **said}
        asked = {"fieldManager": manager, **(query or {})}
        return lambda side: side.ask("PATCH", self.item + subresource, body, media=APPLY, **asked)

    def patch(self, manager: str, patch: Any, media: str = MERGE, subresource: str = "") -> Callable[[Client], Answer]:
        return lambda side: side.ask("PATCH", self.item + subresource, patch, media=media, fieldManager=manager)

    def put(self, manager: str, change: Callable[[Json], object]) -> Callable[[Client], Answer]:
        def step(side: Client) -> Answer:
            while True:
                obj = side.get(self.item).json()
                change(obj)
                answer = side.ask("PUT", self.item, obj, fieldManager=manager)
                if answer.status != 409:  # a controller may have written in between
                    return answer

        return step

    def get(self) -> Callable[[Client], Answer]:
        return lambda side: side.get(self.item)


FORCE = {"force": "true"}


def test_a_config_map_through_all_that_happens_to_owners(pair: Pair):
    core = pair.place("apply-cm")
    obj = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "labels": {"of": "test"}},
           "data": {"x": "1", "y": "2"}}  # fmt: skip
    a = Place(f"{core}/configmaps", obj)
    label = {"name": "a", "labels": {"of": "test"}}
    said = told(pair, [
        ("created", a.create("cr")),
        ("one conflict", a.apply("m1", data={"x": "9"})),
        ("two conflicts", a.apply("m1", data={"x": "9", "y": "8"})),
        ("shared", a.apply("m1", metadata=label, data={"x": "1", "z": "3"})),
        ("no change", a.apply("m1", metadata=label, data={"x": "1", "z": "3"})),
        ("taken over, and one let go", a.apply("m1", query=FORCE, metadata=label, data={"x": "9"})),
        ("nothing left", a.apply("m1", query=FORCE, metadata=label, data={})),
        ("another", a.apply("m2", metadata=label, data={"q": "1"})),
        ("an update takes it", a.patch("m3", {"data": {"q": "2"}})),
        ("conflicts of several", a.apply("m2", metadata={"name": "a", "labels": {"of": "other"}},
                                         data={"q": "1", "y": "5"})),
        ("replaced", a.put("put", lambda obj: obj.update(data={"n": "1"}))),
        ("a json patch", a.patch("j", [{"op": "move", "from": "/data/n", "path": "/data/o"}], JSON_PATCH)),
        ("a list that is a set", a.patch("s", {"metadata": {"finalizers": ["t/a", "t/b"]}}, STRATEGIC)),
        ("part of it", a.apply("m4", metadata={"name": "a", "finalizers": ["t/b", "t/c"]})),
        ("less of it", a.apply("m4", metadata={"name": "a", "finalizers": ["t/c"]})),
        ("none of it", a.patch("s", {"metadata": {"finalizers": None}})),
        ("all owners forgotten", a.patch("r", {"metadata": {"managedFields": [{}]}})),
        ("not tracked", a.patch("r", {"data": {"o": "5"}})),
        ("the first apply", a.apply("m1", data={"o": "5", "k": "1"})),
        ("not lost by who does not know them", a.put("p", lambda obj: obj["metadata"].pop("managedFields"))),
        ("forgotten by an empty list", a.patch("r", {"metadata": {"managedFields": []}})),
    ])  # fmt: skip
    assert said["one conflict"][2] == 'Apply failed with 1 conflict: conflict with "cr" using v1: .data.x'
    assert said["taken over, and one let go"][1]["data"] == {"x": "9", "y": "2"}
    assert said["nothing left"][1]["data"] == {"y": "2"}
    assert said["all owners forgotten"][3] == []


def test_only_ten_updates_are_kept_apart(pair: Pair):
    core = pair.place("apply-many")
    b = Place(f"{core}/configmaps", {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "b"}})
    # In one second all are of one time, and go by their names.
    told(pair, [("created", b.create("u0", data={"k0": "v"}))])
    last = [("", b.patch(f"u{number}", {"data": {f"k{number}": "v"}})) for number in range(1, 13)]
    for side in pair:
        for _, step in last:
            step(side)
    mine, theirs = (
        {one["manager"]: one["fieldsV1"] for one in side.get(b.item).json()["metadata"]["managedFields"]}
        for side in pair
    )
    assert len(mine) == len(theirs) == 10
    assert set(mine) - {"ancient-changes"} <= {f"u{number}" for number in range(13)}
    everything = {f"f:k{number}" for number in range(13)}
    for found in (mine, theirs):
        assert {key for fields in found.values() for key in fields["f:data"]} - {"."} == everything


def test_a_deployment_whose_lists_have_keys(pair: Pair):
    core = pair.place("apply-deploy")
    web = Place(core.replace("/api/v1", "/apis/apps/v1") + "/deployments", objects.deployment("web", replicas=0))

    def pod(*containers: Json, **more: Any) -> Json:
        return {"template": {"spec": {"containers": list(containers), **more}}}

    said = told(pair, [
        ("created", web.create("cr")),
        ("a container more", web.apply("m1", spec=pod({"name": "log", "image": "l"}))),
        ("ports with a default in their key", web.apply("m1", spec=pod(
            {"name": "log", "image": "l", "ports": [{"containerPort": 80}, {"containerPort": 80, "protocol": "UDP"}],
             "env": [{"name": "A", "value": "1"}]}))),
        ("one port less", web.apply("m1", spec=pod(
            {"name": "log", "image": "l", "ports": [{"containerPort": 80, "protocol": "UDP"}]}))),
        ("another's image", web.apply("m2", spec=pod({"name": "log", "image": "other"}))),
        ("by force", web.apply("m2", query=FORCE, spec=pod({"name": "log", "image": "other"}))),
        ("before the first", web.apply("m3", spec=pod({"name": "a", "image": "a"}, {"name": "web", "args": ["x"]}))),
        ("set image", web.patch("set", {"spec": pod({"name": "web", "image": "b"})}, STRATEGIC)),
        ("let go", web.apply("m1", spec={"paused": True})),
        ("a selector is one value", web.apply("m1", spec={"selector": {"matchLabels": {"app": "no"}}}, query=FORCE)),
        ("scaled", lambda side: (side.ask("PATCH", f"{web.item}/scale", {"spec": {"replicas": 1}}, media=MERGE,
                                          fieldManager="scaler"), side.get(web.item))[1]),
        ("against the scale", web.apply("m1", spec={"replicas": 2})),
        ("not the spec's business", web.apply("m1", "/status", spec={"replicas": 7},
                                              status={"collisionCount": 4})),
        ("only through the status", web.patch("st", {"metadata": {"annotations": {"a": "b"}, "labels": {"no": "no"}},
                                                     "spec": {"replicas": 9}}, MERGE, "/status")),
        ("replaced", web.put("put", lambda obj: obj["spec"]["template"]["spec"].update(
            containers=[{"name": "web", "image": "z"}]))),
        ("dry", web.apply("m1", query={"dryRun": "All"}, spec={"minReadySeconds": 3})),
        ("what there is", web.get()),
    ])  # fmt: skip
    assert [one["name"] for one in said["before the first"][1]["spec"]["template"]["spec"]["containers"]] == [
        "a", "web", "log",
    ]  # fmt: skip
    assert said["against the scale"][2] == (
        'Apply failed with 1 conflict: conflict with "scaler" with subresource "scale" using apps/v1: .spec.replicas'
    )
    assert "minReadySeconds" not in said["what there is"][1]["spec"]


def test_a_service_and_what_was_given_to_it(pair: Pair):
    core = pair.place("apply-svc")
    web = Place(f"{core}/services", {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}})
    two = [{"port": 80, "name": "w"}, {"port": 81, "name": "x"}]
    told(pair, [
        ("made by an apply", web.apply("m1", spec={"ports": two, "selector": {"a": "b"}})),
        ("a port less", web.apply("m1", spec={"ports": two[1:], "selector": {"a": "b"}})),
        ("another selector", web.apply("m2", spec={"selector": {"c": "d"}})),
        ("replaced without its address", web.put("put", lambda obj: [
            obj["spec"].pop(name) for name in ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy")])),
        ("a port more", web.patch("st", {"spec": {"ports": [{"port": 90, "name": "y"}]}}, STRATEGIC)),
        ("the same port", web.patch("st", {"spec": {"ports": [{"port": 90, "targetPort": 9}]}}, STRATEGIC)),
        ("not its address", web.apply("m1", query=FORCE, spec={"ports": two[1:], "clusterIP": "10.96.200.200"})),
    ])  # fmt: skip


REFUSED: list[tuple[str, Any, Json, str]] = [
    ("no manager", {}, {"fieldManager": ""}, "a"),
    ("a long manager", {}, {"fieldManager": "x" * 129}, "a"),
    ("a manager that cannot be printed", {}, {"fieldManager": "x\ny"}, "a"),
    ("another name", {"metadata": {"name": "b"}}, {}, "a"),
    ("no name", {"metadata": {}}, {}, "new"),
    ("another kind", {"kind": "Secret"}, {}, "a"),
    ("another version", {"apiVersion": "apps/v1"}, {}, "a"),
    ("no kind", {"kind": None}, {}, "a"),
    ("managers", {"metadata": {"name": "a", "managedFields": []}}, {}, "a"),
    ("an unknown field", {"dat": {}}, {}, "a"),
    ("an unknown field, strictly", {"dat": {}}, {"fieldValidation": "Strict"}, "a"),
    ("a number for a text", {"data": {"x": 1}}, {}, "a"),
    ("a list for a map", {"data": ["x"]}, {}, "a"),
    ("an item twice", {"metadata": {"name": "a", "finalizers": ["a/b", "a/b"]}}, {}, "a"),
    ("an old version", {"metadata": {"name": "a", "resourceVersion": "1"}}, {}, "a"),
    ("another uid", {"metadata": {"name": "a", "uid": "1"}}, {}, "a"),
    ("a uid of nothing", {"metadata": {"name": "new", "uid": "1"}}, {}, "new"),
    ("broken yaml", b"a: [", {}, "a"),
    ("a list", b"- a", {}, "a"),
    ("nothing", b"", {}, "a"),
]


def test_applies_that_are_refused(pair: Pair):
    core = pair.place("apply-no")
    a = Place(f"{core}/configmaps", {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}})
    told(pair, [("created", a.create("cr"))])
    for what, body, query, name in REFUSED:
        sent = body if isinstance(body, bytes) else {**a.obj, **body}
        asked = {"fieldManager": "m", **query}
        answers = [side.ask("PATCH", f"{a.path}/{name}", sent, media=APPLY, **asked) for side in pair]
        assert owners(answers[0]) == owners(answers[1]), what
        assert answers[0].status >= 400, what
    forced = [side.ask("PATCH", a.item, {}, media=MERGE, force="true") for side in pair]
    assert owners(forced[0]) == owners(forced[1])
    assert forced[0].status == 422
    nowhere = [side.ask("PATCH", "/api/v1/namespaces/no-such/configmaps/a", a.obj, media=APPLY, fieldManager="m")
               for side in pair]  # fmt: skip
    assert owners(nowhere[0]) == owners(nowhere[1])


def test_yaml_is_read_as_the_server_reads_it(pair: Pair):
    core = pair.place("apply-yaml")
    text = b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n  x: '1'\n  when: 2024-01-01\n  y: |\n    a\n"
    answers = [side.ask("PATCH", f"{core}/configmaps/a", text, media=APPLY, fieldManager="m") for side in pair]
    assert owners(answers[0]) == owners(answers[1])
    assert answers[0].status == 201
    assert answers[0].json()["data"] == {"x": "1", "when": "2024-01-01", "true": "a\n"}


ANNOTATION = "kubectl.kubernetes.io/last-applied-configuration"


def test_kubectl_goes_over_from_client_side_apply(pair: Pair):
    core = pair.place("apply-over")
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"x": "1", "y": "1"}}
    noted = {**config, "metadata": {"name": "a", "annotations": {ANNOTATION: json.dumps(config) + "\n"}}}
    a = Place(f"{core}/configmaps", noted)
    said = told(pair, [
        ("created", a.create("kubectl-client-side-apply")),
        ("another manager", a.apply("m1", data={"x": "2"})),
        ("kubectl's own, no conflict", a.apply("kubectl", data={"x": "2"})),
        ("what is not in its annotation", a.apply("kubectl", data={"x": "3", "y": "5"})),
    ])  # fmt: skip
    assert said["another manager"][0] == said["what is not in its annotation"][0] == 409
    assert json.loads(said["kubectl's own, no conflict"][2]["annotations"][ANNOTATION])["data"] == {"x": "2"}


OURS = ("nodes", "events")
"""Kinds whose objects somebody else touches at once."""


def test_what_a_creation_owns(pair: Pair):
    """Of each kind, with the defaults that go into it."""
    namespace = pair.place("apply-kinds").rpartition("/")[2]
    wrong = {}
    for resource, obj, _ in objects.printed():
        if resource in OURS:
            continue
        path = objects.path_of(resource, namespace)
        answers = [side.ask("POST", path, obj, fieldManager="cr", dryRun="All") for side in pair]
        assert [one.status for one in answers] == [201, 201], (obj, [one.body for one in answers])
        mine, theirs = (owners(one)[3] for one in answers)
        if mine != theirs:
            wrong[f"{resource} {obj['metadata']}"] = (mine, theirs)
    assert wrong == {}
