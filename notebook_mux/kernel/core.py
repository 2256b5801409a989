"""The core: what stays when modules are reloaded. One in a process, kept by `holder`.

It is spoken to in text, tuples, bytes and futures, and knows nothing of the handles that users hold. Its methods may
be called from any thread except its own loop's; those that return a future fail with `Failure`.
"""

from __future__ import annotations

import hashlib
import os
import sys
import threading
from collections.abc import Callable, Coroutine, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from notebook_mux._version import __version__
from notebook_mux.kernel.all_logs import AllLogs
from notebook_mux.kernel.dialect import Opener
from notebook_mux.kernel.endpoint import Endpoint
from notebook_mux.kernel.failure import Failure
from notebook_mux.kernel.feed import Feed
from notebook_mux.kernel.forwards import Aim
from notebook_mux.kernel.logs import LogSpec, LogsRead, LogsState, LogStream
from notebook_mux.kernel.members import StreamSpec, StreamView
from notebook_mux.kernel.streams import LINGER_SECONDS, Stream
from notebook_mux.kernel.terminals import Terminals
from notebook_mux.kernel.thread import LoopThread
from notebook_mux.life import launcher
from notebook_mux.life.name import ServiceName
from notebook_mux.urls import split_token
from notebook_mux.wire import messages

__all__ = ["Core", "Failure"]

AUTO = "auto"
"""The endpoint that is a name: this user's own gateway, found or started at each attempt."""

GATEWAY_ARGUMENTS = ("-m", "notebook_mux.gateway", "--launched")

START_SECONDS = 45.0
"""For a gateway to start; it takes about a second, several times that on a loaded machine."""

STATUS_SECONDS = 10.0
"""For a gateway's status, which it has at hand."""

STOP_SECONDS = 2.0
"""What the interpreter's end may take for saying goodbye."""

TOKEN_MARK = 8
"""Hexadecimal digits that tell the connections of a URL's users apart in this kernel."""

T = TypeVar("T")


def kernel_name() -> str:
    """The connection file's name of this kernel, which survives its restart; "" outside one."""
    application = sys.modules.get("ipykernel.kernelapp")
    if application is not None and application.IPKernelApp.initialized():
        return Path(application.IPKernelApp.instance().connection_file).name
    return ""


