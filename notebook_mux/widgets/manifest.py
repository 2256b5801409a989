"""One object as YAML, live. A Secret's values are veiled, and shown in the answer to whoever asks for them."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, ClassVar

from notebook_mux.handles.objects import Object, veiled, yaml_of
from notebook_mux.widgets import messages
from notebook_mux.widgets.actions import Actions, Aim
from notebook_mux.widgets.base import Content, Draft
from notebook_mux.widgets.object_view import ObjectView
from notebook_mux.widgets.watched import Later, Target

log = logging.getLogger(__name__)

CHANGE_INTERVAL = 0.5
"""Seconds between two messages: each has all of it, and text that changes faster cannot be read."""


class Manifest(ObjectView):
    """The live view of one object's YAML. Made by a table's pane.

    Args:
        manager: The `Manager` of its cluster.
        target: The object.

    Raises:
        MuxError: There is no such cluster.
    """

    kind: ClassVar[str] = "manifest"
    interval: ClassVar[float] = CHANGE_INTERVAL

    def __init__(self, manager: Any, target: Target) -> None:
        self._text = Later(self._poke)
        self._actions = Actions()
        super().__init__(manager, target)

    # --- in Python ------------------------------------------------------------------------------------------------

    @property
    def data(self) -> dict[str, Any]:
        """All that is shown, as plain data; the text is of the version beside it, and "" until it is made."""
        return {
            **super().data,
            "text": self._text.result or "",
            "version": self._text.key or "",
            "veiled": _is_secret(self._watched.object),
            "write": self._watched.writable,
        }

    # --- to the pages ---------------------------------------------------------------------------------------------

    def _compose(self, everything: list[str]) -> Draft | None:
        self._watched.refresh()
        record, content = self._watched.record, self._watched.object
        if content is not None:
            # a large object takes seconds to write, and this thread is everybody's
            self._text.want(record.version, lambda: written(veiled(content)))
        return self._changed(everything)

    # --- from the pages -------------------------------------------------------------------------------------------

    def _act(self, message: messages.Message) -> Content:
        if isinstance(message, messages.Do) and message.what == "reveal":
            content = self._watched.object
            if content is None or not _is_secret(content):
                raise ValueError("this object has no values that are hidden")
            return {"text": written(content), "version": self._watched.record.version}
        return super()._act(message)

    def _do(self, message: messages.Message, buffers: Any) -> Content | None:
        if isinstance(message, messages.Change):
            target, manager = self._watched.target, self._watched.manager
            content = self._watched.object
            uid = str(content["metadata"].get("uid") or "") if content is not None else ""
            aim = Aim(target.cluster, target.namespace, target.name, target.kind, uid)
            self._actions.handle(message, [aim], manager, self._answerer(message))
            return None
        return super()._do(message, buffers)

    # --- the copy -------------------------------------------------------------------------------------------------

    def _parts(self) -> dict[str, Any]:
        """What a copy of now is made of: the lines, a Secret's values veiled."""
        lines = str(self._text.result or "").splitlines()
        return self._copied_as(["YAML"], [[line] for line in lines])


def written(content: Mapping[str, Any]) -> str:
    """An object as YAML, with its managed fields; what it is comes first, as people write it."""
    first = {key: content[key] for key in ("apiVersion", "kind", "metadata") if key in content}
    return yaml_of({**first, **content})


def _is_secret(content: Object | None) -> bool:
    return content is not None and content.kind == "Secret"
