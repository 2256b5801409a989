"""What an expectation is: words for what is wanted, and a look that says whether it is so and what is seen."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from notebook_mux.handles.objects import Object

NAMES = 3
"""Objects that a sentence names."""


class Look(NamedTuple):
    """What was seen of an expectation at one moment.

    Attributes:
        ok: Whether it is as expected.
        words: What was seen, for people, with the difference where it is another thing.
        value: The same as data.
    """

    ok: bool
    words: str
    value: Any = None


class Things(NamedTuple):
    """What the watches show at one moment.

    Attributes:
        objects: Those of the target.
        slices: The endpoint slices of the target, a service; empty where they are not watched.
    """

    objects: Sequence[Object]
    slices: Sequence[Object] = ()


@dataclass(frozen=True)
class Watched:
    """An expectation about objects that are watched.

    Args:
        name: The argument's name, such as ``ready``.
        wanted: What is expected, for people.
        look: Looks at them.
    """

    name: str
    wanted: str
    look: Callable[[Things], Look]


class Asked(Protocol):
    """An expectation about something that no watch tells, so it is asked again now and then."""

    @property
    def name(self) -> str:
        """The argument's name and what it is of, such as ``can list pods``."""

    @property
    def wanted(self) -> str:
        """What is expected, for people."""

    async def ask(self, manager: Any, deadline: float | None) -> Look:
        """Ask now; a coroutine of `waiting`'s kind."""


def of_each(objects: Sequence[Object], look: Callable[[Object], Look]) -> Look:
    """All of them must be as expected; what is said is of those that are not, or of the first."""
    looks = [(one.name, look(one)) for one in objects]
    values = [each.value for _, each in looks]
    wrong = [(name, each) for name, each in looks if not each.ok]
    if len(looks) == 1:
        return looks[0][1]
    if not looks:
        return Look(False, "there is none", [])
    if not wrong:
        return Look(True, f"all {len(looks)}: {looks[0][1].words}", values)
    said = "; ".join(f"{name}: {each.words}" for name, each in wrong[:NAMES])
    return Look(False, f"{len(wrong)} of {len(looks)} are not: {said}{more(len(wrong))}", values)


def more(count: int) -> str:
    """What follows a few names, if they were not all."""
    return f" and {count - NAMES} more" if count > NAMES else ""


def going(obj: Mapping[str, Any]) -> bool:
    """Whether it is being deleted."""
    return bool((obj.get("metadata") or {}).get("deletionTimestamp"))
