"""What every scenario begins with: namespaces and nodes."""

from __future__ import annotations

from typing import Any

from notebook_mux.playground import managed
from notebook_mux.playground.admission.priority import system_classes
from notebook_mux.playground.clock import rfc3339_micro
from notebook_mux.playground.cluster import VERSION, Cluster
from notebook_mux.playground.controllers.nodes import LEASE_NAMESPACE, healthy
from notebook_mux.playground.metrics import registration
from notebook_mux.playground.rbac import bootstrap

Json = dict[str, Any]

DAY_S = 86_400.0
NAMESPACES = ("default", "kube-system", "kube-public", LEASE_NAMESPACE)
OS = "Ubuntu 24.04.3 LTS"
KERNEL = "6.8.0-64-generic"
RUNTIME = "containerd://2.1.3"


def begin(cluster: Cluster, *, nodes: int, names: str = "node", age_days: float = 9.0) -> None:
    """Namespaces, nodes, storage class and the API's own service, made some days ago.

    The agenda stands at that time afterwards; `Agenda.release` lets it go on from now.
    """
    cluster.agenda.jump(cluster.agenda.now() - age_days * DAY_S)
    for name in NAMESPACES:
        namespace(cluster, name)
    bootstrap.begin(cluster)
    for number in range(nodes):
        node(cluster, f"{names}-{number + 1}", number, control_plane=number == 0 and nodes > 1)
    for priority in system_classes():
        make(cluster, "kube-apiserver", priority)
    cluster.create(
        {
            "kind": "StorageClass",
            "apiVersion": "storage.k8s.io/v1",
            "metadata": {
                "name": "standard",
                "annotations": {"storageclass.kubernetes.io/is-default-class": "true"},
            },
            "provisioner": "rancher.io/local-path",
            "reclaimPolicy": "Delete",
            "volumeBindingMode": "WaitForFirstConsumer",
        }
    )
    kubernetes = {
        "kind": "Service",
        "apiVersion": "v1",
        "metadata": {
            "name": "kubernetes",
            "namespace": "default",
            "labels": {"component": "apiserver", "provider": "kubernetes"},
        },
        "spec": {
            "clusterIP": "10.96.0.1",
            "clusterIPs": ["10.96.0.1"],
            "internalTrafficPolicy": "Cluster",
            "ipFamilies": ["IPv4"],
            "ipFamilyPolicy": "SingleStack",
            "ports": [{"name": "https", "port": 443, "protocol": "TCP", "targetPort": 6443}],
            "sessionAffinity": "None",
            "type": "ClusterIP",
        },
        "status": {"loadBalancer": {}},
    }
    make(cluster, "kube-apiserver", kubernetes)
    registration.register(cluster)


def make(cluster: Cluster, manager: str, obj: Json) -> None:
    """Create an object with its managedFields."""
    parts = {key: value for key, value in obj.items() if key != "status"}
    managed.record(obj, manager, cluster.agenda.stamp(), parts)
    cluster.create(obj)


def namespace(cluster: Cluster, name: str, **labels: str) -> None:
    """A namespace."""
    make(
        cluster,
        "kube-apiserver",
        {
            "kind": "Namespace",
            "apiVersion": "v1",
            "metadata": {"name": name, "labels": {"kubernetes.io/metadata.name": name, **labels}},
            "spec": {"finalizers": ["kubernetes"]},
            "status": {"phase": "Active"},
        },
    )


def node(cluster: Cluster, name: str, number: int, *, control_plane: bool = False) -> None:
    """A healthy node and its lease."""
    stamp = cluster.agenda.stamp()
    role = "control-plane" if control_plane else "worker"
    capacity = {"cpu": "8", "memory": "32874528Ki", "pods": "110", "ephemeral-storage": "203056560Ki"}
    labels = {
        "beta.kubernetes.io/arch": "amd64",
        "beta.kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
        f"node-role.kubernetes.io/{role}": "",
        "topology.kubernetes.io/zone": f"zone-{'abc'[number % 3]}",
    }
    obj: Json = {
        "kind": "Node",
        "apiVersion": "v1",
        "metadata": {"name": name, "labels": labels, "annotations": {"node.alpha.kubernetes.io/ttl": "0"}},
        "spec": {"podCIDR": f"10.244.{number % 250}.0/24", "podCIDRs": [f"10.244.{number % 250}.0/24"]},
        "status": {
            "capacity": capacity,
            "allocatable": {**capacity, "memory": "32772128Ki"},
            "conditions": healthy(stamp),
            "addresses": [
                {"type": "InternalIP", "address": f"172.18.{number // 250}.{number % 250 + 2}"},
                {"type": "Hostname", "address": name},
            ],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
            "nodeInfo": {
                "machineID": f"{cluster.random.getrandbits(128):032x}",
                "systemUUID": cluster.uid(),
                "bootID": cluster.uid(),
                "kernelVersion": KERNEL,
                "osImage": OS,
                "containerRuntimeVersion": RUNTIME,
                "kubeletVersion": VERSION,
                "kubeProxyVersion": "",
                "operatingSystem": "linux",
                "architecture": "amd64",
            },
            "images": [],
        },
    }
    managed.record(obj, "kubelet", stamp, {"metadata": obj["metadata"]})
    managed.record(obj, "kubelet", stamp, {"status": obj["status"]}, subresource="status")
    made = cluster.create(obj)
    lease: Json = {
        "kind": "Lease",
        "apiVersion": "coordination.k8s.io/v1",
        "metadata": {
            "name": name,
            "namespace": LEASE_NAMESPACE,
            "ownerReferences": [{"apiVersion": "v1", "kind": "Node", "name": name, "uid": made.uid}],
        },
        "spec": {"holderIdentity": name, "leaseDurationSeconds": 40, "renewTime": rfc3339_micro(cluster.agenda.now())},
    }
    make(cluster, "kubelet", lease)
