"""The public functions as a type checker sees them. Checked by mypy, never run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, assert_type

import pandas as pd

import notebook_mux as nm
from notebook_mux import aio


def connecting() -> None:
    assert_type(nm.connect(), nm.Manager)
    assert_type(nm.connect("dev", {"prod": "arn:aws:eks:prod"}, write=["prod"], timeout=5), nm.Manager)
    assert_type(nm.connect(url="http://127.0.0.1:8123/?token=t"), nm.Manager)
    assert_type(nm.demo(seed=3, clusters=2), nm.Manager)
    nm.connect(write="prod", kubeconfig=["a", "b"])
    nm.close()


def reading() -> None:
    pods = nm.get("pods", namespace=["a", "b"], selector={"app": ["web", "api"], "tier": None})
    assert_type(pods, nm.Snapshot)
    assert_type(nm.get("pods", "web-0"), nm.Object)
    assert_type(pods.rows, list[dict[str, Any]])
    assert_type(pods.objects, list[nm.Object])
    assert_type(pods.df(), pd.DataFrame)
    assert_type(pods["web-0"], nm.Object)
    assert_type(pods["default", "web-0"].yaml(), str)
    assert_type(pods.get("web-0"), nm.Object | None)
    assert_type(pods.get("web-0", 7), nm.Object | int)
    assert_type(len(pods), int)
    assert_type(iter(pods), Iterator[nm.Object])


def watching() -> None:
    stream = nm.watch("pods", cluster="dev", namespace="*", field_selector="status.phase=Running", timeout=None)
    assert_type(stream, nm.Stream)
    assert_type(stream.clusters["dev"].state, str)
    assert_type(stream.wait("condition=Ready", of=3, timeout=None), nm.Snapshot)
    stream.wait(lambda pod: pod.name == "web-0", of="all")

    def changed(change: nm.Change) -> None:
        assert_type(change.object, nm.Object)
        assert_type(change.old, nm.Object | None)

    assert_type(stream.on_change(changed, initial=False), Callable[[], None])
    stream.close()


def showing() -> None:
    manager = nm.connect()
    assert_type(nm.table("pods", wide=True, sort="-Age", namespace="*"), nm.Table)
    assert_type(nm.table(nm.watch("pods"), name="second", columns=["Name"]), nm.Table)
    assert_type(nm.status(), nm.Status)
    assert_type(manager.status(), nm.Status)
    assert_type(manager.stats.reconnects, int)
    assert_type(manager.streams, tuple[nm.Stream, ...])


async def awaiting() -> None:
    assert_type(await aio.connect("dev"), nm.Manager)
    assert_type(await aio.get("pods"), nm.Snapshot)
    assert_type(await aio.get("pods", "web-0"), nm.Object)
    stream = await aio.watch("pods")
    assert_type(stream, nm.Stream)
    async for change in stream.changes(initial=False):
        assert_type(change, nm.Change)
    assert_type(await aio.wait(stream, "delete"), nm.Snapshot)
    assert_type(await aio.run(number()), int)
    assert_type(nm.run(number()), int)


async def number() -> int:
    return 1


def refusing() -> None:
    nm.get(7)  # type: ignore[call-overload]
    nm.watch("pods", namespaces="a")  # type: ignore[call-arg]
    nm.connect(write=3)  # type: ignore[arg-type]
