"""A terminal whose program never begins, and views of it that a test pulls from: nothing but the loop is needed."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from notebook_mux.errors import MuxError
from notebook_mux.remote.run import Order
from notebook_mux.remote.terminal import Terminal
from notebook_mux.remote.viewers import Viewer
from notebook_mux.wire.frames import MAX_PAYLOAD, Channel

VIEW = "0123456789abcdef"


class Waiting:
    """A cluster where an upgrade has no answer."""

    name = "one"

    async def websocket(self, path: str, query: str = "", *, protocols: Any) -> Any:
        await asyncio.Event().wait()

    async def request(self, *arguments: Any, **options: Any) -> Any:
        raise AssertionError


def terminal(**order: Any) -> Terminal:
    """It has put one state of its first run into its ring."""
    return Terminal(Waiting(), Order("/path", ("command=sh",), **order))


class Eye:
    """A view of it, and what it was shown."""

    def __init__(self, of: Terminal, view: str = VIEW, received: int = -1, **fields: Any) -> None:
        self.woken = 0
        self.granted = 0
        self.why: MuxError | None = None
        self.notes: list[dict[str, Any]] = []
        self.states: list[dict[str, Any]] = []
        self.output = b""
        self.viewer: Viewer = of.look(
            view, received, output=fields.pop("output", True), wake=self._wake, grant=self._grant, ended=self._end
        )

    def _wake(self) -> None:
        self.woken += 1

    def _grant(self, size: int) -> None:
        self.granted += size

    def _end(self, why: MuxError) -> None:
        self.why = why

    def pull(self, limit: int = MAX_PAYLOAD) -> tuple[int, bytes] | None:
        """One frame."""
        found = self.viewer.pull(limit)
        if found is None:
            return None
        channel, payload = found
        assert 0 < len(payload) <= max(limit, 4096)
        if channel == Channel.STDOUT:
            self.output += payload
        else:
            (self.notes if channel == Channel.VIEW else self.states).append(json.loads(payload))
        return found

    def all(self) -> Eye:
        """All that is there now."""
        while self.pull() is not None:
            pass
        return self
