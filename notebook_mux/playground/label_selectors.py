"""Selectors inside of objects: a LabelSelector, and the requirements of node selectors.

Unlike the selectors of a query these are objects (API reference, "LabelSelector", "NodeSelectorRequirement"): an empty
one selects everything, one that is not there nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Json = dict[str, Any]


def selects(selector: Mapping[str, Any] | None, labels: Mapping[str, str]) -> bool:
    """Whether a LabelSelector selects what has these labels."""
    if selector is None:
        return False
    wanted = selector.get("matchLabels") or {}
    if any(labels.get(key) != value for key, value in wanted.items()):
        return False
    return all(requirement_holds(one, labels) for one in selector.get("matchExpressions") or ())


def requirement_holds(requirement: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Whether one requirement holds: ``In``, ``NotIn``, ``Exists``, ``DoesNotExist``, ``Gt``, ``Lt``."""
    key, operator = requirement.get("key"), requirement.get("operator")
    values: list[Any] = list(requirement.get("values") or ())
    own = labels.get(str(key))
    if operator == "In":
        return own is not None and own in values
    if operator == "NotIn":
        return own is None or own not in values
    if operator == "Exists":
        return own is not None
    if operator == "DoesNotExist":
        return own is None
    if operator in ("Gt", "Lt"):
        try:
            number, bound = int(own or ""), int(values[0])
        except (ValueError, IndexError):
            return False
        return number > bound if operator == "Gt" else number < bound
    return False
