"""A class of thirty on one cluster: each student with two streams, a followed log and a terminal, at the same time.

Once with one gateway for all, once with a gateway for each. A student types four keys a second, which is fast for who
types commands; a change is an annotation of a node, which everybody watches, by the teacher.
"""

from __future__ import annotations

import base64
import contextlib
import json
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from ssl import SSLContext, create_default_context
from typing import Any

import yaml

from tests.benchmarks.marks import MARK
from tests.benchmarks.processes import Child, cpu_seconds, settle_memory
from tests.benchmarks.scale import Scale
from tests.benchmarks.table import Row, number
from tests.classes import RunningClass

GROUP = "class"
SIDES = 3
"""Processes that the students are spread over."""

GAP_SECONDS = 0.25
"""Between two keys of one student."""

CHANGES_EVERY = 1.0
SETTLE_SECONDS = 3.0
"""At most: no longer than the measuring itself."""
REACH_SECONDS = 60.0
"""For the last change to reach everybody."""
MEGABYTE = 1_000_000
PODS = 2

KEY_BOUND_MS = 100.0
"""What a person still takes for at once (Nielsen, "Response Times", after Miller 1968)."""

FLOOD_BOUND_MS = 500.0
"""Slow, and yet a shell that can be worked with while somebody's loop runs wild."""

CHANGE_BOUND_MS = 1000.0
"""What does not break a train of thought (the same); a class looks at one screen and its own at the same time."""

MEMORY_BOUND_MB = 1000.0
"""Of cluster and gateway together: a small machine has 4 GB, most of which thirty kernels need."""

CPU_BOUND_PERCENT = 100.0
"""Of cluster and gateway together while all type: one of two cores; the other is the kernels'."""

DEPLOYMENT = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "web"},
    "spec": {
        "replicas": PODS,
        "selector": {"matchLabels": {"app": "web"}},
        "template": {
            "metadata": {"labels": {"app": "web"}},
            "spec": {"containers": [{"name": "web", "image": "nginx:1.27"}]},
        },
    },
}


@dataclass
class Api:
    """The cluster as the teacher reaches it, by plain requests."""

    server: str
    token: str
    tls: SSLContext

    @classmethod
    def of(cls, kubeconfig: Path) -> Api:
        config = yaml.safe_load(kubeconfig.read_text())
        with tempfile.NamedTemporaryFile(suffix=".pem") as file:
            file.write(base64.b64decode(config["clusters"][0]["cluster"]["certificate-authority-data"]))
            file.flush()
            tls = create_default_context(cafile=file.name)
        return cls(config["clusters"][0]["cluster"]["server"], config["users"][0]["user"]["token"], tls)

    def ask(self, method: str, path: str, body: Any = None, kind: str = "application/json") -> Any:
        request = urllib.request.Request(
            self.server + path, json.dumps(body).encode() if body is not None else None, method=method,
            headers={"Authorization": f"Bearer {self.token}", "Content-Type": kind},
        )  # fmt: skip
        with urllib.request.urlopen(request, context=self.tls) as answer:
            return json.load(answer)

    def mark(self, name: str) -> float:
        """Change a node; when the change was asked for."""
        began = time.monotonic()
        body = {"metadata": {"annotations": {MARK: name}}}
        self.ask("PATCH", "/api/v1/nodes/node-1", body, "application/merge-patch+json")
        return began


@contextlib.contextmanager
def gateways(room: RunningClass, names: Sequence[str]) -> Iterator[list[tuple[str, int]]]:
    """A gateway for each student, as if each had started one: links and process ids."""
    running: list[subprocess.Popen[str]] = []
    try:
        for name in names:
            command = [sys.executable, "-m", "notebook_mux", "gateway", "--write"]
            command += ["--kubeconfig", str(room.kubeconfig(name))]
            running.append(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True))
        links = []
        for one in running:
            assert one.stdout is not None
            links.append((one.stdout.readline().strip(), one.pid))
        yield links
    finally:
        for one in running:
            one.terminate()
        for one in running:
            one.wait(30)
            assert one.stdout is not None
            one.stdout.close()


