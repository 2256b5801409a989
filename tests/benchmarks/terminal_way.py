"""What is measured of one terminal in a page: output, echo under load, a flood, and the memory it leaves behind."""

from __future__ import annotations

import contextlib
import math
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from playwright.sync_api import Page

from tests.benchmarks.processes import memory
from tests.benchmarks.scale import Scale
from tests.benchmarks.unwatched import UnwatchedPage
from tests.browser.screens import PROMPT, Screen

MEGA = 1_000_000
FIFTHS = 5
LINE = b"2026-11-29T14:%02d:%02d.%03dZ INFO  web-%06d GET /api/v1/items/%06d 200 12ms\n"
"""Of the source: 75 bytes, as a server's log has them."""

LATE_SECONDS = 300.0
"""For one ``cat``."""

FLOOD = f"yes | head -c {40 * MEGA}"
"""xterm.js drops what is more than 50 MB behind, with an error for each message, and JupyterLab's terminal has no other
bound: a flood without an end would take it minutes after Ctrl-C, on a slow machine for ever."""

ECHOING = "cat > /dev/null"
"""While it runs the terminal's own line discipline echoes, and no shell thinks about each key."""

KEYS = "etaoinshrdlu"
MISSED = 3
"""After so many the others would be too."""

GAPS_MS = (7, 13, 22, 31)
"""Between an echo and the next key, in turn, so that keys do not meet the same moment of a frame each time."""

LOADS = {
    "kernel idle": "pass",
    "in a Python loop": "while True: sum(range(1000))",
    # One call in C that never gives the GIL away: twice a tenth of it tells how many make the seconds.
    "in a cell that holds the GIL": """
import collections, itertools, time
time.sleep(0.5)  # the kernel's other thread says that the cell has begun, and needs the GIL for it
began = time.perf_counter()
collections.deque(itertools.repeat(None, 10_000_000), maxlen=0)
collections.deque(itertools.repeat(None, int(10_000_000 * SECONDS / (time.perf_counter() - began))), maxlen=0)
""",
}
"""What the kernel does meanwhile; SECONDS stands for how long."""

IDLE, LOOP, HELD = LOADS


