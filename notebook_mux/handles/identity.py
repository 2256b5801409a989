"""What a manager is of, as plain data: its clusters, its counts, and what makes two managers the same."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from notebook_mux import errors


class Cluster(NamedTuple):
    """One cluster of a manager.

    Attributes:
        state: ``"connecting" "live" "login" "forbidden" "unreachable" "closed"``.
        reason: Why, in words; "" where all is well.
        version: The server's version, such as ``v1.37.2``; "" until it has answered.
        server: Its URL.
        namespace: The namespace that is meant where none is given.
        write: Whether changes are allowed here.
        context: Its name in the kubeconfig.
    """

    state: str
    reason: str
    version: str
    server: str
    namespace: str
    write: bool
    context: str


@dataclass(frozen=True)
class Stats:
    """Counts of a manager's endpoint since it was first connected.

    `direct_sockets` are those of single watches that a Headlamp server does not carry on the multiplexed one. A loss
    is among the `reconnects` once there is another socket.
    """

    sockets: int = 0
    direct_sockets: int = 0
    attempts: int = 0
    reconnects: int = 0
    streams: int = 0
    terminals: int = 0
    subscriptions: int = 0
    objects: int = 0
    changes: int = 0
    skipped: int = 0
    repeated: int = 0
    relists: int = 0
    snapshots: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    frames_in: int = 0
    frames_out: int = 0
    lag: float = 0.0


class Context(NamedTuple):
    """A context that a manager has resolved: plain data, as it is remembered across reloads."""

    alias: str
    name: str
    ref: str
    server: str
    namespace: str
    problem: tuple[tuple[str, Any], ...] = ()
    current: bool = False


@dataclass(frozen=True)
class Identity:
    """What makes a manager.

    Args:
        connection: The connection's id in the core.
        endpoint: What the core connects to.
        source: Where the gateway finds the contexts.
        names: The contexts asked for.
        contexts: What they were resolved to.
        user: The user id tied to each request.
        demo: The scenario and the seed of the embedded cluster; None for any other.
    """

    connection: str
    endpoint: tuple[str, str | None] = field(repr=False)  # may have a token in it
    source: Mapping[str, Any] = field(repr=False)  # and this what plugins need of the environment
    names: list[str] | None
    contexts: tuple[Context, ...]
    user: str = field(repr=False)
    demo: tuple[str, int] | None = None

    @property
    def key(self) -> tuple[Any, ...]:
        """Two with the same key are the same manager."""
        own = (self.connection, tuple((c.alias, c.ref, c.namespace) for c in self.contexts), self.user)
        return own if self.demo is None else (*own, self.demo)

    @property
    def scope(self) -> str:
        """The name of its write scope at the gateway; the same in each generation of this package's modules."""
        return hashlib.sha256(repr(self.key).encode()).hexdigest()[:16]


def problem_of(context: Context) -> errors.MuxError:
    """The error of a context that cannot be used."""
    problem = dict(context.problem)
    fields_ = {key: problem.get(key) for key in ("said", "todo")}
    what = problem.get("what") or f"the context {context.name!r} cannot be used"
    return errors.from_code(str(problem.get("code", "error")), {"what": what, "cluster": context.alias, **fields_})