class Core:
    """Endpoints, their sockets, stores and streams.

    Args:
        linger_seconds: How long a stream without a holder stays.
        endpoint_options: For tests, handed to each `Endpoint`.
    """

    def __init__(self, *, linger_seconds: float = LINGER_SECONDS, **endpoint_options: Any) -> None:
        self.version = __version__
        self.pid = os.getpid()
        self.closed = False
        self.thread = LoopThread("notebook_mux")
        self._endpoints: dict[str, Endpoint] = {}
        self._tokens: dict[str, str | None] = {}
        self._watchers: dict[int, Callable[[], None]] = {}
        self._next_watcher = 0
        self._lock = threading.RLock()
        self._options = {"linger_seconds": linger_seconds, **endpoint_options}
        self._inherited: dict[str, StreamView] = {}
        self.terminals = Terminals(self, kernel_name())
        self._logs = AllLogs(self._endpoint, self.thread)
        self.memo: dict[str, Any] = {}
        """What handles want to find again after a fresh import, in plain data."""

    # --- connections ----------------------------------------------------------------------------------------------

    def connect(self, endpoint: tuple[str, str | None], timeout: float) -> Future[str]:
        """Connect to ``("auto", None)`` or ``("url", url)``, or reuse what is there; gives the connection's id.

        Callers during an attempt share its result or error.
        """
        kind, url = endpoint
        base, token = (AUTO, None) if kind == AUTO else split_token(url or "")
        with self._lock:
            name = self._place(base, token)
            found, before = self._endpoints.get(name), self._tokens.get(name)
            if kind != AUTO:
                self._tokens[name] = token if token is not None else before
            if found is not None and token not in (None, before) and found.connection.details():
                self.thread.call(found.connection.cut)  # a Headlamp server keeps the token of the socket's handshake
            if found is None:
                hello = messages.Hello(package=self.version, kernel=kernel_name())
                resolve = self._gateway if kind == AUTO else self._known(base, name)
                options = {"opener": Opener(ask=kind != AUTO), **self._options}
                found = Endpoint(name, self.thread, resolve, hello, self._changed, **options)
                self._endpoints[name] = found

        async def open_() -> str:
            await found.connection.open(timeout)
            return name

        return self._submit(open_())

    def _place(self, base: str, token: str | None) -> str:
        """The name of the endpoint for a URL and its token; the lock is held.

        One that is open has a token that is good, so another token is another user's, with a connection of their own.
        One that is not may have been started anew with another token.
        """
        own = f"{base}#{hashlib.sha256((token or '').encode()).hexdigest()[:TOKEN_MARK]}"
        there = self._endpoints.get(base)
        if own in self._endpoints:
            return own
        if there is None or token in (None, self._tokens.get(base)) or there.connection.details():
            return base  # a Headlamp server takes another token on its next socket
        return base if there.connection.state in ("retrying", "closed") else own

    def _gateway(self) -> tuple[str, str | None]:
        running = launcher.ensure(ServiceName("gateway"), GATEWAY_ARGUMENTS, timeout=START_SECONDS)
        self.memo.setdefault("notices", []).extend(running.notes)
        return running.url, running.token

    def _known(self, base: str, name: str) -> Callable[[], tuple[str, str | None]]:
        return lambda: (base, self._tokens.get(name))

    def contexts(
        self, conn: str, source: Mapping[str, Any], names: Sequence[str] | None, timeout: float
    ) -> Future[list[dict[str, Any]]]:
        """Resolve contexts: None for the current one, ``["*"]`` for all. See `messages.Source` and `Context`."""
        asked = ["*"] if names == "*" else list(names) if names is not None else None
        return self._submit(self._endpoint(conn).contexts(messages.Source(**source), asked, timeout))

    def scope(self, conn: str, scope_id: str, write: Sequence[str]) -> Future[list[str]]:
        """Set the write scope of a manager to these refs; gives the refs granted."""
        return self._submit(self._endpoint(conn).scope(scope_id, list(write)))

    def probe(self, conn: str, ref: str, timeout: float) -> Future[dict[str, Any]]:
        """Whether a cluster answers us: ``{"version": ...}``. `timeout` in seconds."""
        return self._submit(self._endpoint(conn).probe(ref, timeout))

    def gateway(self, conn: str) -> Future[dict[str, Any]]:
        """What the gateway says of itself and of all that it holds (`gateway.status`); a Headlamp server does not."""

        async def ask() -> dict[str, Any]:
            _, _, body = await self._endpoint(conn).ask(messages.Status, timeout=STATUS_SECONDS)
            found: dict[str, Any] = msgspec.json.decode(body)
            return found

        return self._submit(ask())

    def discover(self, conn: str, ref: str, refresh: bool = False) -> Future[list[dict[str, Any]]]:
        """The kinds a cluster serves, in its order; cached until `refresh`."""
        return self._submit(self._endpoint(conn).discover(ref, refresh=refresh))

    def http(
        self,
        conn: str,
        ref: str,
        method: str,
        path: str,
        query: str = "",
        *,
        headers: Mapping[str, str] | None = None,
        body: str | None = None,
        scope: str = "",
        user: str = "",
        timeout: float = 30.0,
    ) -> Future[tuple[int, dict[str, str], bytes]]:
        """One request to a cluster, over the one socket: (status, headers, body). `timeout` in seconds."""
        return self._submit(
            self._endpoint(conn).http(
                ref,
                method,
                path,
                query,
                headers=dict(headers or {}),
                body=body,
                scope=scope,
                user=user,
                timeout=timeout,
            )
        )

    def exec(
        self,
        conn: str,
        ref: str,
        path: str,
        query: str,
        *,
        scope: str,
        stdin: bytes | None = None,
        timeout: float | None = None,
    ) -> Future[tuple[bytes, bytes, bytes]]:
        """Run a program in a container to its end: (Status as JSON, stdout, stderr).

        The future is the caller's own: cancelled, it ends the program. `timeout` in seconds, from its start.
        """
        return self._submit(self._endpoint(conn).exec(ref, path, query, scope=scope, stdin=stdin, timeout=timeout))

    def forward(
        self,
        conn: str,
        key: str,
        ref: str,
        path: str,
        port: int,
        *,
        scope: str,
        again: Callable[[], None],
        moves: bool = False,
    ) -> Future[None]:
        """Find a forward by its key or make it, and have it go to this pod; done when it listens.

        `again` is called on the loop's thread when another pod should be looked for, and must not block.
        """
        return self._submit(self._endpoint(conn).forwards.open(key, Aim(ref, path, port, scope, moves), again))

    def forward_to(self, conn: str, key: str, path: str, port: int) -> None:
        """Have a forward go to another pod from now on."""
        self.thread.call(self._endpoint(conn).forwards.point, key, path, port)

    def forward_view(self, conn: str, key: str) -> dict[str, Any]:
        """What is known of a forward; see `forwards.View`."""
        return self._endpoint(conn).forwards.view(key)

    def on_forward(self, conn: str, key: str, wake: Callable[[], None]) -> Callable[[], None]:
        """Have `wake` called on the loop's thread when a forward has changed; returns its undo."""
        return self._endpoint(conn).forwards.watch(key, wake)

    def forward_page(self, conn: str, key: str) -> Future[dict[str, Any]]:
        """The path of the gateway that shows what a forward's pod serves, with a secret in it."""
        return self._submit(self._endpoint(conn).forward_page(key))

    def end_forward(self, conn: str, key: str) -> None:
        """End a forward, soon."""
        self.thread.call(self._endpoint(conn).forwards.end, key)

    def kubeconfig(self, conn: str, scope: str, clusters: Sequence[tuple[str, str, str]]) -> Future[str]:
        """The path of a kubeconfig for (name, ref, namespace) of each cluster, through the gateway, with this scope."""

        async def ask() -> str:
            endpoint = self._endpoint(conn)
            await endpoint.connection.open(START_SECONDS)
            return await endpoint.kubeconfigs.path(scope, clusters)

        return self._submit(ask())

    def end_kubeconfig(self, conn: str, scope: str) -> Future[None]:
        """The manager of this scope is closed: its kubeconfig is not there any more."""
        return self._submit(self._endpoint(conn).kubeconfigs.end(scope))

    def retry(self, conn: str) -> None:
        """Try again now, whatever waits."""
        self.thread.call(self._endpoint(conn).retry)
        self.thread.call(self._logs.hurry, conn)

    def cut(self, conn: str) -> None:
        """Pull the plug: cut the socket as a lost network would."""
        self.thread.call(self._endpoint(conn).connection.cut)

    def close(self, conn: str) -> Future[None]:
        """End a connection with its streams; the next `connect` makes a new one."""
        with self._lock:
            endpoint = self._endpoint(conn)
            self._endpoints.pop(conn, None)

        async def end() -> None:
            self.terminals.leave(conn)
            self._logs.leave(conn)
            await endpoint.close()
            self._changed()

        return self._submit(end())

    # --- streams --------------------------------------------------------------------------------------------------

    def open_stream(self, spec: tuple[Any, ...]) -> str:
        """Get or create the stream of a `StreamSpec` (or a tuple of the same items); gives its id."""
        known = StreamSpec(*spec)
        return self._endpoint(known.connection).open_stream(known)

    def settled(self, stream_id: str) -> Future[None]:
        """Done when each cluster of the stream has synced or failed once."""
        return self._submit(self._stream(stream_id).settled())

    def read(self, stream_id: str) -> StreamView:
        """The stream now: immutable, and the same object while nothing changes."""
        if stream_id in self._inherited:
            return self._inherited[stream_id]
        return self._stream(stream_id).read()

    def feed(self, stream_id: str, wake: Callable[[], None], initial: bool = True) -> Feed:
        """A queue of changes; see `Feed`. `wake` runs on the loop's thread and must not block."""
        return self._stream(stream_id).feed(wake, initial=initial)

    def alive(self, stream_id: str) -> bool:
        """Whether the stream is there and not closed."""
        return any(stream_id in endpoint.by_id for endpoint in list(self._endpoints.values()))

    def hold(self, stream_id: str, holder: str) -> None:
        """Keep the stream for this holder."""
        self._stream(stream_id).hold(holder)

    def release(self, stream_id: str, holder: str) -> None:
        """This holder has gone; harmless where the stream has, too."""
        for endpoint in list(self._endpoints.values()):
            stream = endpoint.by_id.get(stream_id)
            if stream is not None:
                stream.release(holder)

    def close_stream(self, stream_id: str) -> None:
        """End a stream whoever holds it; done when this returns for readers, soon after on the wire."""
        for endpoint in list(self._endpoints.values()):
            stream = endpoint.by_id.get(stream_id)
            if stream is not None:
                with endpoint.lock:
                    endpoint.streams.pop(stream.spec, None)
                    endpoint.by_id.pop(stream_id, None)
                self.thread.call(stream.close, "closed")

    # --- logs -----------------------------------------------------------------------------------------------------

    def open_logs(self, spec: tuple[Any, ...]) -> str:
        """Get or create the logs of a `LogSpec` (or a tuple of the same items); gives their id."""
        return self._logs.open(LogSpec(*spec))

    def logs_settled(self, logs: str) -> Future[None]:
        """Done when the pods are known, and each container first asked has answered, failed or ended once."""
        return self._submit(self._logs.find(logs).settled())

    def logs_state(self, logs: str) -> LogsState:
        """How they stand, as plain data; see `kernel.logs.LogsState`."""
        return self._logs.find(logs).state()

    def logs_read(self, logs: str, after: int, most: int = 5000) -> LogsRead:
        """Lines numbered above `after`, the oldest first; see `kernel.logs.LogsRead`."""
        return self._logs.find(logs).read(after, most)

    def logs_feed(self, logs: str, wake: Callable[[], None]) -> Callable[[], None]:
        """Have `wake` called on the loop's thread when lines or the state are new; returns its undo."""
        return self._logs.find(logs).feed(wake)

    def hold_logs(self, logs: str, holder: str) -> None:
        """Keep them for this holder."""
        self._logs.find(logs).hold(holder)

    def release_logs(self, logs: str, holder: str) -> None:
        """This holder has gone; harmless where they have, too."""
        self._logs.release(logs, holder)

    def close_logs(self, logs: str) -> None:
        """End them, soon; what was read stays readable until the last holder has gone."""
        self._logs.close(logs)

    def logs_alive(self, logs: str) -> bool:
        """Whether they are there and not closed."""
        return self._logs.alive(logs)

    # --- status ---------------------------------------------------------------------------------------------------

    def status(self, conn: str | None = None) -> dict[str, Any]:
        """One connection's status, or ``{"connections": [...]}`` of all, as plain data."""
        if conn is not None:
            return {
                **self._endpoint(conn).status(),
                "terminals": self.terminals.all(conn),
                "logs": self._logs.all(conn),
            }
        return {"connections": [self.status(name) for name in list(self._endpoints)]}

    def on_status(self, wake: Callable[[], None]) -> Callable[[], None]:
        """Have `wake` called on the loop's thread when a state changes; returns its undo."""
        with self._lock:
            self._next_watcher += 1
            key = self._next_watcher
            self._watchers[key] = wake

        def undo() -> None:
            self._watchers.pop(key, None)

        return undo

    def _changed(self) -> None:
        for wake in list(self._watchers.values()):
            wake()

    # --- life -----------------------------------------------------------------------------------------------------

    def shutdown(self) -> None:
        """Close all sockets and end the thread; idempotent."""
        if self.closed or self.pid != os.getpid():
            return
        self.closed = True
        for name, endpoint in list(self._endpoints.items()):
            endpoint.forwards.leaving = True
            try:
                self.close(name).result(STOP_SECONDS)
            except Exception:  # noqa: BLE001, S112 - the interpreter ends: nothing is left to tell anyone
                continue
        self.thread.stop(STOP_SECONDS)

    def forked(self) -> dict[str, StreamView | LogStream]:
        """In a forked child: let go of the sockets without a word; what was read stays readable."""
        self.closed = True
        views: dict[str, StreamView | LogStream] = {**self._logs.forked()}
        for endpoint in self._endpoints.values():
            endpoint.lock = threading.RLock()  # the parent's may have been held at the fork
            endpoint.connection.forget()
            for stream in endpoint.streams.values():
                stream.unlock(endpoint.lock)
                views[stream.id] = stream.read()
        return views

    def inherit(self, views: Mapping[str, StreamView | LogStream]) -> None:
        """What a forked child may still read."""
        kept: Mapping[str, Any] = views  # told apart by what they have: their classes may have been loaded anew since
        for name, view in kept.items():
            if hasattr(view, "store"):
                self._logs.inherit(name, view)
            else:
                self._inherited[name] = view

    def _endpoint(self, conn: str) -> Endpoint:
        found = self._endpoints.get(conn)
        if found is None:
            raise Failure("closed", f"there is no connection to {conn!r}", todo="connect again with nm.connect()")
        return found

    def _stream(self, stream_id: str) -> Stream:
        for endpoint in list(self._endpoints.values()):
            stream = endpoint.by_id.get(stream_id)
            if stream is not None:
                return stream
        raise Failure("closed", "the stream has ended", todo="run the cell that made it again")

    def _submit(self, coroutine: Coroutine[Any, Any, T]) -> Future[T]:
        if self.thread.here:
            coroutine.close()
            raise Failure("wrong-thread", "a waiting call on notebook_mux's own thread")
        return self.thread.submit(_carried(coroutine))


async def _carried(coroutine: Coroutine[Any, Any, T]) -> T:
    """Turn whatever goes wrong into a `Failure`, which crosses generations as code and text."""
    try:
        return await coroutine
    except Failure:
        raise
    except Exception as error:
        raise Failure.of(error) from error