def write_source(path: Path, megabytes: float) -> int:
    """Lines of a log, so many million bytes of them; returns how many bytes."""
    count = max(1, round(megabytes * MEGA / len(LINE % (0, 0, 0, 0, 0))))
    with path.open("wb") as file:
        file.writelines(LINE % (n // 60000 % 60, n // 1000 % 60, n % 1000, n, n) for n in range(count))
    return path.stat().st_size


@dataclass
class Way:
    """What one way to the terminal has shown. Times in ms, to the moment it was drawn for `cat`, else seen.

    Attributes:
        name: Of the way.
        size: Columns x rows.
        cat: For all of the source.
        echo: For keys, by what the kernel did meanwhile; an empty list: none came.
        pressed: Keys, the same.
        beside: For keys while another terminal of the kind floods.
        ended: From Ctrl-C to the prompt in the flooded one.
        memory: Bytes of each process after a fifth of much output, and after all of it.
    """

    name: str
    size: str = ""
    cat: float = math.inf
    echo: dict[str, list[float]] = field(default_factory=dict)
    pressed: dict[str, int] = field(default_factory=dict)
    beside: list[float] = field(default_factory=list)
    ended: float = math.inf
    memory: dict[str, tuple[int, int]] = field(default_factory=dict)

    def measure_cat(self, screen: Screen, source: Path, repeats: int) -> None:
        """The fastest of some runs: whatever else runs on the machine only adds."""
        self._begin("output")
        self.size = f"{screen.columns} x {screen.rows}"
        for number in range(repeats):
            screen.clear()
            marker = f"end-{number}"
            command = f"cat {source}; printf 'end-%s\\n' {number}"
            self.cat = min(self.cat, screen.run(command, marker, LATE_SECONDS).drawn)

    def measure_echo(self, screen: Screen, load: str, scale: Scale) -> None:
        """Keys while the notebook's kernel does something."""
        self._begin(f"echo, {load}")
        with self._echoing(screen), under(screen.page, load, scale.held_seconds):
            self.pressed[load], self.echo[load] = press(
                screen, scale.terminal_keys, scale.key_seconds, only_busy=load != IDLE
            )

    def measure_flood(self, screen: Screen, flooded: Screen, scale: Scale) -> None:
        """Keys in one while another floods, and how long that one takes to obey."""
        self._begin("echo beside a flood")
        with self._echoing(screen):
            flooded.type(f"{FLOOD}\r")
            flooded.wait_for("y")
            _, self.beside = press(screen, scale.terminal_keys, scale.key_seconds)
            flooded.page.wait_for_timeout(scale.flood_seconds * 1000)
            obeyed = flooded.press("Control+c", PROMPT, LATE_SECONDS)
        self.ended = obeyed.seen if obeyed else math.inf

    def measure_memory(self, screen: Screen, source: Path, megabytes: float, pids: dict[str, int]) -> None:
        """How much the processes hold after much output, and the page with its garbage collected."""
        self._begin("memory")
        times = max(FIFTHS, round(megabytes * MEGA / source.stat().st_size))
        taken = []
        for count in (times // FIFTHS, times - times // FIFTHS):
            marker = f"through-{len(taken)}"
            command = f"for n in $(seq {count}); do cat {source}; done; printf 'through-%s\\n' {len(taken)}"
            screen.clear()
            screen.run(command, marker, LATE_SECONDS)
            held = {name: memory(pid)["rss"] for name, pid in pids.items()}
            taken.append({"page": page_memory(cast(UnwatchedPage, screen.page)), **held})
        self.memory = {name: (taken[0][name], taken[1][name]) for name in taken[0]}

    def _begin(self, what: str) -> None:
        print(f"{time.strftime('%H:%M:%S')} {self.name}: {what}", file=sys.stderr, flush=True)  # it takes minutes

    @contextlib.contextmanager
    def _echoing(self, screen: Screen) -> Iterator[None]:
        screen.clear()
        screen.type(f"{ECHOING}\r")
        screen.wait_for(f"{PROMPT} {ECHOING}")
        yield
        screen.press("Control+c", PROMPT)


# --- the page -------------------------------------------------------------------------------------------------------

KERNEL = "window.jupyterapp.shell.widgets('main').next().value.sessionContext.session.kernel"
"""Of the notebook, which was opened first."""

START = f"""
code => {{
    window.nmBegun = window.nmBusy = false;
    const future = {KERNEL}.requestExecute({{code, store_history: false, stop_on_error: false}});
    future.onIOPub = ({{header}}) => {{
        if (header.msg_type === 'execute_input') window.nmBegun = window.nmBusy = true;
    }};
    window.nmLoad = future.done.then(() => {{ window.nmBusy = false; }});
}}
"""
"""The kernel's own status is no help: each comm message makes it busy and idle. An interrupted cell is an error, after
which a kernel would refuse the next one for a moment if it were to stop on errors."""

END = f"async () => {{ await {KERNEL}.interrupt(); await window.nmLoad; }}"
BEGUN = "() => window.nmBegun"
"""Stays so: what holds the GIL for a moment only may be through before the page is asked."""
BUSY = "() => window.nmBusy"


@contextlib.contextmanager
def under(page: Page, load: str, seconds: float) -> Iterator[None]:
    """The notebook's kernel at work, one of `LOADS`; what holds the GIL does so for `seconds`."""
    page.evaluate(START, LOADS[load].replace("SECONDS", str(seconds)))
    if load != IDLE:
        page.wait_for_function(BEGUN)
    yield
    page.evaluate(END)  # what holds the GIL hears of it at its end


def press(screen: Screen, keys: int, seconds: float, *, only_busy: bool = False) -> tuple[int, list[float]]:
    """Press keys one after another, each after the echo of the one before, or after so many seconds.

    Returns:
        How many were pressed, and the milliseconds of those that came back. With `only_busy` none counts that was
        pressed or came back after the kernel was through.
    """
    pressed, missed, times = 0, 0, list[float]()
    for number in range(keys):
        screen.page.wait_for_timeout(GAPS_MS[number % len(GAPS_MS)])
        if only_busy and not screen.page.evaluate(BUSY):
            break
        got = screen.press(KEYS[number % len(KEYS)], seconds=seconds)
        if only_busy and not screen.page.evaluate(BUSY):
            break
        pressed += 1
        missed += got is None
        if got is not None:
            times.append(got.seen)
        if missed >= MISSED:
            break
    return pressed, times


def page_memory(page: UnwatchedPage) -> int:
    """Bytes of the page's heap without its garbage."""
    page.send("HeapProfiler.enable")
    page.send("HeapProfiler.collectGarbage")
    used = page.send("Runtime.getHeapUsage")
    page.send("HeapProfiler.disable")
    return int(used["usedSize"]) + int(used.get("backingStorageSize", 0))
