"""What a table can be set to, checked before anything is set."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from typing import Any

import traitlets

from notebook_mux.errors import InvalidArgument

MIN_HEIGHT, MAX_HEIGHT = 80, 4000
"""Pixels: a header and a row; far more than a screen."""

MAX_LABELS = 20
"""Labels as columns."""

GROUPS = ("namespace", "node", "owner", "cluster")
LABEL_GROUP = "label:"

_LABEL = re.compile(r"(?:[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?/)?[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
"""A label's key, as the API takes it: a prefix that is a DNS name, and a name."""


TRAITS = ("filter", "faults", "wide", "usage", "labels", "sort", "group", "height")
"""The traits that a page is told of."""

OF_PAGES: dict[str, type] = {"filter": str, "faults": bool, "wide": bool, "usage": bool, "group": str}
"""The settings that a page may change, and the type of their values."""

UNSET: Any = object()


def checked(widget: traitlets.HasTraits, given: Mapping[str, Any]) -> dict[str, Any]:
    """The values as the traits keep them; what they would not take is refused before the first of them is set.

    Raises:
        InvalidArgument: One is of the wrong type, or out of bounds.
    """
    with widget.cross_validation_lock:  # which look at values beside others are asked with these
        return {
            trait: value if value is UNSET else widget.traits()[trait]._validate(widget, value)
            for trait, value in given.items()
        }


def checked_group(group: Any) -> str | None:
    """What rows are grouped by: None, one of `GROUPS`, or ``label:KEY``.

    Raises:
        InvalidArgument: It is none of these.
    """
    if group is None or group == "":
        return None
    if isinstance(group, str):
        if group in GROUPS:
            return group
        if group.startswith(LABEL_GROUP):
            _check_label(group.removeprefix(LABEL_GROUP))
            return group
    near = difflib.get_close_matches(group, GROUPS, 1) if isinstance(group, str) else []
    some = f'one of {", ".join(GROUPS)}, or "label:KEY" such as "label:app"'
    raise InvalidArgument(f"rows cannot be grouped by {group!r}", todo=f"did you mean {near[0]!r}?" if near else some)


def checked_labels(labels: Any) -> tuple[str, ...]:
    """Keys of labels that are columns.

    Raises:
        InvalidArgument: One cannot be a label's key, or there are too many.
    """
    keys = (labels,) if isinstance(labels, str) else labels
    if not isinstance(keys, Sequence | set | frozenset) or not all(isinstance(key, str) for key in keys):
        raise InvalidArgument("labels are a list of keys", todo='such as labels=["app"]')
    found = tuple(dict.fromkeys(keys))
    if len(found) > MAX_LABELS:
        raise InvalidArgument(f"{len(found)} labels as columns", todo=f"at most {MAX_LABELS}")
    for key in found:
        _check_label(key)
    return found


def _check_label(key: str) -> None:
    if not _LABEL.fullmatch(key):
        raise InvalidArgument(f"{key!r} cannot be a label's key", todo='such as "app" or "app.kubernetes.io/name"')
