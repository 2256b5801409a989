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
    demo = nm.demo(seed=3, clusters=2)
    assert_type(demo, nm.Demo)
    assert_type(demo.step(), datetime)
    assert_type(demo.step(seconds=60), datetime)
    assert_type(demo.time, datetime)
    assert_type(demo.chosen("demo-1"), dict[str, Any])
    demo.speed(10)
    nm.connect(write="prod", kubeconfig=["a", "b"])
    nm.close()


def reading() -> None:
    pods = nm.get("pods", namespace=["a", "b"], selector={"app": ["web", "api"], "tier": None})
    assert_type(pods, nm.Snapshot)
    assert_type(nm.get("pods", "web-0"), nm.Object)
    assert_type(pods.rows, nm.Rows)
    assert_type(pods.rows.filter("web", faults=True), nm.Rows)
    assert_type(pods.objects, list[nm.Object])
    assert_type(pods.df(), pd.DataFrame)
    assert_type(pods["web-0"], nm.Object)
    assert_type(pods["default", "web-0"].yaml(), str)
    assert_type(pods.get("web-0"), nm.Object | None)
    assert_type(pods.get("web-0", 7), nm.Object | int)
    assert_type(len(pods), int)
    assert_type(iter(pods), Iterator[nm.Object])


def checking() -> None:
    check = nm.expect("deploy/web", ready=3, image="nginx:1.27", hints=["scale it"], timeout=None)
    assert_type(check, nm.Check)
    assert_type(check.seen, dict[str, Any])
    assert_type((check.ok, check.took, check.text), tuple[bool, float, str])
    assert_type(nm.expect("sa/reader", can=["list pods"], cannot="delete pods"), nm.Check)
    assert_type(nm.expect(value=3, equals=lambda: 3, name="how many"), nm.Check)
    assert_type(nm.connect().expect("pods", selector={"app": "web"}, count=3), nm.Check)
    try:
        nm.expect("pods", that=lambda pods: len(pods) > 2)
    except nm.ExpectationFailed as error:
        assert_type(error.hints_left, int)
        assert_type(error.details, list[str])


def changing() -> None:
    outcome = nm.apply("web.yaml", dry_run=True, namespace="shop")
    assert_type(outcome, nm.Outcome)
    assert_type(outcome.rows, list[dict[str, Any]])
    assert_type(outcome.objects, list[nm.Object])
    assert_type((outcome.diff, outcome.text, outcome.dry_run), tuple[str, str, bool])
    assert_type(outcome.df(), pd.DataFrame)
    assert_type(nm.apply([Path("a"), {"kind": "Pod"}, nm.get("pods", "web-0")], force=True), nm.Outcome)
    assert_type(nm.scale("deploy/web", 3, cluster=["dev"]), nm.Outcome)
    assert_type(nm.restart(nm.get("deploy", "web")), nm.Outcome)
    assert_type(nm.delete(nm.get("pods"), cascade="orphan", grace=0), nm.Outcome)
    assert_type(nm.connect().delete("pod/web-0"), nm.Outcome)
    try:
        nm.apply({"kind": "Pod"})
    except nm.Conflict as error:
        assert_type(error.owners, dict[str, list[str]])


def pulling_the_plug() -> None:
    plug = nm.plug("plug", namespace="default")
    assert_type(plug, nm.Plug)
    assert_type(plug.kill_gateway(), int)
    assert_type(plug.cuts, tuple[nm.Cut, ...])
    assert_type((plug.lost, plug.repeated, plug.longest_gap), tuple[int, int, float])
    plug.cut()


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
    assert_type(events.rows, nm.Rows)
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
    own = nm.table("pods", columns=["Name", ("Image", ".spec.containers[0].image"), ("Parts", len)], labels=["app"])
    assert_type(own.columns, list[str])
    nm.table("pods", columns={"Name": None, "Node": ".spec.nodeName", "Owner": lambda pod: pod.name}, faults=True)
    nm.connect().table("nodes", usage=True, group="label:zone", sort="Status,-Age")
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
    assert_type(await aio.kubeconfig(), str)
    assert_type(await aio.kinds(match="apps"), nm.Listing)
    assert_type(await aio.connect("dev"), nm.Manager)
    assert_type(await aio.get("pods"), nm.Snapshot)
    assert_type(await aio.get("pods", "web-0"), nm.Object)
    assert_type(await aio.shell("web-0"), nm.Terminal)
    assert_type(await aio.apply("web.yaml"), nm.Outcome)
    assert_type(await aio.scale("deploy/web", 3), nm.Outcome)
    assert_type(await aio.restart("deploy/web"), nm.Outcome)
    assert_type(await aio.delete("deploy/web", dry_run=True), nm.Outcome)
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
    nm.scale("deploy/web")  # type: ignore[call-arg]
