"""``many-pods``: thousands of running pods and a steady rate of changes to them, for tests of size."""

from __future__ import annotations

from typing import Any

from notebook_mux.playground import controllers
from notebook_mux.playground.cluster import Cluster
from notebook_mux.playground.controllers import containers, parts
from notebook_mux.playground.controllers.kubelet import Kubelet, status as pod_status
from notebook_mux.playground.scenarios import Settings, apps, base
from notebook_mux.playground.store import Stored

Json = dict[str, Any]

PODS_A_NODE = 50
TICK_S = 0.02
"""Changes come in small groups: 1,000 a second are 20 every 20 ms."""

MOST_A_TICK = 2000
NAMESPACES = ("default", "load-a", "load-b", "load-c")
APPS = ("web", "api", "worker", "cache", "queue")


def build(cluster: Cluster, settings: Settings) -> None:
    """Fill the cluster, and plan the changes."""
    base.begin(cluster, nodes=max(1, settings.pods // PODS_A_NODE), names="load-node", age_days=2.0)
    for name in NAMESPACES[1:]:
        base.namespace(cluster, name)
    for number in range(settings.pods):
        _pod(cluster, number)
    cluster.agenda.release()
    resume(cluster, settings)


def resume(cluster: Cluster, settings: Settings) -> None:
    """Plan the changes of the pods there are."""
    controllers.start(cluster, (Kubelet,))
    pods = [stored.key for stored in cluster.store.items("pods")]
    if settings.rate > 0 and pods and not settings.still:
        Churn(cluster, pods, settings.rate).begin()


def _pod(cluster: Cluster, number: int) -> tuple[str, str]:
    app = APPS[number % len(APPS)]
    namespace = NAMESPACES[number % len(NAMESPACES)]
    node = f"load-node-{number % max(1, cluster.store.count('nodes')) + 1}"
    owner = _Owner(cluster, app, namespace)
    made = parts.pod(cluster, owner.stored, apps.template(app, f"ghcr.io/example/{app}:1.0.0", component="load"),
                     name=f"{app}-{number:05d}")  # fmt: skip
    stamp = cluster.agenda.stamp()
    made["spec"]["nodeName"] = node
    ip = f"10.{64 + number // 62500}.{number // 250 % 250}.{number % 250 + 1}"
    statuses = [containers.running(cluster, one, {}, stamp) for one in made["spec"]["containers"]]
    for one in statuses:
        one["ready"] = True
    status: Json = {
        "phase": "Running",
        "hostIP": "172.18.0.2",
        "hostIPs": [{"ip": "172.18.0.2"}],
        "podIP": ip,
        "podIPs": [{"ip": ip}],
        "startTime": stamp,
        "containerStatuses": statuses,
    }
    made["metadata"]["generation"] = status["observedGeneration"] = 1
    status["conditions"] = pod_status.conditions({**made, "status": status}, stamp, sandbox=True)
    parts.set_status(made, "kubelet", stamp, status)
    return cluster.create(made).key


class _Owner:
    """A replica set that is only named: many pods need no controller."""

    def __init__(self, cluster: Cluster, app: str, namespace: str):
        kind = cluster.kind("replicasets.apps")
        metadata = {"name": f"{app}-5d8f9c7b6d", "namespace": namespace, "uid": f"{app}-{namespace}"}
        self.stored = Stored(kind, {"metadata": metadata}, 0)


class Churn:
    """Changes pods one after the other, so many a second."""

    def __init__(self, cluster: Cluster, pods: list[tuple[str, str]], rate: float):
        self._cluster = cluster
        self._pods = pods
        self._rate = rate
        self._next = 0
        self._debt = 0.0
        self._last = 0.0

    def begin(self) -> None:
        """Begin."""
        self._last = self._cluster.agenda.now()
        self._cluster.agenda.after(TICK_S, self._tick)

    def _tick(self) -> None:
        now = self._cluster.agenda.now()
        self._debt = min(self._debt + (now - self._last) * self._rate, float(MOST_A_TICK))
        self._last = now
        stamp = self._cluster.agenda.stamp()
        while self._debt >= 1:
            self._debt -= 1
            self._change(stamp)
        self._cluster.agenda.after(TICK_S, self._tick)

    def _change(self, stamp: str) -> None:
        key = self._pods[self._next % len(self._pods)]
        restart = self._cluster.random.random() < 0.5
        self._next += 1
        stored = self._cluster.store.get("pods", *key)
        if stored is None or stored.deleting:
            return
        obj = stored.decode()
        container = obj["status"]["containerStatuses"][0]
        if restart:
            container["restartCount"] += 1
            ready = container["ready"]
            containers.end(container, stamp, code=1)
            container["lastState"], container["state"] = container["state"], {"running": {"startedAt": stamp}}
            container["containerID"] = f"containerd://{self._cluster.random.getrandbits(256):064x}"
            container |= {"started": True, "ready": ready}
        else:
            container["ready"] = not container["ready"]
            for condition in obj["status"]["conditions"]:
                if condition["type"] in ("Ready", "ContainersReady"):
                    condition |= {"status": str(container["ready"]), "lastTransitionTime": stamp}
        self._cluster.store.put(stored.kind, obj)
