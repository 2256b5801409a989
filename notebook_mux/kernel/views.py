"""One view of a terminal: a page's messages and frames on the one socket, opened again after a cut.

The page speaks as it would on a WebSocket of its own: control messages as JSON and binary frames, all with stream id 1
(`PROTOCOL.md`, "Terminals"). What it grants and what it has are the page's own affair; here its frames get the stream's
id, and what is known of it is enough to open the stream again where the page stood.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import msgspec

from notebook_mux.errors import ProtocolError
from notebook_mux.kernel.failure import Failure
from notebook_mux.wire import messages
from notebook_mux.wire.frames import FRAME_HEAD, MAX_FRAME, NUMBER, Channel, encode_frame

PAGE_STREAM = 1
"""The stream id in all that a page says and hears."""

Item = str | bytes
Say = Callable[[list[Item]], None]


class Seen(msgspec.Struct, tag="seen", tag_field="type"):
    """A page's word for the kernel alone: it has seen the `shown` of that ``opened``, and types on from it."""

    opened: int


Said = messages.View | messages.Size | messages.Credit | messages.Unsubscribe | Seen | bytes
"""What a page may say; bytes are the payload of a frame of its input."""

_COUNTED = (Channel.STDOUT, Channel.STDERR, Channel.ERROR)


class Line(Protocol):
    """What a view needs of a connection."""

    def write(self, stream: int, channel: int, payload: bytes) -> None:
        """Send a data frame."""

    def tell(self, message: messages.Message) -> None:
        """Send a message without an answer."""

    def again(self, handler: Any) -> None:
        """Open the handler's stream anew."""


def read(items: Sequence[Any]) -> list[Said]:
    """What a page said. Any thread may call.

    Raises:
        Failure: ``protocol``: one of it is nothing that a page may say.
    """
    return [_frame(item) if isinstance(item, bytes | bytearray | memoryview) else _message(item) for item in items]


def _message(text: Any) -> Said:
    try:
        if isinstance(text, str) and msgspec.json.decode(text).get("type") == "seen":
            return msgspec.json.decode(text, type=Seen)
        message = messages.decode_client(text)
    except (ProtocolError, msgspec.MsgspecError, AttributeError, TypeError) as error:
        raise Failure("protocol", "a page sent what is no message", said=str(error)) from None
    if not isinstance(message, messages.View | messages.Size | messages.Credit | messages.Unsubscribe):
        raise Failure("protocol", f"a page sent {type(message).__name__.lower()}, which is not its own to say")
    if message.stream != PAGE_STREAM:
        raise Failure("protocol", f"a page spoke of stream {message.stream}; it has {PAGE_STREAM} alone")
    if isinstance(message, messages.Credit) and message.bytes < 0:
        raise Failure("protocol", "a credit below zero")
    if isinstance(message, messages.View) and message.credit < 0:
        raise Failure("protocol", "a credit below zero")
    return message


def _frame(item: bytes | bytearray | memoryview) -> bytes:
    frame = bytes(item)
    if not FRAME_HEAD.size + NUMBER.size <= len(frame) <= MAX_FRAME:
        raise Failure("protocol", f"a page sent a frame of {len(frame)} bytes")
    stream, channel = FRAME_HEAD.unpack_from(frame)
    if (stream, channel) != (PAGE_STREAM, Channel.STDIN):
        raise Failure("protocol", f"a page sent a frame of channel {channel} on stream {stream}; it has only input")
    return frame[FRAME_HEAD.size :]


