"""The table in JupyterLab under 1,000 changes a second, beside bare AG Grid with the same data in the same page.

All is real but the API server: the gateway, the kernel and its comm, JupyterLab, headless Chromium. Nobody watches the
page while it is measured (`tests.benchmarks.unwatched`); times are the page's own, by `grid_page.js`. Both grids are
sorted by Restarts, which each change moves.
"""

from __future__ import annotations

import contextlib
import inspect
import re
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import notebook_mux
from tests.benchmarks import bare_grid
from tests.benchmarks.grid_page import GridPage, Taken, Traffic
from tests.benchmarks.pods import Pod
from tests.benchmarks.processes import ROOT, Child, cpu_seconds, settle_memory
from tests.benchmarks.scale import Scale
from tests.benchmarks.serving import real_gateway, scripted_api
from tests.benchmarks.table import Row
from tests.benchmarks.terminal import quantile
from tests.benchmarks.unwatched import Chromium
from tests.browser.lab import Lab, Notebook

GROUP = "table"
PEER = "bare AG Grid"
BUSY_BOUND, GAP_BOUND, KEY_BOUND, CLICK_BOUND, PAINT_BOUND, BACK_BOUND = 40.0, 100.0, 100.0, 10.0, 1000.0, 200.0
"""Per cent; the rest are milliseconds."""
MEMORY_BOUND = 1.1
"""Flat is what does not grow by more than a tenth."""

QUANTILES = (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))
FIFTH = 0.2
FAR_AWAY = 36_000.0
"""Seconds of changes that are ended when they have been enough."""
SETTLE_SECONDS, RETURN_SECONDS = 2.0, 4.0
START_SECONDS = 180.0
MIB, KIB = 1 << 20, 1 << 10
PROCESS = re.compile(r"kernel process (\d+)")
HEXADECIMAL = re.compile(r"f\d\d")
"""Of a pod's name; no other cell and no cluster has an "f"."""

SETUP = """
import os, time
import notebook_mux as nm
from tests.benchmarks.bare_grid import BareGrid
shown, heard = [], []
def show(make):
    while shown:
        shown.pop().close()
    shown.append(make())
    return shown[0]
def table(**settings):
    made = nm.table('pods', namespace='*', sort='-Restarts', **settings)
    made.observe(lambda change: heard.append(time.time()), 'selected')
    return made
nm.connect(url={url!r})
pods = nm.watch('pods', namespace='*', timeout=120)
print('kernel process', os.getpid(), len(pods.rows), 'pods')
"""
OURS, BARE = 1, 2
"""Numbers of cells; the variants' follow."""

CELLS = ("show(table)", "show(lambda: BareGrid(pods, {bundle!r}))")
HEARD = {OURS: "heard", BARE: "shown[0].heard"}
SENT = {OURS: "shown[0]._audience.number", BARE: "shown[0].sent"}
VARIANTS = {
    "in groups by namespace": ("group", "show(lambda: table(group='namespace'))"),
    "with usage and one column of our own": (
        "usage",
        "show(lambda: table(usage=True, columns=['Name', 'Restarts', ('Image', '.spec.containers[0].image')]))"),
}  # fmt: skip
"""What it is called: the argument of `nm.table` that it needs, and the cell."""


def variants() -> dict[str, str]:
    """Cells of other tables, those that there are."""
    known = inspect.signature(notebook_mux.table).parameters
    return {name: cell for name, (needed, cell) in VARIANTS.items() if needed in known}


def _log(what: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} table: {what}", file=sys.stderr, flush=True)  # it takes minutes


@dataclass
class Hidden:
    """What a table costs and how it comes back with another tab in front for over a minute."""

    traffic: Traffic
    """Of the dearest time."""
    kernel: float
    """CPU seconds a second, of the dearest time."""
    without: float
    """The same with no table at all, and the same stream."""
    back: Sequence[float]
    """Milliseconds, of each return."""


