"""One terminal: its runs, one after another, what they showed, and the views that look at it. It outlives them all."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Callable
from typing import Any

import msgspec

from notebook_mux.errors import Closed, InvalidArgument, MuxError, ServerError
from notebook_mux.remote.dialer import Place
from notebook_mux.remote.modes import Modes
from notebook_mux.remote.ring import CHUNK, Ring
from notebook_mux.remote.run import AGAIN, Order, Run, Typed
from notebook_mux.remote.viewers import Seat, Viewer
from notebook_mux.wire.frames import Channel
from notebook_mux.wire.remotecommand import Ended

BEHIND = 128 * 1024
"""Bytes that a view may be behind before the program waits for it: what a page shows in a few milliseconds, so that
little comes after a Ctrl-C."""

INTERRUPT = 0x03
"""Ctrl-C, which a terminal's line discipline turns into SIGINT (termios, VINTR)."""

LEFT = 32 * 1024
"""Bytes that a view is still shown of what was under way when Ctrl-C was typed: some screens full."""

FLUSH_SECONDS = 0.03
FLUSHES = 10
"""What is under way has come when nothing more did for one of so many pauses of so long."""

PATIENCE = 5.0
"""Seconds that the program waits for a view which takes nothing."""

WIGGLE_SECONDS = 0.15
"""Between two sizes that make a program draw all again: one that looks up the size when it is told of a new one must
have looked before the next comes."""

MAX_VIEWS = 32
"""Of one terminal at once."""

MAX_SEATS = 256
"""Views that a terminal remembers; those that have gone the longest ago are forgotten."""

MAX_SAID = 2000
"""Characters of a server's words in a run's state."""

ID_LENGTH = range(16, 65)
"""Characters of a view's id; whoever knows one may type in its place."""

log = logging.getLogger(__name__)


