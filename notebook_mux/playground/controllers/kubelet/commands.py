"""Probes' commands, run in the emulated container: the exit code counts, and what was written is what is told."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from notebook_mux.playground.cluster import Cluster
from notebook_mux.playground.shell import entry
from notebook_mux.playground.shell.starting import has_loop

if TYPE_CHECKING:
    from notebook_mux.playground.shell.execution import Execution
    from notebook_mux.playground.shell.streams import Pipe

Json = dict[str, Any]

OUTPUT_BYTES = 10 * 1024
"""Of a command's output that is told (kubelet/prober, maxReadLength)."""


def can_run(cluster: Cluster, pod: Json, container: Json, words: list[str]) -> bool:
    """Whether a command can be run: its programs are emulated, there is a loop, and the container's own one runs."""
    if cluster.being_built or not has_loop() or not words:
        return False
    if not entry.is_known(words, container.get("image", "")):
        return False
    if not entry.is_emulated(container):
        return True
    found = cluster.programs.find(pod["metadata"]["uid"], container["name"]) if cluster.programs is not None else None
    return found is not None and found.main is not None and found.main.has_begun


async def run(cluster: Cluster, pod: Json, container: Json, words: list[str], seconds: float) -> str | None:
    """Run a command.

    Args:
        cluster: Whose.
        pod: The pod, whose container runs.
        container: The container.
        words: The command.
        seconds: How long it may take, by the cluster's clock.

    Returns:
        What is wrong; None if it ended well.
    """
    from notebook_mux.playground.shell import worlds  # all of the shell: a cluster begins to serve without it
    from notebook_mux.playground.shell.execution import Execution, NotStarted

    try:
        execution = Execution(worlds.of(cluster).container(pod, container["name"]), words)
    except worlds.NotRunning:
        return None  # it has just ended, and nobody asks any more
    except NotStarted as error:
        return str(error)
    late: list[bool] = []

    def expire() -> None:
        late.append(True)
        execution.kill()

    timer = cluster.agenda.after(seconds, expire)
    code, said = await asyncio.gather(execution.wait(), _output(execution))
    timer.cancel()
    if late:
        return f'command "{" ".join(words)}" timed out'
    return None if code == 0 else said.decode("utf-8", "replace")


async def _output(execution: Execution) -> bytes:
    """What it writes, its errors last."""
    return b"".join(await asyncio.gather(_all(execution.stdout), _all(execution.stderr)))


async def _all(pipe: Pipe) -> bytes:
    found = bytearray()
    while piece := await pipe.read():
        found += piece[: OUTPUT_BYTES - len(found)]
    return bytes(found)