class Scene:
    """A JupyterLab, a browser and a gateway with so many pods.

    Attributes:
        kernel: The process.
    """

    def __init__(self, api: Child, gateway: int, page: GridPage, kernel: int, scale: Scale, pods: int) -> None:
        self._api = api
        self._gateway = gateway
        self._page = page
        self.kernel = kernel
        self._scale = scale
        self._pods = pods
        self._cells = [OURS, BARE, *range(BARE + 1, BARE + 1 + len(variants()))]
        self.taken = {index: Taken() for index in self._cells}

    @contextlib.contextmanager
    def flow(self) -> Iterator[None]:
        """Changes for a while."""
        self._api.tell(pace=self._scale.paced_rate, during=FAR_AWAY)
        yield
        self._api.tell(calm=True)
        self._api.hear()

    def show(self, index: int) -> Taken:
        """Run a cell, with no other's output beside it."""
        for other in self._cells:
            self._page.clear(other)
        taken = self.taken[index]
        taken.paints.append(self._page.paint(index, self._pods))
        time.sleep(min(SETTLE_SECONDS, self._scale.browser_seconds))
        return taken

    def load(self, index: int) -> None:
        """What it costs under changes."""
        taken, seconds = self.taken[index], self._scale.browser_seconds
        with self.flow():
            time.sleep(min(SETTLE_SECONDS, seconds))
            sent, began = self._sent(index), time.monotonic()
            taken.busy.append(self._page.busy(seconds))
            taken.updates.append((self._sent(index) - sent) / (time.monotonic() - began))
            taken.gaps += self._page.gaps(seconds)

    def _sent(self, index: int) -> int:
        return int(self._page.kernel(SENT.get(index, SENT[OURS])))

    def answers(self, index: int) -> None:
        """How fast it answers: clicks with nothing else going on, keys under changes."""
        taken = self.taken[index]
        taken.clicks += self._page.clicks(self._scale.table_clicks, HEARD[index])
        with self.flow():
            time.sleep(min(SETTLE_SECONDS, self._scale.browser_seconds))
            taken.keys += self._page.keys(self._scale.table_keys, typed(self._pods))

    def scrolls(self) -> None:
        """How both grids scroll."""
        for index in (OURS, BARE):
            taken = self.show(index)
            taken.scrolled += self._page.scroll(min(SETTLE_SECONDS * 2, self._scale.browser_seconds))

    def memory(self, minutes: float) -> dict[str, tuple[int, int]]:
        """Bytes of page and kernel after a fifth of so many minutes of changes, and after all of them."""
        found = []
        with self.flow():
            for part in (FIFTH, 1 - FIFTH):
                time.sleep(part * minutes * 60)
                found.append({"page": self._page.memory(), "kernel": settle_memory(self.kernel)["rss"]})
        return {name: (found[0][name], found[1][name]) for name in found[0]}

    def hide(self) -> Hidden:
        """The table in a hidden page: after the minute that it is still fed, and back."""
        seconds = self._scale.browser_seconds
        away = [self._away() for _ in range(self._scale.table_returns)]
        self._page.clear(OURS)
        with self.flow():
            time.sleep(min(SETTLE_SECONDS, seconds))
            began, cpu = time.monotonic(), cpu_seconds(self.kernel)
            time.sleep(seconds)
            without = (cpu_seconds(self.kernel) - cpu) / (time.monotonic() - began)
        traffic, kernel, back = zip(*away, strict=True)
        return Hidden(max(traffic, key=lambda one: (one.messages, one.frames)), max(kernel), without, back)

    def _away(self) -> tuple[Traffic, float, float]:
        """Once: what it costs, the kernel's CPU seconds a second, and milliseconds until the page was right again."""
        with self._page.hidden():
            with self.flow():
                time.sleep(self._scale.table_hidden_seconds)
                began, cpu = time.monotonic(), cpu_seconds(self.kernel)
                traffic = self._page.traffic(self._scale.browser_seconds)
                kernel = (cpu_seconds(self.kernel) - cpu) / (time.monotonic() - began)
            self._page.arm_return(RETURN_SECONDS)
        back, seen = self._page.returned()
        total, _, most, *_ = seen.split()
        expected = self._page.kernel("[len(shown[0].rows), shown[0].rows[0]['Restarts'].split()[0]]")
        if [int(total), most] != expected:
            raise RuntimeError(f"back in view the page shows {[total, most]}, and the kernel has {expected}")
        return traffic, kernel, back


