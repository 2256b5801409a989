"""Beginning a lesson, and the line that each of its cells begins with.

A lesson never works on a real cluster: it starts the embedded one, or joins a class's, which says of itself that it is
none; and a cell that runs before its lesson has begun is stopped by its first line, before anything is asked anywhere.
"""

from __future__ import annotations

import os
import zlib
from typing import Any

import msgspec

from notebook_mux import api
from notebook_mux.errors import InvalidArgument, MuxError, OutOfOrder
from notebook_mux.handles.fetching import JSON
from notebook_mux.handles.manager import Manager
from notebook_mux.handles.origins import URL_VARIABLE
from notebook_mux.handles.refusals import OK
from notebook_mux.handles.server import Server
from notebook_mux.handles.waiting import blocking
from notebook_mux.lessons import objects
from notebook_mux.lessons.catalogue import find
from notebook_mux.lessons.lesson import Lesson
from notebook_mux.lessons.running import BEGIN, Running

PLAYGROUND = "notebook-mux"
"""What an embedded cluster's ``/version`` has for ``gitCommit`` (playground/discovery.py)."""

CLASS_SEEDS = 1000
"""How many different sets of answers a class's students may get: more than a room has."""

OWN = 100
"""A lesson on the cluster that has nothing in it gets one of its own: a seed's hundreds."""

_running: Running | None = None


def begin(number: str, *, seed: int = 0, reset: bool = False) -> Running:
    """Begin a lesson: connect to its cluster, and make what it needs there. The same arguments give the same lesson.

    With ``NOTEBOOK_MUX_URL`` of a class it runs in the student's own namespace there; else, and where a namespace is
    not enough, on an embedded cluster, which is started. Waits.

    Args:
        number: The lesson's, such as ``"03"``.
        seed: What decides the answers: others by another number. In a class the student's namespace decides as well.
        reset: Begin with a new cluster; in a class, with the lesson's objects made anew.

    Raises:
        InvalidArgument: There is no such lesson, the seed is no number, or ``NOTEBOOK_MUX_URL`` is of a real cluster.
        MuxError: The cluster cannot be started or reached.
    """
    global _running
    lesson = find(number)
    if isinstance(seed, bool) or not isinstance(seed, int):
        raise InvalidArgument(f"seed={seed!r} is no whole number", todo="write seed=7, any number you like")
    shared = bool(os.environ.get(URL_VARIABLE)) and lesson.namespaced
    manager = _joined() if shared else _started(lesson, seed, reset)
    if shared:
        namespace = next(iter(manager.clusters.values())).namespace
        seed += zlib.crc32(namespace.encode()) % CLASS_SEEDS
    mark = f"{lesson.number} seed={seed}"
    made = blocking(objects.create(manager, lesson.manifests(seed), mark=mark, anew=reset and shared))
    if made and lesson.until is not None:
        lesson.until(manager)
    same = _running is not None and (_running.lesson, _running.seed, _running.manager) == (lesson, seed, manager)
    if reset or not same:
        _running = Running(lesson, seed, manager, shared=shared)
    assert _running is not None
    return _running


def step(number: int) -> None:
    """Say which step of the lesson a cell belongs to: the first line of each of its cells. Does not wait.

    Raises:
        OutOfOrder: No lesson has begun in this kernel, or a step before this one was not begun; with the cell to run.
        InvalidArgument: There is no such step.
    """
    if _running is None:
        raise OutOfOrder(f"Run the cell “{BEGIN}” first: the lesson has not begun in this kernel")
    _running.step(number)


def _started(lesson: Lesson, seed: int, reset: bool) -> Manager:
    if lesson.scenario == "empty":
        seed = seed * OWN + int(lesson.number)
    return api.demo(lesson.scenario, seed=seed, clusters=lesson.clusters, reset=reset)


def _joined() -> Manager:
    """The class's manager; refused, and closed, where it is of a cluster that is no class's."""
    manager = api.connect()
    try:
        for context in manager._identity.contexts:
            if not blocking(_is_playground(Server(manager._identity, context))):
                raise InvalidArgument(
                    f"a lesson never runs on a real cluster, and {URL_VARIABLE} leads to one",
                    cluster=context.alias,
                    todo=f"unset {URL_VARIABLE}: the lesson then starts a cluster of its own",
                )
        return api.connect(write=True)
    except MuxError:
        manager.close()
        raise


async def _is_playground(server: Server) -> bool:
    status, body = await server.request("/version", "", JSON)
    if status not in OK:
        return False
    try:
        found: dict[str, Any] = msgspec.json.decode(body, type=dict[str, Any])
    except msgspec.DecodeError:
        return False
    return found.get("gitCommit") == PLAYGROUND
