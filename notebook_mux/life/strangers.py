"""Who has a port of this machine now that an old runtime file still names."""

from __future__ import annotations

import os
import socket
from pathlib import Path

__all__ = ["listener"]

TABLES = ("/proc/self/net/tcp", "/proc/self/net/tcp6")
LISTENING = "0A"
"""A socket's state in those tables: TCP_LISTEN of Linux's ``include/net/tcp_states.h``."""

CONNECT_S = 1.0
"""On loopback a connection is made at once or refused."""


def listener(port: int, tables: tuple[str, ...] = TABLES) -> str | None:
    """Who listens on a port of the loopback interface, in words; None if nobody does.

    Args:
        port: The port.
        tables: The system's tables of sockets (proc(5), ``/proc/net/tcp``); where there are none a connection is tried.
    """
    lines = [line for table in tables for line in _lines(table)]
    if not lines:
        return "another process" if _answers(port) else None
    for line in lines:
        fields = line.split()
        if len(fields) > 7 and fields[3] == LISTENING and fields[1].rpartition(":")[2] == f"{port:04X}":
            own = hasattr(os, "getuid") and fields[7] == str(os.getuid())
            return "another process of yours" if own else f"a process of another user (uid {fields[7]})"
    return None


def _lines(table: str) -> list[str]:
    try:
        return Path(table).read_text(encoding="ascii", errors="replace").splitlines()[1:]
    except OSError:
        return []


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=CONNECT_S):
            return True
    except OSError:
        return False
