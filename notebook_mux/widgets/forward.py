"""A forward as a widget: where it listens and where it goes, what passes through it, and what failed."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from notebook_mux.errors import MuxError
from notebook_mux.widgets import html, messages
from notebook_mux.widgets.base import Content, Draft, Live

if TYPE_CHECKING:
    from notebook_mux.handles.forward import Forward

CHANGE_INTERVAL = 0.25
"""Seconds between two messages: a gateway tells five states a second, and nobody reads figures faster."""

COPIED = ("Target", "Pod", "Local", "Connections", "Sent", "Received", "Failed")


class ForwardView(Live):
    """The live view of a forward; a notebook shows the forward by it."""

    kind: ClassVar[str] = "forward"
    interval: ClassVar[float] = CHANGE_INTERVAL

    def __init__(self, forward: Forward, key: object) -> None:
        self._forward = forward
        self._undo: Callable[[], None] | None = None
        self._sent: Content = {}
        super().__init__(key=key)

    # --- in Python ------------------------------------------------------------------------------------------------

    @property
    def data(self) -> dict[str, Any]:
        """All that is shown, as plain data; bytes since its beginning."""
        forward = self._forward
        sent, received = forward.bytes
        return {
            "target": forward.target,
            "wanted": str(forward._goal.port),
            "cluster": forward.cluster,
            "pod": forward.pod,
            "podPort": forward.pod_port,
            "url": forward.url if forward.port and not forward.closed else "",
            "state": forward.state,
            "reason": forward.reason,
            "connections": forward.connections,
            "total": forward.total,
            "sent": sent,
            "received": received,
            "errors": forward.errors,
            "error": forward.error,
        }

    def __repr__(self) -> str:
        return f"<ForwardView of {self._forward!r}>"

    # --- to the pages ---------------------------------------------------------------------------------------------

    def _start(self) -> None:
        self._sent = {}
        try:
            self._undo = self._forward.on_change(self._poke)
        except MuxError:
            self._undo = None  # its connection was closed: there is nothing more to hear

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
        return math.inf

    # --- from the pages -------------------------------------------------------------------------------------------

    def _act(self, message: messages.Message) -> Content:
        if isinstance(message, messages.Do) and message.what == "close":
            self._forward.close()
            self._poke()
            return {"said": "closed"}
        return super()._act(message)

    # --- the copy -------------------------------------------------------------------------------------------------

    def _parts(self) -> dict[str, Any]:
        """What a copy of now is made of."""
        data = self.data
        states = [html.standing(data["cluster"], data["state"], data["reason"])]
        states += [f"last error: {data['error']}"] if data["error"] else []
        counts = (f"{data['connections']} of {data['total']}", data["sent"], data["received"], data["errors"])
        row = (f"{data['target']} {data['wanted']}", f"{data['pod']}:{data['podPort']}", data["url"], *map(str, counts))
        return {
            "key": self._copy_id,
            "title": "forward",
            "states": states,
            "columns": COPIED,
            "rows": [row],
            "total": 1,
            "now": time.time(),
        }
