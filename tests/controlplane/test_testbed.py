"""The test bed itself: what the other tests take for granted of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import psutil
import pytest

from tests import waiting
from tests.testbed import build
from tests.testbed.control_plane import ControlPlane, Failed


def test_a_pod_becomes_running_on_a_ready_node(control_plane: ControlPlane, namespace: str):
    control_plane.kubectl("-n", namespace, "run", "web", "--image=nginx")
    control_plane.kubectl("-n", namespace, "wait", "--for=condition=Ready", "pod/web", "--timeout=60s")
    pod = json.loads(control_plane.kubectl("-n", namespace, "get", "pod", "web", "-o", "json"))
    assert pod["status"]["phase"] == "Running"
    assert pod["spec"]["nodeName"].startswith("node-")


def test_exec_has_the_exit_code_and_logs_have_lines(control_plane: ControlPlane, namespace: str):
    control_plane.kubectl("-n", namespace, "run", "web", "--image=nginx")
    control_plane.kubectl("-n", namespace, "wait", "--for=condition=Ready", "pod/web", "--timeout=60s")
    assert control_plane.kubectl("-n", namespace, "exec", "web", "--", "echo", "hello") == "hello\n"
    with pytest.raises(Failed, match="exit code 3"):
        control_plane.kubectl("-n", namespace, "exec", "web", "--", "sh", "-c", "exit 3")
    assert control_plane.kubectl("-n", namespace, "logs", "web").splitlines()[0] == "line 0"


def made(plane: ControlPlane, namespace: str, name: str, **spec: object) -> None:
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": namespace}, "spec": spec}
    plane.kubectl("apply", "-f", "-", input=json.dumps(pod))


def says(plane: ControlPlane, namespace: str, name: str, jsonpath: str) -> str:
    return plane.kubectl("-n", namespace, "get", "pod", name, "-o", f"jsonpath={{.{jsonpath}}}")


eventually = partial(waiting.eventually, seconds=30, pause=0.05)


def test_ephemeral_containers_run_and_keep_their_state(control_plane: ControlPlane, namespace: str):
    made(control_plane, namespace, "web", containers=[{"name": "main", "image": "x"}])
    control_plane.kubectl("-n", namespace, "wait", "--for=condition=Ready", "pod/web", "--timeout=60s")
    state = "status.ephemeralContainerStatuses[?(@.name=='{}')].state"

    def add(name: str, image: str) -> str:
        patch = {"spec": {"ephemeralContainers": [{"name": name, "image": image}]}}
        control_plane.kubectl("-n", namespace, "patch", "pod", "web", "--subresource=ephemeralcontainers",
                              "-p", json.dumps(patch))  # fmt: skip
        eventually(lambda: says(control_plane, namespace, "web", state.format(name)))
        return says(control_plane, namespace, "web", state.format(name))

    first = add("one", "x")
    assert "running" in first
    assert "ErrImagePull" in add("two", "missing.example/x")
    assert says(control_plane, namespace, "web", state.format("one")) == first, "it was not started again"


def test_an_image_that_is_missing_stays_so(control_plane: ControlPlane, namespace: str):
    made(control_plane, namespace, "web", containers=[{"name": "main", "image": "missing.example/x"}])
    reason = "status.containerStatuses[0].state.waiting.reason"
    eventually(lambda: says(control_plane, namespace, "web", reason) == "ErrImagePull")
    with pytest.raises(Failed, match="timed out"):
        control_plane.kubectl("-n", namespace, "wait", "--for=condition=Ready", "pod/web", "--timeout=1s")


def test_a_deadline_ends_a_pod(control_plane: ControlPlane, namespace: str):
    made(control_plane, namespace, "web", activeDeadlineSeconds=1, containers=[{"name": "main", "image": "x"}])
    eventually(lambda: says(control_plane, namespace, "web", "status.reason") == "DeadlineExceeded")
    assert says(control_plane, namespace, "web", "status.phase") == "Failed"


def test_a_containers_own_process_ends_with_its_pod(control_plane: ControlPlane, namespace: str):
    words = [sys.executable, "-c", f"import time; print('{namespace}', flush=True); time.sleep(1000)"]
    own = {"name": "main", "image": "x", "stdin": True, "tty": True, "command": words}
    made(control_plane, namespace, "web", containers=[own])
    control_plane.kubectl("-n", namespace, "wait", "--for=condition=Ready", "pod/web", "--timeout=60s")
    import pty  # not on Windows, where all tests here are skipped

    kubectl = [str(build.control_plane_binary()), "kubectl", "--kubeconfig", str(control_plane.kubeconfig)]
    attach = [*kubectl, "-n", namespace, "attach", "-it", "web"]
    mine, other = pty.openpty()
    with subprocess.Popen(attach, stdin=other, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as child:
        os.close(other)
        try:
            assert child.stdout is not None
            assert namespace in child.stdout.readline()
            found = [one for one in psutil.process_iter(["cmdline"]) if one.info["cmdline"] == words]
            assert len(found) == 1
            control_plane.kubectl("-n", namespace, "delete", "pod", "web", "--wait=false")
            _, alive = psutil.wait_procs(found, timeout=60)
            assert not alive
        finally:
            child.kill()
            os.close(mine)


def test_another_user_is_known_and_refused(control_plane: ControlPlane, tmp_path: Path):
    kubeconfig = control_plane.write_kubeconfig(tmp_path / "config", "nobody", token=control_plane.token("default"))
    said = control_plane.kubectl("--kubeconfig", str(kubeconfig), "auth", "whoami", "-o", "json")
    assert json.loads(said)["status"]["userInfo"]["username"] == "system:serviceaccount:default:default"
    with pytest.raises(Failed, match="forbidden"):
        control_plane.kubectl("--kubeconfig", str(kubeconfig), "get", "pods")


def test_parts_can_be_stalled_killed_and_started_again(control_plane_with):
    plane: ControlPlane = control_plane_with()
    plane.kubectl("create", "configmap", "kept", "--from-literal=a=b")
    plane.stop("apiserver")
    with pytest.raises(TimeoutError):
        plane.api("/readyz", timeout=0.5)
    plane.cont("apiserver")
    assert plane.api("/readyz") == b"ok"
    server = plane.server
    plane.kill("apiserver")
    with pytest.raises(Failed, match="not running"):
        plane.stop("apiserver")
    plane.start("apiserver")
    assert plane.server == server
    assert "kept" in plane.kubectl("get", "configmaps", "-o", "name")


def test_down_leaves_nothing_running(control_plane_with):
    plane: ControlPlane = control_plane_with("--min-request-timeout=60")
    pids = [int(file.read_text()) for file in plane.folder.glob("*.pid")]
    assert len(pids) == 6
    plane.stop("etcd")
    plane.down()
    plane.down()
    assert not [pid for pid in pids if psutil.pid_exists(pid)]


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel ends a dead process's children on Linux only")
def test_a_killed_test_run_leaves_nothing_running(control_plane: ControlPlane, tmp_path: Path):
    """The session's fixture has no chance to clean up there."""
    script = (
        "import sys, time; from pathlib import Path; from tests.testbed.control_plane import ControlPlane\n"
        f"plane = ControlPlane(Path({str(tmp_path)!r}) / 'plane', nodes=1); plane.up(); print('up', flush=True)\n"
        "time.sleep(1000)"
    )
    repository = Path(__file__).resolve().parents[2]
    child = subprocess.Popen([sys.executable, "-c", script], cwd=repository, stdout=subprocess.PIPE, text=True,
                             env={**os.environ, "PYTHONPATH": str(repository)})  # fmt: skip
    assert child.stdout is not None
    assert child.stdout.readline() == "up\n"
    parts = [psutil.Process(int(file.read_text())) for file in (tmp_path / "plane").glob("*.pid")]
    assert len(parts) == 6
    child.kill()
    child.wait()
    child.stdout.close()
    _, alive = psutil.wait_procs(parts, timeout=60)
    assert not alive


def test_without_go_one_sentence_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("NOTEBOOK_MUX_TESTBED_CACHE", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    said = build.why_not()
    assert said is not None
    assert "install Go" in said
    assert "\n" not in said
