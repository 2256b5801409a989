"""The embedded cluster's manager: what any manager can, and its time. Made by `notebook_mux.demo`."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from notebook_mux import clocks, errors
from notebook_mux.ages import utc
from notebook_mux.handles.fetching import JSON
from notebook_mux.handles.manager import Manager
from notebook_mux.handles.questions import chosen_contexts
from notebook_mux.handles.refusals import OK, refused
from notebook_mux.handles.server import Server
from notebook_mux.handles.waiting import blocking, gather

if TYPE_CHECKING:
    from notebook_mux.handles.identity import Context

Json = dict[str, Any]

ROOT = "/notebook-mux"
CHANGE_SECONDS = 600.0
"""For a change: a long step of a large cluster is a minute's work."""

CONFLICT = 409


class Demo(Manager):
    """The embedded cluster, or several of them: a `Manager` that can change their time.

    Each change is of all its clusters, and of whoever looks at them: a cluster has one clock. Ages in tables follow.
    What is written here is done when it returns.
    """

    _clock: tuple[float, float, float] | None = None
    """The first cluster's, as its last answer here had it; see `clocks.plain`."""

    @property
    def scenario(self) -> str:
        """The scenario's name, or the path of its file."""
        return self._told_of[0]

    @property
    def seed(self) -> int:
        """Of all that is random in it."""
        return self._told_of[1]

    @property
    def time(self) -> datetime:
        """The time in the first cluster, in UTC. Waits."""
        return utc(blocking(self._state())["clock"]["now"])

    def chosen(self, cluster: str | None = None) -> dict[str, Any]:
        """What the seed has chosen in a cluster's scenario, by name; what a lesson's answers are compared with. Waits.

        Args:
            cluster: One of the clusters; None is the first.

        Raises:
            UnknownContext: There is no such cluster.
        """
        found: dict[str, Any] = blocking(self._state(cluster))["scenario"]["chosen"]
        return found

    def speed(self, factor: float) -> None:
        """Let everything in the clusters go so many times as fast, and go on if it was paused. Waits.

        Args:
            factor: 0.1 to 100; 1 is as the wall's clock goes.

        Raises:
            InvalidArgument: It is none of these.
        """
        if isinstance(factor, bool) or not isinstance(factor, int | float) or not factor > 0 or math.isinf(factor):
            todo = "demo.pause() stops it" if factor == 0 else "give a number from 0.1 to 100"
            raise errors.InvalidArgument(f"speed({factor!r}) is no speed", todo=todo)
        blocking(self._change("PATCH", "clock", {"speed": float(factor), "paused": False}, f"speed({factor!r})"))

    def pause(self) -> None:
        """Stop the clusters' time: nothing happens there by itself, and requests are answered all the same. Waits."""
        blocking(self._change("PATCH", "clock", {"paused": True}, "pause()"))

    def resume(self) -> None:
        """Let time go on after a pause, at the speed that it had. Waits."""
        blocking(self._change("PATCH", "clock", {"paused": False}, "resume()"))

    def step(self, seconds: float | None = None) -> datetime:
        """Let time pass at once, also where it is paused. Waits.

        Args:
            seconds: How much, up to a day; None goes to the next thing that the scenario's story has, in the first of
                the clusters.

        Returns:
            The time in the first cluster then, in UTC.

        Raises:
            InvalidArgument: It is no such time, or nothing more happens by itself.
        """
        if seconds is not None:
            number = isinstance(seconds, int | float) and not isinstance(seconds, bool)
            if not number or not 0 <= seconds < math.inf:
                raise errors.InvalidArgument(f"step({seconds!r}) is no step", todo="give seconds, such as 60")
        said = {} if seconds is None else {"seconds": float(seconds)}
        states = blocking(self._change("POST", "step", said, f"step({'' if seconds is None else seconds!r})"))
        return utc(states[0]["clock"]["now"])

    def reset(self) -> None:
        """Begin the scenario anew with the same seed, at the wall's time and its speed, in the same place. Waits.

        Tables, streams and logs come back by themselves; terminals and port-forwards end with their pods.
        """
        blocking(self._reset())

    # --- their steps ------------------------------------------------------------------------------------------------

    @property
    def _told_of(self) -> tuple[str, int]:
        demo = self._identity.demo
        assert demo is not None
        return demo

    async def _reset(self) -> None:
        await self._change("POST", "reset", {}, "reset()")

    async def _state(self, cluster: str | None = None) -> Json:
        self._check()
        context = chosen_contexts(self._identity, cluster)[0]
        server = Server(self._identity, context)
        status, body = await server.request(ROOT, "", JSON)
        return self._learnt(_answer(status, body, "looking at the clock", context), context)

    async def _change(self, method: str, path: str, said: Mapping[str, Any], words: str) -> list[Json]:
        """Change all clusters; what there is then in each."""
        self._check()
        contexts = list(self._identity.contexts)
        said = dict(said)
        if path == "step" and not said and len(contexts) > 1:
            # All by the same: their stories differ, and their times should not.
            first = await self._state()
            if first["next"] is None:
                raise _over(contexts[0])
            said["seconds"] = max(0.0, first["next"] - first["clock"]["now"])
        body = msgspec.json.encode(said).decode()
        results = await gather([self._change_one(context, method, path, body, words) for context in contexts])
        states = []
        for result in results:
            if isinstance(result, Exception):
                raise result
            states.append(result)
        return states

    async def _change_one(self, context: Context, method: str, path: str, body: str, words: str) -> Json:
        server = Server(self._identity, context)
        future = server.sent(method, f"{ROOT}/{path}", body, timeout=CHANGE_SECONDS)
        status, content = await server.changed(future)
        if status == CONFLICT:
            raise _over(context)
        return self._learnt(_answer(status, content, words, context), context)

    def _learnt(self, state: Json, context: Context) -> Json:
        if context == self._identity.contexts[0]:
            told, ours = state["clock"], time.time()
            rate = 0.0 if told["paused"] else told["speed"]
            header = {clocks.HEADER: f"{told['now']};{rate}"}
            self._clock = clocks.plain(clocks.heard(header, ours, ours, clocks.OURS))
        return state

    def __repr__(self) -> str:
        scenario, seed = self._told_of
        return f"{super().__repr__().replace('<Manager', '<Demo', 1)[:-1]}; {scenario}, seed {seed}>"


def _answer(status: int, body: bytes, what: str, context: Context) -> Json:
    if status not in OK:
        raise refused(status, body, what=what, cluster=context.alias)
    found: Json = msgspec.json.decode(body)
    return found


def _over(context: Context) -> errors.MuxError:
    return errors.InvalidArgument(
        "nothing more happens by itself in this scenario",
        cluster=context.alias,
        todo="say how far to go: demo.step(60)",
    )
