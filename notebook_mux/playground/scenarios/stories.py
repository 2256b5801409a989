"""A story as it is told: each firing of each step at its time, on the cluster's agenda."""

from __future__ import annotations

import heapq
import logging
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from notebook_mux.errors import BadScenario
from notebook_mux.playground.clock import Agenda
from notebook_mux.playground.scenarios.steps import AFTER, DO, EVERY, Step
from notebook_mux.playground.scenarios.verbs import Draw, Hands, attempt

log = logging.getLogger(__name__)


class Firing(NamedTuple):
    """One time that a step happens.

    Attributes:
        at: Seconds since the beginning.
        number: How often the step fired before.
    """

    at: float
    number: int
    step: Step


def firings(steps: Iterable[Step], seed: str, since: float = 0.0, number: int = 0) -> Iterator[Firing]:
    """All firings of some steps in the order of their times, without end where one is repeated for ever.

    Args:
        steps: Of one list.
        seed: Of what is drawn for them.
        since: What their times count from, seconds since the beginning.
        number: How often the step that they are a part of fired before.
    """
    courses, before = [], since
    for step in steps:
        draw = Draw(seed, step.path, number)
        if step.timing == EVERY:
            course = _repeated(step, seed)
        else:
            time = draw.between("time", step.time)
            course = iter([Firing((before if step.timing == AFTER else since) + time, number, step)])
        first = next(course, None)
        if first is not None:
            before = first.at
            courses.append(_with_parts(first, course, seed))
    return heapq.merge(*courses, key=lambda firing: firing.at)


def _repeated(step: Step, seed: str) -> Iterator[Firing]:
    number, at = 0, 0.0
    while step.times is None or number < step.times:
        draw = Draw(seed, step.path, number)
        if number == 0 and step.start is not None:
            at = draw.between("start", step.start)
        else:
            at += draw.between("time", step.time)
        if step.until is not None and at > step.until:
            return
        yield Firing(at, number, step)
        number += 1


def _with_parts(first: Firing, rest: Iterator[Firing], seed: str) -> Iterator[Firing]:
    """The firings of one step, and between them those of the steps within it."""
    waiting: list[tuple[float, int, Firing]] = []
    order = 0
    firing: Firing | None = first
    while firing is not None:
        for part in firings(firing.step.steps, seed, firing.at, firing.number):
            heapq.heappush(waiting, (part.at, order, part))
            order += 1
        yield firing
        firing = next(rest, None)
        while waiting and (firing is None or waiting[0][0] < firing.at):
            yield heapq.heappop(waiting)[2]


class Story:
    """What happens in a cluster, or in one namespace of it.

    Args:
        agenda: The cluster's.
        steps: What happens.
        seed: Of what is drawn.
        hands: Does it.
        begun: The beginning, Unix seconds of the cluster's time.

    Attributes:
        chosen: What the seed has chosen in its scenario.
        strict: Whether a step that cannot be done is an error; else it is left out, for who uses the cluster may have
            taken away what it is about.
        failed: The first such error of a strict one.
    """

    def __init__(self, agenda: Agenda, steps: tuple[Step, ...], seed: str, hands: Hands, begun: float):
        self._agenda = agenda
        self._hands = hands
        self._seed = seed
        self.begun = begun
        self.chosen: dict[str, Any] = {}
        self.strict = False
        self.failed: BadScenario | None = None
        self._coming = firings(steps, seed)
        self._next = next(self._coming, None)

    def begin(self, after: float = float("-inf")) -> None:
        """Plan what is to happen.

        Args:
            after: Unix seconds; what comes before has happened.
        """
        while self._next is not None and self.begun + self._next.at <= after:
            self._next = next(self._coming, None)
        self._plan()

    def end(self) -> None:
        """Let nothing more happen: where it was told is going."""
        self._next, self._coming = None, iter(())

    def next_at(self) -> float | None:
        """When the next thing happens, Unix seconds of the cluster's time; None if nothing more does."""
        return None if self._next is None else self.begun + self._next.at

    def _plan(self) -> None:
        due = self.next_at()
        if due is not None:
            self._agenda.after(due - self._agenda.now(), self._fire)

    def _fire(self) -> None:
        firing = self._next
        if firing is None:
            return
        self._next = next(self._coming, None)
        self._plan()
        if firing.step.verb == DO:
            return
        try:
            attempt(self._hands, firing.step, Draw(self._seed, firing.step.path, firing.number))
        except BadScenario as error:
            if self.strict:
                self.failed = self.failed or error
            else:
                log.info("left out: %s", " ".join(error.lines()))


class Told:
    """The stories of a cluster together.

    Args:
        stories: Each says when its next thing happens, Unix seconds of the cluster's time; None for never.
    """

    def __init__(self, *stories: Callable[[], float | None]) -> None:
        self.stories = list(stories)

    def next_at(self) -> float | None:
        """When the next thing happens in any of them."""
        return min((at for one in self.stories if (at := one()) is not None), default=None)


__all__ = ["Firing", "Story", "Told", "firings"]
