"""ServiceAccount: each pod runs as one of its namespace's accounts, and gets a volume with the account's token."""

from __future__ import annotations

from typing import Any

from notebook_mux.playground.admission.base import Request
from notebook_mux.playground.cluster import Cluster

Json = dict[str, Any]

MOUNT_PATH = "/var/run/secrets/kubernetes.io/serviceaccount"
VOLUME = "kube-api-access-"
TOKEN_SECONDS = 3607
"""An hour, and seven seconds by which a server knows a token that was asked for by this volume."""
FILE_MODE = 0o644
MIRROR = "kubernetes.io/config.mirror"


def fill(request: Request) -> None:
    """Name a new pod's account, and mount its token.

    Raises:
        ApiError: 403; there is no such account.
    """
    if not request.is_new("pods") or MIRROR in (request.obj["metadata"].get("annotations") or {}):
        return
    spec = request.obj["spec"]
    if not spec.get("serviceAccountName"):
        spec["serviceAccountName"] = spec["serviceAccount"] = "default"
    account = _account(request)
    automount = spec.get("automountServiceAccountToken", account.get("automountServiceAccountToken", True))
    if automount:
        mount_token(request.cluster, spec)
    if not spec.get("imagePullSecrets") and account.get("imagePullSecrets"):
        spec["imagePullSecrets"] = [{"name": one.get("name", "")} for one in account["imagePullSecrets"]]


def check(request: Request) -> None:
    """Refuse a new pod whose account is not there.

    Raises:
        ApiError: 403.
    """
    if request.is_new("pods") and MIRROR not in (request.obj["metadata"].get("annotations") or {}):
        _account(request)


def _account(request: Request) -> Json:
    name = str(request.obj["spec"]["serviceAccountName"])
    found = request.cluster.get("serviceaccounts", request.namespace, name)
    if found is None:
        # An account is looked for by its kind's name in the singular; clients see it so.
        where = f"error looking up service account {request.namespace}/{name}"
        raise request.refusal(f'{where}: serviceaccount "{name}" not found')
    return found


def mount_token(cluster: Cluster, spec: Json) -> None:
    """Add the volume with the token, and its mount in each container that has nothing at that place. Twice is once."""
    volumes = spec.get("volumes") or []
    there = next((one["name"] for one in volumes if str(one.get("name", "")).startswith(VOLUME)), None)
    name = there or f"{VOLUME}{cluster.suffix()}"
    mount = {"name": name, "readOnly": True, "mountPath": MOUNT_PATH}
    needed = False
    for kind in ("initContainers", "containers"):
        for container in spec.get(kind) or ():
            mounts = container.get("volumeMounts") or []
            if any(one.get("mountPath") == MOUNT_PATH for one in mounts):
                continue
            container["volumeMounts"] = [*mounts, dict(mount)]
            needed = True
    if needed and there is None:
        spec["volumes"] = [*volumes, {"name": name, "projected": _projection()}]


def _projection() -> Json:
    namespace = {"path": "namespace", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}
    return {
        "sources": [
            {"serviceAccountToken": {"expirationSeconds": TOKEN_SECONDS, "path": "token"}},
            {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
            {"downwardAPI": {"items": [namespace]}},
        ],
        "defaultMode": FILE_MODE,
    }
