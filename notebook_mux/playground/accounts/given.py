"""What each namespace has from its beginning: a service account and the certificate of the cluster's authority."""

from __future__ import annotations

from typing import Any

from notebook_mux.playground import managed
from notebook_mux.playground.cluster import Cluster

Json = dict[str, Any]

ACCOUNT = "default"
ROOT = "kube-root-ca.crt"
DESCRIPTION = "Contains a CA bundle that can be used to verify the kube-apiserver."
MANAGER = "kube-controller-manager"
PLACEHOLDER = "-----BEGIN CERTIFICATE-----\nMIIBplayground\n-----END CERTIFICATE-----\n"
"""In a cluster that is served by nothing, and so has no certificate."""


def give(cluster: Cluster, namespace: str) -> None:
    """Make what a namespace misses; a certificate of an earlier authority is replaced."""
    if cluster.store.get("serviceaccounts", namespace, ACCOUNT) is None:
        account = {"namespace": namespace, "name": ACCOUNT}
        cluster.create({"kind": "ServiceAccount", "apiVersion": "v1", "metadata": account})
    data = {"ca.crt": cluster.authority.decode() or PLACEHOLDER}
    stored = cluster.store.get("configmaps", namespace, ROOT)
    if stored is None:
        annotations = {"kubernetes.io/description": DESCRIPTION}
        metadata = {"name": ROOT, "namespace": namespace, "annotations": annotations}
        made: Json = {"kind": "ConfigMap", "apiVersion": "v1", "metadata": metadata, "data": data}
        managed.record(made, MANAGER, cluster.agenda.stamp(), made)
        cluster.create(made)
    elif stored.decode().get("data") != data:
        cluster.update("configmaps", namespace, ROOT, lambda obj: obj.update(data=data))
