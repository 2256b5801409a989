"""When to try again: at once after the loss of an open connection, then ever later, with jitter."""

from __future__ import annotations

import random
from collections.abc import Iterator

FIRST_SECONDS = 0.05
"""The first retry after a loss: a cut loopback socket or a restarted gateway is back before anyone looks."""

BACKOFF_SECONDS = 0.5
BACKOFF_FACTOR = 2.0
BACKOFF_MAX_SECONDS = 15.0
"""From the second failure on: half a second, doubling; a quarter of a minute is as long as a person waits gladly."""


def delays(rng: random.Random) -> Iterator[float]:
    """Seconds to wait before each further attempt; each but the first is scaled by 0.5 to 1 at random."""
    yield FIRST_SECONDS
    delay = BACKOFF_SECONDS
    while True:
        yield delay * (0.5 + rng.random() / 2)
        delay = min(delay * BACKOFF_FACTOR, BACKOFF_MAX_SECONDS)
