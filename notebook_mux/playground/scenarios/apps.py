"""Builders of the objects of an application, short enough to read a scenario by."""

from __future__ import annotations

from typing import Any

from notebook_mux.playground import defaults
from notebook_mux.playground.cluster import Cluster
from notebook_mux.playground.controllers.behaviour import BEHAVIOUR
from notebook_mux.playground.scenarios.base import make

Json = dict[str, Any]

MANAGER = "kubectl-client-side-apply"


def template(
    name: str,
    image: str,
    *,
    port: int | None = 8080,
    probe: str = "/healthz",
    behaviour: str = "",
    component: str = "",
    command: list[str] | None = None,
    extra: Json | None = None,
) -> Json:
    """A pod template as people write them: a probe, resources, some environment."""
    container: Json = {
        "name": name,
        "image": image,
        "env": [
            {"name": "LOG_LEVEL", "value": "info"},
            {"name": "POD_NAME", "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.name"}}},
        ],
        "resources": {"requests": {"cpu": "50m", "memory": "64Mi"}, "limits": {"cpu": "500m", "memory": "256Mi"}},
    }
    if command is not None:
        container["command"] = command
    if port is not None:
        asked = {"path": probe, "port": "http", "scheme": "HTTP"}
        container |= {
            "ports": [{"name": "http", "containerPort": port}],
            "readinessProbe": {"httpGet": asked, "periodSeconds": 5, "timeoutSeconds": 1, "successThreshold": 1,
                               "failureThreshold": 3},
        }  # fmt: skip
    metadata: Json = {"labels": labels(name, component)}
    if behaviour:
        metadata["annotations"] = {BEHAVIOUR: behaviour}
    return {"metadata": metadata, "spec": {"containers": [container], **(extra or {})}}


def labels(name: str, component: str = "") -> Json:
    """An application's labels."""
    found = {"app": name, "app.kubernetes.io/name": name}
    if component:
        found["app.kubernetes.io/component"] = component
    return found


def _workload(cluster: Cluster, kind: str, name: str, namespace: str, spec: Json, component: str = "") -> None:
    obj: Json = {
        "kind": kind,
        "apiVersion": "apps/v1",
        "metadata": {"name": name, "namespace": namespace, "labels": labels(name, component)},
        "spec": {"selector": {"matchLabels": {"app": name}}, **spec},
    }
    defaults.apply(f"{kind.lower()}s.apps", obj)
    make(cluster, MANAGER, obj)


def deployment(cluster: Cluster, name: str, namespace: str, image: str, replicas: int, **more: Any) -> None:
    """A deployment."""
    _workload(cluster, "Deployment", name, namespace,
              {"replicas": replicas, "template": template(name, image, **more)}, more.get("component", ""))  # fmt: skip


def stateful_set(
    cluster: Cluster, name: str, namespace: str, image: str, replicas: int, *, size: str = "8Gi", **more: Any
) -> None:
    """A stateful set with a volume for each pod."""
    pods = template(name, image, **more)
    pods["spec"]["containers"][0]["volumeMounts"] = [{"name": "data", "mountPath": "/data"}]
    claim = {
        "kind": "PersistentVolumeClaim",
        "apiVersion": "v1",
        "metadata": {"name": "data"},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": size}},
            "storageClassName": "standard",
            "volumeMode": "Filesystem",
        },
        "status": {"phase": "Pending"},
    }
    spec = {"replicas": replicas, "serviceName": name, "template": pods, "volumeClaimTemplates": [claim]}
    _workload(cluster, "StatefulSet", name, namespace, spec)


def daemon_set(cluster: Cluster, name: str, namespace: str, image: str, **more: Any) -> None:
    """A daemon set on the nodes' own network."""
    pods = template(name, image, extra={"hostNetwork": True, "tolerations": [{"operator": "Exists"}]}, **more)
    _workload(cluster, "DaemonSet", name, namespace, {"template": pods})


def service(
    cluster: Cluster, name: str, namespace: str, port: int = 80, *, kind: str = "ClusterIP", headless: bool = False,
    app: str = "", address: str = "",
) -> None:  # fmt: skip
    """A service before an application."""
    ip = "None" if headless else f"10.96.{cluster.random.randint(1, 250)}.{cluster.random.randint(1, 250)}"
    one: Json = {"name": "http", "port": port, "targetPort": 8080}
    if kind == "LoadBalancer":
        one["nodePort"] = cluster.random.randint(30000, 32767)
    obj: Json = {
        "kind": "Service",
        "apiVersion": "v1",
        "metadata": {"name": name, "namespace": namespace, "labels": labels(app or name)},
        "spec": {"type": kind, "clusterIP": ip, "clusterIPs": [ip], "selector": {"app": app or name}, "ports": [one]},
    }
    defaults.apply("services", obj)
    if address:
        obj["status"] = {"loadBalancer": {"ingress": [{"ip": address}]}}
    make(cluster, MANAGER, obj)


def config_map(cluster: Cluster, name: str, namespace: str, **data: str) -> None:
    """A config map."""
    make(cluster, MANAGER, {"kind": "ConfigMap", "apiVersion": "v1",
                            "metadata": {"name": name, "namespace": namespace}, "data": data})  # fmt: skip


def cron_job(
    cluster: Cluster, name: str, namespace: str, image: str, schedule: str, behaviour: str = "", **more: Any
) -> None:
    """A cron job."""
    pods = template(name, image, port=None, behaviour=behaviour, extra={"restartPolicy": "Never"}, **more)
    obj: Json = {
        "kind": "CronJob",
        "apiVersion": "batch/v1",
        "metadata": {"name": name, "namespace": namespace, "labels": labels(name)},
        "spec": {"schedule": schedule, "jobTemplate": {"spec": {"template": pods}}},
    }
    defaults.apply("cronjobs.batch", obj)
    make(cluster, MANAGER, obj)


def job(cluster: Cluster, name: str, namespace: str, image: str, behaviour: str, *, completions: int = 1) -> None:
    """A job that is gone a minute after its end; its name gets a random end."""
    spec: Json = {
        "completions": completions,
        "ttlSecondsAfterFinished": 60,
        "backoffLimit": 1,
        "template": template(name, image, port=None, behaviour=behaviour, extra={"restartPolicy": "Never"}),
    }
    obj: Json = {
        "kind": "Job",
        "apiVersion": "batch/v1",
        "metadata": {"generateName": f"{name}-", "namespace": namespace, "labels": labels(name)},
        "spec": spec,
    }
    defaults.apply("jobs.batch", obj)
    make(cluster, "story", obj)
