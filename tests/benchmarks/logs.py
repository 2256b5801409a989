"""Logs: 20 pods that write all the time, seen in JupyterLab with a terminal beside; and the first lines of 30 pods.

The browser, JupyterLab, its kernel and the gateway are real. The 20 pods' lines come from a scripted API server that
batches, and then through a real one whose kubelet reads the log files that this process writes. Every line says its
number, and the kernel counts what is missing and what comes twice. The peer of the first lines is kubectl.
"""

from __future__ import annotations

import contextlib
import json
import math
import re
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.benchmarks.browser import MainThread
from tests.benchmarks.pods import Pod
from tests.benchmarks.processes import Child, memory
from tests.benchmarks.scale import Scale
from tests.benchmarks.serving import real_gateway
from tests.benchmarks.table import Row
from tests.benchmarks.terminal import quantile
from tests.benchmarks.terminal_sides import BADGES, FAST, PROCESS, Place, kernel_process
from tests.benchmarks.terminal_way import ECHOING, press
from tests.browser.lab import Notebook
from tests.browser.screens import PROMPT, Screen
from tests.testbed import build
from tests.testbed.control_plane import ControlPlane

GROUP = "logs"
MIB = 1 << 20
BUSY_BOUND = 40.0
"""Percent of the page's main thread."""

ECHO_BOUND = 50.0
"""Milliseconds."""

KEPT_MIB = 64 + 16
"""What `notebook_mux.tailing.store` keeps at most, and as much again for its columns and what is on its way as 200,000
lines need."""

PEER = "kubectl logs"
DONE_SECONDS = 120.0
WRITE_SECONDS = 0.05
FIRST_SECONDS = 60.0
REST_SECONDS = 2.0
"""Between keys, for the page alone."""

CONNECT = """
import os, re
import notebook_mux as nm
from tests.benchmarks.log_reader import Check
nm.connect(url={url!r}, write=True)
print('kernel process', os.getpid())
"""
SHELL = "nm.shell('pod/{pod}', ['sh'], namespace='{namespace}')"
LOGS = "logs = nm.logs({target}, namespace={namespace!r}, tail=None)\ncheck = Check(logs, {lines})\nlogs"
SAID = "print(check.said(len(logs.sources)))"
COMPLETE = re.compile(r"(complete|so far): (\d+) lines, (\d+) missing, (\d+) again, (\d+) marks")


@dataclass
class Seen:
    """What a minute of logs cost, and whether all of it came."""

    lines: int = 0
    missing: int = 0
    again: int = 0
    marks: int = 0
    busy: float = math.inf
    """Of the page's main thread, 0 to 1, while no key is pressed."""
    pressed: float = math.inf
    """The same while keys are, one after the other: each costs JupyterLab some 18 ms by itself."""
    kernel: int = 0
    """Bytes that the kernel's process grew by, at most."""
    echo: list[float] = field(default_factory=list)


class Shares:
    """How busy a main thread is while one thing goes on, and while another does."""

    def __init__(self, thread: MainThread) -> None:
        self._thread = thread
        self._spent: dict[str, list[float]] = {}

    @contextlib.contextmanager
    def of(self, what: str) -> Iterator[None]:
        """This goes on now."""
        began, busy = time.monotonic(), self._thread.busy()
        yield
        spent = self._spent.setdefault(what, [0.0, 0.0])
        spent[0] += self._thread.busy() - busy
        spent[1] += time.monotonic() - began

    def share(self, what: str) -> float:
        """0 to 1."""
        busy, took = self._spent[what]
        return busy / took


def run(scale: Scale) -> list[Row]:
    """The group's figures."""
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows += _rows("from a source that batches", _scripted(folder, scale), scale, scale.log_rate)
        if build.why_not() is None:
            plane = ControlPlane(folder / "control-plane", nodes=1)
            try:
                plane.up()
                seen = _through_bed(folder / "bed", plane, scale)
                rows += _rows("through the test bed", seen, scale, scale.log_bed_rate)
                rows += _first_lines(plane, scale)
            finally:
                plane.down()
    return rows


# --- a minute of it -------------------------------------------------------------------------------------------------