class View:
    """A `connection.StreamHandler` for one page's view. On the loop's thread.

    Args:
        line: The connection.
        terminal: Gives the terminal's id at the gateway; "" while it is not known whether that still has it.
        say: Takes what is for the page; must not block.
        alone: Whether nobody but this process keeps the terminal, so that it is kept for no time without it.

    Attributes:
        stream: Its stream's id; 0 while it has none.
    """

    lends = True

    def __init__(
        self, line: Line, terminal: Callable[[], str], say: Say, alone: Callable[[], bool] = lambda: False
    ) -> None:
        self._line = line
        self._terminal = terminal
        self._say = say
        self._alone = alone
        self._asked: messages.View | None = None
        self.stream = 0
        self._opened = 0
        self._shown = False
        self._place = -1
        self._room = 0
        self._debt = 0
        self._taken = 0
        self._away: tuple[str, float | None] | None = None

    # --- what the connection calls ------------------------------------------------------------------------------------

    def begin(self, stream: int, credit: int) -> messages.View | None:
        """The socket is open: show it from where the page stands."""
        self._away = None
        asked, terminal = self._asked, self._terminal()
        if asked is None or not terminal:
            return None
        self.stream, self._shown = stream, False
        # What came beyond the page's credit (a frame may overdraw it) is taken off what it grants next.
        self._debt = max(0, -self._room)
        received = self._place if asked.output else asked.received
        return msgspec.structs.replace(
            asked, stream=stream, terminal=terminal, credit=max(0, self._room), received=received, ticket=""
        )

    def data(self, channel: int, payload: bytes) -> None:
        """A frame: passed on, and its place kept."""
        self._room -= FRAME_HEAD.size + len(payload)
        if channel in _COUNTED:
            self._place += len(payload)
        elif channel == Channel.VIEW:
            self._place = _place_in(payload, self._place)
        self._say([encode_frame(PAGE_STREAM, channel, payload)])

    def control(self, message: Any) -> None:
        """The gateway's word: it shows the terminal, takes more input, or ends the view."""
        if isinstance(message, messages.Shown):
            self._opened += 1
            # The first opening follows on the page's own `view`; of a later one the page must have heard before it
            # types on, for what it sent before has numbers that mean something else now.
            self._shown = self._opened == 1
            self._place, self._taken = message.place, message.taken
            self._tell(message, opened=self._opened, **({"kept": 0.0} if self._alone() else {}))
            return
        if isinstance(message, messages.Ended):
            self._asked, self.stream, self._shown = None, 0, False
        self._tell(message)

    def lost(self, reason: str, retry_at: float | None) -> None:
        """The socket is gone; the page is told, and need do nothing."""
        self.stream, self._shown = 0, False
        self._away = reason, retry_at
        if self._asked is not None:
            self._say([json.dumps({"type": "offline", "reason": reason, "retry_at": retry_at})])

    def renewed(self) -> None:
        """Another terminal has taken this one's place: the page has to begin anew, with a `view`."""
        if self._asked is not None:
            self._asked = None
            self._line.again(self)
            self.stream, self._shown = 0, False
            self._say([json.dumps({"type": "renewed"})])

    # --- what the page says -------------------------------------------------------------------------------------------

    def take(self, said: Sequence[Said]) -> None:
        """What `read` has read."""
        for one in said:
            if isinstance(one, bytes):
                self._input(one)
            elif isinstance(one, messages.View):
                self._asked = one
                self._place, self._room, self._opened = one.received, one.credit, 0
                self._line.again(self)
                if self._away is not None:
                    self.lost(*self._away)
            elif isinstance(one, messages.Unsubscribe):
                self._asked = None
                self._line.again(self)
                self.stream, self._shown = 0, False
            elif isinstance(one, Seen):
                self._shown = self._shown or (one.opened == self._opened and bool(self.stream))
            elif isinstance(one, messages.Credit):
                self._granted(one.bytes)
            elif self._asked is not None:
                self._asked = msgspec.structs.replace(self._asked, columns=one.columns, rows=one.rows)
                if self.stream:
                    self._line.tell(msgspec.structs.replace(one, stream=self.stream))

    def _granted(self, size: int) -> None:
        self._room += size
        paid = min(size, self._debt)
        self._debt -= paid
        if self.stream and size > paid:
            self._line.tell(messages.Credit(stream=self.stream, bytes=size - paid))

    def _input(self, payload: bytes) -> None:
        """Pass on what goes on from what was taken; all else the page shows as not sent."""
        (number,) = NUMBER.unpack_from(payload)
        end = number + len(payload) - NUMBER.size
        if self._shown and number <= self._taken < end:
            self._taken = end
            self._line.write(self.stream, Channel.STDIN, payload)

    def _tell(self, message: Any, **more: Any) -> None:
        words = msgspec.json.decode(messages.encode(msgspec.structs.replace(message, stream=PAGE_STREAM)))
        self._say([json.dumps({**words, **more})])


def _place_in(payload: bytes, place: int) -> int:
    """Where a word on `Channel.VIEW` puts the place."""
    try:
        said = msgspec.json.decode(payload)
    except msgspec.DecodeError:
        return place
    found = said.get("place") if isinstance(said, dict) else None
    return found if isinstance(found, int) else place
