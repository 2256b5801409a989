"""What all sessions of a gateway, or of one of its users, share: who it is, what it grants, clusters and upstreams."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from notebook_mux._version import __version__
from notebook_mux.forwards.forwards import Forwards
from notebook_mux.gateway import kubeconfig
from notebook_mux.gateway.cluster import Cluster, Clusters
from notebook_mux.gateway.kubeconfig import ResolvedContext
from notebook_mux.gateway.limits import UNLIMITED, Limits
from notebook_mux.gateway.tickets import Tickets
from notebook_mux.gateway.upstreams import Upstreams
from notebook_mux.remote.programs import Programs
from notebook_mux.remote.terminals import Terminals
from notebook_mux.wire.messages import Source

if TYPE_CHECKING:
    from notebook_mux.gateway.kubectl.serving import Kubectl
    from notebook_mux.gateway.pages import Page
    from notebook_mux.gateway.session import Session


def _kubectl() -> Kubectl:
    from notebook_mux.gateway.kubectl.serving import Kubectl  # it looks at requests as the guard does, which knows us

    return Kubectl()


class Load(Protocol):
    """`kubeconfig.load`, or a test's."""

    def __call__(
        self,
        paths: Sequence[str | Path] | None,
        contexts: Sequence[str] | str | None,
        env: Mapping[str, str],
        *,
        in_cluster: bool = False,
    ) -> list[ResolvedContext]:
        """Resolve contexts; called in a thread."""


@dataclass(eq=False)
class Shared:
    """One for each gateway process, or for each of its users (`gateway.houses`). On the gateway's loop.

    Attributes:
        instance: Random, another one at each start.
        own: The contexts of a gateway that was started by hand; None for one that takes each client's.
        write: Whether write scopes are granted.
        unasked: Whether a client may write that has not said whether it wants to.
        user: Whose it is; "" where the gateway has but one user.
        limits: How much they may have.
        turns: Taken by each request while it is under way to a cluster.
        stop: Ends the gateway, for the reason given.
        touched: Called when a client has come or gone.
        since: When it began, in Unix seconds.
        sessions: The clients now.
        pages: The pages that look at a terminal over a WebSocket of their own, or are about to.
        port: Where the gateway listens.
        page_path: The path of a page's WebSocket there.
        served: How many there have been.
        last: When the last one went, in Unix seconds; 0.0 where none has.
    """

    instance: str
    own: Source | None = field(default=None, repr=False)
    write: bool = True
    unasked: bool = False
    user: str = ""
    limits: Limits = UNLIMITED
    turns: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(UNLIMITED.turns), repr=False)
    clusters: Clusters = field(default_factory=Clusters)
    upstreams: Upstreams = field(default_factory=Upstreams)
    programs: Programs = field(default_factory=Programs)
    terminals: Terminals = field(default_factory=Terminals)
    tickets: Tickets = field(default_factory=Tickets)
    forwards: Forwards = field(default_factory=Forwards)
    kubectl: Kubectl = field(default_factory=_kubectl)
    load: Load = kubeconfig.load
    stop: Callable[[str], None] = lambda reason: None
    touched: Callable[[], None] = lambda: None
    since: float = field(default_factory=time.time)
    package: str = __version__
    sessions: set[Session] = field(default_factory=set)
    pages: set[Page] = field(default_factory=set)
    port: int = 0
    page_path: str = ""
    served: int = 0
    last: float = 0.0

    @property
    def environment(self) -> bool:
        """Whether kubeconfig paths and variables of a client are taken: whoever sends ``PATH`` runs code."""
        return self.own is None

    @property
    def streams(self) -> int:
        """Watches, logs and views of all sessions."""
        return sum(len(one.streams) + len(one.logs.streams) + len(one.screens.streams) for one in self.sessions)

    @property
    def wanted(self) -> bool:
        """Whether a client is there or something is kept for one, such as a terminal: the gateway is not idle."""
        kept = (self.programs, self.terminals, self.forwards)
        return bool(self.sessions or self.pages) or any(len(some) for some in kept)

    def resolve(self, session: Session, context: ResolvedContext) -> Cluster:
        """The cluster of a context, shared by all sessions, which `session` may use from now on."""
        cluster = session.clusters.get(context.ref)
        if cluster is None:
            cluster = session.clusters[context.ref] = self.clusters.add(context)
        return cluster

    def release(self, session: Session) -> None:
        """The session has ended."""
        self.kubectl.release(session)
        self.last = time.time()
        session.clusters.clear()
