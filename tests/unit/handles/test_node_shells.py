from __future__ import annotations

import json
import os
import socket
from concurrent.futures import Future
from functools import partial
from typing import Any

import pytest

from notebook_mux import errors
from notebook_mux.handles import node_shells, starting, sweeping
from notebook_mux.handles.identity import Identity
from notebook_mux.handles.node_shells import node_shell, not_ready, pod_name
from notebook_mux.handles.targets import Place
from notebook_mux.handles.waiting import Wait, blocking
from tests import waiting
from tests.unit.handles.nodes_core import PODS, NodesCore, core, identity, node
from tests.unit.handles.pods_core import wait_with

__all__ = ["core", "identity"]

eventually = partial(waiting.eventually, seconds=30)


def start(identity: Identity, name: str = "n1", image: Any = None, **more: Any) -> tuple[Place, str]:
    return blocking(node_shell(identity, identity.contexts[0], name, image, **more))


def test_what_is_made(core: NodesCore, identity: Identity) -> None:
    place, path = start(identity)
    [(method, where, query, content_type, body)] = core.writes
    assert (method, where, content_type) == ("POST", PODS, "application/json")
    assert query == {"fieldManager": "notebook-mux", "fieldValidation": "Strict"}
    name = body["metadata"]["name"]
    assert name.startswith("node-debugger-n1-")
    assert body["metadata"]["labels"] == {
        "app.kubernetes.io/managed-by": "notebook-mux",
        "shell.notebook-mux/kind": "node",
    }
    annotations = body["metadata"]["annotations"]
    assert annotations["shell.notebook-mux/owner"] == starting.owner()
    assert annotations["shell.notebook-mux/gateway"].split("|")[:2] == [starting.machine(), str(os.getpid())]
    assert annotations["shell.notebook-mux/kernel"] == annotations["shell.notebook-mux/gateway"], "one process here"
    assert annotations["shell.notebook-mux/who"].endswith(f"@{socket.gethostname()}")
    assert annotations["shell.notebook-mux/deadline"].endswith("Z")
    spec = body["spec"]
    assert (spec["hostPID"], spec["hostNetwork"], spec["hostIPC"]) == (True, True, True)
    assert spec["automountServiceAccountToken"] is False
    assert spec["activeDeadlineSeconds"] == 4 * 3600
    assert (spec["nodeName"], spec["restartPolicy"]) == ("n1", "Never")
    assert spec["tolerations"] == [{"operator": "Exists"}]
    assert spec["containers"][0]["image"] == node_shells.IMAGE
    assert (place.pod.name, place.container, path) == (name, "debugger", f"{PODS}/{name}")


def test_another_namespace_and_image(core: NodesCore, identity: Identity) -> None:
    _, path = start(identity, image="alpine:3", namespace="tools")
    assert path.startswith("/api/v1/namespaces/tools/pods/node-debugger-n1-")
    assert core.pods[path]["spec"]["containers"][0]["image"] == "alpine:3"
    with pytest.raises(errors.InvalidArgument, match="is no image"):
        start(identity, image="a b")


def test_the_same_kernel_and_node_is_the_same_pod(core: NodesCore, identity: Identity) -> None:
    first = start(identity)[1]
    assert start(identity)[1] == first
    assert start(identity, "n2")[1] != first
    assert start(identity, image="alpine")[1] != first
    assert len(core.pods) == 3
    core.pods[first]["metadata"]["deletionTimestamp"] = "now"
    assert start(identity)[1] != first, "one that goes is not used again"


def test_somebody_elses_is_not_ours(core: NodesCore, identity: Identity) -> None:
    first = start(identity)[1]
    core.pods[first]["metadata"]["annotations"] |= {sweeping.OWNER: "another", sweeping.NAME: "another"}
    assert start(identity)[1] != first
    assert first in core.pods, "and it may be in use"


