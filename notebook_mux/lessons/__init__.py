"""Lessons: what stands behind the notebooks that teach, so that each of their cells is safe to run first.

::

    import notebook_mux as nm
    from notebook_mux.lessons import begin

    lesson = begin("03", seed=7)  # the cell *Begin*: the lesson's cluster, with what it needs in it

    from notebook_mux.lessons import step; step(2)  # the first line of each other cell

What a lesson is called, teaches, needs and asks is declared in a module of its name, one `Lesson` each, which the
notebook of that number repeats in words.
"""

from __future__ import annotations

from notebook_mux.lessons.beginning import begin, step
from notebook_mux.lessons.catalogue import find, numbers
from notebook_mux.lessons.lesson import Lesson
from notebook_mux.lessons.running import Running

__all__ = ["Lesson", "Running", "begin", "find", "numbers", "step"]
