"""One cluster of a manager as one-time reading sees it: its kinds, and requests over the one socket."""

from __future__ import annotations

import time
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any

from notebook_mux import clocks, errors
from notebook_mux.handles.crossing import answered
from notebook_mux.handles.fetching import JSON, find_kind
from notebook_mux.handles.identity import Context, Identity
from notebook_mux.kernel import holder

REQUEST_SECONDS = 30.0
"""For requests that have no time limit of their own."""


class Server:
    """One cluster of a manager; see `fetching.Server`."""

    def __init__(self, identity: Identity, context: Context) -> None:
        self.name = context.alias
        self.default_namespace = context.namespace or "default"
        self.clock = clocks.OURS
        self._identity = identity
        self._ref = context.ref

    async def resource(self, kind: str) -> dict[str, Any]:
        """The resource on this cluster; one that is not known yet may have come since the last look."""
        try:
            return find_kind(await self._discover(False), kind)
        except errors.UnknownKind:
            return find_kind(await self._discover(True), kind)

    async def kinds(self, kind: str) -> list[str]:
        """All that it serves with this very kind, such as ``apps/v1/Deployment``, each group's in one version."""
        found: dict[str, str] = {}
        for one in await self._discover(False):
            if one["kind"] == kind and "/" not in one["name"]:
                version = f"{one['group']}/{one['version']}" if one["group"] else one["version"]
                found.setdefault(one["group"], f"{version}/{kind}")
        return list(found.values())

    async def request(self, path: str, query: str, accept: str) -> tuple[int, bytes]:
        """A GET over the one socket."""
        identity, began = self._identity, time.time()
        status, headers, body = await self._ask(
            holder.core().http,
            identity.connection,
            self._ref,
            "GET",
            path,
            query,
            headers={"Accept": accept},
            scope=identity.scope,
            user=identity.user,
            timeout=REQUEST_SECONDS,
        )
        self.clock = clocks.heard(headers, began, time.time(), self.clock)
        return status, body

    async def change(
        self, method: str, path: str, body: str | None = None, *, query: str = "", content_type: str = JSON
    ) -> tuple[int, bytes]:
        """A request that changes something: status and body; `sent`'s, waited for.

        Raises:
            Unreachable: The connection was lost before the answer came: it may have happened.
            WriteRefused: The manager may not write here.
        """
        return await self.changed(self.sent(method, path, body, query=query, content_type=content_type))

    async def changed(self, future: Future[tuple[int, dict[str, str], bytes]]) -> tuple[int, bytes]:
        """Wait for what was `sent`: status and body."""
        status, _, content = await self._ask(lambda: future)
        return status, content

    def sent(
        self,
        method: str,
        path: str,
        body: str | None = None,
        *,
        query: str = "",
        content_type: str = JSON,
        timeout: float = REQUEST_SECONDS,
    ) -> Future[tuple[int, dict[str, str], bytes]]:
        """A request that changes something, on its way: it is never asked twice, and goes on if nobody waits for it."""
        identity = self._identity
        future: Future[tuple[int, dict[str, str], bytes]] = holder.core().http(
            identity.connection,
            self._ref,
            method,
            path,
            query,
            headers={"Accept": JSON, **({"Content-Type": content_type} if body is not None else {})},
            body=body,
            scope=identity.scope,
            user=identity.user,
            timeout=timeout,
        )
        return future

    async def _discover(self, refresh: bool) -> list[dict[str, Any]]:
        connection = self._identity.connection
        found: list[dict[str, Any]] = await self._ask(holder.core().discover, connection, self._ref, refresh)
        return found

    def _ask(self, call: Callable[..., Any], *arguments: Any, **named: Any) -> Coroutine[Any, Any, Any]:
        return self._named(answered(call, *arguments, what=f"waiting for {self.name}", **named))

    async def _named(self, steps: Coroutine[Any, Any, Any]) -> Any:
        """The same, with the cluster's name in its error."""
        try:
            return await steps
        except errors.MuxError as error:
            error.cluster = error.cluster or self.name
            raise
