"""Starts a process that nobody's end takes along.

ipykernel ends all its descendants at shutdown, a terminal its session's, a shell its group's. So a launcher starts
the service and exits: the service then belongs to the system's first process, has a session of its own, holds no
folder, no terminal and none of the starter's files.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from notebook_mux.errors import GatewayError
from notebook_mux.life import logs, process

__all__ = ["Started", "start"]

LAUNCHER_TIMEOUT_S = 20.0
"""A bare interpreter starts in 20 ms; on a busy machine with cold disks it was seen to take seconds."""

# An idle ipykernel ignores SIGINT, and what is ignored stays so in every program started.
LAUNCHER = """
import json, os, signal, subprocess, sys
task = json.load(sys.stdin)
os.umask(0o077)
options = {"start_new_session": True}
if os.name == "nt":
    options = {"creationflags": 0x00000008 | 0x00000200 | 0x01000000}
else:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
child = subprocess.Popen(task["argv"], stdin=subprocess.DEVNULL, stdout=2, cwd=task["cwd"], **options)
print(child.pid, flush=True)
os._exit(0)
"""
"""The flags for Windows: DETACHED_PROCESS, CREATE_NEW_PROCESS_GROUP, CREATE_BREAKAWAY_FROM_JOB (not tried there)."""


@dataclass(frozen=True, slots=True)
class Started:
    """A started process.

    Args:
        pid: Its number.
        mark: Its start mark; empty if it had ended already.
        log: Where its output goes.
        log_start: Bytes that were in the log before it.
    """

    pid: int
    mark: str
    log: Path
    log_start: int

    def has_ended(self) -> bool:
        """Whether it has ended, as far as the system tells."""
        return not process.is_alive(self.pid, self.mark)

    def last_lines(self) -> list[str]:
        """The end of what it wrote."""
        return logs.tail(self.log, self.log_start)


def start(argv: Sequence[str], *, env: Mapping[str, str], log: Path) -> Started:
    """Start a program on its own. May be called from any thread; takes the time of starting a bare interpreter.

    Args:
        argv: The arguments of this process's Python interpreter, such as ``["-m", "notebook_mux.gateway"]``.
        env: Its whole environment.
        log: The file its output is appended to.

    Raises:
        GatewayError: It could not be started.
    """
    root = Path(os.sep).resolve()
    task = {"argv": [sys.executable, "-P", *argv], "cwd": str(root)}
    try:
        output = logs.open_log(log)
        try:
            size = os.fstat(output).st_size
            done = subprocess.run(
                [sys.executable, "-S", "-P", "-c", LAUNCHER],
                input=json.dumps(task).encode(),
                stdout=subprocess.PIPE,
                stderr=output,
                cwd=root,
                env=dict(env),
                timeout=LAUNCHER_TIMEOUT_S,
                start_new_session=True,
                check=False,
            )
        finally:
            os.close(output)
        pid = int(done.stdout) if done.returncode == 0 else 0
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        raise GatewayError(f"{sys.executable} could not be started", said=str(error)) from None
    if not pid:
        raise GatewayError(f"{sys.executable} could not be started", said=" | ".join(logs.tail(log, size)))
    return Started(pid, process.start_mark(pid), log, size)
