"""Objects whose printed cells are compared with the real server's: each with a status of its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from notebook_mux.playground.kinds import Kinds

Json = dict[str, Any]

LONG_AGO = "2024-01-05T10:00:00Z"
SOON_AFTER = "2024-01-05T10:00:42Z"


def path_of(resource: str, namespace: str = "") -> str:
    """A collection's path."""
    kind = Kinds().of(resource)
    root = f"/apis/{kind.group}/{kind.version}" if kind.group else f"/api/{kind.version}"
    return f"{root}/namespaces/{namespace}/{kind.plural}" if namespace and kind.namespaced else f"{root}/{kind.plural}"


def _of(api_version: str, kind: str, name: str, **rest: Any) -> Json:
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": name}, **rest}


def container(name: str, image: str = "a", **more: Any) -> Json:
    return {"name": name, "image": image, **more}


def pod(name: str, *containers: Json, **spec: Any) -> Json:
    """A pod that no scheduler touches."""
    found = list(containers) or [container("a")]
    return _of("v1", "Pod", name, spec={"schedulerName": "nobody", "containers": found, **spec})


def deployment(name: str, *, replicas: int = 1, selector: Json | None = None) -> Json:
    template = {"metadata": {"labels": {"app": name}}, "spec": {"containers": [container(name)]}}
    spec = {"replicas": replicas, "selector": selector or {"matchLabels": {"app": name}}, "template": template}
    return _of("apps/v1", "Deployment", name, spec=spec)


def _state(
    name: str, state: Json, *, ready: bool = False, restarts: int = 0, last: Json | None = None, **more: Any
) -> Json:
    return {"name": name, "image": "a", "imageID": "", "ready": ready, "restartCount": restarts, "state": state,
            "lastState": last or {}, **more}  # fmt: skip


RUNNING = {"running": {"startedAt": LONG_AGO}}
CONDITION = {"lastProbeTime": None, "lastTransitionTime": LONG_AGO}


def _ended(code: int, reason: str = "", signal: int = 0) -> Json:
    found: Json = {"exitCode": code, "startedAt": LONG_AGO, "finishedAt": SOON_AFTER}
    if reason:
        found["reason"] = reason
    if signal:
        found["signal"] = signal
    return {"terminated": found}


def _wait(reason: str = "") -> Json:
    return {"waiting": {"reason": reason} if reason else {}}


def _is(kind: str, value: str = "True", **more: Any) -> Json:
    return {"type": kind, "status": value, **CONDITION, **more}


