"""Steps from their rights to what came of them. All coroutines are of `waiting`'s kind.

Nothing is sent before all rights were asked for and all that can be rehearsed has been: a mistake in the last of ten
objects changes none of them.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

from notebook_mux import errors
from notebook_mux.handles.changing.allowed import Rights
from notebook_mux.handles.changing.steps import Seen, Step
from notebook_mux.handles.identity import Identity
from notebook_mux.handles.reviews import side_by_side
from notebook_mux.handles.rights import may_write
from notebook_mux.handles.waiting import Steps
from notebook_mux.printing.outcome import FAILED, NOT_TRIED, UNKNOWN, Done, Outcome

if TYPE_CHECKING:
    from notebook_mux.handles.manager import Manager

S = TypeVar("S", bound=Step)
T = TypeVar("T")

TRIES = 5
"""How often a change is rehearsed anew where the object was changed in between, as a status is all the time."""

REMAINING = 5
"""Objects that an error names as not done."""


class Ledger:
    """What became of each step, whatever ends the run.

    Args:
        title: What was asked for.
        steps: All of them.
    """

    def __init__(self, title: str, steps: Sequence[Step]) -> None:
        self.title = title
        self.steps = list(steps)
        self.begun: set[int] = set()
        self.done: dict[int, Done] = {}
        self.failures: dict[int, errors.MuxError] = {}

    def begin(self, step: Step) -> None:
        """A step is under way."""
        self.begun.add(self.steps.index(step))

    def put(self, step: Step, done: Done) -> None:
        """A step is through."""
        self.done[self.steps.index(step)] = done

    def fail(self, step: Step, error: errors.MuxError) -> None:
        """A step has failed."""
        at = self.steps.index(step)
        self.failures[at] = error
        result = UNKNOWN if isinstance(error, errors.OutcomeUnknown) else FAILED
        self.done[at] = step.failed(result, *filter(None, (error.what, error.said)))

    def outcome(self, *, dry_run: bool = False, notes: Sequence[str] = ()) -> Outcome:
        """All that is known, in the order of the steps."""
        rows = [self.done.get(at) or self._open(at) for at in range(len(self.steps))]
        return Outcome(self.title, rows, dry_run=dry_run, notes=notes)

    def _open(self, at: int) -> Done:
        step = self.steps[at]
        return step.failed(UNKNOWN, "stopped while it was under way") if at in self.begun else step.failed(NOT_TRIED)

    def words(self) -> str:
        """How far it is."""
        return f"{self.title}: {len(self.done)} of {len(self.steps)} done"

    @property
    def succeeded(self) -> int:
        """How many were done."""
        return len(self.done) - len(self.failures)

    def error(self) -> errors.MuxError:
        """For a run in which something failed: the failure itself where nothing was done, else with what was."""
        first = self.failures[min(self.failures)]
        if len(self.steps) == 1 or (not self.succeeded and len(self.failures) == 1):
            return first
        remaining = [one for at, one in enumerate(self.steps) if at not in self.done or at in self.failures]
        names = ", ".join(one.spot.words for one in remaining[:REMAINING])
        more = f" and {len(remaining) - REMAINING} more" if len(remaining) > REMAINING else ""
        error = errors.PartlyDone(
            f"{self.title}: {self.succeeded} of {len(self.steps)} done; not {names}{more}: {first.what}",
            cluster=first.cluster,
            said=first.said,
            todo=f"see .outcome of this error; {first.todo or 'correct that'}, then repeat it: what is done stays so",
        )
        error.outcome = self.outcome()
        return error


async def rehearsed(identity: Identity, steps: Sequence[Step]) -> list[Seen]:
    """Ask for all rights, then have the servers rehearse each step; nothing is changed.

    Raises:
        Forbidden: A right is missing.
        MuxError: The first refusal, in the order of the steps.
    """
    await looked(steps)
    await permitted(identity, steps)
    return await each(steps, lambda step: step.rehearse())


async def looked(steps: Sequence[Step]) -> None:
    """Find out what their rights depend on."""
    await each(steps, lambda step: step.look())


async def permitted(identity: Identity, steps: Sequence[Step]) -> None:
    """Ask for all rights.

    Raises:
        Forbidden: One is missing.
    """
    rights = Rights(identity)
    await rights.ask(steps)
    rights.check(steps)


async def each(steps: Sequence[S], one: Callable[[S], Steps[T]]) -> list[T]:
    """Run a coroutine for each step, some at the same time; the results in their order.

    Raises:
        MuxError: The first failure, in the order of the steps.
    """
    results: dict[int, T] = {}
    failed: dict[int, errors.MuxError] = {}
    show(steps, lambda: f"rehearsing: {len(results)} of {len(steps)} objects")

    async def guarded(at: int) -> None:
        try:
            results[at] = await one(steps[at])
        except errors.MuxError as error:
            failed[at] = placed(error, steps[at])

    await side_by_side(range(len(steps)), guarded)
    if failed:
        first = failed[min(failed)]
        if len(failed) > 1:
            first.what += f" (and {len(failed) - 1} more of {len(steps)} objects are refused)"
        raise first
    return [results[at] for at in range(len(steps))]


def show(steps: Sequence[Step], words: Callable[[], str]) -> None:
    """Have something shown while one of several is waited for."""
    if len(steps) > 1:
        for step in steps:
            step.progress = words


def placed(error: errors.MuxError, step: Step) -> errors.MuxError:
    """The same error with the place in the manifest."""
    if step.source and step.source not in error.what:
        error.what += f" ({step.source})"
    return error


async def through(step: Step, seen: Seen | None) -> Seen:
    """Carry out a step; rehearse it anew where its object was changed in between.

    Raises:
        MuxError: It is refused, or cannot be done.
    """
    for left in reversed(range(TRIES)):
        seen = seen or await step.rehearse()
        if seen.idle:
            return seen
        try:
            return await step.carry_out(seen, locked=left > 0)
        except errors.Conflict as error:
            if error.owners or not left:
                raise
        seen = None
    raise AssertionError("unreachable")


async def run(manager: Manager, title: str, steps: Sequence[Step], *, dry_run: bool) -> Outcome:
    """All of it, for steps that do not depend on each other: one that fails does not stop the others.

    Raises:
        WriteRefused: A cluster is connected to look only.
        Forbidden: A right is missing.
        PartlyDone: Some were done, others not.
        MuxError: It is refused.
    """
    check_write(manager, steps, title)
    seen = await rehearsed(manager._identity, steps)
    ledger = Ledger(title, steps)
    if dry_run:
        for step, found in zip(steps, seen, strict=True):
            ledger.put(step, step.done(found))
        return ledger.outcome(dry_run=True)

    async def one(at: int) -> None:
        step = steps[at]
        ledger.begin(step)
        try:
            ledger.put(step, step.done(await through(step, seen[at])))
        except errors.MuxError as error:
            ledger.fail(step, error)

    show(steps, ledger.words)
    with told_if_stopped(ledger):
        await side_by_side(range(len(steps)), one)
    if ledger.failures:
        raise ledger.error()
    return ledger.outcome()


def check_write(manager: Manager, steps: Sequence[Step], what: str) -> None:
    """Let it pass if every cluster of the steps may be changed.

    Raises:
        WriteRefused: One may not.
    """
    for context in {step.spot.context.ref: step.spot.context for step in steps}.values():
        may_write(manager, [context], what)


class told_if_stopped:  # noqa: N801 - used as a function is
    """A context: where a run is stopped, what was done by then is said, for no result will say it."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _trace: object) -> None:
        if kind is None or isinstance(error, errors.MuxError) or not self._ledger.done:
            return
        ledger = self._ledger
        text = f"stopped after {ledger.succeeded} of {len(ledger.steps)}:\n{ledger.outcome().text}"
        print(f"notebook_mux: {text}", file=sys.stderr)  # noqa: T201 - it belongs into this very cell
