from __future__ import annotations

import io
import threading
from typing import Any

import pytest

from notebook_mux.handles import progress
from notebook_mux.handles.progress import Progress


class Clock:
    """A clock that tests move."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


class Terminal(io.StringIO):
    """A terminal."""


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    out = Terminal()
    monkeypatch.setattr(progress, "_terminal_line", lambda: progress._TerminalLine(out))
    monkeypatch.setattr(progress, "_notebook_line", lambda: None)
    return out


def test_a_short_wait_shows_nothing(terminal: Terminal) -> None:
    clock = Clock()
    with Progress(clock) as shown:
        clock.now = 0.9
        shown.show(lambda: "waiting for Godot")
    assert terminal.getvalue() == ""


def test_a_long_wait_is_shown_once_a_second_and_cleared(terminal: Terminal) -> None:
    clock = Clock()
    with Progress(clock) as shown:
        for at in (1.0, 1.5, 1.9, 2.1):
            clock.now = at
            shown.show(lambda: "waiting for Godot")
    lines = terminal.getvalue().split("\r")
    assert lines[1:] == ["waiting for Godot … 1 s\x1b[K", "waiting for Godot … 2 s\x1b[K", "\x1b[K"]


def test_other_threads_show_nothing(terminal: Terminal) -> None:
    clock = Clock()
    with Progress(clock) as shown:
        clock.now = 5.0
        thread = threading.Thread(target=shown.show, args=(lambda: "x",))
        thread.start()
        thread.join(10)
    assert terminal.getvalue() == ""


def test_a_notebook_has_one_output_that_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[Any] = []

    class Handle:
        def update(self, data: Any, raw: bool) -> None:
            written.append(("update", data))

    def display(data: Any, raw: bool, display_id: bool) -> Handle:
        written.append(("display", data))
        return Handle()

    monkeypatch.setattr(progress, "_notebook_line", lambda: progress._NotebookLine(display))
    clock = Clock()
    with Progress(clock) as shown:
        for at in (1.0, 2.0):
            clock.now = at
            shown.show(lambda: "")
    assert written == [
        ("display", {"text/plain": "waiting … 1 s"}),
        ("update", {"text/plain": "waiting … 2 s"}),
        ("update", {"text/plain": "waited 2 s"}),
    ]
    stopped = Progress(clock)
    clock.now = 4.0
    stopped.show(lambda: "")
    stopped.__exit__(KeyboardInterrupt, KeyboardInterrupt(), None)
    assert written[-1] == ("update", {"text/plain": "stopped after 2 s"})
