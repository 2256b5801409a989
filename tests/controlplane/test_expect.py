"""``nm.expect`` beside a real API server and its controllers."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import notebook_mux as nm
from tests.controlplane.test_whole_way import create, user
from tests.testbed.control_plane import ControlPlane

WAIT_S = 60.0


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    nm.close()


def deployment(name: str, namespace: str, image: str = "nginx:1.27", **spec: Any) -> dict[str, Any]:
    labels = {"app": name}
    pod = {"containers": [{"name": "main", "image": image}], **spec}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "namespace": namespace},
            "spec": {"replicas": 2, "selector": {"matchLabels": labels},
                     "template": {"metadata": {"labels": labels}, "spec": pod}}}  # fmt: skip


def failed(*arguments: Any, timeout: float = 0, **expected: Any) -> nm.ExpectationFailed:
    with pytest.raises(nm.ExpectationFailed) as caught:
        nm.expect(*arguments, timeout=timeout, **expected)
    return caught.value


def test_a_rollout_is_waited_for(control_plane: ControlPlane, namespace: str) -> None:
    nm.connect(kubeconfig=control_plane.kubeconfig, namespace=namespace)
    threading.Timer(0.3, lambda: create(control_plane, deployment("web", namespace))).start()
    check = nm.expect("deploy/web", ready=2, condition="Available", timeout=WAIT_S)
    assert check.seen == {"ready": 2, "condition": "True"}
    create(control_plane, deployment("web", namespace, "nginx:1.28"))
    nm.expect("deploy/web", ready=2, image="nginx:1.28", timeout=WAIT_S)
    images = {pod["spec"]["containers"][0]["image"] for pod in nm.get("pods", selector="app=web").objects
              if not pod["metadata"].get("deletionTimestamp")}  # fmt: skip
    assert images == {"nginx:1.28"}
    assert nm.expect("app=web", count=2, ready=True, timeout=WAIT_S)
    control_plane.kubectl("expose", "deployment", "web", "-n", namespace, "--port=80")
    assert nm.expect("svc/web", endpoints=2, timeout=WAIT_S).seen == {"endpoints": 2}
    deleting = threading.Timer(0.3, lambda: control_plane.kubectl("delete", "deployment", "web", "-n", namespace))
    deleting.start()
    nm.expect("deploy/web", exists=False, timeout=WAIT_S)
    deleting.join()


def test_what_cannot_be_placed_is_explained_by_its_events(control_plane: ControlPlane, namespace: str) -> None:
    nm.connect(kubeconfig=control_plane.kubeconfig, namespace=namespace)
    create(control_plane, deployment("lost", namespace, nodeSelector={"disk": "no-such"}))
    nm.events("deploy/lost", warnings=True).wait("create", of=1, timeout=WAIT_S)
    # The scheduler writes a pod's condition beside the event, and that is what is told of the pod.
    unplaced = ("--for=condition=PodScheduled=False", "pod", "-l", "app=lost", "-n", namespace, "--timeout=60s")
    control_plane.kubectl("wait", *unplaced, timeout=90)
    error = failed("deploy/lost", ready=2, hints=["which nodes are there?"])
    assert error.what == "deploy/lost: expected 2 ready pods, but 0 of 2 are ready"
    assert {event.reason for event in error.events} == {"FailedScheduling"}
    text = str(error)
    assert "is Pending: 0/" in text
    assert "node affinity/selector" in text
    assert text.splitlines()[-1] == "  hint 1 of 1: which nodes are there?"
    assert failed("deploy/lots", ready=2).todo == "did you mean lost?"


def test_who_may_what(control_plane: ControlPlane, namespace: str, tmp_path: Path) -> None:
    mine = user(control_plane, tmp_path / "reader.yaml", "reader", namespace, "list,watch,get pods")
    nm.connect(kubeconfig=control_plane.kubeconfig, namespace=namespace, write=True)
    cannot = ["delete pods", "get pods/log", "list pods in kube-system", "list nodes"]
    assert nm.expect("sa/reader", can=["list pods", "get pods web-0"], cannot=cannot, timeout=0)
    error = failed("sa/reader", can="delete pods")
    assert error.what == "sa/reader: expected the right to delete pods, but may not delete pods"
    nm.close()
    nm.connect(kubeconfig=mine, namespace=namespace)
    assert nm.expect(can="list pods", cannot=cannot, timeout=0)
    with pytest.raises(nm.Forbidden):
        nm.expect("deploy/web", ready=2, timeout=0)
    with pytest.raises(nm.WriteRefused):
        nm.expect("user/jane", can="list pods", timeout=0)
