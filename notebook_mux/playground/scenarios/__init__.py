"""What is in a cluster, and what happens there: scenarios by name.

This module is light: a kernel reads the names from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from notebook_mux.playground.cluster import Cluster

SCENARIOS: Mapping[str, str] = {
    "first-look": "a small cluster that moves: roll-outs, scaling, jobs, a crash loop, a node that comes and goes",
    "many-pods": "10,000 pods on 200 nodes, with a steady rate of changes; for tests of size",
    "empty": "a cluster with nodes and nothing else",
}

DEFAULT = "first-look"


class UnknownScenario(ValueError):
    """No scenario of that name; the text lists those there are."""


@dataclass(frozen=True)
class Settings:
    """What can be set in a scenario.

    Args:
        pods: How many pods ``many-pods`` has.
        rate: Its changes a second.
        still: Whether nothing moves by itself: the scenario's objects without its story.
    """

    pods: int = 10_000
    rate: float = 10.0
    still: bool = False


def check(name: str) -> None:
    """Refuse a name that is none.

    Raises:
        UnknownScenario: It lists the known ones.
    """
    if name not in SCENARIOS:
        known = "\n".join(f"  {one}: {text}" for one, text in sorted(SCENARIOS.items()))
        raise UnknownScenario(f"there is no scenario {name!r}; known are\n{known}")


def build(name: str, cluster: Cluster, settings: Settings) -> None:
    """Fill a cluster, and plan what is to happen in it.

    Raises:
        UnknownScenario: No such scenario.
    """
    check(name)
    cluster.being_built = True
    try:
        _build(name, cluster, settings)
    finally:
        cluster.being_built = False


def _build(name: str, cluster: Cluster, settings: Settings) -> None:
    if name == "many-pods":
        from notebook_mux.playground.scenarios import many_pods

        many_pods.build(cluster, settings)
    elif name == "empty":
        from notebook_mux.playground import controllers
        from notebook_mux.playground.scenarios import base

        base.begin(cluster, nodes=1)
        controllers.start(cluster)
        cluster.agenda.release()
    else:
        from notebook_mux.playground.scenarios import first_look

        first_look.build(cluster, settings)


def resume(name: str, cluster: Cluster, settings: Settings) -> None:
    """Let a cluster go on whose objects were kept: its controllers, and what the scenario plans.

    Raises:
        UnknownScenario: No such scenario.
    """
    check(name)
    if name == "many-pods":
        from notebook_mux.playground.scenarios import many_pods

        many_pods.resume(cluster, settings)
    else:
        from notebook_mux.playground import controllers
        from notebook_mux.playground.scenarios import first_look

        controllers.start(cluster)
        if name == "first-look" and not settings.still:
            first_look.Story(cluster).begin()
