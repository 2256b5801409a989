"""The account of a plug while numbers come: what was folded is no loss, whenever one looks."""

from __future__ import annotations

import threading

from notebook_mux.handles.plugs.ledger import Ledger
from notebook_mux.handles.plugs.plug import LOG, WATCH, Plug


class Numbers(Plug):
    """A plug without a cluster. While somebody asks what was folded, a number comes that has two folded before it."""

    def __init__(self) -> None:
        self._name = "plug"
        self._lock = threading.Lock()
        self._ledgers = {LOG: Ledger(first=1), WATCH: Ledger()}
        self._before = {}
        self._folded = self._skipped = 0
        self._next = 5

    def _look_at_skipped(self) -> None:
        self._skipped = self._folded
        self._folded += 2
        self._put(WATCH, self._next, 0)
        self._next += 3

    def _put(self, source: str, number: int, written: int) -> None:
        with self._lock:
            self._ledgers[source].take(number, 1.0)


def test_a_number_that_comes_while_one_looks_leaves_no_hole() -> None:
    plug = Numbers()
    plug._put(WATCH, 2, 0)
    for folded in (0, 2, 4):
        _, watch = plug.rows
        assert (watch["Missing"], watch["Folded"]) == (0, folded)
    assert plug.lost == 0