class Terminal:
    """Runs from its making on. On the loop.

    Args:
        cluster: Where.
        order: What.

    Attributes:
        id: Random.
        check: Raises WriteRefused where who asked for it last may not write.
        state: The last state of a run that was told, as JSON.
        lost_state: The last one of those that are not kept any more.
        size: Columns and rows in force; 0 where nobody has said any.
    """

    def __init__(self, cluster: Place, order: Order) -> None:
        self.id = secrets.token_hex(16)
        self.cluster = cluster
        self.order = order
        self.since = time.time()
        self.ring = Ring()
        self.modes = Modes()
        self.check: Callable[[], None] = lambda: None
        self.state: bytes | None = None
        self.lost_state: bytes | None = None
        self.size = (0, 0)
        self.runs = 0
        self.word = ""
        """The last state's name."""
        self.viewers: list[Viewer] = []
        self._seats: dict[str, Seat] = {}
        self._typed = Typed()
        self._moved = asyncio.Event()
        self._wiggle: asyncio.TimerHandle | None = None
        self._flushing: asyncio.TimerHandle | None = None
        self._run: Run
        self._task: asyncio.Task[None]
        self._closed = False
        self._begin()

    # --- its runs -----------------------------------------------------------------------------------------------------

    @property
    def over(self) -> bool:
        """Whether no run is on."""
        return self._task.done()

    def again(self) -> bool:
        """Start the next run, unless one is on; whether it was started."""
        if self._closed or not self.over:
            return False
        self._begin()
        return True

    async def close(self, reason: MuxError) -> None:
        """Cut the connection, which ends the program where its runtime does that, and take the streams of all views."""
        self._closed = True
        for timer in (self._wiggle, self._flushing):
            if timer is not None:
                timer.cancel()
        self.dismiss(reason)
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self._typed.drop()  # a task that is cancelled at once never ran

    def dismiss(self, reason: MuxError) -> None:
        """Take the streams of all views."""
        for viewer in list(self.viewers):
            self._end(viewer, reason)

    def _begin(self) -> None:
        self.runs += 1
        self._run = Run(self.cluster, self.order, self._typed, self)
        self._run.resize(*self.size)
        self._say("starting")
        self._task = asyncio.create_task(self._go(), name="terminal")

    async def _go(self) -> None:
        try:
            found = await self._run.outcome()
        except MuxError as error:
            self._say("lost", code=error.code, what=error.what, said=_cut(error.said), todo=error.todo or AGAIN)
        except Exception as error:  # its views must hear of an end
            log.exception("a terminal failed")
            failed = ServerError("the gateway failed", said=type(error).__name__, todo="its log has more")
            self._say("lost", code=failed.code, what=failed.what, said=failed.said, todo=failed.todo)
        else:
            code = found.code if found.how is Ended.EXITED else None
            self._say("ended", code=code, message=_cut(found.message) or "")
        finally:
            self._typed.drop()

    def _say(self, state: str, **more: Any) -> None:
        self.word = state
        self.state = msgspec.json.encode({"run": self.runs, "state": state, "at": time.time(), **more})
        self._put(Channel.ERROR, self.state, apart=True)
        for viewer in list(self.viewers):
            viewer.says(self.state)
            viewer.wake()

    # --- what a run says ----------------------------------------------------------------------------------------------

    def began(self, command: list[str]) -> None:
        """See `run.Listener`."""
        self._say("running", command=command)

    async def wrote(self, channel: int, data: bytes) -> None:
        """See `run.Listener`: returns when no view that is waited for is far behind."""
        self._put(channel, data)
        for viewer in self.viewers:
            viewer.wake()
        while behind := [viewer for viewer in self.viewers if self._is_behind(viewer)]:
            now = asyncio.get_running_loop().time()
            for viewer in behind:
                viewer.late = now if viewer.late is None else viewer.late
            self._moved.clear()
            try:
                async with asyncio.timeout_at(min(viewer.late or now for viewer in behind) + PATIENCE):
                    await self._moved.wait()
            except TimeoutError:
                now = asyncio.get_running_loop().time()
                for viewer in behind:
                    if viewer.late is not None and now >= viewer.late + PATIENCE:
                        viewer.waited = False

    def _is_behind(self, viewer: Viewer) -> bool:
        return not self.flushing and viewer.waited and self.ring.end - viewer.place > BEHIND

    def _put(self, channel: int, data: bytes, *, apart: bool = False) -> None:
        self.ring.put(channel, data, apart=apart)
        while self.ring.full:
            self._drop()

    def _drop(self) -> None:
        """Forget the oldest piece, but for what it set."""
        channel, dropped = self.ring.pop()
        if channel == Channel.ERROR:
            self.lost_state = dropped
        else:
            self.modes.feed(dropped)

    # --- Ctrl-C in a flood --------------------------------------------------------------------------------------------

    @property
    def flushing(self) -> bool:
        """Whether what was under way when Ctrl-C was typed is being taken in, and no view is shown any of it."""
        return self._flushing is not None

    def _interrupt(self) -> None:
        """Do as a terminal does, which drops what it has not printed yet (termios without NOFLSH).

        Megabytes may wait on the way from the API server, and would be shown for seconds after the key.
        """
        if self.flushing or not any(viewer.output and self.ring.end - viewer.place > LEFT for viewer in self.viewers):
            return
        self._flush(self.ring.end, FLUSHES)
        self._moved.set()

    def _flush(self, end: int, more: int) -> None:
        self._flushing = asyncio.get_running_loop().call_later(FLUSH_SECONDS, self._flushed, end, more - 1)

    def _flushed(self, end: int, more: int) -> None:
        if self.ring.end != end and more:
            self._flush(self.ring.end, more)
            return
        self._flushing = None
        while self.ring.end - self.ring.start > LEFT + CHUNK:
            self._drop()
        for viewer in self.viewers:
            viewer.wake()

    # --- its views ----------------------------------------------------------------------------------------------------

    def look(
        self,
        view: str,
        received: int,
        *,
        output: bool,
        wake: Callable[[], None],
        grant: Callable[[int], None],
        ended: Callable[[MuxError], None],
    ) -> Viewer:
        """A view comes, or comes again; one of the same id that is there still loses its stream.

        Raises:
            InvalidArgument: The id is none, the place is not there, or there are too many views.
        """
        if len(view) not in ID_LENGTH:
            raise InvalidArgument(f"a view's id has {ID_LENGTH.start} to {ID_LENGTH.stop - 1} characters")
        if received > self.ring.end:
            raise InvalidArgument("a place in a terminal's output that is not there", todo="look from the beginning")
        seat = self._seats.get(view) or Seat()
        if seat.viewer is None and len(self.viewers) >= MAX_VIEWS:
            raise InvalidArgument(f"a terminal of {MAX_VIEWS} views", todo="close some of them")
        if seat.viewer is not None:
            self._end(seat.viewer, Closed("the view has another stream now"))
        self._seats.pop(view, None)
        self._seats[view] = seat  # the last that came
        for old in [id_ for id_, one in self._seats.items() if one.viewer is None and one is not seat]:
            if len(self._seats) <= MAX_SEATS:
                break
            del self._seats[old]
        seat.owed = 0
        place = max(received, 0) if output else self.ring.end
        viewer = seat.viewer = Viewer(self, seat, place, output=output, wake=wake, grant=grant, ended=ended)
        if output and received < 0 and self.ring.start > 0:
            viewer.begin_anew()
        elif output and place < self.ring.start:
            viewer.skip()
        self.viewers.append(viewer)
        return viewer

    def leave(self, viewer: Viewer) -> None:
        """A view has gone; it may come back. Idempotent."""
        if viewer in self.viewers:
            self.viewers.remove(viewer)
            viewer.seat.viewer = None
            self._moved.set()
            self._fit()

    def _end(self, viewer: Viewer, reason: MuxError) -> None:
        self.leave(viewer)
        viewer.ended(reason)

    def moved(self, viewer: Viewer) -> None:
        """A view has taken some output."""
        if not self._is_behind(viewer):
            self._moved.set()

    # --- what goes to the program -------------------------------------------------------------------------------------

    def type(self, seat: Seat, data: bytes) -> None:
        """Input of a view; where no run is on nobody reads it."""
        self._typed.put(data, seat)
        if self.over:
            self._typed.drop()
        elif self.order.tty and INTERRUPT in data:
            self._interrupt()

    def resize(self, viewer: Viewer, columns: int, rows: int) -> None:
        """A view's size; 0 by 0 has no say."""
        viewer.size = columns, rows
        self._fit()

    def _fit(self) -> None:
        """The smallest view decides; when all have gone it stays as it is."""
        sizes = [viewer.size for viewer in self.viewers if all(viewer.size)]
        if not sizes:
            return
        size = min(columns for columns, _ in sizes), min(rows for _, rows in sizes)
        if size == self.size:
            return
        self.size = size
        if self._wiggle is None:
            self._run.resize(*size)
        for viewer in self.viewers:
            viewer.wake()

    def redraw(self) -> None:
        """Make a program that fills the screen draw it again: it does so when it is told of another size."""
        columns, rows = self.size
        if self._wiggle is not None or self.over or not self.order.tty or not columns:
            return
        self._run.resize(columns, rows - 1 if rows > 1 else rows + 1)
        self._wiggle = asyncio.get_running_loop().call_later(WIGGLE_SECONDS, self._settle)

    def _settle(self) -> None:
        self._wiggle = None
        self._run.resize(*self.size)


def _cut(text: str | None) -> str | None:
    return text[:MAX_SAID] if text else text
