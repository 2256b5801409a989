"""Where the core lives: in `sys.modules`, under a versioned name outside the package.

So `importlib.reload`, ``%autoreload``, ``%reset`` and a fresh import after the modules were dropped find the running
core again. One of another package version is closed, aloud, and a new one is started.
"""

from __future__ import annotations

import atexit
import os
import sys
import threading
import types
from typing import Any

from notebook_mux._version import __version__

HOLDER = "_notebook_mux_holder_1"
"""The number changes when what this module does with the holder changes."""


def _holder() -> Any:
    """The holder's module; made on first use."""
    holder = sys.modules.get(HOLDER)
    if holder is None:
        made: Any = types.ModuleType(HOLDER, "Keeps notebook_mux's connections through reloads.")
        made.core = None
        made.lock = threading.RLock()
        made.views = {}
        holder = sys.modules.setdefault(HOLDER, made)
        if holder is made:
            os.register_at_fork(after_in_child=_forked)
            atexit.register(_ended)
    return holder


def core() -> Any:
    """The running `Core`; started, or started anew for this version or this process, if there is none.

    Any thread may call.
    """
    holder = _holder()
    with holder.lock:
        running = holder.core
        if running is not None and running.version != __version__ and not running.closed:
            print(  # noqa: T201 - said aloud, once, where the cell's output is
                f"notebook_mux {running.version} is replaced by {__version__}: its connections are closed and opened "
                "anew by the cells that need them",
                file=sys.stderr,
            )
            running.shutdown()
        if running is None or running.closed or running.pid != os.getpid():
            from notebook_mux.kernel.core import Core

            holder.core = Core()
            holder.core.inherit(holder.views)
        return holder.core


def running() -> Any | None:
    """The running `Core`, or None; never starts one."""
    holder = sys.modules.get(HOLDER)
    found = getattr(holder, "core", None)
    return None if found is None or found.closed or found.pid != os.getpid() else found


def _forked() -> None:
    holder: Any = sys.modules.get(HOLDER)
    if holder is not None and holder.core is not None:
        holder.lock = threading.RLock()
        holder.views = holder.core.forked()


def _ended() -> None:
    holder = sys.modules.get(HOLDER)
    if holder is not None and holder.core is not None:
        holder.core.shutdown()