@dataclass
class Measured:
    """What a class costs and how it feels. Milliseconds, percent of one core, megabytes; lists are sorted.

    Attributes:
        echoes: Of all keys of all students.
        each: From a change to each student.
        reached: From a change to the last of the class.
        beside: Of all keys while one more client of a student floods; through one gateway only.
        busy: Of each part while all type; `idle`: while all only look.
        held: Of each part.
        came: Seconds for all to come in.
    """

    echoes: list[float]
    each: list[float]
    reached: list[float]
    beside: list[float]
    busy: dict[str, float]
    idle: dict[str, float]
    held: dict[str, float]
    came: float


def measure(
    room: RunningClass, api: Api, title: str, links: Sequence[str], gateway_pids: Sequence[int], scale: Scale
) -> Measured:
    """A class through one gateway or many."""
    parts = {"cluster": [room.process.pid], "gateway": list(gateway_pids)}
    with contextlib.ExitStack() as stack:
        sides = [
            stack.enter_context(Child("tests.benchmarks.classroom_side", {"links": links[at::SIDES]}))
            for at in range(min(SIDES, len(links)))
        ]
        began = time.monotonic()
        for side in sides:
            side.hear()
        came = time.monotonic() - began
        parts["clients"] = [side.pid for side in sides]
        time.sleep(min(SETTLE_SECONDS, scale.class_seconds))
        idle = cpu_of(parts, lambda: time.sleep(scale.class_seconds))
        said: list[Any] = []
        told: dict[str, float] = {}

        def typing() -> None:
            for side in sides:
                side.tell(seconds=scale.class_seconds, gap=GAP_SECONDS)
            until = time.monotonic() + scale.class_seconds
            while not told or time.monotonic() < until:
                mark = f"{title} {len(told)}"
                told[mark] = api.mark(mark)
                time.sleep(CHANGES_EVERY)
            said.extend(side.hear() for side in sides)

        busy = cpu_of(parts, typing)
        marks = marks_seen(sides, told)
        beside = beside_a_flood(sides, links[-1], scale) if len(gateway_pids) == 1 else []
        held = {name: sum(settle_memory(pid)["rss"] for pid in pids) / MEGABYTE for name, pids in parts.items()}
    lines = [one for answer in said for one in answer["lines"]]
    if not all(lines):
        raise RuntimeError(f"{lines.count(0)} of {len(lines)} students have read no line of their logs")
    times = [[(student[mark] - began) * 1000 for student in marks] for mark, began in told.items()]
    return Measured(
        echoes=sorted(one for answer in said for one in answer["echoes"]),
        each=sorted(one for change in times for one in change),
        reached=sorted(map(max, times)),
        beside=beside, busy=busy, idle=idle, held=held, came=came,
    )  # fmt: skip


def marks_seen(sides: Sequence[Child], told: dict[str, float]) -> list[dict[str, float]]:
    """When each student saw each change; the last ones may be on their way.

    Raises:
        RuntimeError: Not everybody has seen all.
    """
    deadline = time.monotonic() + REACH_SECONDS
    while True:
        marks: list[dict[str, float]] = [one for side in sides for one in side.ask(marks=True)["marks"]]
        missing = [mark for mark in told if any(mark not in student for student in marks)]
        if not missing:
            return marks
        if time.monotonic() > deadline:
            raise RuntimeError(f"{len(missing)} of {len(told)} changes have not reached everybody")
        time.sleep(GAP_SECONDS)


def beside_a_flood(sides: Sequence[Child], link: str, scale: Scale) -> list[float]:
    """Keys of all while one of the students asks for lists in another notebook as fast as answers come."""
    with Child("tests.benchmarks.classroom_side", {"links": [link]}) as other:
        other.hear()
        other.tell(flood=scale.class_seconds)
        for side in sides:
            side.tell(seconds=scale.class_seconds, gap=GAP_SECONDS)
        echoes = sorted(one for side in sides for one in side.hear()["echoes"])
        if not other.hear()["flood"]:
            raise RuntimeError("nothing was flooded")
    return echoes


