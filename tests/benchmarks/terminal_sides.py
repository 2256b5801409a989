"""The terminals beside each other: JupyterLab's own, and ours by both ways, each in a JupyterLab and a real browser."""

from __future__ import annotations

import contextlib
import json
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Self, cast

from playwright.sync_api import JSHandle, Page

from tests.benchmarks.pods import Pod
from tests.benchmarks.processes import ROOT
from tests.benchmarks.scale import Scale
from tests.benchmarks.serving import real_gateway
from tests.benchmarks.terminal_way import LOADS, Way
from tests.benchmarks.unwatched import Chromium, Kept
from tests.browser.lab import Lab, Notebook
from tests.browser.screens import FIRST_SECONDS, NO_WEBGL, OPEN_JUPYTERS, Screen
from tests.testbed.control_plane import ControlPlane

JUPYTERS = "JupyterLab's terminal"
SMALL = "the same, small, no WebGL"
"""Of the size that ours has in a cell, and drawn by xterm's DOM renderer as ours is: without a GPU the processor plays
WebGL, which costs JupyterLab's more than the DOM would. Said beside the other; nothing is promised."""

FAST, COMM = "fast path", "comm"
BADGES = {FAST: "direct", COMM: "through the kernel"}
"""What a view says of its way."""

NO_PROXY = """
window.WebSocket = class extends window.WebSocket {
    constructor(url, ...more) {
        if (String(url).includes('/proxy/')) throw new Error('this page has no way to the gateway');
        super(url, ...more);
    }
};
"""
"""Lets a page have the comm alone; all other sockets are what they were."""

CONNECT = """
import os
import notebook_mux as nm
nm.connect(url={url!r}, write=True)
print('kernel process', os.getpid())
"""
SHELL = "nm.shell('pod/{pod}', ['sh'], name='{name}', namespace='{namespace}')"
NAMES = ("first", "second")
PROCESS = re.compile(r"kernel process (\d+)")
BED_POD = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web", "namespace": "default"},
           "spec": {"containers": [{"name": "main", "image": "x"}]}}  # fmt: skip


def cells(url: str, pod: str, namespace: str) -> list[str]:
    """A notebook's: the connection, and two terminals."""
    shells = [SHELL.format(pod=pod, namespace=namespace, name=name) for name in NAMES]
    return [CONNECT.format(url=url), *shells]


class Place:
    """A JupyterLab and a browser with one page of it, which nobody watches but through this.

    Args:
        folder: For all that is theirs.
        cells: Of the notebook in the page.
        script: What the page runs first.
        begin: Runs the cells, and makes the terminals that are measured.

    Attributes:
        page: Of it.
        screens: The terminals.
    """

    def __init__(
        self, folder: Path, cells: Sequence[str], begin: Callable[[Notebook], Sequence[Screen]], script: str = ""
    ) -> None:
        print(f"terminal: {folder.name}", file=sys.stderr, flush=True)  # it takes minutes
        with contextlib.ExitStack() as stack:
            environment = {"NOTEBOOK_MUX_RUNTIME_DIR": str(folder / "run"), "PYTHONPATH": str(ROOT)}
            self._lab = Lab(folder, env=environment)
            stack.callback(self._lab.end)
            self._chromium = Chromium(folder / "profile")
            stack.callback(self._chromium.end)
            with self._chromium.attached(script=script) as page:
                notebook = Notebook(self._lab, page).open(cells)
                made = begin(notebook)
                for number, screen in enumerate(made):
                    screen.keep(_kept(number))
                _without_errors(notebook.errors)
            self.page = stack.enter_context(self._chromium.unwatched(self._lab.url))
            self.screens = [self._screen(number) for number in range(len(made))]
            self._stack = stack.pop_all()

    def _screen(self, number: int) -> Screen:
        return Screen(cast(Page, self.page), cast(JSHandle, Kept(_kept(number))))

    def beside(self) -> Screen:
        """A terminal of JupyterLab's own, below what is there."""
        name = _kept(len(self.screens))
        self.page.evaluate(f"async () => {{ window.{name} = await ({OPEN_JUPYTERS})('split-bottom'); }}")
        self.screens.append(self._screen(len(self.screens)))
        self.screens[-1].begin()
        return self.screens[-1]

    @contextlib.contextmanager
    def watched(self) -> Iterator[Notebook]:
        """The page in Playwright's hands for a while."""
        with self._chromium.attached(self._lab.url) as page:
            yield Notebook(self._lab, page)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *more: object) -> None:
        self._stack.close()
        if kind is None:
            _without_errors(self.page.errors)


