"""What the processes of a sandbox use together: the kernel bounds each, this all of them."""

from __future__ import annotations

import os
import signal

COUNTED = (b"RssAnon:", b"RssShmem:")
"""Of a process's memory (proc(5)): its own, and what it shares with others but not with files."""


def memory() -> dict[int, int]:
    """Bytes of memory of each process but the first; what it has of files is the machine's anyway."""
    found = {}
    for name in os.listdir("/proc"):
        if name.isdigit() and name != "1":
            try:
                with open(f"/proc/{name}/status", "rb") as file:
                    lines = file.read().splitlines()
            except OSError:
                continue
            found[int(name)] = sum(int(line.split()[1]) * 1024 for line in lines if line.startswith(COUNTED))
    return found


def keep_below(limit: int) -> int | None:
    """Kill the largest process if all together have more than a limit; returns its number."""
    used = memory()
    if sum(used.values()) <= limit:
        return None
    largest = max(used, key=lambda pid: used[pid])
    try:
        os.kill(largest, signal.SIGKILL)
    except OSError:
        return None
    return largest
