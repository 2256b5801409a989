"""Some students of a class in one process: each with a connection, two tables' streams, a followed log and a terminal.

As many kernels' worth of clients as links are given; each link is another user with a socket of their own. A program:
it says when all are there, takes ``{"seconds", "gap"}``, types for so long, and says what came back and when.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import time
from typing import Any

from notebook_mux import aio as nm
from notebook_mux.errors import MuxError
from notebook_mux.handles.waiting import awaiting
from notebook_mux.wire import messages
from notebook_mux.wire.frames import FRAME_HEAD, NUMBER, Channel, encode_frame
from tests.benchmarks import processes
from tests.benchmarks.marks import MARK

STREAM = 1
CREDIT = 1 << 20
LATE_SECONDS = 60.0
"""A key that is not back after so long is lost."""

KEYS = (b"x", b"\x7f")
"""Typed and taken away in turn, so that the line stays as long as it is."""

FLOOD = 100
"""Requests at once of a student who floods: more than one may have."""

READY_SECONDS = 90.0


class Student:
    """One of them."""

    def __init__(self, link: str) -> None:
        self._link = link
        self._loop = asyncio.get_running_loop()
        self._output = asyncio.Event()
        self._place = 0
        self.heard = 0
        self.marks: dict[str, float] = {}
        self.lines = 0

    async def begin(self) -> None:
        """Connect, watch, follow, and open a shell that is at its prompt."""
        self.manager = await nm.connect(url=self._link, write=True)
        self.pods = await nm.watch("pods", timeout=READY_SECONDS)  # of the manager connected last
        self.nodes = await nm.watch("nodes", timeout=READY_SECONDS)
        self.nodes.on_change(self._changed, initial=False)
        await nm.expect("deploy/web", condition="Available", timeout=READY_SECONDS)
        logs = await nm.logs("deploy/web")
        self._following = asyncio.create_task(self._follow(logs))
        terminal = await nm.shell("deploy/web")
        self._view = terminal.session.attach(os.urandom(8).hex(), self._say)
        view = messages.View(
            stream=STREAM, terminal="", view=os.urandom(8).hex(), credit=CREDIT, columns=80, rows=24, output=True
        )
        self._view.send([messages.encode(view)])
        await asyncio.wait_for(self._output.wait(), READY_SECONDS)

    def _changed(self, change: Any) -> None:
        mark = (change.object["metadata"].get("annotations") or {}).get(MARK)
        if mark is not None:
            self.marks.setdefault(mark, time.monotonic())

    async def _follow(self, logs: Any) -> None:
        async for _ in logs:
            self.lines += 1

    def _say(self, items: list[str | bytes]) -> None:
        """On the core's thread."""
        got = sum(len(item) for item in items if isinstance(item, bytes))
        if got:
            self._view.send([messages.encode(messages.Credit(stream=STREAM, bytes=got))])
        if any(isinstance(one, bytes) and FRAME_HEAD.unpack_from(one)[1] == Channel.STDOUT for one in items):
            self._loop.call_soon_threadsafe(self._output.set)

    async def type(self, seconds: float, gap: float) -> list[float]:
        """Type a key about every `gap` seconds, each after the echo of the one before; milliseconds to each echo."""
        chance, until, times = random.Random(self._link), time.monotonic() + seconds, list[float]()
        await asyncio.sleep(chance.uniform(0, gap))
        number = 0
        while not times or time.monotonic() < until:
            key = KEYS[number % len(KEYS)]
            number += 1
            self._output.clear()
            began = time.monotonic()
            self._view.send([encode_frame(STREAM, Channel.STDIN, NUMBER.pack(self._place) + key)])
            self._place += len(key)
            await asyncio.wait_for(self._output.wait(), LATE_SECONDS)
            times.append((time.monotonic() - began) * 1000)
            await asyncio.sleep(chance.uniform(gap / 2, gap * 3 / 2))
        return times

    async def flood(self, seconds: float) -> int:
        """Ask for lists as fast as answers come, as much at once as the gateway allows; how many came."""
        until, count = time.monotonic() + seconds, 0

        async def ask() -> None:
            nonlocal count
            while time.monotonic() < until:
                with contextlib.suppress(MuxError):  # one too many, which is what the limit is for
                    await nm.get("pods")
                    count += 1

        await asyncio.gather(*(ask() for _ in range(FLOOD)))
        return count

    async def end(self) -> None:
        """Close all of it."""
        self._following.cancel()
        await awaiting(self.manager._close())


async def main() -> None:
    """See the module."""
    given = processes.arguments()
    orders = await processes.orders_async()
    students = [Student(link) for link in given["links"]]
    began = time.monotonic()
    for student in students:  # one after another, as people come into a room
        await student.begin()
    processes.say(ready=True, seconds=time.monotonic() - began)
    while (order := await processes.order(orders)) is not None:
        if "marks" in order:
            processes.say(marks=[student.marks for student in students])
            continue
        if "flood" in order:
            processes.say(flood=await students[-1].flood(order["flood"]))
            continue
        typed = await asyncio.gather(*(student.type(order["seconds"], order["gap"]) for student in students))
        processes.say(echoes=[one for times in typed for one in times], lines=[student.lines for student in students])
    for student in students:
        with contextlib.suppress(Exception):
            await student.end()


if __name__ == "__main__":
    asyncio.run(main())
