"""``first-look``: a small cluster in which something happens every few seconds."""

from __future__ import annotations

import base64
from collections.abc import Callable
from functools import partial
from typing import Any

from notebook_mux.playground import controllers
from notebook_mux.playground.cluster import Cluster
from notebook_mux.playground.controllers.nodes import SILENT
from notebook_mux.playground.controllers.parts import begin_deletion, is_active
from notebook_mux.playground.scenarios import Settings, apps, backups, base, system
from notebook_mux.playground.scenarios.apps import MANAGER
from notebook_mux.playground.scenarios.stories import Told

Json = dict[str, Any]

HOUR_S = 3600.0
MINUTE_S = 60.0
SETTLE_S = 45.0
"""Simulated, for what was created to run: the slowest is a stateful set of three, one after the other."""

SILENCE_S = 25.0
"""How long a node stays away; long enough to be seen, too short for its pods to be moved (300 s)."""


def build(cluster: Cluster, settings: Settings) -> None:
    """Fill the cluster as if it had grown for days, then plan its story."""
    begin = cluster.agenda.now()
    base.begin(cluster, nodes=3, names="demo-node")
    controllers.start(cluster)
    _system(cluster)
    cluster.agenda.step(SETTLE_S)
    cluster.agenda.jump(begin - 26 * HOUR_S)
    _monitoring(cluster)
    cluster.agenda.step(SETTLE_S)
    cluster.agenda.jump(begin - 3 * HOUR_S)
    _shop(cluster)
    cluster.agenda.step(SETTLE_S)
    cluster.agenda.jump(begin - 7 * MINUTE_S)
    _default(cluster)
    cluster.agenda.step(7 * MINUTE_S)
    cluster.agenda.release()
    if not settings.still:
        Story(cluster).begin()


def _system(cluster: Cluster) -> None:
    system.make(cluster)
    base.make(
        cluster,
        "kube-apiserver",
        {
            "kind": "PriorityClass",
            "apiVersion": "scheduling.k8s.io/v1",
            "metadata": {"name": "system-node-critical"},
            "value": 2000001000,
            "preemptionPolicy": "PreemptLowerPriority",
        },
    )


def _monitoring(cluster: Cluster) -> None:
    base.namespace(cluster, "monitoring")
    backups.define(cluster)
    apps.stateful_set(cluster, "prometheus", "monitoring", "quay.io/prometheus/prometheus:v3.5.0", 1, size="20Gi")
    apps.deployment(cluster, "grafana", "monitoring", "grafana/grafana:12.1.0", 1)
    apps.daemon_set(cluster, "node-exporter", "monitoring", "quay.io/prometheus/node-exporter:v1.9.1")
    apps.service(cluster, "prometheus", "monitoring", 9090)
    apps.service(cluster, "grafana", "monitoring", 3000)
    apps.config_map(cluster, "prometheus", "monitoring", **{"prometheus.yml": "global:\n  scrape_interval: 15s\n"})


def _shop(cluster: Cluster) -> None:
    base.namespace(cluster, "shop", team="checkout")
    apps.deployment(cluster, "storefront", "shop", "ghcr.io/example/storefront:2.14.0", 3, component="frontend")
    apps.deployment(cluster, "checkout", "shop", "ghcr.io/example/checkout:1.8.3", 2, component="backend")
    apps.deployment(cluster, "cart", "shop", "ghcr.io/example/cart:0.31.0", 2, component="backend")
    apps.stateful_set(cluster, "db", "shop", "postgres:17.5", 3)
    for name in ("checkout", "cart"):
        apps.service(cluster, name, "shop", 8080)
    apps.service(cluster, "storefront", "shop", 80, kind="LoadBalancer", address="203.0.113.20")
    apps.service(cluster, "db", "shop", 5432, headless=True)
    apps.config_map(cluster, "storefront", "shop", theme="autumn", currency="EUR")
    secret = {"password": base64.b64encode(b"not-a-real-password").decode()}
    base.make(cluster, MANAGER, {"kind": "Secret", "apiVersion": "v1", "type": "Opaque", "data": secret,
                                 "metadata": {"name": "db-credentials", "namespace": "shop"}})  # fmt: skip
    base.make(
        cluster,
        MANAGER,
        {
            "kind": "Ingress",
            "apiVersion": "networking.k8s.io/v1",
            "metadata": {"name": "shop", "namespace": "shop"},
            "spec": {
                "ingressClassName": "nginx",
                "tls": [{"hosts": ["shop.example.com"], "secretName": "shop-tls"}],
                "rules": [
                    {
                        "host": "shop.example.com",
                        "http": {
                            "paths": [
                                {
                                    "path": "/",
                                    "pathType": "Prefix",
                                    "backend": {"service": {"name": "storefront", "port": {"number": 80}}},
                                }
                            ]
                        },
                    }
                ],
            },
            "status": {"loadBalancer": {"ingress": [{"ip": "203.0.113.21"}]}},
        },
    )
    apps.cron_job(cluster, "report", "shop", "ghcr.io/example/report:3.2.0", "*/2 * * * *", "complete 12")
    for name, done in (("db-nightly", True), ("db-hourly", False), ("assets", True)):
        backups.backup(cluster, name, "shop", name.partition("-")[0], done=done)


