"""Whether a sandbox can be made here; tried by making one, once in a process unless the machine was only too busy."""

from __future__ import annotations

import asyncio
import errno
import os
import platform
import re
import time
from dataclasses import dataclass
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

AGAIN_S = 60.0
"""After a refusal that may be the moment's it is tried again; not sooner, for a try may keep its asker waiting."""

BUSY = frozenset({errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE})
"""What a system says that has no room just now."""

SETTINGS = (
    ("user/max_user_namespaces", "0", "sysctl user.max_user_namespaces is 0"),
    ("kernel/unprivileged_userns_clone", "0", "sysctl kernel.unprivileged_userns_clone is 0"),
    ("kernel/apparmor_restrict_unprivileged_userns", "1", "sysctl kernel.apparmor_restrict_unprivileged_userns is 1"),
)
"""What systems refuse namespaces with, below ``/proc/sys``."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a try has shown.

    Args:
        process: Whose try.
        refusal: Why there can be no sandbox; empty if there can be one.
        again: From when on it does not count any more, by the monotonic clock; None for never.
    """

    process: int
    refusal: str
    again: float | None

    @property
    def counts(self) -> bool:
        """Whether it is true of this process still."""
        return self.process == os.getpid() and (self.again is None or time.monotonic() < self.again)


_outer: int | None = None
_answer: Answer | None = None


async def refusal() -> str:
    """Why there can be no sandbox here; empty if there can be one."""
    global _answer
    answer = _answer
    if answer is None or not answer.counts:
        why, passes = await _tried()
        _answer = answer = Answer(os.getpid(), why, time.monotonic() + AGAIN_S if passes else None)
    return answer.refusal


def may_pass() -> bool:
    """Whether what `refusal` said last may be the moment's, and is looked at anew soon."""
    return _answer is not None and _answer.again is not None


def _kernel() -> tuple[int, ...]:
    found = re.match(r"(\d+)\.(\d+)", os.uname().release)
    return tuple(map(int, found.groups())) if found else (0, 0)


def outer() -> int:
    """The number of the user that a sandbox of root's is outside; a fresh one each time where that can be."""
    return NOBODY if _outer == NOBODY else outer_user()


async def _tried() -> tuple[str, bool]:
    """Why not, and whether that may be the moment's."""
    global _outer
    if platform.machine() not in MACHINES:
        return f"there is no filter of system calls for {platform.machine()}", False
    if os.geteuid() != 0 and _kernel() < COUNTS_APART:
        return "this kernel counts a user's processes outside of a sandbox too; Linux 5.14 and newer do not", False
    said, passes = "", False
    for user in (outer_user(), NOBODY) if os.geteuid() == 0 else (NOBODY,):
        try:
            await _try(Plan("try", outer=user), runs=False)
            found = (await asyncio.to_thread(programs.found)).placed("/bin")
            await _try(Plan("try", outer=user, programs=tuple(found.files), links=tuple(found.links)), runs=True)
        except programs.NoPrograms as error:
            return str(error), False
        except NoSandbox as error:
            said, passes = sentence(error), error.step == "time" or error.number in BUSY
            if error.step not in ("user", "map"):
                break
            continue
        _outer = user
        return "", False
    return said, passes


async def _try(plan: Plan, *, runs: bool) -> None:
    box = Box(plan, [])
    try:
        await box.start()
        if runs:
            await _run_in(box)
    finally:
        box.close()
        await box.closed()  # also of one that was refused: who asked may end its loop at once


async def _run_in(box: Box) -> None:
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
        raise NoSandbox("a shell in it does not end", "time") from None
    except OSError as error:
        raise NoSandbox(f"a shell in it cannot be started: {error.strerror}", "shell", error.errno) from None
    finally:
        for file in (reading, writing, nothing):
            if file >= 0:
                os.close(file)


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
