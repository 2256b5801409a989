"""A table's columns of CPU and memory in use: which clusters and namespaces are asked, and each row's cells."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from notebook_mux.handles.metrics import Poller, Question, poller
from notebook_mux.printing.amounts import Amounts, node_cells, pod_cells

Places = dict[str, tuple[Question, ...]]
"""Cluster to what is asked of it."""


class Usage:
    """What the rows of one table use. Under the widget's lock, but for `wake`.

    Attributes:
        noted: The notes of one look that is over.

    Args:
        wake: Called on another thread after each answer.
    """

    def __init__(self, wake: Callable[[], None], asker: Poller = poller) -> None:
        self._wake = wake
        self._poller = asker
        self._places: Places = {}
        self._undo: dict[Question, Callable[[], None]] = {}
        self._seen: dict[Question, float] = {}
        self._figures: dict[str, dict[tuple[str, str], Amounts]] = {}
        self.noted: tuple[str, ...] = ()

    def want(self, places: Places) -> None:
        """Have these asked, and no others."""
        if places == self._places:
            return
        self._places = places
        questions = {question for asked in places.values() for question in asked}
        for question in self._undo.keys() - questions:
            self._undo.pop(question)()
            self._seen.pop(question, None)
        for question in questions - self._undo.keys():
            self._undo[question] = self._poller.hold(question, self._wake)

    def close(self) -> None:
        """Ask no more."""
        self.want({})

    def changed(self) -> dict[str, set[tuple[str, str]]]:
        """Clusters to the (namespace, name) of what has other figures than at the last call."""
        moved: dict[str, set[tuple[str, str]]] = {}
        for cluster, questions in self._places.items():
            answers = {question: self._poller.answer(question) for question in questions}
            if all(self._seen.get(question) == answer.at for question, answer in answers.items()):
                continue
            self._seen |= {question: answer.at for question, answer in answers.items()}
            now = {key: used for answer in answers.values() for key, used in answer.figures.items()}
            before = self._figures.get(cluster, {})
            moved[cluster] = {key for key in now.keys() | before.keys() if now.get(key) != before.get(key)}
            self._figures[cluster] = now
        for cluster in self._figures.keys() - self._places.keys():
            moved[cluster] = set(self._figures.pop(cluster))
        return moved

    @property
    def known(self) -> bool:
        """Whether all that is asked has been answered, well or not."""
        return all(self._poller.answer(question).at for asked in self._places.values() for question in asked)

    def notes(self) -> list[str]:
        """Where there are no figures, and why."""
        if self.noted:
            return list(self.noted)
        found: dict[str, list[str]] = {}
        for cluster, questions in self._places.items():
            for question in questions:
                trouble = self._poller.answer(question).trouble
                if trouble:
                    found.setdefault(trouble, []).append(cluster)
        return [f"no metrics in {', '.join(dict.fromkeys(clusters))}: {trouble}" for trouble, clusters in found.items()]

    def cells(self, cluster: str, record: Any, resource: Mapping[str, Any] | None) -> tuple[Any, ...]:
        """One row's; none where it is not measured."""
        used = self._figures.get(cluster, {}).get((record.namespace, record.name))
        if used is None or resource is None:
            return ()
        return node_cells(used, record.object) if resource["name"] == "nodes" else pod_cells(used, record.object)


def places_of(view: Any, manager: Any, selector: str = "") -> Places:
    """What is asked for the rows of a view, which are of the objects with such labels."""
    identity = getattr(manager, "_identity", None)
    if identity is None:
        return {}
    contexts = {context.alias: context for context in identity.contexts}
    found: Places = {}
    for name, state in view.states.items():
        resource, context = state.resource, contexts.get(name)
        if resource is None or context is None or resource["group"] or resource["name"] not in ("pods", "nodes"):
            continue
        namespaces = ("",) if resource["name"] == "nodes" or "*" in (state.namespaces or ()) else state.namespaces or ()
        found[name] = tuple(
            Question.of(identity, context, resource["name"], one, selector) for one in sorted(set(namespaces))
        )
    return found


def once(places: Places, seconds: float, asker: Poller = poller) -> Usage:
    """What they use now, for one look; waits for answers for so long at most."""
    answered = threading.Event()
    usage = Usage(answered.set, asker)
    try:
        usage.want(places)
        until = time.monotonic() + seconds
        while not usage.known and answered.wait(max(0.0, until - time.monotonic())):
            answered.clear()
        usage.changed()
        usage.noted = tuple(usage.notes())
    finally:  # whoever waits may be interrupted
        usage.close()
    return usage
