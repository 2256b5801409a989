"""Waiting for what other threads and processes do: for a condition, never for a time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable


def eventually(condition: Callable[[], object], what: str = "", *, seconds: float, pause: float = 0.01) -> None:
    """Wait until `condition` holds, looking each `pause` seconds; fail with `what` after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what or condition}"
        time.sleep(pause)


async def until(
    condition: Callable[[], object], what: str = "", *, seconds: float = 10.0, pause: float = 0.005
) -> None:
    """The same on a loop, which goes on meanwhile."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what or condition}"
        await asyncio.sleep(pause)
