"""What a stock kubectl shows of pods' lives, nodes, figures and evictions."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence

import pytest
import yaml

from notebook_mux.playground.scenarios import Settings
from tests.playground import RunningPlayground
from tests.waiting import eventually

pytestmark = pytest.mark.skipif(shutil.which("kubectl") is None, reason="there is no kubectl on the PATH")

Kubectl = Callable[..., str]
WAIT_S = 90.0


@pytest.fixture(scope="module")
def kubectl(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kubectl]:
    """What kubectl prints, on a cluster of three nodes without a story; `code` is the exit code that is expected."""
    folder = tmp_path_factory.mktemp("life")
    running = RunningPlayground(folder, "first-look", settings=Settings(still=True))

    def run(*words: str, code: int = 0, body: Sequence[object] = ()) -> str:
        command = ["kubectl", "--kubeconfig", str(running.kubeconfig), "--cache-dir", str(folder / "cache"), *words]
        done = subprocess.run(command, capture_output=True, text=True, timeout=WAIT_S, check=False, cwd=folder,
                              input=yaml.safe_dump_all(body))  # fmt: skip
        assert done.returncode == code, done.stderr
        return done.stdout + done.stderr

    yield run
    running.close()


def rows(text: str) -> list[list[str]]:
    return [re.split(r"\s{2,}", line.strip()) for line in text.splitlines()]


def test_pods_in_trouble(kubectl: Kubectl):
    """One of each, made at once; the columns and descriptions are a real kubelet's."""
    init = [{"name": name, "image": "busybox", "command": ["sh", "-c", "sleep 600"]} for name in ("a", "b")]
    main = {"name": "main", "image": "ghcr.io/example/app:1"}
    secret = {"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "nope", "key": "k"}}}
    mount = {"name": "v", "mountPath": "/v"}
    specs = {
        "no-image": {"containers": [{**main, "image": "nginx:does-not-exist"}]},
        "no-config": {"containers": [{**main, "env": [secret]}]},
        "no-volume": {"containers": [{**main, "volumeMounts": [mount]}],
                      "volumes": [{"name": "v", "configMap": {"name": "nope"}}]},
        "bad-name": {"containers": [{**main, "image": "Nginx:1"}]},
        "init": {"containers": [main], "initContainers": init},
        "oom": {"containers": [{**main, "resources": {"limits": {"memory": "64Mi"}}}]},
        "crash": {"containers": [{**main, "image": "busybox", "command": ["sh", "-c", "sleep 1; exit 4"]}]},
        "sick": {"containers": [{**main, "image": "nginx:1", "livenessProbe": {"httpGet": {"port": 81},
                                 "periodSeconds": 1, "failureThreshold": 2}}]},
    }  # fmt: skip
    annotations = {"oom": {"playground.notebook-mux/memory": "100Mi"}}
    items = [{"kind": "Pod", "apiVersion": "v1", "spec": spec, "metadata": {
        "name": name, "annotations": annotations.get(name, {})}} for name, spec in specs.items()]  # fmt: skip
    kubectl("create", "-f", "-", body=items)
    wanted = {"no-image": "ImagePullBackOff", "no-config": "CreateContainerConfigError", "bad-name": "InvalidImageName",
              "no-volume": "ContainerCreating", "init": "Init:0/2", "oom": "CrashLoopBackOff",
              "crash": "CrashLoopBackOff"}  # fmt: skip
    found: dict[str, set[str]] = {name: set() for name in wanted}

    def seen() -> bool:
        for row in rows(kubectl("get", "pods", *wanted)):
            if row[0] in found:
                found[row[0]].add(row[2])
        return all(text in found[name] for name, text in wanted.items())

    eventually(seen, f"all of {wanted}", seconds=WAIT_S, pause=0.3)
    eventually(lambda: "Reason:       ImagePullBackOff" in kubectl("describe", "pod", "no-image"),
               "it waits between two pulls", seconds=WAIT_S)  # fmt: skip
    described = {name: kubectl("describe", "pod", name) for name in specs}
    assert 'Failed to pull image "nginx:does-not-exist": rpc error: code = NotFound' in described["no-image"]
    assert 'Error: secret "nope" not found' in described["no-config"]
    assert 'MountVolume.SetUp failed for volume "v" : configmap "nope" not found' in described["no-volume"]
    assert re.search(r"Last State:\s+Terminated\n\s+Reason:\s+OOMKilled\n\s+Exit Code:\s+137", described["oom"])
    assert "Back-off restarting failed container main in pod crash_default(" in described["crash"]
    assert re.search(r"Initialized\s+False", described["init"])
    eventually(lambda: "Container main failed liveness probe, will be restarted" in kubectl("describe", "pod", "sick"),
               "the sick pod is restarted", seconds=WAIT_S)  # fmt: skip
    assert "Liveness probe failed: Get " in kubectl("get", "events", "--field-selector", "involvedObject.name=sick")
    kubectl("delete", "pod", *specs, "--now")


def test_top(kubectl: Kubectl):
    head, *pods = rows(kubectl("top", "pods"))
    assert head == ["NAME", "CPU(cores)", "MEMORY(bytes)"]
    assert all(re.fullmatch(r"\d+m", cpu) and re.fullmatch(r"\d+Mi", memory) for _, cpu, memory in pods)
    head, *web = rows(kubectl("top", "pods", "-l", "app=web", "--containers"))
    assert head == ["POD", "NAME", "CPU(cores)", "MEMORY(bytes)"]
    assert {row[1] for row in web} == {"web"}
    by_memory = [int(row[2].removesuffix("Mi")) for row in rows(kubectl("top", "pods", "-A", "--sort-by=memory"))[1:]
                 if len(row) == 3]  # fmt: skip
    assert by_memory == sorted(by_memory, reverse=True)
    head, *nodes = rows(kubectl("top", "nodes"))
    assert head == ["NAME", "CPU(cores)", "CPU(%)", "MEMORY(bytes)", "MEMORY(%)"]
    assert len(nodes) == 3
    assert "v1beta1.metrics.k8s.io" in kubectl("get", "apiservices")
    assert rows(kubectl("get", "pods.metrics.k8s.io"))[0] == ["NAME", "CPU", "MEMORY", "WINDOW"]
    assert "metrics.k8s.io/v1beta1" in kubectl("api-versions")


def test_autoscale(kubectl: Kubectl):
    kubectl("annotate", "deploy", "web", "playground.notebook-mux/load=60m")
    target = {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}}
    cpu = {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 30}}}
    kubectl("apply", "-f", "-", body=[{"kind": "HorizontalPodAutoscaler", "apiVersion": "autoscaling/v2", "spec": {
        **target, "maxReplicas": 7, "metrics": [cpu]}, "metadata": {"name": "web"}}])  # fmt: skip
    eventually(lambda: re.fullmatch(r"cpu: \d+%/30%", rows(kubectl("get", "hpa", "web"))[1][2]) is not None,
               "its target is known", seconds=WAIT_S, pause=0.5)  # fmt: skip
    assert rows(kubectl("get", "hpa", "web"))[1][1] == "Deployment/web"
    text = kubectl("describe", "hpa", "web")
    assert re.search(r"ScalingActive\s+True\s+ValidMetricFound", text)
    assert "resource cpu on pods  (as a percentage of request):" in text
    kubectl("delete", "hpa", "web")


