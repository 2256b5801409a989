from __future__ import annotations

import asyncio
import gc
from functools import partial
from typing import Any

import msgspec
import pytest

import notebook_mux as nm
from notebook_mux import errors
from notebook_mux.handles import managers
from notebook_mux.handles.events import Events, about
from notebook_mux.handles.holders import streams
from notebook_mux.handles.manager import Manager
from notebook_mux.handles.objects import Object
from notebook_mux.handles.targets import Named
from notebook_mux.kernel.failure import Failure
from notebook_mux.widgets.table import Reference
from tests import waiting
from tests.unit.fake_core import PODS, FakeCore, FakeStream, install, manager, state
from tests.unit.handles.happenings import COLUMNS, EVENTS, REPLICA_SETS, SERVICES, event, owned

eventually = partial(waiting.eventually, seconds=20)
encode = msgspec.json.encode

RESOURCES = {"events": EVENTS, "pods": PODS, "replicasets": REPLICA_SETS, "jobs": PODS}
SELECTOR = {"matchLabels": {"app": "web"}}


class EventCore(FakeCore):
    """Has a deployment, a pod, a service and a node, and what the streams begin with."""

    def __init__(self) -> None:
        super().__init__()
        self.served += [EVENTS, REPLICA_SETS, SERVICES]
        self.objects: dict[str, dict[str, Any]] = {
            "deployments/web": {"kind": "Deployment", "spec": {"selector": SELECTOR}},
            "pods/web-0": {"kind": "Pod"},
            "services/web": {"kind": "Service", "spec": {"selector": {"app": "web"}}},
            "nodes/n1": {"kind": "Node"},
        }
        self.first: dict[str, list[Any]] = {
            "replicasets": [owned("web-5d4f9c7b8", "Deployment/web")],
            "pods": [owned("web-5d4f9c7b8-x7k2q", "ReplicaSet/web-5d4f9c7b8")],
            "events": [
                event("a", "Deployment/web", reason="ScalingReplicaSet", message="Scaled up", first=90),
                event("b", "ReplicaSet/web-5d4f9c7b8", reason="SuccessfulCreate", message="Created pod", first=80),
                event("c", "Pod/web-5d4f9c7b8-x7k2q", reason="BackOff", warning=True, count=14, first=70, last=5),
                event("d", "Pod/other-0", first=60),
            ],
        }
        self.refused: dict[str, str] = {}
        self.answer = self._answer
        self.prepare = self._prepare

    def _answer(self, ref: str, path: str, query: str) -> tuple[int, bytes]:
        kind, name = path.rpartition("/")[0].rpartition("/")[2], path.rpartition("/")[2]
        found = self.objects.get(f"{kind}/{name}")
        if found is None:
            return 404, b"{}"
        metadata = {"name": name, "uid": f"uid-{name}"} | ({} if kind == "nodes" else {"namespace": "default"})
        return 200, encode({"metadata": metadata, **found})

    def _prepare(self, stream: FakeStream) -> None:
        kind = stream.spec.kind
        if kind in self.refused:
            for alias, _, _ in stream.spec.clusters:
                stream.say("forbidden", self.refused[kind], cluster=alias, code="forbidden")
            return
        columns = COLUMNS if kind == "events" else None
        stream.sync(*self.first.get(kind, []), columns=columns, resource=RESOURCES[kind])

    def of(self, kind: str) -> FakeStream:
        """The one stream of a kind."""
        [found] = [one for one in self.streams.values() if one.spec.kind == kind]
        return found


@pytest.fixture
def core(monkeypatch: pytest.MonkeyPatch) -> EventCore:
    core = EventCore()
    monkeypatch.setattr("tests.unit.fake_core.FakeCore", lambda: core)
    assert install(monkeypatch) is core
    return core


@pytest.fixture
def made(core: EventCore) -> Manager:
    return manager(core)


