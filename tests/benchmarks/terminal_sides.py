"""The terminals beside each other: JupyterLab's own, and ours by both ways, each in a JupyterLab and a real browser."""

from __future__ import annotations

import contextlib
import json
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from playwright.sync_api import Browser, ViewportSize, sync_playwright

from tests.benchmarks.pods import Pod
from tests.benchmarks.processes import ROOT
from tests.benchmarks.scale import Scale
from tests.benchmarks.serving import real_gateway
from tests.benchmarks.terminal_way import LOADS, Way
from tests.browser import chromium
from tests.browser.lab import Lab, Notebook
from tests.browser.screens import FIRST_SECONDS, NO_WEBGL, Screen
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

VIEWPORT: ViewportSize = {"width": 1400, "height": 1000}
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


@contextlib.contextmanager
def browser() -> Iterator[Browser]:
    """Chromium without a window."""
    path = chromium.path()
    if path is None:
        raise RuntimeError(chromium.NONE)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=list(chromium.FLAGS))
        yield started
        started.close()


@contextlib.contextmanager
def opened(browser: Browser, folder: Path, cells: Sequence[str], script: str = "") -> Iterator[Notebook]:
    """A notebook in a JupyterLab of its own, whose page runs a script first."""
    print(f"terminal: {folder.name}", file=sys.stderr, flush=True)  # it takes minutes
    lab = Lab(folder, env={"NOTEBOOK_MUX_RUNTIME_DIR": str(folder / "run"), "PYTHONPATH": str(ROOT)})
    try:
        context = browser.new_context(viewport=VIEWPORT)
        context.add_init_script(script)
        notebook = Notebook(lab, context.new_page()).open(cells)
        yield notebook
        context.close()
        if notebook.errors:
            raise RuntimeError(f"errors in the page's console: {notebook.errors}")
    finally:
        lab.end()


def measure_jupyters(browser: Browser, folder: Path, source: Path, scale: Scale) -> tuple[Way, Way]:
    """JupyterLab's terminal as it opens, and its output alone in our size and drawn as ours is."""
    with opened(browser, folder, [""]) as notebook:
        way, screen = Way(JUPYTERS), Screen.of_jupyterlab(notebook.page)
        way.measure_cat(screen, source, scale.terminal_repeats)
        for load in LOADS:
            way.measure_echo(screen, load, scale)
        way.measure_flood(screen, Screen.of_jupyterlab(notebook.page, beside=True), scale)
        notebook.page.close()
        context = browser.new_context(viewport=VIEWPORT)
        context.add_init_script(NO_WEBGL)
        page = Notebook(notebook.lab, context.new_page()).open([""]).page
        plain, screen = Way(SMALL), Screen.of_jupyterlab(page, beside=True)
        plain.measure_cat(screen, source, scale.terminal_repeats)
        context.close()
    return way, plain


def begin(notebook: Notebook, badge: str) -> tuple[Screen, Screen, int]:
    """Run the cells: two terminals that go the way of that name, and the kernel's process id."""
    notebook.run_cell(0)
    said = notebook.wait_for_output(0, PROCESS).inner_text()
    found = PROCESS.search(said)
    assert found is not None
    screens = []
    for index in (1, 2):
        notebook.run_cell(index)
        notebook.see(index, re.compile(f"^{badge}$"), seconds=FIRST_SECONDS)
        screens.append(Screen.of_ours(notebook.output(index)))
        screens[-1].begin()
    return screens[0], screens[1], int(found[1])


def measure_ours(browser: Browser, folder: Path, way: Way, url: str, gateway: int, source: Path, scale: Scale) -> Way:
    """Our terminal, by the page's own WebSocket or by the kernel."""
    pod = Pod(0)
    with opened(browser, folder, cells(url, pod.name, pod.namespace), NO_PROXY if way.name == COMM else "") as notebook:
        screen, other, kernel = begin(notebook, BADGES[way.name])
        way.measure_cat(screen, source, scale.terminal_repeats)
        for load in LOADS:
            way.measure_echo(screen, load, scale)
        way.measure_flood(screen, other, scale)
        way.measure_memory(screen, source, scale.flood_megabytes, {"kernel": kernel, "gateway": gateway})
        notebook.see(1, re.compile(f"^{BADGES[way.name]}$"))  # and it has never been another way
    return way


def measure_bed(browser: Browser, folder: Path, source: Path, scale: Scale) -> Way:
    """Our terminal's output through a real API server and kubelet."""
    way = Way(FAST)
    plane = ControlPlane(folder / "control-plane", nodes=1)
    try:
        plane.up()
        plane.kubectl("create", "-f", "-", input=json.dumps(BED_POD))
        plane.kubectl("wait", "--for=condition=Ready", "pod/web", "--timeout=60s")
        with (
            real_gateway(str(plane.kubeconfig), "--write") as (_, url),
            opened(browser, folder / "lab", cells(url, "web", "default")) as notebook,
        ):
            screen, _, _ = begin(notebook, BADGES[FAST])
            way.measure_cat(screen, source, scale.terminal_repeats)
    finally:
        plane.down()
    return way
