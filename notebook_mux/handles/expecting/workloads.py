"""How objects stand: how many pods of a workload are ready, which image it has, whether that is rolled out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from notebook_mux.handles.expecting.looks import NAMES, Look, Things, going, more, of_each
from notebook_mux.handles.objects import Object
from notebook_mux.handles.targets import is_ready

NOT_SEEN = "its controller has not seen the newest change yet"

POD, NODE = "Pod", "Node"

OBSERVED = frozenset({"DaemonSet", "Deployment", "ReplicaSet", "ReplicationController", "StatefulSet"})
"""Kinds whose controllers say which state of the object they have seen (k8s.io/api/apps/v1, core/v1)."""


class Standing(NamedTuple):
    """How many of how many are ready: pods of a workload, or the object itself as 1 of 1."""

    ready: int
    wanted: int


def standing(obj: Object) -> Standing:
    """How an object stands, from what its controller wrote into its status."""
    spec, status = _part(obj, "spec"), _part(obj, "status")
    if obj.kind == POD:
        return Standing(int(is_ready(obj)), 1)
    if obj.kind == "DaemonSet":
        return Standing(_number(status.get("numberReady")), _number(status.get("desiredNumberScheduled")))
    if obj.kind == "Job":
        return Standing(_number(status.get("ready")), _number(spec.get("parallelism"), 1))
    if "replicas" in spec or "readyReplicas" in status:
        return Standing(_number(status.get("readyReplicas")), _number(spec.get("replicas"), 1))
    ready = condition_of(obj, "Ready")
    return Standing(int(ready is not None and ready.get("status") == "True" and not going(obj)), 1)


def condition_of(obj: Mapping[str, Any], type_: str) -> Mapping[str, Any] | None:
    """The condition of that type, in whatever case it was written."""
    for one in _part(obj, "status").get("conditions") or ():
        if isinstance(one, Mapping) and str(one.get("type", "")).lower() == type_.lower():
            return one
    return None


def behind(obj: Mapping[str, Any]) -> bool:
    """Whether the status is of an older state of the object than its newest."""
    observed, generation = _part(obj, "status").get("observedGeneration"), _part(obj, "metadata").get("generation")
    if observed is None and str(obj.get("kind", "")) in OBSERVED:
        observed = 0  # left out where it is none: nobody has looked at it
    return isinstance(observed, int) and isinstance(generation, int) and observed < generation


# --- ready ------------------------------------------------------------------------------------------------------------


def ready(wanted: int | bool, several: bool) -> tuple[str, Callable[[Things], Look]]:
    """What is expected in words, and the look.

    Args:
        wanted: How many; True is all of them, False none.
        several: Whether the target is a list, of which so many objects are to be ready; else its pods are meant.
    """
    if isinstance(wanted, bool):
        words = "that it is ready" if wanted else "that it is not ready"
        if several:
            words = "that all are ready" if wanted else "that none is ready"
        return words, lambda things: of_each(things.objects, lambda obj: _all_ready(obj, wanted))
    if several:
        return f"{wanted} ready", lambda things: _so_many(things.objects, wanted)
    return f"{wanted} ready {'pod' if wanted == 1 else 'pods'}", lambda things: of_each(
        things.objects, lambda obj: _ready_pods(obj, wanted)
    )


def _all_ready(obj: Object, wanted: bool) -> Look:
    at = standing(obj)
    if behind(obj):
        return Look(False, NOT_SEEN, at.ready)
    if at.wanted == 1:
        return Look(bool(at.ready) is wanted, "ready" if at.ready else "not ready", at.ready)
    return Look((at.ready == at.wanted) if wanted else not at.ready, _of(at), at.ready)


def _ready_pods(obj: Object, wanted: int) -> Look:
    at = standing(obj)
    if behind(obj):
        return Look(False, NOT_SEEN, at.ready)
    if at.wanted != wanted:
        return Look(False, f"{_of(at)}: it asks for {at.wanted}", at.ready)
    return Look(at.ready == wanted, _of(at), at.ready)


def _so_many(objects: Sequence[Object], wanted: int) -> Look:
    stands = [(one.name, standing(one)) for one in objects if not going(one)]
    good = sum(at.ready >= at.wanted for _, at in stands)
    waiting = [name for name, at in stands if at.ready < at.wanted]
    words = f"{good} of {len(stands)} {_are(good)} ready"
    if good != wanted and waiting:
        words += f", not {', '.join(waiting[:NAMES])}{more(len(waiting))}"
    return Look(good == wanted, words, good)


def _of(at: Standing) -> str:
    return f"{at.ready} of {at.wanted} {_are(at.ready)} ready"


def _are(count: int) -> str:
    return "is" if count == 1 else "are"


# --- image ------------------------------------------------------------------------------------------------------------


def image(wanted: str) -> Callable[[Things], Look]:
    """Whether a container has the image, and a workload has rolled it out to all its pods."""
    return lambda things: of_each(things.objects, lambda obj: _image(obj, wanted))


def _image(obj: Object, wanted: str) -> Look:
    found = list(dict.fromkeys(images(obj)))
    words = f"image {' and '.join(found[:NAMES])}{more(len(found))}" if found else "no container"
    value = found[0] if len(found) == 1 else found
    if full_image(wanted) not in map(full_image, found):
        return Look(False, words, value)
    rolled = rolled_out(obj)
    return Look(not rolled, f"{words}, {rolled}" if rolled else words, value)


def images(obj: Object) -> Iterator[str]:
    """The images of an object's containers, or of those of the pods that it makes."""
    spec = _part(obj, "spec")
    if obj.kind == "CronJob":
        spec = _part(_part(spec, "jobTemplate"), "spec")
    if obj.kind != POD:
        spec = _part(_part(spec, "template"), "spec")
    for one in spec.get("containers") or ():
        yield str(one.get("image") or "")


def full_image(name: str) -> str:
    """An image's name with all that is meant where it is left out: ``nginx`` is ``docker.io/library/nginx:latest``."""
    host, slash, rest = name.partition("/")
    if not slash or not ("." in host or ":" in host or host == "localhost"):
        host, rest = "docker.io", name
    if host == "docker.io" and "/" not in rest:
        rest = f"library/{rest}"
    if "@" not in rest and ":" not in rest.rpartition("/")[2]:
        rest += ":latest"
    return f"{host}/{rest}"


def rolled_out(obj: Object) -> str:
    """What is still to be rolled out, as ``kubectl rollout status`` tells it; "" where nothing is."""
    spec, status = _part(obj, "spec"), _part(obj, "status")
    if behind(obj):
        return NOT_SEEN
    if obj.kind == "DaemonSet":
        updated, wanted = _number(status.get("updatedNumberScheduled")), _number(status.get("desiredNumberScheduled"))
        there = updated
    elif obj.kind in ("Deployment", "StatefulSet"):
        updated, wanted = _number(status.get("updatedReplicas")), _number(spec.get("replicas"), 1)
        there = _number(status.get("replicas"))
    else:
        return ""
    if updated < wanted:
        return f"rolled out to {updated} of {wanted}"
    return f"{there - updated} old {'one is' if there - updated == 1 else 'ones are'} still there" * (there > updated)


def _part(obj: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = obj.get(key)
    return found if isinstance(found, Mapping) else {}


def _number(value: Any, missing: int = 0) -> int:
    return value if isinstance(value, int) else missing
