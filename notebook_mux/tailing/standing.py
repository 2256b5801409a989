"""How one container's log stands, and what is said of it among its lines."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from notebook_mux.kube.backoff import Backoff
from notebook_mux.tailing import asking
from notebook_mux.tailing.lines import Batch, say_stamp

REMARK_BYTES = 1000
"""Of a server's words in a log's place."""


class Sink(Protocol):
    """Where a container's lines go."""

    def lines(self, batch: Batch) -> None:
        """Lines, in the container's order."""

    def mark(self, kind: str, text: str, moment: int, **more: str) -> None:
        """A word of ours at this time, in nanoseconds since the epoch; 0 is now. `more`: ``todo``, ``from``, ``to``."""

    def changed(self) -> None:
        """The state is another one."""


class Standing:
    """On one thread.

    Args:
        container: Its name.
        sink: Is told.
        follow: Whether its end is told among the lines.
        clock: Seconds, monotonic.

    Attributes:
        state: ``"waiting" "asking" "live" "ended" "failed" "gone" "unreachable"``.
        reason: Why.
        said: A server's words.
        todo: What to do next.
        retry_in: Seconds to the next try, where one waits.
        due: When to open a request, by the reader's clock; None where nothing is to be asked before the pod says more.
        look: Whether the pod should be read afresh before the next request; `looked` says that it was.
        settled: Whether it has answered, failed or ended once.
        finished: Whether nothing more will come, unless the container is restarted against all expectation.
    """

    def __init__(self, container: str, sink: Sink, *, follow: bool, clock: Callable[[], float]) -> None:
        self.container = container
        self.state = "waiting"
        self.reason = ""
        self.said: str | None = None
        self.todo: str | None = None
        self.retry_in: float | None = None
        self.due: float | None = None
        self.look = False
        self.settled = False
        self.finished = False
        self._clock = clock
        self._sink = sink
        self._follow = follow
        self._marked = ""
        self._deleted, self._deleted_at = False, 0.0
        self._parted = False  # the way was lost, and what came meanwhile has not come here yet
        self._doubted = False  # the node did not answer: that a request has begun says nothing, only a line does
        self._polls = Backoff(asking.POLL_FIRST, asking.POLL_MOST, clock=clock)
        self._retries = Backoff(asking.RETRY_FIRST, asking.RETRY_MOST, clock=clock)
        self._refusals = Backoff(asking.REFUSED_FIRST, asking.REFUSED_MOST, clock=clock)

    def hurry(self) -> None:
        """Try now, whatever waits."""
        if self.due is not None:
            self.due = self._clock()

    def looked(self) -> None:
        """The pod was read afresh, or could not be."""
        self.look = False

    def _say(
        self,
        state: str,
        reason: str,
        *,
        said: str | None = None,
        todo: str | None = None,
        retry_in: float | None = None,
    ) -> None:
        before = (self.state, self.reason, self.said, self.todo, self.retry_in)
        self.state, self.reason, self.said, self.todo, self.retry_in = state, reason, said, todo, retry_in
        if before != (state, reason, said, todo, retry_in):
            self._sink.changed()

    def _well(self, live: bool) -> None:
        """It is answered as it should be."""
        self._doubted = False
        self._retries.clear()
        self._refusals.clear()
        self._marked = ""
        if live:
            self._say("live", "")

    def _mark_once(
        self, kind: str, text: str, said: str | None = None, todo: str | None = None, moment: int = 0
    ) -> None:
        """A mark, unless it is the last one once more."""
        words = f"{text}: {said}" if said and said not in text else text
        if self._marked != words:
            self._marked = words
            self._sink.mark(kind, words, moment, **{"todo": todo} if todo else {})

    def _gap(self, why: str, after: int, stamps: list[int]) -> None:
        """Lines are missing between two moments, as far as they are known; `stamps` begins with the later one."""
        span = {"from": say_stamp(after)} if after else {}
        if stamps:
            span["to"] = say_stamp(stamps[0])
        self._sink.mark("gap", f"lines of container {self.container} are missing: {why}", after, **span)

    def _remark(self, remark: bytes) -> None:
        """A server's words in a log's place, such as that it cannot read it."""
        self._mark_once("failed", remark[:REMARK_BYTES].decode("utf-8", "replace"))

    def _waits(self, reason: str, said: str) -> None:
        """The container has not started, or not again."""
        words = reason or "it has not started"
        self.settled = True
        self._say("waiting", words, said=said or None)
        self._mark_once("waiting", f"container {self.container} waits: {words}", said)

    def _leave(self, moment: int) -> None:
        """Of a pod that was deleted nothing more can be read: its name may be another one's by now."""
        if self._parted:
            self._gap("the pod was deleted while there was no connection", moment, [])
        self._finish("gone", "the pod was deleted", moment)

    def _finish(self, state: str, reason: str, moment: int, said: str | None = None, todo: str | None = None) -> None:
        """Nothing more will come."""
        self.due = None
        self.settled = self.finished = True
        self._say(state, reason, said=said, todo=todo)
        if self._follow and state == "gone":
            self._mark_once("ended", reason, moment=moment)
        elif self._follow and state == "ended":
            self._mark_once("ended", f"container {self.container} ended", reason, moment=moment)
