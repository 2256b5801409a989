"""The whole way of ``%kubectl``: read the line, refuse what cannot be, run it through the gateway, keep what came."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from notebook_mux.handles import calls
from notebook_mux.handles.waiting import blocking
from notebook_mux.magics import advice, binary, kinds, refusing, words as reading
from notebook_mux.magics.looks import harmless
from notebook_mux.magics.result import KubectlResult
from notebook_mux.magics.running import Process, interrupts_later
from notebook_mux.magics.words import Words
from notebook_mux.printing import log_text
from notebook_mux.printing.masking import masker

if TYPE_CHECKING:
    from notebook_mux.handles.manager import Manager

SHOWN_LINES = 2000
"""Lines of what goes on that are shown as they come; all are kept, in the bounds of `running.KEPT_CHARACTERS`."""

READING_FILES = frozenset({"apply", "create", "delete", "replace", "diff", "wait", "get", "describe"})
"""Verbs that take ``-f``, and mean the cell where they are given no name and no file."""


def run(line: str, cell: str | None, names: Mapping[str, Any]) -> KubectlResult:
    """Run a command. Waits; an interrupt ends it.

    Args:
        line: What stands behind the magic's name.
        cell: What it reads as its input; None is nothing.
        names: The variables that may stand in the line.

    Raises:
        InvalidArgument: The line cannot be read, or is refused; see `refusing.check`.
        KubectlFailed: Its exit code says so, and no ``--no-raise-error``.
        MuxError: There is no cluster, no gateway, or no kubectl.
    """
    words = reading.read(reading.expanded(line, names))
    refusing.check(words)
    if cell is not None and _means_the_cell(words):
        words = words.with_input()
    program = binary.find()
    manager = blocking(calls.default())
    environment = binary.environment(manager.kubeconfig(), os.environ)
    result = _result(manager, words, lambda: Process([program, *words.all], environment, cell or ""))
    if words.raises and result._failed:
        if result.text.strip() and words.shows and not kinds.is_long(words):
            _show(result)
        result.check_returncode()
    return result


def _means_the_cell(words: Words) -> bool:
    named = words.names or words.has("filename") or words.has("kustomize")
    return words.verb in READING_FILES and not named


def _result(manager: Manager, words: Words, start: Callable[[], Process]) -> KubectlResult:
    is_long = kinds.is_long(words)
    lines = _Lines(masked=kinds.kind_of(words) == kinds.LOG) if is_long and words.shows else None
    notes: list[str] = []
    process: Process | None = None
    try:
        with interrupts_later():
            process = start()
        returncode = blocking(process.finished(lines, words.text))
    except KeyboardInterrupt:
        if process is None:
            raise
        process.end()
        if not kinds.is_endless(words):
            raise
        returncode, notes = 0, ["ended by an interrupt"]
        if lines is not None:
            lines(process)
    except BaseException:
        if process is not None:
            process.end()
        raise
    if process.stdout.dropped:
        notes.append(f"the first {process.stdout.dropped} lines were too many to keep")
    stdout, stderr = process.stdout.text, process.stderr.text
    failed = kinds.is_failure(words, returncode, stdout)
    if lines is not None and not failed:
        lines.last_words([*harmless(stderr), *notes])
    clusters = manager.clusters
    context = words.value("context") or next(iter(clusters), "")
    return KubectlResult(
        words, stdout, stderr, returncode, context=context if len(clusters) > 1 else "",
        was_shown=lines is not None and not failed, notes=tuple(notes),
        todo=advice.of(words, stderr, list(clusters)) if failed else "",
    )  # fmt: skip


class _Lines:
    """Shows lines in the cell as they come, up to `SHOWN_LINES`."""

    def __init__(self, *, masked: bool) -> None:
        self._mask = masker() if masked else None
        self._number = 0

    def __call__(self, process: Process) -> None:
        """Show what has come since the last call."""
        for line in process.stdout.news():
            self._number += 1
            if self._number < SHOWN_LINES:
                words = line if self._mask is None else self._mask((), log_text.without_escapes(line))
                print("\n".join(harmless(words)))  # noqa: T201 - it is the cell's output
            elif self._number == SHOWN_LINES:
                print("… more lines come; they are kept and not shown")  # noqa: T201
        sys.stdout.flush()

    def last_words(self, lines: Sequence[str]) -> None:
        """Show what is said besides, at the end."""
        if lines:
            print("\n".join(lines), file=sys.stderr)  # noqa: T201


def _show(result: KubectlResult) -> None:
    """Show what came before a failure."""
    from IPython.display import display

    display(result._without_failure(), raw=True)  # type: ignore[no-untyped-call]
