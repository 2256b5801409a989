"""Takes back what `nest_asyncio.apply` does to asyncio for a whole process.

It replaces `asyncio.run` by one that leaves its loop open, and tasks and futures by slower ones, for every later test.
"""

from __future__ import annotations

import asyncio
import asyncio.events
import asyncio.futures
import asyncio.tasks
import sys
from typing import Any

_MARK = "_nest_patched"


def _namespaces() -> list[Any]:
    found = [asyncio, asyncio.events, asyncio.futures, asyncio.tasks, type(asyncio.get_event_loop_policy())]
    return [*found, *(module for name, module in sys.modules.items() if name == "tornado.concurrent")]


_BEFORE = [(namespace, dict(vars(namespace))) for namespace in _namespaces()]


def restore() -> None:
    """Make asyncio what it was when this module was imported; nothing to do where nobody patched it."""
    if not hasattr(asyncio, _MARK):
        return
    for namespace, before in _BEFORE:
        for name, value in list(vars(namespace).items()):
            if name not in before:
                delattr(namespace, name)
            elif before[name] is not value:
                setattr(namespace, name, before[name])
