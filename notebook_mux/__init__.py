"""Look at, and work in, live Kubernetes clusters from a notebook.

::

    import notebook_mux as nm

    nm.demo()  # or nm.connect()
    nm.table("pods")

Names are imported when they are first used, so that this import stays light.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from notebook_mux._version import __version__

if TYPE_CHECKING:
    from notebook_mux import aio as aio, errors as errors
    from notebook_mux.api import (
        close as close,
        connect as connect,
        contexts as contexts,
        demo as demo,
        doctor as doctor,
        events as events,
        get as get,
        kinds as kinds,
        kubeconfig as kubeconfig,
        run as run,
        status as status,
        table as table,
        watch as watch,
    )
    from notebook_mux.api_changes import apply as apply, delete as delete, restart as restart, scale as scale
    from notebook_mux.api_checks import expect as expect, plug as plug
    from notebook_mux.api_containers import (
        exec as exec,  # noqa: A004 - the contract's word
        logs as logs,
        port_forward as port_forward,
        shell as shell,
    )
    from notebook_mux.errors import (
        AccessError as AccessError,
        Ambiguous as Ambiguous,
        BadFilter as BadFilter,
        BadScenario as BadScenario,
        BadSelector as BadSelector,
        Closed as Closed,
        Conflict as Conflict,
        ExpectationFailed as ExpectationFailed,
        Forbidden as Forbidden,
        GatewayError as GatewayError,
        InvalidArgument as InvalidArgument,
        KubectlFailed as KubectlFailed,
        LoginRequired as LoginRequired,
        MuxError as MuxError,
        NoCluster as NoCluster,
        NotFound as NotFound,
        NotSynced as NotSynced,
        OutcomeUnknown as OutcomeUnknown,
        OutOfOrder as OutOfOrder,
        PartlyDone as PartlyDone,
        ProgramFailed as ProgramFailed,
        ProtocolError as ProtocolError,
        ServerError as ServerError,
        TimedOut as TimedOut,
        UnknownContext as UnknownContext,
        UnknownKind as UnknownKind,
        Unreachable as Unreachable,
        WriteRefused as WriteRefused,
        WrongThread as WrongThread,
    )
    from notebook_mux.handles.demos import Demo as Demo
    from notebook_mux.handles.events import Events as Events
    from notebook_mux.handles.folding import Folded as Folded
    from notebook_mux.handles.forward import Forward as Forward
    from notebook_mux.handles.log_lines import Line as Line
    from notebook_mux.handles.logs import Logs as Logs
    from notebook_mux.handles.manager import Manager as Manager
    from notebook_mux.handles.objects import Change as Change, Object as Object
    from notebook_mux.handles.plugs.plug import Cut as Cut, Plug as Plug
    from notebook_mux.handles.programs import Completed as Completed
    from notebook_mux.handles.snapshot import Snapshot as Snapshot
    from notebook_mux.handles.stream import Stream as Stream
    from notebook_mux.magics.result import KubectlResult as KubectlResult
    from notebook_mux.printing.check import Check as Check
    from notebook_mux.printing.listing import Listing as Listing
    from notebook_mux.printing.outcome import Outcome as Outcome
    from notebook_mux.printing.report import Report as Report
    from notebook_mux.printing.rows import Rows as Rows
    from notebook_mux.widgets.status import Status as Status
    from notebook_mux.widgets.table import Table as Table
    from notebook_mux.widgets.terminal import Terminal as Terminal

_HOMES = {
    "aio": "aio",
    "errors": "errors",
    **dict.fromkeys(
        (
            "close",
            "connect",
            "contexts",
            "demo",
            "doctor",
            "events",
            "get",
            "kinds",
            "kubeconfig",
            "run",
            "status",
            "table",
            "watch",
        ),
        "api",
    ),
    **dict.fromkeys(("apply", "delete", "restart", "scale"), "api_changes"),
    **dict.fromkeys(("expect", "plug"), "api_checks"),
    **dict.fromkeys(("exec", "logs", "port_forward", "shell"), "api_containers"),
    **dict.fromkeys(
        (
            "AccessError",
            "Ambiguous",
            "BadScenario",
            "BadFilter",
            "BadSelector",
            "Closed",
            "Conflict",
            "ExpectationFailed",
            "Forbidden",
            "GatewayError",
            "InvalidArgument",
            "KubectlFailed",
            "LoginRequired",
            "MuxError",
            "NoCluster",
            "NotFound",
            "NotSynced",
            "OutOfOrder",
            "OutcomeUnknown",
            "PartlyDone",
            "ProgramFailed",
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
    "Demo": "handles.demos",
    "Events": "handles.events",
    "Folded": "handles.folding",
    "Forward": "handles.forward",
    "Line": "handles.log_lines",
    "Logs": "handles.logs",
    "Manager": "handles.manager",
    "Change": "handles.objects",
    "Object": "handles.objects",
    "Cut": "handles.plugs.plug",
    "Plug": "handles.plugs.plug",
    "Completed": "handles.programs",
    "Snapshot": "handles.snapshot",
    "Stream": "handles.stream",
    "KubectlResult": "magics.result",
    "Check": "printing.check",
    "Listing": "printing.listing",
    "Outcome": "printing.outcome",
    "Report": "printing.report",
    "Rows": "printing.rows",
    "Status": "widgets.status",
    "Table": "widgets.table",
    "Terminal": "widgets.terminal",
}
"""Each public name → the module it lives in; one of that very name is the module itself."""

__all__ = ["__version__", *sorted(_HOMES.keys() - {"exec"})]  # noqa: PLE0604 - texts all, checked by a test
"""`exec` stays out: a star import must not hide the builtin."""


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    # Not kept here: after a reload of the module it lives in, the name is the new one.
    from importlib import import_module

    module = import_module(f"{__name__}.{home}")
    return module if home == name else getattr(module, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})


def load_ipython_extension(shell: Any) -> None:
    """Give a shell the magics ``%kubectl`` and ``%%kubectl``, for ``%load_ext notebook_mux``."""
    from notebook_mux.magics.registration import register

    register(shell)


def _load_magics() -> None:
    """The same, where this is imported inside IPython."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None and hasattr(ipython, "get_ipython") else None
    if shell is not None:
        load_ipython_extension(shell)


_load_magics()
