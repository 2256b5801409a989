"""A stream's place in the core: opened when it is used, held for those who use it, opened again after it was let go."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Iterable
from typing import Any

from notebook_mux.errors import Closed, MuxError, NotSynced
from notebook_mux.handles.crossing import answered, told
from notebook_mux.handles.entries import Described
from notebook_mux.handles.held import Held, Owner
from notebook_mux.handles.refusals import vpn
from notebook_mux.handles.snapshot import ReadState, ReadView
from notebook_mux.handles.waiting import deadline_in
from notebook_mux.kernel import holder

READ_SECONDS = 10.0
"""How long reading waits for the first complete list."""


class Source(Held):
    """One stream of the core. Any thread may call; only `ready` waits.

    Args:
        owner: Its manager.
        spec: The core's `StreamSpec`, as a tuple.
        described: What it reads, for people.
    """

    def __init__(self, owner: Owner, spec: tuple[Any, ...], described: Described) -> None:
        super().__init__(owner)
        self.spec = spec
        self.described = described
        self._settled = ""
        self._last: Any = None
        self._inherited: ReadView | None = None

    @property
    def words(self) -> str:
        """What it reads, such as "pods in default"."""
        states = self._last.states.values() if self._last is not None else ()
        return self.described.words(state.resource for state in states)

    # --- the core's words -----------------------------------------------------------------------------------------

    def _open(self, core: Any) -> str:
        return str(core.open_stream(self.spec))

    def _alive(self, core: Any) -> bool:
        return bool(core.alive(self._id))

    def _take(self, core: Any, id_: str, name: str) -> None:
        core.hold(id_, name)

    def _let_go(self, core: Any, id_: str, name: str) -> None:
        core.release(id_, name)

    def _end(self, core: Any, id_: str) -> None:
        core.close_stream(id_)

    def _closed(self) -> Closed:
        return Closed(f"the stream of {self.words} was closed", todo="run the cell with nm.watch(...) again")

    # --- reading --------------------------------------------------------------------------------------------------

    def view(self) -> Any:
        """The core's view of now. Never waits."""
        inherited = self._of_the_parent()
        if inherited is not None:
            return inherited
        core, id_ = self.opened()
        self._last = told(core.read, id_)
        return self._last

    def _of_the_parent(self) -> ReadView | None:
        """In a forked child, what its parent had read, as long as the stream is not used for anything else."""
        if self.closed or self._core is None or self._core.pid == os.getpid():
            return None
        if self._inherited is None:
            try:
                view = holder.core().read(self._id)
            except Exception:  # noqa: BLE001 - nothing inherited: it will be a stream of this process
                return None
            why = "read before this process was forked"
            states = {
                name: ReadState("stale", time.time(), at.synced, why, resource=at.resource, namespaces=at.namespaces)
                for name, at in view.states.items()
            }
            self._inherited = ReadView(view.records, view.columns, states)
        return self._inherited

    def last_view(self) -> Any:
        """The view of now, or what is left of a closed stream: no records, and the state "closed". Never raises."""
        try:
            return self.view()
        except MuxError as error:
            last = self._last
            states = {cluster[0]: ReadState("closed", time.time(), False, error.what) for cluster in self.spec[1]}
            return ReadView({name: {} for name in states}, last.columns if last else [], states, closed=True)

    def resources(self) -> dict[str, Any]:
        """Each cluster's resource, as far as they are known. Never waits."""
        return {name: state.resource for name, state in self.view().states.items()}

    async def settle(self, seconds: float | None = READ_SECONDS) -> Any:
        """Wait until each cluster has synced or failed once, or for `seconds`; gives the view then."""
        core, id_ = self.opened()
        if self._settled != id_:
            try:
                await answered(core.settled, id_, deadline=deadline_in(seconds), what=self._waiting_for)
                self._settled = id_
            except TimeoutError:
                # The view says how it stands. Where there is something to read, the next reading does not wait again.
                self._settled = id_ if any(state.synced for state in self.view().states.values()) else ""
        return self.view()

    def must_wait(self, view: Any) -> bool:
        """Whether a cluster has neither synced nor failed yet."""
        if self._settled == self._id:
            return False
        return any(not state.synced and state.state == "connecting" for state in view.states.values())

    async def ready(self, seconds: float | None = READ_SECONDS) -> Any:
        """The view, as soon as there is something to read in it.

        Raises:
            NotSynced: No cluster has had a complete list; its reason is said.
        """
        view = self.view()
        if self.must_wait(view):
            view = await self.settle(seconds)
        if not any(state.synced for state in view.states.values()):
            raise not_synced(self.words, view)
        return view

    def feed(self, wake: Callable[[], None], initial: bool) -> Any:
        """The core's feed; the caller holds the stream besides."""
        core, id_ = self.opened()
        return told(core.feed, id_, wake, initial)

    def held_feed(self, wake: Callable[[], None], initial: bool, kind: str = "view", what: str = "") -> HeldFeed:
        """A feed that keeps the stream until it is closed; see `hold` for `kind` and `what`."""
        return HeldFeed(self, wake, initial, kind, what)

    def _waiting_for(self) -> str:
        return f"waiting for {self.words}: {standing(self.view())}"


class HeldFeed:
    """The core's feed and the hold that keeps its stream; see `kernel.feed.Feed`."""

    def __init__(self, source: Source, wake: Callable[[], None], initial: bool, kind: str, what: str = "") -> None:
        self._source = source
        self._holder = source.hold(kind, what)
        try:
            self._feed = source.feed(wake, initial)
        except BaseException:
            source.release(self._holder)
            raise

    @property
    def version(self) -> int:
        """Moves with every change of store or state."""
        return int(self._feed.version)

    @property
    def missed(self) -> int:
        """States folded into later ones because the reader fell behind."""
        return int(self._feed.missed)

    def drain(self) -> list[Any]:
        """All that is queued: (type, cluster, new record or None, old record or None)."""
        changes: list[Any] = self._feed.drain()
        return changes

    def close(self) -> None:
        """Take no more and let the stream go; idempotent."""
        self._feed.close()
        self._source.release(self._holder)


def standing(view: Any) -> str:
    """How the clusters stand, in a few words."""
    words = []
    for name, state in view.states.items():
        reason = state.reason or state.said
        words.append(f"{name} {'synced' if state.synced else state.state}{f' ({reason})' if reason else ''}")
    return ", ".join(words)


def not_synced(words: str, view: Any) -> NotSynced:
    """The error for a stream that has nothing to show."""
    states = view.states
    said = next((state.said for state in states.values() if state.said), None)
    todo = next((state.todo for state in states.values() if state.todo), None) or _next_try(states.values())
    cluster = next(iter(states)) if len(states) == 1 else None
    return NotSynced(
        f"the {words} have not been read yet: {standing(view)}",
        cluster=cluster,
        said=said,
        todo=todo or "it goes on by itself; .clusters has the reasons, nm.status() shows them",
    )


def _next_try(states: Iterable[Any]) -> str | None:
    """When a cluster that is away is tried again, and what to see to meanwhile."""
    times = [state.retry_at for state in states if state.state == "unreachable" and state.retry_at]
    if not times:
        return None
    seconds = max(0.0, min(times) - time.time())
    return f"it is tried again by itself, next in {seconds:.0f} s; {vpn(socket.gethostname())}"