def test_drain_within_a_budget(kubectl: Kubectl):
    kubectl("create", "pdb", "web", "--selector=app=web", "--min-available=100%")
    eventually(lambda: rows(kubectl("get", "pdb", "web"))[1][3] == "0", "nothing is to spare", seconds=WAIT_S)
    where = {row[6] for row in rows(kubectl("get", "pods", "-l", "app=web", "-o", "wide"))[1:]}
    node = next(one for one in sorted(where) if one != "demo-node-1")
    drain = ("drain", node, "--ignore-daemonsets", "--delete-emptydir-data")
    said = kubectl(*drain, "--timeout=4s", code=1)
    assert "Cannot evict pod as it would violate the pod's disruption budget." in said
    assert "SchedulingDisabled" in kubectl("get", "node", node)
    kubectl("patch", "pdb", "web", "-p", '{"spec":{"minAvailable":2}}')
    eventually(lambda: rows(kubectl("get", "pdb", "web"))[1][3] != "0", "something is to spare", seconds=WAIT_S)
    assert f"node/{node} drained" in kubectl(*drain, "--timeout=60s")
    left = json.loads(kubectl("get", "pods", "-A", "-o", "json", f"--field-selector=spec.nodeName={node}"))["items"]
    assert {one["metadata"]["ownerReferences"][0]["kind"] for one in left} == {"DaemonSet"}
    kubectl("uncordon", node)
    kubectl("delete", "pdb", "web")


def test_a_node_that_is_lost(kubectl: Kubectl):
    kubectl("annotate", "node", "demo-node-3", "playground.notebook-mux/silent=true")
    eventually(lambda: rows(kubectl("get", "node", "demo-node-3"))[1][1].startswith("NotReady"), "it is noticed",
               seconds=WAIT_S)  # fmt: skip
    text = kubectl("describe", "node", "demo-node-3")
    assert "node.kubernetes.io/unreachable:NoExecute" in text
    assert "NodeStatusUnknown" in text
    assert "demo-node-3" not in kubectl("top", "nodes").replace("demo-node-3   <unknown>", "")
    kubectl("annotate", "node", "demo-node-3", "playground.notebook-mux/silent-")
    kubectl("wait", "--for=condition=Ready", "node/demo-node-3", "--timeout=60s")


def test_jobs(kubectl: Kubectl):
    kubectl("create", "job", "by-hand", "--from=cronjob/tick")
    kubectl("create", "job", "hi", "--image=busybox", "--", "sh", "-c", "echo hi; sleep 1")
    kubectl("wait", "--for=condition=complete", "job/hi", "job/by-hand", "--timeout=60s")
    assert rows(kubectl("get", "job", "hi"))[1][:3] == ["hi", "Complete", "1/1"]
    assert "Job completed" in kubectl("describe", "job", "hi")
    assert "CronJob/tick" in kubectl("describe", "job", "by-hand")
