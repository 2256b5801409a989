"""Logs of a core as a handle reads them."""

from __future__ import annotations

import json
import struct
from functools import partial
from typing import Any

from notebook_mux.kernel.core import Core
from notebook_mux.kernel.logs import LogSpec
from notebook_mux.tailing.reading import MARK
from tests import waiting

SECONDS = 30.0
"""Far more than a loaded machine takes for anything here."""

eventually = partial(waiting.eventually, seconds=SECONDS)

Clusters = tuple[tuple[str, str, str], ...]
Line = tuple[int, int, int, int, bytes]
"""Number, time, source, flags, text."""


def lines_of(read: dict[str, Any]) -> list[Line]:
    """Those of one reading."""
    number = len(read["ends"]) // 4
    ends = struct.unpack(f"<{number}I", read["ends"])
    starts = (0, *ends)
    return list(
        zip(
            range(read["first"], read["end"]),
            struct.unpack(f"<{number}q", read["times"]),
            struct.unpack(f"<{number}I", read["sources"]),
            struct.unpack(f"<{number}H", read["flags"]),
            [read["text"][start:end] for start, end in zip(starts, ends, strict=False)],
            strict=True,
        )
    )


def all_of(core: Core, logs: str) -> list[Line]:
    """All that is kept."""
    found: list[Line] = []
    after = 0
    while True:
        read = core.logs_read(logs, after)
        if read["first"] == read["end"]:
            return found
        found += lines_of(read)
        after = read["end"] - 1


class Held:
    """Logs that are held, read as a handle reads them."""

    def __init__(self, core: Core, conn: str, clusters: Clusters, **spec: Any) -> None:
        self.core = core
        self.id = core.open_logs(tuple(LogSpec(conn, clusters, **spec)))
        core.hold_logs(self.id, "test")
        core.logs_settled(self.id).result(SECONDS)

    def lines(self) -> list[tuple[str, bytes]]:
        """(pod/container, text) in the order of arrival, without marks."""
        every = all_of(self.core, self.id)
        sources = self.state["sources"]
        return [
            (f"{sources[source]['pod']}/{sources[source]['container']}", text)
            for _, _, source, flags, text in every
            if not flags & MARK
        ]

    def texts(self) -> list[bytes]:
        return [text for _, text in self.lines()]

    def marks(self) -> list[dict[str, Any]]:
        return [json.loads(line[4]) for line in all_of(self.core, self.id) if line[3] & MARK]

    @property
    def state(self) -> dict[str, Any]:
        return self.core.logs_state(self.id)

    def have(self, *texts: bytes) -> None:
        eventually(lambda: self.texts() == list(texts), f"{texts} come")

    def stand(self, at: int, state: str) -> dict[str, Any]:
        eventually(lambda: self.state["sources"][at]["state"] == state, state)
        return self.state["sources"][at]

    def say(self, kind: str, times: int = 1) -> dict[str, Any]:
        def said() -> list[dict[str, Any]]:
            return [mark for mark in self.marks() if mark["mark"] == kind]

        eventually(lambda: len(said()) == times, kind)
        return said()[-1]
