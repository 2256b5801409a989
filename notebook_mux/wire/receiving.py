"""The kernel's end of notebook-mux.v1: frames in, events out, and the credit that is owed for them.

Sans-IO. The caller feeds whole WebSocket messages to `Receiver.text` and `Receiver.binary`, takes in what they return
before it reads on, and sends what `credits` returns.
"""

from __future__ import annotations

from notebook_mux.errors import ProtocolError
from notebook_mux.wire.frames import FRAME_HEAD, MAX_FRAME, MAX_RECORD, Channel
from notebook_mux.wire.messages import Credit, GatewayMessage, Goodbye, Welcome, decode_gateway
from notebook_mux.wire.sending import CONNECTION_CREDIT, CONNECTION_STREAM, STREAM_CREDIT


class Receiver:
    """What one connection has received; a new connection needs a new one.

    Args:
        stream_window: Bytes granted on each stream at `open`.
        connection_window: Bytes the gateway grants itself for the connection (in `Welcome`).
    """

    def __init__(self, stream_window: int = STREAM_CREDIT, connection_window: int = CONNECTION_CREDIT) -> None:
        self.stream_window = stream_window
        self.connection_window = connection_window
        self.welcome: Welcome | None = None
        self.received_bytes = 0
        self.received_frames = 0
        self._parts: dict[int, list[bytes]] = {}
        self._part_bytes: dict[int, int] = {}
        self._owed: dict[int, int] = {CONNECTION_STREAM: 0}
        self._lent: set[int] = set()
        self._due: list[Credit] = []

    def open(self, stream: int, *, lent: bool = False) -> int:
        """Expect frames on `stream`; returns the credit to grant with its first message.

        Args:
            stream: Its id.
            lent: Somebody further down grants the stream's credit; only the connection's is owed for it here.
        """
        self._owed[stream] = 0
        if lent:
            self._lent.add(stream)
        return self.stream_window

    def forget(self, stream: int) -> None:
        """Expect nothing more on `stream`; frames under way are dropped, and counted for the connection's credit."""
        self._owed.pop(stream, None)
        self._lent.discard(stream)
        self._parts.pop(stream, None)
        self._part_bytes.pop(stream, None)

    def text(self, text: str | bytes) -> GatewayMessage:
        """A control message.

        Raises:
            ProtocolError: It is not one, or it comes before the gateway's `Welcome`.
        """
        message = decode_gateway(text)
        self.received_bytes += len(text)
        self.received_frames += 1
        if isinstance(message, Welcome):
            if self.welcome is not None:
                raise ProtocolError("the gateway welcomed this connection twice")
            self.welcome = message
            if message.credit:
                self.connection_window = message.credit
        elif self.welcome is None and not isinstance(message, Goodbye):
            raise ProtocolError(f"the gateway sent {type(message).__name__.lower()} before its welcome")
        return message

    def binary(self, frame: bytes) -> tuple[int, int, bytes] | None:
        """A data frame as (stream, channel, payload), parts joined; None if it completes nothing or is not wanted.

        Raises:
            ProtocolError: The frame is too short, too long, or a record is longer than `MAX_RECORD`.
        """
        size = len(frame)
        if size < FRAME_HEAD.size or size > MAX_FRAME:
            raise ProtocolError(f"a binary frame of {size} bytes; {FRAME_HEAD.size} to {MAX_FRAME} are allowed")
        if self.welcome is None:
            raise ProtocolError("the gateway sent data before its welcome")
        self.received_bytes += size
        self.received_frames += 1
        stream, channel = FRAME_HEAD.unpack_from(frame)
        wanted = stream in self._owed and stream != CONNECTION_STREAM
        self._owe(stream if wanted and stream not in self._lent else None, size)
        if not wanted:
            return None
        payload = frame[FRAME_HEAD.size :]
        if channel == Channel.PART:
            total = self._part_bytes.get(stream, 0) + len(payload)
            if total > MAX_RECORD:
                raise ProtocolError(f"a record of more than {MAX_RECORD} bytes on stream {stream}")
            self._part_bytes[stream] = total
            self._parts.setdefault(stream, []).append(payload)
            return None
        if channel == Channel.CHANGES and stream in self._parts:
            self._part_bytes.pop(stream, None)
            payload = b"".join((*self._parts.pop(stream), payload))
        return stream, channel, payload

    def credits(self) -> list[Credit]:
        """Grants that are due: where half a window has been used up since the last."""
        due, self._due = self._due, []
        return due

    def _owe(self, stream: int | None, size: int) -> None:
        for owner, window in ((stream, self.stream_window), (CONNECTION_STREAM, self.connection_window)):
            if owner is None:
                continue
            owed = self._owed[owner] + size
            if owed * 2 >= window:
                self._due.append(Credit(stream=owner, bytes=owed))
                owed = 0
            self._owed[owner] = owed
