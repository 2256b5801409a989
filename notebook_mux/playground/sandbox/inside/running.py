"""Programs in a sandbox: started on pipes or on a terminal, and told of when they end."""

from __future__ import annotations

import errno
import fcntl
import os
import resource
import signal
import struct
import termios
from dataclasses import dataclass

from notebook_mux.playground.sandbox.inside import calls, seccomp
from notebook_mux.playground.sandbox.inside.plans import Limits

IUTF8 = 0o040000
"""A rubbed out character may be of several bytes (termios(3))."""

HIGH = 10
"""Descriptors from here on are in nobody's way."""

CPU_MORE_S = 5
"""After which what does not listen to SIGXCPU is killed."""

STOPPED = frozenset({signal.SIGKILL, signal.SIGSTOP})


@dataclass(frozen=True, slots=True)
class Wanted:
    """A program to be started.

    Args:
        words: Its command line.
        environment: Its variables.
        cwd: Where it begins.
        tty: Whether on a terminal.
        rows: The terminal's height; 0 for unknown.
        columns: Its width.
    """

    words: tuple[str, ...]
    environment: dict[str, str]
    cwd: str = "/"
    tty: bool = False
    rows: int = 0
    columns: int = 0


def find(name: str, path: str, cwd: str) -> str:
    """Where a program is.

    Raises:
        OSError: ENOENT, EACCES.
    """
    if "/" in name:
        full = os.path.join(cwd, name)
        _check(full)
        return full
    for folder in path.split(":"):
        full = os.path.join(folder or cwd, name)
        try:
            _check(full)
        except OSError:
            continue
        return full
    raise OSError(errno.ENOENT, os.strerror(errno.ENOENT))


def _check(path: str) -> None:
    os.stat(path)
    if os.path.isdir(path) or not os.access(path, os.X_OK):
        raise OSError(errno.EACCES, os.strerror(errno.EACCES))


def start(wanted: Wanted, files: list[int], limits: Limits) -> tuple[int, int | None]:
    """Start a program.

    Args:
        wanted: Which.
        files: Its input, output and errors, where it is on no terminal.
        limits: What it may use.

    Returns:
        Its number, and the other end of its terminal.

    Raises:
        OSError: It cannot be started.
    """
    path = find(wanted.words[0], wanted.environment.get("PATH", ""), wanted.cwd)
    master: int | None = None
    if wanted.tty:
        master, slave = os.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", wanted.rows, wanted.columns, 0, 0))
        modes = termios.tcgetattr(slave)
        modes[0] |= IUTF8
        termios.tcsetattr(slave, termios.TCSANOW, modes)
        files = [slave, slave, slave]
    told, tell = os.pipe2(os.O_CLOEXEC)
    try:
        pid = os.fork()
    except OSError:
        for file in {*files, told, tell} | ({master} if master is not None else set()):
            os.close(file)
        raise
    if pid == 0:
        _become(path, wanted, files, tell, limits)
    os.close(tell)
    for file in set(files):
        os.close(file)
    said = os.read(told, 16)
    os.close(told)
    if said:
        os.waitpid(pid, 0)
        if master is not None:
            os.close(master)
        raise OSError(int(said), os.strerror(int(said)))
    return pid, master


def _become(path: str, wanted: Wanted, files: list[int], tell: int, limits: Limits) -> None:
    """In the child: be the program. Never returns."""
    try:
        os.setsid()
        high = [fcntl.fcntl(file, fcntl.F_DUPFD_CLOEXEC, HIGH) for file in files]
        for at, file in enumerate(high):
            os.dup2(file, at)
        # All others are closed by exec too; this does not depend on each of them.
        os.closerange(len(high), tell)
        os.closerange(tell + 1, limits.open_files)
        if wanted.tty:
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)
        signal.set_wakeup_fd(-1)
        for number in range(1, signal.NSIG):
            if number not in STOPPED:
                try:
                    signal.signal(number, signal.SIG_DFL)
                except (OSError, ValueError):
                    pass  # of the C library's own
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        try:
            os.chdir(wanted.cwd)
        except OSError:
            os.chdir("/")
        bound(limits)
        resource.setrlimit(resource.RLIMIT_CPU, (limits.cpu_s, limits.cpu_s + CPU_MORE_S))
        calls.install_filter(seccomp.of_programs(os.uname().machine))
        os.execve(path, wanted.words, wanted.environment)
    except OSError as fault:
        os.write(tell, str(fault.errno or errno.EIO).encode())
    finally:
        os._exit(127)


def bound(limits: Limits) -> None:
    """What this process and its children may use (getrlimit(2)).

    Raises:
        OSError: It cannot be bounded.
    """
    for what, most in (
        (resource.RLIMIT_AS, limits.process_bytes),
        (resource.RLIMIT_NPROC, limits.processes),
        (resource.RLIMIT_FSIZE, 2 * limits.disk_bytes),  # before that the file system is full, which says so
        (resource.RLIMIT_NOFILE, limits.open_files),
        (resource.RLIMIT_CORE, 1),  # not even to a program of the machine's that takes them (core(5))
        (resource.RLIMIT_MEMLOCK, 64 * 1024),
        (resource.RLIMIT_MSGQUEUE, 0),
        (resource.RLIMIT_SIGPENDING, 256),
    ):
        _, hard = resource.getrlimit(what)
        least = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (least, least))
