"""The field: one client library after another, each driven to a store of the latest objects by uid.

Run as a child with ``{"side": ..., "kubeconfig": ..., "pods": ..., "changes": ...}``. It lists all pods, says
``{"ready": true}``, watches, and says what the changes cost it from the first to the last: ``{"cpu": ..., "wall": ...,
"changes": ..., "objects": ...}``. Each side is used as its documentation shows it, and keeps what it hands out.

- ``watch``: the official `kubernetes` client's Watch; ``informer``: its SharedInformer, which has a cache of its own.
- ``kubernetes_asyncio``: the same code on aiohttp.
- ``kr8s`` and ``lightkube``: on httpx.
- ``headlamp``: Headlamp's envelopes from a sender in its server's place (``port`` for ``kubeconfig``): JSON with the
  event as text in it, each after a COMPLETE, as a Headlamp server sends them.
"""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable
from typing import Any

from tests.benchmarks.processes import arguments, say
from tests.benchmarks.scripted_gateway import ENVELOPES

CHANGED = "MODIFIED"


class Store:
    """Objects by uid, and the cost of the changes to them."""

    def __init__(self, pods: int, changes: int) -> None:
        self.objects: dict[str, Any] = {}
        self._pods = pods
        self._left = changes + 1  # from the first change on, whose own cost is before the mark
        self._changes = changes
        self._cpu = self._wall = 0.0

    def listed(self, objects: dict[str, Any]) -> None:
        """Take the first list in."""
        self.objects.update(objects)
        self.filled()

    def filled(self) -> None:
        """Say that all pods are there."""
        assert len(self.objects) == self._pods
        say(ready=True)

    def take(self, kind: str, uid: str, content: Any) -> bool:
        """One event; true after the last."""
        if kind == "DELETED":
            self.objects.pop(uid, None)
        else:
            self.objects[uid] = content
        if kind != CHANGED:
            return False
        self._left -= 1
        if self._left == self._changes:
            self._cpu, self._wall = time.process_time(), time.monotonic()
        elif self._left == 0:
            cpu, wall = time.process_time() - self._cpu, time.monotonic() - self._wall
            say(cpu=cpu, wall=wall, changes=self._changes, objects=len(self.objects))
            return True
        return False


def watch(store: Store, kubeconfig: str) -> None:
    """The official client's Watch."""
    from kubernetes import client, config, watch as watches

    config.load_kube_config(kubeconfig)
    api = client.CoreV1Api()
    listed: Any = api.list_pod_for_all_namespaces()
    store.listed({pod.metadata.uid: pod for pod in listed.items})
    events = watches.Watch().stream(api.list_pod_for_all_namespaces, resource_version=listed.metadata.resource_version)
    for event in events:
        if store.take(event["type"], event["object"].metadata.uid, event["object"]):
            return


def informer(store: Store, kubeconfig: str) -> None:
    """The official client's informer."""
    from kubernetes import client, config
    from kubernetes.informer import SharedInformer

    config.load_kube_config(kubeconfig)
    pods = SharedInformer(client.CoreV1Api().list_pod_for_all_namespaces, key_func=lambda pod: pod.metadata.uid)
    done = threading.Event()

    def added(pod: Any) -> None:
        store.objects[pod.metadata.uid] = pod
        if len(store.objects) == len(pods.cache.list_keys()):
            store.filled()

    def changed(pod: Any) -> None:
        if store.take(CHANGED, pod.metadata.uid, pod):
            done.set()

    pods.add_event_handler("ADDED", added)
    pods.add_event_handler(CHANGED, changed)
    pods.start()
    done.wait()


async def kubernetes_asyncio(store: Store, kubeconfig: str) -> None:
    """kubernetes_asyncio's Watch."""
    from kubernetes_asyncio import client, config, watch as watches

    await config.load_kube_config(kubeconfig)
    async with client.ApiClient() as connection:
        api = client.CoreV1Api(connection)
        listed = await api.list_pod_for_all_namespaces()
        store.listed({pod.metadata.uid: pod for pod in listed.items})
        version = listed.metadata.resource_version
        async with watches.Watch().stream(api.list_pod_for_all_namespaces, resource_version=version) as events:
            async for event in events:
                if store.take(event["type"], event["object"].metadata.uid, event["object"]):
                    return


async def kr8s(store: Store, kubeconfig: str) -> None:
    """kr8s's watch, which begins with all that is there."""
    import kr8s.asyncio

    api = await kr8s.asyncio.api(kubeconfig=kubeconfig)
    async for kind, pod in api.watch("pods", namespace=kr8s.ALL):
        if store.take(kind, pod.metadata.uid, pod):
            return
        if kind == "ADDED" and len(store.objects) == arguments()["pods"]:
            store.filled()


def lightkube(store: Store, kubeconfig: str) -> None:
    """lightkube's watch."""
    from lightkube import Client, KubeConfig
    from lightkube.resources.core_v1 import Pod

    client = Client(config=KubeConfig.from_file(kubeconfig))
    listed = client.list(Pod, namespace="*")
    store.listed({pod.metadata.uid: pod for pod in listed})
    for kind, pod in client.watch(Pod, namespace="*", resource_version=listed.resourceVersion):
        if store.take(kind, pod.metadata.uid, pod):
            return


async def headlamp(store: Store, port: int) -> None:
    """A client of Headlamp's envelopes that decodes them and what is in them."""
    from websockets.asyncio.client import connect

    url = f"ws://127.0.0.1:{port}{ENVELOPES}"
    async with connect(url, compression=None, max_size=None, ping_interval=None) as socket:
        async for text in socket:
            envelope = json.loads(text)
            if envelope["type"] != "DATA":
                continue
            event = json.loads(envelope["data"])
            content = event["object"]
            if store.take(event["type"], content["metadata"]["uid"], content):
                return
            if event["type"] == "ADDED" and len(store.objects) == arguments()["pods"]:
                store.filled()


SIDES: dict[str, Callable[..., Any]] = {
    "watch": watch,
    "informer": informer,
    "kubernetes_asyncio": kubernetes_asyncio,
    "kr8s": kr8s,
    "lightkube": lightkube,
    "headlamp": headlamp,
}


def main(side: str, pods: int, changes: int, **source: Any) -> None:
    """Run the side that was asked for."""
    run = SIDES[side]
    store = Store(pods, changes)
    if asyncio.iscoroutinefunction(run):
        asyncio.run(run(store, **source))
    else:
        run(store, **source)


if __name__ == "__main__":
    main(**arguments())
