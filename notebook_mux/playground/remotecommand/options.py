"""The query of an exec or attach (PodExecOptions, PodAttachOptions), and the container that is meant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from notebook_mux.playground.options import boolean


@dataclass(frozen=True, slots=True)
class Streams:
    """What is asked for.

    Args:
        container: Empty for the only one.
        command: Its words; none for an attach.
    """

    container: str = ""
    command: tuple[str, ...] = ()
    stdin: bool = False
    stdout: bool = False
    stderr: bool = False
    tty: bool = False

    @property
    def fault(self) -> str:
        """Why a kubelet refuses it; empty if it does not (cri-streaming: validateExecRequest)."""
        if not (self.stdin or self.stdout or self.stderr):
            return "you must specify at least 1 of stdin, stdout, stderr"
        return ""


def parse(query: Any) -> Streams:
    """Read a query: a multidict.

    Raises:
        ApiError: 400 for what is no truth value.
    """
    flags = {name: boolean(query.get(name)) for name in ("stdin", "stdout", "stderr", "tty")}
    # stderr of a terminal is merged into stdout (cri-streaming/pkg/streaming/remotecommand: httpstream.go).
    return Streams(query.get("container", ""), tuple(query.getall("command", [])),
                   **{**flags, "stderr": flags["stderr"] and not flags["tty"]})  # fmt: skip
