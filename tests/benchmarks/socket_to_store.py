"""From the gateway's socket to the kernel's store: CPU of our kernel side beside two floors and the official client."""

from __future__ import annotations

from typing import Any

from tests.benchmarks.processes import Child, wait_for_watchers
from tests.benchmarks.scale import Scale
from tests.benchmarks.table import Row

GROUP = "socket to store"
UNIT = "CPU s/100k"
BOUND = 1.5


def per_100k(result: dict[str, Any], changes: int) -> float:
    """CPU seconds of 100,000 changes."""
    return float(result["cpu"]) * 100_000 / changes


Side = tuple[str, dict[str, Any]]
"""A module of this folder and what makes one side of it."""

RECORDS: Side = ("floors", {"side": "records"})
STORE: Side = ("kernel_side", {"reading": ""})
CELLS: Side = ("kernel_side", {"reading": "cells"})
LIVE: Side = ("kernel_side", {"reading": "live"})
JSON: Side = ("floors", {"side": "json"})


def _measured(dialect: str, sides: list[Side], scale: Scale) -> list[dict[str, Any]]:
    """Each side in a process of its own, in turn; of its repeats the cheapest, which was disturbed least."""
    sizes = {"pods": scale.store_pods, "changes": scale.changes}
    results: list[list[dict[str, Any]]] = [[] for _ in sides]
    with Child("tests.benchmarks.scripted_gateway", {**sizes, "dialect": dialect}) as sender:
        port = sender.hear()["port"]
        for _ in range(scale.repeats):
            for (module, given), taken in zip(sides, results, strict=True):
                floor = module == "floors"
                asked = {"port": port, **sizes, **given} if floor else {"url": f"http://127.0.0.1:{port}/?token=any"}
                with Child(f"tests.benchmarks.{module}", asked) as side:
                    side.hear()
                    if not floor:
                        side.ask(open=1, namespaces=["*"], **given)
                    side.ask(start=scale.changes)
                    sender.ask(go=True)
                    taken.append(side.hear())
    return [min(taken, key=lambda result: float(result["cpu"])) for taken in results]


def _official(scale: Scale) -> dict[str, Any]:
    given = {"pods": scale.store_pods, "folder": "", "plain": True}
    with Child("tests.benchmarks.scripted_api", given) as api:
        port = api.hear()["port"]
        api.ask(prepare=scale.official_changes, form="plain")
        sizes = {"pods": scale.store_pods, "changes": scale.official_changes}
        with Child("tests.benchmarks.floors", {"side": "official", "port": port, **sizes}) as side:
            side.hear()
            side.ask(start=True)
            wait_for_watchers(api, 1)
            api.tell(go=True)
            return side.hear()


def run(scale: Scale) -> list[Row]:
    """The group's figures."""
    changes = scale.changes
    by_records, store, cells, live = _measured("v1", [RECORDS, STORE, CELLS, LIVE], scale)
    (by_json,) = _measured("json", [JSON], scale)
    lean, floor = per_100k(by_records, changes), per_100k(by_json, changes)
    cost = {"": per_100k(store, changes), "cells": per_100k(cells, changes), "live": per_100k(live, changes)}
    official = per_100k(_official(scale), scale.official_changes)
    of_records = "floor, v1 records"
    of_json = "floor, JSON events"
    told = f"{changes:,} changes of {scale.store_pods:,} pods"
    return [
        Row(GROUP, "to the store", cost[""], UNIT, of_records, lean, BOUND,
            f"{told}; both read the same bytes, and the floor decodes each change's cells as well"),
        Row(GROUP, "to the store", cost[""], UNIT, of_json, floor, BOUND),
        Row(GROUP, "to the store and a feed that reads all cells", cost["cells"], UNIT, of_records, lean, BOUND,
            f"changes folded before the reader came to them: {cells['missed']:,}"),
        Row(GROUP, "to the store and a feed that reads all cells", cost["cells"], UNIT, of_json, floor, BOUND),
        Row(GROUP, "... and finds the ages that go on by themselves", cost["live"], UNIT, of_json, floor, None,
            f"no floor does that; folded: {live['missed']:,}"),
        Row(GROUP, "to the store", cost[""], UNIT, "kubernetes' Watch", official, None,
            f"the official client over plain HTTP, {scale.official_changes:,} changes"),
    ]  # fmt: skip
