"""What a stream, or one request, showed at one moment."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from notebook_mux.handles.readers import Readers


@dataclass(frozen=True, slots=True)
class ReadState:
    """One cluster of a snapshot; the fields of the core's `ClusterState`. Times are Unix seconds."""

    state: str
    since: float
    synced: bool
    reason: str = ""
    said: str | None = None
    code: str | None = None
    todo: str | None = None
    retry_at: float | None = None
    resource: dict[str, Any] | None = None
    namespaces: tuple[str, ...] | None = None
    fresh: float | None = None
    clock: tuple[float, float, float] | None = None


@dataclass(frozen=True, slots=True)
class ReadView:
    """What one round of requests gave; the fields of the core's `StreamView`."""

    records: dict[str, dict[str, Any]]
    columns: list[dict[str, Any]]
    states: dict[str, ReadState]
    version: int = 0
    closed: bool = False


class Snapshot(Readers):
    """Rows, objects and a data frame of one moment, ages included; it does not change any more.

    Args:
        view: What was read.
        words: What it is, such as "pods in default".
    """

    def __init__(self, view: Any, words: str) -> None:
        self._fixed = view
        self._what = words
        self._at = time.time()

    def _ready(self) -> Any:
        return self._fixed

    def _view(self) -> Any:
        return self._fixed

    def _moment(self) -> float:
        return self._at

    def _words(self) -> str:
        return self._what