def pods() -> Iterator[tuple[Json, Json]]:
    """Pods in all states that change what is printed."""
    two = (container("a"), container("b", "b:1"))
    init = {"initContainers": [container("i1"), container("i2")]}
    sidecar = {"initContainers": [container("s", restartPolicy="Always"), container("i")]}
    done = _ended(0, "Completed")
    ready = [_is("Ready"), _is("Initialized")]
    yield pod("pending"), {}
    runs = [_state("a", RUNNING, ready=True)]
    yield pod("running"), {"phase": "Running", "conditions": ready, "containerStatuses": runs,
                           "podIP": "10.1.2.3", "podIPs": [{"ip": "10.1.2.3"}]}  # fmt: skip
    yield pod("creating"), {"containerStatuses": [_state("a", _wait("ContainerCreating"))]}
    yield pod("crashing"), {"phase": "Running",
                            "containerStatuses": [_state("a", _wait("CrashLoopBackOff"), restarts=7,
                                                         last=_ended(1, "Error"))]}  # fmt: skip
    yield (
        pod("restarted-unknown"),
        {"phase": "Running", "containerStatuses": [_state("a", RUNNING, ready=True, restarts=3)]},
    )
    yield pod("two-first-wins", *two), {"phase": "Running", "containerStatuses": [
        _state("a", _wait("ErrImagePull")), _state("b", _wait("ImagePullBackOff"))]}  # fmt: skip
    yield pod("one-done-ready", *two), {"phase": "Running", "conditions": ready, "containerStatuses": [
        _state("a", _ended(0, "Completed")), _state("b", RUNNING, ready=True)]}  # fmt: skip
    yield pod("one-done-not-ready", *two), {"phase": "Running", "containerStatuses": [
        _state("a", _ended(0, "Completed")), _state("b", RUNNING, ready=True)]}  # fmt: skip
    yield pod("one-done-one-failed", *two), {"phase": "Running", "containerStatuses": [
        _state("a", _ended(0, "Completed")), _state("b", _ended(2, "Error"))]}  # fmt: skip
    yield pod("succeeded"), {"phase": "Succeeded", "containerStatuses": [_state("a", _ended(0, "Completed"))]}
    yield pod("failed"), {"phase": "Failed", "containerStatuses": [_state("a", _ended(3))]}
    yield pod("signalled"), {"phase": "Failed", "containerStatuses": [_state("a", _ended(0, signal=9))]}
    yield pod("evicted"), {"phase": "Failed", "reason": "Evicted", "message": "low on memory"}
    yield pod("gated"), {"conditions": [_is("PodScheduled", "False", reason="SchedulingGated")]}
    yield pod("nominated"), {"nominatedNodeName": "node-x"}
    gates = {"readinessGates": [{"conditionType": "x/one"}, {"conditionType": "x/two"}]}
    yield pod("gates", **gates), {"phase": "Running", "conditions": [_is("x/one"), _is("x/two", "False")]}
    for name, state in (
        ("waits", _wait("PodInitializing")), ("reason", _wait("CrashLoopBackOff")), ("runs", RUNNING),
        ("fails", _ended(1)), ("killed", _ended(1, signal=9)), ("error", _ended(1, "Error")),
    ):  # fmt: skip
        yield pod(f"init-{name}", **init), {"initContainerStatuses": [
            _state("i1", done, ready=True), _state("i2", state, restarts=2, last=_ended(1, "Error"))]}  # fmt: skip
    yield pod("init-first", **init), {"initContainerStatuses": [_state("i1", _wait()), _state("i2", _wait())]}
    yield pod("init-done", **init), {"phase": "Running", "conditions": ready,
        "initContainerStatuses": [_state("i1", done, restarts=4), _state("i2", done)],
        "containerStatuses": [_state("a", RUNNING, ready=True)]}  # fmt: skip
    yield pod("sidecar-ready", **sidecar), {"phase": "Running", "conditions": ready,
        "initContainerStatuses": [_state("s", RUNNING, ready=True, started=True, restarts=2, last=_ended(1, "Error")),
                                  _state("i", _ended(0, "Completed"))],
        "containerStatuses": [_state("a", RUNNING, ready=True, restarts=1)]}  # fmt: skip
    yield pod("sidecar-starts", **sidecar), {"initContainerStatuses": [_state("s", RUNNING), _state("i", _wait())]}
    yield pod("initialized-again", **init), {"phase": "Running", "conditions": ready,
        "initContainerStatuses": [_state("i1", _wait("PodInitializing")), _state("i2", _wait())],
        "containerStatuses": [_state("a", RUNNING, ready=True)]}  # fmt: skip


