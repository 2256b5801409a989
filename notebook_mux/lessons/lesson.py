"""A lesson as it is declared: its words, its steps, its world, and what it asks."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from notebook_mux.handles.manager import Manager

Json = dict[str, Any]


@dataclass(frozen=True)
class Lesson:
    """One lesson.

    Args:
        number: As its notebook's name begins, ``"02"``.
        title: Its notebook's title.
        minutes: How long it takes somebody who has never done it.
        goals: What one can do after it, a sentence each.
        steps: The titles of its steps, in order; the last is its check.
        check: What the check looks at, one sentence.
        scenario: What `notebook_mux.demo` is asked for.
        clusters: How many of it.
        choices: What a seed decides: names to the values there are.
        objects: Manifests, YAML, that are created where they are not there yet; ``{{name}}`` is a choice.
        until: Waits, after these were made, for what the lesson's first words take for granted.
        answers: What the check asks, by names: each a function of the cluster as it is then and of what was chosen.
        namespaced: Whether one namespace of a shared cluster will do; else a lesson takes a cluster of its own, in a
            class too.
    """

    number: str
    title: str
    minutes: int
    goals: tuple[str, ...]
    steps: tuple[str, ...]
    check: str
    scenario: str = "empty"
    clusters: int = 1
    choices: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    objects: str = ""
    until: Callable[[Manager], object] | None = None
    answers: Mapping[str, Callable[[Manager, Mapping[str, Any]], Any]] = field(default_factory=dict)
    namespaced: bool = True

    def given(self, seed: int) -> dict[str, Any]:
        """What a seed has chosen; the same each time, and each choice independent of the others."""
        return {
            name: random.Random(f"{self.number} {name} {seed}").choice(values) for name, values in self.choices.items()
        }

    def manifests(self, seed: int) -> list[Json]:
        """The objects that the lesson needs, with what the seed has chosen."""
        text = self.objects
        for name, value in self.given(seed).items():
            text = text.replace("{{" + name + "}}", str(value))
        return [one for one in yaml.safe_load_all(text) if one]


def available(manager: Manager) -> None:
    """Wait until all deployments are available, and first until there is one: what was just made may be on its way."""
    deployments = manager.watch("deployments")
    deployments.wait(lambda _: True, of=1)
    deployments.wait("condition=Available")
