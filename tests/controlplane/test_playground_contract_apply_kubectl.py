"""A stock kubectl that applies, patches, sets and replaces: what it prints and how it ends, on both servers."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.controlplane.pairs import Pair, pair

__all__ = ["pair"]

pytestmark = pytest.mark.skipif(shutil.which("kubectl") is None, reason="there is no kubectl on the PATH")

CONFIG = """
apiVersion: v1
kind: ConfigMap
metadata: {name: a, labels: {of: test}}
data: {x: "%s", y: "1"}
"""
DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 0
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "nginx:%s"}]}
"""
SERVICE = """
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80}]}
"""
COMMANDS = [
    "apply -f cm1.yaml", "apply -f cm1.yaml", "apply -f cm2.yaml", "apply view-last-applied cm a",
    "diff -f cm1.yaml", "diff -f cm2.yaml", "diff --server-side -f cm1.yaml",
    "apply set-last-applied -f cm1.yaml", "apply view-last-applied cm/a -o json",
    "apply --server-side -f cm1.yaml", "apply --server-side -f cm1.yaml --dry-run=server",
    "apply --server-side --field-manager=other -f cm2.yaml",
    "apply --server-side --field-manager=other --force-conflicts -f cm2.yaml",
    "apply --server-side -f cm1.yaml", "get cm a -o jsonpath={.data.x}",
    "apply -f deploy1.yaml", "apply -f deploy2.yaml", "apply -f svc.yaml", "apply -f svc.yaml",
    "set image deploy/web web=nginx:3", "set image deploy/web web=nginx:3", "set image deploy/web nope=nginx:3",
    "set env deploy/web A=1 B=2", "set env deploy/web A-", "set env deploy/web --list",
    "set resources deploy/web --limits=cpu=1 --requests=cpu=500m", "set serviceaccount deploy/web robot",
    "set selector svc/web app=other", "get svc web -o jsonpath={.spec.selector}",
    "get deploy web -o jsonpath={.spec.template.spec.containers[0]['env','resources','image']}",
    "patch deploy web -p {\"spec\":{\"paused\":true}}", "patch deploy web -p {\"spec\":{\"paused\":true}}",
    "patch deploy web --type=merge -p {\"spec\":{\"paused\":false}}",
    "patch deploy web --type=json -p [{\"op\":\"test\",\"path\":\"/spec/replicas\",\"value\":7}]",
    "patch deploy web --type=json -p [{\"op\":\"replace\",\"path\":\"/spec/minReadySeconds\",\"value\":1}]",
    "patch deploy web --subresource=scale --type=merge -p {\"spec\":{\"replicas\":1}}",
    "patch deploy web -p {\"spec\":{\"selector\":{\"matchLabels\":{\"z\":\"z\"}}}}",
    "label cm a team=a", "label cm a team=b", "label cm a team=b --overwrite", "label cm a team-", "label cm a team-",
    "annotate cm a note=x", "annotate cm a note=y", "annotate cm a note=y --overwrite", "annotate cm a note-",
    "edit cm a", "get cm a -o jsonpath={.data.y}", "edit deploy web",
    "replace -f cm1.yaml", "replace --force -f cm1.yaml", "replace -f new.yaml", "create -f cm1.yaml",
    "delete cm a --cascade=foreground", "delete cm a", "delete deploy web --cascade=orphan", "delete svc web --now",
]  # fmt: skip
CHANGING = [
    (re.compile(r"/tmp/[^ \n\t]*"), "FILE"),
    (re.compile(r"20\d\d-\d\d-\d\d[T ][^ \n\"]*( \+\d+)?"), "TIME"),
    (re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}"), "UID"),
    (re.compile(r"resourceVersion: \"\d+\""), "VERSION"),
    (re.compile(r"^(diff|---|\+\+\+|index) .*$", re.MULTILINE), "FILES"),
]
"""Of what is printed: what no two servers say alike, and the names of files that diff compares."""


def test_kubectl_says_the_same_of_both(pair: Pair, tmp_path: Path):
    pair.place("kubectl-apply")
    for name, text in (("cm1", CONFIG % 1), ("cm2", CONFIG % 2), ("deploy1", DEPLOYMENT % 1), ("svc", SERVICE),
                       ("deploy2", DEPLOYMENT % 2), ("new", CONFIG.replace("name: a", "name: new") % 1)):  # fmt: skip
        (tmp_path / f"{name}.yaml").write_text(text)
    editor = tmp_path / "editor"
    editor.write_text('#!/bin/sh\nexec sed -i \'s/^  y: "1"/  y: "edited"/\' "$1"\n')
    editor.chmod(0o755)

    def said(number: int, command: str) -> tuple[int, str]:
        words = [word.replace("\0", " ") for word in command.split(" ")]
        own = ["kubectl", "--kubeconfig", str(pair.kubeconfigs[number]), "-n", "kubectl-apply",
               "--cache-dir", str(tmp_path / f"cache{number}")]  # fmt: skip
        environ = {**os.environ, "KUBE_EDITOR": str(editor), "TMPDIR": "/tmp"}
        done = subprocess.run([*own, *words], capture_output=True, text=True, timeout=60, check=False, cwd=tmp_path,
                              env=environ)  # fmt: skip
        text = done.stdout + done.stderr
        for pattern, name in CHANGING:
            text = pattern.sub(name, text)
        return done.returncode, text

    wrong = []
    for command in COMMANDS:
        mine, theirs = (said(number, command) for number in (0, 1))
        if mine != theirs:
            wrong.append((command, mine, theirs))
    assert wrong == []
