"""``portforward.k8s.io`` over SPDY/3.1, the server's end: a connection to a port is two streams of one request.

Sans-IO. A client opens an error stream and a data stream with the headers ``streamType``, ``port`` and ``requestID``.
On the data stream go the connection's bytes. On the error stream the server writes what went wrong, and resets both;
without an error it ends both when the pod's side has ended. (k8s.io/cri-streaming,
pkg/streaming/portforward/httpstream.go.)
"""

from __future__ import annotations

from dataclasses import dataclass

from notebook_mux.playground.portforward.dialing import Conversation, Dial, NotForwarded, uint16
from notebook_mux.playground.portforward.spdy import Data, Ended, Event, Gone, Opened, Session

PROTOCOL = "portforward.k8s.io"
STREAM_TYPE, PORT, REQUEST_ID = "streamtype", "port", "requestid"
ERROR, DATA = "error", "data"
MAX_EARLY = 64 * 1024
"""Bytes on a data stream whose error stream is not there yet."""


@dataclass(slots=True)
class _Pair:
    """The streams of one request."""

    error: int = 0
    data: int = 0
    port: int = 0
    conversation: Conversation | None = None
    early: bytes = b""
    ended: bool = False


class Tunnel:
    """One client's connection, with all that it forwards.

    Args:
        dial: Makes connections to the pod's ports.
    """

    def __init__(self, dial: Dial) -> None:
        self._dial = dial
        self._session = Session()
        self._pairs: dict[str, _Pair] = {}
        self._of_stream: dict[int, str] = {}

    @property
    def over(self) -> bool:
        """Whether the connection is to be closed, once `to_send` is empty."""
        return self._session.over

    def receive(self, data: bytes) -> None:
        """Bytes of the client's, cut anywhere."""
        for event in self._session.receive(data):
            self._take(event)

    def to_send(self) -> bytes:
        """The bytes for the client since the last call."""
        return self._session.to_send()

    def _take(self, event: Event) -> None:
        if isinstance(event, Opened):
            self._open(event)
            return
        request = self._of_stream.get(event.stream, "")
        pair = self._pairs.get(request)
        if pair is None:
            return
        if isinstance(event, Gone):
            self._of_stream.pop(event.stream, None)
            if event.stream == pair.data:
                self._close(request, pair)
            else:  # nobody would read what went wrong
                self._session.reset(pair.data)
                self._forget(request, pair)
        elif event.stream == pair.data:
            if isinstance(event, Data):
                self._data(request, pair, event.data)
            elif isinstance(event, Ended):
                self._end(request, pair)

    def _open(self, event: Opened) -> None:
        stream, kind = event.stream, event.headers.get(STREAM_TYPE, "")
        try:
            port = uint16(event.headers.get(PORT, ""))
        except ValueError:
            port = 0
        if port == 0 or kind not in (ERROR, DATA):
            self._session.reset(stream)
            return
        self._session.accept(stream)
        # Clients of old give requests no number: the streams of one follow each other.
        request = event.headers.get(REQUEST_ID) or f"stream {stream if kind == ERROR else stream - 2}"
        pair = self._pairs.setdefault(request, _Pair())
        if getattr(pair, kind):
            if pair.error:
                self._session.send(pair.error, f"error processing stream for request {request}: "
                                               f"{kind} stream already assigned".encode())  # fmt: skip
            return
        setattr(pair, kind, stream)
        self._of_stream[stream] = request
        if kind == DATA:
            pair.port, pair.ended = port, event.ended
        if pair.error and pair.data:
            self._begin(request, pair)

    def _begin(self, request: str, pair: _Pair) -> None:
        try:
            pair.conversation = self._dial(pair.port)
        except NotForwarded as error:
            self._session.send(pair.error, str(error).encode())
            self._session.reset(pair.data)
            self._session.reset(pair.error)
            self._forget(request, pair)
            return
        early, pair.early = pair.early, b""
        if early:
            self._data(request, pair, early)
        if pair.ended:
            self._end(request, pair)

    def _data(self, request: str, pair: _Pair, data: bytes) -> None:
        if pair.conversation is None:  # the error stream is still to come
            pair.early += data
            if len(pair.early) > MAX_EARLY:
                self._session.reset(pair.data)
                self._session.reset(pair.error)
                self._forget(request, pair)
        elif not pair.conversation.over:
            self._answer(request, pair, pair.conversation.receive(data))

    def _end(self, request: str, pair: _Pair) -> None:
        pair.ended = True
        if pair.conversation is not None and not pair.conversation.over:
            self._answer(request, pair, pair.conversation.end())

    def _answer(self, request: str, pair: _Pair, answer: bytes) -> None:
        self._session.send(pair.data, answer)
        if pair.conversation is not None and pair.conversation.over:
            self._close(request, pair)

    def _close(self, request: str, pair: _Pair) -> None:
        """The connection has ended: both streams do."""
        self._session.end(pair.data)
        self._session.end(pair.error)
        self._forget(request, pair)

    def _forget(self, request: str, pair: _Pair) -> None:
        self._pairs.pop(request, None)
        self._of_stream.pop(pair.data, None)
        self._of_stream.pop(pair.error, None)
