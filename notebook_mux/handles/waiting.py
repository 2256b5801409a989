"""Waiting, written once: a coroutine that awaits `Wait` runs from a cell (`blocking`) and from any loop (`awaiting`).

A blocking wait polls state that the daemon thread writes, so an interrupt ends it within a moment, and nothing else: a
future is shared and is never cancelled from here.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine, Generator, Sequence
from concurrent.futures import Future, InvalidStateError
from typing import Any, Generic, TypeVar

from notebook_mux.errors import TimedOut, WrongThread
from notebook_mux.handles.progress import Progress
from notebook_mux.kernel import holder

T = TypeVar("T")

POLL_SECONDS = 0.1
"""The longest single wait: Windows delivers an interrupt only between two."""

_MARK = "_notebook_mux_must_not_wait"


class Wait(Generic[T]):
    """One future to wait for.

    Args:
        future: Of the core; an error of it is raised where this is awaited.
        deadline: On `time.monotonic`; `TimedOut` is raised there when it has passed. None is for ever.
        what: For whom and what, as a text or a function that gives it: shown while it lasts. None shows nothing.
    """

    __slots__ = ("deadline", "future", "what")

    def __init__(
        self, future: Future[T], *, deadline: float | None = None, what: str | Callable[[], str] | None = ""
    ) -> None:
        self.future = future
        self.deadline = deadline
        self.what = what

    def __await__(self) -> Generator[Wait[Any], Any, T]:
        result: T = yield self
        return result

    def words(self) -> str:
        """What it waits for."""
        return self.what() if callable(self.what) else self.what or ""

    def remaining(self) -> float | None:
        """Seconds until the deadline, 0 when it has passed."""
        return None if self.deadline is None else max(0.0, self.deadline - time.monotonic())

    def late(self) -> TimedOut:
        """The error for a deadline that has passed."""
        return TimedOut(f"no answer in time while {self.words() or 'waiting'}", todo="try again with a longer timeout")


Steps = Coroutine[Any, Any, T]
"""A coroutine that awaits nothing but `Wait` and `gather`."""


def blocking(steps: Steps[T]) -> T:
    """Run a coroutine of this module's kind to its end in this thread, showing what it waits for.

    Raises:
        WrongThread: This thread must not wait: one that calls callbacks, or our own loop's.
    """
    try:
        refuse_here()
    except WrongThread:
        steps.close()
        raise
    value: Any = None
    error: BaseException | None = None
    with Progress() as progress:
        while True:
            try:
                wait = steps.send(value) if error is None else steps.throw(error)
            except StopIteration as done:
                result: T = done.value
                return result
            value, error = None, None
            try:
                value = _result(wait, progress)
            except Exception as caught:  # noqa: BLE001 - raised again where the coroutine awaits
                error = caught
            except BaseException:
                steps.close()
                raise


def _result(wait: Wait[T], progress: Progress) -> T:
    while True:
        remaining = wait.remaining()
        try:
            return wait.future.result(POLL_SECONDS if remaining is None else min(POLL_SECONDS, remaining))
        except TimeoutError:
            if wait.future.done():
                return wait.future.result()
            if remaining is not None and remaining <= 0:
                raise wait.late() from None
        if wait.what is not None:
            progress.show(wait.words)


async def awaiting(steps: Steps[T]) -> T:
    """Run a coroutine of this module's kind to its end on the running loop, whichever that is."""
    value: Any = None
    error: BaseException | None = None
    try:
        while True:
            try:
                wait = steps.send(value) if error is None else steps.throw(error)
            except StopIteration as done:
                result: T = done.value
                return result
            value, error = None, None
            try:
                value = await _awaited(wait)
            except Exception as caught:  # noqa: BLE001 - raised again where the coroutine awaits
                error = caught
    finally:
        steps.close()


async def _awaited(wait: Wait[T]) -> T:
    # Shielded: cancelling the task that waits must not cancel what others wait for too.
    try:
        return await asyncio.wait_for(asyncio.shield(asyncio.wrap_future(wait.future)), wait.remaining())
    except TimeoutError:
        if wait.future.done():
            return wait.future.result()
        raise wait.late() from None


