"""What a table opens below its rows: an object's events and, where it has pods, their logs, as widgets of their own."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from typing import Any

from notebook_mux.errors import InvalidArgument, MuxError
from notebook_mux.handles.holders import streams
from notebook_mux.handles.waiting import awaiting, in_thread
from notebook_mux.widgets.base import Content, Live
from notebook_mux.widgets.events import EventsView
from notebook_mux.widgets.logs import LogView

log = logging.getLogger(__name__)

LOG_HEIGHT = 260
"""Pixels: some ten lines, below a list of events and within one screen with the table."""


class Panels:
    """The panels of one table, one for each view of it. Any thread may call; nothing waits.

    A part of a panel ends when its page has gone, and with it what is read for it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: dict[str, tuple[Any, dict[str, Live]]] = {}

    def open(self, view: str, what: str, target: Any, manager: Any, answer: Callable[[Content], None]) -> None:
        """Show the ``"events"`` or ``"logs"`` of an object in a view's panel; another object's are let go.

        Args:
            view: The view's id.
            what: Which of the two.
            target: The object, as `table.Reference` has it.
            manager: The `Manager` of its cluster.
            answer: Called with what the page is told: the ``model`` that shows it, or what is ``said`` instead.
        """
        with self._lock:
            ended = [name for name, (_, parts) in self._open.items() if parts and all(p.closed for p in parts.values())]
            for name in ended:  # with the pages of those views
                del self._open[name]
            known, parts = self._open.get(view, (None, {}))
            let_go = [] if known == target else list(parts.values())
            if known != target:
                self._open[view] = (target, {})
        _close(let_go)
        in_thread(lambda: self._opened(view, what, target, manager, answer), "notebook_mux panel")

    def _opened(self, view: str, what: str, target: Any, manager: Any, answer: Callable[[Content], None]) -> None:
        try:
            part = asyncio.run(awaiting(_part(what, target, manager)))
        except InvalidArgument as error:  # such an object has none: what to write instead is for who wrote something
            answer({"ok": True, "said": error.what, "bad": False})
        except MuxError as error:
            answer({"ok": True, "said": str(error), "bad": True})
        except Exception as error:  # the page waits for an answer
            log.exception("what a table's row has could not be shown")
            answer({"ok": False, "error": f"{type(error).__name__} in the kernel, see its log"})
        else:
            streams.sweep()  # nobody but the panel has it
            with self._lock:
                known, parts = self._open.get(view, (None, {}))
                wanted = known == target
                earlier = parts.get(what)
                if wanted:
                    parts[what] = part
            _close([one for one in (earlier, None if wanted else part) if one is not None])
            answer({"ok": True, "model": part.as_part()} if wanted else {"ok": False, "error": "closed meanwhile"})

    def close(self, view: str) -> None:
        """The view's panel was closed, or the view."""
        with self._lock:
            _, parts = self._open.pop(view, (None, {}))
        _close(list(parts.values()))

    def close_all(self) -> None:
        """The table has gone."""
        for view in list(self._open):
            self.close(view)


async def _part(what: str, target: Any, manager: Any) -> Live:
    """The widget, another one than a cell's own: closing it is no concern of that. A coroutine of `waiting`'s kind."""
    if what == "events":
        view: EventsView = (await manager._events(target, False, None, None))._viewed()
        return view
    logs = await manager._logs(target, None, None, None, 100, False, True, None, None, 50, None, None)
    return LogView(logs._source, height=LOG_HEIGHT, mask=logs.masked)


def _close(parts: list[Live]) -> None:
    for part in parts:
        part.close()
