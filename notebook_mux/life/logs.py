"""A service's log: what it prints and logs, without secrets, in two files of bounded size that only the user reads."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import sys
import threading
from pathlib import Path
from typing import TextIO

from notebook_mux.life.name import ServiceName
from notebook_mux.life.redact import redact

__all__ = ["SafeLog", "begin", "open_log", "tail"]

SIZE_LIMIT = 1024 * 1024
"""Bytes of a log before it becomes the old one: days of a healthy service, minutes of one that loops in an error."""

LINE_LIMIT = 8 * 1024
"""Characters a line may have before it is written without its end."""

FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def open_log(path: Path) -> int:
    """Open a log to append to, as a file descriptor that only this user's processes can get.

    Raises:
        OSError: It cannot be opened.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0)
    descriptor = os.open(path, flags, 0o600)
    if sys.platform != "win32":
        os.fchmod(descriptor, 0o600)
    return descriptor


class SafeLog(io.TextIOBase):
    """A text stream that writes whole redacted lines to a log and turns it over when it is full. Thread-safe.

    Args:
        path: The log; ``<path>.1`` is the one before.
        descriptors: File descriptors of this process that shall go on leading to the log after it was turned over
            (1 and 2: an interpreter that crashes writes there itself).
        limit: Bytes of one log.
    """

    def __init__(self, path: Path, descriptors: tuple[int, ...] = (), limit: int = SIZE_LIMIT):
        self._path = path
        self._descriptors = descriptors
        self._limit = limit
        self._lock = threading.RLock()
        self._waiting = ""
        self._in_key = False
        self._out = open_log(path)

    def writable(self) -> bool:
        """It is."""
        return True

    def write(self, text: str) -> int:
        """Take text; what has no line end yet waits for it."""
        with self._lock:
            *lines, self._waiting = (self._waiting + text).split("\n")
            if len(self._waiting) > LINE_LIMIT:
                lines, self._waiting = [*lines, self._waiting], ""
            for line in lines:
                self._write_line(line)
        return len(text)

    def _write_line(self, line: str) -> None:
        if self._in_key:  # a private key spans lines, and each of them alone looks like any text
            self._in_key = "-----END" not in line
            return
        self._in_key = "PRIVATE KEY-----" in line and "-----BEGIN" in line and "-----END" not in line
        content = (redact(line) + "\n").encode(errors="backslashreplace")
        with contextlib.suppress(OSError):  # a full disk must not end the service
            os.write(self._out, content)
            if os.fstat(self._out).st_size > self._limit:
                self._turn_over()

    def _turn_over(self) -> None:
        if sys.platform == "win32":  # an open file cannot be renamed there
            os.ftruncate(self._out, 0)
            return
        self._path.replace(self._path.with_name(f"{self._path.name}.1"))
        fresh = open_log(self._path)
        for descriptor in (self._out, *self._descriptors):
            os.dup2(fresh, descriptor)
        os.set_inheritable(self._out, False)
        os.close(fresh)

    def flush(self) -> None:
        """Nothing waits but the unfinished line."""

    def finish(self) -> None:
        """Write the unfinished line too."""
        with self._lock:
            if self._waiting:
                self._write_line(self._waiting)
                self._waiting = ""


def begin(name: ServiceName, level: int = logging.INFO) -> None:
    """Send all that a launched service prints and logs to its log. For the service's main thread, at its start.

    Raises:
        GatewayError: The log's folder is not safe to use.
        OSError: The log cannot be opened.
    """
    log = SafeLog(name.log_file(), descriptors=(1, 2))
    stream: TextIO = log  # type: ignore[assignment]  # a text stream is all that print and logging need
    sys.stdout = sys.stderr = stream
    logging.basicConfig(stream=stream, level=level, format=FORMAT, force=True)
    logging.captureWarnings(True)


def tail(path: Path, start: int = 0, lines: int = 8, limit: int = 16 * 1024) -> list[str]:
    """The last lines of a log, redacted once more; empty if there is none.

    Args:
        path: The log.
        start: Bytes at its beginning that are not of interest; ignored if the log was turned over since.
        lines: How many lines.
        limit: Bytes at its end to look at.
    """
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(start if start <= size else 0, size - limit))
            text = file.read(limit).decode(errors="replace")
    except OSError:
        return []
    return [line for line in redact(text).splitlines() if line.strip()][-lines:]
