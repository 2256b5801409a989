"""What came up on the way to the gateway and should be known: said once, in the cell where the user asked.

The core finds a gateway on its own thread, whose words would land in whichever cell runs. So they are kept with the
core, as plain text, until somebody connects; there a reload of the modules finds also what was said already.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable

from notebook_mux.kernel import holder

WAITING = "notices"
"""In the core's memo: what is to be said."""

SAID = "notices said"
"""In the core's memo: what was said of clusters."""


def of_clusters(told: Iterable[tuple[str, Iterable[str]]]) -> None:
    """Keep what a user should know of clusters though they work, each sentence once for each kernel.

    Args:
        told: A cluster's name and its sentences.
    """
    memo = vars(holder.core()).setdefault("memo", {})
    said: set[str] = memo.setdefault(SAID, set())
    for cluster, sentences in told:
        for sentence in sentences:
            if sentence not in said:
                said.add(sentence)
                memo.setdefault(WAITING, []).append(f"{cluster}: {sentence}")


def say() -> None:
    """Say all that waits. Called where something connects, on the caller's thread."""
    running = holder.running()
    memo = vars(running).get("memo", {}) if running is not None else {}
    for text in memo.pop(WAITING, ()):
        print(f"notebook_mux: {text}", file=sys.stderr)  # noqa: T201 - it belongs into this very cell
