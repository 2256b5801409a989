"""What a cell says at a glance: its tone, its meaning in words, and whether a row is a fault.

As k9s (its renderers' `diagnose` and colours) and Headlamp (its status labels) have it for the common kinds. The words
and the columns are in ``meanings.json``, which the live tables read too (`widgets/frontend/src/table/tones.ts`); both
sides are held together by the same vectors. A tone is never shown as a colour alone: `SHAPES` and `meaning` go with it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from importlib.resources import files
from typing import Any

import msgspec

from notebook_mux.printing import tone_rules
from notebook_mux.printing.cells import text
from notebook_mux.printing.tone_rules import NOTHING, Said

_DATA: dict[str, Any] = msgspec.json.decode(files("notebook_mux.printing").joinpath("meanings.json").read_bytes())

SHAPES: Mapping[str, str] = _DATA["shapes"]
"""A tone's sign, for those who do not see its colour."""

NAMES: Mapping[str, str] = _DATA["names"]
"""A tone in words."""

STYLES: Mapping[str, str] = {
    "good": "color:var(--jp-success-color1,#2e7d32)",
    "warn": "color:var(--jp-warn-color1,#b26a00)",
    "bad": "color:var(--jp-error-color1,#c62828);font-weight:600",
    "done": "opacity:.7",
    "": "",
}
"""JupyterLab's theme variables, and what is readable on white and on black where there are none."""

ALIASES = {"events.events.k8s.io": "events"}

KINDS, HEADS = 512, 256
"""Kept readers, and kept heads of tables: a session sees some dozens of kinds."""

_COLUMNS = {
    kind: {title.lower(): rule for title, rule in columns.items()} for kind, columns in _DATA["columns"].items()
}
_WORDS: dict[str, dict[str, Said]] = {
    kind: {word: (said[0], said[1]) for word, said in words.items()} for kind, words in _DATA["words"].items()
}
_KNOWN = dict.fromkeys([*_COLUMNS, *_WORDS])
_STATES = frozenset(title.lower() for title in _DATA["states"])
_FAILING = re.compile(_DATA["failing"], re.IGNORECASE)
_CONDITIONS = _DATA["conditions"]
_BAD_CONDITION = re.compile(_CONDITIONS["bad"])
_TRUTHS = ("true", "false", "unknown")

Reader = Callable[[str, str], Said]
"""From a cell and its partner to (tone, meaning)."""


def key(resource: str, group: str = "") -> str:
    """What the tables of tones know a kind by, such as ``pods`` and ``deployments.apps``."""
    whole = f"{resource}.{group}" if group else resource
    return ALIASES.get(whole, whole)


def key_of(resource: Mapping[str, Any] | None) -> str:
    """The same of a resource as discovery has it; "" for none."""
    return key(str(resource.get("name") or ""), str(resource.get("group") or "")) if resource else ""


def tone(kind: str, title: str, cell: Any, state: Any = "") -> str:
    """``"good" "warn" "bad" "done"`` or "".

    Args:
        kind: As of `key`; the resource's name alone will do, and "" where the kind is not known.
        title: The column's, in any case.
        cell: As the server printed it.
        state: The cell of the column that this one is read with, see `partner`.
    """
    return look(kind, title, cell, state)[0]


def meaning(kind: str, title: str, cell: Any, state: Any = "") -> str:
    """What a cell says in words, such as ``waiting: the image cannot be pulled``; "" where the cell says it all."""
    return look(kind, title, cell, state)[1]


def look(kind: str, title: str, cell: Any, state: Any = "") -> Said:
    """The tone and the meaning of a cell."""
    read = _reader(kind, title)
    return NOTHING if read is None else read(text(cell), text(state))


def partner(kind: str, title: str) -> str | None:
    """The title of the column whose cell is this one's ``state``: of a pod's Ready its Status, and the other way."""
    return _rule(_kind(kind), title.lower()).get("partner")


def shaped(title: str) -> bool:
    """Whether cells of a column have their tone's shape before them at all times, so that all begin alike."""
    return title.lower() in _STATES - {"type"}


def fault(kind: str, columns: Sequence[str], cells: Sequence[Any]) -> bool:
    """Whether a row is a fault: what needs somebody's look.

    Args:
        kind: As of `tone`.
        columns: The titles.
        cells: One for each title, as the server printed them.
    """
    return faults(kind, tuple(columns))(cells)


@lru_cache(maxsize=HEADS)
def faults(kind: str, columns: tuple[str, ...]) -> Callable[[Sequence[Any]], bool]:
    """`fault` for many rows of one table."""
    lower = [title.lower() for title in columns]
    looks: list[tuple[int, int, Reader]] = []
    for index, title in enumerate(lower):
        read, rule = _reader(kind, title), _rule(_kind(kind), title)
        if read is None or rule.get("quiet"):
            continue
        beside = rule.get("partner", "").lower()
        looks.append((index, lower.index(beside) if beside in lower else -1, read))

    def found(cells: Sequence[Any]) -> bool:
        for index, beside, read in looks:
            state = text(cells[beside]) if beside >= 0 else ""
            if read(text(cells[index]), state)[0] in ("bad", "warn"):
                return True
        return False

    return found


