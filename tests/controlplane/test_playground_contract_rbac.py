"""Who may do what, on the playground and on a real API server: the same verdicts in the same words."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.controlplane.both import Both, kept, kubectl_runner
from tests.playground import RunningPlayground
from tests.testbed.control_plane import ControlPlane
from tests.unit.playground.client import MERGE, Client

Json = dict[str, Any]

GROUP = "rbac.authorization.k8s.io"
RBAC, AUTHORIZATION, AUTHENTICATION = (
    f"/apis/{group}/v1" for group in (GROUP, "authorization.k8s.io", "authentication.k8s.io")
)


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory, control_plane: ControlPlane) -> Iterator[Both]:
    """Both servers, with a namespace `rbac` where jane is an administrator, and dora bound to what is not there."""
    folder = tmp_path_factory.mktemp("rbac")
    running = RunningPlayground(folder)
    found = Both(folder, control_plane, running)
    name = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "rbac"}}
    assert found.statuses("POST", "/api/v1/namespaces", name) == 201
    assert found.statuses("POST", BINDINGS, binding("adm", "admin")) == 201
    lost = {**binding("lost", "no-such-role", user="dora"), "kind": "ClusterRoleBinding"}
    assert found.statuses("POST", f"{RBAC}/clusterrolebindings", lost) == 201
    account = "/api/v1/namespaces/rbac/serviceaccounts/default"
    found.until(lambda side: side.get(account).status == 200, "the default account is there")
    found.until(lambda side: side.get("/api/v1/namespaces/rbac", headers=JANE).status == 200, "jane may")
    found.until(
        lambda side: "no-such-role" in side.get(f"{RBAC}/roles", headers=DORA).json()["message"], "dora is known"
    )
    yield found
    for side in found.sides.values():
        side.ask("DELETE", "/api/v1/namespaces/rbac")
        side.ask("DELETE", f"{RBAC}/clusterrolebindings/lost")
    running.close()


JANE, DORA = {"Impersonate-User": "jane"}, {"Impersonate-User": "dora"}
CORE = "/api/v1/namespaces/rbac"
BINDINGS, ROLES = f"{RBAC}/namespaces/rbac/rolebindings", f"{RBAC}/namespaces/rbac/roles"


def binding(name: str, role: str, kind: str = "ClusterRole", user: str = "jane", **more: Any) -> Json:
    return {
        "apiVersion": f"{GROUP}/v1",
        "kind": "RoleBinding",
        "metadata": {"name": name},
        "subjects": [{"kind": "User", "name": user}],
        "roleRef": {"apiGroup": GROUP, "kind": kind, "name": role},
        **more,
    }


def role(name: str, *rules: Json) -> Json:
    return {"apiVersion": f"{GROUP}/v1", "kind": "Role", "metadata": {"name": name}, "rules": list(rules)}


def rule(verbs: str, groups: list[str], resources: str, **more: Any) -> Json:
    return {"verbs": verbs.split(), "apiGroups": groups, "resources": resources.split(), **more}


# -------------------------------------------------------------------------------------------------- refusals


def test_what_somebody_may_not(both: Both):
    where = 'resource "pods" in API group "" in the namespace "default"'
    refused = both.same("GET", "/api/v1/namespaces/default/pods", headers=JANE)
    assert (refused["code"], refused["message"]) == (403, f'pods is forbidden: User "jane" cannot list {where}')
    # Whether something is served is asked after whether somebody may.
    for path in ("/api/v1/namespaces/default/podz", "/api/v1/nodes/x", "/foo", "/api/v1/namespaces/default",
                 "/apis/no.such/v1/things", "/api/v1/namespaces/rbac/resourcequotas/x/status"):  # fmt: skip
        assert both.same("GET", path, headers=JANE)["code"] in (403, 404), path
    for verb, path in (("POST", "/api/v1/nodes"), ("DELETE", "/api/v1/nodes"), ("PATCH", "/api/v1/nodes/x"),
                       ("PUT", "/api/v1/nodes/x"), ("DELETE", "/version")):  # fmt: skip
        assert both.same(verb, path, {}, headers=JANE)["code"] == 403
    assert both.same("GET", "/api/v1/nodes", headers=JANE, watch="1")["message"].startswith(
        'nodes is forbidden: User "jane" cannot watch'
    )
    assert both.same("GET", "/api/v1/nodes", headers=DORA)["message"].endswith(
        f'rbac: RBAC: clusterrole.{GROUP} "no-such-role" not found'
    )


def test_acting_as_somebody(both: Both):
    refused = both.same("GET", "/version", headers={"Impersonate-Group": "a", "Impersonate-Extra-K": "v"})
    assert refused["code"] == 400
    who = {"kind": "SelfSubjectReview", "apiVersion": "authentication.k8s.io/v1"}
    people: list[tuple[Json, list[str]]] = [
        ({"Impersonate-User": "bob", "Impersonate-Uid": "42", "Impersonate-Extra-Scopes%2Fa": "x"},
         ["system:authenticated"]),
        ({"Impersonate-User": "system:serviceaccount:a:b"},
         ["system:serviceaccounts", "system:serviceaccounts:a", "system:authenticated"]),
        ({"Impersonate-User": "system:anonymous"}, ["system:unauthenticated"]),
        ({"Impersonate-User": "x", "Impersonate-Group": "system:unauthenticated"}, ["system:unauthenticated"]),
    ]  # fmt: skip
    for headers, groups in people:
        answers = both.ask("POST", f"{AUTHENTICATION}/selfsubjectreviews", who, headers=headers)
        if "system:unauthenticated" in groups:
            assert [answer.status for answer in answers] == [403, 403]
            continue
        infos = [answer.json()["status"]["userInfo"] for answer in answers]
        assert infos[0] == infos[1]
        assert infos[0]["groups"] == groups


def test_roles_and_bindings_that_cannot_be(both: Both):
    strange = [{"kind": "Pod", "name": ""}, {"kind": "ServiceAccount", "apiGroup": "x", "name": "a"}]
    wrong = binding("x", "", roleRef={"apiGroup": "foo", "kind": "Bar", "name": ""}, subjects=strange)
    assert both.same("POST", BINDINGS, wrong)["message"].startswith(f'RoleBinding.{GROUP} "x" is invalid: [')
    for name, obj in (("roles", role("x/y", {"verbs": []}, {"verbs": ["get"], "nonResourceURLs": ["/x"],
                                                             "resources": ["pods"]})),
                      ("roles", role("free"))):  # fmt: skip
        both.same("POST", f"{RBAC}/namespaces/rbac/{name}", obj)
    cluster_wide = {**binding("x", "view", "Role"), "kind": "ClusterRoleBinding",
                    "subjects": [{"kind": "ServiceAccount", "name": "a"}]}  # fmt: skip
    both.same("POST", f"{RBAC}/clusterrolebindings", cluster_wide)
    fixed = both.same("PATCH", f"{BINDINGS}/adm", {"roleRef": {"name": "edit"}}, media=MERGE)
    assert "roleRef: Invalid value" in fixed["message"]


def test_nobody_gives_what_they_have_not(both: Both):
    more = role("more", rule("get list", ["", "apps"], "nodes pods"),
                rule("create", [""], "resourcequotas", resourceNames=["a"]))  # fmt: skip
    refused = both.same("POST", ROLES, more, headers=JANE)
    assert "is attempting to grant RBAC permissions not currently held:\n{APIGroups" in refused["message"]
    own = role("own", rule("get list", [""], "pods"), rule("patch", ["apps"], "deployments"))
    assert both.same("POST", ROLES, own, headers=JANE)["code"] == 201
    assert both.same("POST", BINDINGS, binding("ca", "cluster-admin"), headers=JANE)["code"] == 403
    assert both.same("POST", BINDINGS, binding("gone", "nope", "Role"), headers=JANE)["code"] == 404
    assert both.same("POST", BINDINGS, binding("ed", "edit", user="bob"), headers=JANE)["code"] == 201
    bob = {"Impersonate-User": "bob"}
    secrets = "/api/v1/namespaces/rbac/secrets"
    both.until(lambda side: side.get(secrets, headers=bob).status == 200, "bob may read secrets")
    assert both.same("GET", ROLES, headers=bob)["code"] == 403


# --------------------------------------------------------------------------------------------------- reviews


def test_questions(both: Both):
    pods = {"verb": "get", "resource": "pods", "namespace": "rbac"}
    path = {"path": "/version", "verb": "get"}

    def asked(kind: str, spec: Json, metadata: Json | None = None, namespace: str = "", **options: Any) -> Json:
        review = {"apiVersion": "authorization.k8s.io/v1", "kind": kind, "spec": spec, "metadata": metadata or {}}
        below = f"/namespaces/{namespace}" if namespace else ""
        return both.same("POST", f"{AUTHORIZATION}{below}/{kind.lower()}s", review, **options)

    allowed = asked("SubjectAccessReview", {"user": "jane", "resourceAttributes": pods})
    assert allowed["status"] == {
        "allowed": True, "reason": 'RBAC: allowed by RoleBinding "adm/rbac" of ClusterRole "admin" to User "jane"',
    }  # fmt: skip
    assert asked("SubjectAccessReview", {"user": "joe", "resourceAttributes": pods})["status"] == {"allowed": False}
    assert asked("SubjectAccessReview", {})["code"] == 422
    two = {"user": "a", "resourceAttributes": pods, "nonResourceAttributes": path}
    assert asked("SubjectAccessReview", two)["code"] == 422
    local = {"user": "jane", "resourceAttributes": pods}
    assert asked("LocalSubjectAccessReview", local, None, "rbac")["status"]["allowed"]
    assert asked("LocalSubjectAccessReview", local, {"namespace": "rbac"}, "rbac")["status"]["allowed"]
    other = {**local, "resourceAttributes": {**pods, "namespace": "x"}}
    assert asked("LocalSubjectAccessReview", other, None, "rbac")["code"] == 422
    for one, may in (("/api", True), ("/metrics", False)):
        answer = asked("SelfSubjectAccessReview", {"nonResourceAttributes": {**path, "path": one}}, headers=JANE)
        assert answer["status"]["allowed"] is may
    assert asked("SelfSubjectRulesReview", {})["message"] == "no namespace on request"


def _atoms(rules: list[Json]) -> set[tuple[str, ...]]:
    """Rules taken apart, but for what comes with kinds that the playground has not."""
    return {
        (verb, group, resource, name)
        for one in rules
        for verb in one["verbs"]
        for group, resource, name in [
            *((group, resource, name) for group in one.get("apiGroups") or () for resource in one.get("resources") or ()
              for name in one.get("resourceNames") or ("",)),
            *(("", url, "URL") for url in one.get("nonResourceURLs") or ()),
        ]
    }  # fmt: skip


def test_a_cluster_begins_with_the_same_roles(both: Both):
    real, ours = (
        {one["metadata"]["name"]: one for one in side.get(f"{RBAC}/clusterroles").json()["items"]}
        for side in both.sides.values()
    )
    assert {"cluster-admin", "admin", "edit", "view", "system:discovery", "system:basic-user"} <= ours.keys()
    for name, one in ours.items():
        assert _atoms(one["rules"]) == _atoms(real[name]["rules"]), name
        assert one["metadata"]["labels"] == real[name]["metadata"]["labels"], name
        assert one.get("aggregationRule") == real[name].get("aggregationRule"), name
    real, ours = (
        {one["metadata"]["name"]: one for one in side.get(f"{RBAC}/clusterrolebindings").json()["items"]}
        for side in both.sides.values()
    )
    for name, one in ours.items():
        assert (one["subjects"], one["roleRef"]) == (real[name]["subjects"], real[name]["roleRef"]), name


def test_roles_that_are_made_of_others(both: Both):
    label = "example.com/aggregate-to-boats"
    whole = {"apiVersion": f"{GROUP}/v1", "kind": "ClusterRole", "metadata": {"name": "boats"},
             "aggregationRule": {"clusterRoleSelectors": [{"matchLabels": {label: "true"}}]}}  # fmt: skip
    parts = [
        {"apiVersion": f"{GROUP}/v1", "kind": "ClusterRole",
         "metadata": {"name": f"boats-{verb}", "labels": {label: "true"}},
         "rules": [rule(verb, ["f.example.com"], "boats")]}
        for verb in ("get", "list")
    ]  # fmt: skip
    path = f"{RBAC}/clusterroles"
    for obj in (whole, *parts):
        assert both.statuses("POST", path, obj) == 201

    def rules(side: Client) -> Any:
        return side.get(f"{path}/boats").json()["rules"]

    both.until(lambda side: len(rules(side) or ()) == 2, "both parts are in it")
    both.statuses("DELETE", f"{path}/boats-get")
    both.until(lambda side: rules(side) == parts[1]["rules"], "one part is out again")
    for name in ("boats", "boats-list"):
        both.statuses("DELETE", f"{path}/{name}")


# ---------------------------------------------------------------------------------------------------- tokens

ACCOUNT = "/api/v1/namespaces/rbac/serviceaccounts/default"
WHO = {"kind": "SelfSubjectReview", "apiVersion": "authentication.k8s.io/v1"}


def _requested(spec: Json | None = None, **metadata: str) -> Json:
    return {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec or {}, "metadata": metadata}


def _claims(token: str) -> Json:
    body = token.split(".")[1]
    found: Json = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    return found


@pytest.fixture
def tokens(both: Both) -> Callable[..., dict[str, str]]:
    """A token of the default account from each server."""

    def made(spec: Json | None = None) -> dict[str, str]:
        return {
            name: side.ask("POST", f"{ACCOUNT}/token", _requested(spec)).json()["status"]["token"]
            for name, side in both.sides.items()
        }

    return made


def test_tokens_are_asked_for(both: Both):
    for spec in ({}, {"expirationSeconds": 10}, {"expirationSeconds": 1 << 33},
                 {"boundObjectRef": {"kind": "Pod", "apiVersion": "v1", "name": "nope"}},
                 {"boundObjectRef": {"kind": "ConfigMap", "apiVersion": "v1", "name": "nope"}}):  # fmt: skip
        both.same("POST", f"{ACCOUNT}/token", _requested(spec))
    assert both.same("POST", f"{ACCOUNT}/token", _requested(name="x"))["code"] == 422
    assert both.same("POST", f"{ACCOUNT}x/token", _requested())["code"] == 404
    assert both.statuses("GET", f"{ACCOUNT}/token") == 405


def test_a_token_is_its_account(both: Both, tokens: Callable[..., dict[str, str]]):
    mine = tokens()
    claims = [_claims(token) for token in mine.values()]
    assert kept(claims[1]) == kept(claims[0])
    assert claims[1].keys() == claims[0].keys()
    sides = both.with_tokens(mine)
    infos = [
        kept(side.ask("POST", f"{AUTHENTICATION}/selfsubjectreviews", WHO).json()["status"]) for side in sides.values()
    ]
    assert [one["userInfo"].pop("extra").keys() for one in infos] == [
        {"authentication.kubernetes.io/credential-id"}
    ] * 2
    assert infos[0] == infos[1]
    assert infos[0]["userInfo"]["username"] == "system:serviceaccount:rbac:default"
    refused = [side.get("/api/v1/namespaces/rbac/pods").json() for side in sides.values()]
    assert refused[0] == refused[1]
    elsewhere = both.with_tokens(tokens({"audiences": ["vault"]}))
    assert [side.get("/api/v1/namespaces").status for side in elsewhere.values()] == [401, 401]


def test_token_reviews(both: Both, tokens: Callable[..., dict[str, str]]):
    def reviewed(token: str, side: Client, **spec: Any) -> Json:
        review = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": {"token": token, **spec}}
        answer = side.ask("POST", f"{AUTHENTICATION}/tokenreviews", review).json()
        found: Json = answer.get("status") if isinstance(answer.get("status"), dict) else answer
        found.get("user", {}).pop("extra", None)
        result: Json = kept(found)
        return result

    for spec, audiences in (({}, None), ({"audiences": ["x", "y"]}, ["y", "z"])):
        mine = tokens(spec)
        real, ours = (
            reviewed(mine[name], side, **({"audiences": audiences} if audiences else {}))
            for name, side in both.sides.items()
        )
        assert ours == real
        assert real["authenticated"]
    for token in ("abc", ""):
        real, ours = (reviewed(token, side) for side in both.sides.values())
        assert ours == real


def test_a_token_ends_with_its_pod(both: Both, tokens: Callable[..., dict[str, str]]):
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"},
           "spec": {"containers": [{"name": "a", "image": "b"}]}}  # fmt: skip
    path = "/api/v1/namespaces/rbac/pods"
    assert both.statuses("POST", path, pod) == 201
    both.until(lambda side: "nodeName" in side.get(f"{path}/p").json()["spec"], "it has a node")
    mine = tokens({"expirationSeconds": 3607, "boundObjectRef": {"kind": "Pod", "apiVersion": "v1", "name": "p"}})
    for claims in map(_claims, mine.values()):
        own = claims["kubernetes.io"]
        assert own.keys() == {"namespace", "serviceaccount", "pod", "node", "warnafter"}
        assert claims["exp"] - claims["iat"] == 365 * 24 * 3600
    both.statuses("DELETE", f"{path}/p", {"gracePeriodSeconds": 0})
    again = {"boundObjectRef": {"kind": "Pod", "apiVersion": "v1", "name": "p"}}
    both.until(lambda side: side.get(f"{path}/p").status == 404, "the pod is gone")
    assert both.same("POST", f"{ACCOUNT}/token", _requested(again))["code"] == 404
    # The real server remembers a token for ten seconds, so only ours is asked.
    assert both.with_tokens(mine)["playground"].get("/api/v1/namespaces").status == 401


def test_tokens_in_secrets(both: Both):
    path, kind = "/api/v1/namespaces/rbac/secrets", "kubernetes.io/service-account-token"
    of = "kubernetes.io/service-account.name"
    secret = {"apiVersion": "v1", "kind": "Secret", "type": kind, "metadata": {"name": "bare"}}
    assert both.same("POST", path, secret)["code"] == 422
    for name, account in (("lost", "nope"), ("held", "default")):
        made = {**secret, "metadata": {"name": name, "annotations": {of: account}}}
        assert both.statuses("POST", path, made) == 201
    both.until(lambda side: "token" in (side.get(f"{path}/held").json().get("data") or {}), "it is filled")
    both.until(lambda side: side.get(f"{path}/lost").status == 404, "one without an account goes")
    found = {}
    for name, side in both.sides.items():
        held = side.get(f"{path}/held").json()
        assert held["data"].keys() == {"ca.crt", "namespace", "token"}
        assert "BEGIN CERTIFICATE" in base64.b64decode(held["data"]["ca.crt"]).decode()
        found[name] = base64.b64decode(held["data"]["token"]).decode()
    for side in both.with_tokens(found).values():
        answer = side.ask("POST", f"{AUTHENTICATION}/selfsubjectreviews", WHO).json()["status"]["userInfo"]
        assert answer["username"] == "system:serviceaccount:rbac:default"


def test_what_proves_tokens(both: Both):
    for path in ("/.well-known/openid-configuration", "/openid/v1/jwks"):
        real, ours = both.ask("GET", path, accept="*/*")
        for header in ("Content-Type", "Cache-Control"):
            assert ours.headers[header] == real.headers[header]
        assert ours.json().keys() == real.json().keys()
    assert both.same("GET", "/openid/v1/jwks")["code"] == 406
    assert both.same("GET", "/openid/v1/jwks", headers=JANE)["code"] == 403


KUBECTL: list[str] = [
    "create role reader --verb=get,list --resource=pods,pods/log -n rbac",
    "create rolebinding jr --role=reader --user=joe --serviceaccount=rbac:bot -n rbac",
    "create clusterrole nodes --verb=get --resource=nodes --non-resource-url=/foo",
    "create clusterrolebinding jn --clusterrole=nodes --group=dev",
    "describe role reader -n rbac",
    "describe rolebinding jr -n rbac",
    "auth can-i list pods -n rbac --as joe",
    "auth can-i delete pods -n rbac --as joe",
    "auth can-i get nodes --as joe --as-group dev",
    "auth can-i get /foo --as joe --as-group dev",
    "auth can-i --list -n rbac --as joe",
    "auth whoami --as joe --as-group dev --as-uid 5 --as-user-extra a=b",
    "get pods -n rbac --as joe",
    "get secrets -n rbac --as joe",
    "delete pod x -n rbac --as joe",
    "create token default -n rbac --duration=5m",
    "create rolebinding x --clusterrole=cluster-admin --user=joe -n rbac --as joe",
    "delete clusterrole nodes",
    "delete clusterrolebinding jn",
]


def test_kubectl_says_the_same(both: Both, kubectl_of_both: Callable[[str], list[str]]):
    for words in KUBECTL:
        real, ours = kubectl_of_both(words)
        assert ours == real, words
        if words.startswith("create role reader"):
            both.until(lambda side: side.get(f"{ROLES}/reader").status == 200, "the role is there")
        elif "binding jr" in words and words.startswith("create"):
            both.until(lambda side: side.get(f"{CORE}/pods", headers=JOE).status == 200, "joe may read pods")
        elif "binding jn" in words and words.startswith("create"):
            both.until(lambda side: side.get("/foo", headers=JOE).status == 404, "joe may ask")


JOE = {"Impersonate-User": "joe", "Impersonate-Group": "dev"}


@pytest.fixture(scope="module")
def kubectl_of_both(both: Both, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], list[str]]:
    return kubectl_runner(both, tmp_path_factory.mktemp("kubectl"))
