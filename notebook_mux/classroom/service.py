"""A class while it runs: the cluster in this process, a gateway beside it, and the list that says who is in."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import signal
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import web

from notebook_mux.classroom import namespaces, students
from notebook_mux.classroom.book import LOG, USERS, Book
from notebook_mux.classroom.gateway import AGAIN_SECONDS, Gateway
from notebook_mux.classroom.students import TEACHER, Student
from notebook_mux.errors import GatewayError, InvalidArgument, MuxError, TimedOut
from notebook_mux.life.idle import IdleEnd
from notebook_mux.life.runtime import Tenure
from notebook_mux.playground.kubeconfig import Reach
from notebook_mux.playground.sandbox import modes
from notebook_mux.playground.scenarios.stories import Story
from notebook_mux.playground.server import Playground
from notebook_mux.playground.service import Door, until_the_end
from notebook_mux.playground.state.folder import StateFolder

Json = dict[str, Any]

LOOK_SECONDS = 2.0
"""Between two looks at who is there."""

BASE = "empty"
"""What a class's cluster is made of; lessons are built into namespaces."""

APPLY, STATUS = ("POST", "/class"), ("GET", "/status")
"""What the command asks of a class that runs."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Wanted:
    """What was asked for on the command line.

    Args:
        names: The list of students.
        state: Where the cluster is kept.
        host: The name or address by which the gateway is reached.
        certificate: Of that host, with its key.
        reset: Students whose namespaces begin anew.
    """

    names: Path
    state: Path
    host: str
    certificate: Path | None = None
    reset: tuple[str, ...] = ()


class Class:
    """See the module. On its loop.

    Args:
        wanted: What was asked for.
        book: Its folder.
        tell: Writes a line for the teacher.
    """

    def __init__(self, wanted: Wanted, book: Book, playground: Playground, tell: Callable[[str], None]) -> None:
        self._wanted = wanted
        self._book = book
        self._playground = playground
        self._tell = tell
        self._lock = asyncio.Lock()
        options = ["--host", wanted.host]
        options += ["--certificate", str(wanted.certificate)] if wanted.certificate is not None else []
        self._gateway = Gateway(book.path / USERS, book.path / LOG, options)
        self._port = 0
        self._students: list[Student] = []
        self._gone: list[str] = []
        self._stories: dict[str, Story] = {}
        self._there: dict[str, Json] = {}

    # --- who is in ------------------------------------------------------------------------------------------------

    async def apply(self, reset: Iterable[str] = ()) -> None:
        """Enrol who is in the list, revoke who is not any more, and write what is handed out. Twice is fine.

        Args:
            reset: Students whose namespaces begin anew.

        Raises:
            MuxError: The list is wrong, and nothing has changed; or something could not be done.
        """
        async with self._lock:
            listed = students.read(self._wanted.names)
            again = _named(reset, listed)
            await self._apply(listed, again)

    async def _apply(self, listed: list[Student], again: list[Student]) -> None:
        book, served = self._book, self._playground.first
        namespaces.prepare(served, len(listed))
        for name in book.gone(one.name for one in listed):
            served.expel(name)
            namespaces.shut(served.cluster, Student.of(name))
            book.discard(Student.of(name).namespace)
            self._gone.append(name)
        for student in again:
            self._end_story(student)
            try:
                await namespaces.empty(served.cluster, student)
            except TimeoutError:
                raise TimedOut(
                    f"the namespace {student.namespace} is not empty after {namespaces.GONE_SECONDS:g} s",
                    todo=f"look what is left: kubectl get all -n {student.namespace}",
                ) from None
        scenario, seed = book.settled["scenario"], book.settled["seed"]
        for student in listed:
            is_new = namespaces.enrol(served, student, book.tokens(student.name)[1])
            if scenario:
                self._tell_story(student, scenario, seed, is_new)
            if is_new:
                namespaces.bound(served.cluster, student)
            await asyncio.sleep(0)
        book.save()
        book.hand_out(listed, {one.name: self._reach(one) for one in listed}, served.reach)
        if self._port:
            await self._gateway.read_users()
        else:
            await self._open()
        for name in self._gone:  # a link is revoked when the gateway has read so
            self._tell(f"{name} is not in the list any more: the link and the kubeconfig are revoked.")
        self._gone.clear()
        book.link(listed, self._gateway.url)
        self._students = listed

    def _tell_story(self, student: Student, scenario: str, seed: int, is_new: bool) -> None:
        """Build the lesson into a new namespace, or let it go on after a restart."""
        space, begun = student.namespace, self._book.begun
        if not is_new and (space in self._stories or space not in begun):
            return
        cluster = self._playground.first.cluster
        story = namespaces.furnish(cluster, student, scenario, seed, None if is_new else begun[space])
        self._stories[space], begun[space] = story, story.begun

    def _end_story(self, student: Student) -> None:
        story = self._stories.pop(student.namespace, None)
        if story is not None:
            story.end()

    def _reach(self, student: Student) -> Reach:
        own = self._playground.first.reach
        return Reach(own.context, own.server, own.authority, self._book.tokens(student.name)[1], student.namespace)

    async def _open(self) -> None:
        """Start the gateway, where it was last time if there was one."""
        settled = self._book.settled
        self._port = await self._gateway.start(settled["port"])
        if settled["port"] != self._port:
            settled["port"] = self._port
            self._book.save()

    # --- what there is to see -------------------------------------------------------------------------------------

    @property
    def rows(self) -> list[Json]:
        """A row for each student."""
        return [
            {
                "name": one.name,
                "namespace": one.namespace,
                "clients": self._there.get(one.name, {}).get("clients", 0),
                "terminals": self._there.get(one.name, {}).get("terminals", 0),
                "last": self._there.get(one.name, {}).get("last", 0.0),
            }
            for one in self._students
        ]

    @property
    def status(self) -> Json:
        """What is there, as plain data; no secrets."""
        return {
            "clients": sum(one["clients"] for one in self.rows),
            "gateway": self._gateway.url,
            "folder": str(self._book.path),
            "scenario": self._book.settled["scenario"],
            "seed": self._book.settled["seed"],
            "students": self.rows,
        }

    async def _look(self) -> None:
        """Say who comes and goes, until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        """Look once who is there."""
        try:
            found = {one["name"]: one for one in await self._gateway.users()}
        except GatewayError:
            return  # it is started again
        for name, now in found.items():
            before = self._there.get(name, {}).get("clients", 0)
            if bool(now["clients"]) != bool(before) and name != TEACHER:
                self._there[name] = now
                there = sum(bool(one["clients"]) for one in self.rows)
                word = "connected" if now["clients"] else "gone"
                self._tell(f"{time.strftime('%H:%M:%S')} {name} is {word} ({there} of {len(self._students)} are there)")
        self._there = found

    async def _keep_gateway(self) -> None:
        """Start the gateway again whenever it ends by itself, until cancelled."""
        while True:
            code = await self._gateway.died()
            log.warning("the gateway has ended with %s and is started again", code)
            await self._gateway.stop()
            await asyncio.sleep(AGAIN_SECONDS)
            await self._gateway.start(self._port)

    # --- its life -------------------------------------------------------------------------------------------------

    async def serve(self, tenure: Tenure, state: StateFolder, began: Callable[[Json], None]) -> str:
        """Serve until the end; returns why.

        Args:
            tenure: Of the process.
            state: Of the cluster.
            began: Called when all is there.

        Raises:
            MuxError: Something cannot be started, written or kept.
        """
        door = Door(tenure, self._playground)
        door.more = {APPLY: self._asked, STATUS: self._told}
        try:
            await self.apply(self._wanted.reset)
            port = await door.open()
            end = IdleEnd(tenure, busy=lambda: True, close_door=door.close, open_door=lambda: None)
            with end.signals(), self._hearing():
                tenure.publish(port)
                began(self.status)
                tasks = [asyncio.create_task(work()) for work in (self._look, self._keep_gateway)]
                try:
                    return await until_the_end(_first(end.wait(), *tasks), state)
                finally:
                    for task in tasks:
                        task.cancel()
                    await asyncio.gather(*tasks, return_exceptions=True)
        finally:
            await door.close()
            await self._gateway.stop()

    @contextlib.contextmanager
    def _hearing(self) -> Iterator[None]:
        """While this lasts, SIGHUP reads the list again."""
        number = getattr(signal, "SIGHUP", None)  # not on Windows
        loop, tasks = asyncio.get_running_loop(), set[asyncio.Task[None]]()

        async def again() -> None:
            try:
                await self.apply()
            except MuxError as error:
                self._tell("\n".join(error.lines()))
            else:
                self._tell(f"The list was read again: {len(self._students)} students.")

        def heard() -> None:
            task = loop.create_task(again())
            tasks.add(task)
            task.add_done_callback(tasks.discard)

        if number is not None:
            loop.add_signal_handler(number, heard)
        try:
            yield
        finally:
            if number is not None:
                loop.remove_signal_handler(number)

    # --- what the command asks ------------------------------------------------------------------------------------

    async def _asked(self, request: web.BaseRequest) -> web.StreamResponse:
        asked: Json = json.loads(await request.read())
        try:
            self._compare(asked)
            await self.apply(asked["reset"])
            await self.look()
        except MuxError as error:
            return web.json_response({"code": error.code, "fields": error.fields()}, status=400)
        return web.json_response(self.status)

    def _compare(self, asked: Json) -> None:
        settled = {**self._book.settled, "names": str(self._wanted.names), "host": self._wanted.host}
        for name in ("names", "host", "scenario", "seed", "port"):
            if asked[name] is not None and asked[name] != settled[name]:
                what = "list of students" if name == "names" else name
                raise InvalidArgument(
                    f"the class that runs in {self._book.path} has the {what} {settled[name]}, and not {asked[name]}",
                    todo="end it first (Ctrl-C there, or: notebook-mux stop class), or name another --dir",
                )

    async def _told(self, request: web.BaseRequest) -> web.StreamResponse:
        await self.look()
        return web.json_response(self.status)


