"""Lesson 07: how the scheduler finds a node for a pod, and what it means where it finds none."""

from __future__ import annotations

from notebook_mux.lessons.drawn import chosen
from notebook_mux.lessons.lesson import Lesson

LESSON = Lesson(
    number="07",
    title="Why pending?",
    minutes=25,
    goals=(
        "Say what it means that a pod is Pending.",
        "Read what the scheduler says about it.",
        "Compare what a pod asks for with what the nodes have.",
        "Use labels and taints of nodes, and give a pod the disk that it waits for.",
    ),
    steps=("Who waits", "What the scheduler says", "Sums", "Labels and taints", "A disk", "Check"),
    check="It is known who waited for what, and nobody waits any more.",
    scenario="why-pending",
    answers={
        "too much": lambda manager, _: chosen(manager)["who"]["cpu"],
        "asked": lambda manager, _: int(chosen(manager)["cpu"]),
        "label": lambda manager, _: chosen(manager)["who"]["label"],
        "taint": lambda manager, _: chosen(manager)["who"]["taint"],
        "disk": lambda manager, _: chosen(manager)["who"]["disk"],
    },
    namespaced=False,
)
