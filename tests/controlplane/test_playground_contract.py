"""The same assertions against the playground and a real API server: where both pass, a client sees no difference."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.controlplane.sides import Json, config_map
from tests.testbed.control_plane import ControlPlane
from tests.unit.playground import objects
from tests.unit.playground.client import (
    JSON_PATCH,
    MERGE,
    PARTIAL,
    PARTIAL_LIST,
    STRATEGIC,
    TABLE,
    Client,
)
from tests.waiting import eventually


def said(answer: Any) -> tuple[Any, ...]:
    """What a client goes by in a failure."""
    body = answer.json()
    return answer.status, body["kind"], body.get("reason"), body["message"], body.get("details"), body["code"]


# ------------------------------------------------------------------------------------------------ refusals


def test_what_is_not_there(side: Client, place: str):
    assert said(side.get(f"{place}/pods/nope")) == (
        404, "Status", "NotFound", 'pods "nope" not found', {"name": "nope", "kind": "pods"}, 404,
    )  # fmt: skip
    assert said(side.get(f"{place}/podz"))[:4] == (
        404, "Status", "NotFound", "the server could not find the requested resource",
    )  # fmt: skip
    for path in ("/apis/foo/v1/x", "/nope"):
        answer = side.get(path)
        assert (answer.status, answer.body) == (404, b"404 page not found\n")
        assert answer.headers["Content-Type"].startswith("text/plain")
    empty = side.get("/api/v1/namespaces/no-such/configmaps")
    assert (empty.status, empty.json()["items"]) == (200, [])
    missing = side.ask("POST", "/api/v1/namespaces/no-such/configmaps", config_map("a"))
    assert said(missing)[:4] == (404, "Status", "NotFound", 'namespaces "no-such" not found')


def test_wrong_methods(side: Client, place: str):
    for method, path in (("POST", f"{place}/pods/nope"), ("PUT", f"{place}/pods"), ("DELETE", "/version")):
        assert said(side.ask(method, path, {}))[:4] == (
            405, "Status", "MethodNotAllowed", "the server does not allow this method on the requested resource",
        )  # fmt: skip


MATCH = "resourceVersionMatch"
NOT_OPTIONS = 'ListOptions.meta.k8s.io "" is invalid: '
NEEDS_MATCH = f"{MATCH}: Forbidden: sendInitialEvents requires setting {MATCH} to NotOlderThan"
NO_NUMBER = 'resourceVersion: Invalid value: "abc": strconv.ParseUint: parsing "abc": invalid syntax'
NO_SUCH_MATCH = f'{MATCH}: Unsupported value: "Foo": supported values: "Exact", "NotOlderThan", ""'
NOT_EXACT = f'{MATCH}: Unsupported value: "Exact": supported values: "NotOlderThan"'
NOT_AT_ZERO = f'{MATCH}: Forbidden: {MATCH} "exact" is forbidden for resourceVersion "0"'
NOT_ALONE = f"{MATCH}: Forbidden: {MATCH} is forbidden unless resourceVersion is provided"
NOT_FOR_WATCH = f"{MATCH}: Forbidden: {MATCH} is forbidden for watch unless sendInitialEvents is provided"
NOT_FOR_LIST = "sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list"
MODIFIED = "the object has been modified; please apply your changes to the latest version and try again"
NO_TABLE = "Unable to convert to Table as requested: "
UNREADABLE = "unable to parse requirement: found "

BAD: list[tuple[Json, int, str]] = [
    ({"labelSelector": "a in"}, 400, f"{UNREADABLE}'' expected: '('"),
    ({"labelSelector": "a b"}, 400, f"{UNREADABLE}'b', expected: in, notin, =, ==, !=, gt, lt"),
    ({"labelSelector": "a=b,"}, 400, "found '', expected: identifier after ','"),
    ({"labelSelector": "a in (b"}, 400, f"{UNREADABLE}'', expected: ',' or ')'"),
    ({"fieldSelector": "spec.foo=1"}, 400, "field label not supported: spec.foo"),
    ({"fieldSelector": "foo"}, 400, "invalid selector: 'foo'; can't understand 'foo'"),
    ({"resourceVersion": "abc"}, 400, f"invalid resource version: {NO_NUMBER}"),
    ({"limit": "x"}, 400, 'strconv.ParseInt: parsing "x": invalid syntax'),
    ({MATCH: "Exact"}, 422, NOT_OPTIONS + NOT_ALONE),
    ({"resourceVersion": "5", MATCH: "Foo"}, 422, NOT_OPTIONS + NO_SUCH_MATCH),
    ({"resourceVersion": "0", MATCH: "Exact"}, 422, NOT_OPTIONS + NOT_AT_ZERO),
    ({"sendInitialEvents": "true"}, 422, NOT_OPTIONS + NOT_FOR_LIST),
    ({"watch": "1", "sendInitialEvents": "true"}, 422, NOT_OPTIONS + NEEDS_MATCH),
    (
        {"watch": "1", "sendInitialEvents": "true", MATCH: "Exact"},
        422,
        f"{NOT_OPTIONS}[{NEEDS_MATCH}, {NOT_EXACT}]",
    ),
    ({"watch": "1", "resourceVersion": "4", MATCH: "NotOlderThan"}, 422, NOT_OPTIONS + NOT_FOR_WATCH),
]


@pytest.mark.parametrize(("query", "status", "words"), BAD)
def test_bad_queries(side: Client, query: Json, status: int, words: str):
    answer = side.get("/api/v1/namespaces/default/pods", **query)
    assert (answer.status, answer.json()["message"], answer.json()["code"]) == (status, words, status)


def test_a_watch_from_a_version_that_is_no_number_is_a_500(side: Client):
    answer = side.get("/api/v1/pods", watch="1", resourceVersion="abc")
    assert answer.status == 500
    assert "reason" not in answer.json()


def test_versions_of_the_future(side: Client):
    answer = side.get("/api/v1/namespaces/default/pods", resourceVersion="99999999")
    assert (answer.status, answer.json()["reason"], answer.headers["Retry-After"]) == (504, "Timeout", "1")
    assert answer.json()["details"]["causes"][0]["reason"] == "ResourceVersionTooLarge"
    assert side.events("/api/v1/namespaces/default/pods", resourceVersion="99999999") == []


def test_field_selectors_of_other_kinds(side: Client):
    answer = side.get("/api/v1/configmaps", fieldSelector="spec.nodeName=1")
    assert answer.json()["message"] == (
        '"spec.nodeName" is not a known field selector: only "metadata.name", "metadata.namespace"'
    )


def test_forms_that_there_are_not(side: Client, place: str):
    assert side.get(f"{place}/pods", accept="text/html").json()["reason"] == "NotAcceptable"
    answer = side.get(f"{place}/pods", accept=TABLE, includeObject="x")
    assert (answer.status, answer.json()["message"]) == (
        400,
        f"{NO_TABLE}includeObject: Invalid value: \"x\": must be 'Metadata', 'Object', 'None', or empty",
    )
    # The first form in the list that there is gets chosen.
    answer = side.get(f"{place}/pods", accept=f"application/json;as=Table;v=v1beta1;g=meta.k8s.io,{TABLE}")
    assert answer.json()["kind"] == "Table"


# ---------------------------------------------------------------------------------------- changes and lists


def test_create_read_change_delete(side: Client, place: str):
    made = side.ask("POST", f"{place}/configmaps", config_map("a", x="1"), fieldManager="fm")
    assert made.status == 201
    first = made.json()
    assert list(first) == ["kind", "apiVersion", "metadata", "data"]
    assert first["metadata"]["managedFields"][0]["manager"] == "fm"
    assert said(side.ask("POST", f"{place}/configmaps", config_map("a")))[:4] == (
        409, "Status", "AlreadyExists", 'configmaps "a" already exists',
    )  # fmt: skip
    changed = side.ask("PATCH", f"{place}/configmaps/a", {"data": {"x": None, "y": "2"}}, media=MERGE)
    assert (changed.status, changed.json()["data"]) == (200, {"y": "2"})
    stale = side.ask("PUT", f"{place}/configmaps/a", first)
    assert said(stale)[:4] == (
        409, "Status", "Conflict", f'Operation cannot be fulfilled on configmaps "a": {MODIFIED}',
    )  # fmt: skip
    put = side.ask("PUT", f"{place}/configmaps/a", {**changed.json(), "data": {"z": "3"}})
    assert (put.status, put.json()["data"], put.json()["metadata"]["uid"]) == (
        200,
        {"z": "3"},
        first["metadata"]["uid"],
    )
    again = side.ask("PUT", f"{place}/configmaps/a", put.json())
    assert again.json()["metadata"]["resourceVersion"] == put.json()["metadata"]["resourceVersion"]
    gone = side.ask("DELETE", f"{place}/configmaps/a")
    assert (gone.status, gone.json()["status"], gone.json()["details"]) == (
        200, "Success", {"name": "a", "kind": "configmaps", "uid": first["metadata"]["uid"]},
    )  # fmt: skip
    assert side.ask("DELETE", f"{place}/configmaps/a").status == 404


def test_bodies_that_do_not_fit(side: Client, place: str):
    path = f"{place}/configmaps"
    side.ask("POST", path, config_map("a", x="1"))
    wrong: list[tuple[str, str, Any, str, int]] = [
        ("POST", path, {**config_map("b"), "metadata": {"name": "b", "namespace": "other"}}, "", 400),
        ("POST", path, b"{x", "", 400),
        ("POST", path, config_map("b"), "text/plain", 415),
        ("POST", path, {**config_map("b"), "metadata": {}}, "", 422),
        ("POST", path, config_map("A_b"), "", 422),
        ("PUT", f"{path}/a", config_map("b"), "", 400),
        ("PUT", f"{path}/new", config_map("new"), "", 404),
        ("PUT", f"{path}/a", {**config_map("a"), "metadata": {"name": "a", "uid": "zz"}}, "", 409),
        ("PATCH", f"{path}/a", {}, "application/json", 415),
        ("PATCH", f"{path}/zz", {}, MERGE, 404),
        ("PATCH", f"{path}/a", b"{", MERGE, 400),
        ("PATCH", f"{path}/a", {}, JSON_PATCH, 400),
        ("PATCH", f"{path}/a", [{"op": "test", "path": "/data/x", "value": "9"}], JSON_PATCH, 422),
        ("PATCH", f"{path}/a", {"metadata": {"resourceVersion": "1"}}, MERGE, 409),
        ("DELETE", f"{path}/a", {"preconditions": {"uid": "x"}}, "", 409),
    ]
    for method, where, body, media, status in wrong:
        answer = side.ask(method, where, body, media=media)
        assert answer.status == answer.json()["code"] == status, (method, where, body, answer.body)
    named = side.ask("POST", path, config_map("A_b")).json()
    assert named["details"]["causes"][0]["field"] == "metadata.name"
    assert named["message"].startswith('ConfigMap "A_b" is invalid: metadata.name: Invalid value: "A_b": a lowercase')


def test_generated_names_and_dry_runs(side: Client, place: str):
    made = side.ask("POST", f"{place}/configmaps", {**config_map(""), "metadata": {"generateName": "g-"}}).json()
    assert re.fullmatch(r"g-[bcdfghjklmnpqrstvwxz2456789]{5}", made["metadata"]["name"])
    dry = side.ask("POST", f"{place}/configmaps", config_map("dry"), dryRun="All")
    assert dry.status == 201
    assert side.get(f"{place}/configmaps/dry").status == 404
    assert side.ask("POST", f"{place}/configmaps", config_map("dry"), dryRun="x").status == 422


def test_json_patch_and_strategic_merge(side: Client, place: str):
    path = place.replace("/api/v1", "/apis/apps/v1") + "/deployments"
    assert side.ask("POST", path, objects.deployment("web", replicas=0)).status == 201
    patch = {
        "spec": {"template": {"spec": {"containers": [{"name": "side", "image": "b"}, {"name": "web", "image": "c"}]}}}
    }
    changed = side.ask("PATCH", f"{path}/web", patch, media=STRATEGIC).json()
    images = {one["name"]: one["image"] for one in changed["spec"]["template"]["spec"]["containers"]}
    assert images == {"web": "c", "side": "b"}
    assert changed["metadata"]["generation"] == 2
    gone = {"spec": {"template": {"spec": {"containers": [{"name": "side", "$patch": "delete"}]}}}}
    changed = side.ask("PATCH", f"{path}/web", gone, media=STRATEGIC).json()
    assert [one["name"] for one in changed["spec"]["template"]["spec"]["containers"]] == ["web"]
    operation = [{"op": "replace", "path": "/spec/template/spec/containers/0/image", "value": "d"}]
    changed = side.ask("PATCH", f"{path}/web", operation, media=JSON_PATCH).json()
    assert changed["spec"]["template"]["spec"]["containers"][0]["image"] == "d"
    negative = side.ask("PATCH", f"{path}/web", {"spec": {"replicas": -4}}, media=MERGE)
    assert negative.json()["message"] == (
        'Deployment.apps "web" is invalid: spec.replicas: Invalid value: -4: must be greater than or equal to 0'
    )


def test_scale(side: Client, place: str):
    path = place.replace("/api/v1", "/apis/apps/v1") + "/deployments"
    side.ask("POST", path, objects.deployment("web", replicas=0))
    scale = side.get(f"{path}/web/scale").json()
    assert (scale["kind"], scale["apiVersion"], scale["spec"]) == ("Scale", "autoscaling/v1", {})
    assert scale["status"] == {"replicas": 0, "selector": "app=web"}
    changed = side.ask("PATCH", f"{path}/web/scale", {"spec": {"replicas": 2}}, media=MERGE)
    assert (changed.status, changed.json()["spec"]) == (200, {"replicas": 2})
    assert side.get(f"{path}/web").json()["spec"]["replicas"] == 2
    assert side.ask("PATCH", f"{path}/web/scale", {"spec": {"replicas": -1}}, media=MERGE).status == 422


def test_pages_show_one_version(side: Client, place: str):
    for number in range(5):
        side.ask("POST", f"{place}/configmaps", config_map(f"m-{number}"))
    selected = {"labelSelector": "of=test"}
    first = side.get(f"{place}/configmaps", limit=2).json()
    assert first["metadata"]["remainingItemCount"] == 4  # with kube-root-ca.crt
    side.ask("DELETE", f"{place}/configmaps/m-4")
    names, page = [one["metadata"]["name"] for one in first["items"]], first
    while token := page["metadata"].get("continue"):
        page = side.get(f"{place}/configmaps", limit=2, **{"continue": token}).json()
        assert page["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]
        names += [one["metadata"]["name"] for one in page["items"]]
    assert names == ["kube-root-ca.crt", *(f"m-{number}" for number in range(5))]
    some = side.get(f"{place}/configmaps", limit=2, **selected).json()
    assert "remainingItemCount" not in some["metadata"]
    assert "continue" in some["metadata"]
    assert side.get(f"{place}/configmaps", limit=1, **{"continue": "abc"}).status == 400


def test_lists_at_an_exact_version(side: Client, place: str):
    side.ask("POST", f"{place}/configmaps", config_map("a", x="1"))
    before = side.get(f"{place}/configmaps", labelSelector="of=test").json()
    version = before["metadata"]["resourceVersion"]
    side.ask("PATCH", f"{place}/configmaps/a", {"data": {"x": "2"}}, media=MERGE)
    side.ask("POST", f"{place}/configmaps", config_map("b"))
    side.ask("DELETE", f"{place}/configmaps/a")
    exact = {"resourceVersion": version, "resourceVersionMatch": "Exact", "labelSelector": "of=test"}
    then = side.get(f"{place}/configmaps", **exact).json()
    assert (then["items"], then["metadata"]["resourceVersion"]) == (before["items"], version)

    def names() -> list[str]:
        now = side.get(f"{place}/configmaps", resourceVersion=version, labelSelector="of=test").json()
        return [one["metadata"]["name"] for one in now["items"]]

    # "not older than that": a watch cache may still be on its way to the last change
    eventually(lambda: names() == ["b"], "the list of now", seconds=30)


def test_items_of_lists_do_not_say_what_they_are(side: Client, place: str):
    side.ask("POST", f"{place}/configmaps", config_map("a"))
    found = side.get(f"{place}/configmaps").json()
    assert (found["kind"], found["apiVersion"]) == ("ConfigMapList", "v1")
    assert "kind" not in found["items"][0]
    rows = side.get(f"{place}/configmaps", accept=TABLE, includeObject="Object").json()["rows"]
    assert rows[0]["object"]["kind"] == "ConfigMap"


def test_metadata_only(side: Client, place: str):
    side.ask("POST", f"{place}/configmaps", config_map("a", x="1"))
    one = side.get(f"{place}/configmaps/a", accept=PARTIAL).json()
    assert (one["kind"], one["apiVersion"], set(one)) == (
        "PartialObjectMetadata", "meta.k8s.io/v1", {"kind", "apiVersion", "metadata"},
    )  # fmt: skip
    many = side.get(f"{place}/configmaps", accept=PARTIAL_LIST, labelSelector="of=test").json()
    assert (many["kind"], many["items"]) == ("PartialObjectMetadataList", [one])


# ------------------------------------------------------------------------------------ who asks, and what is there


def test_who_may_ask_what(side: Client, playground: Any, control_plane: ControlPlane, request: pytest.FixtureRequest):
    at = playground.kubeconfig if "playground" in request.node.callspec.id else control_plane.kubeconfig
    wrong = Client(at, token="wrong")
    if at == playground.kubeconfig:  # the administrator's certificate would count before a token
        answer = wrong.get("/api/v1/pods")
        assert (answer.status, answer.json()["reason"]) == (401, "Unauthorized")
        nobody = Client(at, token="")
        assert [nobody.get(path).status for path in ("/version", "/readyz", "/livez", "/healthz")] == [200] * 4
        refused = nobody.get("/api/v1/namespaces/default/pods").json()
        assert refused["message"] == (
            'pods is forbidden: User "system:anonymous" cannot list resource "pods" in API group "" in the namespace '
            '"default"'
        )
        assert nobody.get("/api").status == 403
    review = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview",
              "spec": {"resourceAttributes": {"verb": "list", "resource": "pods"}}}  # fmt: skip
    answer = side.ask("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", review)
    assert (answer.status, answer.json()["status"]["allowed"], answer.json()["spec"]) == (201, True, review["spec"])
    who = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    answer = side.ask("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", who)
    assert "system:masters" in answer.json()["status"]["userInfo"]["groups"]


def test_discovery_in_one_document(side: Client):
    form = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
    core = side.get("/api", accept=f"{form},application/json")
    assert core.headers["Content-Type"] == form
    assert core.headers["Vary"] == "Accept"
    again = side.get("/api", accept=form, headers={"If-None-Match": core.headers["ETag"]})
    assert (again.status, again.body) == (304, b"")
    resources = {one["resource"]: one for one in core.json()["items"][0]["versions"][0]["resources"]}
    pods = resources["pods"]
    assert (pods["responseKind"]["kind"], pods["scope"], pods["shortNames"], pods["categories"]) == (
        "Pod", "Namespaced", ["po"], ["all"],
    )  # fmt: skip
    assert side.get("/api", accept=form.replace("v=v2", "v=v2beta1")).status == 406


def test_health_and_version(side: Client):
    assert side.get("/readyz").body == b"ok"
    assert b"[+]ping ok" in side.get("/readyz", verbose="").body
    version = side.get("/version").json()
    assert (version["major"], version["minor"], version["gitVersion"]) == ("1", "37", "v1.37.2")


# ------------------------------------------------------------------------------ both at once: what they print


def test_the_same_api_services(playground: Any, control_plane: ControlPlane):
    def of(side: Client) -> dict[str, Any]:
        items = side.get("/apis/apiregistration.k8s.io/v1/apiservices").json()["items"]
        return {one["metadata"]["name"]: one["spec"] for one in items}

    ours, theirs = of(Client(playground.kubeconfig)), of(Client(control_plane.kubeconfig))
    # The metrics server's is of the playground alone, and that of the aggregation itself is none of the real one's.
    assert ours.keys() - theirs.keys() == {"v1beta1.metrics.k8s.io", "v1.apiregistration.k8s.io"}
    shared = ours.keys() & theirs.keys()
    assert {"v1.", "v1.apps", "v1.autoscaling", "v2.autoscaling"} <= shared
    assert {name: ours[name] for name in shared} == {name: theirs[name] for name in shared}


COMMON = ("pods", "deployments.apps", "statefulsets.apps", "daemonsets.apps", "replicasets.apps", "jobs.batch",
          "cronjobs.batch", "services", "endpointslices.discovery.k8s.io", "configmaps", "secrets", "serviceaccounts",
          "namespaces", "events", "persistentvolumeclaims", "persistentvolumes", "nodes", "limitranges",
          "horizontalpodautoscalers.autoscaling", "ingresses.networking.k8s.io", "networkpolicies.networking.k8s.io",
          "storageclasses.storage.k8s.io", "roles.rbac.authorization.k8s.io", "rolebindings.rbac.authorization.k8s.io",
          "leases.coordination.k8s.io", "poddisruptionbudgets.policy", "resourcequotas", "controllerrevisions.apps",
          "priorityclasses.scheduling.k8s.io", "apiservices.apiregistration.k8s.io",
          "customresourcedefinitions.apiextensions.k8s.io")  # fmt: skip


def test_columns_and_descriptions_are_the_same(playground: Any, control_plane: ControlPlane):
    ours, theirs = Client(playground.kubeconfig), Client(control_plane.kubeconfig)
    for resource in COMMON:
        path = objects.path_of(resource)
        mine, real = (one.get(path, accept=TABLE, limit=1).json()["columnDefinitions"] for one in (ours, theirs))
        assert mine == real, resource


def test_discovery_says_the_same_of_each_kind(playground: Any, control_plane: ControlPlane):
    ours, theirs = Client(playground.kubeconfig), Client(control_plane.kubeconfig)
    form = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
    for path in ("/api", "/apis"):
        mine, real = (_by_name(one.get(path, accept=form).json()) for one in (ours, theirs))
        for name, entry in mine.items():
            if name[0] == "metrics.k8s.io":  # the test bed has no metrics-server
                continue
            known = copy.deepcopy(real[name])
            names = {one["subresource"] for one in entry.get("subresources", ())}
            if kept := [one for one in known.pop("subresources", ()) if one["subresource"] in names]:
                known["subresources"] = kept
            assert entry == known


def _by_name(document: Json) -> dict[tuple[str, str], Json]:
    return {
        (group["metadata"].get("name", ""), entry["resource"]): entry
        for group in document["items"]
        for entry in group["versions"][0]["resources"]
    }


AGE = re.compile(r"^(\d+[smhdy])+$|^<invalid>$")


def _cells(row: Json) -> list[Any]:
    """A row's cells, but for ages and what a server chooses: the two servers are not asked in the same second."""
    return ["AGE" if isinstance(cell, str) and AGE.match(cell) else cell for cell in row["cells"]]