def workloads() -> Iterator[tuple[str, Json, Json]]:
    """Kinds with pod templates, as no controller would leave them for long."""
    expressions: Json = {
        "matchLabels": {"app": "odd", "b": "2"},
        "matchExpressions": [
            {"key": "tier", "operator": "In", "values": ["y", "x"]},
            {"key": "a", "operator": "DoesNotExist"},
            {"key": "z", "operator": "Exists"},
            {"key": "m", "operator": "NotIn", "values": ["q"]},
        ],
    }
    odd = deployment("odd", replicas=0, selector=expressions)
    odd["spec"]["template"]["metadata"]["labels"] |= {"b": "2", "tier": "x", "z": "", "m": "n"}
    odd["spec"]["paused"] = True
    odd["spec"]["template"]["spec"]["containers"].append(container("second", "reg.example/x:1"))
    yield "deployments.apps", odd, {}
    never = {"nodeSelector": {"no": "such-node"}}
    lonely = {"metadata": {"labels": {"app": "lonely"}}, "spec": {"containers": [container("a")], **never}}
    selector = {"matchLabels": {"app": "lonely"}}
    yield "replicasets.apps", _of("apps/v1", "ReplicaSet", "lonely", spec={
        "replicas": 0, "selector": selector, "template": lonely}), {}  # fmt: skip
    yield "statefulsets.apps", _of("apps/v1", "StatefulSet", "lonely", spec={
        "replicas": 0, "serviceName": "x", "selector": selector, "template": lonely}), {}  # fmt: skip
    yield "daemonsets.apps", _of("apps/v1", "DaemonSet", "lonely", spec={"selector": selector, "template": lonely}), {}
    job = {"template": {"spec": {"restartPolicy": "Never", "containers": [container("a")]}}, "suspend": True}
    yield "cronjobs.batch", _of("batch/v1", "CronJob", "plain", spec={
        "schedule": "0 3 1 1 *", "jobTemplate": {"spec": job}}), {}  # fmt: skip
    yield "cronjobs.batch", _of("batch/v1", "CronJob", "zoned", spec={
        "schedule": "@yearly", "timeZone": "Europe/Berlin", "suspend": True, "jobTemplate": {"spec": job}}), {
        "lastScheduleTime": LONG_AGO}  # fmt: skip
    cpu = {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}}}
    memory = {
        "type": "Resource",
        "resource": {"name": "memory", "target": {"type": "AverageValue", "averageValue": "64Mi"}},
    }
    other = {"type": "Pods", "pods": {"metric": {"name": "x"}, "target": {"type": "AverageValue", "averageValue": "5"}}}
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "nope"}
    for name, metrics in (("one", [cpu]), ("three", [cpu, memory, other]), ("pods", [other])):
        yield "horizontalpodautoscalers.autoscaling", _of("autoscaling/v2", "HorizontalPodAutoscaler", name, spec={
            "scaleTargetRef": target, "minReplicas": 2, "maxReplicas": 9, "metrics": metrics}), {}  # fmt: skip
    yield "poddisruptionbudgets.policy", _of("policy/v1", "PodDisruptionBudget", "least", spec={
        "minAvailable": "50%", "selector": selector}), {}  # fmt: skip


