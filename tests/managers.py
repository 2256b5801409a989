"""What this process is connected to, which outlives a test: the core is the session's own."""

from __future__ import annotations

from notebook_mux.handles import managers
from notebook_mux.kernel import holder

CLOSE_SECONDS = 60


def close_all() -> None:
    """Close all managers, and their sockets.

    The socket of a manager that nobody holds is open until the last of its endpoint is closed; and where its gateway
    has gone, it knocks at that one's port for as long as the session runs, whoever listens there by then.
    """
    for manager in managers.known():
        manager.close()
    core = holder.running()
    if core is not None:
        for connection in core.status()["connections"]:
            core.close(connection["id"]).result(CLOSE_SECONDS)
