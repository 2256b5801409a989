"""Begins the programs that are emulated, when their containers start."""

from __future__ import annotations

import asyncio
from typing import Any

from notebook_mux.playground.controllers.base import Controller
from notebook_mux.playground.store import Key

Json = dict[str, Any]

AGAIN_S = 5.0
WORDS = (b'"command":', b'"args":')
"""One of these is in a pod whose program may be emulated and waits for nobody's input."""


class Programs(Controller):
    """Begins the containers' own programs where they are emulated; one that has input waits for who attaches."""

    watches = ("pods",)

    def start(self) -> None:
        """Begin to watch; what runs already is begun too."""
        self._begun: dict[Key, dict[str, str]] = {}
        super().start()

    def sync(self, key: Key) -> None:
        """Begin what has just started."""
        stored = self.store.get("pods", *key)
        if stored is None:
            self._begun.pop(key, None)
            return
        if stored.fields["status.phase"] not in ("Pending", "Running") or not any(one in stored.body for one in WORDS):
            return
        if self.cluster.being_built or not has_loop():  # time is moved, by a scenario or by somebody without a loop
            self.later(AGAIN_S, key)
            return
        from notebook_mux.playground.shell import worlds  # all of the shell: a cluster begins to serve without it

        pod = stored.decode()
        begun = self._begun.setdefault(key, {})
        for _, statuses in worlds.KINDS:
            for status in pod["status"].get(statuses) or ():
                run = status.get("containerID", "")
                if "running" in status["state"] and begun.get(status["name"]) != run:
                    begun[status["name"]] = run
                    worlds.of(self.cluster).start(pod, status["name"])


def has_loop() -> bool:
    """Whether this thread has a loop that runs: where time is moved by hand there is none."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
