"""A recording of what a terminal's program prints: asciicast version 2, output and sizes only, on request only.

It is one more view of the terminal, without a size of its own. Its bytes are written by a thread of the recording's,
and granted when they are in the file: a full disk or a slow one holds up this view and nothing else.
"""

from __future__ import annotations

import codecs
import contextlib
import json
import logging
import os
import queue
import secrets
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from notebook_mux.errors import InvalidArgument, MuxError
from notebook_mux.widgets.panes import Attached, Item, Session
from notebook_mux.wire.frames import FRAME_HEAD, Channel

log = logging.getLogger(__name__)

WINDOW = 1024 * 1024
"""Bytes that may be on their way to the file."""

COLUMNS, ROWS = 80, 24
"""The size written where nobody has said one."""

STREAM = 1
"""A view's own stream, as in a page."""

CLOSE_SECONDS = 5.0
"""How long closing waits for the file."""


class Recording:
    """A recording that goes on until it is closed; a context manager. See `Terminal.record`."""

    def __init__(self, path: Path, file: IO[str], done: Callable[[], None]) -> None:
        self.path = path
        self._file = file
        self._done = done
        self._queue: queue.SimpleQueue[list[Item] | None] = queue.SimpleQueue()
        self._attached: Attached | None = None
        self._view = secrets.token_hex(16)
        self._began = 0.0
        self._size = (0, 0)
        self._live = False
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._thread = threading.Thread(target=self._run, name="notebook-mux-recording", daemon=True)
        self._ended = threading.Event()

    @classmethod
    def start(
        cls, path: str | Path, session: Session, before: Recording | None, *, done: Callable[[], None]
    ) -> Recording:
        """Begin one; `done` is called when it ends by itself."""
        if before is not None and not before.closed:
            raise InvalidArgument(f"it is being recorded to {before.path}", todo="close that recording first")
        path = Path(path).expanduser().absolute()
        try:
            # what a terminal shows may be secret: the owner's alone, and never over another file
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError as error:
            raise InvalidArgument(
                f"{path} cannot be made: {error.strerror}", todo="give a file that is not there yet"
            ) from None
        made = cls(path, os.fdopen(descriptor, "w", encoding="utf-8"), done)
        made._thread.start()
        try:
            made._attached = session.attach(made._view, made._queue.put)
            made._look()
        except MuxError:
            made.close()
            path.unlink(missing_ok=True)
            raise
        return made

    @property
    def closed(self) -> bool:
        """Whether it has ended."""
        return self._ended.is_set()

    def close(self) -> None:
        """End it: the file is whole then. Idempotent."""
        if self._attached is not None:
            with contextlib.suppress(MuxError):
                self._attached.close()
        self._queue.put(None)
        if threading.current_thread() is not self._thread:
            self._thread.join(CLOSE_SECONDS)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # --- the thread -----------------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            with self._file:
                while (items := self._queue.get()) is not None:
                    self._take(items)
                    self._file.flush()
        except (OSError, ValueError):
            log.warning("the recording to %s has ended: it cannot be written", self.path, exc_info=True)
            if self._attached is not None:
                with contextlib.suppress(MuxError):
                    self._attached.close()
        finally:
            self._ended.set()
            self._done()

    def _take(self, items: Sequence[Item]) -> None:
        taken = 0
        for item in items:
            if isinstance(item, str):
                self._control(json.loads(item))
                continue
            taken += len(item)
            _, channel = FRAME_HEAD.unpack_from(item)
            payload = item[FRAME_HEAD.size :]
            if channel in (Channel.STDOUT, Channel.STDERR):
                if self._live:
                    self._event("o", self._decoder.decode(payload))
            elif channel == Channel.VIEW:
                self._about_view(json.loads(payload))
        if taken and self._attached is not None:
            self._attached.send([json.dumps({"type": "credit", "stream": STREAM, "bytes": taken})])

    def _look(self) -> None:
        assert self._attached is not None
        view = {"type": "view", "stream": STREAM, "terminal": "", "view": self._view, "credit": WINDOW}
        self._attached.send([json.dumps(view)])

    def _control(self, message: dict[str, Any]) -> None:
        if message.get("type") == "renewed":
            self._look()  # another terminal is in this one's place: all that it shows is new
        elif message.get("type") == "ended":
            self._queue.put(None)
        elif message.get("type") == "shown":
            # after a cut it goes on where it was: only before the first `live` is what comes of earlier
            self._size = (message.get("columns", 0), message.get("rows", 0))

    def _about_view(self, event: dict[str, Any]) -> None:
        if event.get("live") and not self._live:
            self._live = True
            self._head()
        elif "columns" in event:
            size = (event["columns"], event["rows"])
            if size != self._size and self._began:
                self._event("r", f"{size[0]}x{size[1]}")
            self._size = size

    def _head(self) -> None:
        self._began = time.monotonic()
        columns, rows = self._size
        head = {"version": 2, "width": columns or COLUMNS, "height": rows or ROWS, "timestamp": int(time.time())}
        self._file.write(json.dumps(head) + "\n")

    def _event(self, code: str, data: str) -> None:
        if data and self._began:
            seconds = round(time.monotonic() - self._began, 6)
            self._file.write(json.dumps([seconds, code, data], ensure_ascii=False) + "\n")
