"""Showing what a call waits for, once it lasts: in a notebook one output that is updated, in a terminal one line."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

SHOW_AFTER_SECONDS = 1.0
"""What ends earlier shows nothing: nobody wonders yet."""

SHOW_EVERY_SECONDS = 1.0
"""A notebook's output is redrawn at most this often."""


class Progress:
    """The display of one wait, used as a context; it shows nothing outside the main thread.

    Args:
        clock: Seconds; tests give their own.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._began = clock()
        self._next = self._began + SHOW_AFTER_SECONDS
        self._line: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._line is not None:
            seconds = self._clock() - self._began
            self._line.end(f"{'waited' if error is None else 'stopped after'} {seconds:.0f} s")

    def show(self, words: Callable[[], str]) -> None:
        """Show the words of now, if it is time to."""
        now = self._clock()
        if now < self._next or threading.current_thread() is not threading.main_thread():
            return
        self._next = now + SHOW_EVERY_SECONDS
        if self._line is None:
            self._line = _notebook_line() or _terminal_line()
        if self._line is not None:
            self._line.write(f"{words() or 'waiting'} … {now - self._began:.0f} s")


class _NotebookLine:
    def __init__(self, display: Callable[..., Any]) -> None:
        self._display = display
        self._handle: Any = None

    def write(self, text: str) -> None:
        data = {"text/plain": text}
        if self._handle is None:
            self._handle = self._display(data, raw=True, display_id=True)
        else:
            self._handle.update(data, raw=True)

    def end(self, text: str) -> None:
        if self._handle is not None:
            self._handle.update({"text/plain": text}, raw=True)


class _TerminalLine:
    def __init__(self, out: Any) -> None:
        self._out = out

    def write(self, text: str) -> None:
        self._out.write(f"\r{text}\x1b[K")
        self._out.flush()

    def end(self, text: str) -> None:
        self._out.write("\r\x1b[K")
        self._out.flush()


def _notebook_line() -> _NotebookLine | None:
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if shell is None or not hasattr(shell, "kernel"):
        return None
    from IPython.display import display

    return _NotebookLine(display)


def _terminal_line() -> _TerminalLine | None:
    return _TerminalLine(sys.stderr) if sys.stderr is not None and sys.stderr.isatty() else None
