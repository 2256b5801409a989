"""The status: one socket, the clusters, streams and terminals on it, and a plug to pull."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from notebook_mux import clocks
from notebook_mux.ages import utc
from notebook_mux.handles import cutting
from notebook_mux.kernel import holder
from notebook_mux.widgets import costs, html, messages
from notebook_mux.widgets.base import Content, Draft, Live

if TYPE_CHECKING:
    import pandas as pd

    from notebook_mux.handles.manager import Manager

SAMPLE_SECONDS = 1.0
"""Between two looks at the counters, which change without a word."""

CHANGE_INTERVAL = 0.2
"""Seconds between two messages: a cut and what follows should be seen step by step."""

COUNTERS = (
    "reconnects", "attempts", "bytes_in", "bytes_out", "frames_in", "frames_out", "sockets", "direct_sockets",
    "subscriptions",
)  # fmt: skip

TOLD = ("url", "state", "reason", "last_error", "instance", "package", "user")
"""Of the socket, as the core says it; `user` is as whom a gateway of several users knows us."""

STREAM_COUNTERS = (
    "objects", "changes", "skipped", "relists", "snapshots", "requests", "bytes", "frames", "lag", "last_change",
    "holders",
)  # fmt: skip

COLUMNS = (
    "Stream", "State", "Objects", "Changes", "Changes/s", "Bytes", "Bytes/s", "Lag", "Memory", "CPU", "Requests",
    "Lists", "Skipped", "Used by",
)  # fmt: skip
"""Of `Status.rows`."""

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
        """All that is shown, as plain data: ``socket``, ``kernel``, ``clusters``, ``streams``, ``terminals``, ``demo``.

        ``kernel`` is what all streams cost here together: ``memory`` (bytes of their objects), ``cpu`` (seconds of
        the thread that is ours) and ``minute``; of each stream `costs.costs` has the same.

        ``demo`` is the embedded cluster's scenario, seed and ``clock`` (what it showed, when by ours, and how fast it
        goes; None as ours), and None for other clusters.

        Times are Unix seconds; a terminal's ``kept`` are the seconds that the gateway keeps it for once no kernel and
        no page is there.
        """
        status = self._manager._core_status()
        socket = {name: status.get(name, "") for name in TOLD}
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
            "kernel": {
                "memory": status.get("memory", 0),
                "cpu": status.get("thread", 0.0),
                "minute": status.get("minute") or costs.NOTHING,
            },
            "clusters": clusters,
            "streams": [self._stream(stream, {ref: names.get(ref, ref) for ref in well}) for stream in streams],
            "terminals": [self._terminal(terminal) for terminal in status.get("terminals", ())],
            "demo": self._demo(streams),
        }

    def _demo(self, streams: list[dict[str, Any]]) -> dict[str, Any] | None:
        """The embedded cluster's scenario and clock; None for any other."""
        manager = self._manager
        if manager._identity.demo is None:
            return None
        scenario, seed = manager._identity.demo
        first = manager._identity.contexts[0].ref
        told = [at for stream in streams if (at := stream.get("standing", {}).get(first)) and at["state"] == "live"]
        clock = told[0].get("clock") if told else getattr(manager, "_clock", None)
        return {"scenario": scenario, "seed": seed, "clock": clock}

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
            **costs.costs(stream),
        }

    @property
    def rows(self) -> list[dict[str, Any]]:
        """One dict a stream, then one a terminal, as the widget's lower half shows it.

        ``Lag`` and ``CPU`` are in seconds, ``Bytes`` is what came so far, ``Memory`` what its objects take in this
        kernel; ``Requests`` counts how often it was asked for, ``Lists`` the lists that came for it. A terminal has
        None for what only streams have.
        """
        data = self.data
        return [_row(stream) for stream in data["streams"]] + [
            {**dict.fromkeys(COLUMNS), "Stream": f"terminal {terminal['words']}", "State": _standing(terminal)}
            for terminal in data["terminals"]
        ]

    def df(self) -> pd.DataFrame:
        """The rows as a pandas DataFrame.

        Raises:
            InvalidArgument: pandas is not installed.
        """
        from notebook_mux.printing.dataframe import require_pandas

        require_pandas()
        import pandas as pd

        return pd.DataFrame(self.rows, columns=list(COLUMNS))

    def __repr__(self) -> str:
        data = self.data
        socket, terminals = data["socket"], len(data["terminals"])
        reason = f" ({socket['reason']})" if socket["reason"] else ""
        more = f", {terminals} terminals" if terminals else ""
        more += f"; {_demo_words(data['demo'], time.time())}" if data["demo"] else ""
        user = f" as {socket['user']}" if socket["user"] else ""
        return f"<Status: socket {socket['state']}{user}{reason}, {len(data['streams'])} streams{more}>"

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
        # the thread's time alone, which goes on with each look, is no news
        said = {**data, "kernel": {**data["kernel"], "cpu": 0.0}}
        if said == self._sent and not everything:
            return None
        self._sent = said
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
            cutting.cut(self._manager._identity)
            return {"said": "the plug is pulled"}
        return super()._act(message)

    # --- the copy -------------------------------------------------------------------------------------------------

    def _parts(self) -> dict[str, Any]:
        """What a copy of now is made of."""
        data = self.data
        socket = data["socket"]
        now = time.time()
        states = [f"{html.standing('socket', socket['state'], socket['reason'])} {socket['url']}"]
        if socket["user"]:
            states[0] += f" as {socket['user']}"
        states += [html.standing(*(at[key] for key in COPIED)) for at in data["clusters"]]
        states += [_demo_words(data["demo"], now)] if data["demo"] else []
        rows = [_shown_row(row) for row in self.rows]
        return {
            "key": self._copy_id,
            "title": "status",
            "states": states,
            "columns": list(rows[0]) if rows else [],
            "rows": [list(row.values()) for row in rows],
            "total": len(rows),
            "now": now,
        }


def _row(stream: dict[str, Any]) -> dict[str, Any]:
    return {
        "Stream": stream["what"],
        "State": ", ".join(sorted(set(stream["states"].values()))),
        "Objects": stream["objects"],
        "Changes": stream["changes"],
        "Changes/s": stream["change_rate"],
        "Bytes": stream["bytes"],
        "Bytes/s": stream["byte_rate"],
        "Lag": stream["lag"],
        "Memory": stream["memory"],
        "CPU": stream["cpu"],
        "Requests": stream["requests"],
        "Lists": stream["snapshots"] + stream["relists"],
        "Skipped": stream["skipped"],
        "Used by": ", ".join(stream["held"]),
    }


def _shown_row(row: dict[str, Any]) -> dict[str, str]:
    """A row for people."""
    shown = {"Bytes": costs.size, "Bytes/s": costs.size, "Memory": costs.size, "Lag": costs.lag, "CPU": costs.lag}
    return {
        title: "" if cell is None else shown[title](cell) if title in shown else _number(cell)
        for title, cell in row.items()
    }


def _number(cell: Any) -> str:
    return f"{cell:.1f}" if isinstance(cell, float) else str(cell)


def _demo_words(demo: dict[str, Any], now: float) -> str:
    """Such as ``rolling-update, seed 3, 2026-11-30 10:00:00 UTC, speed 10``."""
    clock = clocks.of(demo["clock"])
    going = "paused" if clock.rate == 0 else f"speed {clock.rate:g}"
    return f"{demo['scenario']}, seed {demo['seed']}, {utc(clock.now(now)):%Y-%m-%d %H:%M:%S} UTC, {going}"


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
