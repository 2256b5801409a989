"""Lesson 02: a cluster is told what to have, and keeps having it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from notebook_mux.handles.manager import Manager
from notebook_mux.lessons.lesson import Lesson


def _replica_set(manager: Manager, _: Mapping[str, Any]) -> str:
    """The one that has the deployment's pods."""
    found = manager.get("replicasets", selector="app=web").objects
    return max(found, key=lambda one: int(one["spec"].get("replicas") or 0)).name


LESSON = Lesson(
    number="02",
    title="Desired state",
    minutes=15,
    goals=(
        "Tell a cluster what you want, in a few lines of YAML.",
        "Read in an object what is wanted, and what is there.",
        "Say what happens when a pod goes away, and who does it.",
        "Change your mind: another number of pods, another image.",
    ),
    steps=(
        "Say what you want",
        "Wanted, and there",
        "Take something away",
        "Change your mind",
        "Who did that?",
        "Check",
    ),
    check="The deployment has as many pods as the note asks for, of its image; and you know who made them.",
    choices={"replicas": range(3, 8), "image": tuple(f"nginx:1.29.{patch}" for patch in range(1, 9))},
    objects="""
apiVersion: v1
kind: ConfigMap
metadata: {name: note}
data:
  replicas: "{{replicas}}"
  image: "{{image}}"
""",
    answers={"replica set": _replica_set},
)
