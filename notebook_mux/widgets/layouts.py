"""How a person has arranged a table's columns: their order, those that are hidden, their widths.

It is remembered for each kind, and for each table that has a name, in a file of the user's own.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import msgspec

from notebook_mux.life.files import read_private, write_private
from notebook_mux.life.folders import config_dir

log = logging.getLogger(__name__)

FILE = "layouts.json"

MAX_TABLES = 100
"""Tables that are remembered, those arranged last."""

MAX_BYTES = 1024 * 1024
"""Of the file: a hundred tables of a hundred columns."""

REST_SECONDS = 0.3
"""Between a change and its writing: one who arranges columns makes several."""

MAX_TITLES = 256
"""Columns of a layout; a kind with more has the rest as they come."""

MAX_TITLE = 200
"""Characters of a title: custom resources choose their own."""

MIN_WIDTH, MAX_WIDTH = 10, 4000
"""Pixels of a column."""

Title = Annotated[str, msgspec.Meta(max_length=MAX_TITLE)]
Titles = Annotated[tuple[Title, ...], msgspec.Meta(max_length=MAX_TITLES)]
Widths = Annotated[
    dict[Title, Annotated[int, msgspec.Meta(ge=MIN_WIDTH, le=MAX_WIDTH)]], msgspec.Meta(max_length=MAX_TITLES)
]


class Layout(msgspec.Struct, frozen=True, omit_defaults=True):
    """An arrangement of columns. A title that it does not name is shown as if there were none.

    Attributes:
        order: Titles in the order shown; those that are hidden may be among them.
        hidden: Titles that are not shown.
        widths: Titles to pixels.
    """

    order: Titles = ()
    hidden: Titles = ()
    widths: Widths = {}

    def told(self) -> dict[str, Any]:
        """As a page has it."""
        return {"order": list(self.order), "hidden": list(self.hidden), "widths": dict(self.widths)}


class _Kept(msgspec.Struct, omit_defaults=True):
    """One table's in the file; `at` is Unix seconds."""

    layout: Layout
    at: float = 0.0


class _File(msgspec.Struct):
    version: int = 1
    tables: dict[Annotated[str, msgspec.Meta(max_length=600)], _Kept] = {}


_decode = msgspec.json.Decoder(_File).decode
_encode = msgspec.json.Encoder().encode


class Layouts:
    """What is remembered of all tables. Any thread may call; only `load` touches the disk in the caller's.

    Args:
        folder: Where the file is; made when something is written.
        clock: Unix seconds.
    """

    def __init__(self, folder: Callable[[], Path] = config_dir, clock: Callable[[], float] = time.time) -> None:
        self._folder = folder
        self._clock = clock
        self._lock = threading.Lock()
        self._known: dict[str, Layout | None] = {}
        self._note = ""
        self._unwritten: dict[str, Layout | None] = {}
        self._writing: threading.Thread | None = None

    def load(self) -> None:
        """Read the file, which other kernels write too. `read` is called for pages, and must not wait for a disk."""
        found: dict[str, Layout] = {}
        note = ""
        with self._lock:
            ours = dict(self._unwritten)
        try:
            found = {key: kept.layout for key, kept in self._read().tables.items()}
        except FileNotFoundError:
            pass
        except (OSError, msgspec.MsgspecError, UnicodeError) as error:
            note = f"how columns were arranged before cannot be read from {self._folder() / FILE}: {error}"
        with self._lock:
            self._known, self._note = {**found, **ours, **self._unwritten}, note

    def read(self, key: str) -> tuple[Layout | None, str]:
        """What is remembered of a table, and what went wrong with reading it, in words; "" for nothing."""
        with self._lock:
            return self._known.get(key), "" if key in self._known else self._note

    def write(self, key: str, layout: Layout | None) -> None:
        """Remember it; it is in the file soon. None forgets."""
        with self._lock:
            self._known[key] = layout
            self._unwritten.pop(key, None)
            self._unwritten[key] = layout
            if self._writing is None:
                self._writing = threading.Thread(target=self._run, name="notebook_mux layouts", daemon=True)
                self._writing.start()

    def flush(self, seconds: float) -> None:
        """Wait until all is written, for so long at most."""
        thread = self._writing
        if thread is not None:
            thread.join(seconds)

    def _run(self) -> None:
        while True:
            time.sleep(REST_SECONDS)
            with self._lock:
                changes = dict(self._unwritten)
            try:
                self._store(changes)
            except OSError:  # a home that is read-only, or full: it is remembered until the kernel ends
                log.debug("the columns' arrangement cannot be kept", exc_info=True)
                with self._lock:
                    self._writing = None
                return
            with self._lock:
                for key, layout in changes.items():
                    if self._unwritten.get(key, ...) is layout:
                        del self._unwritten[key]
                if not self._unwritten:
                    self._writing = None
                    return

    def _store(self, changes: dict[str, Layout | None]) -> None:
        try:
            tables = self._read().tables
        except (OSError, msgspec.MsgspecError, UnicodeError):
            tables = {}  # none yet, or one that nobody can read
        now = self._clock()
        for key, layout in changes.items():
            tables.pop(key, None)
            if layout is not None:
                tables[key] = _Kept(layout, now)
        latest = sorted(tables.items(), key=lambda item: item[1].at)[-MAX_TABLES:]
        folder = self._folder()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private(folder / FILE, _encode(_File(tables=dict(latest))))

    def _read(self) -> _File:
        return _decode(read_private(self._folder() / FILE, MAX_BYTES))


layouts = Layouts()
"""This user's."""
