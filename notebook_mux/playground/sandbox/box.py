"""One sandbox: its process, and what is asked of it. For one loop."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from notebook_mux.playground.sandbox.inside import wires
from notebook_mux.playground.sandbox.inside.entries import BadEntries, Entry, pack, unpack
from notebook_mux.playground.sandbox.inside.plans import Plan
from notebook_mux.playground.sandbox.inside.running import Wanted

Json = dict[str, Any]

CODE = """\
import sys
sys.path.insert(0, sys.argv.pop(1))
from notebook_mux.playground.sandbox.inside import main
main.main()
"""
HERE = str(Path(__file__).resolve().parents[3])

START_S = 20.0
"""For a sandbox to be made; it takes a twentieth of a second on an idle machine."""

ANSWER_S = 20.0
END_S = 5.0
"""For its process to be gone once it is told to end."""

FULL_S = 0.01
"""Until the way to it has room again."""

BY_SIGNAL = 128
"""Is added to a signal's number for the exit code of what it ends."""

KILLED = BY_SIGNAL + signal.SIGKILL
TITLE_ROOM = 256
"""Characters of the title of its first process."""


class NoSandbox(Exception):
    """It cannot be made, or has ended; a sentence says why.

    Args:
        said: The sentence.
        step: At which step it was refused; ``"time"`` where nothing was, and it only took too long.
        number: The errno, if there is one.
    """

    def __init__(self, said: str, step: str = "", number: int | None = None):
        super().__init__(said)
        self.step = step
        self.number = number


@dataclass(frozen=True)
class Started:
    """A program that runs in a sandbox.

    Args:
        number: For `Box.signal`.
        end: Its exit code, once it has ended; 128 and its number for a signal.
        terminal: The descriptor of its terminal, the caller's to close.
    """

    number: int
    end: asyncio.Future[int]
    terminal: int | None


