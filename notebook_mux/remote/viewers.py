"""One view of a terminal: where it stands in the output, what it typed, and what it says of its size."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from notebook_mux.errors import MuxError, ProtocolError, WriteRefused
from notebook_mux.wire.frames import Channel

if TYPE_CHECKING:
    from notebook_mux.remote.terminal import Terminal

INPUT_CREDIT = 256 * 1024
"""Bytes of a view's input that wait for the program to read: a paste of a long file."""

GRANT = 16 * 1024
"""Credit for input is granted anew in steps of this: a key needs no answer."""

MAX_STATES = 100
"""States of runs that wait for a view which wants no output and takes none; the oldest go."""

CONTINUED = range(0x80, 0xC0)
"""Bytes that only continue a character (UTF-8)."""

CHARACTER = 4
"""Bytes of the longest character (UTF-8)."""


class Seat:
    """What a terminal remembers of a view that may come again.

    Attributes:
        taken: Bytes of its input that have come.
        waiting: Bytes of it that wait for the program.
        viewer: The view, while it is there.
    """

    __slots__ = ("owed", "taken", "viewer", "waiting")

    def __init__(self) -> None:
        self.taken = 0
        self.waiting = 0
        self.owed = 0
        self.viewer: Viewer | None = None

    @property
    def room(self) -> int:
        """Bytes of input that may come now."""
        return INPUT_CREDIT - self.waiting - self.owed

    def passed_on(self, size: int) -> None:
        """So much of its input went to the program, or nowhere."""
        self.waiting -= size
        self.owed += size
        if self.owed >= GRANT and self.viewer is not None:
            self.viewer.grant(self.owed)
            self.owed = 0


class Viewer:
    """A view that is there; the `Source` of a sender's lane. On the loop.

    Args:
        terminal: Which.
        seat: Its own; the view takes it.
        place: Where it stands in the output.
        output: Whether it wants output.
        wake: Called when there may be something to pull.
        grant: Called with bytes of input that may be sent.
        ended: Called when the terminal takes the stream away, with the reason.

    Attributes:
        waited: Whether the program waits for it.
        told_size: The size that it was told last.
        late: Since when (of the loop's clock) it has been behind and taken nothing; None if it is not.
    """

    def __init__(
        self,
        terminal: Terminal,
        seat: Seat,
        place: int,
        *,
        output: bool,
        wake: Callable[[], None],
        grant: Callable[[int], None],
        ended: Callable[[MuxError], None],
    ) -> None:
        self.terminal = terminal
        self.seat = seat
        self.output = output
        self.wake = wake
        self.grant = grant
        self.ended = ended
        self.size = (0, 0)
        self.waited = output
        self.late: float | None = None
        self.skipped = 0
        ring = terminal.ring
        self.place = place
        self._live_at = ring.end
        self._told_live = False
        self.told_size = terminal.size
        self._notes: deque[dict[str, Any]] = deque()
        self._states: deque[bytes] = deque(maxlen=MAX_STATES)
        self._refused: tuple[int, WriteRefused] | None = None
        self._redraw = False
        if not output and terminal.state is not None:
            self._states.append(terminal.state)

    # --- output -----------------------------------------------------------------------------------------------------

    def begin_anew(self) -> None:
        """It has shown nothing yet, and the beginning is not kept any more: say what that had set."""
        self.place = self._whole_characters(self.terminal.ring.start)
        self._restore()

    def pull(self, limit: int) -> tuple[int, bytes] | None:
        """The next frame; see `notebook_mux.wire.sending.Source`."""
        ring = self.terminal.ring
        if self.terminal.flushing:
            return None
        if self.output and self.place < ring.start:
            self.skip()
        if self._notes:
            return _note(self._notes.popleft())
        if self.told_size != self.terminal.size:
            self.told_size = self.terminal.size
            return _note(dict(zip(("columns", "rows"), self.told_size, strict=True)))
        if self._refused is not None:
            size, error = self._refused
            self._refused = None
            return _note({"refused": size, "code": error.code, "what": error.what, "todo": error.todo})
        if self._states:
            return Channel.ERROR, self._states.popleft()
        if not self._told_live and (not self.output or self.place >= self._live_at):
            self._told_live = True
            return _note({"live": True})
        if not self.output:
            return None
        if not self._told_live:
            limit = min(limit, self._live_at - self.place)
        found = ring.read(self.place, limit)
        if found is not None:
            self.place += len(found[1])
            self.late = None
            self.terminal.moved(self)
            if self.place == ring.end:
                self.waited = True
                if self._redraw:
                    self._redraw = False
                    self.terminal.redraw()
        return found

    def says(self, state: bytes) -> None:
        """A run's new state, for a view that has no output to find it in."""
        if not self.output:
            self._states.append(state)

    def skip(self) -> None:
        """What it stands at is not kept any more: go on with what is."""
        before, self.place = self.place, self._whole_characters(self.terminal.ring.start)
        self.skipped += self.place - before
        self._notes.append({"skipped": self.place - before, "place": self.place})
        self._restore()

    def _restore(self) -> None:
        note: dict[str, Any] = {"restore": self.terminal.modes.restore()}
        if self.terminal.lost_state is not None:
            note["state"] = msgspec.Raw(self.terminal.lost_state)
        self._notes.append(note)
        self._redraw = True
        self._live_at = max(self._live_at, self.place)

    def _whole_characters(self, place: int) -> int:
        found = self.terminal.ring.read(place, CHARACTER - 1)
        if found is not None and found[0] == Channel.STDOUT:
            for byte in found[1]:
                if byte not in CONTINUED:
                    break
                place += 1
        return place

    # --- input ------------------------------------------------------------------------------------------------------

    def feed(self, place: int, data: bytes) -> None:
        """Input; what has come before is dropped.

        Args:
            place: How many bytes of this view's input come before it.
            data: The bytes.

        Raises:
            ProtocolError: The terminal takes none, some is missing before this, or it is more than there is room.
        """
        seat = self.seat
        if not self.terminal.order.stdin:
            raise ProtocolError("input for a program that takes none")
        if place > seat.taken:
            raise ProtocolError(f"input from byte {place} on, where {seat.taken} have come")
        new = data[seat.taken - place :]
        if not new:
            return
        if len(new) > seat.room:
            raise ProtocolError("more input than was granted")
        seat.taken += len(new)
        seat.waiting += len(new)
        try:
            self.terminal.check()
        except WriteRefused as error:
            seat.passed_on(len(new))
            self._refused = (len(new) + (self._refused[0] if self._refused else 0), error)
            self.wake()
            return
        self.terminal.type(seat, new)


def _note(fields: dict[str, Any]) -> tuple[int, bytes]:
    return Channel.VIEW, msgspec.json.encode(fields)
