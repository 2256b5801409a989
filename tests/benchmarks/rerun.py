"""A cell with 10,000 rows, run again: what it sends (nothing) and how long its rows take."""

from __future__ import annotations

from tests.benchmarks.processes import Child
from tests.benchmarks.scale import Scale
from tests.benchmarks.table import Row

GROUP = "re-run"
TIMES = 5


def run(scale: Scale) -> list[Row]:
    """The group's figures."""
    given = {"pods": scale.pods, "changes": 0, "dialect": "v1"}
    with Child("tests.benchmarks.scripted_gateway", given) as sender:
        url = f"http://127.0.0.1:{sender.hear()['port']}/?token=any"
        with Child("tests.benchmarks.rerun_side", {"url": url, "times": TIMES}) as side:
            took = side.hear()
            sockets = sender.ask(counts=True)
    if took["rows"] != scale.pods:
        raise RuntimeError(f"{took['rows']} rows of {scale.pods} pods")
    cell = f"nm.watch and .rows, {took['rows']:,} rows"
    return [
        Row(GROUP, f"{cell}: messages and connections of {TIMES} re-runs", took["frames_out"] + took["attempts"], "",
            bound=0.0, note=f"frames in: {took['frames_in']}; sockets the sender ever had: {sockets['upgrades']}"),
        Row(GROUP, f"{cell}: time to the rows", took["again"], "ms", "the first run", took["first"],
            note=f"the median of {TIMES}; all objects decoded: {took['objects']:.0f} ms"),
    ]  # fmt: skip
