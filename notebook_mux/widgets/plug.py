"""The plug as a widget: buttons that cut the way, and the account of what came."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from notebook_mux.widgets import messages
from notebook_mux.widgets.base import Content, Draft, Live

if TYPE_CHECKING:
    from notebook_mux.handles.plugs.plug import Plug

CHANGE_INTERVAL = 0.2
"""Seconds between two messages: a cut and what follows should be seen step by step."""

SAMPLE_SECONDS = 0.5
"""Between two looks where no number comes: the socket's state is shown too."""

SHOWN_CUTS = 50
"""The newest: an audience presses often."""


class PlugView(Live):
    """The live view of a plug; a notebook shows the plug by it."""

    kind: ClassVar[str] = "plug"
    interval: ClassVar[float] = CHANGE_INTERVAL

    def __init__(self, plug: Plug, key: object) -> None:
        self._plug = plug
        self._undo: Callable[[], None] | None = None
        self._sent: Content = {}
        super().__init__(key=key)

    # --- in Python ------------------------------------------------------------------------------------------------

    @property
    def data(self) -> dict[str, Any]:
        """All that is shown, as plain data. Times are Unix seconds."""
        plug = self._plug
        manager = plug._manager
        rows, cuts = plug.rows, plug.cuts
        return {
            "state": "closed" if plug.closed else manager.state,
            "reason": "closed by close()" if plug.closed else manager.reason,
            "lost": sum(row["Missing"] for row in rows),
            "repeated": sum(row["Twice"] for row in rows),
            "received": sum(row["Received"] for row in rows),
            "gap": plug.longest_gap,
            "rows": rows,
            "unwatched": plug._unwatched,
            "count": len(cuts),
            "cuts": [{"what": cut.what, "at": cut.at.timestamp(), "back": cut.back} for cut in cuts[-SHOWN_CUTS:]],
        }

    def __repr__(self) -> str:
        return f"<PlugView of {self._plug!r}>"

    # --- to the pages ---------------------------------------------------------------------------------------------

    def _start(self) -> None:
        self._sent = {}
        self._undo = self._plug.on_change(self._poke)

    def _stop(self) -> None:
        undo, self._undo = self._undo, None
        if undo is not None:
            undo()

    def _compose(self, everything: list[str]) -> Draft | None:
        data = self.data
        if data == self._sent and not everything:
            return None
        self._sent = data
        # one message is the whole state: whoever gets it lacks nothing
        return {"t": "put", "data": data, "whole": {"to": ["*"], "part": 0, "last": True}}, []

    def _later(self) -> float:
        return SAMPLE_SECONDS

    # --- from the pages -------------------------------------------------------------------------------------------

    def _act(self, message: messages.Message) -> Content:
        if isinstance(message, messages.Do) and message.what == "cut":
            self._plug.cut()
            return {"said": "the socket is cut"}
        if isinstance(message, messages.Do) and message.what == "kill":
            return {"said": f"killed process {self._plug.kill_gateway()}, the gateway"}
        return super()._act(message)

    # --- the copy -------------------------------------------------------------------------------------------------

    def _parts(self) -> dict[str, Any]:
        """What a copy of now is made of."""
        listing = self._plug._listing()
        rows = listing.rows
        return {
            "key": self._copy_id,
            "title": "pull the plug",
            "states": listing.notes,
            "columns": listing.columns,
            "rows": [[str(cell) for cell in row.values()] for row in rows],
            "total": len(rows),
            "now": time.time(),
        }
