"""One container's log, asked for again and again until it has ended for good: what to ask next, and what came.

Sans-IO. Whoever drives it opens a request with `query` when `due` has come, hands on what happens to it, and tells how
the pod stands; lines and marks go to a `Sink`. The rule:

* An answer that was cut, or ended while the container runs, is asked for again from where it stood (`cursor.Cursor`).
* Where nothing of what was delivered comes again, it is another instance's, or the node has rotated it away. The
  content of ``previous`` tells which: a pod's own word of a restart may come later than the restarted one's lines.
* After a restart the rest of the earlier instance is asked for with ``previous``, then the new one from its beginning.
* What is nowhere any more is a gap, with the times between which lines are missing.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from notebook_mux.tailing import asking
from notebook_mux.tailing.asking import AGAIN, ANCHOR, CHECK, EARLIER, FIRST, FRESH, is_refused, is_wrong, query
from notebook_mux.tailing.cursor import Again, Cursor
from notebook_mux.tailing.lines import NOTHING, Batch, Lines
from notebook_mux.tailing.pods import Instance
from notebook_mux.tailing.standing import Sink, Standing


class Tail(Standing):
    """See the module. On one thread.

    Args:
        container: Its name.
        sink: Gets what comes.
        tail: Lines from the end to begin with; -1 is all.
        since: RFC 3339, whole seconds; "" is the beginning.
        previous: The instance before, and nothing else.
        follow: Whether to go on when all there is has come.
        clock: Seconds, monotonic.

    Attributes:
        instance: Of the container, as its pod said last.
        restart: Of the instance that is read.
    """

    def __init__(
        self,
        container: str,
        sink: Sink,
        *,
        tail: int = -1,
        since: str = "",
        previous: bool = False,
        follow: bool = True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(container, sink, follow=follow and not previous, clock=clock)
        self.instance = Instance()
        self.restart = 0
        self.open = False
        self.phase = FIRST
        self._tail, self._previous = tail, previous
        self._cursor = Cursor(since, cut=tail >= 0)
        self._lines = Lines()
        self._again: Again | None = None
        self._key = ""
        self._begun = self._stopped_when_asked = False
        self._whole = tail < 0  # whether the log may be asked for without tailLines
        self._answered = self._came = False
        self._asked_at = self._heard_at = 0.0
        self._moved_at: float | None = None
        self._blind = False  # whether the pod has not told yet of the restart that its log has
        self._old = self._why = ""
        self._earlier: Batch | None = None
        self._clean = False  # whether the earlier instance's log has come to its end: no gap follows
        self._tries = 0
        self._late = False  # whether a gap was said while nothing had come of what follows it

    # --- what the pod says ----------------------------------------------------------------------------------------

    def pod(self, instance: Instance) -> None:
        """How the container stands now."""
        before, self.instance = self.instance, instance
        self._deleted = False
        if self._blind and instance.ran and instance.key != self._old:
            self._blind = False
            if instance.restart <= self.restart:
                self._adopt()  # the one that the log told of
        if self._begun and instance.id and self._key == f"#{instance.restart}":
            self._key = instance.id  # the same one: its runtime's name for it was not known before
        if self.finished and not (self._follow and instance.ran and self._moved and not instance.over):
            return
        self.finished = False
        if not self._begun:
            self._begin()
        elif self.open:
            if self._follow and self._moved and self._moved_at is None and self.phase not in (EARLIER, CHECK):
                self._moved_at = self._clock()
        elif instance != before:
            self._stand()

    def gone(self) -> None:
        """The pod is not there any more."""
        if self.finished:
            return
        if not self._deleted:
            self._deleted, self._deleted_at = True, self._clock()
        if not self.open:
            self._leave(self._cursor.high)

    @property
    def _moved(self) -> bool:
        """Whether the pod tells of another instance than the one that is read."""
        return self.instance.ran and self.instance.key != self._key and not self._blind and not self._previous

    def _adopt(self) -> None:
        self._key, self.restart = self.instance.key, self.instance.restart
        self._blind = False
        self._moved_at = None

    def _begin(self) -> None:
        """Not asked yet: whether there is something to ask for."""
        at = self.instance
        if at.ran or (at.over and at.state != "waiting") or self._previous:
            self._begun = True
            self._adopt()
            self._ask(ANCHOR if self._follow and self._tail == 0 else FIRST)
        elif at.over:
            self._finish("ended", at.message or f"it never ran: {at.reason}", 0)
        else:
            self._waits(at.reason, at.message)
            if not self._follow:
                self._finish("waiting", self.reason, 0, self.said)

    def _stand(self) -> None:
        """The pod has said something while nothing was asked."""
        at = self.instance
        if self.phase in (EARLIER, CHECK) and self.due is not None:
            self.due = min(self.due, self._clock())
        elif self._moved:
            self._ask(EARLIER)
        elif at.state == "waiting" and self.state in ("ended", "waiting"):
            self._waits(at.reason, at.message)
        elif self.due is None and (at.state == "terminated" or at.over) and not self._stopped_when_asked:
            self._ask(self._where())
        elif at.over and self.due is None:
            self._finish("ended", self.reason, self._cursor.high)
        elif self.due is not None and self.state != "failed":
            self.due = min(self.due, self._clock())

    # --- the request ----------------------------------------------------------------------------------------------

    def query(self) -> str:
        """Open a request: its query, encoded."""
        if self.phase in (AGAIN, FIRST, FRESH) and self._follow and self._moved:
            self.phase = EARLIER
        self.open, self.due = True, None
        self._lines = Lines()
        self._again = None
        self._answered = self._came = self._late = False
        self._moved_at = None
        self._asked_at = self._heard_at = self._clock()
        self._stopped_when_asked = self.instance.state in ("terminated", "waiting") or self.instance.over
        fresh = self.phase == FRESH
        if self._cursor.high and not fresh:
            self._again = self._cursor.again()
        tail = -1 if self._whole or fresh or self._again is not None else 1 if self.phase == ANCHOR else self._tail
        if self._doubted:
            self._say("unreachable", self.reason, said=self.said, todo=self.todo)
        elif self.state != "live":
            self._say("asking", "")
        return query(
            self.container,
            follow=self._follow and self.phase not in (EARLIER, ANCHOR),
            previous=self._previous or self.phase == EARLIER,
            since="" if fresh else self._cursor.since,
            tail=tail,
        )

    def answered(self) -> None:
        """The server has begun to answer, with success."""
        self._answered = True
        self._heard_at = self._clock()
        if not self._doubted:
            self._well(self.phase not in (EARLIER, ANCHOR))

    def data(self, data: bytes) -> bool:
        """Bytes of the answer; whether the request is to be ended now."""
        self._heard_at = self._clock()
        batch = self._lines.feed(data)
        for remark in batch.remarks:
            self._remark(remark)
        if batch.stamps:
            self._came = True
            if self._doubted:
                self._well(self.phase not in (EARLIER, ANCHOR))
            return self._take(batch)
        return False

    def ended(self, status: int, code: str, what: str, said: str | None = None, todo: str | None = None) -> None:
        """The answer has ended, or there was none: fields of `wire.logs.LogEnd`."""
        self.open = False
        if code:
            self._failed(status, code, what, said, todo)
            return
        self._retries.clear()
        self._doubted = False
        complete = not self._follow or self.phase == EARLIER or self._stopped_when_asked
        rest = self._lines.rest() if complete else NOTHING
        for remark in rest.remarks:
            self._remark(remark)
        if rest.stamps and self._take(rest):
            return
        again = self._again
        if again is not None and again.state == "open":
            if not self._came and self.phase in (EARLIER, CHECK):
                again.state = "missed"  # what was delivered is not there
            batch = again.settle()
            if batch is not None:
                self._found(batch)
        if again is None or again.state == "found":
            self._parted = False
        if again is not None and again.state == "missed" and self.phase != EARLIER and self._missed():
            return
        if again is not None and not self._came and self.phase == AGAIN and self._stopped_when_asked and not self._late:
            self._gap("rotated away by the node, if there were any", self._cursor.high, [])
        self._after()

    def refused(self, code: str, what: str, said: str | None = None, todo: str | None = None) -> None:
        """Whoever asks for us will not."""
        self.open = False
        self._failed(0, code, what, said, todo)

    def cut(self, reason: str, retry_in: float | None = None) -> None:
        """The way to the server was lost: the same again as soon as there is one."""
        self.open = self._doubted = False
        if self.finished:
            return
        self._parted = True
        if self._deleted:
            self._leave(self._cursor.high)
            return
        if self.phase == CHECK:
            self.phase, self._earlier, self._clean = EARLIER, None, False
        elif self.phase != EARLIER:
            self.phase = self._where()
            # Of a container that has said nothing the log does not tell whether it is the same one.
            self.look = self.look or (self._begun and not self._cursor.high)
        self.due = self._clock()
        self._say("asking", reason, retry_in=retry_in)

    def tick(self) -> bool:
        """Time has gone by while a request is open: whether it is to be ended now."""
        now = self._clock()
        if not self.open:
            return False
        if not self.settled:
            wave = asking.FIRST_WAVE_SECONDS if self._came else asking.SETTLE_SECONDS
            limit = self._heard_at + wave if self._answered else self._asked_at + asking.QUIET_SECONDS
            self.settled = self._follow and now >= limit
        quiet = now >= self._asked_at + asking.QUIET_SECONDS and not self._answered and not self._doubted
        if quiet and self.instance.state == "running":
            self._say("live", "")
        if self._doubted and now >= self._asked_at + asking.NODE_SECONDS:
            self._well(live=True)
        if self.phase == FIRST and not self._came and self._tail > 0 and now >= self._asked_at + asking.EMPTY_SECONDS:
            self._whole = True  # it was empty: all that comes from now on is new
        if self._moved_at is not None and now >= self._moved_at + asking.MOVED_SECONDS:
            self.open = False
            self._ask(EARLIER)
            return True
        if self._deleted and now >= self._deleted_at + asking.GONE_SECONDS:
            self.open = False
            self._leave(self._cursor.high)
            return True
        held = self.phase == CHECK and self._moved and now >= self._heard_at + asking.HELD_SECONDS
        return held and self._decide()

    @property
    def restless(self) -> bool:
        """Whether `tick` has something to wait for."""
        quiet = self._clock() < self._asked_at + 2 * asking.QUIET_SECONDS
        unheard = not self._answered and self.state != "live" and quiet
        empty = self.phase == FIRST and not self._came and not self._whole and self._tail > 0
        return self.open and (
            not self.settled
            or self._moved_at is not None
            or self._deleted
            or unheard
            or self._doubted
            or empty
            or (self.phase == CHECK and self._moved)
        )

    # --- lines ----------------------------------------------------------------------------------------------------

    def _take(self, batch: Batch) -> bool:
        """Lines of the answer; whether the request is to be ended."""
        again = self._again
        if again is None:
            self._deliver(batch)
            return False
        if again.state == "missed":  # of an earlier instance, until it has come whole
            again.take(batch)
            return False
        new = again.take(batch)
        if new is not None:
            self._found(new)
        elif again.state == "missed":
            return self._missed()
        return False

    def _decide(self) -> bool:
        """No more comes for now, and the pod tells of another instance; whether the request is to be ended."""
        again = self._again
        if not self._came:
            self._late = True  # the new instance has said nothing yet, and the one before has
            self._go_on(NOTHING)
        elif again is not None and (batch := again.decide()) is not None:
            self._found(batch)
        return self._came and again is not None and again.state == "missed" and self._missed()

    def _found(self, batch: Batch) -> None:
        """It is the log that was read before; these lines are new."""
        if self.phase == CHECK:
            if self._moved:
                if not self._clean:
                    self._gap("of the instance before", 0, [])  # what was read is the next one's already
                self._adopt()
            self.phase, self._earlier, self._clean = AGAIN, None, False
        self._deliver(batch)

    def _deliver(self, batch: Batch) -> None:
        self._parted = False
        if batch.stamps:
            self._cursor.add(batch)
            self._polls.clear()
            if self.phase != ANCHOR:
                self._sink.lines(batch)

    def _missed(self) -> bool:
        """Nothing of what was delivered came again; whether the request is to be ended, for another is due."""
        if self._deleted:
            self.open = False
            self._leave(self._cursor.high)  # it is the log of another pod, which has the name now
            return True
        if self.phase == EARLIER:
            return False
        if self.phase != CHECK and self._follow and not self._late:
            self.open = False
            self.look = True
            self._ask(EARLIER)
            return True
        assert self._again is not None
        # behind the end of the instance before all is the next one's, however it is stamped
        batch, self._again = self._again.held(every=self._clean and self._moved), None
        if self._late:
            self._deliver(batch)
            return False
        self._go_on(batch)
        return False

    def _go_on(self, batch: Batch) -> None:
        """Behind a gap, with what there is of the instance before."""
        earlier, self._earlier = self._earlier, None
        # it was of the next one: of one in between that has come and gone since nothing was read
        clean, self._clean = self._clean and self.instance.restart <= self.restart + 1, False
        if earlier is not None and batch.stamps and batch.begins_as(earlier):
            earlier = None  # of a container that waits, ``previous`` is the instance that ran last, too
        if clean:
            self._restarted()
        elif self._moved:
            first = earlier if earlier is not None and earlier.stamps else batch
            why = self._why or "of an instance in between, or rotated away by the node"
            self._gap(why, self._cursor.high, first.stamps or [self.instance.started] * bool(self.instance.started))
            if earlier is not None:
                self._deliver(earlier)
            self._restarted()
        else:
            self._gap("rotated away by the node", self._cursor.high, batch.stamps)
        self._deliver(batch)
        self.phase = AGAIN

    def _restarted(self) -> None:
        """From here on it is another instance's log."""
        if self._moved:
            self._adopt()
        else:
            self._old, self._key, self.restart, self._blind = self._key, "", self.restart + 1, True
        ending = self.instance.ending if self.instance.key == self._key else ""
        text = f"container {self.container} was restarted (restart {self.restart})"
        self._sink.mark("restarted", f"{text}: {ending}" if ending else text, self._cursor.high)
        self._cursor = Cursor()
        self._whole = True
        self._marked = self._why = ""
        self._sink.changed()

    # --- what next ------------------------------------------------------------------------------------------------

    def _where(self) -> str:
        """How to ask for what follows."""
        if not self._cursor.high and self.phase in (ANCHOR, FIRST, FRESH):
            return self.phase
        return AGAIN

    def _ask(self, phase: str, delay: float = 0.0) -> None:
        self.phase = phase
        self.due = self._clock() + delay

    def _after(self) -> None:
        """An answer has come to its end."""
        if self.phase == EARLIER:
            self._after_earlier()
            return
        if self.phase == ANCHOR:
            self._whole = not self._cursor.high  # an empty log: all that comes is new
            self._ask(AGAIN)
            return
        if not self._follow:
            self._finish("ended", "", self._cursor.high)
            return
        if self._deleted:
            self._leave(self._cursor.high)
            return
        at = self.instance
        if self._moved:
            self._ask(EARLIER)
        elif self._stopped_when_asked:
            self._stopped(at)
        elif at.state == "running" or at.state == "unknown":
            self._ask(self._where(), self._polls.next())
        else:
            self._ask(self._where())  # once more: what it said last may have come since

    def _stopped(self, at: Instance) -> None:
        """All that the instance has said is there."""
        self.settled = True
        if at.over:
            self._finish("ended", at.ending, self._cursor.high)
        elif at.state == "waiting":
            self._waits(at.reason, at.message)
        elif at.state == "running":
            self._ask(self._where(), self._polls.next())
        else:
            self._say("ended", at.ending)
            self._mark_once("ended", f"container {self.container} ended", at.ending, moment=self._cursor.high)

    def _after_earlier(self) -> None:
        again = self._again
        if again is not None and again.state == "missed":
            self._earlier = again.held()
            self._ask(CHECK)
        elif self._cursor.high:
            self._clean = True
            self._ask(CHECK)
        else:
            self._restarted()
            self._ask(FRESH)

    def _no_earlier(self) -> None:
        """The instance before is not there any more."""
        self._tries = 0
        if self._cursor.high:
            self._why = "the node does not have the earlier instance any more"
            self._ask(CHECK)
        else:
            self._restarted()
            self._ask(FRESH)

    def _failed(self, status: int, code: str, what: str, said: str | None, todo: str | None) -> None:
        words = said or what
        if self._answered and status < asking.CLIENT_ERROR and not self._deleted:
            self.cut(words)  # in the midst of an answer
            self.due = self._clock() + self._polls.next()
            return
        if self.phase == EARLIER and not self._previous:
            self._tries += 1
            if is_wrong(status) or self._tries >= asking.EARLIER_TRIES:
                self._no_earlier()
                return
        if self._deleted:
            self._leave(self._cursor.high)
            return
        if not self._follow and (is_wrong(status) or is_refused(status, code)):
            self._mark_once("failed", f"container {self.container}: {words}", todo=todo)
            self._finish("failed", what, 0, said, todo)
            return
        waits = is_wrong(status) and asking.WAITS in (said or "")
        if waits and self.instance.state == "waiting" and not self.instance.ran:
            self._begun = False
            self._waits(self.instance.reason, self.instance.message)
            return
        refused = is_refused(status, code)
        state = asking.state_after(status, refused=refused, waits=waits)
        # A node that does not answer takes the API server's whole patience, in which a request counts as begun.
        self._doubted = state == "unreachable" and self._clock() >= self._asked_at + asking.QUIET_SECONDS
        delay = (self._refusals if refused else self._retries).next()
        self.settled = True
        self.phase = self.phase if self.phase in (EARLIER, CHECK) else self._where()
        self.due = self._clock() + delay
        self._say(state, what, said=said, todo=todo, retry_in=delay)
        self._mark_once("waiting" if waits else "failed", f"container {self.container}: {words}", todo=todo)
