"""How many pods each replica set of a deployment is to have (docs: "Deployments", "Rolling Update Deployment")."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

from notebook_mux.playground.controllers.rollouts.sets import MAX, Set

Json = dict[str, Any]


def share(value: Any, of: int, *, up: bool) -> int:
    """A number or a percentage of the replicas, as maxSurge (up) and maxUnavailable (down) have it."""
    if isinstance(value, str) and value.endswith("%"):
        exact = int(value[:-1]) * of / 100
        return math.ceil(exact) if up else math.floor(exact)
    return int(value or 0)


def _rolling(spec: Json) -> Json | None:
    strategy = spec.get("strategy") or {}
    if strategy.get("type", "RollingUpdate") != "RollingUpdate":
        return None
    found: Json = strategy.get("rollingUpdate") or {}
    return found


def surge(spec: Json) -> int:
    """How many pods more than wanted there may be."""
    rolling = _rolling(spec)
    return share(rolling.get("maxSurge", "25%"), spec["replicas"], up=True) if rolling is not None else 0


def unavailable(spec: Json) -> int:
    """How many of those wanted may be missing: one at least, where none may be there beyond them."""
    rolling, wanted = _rolling(spec), int(spec["replicas"])
    if rolling is None or not wanted:
        return 0
    found = share(rolling.get("maxUnavailable", "25%"), wanted, up=False)
    if not found and not share(rolling.get("maxSurge", "25%"), wanted, up=True):
        return 1
    return min(found, wanted)


def of_new(spec: Json, found: Sequence[Set], new: Set | None) -> int:
    """How many the newest set is to have: as many as there is room for."""
    wanted = int(spec["replicas"])
    own = new.replicas if new is not None else 0
    if _rolling(spec) is None:
        others = any(one.replicas for one in found if new is None or one.name != new.name)
        return own if others else wanted
    if own >= wanted:
        return wanted
    total = sum(one.replicas for one in found)
    room = wanted + surge(spec) - total
    return own if room <= 0 else own + min(room, wanted - own)


def of_old(spec: Json, old: Sequence[Set], new: Set) -> Iterator[tuple[Set, int]]:
    """How many the older sets are to have: first those that do not work go, then as many as can be missed."""
    wanted = int(spec["replicas"])
    active = [one for one in old if one.replicas]
    total = new.replicas + sum(one.replicas for one in active)
    least = wanted - unavailable(spec)
    most = total - least - (new.replicas - new.count("availableReplicas"))
    if not active or most <= 0:
        return
    left = {one.name: one.replicas for one in active}
    active.sort(key=lambda one: one.made)
    gone = 0
    for one in active:  # what does not work anyway
        broken = one.replicas - one.count("availableReplicas")
        count = min(most - gone, broken)
        if count > 0:
            left[one.name] -= count
            gone += count
    available = new.count("availableReplicas") + sum(one.count("availableReplicas") for one in active)
    spare = available - least
    for one in active:
        count = min(left[one.name], spare)
        if count > 0:
            left[one.name] -= count
            spare -= count
    for one in active:
        if left[one.name] != one.replicas:
            yield one, left[one.name]


def proportional(spec: Json, found: Sequence[Set], new: Set | None) -> Iterator[tuple[Set, int]]:
    """The sizes after the wish for another number, or while a roll-out is paused: each set keeps its part."""
    wanted = int(spec["replicas"])
    active = [one for one in found if one.replicas]
    newest = new or max(found, key=lambda one: one.revision, default=None)
    if len(active) <= 1:
        only = active[0] if active else newest
        if only is not None:
            yield only, wanted
        return
    if new is not None and new.replicas == wanted == new.count("availableReplicas"):
        yield from ((one, 0) for one in active if one.name != new.name)
        return
    if _rolling(spec) is None:
        return
    total = sum(one.replicas for one in active)
    allowed = wanted + surge(spec) if wanted else 0
    more = allowed - total
    active.sort(key=lambda one: one.made, reverse=more > 0)
    active.sort(key=lambda one: -one.replicas)
    sizes, given = {}, 0
    for one in active:
        part = _part(one, allowed, more, given) if more else 0
        sizes[one.name] = one.replicas + part
        given += part
    sizes[active[0].name] = max(0, sizes[active[0].name] + more - given)
    yield from ((one, sizes[one.name]) for one in active)


def _part(one: Set, allowed: int, more: int, given: int) -> int:
    """What one set gets of what is to be given or taken, by its part of what there was."""
    before = one.annotation(MAX)
    of = int(before) if before is not None and before.isdigit() and int(before) else allowed or 1
    part = round(one.replicas * allowed / of) - one.replicas
    return min(part, more - given) if more > 0 else max(part, more - given)
