"""Which shell a container gets: what was asked for, and what the container is.

``auto``, the default of ``notebook-mux playground``, takes a sandbox for every container whose image has a shell, for a
lesson on what is inside a container is better with real programs. The emulation stays for what a sandbox cannot show:
images without a shell (there the answer is the same: no such program), the processes of a node or of another container,
and programs that this machine lacks. Why it stayed is told where somebody types.
"""

from __future__ import annotations

from notebook_mux.playground.shell.container import Container


def against(container: Container) -> str:
    """Why a container has no sandbox; empty if it may have one."""
    if container.image.family == "none":
        return "this image has no shell"
    if container.pod["spec"].get("hostPID"):
        return "this container sees its node's processes"
    if container.beside is not None:
        return "this container sees the processes of another one"
    return ""
