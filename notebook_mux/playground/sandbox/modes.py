"""What can be asked for as a playground's shell, and the error where it cannot be had; the command line reads it."""

from __future__ import annotations

import os

from notebook_mux.errors import MuxError

AUTO, SANDBOX, EMULATED = "auto", "sandbox", "emulated"
SHELLS = (AUTO, SANDBOX, EMULATED)
"""``sandbox`` refuses to begin where ``auto`` would have the emulation for all containers."""

VARIABLE = "NOTEBOOK_MUX_PLAYGROUND_SHELL"
"""The default of ``--shell``, also for a playground that a kernel starts."""


class NoSandboxHere(MuxError, RuntimeError):
    """``--shell sandbox``, on a system that refuses sandboxes."""


def default() -> str:
    """What is taken where nothing is said: of the environment, else ``auto``."""
    told = os.environ.get(VARIABLE, "")
    return told if told in SHELLS else AUTO
