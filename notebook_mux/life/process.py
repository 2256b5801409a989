"""What the system says of a process, so that a number used again is not taken for the one that had it before."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

__all__ = ["is_alive", "raise_open_files", "start_mark"]


def start_mark(pid: int) -> str:
    """When a process started, as the system notes it; together with the number it names the process for good.

    Returns:
        Clock ticks since the boot (proc(5), ``/proc/<pid>/stat`` field 22) on Linux, the date that ``ps`` prints on
        other Unixes; empty if the process is not there, has ended but was not waited for, or nothing can be told.
    """
    if pid <= 0 or sys.platform == "win32":
        return ""
    if sys.platform == "linux":
        try:
            text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""
        fields = text.rpartition(")")[2].split()  # the name before may have blanks and brackets in it
        return "" if len(fields) < 20 or fields[0] in "ZX" else fields[19]
    try:
        done = subprocess.run(
            ["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, timeout=5, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()


def is_alive(pid: int, mark: str = "") -> bool:
    """Whether a process runs, and is the one that started at that mark (if one is given)."""
    now = start_mark(pid)
    if now:
        return not mark or mark == now
    if sys.platform == "win32":  # there signal 0 is Ctrl-C: nobody is asked, and a wait ends at its time limit
        return pid > 0
    if sys.platform == "linux" or pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except OSError:
        return False
    return True


def raise_open_files() -> int:
    """Raise this process's limit of open files to the hard limit; each watch and each client takes one.

    Returns:
        The limit now; 0 where there is none.
    """
    if sys.platform == "win32":
        return 0
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        if soft != hard:
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
            soft = hard
    except (OSError, ValueError):  # macOS refuses "unlimited"
        pass
    return 0 if soft == resource.RLIM_INFINITY else soft
