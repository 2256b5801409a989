"""When a service ends by itself: some minutes without a client, or a signal.

In this order: remove the runtime file, stop accepting, look once more, exit. The lock is held throughout, so a
client that comes in between finds no file, waits for the lock, and starts the service anew; one that was about to
connect is refused and does the same.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping

from notebook_mux.life.runtime import Tenure

__all__ = ["IDLE_S", "IdleEnd", "idle_seconds"]

IDLE_S = 600.0
"""Seconds without a client. A kernel's restart, a notebook closed and opened, and a page read over coffee find the
service still there, with its upstreams; a forgotten one is gone before its memory is missed."""

TICK_S = 5.0
REFRESH_S = 3600.0
"""Cleaners of temporary files go by days."""

Door = Callable[[], Awaitable[None] | None]


def idle_seconds(env: Mapping[str, str] | None = None) -> float:
    """`IDLE_S`, or what ``NOTEBOOK_MUX_IDLE_SECONDS`` says if it is a positive number."""
    text = (os.environ if env is None else env).get("NOTEBOOK_MUX_IDLE_SECONDS", "")
    with contextlib.suppress(ValueError):
        if (seconds := float(text)) > 0:
            return seconds
    return IDLE_S


class IdleEnd:
    """Waits until a service may end. For the service's loop.

    Args:
        tenure: The service's tenure; its file is withdrawn before the end, and refreshed until then.
        busy: Whether there is a client, or anything else to stay for.
        close_door: Stop accepting clients (refuse them, or close the listening sockets). Called at most once at a time.
        open_door: Accept again: a client had come in while the door was being closed.
        seconds: How long without being busy; None is `idle_seconds`.
        clock: Seconds, monotonic.
    """

    def __init__(
        self,
        tenure: Tenure,
        *,
        busy: Callable[[], bool],
        close_door: Door,
        open_door: Door,
        seconds: float | None = None,
        clock: Callable[[], float] = time.monotonic,
    ):
        self._tenure = tenure
        self._busy = busy
        self._close_door = close_door
        self._open_door = open_door
        self._seconds = idle_seconds() if seconds is None else seconds
        self._clock = clock
        self._last = clock()
        self._refreshed = clock()
        self._asked = asyncio.Event()
        self._reason = ""

    def touch(self) -> None:
        """There was a client just now, if only for a moment, or one that asked for a proof and is about to connect."""
        self._last = self._clock()

    def ask(self, reason: str) -> None:
        """End now, whoever is there; for a signal or a request to stop."""
        self._reason = self._reason or reason
        self._asked.set()

    async def wait(self) -> str:
        """Wait for the end. Afterwards the file is withdrawn and the door closed; the caller ends the service.

        Returns:
            ``"idle"``, or the reason that was given to `ask`.
        """
        tick = min(TICK_S, self._seconds / 5)
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._asked.wait(), tick)
            if self._asked.is_set():
                self._tenure.withdraw()
                await _call(self._close_door)
                return self._reason
            now = self._clock()
            if self._busy():
                self._last = now
            if now - self._refreshed >= REFRESH_S:
                self._refreshed = now
                await asyncio.to_thread(self._tenure.refresh)
            if now - self._last >= self._seconds and await self._try_to_end():
                return "idle"

    async def _try_to_end(self) -> bool:
        self._tenure.withdraw()
        await _call(self._close_door)
        await asyncio.sleep(0)  # what was accepted before gets its turn
        if not self._busy():
            return True
        await _call(self._open_door)
        self._tenure.refresh()
        self.touch()
        return False

    @contextlib.contextmanager
    def signals(self) -> Iterator[None]:
        """Let SIGTERM and SIGINT ask for the end, for as long as this lasts. On the loop, in the main thread."""
        loop = asyncio.get_running_loop()
        numbers = (signal.SIGTERM, signal.SIGINT)
        if sys.platform == "win32":  # its loops have no handlers of signals: Ctrl-C raises KeyboardInterrupt
            yield
            return
        for number in numbers:
            loop.add_signal_handler(number, self.ask, number.name)
        try:
            yield
        finally:
            for number in numbers:
                loop.remove_signal_handler(number)


async def _call(door: Door) -> None:
    result = door()
    if inspect.isawaitable(result):
        await result