def network() -> Iterator[tuple[str, Json, Json]]:
    """Services and what is before and behind them."""
    tcp = {"name": "a", "port": 80, "protocol": "TCP"}
    yield "services", _of("v1", "Service", "headless", spec={
        "clusterIP": "None", "selector": {"b": "2", "a": "1"}, "ports": [tcp]}), {}  # fmt: skip
    yield "services", _of("v1", "Service", "named", spec={"type": "ExternalName", "externalName": "db.example.com"}), {}
    yield "services", _of("v1", "Service", "no-ports", spec={"clusterIP": "None"}), {}
    yield "services", _of("v1", "Service", "external", spec={
        "clusterIP": "None", "externalIPs": ["203.0.113.2", "203.0.113.1"],
        "ports": [tcp, {"name": "b", "port": 53, "protocol": "UDP"}]}), {}  # fmt: skip
    endpoint = {"addresses": ["10.0.0.1", "10.0.0.2"]}
    slices: list[Json] = [
        {"endpoints": [], "ports": []},
        {"endpoints": [endpoint], "ports": [{"name": "a", "port": 80}]},
        {"endpoints": [endpoint, {"addresses": ["10.0.0.3", "10.0.0.4"]}],
         "ports": [{"name": f"p{n}", "port": 80 + n} for n in range(5)]},
    ]  # fmt: skip
    for number, spec in enumerate(slices):
        made = _of("discovery.k8s.io/v1", "EndpointSlice", f"slice-{number}", addressType="IPv4", **spec)
        yield "endpointslices.discovery.k8s.io", made, {}
    backend = {"service": {"name": "x", "port": {"number": 80}}}
    paths = {"http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}}
    hosts = [[], ["a.example"], ["a.example", "b.example", "c.example", "d.example", "e.example"]]
    for number, names in enumerate(hosts):
        rules = [{"host": name, **paths} for name in names]
        spec = {"rules": rules} if rules else {"defaultBackend": backend}
        if number == 1:
            spec |= {"ingressClassName": "nginx", "tls": [{"hosts": ["a.example"]}]}
        yield "ingresses.networking.k8s.io", _of("networking.k8s.io/v1", "Ingress", f"in-{number}", spec=spec), {
            "loadBalancer": {"ingress": [{"ip": "203.0.113.9"}, {"hostname": "a.example"}]}}  # fmt: skip
    yield "networkpolicies.networking.k8s.io", _of("networking.k8s.io/v1", "NetworkPolicy", "all", spec={
        "podSelector": {}, "policyTypes": ["Ingress"]}), {}  # fmt: skip


def small() -> Iterator[tuple[str, Json, Json]]:
    """Everything else."""
    yield "configmaps", _of("v1", "ConfigMap", "c", data={"a": "1"}, binaryData={"b": "AA=="}), {}
    yield "configmaps", _of("v1", "ConfigMap", "none"), {}
    yield "secrets", _of("v1", "Secret", "s", type="Opaque", data={"a": "AA=="}), {}
    yield "serviceaccounts", _of("v1", "ServiceAccount", "s"), {}
    claim = {"accessModes": ["ReadWriteMany", "ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}},
             "storageClassName": "slow"}  # fmt: skip
    yield (
        "persistentvolumeclaims",
        _of("v1", "PersistentVolumeClaim", "unbound", spec={**claim, "volumeMode": "Block"}),
        {},
    )
    about = {"kind": "Pod", "namespace": "cells", "name": "x", "fieldPath": "spec.containers{a}"}
    yield "events", _of("v1", "Event", "old", involvedObject=about, reason="R", message="  hello\n", type="Warning",
                        count=4, firstTimestamp=LONG_AGO, lastTimestamp=SOON_AFTER,
                        source={"component": "kubelet", "host": "n1"}), {}  # fmt: skip
    pods = {"kind": "Pod", "namespace": "cells"}
    yield "events", _of("v1", "Event", "new", involvedObject=pods, reason="R", type="Normal",
                        message="m", eventTime="2024-01-05T10:00:00.000000Z", reportingComponent="c", action="A",
                        reportingInstance="i",
                        series={"count": 9, "lastObservedTime": "2024-01-05T11:00:00.000000Z"}), {}  # fmt: skip
    yield "storageclasses.storage.k8s.io", _of("storage.k8s.io/v1", "StorageClass", "contract", provisioner="p",
                                               allowVolumeExpansion=True, reclaimPolicy="Retain"), {}  # fmt: skip
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"}
    subjects = [{"kind": "User", "name": "u1"}, {"kind": "Group", "name": "g"}, {"kind": "User", "name": "u2"},
                {"kind": "ServiceAccount", "name": "s", "namespace": "n"}]  # fmt: skip
    group = "rbac.authorization.k8s.io"
    binding = _of(f"{group}/v1", "RoleBinding", "b", roleRef=role, subjects=subjects)
    yield f"rolebindings.{group}", binding, {}
    yield "leases.coordination.k8s.io", _of("coordination.k8s.io/v1", "Lease", "l", spec={"holderIdentity": "me"}), {}
    yield "priorityclasses.scheduling.k8s.io", _of("scheduling.k8s.io/v1", "PriorityClass", "contract", value=7,
                                                   preemptionPolicy="Never"), {}  # fmt: skip


def printed() -> Iterator[tuple[str, Json, Json]]:
    """Resource, object, and the status to give it."""
    for obj, status in pods():
        yield "pods", obj, status
    yield from workloads()
    yield from network()
    yield from small()
