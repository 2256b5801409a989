"""What a seed chooses, ``${name}`` in texts, and numbers and times that are drawn between bounds."""

from __future__ import annotations

import difflib
import random
import re
from collections.abc import Iterable, Mapping
from typing import Any

from notebook_mux.playground.scenarios.marks import Map, Place, Seq

UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
DURATION = re.compile(r"-?(?:\d+(?:\.\d+)?[smhd])+")
PART = re.compile(r"(\d+(?:\.\d+)?)([smhd])")
NAMED = re.compile(r"\$\$\{|\$\{([^{}]*)\}")
BETWEEN = ".."

Span = tuple[float, float]
"""From and to; the same twice where nothing is drawn."""


def near(word: str, known: Iterable[str]) -> str:
    """What to do about a word that is not known."""
    names = sorted(known)
    found = difflib.get_close_matches(word, names, 3)
    return f"did you mean {' or '.join(found)}?" if found else f"known are {', '.join(names)}"


# ------------------------------------------------------------------------------------------------- what is chosen


def chosen(choices: Mapping[str, list[Any]], seed: str, number: int = 0) -> dict[str, Any]:
    """One value for each name.

    Args:
        choices: What can be chosen, by name.
        seed: Decides.
        number: Of the cluster: those of one seed take different values, as far as there are enough.
    """
    found = {}
    for name, values in choices.items():
        order = list(range(len(values)))
        random.Random(f"{seed}/choose/{name}").shuffle(order)
        found[name] = plain(values[order[number % len(order)]])
    return found


def plain(value: Any) -> Any:
    """The same without places."""
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [plain(one) for one in value]
    return value


def filled(value: Any, known: Mapping[str, Any], place: Place) -> Any:
    """The same with what ``${name}`` and ``${name.part}`` stand for; ``$${`` is ``${`` itself.

    Raises:
        BadScenario: Nothing of that name is chosen.
    """
    if isinstance(value, Map):
        made = Map(value.place)
        for key, one in value.items():
            at = value.at(key)
            name = _text(key, known, at)
            made[name] = filled(one, known, at)
            made.places[name] = at
        return made
    if isinstance(value, Seq):
        items = Seq(value.place)
        for one, at in zip(value, value.places, strict=True):
            items.append(filled(one, known, at))
            items.places.append(at)
        return items
    if not isinstance(value, str) or "${" not in value:
        return value
    whole = NAMED.fullmatch(value)
    return value_of(whole[1], known, place) if whole and whole[1] is not None else _text(value, known, place)


def _text(text: str, known: Mapping[str, Any], place: Place) -> str:
    def one(match: re.Match[str]) -> str:
        if match[1] is None:
            return "${"
        found = value_of(match[1], known, place)
        if isinstance(found, dict | list):
            raise place.wrong(f"${{{match[1]}}} is no text", todo="name one of its parts, or let it stand alone")
        return str(found).lower() if isinstance(found, bool) else str(found)

    return NAMED.sub(one, text) if "${" in text else text


def value_of(name: str, known: Mapping[str, Any], place: Place) -> Any:
    """What is chosen under a name, or a part of it, ``cause.image``.

    Raises:
        BadScenario: Nothing is.
    """
    found: Any = known
    for part in name.split("."):
        if not isinstance(found, Mapping) or part not in found:
            names = found if isinstance(found, Mapping) else known
            raise place.wrong(
                f"nothing is chosen under ${{{name}}}",
                todo=f"{near(part, names)}; what is no name of yours is written $${{...}}",
            )
        found = found[part]
    return found


# --------------------------------------------------------------------------------------------- numbers and times


def seconds(value: Any, place: Place) -> float:
    """A time: ``90``, ``90s``, ``1m30s``, ``2h``, ``3d``.

    Raises:
        BadScenario: It is none.
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, str) or not DURATION.fullmatch(value):
        raise place.wrong(f"{value!r} is no time", todo="write seconds, or such as 90s, 1m30s, 2h, 3d")
    found = sum(float(number) * UNITS[unit] for number, unit in PART.findall(value))
    return -found if value.startswith("-") else found


def span(value: Any, place: Place) -> Span:
    """A time, or two with ``..`` between them.

    Raises:
        BadScenario: It is none, or the second comes before the first.
    """
    if isinstance(value, str) and BETWEEN in value:
        first, _, second = value.partition(BETWEEN)
        found = _time(first, place), _time(second, place)
        if found[0] > found[1]:
            raise place.wrong(f"{value!r} ends before it begins")
        return found
    return (found_one := seconds(value, place)), found_one


def _time(text: str, place: Place) -> float:
    text = text.strip()
    return float(text) if text.removeprefix("-").replace(".", "", 1).isdigit() else seconds(text, place)


MOST_REPLICAS = 2_000
"""Of one workload: building takes minutes. Ten thousand pods are the scenario 10k-pods, which makes them otherwise."""


def not_too_many(value: Any, place: Place) -> None:
    """Refuse numbers of pods that nobody would wait for.

    Raises:
        BadScenario: It is one.
    """
    if isinstance(value, int) and value > MOST_REPLICAS:
        raise place.wrong(f"{value} pods are too many for a scenario", todo=f"at most {MOST_REPLICAS} of one workload")


def pods_span(value: Any, place: Place) -> tuple[int, int]:
    """As `whole_span`, of pods.

    Raises:
        BadScenario: It is none, or too many.
    """
    found = whole_span(value, place)
    not_too_many(found[1], place)
    return found


def whole_span(value: Any, place: Place) -> tuple[int, int]:
    """A whole number, or two with ``..`` between them.

    Raises:
        BadScenario: It is none, or the second is less than the first.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return value, value
    if isinstance(value, str) and (match := re.fullmatch(r"\s*(\d+)\s*\.\.\s*(\d+)\s*", value)):
        first, second = int(match[1]), int(match[2])
        if first <= second:
            return first, second
    raise place.wrong(f"{value!r} is no whole number", todo="write such as 3, or 2..5 for one of these")
