"""Containers of a cluster whose time the test moves, and what programs in them write."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from notebook_mux.playground.cluster import Cluster
from notebook_mux.playground.paths import Target
from notebook_mux.playground.shell import worlds
from notebook_mux.playground.shell.container import Container
from notebook_mux.playground.shell.execution import Execution
from notebook_mux.playground.shell.streams import Pipe
from notebook_mux.playground.writes import Asking, Writer
from tests.unit.playground.worlds import world

Json = dict[str, Any]

WAIT_S = 30.0
START_S = 30.0
ASKING = Asking("test")


@dataclass(frozen=True)
class Ended:
    """A program that has ended."""

    code: int
    out: str
    err: str


def create(cluster: Cluster, obj: Json) -> None:
    kind = cluster.kinds.of_object(obj["apiVersion"], obj["kind"])
    assert kind is not None
    obj = {**obj, "metadata": {"namespace": "default", **obj["metadata"]}}
    Writer(cluster).create(Target(kind, obj["metadata"]["namespace"]), obj, ASKING)


def pod(name: str = "p", image: str = "busybox:1.37", more: Json | None = None, **container: Any) -> Json:
    """A pod of one container, ``main``."""
    spec: Json = {"containers": [{"name": "main", "image": image, "command": ["sleep", "infinity"], **container}]}
    return {"kind": "Pod", "apiVersion": "v1", "metadata": {"name": name}, "spec": {**spec, **(more or {})}}


def with_pods(*pods: Json) -> Cluster:
    """A cluster in which these run."""
    cluster = world()
    for one in pods or (pod(),):
        create(cluster, one)
    cluster.agenda.step(START_S)
    return cluster


def container(cluster: Cluster, name: str = "p", container: str = "main") -> Container:
    found = cluster.get("pods", "default", name)
    assert found is not None
    return worlds.of(cluster).container(found, container)


async def everything(pipe: Pipe) -> bytes:
    found = bytearray()
    while piece := await pipe.read():
        found += piece
    return bytes(found)


async def execute(where: Container, *words: str, stdin: bytes | None = None) -> Ended:
    """Run a program to its end."""
    execution = Execution(where, list(words), stdin=stdin is not None)
    async with asyncio.timeout(WAIT_S):
        reading = [asyncio.create_task(everything(pipe)) for pipe in (execution.stdout, execution.stderr)]
        if stdin is not None:
            await execution.feed(stdin)
            execution.end_input()
        code = await execution.wait()
        out, err = [(await one).decode("utf-8", "surrogateescape") for one in reading]
    return Ended(code, out, err)


async def run(where: Container, script: str, shell: str = "sh", stdin: bytes | None = None) -> Ended:
    """Run a script to its end."""
    return await execute(where, shell, "-c", script, stdin=stdin)
