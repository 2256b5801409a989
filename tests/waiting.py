"""Waiting for what other threads and processes do: for a condition, never for a time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable


def eventually(
    condition: Callable[[], object], what: str | Callable[[], str] = "", *, seconds: float, pause: float = 0.01
) -> None:
    """Wait until `condition` holds, looking each `pause` seconds; fail with `what`, as it then is, after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, _late(condition, what, seconds)
        time.sleep(pause)


async def until(
    condition: Callable[[], object], what: str | Callable[[], str] = "", *, seconds: float = 30.0, pause: float = 0.005
) -> None:
    """The same on a loop, which goes on meanwhile."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, _late(condition, what, seconds)
        await asyncio.sleep(pause)


def _late(condition: Callable[[], object], what: str | Callable[[], str], seconds: float) -> str:
    return f"not within {seconds:g} s: {(what() if callable(what) else what) or condition}"
