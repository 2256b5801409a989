"""One thread that sends for all widgets, within what the server and the kernel's socket pass on.

jupyter_server drops comm messages above 1,000 a second without a word, and the kernel's IOPub socket those beyond a
backlog of 1,000, so all widgets together stay far below.
"""

from __future__ import annotations

import contextlib
import heapq
import itertools
import logging
import math
import os
import threading
import time
import weakref
from collections.abc import Callable
from typing import Protocol

log = logging.getLogger(__name__)

MESSAGES_PER_SECOND = 200.0
"""For the whole kernel; the server's `iopub_msg_rate_limit` is 1,000, and it is not ours alone."""

BURST = 40.0
"""Messages that may go at once after a quiet while: several views' first states."""

IDLE_SECONDS = 30.0
"""The thread ends after so long without anything to wait for; the next poke starts another."""


BREATH_SECONDS = 0.002
"""After a message that another follows at once: the kernel's IOPub thread needs the interpreter to pass it on."""


class Turn(Protocol):
    """A widget, as the pump sees it."""

    def turn(self, now: float) -> tuple[bool, float]:
        """Send at most one message.

        Returns:
            Whether one was sent, and when the next turn is due (infinity: when poked).
        """


class Pump:
    """Gives each poked widget its turns. `poke` may be called from any thread and does not block.

    Args:
        clock: Seconds, monotonic.
        rate: Messages a second for all widgets together.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, rate: float = MESSAGES_PER_SECOND) -> None:
        self._clock = clock
        self._rate = rate
        self._tokens = BURST
        self._filled = clock()
        self._wake = threading.Event()
        self._lock = threading.Lock()
        self._poked: dict[int, weakref.ref[Turn]] = {}
        self._queue: list[tuple[float, int, int, weakref.ref[Turn]]] = []
        self._due: dict[int, float] = {}
        self._serial = itertools.count()
        self._thread: threading.Thread | None = None

    def poke(self, widget: Turn) -> None:
        """Something changed for this widget, or its next turn may be due earlier."""
        with self._lock:
            self._poked[id(widget)] = weakref.ref(widget)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="notebook-mux-pump", daemon=True)
                self._thread.start()
        self._wake.set()

    def after_fork(self) -> None:
        """In a forked child: the thread is not there."""
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._thread = None
        self._poked.clear()
        self._queue.clear()
        self._due.clear()

    # --- the thread -----------------------------------------------------------------------------------------------

    def _run(self) -> None:
        while True:
            timeout = self._step(self._clock())
            if timeout == math.inf:
                if not self._wake.wait(IDLE_SECONDS):
                    with self._lock:
                        if not self._poked:
                            self._thread = None
                            return
            elif timeout > 0:
                self._wake.wait(timeout)

    def _step(self, now: float) -> float:
        """Give one round of turns; returns the seconds until the next."""
        self._wake.clear()
        with self._lock:
            poked, self._poked = self._poked, {}
        for key, reference in poked.items():
            self._push(key, now, reference)
        self._tokens = min(BURST, self._tokens + (now - self._filled) * self._rate)
        self._filled = now
        while self._queue and self._queue[0][0] <= now:
            if self._tokens < 1:
                return (1 - self._tokens) / self._rate
            due, _, key, reference = heapq.heappop(self._queue)
            if self._due.get(key) != due:
                continue  # an earlier turn took its place
            del self._due[key]
            widget = reference()
            if widget is None:
                continue
            sent, next_ = self._turn(widget, now)
            if sent and next_ <= now:
                time.sleep(BREATH_SECONDS)
            self._tokens -= sent
            if next_ != math.inf:
                self._push(key, next_, reference)
        return max(0.0, self._queue[0][0] - now) if self._queue else math.inf

    def _turn(self, widget: Turn, now: float) -> tuple[bool, float]:
        try:
            return widget.turn(now)
        except Exception:
            log.exception("a widget could not send")
            return False, math.inf

    def _push(self, key: int, due: float, reference: weakref.ref[Turn]) -> None:
        at = self._due.get(key)
        if at is None or due < at:
            self._due[key] = due
            heapq.heappush(self._queue, (due, next(self._serial), key, reference))


pump = Pump()

with contextlib.suppress(AttributeError):  # Windows has no fork
    os.register_at_fork(after_in_child=pump.after_fork)