class gather(Generic[T]):  # noqa: N801 - awaited as a function is
    """Run several coroutines of this module's kind side by side; gives for each its result or its exception."""

    def __init__(self, coroutines: Sequence[Steps[T]]) -> None:
        self._coroutines = list(coroutines)
        self._results: list[T | Exception | None] = [None] * len(self._coroutines)
        self._pending: dict[int, Wait[Any]] = {}

    def __await__(self) -> Generator[Wait[Any], Any, list[T | Exception]]:
        try:
            for index in range(len(self._coroutines)):
                self._step(index, None, None)
            while self._pending:
                waits = list(self._pending.values())
                deadlines = [wait.deadline for wait in waits if wait.deadline is not None]
                try:
                    yield Wait(
                        _first(waits), deadline=min(deadlines, default=None), what=lambda: _all_words(self._pending)
                    )
                except TimedOut:
                    pass  # each is looked at below
                for index, wait in list(self._pending.items()):
                    if wait.future.done():
                        error = wait.future.exception()
                        self._step(index, None if error else wait.future.result(), error)
                    elif wait.remaining() == 0:
                        self._step(index, None, wait.late())
        finally:
            for coroutine in self._coroutines:
                coroutine.close()
        return self._results  # type: ignore[return-value]  # each index has been set

    def _step(self, index: int, value: Any, error: BaseException | None) -> None:
        self._pending.pop(index, None)
        coroutine = self._coroutines[index]
        try:
            self._pending[index] = coroutine.send(value) if error is None else coroutine.throw(error)
        except StopIteration as done:
            self._results[index] = done.value
        except Exception as caught:  # noqa: BLE001 - the caller looks at it
            self._results[index] = caught


def _first(waits: Sequence[Wait[Any]]) -> Future[None]:
    """Done as soon as one of them is."""
    first: Future[None] = Future()

    def done(_: Future[Any]) -> None:
        try:
            first.set_result(None)
        except InvalidStateError:
            pass  # another one was earlier

    for wait in waits:
        wait.future.add_done_callback(done)
    return first


def _all_words(pending: dict[int, Wait[Any]]) -> str:
    return "; ".join(dict.fromkeys(filter(None, (wait.words() for wait in pending.values()))))


class Alarm:
    """A bell that another thread rings and one reader waits for; a ring between two waits is not lost."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rung = False
        self._future: Future[None] | None = None

    def ring(self) -> None:
        """Wake the reader; any thread may call, and does not block."""
        with self._lock:
            future, self._future = self._future, None
            if future is None:
                self._rung = True
        if future is not None and future.set_running_or_notify_cancel():
            future.set_result(None)

    def future(self) -> Future[None]:
        """Done at the next ring, or at once after one that nobody has waited for."""
        with self._lock:
            if self._future is not None:
                return self._future
            future: Future[None] = Future()
            if self._rung:
                self._rung = False
                future.set_result(None)
            else:
                self._future = future
            return future


def forbid_here(why: str) -> None:
    """Make this thread one that must not wait."""
    setattr(threading.current_thread(), _MARK, why)


def refuse_here() -> None:
    """Raise if this thread must not wait.

    Raises:
        WrongThread: It calls callbacks, or it runs our own loop.
    """
    why = getattr(threading.current_thread(), _MARK, None)
    running = holder.running()
    if running is not None and getattr(running.thread, "here", False):
        why = "on notebook_mux's own thread, which everything else waits for"
    if why is not None:
        raise WrongThread(
            f"a call that waits was made {why}",
            todo="read what is there already, or start the waiting call in a thread of your own",
        )


def in_thread(function: Callable[[], T], name: str) -> Future[T]:
    """Run a blocking function in a daemon thread of its own."""
    future: Future[T] = Future()

    def work() -> None:
        try:
            result = function()
        except BaseException as error:  # noqa: BLE001 - carried to whoever waits
            future.set_exception(error)
        else:
            future.set_result(result)

    threading.Thread(target=work, name=name, daemon=True).start()
    return future


def deadline_in(seconds: float | None) -> float | None:
    """A time limit in seconds as a deadline."""
    return None if seconds is None else time.monotonic() + seconds
