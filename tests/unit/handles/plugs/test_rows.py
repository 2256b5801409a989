"""The account of a plug while numbers come: what was folded is no loss, whenever one looks, and what came before a cut
is no sign that the way is back."""

from __future__ import annotations

import threading
import time
from types import SimpleNamespace
from typing import Any

import pytest

from notebook_mux.handles import cutting
from notebook_mux.handles.plugs.ledger import Ledger
from notebook_mux.handles.plugs.plug import LOG, NANOSECONDS, WATCH, Plug


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


class Cutting(Plug):
    """A plug whose log has a number for whoever cuts its way, just before it is cut."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ledgers = {LOG: Ledger(first=1), WATCH: Ledger()}
        self._cuts = []
        self._closed = False
        self._manager: Any = SimpleNamespace(_identity=None)
        self.written = 0

    def came(self, _identity: object = None) -> int:
        self.written = time.time_ns()
        self._put(LOG, 1, self.written)
        return 4711

    def _save(self) -> None:
        self._put(LOG, 1, self.written)  # it may be taken in only now

    def _wake(self) -> None:
        pass


@pytest.mark.parametrize(("way", "cut"), [("cut", Plug.cut), ("kill_gateway", Plug.kill_gateway)])
def test_a_number_that_came_before_the_cut_is_not_the_first_after_it(
    way: str, cut: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    plug = Cutting()
    monkeypatch.setattr(cutting, way, plug.came)
    cut(plug)
    [done] = plug.cuts
    assert done.back is None
    plug._put(LOG, 2, round(done.at.timestamp() * NANOSECONDS) + NANOSECONDS)
    assert plug.cuts[0].back is not None
