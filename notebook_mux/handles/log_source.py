"""Logs as the core has them, as a handle, a view and a reader share them: lines by number, how they stand, the end."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

from notebook_mux.errors import Closed, MuxError
from notebook_mux.handles.crossing import answered, told
from notebook_mux.handles.held import Held, Owner
from notebook_mux.handles.log_lines import MOST, Line, Read, by_time, everything, lines_of
from notebook_mux.handles.log_standing import standing
from notebook_mux.handles.waiting import deadline_in
from notebook_mux.kernel import holder

SETTLE_SECONDS = 10.0
"""How long a call waits for the first lines of each container, or for why there are none."""

FINAL = ("ended", "failed", "gone", "waiting")
"""States of a container's log after which nothing more comes, where what comes later is not wanted."""

NOTHING: dict[str, Any] = {
    "version": 0,
    "sources": [],
    "pods": 0,
    "left_out": [],
    "end": 0,
    "oldest": 0,
    "lines": 0,
    "bytes": 0,
    "dropped": 0,
    "max_lines": 0,
    "max_bytes": 0,
    "settled": False,
    "closed": False,
    "problem": None,
    "note": "",
}
"""The state of what has not been read yet."""


class LogSource(Held):
    """The logs of one question in the core. Any thread may call; only `settle` waits.

    Args:
        owner: Its manager.
        spec: The core's `LogSpec`, as a tuple.
        title: What they are of, in words.
        key: What makes two the same.
        follow: Whether what comes later is wanted.
    """

    def __init__(self, owner: Owner, spec: tuple[Any, ...], title: str, key: tuple[Any, ...], *, follow: bool) -> None:
        super().__init__(owner)
        self.spec = spec
        self.title = title
        self.key = key
        self.follow = follow
        self.asked: set[tuple[Any, ...]] = set()
        self._settled = ""
        self._last: dict[str, Any] = NOTHING
        self.masked = True
        """Whether what looks like a secret is masked in copies, texts and files."""
        self.shown: Any = None
        """The widget that shows them."""

    # --- the core's words -----------------------------------------------------------------------------------------

    def _open(self, core: Any) -> str:
        return str(core.open_logs(self.spec))

    def _alive(self, core: Any) -> bool:
        return bool(core.logs_alive(self._id))

    def _take(self, core: Any, id_: str, name: str) -> None:
        core.hold_logs(id_, name)

    def _let_go(self, core: Any, id_: str, name: str) -> None:
        core.release_logs(id_, name)

    def _end(self, core: Any, id_: str) -> None:
        core.close_logs(id_)
        for name in list(self._holders):  # the core keeps what was read for its holders, and nobody can ask for it here
            core.release_logs(id_, name)

    def _closed(self) -> Closed:
        return Closed(f"the logs of {self.title} were closed", todo="run the cell with nm.logs(...) again")

    # --- reading --------------------------------------------------------------------------------------------------

    def read(self, after: int, most: int = MOST) -> Read:
        """The lines with a number above `after`, oldest first, as the core's columns. Never waits.

        ``store`` is besides in it: another one than before means that they were opened anew, with new numbers.

        Args:
            after: A line's number; -1 is from the oldest that is kept.
            most: Lines at most.

        Raises:
            Closed: They were closed.
        """
        core, id_ = self._of_the_parent() or self.opened()
        return {**told(core.logs_read, id_, after, most), "store": id_}

    def standing(self) -> dict[str, Any]:
        """How they stand, see the core's ``LogsState``; of closed ones how they stood. Not to be changed. Never raises.

        A source in it has the same index as long as lines of it are kept, and a minute longer.
        """
        try:
            core, id_ = self._of_the_parent() or self.opened()
            self._last = told(core.logs_state, id_)
        except MuxError as error:
            problem = {"code": error.code, "what": error.what, "said": error.said, "todo": error.todo}
            return {**self._last, "closed": True, "problem": self._last["problem"] or problem}
        return self._last

    def lines(self, last: int | None = None) -> list[Line]:
        """Lines by time: all that are kept, or those that came last.

        Raises:
            Closed: They were closed.
        """
        end = self.end()
        if last is None:
            reads = everything(self.read, end)
        else:
            reads = everything(lambda after, most: self.read(max(after, end - last - 1), most), end)
        sources = self.standing()["sources"]
        return by_time(line for part in reads for line in lines_of(part, sources))

    def end(self) -> int:
        """The number behind the last line.

        Raises:
            Closed: They were closed.
        """
        core, id_ = self._of_the_parent() or self.opened()
        return int(told(core.logs_state, id_)["end"])

    def _of_the_parent(self) -> tuple[Any, str] | None:
        """In a forked child, what its parent had read, as long as they are not used for anything else."""
        if self.closed or self._core is None or self._core.pid == os.getpid():
            return None
        core = holder.core()
        try:
            core.logs_state(self._id)
        except Exception:  # noqa: BLE001 - nothing inherited: they will be logs of this process
            return None
        return core, self._id

    def on_new(self, wake: Callable[[], None]) -> Callable[[], None]:
        """Have `wake` called when lines or states are new; returns the undo. The caller holds the logs besides.

        Called on the core's thread; it must not block.

        Raises:
            Closed: They were closed.
        """
        core, id_ = self.opened()
        undo: Callable[[], None] = told(core.logs_feed, id_, wake)
        return undo

    async def settle(self, seconds: float = SETTLE_SECONDS) -> dict[str, Any]:
        """Wait until each container has sent its first lines or said why not, or for `seconds`; gives how they stand.

        A coroutine of `waiting`'s kind.
        """
        core, id_ = self.opened()
        if self._settled != id_:
            try:
                await answered(core.logs_settled, id_, deadline=deadline_in(seconds), what=self._waiting_for)
            except TimeoutError:
                pass  # the state says of each how it stands
            self._settled = id_
        return self.standing()

    def over(self, state: Mapping[str, Any]) -> bool:
        """Whether nothing more will come: what comes later is not wanted, and all have ended."""
        if self.closed or state["closed"]:
            return True
        return not self.follow and state["settled"] and all(one["state"] in FINAL for one in state["sources"])

    def _waiting_for(self) -> str:
        return f"waiting for the logs of {self.title}: {standing(self.standing())}"
