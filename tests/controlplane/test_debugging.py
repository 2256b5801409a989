"""Debug containers and node shells on a real API server, beside what its own kubectl makes of the same wish."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import notebook_mux as nm
from notebook_mux.handles import debugging, node_shells, starting, sweeping
from notebook_mux.handles.manager import Manager
from notebook_mux.handles.targets import Place
from notebook_mux.handles.waiting import blocking
from notebook_mux.life import runtime
from notebook_mux.life.name import ServiceName
from tests import waiting
from tests.controlplane.pages import Page
from tests.controlplane.terminals import sized
from tests.controlplane.test_exec import pod
from tests.controlplane.test_whole_way import create, may, user
from tests.testbed.control_plane import ControlPlane, Failed

WAIT_SECONDS = 40.0

SHORT_DEADLINE_SECONDS = 15
"""Long enough for the pod to be seen running on a loaded machine, and soon over."""

eventually = partial(waiting.eventually, seconds=WAIT_SECONDS, pause=0.05)


@pytest.fixture
def manager(control_plane: ControlPlane, namespace: str) -> Iterator[Manager]:
    """A manager that may write, beside a running pod ``web-0``."""
    create(control_plane, pod("web-0", namespace))
    control_plane.kubectl("wait", "--for=condition=Ready", "pod/web-0", "-n", namespace, "--timeout=60s")
    yield nm.connect(kubeconfig=control_plane.kubeconfig, write=True, namespace=namespace)
    nm.close()


def started(manager: Manager, image: str = "busybox", target: str | None = None) -> Place:
    identity = manager._identity
    found = nm.get("pods", "web-0", namespace=identity.contexts[0].namespace)
    return blocking(debugging.debug_container(identity, identity.contexts[0], found, image, target))


def on_node(manager: Manager, node: str = "node-1", image: str | None = None, **more: Any) -> tuple[Place, str]:
    identity = manager._identity
    return blocking(node_shells.node_shell(identity, identity.contexts[0], node, image, **more))


def swept(manager: Manager) -> list[str]:
    identity = manager._identity
    return blocking(sweeping.sweep(identity, identity.contexts[0], identity.contexts[0].namespace))


def spec_of(plane: ControlPlane, namespace: str, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(plane.kubectl("get", "pod", name, "-n", namespace, "-o", "json"))["spec"]
    return found


def pods_of(plane: ControlPlane, namespace: str, label: str = "app.kubernetes.io/managed-by=notebook-mux") -> list[Any]:
    found: list[Any] = json.loads(plane.kubectl("get", "pods", "-n", namespace, "-l", label, "-o", "json"))["items"]
    return found


# --- debug containers -------------------------------------------------------------------------------------------------


def test_a_debug_container_runs_and_is_found_again(
    manager: Manager, control_plane: ControlPlane, namespace: str
) -> None:
    place = started(manager)
    assert place.container.startswith("debugger-")
    assert "running" in starting.state_of(place.pod, place.container)
    assert started(manager).container == place.container
    assert started(manager, target="main").container != place.container
    assert len(spec_of(control_plane, namespace, "web-0")["ephemeralContainers"]) == 2


def test_its_program_is_attached_and_stays_while_nobody_looks(manager: Manager) -> None:
    place = started(manager)
    terminal = nm.shell("web-0", container=place.container, attach=True)
    page = Page(terminal.session, 90, 20)
    page.type("X=kept\r")
    assert page.ask("echo $CONTAINER") == place.container
    assert page.ask(sized(90, 20)) == "20 90"
    page.close()
    terminal.close()
    page = Page(nm.shell("web-0", container=place.container, attach=True).session)
    assert page.ask("echo $X") == "kept"
    page.type("exit 3\r")
    eventually(lambda: "terminated" in state_now(place), "the container has ended")
    assert state_now(place)["terminated"]["exitCode"] == 3
    assert started(manager).container != place.container, "one that has ended is not started again"


def state_now(place: Place) -> dict[str, Any]:
    return starting.state_of(nm.get("pods", "web-0", namespace=place.pod.namespace), place.container)


def test_as_kubectl_makes_it(manager: Manager, control_plane: ControlPlane, namespace: str) -> None:
    control_plane.kubectl(
        "debug", "web-0", "-n", namespace, "--image=busybox", "--target=main", "-it", "--attach=false",
        "--profile=general",
    )  # fmt: skip
    ours = started(manager, target="main").container
    listed = spec_of(control_plane, namespace, "web-0")["ephemeralContainers"]
    assert listed[-1]["name"] == ours
    found = {one["name"]: one for one in listed}
    mine = found.pop(ours)
    [theirs] = found.values()
    assert mine.pop("env") == [{"name": debugging.OWNER, "value": starting.owner()}]
    assert mine.pop("name") != theirs.pop("name")
    assert mine == theirs


def test_an_image_that_cannot_be_had(manager: Manager, control_plane: ControlPlane, namespace: str) -> None:
    for _ in range(2):
        with pytest.raises(nm.ServerError, match=r"the image missing\.example/nope of .* cannot be had") as caught:
            started(manager, "missing.example/nope")
        assert "failed to pull and unpack image" in (caught.value.said or "")
    assert len(spec_of(control_plane, namespace, "web-0")["ephemeralContainers"]) == 1


def test_rights_of_a_debug_container(
    manager: Manager, control_plane: ControlPlane, namespace: str, tmp_path: Path
) -> None:
    path = user(control_plane, tmp_path / "viewer", "viewer", namespace, "get,list pods")
    viewer = nm.connect(kubeconfig=path, write=True, namespace=namespace)
    with pytest.raises(nm.Forbidden) as caught:
        started(viewer)
    assert "patch pods/ephemeralcontainers, get pods/attach, create pods/attach" in caught.value.what
    rules = ("get,list pods", "patch pods/ephemeralcontainers", "get,create pods/attach")
    path = user(control_plane, tmp_path / "debugger", "debugger", namespace, *rules)
    assert started(nm.connect(kubeconfig=path, write=True, namespace=namespace)).container
    with pytest.raises(nm.WriteRefused):
        started(nm.connect(kubeconfig=path, namespace=namespace, write=False), "alpine")


def test_a_rule_of_the_cluster(manager: Manager, control_plane: ControlPlane, namespace: str) -> None:
    control_plane.kubectl("label", "namespace", namespace, "pod-security.kubernetes.io/enforce=baseline")
    eventually(lambda: is_enforced(control_plane, namespace), "the server's admission knows of the label")
    for start in (started, on_node):
        with pytest.raises(nm.Forbidden) as caught:
            start(manager)
        assert 'violates PodSecurity "baseline:latest"' in (caught.value.said or "")
        assert "pod-security.kubernetes.io/enforce" in (caught.value.todo or "")
    assert pods_of(control_plane, namespace) == []


def is_enforced(plane: ControlPlane, namespace: str) -> bool:
    """Whether a pod is refused that the rule forbids; nothing is made."""
    overrides = '--overrides={"spec":{"hostNetwork":true}}'
    try:
        plane.kubectl("run", "forbidden", "-n", namespace, "--image=x", "--dry-run=server", overrides)
    except Failed as failed:
        return "violates PodSecurity" in str(failed)
    return False


def test_a_shell_in_a_debug_container(manager: Manager) -> None:
    terminal = nm.shell("web-0", image="busybox")
    assert terminal.container.startswith("debugger-")
    assert Page(terminal.session).ask("echo $CONTAINER") == terminal.container
    assert nm.shell("web-0", image="busybox") is terminal
    terminal.close()
    again = nm.shell("web-0", image="busybox")
    assert again is not terminal
    assert again.container == terminal.container


# --- node shells ------------------------------------------------------------------------------------------------------


def test_a_node_shell_as_kubectl_makes_it(manager: Manager, control_plane: ControlPlane, namespace: str) -> None:
    control_plane.kubectl(
        "debug", "node/node-1", "-n", namespace, "--image=busybox", "-it", "--attach=false", "--profile=general"
    )
    [theirs] = pods_of(control_plane, namespace, "app.kubernetes.io/managed-by=kubectl-debug")
    place, path = on_node(manager, image="busybox")
    [mine] = pods_of(control_plane, namespace)
    assert path == f"/api/v1/namespaces/{namespace}/pods/{mine['metadata']['name']}"
    assert mine["metadata"]["name"][:-5] == theirs["metadata"]["name"][:-5] == "node-debugger-node-1-"
    spec, other = mine["spec"], theirs["spec"]
    assert spec.pop("activeDeadlineSeconds") == node_shells.DEADLINE_SECONDS
    assert spec.pop("automountServiceAccountToken") is False
    assert (spec.pop("terminationGracePeriodSeconds"), other.pop("terminationGracePeriodSeconds")) == (1, 30)
    token = other["volumes"].pop()
    assert token["name"].startswith("kube-api-access-")
    assert other["containers"][0]["volumeMounts"].pop()["name"] == token["name"]
    assert spec == other
    assert (place.container, place.pod.name) == ("debugger", mine["metadata"]["name"])


def test_the_same_kernel_and_node_is_the_same_pod(
    manager: Manager, control_plane: ControlPlane, namespace: str
) -> None:
    first = on_node(manager)[1]
    assert on_node(manager)[1] == first
    assert on_node(manager, "node-2")[1] != first
    assert swept(manager) == []
    assert len(pods_of(control_plane, namespace)) == 2


def test_nodes_that_cannot_be(manager: Manager, control_plane: ControlPlane, namespace: str) -> None:
    with pytest.raises(nm.NotFound, match="there is no node 'node-9'") as caught:
        on_node(manager, "node-9")
    assert "node-1" in (caught.value.todo or "")
    with pytest.raises(nm.ServerError, match=r"the image missing\.example/nope of .* cannot be had"):
        on_node(manager, image="missing.example/nope")
    eventually(lambda: not pods_of(control_plane, namespace), "the pod is deleted")


def test_rights_of_a_node_shell(manager: Manager, control_plane: ControlPlane, namespace: str, tmp_path: Path) -> None:
    path = user(control_plane, tmp_path / "looker", "looker", namespace, "get,list pods")
    role = f"{namespace}-nodes"
    control_plane.kubectl("create", "clusterrole", role, "--verb=get,list", "--resource=nodes")
    control_plane.kubectl("create", "clusterrolebinding", role, f"--clusterrole={role}",
                          f"--serviceaccount={namespace}:looker")  # fmt: skip
    who = f"system:serviceaccount:{namespace}:looker"
    eventually(lambda: may(control_plane, who, verb="list", resource="nodes"), "the server knows of the binding")
    try:
        looker = nm.connect(kubeconfig=path, write=True, namespace=namespace)
        with pytest.raises(nm.Forbidden) as caught:
            on_node(looker)
    finally:
        control_plane.kubectl("delete", "clusterrole,clusterrolebinding", role)
    assert "you may not create pods, delete pods, get pods/attach, create pods/attach" in caught.value.what


def test_the_deadline_ends_it_and_the_next_one_sweeps(
    manager: Manager, control_plane: ControlPlane, namespace: str, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setattr(node_shells, "DEADLINE_SECONDS", SHORT_DEADLINE_SECONDS)
    place, path = on_node(manager)
    eventually(lambda: pods_of(control_plane, namespace)[0]["status"]["phase"] == "Failed", "its deadline has come")
    monkeypatch.undo()
    assert on_node(manager)[1] != path
    eventually(lambda: len(pods_of(control_plane, namespace)) == 1, "the ended one is gone")
    nm.connect(kubeconfig=control_plane.kubeconfig, write=True, namespace=namespace)
    said = f"deleted the pod {namespace}/{place.pod.name} that an earlier node shell has left"
    assert f"{said} (it has ended: DeadlineExceeded)" in capsys.readouterr().err


def test_closing_deletes_the_pod(manager: Manager, control_plane: ControlPlane, namespace: str) -> None:
    terminal = nm.shell("node/node-1")
    assert Page(terminal.session).ask("echo $CONTAINER") == "debugger"
    assert nm.shell("node/node-1") is terminal
    assert [terminal.pod] == [one["metadata"]["name"] for one in pods_of(control_plane, namespace)]
    terminal.close()
    eventually(lambda: not pods_of(control_plane, namespace), "the pod is deleted")


def kill_gateway() -> None:
    known = runtime.read(ServiceName("gateway").runtime_file())
    assert known is not None
    os.kill(known.pid, signal.SIGKILL)


def test_what_a_killed_gateway_leaves_is_swept(manager: Manager, control_plane: ControlPlane, namespace: str) -> None:
    terminal = nm.shell("node/node-1")
    left = terminal.pod
    kill_gateway()
    eventually(lambda: terminal.state == "lost", "the terminal knows of it")
    assert [one["metadata"]["name"] for one in pods_of(control_plane, namespace)] == [left]
    terminal.close()
    again = nm.shell("node/node-1")
    assert again.pod != left
    eventually(lambda: len(pods_of(control_plane, namespace)) == 1, "what was left is gone")
    assert Page(again.session).ask("echo $CONTAINER") == "debugger"


def test_what_is_started_again_after_it_stays(manager: Manager, control_plane: ControlPlane, namespace: str) -> None:
    terminal = nm.shell("node/node-1")
    kill_gateway()
    eventually(lambda: terminal.state == "lost", "the terminal knows of it")
    assert swept(manager) == [], "it may be started again"
    terminal.again()
    assert Page(terminal.session).ask("echo $CONTAINER") == "debugger"
    assert swept(manager) == []
    terminal.close()
    eventually(lambda: not pods_of(control_plane, namespace), "the pod is deleted")


def test_somebody_elses_stays(manager: Manager, control_plane: ControlPlane, namespace: str) -> None:
    """Of another machine, nobody here can tell whether it is in use."""
    _, path = on_node(manager)
    name = path.rpartition("/")[2]
    keys = (sweeping.NAME, sweeping.OWNER)
    control_plane.kubectl("annotate", "pod", name, "-n", namespace, "--overwrite", *(f"{key}=other" for key in keys))
    assert swept(manager) == []
    assert on_node(manager)[1] != path
    assert len(pods_of(control_plane, namespace)) == 2


def test_an_interrupt_leaves_nothing(control_plane_with: Callable[..., ControlPlane]) -> None:
    plane = control_plane_with()
    manager = nm.connect(kubeconfig=plane.kubeconfig, write=True)
    plane.stop("kwok")  # so that no pod ever runs

    def interrupt() -> None:
        eventually(lambda: pods_of(plane, "default"), "the pod is there")
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            on_node(manager, "node-0")
        thread.join()
        [left] = pods_of(plane, "default")
        eventually(lambda: pods_of(plane, "default")[0]["metadata"].get("deletionTimestamp"), "the pod is deleted")
        assert left["status"]["phase"] == "Pending"
    finally:
        plane.cont("kwok")
        thread.join()
        nm.close()
    eventually(lambda: not pods_of(plane, "default"), "the kubelet has ended it")


def test_a_kernel_that_dies_while_it_waits(control_plane_with: Callable[..., ControlPlane]) -> None:
    plane = control_plane_with()
    plane.stop("kwok")
    script = "import sys, notebook_mux as nm\nnm.connect(kubeconfig=sys.argv[1], write=True)\nnm.shell('node/node-0')"
    repository = Path(__file__).resolve().parents[2]
    child = subprocess.Popen(
        [sys.executable, "-c", script, str(plane.kubeconfig)],
        env={**os.environ, "PYTHONPATH": str(repository)},
        stderr=subprocess.PIPE,
    )
    try:
        eventually(lambda: pods_of(plane, "default") or child.poll() is not None, "the pod is there")
        manager = nm.connect(kubeconfig=plane.kubeconfig, write=True)
        assert swept(manager) == [], "it may be in use"
        child.kill()
        _, said = child.communicate()
        assert [one["metadata"]["name"] for one in pods_of(plane, "default")] == swept(manager), said
    finally:
        child.kill()
        plane.cont("kwok")
        nm.close()
    eventually(lambda: not pods_of(plane, "default"), "the pod is gone")
