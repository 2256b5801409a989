"""Lesson 08: what a cluster does about a node that is gone, and what it leaves to people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from notebook_mux.handles.manager import Manager
from notebook_mux.lessons.drawn import chosen, demo_of
from notebook_mux.lessons.lesson import Lesson

EVICTION = "TaintManagerEviction"
"""The reason in the event of a pod that has to leave its node."""


def _database(manager: Manager, _: Mapping[str, Any]) -> str:
    """The pod of the stateful set that was on the silent node; empty while it has not been told to leave."""
    pods = {
        str(event["involvedObject"]["name"])
        for event in manager.get("events").objects
        if event["reason"] == EVICTION and event["involvedObject"]["name"].startswith("db-")
    }
    return min(pods, default="")


LESSON = Lesson(
    number="08",
    title="A node dies",
    minutes=20,
    goals=(
        "See on which node each pod runs, and whether a node is well.",
        "Say how long it takes until a lost node is noticed, and its pods are made anew.",
        "Say why the pod of a stateful set waits.",
        "Empty a node on purpose, before its maintenance.",
    ),
    steps=("Look around", "Silence", "Its pods", "It is back", "The planned way", "Check"),
    check="The lost node and its pod of the database are found, and the node of the note is empty.",
    scenario="node-lost",
    choices={"node": ("node-2", "node-3", "node-4")},
    objects="""
apiVersion: v1
kind: ConfigMap
metadata: {name: note}
data:
  maintenance: "{{node}}"
""",
    until=lambda manager: demo_of(manager).pause(),
    answers={"node": lambda manager, _: chosen(manager)["victim"], "database": _database},
    namespaced=False,
)
