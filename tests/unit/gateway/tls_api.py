"""A real TLS server that remembers what it was asked, and contexts of kubeconfig files that name it."""

from __future__ import annotations

import asyncio
import base64
import json
import ssl
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from notebook_mux.gateway.cluster import Cluster, Clusters
from notebook_mux.gateway.kubeconfig import ResolvedContext, load
from tests.serving import Place, stop_serving
from tests.unit.gateway.certificates import Authority

VERSION = {"gitVersion": "v1.37.2"}


class Api:
    """A server that remembers what it was asked, and answers by a handler."""

    def __init__(self) -> None:
        self.seen: list[web.Request] = []
        self.handle: Callable[[web.Request], Any] = lambda request: web.json_response(VERSION)
        self.url = ""
        self.port = 0
        self._runner: web.AppRunner | None = None
        self._place = Place()

    async def start(self, context: ssl.SSLContext | None) -> None:
        async def answer(request: web.Request) -> web.StreamResponse:
            self.seen.append(request)
            found = self.handle(request)
            return await found if asyncio.iscoroutine(found) else found

        app = web.Application()
        app.router.add_route("*", "/{path:.*}", answer)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=context)
        await site.start()
        self.port = self._runner.addresses[0][1]
        self.url = f"{'https' if context else 'http'}://127.0.0.1:{self.port}"

    async def stop(self) -> None:
        self._place.give_up()
        if self._runner is not None:
            await stop_serving(self._runner)
            self._runner = None

    async def leave(self) -> None:
        """Stop, and have nobody else answer there until `stop`."""
        await self.stop()
        self._place.keep(self.port)


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture
async def api(authority: Authority, tmp_path: Path) -> AsyncIterator[Api]:
    found = Api()
    await found.start(authority.server_context(tmp_path))
    yield found
    await found.stop()


def context(
    folder: Path,
    url: str,
    user: dict[str, Any],
    authority: Authority | None,
    env: dict[str, str] | None = None,
    **cluster: Any,
) -> ResolvedContext:
    """The current context of a kubeconfig written for this."""
    data = {"certificate-authority-data": base64.b64encode(authority.pem).decode()} if authority else {}
    path = folder / "kubeconfig"
    path.write_text(json.dumps({
        "current-context": "prod",
        "clusters": [{"name": "c", "cluster": {"server": url, **data, **cluster}}],
        "users": [{"name": "u", "user": user}],
        "contexts": [{"name": "prod", "context": {"cluster": "c", "user": "u"}}],
    }))  # fmt: skip
    [found] = load([path], None, env or {})
    return found


@pytest.fixture
async def connect(authority: Authority, tmp_path: Path) -> AsyncIterator[Callable[..., Cluster]]:
    """Makes clusters from the fields of a cluster entry and a user entry; they end with the test."""
    clusters = Clusters()

    def make(
        url: str, user: dict[str, Any], *, trusted: bool = True, env: dict[str, str] | None = None, **cluster: Any
    ) -> Cluster:
        return clusters.add(context(tmp_path, url, user, authority if trusted else None, env, **cluster))

    yield make
    await clusters.aclose()
