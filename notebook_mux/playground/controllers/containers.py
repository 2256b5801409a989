"""The status of one container, as a kubelet writes it."""

from __future__ import annotations

import hashlib
from typing import Any

from notebook_mux.playground.cluster import Cluster

Json = dict[str, Any]

REASONS = {0: "Completed", 137: "OOMKilled"}


def node_address(node: Json) -> str:
    """A node's internal address."""
    found = (node.get("status") or {}).get("addresses") or ()
    return next((str(one["address"]) for one in found if one["type"] == "InternalIP"), "127.0.0.1")


def waiting(container: Json, state: Json) -> Json:
    """A container that has not begun."""
    return {
        "name": container["name"],
        "state": state,
        "lastState": {},
        "ready": False,
        "restartCount": 0,
        "image": container["image"],
        "imageID": "",
        "started": False,
    }


def running(cluster: Cluster, container: Json, before: Json, stamp: str) -> Json:
    """A container that has just begun; `before` is its status until now."""
    again = bool((before.get("lastState") or {}).get("terminated"))
    digest = hashlib.sha256(container["image"].encode()).hexdigest()
    repository = container["image"].rpartition(":")[0] or container["image"]
    full = repository if "/" in repository else f"docker.io/library/{repository}"
    mounts = [
        {**mount, "readOnly": True, "recursiveReadOnly": "Disabled"} if mount.get("readOnly") else dict(mount)
        for mount in container.get("volumeMounts") or ()
    ]
    found: Json = {
        "name": container["name"],
        "state": {"running": {"startedAt": stamp}},
        "lastState": before.get("lastState") or {},
        "ready": False,
        "restartCount": before.get("restartCount", 0) + (1 if again else 0),
        "image": container["image"],
        "imageID": f"{full}@sha256:{digest}",
        "containerID": f"containerd://{cluster.random.getrandbits(256):064x}",
        "started": True,
        "volumeMounts": mounts,
    }
    if requests := (container.get("resources") or {}).get("requests"):
        found |= {"allocatedResources": requests, "resources": container["resources"]}
    return found


def is_initialised(status: Json) -> bool:
    """Whether an init container holds its pod up no more: it has ended well, or is a sidecar that has started."""
    ended = status["state"].get("terminated")
    return ended["exitCode"] == 0 if ended else bool(status.get("started"))


def end(status: Json, stamp: str, *, code: int) -> None:
    """Let a container end with an exit code."""
    begun = (status["state"].get("running") or {}).get("startedAt", stamp)
    status["state"] = {
        "terminated": {
            "exitCode": code,
            "reason": REASONS.get(code, "Error"),
            "startedAt": begun,
            "finishedAt": stamp,
            "containerID": status.get("containerID", ""),
        }
    }
    status["ready"] = False
    status["started"] = False
