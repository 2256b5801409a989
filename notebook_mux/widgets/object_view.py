"""What all live views of one object do: follow it while somebody looks, and send all of it whenever it has changed."""

from __future__ import annotations

import logging
import time
from typing import Any

from notebook_mux.errors import MuxError
from notebook_mux.widgets import html
from notebook_mux.widgets.base import Content, Draft, Live
from notebook_mux.widgets.heads import standings
from notebook_mux.widgets.watched import Target, Watched

log = logging.getLogger(__name__)


class ObjectView(Live):
    """A live view of one object. Made by a table's pane.

    Args:
        manager: The `Manager` of its cluster.
        target: The object.

    Raises:
        MuxError: There is no such cluster.
    """

    def __init__(self, manager: Any, target: Target) -> None:
        self._watched = Watched(manager, target)
        self._sent: Content = {}
        super().__init__()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._watched.target.words}>"

    @property
    def data(self) -> dict[str, Any]:
        """All that is shown, as plain data; times are Unix seconds."""
        watched = self._watched
        target, view = watched.target, watched.view
        return {
            "ref": {"kind": target.kind, "namespace": target.namespace, "name": target.name},
            "cluster": standings(view)[0],
            "missing": watched.missing,
            "deleted": watched.deleted,
            "closed": view.closed,
        }

    def _start(self) -> None:
        self._sent = {}
        try:
            self._watched.open(self._poke)
        except MuxError:
            log.debug("an object cannot be followed: its connection is closed", exc_info=True)

    def _stop(self) -> None:
        self._watched.close()

    def _changed(self, everything: list[str]) -> Draft | None:
        """All of it, where it has changed or somebody lacks it."""
        data = self.data
        if data == self._sent and not everything:
            return None
        self._sent = data
        # one message is the whole state: whoever gets it lacks nothing
        return {"t": "put", "data": data, "whole": {"to": ["*"], "part": 0, "last": True}}, []

    def _copied_as(self, columns: list[str], rows: list[list[str]]) -> dict[str, Any]:
        """What a copy of now is made of."""
        at = standings(self._watched.view)[0]
        return {
            "key": self._copy_id,
            "title": self._watched.target.words,
            "states": [html.standing(at["name"], at["state"], at["reason"], at["said"], at["fresh"])],
            "columns": columns,
            "rows": rows,
            "total": len(rows),
            "now": time.time(),
        }
