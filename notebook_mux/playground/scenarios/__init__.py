"""What is in a cluster, and what happens there: scenarios by name, or by the path of a file of one's own.

This module is light: a kernel reads the names from it. The format of the files is described in ``FORMAT.md``.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from notebook_mux.playground.cluster import Cluster
    from notebook_mux.playground.scenarios.stories import Story

LIBRARY = Path(__file__).parent / "library"
SUFFIXES = (".yaml", ".yml")
MANY_PODS = ("10k-pods", "many-pods")
"""Two names of one scenario."""

_TITLE = re.compile(r"^title: *(.+)$", re.MULTILINE)


def _declared() -> dict[str, str]:
    """The scenarios in files, by name: their titles, without a reader of YAML."""
    found = {}
    for path in sorted(LIBRARY.glob("*.yaml")):
        title = _TITLE.search(path.read_text(encoding="utf-8"))
        found[path.stem] = title[1].strip("\"' ") if title else ""
    return found


SCENARIOS: Mapping[str, str] = {
    "first-look": "a small cluster that moves: roll-outs, scaling, jobs, a crash loop, a node that comes and goes",
    **dict.fromkeys(MANY_PODS, "10,000 pods on 200 nodes, with a steady rate of changes; for tests of size"),
    "empty": "a cluster with nodes and nothing else",
    **_declared(),
}

DEFAULT = "first-look"


class UnknownScenario(ValueError):
    """No scenario of that name; the text lists those there are."""


@dataclass(frozen=True)
class Settings:
    """What can be set in a scenario.

    Args:
        pods: How many pods ``10k-pods`` has.
        rate: Its changes a second.
        still: Whether nothing moves by itself: the scenario's objects without its story.
    """

    pods: int = 10_000
    rate: float = 10.0
    still: bool = False


def file_of(name: str) -> Path | None:
    """The file of a scenario: of one in the library, or of a path of one's own; None for what is built by code."""
    if name in SCENARIOS:
        path = LIBRARY / f"{name}.yaml"
        return path if path.is_file() else None
    return Path(name).expanduser().absolute() if is_path(name) else None


def is_path(name: str) -> bool:
    """Whether a path is meant and no name."""
    return name not in SCENARIOS and (name.endswith(SUFFIXES) or "/" in name or "\\" in name)


def check(name: str) -> None:
    """Refuse a name that is none, and a file that is not right.

    Raises:
        UnknownScenario: It lists the known ones.
        BadScenario: The file cannot be read, or something in it is wrong.
    """
    if name in SCENARIOS:
        return
    path = file_of(name)
    if path is None:
        known = "\n".join(f"  {one}: {text}" for one, text in sorted(SCENARIOS.items()))
        raise UnknownScenario(f"there is no scenario {name!r}; known are\n{known}")
    from notebook_mux.playground.scenarios.reading import source

    source(path).scenario("0")


def fingerprint(name: str) -> tuple[str, str]:
    """The whole path of a file of one's own, and a mark of what is in it: an edited file is another scenario.

    Raises:
        BadScenario: It cannot be read.
    """
    path = Path(name).expanduser().absolute()
    try:
        return str(path), f"@{hashlib.sha256(path.read_bytes()).hexdigest()[:12]}"
    except OSError as error:
        from notebook_mux.errors import BadScenario

        raise BadScenario(f"the scenario {path} cannot be read", said=error.strerror or str(error)) from None


def attempt(name: str, seed: int, clusters: int = 1) -> None:
    """Try a file of one's own, so that all that is wrong in it is said where it is asked for.

    Raises:
        UnknownScenario: There is no scenario of that name.
        BadScenario: Something in it is wrong.
    """
    check(name)
    if is_path(name) and (path := file_of(name)) is not None:
        from notebook_mux.playground.scenarios import trial

        trial.attempt(path, seed, clusters)


def told(name: str, cluster: Cluster) -> dict[str, Any]:
    """What is told of a cluster's scenario: ``title``, ``teaches``, and what the seed has ``chosen``."""
    path = file_of(name)
    if path is None:
        return {"title": SCENARIOS[name], "teaches": "", "chosen": {}}
    from notebook_mux.playground.scenarios import building, reading

    return reading.parts_of(building.scenario_of(reading.source(path), cluster))


def build(name: str, cluster: Cluster, settings: Settings) -> None:
    """Fill a cluster, and plan what is to happen in it.

    Raises:
        UnknownScenario: No such scenario.
        BadScenario: Its file is not right.
    """
    check(name)
    cluster.being_built = True
    cluster.agenda.settle()
    try:
        _build(name, cluster, settings)
    finally:
        cluster.being_built = False


def _build(name: str, cluster: Cluster, settings: Settings) -> None:
    path = file_of(name)
    if path is not None:
        from notebook_mux.playground.scenarios import building, reading

        building.build(reading.source(path), cluster, still=settings.still)
    elif name in MANY_PODS:
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


def build_into(cluster: Cluster, name: str, namespace: str, seed: int | str, *, begun: float | None = None) -> Story:
    """Make a scenario's namespaced objects in one namespace of a running cluster, and tell its story there.

    What is of the whole cluster (nodes, cluster roles) is left out, and so are the steps about it; what happened before
    the scenario's beginning happens at once.

    Args:
        cluster: Where.
        name: Of the scenario: one that is a file.
        namespace: Where all of it goes; it has to be there.
        seed: Of what is chosen and drawn: a student's own.
        begun: Of one that goes on, after a restart with kept state: the `Story.begun` of before.

    Returns:
        The story, which knows what was ``chosen``.

    Raises:
        UnknownScenario: There is no such scenario in a file.
        BadScenario: The file is not right, or the server refuses something, by a quota of the namespace, say.
    """
    check(name)
    path = file_of(name)
    if path is None:
        raise UnknownScenario(f"{name!r} is built by code, and cannot be put into a namespace")
    from notebook_mux.playground.scenarios import building, reading

    return building.build_into(reading.source(path), cluster, namespace, str(seed), begun=begun)


def resume(name: str, cluster: Cluster, settings: Settings, begun: float | None = None) -> None:
    """Let a cluster go on whose objects were kept: its controllers, and what the scenario plans.

    Args:
        name: The scenario's.
        cluster: Its objects are there.
        settings: Of the scenario.
        begun: When its story began, Unix seconds of the cluster's time; None is now.

    Raises:
        UnknownScenario: No such scenario.
        BadScenario: Its file is not right.
    """
    check(name)
    path = file_of(name)
    if path is not None:
        from notebook_mux.playground.scenarios import building, reading

        at = cluster.agenda.now() if begun is None else begun
        building.resume(reading.source(path), cluster, at, still=settings.still)
    elif name in MANY_PODS:
        from notebook_mux.playground.scenarios import many_pods

        many_pods.resume(cluster, settings)
    else:
        from notebook_mux.playground import controllers
        from notebook_mux.playground.scenarios import first_look

        controllers.start(cluster)
        if name == "first-look" and not settings.still:
            first_look.Story(cluster).begin()
