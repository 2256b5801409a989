"""The programs of the emulation by name."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from notebook_mux.playground.shell.inodes import FileFault
from notebook_mux.playground.shell.patterns import TooCostly
from notebook_mux.playground.shell.regex import RegexFault
from notebook_mux.playground.shell.running import Fail, Run
from notebook_mux.playground.shell.streams import BrokenPipe

Command = Callable[[Run], Coroutine[Any, Any, int]]

COMMANDS: dict[str, Command] = {}
ABOUT: dict[str, str] = {}
"""What ``help`` says of each."""

SIGPIPE = 141
"""128 and the number of the signal that ends who writes to nobody."""


def command(name: str, about: str = "") -> Callable[[Command], Command]:
    """Give a program its name."""

    def register(function: Command) -> Command:
        COMMANDS[name] = function
        ABOUT[name] = about
        return function

    return register


async def call(run: Run, function: Command) -> int:
    """Run a program, and make its exit code of how it ends."""
    try:
        try:
            code = await function(run)
        except Fail as fail:
            if fail.message:
                await run.complain(fail.message)
            return fail.code
        except FileFault as fault:
            await run.complain(str(fault))
            return 1
        except (RegexFault, TooCostly) as fault:
            await run.complain(str(fault))
            return 2
        return code or run.code
    except (BrokenPipe, FileFault):  # nobody reads its output, or there is no room for it
        return SIGPIPE
