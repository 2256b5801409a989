"""What a table opens below its rows: an object in full, its YAML, events, logs and a shell, as widgets of their own."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Mapping
from typing import Any

from notebook_mux.errors import InvalidArgument, MuxError
from notebook_mux.handles import shells
from notebook_mux.handles.holders import streams
from notebook_mux.printing.facts import qualified
from notebook_mux.widgets import answering, messages
from notebook_mux.widgets.answering import Answer
from notebook_mux.widgets.base import Content, Live
from notebook_mux.widgets.details import Details
from notebook_mux.widgets.events import EventsView
from notebook_mux.widgets.logs import LogView
from notebook_mux.widgets.manifest import Manifest
from notebook_mux.widgets.terminal import Terminal
from notebook_mux.widgets.watched import Target

LOG_HEIGHT = 260
"""Pixels: some ten lines, below a list of events and within one screen with the table."""


class Panels:
    """The panels of one table, one for each view of it. Any thread may call; nothing waits.

    A part of a panel ends when its page has gone, and with it what is read for it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: dict[str, tuple[Any, dict[str, Live]]] = {}

    def look(self, message: messages.Look, target: Target | None, manager: Any, answer: Answer) -> None:
        """Do what a page asks for, and answer it when that is there.

        Args:
            message: The page's.
            target: What it means; None where there is no such row.
            manager: The `Manager` of its cluster; None where there is none.
            answer: Called with what the page is told.

        Raises:
            ValueError: The row has gone, or there is no manager.
        """
        if manager is None:
            raise ValueError("no cluster is behind this row")
        if target is None:
            raise ValueError("this row is not there any more")
        self.open(message.view, message.what, target, manager, answer)

    def open(self, view: str, what: str, target: Target, manager: Any, answer: Answer) -> None:
        """Show a part of what there is of an object in a view's panel; another object's parts are let go.

        Args:
            view: The view's id.
            what: ``"details" "yaml" "events" "logs" "shell"``.
            target: The object.
            manager: The `Manager` of its cluster.
            answer: Called with what the page is told: the ``model`` that shows it, or what is ``said`` instead.
        """
        with self._lock:
            ended = [name for name, (_, parts) in self._open.items() if parts and all(p.closed for p in parts.values())]
            for name in ended:  # with the pages of those views
                del self._open[name]
            known, parts = self._open.get(view, (None, {}))
            let_go = []
            if known != target:
                let_go, parts = list(parts.values()), {}
                self._open[view] = (target, parts)
        _close(let_go)
        answering.later(self._opened(view, what, target, manager, parts), answer, "notebook_mux panel", _said)

    async def _opened(self, view: str, what: str, target: Target, manager: Any, parts: dict[str, Live]) -> Content:
        part = await _part(what, target, manager)
        streams.sweep()  # nobody but the panel has it
        with self._lock:
            # it may be this object again, of a later opening
            wanted = self._open.get(view, (None, {}))[1] is parts
            earlier = parts.get(what)
            if wanted:
                parts[what] = part
        _close([one for one in (earlier, None if wanted else part) if one is not None])
        return {"ok": True, "model": part.as_part()} if wanted else {"ok": False, "error": "closed meanwhile"}

    def close(self, view: str) -> None:
        """The view's panel was closed, or the view."""
        with self._lock:
            _, parts = self._open.pop(view, (None, {}))
        _close(list(parts.values()))

    def close_all(self) -> None:
        """The table has gone."""
        for view in list(self._open):
            self.close(view)


def _said(error: MuxError) -> Content:
    """What stands in the place of a part."""
    if isinstance(error, InvalidArgument):  # such an object has none: what to write instead is for who wrote something
        return {"ok": True, "said": error.what, "bad": False}
    return {"ok": True, "said": str(error), "bad": True}


def target_of(message: messages.Look, found: Any, states: Mapping[str, Any]) -> Target | None:
    """The object that a page means: a row's, else by its name; None where there is neither.

    Args:
        message: The page's.
        found: The row, as `table.Reference` has it.
        states: The clusters of the table's stream.
    """
    if found is not None:
        resource = getattr(states.get(found.cluster), "resource", None) or {}
        return Target.of(found)._replace(kind=qualified(found.kind, str(resource.get("group") or "")))
    ref = message.ref
    return Target(ref.cluster, ref.namespace, ref.name, ref.kind) if ref is not None else None


async def _part(what: str, target: Target, manager: Any) -> Live:
    """The widget, another one than a cell's own: closing it is no concern of that. A coroutine of `waiting`'s kind."""
    if what == "details":
        return Details(manager, target)
    if what == "yaml":
        return Manifest(manager, target)
    if what == "events":
        view: EventsView = (await manager._events(target, False, None, None))._viewed()
        return view
    if what == "shell":
        return await _shell(target, manager)
    logs = await manager._logs(target, None, None, None, 100, False, True, None, None, 50, None, None)
    return LogView(logs._source, height=LOG_HEIGHT, mask=logs.masked)


async def _shell(target: Target, manager: Any) -> Terminal:
    """The terminal that ``nm.shell`` gives for the same target, in a view of its own."""
    kind = target.kind.lower()
    words = (f"{kind}/{target.name}", None, None, None, False, None, target.namespace or None, target.cluster)
    wanted = shells.wish(*words)
    session = await shells.session(manager, wanted)
    shown = Pane(session, key=("pane", uuid.uuid4().hex), choose=manager._chooser(wanted))
    shown.height = LOG_HEIGHT
    return shown


class Pane(Terminal):
    """A terminal's view in a pane: closing that ends no program, as closing a page ends none."""

    def close(self) -> None:
        """Let go of the view. Idempotent."""
        if "_lock" in self.__dict__ and not self._closed:
            self._retire()


def _close(parts: list[Live]) -> None:
    for part in parts:
        part.close()
