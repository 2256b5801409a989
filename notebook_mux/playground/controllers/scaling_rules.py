"""What holds an autoscaler up: stabilisation windows, policies, and its limits (podautoscaler/horizontal.go)."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]

WINDOW_S = 300.0
"""--horizontal-pod-autoscaler-downscale-stabilization."""

FACTOR, MINIMUM = 2, 4
"""How far up at once without a behaviour: to twice as many, or to four."""

UP: Json = {
    "stabilizationWindowSeconds": 0,
    "selectPolicy": "Max",
    "policies": [
        {"type": "Pods", "value": 4, "periodSeconds": 15},
        {"type": "Percent", "value": 100, "periodSeconds": 15},
    ],
}
DOWN: Json = {"selectPolicy": "Max", "policies": [{"type": "Percent", "value": 100, "periodSeconds": 15}]}
"""What a behaviour has where it says nothing (kubernetes/pkg/apis/autoscaling/v2/defaults.go)."""

READY = ("ReadyForNewScale", "recommended size matches current size")
DOWN_STABILISED = (
    "ScaleDownStabilized",
    "recent recommendations were higher than current one, applying the highest recent recommendation",
)
UP_STABILISED = (
    "ScaleUpStabilized",
    "recent recommendations were lower than current one, applying the lowest recent recommendation",
)
WITHIN = ("DesiredWithinRange", "the desired count is within the acceptable range")
UP_LIMIT = ("ScaleUpLimit", "the desired replica count is increasing faster than the maximum scale rate")
DOWN_LIMIT = ("ScaleDownLimit", "the desired replica count is decreasing faster than the maximum scale rate")
TOO_MANY = ("TooManyReplicas", "the desired replica count is more than the maximum replica count")
TOO_FEW = ("TooFewReplicas", "the desired replica count is less than the minimum replica count")


@dataclass(slots=True)
class History:
    """What an autoscaler remembers.

    Attributes:
        recommendations: When which number of replicas was proposed.
        ups: When how many were added.
        downs: When how many were taken away.
    """

    recommendations: list[tuple[float, int]] = field(default_factory=list)
    ups: list[tuple[float, int]] = field(default_factory=list)
    downs: list[tuple[float, int]] = field(default_factory=list)

    def scaled(self, now: float, before: int, after: int, behaviour: Json | None) -> None:
        """Remember that the target was scaled, where a policy may ask for it."""
        if behaviour is None:
            return
        which, rules = (self.ups, UP) if after > before else (self.downs, DOWN)
        said = rules_of(behaviour, "scaleUp" if after > before else "scaleDown")
        longest = max((one["periodSeconds"] for one in (said or rules)["policies"]), default=0)
        which[:] = [one for one in which if one[0] > now - longest]
        which.append((now, abs(after - before)))


@dataclass(frozen=True, slots=True)
class Limits:
    """How many replicas there are, and may be."""

    current: int
    least: int
    most: int


@dataclass(frozen=True, slots=True)
class Normal:
    """What became of a proposal.

    Args:
        replicas: How many.
        able: Reason and message of the condition AbleToScale.
        limited: Whether it is less, or more, than was proposed.
        why: Reason and message of the condition ScalingLimited.
    """

    replicas: int
    able: tuple[str, str]
    limited: bool
    why: tuple[str, str]


def rules_of(behaviour: Json, direction: str) -> Json:
    """The rules for a direction, ``scaleUp`` or ``scaleDown``, with their defaults."""
    defaults = UP if direction == "scaleUp" else DOWN
    said = {key: value for key, value in (behaviour.get(direction) or {}).items() if value is not None}
    return {"stabilizationWindowSeconds": WINDOW_S, **defaults, **said}


def normalise(history: History, now: float, limits: Limits, proposed: int, behaviour: Json | None) -> Normal:
    """What may be done of a proposal.

    Args:
        history: What is remembered; the proposal is added.
        now: Unix seconds.
        limits: How many replicas there are, and may be.
        proposed: By the metrics.
        behaviour: Of the autoscaler's spec.
    """
    if behaviour is None:
        recent = [one for at, one in history.recommendations if at >= now - WINDOW_S]
        stable, able = max([proposed, *recent]), DOWN_STABILISED
        replicas, why = _by_limits(limits, stable)
    else:
        stable, able = _stabilise(history, now, limits.current, proposed, behaviour)
        replicas, why = _by_policies(history, now, limits, stable, behaviour)
    windows = [rules_of(behaviour or {}, one)["stabilizationWindowSeconds"] for one in ("scaleUp", "scaleDown")]
    kept = now - max(WINDOW_S, *windows)
    history.recommendations[:] = [one for one in history.recommendations if one[0] >= kept]
    history.recommendations.append((now, proposed))
    return Normal(replicas, READY if stable == proposed else able, replicas != stable, why)


def _by_limits(limits: Limits, wanted: int) -> tuple[int, tuple[str, str]]:
    fastest = max(FACTOR * limits.current, MINIMUM)
    most, why = (fastest, UP_LIMIT) if limits.most > fastest else (limits.most, TOO_MANY)
    if wanted < limits.least:
        return limits.least, TOO_FEW
    return (most, why) if wanted > most else (wanted, WITHIN)


def _stabilise(
    history: History, now: float, current: int, proposed: int, behaviour: Json
) -> tuple[int, tuple[str, str]]:
    up, down = (now - rules_of(behaviour, one)["stabilizationWindowSeconds"] for one in ("scaleUp", "scaleDown"))
    lowest = min([proposed, *(one for at, one in history.recommendations if at > up)])
    highest = max([proposed, *(one for at, one in history.recommendations if at > down)])
    stable = min(max(current, lowest), highest)
    return stable, UP_STABILISED if proposed >= current else DOWN_STABILISED


def _by_policies(
    history: History, now: float, limits: Limits, wanted: int, behaviour: Json
) -> tuple[int, tuple[str, str]]:
    if wanted > limits.current:
        fastest = max(limits.current, _limit(history, now, limits.current, rules_of(behaviour, "scaleUp"), up=True))
        most, why = (fastest, UP_LIMIT) if limits.most > fastest else (limits.most, TOO_MANY)
        return (most, why) if wanted > most else (wanted, WITHIN)
    if wanted < limits.current:
        slowest = min(limits.current, _limit(history, now, limits.current, rules_of(behaviour, "scaleDown"), up=False))
        least, why = (slowest, DOWN_LIMIT) if limits.least < slowest else (limits.least, TOO_FEW)
        return (least, why) if wanted < least else (wanted, WITHIN)
    return wanted, WITHIN


def _limit(history: History, now: float, current: int, rules: Json, *, up: bool) -> int:
    """How far the policies let it go at this moment."""
    select = rules["selectPolicy"]
    if select == "Disabled" or not rules["policies"]:
        return current
    found: list[int] = []
    for policy in rules["policies"]:
        since = now - policy["periodSeconds"]
        added, taken = (sum(one for at, one in which if at > since) for which in (history.ups, history.downs))
        begun = current - added + taken
        if policy["type"] == "Pods":
            found.append(begun + policy["value"] if up else begun - policy["value"])
        else:
            share = policy["value"] / 100
            found.append(math.ceil(begun * (1 + share)) if up else int(begun * (1 - share)))
    return max(found) if up == (select == "Max") else min(found)
