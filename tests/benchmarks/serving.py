"""From the API server's TLS watch to WebSockets: CPU of the gateway's process beside a floor's, and of more readers."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from notebook_mux.gateway.flusher import FLUSH_SECONDS
from notebook_mux.wire.frames import MAX_FRAME
from tests.benchmarks.pods import Population
from tests.benchmarks.processes import Child, cpu_seconds, wait_for_watchers
from tests.benchmarks.scale import Scale
from tests.benchmarks.table import Row

GROUP = "gateway"
UNIT = "CPU s/100k"
BOUND = 1.5
SUBSCRIBER_BOUND = 0.2
HUNDRED_THOUSAND = 100_000
POPULATION = 100
"""Pods whose mean size is that of all."""

Which = Literal["v1", "floor"]


@contextlib.contextmanager
def scripted_api(pods: int) -> Iterator[tuple[Child, dict[str, Any]]]:
    """A scripted API server over TLS, and what it said: ``port``, ``kubeconfig``."""
    with (
        tempfile.TemporaryDirectory() as folder,
        Child("tests.benchmarks.scripted_api", {"pods": pods, "folder": folder}) as api,
    ):
        yield api, api.hear()


@contextlib.contextmanager
def real_gateway(kubeconfig: str, *more: str) -> Iterator[tuple[Child, str]]:
    """The gateway as ``python -m notebook_mux.gateway`` starts it by hand, in a runtime folder of its own; its URL."""
    with tempfile.TemporaryDirectory() as folder:
        env = {"NOTEBOOK_MUX_RUNTIME_DIR": folder}
        words = ("--kubeconfig", kubeconfig, "--port", "0", *more)
        with Child("notebook_mux.gateway", words=words, env=env, listens=False) as gateway:
            yield gateway, gateway.line()


@contextlib.contextmanager
def _serving(which: Which, said: dict[str, Any]) -> Iterator[tuple[Child, str]]:
    """The gateway, or the floor in its place."""
    if which == "v1":
        with real_gateway(said["kubeconfig"]) as (gateway, url):
            yield gateway, url
    else:
        ca = str(Path(said["kubeconfig"]).with_name("ca.crt"))
        with Child("tests.benchmarks.gateway_floor", {"port": said["port"], "ca": ca}) as floor:
            yield floor, floor.hear()["url"]


def measured(
    which: Which, api: Child, said: dict[str, Any], scale: Scale, *, paced: bool, count: int = 1
) -> dict[str, Any]:
    """CPU of one serving process while changes flow to `count` subscribers."""
    with _serving(which, said) as (serving, url):
        given = {"url": url, "count": count, "dialect": which, "pods": scale.store_pods}
        with Child("tests.benchmarks.subscribers", given) as subscribers:
            subscribers.hear()
            wait_for_watchers(api, 1)
            version = 0 if paced else api.ask(prepare=scale.gateway_changes, form="table")["version"]
            began = cpu_seconds(serving.pid)
            if paced:
                sent = api.ask(pace=scale.paced_rate, during=scale.paced_seconds)
                changes, version = sent["paced"], sent["version"]
            else:
                api.ask(go=True)
                changes = scale.gateway_changes
            got = subscribers.ask(until=version)
            cpu = cpu_seconds(serving.pid) - began
    received = sum(got["records"])
    return {"cpu": cpu, "changes": changes, "records": received, "skipped": count * changes - received}


def bare(scale: Scale, *, paced: bool) -> dict[str, Any]:
    """CPU of sending the bytes of as many changes to one of several readers with nothing but ``sendall``."""
    population = Population(POPULATION)
    size = sum(len(population.object(pod)) + len(population.cells(pod)) for pod in population.pods) // POPULATION
    changes, together = scale.gateway_changes, MAX_FRAME // size
    if paced:
        changes = round(scale.paced_rate * scale.paced_seconds)
        together = min(together, max(1, round(scale.paced_rate * FLUSH_SECONDS)))
    pieces, readers = max(1, changes // together), {"readers": scale.subscribers}
    with Child("tests.benchmarks.bare_sender", {"side": "send", **readers}) as sender:
        port = sender.hear()["port"]
        with Child("tests.benchmarks.bare_sender", {"side": "read", "port": port, **readers}) as reader:
            reader.hear()
            cpu = sender.ask(pieces=pieces, size=together * size, wait=FLUSH_SECONDS if paced else 0.0)["cpu"]
    return {"cpu": cpu, "changes": pieces * together}


def _per_100k(result: dict[str, Any]) -> float:
    return float(result["cpu"]) * HUNDRED_THOUSAND / int(result["changes"])


def _cheapest(repeats: int, *sides: Any) -> list[dict[str, Any]]:
    """Run sides in turn; of each its cheapest run, which was disturbed least."""
    taken = [[side() for side in sides] for _ in range(repeats)]
    return [min((turn[index] for turn in taken), key=_per_100k) for index in range(len(sides))]


def _further(one: dict[str, Any], many: dict[str, Any], count: int) -> float:
    """CPU seconds of 100,000 records to one further subscriber."""
    records = (many["records"] - one["records"]) / count
    return (many["cpu"] - one["cpu"]) / count * HUNDRED_THOUSAND / records


def run(scale: Scale) -> list[Row]:
    """The group's figures."""
    rows: list[Row] = []
    many = scale.subscribers + 1
    with scripted_api(scale.store_pods) as (api, said):
        for paced in (False, True):

            def side(which: Which, count: int = 1, paced: bool = paced) -> dict[str, Any]:
                return measured(which, api, said, scale, paced=paced, count=count)

            sent, floor, ours, crowd, floor_crowd = _cheapest(
                scale.paced_repeats if paced else scale.repeats,
                lambda paced=paced: bare(scale, paced=paced),
                lambda: side("floor"),
                lambda: side("v1"),
                lambda: side("v1", many),
                lambda: side("floor", many),
            )
            how = f"paced at {scale.paced_rate:,.0f}/s" if paced else "flat out"
            rows += [
                Row(GROUP, f"{how}, one subscriber", _per_100k(ours), UNIT, "floor, aiohttp TLS", _per_100k(floor),
                    BOUND, f"{ours['changes']:,} changes, states left out for the reader: {ours['skipped']:,}"),
                Row(GROUP, f"{how}, each further subscriber", _further(ours, crowd, scale.subscribers), UNIT,
                    bound=SUBSCRIBER_BOUND, note=(
                        f"{many} beside 1; bare sendall of these bytes: {_per_100k(sent):.3g}; "
                        f"the floor's: {_further(floor, floor_crowd, scale.subscribers):.3g}; "
                        f"left out: {crowd['skipped']:,} of {many * crowd['changes']:,}")),
            ]  # fmt: skip
    return rows
