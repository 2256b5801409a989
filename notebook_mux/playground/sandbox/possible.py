"""Whether a sandbox can be made here; tried once in a process, by making one."""

from __future__ import annotations

import asyncio
import errno
import os
import platform
import re
from pathlib import Path

from notebook_mux.playground.sandbox import programs
from notebook_mux.playground.sandbox.box import Box, NoSandbox, outer_user
from notebook_mux.playground.sandbox.inside.plans import Plan
from notebook_mux.playground.sandbox.inside.running import Wanted
from notebook_mux.playground.sandbox.inside.seccomp import MACHINES

NOBODY = 65534
"""Where a number of its own is not to be had: a container's user has 65,536 of them, as a rule."""

COUNTS_APART = (5, 14)
"""Since this version of Linux RLIMIT_NPROC counts a user's processes in each user namespace apart."""

TRIED = "set -e; test $$ -gt 1; test ! -e /root/.ssh; echo yes > /tmp/tried; cat /tmp/tried"
TRY_S = 20.0

SETTINGS = (
    ("user/max_user_namespaces", "0", "sysctl user.max_user_namespaces is 0"),
    ("kernel/unprivileged_userns_clone", "0", "sysctl kernel.unprivileged_userns_clone is 0"),
    ("kernel/apparmor_restrict_unprivileged_userns", "1", "sysctl kernel.apparmor_restrict_unprivileged_userns is 1"),
)
"""What systems refuse namespaces with, below ``/proc/sys``."""

_outer: int | None = None
_answer: tuple[int, str] | None = None


async def refusal() -> str:
    """Why there can be no sandbox here; empty if there can be one."""
    global _answer
    if _answer is None or _answer[0] != os.getpid():
        _answer = (os.getpid(), await _tried())
    return _answer[1]


def _kernel() -> tuple[int, ...]:
    found = re.match(r"(\d+)\.(\d+)", os.uname().release)
    return tuple(map(int, found.groups())) if found else (0, 0)


def outer() -> int:
    """The number of the user that a sandbox of root's is outside; a fresh one each time where that can be."""
    return NOBODY if _outer == NOBODY else outer_user()


async def _tried() -> str:
    global _outer
    if platform.machine() not in MACHINES:
        return f"there is no filter of system calls for {platform.machine()}"
    if os.geteuid() != 0 and _kernel() < COUNTS_APART:
        return "this kernel counts a user's processes outside of a sandbox too; Linux 5.14 and newer do not"
    said = ""
    for user in (outer_user(), NOBODY) if os.geteuid() == 0 else (NOBODY,):
        try:
            await _try(Plan("try", outer=user), runs=False)
            found = (await asyncio.to_thread(programs.found)).placed("/bin")
            await _try(Plan("try", outer=user, programs=tuple(found.files), links=tuple(found.links)), runs=True)
        except programs.NoPrograms as error:
            return str(error)
        except NoSandbox as error:
            said = sentence(error)
            if error.step not in ("user", "map"):
                return said
            continue
        _outer = user
        return ""
    return said


async def _try(plan: Plan, *, runs: bool) -> None:
    box = Box(plan, [])
    await box.start()
    if not runs:
        box.close()
        await box.closed()
        return
    reading, writing = os.pipe()
    nothing = os.open(os.devnull, os.O_RDWR)
    try:
        # The environment of whoever started this is nobody's business inside.
        wanted = Wanted(("sh", "-c", f"mkdir -p /tmp; {TRIED}"), {"PATH": "/bin"})
        started = await box.run(wanted, [nothing, writing, nothing])
        os.close(writing)
        writing = -1
        code = await asyncio.wait_for(started.end, TRY_S)
        if code != 0 or os.read(reading, 64) != b"yes\n":
            raise NoSandbox(f"a shell in it ends with {code}", "shell")
    except TimeoutError:
        raise NoSandbox("a shell in it does not end", "shell") from None
    except OSError as error:
        raise NoSandbox(f"a shell in it cannot be started: {error.strerror}", "shell", error.errno) from None
    finally:
        for file in (reading, writing, nothing):
            if file >= 0:
                os.close(file)
        box.close()
        await box.closed()


def sentence(error: NoSandbox) -> str:
    """What was refused, and by what, as far as that can be told."""
    what = os.strerror(error.number) if error.number else str(error)
    if error.step in ("namespaces", "map", "fork", "user"):
        return f"the system refuses user namespaces ({what}){_because(error.number)}"
    if error.step == "root":
        return f"the system refuses a root or a /proc of its own ({error}){_because(error.number)}"
    if error.step == "filter":
        return f"the system has no filter of system calls, seccomp ({what})"
    return str(error)


def _because(number: int | None) -> str:
    for name, value, text in SETTINGS:
        try:
            if Path("/proc/sys", name).read_text().strip() == value:
                return f": {text}"
        except OSError:
            continue
    if number in (errno.ENOSPC, errno.EUSERS):
        return ": there are too many already"
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return ""
    if "Seccomp:\t2" in status:
        return ": this process is in a container whose seccomp profile forbids it"
    return ""