@pytest.fixture
def both(playground: Any, control_plane: ControlPlane) -> Iterator[tuple[Client, Client]]:
    """Both servers, with a namespace `cells` in each."""
    sides = Client(playground.kubeconfig), Client(control_plane.kubeconfig)
    name = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "cells"}}
    account = "/api/v1/namespaces/cells/serviceaccounts/default"  # without which there can be no pods
    for one in sides:
        assert one.ask("POST", "/api/v1/namespaces", name).status == 201
        eventually(lambda one=one: one.get(account).status == 200, seconds=30)  # type: ignore[misc]
    yield sides
    sides[1].ask("DELETE", "/api/v1/namespaces/cells")


def test_the_same_objects_print_the_same_cells(both: tuple[Client, Client]):
    for name, obj, status in objects.printed():
        path = objects.path_of(name, "cells")
        rows = []
        for one in both:
            made = one.ask("POST", path, obj)
            assert made.status == 201, (name, obj, made.body)
            where = f"{path}/{made.json()['metadata']['name']}"
            if status:
                told = one.ask("PATCH", f"{where}/status", {"status": status}, media=MERGE)
                assert told.status == 200, (obj, told.body)
            table = one.get(where, accept=TABLE).json()
            rows.append((_cells(table["rows"][0]), table["rows"][0].get("conditions")))
            if not path.startswith("/api/v1/namespaces/cells") and "/namespaces/cells" not in path:
                one.ask("DELETE", where)
        assert rows[0] == rows[1], (name, obj["metadata"])
