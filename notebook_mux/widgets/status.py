"""The status: one socket, the clusters and streams on it, and a plug to pull."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from notebook_mux.handles.crossing import told
from notebook_mux.kernel import holder
from notebook_mux.widgets import html, messages
from notebook_mux.widgets.base import Content, Draft, Live

if TYPE_CHECKING:
    from notebook_mux.handles.manager import Manager

SAMPLE_SECONDS = 1.0
"""Between two looks at the counters, which change without a word."""

CHANGE_INTERVAL = 0.2
"""Seconds between two messages: a cut and what follows should be seen step by step."""

COUNTERS = (
    "reconnects", "attempts", "bytes_in", "bytes_out", "frames_in", "frames_out", "sockets", "subscriptions",
)  # fmt: skip

STREAM_COUNTERS = (
    "objects", "changes", "skipped", "relists", "snapshots", "bytes", "frames", "lag", "last_change", "holders",
)  # fmt: skip


class Status(Live):
    """The live status of a manager. Made by `notebook_mux.status`."""

    kind: ClassVar[str] = "status"
    interval: ClassVar[float] = CHANGE_INTERVAL

    def __init__(self, manager: Manager) -> None:
        self._manager = manager
        self._undo: Callable[[], None] | None = None
        self._sent: Content = {}
        super().__init__(key=manager._identity.key)

    # --- in Python ------------------------------------------------------------------------------------------------

    @property
    def data(self) -> dict[str, Any]:
        """All that is shown, as plain data: ``socket``, ``clusters``, ``streams``. Times are Unix seconds."""
        status = self._manager._core_status()
        socket = {
            name: status.get(name, "") for name in ("url", "state", "reason", "last_error", "instance", "package")
        }
        socket |= {"since": status.get("since", 0.0), "retry_at": status.get("retry_at")}
        socket |= {name: status.get(name, 0) for name in COUNTERS}
        socket["state"] = socket["state"] or "closed"
        return {
            "socket": socket,
            "clusters": [{"name": name, **cluster._asdict()} for name, cluster in self._manager.clusters.items()],
            "streams": [self._stream(stream) for stream in status.get("streams", ())],
        }

    @staticmethod
    def _stream(stream: dict[str, Any]) -> dict[str, Any]:
        words = stream["kind"]
        if stream.get("namespaces"):
            words += f" in {', '.join('all namespaces' if n == '*' else n for n in stream['namespaces'])}"
        for name in ("selector", "field_selector"):
            if stream.get(name):
                words += f" · {stream[name]}"
        return {
            "id": stream["id"],
            "what": words,
            "states": stream["states"],
            **{name: stream.get(name, 0) for name in STREAM_COUNTERS},
        }

    @property
    def rows(self) -> list[dict[str, Any]]:
        """One dict a stream, as the widget's lower half shows it."""
        return [
            {
                "Stream": stream["what"],
                "State": ", ".join(sorted(set(stream["states"].values()))),
                "Objects": stream["objects"],
                "Changes": stream["changes"],
                "Bytes": stream["bytes"],
                "Lag": stream["lag"],
                "Skipped": stream["skipped"],
            }
            for stream in self.data["streams"]
        ]

    def __repr__(self) -> str:
        socket = self.data["socket"]
        reason = f" ({socket['reason']})" if socket["reason"] else ""
        return f"<Status: socket {socket['state']}{reason}, {len(self.data['streams'])} streams>"

    # --- to the pages ---------------------------------------------------------------------------------------------

    def _start(self) -> None:
        self._sent = {}
        core = holder.running()
        if core is not None:
            self._undo = core.on_status(self._poke)

    def _stop(self) -> None:
        undo, self._undo = self._undo, None
        if undo is not None:
            undo()

    def _compose(self, everything: list[str]) -> Draft | None:
        data = self.data
        if data == self._sent and not everything:
            return None
        self._sent = data
        content: Content = {"t": "put", "data": data}
        # one message is the whole state: whoever gets it lacks nothing
        content["whole"] = {"to": ["*"], "part": 0, "last": True}
        return content, []

    def _later(self) -> float:
        return SAMPLE_SECONDS

    # --- from the pages -------------------------------------------------------------------------------------------

    def _act(self, message: messages.Message) -> Content:
        if isinstance(message, messages.Do) and message.what == "retry":
            self._manager.retry()
            return {"said": "trying again now"}
        if isinstance(message, messages.Do) and message.what == "cut":
            told(holder.core().cut, self._manager._identity.connection)
            return {"said": "the plug is pulled"}
        return super()._act(message)

    # --- the copy -------------------------------------------------------------------------------------------------

    def _static_html(self) -> str:
        data = self.data
        socket = data["socket"]
        now = time.time()
        states = [f"{_standing('socket', socket)} {socket['url']}"]
        states += [_standing(cluster["name"], cluster) for cluster in data["clusters"]]
        rows = self.rows
        return html.copy(
            key=self._copy_id,
            title="status",
            states=states,
            columns=list(rows[0]) if rows else [],
            rows=[[str(cell) for cell in row.values()] for row in rows],
            total=len(rows),
            now=now,
        )


def _standing(name: str, thing: dict[str, Any]) -> str:
    return f"{name}: {thing['state']}" + (f" ({thing['reason']})" if thing["reason"] else "")
