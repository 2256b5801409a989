"""The clusters of a gateway that was started by hand, by the names that Headlamp gives them."""

from __future__ import annotations

import asyncio
import time
from collections import Counter, OrderedDict
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from notebook_mux.errors import InvalidArgument, MuxError, NoCluster, UnknownContext
from notebook_mux.gateway.cluster import Cluster
from notebook_mux.gateway.entries import User
from notebook_mux.gateway.identities import reference
from notebook_mux.gateway.kubeconfig import ResolvedContext
from notebook_mux.wire.headlamp import cookie_stem

if TYPE_CHECKING:
    from notebook_mux.gateway.shared import Shared

FRESH_SECONDS = 2.0
"""For so long a kubeconfig is not read again: an edit is seen at once, and a page with a hundred requests reads one."""

MAX_LOGINS = 64
"""Tokens from cookies that are kept as identities of their own; the oldest is forgotten."""


class Contexts:
    """The contexts of `Shared.own`, read again when they may have changed. On the gateway's loop.

    Args:
        shared: The gateway's; its `own` is not None.
    """

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._found: dict[str, ResolvedContext] = {}
        self._alike: frozenset[str] = frozenset()
        """Names that are cut to the same name of a cookie."""
        self._read_at = float("-inf")
        self._lock = asyncio.Lock()
        self._logins: OrderedDict[str, ResolvedContext] = OrderedDict()

    async def all(self) -> dict[str, ResolvedContext]:
        """All contexts by name; none is no error.

        Raises:
            MuxError: The kubeconfig cannot be read.
        """
        async with self._lock:
            if time.monotonic() - self._read_at > FRESH_SECONDS:
                self._found = await self._load()
                number = Counter(map(cookie_stem, self._found))
                self._alike = frozenset(name for name in self._found if number[cookie_stem(name)] > 1)
                self._read_at = time.monotonic()
            return self._found

    async def cluster(self, name: str, token: str = "", *, by_name: bool = False) -> Cluster:
        """The cluster of a name.

        Args:
            name: As in `all`.
            token: Who asks, instead of the context's own user; "" for that one.
            by_name: Whether the name of its cookie alone says whose the token is: there is no path as at the others.

        Raises:
            InvalidArgument: Another cluster has a cookie of that name too, and must not be sent this one's token.
            UnknownContext: There is none of this name.
            MuxError: The context's own error.
        """
        context = (await self.all()).get(name)
        if context is None:
            raise UnknownContext("there is no cluster of that name here", todo="see /config for those there are")
        if context.error is not None:
            raise context.error
        if token and by_name and name in self._alike:
            raise InvalidArgument(
                f"the token of {name!r} cannot be told from another cluster's: their cookies have one name",
                todo="rename a context, so that their letters, digits, - and _ differ",
            )
        if token:
            context = await self._login(context, token)
        return self._shared.clusters.add(context)

    async def _load(self) -> dict[str, ResolvedContext]:
        own = self._shared.own
        assert own is not None
        try:
            found = await asyncio.to_thread(
                self._shared.load, own.kubeconfig, ["*"], own.env, in_cluster=own.in_cluster
            )
        except NoCluster:
            return {}
        return {shown_name(context.name): context for context in found}

    async def _login(self, context: ResolvedContext, token: str) -> ResolvedContext:
        user = User(name=context.user, token=token)
        ref = reference(context.endpoint, user)
        self._logins[ref] = self._logins.get(ref) or replace(context, ref=ref, identity=user)
        found = self._logins[ref]
        self._logins.move_to_end(ref)
        while len(self._logins) > MAX_LOGINS:
            oldest, _ = self._logins.popitem(last=False)
            await self._shared.clusters.drop(oldest)
        return found


def shown_name(name: str) -> str:
    """A context's name as a segment of a path: Headlamp writes ``--`` for each slash."""
    return name.replace("/", "--")


def listed(context: ResolvedContext) -> dict[str, Any]:
    """A context as ``/config`` lists it: nothing of its user but the name, and no path of this machine."""
    name = shown_name(context.name)
    if context.error is not None:
        return {"name": name, "auth_type": "", "meta_data": None, "error": words(context.error)}
    return {
        "name": name,
        "server": context.server,
        "auth_type": "",
        "meta_data": {
            "source": "kubeconfig",
            "namespace": context.namespace,
            "extensions": {},
            "origin": {"kubeconfig": ""},
            "originalName": context.name,
            "clusterID": context.ref,
        },
    }


def words(error: MuxError) -> str:
    """An error in one line: what happened, and the server's own words."""
    said = " ".join(error.said.split()) if error.said else ""
    return f"{error.what}: {said}" if said else error.what
