"""The lines of one run of a container by their time: made when asked for, the same each time.

A program that goes on for ever has its lines in pieces of about as many lines each, so that the newest can be made
without those before. What the log of a run says at a time depends only on the run and that time: whoever follows has
seen, line for line, what is read later.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from heapq import merge
from itertools import chain, count
from typing import NamedTuple

from notebook_mux.playground.logs.runs import Run
from notebook_mux.playground.shell import entry
from notebook_mux.playground.stories.catalog import program
from notebook_mux.playground.stories.program import Scene

PIECE_LINES = 60
"""Lines of a piece, on average."""

KEPT_PIECES = 160
"""A log is about 10,000 lines long, a megabyte: what is older counts as rotated away (a kubelet's limit is 10 MiB)."""

NS = 1_000_000_000
ALWAYS = 2**63
"""Nanoseconds since the epoch that never come."""

STEP_NS = 20_000
"""Between the lines of one text."""

GAP_S = 0.01
"""At the end of a piece: the lines of its last text are still its own."""

STOPPED_S = 1
"""After which a program that is told to end has ended what it was doing; its kubelet takes 0.8 to 2.5 s."""


class Line(NamedTuple):
    """A line, and when it was written, nanoseconds since the epoch."""

    ns: int
    text: str


class Written:
    """The log of a run.

    Args:
        run: The run, by the newest state of its pod.
        asked: Lines that it wrote because somebody really asked it (`notebook_mux.playground.web.accesses`): each later
            than the one before, and than anything that had been read when it was written.
    """

    def __init__(self, run: Run, asked: Sequence[tuple[int, str]] = ()):
        self.run = run
        self._asked = [Line(*one) for one in asked]
        metadata = run.pod["metadata"]
        seed = f"{metadata['namespace']}/{metadata['name']}/{run.container['name']}/{run.number}"
        self._scene = Scene(run.pod, run.container, run.number, run.started, run.planned, seed)
        self._program = program(self._scene)
        pace = self._program.pace
        self._piece_s = max(1, round(PIECE_LINES / pace)) if pace else 0

    def until(self, now: float, tail: int | None = None, since: float = 0.0) -> Iterator[Line]:
        """What has been written.

        Args:
            now: Unix seconds.
            tail: How many lines from the end; None is all that is kept.
            since: Older lines are not wanted, Unix seconds. `tail` counts before that.
        """
        end = ALWAYS if self.run.end else int(now * NS)
        newest = self._piece_of(self._over() if self.run.end else end)
        oldest = max(0, newest - KEPT_PIECES)
        if tail is None:
            lines = self._from(max(oldest, min(newest, self._piece_of(int(since * NS)))), end)
            return (line for line in lines if line.ns >= since * NS)
        pieces = tail // PIECE_LINES + 1
        while True:
            first = max(oldest, newest - pieces)
            found = deque(self._from(first, end), maxlen=tail)
            if len(found) >= tail or first == oldest:
                return (line for line in found if line.ns >= since * NS)
            pieces *= 2

    def after(self, ns: int) -> Iterator[Line]:
        """What is written after a line, or after a time, nanoseconds since the epoch, up to the end of the run."""
        first = self._piece_of(ns)
        return (line for line in self._from(first) if line.ns > ns)

    # ------------------------------------------------------------------------------------------ making them

    def _over(self) -> int:
        """When the last line of its usual course may be written, nanoseconds since the epoch."""
        run, limits = self.run, [ALWAYS]
        if entry.is_emulated(run.container):
            return ALWAYS  # what it wrote it has written, and nothing besides is told
        if run.planned is not None:
            limits.append(run.started * NS + int(run.planned * NS))
        if run.stopping is not None:
            limits.append((run.stopping + STOPPED_S) * NS)
        # An end that was planned is told in whole seconds, so what is said in its last one was said before it.
        if run.end is not None and run.end.at < run.started + int(run.planned or run.end.at):
            limits.append(run.end.at * NS)
        return min(limits)

    def _piece_of(self, ns: int) -> int:
        return max(0, (ns // NS - self.run.started) // self._piece_s) if self._piece_s else 0

    def _from(self, piece: int, end: int = ALWAYS) -> Iterator[Line]:
        """Lines from a piece on, up to the nanosecond that is given."""
        over, last = self._over(), 0
        begin = (self.run.started + piece * self._piece_s) * NS if piece else 0
        asked = (line for line in self._asked if line.ns >= begin)
        for line in merge(self._course(piece), asked):
            if line.ns > over:
                break
            if line.ns > end:
                return
            last = line.ns
            yield line
        for line in self._last_words(last):
            if line.ns > end:
                return
            yield line

    def _course(self, piece: int) -> Iterator[Line]:
        """Its script, then piece after piece; each line later than the one before."""
        last = 0
        texts = self._piece(piece) if piece else self._beginning()
        later = chain.from_iterable(map(self._piece, count(piece + 1))) if self._piece_s else iter(())
        for ns, text in chain(texts, later):
            for line in text.split("\n"):
                last = max(ns, last + STEP_NS)
                yield Line(last, line)

    def _beginning(self) -> Iterator[tuple[int, str]]:
        begun, started = 0.0, self.run.started * NS
        for begun, text in self._program.begins():
            yield started + int(begun * NS), text
        if self._piece_s:
            yield from self._piece(0, begun)

    def _piece(self, number: int, begin: float = 0.0) -> Iterator[tuple[int, str]]:
        """The lines of a piece of the log, at random times at the program's pace."""
        random, pace = self._scene.random(number), self._program.pace
        at, end = max(begin, float(number * self._piece_s)), (number + 1) * self._piece_s - GAP_S
        started = self.run.started
        while (at := at + random.expovariate(pace)) < end:
            yield started * NS + int(at * NS), self._program.goes_on(random, started + at)

    def _last_words(self, last: int) -> Iterator[Line]:
        run, texts = self.run, list[tuple[int, str]]()
        if run.stopping is not None:
            texts += [(run.stopping + STOPPED_S, one) for one in self._program.stops(run.stopping + STOPPED_S)]
        if run.end is not None:
            texts += [(run.end.at, one) for one in self._program.ends(run.end.at, run.end.code)]
        for at, text in texts:
            last = max(at * NS, last + STEP_NS)
            yield Line(last, text)


def stamp(ns: int) -> str:
    """A time as the kubelet writes it: nine digits, always (cri-client/pkg/logs/logs.go:52)."""
    return f"{datetime.fromtimestamp(ns // NS, UTC):%Y-%m-%dT%H:%M:%S}.{ns % NS:09d}Z"
