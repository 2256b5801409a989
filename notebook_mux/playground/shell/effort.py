"""What a script may cost: work is counted, and whoever does too much of it waits.

All programs of a cluster share one allowance, so that no number of endless loops takes the process's time from its API.
"""

from __future__ import annotations

import asyncio

BURST = 20_000
"""Units that may be used at once: about two seconds' work."""

RATE = 2_000
"""Units a second after that: about a fifth of a core."""

TURN = 20
"""Units after which others have their turn: about 2 ms, so that no request waits for a loop."""

BYTES = 1024
"""What counts as one unit, as one command does."""


class Effort:
    """An allowance.

    Args:
        burst: Units that may be used at once.
        rate: Units a second after that.
    """

    def __init__(self, burst: float = BURST, rate: float = RATE) -> None:
        self._burst = burst
        self._rate = rate
        self._left = float(burst)
        self._turn = 0.0
        self._at = 0.0

    async def spend(self, units: float = 1.0) -> None:
        """Count work that has been done, and wait if it was too much."""
        self._left -= units
        self._turn += units
        if self._turn < TURN:
            return
        self._turn = 0.0
        now = asyncio.get_running_loop().time()
        if self._at:
            self._left = min(self._burst, self._left + (now - self._at) * self._rate)
        self._at = now
        await asyncio.sleep(0 if self._left > 0 else min(1.0, -self._left / self._rate))
