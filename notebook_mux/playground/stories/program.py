"""A program in a container, as its log knows it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from typing import Any, ClassVar

import msgspec

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Scene:
    """Where a program runs.

    Args:
        pod: Its pod.
        container: Its container, of the pod's spec.
        number: How often it was started before.
        started: When, Unix seconds.
        planned: Seconds after which it ends by itself; None if it would run for ever.
        seed: Of all that is random in it: of the pod, the container and the number.
    """

    pod: Json
    container: Json
    number: int
    started: float
    planned: float | None
    seed: str

    @property
    def name(self) -> str:
        """The pod's name, which is its host name."""
        return str(self.pod["metadata"]["name"])

    @property
    def image(self) -> str:
        """The container's image."""
        return str(self.container.get("image", ""))

    @property
    def tag(self) -> str:
        """The image's version."""
        return self.image.rpartition("/")[2].partition(":")[2] or "latest"

    @property
    def port(self) -> int:
        """The first port of the container; 8080 where it names none."""
        return int(next((one["containerPort"] for one in self.container.get("ports") or ()), 8080))

    def random(self, *more: object) -> Random:
        """Chance, the same each time for the same arguments."""
        return Random("/".join([self.seed, *map(str, more)]))


Said = tuple[float, str]
"""Seconds since the program began, and a text of one or more lines."""


class Program:
    """A program; this one says nothing.

    Attributes:
        pace: Lines a second once it has begun, on average; 0 if `begins` is all.
    """

    pace: ClassVar[float] = 0.0

    def __init__(self, scene: Scene):
        self.scene = scene

    def begins(self) -> Iterator[Said]:
        """What it says by its script, in order. With a `pace` this is the start-up, and a few seconds long."""
        yield from ()

    def goes_on(self, random: Random, at: float) -> str:
        """What it says in between, at a time (Unix seconds)."""
        raise NotImplementedError

    def stops(self, at: float) -> Sequence[str]:
        """What it says when it is told to end, at a time (Unix seconds)."""
        return ()

    def ends(self, at: float, code: int) -> Sequence[str]:
        """Its last words before an exit code, at a time (Unix seconds); a program that is killed has none."""
        return ()


def rfc3339_milli(at: float) -> str:
    """A time as most loggers write it."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def spaced(at: float, form: str) -> str:
    """A time in another form, UTC."""
    return datetime.fromtimestamp(at, UTC).strftime(form)


def as_json(at: float, level: str, message: str, **fields: object) -> str:
    """A line of structured logging."""
    return msgspec.json.encode({"ts": rfc3339_milli(at), "level": level, "msg": message, **fields}).decode()


def weighted(random: Random, choices: Sequence[tuple[int, str]]) -> str:
    """One of some texts, by their weights."""
    return random.choices([text for _, text in choices], [weight for weight, _ in choices])[0]


def evenly(seconds: float, steps: int) -> Iterator[tuple[float, int]]:
    """The times of some steps within a span, each with its number from 1."""
    for step in range(1, steps + 1):
        yield seconds * step / (steps + 1), step


def hexadecimal(random: Random, digits: int) -> str:
    """An identifier."""
    return f"{random.getrandbits(4 * digits):0{digits}x}"
