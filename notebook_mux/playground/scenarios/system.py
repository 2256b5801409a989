"""What runs in ``kube-system`` of a cluster that somebody set up."""

from __future__ import annotations

from notebook_mux.playground.cluster import Cluster
from notebook_mux.playground.scenarios import apps


def make(cluster: Cluster) -> None:
    """DNS, the nodes' proxies and the metrics server."""
    apps.deployment(cluster, "coredns", "kube-system", "registry.k8s.io/coredns/coredns:v1.12.1", 2)
    apps.daemon_set(cluster, "kube-proxy", "kube-system", "registry.k8s.io/kube-proxy:v1.37.2", port=None)
    apps.deployment(cluster, "metrics-server", "kube-system", "registry.k8s.io/metrics-server/metrics-server:v0.8.0", 1)
    apps.service(cluster, "kube-dns", "kube-system", 53, app="coredns")
