"""Counting config maps: a number that the cluster itself raises, so that who watches sees whether one is left out.

No real cluster has this. A config map with the annotation ``playground.notebook-mux/counts`` has its ``data.number``
raised by one every so many seconds, as the annotation's value says.
"""

from __future__ import annotations

import math
from typing import Any

from notebook_mux.playground.cluster import Cluster
from notebook_mux.playground.controllers.base import Controller
from notebook_mux.playground.controllers.recorder import Recorder
from notebook_mux.playground.store import Key

Json = dict[str, Any]

CONFIG_MAPS = "configmaps"
COUNTS = "playground.notebook-mux/counts"
NUMBER = "number"

SHORTEST_S = 0.05
"""Between two numbers: a cluster does other things too."""


class Counters(Controller):
    """The controller of counting config maps."""

    watches = (CONFIG_MAPS,)

    def __init__(self, cluster: Cluster, recorder: Recorder):
        super().__init__(cluster, recorder)
        self._due: dict[Key, float] = {}

    def sync(self, key: Key) -> None:
        """Raise its number, if it is time to."""
        stored = self.store.get(CONFIG_MAPS, *key)
        period = _period(stored.decode()) if stored is not None and not stored.deleting else None
        if period is None:
            self._due.pop(key, None)
            return
        now, due = self.agenda.now(), self._due.get(key)
        if due is not None and now < due:
            return  # it has just been raised, or somebody else changed it
        self._due[key] = now + period
        self.later(period, key)
        if due is not None:
            self.cluster.update(CONFIG_MAPS, *key, _raise)


def _raise(obj: Json) -> None:
    data = obj.setdefault("data", {})
    text = str(data.get(NUMBER, ""))
    data[NUMBER] = str(int(text) + 1 if text.isdecimal() else 1)


def _period(obj: Json) -> float | None:
    """Seconds between two numbers; None where it does not count."""
    text = (obj["metadata"].get("annotations") or {}).get(COUNTS)
    try:
        period = float(text) if text is not None else math.nan
    except ValueError:
        return None
    return max(SHORTEST_S, period) if 0 < period < math.inf else None
