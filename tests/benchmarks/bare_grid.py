"""The peer of our table: AG Grid in an anywidget, fed the same stream's cells in one message every twentieth second.

It has no column but the server's texts, no ages that go on, no tones, no acknowledgements, and nothing that stops when
nobody looks. `build` makes its bundle; `BareGrid` is for the notebook's kernel.
"""

from __future__ import annotations

import os
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

import anywidget
import msgspec

FRONTEND = Path(__file__).resolve().parents[2] / "notebook_mux" / "widgets" / "frontend"
ESBUILD = FRONTEND / "node_modules" / ".bin" / "esbuild"
SOURCE = Path(__file__).with_name("bare_grid.js")
INTERVAL = 0.05
"""Seconds between two messages, as our table's."""

_encode = msgspec.json.Encoder().encode


def why_not() -> str | None:
    """Why it cannot be built here, or None."""
    return None if ESBUILD.exists() else f"the bare grid needs the front ends' esbuild: run `npm ci` in {FRONTEND}"


def build(folder: Path) -> Path:
    """Its bundle, made by the front ends' own esbuild."""
    if (missing := why_not()) is not None:
        raise RuntimeError(missing)
    made = folder / "bare_grid.js"
    words = [str(ESBUILD), str(SOURCE), "--bundle", "--format=esm", "--minify", f"--outfile={made}",
             "--log-level=warning", '--define:process.env.NODE_ENV="production"']  # fmt: skip
    subprocess.run(words, check=True, env={**os.environ, "NODE_PATH": str(FRONTEND / "node_modules")})
    return made


class BareGrid(anywidget.AnyWidget):
    """The grid in a notebook.

    Args:
        stream: Whose rows it shows.
        bundle: Of `build`.

    Attributes:
        heard: The Unix times at which a selection came from the page.
        sent: Messages to it.
    """

    def __init__(self, stream: Any, bundle: str) -> None:
        self._esm = Path(bundle).read_text()
        super().__init__()
        self.heard: list[float] = []
        self.sent = 0
        self._stream = stream
        self._shown = threading.Event()
        self._wanted = threading.Event()
        self.on_msg(self._received)

    def _received(self, _widget: Any, content: dict[str, Any], _buffers: Any) -> None:
        if content["t"] == "select":
            self.heard.append(time.time())
        elif content["t"] == "here":
            self._shown.set()
            threading.Thread(target=self._run, daemon=True).start()
        else:
            self._shown.clear()
            self._wanted.set()

    def _run(self) -> None:
        feed = self._stream._feed(self._wanted.set, initial=True)
        while self._shown.is_set():
            self._wanted.wait()
            self._wanted.clear()
            rows = {new.uid: b"[%b,%b,%b" % (_encode(new.uid), _encode(new.namespace), new.cells[1:])
                    for _, _, new, _ in feed.drain() if new is not None}  # fmt: skip
            if rows:
                self.send({"t": "put"}, [b"[%b]" % b",".join(rows.values())])
                self.sent += 1
            time.sleep(INTERVAL)
        feed.close()

    def close(self) -> None:
        """End it."""
        self._shown.clear()
        self._wanted.set()
        super().close()
