"""Which lessons there are, by number; a lesson's module is imported when it is asked for."""

from __future__ import annotations

import difflib
from importlib import import_module
from typing import Any

from notebook_mux.errors import InvalidArgument
from notebook_mux.lessons.lesson import Lesson

MODULES = {
    "02": "desired_state",
    "03": "labels_and_services",
    "04": "rolling_update",
    "05": "crash_loops",
    "06": "inside_a_container",
    "07": "why_pending",
    "08": "a_node_dies",
    "09": "who_may_do_what",
    "10": "two_clusters",
    "11": "what_went_wrong",
}
"""A lesson's number to the module of this folder that has it, as ``LESSON``."""


def numbers() -> list[str]:
    """The numbers of all lessons, in order."""
    return sorted(MODULES)


def find(number: Any) -> Lesson:
    """The lesson of that number.

    Raises:
        InvalidArgument: There is none.
    """
    key = f"{number:02}" if isinstance(number, int) else str(number)
    if key not in MODULES:
        near = difflib.get_close_matches(key, MODULES, 1)
        raise InvalidArgument(
            f"there is no lesson {number!r}", todo=f"one of {', '.join(near or numbers())}, as text in quotes"
        )
    found: Lesson = import_module(f"notebook_mux.lessons.{MODULES[key]}").LESSON
    return found