def names(events: Events) -> list[str]:
    return [row["Name"] for row in events.rows]


def test_all_of_the_namespace_in_the_order_of_time(core: EventCore, made: Manager) -> None:
    events = made.events()
    assert names(events) == ["a", "b", "d", "c"]
    assert list(events.rows[0]) == [column["name"] for column in COLUMNS]
    assert repr(events) == "<Events of events in default: 4 objects, live>"
    assert [stream.spec.kind for stream in core.streams.values()] == ["events"], "the others are for the view"
    assert core.of("events").spec.field_selector == ""
    watched = made.watch("events")
    assert len(core.streams) == 1, "one stream for both"
    assert len(watched) == 4


def test_a_deployment_with_what_belongs_to_it(core: EventCore, made: Manager) -> None:
    events = made.events("deploy/web")
    assert names(events) == ["a", "b", "c"]
    assert repr(events) == "<Events of events of deployment/web in default: 3 objects, live>"
    specs = {one.spec.kind: (one.spec.selector, one.spec.namespaces) for one in core.streams.values()}
    assert specs == {"events": ("", ()), "replicasets": ("app=web", ("default",)), "pods": ("app=web", ("default",))}
    last = events.folded[-1]
    assert (last.object, last.count, last.warning) == ("pod/web-5d4f9c7b8-x7k2q", 14, True)
    assert last.owners == ("ReplicaSet/web-5d4f9c7b8", "Deployment/web")
    assert events["a"]["reason"] == "ScalingReplicaSet"
    assert len(events) == 3


def test_new_pods_join(core: EventCore, made: Manager) -> None:
    events = made.events("deploy/web")
    told: list[tuple[str, str]] = []
    undo = events.on_change(lambda change: told.append((change.type, change.object.name)))
    eventually(lambda: len(told) == 3)
    # by its own word only: no name says whose it is
    core.of("events").put(event("e", "Pod/odd-name", first=3))
    assert names(events) == ["a", "b", "c"]
    core.of("pods").put(owned("odd-name", "ReplicaSet/web-5d4f9c7b8"))
    assert names(events) == ["a", "b", "c", "e"]
    eventually(lambda: ("ADDED", "e") in told)
    core.of("events").put(event("e", "Pod/odd-name", count=2, first=3, last=1))
    eventually(lambda: ("MODIFIED", "e") in told)
    core.of("pods").delete("uid-default-odd-name")
    assert "e" in names(events), "what has ended stays"
    core.of("events").delete("uid-default-e")
    core.of("events").delete("uid-default-d")
    eventually(lambda: told[-1] == ("DELETED", "e"))
    assert ("DELETED", "d") not in told
    undo()


async def test_changes_from_now_on(core: EventCore, made: Manager) -> None:
    events = await asyncio.to_thread(made.events, "deploy/web")
    changes = events.changes(initial=False)
    core.of("events").put(event("d", "Pod/other-0", count=2), event("f", "Pod/web-5d4f9c7b8-zzzzz"))
    core.of("events").delete("uid-default-a")
    found = [await anext(changes) for _ in range(2)]
    assert [(one.type, one.object.name) for one in found] == [("ADDED", "f"), ("DELETED", "a")]
    await changes.aclose()


def test_waiting_for_one(core: EventCore, made: Manager) -> None:
    events = made.events("deploy/web")
    found = events.wait(lambda one: one["reason"] == "BackOff", of=1)
    assert len(found) == 3


