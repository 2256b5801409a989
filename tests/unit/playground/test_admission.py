"""What is filled in and refused before an object is stored; the words are compared with a real server's elsewhere."""

from __future__ import annotations

from typing import Any

import pytest

from notebook_mux.playground import defaults
from notebook_mux.playground.admission.security import policies
from notebook_mux.playground.admission.security.levels import violations
from notebook_mux.playground.cluster import Cluster
from notebook_mux.playground.paths import Target
from notebook_mux.playground.status import ApiError
from notebook_mux.playground.writes import Asking, Writer
from tests.unit.playground.worlds import Json, status, world


def made(cluster: Cluster, resource: str, name: str, asking: Asking | None = None, **rest: Any) -> Json:
    kind = cluster.kind(resource)
    obj = {"kind": kind.kind, "apiVersion": kind.api_version, "metadata": {"name": name}, **rest}
    target = Target(kind, "default" if kind.namespaced else "")
    return Writer(cluster).create(target, obj, asking or Asking("test")).decode()


def pod(requests: Json | None = None, **spec: Any) -> Json:
    resources = {"requests": requests} if requests else {}
    return {"containers": [{"name": "a", "image": "nginx:1", "resources": resources}], **spec}


def refusal(cluster: Cluster, resource: str, name: str, **rest: Any) -> str:
    with pytest.raises(ApiError) as caught:
        made(cluster, resource, name, **rest)
    assert caught.value.code == 403
    return str(caught.value)


def test_a_pod_is_filled_in_twice_as_once():
    cluster = world()
    found = made(cluster, "pods", "p", spec=pod(schedulerName="nobody"))
    again = {**found, "spec": {**found["spec"]}}
    defaults.fill("pods", again)
    assert again == found
    assert found["spec"]["serviceAccountName"] == "default"
    assert [one["name"] for one in found["spec"]["volumes"]] == [
        found["spec"]["containers"][0]["volumeMounts"][0]["name"]
    ]
    assert {one["key"] for one in found["spec"]["tolerations"]} == {
        "node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("image", "policy"),
    [("nginx", "Always"), ("nginx:latest", "Always"), ("nginx:1", "IfNotPresent"), ("r.example:5000/x", "Always"),
     ("r.example:5000/x:2", "IfNotPresent"), (f"x@sha256:{'a' * 64}", "IfNotPresent"), ("", "Always")],
)  # fmt: skip
def test_how_images_are_pulled(image: str, policy: str):
    spec = defaults.pod_spec({"containers": [{"image": image}]})
    assert spec["containers"][0]["imagePullPolicy"] == policy


@pytest.mark.parametrize("resource", ["pods", "deployments.apps", "services", "jobs.batch", "limitranges", "secrets"])
@pytest.mark.parametrize(
    "spec", [None, "x", [], {"containers": "x"}, {"template": 3}, {"ports": [3]}, {"limits": [None]}]
)
def test_bodies_that_are_wrong_reach_validation(resource: str, spec: Any):
    obj = {"kind": "K", "apiVersion": "v1", "metadata": {"name": "a"}, "spec": spec}
    defaults.fill(resource, obj)
    assert obj["metadata"] == {"name": "a"}


def test_a_quota_is_charged_at_once_and_given_back():
    cluster = world()
    made(cluster, "resourcequotas", "q", spec={"hard": {"pods": "1", "requests.cpu": "1", "count/secrets": "1"}})
    cluster.agenda.step(1)
    made(cluster, "pods", "a", Asking("test", dry_run=True), spec=pod({"cpu": "500m"}))
    assert status(cluster, "resourcequotas", "q")["used"]["pods"] == "0"
    made(cluster, "pods", "a", spec=pod({"cpu": "500m"}, schedulerName="nobody"))
    assert status(cluster, "resourcequotas", "q")["used"] == {"count/secrets": "0", "pods": "1", "requests.cpu": "500m"}
    assert refusal(cluster, "pods", "b", spec=pod({"cpu": "100m"})) == (
        'pods "b" is forbidden: exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1'
    )
    made(cluster, "secrets", "s")
    assert refusal(cluster, "secrets", "t").endswith("requested: count/secrets=1, used: count/secrets=1, limited: count/secrets=1")  # fmt: skip  # noqa: E501
    cluster.update("pods", "default", "a", lambda obj: obj["status"].update(phase="Succeeded"))
    cluster.agenda.step(1)
    assert status(cluster, "resourcequotas", "q")["used"]["pods"] == "0"
    cluster.update("resourcequotas", "default", "q", lambda obj: obj["spec"].update(hard={"pods": "7"}))
    cluster.agenda.step(1)
    assert status(cluster, "resourcequotas", "q") == {"hard": {"pods": "7"}, "used": {"pods": "0"}}


