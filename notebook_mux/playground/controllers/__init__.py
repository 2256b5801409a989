"""What makes a cluster alive: small versions of the control loops of a real one.

Each watches the store and brings what is nearer to what is wanted, as often as something changes: `workloads` (in
`deployments`, `replicasets`, `statefulsets`, `daemonsets`), `jobs`, `scheduler`, `kubelet`, `nodes`, `endpoints`,
`garbage`, `autoscaler`.
"""

from __future__ import annotations

from notebook_mux.playground.accounts.controller import Accounts
from notebook_mux.playground.cluster import Cluster
from notebook_mux.playground.controllers.autoscaler import Autoscaler
from notebook_mux.playground.controllers.base import Controller
from notebook_mux.playground.controllers.counters import Counters
from notebook_mux.playground.controllers.cronjobs import CronJobs
from notebook_mux.playground.controllers.daemonsets import DaemonSets
from notebook_mux.playground.controllers.deployments import Deployments
from notebook_mux.playground.controllers.disruption import Disruption
from notebook_mux.playground.controllers.endpoints import EndpointSlices
from notebook_mux.playground.controllers.garbage import Garbage, Namespaces
from notebook_mux.playground.controllers.jobs import Jobs
from notebook_mux.playground.controllers.kubelet import Kubelet
from notebook_mux.playground.controllers.nodes import Nodes
from notebook_mux.playground.controllers.older_endpoints import EndpointsMirroring
from notebook_mux.playground.controllers.quotas import ResourceQuotas
from notebook_mux.playground.controllers.recorder import Recorder
from notebook_mux.playground.controllers.replicasets import ReplicaSets, ReplicationControllers
from notebook_mux.playground.controllers.scheduler import Scheduler
from notebook_mux.playground.controllers.statefulsets import StatefulSets
from notebook_mux.playground.controllers.taints import PodGarbage, TaintEviction
from notebook_mux.playground.controllers.volumes.claims import Claims
from notebook_mux.playground.controllers.volumes.released import Volumes
from notebook_mux.playground.crds.lifecycle import Definitions
from notebook_mux.playground.csr.controller import CertificateRequests
from notebook_mux.playground.rbac.aggregation import Aggregation
from notebook_mux.playground.shell.starting import Programs

ALL: tuple[type[Controller], ...] = (
    Namespaces,
    Accounts,
    Definitions,
    Aggregation,
    Garbage,
    ResourceQuotas,
    Deployments,
    ReplicaSets,
    ReplicationControllers,
    StatefulSets,
    DaemonSets,
    CronJobs,
    Jobs,
    Claims,
    Volumes,
    Scheduler,
    Kubelet,
    Programs,
    Nodes,
    TaintEviction,
    PodGarbage,
    Disruption,
    EndpointSlices,
    EndpointsMirroring,
    Autoscaler,
    CertificateRequests,
    Counters,
)


def start(cluster: Cluster, controllers: tuple[type[Controller], ...] = ALL) -> Recorder:
    """Start controllers in a cluster; returns what records its events."""
    recorder = Recorder(cluster)
    for controller in controllers:
        controller(cluster, recorder).start()
    return recorder


__all__ = ["ALL", "Controller", "Recorder", "start"]
