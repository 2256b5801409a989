"""Events of a real API server: counted, folded, of a deployment and of all that belongs to it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import notebook_mux as nm
from notebook_mux.handles.folding import read
from notebook_mux.kernel import holder
from notebook_mux.kernel.core import Core
from notebook_mux.kernel.dialect import Opener
from tests import waiting
from tests.controlplane.test_exec import pod
from tests.controlplane.test_whole_way import create, user
from tests.headlamp import CERTIFICATE, SERVERS, HeadlampServer, kubeconfig_of, start_headlamp
from tests.testbed.control_plane import ControlPlane
from tests.unit.fake_core import stamp

__all__ = ["start_headlamp"]

eventually = partial(waiting.eventually, seconds=60, pause=0.1)


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    nm.close()


def event(name: str, namespace: str, about: str, **more: Any) -> dict[str, Any]:
    """An event of core/v1."""
    kind, _, named = about.partition("/")
    now = time.time()
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": name, "namespace": namespace},
        "involvedObject": {"kind": kind, "name": named, "namespace": "" if kind == "Node" else namespace},
        "type": "Normal",
        "reason": "Tested",
        "message": "it was tested",
        "count": 1,
        "firstTimestamp": stamp(now - 60),
        "lastTimestamp": stamp(now - 30),
        "source": {"component": "tests"},
        **more,
    }


def newer(name: str, namespace: str, about: str, count: int) -> dict[str, Any]:
    """An event of events.k8s.io/v1, as the scheduler and the kubelet may write it."""
    kind, _, named = about.partition("/")
    moment = "2026-01-01T00:00:00.000001Z"
    return {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": {"name": name, "namespace": namespace},
        "regarding": {"kind": kind, "name": named, "namespace": namespace},
        "type": "Warning",
        "reason": "Series",
        "note": "it goes on",
        "action": "Testing",
        "reportingController": "tests.example/one",
        "reportingInstance": "one",
        "eventTime": moment,
        "series": {"count": count, "lastObservedTime": "2026-01-01T00:02:00.000001Z"},
    }


def test_what_is_the_same_is_folded_and_rows_are_the_servers(control_plane: ControlPlane, namespace: str) -> None:
    nm.connect(kubeconfig=control_plane.kubeconfig, namespace=namespace)
    for number in range(3):
        create(control_plane, event(f"same-{number}", namespace, "Pod/web-0", count=number + 2))
    create(control_plane, event("else", namespace, "Pod/web-1"))
    create(control_plane, newer("series", namespace, "Pod/web-0", 5))
    events = nm.events()
    eventually(lambda: len(events) == 5)
    found = {(one.name, one.reason): one for one in events.folded}
    assert found["web-0", "Tested"].count == 9
    assert found["web-0", "Tested"].events == ("same-0", "same-1", "same-2")
    assert found["web-0", "Series"].count == 5
    assert found["web-0", "Series"].span.total_seconds() == pytest.approx(120)
    assert found["web-0", "Series"].source == "tests.example/one, one"
    watched = nm.watch("events")
    assert list(events.rows[0]) == list(watched.rows[0])
    by_name = {row["Name"]: row for row in events.rows}
    assert {name: row["Message"] for name, row in by_name.items()} == {r["Name"]: r["Message"] for r in watched.rows}
    assert by_name["series"]["Count"] == 5
    assert nm.events() is events
    assert nm.events("pod/web-1").folded[0].message == "it was tested"
    assert [one.reason for one in nm.events(warnings=True).folded] == ["Series"]
    assert [one.reason for one in nm.events("web-0", warnings=True).folded] == ["Series"]
    frame = events.df(folded=True)
    assert frame["Count"].sum() == 15


def test_a_deployments_events_with_those_of_its_pods(control_plane: ControlPlane, namespace: str) -> None:
    nm.connect(kubeconfig=control_plane.kubeconfig, namespace=namespace)
    control_plane.kubectl("create", "deployment", "web", "-n", namespace, "--image=web", "--replicas=2")
    control_plane.kubectl("create", "deployment", "web-cache", "-n", namespace, "--image=web", "--replicas=1")
    events = nm.events("deploy/web")
    assert nm.events("deployments.apps/web") is events
    pods = nm.watch("pods", selector="app=web")
    eventually(lambda: len(pods) == 2)

    def kinds() -> set[str]:
        return {one.kind for one in events.folded}

    eventually(lambda: {"Deployment", "ReplicaSet", "Pod"} <= kinds())
    others = nm.watch("pods", selector="app=web-cache")
    eventually(lambda: len(others) == 1)
    strangers = {pod.name for pod in others}
    assert not strangers & {one.name for one in events.folded}
    last = next(one for one in events.folded if one.kind == "Pod")
    assert [owner.split("/")[0] for owner in last.owners] == ["ReplicaSet", "Deployment"]
    assert last.owners[1] == "Deployment/web"
    # new pods join, and those that have gone stay
    before = {one.name for one in events.folded if one.kind == "Pod"}
    control_plane.kubectl("set", "image", "deployment/web", "-n", namespace, "web=other")
    eventually(lambda: {one.name for one in events.folded if one.kind == "Pod"} > before)
    eventually(lambda: {pod.name for pod in pods}.isdisjoint(before))
    assert before <= {one.name for one in events.folded}
    lines = {thing.name: line for (_, thing), line in events._source.family.lifelines.items()}
    eventually(lambda: all(lines[name].end is not None for name in before if name in lines))
    # who asks only now, when they are gone, gets them by their names
    events.close()
    late = nm.events("deploy/web")
    eventually(lambda: before <= {one.name for one in late.folded})


def test_what_a_pod_wrote_around_an_event(control_plane: ControlPlane, namespace: str) -> None:
    nm.connect(kubeconfig=control_plane.kubeconfig, namespace=namespace)
    create(control_plane, pod("web-0", namespace))
    control_plane.kubectl("wait", "--for=condition=Ready", "pod/web-0", "-n", namespace, "--timeout=60s")
    at = int(time.time()) - 30
    path = control_plane.folder / "logs" / f"{namespace}_web-0_main.log"
    lines = [f"{stamp(at + after)[:-1]}.5Z stdout F it is {after}" for after in (-300, -40, -1, 0, 20)]
    path.write_text("".join(f"{line}\n" for line in lines))
    try:
        more = {"lastTimestamp": stamp(at), "firstTimestamp": stamp(at)}
        about = event("one", namespace, "Pod/web-0", **more)
        about["involvedObject"]["fieldPath"] = "spec.containers{main}"
        create(control_plane, about)
        events = nm.events("web-0")
        eventually(lambda: "one" in [row["Name"] for row in events.rows])
        cause = read("testbed", next(r for r in events._view().records["testbed"].values() if r.name == "one")).cause
        found, said = events._log_around(cause._replace(cluster=next(iter(events.clusters))), float(at))
        assert [text for _, text in found] == ["it is -40", "it is -1", "it is 0", "it is 20"]
        assert found[0][0] == pytest.approx(at - 39.5)
        assert said == ""
    finally:
        path.unlink()


def test_a_node(control_plane: ControlPlane, namespace: str) -> None:
    nm.connect(kubeconfig=control_plane.kubeconfig, namespace=namespace)
    node = nm.get("nodes").objects[0].name
    name = f"of-a-node-{namespace}"
    create(control_plane, event(name, "default", f"Node/{node}", reason="NodeNotReady"))
    events = nm.events(f"node/{node}")
    eventually(lambda: name in [row["Name"] for row in events.rows])
    assert {one.kind for one in events.folded} == {"Node"}
    assert nm.events(nm.get("nodes", node)) is not None
    control_plane.kubectl("delete", "event", name, "-n", "default")
    eventually(lambda: name not in [row["Name"] for row in events.rows])


def test_what_may_not_be_read(control_plane: ControlPlane, namespace: str, tmp_path: Path) -> None:
    create(control_plane, event("one", namespace, "Pod/web-5d4f9c7b8-x7k2q"))
    looker = user(control_plane, tmp_path / "looker", "looker", namespace, "get,list,watch events", "get deployments")
    control_plane.kubectl("create", "deployment", "web", "-n", namespace, "--image=web", "--replicas=0")
    nm.connect(kubeconfig=looker, namespace=namespace)
    events = nm.events("deploy/web")
    eventually(lambda: "one" in [row["Name"] for row in events.rows])  # by its name
    eventually(lambda: len(events.notes) == 2)
    assert any("pods cannot be read (forbidden" in note for note in events.notes)
    nobody = user(control_plane, tmp_path / "nobody", "nobody", namespace, "get,list,watch pods")
    nm.connect(kubeconfig=nobody, namespace=namespace)
    with pytest.raises(nm.Forbidden, match="events"):
        nm.events()
    with pytest.raises(nm.Forbidden):
        nm.events("deploy/web")


def test_bad_targets(control_plane: ControlPlane, namespace: str) -> None:
    nm.connect(kubeconfig=control_plane.kubeconfig, namespace=namespace)
    control_plane.kubectl("create", "deployment", "web", "-n", namespace, "--image=web", "--replicas=1")
    pods = nm.watch("pods", selector="app=web")
    eventually(lambda: len(pods) == 1)
    with pytest.raises(nm.NotFound, match=r"there is no deployment 'wed'.*\n.*did you mean web"):
        nm.events("deploy/wed")
    with pytest.raises(nm.UnknownKind, match="deplo"):
        nm.events("deplo/web")
    row = pods.rows[0]
    assert nm.events(row) is nm.events(row)
    events = nm.events(pods.objects[0])
    eventually(lambda: {one.name for one in events.folded} == {row["Name"]})


def test_many_of_a_pod_that_is_not_there(control_plane: ControlPlane, namespace: str) -> None:
    nm.connect(kubeconfig=control_plane.kubeconfig, namespace=namespace)
    items = [event(f"e-{n}", namespace, "Pod/busy-0", message=f"the same {n % 7}") for n in range(200)]
    control_plane.kubectl("create", "-f", "-", input=json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))
    events = nm.events("pod/busy-0")
    eventually(lambda: len(events) == 200)
    assert len(events.folded) == 7
    assert sum(one.count for one in events.folded) == 200


@pytest.fixture(params=SERVERS)
def server(
    request: pytest.FixtureRequest,
    control_plane: ControlPlane,
    tmp_path: Path,
    start_headlamp: Callable[..., HeadlampServer],
) -> HeadlampServer:
    """A Headlamp server of each kind."""
    return start_headlamp(request.param, kubeconfig_of(control_plane, tmp_path / "kubeconfig"))


def test_by_way_of_a_headlamp_server(
    control_plane: ControlPlane, namespace: str, server: HeadlampServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    core = Core(opener=Opener(headlamp=True))
    monkeypatch.setattr(holder, "core", lambda: core)
    monkeypatch.setattr(holder, "running", lambda: core)
    try:
        control_plane.kubectl("create", "deployment", "web", "-n", namespace, "--image=web", "--replicas=1")
        create(control_plane, event("warned", namespace, "Pod/web-0", type="Warning"))
        nm.connect(CERTIFICATE, url=server.url, namespace=namespace)
        events = nm.events("deploy/web")
        eventually(lambda: {"Deployment", "ReplicaSet", "Pod"} <= {one.kind for one in events.folded})
        control_plane.kubectl("scale", "deployment", "web", "-n", namespace, "--replicas=2")
        eventually(lambda: len({one.name for one in events.folded if one.kind == "Pod"}) == 2)
        assert [one.events for one in nm.events("web-0", warnings=True).folded] == [("warned",)]
        assert list(events.rows[0])[:4] == ["Last Seen", "Type", "Reason", "Object"]
        nm.close()
    finally:
        core.shutdown()
