"""What `import notebook_mux` takes beside `import ipywidgets`: fresh processes in turn, the median of each."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys

from tests.benchmarks.processes import ROOT
from tests.benchmarks.scale import Scale
from tests.benchmarks.table import Row

GROUP = "import"
UNIT = "ms"
BOUND = 1.5
BOUND_TO = "import notebook_mux"

MEASURE = """
import json, sys, time
began, cpu = time.perf_counter(), time.process_time()
{code}
print(json.dumps([time.perf_counter() - began, time.process_time() - cpu, len(sys.modules)]))
"""

CODES = {
    "import ipywidgets": "import ipywidgets",
    "import notebook_mux": "import notebook_mux",
    "import notebook_mux, and every public name": (
        "import notebook_mux\nfor name in notebook_mux.__all__: getattr(notebook_mux, name)"
    ),
}


def _once(code: str) -> tuple[float, float, int]:
    done = subprocess.run(
        [sys.executable, "-c", MEASURE.format(code=code)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{code!r} failed:\n{done.stderr}")
    wall, cpu, modules = json.loads(done.stdout.splitlines()[-1])
    return wall * 1000, cpu * 1000, modules


def run(scale: Scale) -> list[Row]:
    """The group's figures."""
    for code in CODES.values():
        _once(code)  # the files into the page cache, the byte code onto the disk
    took: dict[str, list[tuple[float, float, int]]] = {name: [] for name in CODES}
    for _ in range(scale.imports):
        for name, code in CODES.items():
            took[name].append(_once(code))
    wall = {name: statistics.median(one[0] for one in all_) for name, all_ in took.items()}
    cpu = {name: statistics.median(one[1] for one in all_) for name, all_ in took.items()}
    peer, *names = CODES
    rows = []
    for name in names:
        note = f"CPU {cpu[name]:.0f} ms beside {cpu[peer]:.0f} ms; {took[name][0][2]} modules beside {took[peer][0][2]}"
        # The bound is the import's; the rest is paid by the first cell that uses a name.
        bound = BOUND if name == BOUND_TO else None
        rows.append(Row(GROUP, name, wall[name], UNIT, peer, wall[peer], bound, note))
    return rows
