"""Selectors of nodes and tolerations of taints."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from notebook_mux.playground.controllers.scheduling.pods import REQUIRED
from notebook_mux.playground.label_selectors import requirement_holds

Json = dict[str, Any]

HOLDING = ("NoSchedule", "NoExecute")
"""Effects of taints that keep pods away; PreferNoSchedule only speaks against a node."""


def term_holds(term: Json, name: str, labels: Mapping[str, str]) -> bool:
    """Whether a node selector's term holds for a node; an empty one never does."""
    expressions, fields = term.get("matchExpressions") or (), term.get("matchFields") or ()
    if not expressions and not fields:
        return False
    return all(requirement_holds(one, labels) for one in expressions) and all(
        requirement_holds(one, {"metadata.name": name}) for one in fields
    )


def selector_holds(selector: Json | None, name: str, labels: Mapping[str, str]) -> bool:
    """Whether one of a node selector's terms holds; one that is not there always does."""
    if selector is None:
        return True
    return any(term_holds(one, name, labels) for one in selector.get("nodeSelectorTerms") or ())


def required_terms(spec: Json) -> Json | None:
    """The node selector that a pod requires by affinity."""
    found: Json | None = ((spec.get("affinity") or {}).get("nodeAffinity") or {}).get(REQUIRED)
    return found


def fits_labels(spec: Json, name: str, labels: Mapping[str, str]) -> bool:
    """Whether a node is one that a pod wants by its nodeSelector and its required affinity."""
    plain = spec.get("nodeSelector") or {}
    if any(labels.get(key) != value for key, value in plain.items()):
        return False
    return selector_holds(required_terms(spec), name, labels)


def tolerates(tolerations: Iterable[Json], taint: Json) -> bool:
    """Whether one of some tolerations is for a taint."""
    return any(_tolerates(one, taint) for one in tolerations)


def _tolerates(toleration: Json, taint: Json) -> bool:
    if toleration.get("effect") and toleration["effect"] != taint.get("effect"):
        return False
    if toleration.get("key") and toleration["key"] != taint.get("key"):
        return False
    if toleration.get("operator") == "Exists":
        return True
    return bool(toleration.get("key")) and (toleration.get("value") or "") == (taint.get("value") or "")


def untolerated(spec: Json, taints: Iterable[Json], effects: Iterable[str] = HOLDING) -> list[Json]:
    """The taints of some effects that a pod does not tolerate."""
    own = spec.get("tolerations") or ()
    return [one for one in taints if str(one.get("effect")) in effects and not tolerates(own, one)]
