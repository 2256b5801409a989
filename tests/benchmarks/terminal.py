"""Terminals in JupyterLab: output, echo and floods of ours, beside JupyterLab's own in the same browser.

All is real: the browser's keys and the page's clock (see `tests.browser.screens`), and as the peer JupyterLab's own
terminal (terminado). Output comes from a file of this machine that ``cat`` writes to a pty; between it and our gateway
stands a scripted API server, and then a real one with a kubelet.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.benchmarks.processes import Child
from tests.benchmarks.scale import Scale
from tests.benchmarks.serving import real_gateway
from tests.benchmarks.table import Row
from tests.benchmarks.terminal_sides import COMM, FAST, measure_bed, measure_jupyters, measure_ours
from tests.benchmarks.terminal_way import LOADS, MEGA, Way, write_source
from tests.testbed import build

GROUP = "terminal"
CAT_BOUNDS = {FAST: 1 / 10, COMM: 1 / 4}
BED_BOUND = 1 / 6
ECHO_BOUND = 2.0
QUANTILES = {"p50": 0.5, "p99": 0.99}
FLOOD_ECHO_BOUND = 50.0
"""Milliseconds."""
CTRL_C_BOUND = 1.0
"""Seconds."""
MEMORY_BOUND = 1.1
"""Flat is what does not grow by more than a tenth."""
MIB = 1 << 20


def quantile(values: Sequence[float], part: float) -> float:
    """The value that this part of all do not exceed (nearest rank); without any, infinity."""
    if not values:
        return math.inf
    return sorted(values)[max(0, math.ceil(part * len(values)) - 1)]


def run(scale: Scale) -> list[Row]:
    """The group's figures."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = folder / "source"
        size = write_source(source, scale.cat_megabytes)
        jupyters, plain = measure_jupyters(folder / "jupyters", source, scale)
        with (
            Child("tests.benchmarks.scripted_exec", {"pods": 1, "folder": str(folder)}) as api,
            real_gateway(api.hear()["kubeconfig"], "--write") as (gateway, url),
        ):
            ways = [
                measure_ours(folder / name.replace(" ", "-"), Way(name), url, gateway.pid, source, scale)
                for name in ((FAST, COMM) if scale.all_ways else (FAST,))
            ]
        bed = measure_bed(folder / "bed", source, scale) if scale.all_ways and build.why_not() is None else None
    megabytes = size / MEGA
    rows = [_cat(way, jupyters, megabytes, CAT_BOUNDS[way.name]) for way in ways]
    if bed is not None:
        rows.append(_cat(bed, jupyters, megabytes, BED_BOUND, " through the test bed"))
    if plain is not None:
        rows += [_cat(way, plain, megabytes, None) for way in ways]
    for load in LOADS:
        for way in ways:
            rows += _echo(way, jupyters, load)
    for way in ways:
        rows += _flood(way, jupyters)
        rows += _memory(way, scale)
    return rows


def _cat(way: Way, peer: Way, megabytes: float, bound: float | None, where: str = "") -> Row:
    rates = [f"{megabytes / one.cat * 1000:.2f} MB/s in {one.size}" for one in (way, peer)]
    return Row(GROUP, f"cat of {megabytes:.0f} MB{where}, {way.name}", way.cat / 1000, "s", peer.name, peer.cat / 1000,
               bound, f"{rates[0]}, beside {rates[1]}")  # fmt: skip


def _echo(way: Way, peer: Way, load: str) -> list[Row]:
    ours, theirs = way.echo[load], peer.echo[load]
    if not ours:
        return [Row(GROUP, f"echo, {load}, {way.name}: keys that came back", 0, f"of {way.pressed[load]}")]
    rows = []
    for part, value in QUANTILES.items():
        bound = ECHO_BOUND if (way.name, part) == (FAST, "p99") else None
        note = f"{len(ours)} keys of {way.pressed[load]}, beside {len(theirs)} of {peer.pressed[load]}"
        rows.append(Row(GROUP, f"echo {part}, {load}, {way.name}", quantile(ours, value), "ms", peer.name,
                        quantile(theirs, value), bound, note if part == "p99" else ""))  # fmt: skip
    return rows


def _flood(way: Way, peer: Way) -> list[Row]:
    p50, peer_p50, peer_p99 = (quantile(way.beside, 0.5), quantile(peer.beside, 0.5), quantile(peer.beside, 0.99))
    return [
        Row(GROUP, f"echo p99 beside a flood, {way.name}", quantile(way.beside, 0.99), "ms", bound=FLOOD_ECHO_BOUND,
            note=f"p50 {p50:.3g} ms; {peer.name}: {peer_p50:.3g} and {peer_p99:.3g} ms"),
        Row(GROUP, f"Ctrl-C in a flood, {way.name}", way.ended / 1000, "s", bound=CTRL_C_BOUND,
            note=f"{peer.name}: {peer.ended / 1000:.3g} s"),
    ]  # fmt: skip


def _memory(way: Way, scale: Scale) -> list[Row]:
    return [
        Row(GROUP, f"{whose} after {scale.flood_megabytes:,.0f} MB, {way.name}", after / MIB, "MiB",
            "after a fifth of them", before / MIB, MEMORY_BOUND)
        for whose, (before, after) in way.memory.items()
    ]  # fmt: skip