Figure = Callable[[Measured], float]


def of_part(what: str, part: str) -> Figure:
    """One part of `Measured.busy` or `Measured.held`."""
    return lambda measured: float(getattr(measured, what)[part])


def rows_of(one: Measured, own: Measured, students: int) -> list[Row]:
    """One gateway for all, and beside it a gateway for each."""
    parts = ("cluster", "gateway")

    def both(
        figure: str, of: Callable[[Measured], float], unit: str, bound: float | None = None, note: str = ""
    ) -> Row:
        beside = f"a gateway each: {number(of(own))}"
        return Row(GROUP, figure, of(one), unit, bound=bound, note=f"{beside}; {note}" if note else beside)

    return [
        both("a key's echo, p50", lambda m: at(m.echoes, 0.5), "ms", note=f"of {len(one.echoes)} keys"),
        both("a key's echo, p99", lambda m: at(m.echoes, 0.99), "ms", KEY_BOUND_MS, f"max {one.echoes[-1]:.0f} ms"),
        Row(GROUP, "a key's echo, p99, while one floods", at(one.beside, 0.99), "ms", bound=FLOOD_BOUND_MS,
            note=f"p50 {at(one.beside, 0.5):.0f} ms: lists are asked for, as many at once as one may"),
        both("a change reaches a student, p50", lambda m: at(m.each, 0.5), "ms", note=f"{len(one.reached)} changes"),
        both("a change reaches a student, p99", lambda m: at(m.each, 0.99), "ms"),
        both("a change has reached all, max", lambda m: m.reached[-1], "ms", CHANGE_BOUND_MS,
             f"median {at(one.reached, 0.5):.0f} ms"),
        *(both(f"CPU of the {part}, all type", of_part("busy", part), "%",
               note=f"while all only look: {one.idle[part]:.1f}") for part in (*parts, "clients")),
        both("CPU of cluster and gateway, all type", lambda m: sum(m.busy[part] for part in parts), "%",
             CPU_BOUND_PERCENT),
        *(both(f"memory of the {part}", of_part("held", part), "MB") for part in parts),
        both("memory of a client", lambda m: m.held["clients"] / students, "MB",
             note=f"{students} of them in {min(SIDES, students)} processes, without a page and its kernel"),
        both("memory of cluster and gateway", lambda m: sum(m.held[part] for part in parts), "MB", MEMORY_BOUND_MB),
        both("all come in, one after another", lambda m: m.came, "s"),
    ]  # fmt: skip


def at(values: Sequence[float], share: float) -> float:
    """The value that so many of sorted ones do not exceed."""
    return values[min(len(values) - 1, int(len(values) * share))]


def cpu_of(parts: dict[str, list[int]], work: Any) -> dict[str, float]:
    """Percent of one core that each part takes while something is done."""
    began, before = time.monotonic(), {name: sum(map(cpu_seconds, pids)) for name, pids in parts.items()}
    work()
    took = time.monotonic() - began
    return {name: (sum(map(cpu_seconds, pids)) - before[name]) / took * 100 for name, pids in parts.items()}


def run(scale: Scale) -> list[Row]:
    """Measure both ways."""
    names = [f"student-{number + 1:02}" for number in range(scale.class_students)]
    with tempfile.TemporaryDirectory() as folder:
        room = RunningClass(Path(folder), names)
        try:
            api = Api.of(room.kubeconfig("teacher"))
            for name in names:
                api.ask("POST", f"/apis/apps/v1/namespaces/{name}/deployments", DEPLOYMENT)
            gateway = room.gateway
            one = measure(room, api, "one gateway", [room.link(name) for name in names], [gateway.pid], scale)
            with gateways(room, names) as running:
                links, pids = [link for link, _ in running], [pid for _, pid in running]
                own = measure(room, api, "a gateway each", links, pids, scale)
        finally:
            room.stop()
    return rows_of(one, own, len(names))
