"""What every scenario begins with: namespaces and nodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from notebook_mux.playground import managed
from notebook_mux.playground.admission.priority import system_classes
from notebook_mux.playground.clock import rfc3339_micro
from notebook_mux.playground.cluster import VERSION, Cluster
from notebook_mux.playground.controllers.containers import node_address
from notebook_mux.playground.controllers.nodes import LEASE_NAMESPACE, healthy
from notebook_mux.playground.controllers.older_endpoints import SKIP_MIRROR
from notebook_mux.playground.controllers.slices import SERVICE
from notebook_mux.playground.metrics import registration
from notebook_mux.playground.rbac import bootstrap
from notebook_mux.playground.store import Stored

Json = dict[str, Any]

DAY_S = 86_400.0
NAMESPACES = ("default", "kube-system", "kube-public", LEASE_NAMESPACE)
OS = "Ubuntu 24.04.3 LTS"
KERNEL = "6.8.0-64-generic"
RUNTIME = "containerd://2.1.3"
FIRST_ADDRESS = "172.18.0.2"
"""Of the node that would be the first one."""


@dataclass(frozen=True)
class NodePlan:
    """A node that is to be.

    Args:
        name: Its name.
        cpu: How much of it there is, as a quantity; the same for the others.
        labels: Besides those that each node has.
        taints: As in its spec.
        control_plane: Whether its role is that.
    """

    name: str
    cpu: str = "8"
    memory: str = "32874528Ki"
    pods: str = "110"
    labels: Mapping[str, str] = field(default_factory=dict)
    taints: tuple[Mapping[str, str], ...] = ()
    control_plane: bool = False


def begin(cluster: Cluster, *, nodes: int | Sequence[NodePlan], names: str = "node", age_days: float = 9.0) -> None:
    """Namespaces, nodes, storage class and the API's own service, made some days ago.

    The agenda stands at that time afterwards; `Agenda.release` lets it go on from now.
    """
    cluster.agenda.jump(cluster.agenda.now() - age_days * DAY_S)
    for name in NAMESPACES:
        namespace(cluster, name)
    bootstrap.begin(cluster)
    if isinstance(nodes, int):
        nodes = [NodePlan(f"{names}-{n + 1}", control_plane=n == 0 and nodes > 1) for n in range(nodes)]
    for number, plan in enumerate(nodes):
        node(cluster, plan, number)
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
    with cluster.apart("kubernetes"):
        _endpoints(cluster, next(map(node_address, map(Stored.decode, cluster.store.items("nodes"))), FIRST_ADDRESS))
    registration.register(cluster)


def _endpoints(cluster: Cluster, address: str) -> None:
    """Where the API server says that it is, in both forms; it keeps them itself."""
    metadata = {"name": "kubernetes", "namespace": "default"}
    ports = [{"name": "https", "port": 6443, "protocol": "TCP"}]
    make(cluster, "kube-apiserver", {
        "kind": "Endpoints", "apiVersion": "v1", "metadata": {**metadata, "labels": {SKIP_MIRROR: "true"}},
        "subsets": [{"addresses": [{"ip": address}], "ports": ports}],
    })  # fmt: skip
    make(cluster, "kube-apiserver", {
        "kind": "EndpointSlice", "apiVersion": "discovery.k8s.io/v1",
        "metadata": {**metadata, "generation": 1, "labels": {SERVICE: "kubernetes"}}, "addressType": "IPv4",
        "endpoints": [{"addresses": [address], "conditions": {"ready": True}}], "ports": ports,
    })  # fmt: skip


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


def node(cluster: Cluster, plan: NodePlan, number: int) -> None:
    """A healthy node and its lease."""
    stamp, name = cluster.agenda.stamp(), plan.name
    role = "control-plane" if plan.control_plane else "worker"
    capacity = {"cpu": plan.cpu, "memory": plan.memory, "pods": plan.pods, "ephemeral-storage": "203056560Ki"}
    usable = "32772128Ki" if plan.memory == NodePlan.memory else plan.memory
    labels = {
        "beta.kubernetes.io/arch": "amd64",
        "beta.kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
        f"node-role.kubernetes.io/{role}": "",
        "topology.kubernetes.io/zone": f"zone-{'abc'[number % 3]}",
        **plan.labels,
    }
    obj: Json = {
        "kind": "Node",
        "apiVersion": "v1",
        "metadata": {"name": name, "labels": labels, "annotations": {"node.alpha.kubernetes.io/ttl": "0"}},
        "spec": {
            "podCIDR": f"10.244.{number % 250}.0/24",
            "podCIDRs": [f"10.244.{number % 250}.0/24"],
            **({"taints": [dict(one) for one in plan.taints]} if plan.taints else {}),
        },
        "status": {
            "capacity": capacity,
            "allocatable": {**capacity, "memory": usable},
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
