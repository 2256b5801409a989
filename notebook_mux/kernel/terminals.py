"""The terminals of a core, as handles speak to them: in text, tuples, bytes and futures, from any thread."""

from __future__ import annotations

import asyncio
import itertools
import secrets
import threading
from collections.abc import Callable, Coroutine, Mapping, Sequence
from concurrent.futures import Future
from typing import Any, Protocol, TypeVar
from weakref import WeakValueDictionary

from notebook_mux.kernel.endpoint import Endpoint
from notebook_mux.kernel.failure import Failure
from notebook_mux.kernel.terminal import Terminal
from notebook_mux.kernel.views import Item, read

T = TypeVar("T")

Submit = Callable[[Coroutine[Any, Any, T]], Future[T]]


class Host(Protocol):
    """What the terminals need of the core."""

    def _endpoint(self, conn: str) -> Endpoint:
        """The connection of that id, or a `Failure`."""

    def _submit(self, coroutine: Coroutine[Any, Any, T]) -> Future[T]:
        """Run a coroutine on the loop."""

    @property
    def thread(self) -> Any:
        """The loop's."""


class Terminals:
    """Get or create, by connection, cluster and key. Those of a closed key are forgotten.

    Args:
        host: The core.
        kernel: The kernel's name at the gateway. Without one each process is for itself: the gateway would take the
            terminals of all scripts for one kernel's.
    """

    def __init__(self, host: Host, kernel: str) -> None:
        self._host = host
        self._own = "" if kernel else f" {secrets.token_hex(8)}"
        self._terminals: dict[str, Terminal] = {}
        self._opening: WeakValueDictionary[tuple[str, ...], asyncio.Lock] = WeakValueDictionary()
        self._views: dict[str, tuple[Terminal, str]] = {}
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()

    def open(
        self,
        conn: str,
        ref: str,
        order: Mapping[str, Any],
        about: Mapping[str, Any] | None = None,
        *,
        create: bool = True,
    ) -> Future[str]:
        """The id of the terminal with that key; "" where it is not there and `create` is false.

        Args:
            conn: The connection.
            ref: The cluster.
            order: The fields of `messages.Terminal` but ``id``, ``cluster``, ``start`` and ``terminal``. ``key`` and
                ``scope`` are enough for one that is there.
            about: Plain data to keep with it.
            create: Whether a program may be started.
        """
        return self._host._submit(self._open(conn, ref, dict(order), dict(about or {}), create))

    async def _open(self, conn: str, ref: str, order: dict[str, Any], about: dict[str, Any], create: bool) -> str:
        endpoint = self._host._endpoint(conn)
        whole = {"path": "", "queries": [], **order, "key": order["key"] + self._own}
        key = (conn, endpoint.current_ref(ref), whole["key"])
        lock = self._opening.setdefault(key, asyncio.Lock())
        async with lock:
            known = self._known(endpoint, *key[1:])
            if known is not None:
                return known.id
            made = Terminal(endpoint, ref, whole, about)
            found = await (made.create() if create else made.ask("find"))
            if not found.terminal:
                return ""
            with self._lock:
                self._terminals[made.id] = made
            made.found(found)
            return made.id

    def find(self, conn: str, ref: str, key: str) -> str:
        """The id of the terminal that this core has with that key; "" is none. Asks nobody."""
        endpoint = self._host._endpoint(conn)
        known = self._known(endpoint, endpoint.current_ref(ref), key + self._own)
        return known.id if known is not None else ""

    def _known(self, endpoint: Endpoint, ref: str, key: str) -> Terminal | None:
        with self._lock:
            for one in self._terminals.values():
                if one.endpoint is endpoint and one.order["key"] == key and endpoint.current_ref(one.ref) == ref:
                    return one
        return None

    def settled(self, id_: str, calm: float = 0.0) -> Future[dict[str, Any]]:
        """How it stands once its start is decided: it runs, has ended, or could not be.

        Args:
            id_: Its name.
            calm: Seconds in which nothing may have changed: a command that is not there seems to run for a moment.
        """
        terminal = self._terminal(id_)

        async def wait() -> dict[str, Any]:
            while True:
                await terminal.settled.wait()
                if not calm or terminal.now["state"] != "running":
                    return terminal.now
                terminal.changed.clear()
                try:
                    async with asyncio.timeout(calm):
                        await terminal.changed.wait()
                except TimeoutError:
                    return terminal.now

        return self._host._submit(wait())

    def now(self, id_: str) -> dict[str, Any]:
        """How it stands; see `Terminal.now`. Not to be changed."""
        return self._terminal(id_).now

    def all(self, conn: str | None = None) -> list[dict[str, Any]]:
        """How those of a connection stand, or all."""
        with self._lock:
            found = list(self._terminals.values())
        return [one.now for one in found if conn in (None, one.endpoint.name)]

    def describe(self, id_: str, about: Mapping[str, Any]) -> None:
        """Keep other plain data with it."""
        terminal = self._terminal(id_)
        self._host.thread.call(lambda: terminal._change(about=dict(about)))

    def on_change(self, id_: str, wake: Callable[[], None]) -> Callable[[], None]:
        """Have `wake` called on the loop's thread when it stands otherwise; returns its undo."""
        terminal, number = self._terminal(id_), next(self._numbers)
        terminal.wakes[number] = wake
        return lambda: terminal.wakes.pop(number, None) and None

    def again(self, id_: str) -> Future[None]:
        """Start its program anew."""
        return self._host._submit(self._terminal(id_).again())

    def take(self, id_: str, terminal: str) -> Future[None]:
        """Have that one of another kernel in its place."""
        return self._host._submit(self._terminal(id_).take(terminal))

    def ticket(self, id_: str, origin: str) -> Future[dict[str, Any]]:
        """A page's right to a WebSocket: ``ticket``, ``terminal``, ``port``, ``path``, ``seconds``."""
        return self._host._submit(self._terminal(id_).ticket(origin))

    def close(self, id_: str) -> Future[None]:
        """End it for good; harmless where it has ended."""
        with self._lock:
            terminal = self._terminals.pop(id_, None)

        async def end() -> None:
            if terminal is not None:
                self._forget_views(terminal)
                await terminal.close()

        return self._host._submit(end())

    def leave(self, conn: str) -> None:
        """The connection ends, and the terminals go on at the gateway. On the loop's thread."""
        with self._lock:
            gone = [one for one in self._terminals.values() if one.endpoint.name == conn]
            for one in gone:
                del self._terminals[one.id]
        for one in gone:
            self._forget_views(one)
            one.left("the connection was closed")

    # --- views --------------------------------------------------------------------------------------------------------

    def look(self, id_: str, view: str, say: Callable[[list[Item]], None]) -> str:
        """A view of a terminal for a page; gives its name here.

        Args:
            id_: Which.
            view: What the page calls it; two at once may be called the same.
            say: Called on the loop's thread; must not block.
        """
        terminal = self._terminal(id_)
        name = f"{id_} {view} {next(self._numbers)}"
        self._views[name] = (terminal, name)
        self._host.thread.call(lambda: terminal.look(name, say))
        return name

    def said(self, view: str, items: Sequence[Any]) -> None:
        """What its page says; see `views.read` for what is refused."""
        said = read(items)
        terminal, name = self._views.get(view, (None, ""))
        if terminal is not None:
            self._host.thread.call(terminal.hear, name, said)

    def look_away(self, view: str) -> None:
        """The page has gone; idempotent."""
        terminal, name = self._views.pop(view, (None, ""))
        if terminal is not None:
            self._host.thread.call(terminal.look_away, name)

    def _forget_views(self, terminal: Terminal) -> None:
        for name in [name for name, (owner, _) in list(self._views.items()) if owner is terminal]:
            self._views.pop(name, None)

    def _terminal(self, id_: str) -> Terminal:
        with self._lock:
            found = self._terminals.get(id_)
        if found is None:
            raise Failure("closed", "the terminal was closed", todo="run the cell that made it again")
        return found