def typed(pods: int) -> str:
    """Three characters of which each leaves fewer pods, and the last some."""
    names = [Pod(number).name for number in range(pods)]
    for text in sorted({found for name in names for found in HEXADECIMAL.findall(name)}):
        counts = [pods, *(sum(text[:length] in name for name in names) for length in (1, 2, 3))]
        if len(set(counts)) == len(counts):
            return text
    raise RuntimeError(f"no filter for {pods} pods")


@contextlib.contextmanager
def scene(scale: Scale, pods: int) -> Iterator[Scene]:
    """A JupyterLab with a notebook whose stream has synced, and nobody watching its page."""
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name,
        scripted_api(pods) as (api, said),
        real_gateway(said["kubeconfig"]) as (gateway, url),
        contextlib.ExitStack() as stack,
    ):
        folder = Path(name)
        lab = Lab(folder, env={"NOTEBOOK_MUX_RUNTIME_DIR": str(folder / "run"), "PYTHONPATH": str(ROOT)})
        stack.callback(lab.end)
        browser = Chromium(folder / "profile")
        stack.callback(browser.end)
        cells = [SETUP.format(url=url), CELLS[0], CELLS[1].format(bundle=str(bare_grid.build(folder)))]
        with browser.attached() as page:
            notebook = Notebook(lab, page).open([*cells, *variants().values()])
            notebook.run_cell(0)
            found = PROCESS.search(notebook.wait_for_output(0, PROCESS, seconds=START_SECONDS).inner_text())
            assert found is not None
        unwatched = stack.enter_context(browser.unwatched(lab.url))
        yield Scene(api, gateway.pid, GridPage(unwatched), int(found[1]), scale, pods)
        if unwatched.errors:
            raise RuntimeError(f"errors in the page's console: {unwatched.errors}")


def run(scale: Scale) -> list[Row]:
    """The group's figures."""
    _log(f"{scale.pods:,} pods")
    with scene(scale, scale.pods) as many:
        for _ in range(scale.paced_repeats):
            for index in (OURS, BARE):
                _log(f"cell {index} under changes")
                many.show(index)
                many.load(index)
        for index in (BARE, OURS):
            _log(f"cell {index}, keys and clicks")
            many.show(index)
            many.answers(index)
        _log(f"memory, {scale.table_minutes:g} minutes")
        memory = many.memory(scale.table_minutes)
        _log("hidden")
        hidden = many.hide()
        for number, name in enumerate(variants()):
            _log(name)
            many.show(BARE + 1 + number)
            many.load(BARE + 1 + number)
        if scale.table_pods == scale.pods:
            many.scrolls()
    most = many
    if scale.table_pods != scale.pods:
        _log(f"{scale.table_pods:,} pods")
        with scene(scale, scale.table_pods) as most:
            most.scrolls()
    what = f"{scale.paced_rate:,.0f} changes/s"
    rows = _under_load(f"{scale.pods:,} rows, {what}", many.taken[OURS], many.taken[BARE])
    for number, name in enumerate(variants()):
        rows += _under_load(f"the same {name}", many.taken[BARE + 1 + number], many.taken[BARE])
    rows += _answers(many.taken[OURS], many.taken[BARE])
    rows += _paints(scale.pods, many.taken[OURS], many.taken[BARE], PAINT_BOUND)
    rows += [
        Row(GROUP, f"memory of the {whose}, {scale.table_minutes:g} min of changes", after / MIB, "MiB",
            "after a fifth", before / MIB, MEMORY_BOUND)
        for whose, (before, after) in memory.items()
    ]  # fmt: skip
    rows += _hidden(hidden, scale)
    rows += _paints(scale.table_pods, most.taken[OURS], most.taken[BARE], None)
    rows += _scrolled(scale.table_pods, most.taken[OURS], most.taken[BARE])
    return rows


