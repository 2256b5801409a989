"""A live table of 10,000 pods in JupyterLab, 1,000 changes a second: what reaches the page, and what it costs it.

All is real but the API server: the gateway, a kernel of JupyterLab's, the widget, headless Chromium. The page's figures
are Chromium's own (DevTools protocol): bytes and messages of the kernel's WebSocket, busy time of the main thread.
"""

from __future__ import annotations

import base64
import json
import re
import struct
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import CDPSession, Error, ViewportSize, sync_playwright

from tests.benchmarks.processes import ROOT, Child, cpu_seconds
from tests.benchmarks.scale import Scale
from tests.benchmarks.serving import real_gateway, scripted_api
from tests.benchmarks.table import Row
from tests.benchmarks.unwatched import UnwatchedPage
from tests.browser import chromium
from tests.browser.lab import Lab, Notebook

GROUP = "browser"
VIEWPORT: ViewportSize = {"width": 1400, "height": 1000}
MESSAGES_BOUND = 20.0
"""A view's messages a second at most, by the design."""

SHOWN = re.compile(r"web-\d\d-")
ROW = ".ag-row"
"""The grid's; the hidden static copy has pods' names as well."""

PROCESS = re.compile(r"kernel process (\d+)")
FIRST_SECONDS = 60.0
SETTLE_SECONDS = 2.0
KIB = 1024
BINARY = 2
"""A WebSocket frame's opcode."""

CELLS = (
    "import os\nimport notebook_mux as nm\nnm.connect(url={url!r})\nprint('kernel process', os.getpid())",
    "len(nm.watch('pods', namespace='*', timeout=60).rows)",
    "nm.table('pods', namespace='*')",
)


def is_comm(frame: bytes) -> bool:
    """Whether a message of the kernel's WebSocket is a widget's, and not the kernel's own busy and idle.

    In the protocol v1.kernel.websocket.jupyter.org a count and that many offsets come first; the second part is the
    header, see jupyter_server's ``deserialize_msg_from_ws_v1``.
    """
    try:
        _, begins, ends = struct.unpack_from("<3Q", frame, 8)
        header = json.loads(frame[begins:ends])
    except (struct.error, ValueError):
        return False
    return header.get("msg_type") == "comm_msg"


class MainThread:
    """Reads the clock of a page's main thread."""

    def __init__(self, session: CDPSession | UnwatchedPage) -> None:
        self._session = session
        session.send("Performance.enable")

    def busy(self) -> float:
        """Seconds of its tasks so far."""
        metrics = {one["name"]: one["value"] for one in self._session.send("Performance.getMetrics")["metrics"]}
        return float(metrics["TaskDuration"])


class Counter(MainThread):
    """Counts what the page's WebSockets receive, too: of each frame it is given a copy, which costs the page."""

    def __init__(self, session: CDPSession) -> None:
        super().__init__(session)
        self.all = 0
        self.messages = 0
        self.bytes = 0
        session.on("Network.webSocketFrameReceived", self._frame)
        session.send("Network.enable")

    def _frame(self, event: dict[str, Any]) -> None:
        frame = event["response"]
        text = frame["payloadData"]
        payload = base64.b64decode(text) if frame["opcode"] == BINARY else text.encode()
        self.all += 1
        self.messages += is_comm(payload)
        self.bytes += len(payload)


@dataclass
class Load:
    """What went on for a while, a second."""

    messages: float
    """Of widgets."""
    all: float
    """And the kernel's own about itself."""
    bytes: float
    busy: float
    """Of the page's main thread, 0 to 1."""
    kernel: float
    """CPU seconds a second."""
    gateway: float


class Scene:
    """The page with the table, and the processes behind it."""

    def __init__(self, notebook: Notebook, gateway: Child, kernel: int) -> None:
        self._page = notebook.page
        self._counter = Counter(notebook.page.context.new_cdp_session(notebook.page))
        self._pids = (kernel, gateway.pid)

    def watch(self, seconds: float) -> Load:
        """Measure for so long."""
        counter = self._counter
        cpu, busy = [cpu_seconds(pid) for pid in self._pids], counter.busy()
        messages, every, size, began = counter.messages, counter.all, counter.bytes, time.monotonic()
        self._page.wait_for_timeout(seconds * 1000)
        took = time.monotonic() - began
        busy = counter.busy() - busy
        kernel, gateway = (cpu_seconds(pid) - before for pid, before in zip(self._pids, cpu, strict=True))
        return Load(
            messages=(counter.messages - messages) / took,
            all=(counter.all - every) / took,
            bytes=(counter.bytes - size) / took,
            busy=busy / took,
            kernel=kernel / took,
            gateway=gateway / took,
        )


