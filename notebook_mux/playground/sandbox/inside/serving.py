"""The first process of a sandbox once it is confined: does what the playground asks, and reaps what has ended."""

from __future__ import annotations

import errno
import os
import select
import signal
import socket
from typing import Any

from notebook_mux.playground.sandbox.inside import entries, running, watching, wires
from notebook_mux.playground.sandbox.inside.plans import Plan

Json = dict[str, Any]

LOOK_S = 0.25
"""How often the memory of all processes is looked at while there are any."""

TOLD = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)
"""Signals for the first process that the playground hears of: it is the container's own program there."""

BACKLOG = 16


class Server:
    """Serves one sandbox.

    Args:
        control: To the playground.
        plan: What it is.
        volumes: The folder of the volumes.
    """

    def __init__(self, control: socket.socket, plan: Plan, volumes: int):
        self._control = control
        self._plan = plan
        self._volumes = volumes
        self._running: dict[int, int] = {}
        self._skipped = frozenset(one.strip("/") for one in plan.volumes) | {"proc", "dev", "sys"}
        self._seen = entries.seen("", self._skipped)

    def serve(self) -> None:
        """Until the playground is gone."""
        woken, wake = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        for number in (*TOLD, signal.SIGCHLD):
            signal.signal(number, lambda *_: None)
        while True:
            watched: list[socket.socket | int] = [self._control, woken]
            ready, _, _ = select.select(watched, [], [], LOOK_S if self._has_children() else None)
            if woken in ready:
                self._wake(os.read(woken, 4096))
            if self._control in ready:
                received = wires.receive(self._control)
                if received is None:
                    return
                self._do(*received)
            watching.keep_below(self._plan.limits.memory_bytes)

    @staticmethod
    def _has_children() -> bool:
        try:
            with open("/proc/1/task/1/children", "rb") as file:
                return bool(file.read(1))
        except OSError:
            return True  # a kernel without CONFIG_PROC_CHILDREN

    def _wake(self, numbers: bytes) -> None:
        for number in set(numbers):
            if number in TOLD:
                wires.send(self._control, {"signalled": number})
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if (one := self._running.pop(pid, None)) is not None:
                wires.send(self._control, {"ended": one, "code": os.waitstatus_to_exitcode(status)})

    def _do(self, message: Json, files: list[int], body: bytes) -> None:
        match message.get("do"):
            case "start":
                self._start(message, files)
                files = []
            case "signal":
                self._signal(int(message["of"]), int(message["number"]))
            case "tell":
                self._tell(message)
            case "put":
                self._put(body)
                wires.send(self._control, {"answer": message["id"]})
            case "listen":
                self._listen(message)
        for file in files:
            os.close(file)

    def _start(self, message: Json, files: list[int]) -> None:
        wanted = running.Wanted(**{**message["wanted"], "words": tuple(message["wanted"]["words"])})
        try:
            pid, master = running.start(wanted, files, self._plan.limits)
        except OSError as fault:
            for file in files:
                try:
                    os.close(file)
                except OSError:
                    pass  # was closed on the way
            wires.send(self._control, {"answer": message["id"], "errno": fault.errno or errno.EIO})
            return
        self._running[pid] = message["id"]
        wires.send(self._control, {"answer": message["id"], "pid": pid}, [master] if master is not None else [])
        if master is not None:
            os.close(master)

    def _signal(self, one: int, number: int) -> None:
        for pid in [pid for pid, known in self._running.items() if known == one]:
            for send in (os.killpg, os.kill):
                try:
                    send(pid, number)
                except OSError:
                    pass  # it ends by itself

    def _tell(self, message: Json) -> None:
        """What of the files has changed since it was told last."""
        now = entries.seen("", self._skipped)
        changed = entries.changes("", self._seen, now)
        self._seen = now
        wires.send(self._control, {"answer": message["id"]}, body=entries.pack(changed))

    def _put(self, body: bytes) -> None:
        put(entries.unpack(body), self._volumes)
        self._seen = entries.seen("", self._skipped)

    def _listen(self, message: Json) -> None:
        """Sockets of this network, for the playground to serve."""
        made, kinds = list[socket.socket](), {"tcp": socket.SOCK_STREAM, "udp": socket.SOCK_DGRAM}
        told = list[Json]()
        for one in message["on"]:
            opened = socket.socket(socket.AF_INET, kinds[one["kind"]] | socket.SOCK_CLOEXEC)
            try:
                opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                opened.bind((one["host"], one["port"]))
                if one["kind"] == "tcp":
                    opened.listen(BACKLOG)
            except OSError:
                opened.close()  # somebody inside has the port
                continue
            made.append(opened)
            told.append(one)
        wires.send(self._control, {"answer": message["id"], "on": told}, [one.fileno() for one in made])
        for one in made:
            one.close()


VOLUMES = "volumes/"
ROOT = "root/"


def put(found: Any, volumes: int) -> None:
    """Make files: those of volumes through the folder that can be written, the others in the root."""
    for one in found:
        in_volume = one.path.startswith(VOLUMES)
        os.fchdir(volumes) if in_volume else os.chdir("/")
        try:
            path = one.path.removeprefix(VOLUMES if in_volume else ROOT)
            entries.write(entries.Entry(path, one.kind, one.mode, one.mtime, one.data))
        except OSError:
            pass  # a program of the machine, or a file that somebody inside has made of a folder
    os.chdir("/")
