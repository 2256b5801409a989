"""Where the kernel runs: whether a page can be live at all, and whether it is heard while a cell runs."""

from __future__ import annotations

import os
import sys
from pathlib import PurePath
from typing import Any

STATIC_VARIABLE = "NOTEBOOK_MUX_STATIC"
"""``1``: outputs are static copies alone; ``0``: never by guess."""

EXECUTORS = ("nbconvert", "nbclient", "papermill", "execute", "nbmake", "jupyter-book", "myst")
"""Programs that run a notebook with no page to look at it. Voilà runs one too, and shows it live."""


def static_only() -> bool:
    """Whether nobody can look at a live view: the notebook is executed by a program."""
    said = os.environ.get(STATIC_VARIABLE, "").strip().lower()
    if said:
        return said not in {"0", "false", "no"}
    return "PAPERMILL_INPUT_PATH" in os.environ or executed_by(_parents_words())


def terminal() -> bool:
    """Whether this is IPython in a terminal: what is shown there is text."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell is not None and not hasattr(shell, "kernel")


def executed_by(words: list[str]) -> bool:
    """Whether this command line is one of the programs that execute notebooks."""
    if any(PurePath(word).name.startswith("voila") for word in words[:3]):
        return False
    names = [PurePath(word).name.removeprefix("jupyter-") for word in words[:4]]
    return any(name.startswith(program) for name in names for program in EXECUTORS)


def _parents_words() -> list[str]:
    try:
        import psutil  # type: ignore[import-untyped,unused-ignore]

        return list(psutil.Process(os.getppid()).cmdline())
    except Exception:  # noqa: BLE001 - no psutil, no such process, no right to look: then it is a live page
        return []


def heard_on_subshell(comm: Any) -> None:
    """Keep ipykernel from routing a page's messages to the main thread because a thread of ours publishes.

    ipykernel 7.4 remembers the subshell of whoever published last on a comm and lets that override where the page
    asked to be heard; a background thread has none, so the page would wait behind the running cell. The hook is
    private, so it is set only where it exists.
    """
    if hasattr(comm, "_reply_subshell_for"):
        comm._reply_subshell_for = lambda data, default: default
