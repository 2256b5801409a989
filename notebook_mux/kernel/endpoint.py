"""All that a kernel has at one endpoint: the connection, the contexts it asked for, subscriptions and streams."""

from __future__ import annotations

import asyncio
import os
import random
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import urlencode

import msgspec

from notebook_mux.kernel import kinds
from notebook_mux.kernel.connection import Connection
from notebook_mux.kernel.failure import Failure
from notebook_mux.kernel.forwards import Forwards
from notebook_mux.kernel.kubeconfigs import Kubeconfigs
from notebook_mux.kernel.members import StreamSpec
from notebook_mux.kernel.minute import Minute
from notebook_mux.kernel.programs import Program, Result
from notebook_mux.kernel.streams import LINGER_SECONDS, Stream
from notebook_mux.kernel.subscription import Key, Subscription
from notebook_mux.kernel.thread import LoopThread
from notebook_mux.kube import reviews
from notebook_mux.kube.answers import names_of
from notebook_mux.wire import messages

REQUEST_SECONDS = 30.0
"""For requests that the user gave no limit for."""

GRACE_SECONDS = 5.0
"""What the kernel waits longer than the limit it sends along, so that the gateway's better words arrive."""

MAX_NAMESPACES = 100
"""Namespaces asked about, one access review each, when a watch of all of them is forbidden."""

REVIEW_WORKERS = 8
"""Access reviews under way at once: an API server's default limit for one user is far above."""

MAX_PROBES = 200
"""Probes under way at once, well below the requests of one client that a gateway takes: of ten thousand clusters each
gets its turn."""

ENVELOPE = 200
"""Bytes of a message around its fields, its type and id among them."""

HTTP_OK = 200
HTTP_CREATED = 201


