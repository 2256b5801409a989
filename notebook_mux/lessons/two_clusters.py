"""Lesson 10: one question to several clusters, and a change in one of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from notebook_mux.handles.manager import Manager
from notebook_mux.lessons.drawn import chosen
from notebook_mux.lessons.lesson import Lesson


def _wrong(manager: Manager, _: Mapping[str, Any]) -> str:
    """The cluster whose setting the seed has changed."""
    return next(name for name in manager.clusters if chosen(manager, name)["side"] == "wrong")


def _told(manager: Manager, given: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The variables of the shop where they are right, in their order."""
    other = next(name for name in manager.clusters if name != _wrong(manager, given))
    container = manager.get("deployments", "shop", cluster=other)["spec"]["template"]["spec"]["containers"][0]
    return [(one["name"], one["value"]) for one in container["env"]]


LESSON = Lesson(
    number="10",
    title="Two clusters",
    minutes=20,
    goals=(
        "Ask several clusters one question, and tell their answers apart.",
        "Find out what differs between two clusters that should be alike.",
        "Change something in one cluster, and be sure which one it is.",
        "See that the change has helped, and that the other cluster is as it was.",
    ),
    steps=("One question, two answers", "Who has errors", "What differs", "A change in one of them", "Check"),
    check="The region with the wrong setting is found, and its shop runs with the right one.",
    scenario="two-regions",
    clusters=2,
    answers={
        "pods": lambda manager, _: sum(chosen(manager, name)["replicas"] for name in manager.clusters),
        "region": _wrong,
        "setting": lambda manager, given: chosen(manager, _wrong(manager, given))["fault"]["key"],
        "told": _told,
    },
    namespaced=False,
)
