"""A lesson that has begun: the cluster it runs on, how far it is, and what its check compares with."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from notebook_mux.errors import InvalidArgument, OutOfOrder
from notebook_mux.handles import managers
from notebook_mux.lessons.lesson import Lesson
from notebook_mux.printing.listing import Listing

if TYPE_CHECKING:
    from notebook_mux.handles.manager import Manager

BEGIN = "Begin"
"""The heading of the cell that begins a lesson."""


class Running:
    """A lesson that has begun. Made by `begin`.

    Attributes:
        lesson: As it is declared.
        seed: What has chosen its answers.
        manager: Its cluster's.
        namespace: Where its objects are.
    """

    def __init__(self, lesson: Lesson, seed: int, manager: Manager, *, shared: bool) -> None:
        self.lesson = lesson
        self.seed = seed
        self.manager = manager
        self.namespace = next(iter(manager.clusters.values())).namespace
        self._shared = shared
        self._run: set[int] = set()

    @property
    def is_current(self) -> bool:
        """Whether what a cell asks goes to this lesson's cluster: it was not closed, and no other is the default."""
        return managers.default() is self.manager

    def step(self, number: int) -> None:
        """Begin a step; the one before must have been begun.

        Raises:
            OutOfOrder: It was not; with the cell to run first.
            InvalidArgument: There is no such step.
        """
        steps = self.lesson.steps
        if isinstance(number, bool) or not isinstance(number, int) or not 1 <= number <= len(steps):
            raise InvalidArgument(f"step({number!r}): lesson {self.lesson.number} has the steps 1 to {len(steps)}")
        if not self.is_current:
            raise OutOfOrder(f"Run the cell “{BEGIN}” first: this notebook has left the lesson's cluster")
        if number > 1 and number - 1 not in self._run:
            missing = next(one for one in range(1, number) if one not in self._run)
            raise OutOfOrder(
                f"Run the cells under “{missing}. {steps[missing - 1]}” first: step {number} builds on them"
            )
        self._run.add(number)

    def answer(self, name: str) -> Callable[[], Any]:
        """What finds the right answer, in the cluster as it is when it is called: for `notebook_mux.expect`'s `equals`.

        So a notebook that is read, or printed from, does not give it away.

        Raises:
            InvalidArgument: The lesson asks no such thing.
        """
        found = self.lesson.answers.get(name)
        if found is None:
            raise InvalidArgument(
                f"lesson {self.lesson.number} asks no {name!r}", todo=f"one of: {', '.join(self.lesson.answers)}"
            )
        return lambda: found(self.manager, self.lesson.given(self.seed))

    def apply(self, manifest: str) -> Any:
        """``kubectl apply -f -`` with this text as its standard input; the magic ``%%kubectl`` can do the same. Waits.

        A cell magic must be a cell's first line, so it cannot stand behind a lesson's `step`.

        Raises:
            InvalidArgument: This is no IPython.
        """
        from IPython.core.getipython import get_ipython

        shell: Any = get_ipython()
        if shell is None:
            raise InvalidArgument("lessons run in IPython, as in a notebook", todo="open the notebook in JupyterLab")
        return shell.run_cell_magic("kubectl", "apply -f -", manifest)

    # --- how it looks -----------------------------------------------------------------------------------------------

    def _listing(self) -> Listing:
        lesson = self.lesson
        rows = [
            {"Step": number, "What": title, "": "begun" if number in self._run else ""}
            for number, title in enumerate(lesson.steps, 1)
        ]
        where = f"namespace {self.namespace} of your class" if self._shared else "an embedded cluster of its own"
        notes = (f"It runs on {where}, with seed {self.seed}. About {lesson.minutes} minutes.",)
        return Listing(f"Lesson {lesson.number}: {lesson.title}", ["Step", "What", ""], rows, notes)

    def __repr__(self) -> str:
        return repr(self._listing())

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return self._listing()._repr_mimebundle_(include, exclude)
