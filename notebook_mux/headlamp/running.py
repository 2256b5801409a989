"""What runs in containers by way of a Headlamp server, and their logs, as the kernel sees it on one bridge."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import msgspec

from notebook_mux.forwards.desk import Desk as ForwardDesk
from notebook_mux.headlamp.answers import Answers
from notebook_mux.headlamp.dialer import Dialer
from notebook_mux.headlamp.house import House
from notebook_mux.remote.desk import Desk
from notebook_mux.remote.screens import Screens
from notebook_mux.tailing.desk import Desk as LogDesk
from notebook_mux.wire import messages
from notebook_mux.wire.sending import MAX_CREDIT, Sender, Source


class Running:
    """The streams of one bridge; a `notebook_mux.remote.screens.Client`. On the loop's thread.

    Each stream sends within its own credit, for a program must wait for its reader. The connection's is not counted:
    nothing lies between.

    Args:
        house: Has them.
        answers: Knows the clusters, and who may write.
        tell: Takes a control message for the kernel.
        wanted: Called when `next` may have something.

    Attributes:
        hello: The kernel's first word, once it has said it.
    """

    def __init__(
        self, house: House, answers: Answers, tell: Callable[[messages.Message], None], wanted: Callable[[], None]
    ) -> None:
        self.scopes = answers.scopes
        self.hello: messages.Hello | None = None
        self._tell = tell
        self._house = house
        self._answers = answers
        self._wanted = wanted
        self._sender = Sender(MAX_CREDIT)
        self._desk = Desk(self, house)
        self._screens = answers.screens = Screens(self, house)
        self._forwards = ForwardDesk(self, house)
        self._logs = LogDesk(self, answers.cluster)

    # --- what a desk calls ----------------------------------------------------------------------------------------

    @property
    def kernel(self) -> str:
        """The kernel's name; "" where it has none."""
        return self.hello.kernel if self.hello is not None else ""

    def cluster(self, ref: str) -> Dialer:
        """A resolved cluster.

        Raises:
            UnknownContext: It was not.
        """
        return Dialer(self._answers.cluster(ref), self._house)

    def send(self, message: messages.Message) -> None:
        """A control message for the kernel."""
        if isinstance(message, messages.Shown):
            message = msgspec.structs.replace(message, kept=0.0)  # it ends with the kernel
        self._tell(message)

    def wake(self, stream: int) -> None:
        """There may be something to read."""
        self._sender.wake(stream)
        self._wanted()

    def open_lane(self, stream: int, source: Source, credit: int, *, urgent: bool = False) -> None:
        """Read from `source` as `stream`; `urgent` ones go before the others."""
        self._sender.add(stream, source, credit, urgent=urgent)
        self._wanted()

    def close_lane(self, stream: int) -> None:
        """Read nothing more as `stream`."""
        self._sender.remove(stream)

    # --- what a bridge calls --------------------------------------------------------------------------------------

    @property
    def busy(self) -> bool:
        """Whether the kernel looks at something that runs."""
        return bool(self._desk.streams) or any(not viewer.terminal.over for viewer in self._screens.streams.values())

    @property
    def logs(self) -> int:
        """Logs that are read just now, each by a connection of its own."""
        return self._logs.requests

    def arrive(self, hello: messages.Hello) -> None:
        """The kernel's first word."""
        self.hello = hello
        self._screens.arrive()

    def take(self, message: messages.ClientMessage) -> bool:
        """A message of the kernel's; False where it is none about what runs.

        Raises:
            ProtocolError: A count or a size that cannot be.
        """
        match message:
            case messages.Exec():
                self._desk.open(message)
            case messages.View():
                self._screens.open(message)
            case messages.Forward():
                self._forwards.open(message)
            case messages.Log():
                self._logs.open(message)
            case messages.Credit():
                self._sender.grant(message.stream, message.bytes)
                self._desk.granted(message.stream, message.bytes)
                self._wanted()
            case messages.Unsubscribe():
                desks = (self._desk, self._screens, self._forwards, self._logs)
                return any(desk.end(message.stream) for desk in desks)
            case messages.Size():
                self._screens.size(message)
            case _:
                return False
        return True

    def frame(self, frame: bytes) -> None:
        """A program's input, or what was typed.

        Raises:
            ProtocolError: See `Desk.frame` and `Screens.frame`.
        """
        if not self._screens.frame(frame):
            self._desk.frame(frame)

    def next(self) -> str | bytes | None:
        """The next frame for the kernel."""
        return self._sender.next()

    def release(self) -> set[asyncio.Task[None]]:
        """The bridge has gone; what runs waits for the next one, and logs end: the tasks that end them."""
        self._desk.release()
        self._screens.release()
        self._forwards.release()
        return self._logs.release()
