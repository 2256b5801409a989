"""Lesson 11: an incident. Something was changed, and somebody has to find out what, and to mend it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from notebook_mux.handles.manager import Manager
from notebook_mux.lessons.drawn import chosen
from notebook_mux.lessons.lesson import Lesson

NAMES = {"config": "settings", "quota": "savings"}
"""A cause to the name of what was wrong, where it is the same each time (the scenario ``incident``)."""


def _thing(manager: Manager, _: Mapping[str, Any]) -> str:
    """The name of what was wrong; of a node, as the events tell it, for it may have been deleted."""
    found = chosen(manager)
    if found["cause"] != "node":
        return str(NAMES.get(found["cause"], found["part"]))
    lost = {
        str(event["involvedObject"]["name"])
        for event in manager.get("events", namespace="*").objects
        if event["reason"] == "NodeNotReady" and event["involvedObject"]["kind"] == "Node"
    }
    return min(lost, default="")


LESSON = Lesson(
    number="11",
    title="What went wrong",
    minutes=25,
    goals=(
        "Look at an application that does not work in a good order: from outside to inside.",
        "Find out what was changed, and when.",
        "Tell the usual causes from each other.",
        "Mend one, and see that it is mended.",
    ),
    steps=("The call", "From outside to inside", "What has changed", "The cause", "Mend it", "Check"),
    check="The cause and what it was about are found, and all is well.",
    scenario="incident",
    answers={"cause": lambda manager, _: chosen(manager)["cause"], "name": _thing},
    namespaced=False,
)
