"""The server's end of a SPDY/3.1 connection: streams that the client opens. Sans-IO: bytes in, events and bytes out.

As its peers are made (moby/spdystream, which kubectl and every kubelet use): no flow control, WINDOW_UPDATE and
SETTINGS say nothing; push-back is that of the connection below.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from notebook_mux.playground.portforward import frames
from notebook_mux.playground.portforward.frames import BadFrame, Frame, Reader
from notebook_mux.playground.portforward.headers import BadHeaders, Compressor, Decompressor, Headers

MAX_DATA = 32 * 1024
"""Bytes of a data frame that is sent, so that streams take turns."""

MAX_FRAME = 4 * 1024 * 1024
"""Bytes of a frame that is taken; kubectl copies pieces of 32 KiB."""

MAX_STREAMS = 2048
"""At once: half as many connections to a pod's ports."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A stream that the client wants; answer with `Session.accept` or `Session.reset`."""

    stream: int
    headers: Headers
    ended: bool = False


@dataclass(frozen=True, slots=True)
class Data:
    """What the client sent on a stream."""

    stream: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Ended:
    """The client sends no more on a stream."""

    stream: int


@dataclass(frozen=True, slots=True)
class Gone:
    """The client has reset a stream: nothing goes either way any more."""

    stream: int


Event = Opened | Data | Ended | Gone


@dataclass(slots=True)
class _Stream:
    """Who of both still sends."""

    theirs: bool = True
    ours: bool = True


@dataclass(slots=True)
class Session:
    """One connection.

    Attributes:
        over: Whether it has ended: by a frame that is none, or by the client's goodbye.
        error: What was wrong with the frame; "" for a goodbye.
    """

    over: bool = False
    error: str = ""
    _streams: dict[int, _Stream] = field(default_factory=dict)
    _last: int = 0
    _reader: Reader = field(default_factory=lambda: Reader(MAX_FRAME))
    _read: Decompressor = field(default_factory=Decompressor)
    _written: Compressor = field(default_factory=Compressor)
    _out: bytearray = field(default_factory=bytearray)

    def receive(self, data: bytes) -> list[Event]:
        """Bytes of the client's, cut anywhere; what they mean. After `over` they mean nothing."""
        events: list[Event] = []
        if self.over:
            return events
        try:
            for frame in self._reader.feed(data):
                events += self._take(frame)
                if self.over:
                    break
        except (BadFrame, BadHeaders) as error:
            self.over, self.error = True, str(error)
        return events

    def to_send(self) -> bytes:
        """The bytes for the client since the last call."""
        out = bytes(self._out)
        self._out.clear()
        return out

    # ------------------------------------------------------------------------------------------ what is said

    def accept(self, stream: int) -> None:
        """Take a stream that was `Opened`."""
        self._send(Frame(frames.SYN_REPLY, stream, self._written.block({})))

    def send(self, stream: int, data: bytes) -> None:
        """Send on a stream; nothing happens on one that is gone or ended."""
        found = self._streams.get(stream)
        if found is None or not found.ours:
            return
        for at in range(0, len(data), MAX_DATA):
            self._send(Frame(0, stream, data[at : at + MAX_DATA]))

    def end(self, stream: int) -> None:
        """Send no more on a stream."""
        found = self._streams.get(stream)
        if found is not None and found.ours:
            found.ours = False
            self._send(Frame(0, stream, b"", frames.FIN))
            self._forget(stream, found)

    def reset(self, stream: int, status: int = frames.CANCEL) -> None:
        """End a stream at once, both ways."""
        if self._streams.pop(stream, None) is not None:
            self._send(frames.reset(stream, status))

    def _send(self, frame: Frame) -> None:
        self._out += frames.encode(frame)

    # -------------------------------------------------------------------------------------- what has come

    def _take(self, frame: Frame) -> list[Event]:
        match frame.type:
            case 0:
                return self._data(frame)
            case frames.SYN_STREAM:
                return self._open(frame)
            case frames.RST_STREAM:
                return [Gone(frame.stream)] if self._streams.pop(frame.stream, None) is not None else []
            case frames.HEADERS | frames.SYN_REPLY:
                self._read.headers(frame.payload)  # says nothing here; the next block cannot be read without
                return self._finish(frame.stream) if frame.fin else []
            case frames.PING if frame.stream % 2:  # odd ones are the client's own
                self._send(frame)
            case frames.GOAWAY:
                self.over = True
        return []

    def _open(self, frame: Frame) -> list[Event]:
        headers = self._read.headers(frame.payload)
        # A client's streams are odd, and each number is higher than the last (section 2.3.2).
        if frame.stream % 2 == 0 or frame.stream <= self._last:
            self._send(frames.reset(frame.stream, frames.PROTOCOL_ERROR))
            return []
        self._last = frame.stream
        if len(self._streams) >= MAX_STREAMS:
            self._send(frames.reset(frame.stream, frames.REFUSED_STREAM))
            return []
        self._streams[frame.stream] = _Stream(not frame.fin, not frame.flags & frames.UNIDIRECTIONAL)
        return [Opened(frame.stream, headers, frame.fin)]

    def _data(self, frame: Frame) -> list[Event]:
        found = self._streams.get(frame.stream)
        if found is None:
            return []  # of a stream that was reset in the meantime
        if not found.theirs:
            self.reset(frame.stream, frames.PROTOCOL_ERROR)
            return [Gone(frame.stream)]
        events: list[Event] = [Data(frame.stream, frame.payload)] if frame.payload else []
        return events + (self._finish(frame.stream) if frame.fin else [])

    def _finish(self, stream: int) -> list[Event]:
        found = self._streams.get(stream)
        if found is None or not found.theirs:
            return []
        found.theirs = False
        self._forget(stream, found)
        return [Ended(stream)]

    def _forget(self, stream: int, found: _Stream) -> None:
        if not found.theirs and not found.ours:
            del self._streams[stream]
