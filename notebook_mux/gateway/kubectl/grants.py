"""Who may use the served API: a token for each manager of a client, good while the client is there.

A grant outlives the loss of its client's socket for a moment: the client comes back with the same key, to the same
token, and what kubectl is doing goes on. What it may do is asked of the client's session at each request: its clusters,
its write scope.
"""

from __future__ import annotations

import asyncio
import hmac
import re
import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

from notebook_mux.errors import InvalidArgument, TimedOut
from notebook_mux.gateway.cluster import Cluster
from notebook_mux.wire.kubeconfigs import MIN_KEY, NamedCluster

if TYPE_CHECKING:
    from notebook_mux.gateway.session import Session

LINGER_SECONDS = 60.0
"""What a grant outlives its client's socket: longer than a lost connection takes to come back."""

AWAY_SECONDS = 15.0
"""How long a request waits for a client whose socket was lost."""

MAX_GRANTS = 1000
"""Of one gateway, a grant for each manager of each kernel: a class of thirty has some hundreds at most."""

_UNPLAIN = re.compile(r"[^A-Za-z0-9._-]+")


class Grant:
    """What one manager's kubectl may use. On the gateway's loop.

    Attributes:
        token: What kubectl shows; of this grant alone.
        scope: The id of the manager's write scope.
        clusters: By the name in a path what the manager calls a cluster; the first is the current one.
    """

    def __init__(self) -> None:
        self.token = secrets.token_urlsafe(32)
        self.scope = ""
        self.clusters: dict[str, NamedCluster] = {}
        self._session: Session | None = None
        self._attached = asyncio.Event()
        self._transports: set[asyncio.Transport] = set()
        self._expiry: asyncio.TimerHandle | None = None

    def belongs_to(self, session: Session) -> bool:
        """Whether this session answers for it now."""
        return self._session is session

    def attach(self, session: Session, scope: str, contexts: list[NamedCluster]) -> None:
        """`session` answers for it from now on, with these contexts."""
        if self._expiry is not None:
            self._expiry.cancel()
        self._session, self.scope = session, scope
        self.clusters = by_path(contexts)
        self._attached.set()

    def detach(self, expiry: asyncio.TimerHandle) -> None:
        """Its session has ended; it waits for another one until `expiry`."""
        self._session, self._expiry = None, expiry
        self._attached.clear()

    async def session(self) -> Session:
        """The session that answers for it, waited for where its socket was lost.

        Raises:
            TimedOut: It does not come back.
        """
        try:
            async with asyncio.timeout(AWAY_SECONDS):
                while self._session is None:
                    await self._attached.wait()
        except TimeoutError:
            raise TimedOut(
                "the notebook's connection to the gateway is lost", todo="run the cell again when it is back"
            ) from None
        return self._session

    async def cluster(self, name: str, changes: str = "") -> Cluster:
        """The cluster of a name in a path.

        Args:
            name: One of `clusters`.
            changes: The request in words, where it may change something.

        Raises:
            UnknownContext: The session has not resolved it.
            WriteRefused: A change where the manager may only look.
            TimedOut: The client is away.
        """
        session, named = await self.session(), self.clusters[name]
        found = session.cluster(named.cluster)
        if changes:
            session.scopes.check(self.scope, named.cluster, named.name, changes)
        return found

    def using(self, transport: asyncio.BaseTransport | None) -> None:
        """A connection of kubectl's: it ends with the grant."""
        self._transports = {one for one in self._transports if not one.is_closing()}
        if transport is not None:
            self._transports.add(cast(asyncio.Transport, transport))  # uvloop's are none of asyncio's class

    def end(self) -> None:
        """Cut all that uses it."""
        if self._expiry is not None:
            self._expiry.cancel()
        for transport in self._transports:
            transport.abort()
        self._transports.clear()


class Grants:
    """All grants of a gateway. On its loop."""

    def __init__(self) -> None:
        self._grants: dict[str, Grant] = {}

    def __len__(self) -> int:
        return len(self._grants)

    def give(self, session: Session, key: str, scope: str, contexts: list[NamedCluster]) -> Grant:
        """The grant of a key, made if there is none, for `session` from now on.

        Raises:
            InvalidArgument: A key that can be guessed, or too many grants.
            UnknownContext: A cluster that the session has not resolved.
        """
        if len(key) < MIN_KEY:
            raise InvalidArgument(f"a key of {len(key)} characters, where {MIN_KEY} are the least")
        for context in contexts:
            session.cluster(context.cluster)
        if key not in self._grants and len(self._grants) >= MAX_GRANTS:
            raise InvalidArgument(f"more than {MAX_GRANTS} kubeconfigs of one gateway", todo="close some managers")
        grant = self._grants.setdefault(key, Grant())
        grant.attach(session, scope, contexts)
        return grant

    def find(self, token: str) -> Grant | None:
        """The grant of a token; each is compared, and all of it, so that the time tells nothing."""
        shown = token.encode(errors="replace")
        found = [one for one in self._grants.values() if hmac.compare_digest(one.token.encode(), shown)]
        return found[0] if found else None

    def end(self, key: str) -> None:
        """End a grant, if it is there."""
        if (grant := self._grants.pop(key, None)) is not None:
            grant.end()

    def release(self, session: Session) -> None:
        """The session has ended; its grants wait for another one for a while."""
        loop = asyncio.get_running_loop()
        for key, grant in self._grants.items():
            if grant.belongs_to(session):
                grant.detach(loop.call_later(LINGER_SECONDS, self.end, key))

    def close(self) -> None:
        """End all."""
        for key in list(self._grants):
            self.end(key)


def by_path(contexts: list[NamedCluster]) -> dict[str, NamedCluster]:
    """Contexts by names that can stand in a path: the same as theirs where those are plain."""
    found: dict[str, NamedCluster] = {}
    for context in contexts:
        name = _UNPLAIN.sub("-", context.name).strip(".") or "cluster"
        while name in found:
            name += "-"
        found[name] = context
    return found


def kubeconfig(grant: Grant, reached: str, authority: str) -> Mapping[str, object]:
    """A kubeconfig (``clientcmd/v1``) of a grant, as plain data.

    Args:
        grant: Whose clusters and token.
        reached: Where the API is served: host and port.
        authority: The server's certificate, PEM in base64.
    """
    root = f"https://{reached}/clusters"
    named = grant.clusters.items()
    user = "notebook-mux"
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": next((context.name for _, context in named), ""),
        "clusters": [
            {
                "name": context.name,
                "cluster": {"server": f"{root}/{path}", "certificate-authority-data": authority},
            }
            for path, context in named
        ],
        "contexts": [
            {
                "name": context.name,
                "context": {"cluster": context.name, "user": user, "namespace": context.namespace},
            }
            for _, context in named
        ],
        "users": [{"name": user, "user": {"token": grant.token}}],
    }
