"""A notebook's kernel without the notebook: IPython runs the cells, and what crosses the socket is counted.

Run as a child with ``{"url": ..., "times": 5}``; it says what the first run of the cell took and sent, and what its
re-runs did.
"""

from __future__ import annotations

import statistics
import time
from typing import Any

from IPython.core.interactiveshell import InteractiveShell

from notebook_mux.kernel import holder
from tests.benchmarks.processes import arguments, orders, say

CONNECT = "import notebook_mux as nm\nmanager = nm.connect(url={url!r})"
CELL = "pods = nm.watch('pods', namespace='*')\nrows = pods.rows"
QUIET_SECONDS = 0.5
"""After the first run: what it set off (grants of credit) must not count as the re-run's."""


def _run(shell: InteractiveShell, code: str) -> float:
    began = time.perf_counter()
    result = shell.run_cell(code, store_history=True)
    took = time.perf_counter() - began
    result.raise_error()
    return took * 1000


def _frames() -> dict[str, int]:
    (status,) = holder.core().status()["connections"]
    return {name: status[name] for name in ("frames_out", "frames_in", "attempts")}


def measure(url: str, times: int) -> dict[str, Any]:
    """Run the cell once, and then again and again; milliseconds."""
    shell = InteractiveShell.instance()
    _run(shell, CONNECT.format(url=url))
    first = _run(shell, CELL)
    time.sleep(QUIET_SECONDS)
    before = _frames()
    again = [_run(shell, CELL) for _ in range(times)]
    after = _frames()
    stored = shell.user_ns["pods"]
    began = time.perf_counter()
    list(stored.objects)
    objects = (time.perf_counter() - began) * 1000
    return {
        "first": first, "again": statistics.median(again), "rows": len(shell.user_ns["rows"]), "objects": objects,
        **{name: after[name] - before[name] for name in before},
    }  # fmt: skip


def main() -> None:
    """Measure, and stay until the input ends."""
    say(**measure(**arguments()))
    for _ in orders():
        say(**_frames())
    holder.core().shutdown()


if __name__ == "__main__":
    main()
