"""Terminals of a core without a socket. Tests say what happens to them; `calls` has what was asked, in order."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from typing import Any

from notebook_mux.kernel.failure import Failure


def done(value: Any = None) -> Future[Any]:
    """A future with a result, or with a failure."""
    future: Future[Any] = Future()
    if isinstance(value, BaseException):
        future.set_exception(value)
    else:
        future.set_result(value)
    return future


class FakeTerminals:
    """As `notebook_mux.kernel.terminals.Terminals`. All of a `kernel` are those of the gateway, found by key."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []
        self.known: dict[str, dict[str, Any]] = {}
        self.kept: dict[str, dict[str, Any]] = {}
        """By key what the gateway has of an earlier kernel: fields of how it stands."""
        self.first: dict[str, Any] = {"state": "running", "run": 1, "command": ("bash",), "kept": 600.0}
        """How a terminal stands once it was started."""
        self.others: tuple[dict[str, Any], ...] = ()
        self.failing: dict[str, Failure] = {}
        """By the call's name what it fails with."""
        self.wakes: dict[str, list[Callable[[], None]]] = {}
        self.says: dict[str, Callable[[list[Any]], None]] = {}
        self.said_: list[tuple[str, list[Any]]] = []
        self._ids = itertools.count(1)

    def open(self, conn: str, ref: str, order: Mapping[str, Any], about: Any = None, *, create: bool = True) -> Any:
        self.calls.append(("open" if create else "find", ref, dict(order)))
        if "open" in self.failing and create:
            return done(self.failing["open"])
        found = self.find(conn, ref, order["key"])
        kept = self.kept.get(order["key"])
        if found or (kept is None and not create):
            return done(found)
        id_ = f"terminal-{next(self._ids)}"
        self.known[id_] = {
            "id": id_, "key": order["key"], "ref": ref, "scope": order["scope"], "connection": conn,
            "state": "starting", "reason": "", "code": "", "said": None, "todo": None, "returncode": None,
            "command": (), "run": 0, "since": 1.0, "created": kept is None, "others": self.others, "kept": 0.0,
            "offline": None, "about": dict(about or {}), "path": order.get("path", ""),
            "queries": list(order.get("queries", ())), **(self.first if kept is None else kept),
        }  # fmt: skip
        return done(id_)

    def find(self, conn: str, ref: str, key: str) -> str:
        for id_, now in self.known.items():
            if (now["connection"], now["ref"], now["key"]) == (conn, ref, key):
                return id_
        return ""

    def now(self, id_: str) -> dict[str, Any]:
        if id_ not in self.known:
            raise Failure("closed", "the terminal was closed")
        return self.known[id_]

    def all(self, conn: str | None = None) -> list[dict[str, Any]]:
        return [now for now in self.known.values() if conn in (None, now["connection"])]

    def settled(self, id_: str, calm: float = 0.0) -> Future[dict[str, Any]]:
        return done(self.now(id_))

    def describe(self, id_: str, about: Mapping[str, Any]) -> None:
        self.happen(id_, about=dict(about))

    def happen(self, id_: str, **fields: Any) -> None:
        """It stands otherwise."""
        self.known[id_] = {**self.now(id_), **fields}
        for wake in list(self.wakes.get(id_, ())):
            wake()

    def on_change(self, id_: str, wake: Callable[[], None]) -> Callable[[], None]:
        self.now(id_)
        self.wakes.setdefault(id_, []).append(wake)
        return lambda: self.wakes[id_].remove(wake)

    def again(self, id_: str) -> Future[None]:
        self.now(id_)
        return self._done("again", id_)

    def take(self, id_: str, terminal: str) -> Future[None]:
        return self._done("take", id_, terminal)

    def ticket(self, id_: str, origin: str) -> Future[Any]:
        self.now(id_)
        self.calls.append(("ticket", id_, origin))
        return done(self.failing.get("ticket") or {"ticket": "t", "port": 1, "path": "/p", "seconds": 30.0})

    def close(self, id_: str) -> Future[None]:
        self.known.pop(id_, None)
        return self._done("close", id_)

    def _done(self, *call: Any) -> Future[Any]:
        self.calls.append(call)
        return done(self.failing.get(call[0]))

    def look(self, id_: str, view: str, say: Callable[[list[Any]], None]) -> str:
        self.now(id_)
        name = f"{id_} {view} {next(self._ids)}"
        self.says[name] = say
        return name

    def said(self, view: str, items: Sequence[Any]) -> None:
        if "said" in self.failing:
            raise self.failing["said"]
        self.said_.append((view, list(items)))

    def look_away(self, view: str) -> None:
        self.says.pop(view, None)

    def asked(self, kind: str) -> list[tuple[Any, ...]]:
        """The calls of one kind."""
        return [call for call in self.calls if call[0] == kind]
