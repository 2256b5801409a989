"""What 10,000 pods weigh in the gateway and in the kernel; a thousand streams over fifty upstreams on one socket."""

from __future__ import annotations

from tests.benchmarks.pods import NAMESPACES, Population, namespace
from tests.benchmarks.processes import Child, cpu_seconds, settle_memory, wait_for_watchers
from tests.benchmarks.scale import Scale
from tests.benchmarks.serving import real_gateway, scripted_api
from tests.benchmarks.table import Row

GROUP = "memory"
MANY = "many streams"
MIB = 1024 * 1024
PODS_A_STREAM = 20
"""In the figure of many streams: their cost is the streams', not their objects'."""


def raw_bytes(pods: int) -> int:
    """Bytes of the objects' JSON and their cells."""
    population = Population(pods)
    return sum(len(population.object(pod)) + len(population.cells(pod)) for pod in population.pods)


def _grown(before: dict[str, int], after: dict[str, int], key: str) -> float:
    return (after[key] - before[key]) / MIB


def one_stream(scale: Scale) -> list[Row]:
    """All pods in one stream."""
    raw = raw_bytes(scale.pods) / MIB
    with (
        scripted_api(scale.pods) as (_, said),
        real_gateway(said["kubeconfig"]) as (gateway, url),
        Child("tests.benchmarks.kernel_side", {"url": url}) as kernel,
    ):
        kernel.hear()
        idle = {child: settle_memory(child.pid) for child in (gateway, kernel)}
        opened = kernel.ask(open=1, namespaces=["*"])
        if opened["objects"] != scale.pods:
            raise RuntimeError(f"{opened['objects']} of {scale.pods} pods arrived")
        full = {child: settle_memory(child.pid) for child in (gateway, kernel)}
    rows = []
    for child, name in ((gateway, "gateway"), (kernel, "kernel")):
        note = f"PSS {_grown(idle[child], full[child], 'pss'):.1f} MiB; idle RSS {idle[child]['rss'] / MIB:.0f} MiB"
        grown = _grown(idle[child], full[child], "rss")
        figure = f"{name}: {scale.pods:,} pods, above idle"
        rows.append(Row(GROUP, figure, grown, "MiB RSS", "the raw bytes", raw, note=note))
    note = f"CPU {opened['cpu']:.2f} s in the kernel; from the cell to the last pod"
    rows.append(Row(GROUP, f"first list of {scale.pods:,} pods in the kernel's store", opened["wall"], "s", note=note))
    return rows


def many_streams(scale: Scale) -> list[Row]:
    """Streams by the thousand on one socket; each of them has a store of its own in the kernel."""
    upstreams = min(scale.upstreams, NAMESPACES)
    each = scale.streams // upstreams
    names = [namespace(number) for number in range(upstreams)]
    pods = PODS_A_STREAM * NAMESPACES
    with (
        scripted_api(pods) as (api, said),
        real_gateway(said["kubeconfig"]) as (gateway, url),
        Child("tests.benchmarks.kernel_side", {"url": url}) as kernel,
    ):
        kernel.hear()
        idle = {child: settle_memory(child.pid) for child in (gateway, kernel)}
        cpu = cpu_seconds(gateway.pid)
        opened = kernel.ask(open=each, namespaces=names)
        cpu = cpu_seconds(gateway.pid) - cpu
        wait_for_watchers(api, upstreams)
        full = {child: settle_memory(child.pid) for child in (gateway, kernel)}
        counts = kernel.ask(counts=True)
        watchers = api.ask(counts=True)["watchers"]
    streams = each * upstreams
    if opened["synced"] != streams:
        raise RuntimeError(f"{opened['synced']} of {streams} streams synced")
    what = f"{streams:,} streams over {upstreams} upstreams"
    raw = raw_bytes(pods) / MIB * upstreams / NAMESPACES
    holds = f"{opened['objects']:,} objects in their stores, {raw * each:.0f} MiB of raw bytes"
    return [
        Row(MANY, f"{what}: sockets of the kernel", counts["sockets"], "", bound=1.0,
            note=f"{counts['subscriptions']:,} subscriptions, {counts['frames_in']:,} frames in"),
        Row(MANY, "... watches at the API server", watchers, "", bound=float(upstreams)),
        Row(MANY, "... until all have synced", opened["wall"], "s",
            note=f"CPU {opened['cpu']:.2f} s in the kernel, {cpu:.2f} s in the gateway; {holds}"),
        Row(MANY, "... gateway above idle", _grown(idle[gateway], full[gateway], "rss"), "MiB RSS",
            "raw bytes upstream", raw, note=f"PSS {_grown(idle[gateway], full[gateway], 'pss'):.1f} MiB"),
        Row(MANY, "... kernel above idle", _grown(idle[kernel], full[kernel], "rss"), "MiB RSS",
            "raw bytes in the stores", raw * each, note=f"PSS {_grown(idle[kernel], full[kernel], 'pss'):.1f} MiB"),
    ]  # fmt: skip


def run(scale: Scale) -> list[Row]:
    """The group's figures."""
    return [*one_stream(scale), *many_streams(scale)]