class Endpoint:
    """The manager's core for one endpoint. Methods belong to the loop's thread unless they say otherwise.

    Args:
        name: The endpoint's id in the core.
        thread: Our loop.
        resolve: Where the multiplexer is now; see `Connection`.
        hello: The first message on each socket.
        changed: Called when a state has changed.
        linger_seconds: How long a stream without a holder stays.
        connection_options: For tests: ``opener`` and ``rng`` of `Connection`.
    """

    def __init__(
        self,
        name: str,
        thread: LoopThread,
        resolve: Callable[[], tuple[str, str | None]],
        hello: messages.Hello,
        changed: Callable[[], None],
        *,
        linger_seconds: float = LINGER_SECONDS,
        **connection_options: Any,
    ) -> None:
        self.name = name
        self.thread = thread
        self.lock = threading.RLock()
        self.linger_seconds = linger_seconds
        self.connection = Connection(name, resolve, hello, self._restore, changed, **connection_options)
        self.forwards = Forwards(self.connection, self.current_ref, named=bool(hello.kernel))
        self.kubeconfigs = Kubeconfigs(self.connection.requests.ask, self.current_ref)
        self.streams: dict[StreamSpec, Stream] = {}
        self.by_id: dict[str, Stream] = {}
        self.clusters: dict[str, dict[str, Any]] = {}
        self._changed = changed
        self._subscriptions: dict[Key, Subscription] = {}
        self._minute = Minute()
        self._programs: set[Program] = set()
        self._asked: dict[tuple[bytes, tuple[str, ...] | None], tuple[messages.Source, list[str] | None]] = {}
        # By what was asked and a context's name all that has stood for it; there may be ten thousand contexts.
        self._stood: defaultdict[tuple[bytes, tuple[str, ...] | None, str], set[str]] = defaultdict(set)
        self._present: dict[str, str] = {}
        self._scopes: dict[str, list[str]] = {}
        self._served: dict[str, asyncio.Task[list[kinds.Resource]]] = {}
        self._hurry = asyncio.Event()
        self._probing = asyncio.Semaphore(MAX_PROBES)
        self._next_stream = 0

    # --- contexts -------------------------------------------------------------------------------------------------

    async def contexts(self, source: messages.Source, names: list[str] | None, timeout: float) -> list[dict[str, Any]]:
        """Resolve contexts on the gateway, and again on each new socket.

        Raises:
            Failure: ``no-cluster``, ``unknown-context``, ``invalid`` ... in the gateway's words.
        """
        await self.connection.open(timeout)
        return await self._ask_contexts(source, names, timeout, early=False)

    async def _ask_contexts(
        self, source: messages.Source, names: list[str] | None, timeout: float, *, early: bool
    ) -> list[dict[str, Any]]:
        size = len(msgspec.json.encode((source, names)))
        if size + ENVELOPE > messages.MAX_MESSAGE:  # the gateway would end the connection, and again each new one
            what = f"the names of {len(names or ())} contexts and the environment are {size} bytes, too many to ask for"
            raise Failure("invalid", what, todo="give '*' for all contexts, or fewer names")
        answer = await self.connection.requests.ask(
            messages.Contexts, source=source, names=names, timeout=timeout, early=early
        )
        # Many contexts come as a body.
        listed = msgspec.json.decode(answer[2]) if isinstance(answer, tuple) else answer
        found = [msgspec.structs.asdict(context) for context in msgspec.convert(listed, list[messages.Context])]
        asked = (msgspec.json.encode(source), None if names is None else tuple(names))
        self._asked[asked] = (source, names)
        for context in found:
            ref, name = context.get("ref", ""), context["name"]
            if not ref:
                continue
            stood = self._stood[*asked, name]
            stood.add(ref)
            self._present.update(dict.fromkeys(stood, ref))
            known = {key: context.get(key, "") for key in ("name", "server", "namespace", "user")}
            self.clusters.setdefault(ref, {"state": "connecting", "reason": "", "version": ""}).update(known)
        return found

    def current_ref(self, ref: str) -> str:
        """What stands for `ref` since the kubeconfig was read last: a renewed certificate gives a new one."""
        return self._present.get(ref, ref)

    async def scope(self, scope: str, write: list[str]) -> list[str]:
        """Set a manager's write scope, now and on each new socket; returns what the gateway grants.

        Raises:
            Failure: ``write-refused`` where the gateway allows no changes.
        """
        self._scopes[scope] = write
        granted: list[str] = await self.ask(
            messages.Scope, scope=scope, write=[self.current_ref(r) for r in write], timeout=REQUEST_SECONDS
        )
        return granted

    async def _restore(self, connection: Connection) -> None:
        """On a new socket: the contexts and scopes that the gateway's new session must know."""
        self._hurry.set()
        self._hurry.clear()
        for source, names in list(self._asked.values()):
            try:
                await self._ask_contexts(source, names, REQUEST_SECONDS, early=True)
            except Failure as failure:
                connection.last_error = str(failure.fields["what"])
        for scope, write in self._scopes.items():
            refs = [self.current_ref(r) for r in write]
            try:
                await connection.requests.ask(
                    messages.Scope, scope=scope, write=refs, timeout=REQUEST_SECONDS, early=True
                )
            except Failure as failure:
                connection.last_error = str(failure.fields["what"])
        try:
            await self.kubeconfigs.restore()
        except Failure as failure:
            connection.last_error = str(failure.fields["what"])

    async def ask(self, kind: type[messages.Message], *, timeout: float, **fields: Any) -> Any:
        """Ask on the open socket; where there is none, the reason is the failure, not a silent time limit."""
        await self.connection.open(timeout)
        return await self.connection.requests.ask(kind, timeout=timeout, **fields)

    # --- requests -------------------------------------------------------------------------------------------------

    async def probe(self, ref: str, timeout: float) -> dict[str, Any]:
        """Whether the cluster answers, and to whom.

        Raises:
            Failure: ``login``, ``forbidden``, ``unreachable`` ..., kept as the cluster's state too.
        """
        cluster = self.clusters.setdefault(ref, {"name": "", "server": "", "namespace": "", "user": ""})
        try:
            async with self._probing:
                answer: dict[str, Any] = await self.ask(
                    messages.Probe, cluster=self.current_ref(ref), timeout=timeout + GRACE_SECONDS
                )
        except Failure as failure:
            state = failure.code if failure.code in ("login", "forbidden") else "unreachable"
            cluster.update(state=state, reason=failure.fields["what"])
            raise
        finally:
            self._changed()
        cluster.update(state="live", reason="", version=answer.get("version", ""))
        return answer

    async def http(
        self, ref: str, method: str, path: str, query: str, *, timeout: float, **fields: Any
    ) -> tuple[int, dict[str, str], bytes]:
        """One request to a cluster; `fields` are those of `messages.Http`.

        Raises:
            Failure: What kept the answer from coming; an answer with an error status is no failure.
        """
        size = len(msgspec.json.encode((path, query, fields))) + ENVELOPE
        if size > messages.MAX_MESSAGE:  # the gateway would end the connection
            what = f"a request of {size:,} bytes is more than a cluster takes"
            raise Failure("invalid", what, todo="make the object smaller, or several of it")
        answer: tuple[int, dict[str, str], bytes] = await self.ask(
            messages.Http,
            cluster=self.current_ref(ref),
            method=method,
            path=path,
            query=query,
            timeout=timeout + GRACE_SECONDS,
            resend=method in ("GET", "HEAD"),
            **fields,
        )
        return answer

    async def exec(
        self, ref: str, path: str, query: str, *, scope: str, stdin: bytes | None, timeout: float | None
    ) -> Result:
        """Run a program to its end; cancelled, it is ended.

        Args:
            ref: The cluster.
            path: An exec of a pod.
            query: Encoded.
            scope: The manager's write scope.
            stdin: All of its input; None is none.
            timeout: Seconds from its start; None is no limit.

        Raises:
            Failure: It was refused, did not end in time, or nobody can tell how it ended (``outcome-unknown``).
        """
        await self.connection.open(REQUEST_SECONDS)
        program = Program(
            self.connection,
            lambda: self.current_ref(ref),
            stdin,
            path=path,
            query=query,
            scope=scope,
            timeout=timeout or 0.0,
        )
        self._programs.add(program)
        self.connection.attach(program)
        try:
            async with asyncio.timeout(None if timeout is None else timeout + GRACE_SECONDS):
                return await program.done
        except TimeoutError:
            what = f"the program did not end within {timeout:g} s, and the gateway does not answer"
            todo = "look whether it is still running"
            raise Failure("timeout", what, todo=todo, **program.output()) from None
        finally:
            program.done.cancel()
            self._programs.discard(program)
            self.connection.detach(program)

    async def forward_page(self, key: str) -> dict[str, Any]:
        """The path of a forward's pages, and the port of the gateway that has it.

        Raises:
            Failure: There is no such forward.
        """
        found: dict[str, Any] = await self.ask(
            messages.Page, key=self.forwards.key_at_gateway(key), timeout=REQUEST_SECONDS
        )
        return {**found, "gateway": self.connection.url}

    async def discover(self, ref: str, *, refresh: bool = False) -> list[kinds.Resource]:
        """What a cluster serves; asked once and shared, until `refresh`.

        Raises:
            Failure: As `probe`.
        """
        task = self._served.get(ref)
        failed = task is not None and task.done() and (task.cancelled() or task.exception() is not None)
        if task is None or failed or (refresh and task.done()):
            task = self._served[ref] = asyncio.get_running_loop().create_task(self._discover(ref, refresh))
        return await asyncio.shield(task)

    async def _discover(self, ref: str, refresh: bool) -> list[kinds.Resource]:
        _, _, body = await self.ask(
            messages.Discover, cluster=self.current_ref(ref), refresh=refresh, timeout=REQUEST_SECONDS
        )
        found: list[kinds.Resource] = msgspec.json.decode(body)
        return found

    async def allowed_namespaces(
        self, ref: str, resource: kinds.Resource, user: str, known: Iterable[str] = ()
    ) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The namespaces in which the user may list and watch `resource`, and those that were asked about.

        Args:
            ref: The cluster.
            resource: The kind.
            user: The user id tied to each request.
            known: Names to ask about where the user may not list the namespaces.
        """
        try:
            status, _, body = await self.http(
                ref, "GET", "/api/v1/namespaces", "limit=500", user=user, timeout=REQUEST_SECONDS
            )
        except Failure:
            return (), ()
        names = names_of(body)[:MAX_NAMESPACES] if status == HTTP_OK else []
        names = names or list(dict.fromkeys(known))
        workers = asyncio.Semaphore(REVIEW_WORKERS)

        async def may(namespace: str, verb: str) -> bool:
            question = reviews.access(verb, resource["group"], resource["name"], namespace, version=resource["version"])
            async with workers:
                status, _, body = await self.http(
                    ref,
                    "POST",
                    reviews.path_of(reviews.ACCESS),
                    "",
                    headers=reviews.HEADERS,
                    body=question,
                    user=user,
                    timeout=REQUEST_SECONDS,
                )
            return status == HTTP_CREATED and reviews.allowed(body) is True

        async def both(namespace: str) -> bool:
            return await may(namespace, "list") and await may(namespace, "watch")

        try:
            answers = await asyncio.gather(*map(both, names))
        except Failure:
            return (), ()
        return tuple(name for name, allowed in zip(names, answers, strict=True) if allowed), tuple(names)

    # --- subscriptions and streams --------------------------------------------------------------------------------

    @staticmethod
    def query(selector: str, field_selector: str) -> str:
        """The query of a subscription, always in the same order: it is part of the key."""
        chosen = {"fieldSelector": field_selector, "labelSelector": selector}
        return urlencode({name: value for name, value in chosen.items() if value})

    def subscription(self, key: Key) -> Subscription:
        """Get or create; a new one subscribes as soon as the socket is open."""
        found = self._subscriptions.get(key)
        if found is None:
            found = self._subscriptions[key] = Subscription(key, self.lock, self.current_ref, self._minute)
            self.connection.attach(found)
        return found

    def drop(self, subscription: Subscription) -> None:
        """The last reader has gone."""
        if self._subscriptions.get(subscription.key) is subscription:
            del self._subscriptions[subscription.key]
            self.connection.detach(subscription)

    def open_stream(self, spec: StreamSpec) -> str:
        """Get or create the stream of a spec; any thread may call."""
        with self.lock:
            found = self.streams.get(spec)
            if found is not None and found.forsaken:
                self.thread.call(found.close, "asked for anew")
                found = None
            if found is None:
                self._next_stream += 1
                found = Stream(f"{self.name}#{os.getpid()}.{self._next_stream}", spec, self, self._stream_ended)
                self.streams[spec] = self.by_id[found.id] = found
                self.thread.call(found.start)
            return found.id

    def _stream_ended(self, stream: Stream) -> None:
        with self.lock:
            if self.streams.get(stream.spec) is stream:
                del self.streams[stream.spec]
            self.by_id.pop(stream.id, None)
        self._changed()

    async def pause(self, seconds: float) -> None:
        """Wait, but no longer than until `retry` or a new socket; jitter keeps many from asking at once."""
        try:
            async with asyncio.timeout(seconds * (0.9 + random.random() / 5)):
                await self._hurry.wait()
        except TimeoutError:
            return

    def retry(self) -> None:
        """Try again now, whatever waits: the socket, an upstream, a discovery."""
        self._hurry.set()
        self._hurry.clear()
        self.connection.retry()
        self.connection.tell(messages.Retry())

    async def close(self) -> None:
        """End all streams and the socket."""
        for stream in list(self.streams.values()):
            stream.close("closed")
        self.forwards.close()
        self.kubeconfigs.remove()
        for program in self._programs:
            program.fail(Failure("closed", "the connection was closed, and with it the one to the program"))
            self.connection.detach(program)
        await self.connection.close()

    def status(self) -> dict[str, Any]:
        """What the status shows, as plain data; any thread may call."""
        connection = self.connection
        with self.lock:
            streams = [stream.stats() for stream in self.streams.values()]
            memory = sum(subscription.store.memory for subscription in list(self._subscriptions.values()))
            clusters = {ref: dict(cluster) for ref, cluster in self.clusters.items()}
        welcome = connection.welcome
        return {
            "id": self.name,
            "url": connection.url,
            "state": connection.state,
            "reason": connection.reason,
            "since": connection.since,
            "retry_at": connection.retry_at,
            "attempts": connection.attempts,
            "reconnects": connection.reconnects,
            "last_error": connection.last_error,
            "sockets": int(connection.state == "open"),
            "instance": welcome.instance if welcome else "",
            "package": welcome.package if welcome else "",
            "environment": bool(welcome and welcome.environment),
            "user": welcome.user if welcome else "",
            "unasked": bool(welcome and welcome.unasked),
            "clusters": clusters,
            "streams": streams,
            "subscriptions": len(self._subscriptions),
            "memory": memory,
            "thread": self.thread.seconds,
            "minute": self._minute.read(time.monotonic()),
            "now": time.time(),
            **connection.totals(),
            **connection.details(),
        }
