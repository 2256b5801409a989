"""How logs stand: each container's, and all together in a word and in a few."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from notebook_mux import ages

TROUBLED = ("waiting", "failed", "unreachable")
"""States that have a reason worth saying."""

SHOWN_REASONS, SHOWN_REASON = 2, 80
"""Reasons that a few words have, and characters of one."""


class ContainerLog(NamedTuple):
    """The log of one container of one pod, as it stands.

    Attributes:
        cluster: The cluster's name.
        namespace: The pod's.
        pod: Its name.
        container: Its name.
        kind: ``"container"``, ``"init"`` or ``"ephemeral"``.
        state: ``"waiting" "asking" "live" "ended" "failed" "gone" "unreachable"``.
        reason: Why, in words; "" where it is live.
        said: The server's own words; "" for none.
        todo: What to do about it; "" for nothing.
        since: Since when it stands so.
        retry_at: When it is tried again by itself, if it is.
        restarts: How often the container was restarted.
        lines: Lines of it that have come.
    """

    cluster: str
    namespace: str
    pod: str
    container: str
    kind: str
    state: str
    reason: str
    said: str
    todo: str
    since: datetime | None
    retry_at: datetime | None
    restarts: int
    lines: int


def standing(state: Mapping[str, Any]) -> str:
    """How logs stand, in a few words."""
    sources = state["sources"]
    if state["problem"]:
        return str(state["problem"]["what"])
    note = f"; {state['note']}" if state["note"] else ""
    if not sources:
        return ("no containers yet" if state["pods"] else "no pods yet") + note
    reasons: dict[str, list[str]] = {}
    for one in sources:
        reasons.setdefault(one["state"], []).append(one["reason"] or "" if one["state"] in TROUBLED else "")
    words = ", ".join(f"{len(whys)} {state}{_reasons(whys)}" for state, whys in reasons.items())
    return f"{len(sources)} container{'' if len(sources) == 1 else 's'}: {words}{note}"


def _reasons(whys: list[str]) -> str:
    """The first of several reasons; each container's may be another."""
    different = list(dict.fromkeys(filter(None, whys)))
    cut = [why if len(why) <= SHOWN_REASON else f"{why[: SHOWN_REASON - 1]}…" for why in different[:SHOWN_REASONS]]
    more = [f"{len(different) - SHOWN_REASONS} more reasons"] if len(different) > SHOWN_REASONS else []
    return f" ({'; '.join([*cut, *more])})" if cut else ""


def state_of(state: Mapping[str, Any], closed: bool) -> str:
    """All together in a word, see `Logs.state`: the best of the containers'."""
    if closed or state["closed"]:
        return "closed"
    states = {one["state"] for one in state["sources"]}
    if state["problem"] and not states:
        return "failed"
    if not state["settled"] and not states & {"live"}:
        return "starting"
    for name, among in (
        ("live", {"live", "asking"}),
        ("unreachable", {"unreachable"}),
        ("waiting", {"waiting"}),
        ("failed", {"failed"}),
        ("ended", {"ended", "gone"}),
    ):
        if states & among:
            return name
    return "waiting"


def container_of(one: Mapping[str, Any]) -> ContainerLog:
    """A source of the core's state, for people."""
    retry_at = one.get("retry_at")
    return ContainerLog(
        one["cluster"],
        one["namespace"],
        one["pod"],
        one["container"],
        one["kind"],
        one["state"],
        one.get("reason") or "",
        one.get("said") or "",
        one.get("todo") or "",
        ages.utc(one["since"]) if one.get("since") else None,
        ages.utc(retry_at) if retry_at else None,
        one.get("restart") or 0,
        one.get("lines") or 0,
    )
