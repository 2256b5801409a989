from __future__ import annotations

from typing import Any

import pytest

from notebook_mux.errors import BadSelector, InvalidArgument
from notebook_mux.handles.objects import Object
from notebook_mux.handles.targets import Named, container_of, containers_of, is_ready, named, phase_of, selector_of


def pod(name: str = "web-0", phase: str = "Running", ready: bool = True, **metadata: Any) -> Object:
    content = {
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "default", **metadata},
        "spec": {
            "containers": [{"name": "main"}, {"name": "side"}],
            "initContainers": [{"name": "setup"}],
            "ephemeralContainers": [{"name": "debug"}],
        },
        "status": {"phase": phase, "conditions": [{"type": "Ready", "status": str(ready)}]},
    }
    return Object(content, "dev")


@pytest.mark.parametrize(
    ("target", "kind", "name"),
    [
        ("web-0", "pod", "web-0"),
        (" pod/web-0 ", "pod", "web-0"),
        ("deploy/web", "deploy", "web"),
        ("deployments.apps/web", "deployments.apps", "web"),
        ("apps/v1/deployments/web", "apps/v1/deployments", "web"),
    ],
)
def test_words(target: str, kind: str, name: str) -> None:
    assert named(target, "ns", ["a"]) == Named(kind, name, "ns", ["a"])


@pytest.mark.parametrize(
    ("target", "selector"),
    [
        ("app=web", "app=web"),
        (" app in (web), tier=a ", "app in (web), tier=a"),
        ({"app": "web", "tier": ["a", "b"]}, "app=web,tier in (a,b)"),
    ],
)
def test_a_selector(target: Any, selector: str) -> None:
    found = named(target, "ns", None)
    assert (found.kind, found.name, found.is_pod, found.is_node) == ("", selector, False, False)
    assert found.words == f"the pods with {selector}"


def test_a_selector_that_is_none() -> None:
    with pytest.raises(BadSelector):
        named("app=we b", None, None)


def test_kinds() -> None:
    assert named("web-0", None, None).is_pod
    assert named(pod(), None, None).is_pod
    assert named("node/n1", None, None).is_node
    assert not named("deploy/web", None, None).is_node


def test_all_containers() -> None:
    assert containers_of(pod()) == [
        ("main", "container"),
        ("side", "container"),
        ("setup", "init"),
        ("debug", "ephemeral"),
    ]
    assert containers_of({}) == []


def test_an_object_says_where_it_is() -> None:
    assert named(pod(), None, None) == Named("Pod", "web-0", "default", "dev")
    deployment = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}}
    assert named(deployment, "ns", "prod") == Named("Deployment.apps", "web", "ns", "prod")
    assert named(Object(deployment, "dev"), "ns", None).cluster == "dev"
    assert named(deployment, None, None).words == "Deployment.apps/web"


def test_a_row_of_pods() -> None:
    row = {"Cluster": "dev", "Namespace": "shop", "Name": "web-0", "Ready": "1/1", "Restarts": 0}
    assert named(row, None, None) == Named("pod", "web-0", "shop", "dev")
    assert named({"Name": "web-0", "Restarts": 0}, "ns", "prod") == Named("pod", "web-0", "ns", "prod")
    with pytest.raises(InvalidArgument, match="does not say its kind") as caught:
        named({"Name": "web", "Up-to-date": 1}, None, None)
    assert caught.value.todo == "write 'deploy/web'"


@pytest.mark.parametrize("target", ["", " ", "/", "pod/", "/web-0", None, 3, b"web-0", {}, {"metadata": {}}, ["web-0"]])
def test_what_is_no_target(target: Any) -> None:
    with pytest.raises(InvalidArgument, match="names nothing that a program could run in"):
        named(target, None, None)


@pytest.mark.parametrize(
    ("selector", "text"),
    [
        ({"matchLabels": {"app": "web", "tier": "a"}}, "app=web,tier=a"),
        ({"app": "web"}, "app=web"),
        (
            {
                "matchLabels": {"app": "web"},
                "matchExpressions": [
                    {"key": "tier", "operator": "In", "values": ["a", "b"]},
                    {"key": "old", "operator": "NotIn", "values": ["x"]},
                    {"key": "here", "operator": "Exists"},
                    {"key": "gone", "operator": "DoesNotExist"},
                ],
            },
            "app=web,tier in (a,b),old notin (x),here,!gone",
        ),
        ({"matchExpressions": [{"key": "here", "operator": "Exists", "values": None}]}, "here"),
        ({}, ""),
        (None, ""),
        ("app=web", ""),
    ],
)
def test_selectors(selector: Any, text: str) -> None:
    assert selector_of({"spec": {"selector": selector}}) == text


def test_what_selects_nothing() -> None:
    assert (selector_of({}), selector_of({"spec": None}), selector_of({"data": {}})) == ("", "", "")
    with pytest.raises(BadSelector):
        selector_of({"spec": {"selector": {"app": "a b"}}})


def test_ready_pods() -> None:
    assert is_ready(pod())
    assert not is_ready(pod(ready=False))
    assert not is_ready(pod(phase="Pending"))
    assert not is_ready(pod(deletionTimestamp="2026-01-01T00:00:00Z"))
    bare = Object({"kind": "Pod", "metadata": {"name": "x"}, "status": {"phase": "Running"}})
    assert not is_ready(bare)
    assert (phase_of({}), phase_of({"status": None})) == ("", "")


def test_containers() -> None:
    assert container_of(pod(), None) == "main"
    for name in ("main", "side", "setup", "debug"):
        assert container_of(pod(), name) == name
    annotation = "kubectl.kubernetes.io/default-container"
    assert container_of(pod(annotations={annotation: "side"}), None) == "side"
    assert container_of(pod(annotations={annotation: "setup"}), None) == "main"
    with pytest.raises(InvalidArgument, match="no container 'nope' in pod default/web-0") as caught:
        container_of(pod(), "nope")
    assert caught.value.todo == "one of: main, side, setup, debug"
    for phase in ("Succeeded", "Failed"):
        with pytest.raises(InvalidArgument, match=f"has ended \\({phase}\\)"):
            container_of(pod(phase=phase), None)
    with pytest.raises(InvalidArgument, match="has no containers"):
        container_of(Object({"metadata": {"name": "x"}}), None)
