"""Our gateway before a real API server, and what a test of Headlamp's dialect does with it."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from notebook_mux.gateway.server import Gateway
from notebook_mux.gateway.shared import Shared
from notebook_mux.wire.messages import Source
from tests.serving import heard
from tests.testbed.control_plane import ControlPlane
from tests.unit.gateway.headlamp.api import TOKEN, Api, Served

GOODBYE_SECONDS = 20.0


@contextlib.asynccontextmanager
async def gateway(kubeconfig: Path, *, write: bool = True, base: str = "") -> AsyncIterator[Served]:
    """A gateway by hand that serves a kubeconfig."""
    before = heard()
    shared = Shared(instance="i", own=Source(kubeconfig=[str(kubeconfig)]), write=write)
    running = Gateway(shared, TOKEN, lambda nonce: {}, base_path=base)
    await running.start()
    try:
        served = Served(Api(), running, shared, kubeconfig)
        served.base = running.base
        yield served
    finally:
        await running.close("the test ends")
        await until_quiet(before)


async def until_quiet(before: set[int]) -> None:
    """Until TLS has said goodbye on the connections to the API server."""
    async with asyncio.timeout(GOODBYE_SECONDS):
        while heard() - before:
            await asyncio.sleep(0.01)


class Maps:
    """The config maps of a namespace, through the gateway."""

    def __init__(self, running: Served, namespace: str) -> None:
        self.running = running
        self.path = f"/api/v1/namespaces/{namespace}/configmaps"

    async def ask(self, method: str, name: str = "", body: Any = None, kind: str = "application/json") -> Any:
        url = self.running.url(f"/clusters/testbed{self.path}{name}")
        async with self.running.http(Content_Type=kind) as http, http.request(method, url, json=body) as response:
            assert response.status < 300, await response.text()
            return await response.json()

    async def make(self, name: str, **data: str) -> Any:
        return await self.ask("POST", body={"metadata": {"name": name}, "data": data})

    async def watch(self) -> dict[str, str]:
        """What asks for a watch from now on."""
        version = (await self.ask("GET"))["metadata"]["resourceVersion"]
        return {"cluster": "testbed", "path": self.path, "query": f"watch=1&resourceVersion={version}"}


async def running_pod(plane: ControlPlane, namespace: str) -> str:
    """The path of a pod that runs, with the container ``main``."""
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"},
           "spec": {"containers": [{"name": "main", "image": "none"}]}}  # fmt: skip
    await asyncio.to_thread(plane.kubectl, "create", "-n", namespace, "-f", "-", input=json.dumps(pod))
    await asyncio.to_thread(plane.kubectl, "wait", "-n", namespace, "pod/web", "--for=condition=Ready", "--timeout=60s")
    return f"/api/v1/namespaces/{namespace}/pods/web"
