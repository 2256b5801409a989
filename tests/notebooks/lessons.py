"""The lessons' notebooks as their tests, and the commands beside this module, use them.

In a lesson a cell with the tag ``task`` is the student's to fill in. What goes there is in ``solutions``, by the
lesson's number and the cell's id, and takes the place of all but the cell's first line.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

from notebook_mux.lessons import catalogue

FOLDER = Path(__file__).resolve().parents[2] / "notebooks"
SOLUTIONS = Path(__file__).parent / "solutions"
CELL_SECONDS = 120
"""For one cell; a lesson's longest wait is a minute."""

SHOWN = ("01", "12", "13")
"""Notebooks that show what the toolkit does; they have no tasks."""

BEGIN, TASK, CHECK = "begin", "task", "check"
STEP = re.compile(r"from notebook_mux\.lessons import step; step\((\d+)\)")
"""The first line of each cell of a lesson but the one that begins it."""

_SEED = re.compile(r"\bseed=\d+")


def paths() -> list[Path]:
    """The lessons' notebooks, by number: all but those that show the toolkit."""
    return [path for path in numbered() if number_of(path) not in SHOWN]


def numbered() -> list[Path]:
    """All notebooks that have a number."""
    return sorted(FOLDER.glob("[0-9][0-9]_*.ipynb"))


def number_of(path: Path) -> str:
    return path.name[:2]


def read(path: Path) -> Any:
    return nbformat.read(path, as_version=nbformat.NO_CONVERT)


def tags(cell: Any) -> set[str]:
    return set(cell.metadata.get("tags", ()))


def code(notebook: Any) -> list[Any]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def solutions(number: str) -> dict[str, str]:
    """A cell's id to the code that solves its task."""
    _, *parts = re.split(r"^# %% ([\w-]+)\n", (SOLUTIONS / f"{number}.ipy").read_text(), flags=re.MULTILINE)
    return dict(zip(parts[::2], (part.strip("\n") for part in parts[1::2]), strict=True))


def seeded(notebook: Any, seed: int | str) -> Any:
    """The notebook with another seed, and perhaps more arguments behind it, in the cell that begins it."""
    for cell in code(notebook):
        if BEGIN in tags(cell):
            cell.source, count = _SEED.subn(f"seed={seed}", cell.source)
            assert count == 1
    return notebook


def solve(notebook: Any, number: str) -> Any:
    """The notebook with its tasks done."""
    known = solutions(number)
    for cell in code(notebook):
        if TASK in tags(cell):
            cell.source = cell.source.partition("\n")[0] + "\n\n" + known[cell.id]
    return notebook


def client(notebook: Any, folder: Path) -> NotebookClient:
    return NotebookClient(
        notebook, timeout=CELL_SECONDS, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    )


def index_row(path: Path) -> str:
    """The line of a lesson in the table of all notebooks."""
    lesson = catalogue.find(number_of(path))
    goals = "; ".join(goal[0].lower() + goal[1:].rstrip(".") for goal in lesson.goals)
    return f"| [{lesson.number} · {lesson.title}]({path.name}) | {lesson.minutes} | {goals} |"
