"""The sandboxes of a cluster: one a container, shared by all that runs in it, and ended when nobody needs it.

The container's files are kept by the emulation, so a sandbox can end at any time and come back with them. What was
started in it and still runs then is killed.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import Any
from weakref import WeakKeyDictionary, WeakSet

from notebook_mux.playground.cluster import Cluster
from notebook_mux.playground.sandbox import bridge, files, possible, programs
from notebook_mux.playground.sandbox.box import Box, NoSandbox
from notebook_mux.playground.sandbox.doors import Doors
from notebook_mux.playground.sandbox.files import Look
from notebook_mux.playground.sandbox.inside.entries import FILE, Entry
from notebook_mux.playground.sandbox.inside.plans import Plan
from notebook_mux.playground.sandbox.inside.serving import ROOT
from notebook_mux.playground.sandbox.network import Network
from notebook_mux.playground.sandbox.programs import Placed
from notebook_mux.playground.shell.container import Container
from notebook_mux.playground.shell.images import BUILT, ONLY_IN

MOST = 40
"""Sandboxes at once in a process: one for each of a class of thirty, and some. With a shell that waits each takes 11 MB
and two thousandths of a core (measured with thirty), and up to `Limits` in the worst case."""

IDLE_S = 600.0
"""Without a program that somebody waits for."""

EXCHANGE_S = 2.0
"""How often files go both ways while something runs: a volume may be shared with others."""


class Emulated(Exception):
    """The emulation it is; the text is a sentence that says why."""


_all: WeakSet[Held] = WeakSet()


def of(cluster: Cluster) -> Pool:
    """The one of a cluster."""
    if cluster.sandboxes is None:
        cluster.sandboxes = Pool(cluster)
    found: Pool = cluster.sandboxes
    return found


class Held:
    """A container's sandbox.

    Args:
        container: Whose.
        box: The sandbox.
        look: What is in it.
        scripts: Of that, what stands for programs.
        doors: Of the cluster's network.
    """

    def __init__(self, container: Container, box: Box, look: Look, scripts: list[Entry], doors: Doors):
        self.container = container
        self.box = box
        self.used = 0.0
        self.network = Network(container, box, doors, self.exchange)
        self._users = 0
        self._look = look
        self._scripts = scripts
        self._lock = asyncio.Lock()
        self._idle: asyncio.TimerHandle | None = None
        self._tasks = [asyncio.create_task(self._end_with_container()), asyncio.create_task(self._keep_exchanging())]
        box.on_signal = container.hear

    def is_bridged(self, name: str) -> bool:
        """Whether the emulation stands in for a program."""
        last = name.rpartition("/")[2]
        return any(one.path.rpartition("/")[2] == last for one in self._scripts)

    @property
    def is_idle(self) -> bool:
        """Whether nobody waits for a program in it."""
        return self._users == 0

    def enter(self) -> None:
        """Somebody uses it."""
        self._users += 1
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None

    def leave(self) -> None:
        """Somebody has done with it."""
        loop = asyncio.get_running_loop()
        self._users -= 1
        self.used = loop.time()
        if self._users == 0 and not self.box.is_over:
            self._idle = loop.call_later(IDLE_S, lambda: self._tasks.append(asyncio.create_task(self.retire())))

    async def retire(self) -> None:
        """End it if nobody uses it, its files kept."""
        if self.is_idle:
            with contextlib.suppress(NoSandbox):
                await self.exchange()
            if self.is_idle:
                self.close()

    async def exchange(self) -> None:
        """Bring the files of both sides together: what was changed inside comes first.

        Raises:
            NoSandbox: It has ended.
        """
        async with self._lock:
            inside = await self.box.changes()
            at = time.monotonic()
            now = files.look(self.container, self._look, self._scripts, at)
            told = {f"{ROOT}{one.path}" for one in inside}
            outside = [one for one in now.since(self._look) if one.path not in told]
            files.apply(self.container, inside)
            # Looked at before anything is waited for, and as of the same moment: what changes from here on is the next
            # exchange's, and not taken for put in.
            known = files.look(self.container, now, self._scripts, at)
            if outside:
                await self.box.put(outside)
            self._look = known

    async def _keep_exchanging(self) -> None:
        with contextlib.suppress(NoSandbox):
            while True:
                await asyncio.sleep(EXCHANGE_S)
                if not self.is_idle:
                    await self.exchange()
                    await self.network.refresh()

    async def _end_with_container(self) -> None:
        waits = [asyncio.create_task(one.wait()) for one in (self.container.over, self.box.over)]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in waits:
                one.cancel()
        self.close()

    def close(self) -> None:
        """End it and all that runs in it."""
        if self._idle is not None:
            self._idle.cancel()
        self.network.close()
        self.box.close()
        current = asyncio.current_task()
        for task in self._tasks:
            if task is not current:
                task.cancel()


class Pool:
    """The sandboxes of a cluster's containers.

    Args:
        cluster: Whose.
    """

    def __init__(self, cluster: Cluster) -> None:
        self._doors = Doors(cluster)
        self._held: dict[Container, Held] = {}
        self._locks: WeakKeyDictionary[Container, asyncio.Lock] = WeakKeyDictionary()

    async def hold(self, container: Container) -> Held:
        """The sandbox of a container that may have one, made if there is none; its user says `Held.leave` once done.

        Raises:
            Emulated: There can be none.
        """
        async with self._locks.setdefault(container, asyncio.Lock()):
            held = self._held.get(container)
            if held is not None and not held.box.is_over:
                held.enter()
                try:
                    await held.exchange()
                    await held.network.refresh()
                    return held
                except NoSandbox:
                    held.leave()
            await _make_room()
            if container.over.is_set():
                raise Emulated("the container has ended")
            try:
                held = await self._made(container)
            except NoSandbox as error:
                raise Emulated(possible.sentence(error)) from None
            held.enter()
            self._held = {one: known for one, known in self._held.items() if not known.box.is_over}
            self._held[container] = held
            _all.add(held)
            return held

    async def _made(self, container: Container) -> Held:
        mounted = mounted_in(container)
        scripts = _scripts(container, mounted)
        look = files.look(container, None, scripts)
        box = Box(plan_of(container, look, mounted), list(look.entries.values()))
        await box.start()
        held = Held(container, box, look, scripts, self._doors)
        try:
            await held.network.refresh()
        except NoSandbox:
            held.close()
            raise
        return held

    async def close(self) -> None:
        """End all of them."""
        self._doors.close()
        held, self._held = list(self._held.values()), {}
        for one in held:
            one.close()
        await asyncio.gather(*(one.box.closed() for one in held))


async def _make_room() -> None:
    """End the sandboxes that were idle longest while there are too many.

    Raises:
        Emulated: All are in use.
    """
    while len(living := [one for one in _all if not one.box.is_over]) >= MOST:
        idle = [one for one in living if one.is_idle]
        if not idle:
            raise Emulated(f"{MOST} sandboxes are in use, and there are no more at once")
        await min(idle, key=lambda one: one.used).retire()


def mounted_in(container: Container) -> Placed:
    """The machine's programs as an image has them."""
    family = container.image.family
    without = frozenset(name for name, families in ONLY_IN.items() if family not in families)
    is_debian = family == "debian"
    return programs.found().placed("/usr/bin" if is_debian else "/bin", without, edits=not is_debian)


def _scripts(container: Container, mounted: Placed) -> list[Entry]:
    """What stands for programs that the image's story has and the machine has not."""
    there = mounted.paths
    shell = next((path for path in mounted.shells if path in there), "")
    if not shell:
        return []
    return [
        Entry(f"{ROOT}{mounted.folder.strip('/')}/{name}", FILE, 0o755, BUILT, bridge.script(shell))
        for name in sorted(bridge.NAMES)
        if f"{mounted.folder}/{name}" not in there and container.path_of(name, mounted.folder, "/")
    ]


def plan_of(container: Container, look: Look, mounted: Placed) -> Plan:
    """What the sandbox of a container is."""
    first: Any = container.processes.get(1)
    title = " ".join(first.words) if first is not None else ""
    return Plan(
        hostname=container.hostname,
        title=title or "pause",
        address=container.address if ":" not in container.address else "",
        uid=container.files.uid,
        gid=container.files.gid,
        outer=possible.outer(),
        programs=tuple(mounted.files),
        links=tuple(mounted.links),
        volumes=tuple(look.volumes),
        writable=tuple(look.writable),
        read_only=container.files.mounts["/"].read_only,
    )
