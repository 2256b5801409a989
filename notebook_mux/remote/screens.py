"""The terminals of one client: what it asks for, and which of its streams looks at which."""

from __future__ import annotations

from typing import Any, Protocol

from notebook_mux.errors import InvalidArgument, MuxError, NotFound, ProtocolError
from notebook_mux.kube import scope
from notebook_mux.kube.scope import checked_query
from notebook_mux.remote import desk
from notebook_mux.remote.dialer import Place
from notebook_mux.remote.programs import told
from notebook_mux.remote.run import Order
from notebook_mux.remote.terminal import Terminal
from notebook_mux.remote.terminals import MAX_TEXT, Kept, Terminals, found
from notebook_mux.remote.viewers import Viewer
from notebook_mux.wire import messages
from notebook_mux.wire.frames import MAX_FRAME, NUMBER, Channel, decode_frame
from notebook_mux.wire.remotecommand import MAX_SIDE
from notebook_mux.wire.sending import Source
from notebook_mux.wire.terminals import TerminalFound


class Client(desk.Client, Protocol):
    """What the screens need of the session whose they are."""

    def cluster(self, ref: str) -> Place:
        """One that this client has resolved."""

    @property
    def kernel(self) -> str:
        """The name of its kernel; "" is shared by all that have none."""

    def open_lane(self, stream: int, source: Source, credit: int, *, urgent: bool = False) -> None:
        """Send from `source` as `stream`; `urgent` ones go before the others."""


class House(Protocol):
    """What all screens share."""

    terminals: Terminals


