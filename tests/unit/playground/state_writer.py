"""Processes that change a kept cluster without a pause and say each change once it is made, until they are killed.

``python -m tests.unit.playground.state_writer FOLDER``: for each seed on standard input it forks one. That prints its
process and the version it begins with, then one line a change: its number and the version after it; after its
end stands ``killed``. The changes follow from the seed, so that who reads knows the next one too.
"""

from __future__ import annotations

import os
import random
import sys
from pathlib import Path
from typing import Any

from notebook_mux.playground.cluster import Cluster
from notebook_mux.playground.state.folder import StateFolder
from tests.unit.playground.worlds import config_map

Json = dict[str, Any]
LIMIT = 6_000
"""Bytes of a log: a dozen changes, so that kills meet snapshots too."""

NAMES = 12
WANTED = {"scenario": "empty", "seed": 0, "clusters": 1}


def opened(path: Path, limit: int = LIMIT) -> tuple[StateFolder, Cluster]:
    """A state folder and its one cluster, which begins empty."""
    state = StateFolder(path, WANTED, WANTED, limit=limit)
    cluster = Cluster("demo", 0)
    try:
        state.fill({"demo": cluster}, lambda _: None, lambda _: None)
    except BaseException:
        state.close()
        raise
    return state, cluster


class Changes:
    """Changes from a seed, and what is there after each."""

    def __init__(self, seed: int, values: dict[str, str]):
        self._random = random.Random(seed)
        self.values = dict(values)

    def next(self) -> tuple[str, str | None]:
        """A name and its new value; None deletes it."""
        name = f"c{self._random.randrange(NAMES)}"
        value = (
            None if name in self.values and self._random.random() < 0.3 else f"{self._random.getrandbits(400):0100x}"
        )
        if value is None:
            del self.values[name]
        else:
            self.values[name] = value
        return name, value


def values(cluster: Cluster) -> dict[str, str]:
    """Name and value of all config maps."""
    return {one.name: one.decode()["data"]["value"] for one in cluster.store.items("configmaps")}


def change(cluster: Cluster, name: str, value: str | None) -> None:
    """Carry out a change."""
    if value is None:
        cluster.remove("configmaps", "default", name)
    elif cluster.get("configmaps", "default", name) is None:
        cluster.create(config_map(name, value=value))
    else:
        cluster.update("configmaps", "default", name, lambda obj: obj["data"].update(value=value))


def write(path: Path, seed: int) -> None:
    """Write until killed."""
    state, cluster = opened(path)
    changes = Changes(seed, values(cluster))
    os.write(1, b"%d %d\n" % (os.getpid(), cluster.store.revision))
    with state:
        for number in range(1_000_000):
            change(cluster, *changes.next())
            os.write(1, b"%d %d\n" % (number, cluster.store.revision))


def main() -> None:
    """Fork one for each seed."""
    for seed in sys.stdin:
        if (child := os.fork()) == 0:
            write(Path(sys.argv[1]), int(seed))
            os._exit(0)
        os.waitpid(child, 0)
        os.write(1, b"killed\n")


if __name__ == "__main__":
    main()
