"""The status of one container, as a kubelet writes it."""

from __future__ import annotations

from typing import Any

from notebook_mux.playground.cluster import Cluster
from notebook_mux.playground.controllers import images

Json = dict[str, Any]

REASONS = {0: "Completed"}
START_ERROR = 128
"""The exit code of a container that could not be started."""


def node_address(node: Json) -> str:
    """A node's internal address."""
    found = (node.get("status") or {}).get("addresses") or ()
    return next((str(one["address"]) for one in found if one["type"] == "InternalIP"), "127.0.0.1")


def waiting(container: Json, state: Json) -> Json:
    """A container that has not begun."""
    found: Json = {
        "name": container["name"],
        "state": state,
        "lastState": {},
        "ready": False,
        "restartCount": 0,
        "image": container["image"],
        "imageID": "",
        "started": False,
    }
    if mounts := _mounts(container):
        found["volumeMounts"] = mounts
    return found


def running(cluster: Cluster, container: Json, before: Json, stamp: str) -> Json:
    """A container that has just begun; `before` is its status until now."""
    ended = (before.get("state") or {}).get("terminated")
    last = {"terminated": ended} if ended else before.get("lastState") or {}
    found: Json = {
        "name": container["name"],
        "state": {"running": {"startedAt": stamp}},
        "lastState": last,
        "ready": False,
        "restartCount": before.get("restartCount", 0) + (1 if last.get("terminated") else 0),
        "image": images.full(container["image"]),
        "imageID": images.identity(container["image"]),
        "containerID": f"containerd://{cluster.random.getrandbits(256):064x}",
        "started": True,
        "resources": container.get("resources") or {},
        "user": {"linux": user(container)},
    }
    if mounts := _mounts(container):
        found["volumeMounts"] = mounts
    if requests := (container.get("resources") or {}).get("requests"):
        found["allocatedResources"] = requests
    return found


def user(container: Json) -> Json:
    """Whom a container runs as."""
    said = container.get("securityContext") or {}
    group = said.get("runAsGroup", 0)
    return {"uid": said.get("runAsUser", 0), "gid": group, "supplementalGroups": [group]}


def _mounts(container: Json) -> list[Json]:
    return [
        {
            "name": mount["name"],
            "mountPath": mount["mountPath"],
            **({"readOnly": True, "recursiveReadOnly": "Disabled"} if mount.get("readOnly") else {}),
        }
        for mount in container.get("volumeMounts") or ()
    ]


def end(status: Json, stamp: str, *, code: int, reason: str = "", message: str = "") -> None:
    """Let a container end with an exit code.

    Args:
        reason: Its reason where it is not the exit code's: ``OOMKilled``, ``StartError``.
        message: Its last words.
    """
    begun = (status["state"].get("running") or {}).get("startedAt", stamp)
    status["state"] = {
        "terminated": {
            "exitCode": code,
            "reason": reason or REASONS.get(code, "Error"),
            **({"message": message} if message else {}),
            "startedAt": begun,
            "finishedAt": stamp,
            "containerID": status.get("containerID", ""),
        }
    }
    status["ready"] = False
    status["started"] = False
