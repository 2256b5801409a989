"""``python -m notebook_mux.checks QUESTION``: one JSON object on standard input, JSON objects, one a line, as answer.

Each line has ``t``: ``now`` (what is looked at) and ``rows`` (what was found) while it works, ``answer`` at the end.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import Callable, Mapping
from types import FrameType
from typing import Any, NoReturn

from notebook_mux.checks import entries
from notebook_mux.checks.findings import Row, Say

MAX_SECONDS = 300.0
"""For an examination; longer than all its own time limits together, and still an end."""


def main() -> int:
    """Answer the question named by the first argument."""
    signal.signal(signal.SIGTERM, _ended)
    question = json.load(sys.stdin)
    out, sys.stdout = sys.stdout, sys.stderr  # what a library prints must not get between the lines

    def say(line: Mapping[str, Any]) -> None:
        out.write(json.dumps(line) + "\n")
        out.flush()  # it is read while this goes on

    say({"t": "answer", "value": QUESTIONS[sys.argv[1]](question, say)})
    return 0


def _ended(number: int, frame: FrameType | None) -> NoReturn:
    """Whoever asked does not want the answer any more: end as after Ctrl-C, so that no plugin is left running."""
    raise KeyboardInterrupt


def contexts(question: Mapping[str, Any], say: Say) -> dict[str, Any]:
    """The contexts of ``source``; see `entries.rows`."""
    source = question["source"]
    found = entries.find(source["kubeconfig"] or [], source["env"], in_cluster=source["in_cluster"])
    return {
        "contexts": entries.rows(found),
        "files": [str(path) for path in found.raw.files],
        "missing": [str(path) for path in found.missing],
        "broken": {str(path): entries.problem(error) for path, error in found.broken.items()},
    }


def doctor(question: Mapping[str, Any], say: Say) -> list[Row]:
    """All findings; see `notebook_mux.checks.doctor.examine`."""
    from notebook_mux.checks.doctor import examine

    async def work() -> list[Row]:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None
        # Raised wherever the loop is, as `_ended` does, it would be lost half-way in what waits for a plugin's end.
        signal.signal(signal.SIGTERM, lambda *_: loop.call_soon_threadsafe(task.cancel))
        try:
            async with asyncio.timeout(MAX_SECONDS):
                return await examine(question, say)
        finally:
            signal.signal(signal.SIGTERM, _ended)

    try:
        return asyncio.run(work())
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None


QUESTIONS: dict[str, Callable[[Mapping[str, Any], Say], Any]] = {"contexts": contexts, "doctor": doctor}


if __name__ == "__main__":
    try:
        raise SystemExit(main())
    except KeyboardInterrupt:
        raise SystemExit(1) from None
