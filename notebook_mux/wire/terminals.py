"""What a gateway answers about terminals: plain data."""

from __future__ import annotations

from typing import Any

import msgspec


class TerminalFound(msgspec.Struct, kw_only=True, omit_defaults=True):
    """The answer to `Terminal`.

    Attributes:
        terminal: Its id, random; "" where ``find`` found none.
        created: Whether a program was started by this message.
        path: Of what it was started with: the pod that the kernel had picked then. Of one that was not created now.
        queries: The same.
        others: Those with this key of other kernels of the same notebook, which ``take`` can have: ``{"terminal",
            "title", "since", "kernel"}``, `since` in Unix seconds.
    """

    terminal: str = ""
    created: bool = False
    path: str = ""
    queries: list[str] = []
    others: list[dict[str, Any]] = []


class TicketGiven(msgspec.Struct, kw_only=True):
    """The answer to `Ticket`: good once, for so many `seconds`, at `path` of this port of the gateway's machine."""

    ticket: str
    port: int
    path: str
    seconds: float
