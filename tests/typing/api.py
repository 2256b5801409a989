"""The public functions as a type checker sees them. Checked by mypy, never run."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
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


def running() -> None:
    done = nm.exec("web-0", ["ls", "-l"], container="main", stdin=b"x", timeout=None)
    assert_type(done, nm.Completed[bytes])
    assert_type(nm.exec("deploy/web", "ls", text=True), nm.Completed[str])
    assert_type(nm.exec(nm.get("pods", "web-0"), "ls", text=True, check=True).stdout, str)
    assert_type(done.returncode, int)


def terminals() -> None:
    terminal = nm.shell("deploy/web", container="main", namespace="shop")
    assert_type(terminal, nm.Terminal)
    assert_type(nm.connect().shell({"app": "web"}, ["top", "-d", "1"], name="second"), nm.Terminal)
    assert_type(nm.shell("web-0", image="busybox", attach=False, cluster=["dev"]).returncode, int | None)
    assert_type(terminal.state, str)
    assert_type(terminal.session.others[0]["terminal"], Any)
    terminal.close()


def forwarding() -> None:
    forward = nm.port_forward("svc/web", 80, namespace="default")
    assert_type(forward, nm.Forward)
    assert_type(forward.url, str)
    assert_type(forward.port, int)
    assert_type(forward.bytes.received, int)
    with nm.port_forward(nm.get("pods", "web-0"), "http") as web:
        assert_type(web, nm.Forward)


def logging() -> None:
    logs = nm.logs("deploy/web", container=re.compile("main|side"), since="10m", tail=None, namespace="*")
    assert_type(logs, nm.Logs)
    assert_type(nm.connect().logs(None, selector={"app": "web"}, since=timedelta(hours=1), include="GET"), nm.Logs)
    assert_type(nm.logs(re.compile("web-.*"), since=90, max_pods=5, cluster=["a"]).lines, tuple[nm.Line, ...])
    assert_type(logs.df(fields=True), pd.DataFrame)
    assert_type(logs.wait("ready", timeout=None).time, datetime)
    assert_type([line.text for line in logs.follow()], list[str])
    assert_type(logs.save("x.txt", masked=False), Path)
    assert_type(logs.sources[0].state, str)
    logs.close()


def happening() -> None:
    events = nm.events("deploy/web", warnings=True, namespace="shop", cluster=["dev"])
    assert_type(events, nm.Events)
    assert_type(nm.connect().events(), nm.Events)
    assert_type(events.folded[-1], nm.Folded)
    assert_type(events.folded[-1].count, int)
    assert_type(events.df(folded=True), pd.DataFrame)
    assert_type(events.rows, list[dict[str, Any]])
    assert_type(events.notes, list[str])
    assert_type(nm.events(events.folded[-1]), nm.Events)


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


def listing() -> None:
    contexts = nm.contexts(["a", "b"])
    assert_type(contexts, nm.Listing)
    assert_type(contexts.rows, list[dict[str, Any]])
    assert_type(contexts.columns, list[str])
    assert_type(contexts.notes, list[str])
    assert_type(contexts.text, str)
    assert_type(contexts.df(), pd.DataFrame)
    assert_type(len(contexts), int)
    assert_type(iter(contexts), Iterator[dict[str, Any]])

    assert_type(nm.kinds(["dev", "prod"], match="pod"), nm.Listing)
    report = nm.doctor("dev", kubeconfig="/k")
    assert_type(report, nm.Report)
    assert_type(report.ok, bool)
    assert_type(report.rows, list[dict[str, Any]])


async def awaiting() -> None:
    assert_type(await aio.doctor(["a", "b"]), nm.Report)
    assert_type(await aio.contexts(), nm.Listing)
    assert_type(await aio.kinds(match="apps"), nm.Listing)
    assert_type(await aio.connect("dev"), nm.Manager)
    assert_type(await aio.get("pods"), nm.Snapshot)
    assert_type(await aio.get("pods", "web-0"), nm.Object)
    assert_type(await aio.shell("web-0"), nm.Terminal)
    assert_type(await aio.events(), nm.Events)
    stream = await aio.watch("pods")
    assert_type(stream, nm.Stream)
    async for change in stream.changes(initial=False):
        assert_type(change, nm.Change)
    assert_type(await aio.wait(stream, "delete"), nm.Snapshot)
    logs = await aio.logs("web-0", previous=True)
    assert_type(logs, nm.Logs)
    async for line in logs:
        assert_type(line, nm.Line)
    assert_type(await aio.wait(logs, "ready", timeout=5), nm.Line)
    assert_type(await aio.run(number()), int)
    assert_type(nm.run(number()), int)


async def number() -> int:
    return 1


def refusing() -> None:
    nm.get(7)  # type: ignore[call-overload]
    nm.watch("pods", namespaces="a")  # type: ignore[call-arg]
    nm.connect(write=3)  # type: ignore[arg-type]
