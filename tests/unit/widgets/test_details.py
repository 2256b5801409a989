"""One object in full, of a core without a socket: what a page is told of it, and what is read for it."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from notebook_mux.handles.manager import Manager
from notebook_mux.widgets.details import Details
from notebook_mux.widgets.watched import Target
from notebook_mux.wire.frames import Record
from tests.unit.fake_core import (
    DEPLOYMENTS,
    PODS,
    SECRETS,
    FakeCore,
    FakeStream,
    install,
    manager as managed,
    pod,
    stamp,
)

from .conftest import Looking, NoPump, Page

REPLICA_SETS = DEPLOYMENTS | {"name": "replicasets", "singular": "replicaset", "kind": "ReplicaSet", "short_names": []}
NAMED = [{"name": "Name", "type": "string", "format": "name", "description": "", "priority": 0}]


@pytest.fixture
def core(monkeypatch: pytest.MonkeyPatch) -> FakeCore:
    return install(monkeypatch)


@pytest.fixture
def manager(core: FakeCore) -> Manager:
    return managed(core, "dev", "prod")


class Shown(Looking):
    """Details with a page that looks at them."""

    def __init__(self, manager: Manager, core: FakeCore, target: Target) -> None:
        self.core = core
        super().__init__(Details(manager, target))

    def stream(self, kind: str) -> FakeStream:
        (found,) = [one for one in self.core.streams.values() if one.spec.kind == kind]
        return found


@pytest.fixture
def show(manager: Manager, core: FakeCore, pokes: NoPump) -> Iterator[Any]:
    made: list[Shown] = []

    def make(kind: str, name: str, namespace: str = "shop", cluster: str = "prod") -> Shown:
        made.append(Shown(manager, core, Target(cluster, namespace, name, kind)))
        return made[-1]

    yield make
    for one in made:
        one.widget.close()
    core.linger()
    assert core.streams == {}, "nothing is read for what is closed"


def record(
    short: str, name: str, *, namespace: str = "shop", owner: tuple[str, str, str] | None = None, **more: Any
) -> Record:
    metadata: dict[str, Any] = {
        "name": name,
        "namespace": namespace,
        "uid": f"uid-{short}-{name}",
        "resourceVersion": "5",
    }
    if owner is not None:
        api, its_kind, its_name = owner
        metadata["ownerReferences"] = [{"apiVersion": api, "kind": its_kind, "name": its_name, "controller": True}]
    content = {"metadata": metadata | more.pop("metadata", {}), **more}
    cells = msgspec.json.encode([name])
    now, version = time.time(), metadata["resourceVersion"]
    encoded = msgspec.json.encode(content)
    return Record(metadata["uid"], namespace, name, version, stamp(now - 60), now, cells, encoded)


def test_one_object_is_asked_for_on_its_cluster(show: Any, core: FakeCore) -> None:
    shown = show("Pod", "web-0")
    stream = shown.stream("Pod")
    assert [cluster[0] for cluster in stream.spec.clusters] == ["prod"]
    assert (stream.spec.namespaces, stream.spec.field_selector) == (("shop",), "metadata.name=web-0")
    data = shown.turn()
    assert (data["missing"], data["object"], data["cluster"]["state"]) == (False, None, "connecting")
    stream.sync(pod("web-0", "shop", status="CrashLoopBackOff", ready=False))
    data = shown.turn()
    printed = dict(data["object"]["printed"])
    assert printed["Status"]["tone"] == "bad"
    assert printed["Ready"]["text"] == "0/1"
    assert "IP" not in printed, "a wide column"
    assert data["object"]["sections"][0]["title"] == "Conditions"


def test_it_goes_on_and_stays_when_it_is_deleted(show: Any) -> None:
    shown = show("Pod", "web-0")
    stream = shown.stream("Pod")
    stream.sync(pod("web-0", "shop", uid="u"))
    shown.turn()
    before = len(shown.page.puts)
    shown.widget.turn(shown.now + 5)
    assert len(shown.page.puts) == before, "nothing has changed"
    stream.put(pod("web-0", "shop", uid="u", restarts="3"))
    assert dict(shown.turn()["object"]["printed"])["Restarts"]["text"] == "3"
    stream.delete("u")
    data = shown.turn()
    assert data["deleted"] == pytest.approx(time.time(), abs=60)
    assert dict(data["object"]["printed"])["Restarts"]["text"] == "3", "as it was"
    stream.put(pod("web-0", "shop", uid="another"))
    assert shown.turn()["deleted"] is None


def test_what_went_while_nobody_looked_is_gone(show: Any, core: FakeCore) -> None:
    shown = show("Pod", "web-0")
    shown.stream("Pod").sync(pod("web-0", "shop", uid="u"))
    shown.turn()
    shown.page.say(t="bye")
    shown.widget.turn(shown.now + 1)
    core.linger()
    assert core.streams == {}
    shown.page.here()
    shown.turn()
    shown.stream("Pod").sync()
    assert shown.turn()["deleted"] is not None


def test_there_is_none(show: Any) -> None:
    shown = show("Pod", "never")
    shown.stream("Pod").sync()
    data = shown.turn()
    assert (data["missing"], data["object"]) == (True, None)


def test_a_deployments_replica_sets_and_pods(show: Any) -> None:
    shown = show("Deployment.apps", "web")
    spec = {"selector": {"matchLabels": {"app": "web"}}}
    shown.stream("Deployment.apps").sync(record("d", "web", spec=spec), columns=NAMED, resource=DEPLOYMENTS)
    shown.turn()
    sets, pods = shown.stream("replicasets.apps"), shown.stream("pods")
    assert (sets.spec.selector, sets.spec.namespaces) == ("app=web", ("shop",))
    # pods are told before what owns them: by their names they belong here
    pods.sync(
        record("p", "web-5d-aaaaa", owner=("apps/v1", "ReplicaSet", "web-5d")),
        record("p", "stray-bbbbb", owner=("apps/v1", "ReplicaSet", "stray")),
        record("p", "alone"),
        columns=NAMED,
    )
    assert [one["title"] for one in shown.turn()["object"]["owned"]] == ["Pods"]
    sets.sync(
        record("r", "web-5d", owner=("apps/v1", "Deployment", "web")),
        record("r", "stray", owner=("apps/v1", "Deployment", "other")),
        columns=NAMED,
        resource=REPLICA_SETS,
    )
    owned = {one["title"]: [row["ref"] for row in one["rows"]] for one in shown.turn()["object"]["owned"]}
    assert owned == {
        "Replica sets": [{"kind": "ReplicaSet.apps", "namespace": "shop", "name": "web-5d"}],
        "Pods": [{"kind": "Pod", "namespace": "shop", "name": "web-5d-aaaaa"}],
    }
    pods.delete("uid-p-web-5d-aaaaa")
    assert [one["title"] for one in shown.turn()["object"]["owned"]] == ["Replica sets"]


def test_owners_to_go_to(show: Any) -> None:
    shown = show("Pod", "web-5d-aaaaa")
    shown.stream("Pod").sync(record("p", "web-5d-aaaaa", owner=("apps/v1", "ReplicaSet", "web-5d")), columns=NAMED)
    assert shown.turn()["object"]["owners"] == [{"kind": "ReplicaSet.apps", "namespace": "shop", "name": "web-5d"}]


def test_where_a_service_leads(show: Any) -> None:
    shown = show("Service", "web")
    services = PODS | {"name": "services", "kind": "Service"}
    shown.stream("Service").sync(
        record("s", "web", spec={"selector": {"app": "web"}}), columns=NAMED, resource=services
    )
    shown.turn()
    target = {"kind": "Pod", "namespace": "shop", "name": "web-0"}
    endpoints = [{"addresses": ["10.0.0.1"], "conditions": {"ready": False}, "targetRef": target}]
    slices = shown.stream("endpointslices.discovery.k8s.io")
    assert slices.spec.selector == "kubernetes.io/service-name=web"
    slices.sync(record("e", "web-x", endpoints=endpoints), columns=NAMED)
    found = shown.turn()["object"]["sections"][-1]
    assert (found["title"], found["rows"][0][:2]) == (
        "Endpoints",
        [{"text": "10.0.0.1", "mono": True}, {"text": "not ready", "tone": "warn"}],
    )
    assert found["rows"][0][2]["ref"] == target
    slices.put(record("e", "web-x", endpoints=[{"addresses": 3}]))
    shown.turn()  # an odd one breaks nothing


@pytest.mark.parametrize("selector", [{"app": "${app}"}, {"app": []}, {"matchExpressions": 3}])
def test_a_selector_that_no_server_should_have_breaks_nothing(show: Any, selector: Any) -> None:
    shown = show("Service", "web")
    services = PODS | {"name": "services", "kind": "Service"}
    spec = {"selector": selector}
    shown.stream("Service").sync(
        record("s", "web", kind="Service", apiVersion="v1", spec=spec), columns=NAMED, resource=services
    )
    assert shown.turn()["object"]["kind"] == "Service"


def test_it_is_read_while_it_is_sent(show: Any) -> None:
    shown = show("Deployment.apps", "web")
    spec = {"selector": {"matchLabels": {"app": "web"}}}
    shown.stream("Deployment.apps").sync(record("d", "web", spec=spec), columns=NAMED, resource=DEPLOYMENTS)
    shown.turn()
    pods, ends, failed = shown.stream("pods"), threading.Event(), []
    pods.sync(columns=NAMED)

    def read() -> None:
        while not ends.is_set():
            try:
                shown.widget.data  # noqa: B018 - as for a copy, on a page's thread
            except Exception as error:  # noqa: BLE001 - whatever it is
                failed.append(error)

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(400):
        pods.put(record("p", f"web-{number}", owner=("apps/v1", "Deployment", "web")))
        shown.now += 1
        shown.widget.turn(shown.now)
    ends.set()
    reader.join()
    assert failed == []


def test_what_uses_a_claim(show: Any) -> None:
    shown = show("PersistentVolumeClaim", "data")
    claims = PODS | {"name": "persistentvolumeclaims", "kind": "PersistentVolumeClaim"}
    shown.stream("PersistentVolumeClaim").sync(record("c", "data"), columns=NAMED, resource=claims)
    shown.turn()
    mounting = {"volumes": [{"name": "d", "persistentVolumeClaim": {"claimName": "data"}}]}
    shown.stream("pods").sync(record("p", "one", spec=mounting), record("p", "data"), columns=NAMED)
    (used,) = shown.turn()["object"]["owned"]
    assert (used["title"], [row["ref"]["name"] for row in used["rows"]]) == ("Used by pods", ["one"])


def test_what_cannot_be_read_is_said(show: Any) -> None:
    shown = show("Node", "n1", namespace="")
    nodes = PODS | {"name": "nodes", "kind": "Node", "namespaced": False}
    shown.stream("Node").sync(record("n", "n1", namespace=""), columns=NAMED, resource=nodes)
    shown.turn()
    pods = shown.stream("pods")
    assert (pods.spec.namespaces, pods.spec.field_selector) == (("*",), "spec.nodeName=n1")
    pods.say("forbidden", "you may not list pods")
    (owned,) = shown.turn()["object"]["owned"]
    assert (owned["rows"], owned["note"]) == ([], "cannot be read: you may not list pods")


def test_a_custom_resource_and_what_was_made_of_it(show: Any) -> None:
    shown = show("Widget.example.com", "w")
    widgets = PODS | {"name": "widgets", "kind": "Widget", "group": "example.com"}
    mine = ("example.com/v1", "Widget", "w")
    shown.stream("Widget.example.com").sync(record("w", "w", spec={"size": 3}), columns=NAMED, resource=widgets)
    shown.turn()
    shown.stream("services").sync(record("s", "w-svc", owner=mine), record("s", "other"), columns=NAMED)
    shown.stream("jobs.batch").say("closed", "the cluster serves no kind 'jobs.batch'")
    data = shown.turn()["object"]
    assert [(one["title"], one["total"]) for one in data["owned"]] == [("Services", 1)]
    assert ["size", "3"] in [list(one) for one in data["sections"][0]["items"]]


VALUE = "hunter2-and-more"


def secret() -> Record:
    applied = json.dumps({"data": {"password": base64.b64encode(VALUE.encode()).decode()}})
    annotations = {"kubectl.kubernetes.io/last-applied-configuration": applied, "about": "x" * 3000}
    data = {"password": base64.b64encode(VALUE.encode()).decode()}
    return record("s", "api", kind="Secret", apiVersion="v1", data=data, metadata={"annotations": annotations})


def test_a_secrets_value_comes_to_whoever_asks_for_it_and_nowhere_else(show: Any) -> None:
    shown = show("Secret", "api")
    shown.stream("Secret").sync(secret(), columns=NAMED, resource=SECRETS)
    shown.turn()
    hidden = (VALUE, base64.b64encode(VALUE.encode()).decode())
    said = json.dumps([content for content, _ in shown.page.sent])
    said += json.dumps(shown.widget.get_state(), default=str) + shown.widget._static_html() + repr(shown.widget)
    assert not [one for one in hidden if one in said]
    annotations = shown.page.last()[0]["data"]["object"]["annotations"]
    assert [(key, len(value), cut) for key, value, cut in annotations] == [("about", 2000, 1000)]
    assert shown.page.say(t="reveal", view="v", key="password") == {
        "t": "reply", "page": "p1", "id": shown.page._asked, "ok": True, "value": VALUE, "plain": True,
    }  # fmt: skip
    assert "no such key" in str(shown.page.say(t="reveal", view="v", key="other"))
    assert VALUE not in json.dumps([content for content, _ in shown.page.puts])


def test_nothing_else_can_be_revealed(show: Any) -> None:
    shown = show("Pod", "web-0")
    answer = shown.page.say(t="reveal", view="v", key="password")
    assert answer is not None
    assert answer["ok"] is False


def test_it_ends_with_its_page(manager: Manager, core: FakeCore, pokes: NoPump) -> None:
    widget = Details(manager, Target("prod", "shop", "web-0", "Pod"))
    widget.as_part()
    page = Page(widget)
    page.here()
    now = time.monotonic()
    widget.turn(now)
    assert len(core.streams) == 1
    page.say(t="bye")
    widget.turn(now + 1)
    assert widget.closed
    assert widget.comm is None
    core.linger()
    assert core.streams == {}