def _named(names: Iterable[str], listed: list[Student]) -> list[Student]:
    by_name = {one.name: one for one in listed}
    for name in names:
        if name not in by_name:
            raise InvalidArgument(
                f"{name!r} is no student of the list", todo=f"one of: {', '.join(sorted(by_name)[:5])} ..."
            )
    return [by_name[name] for name in dict.fromkeys(names)]


async def _first(end: Any, *tasks: asyncio.Task[None]) -> str:
    """What `end` gives; a task that fails before is raised."""
    ending = asyncio.ensure_future(end)
    try:
        await asyncio.wait((ending, *tasks), return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            if task.done():
                task.result()
        return str(await ending)
    finally:
        ending.cancel()


async def run(wanted: Wanted, book: Book, tenure: Tenure, tell: Callable[[str], None], began: Callable[[Json], None]
              ) -> str:  # fmt: skip
    """Run a class until its end; returns why.

    Raises:
        MuxError: Something cannot be started, written or kept.
        OSError: A port is taken.
    """
    seed = book.settled["seed"]
    plan = {"scenario": BASE, "seed": seed, "clusters": 1}
    with StateFolder(wanted.state, plan, plan) as state:
        playground = Playground(BASE, seed=seed, state=state, shell=modes.default())
        async with playground:
            state.serves({one.cluster.name: one.port for one in playground.served})
            return await Class(wanted, book, playground, tell).serve(tenure, state, began)