def condition(name: str, status: str) -> str:
    """The tone of an object's condition, such as ``("Ready", "False")``."""
    return _of_condition(name.lower(), status.lower())


# --- how a column is read ---------------------------------------------------------------------------------------------


@lru_cache(maxsize=KINDS)
def _kind(kind: str) -> str:
    """The kind as the tables have it; kubectl's short ``deployments`` is ``deployments.apps``."""
    kind = ALIASES.get(kind.lower(), kind.lower())
    if not kind or kind in _KNOWN or "." in kind:
        return kind
    return next((known for known in _KNOWN if known.partition(".")[0] == kind), kind)


def _rule(kind: str, title: str) -> dict[str, Any]:
    own = _COLUMNS.get(kind or "pods", {}) if kind or title in ("ready", "status") else {}
    rule: dict[str, Any] = own.get(title) or _COLUMNS["*"].get(title) or {}
    return rule


@lru_cache(maxsize=KINDS * 8)
def _reader(kind: str, title: str) -> Reader | None:
    kind, shown, title = _kind(kind), title, title.lower()
    rule = _rule(kind, title)
    words = _words(kind)
    made: dict[str, Callable[[], Reader]] = {
        "ratio": lambda: tone_rules.ratio(rule, lambda state: words(state, "")[0]),
        "cells": lambda: tone_rules.cells(rule),
        "holds": lambda: tone_rules.holds(rule),
        "most": lambda: tone_rules.most(rule),
        "quota": lambda: tone_rules.quota,
        "percent": lambda: tone_rules.percent(rule),
        "restarts": lambda: tone_rules.restarts,
        "words": lambda: words,
    }
    if rule:
        read: Reader = made[rule["rule"]]()
        return _or_truth(shown, read) if title == "ready" else read
    if title in _STATES:
        return words
    if title in _CONDITIONS["good"] or _BAD_CONDITION.search(title):
        return lambda cell, _state: _truth(shown, cell)
    return None


def _or_truth(title: str, read: Reader) -> Reader:
    """Ready is ``1/3`` of some kinds, and ``True`` of others."""

    def either(cell: str, state: str) -> Said:
        return read(cell, state) if "0" <= cell[:1] <= "9" else _truth(title, cell)

    return either


def _truth(title: str, cell: str) -> Said:
    """A condition's status in a column: ``True``, ``Unknown``, ``False (MissingEndpoints)``."""
    status, _, why = cell.partition(" ")
    found = _of_condition(title.lower(), status.lower())
    if not found:
        return NOTHING
    words = {"true": title, "false": f"not {title}"}.get(status.lower(), f"nobody can tell whether it is {title}")
    return found, f"{words} {why}" if why else words


def _of_condition(name: str, status: str) -> str:
    if status == "unknown":
        return "warn"
    if status not in _TRUTHS or name in _CONDITIONS["neutral"]:
        return ""
    if name in _CONDITIONS["done"]:
        return "done" if status == "true" else ""
    if _BAD_CONDITION.search(name):
        return "bad" if status == "true" else ""
    return "good" if status == "true" else "bad"


def _words(kind: str) -> Reader:
    """Of a state: the kind's own words, those of all kinds, and what sounds of failure."""
    own, general = _WORDS.get(kind, {}), _WORDS["*"]
    last = {} if kind else _WORDS["pods"]  # of an unknown kind only what no other kind says

    def one(cell: str) -> Said:
        lower = cell.lower()
        said = own.get(lower) or general.get(lower) or last.get(lower)
        if said is not None:
            return said
        if lower.startswith("init:"):
            return _init(cell[len("init:") :])
        if " " in cell:  # a sentence is no state; one that begins so tells of a failure
            return ("bad", "") if lower.startswith(("fail", "error")) else NOTHING
        if (ended := tone_rules.ended(cell)) is not None:
            return ended
        return ("bad", "") if _FAILING.search(cell) else NOTHING

    def _init(rest: str) -> Said:
        if tone_rules.RATIO.match(rest):
            return "warn", f"waiting: {rest.replace('/', ' of ', 1)} init containers are through"
        found, words = one(rest)
        return found or "warn", f"in an init container: {words or rest}"

    def read(cell: str, state: str) -> Said:
        said = own.get(cell.lower())
        if said is None and "," in cell and cell.lower() not in general and kind in ("", "nodes"):
            return tone_rules.worst([one(part) for part in cell.split(",")])
        found = said or one(cell)
        if found[0] == "good" and tone_rules.short(state):
            return "warn", f"{found[1]}, and {state.replace('/', ' of ', 1)} containers are ready"
        return found

    return read