def _scripted(folder: Path, scale: Scale) -> Seen:
    given = {"pods": scale.log_pods, "folder": str(folder), "rate": scale.log_rate / scale.log_pods,
             "seconds": scale.log_seconds}  # fmt: skip
    with (
        Child("tests.benchmarks.scripted_logs", given) as api,
        real_gateway(api.hear()["kubeconfig"], "--write") as (_, url),
    ):
        pod = Pod(0)
        lines = scale.log_rate / scale.log_pods * scale.log_seconds
        cells = _cells(url, "re.compile('^web-')", "*", lines, pod.name, pod.namespace)
        with Place(folder / "scripted", cells, _begin) as place:
            return _watch(place, scale, lambda: api.ask(write=True))


def _through_bed(folder: Path, plane: ControlPlane, scale: Scale) -> Seen:
    names = _pods(plane, "writer", scale.log_pods)
    lines = round(scale.log_bed_rate / scale.log_pods * scale.log_seconds)
    writer = threading.Thread(
        target=_write, args=(plane, names, scale.log_bed_rate / scale.log_pods, lines), daemon=True
    )
    with real_gateway(str(plane.kubeconfig), "--write") as (_, url):
        cells = _cells(url, "re.compile('^writer-')", "default", lines, names[0], "default")
        with Place(folder, cells, _begin) as place:
            seen = _watch(place, scale, writer.start)
    writer.join()
    return seen


def _cells(url: str, target: str, namespace: str, lines: float, pod: str, where: str) -> list[str]:
    logs = LOGS.format(target=target, namespace=namespace, lines=round(lines))
    return [CONNECT.format(url=url), SHELL.format(pod=pod, namespace=where), logs, SAID]


def _begin(notebook: Notebook) -> list[Screen]:
    """Run the cells: the terminal, and the logs below it."""
    notebook.run_cell(0)
    notebook.wait_for_output(0, PROCESS)
    notebook.run_cell(1)
    # what is typed by script, and not by keys, is dropped while the way changes
    notebook.see(1, re.compile(f"^{BADGES[FAST]}$"), seconds=FIRST_SECONDS)
    screen = Screen.of_ours(notebook.output(1))
    screen.begin()
    notebook.run_cell(2)
    notebook.output(2).locator("[role=log]").first.wait_for(timeout=FIRST_SECONDS * 1000)
    return [screen]


def _watch(place: Place, scale: Scale, begin: Callable[[], Any]) -> Seen:
    """Have the pods begin, press keys until all is through, and see what came of it."""
    with place.watched() as notebook:
        kernel = kernel_process(notebook)
    [screen], page, seen = place.screens, place.page, Seen()
    thread = MainThread(page)
    screen.type(f"{ECHOING}\r")
    screen.wait_for(f"{PROMPT} {ECHOING}")
    before = memory(kernel)["rss"]
    begin()
    began = time.monotonic()
    shares = Shares(thread)
    while time.monotonic() - began < scale.log_seconds:
        with shares.of("pressed"):
            seen.echo += press(screen, scale.log_keys, scale.key_seconds)[1]
        with shares.of("rest"):
            page.wait_for_timeout(REST_SECONDS * 1000)
        seen.kernel = max(seen.kernel, memory(kernel)["rss"] - before)
    seen.busy, seen.pressed = shares.share("rest"), shares.share("pressed")
    deadline = time.monotonic() + DONE_SECONDS
    with place.watched() as notebook:
        while True:
            notebook.run_cell(3)
            said = COMPLETE.search(notebook.wait_for_output(3, COMPLETE).inner_text())
            assert said is not None
            seen.lines, seen.missing, seen.again, seen.marks = (int(said[number]) for number in range(2, 6))
            if said[1] == "complete" or time.monotonic() > deadline:
                return seen
            notebook.page.wait_for_timeout(1000)


