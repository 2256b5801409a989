"""Waiting for what other threads and processes do: for a condition, never for a time."""

from __future__ import annotations

import time
from collections.abc import Callable


def eventually(condition: Callable[[], object], what: str = "", *, seconds: float, pause: float = 0.01) -> None:
    """Wait until `condition` holds, looking each `pause` seconds; fail with `what` after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what or condition}"
        time.sleep(pause)
