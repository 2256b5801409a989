"""What a stock kubectl creates, in protobuf or from files that it has checked, on both sides."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.testbed import build

Kubectl = Callable[..., tuple[int, str]]


@pytest.fixture
def kubectl(request: pytest.FixtureRequest, tmp_path: Path, place: str) -> Kubectl:
    """Runs a stock kubectl in the test's namespace: its exit code, and what it prints."""
    of = "control_plane" if "real" in request.node.name else "playground"
    kubeconfig = request.getfixturevalue(of).kubeconfig
    namespace, cache = place.rpartition("/")[2], str(tmp_path / "cache")
    command = [str(build.control_plane_binary()), "kubectl", "--kubeconfig", str(kubeconfig), "-n", namespace,
               "--cache-dir", cache]  # fmt: skip

    def run(words: str, stdin: str = "") -> tuple[int, str]:
        done = subprocess.run([*command, *words.split()], capture_output=True, text=True, input=stdin, timeout=60)
        return done.returncode, done.stdout + done.stderr

    return run


CREATED = [
    ("create deployment web --image=nginx --replicas=0", "deployment.apps/web created\n"),
    ("create configmap settings --from-literal=a=b", "configmap/settings created\n"),
    ("create secret generic word --from-literal=a=b", "secret/word created\n"),
    ("create job once --image=busybox -- true", "job.batch/once created\n"),
    ("create cronjob often --image=busybox --schedule=*/5 -- true", ""),
    ("create role reader --verb=get --resource=pods", "role.rbac.authorization.k8s.io/reader created\n"),
    ("create rolebinding readers --role=reader --user=jane", "rolebinding.rbac.authorization.k8s.io/readers created\n"),
    ("create quota few --hard=pods=30", "resourcequota/few created\n"),
    ("create service clusterip front --tcp=80:8080", "service/front created\n"),
    ("create serviceaccount robot", "serviceaccount/robot created\n"),
    ("autoscale deployment web --max=3 --cpu=80%", "horizontalpodautoscaler.autoscaling/web autoscaled\n"),
    ("auth can-i get pods", "yes\n"),
    ("create ingress way --rule=a.example/=front:80", "ingress.networking.k8s.io/way created\n"),
    ("get deployment web -o jsonpath={.spec.template.spec.containers[0].image}", "nginx"),
    ("get secret word -o jsonpath={.data.a}", "Yg=="),
    ("get hpa web -o jsonpath={.spec.metrics[0].resource.target.averageUtilization}", "80"),
    ("get role reader -o jsonpath={.rules[0].verbs[0]}", "get"),
]


def test_bodies_in_protobuf(side: object, kubectl: Kubectl):
    for words, said in CREATED:
        code, text = kubectl(words)
        if said:
            assert (code, text) == (0, said), words
        else:
            assert (code, "spec.schedule: Invalid value" in text) == (1, True), text


UNKNOWN = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: typo}
spec:
  replica: 0
  selector: {matchLabels: {a: b}}
  template: {metadata: {labels: {a: b}}, spec: {containers: [{name: a, image: b, imagePullPolice: Never}]}}
"""


def test_what_validate_says(side: object, kubectl: Kubectl):
    strict = kubectl("create --dry-run=server --validate=strict -f -", UNKNOWN)
    fields = ('unknown field "spec.replica"', 'unknown field "spec.template.spec.containers[0].imagePullPolice"')
    begin = 'Error from server (BadRequest): error when creating "STDIN": Deployment in version "v1" '
    assert strict[0] == 1
    assert strict[1].startswith(f"{begin}cannot be handled as a Deployment: strict decoding error: ")
    assert all(field in strict[1] for field in fields)
    warned = kubectl("create --dry-run=server --validate=warn -f -", UNKNOWN)
    assert warned[0] == 0
    assert sorted(warned[1].splitlines()) == sorted(
        [*(f"Warning: {field}" for field in fields), "deployment.apps/typo created (server dry run)"]
    )
    assert kubectl("create --validate=ignore -f -", UNKNOWN) == (0, "deployment.apps/typo created\n")
    code, text = kubectl("get deployment typo -o jsonpath={.spec}")
    assert (code, 'replica"' in text, 'imagePullPolice"' in text) == (0, False, False)
    code, text = kubectl("apply -f -", UNKNOWN)
    assert (code, fields[0] in text) == (1, True)