def _paint(notebook: Notebook, index: int) -> float:
    """Run the table's cell; milliseconds until the first row can be seen."""
    began = time.monotonic()
    notebook.run_cell(index, wait=False)
    try:
        notebook.output(index).locator(ROW, has_text=SHOWN).first.wait_for(timeout=FIRST_SECONDS * 1000)
    except Error as error:
        raise RuntimeError(f"no row was shown, but {notebook.output(index).inner_text()!r}") from error
    return (time.monotonic() - began) * 1000


def _measure(scale: Scale, api: Child, gateway: Child, url: str, folder: Path) -> tuple[list[float], Load, Load]:
    """First paints (the cell's first run, its second), the load without changes, and the load with them."""
    path = chromium.path()
    if path is None:
        raise RuntimeError(chromium.NONE)
    lab = Lab(folder, env={"NOTEBOOK_MUX_RUNTIME_DIR": str(folder / "run"), "PYTHONPATH": str(ROOT)})
    try:
        with sync_playwright() as playwright:
            started = playwright.chromium.launch(executable_path=path, args=list(chromium.FLAGS))
            notebook = Notebook(lab, started.new_context(viewport=VIEWPORT).new_page())
            notebook.open([cell.format(url=url) for cell in CELLS])
            notebook.run_cell(0)
            said = notebook.wait_for_output(0, PROCESS).inner_text()
            notebook.run_cell(1)
            notebook.wait_for_output(1, str(scale.pods), seconds=FIRST_SECONDS)
            paints = [_paint(notebook, 2), _paint(notebook, 2)]
            found = PROCESS.search(said)
            assert found is not None
            scene = Scene(notebook, gateway, int(found[1]))
            notebook.page.wait_for_timeout(SETTLE_SECONDS * 1000)
            idle = scene.watch(min(scale.browser_seconds, SETTLE_SECONDS))
            api.tell(pace=scale.paced_rate, during=scale.browser_seconds + 2 * SETTLE_SECONDS)
            notebook.page.wait_for_timeout(SETTLE_SECONDS * 1000)
            load = scene.watch(scale.browser_seconds)
            api.hear()
            if notebook.errors:
                raise RuntimeError(f"errors in the page's console: {notebook.errors}")
            started.close()
    finally:
        lab.end()
    return paints, idle, load


def run(scale: Scale) -> list[Row]:
    """The group's figures."""
    with (
        tempfile.TemporaryDirectory() as folder,
        scripted_api(scale.pods) as (api, said),
        real_gateway(said["kubeconfig"]) as (gateway, url),
    ):
        paints, idle, load = _measure(scale, api, gateway, url, Path(folder))
    what = f"{scale.pods:,} pods, {scale.paced_rate:,.0f} changes/s"
    return [
        Row(GROUP, f"first paint of {scale.pods:,} rows", paints[0], "ms", "run again", paints[1],
            note="from running the cell of nm.table to a row that can be seen; the stream has synced before"),
        Row(GROUP, f"{what}: messages to the page", load.messages, "1/s", bound=MESSAGES_BOUND,
            note=f"with the kernel's busy and idle {load.all:.1f}/s; without changes {idle.all:.1f}/s"),
        Row(GROUP, f"{what}: bytes to the page", load.bytes / KIB, "KiB/s",
            note=f"without changes {idle.bytes / KIB:.1f} KiB/s"),
        Row(GROUP, f"{what}: page's main thread busy", load.busy * 100, "%",
            note=f"without changes {idle.busy * 100:.1f} %"),
        Row(GROUP, f"{what}: kernel's CPU", load.kernel * 100, "%",
            note=f"without changes {idle.kernel * 100:.1f} %; gateway's {load.gateway * 100:.1f} %"),
    ]  # fmt: skip
