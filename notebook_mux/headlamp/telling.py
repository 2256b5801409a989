"""What a stream's state is, in words: what the reflector thinks, but live only while its watch is open."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from notebook_mux.kube.reflector import List, Reflector, Wait, Watch
from notebook_mux.wire import messages

REOPEN_SECONDS = 10.0
"""A watch that ended normally is asked for again at once; if that takes longer, what is shown is stale."""

OPENING = "the list is here; the watch is being opened"


class Telling:
    """The states of one stream. All calls on the loop's thread.

    Args:
        stream: Its id.
        reflector: Decides.
        tell: Takes a state that is another one than before.
        patience: Factor of all waits.

    Attributes:
        is_open: Whether the watch is; set by the owner.
    """

    def __init__(
        self, stream: int, reflector: Reflector, tell: Callable[[messages.State], None], patience: float
    ) -> None:
        self.is_open = False
        self._stream = stream
        self._reflector = reflector
        self._tell = tell
        self._patience = patience
        self._told = messages.State(stream=stream, state="")
        self._reopening: asyncio.TimerHandle | None = None

    def now(self, step: Wait | List | Watch | None = None) -> None:
        """Tell the state, if it is another one; `step` is what is done next."""
        reflector, told, at = self._reflector, self._told, time.time()
        state, trouble = reflector.state, reflector.trouble
        reason = trouble.reason if trouble is not None else ""
        if self.is_open:
            self.close()
        if state == "live" and not self.is_open:
            # A list alone is no live view: a kind that cannot be watched must not look as if it were.
            if told.state == "live":
                self._expect_reopening()
                return
            if told.state not in ("", "connecting"):
                return
            state, reason, trouble = "connecting", OPENING, None
        retry_at = at + step.seconds * self._patience if isinstance(step, Wait) and step.seconds is not None else None
        self._say(
            messages.State(
                stream=self._stream,
                state=state,
                reason=reason,
                said=trouble.said if trouble is not None else None,
                status=trouble.code if trouble is not None else None,
                since=told.since if told.state == state else at,
                retry_at=retry_at,
                synced=reflector.synced,
            )
        )

    def close(self) -> None:
        """Expect nothing more."""
        if self._reopening is not None:
            self._reopening.cancel()
            self._reopening = None

    def _say(self, state: messages.State) -> None:
        if state != self._told:
            self._told = state
            self._tell(state)

    def _expect_reopening(self) -> None:
        if self._reopening is None:
            self._reopening = asyncio.get_running_loop().call_later(REOPEN_SECONDS, self._late)

    def _late(self) -> None:
        self._reopening = None
        if not self.is_open and self._told.state == "live":
            words = f"the watch ended and is not open again after {REOPEN_SECONDS:g} s"
            state = messages.State(stream=self._stream, state="stale", reason=words, since=time.time(), synced=True)
            self._say(state)
