"""What a user holds of a watch: always the newest state, its changes, and waiting for a condition."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, Literal

from notebook_mux.errors import Closed, InvalidArgument, NotFound, TimedOut
from notebook_mux.handles.changes import Changes
from notebook_mux.handles.conditions import Condition, parse
from notebook_mux.handles.dispatch import Callback, CallbackThread
from notebook_mux.handles.held import Handle
from notebook_mux.handles.objects import Change, Object
from notebook_mux.handles.readers import Readers
from notebook_mux.handles.snapshot import Snapshot
from notebook_mux.handles.source import READ_SECONDS, HeldFeed, Source, not_synced, standing
from notebook_mux.handles.waiting import Alarm, Wait, blocking, deadline_in

WAIT_SECONDS = 60.0
SHOWN_NAMES = 3
"""Names of objects that a wait shows of those it still waits for."""


class Stream(Readers, Handle):
    """One kind in some namespaces of some clusters, live. Made by `watch`; the same arguments give the same stream.

    Reading waits for the first complete list, and raises `NotSynced` with the reason where there is none to be had.
    Any thread may read; calls that wait raise `WrongThread` inside a callback.
    """

    def __init__(self, source: Source, callbacks: CallbackThread, key: Hashable) -> None:
        self._source: Source = source
        self._callbacks = callbacks
        self._key: Any = key
        self._keep(True)

    # --- reading --------------------------------------------------------------------------------------------------

    def _ready(self) -> Any:
        view = self._source.view()
        if self._source.must_wait(view):
            return blocking(self._source.ready())
        if not any(state.synced for state in view.states.values()):
            raise not_synced(self._source.words, view)
        return view

    def _view(self) -> Any:
        return self._source.last_view()

    def _words(self) -> str:
        return self._source.words

    # --- changes --------------------------------------------------------------------------------------------------

    def changes(self, initial: bool = True) -> Changes:
        """The changes, one by one, for ``async for`` on any loop; it ends when the stream is closed.

        Args:
            initial: Whether each object that is there comes first, as ADDED; what follows goes on without a gap.
        """
        return Changes(self._source, initial)

    def on_change(self, callback: Callable[[Change], Any], initial: bool = True) -> Callable[[], None]:
        """Have a function called with each `Change`, on one thread of the manager's, one after another.

        A slow one gets fewer changes, folded by object, the newest always. An exception of it is shown once and ends
        nothing.

        Args:
            callback: The function; calls that wait raise `WrongThread` in it.
            initial: Whether it gets each object that is there first, as ADDED; what follows goes on without a gap.

        Returns:
            Its undo: a function that stops it.
        """
        return Callback(self._source, callback, self._callbacks, initial).undo

    def wait(
        self,
        until: str | Callable[[Object], Any],
        of: Literal["all"] | int = "all",
        timeout: float | None = WAIT_SECONDS,
    ) -> Snapshot:
        """Wait until objects meet a condition, showing what it waits for; an interrupt ends the wait alone.

        Args:
            until: ``"condition=Ready"``, ``"condition=Ready=False"``, ``"jsonpath={.status.phase}=Running"``,
                ``"create"``, ``"delete"``, or a function of the object.
            of: ``"all"`` objects of the stream, or how many of them at least.
            timeout: Seconds; None is for ever.

        Returns:
            The stream at the moment when the condition held.

        Raises:
            NotFound: There is nothing to wait for: with ``of="all"`` the stream is empty.
            TimedOut: With what it still waited for.
            NotSynced: The stream has nothing to show, and why.
            InvalidArgument: The condition cannot be read.
            Closed: The stream was closed meanwhile.
        """
        return blocking(self._wait(until, of, timeout))

    async def _wait(self, until: str | Callable[[Object], Any], of: Any, timeout: float | None) -> Snapshot:
        """The steps of `wait`, for `waiting.blocking` and `waiting.awaiting`."""
        condition = parse(until)
        if of != "all" and (isinstance(of, bool) or not isinstance(of, int) or of < 1):
            raise InvalidArgument(f"of={of!r} says how many neither by 'all' nor by a number above 0")
        deadline = deadline_in(timeout)
        await self._source.ready(READ_SECONDS if timeout is None else timeout)
        tally = _Tally(condition, of, self._source.words)
        alarm = Alarm()
        feed = self._source.held_feed(alarm.ring, True, "wait")
        forget = self._source.on_close(alarm.ring)
        try:
            while True:
                resources = self._source.resources()
                for kind, cluster, new, old in feed.drain():
                    tally.take(kind, cluster, new or old, resources.get(cluster))
                tally.started()
                if tally.met():
                    return Snapshot(self._source.view(), self._source.words)
                view = self._source.view()
                if view.closed:
                    raise Closed(f"the stream of {self._source.words} was closed during the wait")
                try:
                    await Wait(alarm.future(), deadline=deadline, what=tally.words)
                except TimedOut:
                    raise TimedOut(
                        f"{tally.words().removeprefix('waiting for ')} after {timeout:g} s",
                        said=None if all(s.state == "live" for s in view.states.values()) else standing(view),
                        todo="look at .rows, or wait longer with timeout=",
                    ) from None
        finally:
            forget()
            feed.close()

    # --- for the widgets --------------------------------------------------------------------------------------------

    def _feed(self, wake: Callable[[], None], initial: bool = True, what: str = "") -> HeldFeed:
        """A feed of the core that keeps the stream until it is closed; `what` is who reads it."""
        return self._source.held_feed(wake, initial, what=what)

    # --- the end ----------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """End the stream for all who use it; later use raises `Closed`. Idempotent."""
        self._source.close()


class _Tally:
    """Which objects meet a condition; only those that changed are looked at again."""

    def __init__(self, condition: Condition, of: Literal["all"] | int, what: str) -> None:
        self._condition = condition
        self._of = of
        self._what = what
        self._met: dict[tuple[str, str], bool] = {}
        self._names: dict[tuple[str, str], str] = {}
        self._first: set[tuple[str, str]] | None = None

    def take(self, kind: str, cluster: str, record: Any, resource: Any) -> None:
        """An object that is new, changed or gone."""
        key = (cluster, record.uid)
        self._names[key] = record.name
        if self._condition.gone:
            self._met[key] = kind == "DELETED"
        elif kind == "DELETED":
            self._met.pop(key, None)
        else:
            self._met[key] = self._condition.met(Object.of(record, cluster, resource))

    def started(self) -> None:
        """The first look is done.

        Raises:
            NotFound: It found nothing to wait for.
        """
        if self._first is not None:
            return
        self._first = set(self._met)
        if not self._first and (self._of == "all" or self._condition.gone):
            raise NotFound(
                f"there are no {self._what}, so there is nothing to wait for",
                todo="give a number with of= to wait until that many are there",
            )

    def met(self) -> bool:
        """Whether the wait is over."""
        looked_at = self._looked_at()
        met = sum(looked_at.values())
        return met >= self._of if isinstance(self._of, int) else bool(looked_at) and met == len(looked_at)

    def words(self) -> str:
        """How it stands."""
        looked_at = self._looked_at()
        missing = [self._names[key] for key, met in looked_at.items() if not met]
        names = ", ".join(missing[:SHOWN_NAMES])
        if len(missing) > SHOWN_NAMES:
            names += f" and {len(missing) - SHOWN_NAMES} more"
        wanted = self._of if isinstance(self._of, int) else len(looked_at)
        return f"waiting for {self._condition.words} of {self._what}: {sum(looked_at.values())} of {wanted}" + (
            f", not yet {names}" if names else ""
        )

    def _looked_at(self) -> dict[tuple[str, str], bool]:
        """Deleting is waited for by identity: a new object of an old name is another one."""
        if not self._condition.gone or self._first is None:
            return self._met
        return {key: met for key, met in self._met.items() if key in self._first}
