"""A client's requests: each runs on its own, has one answer, and can be cancelled."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from notebook_mux.errors import Forbidden, InvalidArgument, MuxError, ServerError
from notebook_mux.gateway import status
from notebook_mux.gateway.kubeconfig import ResolvedContext
from notebook_mux.gateway.shared import Shared
from notebook_mux.kube.discovery import discover
from notebook_mux.kube.scope import PASSED_ON, checked_headers, checked_query, needs_write
from notebook_mux.wire import messages
from notebook_mux.wire.frames import Channel
from notebook_mux.wire.messages import LARGE_ANSWER
from notebook_mux.wire.sending import STREAM_CREDIT
from notebook_mux.wire.terminals import TicketGiven

if TYPE_CHECKING:
    from notebook_mux.gateway.session import Session

MAX_RUNNING = 1000
"""Requests of one client at once; each waits for a cluster or for the client to read."""

REFUSAL_SECONDS = 0.2
"""Before one of many users who asks too much is refused: a loop that asks again at once would be at it all day."""

MAX_BODIES = 256 * 1024 * 1024
"""Bytes of answers that wait until one client reads them: a few lists of 10,000 large objects."""

MAX_TIMEOUT = 3600.0
"""Seconds a client may give a request."""

log = logging.getLogger(__name__)


class Body:
    """Sends the body of an answer; a sender's `Source`.

    Args:
        content: All of it.
        done: Called when the last frame was taken.
    """

    def __init__(self, content: bytes, done: Callable[[], None]) -> None:
        self._content = memoryview(content)
        self._at = 0
        self._done = done
        self._ended = False

    def pull(self, limit: int) -> tuple[int, bytes] | None:
        """The next frame; see `notebook_mux.wire.sending.Source`."""
        if self._at < len(self._content):
            piece = bytes(self._content[self._at : self._at + limit])
            self._at += len(piece)
            return Channel.BODY, piece
        if self._ended:
            return None
        self._ended = True
        self._done()
        return Channel.END, b""


class Requests:
    """All requests of one session that have not been answered."""

    def __init__(self, shared: Shared, session: Session) -> None:
        self.running: dict[int, asyncio.Task[None] | int] = {}
        """By id the task, or the size of the body that is being sent."""
        self.bodies = 0
        """Bytes of answers that wait to be read."""
        self.served = 0
        self._shared = shared
        self._session = session

    def begin(self, message: messages.Request) -> None:
        """Answer a request, soon."""
        self.served += 1
        limits = self._shared.limits
        if len(self.running) >= MAX_RUNNING:
            self._fail(message.id, ServerError(f"{MAX_RUNNING} requests of this connection wait already"))
            return
        waiting = sum(len(one.requests.running) for one in self._shared.sessions)
        if waiting >= limits.requests:
            error = ServerError(f"{waiting} requests of yours wait already", todo="ask for less at once")
            asyncio.get_running_loop().call_later(REFUSAL_SECONDS, self._fail, message.id, error)
            return
        self.running[message.id] = asyncio.create_task(self._run(message))

    def cancel(self, id_: int) -> None:
        """The answer is not wanted any more; an id that is not there is fine."""
        running = self.running.get(id_)
        if isinstance(running, asyncio.Task):
            running.cancel()
        elif running is not None:
            self._session.close_lane(id_)
            self._sent(id_)

    def close(self) -> None:
        """End all."""
        for id_ in list(self.running):
            self.cancel(id_)

    async def _run(self, message: messages.Request) -> None:
        id_ = message.id
        try:
            answer = await self._answer(message)
        except asyncio.CancelledError:
            self.running.pop(id_, None)
            raise
        except MuxError as error:
            self.running.pop(id_, None)
            self._fail(id_, error)
        except Exception as error:  # one request's failure is its own
            self.running.pop(id_, None)
            log.exception("a request failed: %s", type(message).__name__)
            self._fail(id_, ServerError("the gateway failed", said=type(error).__name__, todo="its log has more"))
        else:
            if isinstance(answer, _Long):
                self._send_body(id_, answer)
            else:
                self.running.pop(id_, None)
                self._session.send(messages.Answer(id=id_, value=answer))

    def _fail(self, id_: int, error: MuxError) -> None:
        self._session.send(messages.Failure(id=id_, code=error.code, **error.fields()))

    def _send_body(self, id_: int, answer: _Long) -> None:
        size = len(answer.body)
        others = sum(one.requests.bodies for one in self._shared.sessions)
        if self.bodies + size > MAX_BODIES or others + size > self._shared.limits.bodies:
            self.running.pop(id_, None)
            self._fail(id_, ServerError(f"with this one more than {others >> 20} MiB of answers wait to be read"))
            return
        self.bodies += size
        self.running[id_] = size
        self._session.send(messages.Head(id=id_, status=answer.status, headers=answer.headers))
        self._session.open_lane(id_, Body(answer.body, lambda: self._finished(id_)), STREAM_CREDIT)

    def _finished(self, id_: int) -> None:
        self._session.close_lane(id_)
        self._sent(id_)

    def _sent(self, id_: int) -> None:
        size = self.running.pop(id_, 0)
        self.bodies -= size if isinstance(size, int) else 0

    # --- each kind ------------------------------------------------------------------------------------------------

    async def _answer(self, message: messages.Request) -> Any:
        match message:
            case messages.Contexts():
                return await self._contexts(message)
            case messages.Scope():
                return self._session.scopes.set(message.scope, message.write, self._session.clusters)
            case messages.Probe():
                return await self._session.cluster(message.cluster).probe(_limited(message.timeout))
            case messages.Discover():
                found = await discover(self._session.cluster(message.cluster), refresh=message.refresh)
                return _Long(200, {"content-type": "application/json"}, msgspec.json.encode(found))
            case messages.Http():
                return await self._http(message)
            case messages.Terminal():
                return self._session.screens.terminal(message)
            case messages.Hangup():
                return await self._session.screens.hang_up(message)
            case messages.Ticket():
                kept = self._session.screens.get(message.terminal)
                tickets = self._shared.tickets
                ticket = tickets.give(kept.terminal.id, message.origin)
                return TicketGiven(
                    ticket=ticket, port=self._shared.port, path=self._shared.page_path, seconds=tickets.seconds
                )
            case messages.Status():
                content = msgspec.json.encode(status.report(self._shared))
                return _Long(200, {"content-type": "application/json"}, content)
            case messages.Page():
                return self._session.forwards.page(message.key)
            case messages.Kubeconfig():
                content = await self._shared.kubectl.give(self._session, message)
                return _Long(200, {"content-type": "application/yaml"}, content)
            case messages.Stop():
                if self._shared.user:
                    raise Forbidden("this gateway is not yours alone", todo="ask whoever runs it")
                # After the answer is on its way.
                asyncio.get_running_loop().call_soon(self._shared.stop, "stopped by a client")
                return True

    async def _contexts(self, message: messages.Contexts) -> list[messages.Context] | _Long:
        source = self._shared.own
        if source is None:
            source = message.source
        elif message.source != messages.Source():
            raise Forbidden(
                "this gateway was started by hand and serves its own contexts: it takes no kubeconfig and no"
                " environment of a client",
                todo="connect with its URL alone, or let nm.connect() start a gateway of its own",
            )
        found = await asyncio.to_thread(
            self._shared.load, source.kubeconfig, message.names, source.env, in_cluster=source.in_cluster
        )
        for context in found:
            if context.error is None:
                self._shared.resolve(self._session, context)
        told = [_context(context) for context in found]
        content = msgspec.json.encode(told)
        return _Long(200, {"content-type": "application/json"}, content) if len(content) > LARGE_ANSWER else told

    async def _http(self, message: messages.Http) -> _Long:
        cluster = self._session.cluster(message.cluster)
        method = message.method.upper()
        changes = needs_write(method, message.path)
        query = checked_query(message.query)
        headers = checked_headers(message.headers)
        if changes:
            self._session.scopes.check(message.scope, message.cluster, cluster.name, f"{method} {message.path}")
        timeout = _limited(message.timeout)
        async with self._shared.turns:
            answer = await cluster.request(
                method, message.path, query, headers=headers, body=message.body, timeout=timeout
            )
        return _Long(
            answer.status, {key: value for key, value in answer.headers.items() if key in PASSED_ON}, answer.body
        )


class _Long(msgspec.Struct, frozen=True):
    """An answer with a body."""

    status: int
    headers: dict[str, str]
    body: bytes


def _context(context: ResolvedContext) -> messages.Context:
    error = context.error
    return messages.Context(
        name=context.name,
        ref="" if error else context.ref,
        server=context.server,
        namespace=context.namespace,
        user=context.user,
        current=context.current,
        error={"code": error.code, **error.fields()} if error else None,
        notes=list(context.notes or ()),
    )


def _limited(timeout: float) -> float:
    if not 0 < timeout <= MAX_TIMEOUT:
        raise InvalidArgument(f"a time limit of {timeout:g} s", todo=f"give one of up to {MAX_TIMEOUT:g} s")
    return timeout
