"""What a gateway says of forwards: plain data in frames and answers."""

from __future__ import annotations

import msgspec


class PageGiven(msgspec.Struct, kw_only=True):
    """The answer to `Page`: a path of the gateway with a secret in it."""

    path: str


class ForwardState(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What a frame of `Channel.FORWARD` has: a forward as it is now.

    Attributes:
        port: It listens there, on 127.0.0.1 of the gateway's machine.
        state: ``listening``, or ``lost`` where the pod has gone.
        reason: The server's words about that.
        path: The port-forward that new connections take.
        connections: Open now.
        total: All that there have been.
        sent: Bytes to the pod.
        received: Bytes from the pod.
        errors: Connections that failed.
        error: Why the last of them did.
    """

    port: int
    state: str
    path: str
    reason: str = ""
    connections: int = 0
    total: int = 0
    sent: int = 0
    received: int = 0
    errors: int = 0
    error: str = ""
