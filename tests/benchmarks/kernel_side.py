"""Our side in a kernel's process: the real core with streams open, and what it costs and holds.

Run as a child with ``{"url": ...}``. It connects, says ``{"ready": true}``, and takes orders:

- ``{"open": n, "namespaces": [...], "reading": ""|"cells"|"live"}``: open streams of pods, n for each of the
  namespaces (told apart by their user ids, so that none is shared), and say when all have synced.
- ``{"start": n}``: mark the CPU; when n more changes are in the store (and, where it reads, n changes have been read,
  or folded into later ones), say what they cost.
- ``{"counts": true}``: what the core's status says.

``reading``: ``""`` leaves the store alone; ``"cells"`` drains a feed of all changes in another thread, as a widget or
an iterator does, and decodes the cells of each; ``"live"`` finds the ages that go on by themselves as well.
"""

from __future__ import annotations

import threading
import time
from typing import Any

import msgspec

from notebook_mux.kernel.core import Core
from notebook_mux.printing import cells
from tests.benchmarks.processes import arguments, orders, say

POLL_SECONDS = 0.02
CONNECT_SECONDS = 60.0
PODS = {"name": "pods", "group": ""}

_decode = msgspec.json.Decoder(list[Any]).decode


class Reader:
    """Reads each change's cells from a feed, on a thread of its own."""

    def __init__(self, core: Core, stream: str, *, live: bool) -> None:
        self.count = 0
        self.rows: dict[str, Any] = {}
        self._live = live
        self._columns = core.read(stream).columns
        self._wanted = threading.Event()
        self.feed = core.feed(stream, self._wanted.set, initial=True)
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        while True:
            self._wanted.wait()
            self._wanted.clear()
            changes = self.feed.drain()
            for _, _, new, _ in changes:
                if new is not None:
                    row = cells.live(self._columns, PODS, new) if self._live else _decode(new.cells)
                    self.rows[new.uid] = row
            self.count += len(changes)


class KernelSide:
    """The core and its streams of pods."""

    def __init__(self, url: str) -> None:
        self.core = Core()
        self.conn = self.core.connect(("url", url), CONNECT_SECONDS).result(CONNECT_SECONDS)
        (context,) = self.core.contexts(self.conn, {}, None, CONNECT_SECONDS).result(CONNECT_SECONDS)
        self.core.probe(self.conn, context["ref"], CONNECT_SECONDS).result(CONNECT_SECONDS)
        self._cluster = (context["name"], context["ref"], context.get("namespace", "default"))
        self._streams: list[str] = []
        self._reader: Reader | None = None

    def open(self, each: int, namespaces: list[str], reading: str) -> dict[str, Any]:
        """Open streams; returns what it took until all had synced."""
        cpu, wall = time.process_time(), time.monotonic()
        for number in range(each):
            for name in namespaces:
                user = f"user-{number}" if each > 1 else ""
                spec = (self.conn, (self._cluster,), "pods", (name,), "", "", user)
                self._streams.append(self.core.open_stream(spec))
                self.core.hold(self._streams[-1], "benchmark")
        for stream in self._streams:
            self.core.settled(stream).result(CONNECT_SECONDS)
        took = {"cpu": time.process_time() - cpu, "wall": time.monotonic() - wall}
        if reading:
            self._reader = Reader(self.core, self._streams[0], live=reading == "live")
        views = [self.core.read(stream) for stream in self._streams]
        states = [state for view in views for state in view.states.values()]
        objects = sum(len(records) for view in views for records in view.records.values())
        return {**took, "synced": sum(state.synced for state in states), "objects": objects}

    def counts(self) -> dict[str, Any]:
        """Totals of the core's status."""
        status = self.core.status(self.conn)
        names = ("sockets", "subscriptions", "frames_in", "frames_out", "bytes_in", "reconnects")
        return {name: status[name] for name in names}

    def changes(self) -> int:
        """Changes in the stores so far, states left out included."""
        return sum(int(one["changes"] + one["skipped"]) for one in self.core.status(self.conn)["streams"])

    def read(self) -> int:
        """Changes that the reader has seen, folded ones included."""
        return self._reader.count + self._reader.feed.missed if self._reader is not None else 0

    def measure(self, changes: int) -> dict[str, Any]:
        """What the next `changes` cost."""
        reading = self._reader is not None
        while reading and self.read() < self.changes():
            time.sleep(POLL_SECONDS)
        stored, read = self.changes() + changes, self.read() + changes
        cpu, wall = time.process_time(), time.monotonic()
        say(started=True)
        while self.changes() < stored or (reading and self.read() < read):
            time.sleep(POLL_SECONDS)
        took = {"cpu": time.process_time() - cpu, "wall": time.monotonic() - wall}
        (stream,) = self.core.status(self.conn)["streams"]
        missed = self._reader.feed.missed if self._reader is not None else 0
        return {**took, "objects": stream["objects"], "skipped": stream["skipped"], "missed": missed}


def main() -> None:
    """Do as told until the input ends."""
    side = KernelSide(**arguments())
    say(ready=True)
    for given in orders():
        if "open" in given:
            say(**side.open(given["open"], given["namespaces"], given.get("reading", "")))
        elif "start" in given:
            say(**side.measure(given["start"]))
        else:
            say(**side.counts())
    side.core.shutdown()


if __name__ == "__main__":
    main()
