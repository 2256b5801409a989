"""Look at, and work in, live Kubernetes clusters from a notebook.

::

    import notebook_mux as nm

    nm.demo()  # or nm.connect()
    nm.table("pods")

Names are imported when they are first used, so that this import stays light.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from notebook_mux._version import __version__

if TYPE_CHECKING:
    from notebook_mux import aio as aio, errors as errors
    from notebook_mux.api import (
        close as close,
        connect as connect,
        demo as demo,
        get as get,
        run as run,
        status as status,
        table as table,
        watch as watch,
    )
    from notebook_mux.errors import (
        AccessError as AccessError,
        Ambiguous as Ambiguous,
        BadSelector as BadSelector,
        Closed as Closed,
        Forbidden as Forbidden,
        GatewayError as GatewayError,
        InvalidArgument as InvalidArgument,
        LoginRequired as LoginRequired,
        MuxError as MuxError,
        NoCluster as NoCluster,
        NotFound as NotFound,
        NotSynced as NotSynced,
        ProtocolError as ProtocolError,
        ServerError as ServerError,
        TimedOut as TimedOut,
        UnknownContext as UnknownContext,
        UnknownKind as UnknownKind,
        Unreachable as Unreachable,
        WriteRefused as WriteRefused,
        WrongThread as WrongThread,
    )
    from notebook_mux.handles.manager import Manager as Manager
    from notebook_mux.handles.objects import Change as Change, Object as Object
    from notebook_mux.handles.snapshot import Snapshot as Snapshot
    from notebook_mux.handles.stream import Stream as Stream
    from notebook_mux.widgets.status import Status as Status
    from notebook_mux.widgets.table import Table as Table

_HOMES = {
    "aio": "aio",
    "errors": "errors",
    **dict.fromkeys(("close", "connect", "demo", "get", "run", "status", "table", "watch"), "api"),
    **dict.fromkeys(
        (
            "AccessError",
            "Ambiguous",
            "BadSelector",
            "Closed",
            "Forbidden",
            "GatewayError",
            "InvalidArgument",
            "LoginRequired",
            "MuxError",
            "NoCluster",
            "NotFound",
            "NotSynced",
            "ProtocolError",
            "ServerError",
            "TimedOut",
            "UnknownContext",
            "UnknownKind",
            "Unreachable",
            "WriteRefused",
            "WrongThread",
        ),
        "errors",
    ),
    "Manager": "handles.manager",
    "Change": "handles.objects",
    "Object": "handles.objects",
    "Snapshot": "handles.snapshot",
    "Stream": "handles.stream",
    "Status": "widgets.status",
    "Table": "widgets.table",
}
"""Each public name → the module it lives in; one of that very name is the module itself."""

__all__ = ["__version__", *sorted(_HOMES)]  # noqa: PLE0604 - texts all, checked by a test


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    # Not kept here: after a reload of the module it lives in, the name is the new one.
    from importlib import import_module

    module = import_module(f"{__name__}.{home}")
    return module if home == name else getattr(module, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
