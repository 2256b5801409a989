"""A grid in a JupyterLab page that nobody watches: what it costs, and how fast it answers."""

from __future__ import annotations

import ast
import base64
import contextlib
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.benchmarks.browser import BINARY, MainThread, is_comm
from tests.benchmarks.terminal_way import page_memory
from tests.benchmarks.unwatched import UnwatchedPage

SCRIPT = Path(__file__).with_suffix(".js").read_text()
BACK = "Backspace"

GAPS_SECONDS = (0.13, 0.171, 0.152, 0.189)
"""Between two keys or clicks, in turn, so that they do not meet the same moment of a frame each time."""

LEFT = {"button": "left", "clickCount": 1}
CLICKED_ROWS = 8
HEARD_SECONDS = 60.0
"""For what was clicked to come to Python."""
WHEEL_PIXELS, WHEEL_SECONDS = 480, 0.03
FAR = 400
"""Turns of the wheel after which it is turned back."""


@dataclass
class Traffic:
    """What a page received for a while, and what that cost."""

    messages: int
    """Of widgets."""
    frames: int
    """And the kernel's own about itself."""
    bytes: int
    busy: float
    """Of the main thread, 0 to 1."""


@dataclass
class Taken:
    """What one grid has shown, in ms where nothing else is said.

    Attributes:
        paints: To the first row, and to all; of each run of its cell.
        busy: Of the main thread, 0 to 1.
        updates: Messages a second that it was sent meanwhile.
        gaps: Between frames while changes flow.
        keys: From a key in the filter to the rows that pass.
        clicks: From a click to Python.
        scrolled: Gaps between frames while it scrolls.
    """

    paints: list[tuple[float, float]] = field(default_factory=list)
    busy: list[float] = field(default_factory=list)
    updates: list[float] = field(default_factory=list)
    gaps: list[float] = field(default_factory=list)
    keys: list[float] = field(default_factory=list)
    clicks: list[float] = field(default_factory=list)
    scrolled: list[float] = field(default_factory=list)


