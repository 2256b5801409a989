"""A stock kubectl against the playground."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from notebook_mux.playground.scenarios import Settings
from tests.playground import RunningPlayground
from tests.waiting import eventually

pytestmark = pytest.mark.skipif(shutil.which("kubectl") is None, reason="there is no kubectl on the PATH")

Kubectl = Callable[..., str]
WAIT_S = 90.0
"""For a command: the longest waits as long as it is told to, and kubectl needs half a second of a core to begin."""


@pytest.fixture(scope="module")
def kubectl(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kubectl]:
    """What kubectl prints, on a cluster without a story; `code` is the exit code that is expected."""
    folder = tmp_path_factory.mktemp("kubectl")
    running = RunningPlayground(folder, "first-look", settings=Settings(still=True))

    def run(*words: str, code: int = 0) -> str:
        command = ["kubectl", "--kubeconfig", str(running.kubeconfig), "--cache-dir", str(folder / "cache"), *words]
        done = subprocess.run(command, capture_output=True, text=True, timeout=WAIT_S, check=False, cwd=folder)
        assert done.returncode == code, done.stderr
        return done.stdout + done.stderr

    yield run
    running.close()


def lines(text: str) -> list[list[str]]:
    return [line.split() for line in text.splitlines()]


def test_get(kubectl: Kubectl):
    head, *rows = lines(kubectl("get", "pods"))
    assert head == ["NAME", "READY", "STATUS", "RESTARTS", "AGE"]
    assert {row[0].rpartition("-")[0].rpartition("-")[0] for row in rows} >= {"web", "api", "worker", "flaky"}
    wide = kubectl("get", "pods", "-o", "wide", "-A")
    assert "demo-node-1" in wide
    assert kubectl("get", "pods", "-l", "app=web", "-o", "name").startswith("pod/web-")
    assert "No resources found" in kubectl("get", "pods", "--field-selector", "status.phase=Unknown")
    assert kubectl("get", "backups", "-n", "shop").startswith("NAME")
    assert 'pods "nope" not found' in kubectl("get", "pod", "nope", code=1)
    assert "the server doesn't have a resource type" in kubectl("get", "nonsense", code=1)


def test_get_as_yaml_and_by_path(kubectl: Kubectl):
    text = kubectl("get", "deploy", "web", "-o", "yaml")
    assert "apiVersion: apps/v1" in text
    assert kubectl("get", "deploy", "web", "-o", "jsonpath={.spec.replicas}") == "4"
    found = json.loads(kubectl("get", "pods,services", "-o", "json"))
    assert {one["kind"] for one in found["items"]} == {"Pod", "Service"}


def test_get_all_and_sorted(kubectl: Kubectl):
    text = kubectl("get", "all")
    assert all(f"{kind}/" in text for kind in ("pod", "service", "deployment.apps", "replicaset.apps", "cronjob.batch"))
    assert kubectl("get", "pods", "--sort-by=.metadata.name").startswith("NAME")


def test_what_there_is(kubectl: Kubectl):
    resources = kubectl("api-resources")
    assert "deploy" in resources
    assert "backups" in resources
    assert "apps/v1" in kubectl("api-versions")
    assert "v1.37.2" in kubectl("version")


def test_describe(kubectl: Kubectl):
    name = kubectl("get", "pods", "-l", "app=flaky", "-o", "name").strip()
    text = kubectl("describe", name)
    assert "Back-off restarting failed container" in text
    assert "CrashLoopBackOff" in text or "Error" in text or "Running" in text
    assert "Non-terminated Pods" in kubectl("describe", "node", "demo-node-1")
    assert "ScalingReplicaSet" in kubectl("describe", "deploy", "web")


def test_scale_and_wait(kubectl: Kubectl):
    assert "scaled" in kubectl("scale", "deploy", "worker", "--replicas=3")
    assert "successfully rolled out" in kubectl("rollout", "status", "deploy/worker", "--timeout=60s")
    assert "condition met" in kubectl("wait", "--for=condition=Available", "deploy/worker", "--timeout=60s")
    assert kubectl("get", "deploy", "worker", "-o", "jsonpath={.status.readyReplicas}") == "3"


def test_delete_waits_for_the_end(kubectl: Kubectl):
    name = kubectl("get", "pods", "-l", "app=api", "-o", "name").splitlines()[0]
    assert "deleted" in kubectl("delete", name, "--timeout=60s")
    assert "not found" in kubectl("get", name, code=1)
    kubectl("rollout", "status", "deploy/api", "--timeout=60s")
    assert "deleted" in kubectl("delete", "ns", "monitoring", "--timeout=60s")


def revisions(kubectl: Kubectl) -> list[str]:
    return [row[0] for row in lines(kubectl("rollout", "history", "deploy/web"))[2:] if row]


def test_roll_out_and_back(kubectl: Kubectl):
    kubectl("set", "image", "deploy/web", "web=nginx:9")
    kubectl("rollout", "status", "deploy/web", "--timeout=60s")
    assert revisions(kubectl) == ["1", "2"]
    kubectl("rollout", "undo", "deploy/web")
    kubectl("rollout", "status", "deploy/web", "--timeout=60s")
    assert kubectl("get", "deploy", "web", "-o", "jsonpath={..image}") == "nginx:1.29.0"
    assert revisions(kubectl) == ["2", "3"]
    assert len(lines(kubectl("get", "rs", "-l", "app=web", "--no-headers"))) == 2


def test_label_annotate_patch_cordon(kubectl: Kubectl):
    kubectl("label", "deploy", "web", "team=a")
    assert "web" in kubectl("get", "deploy", "-l", "team=a", "-o", "name")
    kubectl("annotate", "deploy", "web", "note=x")
    kubectl("patch", "svc", "web", "-p", '{"spec":{"ports":[{"port":80,"name":"renamed"}]}}')
    assert kubectl("get", "svc", "web", "-o", "jsonpath={.spec.ports[*].name}") == "renamed"
    kubectl("cordon", "demo-node-3")
    assert "SchedulingDisabled" in kubectl("get", "node", "demo-node-3")
    kubectl("uncordon", "demo-node-3")


def test_run_makes_a_pod_that_runs(kubectl: Kubectl):
    kubectl("run", "one", "--image=nginx:1")
    assert "condition met" in kubectl("wait", "--for=condition=Ready", "pod/one", "--timeout=60s")
    assert "Started" in kubectl("get", "events", "--field-selector", "involvedObject.name=one")


def test_logs(kubectl: Kubectl):
    web = kubectl("get", "pods", "-l", "app=web", "-o", "name").splitlines()[0]
    whole = kubectl("logs", web)
    assert "start worker processes" in whole
    newest = kubectl("logs", web, "--tail=2")
    assert newest in kubectl("logs", web)
    assert len(newest.splitlines()) == 2
    stamped = kubectl("logs", web, "--timestamps", "--tail=1")
    assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z ", stamped)
    db = ("logs", "db-0", "-n", "shop")
    assert 0 < len(kubectl(*db, "--since=1h").splitlines()) < len(kubectl(*db).splitlines())
    assert kubectl("logs", web, "--limit-bytes=9") == whole[:9]
    by_label = kubectl("logs", "-l", "app=web", "--prefix", "--tail=1").splitlines()
    assert len({line.split("]")[0] for line in by_label}) == len(by_label) == 4
    assert "LOG:" in kubectl(*db, "--all-containers")
    assert "container nope is not valid for pod" in kubectl("logs", web, "-c", "nope", code=1)
    assert "not found" in kubectl("logs", "nope", code=1)
    assert "previous terminated container" in kubectl("logs", web, "--previous", code=1)
    flaky = kubectl("get", "pods", "-l", "app=flaky", "-o", "name").strip()
    assert "flaky 0.0.7 starting, attempt" in kubectl("logs", flaky, "--previous")


def test_logs_that_are_followed_end_with_the_pod(kubectl: Kubectl):
    kubectl("run", "hi", "--image=busybox", "--restart=Never", "--", "sh", "-c", "echo a; sleep 3; echo b")
    phase = ("get", "pod", "hi", "-o", "jsonpath={.status.phase}")
    eventually(lambda: kubectl(*phase) != "Pending", "its container has started", seconds=30)
    assert kubectl("logs", "-f", "hi").splitlines() == ["a", "b"]
    assert kubectl("wait", "--for=jsonpath={.status.phase}=Succeeded", "pod/hi", "--timeout=60s")
    assert kubectl("logs", "hi").splitlines() == ["a", "b"]


def test_watching(kubectl: Kubectl, tmp_path: Path):
    """kubectl's own watch ends with its time limit; it has shown the pods by then."""
    text = kubectl("get", "pods", "-w", "--request-timeout=5s", code=0)
    assert text.splitlines()[0].split() == ["NAME", "READY", "STATUS", "RESTARTS", "AGE"]
    assert len(text.splitlines()) > 5
