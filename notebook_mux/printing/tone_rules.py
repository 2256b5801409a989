"""The rules by which a column's cells have a tone, as ``meanings.json`` names them. Without input or output."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from notebook_mux.ages import parse_duration
from notebook_mux.filtering.keys import quantity

Said = tuple[str, str]
"""(tone, meaning)."""

NOTHING: Said = ("", "")

# of no more digits than a number has: a cell is a cluster's text, and may be all digits
RATIO = re.compile(r"(\d{1,15})/(\d{1,15})", re.ASCII)

RECENT = 600.0
"""Seconds for which a restart counts as recent: a kubelet forgets its back-off after ten minutes without a crash
(k8s.io/kubernetes/pkg/kubelet/images_backoff: twice MaxContainerBackOff)."""

HIGH, FULL = 70, 90
"""Percent in use from which it is worth a look, and critical: the defaults of k9s (`internal/config/threshold.go`)."""

NEARLY = 0.9
"""Of a quota: the limit of the alert KubeQuotaAlmostFull of kubernetes-mixin."""

_ORDER = ("bad", "warn", "good", "done", "")
_ENDED = re.compile(r"(ExitCode|Signal):(\d+)", re.IGNORECASE | re.ASCII)
_RESTARTS = re.compile(r"(\d+)(?: \((.+) ago\))?", re.ASCII)
_NUMBER = re.compile(r"\d{1,15}", re.ASCII)
_USED = re.compile(r"([^\s:,]+): ([^\s/,]+)/([^\s/,]+)")


def worst(all_said: Iterable[Said]) -> Said:
    """The worst tone, and all meanings."""
    found = list(all_said)
    tones = [tone for tone, _ in found]
    return min(tones, key=_ORDER.index, default=""), ", ".join(words for _, words in found if words)


def short(state: str) -> bool:
    """Whether a text is a ratio with something missing."""
    match = RATIO.match(state)
    return match is not None and int(match[1]) < int(match[2])


def ended(cell: str) -> Said | None:
    """Of ``ExitCode:1`` and ``Signal:9``; None of all else."""
    match = _ENDED.fullmatch(cell)
    if match is None:
        return None
    if match[1].lower() == "signal":
        return "bad", f"its container was ended by signal {match[2]}"
    return "bad", f"its container ended with exit code {match[2]}"


def ratio(rule: Mapping[str, Any], tone_of: Callable[[str], str]) -> Callable[[str, str], Said]:
    """``1/3``, ready of wanted; or a number whose partner says how many are wanted.

    Args:
        rule: ``of`` is what is counted; ``firm``: none of them at all is bad; ``calm``: fewer is as it should be.
        tone_of: The tone of a state, where the partner is one.
    """
    firm, calm, of = rule.get("firm", False), rule.get("calm", False), rule["of"]

    def read(cell: str, state: str) -> Said:
        match = RATIO.match(cell)
        if match is not None:
            has, wanted = int(match[1]), int(match[2])
            standing = tone_of(state) if state else ""
        else:
            if _NUMBER.fullmatch(cell) is None or (goal := _wanted(state)) is None:
                return NOTHING
            has, wanted, standing = int(cell), goal, ""
        if wanted == 0 and firm:
            return "done", "none are wanted" if has == 0 else f"none are wanted, {has} are still there"
        words = f"{has} of {wanted} {of}"
        if calm:
            return standing if standing in ("done", "bad") else "", words
        if has >= wanted:
            return "", words
        if standing == "done":
            return "done", words
        return "bad" if firm and has == 0 else "warn", words

    return read


def _wanted(state: str) -> int | None:
    """How many a partner wants: ``3``, or the second of ``2/3``."""
    match = RATIO.match(state)
    if match is not None:
        return int(match[2])
    return int(state) if _NUMBER.fullmatch(state) else None


def cells(rule: Mapping[str, Any]) -> Callable[[str, str], Said]:
    """Cells that say something; all others say nothing."""
    known = {cell.lower(): (said[0], said[1]) for cell, said in rule["cells"].items()}
    return lambda cell, _state: known.get(cell.lower(), NOTHING)


def holds(rule: Mapping[str, Any]) -> Callable[[str, str], Said]:
    """Cells with a text in them."""
    part, (tone, words) = rule["text"], rule["says"]
    return lambda cell, _state: (tone, words) if part in cell else NOTHING


def most(rule: Mapping[str, Any]) -> Callable[[str, str], Said]:
    """A number that has come to its partner's."""
    tone, words = rule["says"]

    def read(cell: str, state: str) -> Said:
        if _NUMBER.fullmatch(cell) is None or _NUMBER.fullmatch(state) is None:
            return NOTHING
        return (tone, words) if int(cell) >= int(state) > 0 else NOTHING

    return read


def percent(rule: Mapping[str, Any]) -> Callable[[str, str], Said]:
    """``73``, ``73%``: how much of something is in use."""
    of = rule["of"]

    def read(cell: str, _state: str) -> Said:
        digits = cell.removesuffix("%")
        if _NUMBER.fullmatch(digits) is None:
            return NOTHING
        used = int(digits)
        return "bad" if used >= FULL else "warn" if used >= HIGH else "", f"{used} % {of} are in use"

    return read


def restarts(cell: str, _state: str) -> Said:
    """``5 (3m ago)``: those that go on are worth a look."""
    match = _RESTARTS.fullmatch(cell)
    if match is None or match[1] == "0":
        return NOTHING
    words = "restarted once" if match[1] == "1" else f"restarted {match[1]} times"
    if match[2] is None:
        return "", words
    span = parse_duration(match[2])
    late = span is not None and span[0] < RECENT
    return "warn" if late else "", f"{words}, the last time {match[2]} ago"


def quota(cell: str, _state: str) -> Said:
    """``pods: 9/10, requests.cpu: 1/2``: what is used up, or nearly."""
    found: list[Said] = []
    for name, used, hard in _USED.findall(cell):
        has, limit = quantity(used), quantity(hard)
        if has is None or limit is None or has == 0:
            continue
        if has >= limit:
            found.append(("bad", f"{name} is used up: {used} of {hard}"))
        elif has >= limit * NEARLY:
            found.append(("warn", f"{name} is nearly used up: {used} of {hard}"))
    return worst(found)