def _under_load(what: str, ours: Taken, bare: Taken) -> list[Row]:
    note = f"{min(ours.updates):.1f} updates/s; {PEER}: {min(bare.busy) * 100:.0f} % at {min(bare.updates):.1f}/s"
    gaps = (
        f"p99 {quantile(ours.gaps, 0.99):.0f} ms; {PEER}: {quantile(bare.gaps, 0.99):.0f} and {max(bare.gaps):.0f} ms"
    )
    return [
        Row(GROUP, f"{what}: main thread busy", min(ours.busy) * 100, "%", bound=BUSY_BOUND, note=note),
        Row(GROUP, f"{what}: the same", min(ours.busy) * 100, "%", PEER, min(bare.busy) * 100),
        Row(GROUP, f"{what}: longest gap between frames", max(ours.gaps), "ms", bound=GAP_BOUND, note=gaps),
    ]


def _answers(ours: Taken, bare: Taken) -> list[Row]:
    rows = []
    for what, mine, theirs, bound in (
        ("key in the filter to screen, under changes", ours.keys, bare.keys, KEY_BOUND),
        ("click to Python", ours.clicks, bare.clicks, CLICK_BOUND),
    ):
        beside = f"{PEER}: {', '.join(f'{name} {quantile(theirs, part):.3g}' for name, part in QUANTILES)} ms"
        for name, part in QUANTILES:
            rows.append(Row(GROUP, f"{what}, {name}", quantile(mine, part), "ms", bound=bound,
                            note=f"{len(mine)} times; {beside}" if name == "p99" else ""))  # fmt: skip
    return rows


def _paints(pods: int, ours: Taken, bare: Taken, bound: float | None) -> list[Row]:
    later = f"; again {min(one[0] for one in ours.paints[1:]):.0f} ms" if ours.paints[1:] else ""
    note = f"all {ours.paints[0][1]:.0f} ms{later}; {PEER}: {bare.paints[0][0]:.0f} ms, all {bare.paints[0][1]:.0f} ms"
    return [Row(GROUP, f"first paint of {pods:,} rows in the store", ours.paints[0][0], "ms", bound=bound, note=note)]


def _scrolled(pods: int, ours: Taken, bare: Taken) -> list[Row]:
    note = f"longest {max(ours.scrolled):.0f} ms; {PEER}: {max(bare.scrolled):.0f} ms"
    return [Row(GROUP, f"scrolling {pods:,} rows: gap between frames, p99", quantile(ours.scrolled, 0.99), "ms", PEER,
                quantile(bare.scrolled, 0.99), note=note)]  # fmt: skip


def _hidden(found: Hidden, scale: Scale) -> list[Row]:
    traffic, seconds = found.traffic, scale.browser_seconds
    return [
        Row(GROUP, f"hidden for {scale.table_hidden_seconds:.0f} s: messages to the page", traffic.messages / seconds,
            "1/s", bound=0.0, note=f"with the kernel's own {traffic.frames / seconds:.1f}/s, "
            f"{traffic.bytes / seconds / KIB:.2f} KiB/s; page's main thread {traffic.busy * 100:.1f} %"),
        Row(GROUP, "hidden: kernel's CPU", found.kernel * 100, "%", "the stream without a table", found.without * 100),
        Row(GROUP, "back in view: right after, p50", quantile(found.back, 0.5), "ms", bound=BACK_BOUND,
            note=f"{len(found.back)} times; the slowest {max(found.back):.0f} ms"),
    ]  # fmt: skip
