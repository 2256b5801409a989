"""Kubeconfigs of a control plane, and who the server says that we and kubectl are by them."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
from pathlib import Path
from typing import Any

from notebook_mux.gateway.cluster import Clusters
from notebook_mux.gateway.kubeconfig import load
from tests.testbed import build
from tests.testbed.control_plane import ControlPlane

REVIEWS = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
REVIEW = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}


def write(plane: ControlPlane, path: Path, user: dict[str, Any] | None = None, **cluster: Any) -> Path:
    """A kubeconfig of the control plane; its administrator's certificate where `user` has no other login."""
    path.parent.mkdir(parents=True, exist_ok=True)
    plane.write_kubeconfig(path)
    config = json.loads(path.read_text())
    for entry, fields in ((config["clusters"][0]["cluster"], cluster), (config["users"][0]["user"], user or {})):
        for key in list(entry):
            if entry[key].startswith("/"):
                (path.parent / Path(entry[key]).name).write_bytes(Path(entry[key]).read_bytes())
                entry[key] = Path(entry[key]).name
        if {"exec", "tokenFile", "auth-provider"} & set(fields):
            entry.clear()
        entry.update(fields)
    path.write_text(json.dumps(config))
    return path


async def kubectl(path: Path, *words: str, **env: str) -> Any:
    """What kubectl prints with a kubeconfig, run in its folder."""
    command = [str(build.control_plane_binary()), "kubectl", *words, "-o", "json"]
    given = {"KUBECONFIG": str(path), "HOME": str(path.parent), "PATH": os.environ["PATH"], **env}
    done = await asyncio.to_thread(
        subprocess.run, command, env=given, cwd="/", capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


async def whoami(clusters: Clusters, path: Path, **env: str) -> Any:
    """Who the server says that we are."""
    [context] = load([path], None, {"PATH": os.environ["PATH"], "HOME": str(path.parent), **env})
    answer = await clusters.add(context).request(
        "POST", REVIEWS, headers={"Content-Type": "application/json"}, body=json.dumps(REVIEW)
    )
    assert answer.status == 201, answer.body
    return json.loads(answer.body)["status"]["userInfo"]
