"""Run lessons, and keep what their cells show, for readers without a kernel.

::

    python -m tests.notebooks.outputs        # all of them
    python -m tests.notebooks.outputs 02 05 12

The tasks are done in the run, so that what comes after them is there to be read; the cells of the tasks and of the
check are kept as a student gets them.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import nbformat

from tests.notebooks import lessons

SEED = 1


def keep(path: Path) -> float:
    """Run a lesson and keep its outputs in its notebook; gives the seconds that it took."""
    kept = lessons.read(path)
    number, ran = lessons.number_of(path), lessons.read(path)
    if number not in lessons.SHOWN:
        ran = lessons.solve(lessons.seeded(ran, f"{SEED}, reset=True"), number)
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        lessons.client(ran, Path(folder)).execute()
    for cell, done in zip(lessons.code(kept), lessons.code(ran), strict=True):
        own = lessons.tags(cell) & {lessons.TASK, lessons.CHECK}
        cell.outputs = [] if own else done.outputs
        cell.execution_count = None if own else done.execution_count
        for output in cell.outputs:
            output.get("data", {}).pop("application/vnd.jupyter.widget-view+json", None)
    nbformat.write(kept, path)
    return time.monotonic() - began


if __name__ == "__main__":
    for path in lessons.numbered():
        if lessons.number_of(path) in (sys.argv[1:] or map(lessons.number_of, lessons.paths())):
            print(f"{path.name}: {keep(path):.0f} s", flush=True)