def _default(cluster: Cluster) -> None:
    apps.deployment(cluster, "web", "default", "nginx:1.29.0", 4, component="frontend")
    apps.deployment(cluster, "api", "default", "ghcr.io/example/api:4.2.1", 3, component="backend")
    apps.deployment(cluster, "worker", "default", "ghcr.io/example/worker:4.2.1", 2, port=None, component="backend")
    apps.deployment(cluster, "flaky", "default", "ghcr.io/example/flaky:0.0.7", 1, behaviour="crash 9")
    apps.service(cluster, "web", "default")
    apps.service(cluster, "api", "default")
    apps.config_map(cluster, "web", "default", **{"nginx.conf": "events {}\nhttp { server { listen 8080; } }\n"})
    apps.cron_job(cluster, "tick", "default", "busybox:1.37", "* * * * *",
                  command=["sh", "-c", "date; echo Hello from the playground; sleep 6"])  # fmt: skip
    base.make(
        cluster,
        MANAGER,
        {
            "kind": "HorizontalPodAutoscaler",
            "apiVersion": "autoscaling/v2",
            "metadata": {"name": "api", "namespace": "default"},
            "spec": {
                "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "api"},
                "minReplicas": 2,
                "maxReplicas": 6,
                "metrics": [
                    {"type": "Resource",
                     "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}}}
                ],
            },
            "status": {"currentReplicas": 3, "desiredReplicas": 3, "currentMetrics": None},
        },
    )  # fmt: skip


class Story:
    """What happens in the cluster, at random times from its seed."""

    def __init__(self, cluster: Cluster):
        self._cluster = cluster
        self._random = cluster.random
        self._releases = 0
        self._due: dict[str, float] = {}

    def next_at(self) -> float | None:
        """When the next thing happens but a step of the backup, which is every other second."""
        return min((at for name, at in self._due.items() if name != "backup"), default=None)

    def begin(self) -> None:
        """Plan the first of each kind of happening."""
        self._cluster.story = Told(self.next_at)
        self._again("backup", 1.0, 2.6, lambda: backups.move_on(self._cluster, "db-hourly", "shop"))
        self._again("import", 4.0, 9.0, self._import)
        self._again("loss", 5.0, 11.0, self._lose_a_worker)
        self._again("scaling", 14.0, 28.0, self._resize)
        self._again("release", 25.0, 50.0, self._release)
        self._again("silence", 70.0, 110.0, self._silence)
        for node in self._cluster.store.items("nodes"):
            if SILENT.encode() in node.body:  # of a story that was broken off
                self._cluster.agenda.after(SILENCE_S, partial(self._end_silence, node.name))

    def _again(self, name: str, low: float, high: float, action: Callable[[], object]) -> None:
        def act() -> None:
            self._again(name, low, high, action)
            action()

        self._due[name] = self._cluster.agenda.after(self._random.uniform(low, high), act).due

    def _import(self) -> None:
        """A short job; one of eight fails."""
        kind = "fail" if self._random.random() < 0.125 else "complete"
        behaviour = f"{kind} {self._random.randint(3, 9)}"
        apps.job(self._cluster, "import", "default", "ghcr.io/example/import:1.1.0", behaviour)

    def _lose_a_worker(self) -> None:
        """A pod is evicted, and another takes its place."""
        namespace, app = self._random.choice((("default", "worker"), ("default", "web"), ("shop", "cart")))
        found = [one for one in self._cluster.store.items("pods", namespace)
                 if one.labels.get("app") == app and is_active(one)]  # fmt: skip
        if found:
            begin_deletion(self._cluster, self._random.choice(found))

    def _resize(self) -> None:
        """Somebody scales a deployment."""
        namespace, name, low, high = self._random.choice((("default", "worker", 1, 5), ("shop", "storefront", 2, 5)))
        replicas = self._random.randint(low, high)
        self._cluster.update("deployments.apps", namespace, name, lambda obj: obj["spec"].update(replicas=replicas))

    def _release(self) -> None:
        """Somebody rolls out a new version."""
        self._releases += 1
        namespace, name, image = self._random.choice(
            (("default", "web", "nginx:1.29.{}"), ("shop", "checkout", "ghcr.io/example/checkout:1.8.{}"))
        )

        def change(obj: Json) -> None:
            container = obj["spec"]["template"]["spec"]["containers"][0]
            current = int(container["image"].rpartition(".")[2])
            container["image"] = image.format((current + 1) % 10)

        self._cluster.update("deployments.apps", namespace, name, change)

    def _silence(self) -> None:
        """A worker node falls silent for a while."""
        node = self._random.choice(("demo-node-2", "demo-node-3"))

        def quiet(obj: Json) -> None:
            obj["metadata"].setdefault("annotations", {})[SILENT] = "true"

        self._cluster.update("nodes", "", node, quiet)
        self._cluster.agenda.after(SILENCE_S, partial(self._end_silence, node))

    def _end_silence(self, node: str) -> None:
        self._cluster.update("nodes", "", node, lambda obj: obj["metadata"].get("annotations", {}).pop(SILENT, None))