def _kept(number: int) -> str:
    return f"nmMeasured{number}"


def _without_errors(errors: Sequence[str]) -> None:
    if errors:
        raise RuntimeError(f"errors in the page's console: {errors}")


def measure_jupyters(folder: Path, source: Path, scale: Scale) -> tuple[Way, Way | None]:
    """JupyterLab's terminal as it opens, and (of all ways) its output alone in our size and drawn as ours is."""
    way, plain = Way(JUPYTERS), Way(SMALL) if scale.all_ways else None
    if plain is not None:
        with Place(folder / "small", [""], lambda notebook: [], NO_WEBGL) as place:
            plain.measure_cat(place.beside(), source, scale.terminal_repeats)
    with Place(folder, [""], lambda notebook: [Screen.of_jupyterlab(notebook.page)]) as place:
        [screen] = place.screens
        way.measure_cat(screen, source, scale.terminal_repeats)
        for load in LOADS:
            way.measure_echo(screen, load, scale)
        way.measure_flood(screen, place.beside(), scale)
    return way, plain


def begin(notebook: Notebook, badge: str) -> list[Screen]:
    """Run the cells: the terminals, that go the way of that name."""
    notebook.run_cell(0)
    notebook.wait_for_output(0, PROCESS)
    screens = []
    for index in (1, 2):
        notebook.run_cell(index)
        notebook.see(index, re.compile(f"^{badge}$"), seconds=FIRST_SECONDS)
        screens.append(Screen.of_ours(notebook.output(index)))
        screens[-1].begin()
    return screens


def kernel_process(notebook: Notebook) -> int:
    """Its id, as the first cell has said."""
    found = PROCESS.search(notebook.wait_for_output(0, PROCESS).inner_text())
    assert found is not None
    return int(found[1])


def measure_ours(folder: Path, way: Way, url: str, gateway: int, source: Path, scale: Scale) -> Way:
    """Our terminal, by the page's own WebSocket or by the kernel."""
    pod, badge = Pod(0), BADGES[way.name]
    code, script = cells(url, pod.name, pod.namespace), NO_PROXY if way.name == COMM else ""
    with Place(folder, code, lambda notebook: begin(notebook, badge), script) as place:
        screen, other = place.screens
        with place.watched() as notebook:
            kernel = kernel_process(notebook)
        way.measure_cat(screen, source, scale.terminal_repeats)
        for load in LOADS:
            way.measure_echo(screen, load, scale)
        way.measure_flood(screen, other, scale)
        way.measure_memory(screen, source, scale.flood_megabytes, {"kernel": kernel, "gateway": gateway})
        with place.watched() as notebook:
            notebook.see(1, re.compile(f"^{badge}$"))  # and it has never been another way
    return way


def measure_bed(folder: Path, source: Path, scale: Scale) -> Way:
    """Our terminal's output through a real API server and kubelet."""
    way = Way(FAST)
    plane = ControlPlane(folder / "control-plane", nodes=1)
    try:
        plane.up()
        plane.kubectl("create", "-f", "-", input=json.dumps(BED_POD))
        plane.kubectl("wait", "--for=condition=Ready", "pod/web", "--timeout=60s")
        with (
            real_gateway(str(plane.kubeconfig), "--write") as (_, url),
            Place(
                folder / "lab", cells(url, "web", "default"), lambda notebook: begin(notebook, BADGES[FAST])
            ) as place,
        ):
            way.measure_cat(place.screens[0], source, scale.terminal_repeats)
    finally:
        plane.down()
    return way
