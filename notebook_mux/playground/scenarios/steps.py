"""The steps of a story: when something happens, and what. Read strictly; `verbs` carries them out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from notebook_mux.playground.scenarios.marks import Map, Place, Seq
from notebook_mux.playground.scenarios.values import Span, near, pods_span, seconds, span, value_of, whole_span

AT, AFTER, EVERY = "at", "after", "every"
WHEN, TIMES, UNTIL = "when", "times", "until"
TIMINGS = (AT, AFTER, EVERY, WHEN, TIMES, UNTIL)
DO, FAIL_NODE, HEAL_NODE, APPLY = "do", "fail-node", "heal-node", "apply"

SHORTEST_S = 0.1
"""Between two firings of a step that is repeated: less would be a storm."""

STAGES = ("complete", "fail", "crash", "oom", "start-error", "no-image", "slow", "unready", "unhealthy", "stops")
"""What a behaviour may say; see `controllers.behaviour`."""


@dataclass(frozen=True)
class Step:
    """One step.

    Args:
        place: Where it stands.
        path: Which it is, for what is drawn for it: ``2``, ``2.0``. Two that share one draw the same.
        verb: What is done.
        fields: How, in the forms of `FIELDS`.
        timing: ``at``, ``after`` or ``every``.
        time: Seconds: since the beginning, since the step before, between two firings.
        start: Of ``every``: when it fires first; None is one interval after the beginning.
        times: Of ``every``: how often; None is for ever.
        until: Of ``every``: not after it.
        steps: Of ``do``.
    """

    place: Place
    path: str
    verb: str
    fields: Mapping[str, Any]
    timing: str
    time: Span
    start: Span | None = None
    times: int | None = None
    until: float | None = None
    steps: tuple[Step, ...] = field(default=())


# ------------------------------------------------------------------------------------------------------ fields

Reader = Callable[[Any, Place], Any]


def text(value: Any, place: Place) -> str:
    """A text.

    Raises:
        BadScenario: It is none, or empty.
    """
    if isinstance(value, str) and value.strip():
        return value
    raise place.wrong(f"{shown(value)} is no text", todo="quote it if it is meant to be one")


def texts(value: Any, place: Place) -> tuple[str, ...]:
    """A text, or several of which one is drawn.

    Raises:
        BadScenario: It is neither.
    """
    if isinstance(value, Seq):
        if not value:
            raise place.wrong("an empty list: there is nothing to draw from")
        return tuple(text(one, at) for one, at in zip(value, value.places, strict=True))
    return (text(value, place),)


def mapping(value: Any, place: Place) -> Map:
    """A mapping.

    Raises:
        BadScenario: It is none.
    """
    if not isinstance(value, Map):
        raise place.wrong(f"{shown(value)} is no mapping", todo="write keys and values, as name: value")
    return value


def sequence(value: Any, place: Place) -> Seq:
    """A list.

    Raises:
        BadScenario: It is none.
    """
    if not isinstance(value, Seq):
        raise place.wrong(f"{shown(value)} is no list", todo="begin each item with a dash")
    return value


def _targets(value: Any, place: Place) -> tuple[str, ...]:
    found = texts(value, place)
    for one in found:
        if one.count("/") > 1 or one.startswith("/") or one.endswith("/"):
            raise place.wrong(f"{one!r} names no object", todo="write kind/name, such as deployment/web")
    return found


def behaviour(value: Any, place: Place) -> str:
    """The stages of a behaviour; nothing is none.

    Raises:
        BadScenario: One is not known, or has no number where it needs one.
    """
    if value is None:
        return ""
    for stage in text(value, place).split(";"):
        word, *numbers = stage.split() or [""]
        if word not in STAGES:
            raise place.wrong(f"{word!r} is no behaviour", todo=near(word, STAGES))
        for number in numbers:
            try:
                float(number)
            except ValueError:
                raise place.wrong(f"{number!r} is no number in the behaviour {stage.strip()!r}") from None
    return str(value)


def _code(value: Any, place: Place) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 255:
        raise place.wrong(f"{shown(value)} is no exit code", todo="0 to 255; 137 is a kill")
    return value


def _manifests(value: Any, place: Place) -> list[Map]:
    if isinstance(value, Seq):
        return [mapping(one, at) for one, at in zip(value, value.places, strict=True)]
    return [mapping(value, place)]


def _kind_of_patch(value: Any, place: Place) -> str:
    if value not in ("strategic", "merge"):
        raise place.wrong(f"{shown(value)} is no kind of patch", todo="strategic or merge")
    return str(value)


WHERE: Mapping[str, Reader] = {"target": _targets, "namespace": text}
CHOSEN: Mapping[str, Reader] = {**WHERE, "selector": text, "count": whole_span}

VERBS: Mapping[str, Mapping[str, Reader]] = {
    APPLY: {"manifests": _manifests},
    "patch": {**WHERE, "patch": mapping, "type": _kind_of_patch},
    "scale": {**WHERE, "replicas": pods_span},
    "set-image": {**WHERE, "image": texts, "container": text, "cause": text},
    "delete": {**CHOSEN, "grace": seconds},
    FAIL_NODE: {"node": texts, "grace": seconds, "for": span},
    HEAL_NODE: {"node": texts},
    "kill-container": {**CHOSEN, "container": text, "code": _code, "reason": text},
    "load": {**WHERE, "cpu": texts},
    "behaviour": {**WHERE, "image": text, "container": text, "does": behaviour},
    DO: {},
}
"""What can be done, and how it is said."""

NEEDED: Mapping[str, tuple[str, ...]] = {
    "patch": ("target", "patch"),
    "scale": ("target", "replicas"),
    "set-image": ("target", "image"),
    "delete": ("target",),
    FAIL_NODE: ("node",),
    HEAL_NODE: ("node",),
    "kill-container": ("target",),
    "load": ("target", "cpu"),
    "behaviour": ("does",),
}
SHORT = {"delete": "target", "kill-container": "target", FAIL_NODE: "node", HEAL_NODE: "node"}
"""Verbs that may be followed by a text alone, and what that is."""


def shown(value: Any) -> str:
    """A value in an error."""
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    return "nothing" if value is None else repr(value)


# ------------------------------------------------------------------------------------------------------- steps


def read(value: Any, place: Place, known: Mapping[str, Any], above: str = "") -> tuple[Step, ...]:
    """The steps of a list, without those of other choices.

    Args:
        value: The list.
        place: Where it stands.
        known: What is chosen.
        above: The path of the step that they are a part of.

    Raises:
        BadScenario: One is not right; those of other choices are looked at, too.
    """
    found = []
    for number, (one, at) in enumerate(zip(sequence(value, place), value.places, strict=True)):
        said = mapping(one, at)
        step = _step(said, f"{above}{number}", known, nested=bool(above))
        if WHEN not in said or _holds(said[WHEN], said.at(WHEN), known):
            found.append(step)
    return tuple(found)


def _step(said: Map, path: str, known: Mapping[str, Any], *, nested: bool) -> Step:
    verbs = [key for key in said if key in VERBS]
    for key in said:
        if key not in VERBS and key not in TIMINGS:
            raise said.at(key).wrong(f"there is no {key!r} in a step", todo=near(key, (*VERBS, *TIMINGS)))
    if len(verbs) != 1:
        have = f"has {' and '.join(verbs)}" if verbs else "does nothing"
        raise said.place.wrong(f"a step that {have}", todo=f"each step has one of {', '.join(VERBS)}")
    verb = verbs[0]
    timing = _timing(said, nested=nested)
    fields = _fields(verb, said[verb], said.at(verb))
    steps: tuple[Step, ...] = ()
    if verb == DO:
        steps = read(said[DO], said.at(DO), known, f"{path}.")
    elif verb == FAIL_NODE and "for" in fields:
        back = {"node": fields["node"]}
        steps = (Step(said.place, path, HEAL_NODE, back, AT, fields["for"]),)
    return Step(said.place, path, verb, fields, steps=steps, **timing)


def _timing(said: Map, *, nested: bool) -> dict[str, Any]:
    named = [key for key in (AT, AFTER, EVERY) if key in said]
    if EVERY in named:
        if nested:
            raise said.at(EVERY).wrong("a step within another is not repeated", todo="repeat the outer one")
        if AFTER in named:
            raise said.at(AFTER).wrong("after and every exclude each other", todo="say with at when it begins")
        time = span(said[EVERY], said.at(EVERY))
        if time[0] < SHORTEST_S:
            raise said.at(EVERY).wrong(f"every {said[EVERY]} is too often", todo=f"at least {SHORTEST_S} s apart")
        start = span(said[AT], said.at(AT)) if AT in said else None
        times = whole_span(said[TIMES], said.at(TIMES))[0] if TIMES in said else None
        until = seconds(said[UNTIL], said.at(UNTIL)) if UNTIL in said else None
        return {"timing": EVERY, "time": time, "start": start, "times": times, "until": until}
    for key in (TIMES, UNTIL):
        if key in said:
            raise said.at(key).wrong(f"{key} belongs to every, which this step has not")
    if len(named) != 1:
        have = "at and after, which exclude each other" if named else "no time"
        raise said.place.wrong(f"a step with {have}", todo="give at, after or every")
    time = span(said[named[0]], said.at(named[0]))
    if time[0] < 0 and (nested or named[0] == AFTER):
        raise said.at(named[0]).wrong("a time before the step that it counts from")
    return {"timing": named[0], "time": time}


def _fields(verb: str, value: Any, place: Place) -> dict[str, Any]:
    readers = VERBS[verb]
    if verb == APPLY:
        return {"manifests": _manifests(value, place)}
    if verb == DO:
        return {}
    if verb in SHORT and isinstance(value, str | Seq):
        return {SHORT[verb]: readers[SHORT[verb]](value, place)}
    said = mapping(value, place)
    found = {}
    for key, one in said.items():
        if key not in readers:
            raise said.at(key).wrong(f"{verb} has no {key!r}", todo=near(key, readers))
        found[key] = readers[key](one, said.at(key))
    for key in NEEDED.get(verb, ()):
        if key not in found:
            raise said.place.wrong(f"{verb} needs {key!r}", todo=f"it has {', '.join(readers)}")
    if verb == "behaviour" and ("target" in found) == ("image" in found):
        raise said.place.wrong("behaviour needs either 'target' or 'image'")
    if "target" in found and not ("selector" in readers and "selector" in found):
        for one in found["target"]:
            if "/" not in one:
                more = ", or give a selector" if "selector" in readers else ""
                raise said.at("target").wrong(f"{one!r} names no object", todo=f"write {one}/NAME{more}")
    return found


def _holds(value: Any, place: Place, known: Mapping[str, Any]) -> bool:
    said = mapping(value, place)
    return all(
        value_of(name, known, said.at(name)) in (wanted if isinstance(wanted, list) else [wanted])
        for name, wanted in said.items()
    )
