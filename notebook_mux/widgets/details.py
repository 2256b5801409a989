"""One object in full, live: how it stands, its conditions and containers, what it belongs to and what belongs to it.

A Secret's values stay here: a page gets the one that it asks for, in the answer to that question and nowhere else.
"""

from __future__ import annotations

import logging
import time
from typing import Any, ClassVar

from notebook_mux import clocks
from notebook_mux.ages import parse_time
from notebook_mux.errors import MuxError
from notebook_mux.handles.objects import LAST_APPLIED, Object, veiled
from notebook_mux.printing import facts, kind_facts, network_facts
from notebook_mux.printing.facts import Json, Section
from notebook_mux.widgets import messages
from notebook_mux.widgets.base import Content, Draft
from notebook_mux.widgets.object_view import ObjectView
from notebook_mux.widgets.relatives import Relatives, asked_of, owners
from notebook_mux.widgets.watched import Target

log = logging.getLogger(__name__)

CHANGE_INTERVAL = 0.2
"""Seconds between two messages: each has all of it, and nobody reads faster."""

MOST_ANNOTATION = 2000
"""Characters of one annotation: folded in the view, and whole in the YAML."""


class Details(ObjectView):
    """The live view of one object. Made by a table's pane.

    Args:
        manager: The `Manager` of its cluster.
        target: The object.

    Raises:
        MuxError: There is no such cluster.
    """

    kind: ClassVar[str] = "details"
    interval: ClassVar[float] = CHANGE_INTERVAL

    def __init__(self, manager: Any, target: Target) -> None:
        self._relatives: Relatives | None = None
        self._facts: tuple[str, list[Section]] = ("", [])
        super().__init__(manager, target)

    # --- in Python ------------------------------------------------------------------------------------------------

    @property
    def data(self) -> dict[str, Any]:
        """All that is shown, as plain data; times are Unix seconds."""
        with self._lock:
            self._watched.refresh()
            shown: dict[str, Any] = {**super().data, "object": None}
            content = self._watched.object
            if content is None:
                return shown
            relatives = self._relatives
            if relatives is not None:
                relatives.refresh()
            shown["object"] = {
                **_head(content),
                "printed": self._printed(),
                "sections": [*self._sections(content), *self._endpoints()],
                "owners": owners(content),
                "owned": relatives.shown(time.time()) if relatives is not None else [],
            }
            return shown

    # --- parts ----------------------------------------------------------------------------------------------------

    def _sections(self, content: Object) -> list[Section]:
        """What is said of its kind, made anew where it has changed."""
        version = str(content.get("metadata", {}).get("resourceVersion") or "")
        if self._facts[0] != version or not version:
            self._facts = (version, sections(content))
        return self._facts[1]

    def _endpoints(self) -> list[Section]:
        """Of a service, where it leads to."""
        slices = self._relatives.contents("EndpointSlice") if self._relatives is not None else []
        try:
            return network_facts.endpoints(slices)
        except Exception:
            log.debug("an endpoint slice is not as it should be", exc_info=True)
            return []

    def _printed(self) -> list[Any]:
        """What the server's own columns say, as (title, cell)."""
        watched = self._watched
        skewed = watched.target.cluster in clocks.skewed(watched.view.states)
        printer = facts.Printer(watched.view.columns, watched.state.resource, skewed=skewed, without=("Name", "Age"))
        return list(zip(printer.titles, printer.cells(watched.record), strict=True))

    def _follow(self, content: Object) -> None:
        """Look for what belongs to it, once it is known what it is."""
        known = self._relatives
        if not self._running or (known is not None and known.key == asked_of(content)):
            return
        if known is not None:  # such as a service that selects other pods now
            known.close()
        watched = self._watched
        self._relatives = Relatives(watched.manager, watched.target, content)
        try:
            self._relatives.open(self._poke)
        except MuxError:
            log.debug("what belongs to an object cannot be read", exc_info=True)

    # --- to the pages ---------------------------------------------------------------------------------------------

    def _stop(self) -> None:
        super()._stop()
        relatives, self._relatives = self._relatives, None
        if relatives is not None:
            relatives.close()

    def _compose(self, everything: list[str]) -> Draft | None:
        self._watched.refresh()
        content = self._watched.object
        if content is not None:
            self._follow(content)
        return self._changed(everything)

    # --- from the pages -------------------------------------------------------------------------------------------

    def _act(self, message: messages.Message) -> Content:
        if isinstance(message, messages.Reveal):
            return self._reveal(message.key)
        return super()._act(message)

    def _reveal(self, key: str) -> Content:
        content = self._watched.object
        if content is None or content.kind != "Secret":
            raise ValueError("this object has no values that are hidden")
        try:
            text, plain = facts.secret_value(content, key)
        except KeyError:
            raise ValueError("there is no such key in it now") from None
        return {"value": text, "plain": plain}

    # --- the copy -------------------------------------------------------------------------------------------------

    def _parts(self) -> dict[str, Any]:
        """What a copy of now is made of: how it stands, in the server's own columns."""
        data = self.data
        printed = data["object"]["printed"] if data["object"] is not None else []
        rows = [[cell if isinstance(cell, str) else "" for _, cell in printed]] if printed else []
        return self._copied_as([title for title, _ in printed], rows)


def _head(content: Object) -> dict[str, Any]:
    """What all objects have."""
    shown = veiled(content)
    metadata = facts.part(shown, "metadata")
    annotations = []
    for key, value in facts.pairs_of(metadata.get("annotations")):
        if key == LAST_APPLIED:
            continue  # all of it is in the YAML
        annotations.append((key, value[:MOST_ANNOTATION], max(0, len(value) - MOST_ANNOTATION)))
    return {
        "kind": content.kind,
        "api": str(content.get("apiVersion") or ""),
        "uid": str(metadata.get("uid") or ""),
        "created": parse_time(metadata.get("creationTimestamp")),
        "deleting": parse_time(metadata.get("deletionTimestamp")),
        "finalizers": [str(one) for one in metadata.get("finalizers") or ()],
        "labels": facts.pairs_of(metadata.get("labels")),
        "annotations": annotations,
    }


def sections(content: Json) -> list[Section]:
    """Conditions, then what is said of its kind."""
    try:
        return [*facts.conditions(content), *kind_facts.of(content)]
    except Exception:  # a server may say of a known kind what no server should
        log.debug("an object is not as its kind should be", exc_info=True)
        return facts.plain(content)
