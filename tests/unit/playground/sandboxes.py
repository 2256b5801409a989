"""Both kinds of shell that a playground's containers can have, for tests that ask the same of each; and real programs
in containers of a running playground."""

from __future__ import annotations

import asyncio
import functools
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import pytest

from notebook_mux.playground.sandbox import entrance
from notebook_mux.playground.sandbox.modes import EMULATED, SANDBOX
from notebook_mux.playground.shell import worlds
from notebook_mux.playground.shell.container import Container
from tests.playground import RunningPlayground
from tests.unit.playground.shells import Ended, everything
from tests.waiting import eventually

Json = dict[str, Any]

SHELLS = (EMULATED, SANDBOX)
WAIT_S = 60.0

SAYS = {EMULATED: "emulation of a shell", SANDBOX: "a real shell in a sandbox"}
"""What each says of itself where somebody types."""


def need(shell: str) -> None:
    """Skip a test where the system has no such shell."""
    if shell == SANDBOX and (why := asyncio.run(entrance.refusal())):
        without(why)


def without(why: str) -> NoReturn:
    """Skip a test whose sandbox is refused; fail one whose sandbox was only not to be had just now, for all to see."""
    if sys.platform == "linux":
        from notebook_mux.playground.sandbox import possible

        assert not possible.may_pass(), why
    pytest.skip(f"no sandbox can be made here: {why}")


class Real:
    """A playground whose containers have real shells. Its methods may be called from any thread but its own."""

    def __init__(self, running: RunningPlayground):
        self.running = running

    def pods(self, *pods: Json) -> None:
        """Create pods, and wait until they run."""
        for one in pods:
            self.running.create(one)
        for one in pods:
            name = one["metadata"]["name"]
            eventually(functools.partial(self._runs, name), f"{name} runs", seconds=WAIT_S)

    def _runs(self, name: str) -> bool:
        return self.phase(name) == "Running"

    def phase(self, name: str) -> str:
        found = self.running.get("pods", name)
        return str(((found or {}).get("status") or {}).get("phase", ""))

    def container(self, pod: str, name: str = "main") -> Container:
        def find() -> Container:
            cluster = self.running.playground.cluster
            found = cluster.get("pods", "default", pod)
            assert found is not None
            return worlds.of(cluster).container(found, name)

        return self.running.call(find)

    def run(self, pod: str, *words: str, container: str = "main", stdin: bytes | None = None) -> Ended:
        """Run a real program to its end."""
        where = self.container(pod, container)
        return self.running.run(executed(where, *words, stdin=stdin))

    def sh(self, pod: str, script: str, **options: Any) -> Ended:
        """Run a script of a real shell."""
        return self.run(pod, "sh", "-c", script, **options)


async def executed(where: Container, *words: str, stdin: bytes | None = None) -> Ended:
    program = await entrance.start(where, list(words), stdin=stdin is not None)
    assert program is not None, where.emulated_because
    async with asyncio.timeout(WAIT_S):
        reading = [asyncio.create_task(everything(pipe)) for pipe in (program.stdout, program.stderr)]
        running = asyncio.create_task(program.wait())
        if stdin is not None:
            await program.feed(stdin)
            program.end_input()
        code = await running
        out, err = [(await one).decode("utf-8", "surrogateescape") for one in reading]
    return Ended(code, out, err)


@contextmanager
def real(folder: Path) -> Iterator[Real]:
    """A playground with real shells."""
    need(SANDBOX)
    running = RunningPlayground(folder, "empty", shell=SANDBOX)
    try:
        yield Real(running)
    finally:
        running.close()