class GridPage:
    """The notebook's page.

    Args:
        page: Of it; what was in Playwright's hands has let go.
    """

    def __init__(self, page: UnwatchedPage) -> None:
        self._page = page
        self._thread = MainThread(page)
        page.evaluate(SCRIPT)

    def kernel(self, expression: str) -> Any:
        """What an expression is in the kernel, as JSON takes it."""
        return json.loads(ast.literal_eval(self._page.evaluate("it => nmGrids.ask(it)", expression)))

    def paint(self, index: int, rows: int) -> tuple[float, float]:
        """Run a cell: milliseconds to its first row that is drawn, and to all."""
        first, every = self._page.evaluate("([index, rows]) => nmGrids.paint(index, rows)", [index, rows])
        return first, every

    def clear(self, index: int) -> None:
        """Take a cell's output away."""
        self._page.evaluate("index => nmGrids.clear(index)", index)

    def busy(self, seconds: float) -> float:
        """How much of a while the page's main thread is busy, 0 to 1."""
        busy, began = self._thread.busy(), time.monotonic()
        time.sleep(seconds)
        return (self._thread.busy() - busy) / (time.monotonic() - began)

    def gaps(self, seconds: float) -> list[float]:
        """Milliseconds between frames for a while."""
        self._page.evaluate("nmGrids.record()")
        time.sleep(seconds)
        return list(self._page.evaluate("nmGrids.stop()"))

    def keys(self, count: int, text: str) -> list[float]:
        """Milliseconds from keys in the filter to what they leave, drawn: a text in it and out again, over and over.

        Raises:
            RuntimeError: A key changed nothing.
        """
        self._page.evaluate("nmGrids.focusFilter()")
        times, keys = [], [*text, *[BACK] * len(text)]
        for number in range(count - count % len(keys) or len(keys)):
            time.sleep(GAPS_SECONDS[number % len(GAPS_SECONDS)])
            self._page.evaluate("nmGrids.armKey()")
            self._page.press(keys[number % len(keys)])
            took = self._page.evaluate("nmGrids.armed()")
            if took is None:
                raise RuntimeError(f"the filter {self._page.evaluate('nmGrids.typed()')!r} changed nothing")
            times.append(float(took))
        return times

    def clicks(self, count: int, heard: str) -> list[float]:
        """Milliseconds from clicks on rows to Python.

        Args:
            count: Of clicks, each on another row than the last.
            heard: Is the Unix times in the kernel at which a selection came.

        Raises:
            RuntimeError: Not each click was heard.
        """
        self._page.evaluate("nmGrids.recordClicks()")
        before = len(self.kernel(heard))
        for number in range(count):
            x, y = self._page.evaluate("nmGrids.place", 1 + number % CLICKED_ROWS)
            for what in ("mousePressed", "mouseReleased"):
                self._page.send("Input.dispatchMouseEvent", {"type": what, "x": x, "y": y, **LEFT})
            time.sleep(GAPS_SECONDS[number % len(GAPS_SECONDS)])
        clicks, times = self._page.evaluate("nmGrids.clicks()"), self.kernel(heard)[before:]
        deadline = time.monotonic() + HEARD_SECONDS
        while len(times) < len(clicks) and time.monotonic() < deadline:  # the last may be on its way
            time.sleep(GAPS_SECONDS[0])
            times = self.kernel(heard)[before:]
        if len(clicks) != len(times):
            raise RuntimeError(f"{len(clicks)} clicks, and {len(times)} selections came to Python")
        return [seen * 1000 - clicked for clicked, seen in zip(clicks, times, strict=True)]

    def scroll(self, seconds: float) -> list[float]:
        """Milliseconds between frames while the wheel is turned over the rows.

        Raises:
            RuntimeError: It did not scroll.
        """
        x, y = self._page.evaluate("nmGrids.place", 1)
        deadline, number = time.monotonic() + seconds, 0
        self._page.evaluate("nmGrids.record()")
        while time.monotonic() < deadline:
            pixels = WHEEL_PIXELS if number % (2 * FAR) < FAR else -WHEEL_PIXELS
            wheel = {"type": "mouseWheel", "x": x, "y": y, "deltaX": 0, "deltaY": pixels}
            self._page.send("Input.dispatchMouseEvent", wheel)
            number += 1
            time.sleep(WHEEL_SECONDS)
        gaps = list(self._page.evaluate("nmGrids.stop()"))
        self._page.wait_for_function("() => nmGrids.first() > 0")  # drawn a frame after the wheel
        return gaps

    def memory(self) -> int:
        """Bytes of the page's heap without its garbage."""
        return page_memory(self._page)

    # --- hidden -----------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def hidden(self) -> Iterator[None]:
        """Another tab in front, until the end: the browser's own way, and no emulation.

        Raises:
            RuntimeError: The page is seen all the same.
        """
        page = self._page
        page.send("Emulation.setFocusEmulationEnabled", {"enabled": False})
        front = page.send("Target.createTarget", {"url": "about:blank"})["targetId"]
        page.send("Target.activateTarget", {"targetId": front})
        page.wait_for_function("() => document.visibilityState === 'hidden'")
        yield
        page.send("Page.bringToFront")
        page.send("Target.closeTarget", {"targetId": front})

    def traffic(self, seconds: float) -> Traffic:
        """What the page receives: of each frame a copy is made, which costs a page nothing that receives nothing."""
        frames: list[bytes] = []

        def frame(event: dict[str, Any]) -> None:
            text = event["response"]["payloadData"]
            frames.append(base64.b64decode(text) if event["response"]["opcode"] == BINARY else text.encode())

        busy = self._thread.busy()
        began = time.monotonic()
        with self._page.heard("Network.webSocketFrameReceived", frame):
            self._page.send("Network.enable")
            time.sleep(seconds)
            self._page.send("Network.disable")
        busy = (self._thread.busy() - busy) / (time.monotonic() - began)
        return Traffic(sum(map(is_comm, frames)), len(frames), sum(map(len, frames)), busy)

    def arm_return(self, seconds: float) -> None:
        """Look at what is shown from the moment that the page is seen again."""
        self._page.evaluate("seconds => nmGrids.armReturn(seconds)", seconds)

    def returned(self) -> tuple[float, str]:
        """Milliseconds after which what is shown stayed as it is at the end, and that."""
        *moments, shown = self._page.evaluate("nmGrids.returned()")
        return moments[-1], shown
