"""Pulling the plug: cutting a connection's socket, and killing the gateway, as a lost network and a crash would."""

from __future__ import annotations

from notebook_mux import errors
from notebook_mux.handles.crossing import told
from notebook_mux.handles.identity import Identity
from notebook_mux.kernel import holder


def cut(identity: Identity) -> None:
    """Cut the socket as a lost network would; it comes back by itself. Any thread may call, and does not wait."""
    told(holder.core().cut, identity.connection)


def kill_gateway(identity: Identity) -> int:
    """Kill the gateway without a word (SIGKILL); the next attempt to connect starts another one.

    All that it keeps ends with it: terminals, programs, forwarded ports, those of other kernels of this user too.

    Returns:
        The process that was killed.

    Raises:
        InvalidArgument: It is none of this user's that a kernel started: it was given by URL, or started by hand.
        GatewayError: There is none just now, or it could not be killed.
    """
    from notebook_mux.life import services

    kind, url = identity.endpoint
    status = told(holder.core().status, identity.connection)
    if kind != "auto":
        raise errors.InvalidArgument(
            f"the gateway at {str(url).partition('?')[0]} is not this notebook's to kill",
            todo="it was given by its URL",
        )
    if status.get("instance") and not status.get("environment"):
        raise errors.InvalidArgument(
            "this gateway was started by hand, so it is not this notebook's to kill", todo="end it where it runs"
        )
    for service in services.listing("gateway"):
        if service.entry is not None and service.entry.instance == status.get("instance"):
            if services.kill(service):
                return service.entry.pid
            break
    raise errors.GatewayError("there is no gateway to kill just now", todo="wait until the socket is open again")
