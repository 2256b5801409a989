"""A bridge's answers to the kernel's requests, as our gateway gives them: contexts, scopes, probes, discovery, HTTP."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any, Protocol

import msgspec

from notebook_mux.errors import InvalidArgument, MuxError, ServerError, UnknownContext
from notebook_mux.headlamp import config as configs, cookies
from notebook_mux.headlamp.rest import Cluster, Server
from notebook_mux.kube.discovery import discover
from notebook_mux.kube.scope import PASSED_ON, Scopes, checked_headers, checked_query, needs_write
from notebook_mux.remote.screens import Screens
from notebook_mux.wire import messages

JSON = {"content-type": "application/json"}

log = logging.getLogger(__name__)


class Teller(Protocol):
    """Where answers go."""

    def tell(self, message: messages.Message) -> None:
        """A control message."""

    def body(self, id_: int, content: bytes) -> None:
        """The body of the answer whose head was told."""


class Answers:
    """The requests of one bridge, and what they find. All calls on the loop's thread.

    Args:
        server: Whom to ask.
        config: What it serves, as of when it was connected.
        teller: Gets the answers.
        ready: Awaited when contexts have been resolved.

    Attributes:
        clusters: By ref those that were resolved.
        scopes: By manager where it may write.
        screens: Find and start terminals.
    """

    def __init__(self, server: Server, config: configs.Config, teller: Teller, ready: Callable[[], Any]) -> None:
        self.clusters: dict[str, Cluster] = {}
        self._server = server
        self._config: configs.Config | None = config
        self._teller = teller
        self._ready = ready
        self.scopes = Scopes(allowed=True)
        self.screens: Screens | None = None
        self._opened = False
        self._running: dict[int, asyncio.Task[None]] = {}

    def cluster(self, ref: str) -> Cluster:
        """A resolved cluster.

        Raises:
            UnknownContext: It was not.
        """
        found = self.clusters.get(ref)
        if found is None:
            raise UnknownContext("a cluster that this connection has not asked for", todo="connect again: nm.connect()")
        return found

    def begin(self, message: messages.Request) -> None:
        """Answer a request, soon."""
        self._running[message.id] = asyncio.get_running_loop().create_task(self._run(message))

    def cancel(self, id_: int) -> None:
        """The answer is not wanted any more."""
        if (task := self._running.get(id_)) is not None:
            task.cancel()

    def close(self) -> list[asyncio.Task[None]]:
        """End all; the tasks that end."""
        for task in self._running.values():
            task.cancel()
        return list(self._running.values())

    async def _run(self, message: messages.Request) -> None:
        id_ = message.id
        try:
            answer = await self._answer(message)
            if isinstance(answer, tuple):
                status, headers, content = answer
                self._teller.tell(messages.Head(id=id_, status=status, headers=headers))
                self._teller.body(id_, content)
            else:
                self._teller.tell(messages.Answer(id=id_, value=msgspec.to_builtins(answer)))
        except MuxError as error:
            self._teller.tell(messages.Failure(id=id_, code=error.code, **error.fields()))
        except Exception as error:  # one request's failure is its own
            log.exception("a request failed: %s", type(message).__name__)
            failure = ServerError("the answer was not understood", said=type(error).__name__)
            self._teller.tell(messages.Failure(id=id_, code=failure.code, **failure.fields()))
        finally:
            self._running.pop(id_, None)

    async def _answer(self, message: messages.Request) -> Any:
        match message:
            case messages.Contexts():
                return await self._contexts(message)
            case messages.Scope():
                return self.scopes.set(message.scope, message.write, self.clusters)
            case messages.Probe():
                return await self.cluster(message.cluster).probe(message.timeout)
            case messages.Discover():
                found = await discover(self.cluster(message.cluster), refresh=message.refresh)
                return 200, JSON, msgspec.json.encode(found)
            case messages.Http():
                return await self._http(message)
            case messages.Terminal() if self.screens is not None:
                return self.screens.terminal(message)
            case messages.Hangup() if self.screens is not None:
                return await self.screens.hang_up(message)
            case messages.Ticket():
                raise InvalidArgument("a terminal by way of a Headlamp server has no WebSocket of a page's own")
            case messages.Page():
                raise InvalidArgument(
                    "a Headlamp server shows no pages of a forward", todo=".url, where the kernel is on your machine"
                )
            case messages.Kubeconfig() if message.contexts:
                raise InvalidArgument(
                    "kubectl cannot go by way of a Headlamp server, which wants what kubectl cannot send",
                    todo="connect without url= to give kubectl a way to these clusters",
                )
        raise InvalidArgument("a Headlamp server has no status of ours and cannot be stopped from here")

    async def _contexts(self, message: messages.Contexts) -> list[messages.Context]:
        if message.source != messages.Source():
            raise InvalidArgument(
                "a Headlamp server has clusters of its own and takes no kubeconfig", todo="connect with its URL alone"
            )
        config, self._config = self._config, None  # the first question has its answer already
        found = configs.contexts(self._server.base, config or await self._server.config(), message.names)
        for context in found:
            if not context.ref:
                continue
            self.clusters[context.ref] = self._server.cluster(context.name)
            login = self._server.login
            if login is not None and context.name not in self._server.tokens:
                if not cookies.is_token(login):
                    raise InvalidArgument("the token in the URL cannot be sent as a cookie", todo="check ?token=")
                self._server.tokens[context.name] = login
                if self._opened:  # the cookies of an open socket are those of its handshake
                    self._server.renewed(context.name)
        await self._ready()
        self._opened = True
        return found

    async def _http(self, message: messages.Http) -> tuple[int, dict[str, str], bytes]:
        cluster = self.cluster(message.cluster)
        method = message.method.upper()
        changes = needs_write(method, message.path)
        query, headers = checked_query(message.query), checked_headers(message.headers)
        if changes:
            self.scopes.check(message.scope, message.cluster, cluster.name, f"{method} {message.path}")
        answer = await cluster.request(
            method, message.path, query, headers=headers, body=message.body, timeout=message.timeout
        )
        return answer.status, {key: value for key, value in answer.headers.items() if key in PASSED_ON}, answer.body
