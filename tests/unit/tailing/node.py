"""A node that keeps logs as a kubelet does, and a reader that drives a `Tail` over it; both have no clock of their own.

The node has the rules of a kubelet's log endpoint (kubernetes, pkg/kubelet/kubelet_pods.go; k8s.io/cri-client,
pkg/logs/logs.go): whole seconds, only the current file, ``previous``, an end when the container stops.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from notebook_mux.tailing.lines import NS, Batch, parse_stamp, say_stamp
from notebook_mux.tailing.pods import Instance
from notebook_mux.tailing.tail import Tail

START = 1_800_000_000 * NS
"""In nanoseconds; the node's clock begins there."""


@dataclass(eq=False)
class Run:
    """One instance of the container: all it wrote, and from where on its file goes."""

    number: int
    started: int
    written: list[tuple[int, bytes]] = field(default_factory=list)
    file_from: int = 0
    stopped: bool = False
    opened: list[Answer] = field(default_factory=list)

    @property
    def id(self) -> str:
        return f"containerd://{self.number}"


@dataclass(eq=False)
class Answer:
    """One answer on its way: bytes that were sent and not taken yet."""

    pending: bytearray = field(default_factory=bytearray)
    over: bool = False
    error: tuple[int, str] | None = None
    begun: bool = False


class Node:
    """The container's node, and its pod as the API server has it: `told` may be behind."""

    def __init__(self) -> None:
        self.now = START
        self.runs: list[Run] = []
        self.running = False
        self.over = False
        self.start()

    def start(self) -> None:
        self.runs.append(Run(len(self.runs), self.now // NS * NS))
        self.running = True

    def stop(self) -> None:
        run = self.runs[-1]
        self.running, run.stopped = False, True
        for answer in run.opened:
            answer.over = True
        run.opened = []

    def write(self, text: bytes, stamp: int | None = None) -> None:
        """A line at this time, which may be a little before the one before."""
        line = (self.now if stamp is None else stamp, text)
        run = self.runs[-1]
        run.written.append(line)
        for answer in run.opened:
            answer.pending += _line(line)

    def rotate(self) -> None:
        run = self.runs[-1]
        run.file_from = len(run.written)

    def status(self) -> Instance:
        run = self.runs[-1]
        code = 1 if len(self.runs) > 1 or not self.running else None
        if self.running:
            return Instance(run.id, run.number, "running", exit_code=code, started=run.started, ran=True)
        state = "terminated" if self.over else "waiting"
        return Instance(run.id, run.number, state, "CrashLoopBackOff", exit_code=code, ran=True, over=self.over)

    def get(self, query: str) -> Answer:
        asked = {name: values[0] for name, values in parse_qs(query).items()}
        run = self.runs[-1]
        if asked.get("previous"):
            # Of one that waits it is the instance that ran last, as without it.
            before = self.runs if not self.running and not self.over else self.runs[:-1]
            if not before:
                return Answer(error=(400, "previous terminated container not found"))
            run = before[-1]
        lines = run.written[run.file_from :]
        if "tailLines" in asked:
            number = int(asked["tailLines"])
            lines = lines[len(lines) - min(number, len(lines)) :]
        since = parse_stamp(asked["sinceTime"]) if "sinceTime" in asked else 0
        assert since is not None
        answer = Answer(bytearray(b"".join(_line(line) for line in lines if line[0] >= since)))
        if asked.get("follow") and not run.stopped:
            run.opened.append(answer)
        else:
            answer.over = True
        return answer


def _line(line: tuple[int, bytes]) -> bytes:
    return say_stamp(line[0]).encode() + b" " + line[1] + b"\n"


class Reading:
    """Drives a tail over a node: what was delivered, and what was said."""

    def __init__(self, node: Node, rng: random.Random, **options: Any) -> None:
        self.node = node
        self.rng = rng
        self.clock = 0.0
        self.lines_had: list[tuple[int, bytes]] = []
        self.marks: list[dict[str, Any]] = []
        self.requests: list[str] = []
        self.answer: Answer | None = None
        self.tail = Tail("main", self, clock=lambda: self.clock, **options)
        self.tail.pod(node.status())

    # --- a sink ---------------------------------------------------------------------------------------------------

    def lines(self, batch: Batch) -> None:
        self.lines_had += zip(batch.stamps, batch.texts, strict=True)

    def mark(self, kind: str, text: str, moment: int, **more: str) -> None:
        self.marks.append({"mark": kind, "text": text, "at": len(self.lines_had), "time": moment, **more})

    def changed(self) -> None:
        pass

    # --- what happens -----------------------------------------------------------------------------------------------

    def open(self) -> None:
        """Open the request that is due, if one is."""
        tail = self.tail
        if tail.open or tail.due is None or tail.due > self.clock:
            return
        if tail.look:
            tail.pod(self.node.status())
            tail.looked()
        if tail.due is not None and tail.due <= self.clock:
            query = tail.query()
            self.requests.append(query)
            self.answer = self.node.get(query)

    def take(self, size: int | None = None) -> None:
        """Some bytes of the answer arrive, in pieces that end anywhere; then its end, if it is over."""
        answer = self.answer
        if answer is None or not self.tail.open:
            return
        if answer.error is not None:
            status, said = answer.error
            self.answer = None
            self.tail.ended(status, "server", "refused", said)
            return
        if not answer.begun:
            answer.begun = True
            self.tail.answered()
        left = len(answer.pending) if size is None else min(size, len(answer.pending))
        while left:
            piece = min(left, self.rng.choice((1, 7, 31, 100, 4096)))
            data = bytes(answer.pending[:piece])
            del answer.pending[:piece]
            left -= piece
            if self.tail.data(data):
                self._drop(answer)
                return
        if answer.over and not answer.pending:
            self.answer = None
            self.tail.ended(200, "", "")

    def cut(self, size: int) -> None:
        """The socket is cut after so many bytes more."""
        self.take(size)
        if self.tail.open:
            if self.answer is not None:
                self._drop(self.answer)
            self.tail.cut("cut")

    def _drop(self, answer: Answer) -> None:
        for run in self.node.runs:
            if answer in run.opened:
                run.opened.remove(answer)
        self.answer = None

    def tell(self) -> None:
        """The pod's state arrives."""
        self.tail.pod(self.node.status())

    def pass_time(self, seconds: float) -> None:
        """On both clocks."""
        self.clock += seconds
        self.node.now += int(seconds * NS)
        if self.tail.open and self.tail.tick() and self.answer is not None:
            self._drop(self.answer)

    def finish(self) -> None:
        """Until nothing more comes."""
        for _ in range(60):
            self.tell()
            self.open()
            self.take()
            self.pass_time(1.0)
