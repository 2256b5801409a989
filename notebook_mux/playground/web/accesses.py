"""What servers wrote because somebody really asked them: beside their stories, in their containers' logs."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple
from weakref import WeakKeyDictionary

from notebook_mux.playground.cluster import Cluster

NS = 1_000_000_000
STEP_NS = 1000
"""Between two lines at the same time."""

KEPT_LINES = 2000
"""Of one run of a container; a kubelet keeps 10 MiB."""

KEPT_RUNS = 500
"""Runs whose lines are kept; those that were asked longest ago are forgotten."""


class RunKey(NamedTuple):
    """One life of a container."""

    uid: str
    container: str
    number: int


class Accesses:
    """The lines of all containers of a cluster."""

    def __init__(self) -> None:
        self._lines: dict[RunKey, list[tuple[int, str]]] = {}
        self._listeners: set[Callable[[RunKey], None]] = set()

    def note(self, run: RunKey, at: float, text: str) -> None:
        """Write a line.

        Args:
            run: Whose log.
            at: Unix seconds; it stands behind all that was written until then.
            text: One line or more.
        """
        lines = self._lines.pop(run, [])
        self._lines[run] = lines  # the last one that was asked
        for line in text.split("\n"):
            lines.append((max(int(at * NS) + 1, lines[-1][0] + STEP_NS if lines else 0), line))
        del lines[:-KEPT_LINES]
        while len(self._lines) > KEPT_RUNS:
            del self._lines[next(iter(self._lines))]
        for listener in list(self._listeners):
            listener(run)

    def lines(self, run: RunKey) -> list[tuple[int, str]]:
        """A run's lines: nanoseconds since the epoch, and a text; each later than the one before."""
        return list(self._lines.get(run, ()))

    def listen(self, listener: Callable[[RunKey], None]) -> Callable[[], None]:
        """Be told of each new line; returns what ends it."""
        self._listeners.add(listener)
        return lambda: self._listeners.discard(listener)


_known: WeakKeyDictionary[Cluster, Accesses] = WeakKeyDictionary()


def of(cluster: Cluster) -> Accesses:
    """The accesses of a cluster, as long as it is there."""
    return _known.setdefault(cluster, Accesses())