@pytest.mark.parametrize(
    ("target", "fields", "others"),
    [
        ("web-0", "involvedObject.kind=Pod,involvedObject.name=web-0", {"pods"}),
        ("po/web-0", "involvedObject.kind=Pod,involvedObject.name=web-0", {"pods"}),
        ("node/n1", "involvedObject.kind=Node,involvedObject.name=n1", set()),
        ("svc/web", "", {"pods"}),
        ("app=web", "", {"pods"}),
        ({"app": "web"}, "", {"pods"}),
    ],
)
def test_what_is_asked(core: EventCore, made: Manager, target: Any, fields: str, others: set[str]) -> None:
    core.first["events"] = [event("n", "Node/n1"), event("p", "Pod/web-0"), event("s", "Service/web")]
    core.first["pods"] = [owned("web-0", "StatefulSet/web")]
    events = made.events(target)
    assert core.of("events").spec.field_selector == fields
    assert {one.spec.kind for one in core.streams.values()} - {"events"} == others
    kinds = {one.kind for one in events.folded}
    wanted = {"node/n1": {"Node"}, "svc/web": {"Service", "Pod"}}
    assert kinds == (wanted.get(target, {"Pod"}) if isinstance(target, str) else {"Pod"})
    if target == "node/n1":
        assert core.of("events").spec.namespaces == ("default",)
        assert repr(events).startswith("<Events of events of node/n1: ")