class Box:
    """A sandbox.

    Args:
        plan: What it is.
        files: What is in it at first.

    Attributes:
        on_signal: Is told of signals for its first process.
        over: Is set when it has ended.
        refused: At which step it could not be made, and the errno.
    """

    def __init__(self, plan: Plan, files: list[Entry]):
        self.plan = plan
        self.on_signal: Callable[[int], object] = lambda _: None
        self.over = asyncio.Event()
        self._files = files
        self._number = 0
        self._answers: dict[int, asyncio.Future[tuple[Json, list[int], bytes]]] = {}
        self._ends: dict[int, asyncio.Future[int]] = {}
        self._ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._control: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._reaping: asyncio.Task[None] | None = None

    # ---------------------------------------------------------------------------------------- beginning, end

    async def start(self) -> None:
        """Make it.

        Raises:
            NoSandbox: The system refuses it.
        """
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)
        words = [sys.executable, "-I", "-S", "-B", "-c", CODE, HERE, str(theirs.fileno()), "-" * TITLE_ROOM]
        try:
            # A thread's end would be taken for the playground's (PR_SET_PDEATHSIG), so it is started by the loop's.
            self._process = subprocess.Popen(  # noqa: ASYNC220 - of this thread, as said
                words, pass_fds=[theirs.fileno()], env={}, cwd="/", stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
            )  # fmt: skip
        except OSError as error:
            ours.close()
            raise NoSandbox(f"its process cannot be started: {error}", "process", error.errno) from None
        finally:
            theirs.close()
        self._control = ours
        asyncio.get_running_loop().add_reader(ours, self._readable)
        try:
            await self._send({"plan": asdict(self.plan)}, body=pack(self._files))
            self._files = []
            await asyncio.wait_for(asyncio.shield(self._ready), START_S)
        except TimeoutError:
            self.close()
            raise NoSandbox(f"it was not there within {START_S:.0f} s", "time") from None
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """End it with all that runs in it."""
        control, self._control = self._control, None
        if control is None:
            return
        asyncio.get_running_loop().remove_reader(control)
        control.close()
        if not self._ready.done():
            self._ready.set_exception(NoSandbox("it ended before it began", "process"))
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(NoSandbox("it has ended"))
        for end in self._ends.values():
            if not end.done():
                end.set_result(KILLED)
        self.over.set()
        self._reaping = asyncio.get_running_loop().create_task(self._reap())

    async def closed(self) -> None:
        """Until its process is gone, after `close`."""
        if self._reaping is not None:
            await self._reaping

    async def _reap(self) -> None:
        process = self._process
        if process is None:
            return
        try:
            await asyncio.to_thread(process.wait, END_S)
        except subprocess.TimeoutExpired:
            process.kill()
            await asyncio.to_thread(process.wait)

    @property
    def is_over(self) -> bool:
        """Whether it has ended."""
        return self.over.is_set()

    # ----------------------------------------------------------------------------------------- what is asked

    async def run(self, wanted: Wanted, files: list[int]) -> Started:
        """Start a program.

        Args:
            wanted: Which.
            files: Its input, output and errors; they stay the caller's.

        Raises:
            OSError: It cannot be started.
            NoSandbox: The sandbox has ended.
        """
        self._number += 1
        number = self._number
        end: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._ends[number] = end
        try:
            answer, given, _ = await self._ask({"do": "start", "id": number, "wanted": asdict(wanted)}, files)
        except BaseException:
            self._ends.pop(number, None)
            raise
        if "errno" in answer:
            self._ends.pop(number, None)
            fault = int(answer["errno"])
            raise OSError(fault, os.strerror(fault))
        return Started(number, end, given[0] if given else None)

    def signal(self, number: int, what: int) -> None:
        """Send a program and those of its group a signal."""
        if self._control is not None:
            with contextlib.suppress(OSError):
                wires.send(self._control, {"do": "signal", "of": number, "number": what})

    async def changes(self) -> list[Entry]:
        """What of its files has changed since it was asked last.

        Raises:
            NoSandbox: It has ended.
        """
        self._number += 1
        _, _, body = await self._ask({"do": "tell", "id": self._number})
        try:
            return list(unpack(body))
        except BadEntries:
            self.close()
            raise NoSandbox("it said what is not understood") from None

    async def put(self, files: list[Entry]) -> None:
        """Change its files.

        Raises:
            NoSandbox: It has ended.
        """
        self._number += 1
        await self._ask({"do": "put", "id": self._number}, body=pack(files))

    async def listen(self, on: list[Json]) -> list[tuple[Json, socket.socket]]:
        """Sockets that listen in its network; those whose port is taken are not there.

        Args:
            on: ``{"kind": "tcp", "host": ..., "port": ...}`` each.

        Raises:
            NoSandbox: It has ended.
        """
        self._number += 1
        answer, files, _ = await self._ask({"do": "listen", "id": self._number, "on": on})
        made = [socket.socket(fileno=file) for file in files]
        for one in made:
            one.setblocking(False)
        return list(zip(answer["on"], made, strict=False))

    # ------------------------------------------------------------------------------------------- the wire

    async def _ask(
        self, message: Json, files: list[int] | None = None, body: bytes | None = None
    ) -> tuple[Json, list[int], bytes]:
        answer: asyncio.Future[tuple[Json, list[int], bytes]] = asyncio.get_running_loop().create_future()
        self._answers[message["id"]] = answer
        try:
            await self._send(message, files, body)
            return await asyncio.wait_for(answer, ANSWER_S)
        except TimeoutError:
            self.close()
            raise NoSandbox(f"it did not answer within {ANSWER_S:.0f} s", "time") from None
        finally:
            self._answers.pop(message["id"], None)

    async def _send(self, message: Json, files: list[int] | None = None, body: bytes | None = None) -> None:
        while True:
            if self._control is None:
                raise NoSandbox("it has ended")
            try:
                wires.send(self._control, message, files, body)
            except BlockingIOError:
                await asyncio.sleep(FULL_S)
            except OSError:
                self.close()
                raise NoSandbox("it has ended") from None
            else:
                return

    def _readable(self) -> None:
        assert self._control is not None
        try:
            received = wires.receive(self._control)
        except BlockingIOError:
            return
        except (OSError, wires.BadMessage):
            received = None
        if received is None:
            self.close()
            return
        try:
            self._heard(*received)
        except (KeyError, TypeError, ValueError):
            for file in received[1]:
                with contextlib.suppress(OSError):
                    os.close(file)
            self.close()

    def _heard(self, message: Json, files: list[int], body: bytes) -> None:
        if "answer" in message:
            answer = self._answers.get(message["answer"])
            if answer is not None and not answer.done():
                answer.set_result((message, files, body))
                return
        elif "ended" in message:
            end, code = self._ends.pop(message["ended"], None), int(message["code"])
            if end is not None and not end.done():
                end.set_result(code if code >= 0 else BY_SIGNAL - code)
        elif "signalled" in message:
            self.on_signal(int(message["signalled"]))
        elif "ready" in message and not self._ready.done():
            self._ready.set_result(None)
        elif "failed" in message and not self._ready.done():
            self._ready.set_exception(NoSandbox(str(message["what"]), str(message["failed"]), message["errno"]))
        for file in files:
            os.close(file)


def outer_user() -> int:
    """The number of a user that nobody is, for a sandbox of root's: each has one of its own, so far as chance goes."""
    return FIRST_OUTER + secrets.randbelow(OUTERS)


FIRST_OUTER = 1_879_048_192
"""Far from the numbers that systems give to users (systemd, docs/UIDS-GIDS.md: 0x70000000 and up are not used)."""

OUTERS = 65_536
