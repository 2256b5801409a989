"""Questions to ``python -m notebook_mux.checks``: a process is started for each and ends with its answer."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from typing import Any

from notebook_mux.errors import GatewayError, TimedOut
from notebook_mux.handles.waiting import Wait, deadline_in, in_thread
from notebook_mux.life import environment
from notebook_mux.life.redact import redact

ARGUMENTS = ("-m", "notebook_mux.checks")

SAID_LINES = 3
"""Last lines of what it wrote as it failed."""

Tell = Callable[[dict[str, Any]], None]


class _Asked:
    """One question, answered in a thread of its own.

    Args:
        name: The question's.
        content: What it is about.
        tell: Called in that thread with each line before the answer.
    """

    def __init__(self, name: str, content: Mapping[str, Any], tell: Tell) -> None:
        self._tell = tell
        self._content = json.dumps(content).encode()
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `run`; a pipe that nobody reads would fill
        try:
            # A session of its own: Ctrl-C in a terminal is for us, and we end it.
            self._process = subprocess.Popen(
                [sys.executable, *ARGUMENTS, name],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._said,
                env=environment.for_service(),
                start_new_session=True,
            )
        except OSError as error:
            self._said.close()
            raise GatewayError(
                "no process can be started to look at the kubeconfig",
                said=error.strerror,
                todo="see whether this machine lets you start processes, and has memory left",
            ) from None

    def run(self) -> Any:
        """The answer."""
        with self._said, self._process as process:
            assert process.stdin is not None
            assert process.stdout is not None
            try:
                process.stdin.write(self._content)
                process.stdin.close()
            except BrokenPipeError:
                pass  # its last words say why
            answer: dict[str, Any] | None = None
            for text in process.stdout:
                line = json.loads(text)
                if line["t"] == "answer":
                    answer = line
                else:
                    self._tell(line)
            process.wait()
            self._said.seek(0)
            said = self._said.read().decode(errors="replace")
        if answer is None:
            raise GatewayError(
                f"the process that looks at the kubeconfig ended with {process.returncode}",
                said=redact(" | ".join(said.strip().splitlines()[-SAID_LINES:])) or None,
                todo=f"try it by hand: {sys.executable} {' '.join(ARGUMENTS)} --help",
            )
        return answer["value"]

    def end(self) -> None:
        """Tell it to end, if it has not; it ends what it started, such as a plugin, and the thread ends with it."""
        if self._process.poll() is None:
            self._process.terminate()


async def ask(
    name: str, content: Mapping[str, Any], *, timeout: float, what: str | Callable[[], str], tell: Tell | None = None
) -> Any:
    """Ask a question; for `waiting.blocking` and `waiting.awaiting`. An interrupt ends the process too.

    Args:
        name: Of the question; see `notebook_mux.checks.__main__`.
        content: Plain data.
        timeout: Seconds for all of it.
        what: What is waited for, in words.
        tell: Called with each line before the answer, on another thread.

    Raises:
        GatewayError: The process cannot be started, or failed.
        TimedOut: No answer in time.
    """
    asked = _Asked(name, content, tell or (lambda line: None))
    try:
        return await Wait(in_thread(asked.run, f"notebook_mux {name}"), deadline=deadline_in(timeout), what=what)
    except TimedOut as error:
        error.todo = "look whether the disk with the kubeconfig answers"
        raise
    finally:
        asked.end()
