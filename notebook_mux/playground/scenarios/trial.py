"""Tries a scenario's file: builds it, and does all that its story says once, so that what is wrong is said at once."""

from __future__ import annotations

from pathlib import Path

from notebook_mux.playground.clock import Agenda
from notebook_mux.playground.cluster import Cluster
from notebook_mux.playground.scenarios import building
from notebook_mux.playground.scenarios.reading import source

PATIENCE_S = 3600.0
"""How much of a story is tried; what happens later is not looked at."""

REPEATS = 2
"""How often a step that is repeated is tried."""


def attempt(path: Path, seed: int, clusters: int = 1) -> None:
    """Build a scenario and tell its story in a cluster that nobody sees, in a moment.

    Args:
        path: Of the file.
        seed: As it is asked for: other seeds may choose other steps.
        clusters: How many there are to be.

    Raises:
        BadScenario: Something is wrong in it.
    """
    found = source(path)
    for number in range(clusters):
        cluster = Cluster("demo" if clusters == 1 else f"demo-{number + 1}", seed, Agenda())
        cluster.being_built = True
        story = building.build(found, cluster, strict=True, repeats=REPEATS)
        end = cluster.agenda.now() + PATIENCE_S
        while story.failed is None and (due := story.next_at()) is not None and due <= end:
            cluster.agenda.step(max(0.0, due - cluster.agenda.now()) + building.SHORT_S)
        if story.failed is not None:
            raise story.failed