def test_objects_rows_and_what_is_folded_are_targets(core: EventCore, made: Manager) -> None:
    pod = Object({"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "web-0", "namespace": "shop"}}, "dev")
    assert about(pod, None, None) == Named("Pod", "web-0", "shop", "dev")
    assert about(Reference("dev", "shop", "web", "u", "Deployment"), None, None) == Named(
        "Deployment", "web", "shop", "dev"
    )
    assert about({"Name": "web-0", "Restarts": "0"}, "shop", None) == Named("pod", "web-0", "shop", None)
    last = made.events().folded[-1]
    assert about(last, None, None) == Named("Pod", "web-5d4f9c7b8-x7k2q", "default", "dev")
    of_an_event = made.events()["a"]
    assert about(of_an_event, None, None) == Named("Deployment", "web", "default", "dev")
    assert made.events(of_an_event) is made.events("deploy/web", cluster="dev")


@pytest.mark.parametrize(
    ("target", "words"),
    [
        (7, "a int names nothing that could have events"),
        ("", "'' names nothing that could have events"),
        ("/web", "names nothing that could have events"),
        ({"Name": "web", "Ready": "1/1"}, "does not say its kind"),
        ({}, "names nothing that could have events"),
    ],
)
def test_what_is_no_target(made: Manager, target: Any, words: str) -> None:
    with pytest.raises(errors.InvalidArgument, match=words) as raised:
        made.events(target)
    assert raised.value.todo


def test_bad_input_is_said_at_the_call(core: EventCore, made: Manager) -> None:
    with pytest.raises(errors.InvalidArgument, match="warnings=1"):
        made.events(warnings=1)  # type: ignore[arg-type]
    with pytest.raises(errors.UnknownKind, match="serves no kind 'deplo'"):
        made.events("deplo/web")
    with pytest.raises(errors.UnknownContext):
        made.events(cluster="prod")
    with pytest.raises(errors.InvalidArgument, match="cannot be a namespace's name"):
        made.events(namespace="No")
    with pytest.raises(errors.NotFound, match="there is no pod 'web-9' in default"):
        made.events("web-9")
    assert not [one for one in streams.all() if one._key[4] is not None], "nothing is left of it"


def test_what_is_gone_has_events_all_the_same(core: EventCore, made: Manager) -> None:
    core.first["events"].append(event("z", "Pod/gone-0", reason="Killing"))
    events = made.events("pod/gone-0")
    assert [one.reason for one in events.folded] == ["Killing"]


def test_what_is_known_of_what_has_gone_is_bounded(
    core: EventCore, made: Manager, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("notebook_mux.handles.family.OWNERS_KEPT", 20)
    core.first["replicasets"].append(owned("odd-set", "Deployment/web"))
    events = made.events("deploy/web")
    pods, kin = core.of("pods"), events._source.family.kin["dev"]
    for number in range(200):
        pods.put(owned(f"odd-{number}", "ReplicaSet/odd-set", uid=f"u-{number}"))
        events._source.family.refresh()
        pods.delete(f"u-{number}")
        events._source.family.refresh()
    assert len(kin._owners) < 30
    assert len(kin._members) < 30
    core.of("events").put(event("y", "Pod/odd-199", reason="Killing"), event("x", "Pod/odd-3", reason="Killing"))
    assert [one.name for one in events.folded if one.reason == "Killing"] == ["odd-199"]
    # one that comes again is not forgotten
    pods.put(owned("odd-199", "ReplicaSet/odd-set", uid="again"))
    for number in range(200, 230):
        pods.put(owned(f"odd-{number}", "ReplicaSet/odd-set", uid=f"u-{number}"))
        pods.delete(f"u-{number}")
        events._source.family.refresh()
    assert [one.name for one in events.folded if one.reason == "Killing"] == ["odd-199"]


def test_the_same_words_give_the_same_object(core: EventCore, made: Manager) -> None:
    events = made.events("deploy/web")
    before = len(core.asked("http"))
    for same in ("deploy/web", "deployment/web", "Deployment/web", "deployments.apps/web"):
        assert made.events(same) is events
    assert len(core.asked("http")) == before, "and nothing more is asked"
    assert made.events("deploy/web", warnings=True) is not events
    assert made.events() is made.events()
    assert len([one for one in core.streams.values() if one.spec.kind == "pods"]) == 1
    events.close()
    assert events.closed
    again = made.events("deploy/web")
    assert again is not events
    assert len(again) == 3, "the core's stream, which others may have, was left alone"
    with pytest.raises(errors.Closed):
        len(events)
    assert "closed" in repr(events)


def test_warnings_alone_are_chosen_by_the_server(core: EventCore, made: Manager) -> None:
    events = made.events("web-0", warnings=True)
    fields = "involvedObject.kind=Pod,involvedObject.name=web-0,type=Warning"
    assert core.of("events").spec.field_selector == fields
    assert "warnings of pod/web-0" in repr(events)


def test_what_may_not_be_read_is_told_by_names(core: EventCore, made: Manager) -> None:
    core.refused = {"replicasets": "you may not list replicasets", "pods": "you may not list pods"}
    events = made.events("deploy/web")
    assert names(events) == ["a", "b", "c"]
    assert len(events.notes) == 2
    assert "dev: replicasets cannot be read (forbidden, you may not list replicasets)" in events.notes[0]


def test_what_may_not_be_read_of_a_whole_namespace(core: EventCore, made: Manager) -> None:
    core.refused = {"pods": "you may not list pods"}
    events = made.events()
    assert events.notes == [], "it was not asked for yet"
    leave = events._source.family.join(lambda: None)
    assert events.notes == [
        "dev: pods cannot be read (forbidden, you may not list pods), so their states are not shown"
    ]
    leave()


def test_its_view_is_no_persons_reference(core: EventCore, made: Manager, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTEBOOK_MUX_STATIC", "1")
    events = made.events("deploy/web")
    view = events._view_of()
    assert events._view_of() is view
    assert "BackOff" in events._repr_mimebundle_()["text/html"]
    streams.sweep()
    assert core.of("events").holders
    del events
    streams.sweep()
    assert not core.of("events").holders, "only the view has it, and nobody looks"
    assert made.events("deploy/web") is view.events
    view.events.close()
    assert not view.closed, "who looks sees the last of it"
    assert "closed" in view.events._repr_mimebundle_()["text/plain"]
    view.close()


def test_events_that_may_not_be_read(core: EventCore, made: Manager) -> None:
    core.refused = {"events": "you may not list events"}
    with pytest.raises(errors.Forbidden, match="you may not list events"):
        made.events("deploy/web")


def test_a_cluster_in_trouble_is_a_state(core: EventCore) -> None:
    made = manager(core, "dev", "prod")

    def prepare(stream: FakeStream) -> None:
        core._prepare(stream)
        if "prod" in stream.states:
            stream.states["prod"] = state("unreachable", "no connection", namespaces=("default",))

    core.prepare = prepare
    events = made.events("deploy/web")
    assert {name: at.state for name, at in events.clusters.items()} == {"dev": "live", "prod": "unreachable"}
    assert {one.cluster for one in events.folded} >= {"dev"}
    assert [row["Cluster"] for row in events.rows][:1] == ["dev"]


def test_it_is_let_go_and_had_again(core: EventCore, made: Manager) -> None:
    events = made.events("deploy/web")
    assert all(stream.holders for stream in core.streams.values())
    events._keep(False)  # nothing but Out has it
    assert not any(stream.holders for stream in core.streams.values())
    core.linger()
    assert core.streams == {}
    core.first["pods"] = [owned("odd-name", "ReplicaSet/web-5d4f9c7b8")]
    core.first["events"].append(event("e", "Pod/odd-name"))
    events._keep(True)
    assert "e" in names(events)
    key = events._key
    del events
    gc.collect()
    assert not [one for one in streams.all() if one._key == key]
    assert not any(stream.holders for stream in core.streams.values())


def test_pods_that_went_while_nobody_listened(core: EventCore, made: Manager) -> None:
    events = made.events("deploy/web")
    lines = events._source.family.lifelines
    assert [(thing.name, line.end) for (_, thing), line in lines.items()] == [("web-5d4f9c7b8-x7k2q", None)]
    events._keep(False)
    core.linger()
    core.first["pods"] = []
    events._keep(True)
    assert len(events) == 3
    assert [line.end is not None for line in lines.values()] == [True]


def test_a_stream_that_another_one_closed_is_opened_again(core: EventCore, made: Manager) -> None:
    events = made.events("deploy/web")
    made.watch("pods", selector="app=web", namespace="default").close()
    core.first["pods"] = [owned("odd-name", "ReplicaSet/web-5d4f9c7b8")]
    core.of("events").put(event("e", "Pod/odd-name"))
    assert "e" in names(events)


def test_frames(core: EventCore, made: Manager) -> None:
    pd = pytest.importorskip("pandas")
    events = made.events("deploy/web")
    frame = events.df(folded=True)
    assert list(frame.index.names) == ["cluster", "namespace", "object"]
    assert frame["Count"].dtype == "Int64"
    assert str(frame["Last"].dtype).startswith("datetime64")
    assert frame["Over"].dtype.kind == "m"
    assert frame["Count"].sum() == 16
    assert frame.loc[("dev", "default", "deployment/web"), "Reason"] == "ScalingReplicaSet"
    text = events.df(text=True, folded=True)
    assert text["Over"].tolist() == ["0s", "0s", "65s"]
    assert list(events.df().index.names) == ["cluster", "namespace", "name"]
    core.first["events"] = []
    empty = made.events(namespace="empty").df(folded=True)
    assert isinstance(empty, pd.DataFrame)
    assert len(empty) == 0


def test_closed_with_its_manager(core: EventCore, made: Manager) -> None:
    events = made.events("deploy/web")
    made.close()
    assert events.closed
    with pytest.raises(errors.Closed):
        made.events()


async def test_the_awaitable_form(core: EventCore, made: Manager) -> None:
    managers.set_default(made)
    events = await nm.aio.events("deploy/web")
    assert await nm.aio.events("deploy/web") is events
    found = await nm.aio.wait(events, lambda one: one["type"] == "Warning", of=1)
    assert len(found) == 3


def test_a_failure_of_the_core_is_told(core: EventCore, made: Manager) -> None:
    core.probes = {}
    core.answer = lambda ref, path, query: (_ for _ in ()).throw(Failure("unreachable", "no connection to dev"))
    core.first["events"] = []
    with pytest.raises(errors.Unreachable, match="no connection to dev"):
        made.events("deploy/web")
