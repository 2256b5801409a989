"""What the administrators of a playground's cluster do with its time: over its own API, below ``/notebook-mux``.

::

    GET   /notebook-mux          what there is: the clock, the scenario and its story
    PATCH /notebook-mux/clock    {"speed": 10}, {"paused": true}
    POST  /notebook-mux/step     {"seconds": 60}; {} goes to the next thing that happens
    POST  /notebook-mux/reset    the scenario anew, from its beginning

Each answers what there is then. Discovery does not mention them, and nobody but system:masters may ask for them,
whatever roles say: they are no part of Kubernetes.

Each answer of the server has a header that says how its clock goes (`clocks.HEADER`), and a change of the clock ends
all watches: who watches asks again, and sees the new clock there. So ages are right whoever looks.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Protocol

import msgspec
from aiohttp import web

from notebook_mux.clocks import HEADER
from notebook_mux.playground.access import MASTERS, Asked, User, forbidden
from notebook_mux.playground.clock import Clock
from notebook_mux.playground.paths import NotServed
from notebook_mux.playground.status import ApiError, bad_request, not_allowed

if TYPE_CHECKING:
    from notebook_mux.playground.cluster import Cluster

Json = dict[str, Any]

ROOT = "/notebook-mux"
SLOWEST, FASTEST = 0.1, 100.0
LONGEST_STEP_S = 86_400.0

AFTERWARDS_S = 0.5
"""Behind the next thing that happens: what it changes has begun to show."""

FIELDS = {"PATCH": {"speed": float, "paused": bool}, "POST": {"seconds": float}}


def is_below(path: str) -> bool:
    """Whether a path is one of these."""
    return path == ROOT or path.startswith(f"{ROOT}/")


def header(clock: Clock) -> str:
    """How a clock goes, for `HEADER`."""
    return f"{clock.now():.3f};{clock.rate:g}"


class Controlled(Protocol):
    """One cluster and its server."""

    @property
    def cluster(self) -> Cluster:
        """The cluster as it is now."""

    def scenario(self) -> Json:
        """What is told of its scenario."""

    def clock_changed(self) -> None:
        """Let who watches ask again."""

    async def reset(self) -> None:
        """Begin anew."""


class Control:
    """Answers requests below `ROOT`.

    Args:
        of: The cluster and its server.
    """

    def __init__(self, of: Controlled):
        self._of = of
        self._one = asyncio.Lock()  # one change at a time
        self._steady = asyncio.Event()
        self._steady.set()

    async def steady(self) -> None:
        """Wait until no step is being made: what is answered then has one time."""
        await self._steady.wait()

    async def answer(
        self, request: web.BaseRequest, user: User, asked: Asked, read: Callable[[], Awaitable[bytes]]
    ) -> Json:
        """What there is, after what was asked for.

        Raises:
            ApiError: 400, 403 or 405.
            NotServed: There is no such path.
        """
        if MASTERS not in user.groups:
            raise forbidden(user, asked)
        path, method = request.path.removeprefix(ROOT).strip("/"), request.method
        doing = {"clock": ("PATCH", self._set), "step": ("POST", self._step), "reset": ("POST", self._reset)}
        if path == "":
            if method != "GET":
                raise not_allowed()
            return self.state()
        if path not in doing:
            raise NotServed(request.path)
        wanted, do = doing[path]
        if method != wanted:
            raise not_allowed()
        said = _said(method, await read())
        async with self._one:
            await do(said)
            return self.state()

    def state(self) -> Json:
        """The clock, the scenario and its story, as JSON has it."""
        cluster = self._of.cluster
        clock, story = cluster.agenda.clock, cluster.story
        return {
            "clock": {"now": cluster.agenda.now(), "speed": clock.speed, "paused": clock.paused},
            "scenario": self._of.scenario(),
            "next": story.next_at() if story is not None else None,
        }

    async def _set(self, said: Json) -> None:
        speed = said.get("speed")
        if speed is not None and not SLOWEST <= speed <= FASTEST:
            raise bad_request(f"a speed of {speed:g}: {SLOWEST:g} to {FASTEST:g} can be had")
        self._of.cluster.agenda.clock.set(speed=speed, paused=said.get("paused"))
        self._of.clock_changed()

    async def _step(self, said: Json) -> None:
        cluster = self._of.cluster
        seconds = said.get("seconds")
        if seconds is None:
            due = cluster.story.next_at() if cluster.story is not None else None
            if due is None:
                raise ApiError(409, "Conflict", "nothing more happens by itself in this scenario", {})
            seconds = max(0.0, due - cluster.agenda.now()) + AFTERWARDS_S
        if not 0 <= seconds <= LONGEST_STEP_S:
            raise bad_request(f"a step of {seconds:g} s: up to {LONGEST_STEP_S:g} can be made at once")
        self._steady.clear()
        try:
            self._of.clock_changed()
            await cluster.agenda.pass_by(seconds)
        finally:
            self._steady.set()
        self._of.clock_changed()

    async def _reset(self, said: Json) -> None:
        await self._of.reset()


def _said(method: str, body: bytes) -> Json:
    """The body of a change.

    Raises:
        ApiError: 400.
    """
    try:
        found = msgspec.json.decode(body) if body.strip() else {}
    except msgspec.DecodeError as error:
        raise bad_request(f"the body is no JSON: {error}") from None
    known = FIELDS[method]
    if not isinstance(found, dict) or not found.keys() <= known.keys():
        raise bad_request(f"the body is to be an object with {' or '.join(known)}")
    for name, value in found.items():
        if value is None:
            continue
        number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        if not (number if known[name] is float else isinstance(value, bool)):
            raise bad_request(f"{name} is to be {'a number' if known[name] is float else 'true or false'}")
    return found


__all__ = ["HEADER", "Control", "header", "is_below"]