class Screens:
    """See the module. On the loop.

    Args:
        session: Whose.
        shared: What it shares with others.

    Attributes:
        streams: The views that are there, by the ids of their streams.
    """

    def __init__(self, session: Client, shared: House) -> None:
        self.streams: dict[int, Viewer] = {}
        self._session = session
        self._terminals = shared.terminals
        self._known: set[str] = set()
        self._kernel: str | None = None

    def arrive(self) -> None:
        """The client has said whose it is."""
        self._kernel = self._session.kernel
        self._terminals.arrive(self._kernel)

    def allow(self, kept: Kept) -> None:
        """Let this client look at a terminal that it has not asked for."""
        self._known.add(kept.terminal.id)

    def get(self, id_: str) -> Kept:
        """A terminal that this client has asked for.

        Raises:
            NotFound: It has not, or it is not there any more.
        """
        if id_ not in self._known:
            raise NotFound("a terminal that this connection has not asked for", todo="find or start it first")
        return self._terminals.get(id_)

    # --- requests -----------------------------------------------------------------------------------------------------

    def terminal(self, message: messages.Terminal) -> TerminalFound:
        """Find a terminal or start one.

        Raises:
            MuxError: It cannot be, or this client may not.
        """
        cluster = self._session.cluster(message.cluster)
        kernel, terminals = self._session.kernel, self._terminals
        scopes, what = self._session.scopes, f"a terminal ({message.title or message.key})"

        def check() -> None:  # outlives the session, and so has nothing else of it
            scopes.check(message.scope, message.cluster, cluster.name, what)

        if message.start != "find":
            check()
        kept = terminals.find(kernel, message.key, message.cluster)
        created = False
        if message.start == "take":
            kept = self._take(message, kernel)
        elif message.start == "again":
            kept = self._own(message.terminal, kernel, message.cluster)
            created = kept.terminal.again()
        elif message.start == "create" and kept is None:
            order = _checked(message)

            def entry(terminal: Terminal) -> Kept:
                return Kept(
                    kernel, message.key, message.cluster, terminal, message.title, message.notebook, message.delete
                )

            kept, created = terminals.create(entry, cluster, order), True
        others = terminals.others(kernel, message.key, message.cluster, message.notebook)
        if kept is not None:
            kept.terminal.check = check
            self.allow(kept)
        return found(kept, created=created, others=others)

    def _own(self, id_: str, kernel: str, ref: str = "") -> Kept:
        kept = self._terminals.get(id_)
        if kept.kernel != kernel:
            raise NotFound("a terminal of another kernel", todo="take it over first")
        if ref not in ("", kept.ref):  # the right to write was asked for on that cluster, and not on this one
            raise NotFound("a terminal on another cluster", todo="ask for it with its own cluster")
        return kept

    def _take(self, message: messages.Terminal, kernel: str) -> Kept:
        kept = self._terminals.get(message.terminal)
        if kept not in self._terminals.others(kernel, message.key, message.cluster, message.notebook):
            return self._own(message.terminal, kernel, message.cluster)
        if self._terminals.find(kernel, message.key, message.cluster) is not None:
            raise InvalidArgument("this kernel has a terminal of this key already", todo="close it first")
        self._terminals.take(kept, kernel)
        return kept

    async def hang_up(self, message: messages.Hangup) -> dict[str, Any]:
        """End a terminal of this client's kernel; fine if it is not there any more.

        Raises:
            NotFound: It is another kernel's.
        """
        try:
            kept = self._terminals.get(message.terminal)
        except NotFound:
            return {}
        await self._terminals.hang_up(self._own(kept.terminal.id, self._session.kernel))
        return {}

    # --- streams ------------------------------------------------------------------------------------------------------

    def open(self, message: messages.View) -> None:
        """Look at a terminal; refused with `messages.Ended`.

        Raises:
            ProtocolError: A count or a size that cannot be.
        """
        if message.credit < 0 or message.received < -1:
            raise ProtocolError("a count below zero")
        _check_size(message.columns, message.rows)
        number = message.stream
        try:
            terminal = self.get(message.terminal).terminal
            viewer = terminal.look(
                message.view,
                message.received,
                output=message.output,
                wake=lambda: self._session.wake(number),
                grant=lambda size: self._session.send(messages.Credit(stream=number, bytes=size)),
                ended=lambda reason: self._ended(number, reason),
            )
        except MuxError as error:
            self._ended(number, error)
            return
        self.streams[number] = viewer
        terminal.resize(viewer, message.columns, message.rows)
        self._terminals.look_round()
        columns, rows = viewer.told_size = terminal.size
        self._session.send(
            messages.Shown(
                stream=number,
                place=viewer.place,
                taken=viewer.seat.taken,
                credit=viewer.seat.room,
                columns=columns,
                rows=rows,
                kept=self._terminals.lease_seconds,
            )
        )
        self._session.open_lane(number, viewer, message.credit, urgent=True)

    def size(self, message: messages.Size) -> None:
        """A view's new size; of a stream that is not open it is ignored.

        Raises:
            ProtocolError: None that can be.
        """
        _check_size(message.columns, message.rows)
        viewer = self.streams.get(message.stream)
        if viewer is not None:
            viewer.terminal.resize(viewer, message.columns, message.rows)

    def frame(self, frame: bytes) -> bool:
        """A data frame of the client's; whether it is of a view. What is wrong with it ends that view alone.

        Raises:
            ProtocolError: It is too long, or none.
        """
        if len(frame) > MAX_FRAME:
            raise ProtocolError(f"a binary frame of {len(frame)} bytes; at most {MAX_FRAME} are allowed")
        number, channel, payload = decode_frame(frame)
        viewer = self.streams.get(number)
        if viewer is None:
            return False
        try:
            if channel != Channel.STDIN or len(payload) <= NUMBER.size:
                raise ProtocolError(f"a data frame on channel {channel} that means nothing")
            viewer.feed(NUMBER.unpack_from(payload)[0], payload[NUMBER.size :])
        except ProtocolError as error:
            viewer.terminal.leave(viewer)
            self._ended(number, error)
            self._terminals.look_round()
        return True

    def end(self, number: int) -> bool:
        """The client looks no more; whether it did."""
        viewer = self.streams.pop(number, None)
        if viewer is not None:
            self._session.close_lane(number)
            viewer.terminal.leave(viewer)
            self._terminals.look_round()
        return viewer is not None

    def release(self) -> None:
        """The client has gone."""
        for number in list(self.streams):
            self.end(number)
        if self._kernel is not None:
            self._terminals.leave(self._kernel)
            self._kernel = None

    def _ended(self, number: int, reason: MuxError) -> None:
        self.streams.pop(number, None)
        self._session.close_lane(number)
        self._session.send(messages.Ended(stream=number, **told(reason)))  # type: ignore[arg-type]  # code and what are texts


def _check_size(columns: int, rows: int) -> None:
    if not (0 <= columns <= MAX_SIDE and 0 <= rows <= MAX_SIDE):
        raise ProtocolError(f"a view of {columns} by {rows}")


def _checked(message: messages.Terminal) -> Order:
    """What is to be run.

    Raises:
        InvalidArgument: It cannot be.
    """
    desk.pod_of(message.path)
    for query in message.queries:
        checked_query(query)
    for text in (message.key, message.title, message.notebook):
        if len(text) > MAX_TEXT:
            raise InvalidArgument(f"a terminal's key, title or notebook of more than {MAX_TEXT} characters")
    if message.delete and scope.pod_of(message.delete) is None:
        raise InvalidArgument("what is deleted with a terminal is a pod")
    return Order(message.path, tuple(message.queries), message.tty, message.stdin)
