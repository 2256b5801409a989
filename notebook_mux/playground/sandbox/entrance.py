"""The way in for all systems: elsewhere than on Linux nothing of a sandbox is even loaded."""

from __future__ import annotations

import platform
import sys
from typing import TYPE_CHECKING

from notebook_mux.playground.sandbox.choice import against
from notebook_mux.playground.sandbox.modes import EMULATED, NoSandboxHere
from notebook_mux.playground.shell.container import Container

if TYPE_CHECKING:
    from notebook_mux.playground.sandbox.execution import Real


async def refusal() -> str:
    """Why there can be no sandbox here; empty if there can be one."""
    if sys.platform != "linux":
        return f"sandboxes need Linux, and this is {platform.system() or sys.platform}"
    from notebook_mux.playground.sandbox import possible

    return await possible.refusal()


async def check() -> None:
    """Refuse to go on without.

    Raises:
        NoSandboxHere: There can be none.
    """
    if why := await refusal():
        raise NoSandboxHere(
            "the playground's containers cannot have a real shell here",
            said=why,
            todo="leave --shell sandbox out: the emulation is taken then, and says so",
        )


async def start(container: Container, words: list[str], *, stdin: bool = False, tty: bool = False) -> Real | None:
    """Start a program in a container's sandbox; see `execution.start`.

    Raises:
        NotStarted: It is there and cannot be started.
    """
    if await _emulated(container):
        return None
    from notebook_mux.playground.sandbox import execution

    return await execution.start(container, words, stdin=stdin, tty=tty)


async def prepare(container: Container) -> None:
    """Let a container's own program be a real one; see `main.prepare`."""
    if not await _emulated(container):
        from notebook_mux.playground.sandbox import main

        await main.prepare(container)


async def _emulated(container: Container) -> bool:
    if container.cluster.shell == EMULATED:
        return True  # as it was asked for: there is nothing to be told
    if why := against(container) or await refusal():
        container.emulated_because = why
    return bool(why)
