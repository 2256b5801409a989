"""The status: one socket, the clusters, streams and terminals on it, and a plug to pull."""

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
    "reconnects", "attempts", "bytes_in", "bytes_out", "frames_in", "frames_out", "sockets", "direct_sockets",
    "subscriptions",
)  # fmt: skip

STREAM_COUNTERS = (
    "objects", "changes", "skipped", "relists", "snapshots", "bytes", "frames", "lag", "last_change", "holders",
)  # fmt: skip


TROUBLES = ("login", "unreachable", "stale")
"""States of a stream that are its cluster's too, the worst first: all that is asked of that cluster meets them."""

COPIED = ("name", "state", "reason", "said", "fresh")
"""What a static copy says of a cluster, as `html.standing` takes it."""

UNTROUBLED: dict[str, Any] = {"said": "", "todo": "", "since": 0.0, "retryAt": None, "fresh": None}


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
        """All that is shown, as plain data: ``socket``, ``clusters``, ``streams``, ``terminals``.

        Times are Unix seconds; a terminal's ``kept`` are the seconds that the gateway keeps it for once no kernel and
        no page is there.
        """
        status = self._manager._core_status()
        socket = {
            name: status.get(name, "") for name in ("url", "state", "reason", "last_error", "instance", "package")
        }
        socket |= {"since": status.get("since", 0.0), "retry_at": status.get("retry_at")}
        socket |= {name: status.get(name, 0) for name in COUNTERS}
        socket["state"] = socket["state"] or "closed"
        names = {context.ref: context.alias for context in self._manager._identity.contexts}
        streams = list(status.get("streams", ()))
        standing = {name: _standing_of(ref, streams) for ref, name in names.items()}
        clusters = [
            {"name": name, **UNTROUBLED, **cluster._asdict(), **(standing.get(name) or {})}
            for name, cluster in self._manager.clusters.items()
        ]
        well = {ref for ref, name in names.items() if (standing[name] or {}).get("state") in (None, "live")}
        return {
            "socket": socket,
            "clusters": clusters,
            "streams": [self._stream(stream, {ref: names.get(ref, ref) for ref in well}) for stream in streams],
            "terminals": [self._terminal(terminal) for terminal in status.get("terminals", ())],
        }

    @staticmethod
    def _terminal(now: dict[str, Any]) -> dict[str, Any]:
        away, state = now["offline"], now["state"]
        return {
            "id": now["id"],
            "words": now["about"].get("words", ""),
            "cluster": now["about"].get("cluster", ""),
            "state": "offline" if away is not None and state != "closed" else state,
            "reason": away[0] if away is not None else now["reason"],
            "returncode": now["returncode"],
            "since": now["since"],
            "kept": now["kept"],
        }

    @staticmethod
    def _stream(stream: dict[str, Any], well: dict[str, str]) -> dict[str, Any]:
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
            "troubles": [
                {"name": well[ref], **_shown(at)}
                for ref, at in stream.get("standing", {}).items()
                if ref in well and at["state"] not in ("live", "connecting")
            ],
            **{name: stream.get(name, 0) for name in STREAM_COUNTERS},
        }

    @property
    def rows(self) -> list[dict[str, Any]]:
        """One dict a stream, then one a terminal, as the widget's lower half shows it."""
        data = self.data
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
            for stream in data["streams"]
        ] + [
            {
                "Stream": f"terminal {terminal['words']}",
                "State": _standing(terminal),
                **dict.fromkeys(("Objects", "Changes", "Bytes", "Lag", "Skipped"), ""),
            }
            for terminal in data["terminals"]
        ]

    def __repr__(self) -> str:
        data = self.data
        socket, terminals = data["socket"], len(data["terminals"])
        reason = f" ({socket['reason']})" if socket["reason"] else ""
        more = f", {terminals} terminals" if terminals else ""
        return f"<Status: socket {socket['state']}{reason}, {len(data['streams'])} streams{more}>"

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

    def _parts(self) -> dict[str, Any]:
        """What a copy of now is made of."""
        data = self.data
        socket = data["socket"]
        now = time.time()
        states = [f"{html.standing('socket', socket['state'], socket['reason'])} {socket['url']}"]
        states += [html.standing(*(at[key] for key in COPIED)) for at in data["clusters"]]
        rows = self.rows
        return {
            "key": self._copy_id,
            "title": "status",
            "states": states,
            "columns": list(rows[0]) if rows else [],
            "rows": [[str(cell) for cell in row.values()] for row in rows],
            "total": len(rows),
            "now": now,
        }


def _standing(terminal: dict[str, Any]) -> str:
    """Such as ``running, kept for 10 min``."""
    code, kept = terminal["returncode"], terminal["kept"]
    words = terminal["state"] + (f" with exit code {code}" if code is not None else "")
    return f"{words}, kept for {kept / 60:g} min" if kept else words


def _standing_of(ref: str, streams: list[dict[str, Any]]) -> dict[str, Any] | None:
    """How a cluster stands by what its streams tell; None where they tell nothing of the cluster itself.

    The cluster's own state is of the moment it was asked last; its streams ask all the time. One that is live shows
    that it answers and takes the login; where none is, their trouble is the cluster's.
    """
    told = [stream["standing"][ref] for stream in streams if ref in stream.get("standing", {})]
    if any(at["state"] == "live" for at in told):
        return {**UNTROUBLED, "state": "live", "reason": ""}
    troubles = [at for at in told if at["state"] in TROUBLES]
    if not troubles:
        return None
    worst = _shown(min(troubles, key=lambda at: TROUBLES.index(at["state"])))
    fresh = [at["fresh"] for at in troubles if at["fresh"] is not None]
    tries = [at["retry_at"] for at in troubles if at["retry_at"] is not None]
    return {**worst, "fresh": min(fresh, default=None), "retryAt": min(tries, default=None)}


def _shown(at: dict[str, Any]) -> dict[str, Any]:
    """A standing in the page's words."""
    return {
        "state": at["state"],
        "reason": at["reason"] or "",
        "said": at["said"] or "",
        "todo": at["todo"] or "",
        "since": at["since"],
        "retryAt": at["retry_at"],
        "fresh": at["fresh"],
    }