def test_nodes_that_cannot_be(core: NodesCore, identity: Identity) -> None:
    core.nodes["win"] = node("win", "windows")
    with pytest.raises(errors.InvalidArgument, match="node win runs Windows, and a node shell needs Linux"):
        start(identity, "win")
    core.answer = lambda ref, path, query: core._read(ref, path, query) if path != "/api/v1/nodes" else (200, LIST)
    with pytest.raises(errors.NotFound, match="there is no node 'n11'") as caught:
        start(identity, "n11")
    assert caught.value.todo == "did you mean n1?"
    assert core.writes == []


ROWS = [{"cells": [name], "object": {"metadata": {"name": name, "uid": name}}} for name in ("n1", "n2")]
LIST = json.dumps(
    {
        "kind": "Table",
        "metadata": {"resourceVersion": "1"},
        "columnDefinitions": [{"name": "Name", "type": "string", "format": "name", "description": "", "priority": 0}],
        "rows": ROWS,
    }
).encode()


def test_the_missing_rights(core: NodesCore, identity: Identity) -> None:
    def review(ref: str, asked: dict[str, Any]) -> dict[str, Any]:
        return {"allowed": asked["spec"]["resourceAttributes"]["verb"] not in ("create", "delete")}

    core.review = review  # exec is missing too, so attach is what is named
    with pytest.raises(errors.Forbidden) as caught:
        start(identity)
    assert "you may not create pods, delete pods, create pods/attach in namespace default" in caught.value.what
    assert caught.value.todo == "ask for a Role with: pods: create, get, list, delete; pods/attach: get, create"
    assert core.writes == []


def test_an_admission_rule(core: NodesCore, identity: Identity) -> None:
    said = 'pods "x" is forbidden: violates PodSecurity "baseline:latest": host namespaces (hostPID=true)'
    core.refuse = lambda method, path: (403, {"kind": "Status", "message": said}) if method == "POST" else None
    with pytest.raises(errors.Forbidden, match="starting a shell on node n1") as caught:
        start(identity)
    assert caught.value.said == said
    assert "pod-security.kubernetes.io/enforce" in (caught.value.todo or "")


def deleted(core: NodesCore) -> list[str]:
    return [path for method, path, *_ in core.writes if method == "DELETE"]


def test_one_that_cannot_start_is_deleted(core: NodesCore, identity: Identity) -> None:
    core.after = wait_with("ErrImagePull", "not found")
    with pytest.raises(errors.ServerError, match=r"the image nope of .* cannot be had"):
        start(identity, image="nope")
    eventually(lambda: not core.pods)
    assert len(deleted(core)) == 1


def test_a_node_that_does_not_answer(core: NodesCore, identity: Identity) -> None:
    core.nodes["n1"] = node("n1", status="Unknown", message="Kubelet stopped posting node status.")
    core.after = lambda pod: None
    with pytest.raises(errors.TimedOut, match=r"does not run after 0\.2 s") as caught:
        start(identity, timeout=0.2)
    assert caught.value.todo == "node n1 is not ready: Kubelet stopped posting node status."
    eventually(lambda: not core.pods)
    assert not_ready(node("n1")) == ""


def test_an_interrupt_while_it_is_made(core: NodesCore, identity: Identity, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pod is made behind the back of whoever was interrupted, so it is deleted only after that."""
    late: Future[Any] = Future()
    made: list[Any] = []
    real = core.http

    def http(conn: str, ref: str, method: str, path: str, query: str = "", **more: Any) -> Future[Any]:
        if method == "POST" and path == PODS:
            made.append(lambda: late.set_result(real(conn, ref, method, path, query, **more).result()))
            return late
        return real(conn, ref, method, path, query, **more)

    monkeypatch.setattr(core, "http", http)
    steps = node_shell(identity, identity.contexts[0], "n1", None)
    wait: Wait[Any] = steps.send(None)
    while wait.future is not late:
        wait = steps.send(wait.future.result())
    steps.close()
    assert deleted(core) == []
    made[0]()
    eventually(lambda: deleted(core) and not core.pods)


def test_names() -> None:
    long = pod_name("n" * 60 + ".example.com")
    assert len(long) == node_shells.NAME_LENGTH
    assert pod_name("n1")[:-5] == "node-debugger-n1-"
    assert set(starting.suffix()) <= set(starting.ALPHABET)
