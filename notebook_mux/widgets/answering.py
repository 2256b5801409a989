"""A page's question that takes a while: it is asked on a thread of its own, and the page always gets an answer."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from notebook_mux.errors import MuxError
from notebook_mux.handles.waiting import awaiting, in_thread

log = logging.getLogger(__name__)

Content = dict[str, Any]
Answer = Callable[[Content], None]


def unforeseen(error: Exception) -> str:
    """What a page is told of an error that nobody foresaw; the rest is in the log."""
    return f"{type(error).__name__} in the kernel, see its log"


def refused(error: MuxError) -> Content:
    """What a page is told of one that says itself what happened."""
    return {"ok": False, "error": str(error)}


def later(
    steps: Coroutine[Any, Any, Content],
    answer: Answer,
    name: str,
    told: Callable[[MuxError], Content] = refused,
) -> None:
    """Answer with what steps give; nothing waits.

    Args:
        steps: A coroutine of `waiting`'s kind.
        answer: Called once, on another thread.
        name: Of that thread, which the log says too.
        told: What the page is told of an error of ours.
    """

    def go() -> None:
        try:
            content = asyncio.run(awaiting(steps))
        except MuxError as error:
            content = told(error)
        except Exception as error:  # the page waits for an answer
            log.exception("%s: a page's question could not be answered", name)
            content = {"ok": False, "error": unforeseen(error)}
        answer(content)

    in_thread(go, name)
