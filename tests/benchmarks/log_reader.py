"""What a notebook's kernel runs in the figures of logs: it reads every line as it comes and looks for missing ones."""

from __future__ import annotations

import re
import threading
from array import array
from collections import Counter
from typing import Any

MOST = 20_000
"""Lines of one reading."""

NUMBER = re.compile(rb"#(\d+)")
"""Of a line, anywhere in it."""

MARK_BIT = 1 << 4
"""A line that is not the container's; see ``notebook_mux.tailing.reading``."""


class Check:
    """Reads logs to their end on a thread of its own; every line says its number, counted from 0 for each pod.

    Args:
        logs: What `nm.logs` gave.
        lines: That each pod will write.
    """

    def __init__(self, logs: Any, lines: int) -> None:
        self.wanted = lines
        self.found: Counter[int] = Counter()
        self.missing = self.again = self.marks = 0
        self._logs = logs
        self._news = threading.Event()
        self._undo = logs._source.on_new(self._news.set)
        self._holder = logs._source.hold("benchmark")
        self._after = -1
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while True:
            self._news.wait(1.0)
            self._news.clear()
            while self._read():
                pass

    def _read(self) -> bool:
        read = self._logs._source.read(self._after, MOST)
        ends, sources, flags = array("I", read["ends"]), array("I", read["sources"]), array("H", read["flags"])
        text, began = bytes(read["text"]), 0
        for end, source, flag in zip(ends, sources, flags, strict=True):
            if flag & MARK_BIT:
                self.marks += 1
            else:
                found = NUMBER.search(text, began, end)
                number = int(found[1]) if found else -1
                expected = self.found[source]
                self.missing += max(0, number - expected)
                self.again += number < expected
                self.found[source] = max(expected, number + 1)
            began = end
        moved = read["end"] - 1 > self._after
        self._after = max(self._after, read["end"] - 1)
        return moved

    @property
    def total(self) -> int:
        """Lines so far, each once."""
        return sum(self.found.values())

    def said(self, pods: int) -> str:
        """How it stands, in a line that a page can wait for."""
        whole = sum(count == self.wanted for count in self.found.values()) == pods
        standing = f"{self.total} lines, {self.missing} missing, {self.again} again, {self.marks} marks"
        return f"{'complete' if whole else 'so far'}: {standing}"
