"""``python -m tests.benchmarks [groups...] [--tiny] [--gigabyte] [--minutes N] [--json FILE]``: print a table."""

from __future__ import annotations

import argparse
import importlib
import json
import sys
import time
from dataclasses import replace
from pathlib import Path

from tests.benchmarks import table
from tests.benchmarks.scale import FULL, TINY, Scale

GROUPS = (
    "imports",
    "socket_to_store",
    "field",
    "serving",
    "headlamp",
    "memory",
    "rerun",
    "browser",
    "table",
    "terminal",
    "forward",
    "logs",
    "log_pipe",
    "playground",
    "class",
)
"""Modules of this folder; each has ``run(scale) -> list[Row]``."""

MODULES = {"class": "classroom", "table": "live_table"}
"""Of groups that are not called as their modules."""


def run(names: list[str], scale: Scale) -> tuple[list[table.Row], list[table.Failed]]:
    """Run groups one after another; one that fails says why and the others go on."""
    rows: list[table.Row] = []
    failures: list[table.Failed] = []
    for name in names:
        began = time.monotonic()
        print(f"{name} ...", file=sys.stderr, flush=True)
        try:
            rows += importlib.import_module(f"tests.benchmarks.{MODULES.get(name, name)}").run(scale)
        except Exception as error:  # noqa: BLE001 - said in the table; the other groups go on
            failures.append(table.Failed(name, f"{type(error).__name__}: {error}"))
        print(f"{name}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    return rows, failures


def main() -> int:
    """The command. Exit code 1 if a group could not be measured; figures over their bounds are for a reader."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("groups", nargs="*", choices=[*GROUPS, []], help=f"of {', '.join(GROUPS)}; none: all")
    parser.add_argument("--tiny", action="store_true", help="sizes that only show that it runs")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the table as JSON too")
    parser.add_argument("--gigabyte", action="store_true", help="look at a terminal's memory after 1 GB of output")
    parser.add_argument("--minutes", type=float, metavar="N", help="look at a table's memory for so long; 10 is flat")
    given = parser.parse_args()
    scale = TINY if given.tiny else FULL
    if given.gigabyte:
        scale = replace(scale, flood_megabytes=1000.0)
    if given.minutes is not None:
        scale = replace(scale, table_minutes=given.minutes)
    rows, failures = run(given.groups or list(GROUPS), scale)
    print(table.text(rows, failures))
    if given.json:
        given.json.write_text(json.dumps(table.plain(rows, failures), indent=1) + "\n")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
