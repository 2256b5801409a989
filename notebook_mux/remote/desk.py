"""The programs of one client: which of its streams reads which, and the frames that it sends."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Protocol

from notebook_mux.errors import InvalidArgument, MuxError, OutcomeUnknown, ProtocolError
from notebook_mux.kube import scope
from notebook_mux.kube.scope import Scopes, checked_query
from notebook_mux.remote.dialer import Dialer
from notebook_mux.remote.program import UNKNOWN_TODO, Order, Program
from notebook_mux.remote.programs import Held, Programs, told
from notebook_mux.wire import messages
from notebook_mux.wire.frames import FRAME_HEAD, MAX_FRAME, NUMBER, Channel, decode_frame
from notebook_mux.wire.sending import Source

MAX_TIMEOUT = 3600.0
"""Seconds that a client may give a program."""

RUNNING = frozenset({"exec", "attach"})
"""What runs a program or reaches into one."""


class Client(Protocol):
    """What a desk needs of the session whose it is."""

    scopes: Scopes

    def cluster(self, ref: str) -> Dialer:
        """One that this client has resolved."""

    def send(self, message: messages.Message) -> None:
        """Queue a control message."""

    def wake(self, stream: int) -> None:
        """There may be something to send."""

    def open_lane(self, stream: int, source: Source, credit: int) -> None:
        """Send from `source` as `stream`."""

    def close_lane(self, stream: int) -> None:
        """Send nothing more as `stream`."""


class House(Protocol):
    """What all desks share."""

    programs: Programs

    @property
    def instance(self) -> str:
        """Random, another one at each start."""


class Reader:
    """Sends a program's output on one stream; a sender's `Source`.

    Args:
        held: The program.
        place: Where the client stands: bytes that it has had.
    """

    def __init__(self, held: Held, place: int) -> None:
        self.held = held
        self._place = place
        self._sent: deque[tuple[int, int]] = deque()
        self._granted = 0

    def pull(self, limit: int) -> tuple[int, bytes] | None:
        """The next frame; see `notebook_mux.wire.sending.Source`."""
        found = self.held.program.ring.read(self._place, limit)
        if found is not None:
            self._place += len(found[1])
            self._sent.append((FRAME_HEAD.size + len(found[1]), self._place))
        return found

    def granted(self, size: int) -> None:
        """The client has taken in so many bytes of frames, which is why it grants as many."""
        self._granted += size
        place = 0
        while self._sent and self._sent[0][0] <= self._granted:
            taken, place = self._sent.popleft()
            self._granted -= taken
        if not self._sent:
            self._granted = 0  # more than was sent stands for nothing that was taken in
        if place:
            self.held.program.forget(place)


class Desk:
    """See the module. On the gateway's loop.

    Args:
        session: Whose.
        shared: What it shares with others.
    """

    def __init__(self, session: Client, shared: House) -> None:
        self.streams: dict[int, Reader] = {}
        self._session = session
        self._shared = shared

    def open(self, message: messages.Exec) -> None:
        """Start a program or join it; refused with `messages.Ended`."""
        number = message.stream
        try:
            held = self._take(message)
        except MuxError as error:
            self._session.send(messages.Ended(stream=number, **told(error)))  # type: ignore[arg-type]  # code and what are texts
            return
        program = held.program
        program.forget(message.received)
        reader = self.streams[number] = Reader(held, message.received)
        held.leave = lambda: self._left(number)
        program.moved = lambda: self._session.wake(number)
        program.granted = self._granter(number)
        self._session.send(messages.Joined(stream=number, taken=program.taken, credit=program.input_room))
        self._session.open_lane(number, reader, message.credit)

    def _take(self, message: messages.Exec) -> Held:
        cluster = self._session.cluster(message.cluster)
        name = pod_of(message.path)
        checked_query(message.query)
        if not 0 <= message.timeout <= MAX_TIMEOUT:
            raise InvalidArgument(f"a time limit of {message.timeout:g} s", todo=f"give one of up to {MAX_TIMEOUT:g} s")
        self._session.scopes.check(message.scope, message.cluster, cluster.name, f"running a program in {name}")
        if message.instance and message.instance != self._shared.instance:
            raise OutcomeUnknown(
                "the gateway that had started the program is gone", cluster=cluster.name, todo=UNKNOWN_TODO
            )
        order = Order(message.path, message.query, message.stdin, message.timeout)
        held = self._shared.programs.take(message.program, message.attempt, cluster, order)
        ring = held.program.ring
        if not ring.start <= message.received <= ring.end:
            self._shared.programs.drop(held)
            raise ProtocolError("a place in a program's output that is not there")
        return held

    def _granter(self, number: int) -> Callable[[int], None]:
        return lambda size: self._session.send(messages.Credit(stream=number, bytes=size))

    def frame(self, frame: bytes) -> None:
        """A data frame of the client's; those of streams that are not open are ignored.

        Raises:
            ProtocolError: It is too long, on a channel that is not a client's, or see `Program.feed`.
        """
        if len(frame) > MAX_FRAME:
            raise ProtocolError(f"a binary frame of {len(frame)} bytes; at most {MAX_FRAME} are allowed")
        number, channel, payload = decode_frame(frame)
        reader = self.streams.get(number)
        if reader is None:
            return
        program: Program = reader.held.program
        if channel == Channel.STDIN and len(payload) > NUMBER.size:
            program.feed(NUMBER.unpack_from(payload)[0], payload[NUMBER.size :])
        elif channel == Channel.CLOSE and payload == bytes((Channel.STDIN,)):
            program.end_input()
        else:
            raise ProtocolError(f"a data frame on channel {channel} that means nothing")

    def granted(self, number: int, size: int) -> None:
        """Credit for a stream that may be a program's."""
        reader = self.streams.get(number)
        if reader is not None:
            reader.granted(size)

    def end(self, number: int) -> bool:
        """The client wants a program no more; whether it was one."""
        reader = self.streams.pop(number, None)
        if reader is not None:
            self._session.close_lane(number)
            self._shared.programs.drop(reader.held)
        return reader is not None

    def release(self) -> None:
        """The client has gone; its programs wait for it."""
        for number in list(self.streams):
            held = self.streams[number].held
            self._left(number)
            self._shared.programs.left(held)

    def _left(self, number: int) -> None:
        self.streams.pop(number, None)
        self._session.close_lane(number)


def pod_of(path: str) -> str:
    """The pod, as ``namespace/name``, that a path runs something in.

    Raises:
        InvalidArgument: It runs nothing in a pod.
    """
    pod = scope.pod_of(path, RUNNING)
    if pod is None:
        raise InvalidArgument("a path that runs no program in a pod")
    return pod