def test_a_quota_counts_a_kind_that_is_defined_later():
    cluster = world()
    name = "count/widgets.example.com"
    made(cluster, "resourcequotas", "q", spec={"hard": {name: "1"}})
    cluster.agenda.step(1)
    schema = {"openAPIV3Schema": {"type": "object"}}
    names = {"plural": "widgets", "singular": "widget", "kind": "Widget", "listKind": "WidgetList"}
    version = {"name": "v1", "served": True, "storage": True, "schema": schema}
    spec = {"group": "example.com", "scope": "Namespaced", "names": names, "versions": [version]}
    made(cluster, "customresourcedefinitions.apiextensions.k8s.io", "widgets.example.com", spec=spec)
    cluster.agenda.step(1)
    made(cluster, "widgets.example.com", "a")
    used = f"requested: {name}=1, used: {name}=1, limited: {name}=1"
    assert refusal(cluster, "widgets.example.com", "b") == (
        f'widgets.example.com "b" is forbidden: exceeded quota: q, {used}')  # fmt: skip
    cluster.store.remove(cluster.kind("widgets.example.com"), ("default", "a"))
    cluster.agenda.step(1)
    assert status(cluster, "resourcequotas", "q")["used"] == {name: "0"}
    made(cluster, "widgets.example.com", "b")


@pytest.mark.parametrize(
    ("scopes", "spec", "counts"),
    [(["BestEffort"], {}, True), (["NotBestEffort"], {}, False), (["Terminating"], {"activeDeadlineSeconds": 5}, True),
     (["NotTerminating"], {"activeDeadlineSeconds": 5}, False), (["BestEffort", "NotTerminating"], {}, True),
     (["PriorityClass"], {"priorityClassName": "system-node-critical"}, True), (["PriorityClass"], {}, False)],
)  # fmt: skip
def test_scopes_of_quotas(scopes: list[str], spec: Json, counts: bool):
    cluster = world()
    made(cluster, "resourcequotas", "q", spec={"hard": {"pods": "5"}, "scopes": scopes})
    cluster.agenda.step(1)
    made(cluster, "pods", "a", spec=pod(schedulerName="nobody", **spec))
    assert status(cluster, "resourcequotas", "q")["used"]["pods"] == str(int(counts))


def test_limits_fill_in_before_a_quota_counts():
    cluster = world()
    limit = {"type": "Container", "default": {"cpu": "400m"}, "max": {"cpu": "1"}}
    made(cluster, "limitranges", "l", spec={"limits": [limit]})
    made(cluster, "resourcequotas", "q", spec={"hard": {"limits.cpu": "1"}})
    cluster.agenda.step(1)
    found = made(cluster, "pods", "a", spec=pod(schedulerName="nobody"))
    assert found["spec"]["containers"][0]["resources"] == {"limits": {"cpu": "400m"}, "requests": {"cpu": "400m"}}
    assert status(cluster, "resourcequotas", "q")["used"] == {"limits.cpu": "400m"}
    greedy = {"containers": [{"name": "a", "image": "nginx:1", "resources": {"limits": {"cpu": "2"}}}]}
    assert refusal(cluster, "pods", "b", spec=greedy) == (
        'pods "b" is forbidden: maximum cpu usage per Container is 1, but limit is 2'
    )


def test_what_a_level_allows():
    def of(level: str, **spec: Any) -> list[str]:
        return [reason for reason, _ in violations(level, {"metadata": {}, "spec": spec})]

    context = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    good: Json = {"name": "a", "securityContext": context}
    safe = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    assert of("restricted", containers=[good], securityContext=safe) == []
    assert of("baseline", containers=[{"name": "a"}]) == of("privileged", hostNetwork=True) == []
    bad = {"name": "a", "securityContext": {"procMount": "Unmasked", "windowsOptions": {"hostProcess": True}}}
    assert of("baseline", containers=[bad]) == ["procMount", "hostProcess"]
    assert of("baseline", containers=[bad], hostUsers=False) == ["hostProcess"]
    root = {**good, "securityContext": {**good["securityContext"], "runAsUser": 0, "runAsNonRoot": False}}
    assert of("restricted", containers=[root], securityContext=safe) == ["runAsNonRoot != true", "runAsUser=0"]
    found, wrong = policies({"pod-security.kubernetes.io/enforce": "baseline", "pod-security.kubernetes.io/warn": "x"})
    assert (str(found["enforce"]), str(found["warn"]), len(wrong)) == ("baseline:latest", "privileged:latest", 1)
    found, _ = policies({"pod-security.kubernetes.io/enforce": "restricted",
                         "pod-security.kubernetes.io/enforce-version": "v1.30"})  # fmt: skip
    assert (str(found["enforce"]), str(found["warn"])) == ("restricted:v1.30", "restricted:v1.30")
