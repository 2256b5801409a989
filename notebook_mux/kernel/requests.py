"""Requests and their answers on the one socket, by id."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from notebook_mux.kernel.failure import Failure
from notebook_mux.wire.frames import Channel
from notebook_mux.wire.messages import Answer, Failure as FailureMessage, Head, Message

MAX_BODY = 512 * 1024 * 1024
"""Bytes of one answer: a list of 10,000 large objects fits, an endless body does not fill the kernel."""

LOST_WORDS = "the connection to the gateway was lost before the answer came"


class Pending:
    """A request that waits for its answer.

    Args:
        message: What was sent; it is sent again after a reconnect if `resend`.
        resend: Whether asking twice is harmless.
    """

    def __init__(self, message: Message, *, resend: bool) -> None:
        self.message = message
        self.resend = resend
        self.sent = False
        self.future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self.head: Head | None = None
        self._body: list[bytes] = []
        self._size = 0

    def restart(self) -> None:
        """Forget what has come of an answer that was cut off."""
        self.sent = False
        self.head = None
        self._body.clear()
        self._size = 0

    def data(self, channel: int, payload: bytes) -> None:
        """A frame of the body."""
        if channel == Channel.BODY:
            self._size += len(payload)
            if self._size > MAX_BODY:
                self.fail(Failure("server", f"an answer of more than {MAX_BODY // 2**20} MiB"))
            else:
                self._body.append(payload)
        elif channel == Channel.END and self.head is not None and not self.future.done():
            self.future.set_result((self.head.status, self.head.headers, b"".join(self._body)))

    def control(self, message: Answer | Head | FailureMessage) -> None:
        """The answer, its head, or the failure."""
        if isinstance(message, Head):
            self.head = message
        elif self.future.done():
            return
        elif isinstance(message, Answer):
            self.future.set_result(message.value)
        else:
            self.fail(
                Failure(message.code, message.what, cluster=message.cluster, said=message.said, todo=message.todo)
            )

    def fail(self, failure: Failure) -> None:
        """End with a failure, unless it has ended."""
        if not self.future.done():
            self.future.set_exception(failure)


class Requests:
    """All requests of one connection that wait.

    Args:
        send: Writes a message and says whether it did; its second argument lets one through before the socket is
            restored.
        new_id: The next id, shared with the streams.
        cancel: Tells the gateway that an answer is not wanted any more.
    """

    def __init__(
        self, send: Callable[[Message, bool], bool], new_id: Callable[[], int], cancel: Callable[[int], None]
    ) -> None:
        self._send = send
        self._new_id = new_id
        self._cancel = cancel
        self.waiting: dict[int, Pending] = {}

    async def ask(
        self, kind: type[Message], *, timeout: float, resend: bool = True, early: bool = False, **fields: Any
    ) -> Any:
        """Send a request and wait for its answer.

        Args:
            kind: The message's class, which has an ``id``.
            timeout: Seconds, for all of it.
            resend: Whether it is asked again after a lost connection.
            early: Whether it may go before the socket is restored.
            fields: The message's other fields.

        Returns:
            The small answer's value, or (status, headers, body) of a long one.

        Raises:
            Failure: The gateway's, or ``timeout``, or ``unreachable`` when the connection went for good.
        """
        id_ = self._new_id()
        pending = self.waiting[id_] = Pending(kind(id=id_, **fields), resend=resend)
        try:
            pending.sent = self._send(pending.message, early)
            async with asyncio.timeout(timeout):
                return await pending.future
        except TimeoutError:
            raise Failure("timeout", f"no answer to {kind.__name__.lower()} within {timeout:g} s") from None
        finally:
            self.waiting.pop(id_, None)
            if not pending.future.done() or pending.future.cancelled():
                self._cancel(id_)

    def lost(self) -> None:
        """The socket is gone: requests that must not be asked twice end now."""
        for pending in list(self.waiting.values()):
            if pending.resend:
                pending.restart()
            else:
                pending.fail(
                    Failure(
                        "unreachable",
                        LOST_WORDS,
                        todo="look whether the change happened before you repeat it",
                    )
                )

    def again(self) -> None:
        """The socket is open: ask what has not been asked on it."""
        for pending in list(self.waiting.values()):
            if not pending.sent and not pending.future.done():
                pending.sent = self._send(pending.message, False)

    def end(self, failure: Failure) -> None:
        """Nothing will come any more."""
        for pending in list(self.waiting.values()):
            pending.fail(failure)
