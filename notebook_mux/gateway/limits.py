"""How much one of many users may have of a gateway, so that nobody takes what the others need.

A gateway of one user has the wider limits of each room (`session.MAX_STREAMS`, `requests.MAX_RUNNING` ...) alone.
"""

from __future__ import annotations

from dataclasses import dataclass

_ANY = 2**31


@dataclass(frozen=True)
class Limits:
    """Of one user, all their kernels together.

    Attributes:
        clients: Connections at once: a notebook is one.
        streams: Watches, followed logs, and views of terminals.
        requests: Requests that have not been answered; more are refused.
        turns: Of these as many are under way to clusters at once; the others wait for them. What keeps one who asks
            without end from filling the queue of an API server that all share.
        bodies: Bytes of answers that wait to be read.
        terminals: Kept terminals; each has a ring of 2 MiB and a WebSocket to an API server.
        programs: Of `exec`; the same.
        forwards: Ports; each listens on this machine.
    """

    clients: int = _ANY
    streams: int = _ANY
    requests: int = _ANY
    turns: int = _ANY
    bodies: int = _ANY
    terminals: int = _ANY
    programs: int = _ANY
    forwards: int = _ANY


UNLIMITED = Limits()

ONE_OF_MANY = Limits(
    clients=16, streams=300, requests=64, turns=4, bodies=32 * 1024 * 1024, terminals=16, programs=16, forwards=16
)
"""Ten times what a lesson uses, and at most about 100 MiB for one who takes all of it."""
