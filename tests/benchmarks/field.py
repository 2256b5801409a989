"""The spine's events through the whole field: what each client in Python makes of them, and what it costs.

All read the same pods of one scripted API server over TLS, one after another, each in a process of its own, to a
store of the latest objects by uid. Ours is two processes, the gateway and the kernel's, and has the server's printed
cells as well; what it costs is the sum of both. Beside Headlamp's envelopes, whose server is not in the figures, stands
the kernel's process alone. Needs the packages of the extra ``bench``.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.benchmarks.processes import Child, cpu_seconds, peak_memory, wait_for_watchers
from tests.benchmarks.scale import Scale
from tests.benchmarks.serving import real_gateway, scripted_api
from tests.benchmarks.table import Row

GROUP = "the field"
MIB = 1024 * 1024

PACKAGES = ("kubernetes", "kubernetes_asyncio", "kr8s", "lightkube")
NAMES = {
    "watch": "kubernetes, Watch",
    "informer": "kubernetes, informer",
    "kubernetes_asyncio": "kubernetes_asyncio",
    "kr8s": "kr8s",
    "lightkube": "lightkube",
    "headlamp": "Headlamp's envelope",
}


def why_not() -> str | None:
    """What is missing and how to get it; None if all is there."""
    missing = [name for name in PACKAGES if importlib.util.find_spec(name) is None]
    if not missing:
        return None
    return f"not installed: {', '.join(missing)}; pip install -e '.[bench]' brings the clients that we compare with"


@dataclass(frozen=True)
class Result:
    """What one side made of the changes.

    Attributes:
        cpu: Seconds for 100,000 changes.
        rate: Changes a second.
        peak: Bytes of RAM at most.
        note: What a reader must know.
    """

    cpu: float
    rate: float
    peak: int
    note: str = ""


def _peer(side: str, scale: Scale) -> Result:
    with scripted_api(scale.store_pods) as (api, said):
        given = {"side": side, "kubeconfig": said["kubeconfig"], "pods": scale.store_pods}
        with Child("tests.benchmarks.field_sides", {**given, "changes": scale.field_changes}) as child:
            child.hear()
            wait_for_watchers(api, 1)
            api.ask(prepare=scale.field_changes + 1, form="plain")
            api.tell(go=True)
            return _result(child, child.hear())


def _headlamp(scale: Scale) -> Result:
    sizes = {"pods": scale.store_pods, "changes": scale.changes + 1}
    with Child("tests.benchmarks.scripted_gateway", {**sizes, "dialect": "headlamp"}) as sender:
        given = {"side": "headlamp", "port": sender.hear()["port"], "pods": scale.store_pods}
        with Child("tests.benchmarks.field_sides", {**given, "changes": scale.changes}) as child:
            child.hear()
            sender.ask(go=True)
            return _result(child, child.hear())


def _result(child: Child, said: dict[str, Any]) -> Result:
    count = int(said["changes"])
    return Result(said["cpu"] * 100_000 / count, count / said["wall"], peak_memory(child.pid))


def _whole(scale: Scale) -> tuple[Result, Result]:
    """Ours: gateway and kernel together, and the kernel alone."""
    count = scale.changes
    with (
        scripted_api(scale.store_pods) as (api, said),
        real_gateway(said["kubeconfig"]) as (gateway, url),
        Child("tests.benchmarks.kernel_side", {"url": url}) as kernel,
    ):
        kernel.hear()
        kernel.ask(open=1, namespaces=["*"], reading="")
        wait_for_watchers(api, 1)
        api.ask(prepare=count, form="table")
        cpu = cpu_seconds(gateway.pid)
        kernel.ask(start=count)
        api.tell(go=True)
        got = kernel.hear()
        cpu = cpu_seconds(gateway.pid) - cpu
        peaks = peak_memory(gateway.pid), peak_memory(kernel.pid)
    each, rate = 100_000 / count, count / got["wall"]
    note = (
        f"gateway {cpu * each:.2f} CPU s and {peaks[0] / MIB:.0f} MiB, "
        f"kernel {got['cpu'] * each:.2f} CPU s and {peaks[1] / MIB:.0f} MiB"
    )
    return Result((cpu + got["cpu"]) * each, rate, sum(peaks), note), Result(got["cpu"] * each, rate, peaks[1])


def _best(results: list[Result]) -> Result:
    """The run that was disturbed least."""
    return min(results, key=lambda result: result.cpu)


def _rate(result: Result) -> float:
    return result.rate


FIGURES: tuple[tuple[str, str, Callable[[Result], float]], ...] = (
    ("CPU of a change", "CPU s/100k", lambda result: result.cpu),
    ("changes a second", "1/s", _rate),
    ("peak memory", "MiB RSS", lambda result: result.peak / MIB),
)


def run(scale: Scale) -> list[Row]:
    """The group's figures."""
    if (missing := why_not()) is not None:
        raise ModuleNotFoundError(missing)
    taken: dict[str, list[Result]] = {}
    for _ in range(scale.field_repeats):
        whole, kernel = _whole(scale)
        taken.setdefault("ours", []).append(whole)
        taken.setdefault("kernel", []).append(kernel)
        for side in NAMES:
            result = _headlamp(scale) if side == "headlamp" else _peer(side, scale)
            taken.setdefault(side, []).append(result)
    best = {side: _best(results) for side, results in taken.items()}
    ours, kernel = best.pop("ours"), best.pop("kernel")
    rows: list[Row] = []
    for figure, unit, of in FIGURES:
        for side, result in best.items():
            alone = side == "headlamp" and of is not _rate
            rows.append(
                Row(GROUP, f"{figure}, the kernel's process" if alone else figure, of(kernel if alone else ours), unit,
                    NAMES[side], of(result), note="" if rows else ours.note)
            )  # fmt: skip
    return rows
