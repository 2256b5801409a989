"""Rules, users and what a class needs; how the real server answers is in tests/controlplane."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from notebook_mux.playground import kubeconfig
from notebook_mux.playground.access import ANONYMOUS, MASTERS, Access, Asked, Rule, User
from notebook_mux.playground.rbac import bootstrap, people, requests
from notebook_mux.playground.rbac.impersonation import act
from notebook_mux.playground.rbac.resolver import GROUP, Resolver
from notebook_mux.playground.rbac.rules import PolicyRule, not_covered
from notebook_mux.playground.server import Playground
from notebook_mux.playground.status import ApiError
from tests.playground import RunningPlayground
from tests.unit.playground.client import Client
from tests.unit.playground.worlds import bare

Json = dict[str, Any]


def rule(verbs: str, groups: list[str], resources: str, *names: str) -> PolicyRule:
    return PolicyRule(tuple(verbs.split()), tuple(groups), tuple(resources.split()), names)


@pytest.mark.parametrize(
    ("method", "path", "query", "asked"),
    [
        ("GET", "/api", {}, Asked("get", path="/api")),
        ("GET", "/apis/apps/v1", {}, Asked("get", path="/apis/apps/v1")),
        ("HEAD", "/api/v1/pods", {}, Asked("list", resource="pods")),
        ("GET", "/api/v1/pods", {"watch": "1"}, Asked("watch", resource="pods")),
        ("GET", "/api/v1/watch/pods", {}, Asked("watch", resource="pods")),
        ("DELETE", "/apis/apps/v1/namespaces/a/deployments", {},
         Asked("deletecollection", "apps", "deployments", "", "a")),
        ("GET", "/api/v1/namespaces/a", {}, Asked("get", resource="namespaces", namespace="a", name="a")),
        ("PUT", "/api/v1/namespaces/a/status", {}, Asked("update", "", "namespaces", "status", "a", "a")),
        ("POST", "/api/v1/namespaces/a/pods/p/exec", {}, Asked("create", "", "pods", "exec", "a", "p")),
        ("GET", "/api/v1/secrets", {"fieldSelector": "x=y,metadata.name=s"},
         Asked("list", resource="secrets", name="s")),
    ],
)  # fmt: skip
def test_what_a_request_asks(method: str, path: str, query: dict[str, str], asked: Asked):
    assert requests.read(method, path, query) == asked


def test_what_a_rule_allows():
    of_pods = rule("get list", [""], "pods */log")
    assert of_pods.allows(Asked("get", "", "pods", namespace="a", name="p"))
    assert of_pods.allows(Asked("get", "", "jobs", "log"))
    for asked in (Asked("watch", "", "pods"), Asked("get", "apps", "pods"), Asked("get", "", "pods", "exec")):
        assert not of_pods.allows(asked)
    one = rule("*", ["*"], "*", "x")
    assert one.allows(Asked("get", "a", "b", name="x"))
    assert not one.allows(Asked("list", "a", "b"))
    urls = PolicyRule(("get",), urls=("/healthz/*", "/x"))
    assert [urls.allows(Asked("get", path=path)) for path in ("/healthz/ping", "/x", "/xy", "/")] == [
        True, True, False, False,
    ]  # fmt: skip
    missing = not_covered([of_pods], [rule("get list create", [""], "pods nodes/log secrets")])
    assert sorted(map(str, missing)) == [
        '{APIGroups:[""], Resources:["nodes/log"], Verbs:["create"]}',
        '{APIGroups:[""], Resources:["pods"], Verbs:["create"]}',
        '{APIGroups:[""], Resources:["secrets"], Verbs:["get" "list" "create"]}',
    ]


def test_users_groups_accounts_and_changes():
    cluster = bare()
    bootstrap.begin(cluster)
    access = Access({}, Resolver(cluster))
    pods = Asked("list", "", "pods", namespace="team")
    jane, crew = User("jane", ()), User("joe", ("crew",))
    assert not access.may(jane, pods)
    people.grant(cluster, "jane", "view", "team")
    people.grant(cluster, "crew", "edit", group=True)
    assert access.decide(jane, pods).reason.startswith('RBAC: allowed by RoleBinding "jane:view/team" of ClusterRole')
    assert not access.may(jane, Asked("list", "", "pods", namespace="other"))
    assert access.may(crew, Asked("create", "apps", "deployments", namespace="other"))
    bot = {"kind": "ServiceAccount", "name": "bot"}
    role = {"apiGroup": GROUP, "kind": "ClusterRole", "name": "view"}
    metadata = {"name": "b", "namespace": "team"}
    bound: Json = {"kind": "RoleBinding", "apiVersion": f"{GROUP}/v1", "metadata": metadata, "roleRef": role}
    cluster.create(bound | {"subjects": [bot]})
    assert access.may(User("system:serviceaccount:team:bot", ()), pods)
    assert not access.may(User("system:serviceaccount:other:bot", ()), pods)
    cluster.update(f"clusterroles.{GROUP}", "", "view", lambda role: role.update(rules=[]))
    assert not access.may(jane, pods)
    cluster.remove(f"rolebindings.{GROUP}", "team", "jane:view")
    assert access.decide(jane, pods).reason == ""
    # What a test forbids comes before everything.
    master = User("root", (MASTERS,))
    access.rules.append(Rule(verb="list", resource="pods"))
    assert not access.may(master, pods)
    assert access.may(master, Asked("get", "", "pods"))


def test_acting_as_another_needs_rights():
    cluster = bare()
    bootstrap.begin(cluster)
    access = Access({}, Resolver(cluster))
    asked = Asked("list", "", "pods", namespace="team")
    rules = [{"verbs": ["impersonate"], "apiGroups": [""], "resources": ["users"], "resourceNames": ["bob"]}]
    cluster.create({"kind": "ClusterRole", "apiVersion": f"{GROUP}/v1", "metadata": {"name": "as"}, "rules": rules})
    people.grant(cluster, "jane", "as")
    jane = User("jane", ("system:authenticated",))
    assert act(access, jane, {}, asked) is jane
    assert act(access, jane, {"Impersonate-User": "bob"}, asked) == User("bob", ("system:authenticated",))
    with pytest.raises(ApiError, match='cannot impersonate-on:user-info:list resource "pods"') as refused:
        act(access, jane, {"Impersonate-User": "eve"}, asked)
    assert refused.value.code == 403
    with pytest.raises(ApiError, match="cannot impersonate-on"):
        act(access, jane, {"Impersonate-User": "bob", "Impersonate-Group": "system:masters"}, asked)


async def test_a_class():
    """One cluster, and a namespace and a token for each."""
    async with Playground("empty") as playground:
        reaches = [playground.first.enrol(f"student-{number}") for number in range(3)]
        access, cluster = playground.first.access, playground.cluster
        assert len({reach.token for reach in reaches}) == 3
        for number, reach in enumerate(reaches):
            user = access.user({"Authorization": f"Bearer {reach.token}"})
            assert user == User(f"student-{number}", ("system:authenticated",))
            assert reach.namespace == f"student-{number}"
            assert access.may(user, Asked("create", "apps", "deployments", namespace=reach.namespace))
            assert not access.may(user, Asked("list", "", "pods", namespace=f"student-{(number + 1) % 3}"))
        assert cluster.store.get("namespaces", "", "student-0") is not None
        assert b'"namespace": "student-0"' in kubeconfig.text([reaches[0]])
        access.remove("student-0")
        with pytest.raises(ApiError, match="Unauthorized"):
            access.user({"Authorization": f"Bearer {reaches[0].token}"})


def test_who_asks(playground: RunningPlayground):
    access = playground.playground.first.access
    assert access.user({}) is ANONYMOUS
    token = base64.urlsafe_b64encode(playground.token.encode()).decode().rstrip("=")
    said = f"base64url.bearer.authorization.k8s.io.{token}"
    assert access.user({"Sec-WebSocket-Protocol": f"{said}, v5.channel.k8s.io"}).name == "demo-admin"
    assert access.user({"Sec-WebSocket-Protocol": said}) is ANONYMOUS  # without a real one beside it
    for wrong in ("Bearer x", "Basic abc", f"Bearer {playground.token}x", "Bearer a.b.c"):
        with pytest.raises(ApiError, match="Unauthorized"):
            access.user({"Authorization": wrong})
    nobody = Client(playground.kubeconfig, token="")
    assert [nobody.get(path).status for path in ("/healthz", "/version", "/api", "/openid/v1/jwks")] == [
        200, 200, 403, 403,
    ]  # fmt: skip