def _rows(where: str, seen: Seen, scale: Scale, rate: float) -> list[Row]:
    what = f"{scale.log_pods} pods, {rate:,.0f} lines/s for {scale.log_seconds:g} s {where}"
    wanted = round(rate / scale.log_pods * scale.log_seconds) * scale.log_pods
    return [
        Row(GROUP, f"{what}: lines that did not come", wanted - seen.lines + seen.missing, "", bound=0.0,
            note=f"of {wanted:,}; {seen.marks} marks"),
        Row(GROUP, f"{what}: lines that came twice", seen.again, "", bound=0.0),
        Row(GROUP, f"{what}: page's main thread busy", seen.busy * 100, "%", bound=BUSY_BOUND,
            note=f"{seen.pressed:.0%} while keys are pressed as fast as they come back"),
        Row(GROUP, f"{what}: the kernel grew by", seen.kernel / MIB, "MiB", bound=float(KEPT_MIB)),
        Row(GROUP, f"{what}: echo p99 in a terminal beside", quantile(seen.echo, 0.99), "ms", bound=ECHO_BOUND,
            note=f"p50 {quantile(seen.echo, 0.5):.3g} ms, {len(seen.echo)} keys"),
    ]  # fmt: skip


# --- a real API server ----------------------------------------------------------------------------------------------


def _pods(plane: ControlPlane, name: str, count: int) -> list[str]:
    """So many running pods of one label, whose logs are empty."""
    names = [f"{name}-{number:02d}" for number in range(count)]
    for one in names:
        _log(plane, one).write_bytes(b"")
    pods = [{"apiVersion": "v1", "kind": "Pod",
             "metadata": {"name": one, "namespace": "default", "labels": {"app": name}},
             "spec": {"containers": [{"name": "main", "image": "x"}]}} for one in names]  # fmt: skip
    plane.kubectl("create", "-f", "-", input=json.dumps({"apiVersion": "v1", "kind": "List", "items": pods}))
    plane.kubectl("wait", "--for=condition=Ready", "pod", "-l", f"app={name}", "--timeout=120s")
    return names


def _write(plane: ControlPlane, names: list[str], rate: float, lines: int) -> None:
    """Append to the pods' log files as a container runtime does (CRI), all at the same pace."""
    with contextlib.ExitStack() as files:
        opened_ = [files.enter_context((_log(plane, name)).open("ab")) for name in names]
        began, written = time.time(), 0
        while written < lines:
            due = min(lines, int((time.time() - began) * rate))
            for file in opened_:
                file.write(b"".join(_line(number) for number in range(written, due)))
                file.flush()
            written = due
            time.sleep(WRITE_SECONDS)


def _log(plane: ControlPlane, name: str) -> Path:
    return plane.folder / "logs" / f"default_{name}_main.log"


def _line(number: int) -> bytes:
    now = time.time_ns()
    stamp = datetime.fromtimestamp(now // 10**9, UTC)
    text = f'level=info msg="GET /api/v1/items" request=#{number} status=200 took=12ms user=somebody@example.com'
    return f"{stamp:%Y-%m-%dT%H:%M:%S}.{now % 10**9:09d}Z stdout F {text}\n".encode()


def _first_lines(plane: ControlPlane, scale: Scale) -> list[Row]:
    """From the call to the first line of each of the pods, beside kubectl's."""
    names = _pods(plane, "first", scale.log_first_pods)
    for name in names:
        _log(plane, name).write_bytes(b"".join(_line(number) for number in range(20)))
    ours: list[float] = []
    with real_gateway(str(plane.kubeconfig)) as (_, url):
        for _ in range(scale.log_repeats):
            with Child("tests.benchmarks.log_side", {"url": url, "pods": len(names)}) as side:
                ours.append(side.hear()["seconds"])
    theirs = [_kubectl(plane, len(names)) for _ in range(scale.log_repeats)]
    return [
        Row(GROUP, f"first lines of {len(names)} pods", min(ours), "s", PEER, min(theirs), 1.0,
            f"the fastest of {scale.log_repeats}; kubectl's with its start, ours in a notebook that is connected")
    ]  # fmt: skip


def _kubectl(plane: ControlPlane, pods: int) -> float:
    """Seconds of ``kubectl logs`` until each pod has said something."""
    words = ("logs", "-l", "app=first", "--prefix", "--tail=10", "-f", f"--max-log-requests={pods}")
    command = [str(build.control_plane_binary()), "kubectl", "--kubeconfig", str(plane.kubeconfig), *words]
    began = time.monotonic()
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        heard: set[bytes] = set()
        try:
            for line in process.stdout:
                heard.add(line.split(b"/")[1])
                if len(heard) == pods:
                    return time.monotonic() - began
        finally:
            process.terminate()  # it would follow for ever
    raise RuntimeError(f"kubectl has shown lines of {len(heard)} pods of {pods}")
