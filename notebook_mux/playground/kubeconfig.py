"""The kubeconfig of a playground's clusters."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Reach:
    """How to reach one cluster.

    Args:
        context: The name of context and cluster.
        server: Its URL.
        authority: The PEM that its certificate is checked with.
        token: The bearer token.
        namespace: Of the context.
        user: The user's name; empty is the context's.
    """

    context: str
    server: str
    authority: bytes
    token: str
    namespace: str = "default"
    user: str = ""


def text(clusters: Sequence[Reach]) -> bytes:
    """A kubeconfig with one context for each cluster, the first of them current. JSON, which is YAML too."""
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": clusters[0].context,
        "clusters": [
            {
                "name": one.context,
                "cluster": {
                    "server": one.server,
                    "certificate-authority-data": base64.b64encode(one.authority).decode(),
                },
            }
            for one in clusters
        ],
        "users": [{"name": one.user or one.context, "user": {"token": one.token}} for one in clusters],
        "contexts": [
            {
                "name": one.context,
                "context": {"cluster": one.context, "user": one.user or one.context, "namespace": one.namespace},
            }
            for one in clusters
        ],
    }
    return json.dumps(config, indent=1).encode() + b"\n"
