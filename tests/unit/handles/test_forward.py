from __future__ import annotations

import gc
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Any
from urllib.parse import parse_qsl

import msgspec
import pytest

from notebook_mux import errors
from notebook_mux.handles import forward as module
from notebook_mux.handles.manager import Manager
from notebook_mux.kernel import holder
from notebook_mux.kernel.failure import Failure
from tests import waiting
from tests.unit import fake_core
from tests.unit.fake_core import PODS, FakeCore, done, manager

encode = msgspec.json.encode
eventually = partial(waiting.eventually, seconds=20)

SERVICES = PODS | {"name": "services", "singular": "service", "kind": "Service", "short_names": ["svc"]}
READY = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}


def pod(name: str, **status: Any) -> dict[str, Any]:
    ports = [{"name": "http", "containerPort": 8080}]
    return {
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "default", "uid": name},
        "spec": {"containers": [{"name": "main", "ports": ports}]},
        "status": READY | status,
    }


class ForwardingCore(FakeCore):
    """Forwards nothing, and says that it listens on port 4000."""

    def __init__(self) -> None:
        super().__init__()
        self.served.append(SERVICES)
        self.pods = [pod("web-0"), pod("web-1")]
        self.service = {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": "http"}]}
        self.answer = self._answer
        self.forwards: dict[str, dict[str, Any]] = {}
        self.ordered: list[tuple[Any, ...]] = []
        self.again: Callable[[], None] = lambda: None
        self.failure: Failure | None = None
        self.ended: list[str] = []

    def _answer(self, ref: str, path: str, query: str) -> tuple[int, bytes]:
        name = path.rpartition("/")[2]
        if path.endswith("/services/web"):
            metadata = {"name": "web", "namespace": "default"}
            return 200, encode({"kind": "Service", "metadata": metadata, "spec": self.service})
        if path.endswith("/pods"):
            assert dict(parse_qsl(query)).get("labelSelector", "app=web") == "app=web"
            rows = [{"cells": [], "object": one} for one in self.pods]
            return 200, encode({"kind": "Table", "metadata": {}, "columnDefinitions": [], "rows": rows})
        found = [one for one in self.pods if one["metadata"]["name"] == name]
        return (200, encode(found[0])) if found else (404, b"{}")

    def forward(self, conn: str, key: str, ref: str, path: str, port: int, **more: Any) -> Future[None]:
        self.again = more.pop("again")
        self.ordered.append((ref, path, port, more))
        if self.failure is not None:
            return done(self.failure)
        self.forwards.setdefault(key, {"state": "listening", "port": 4000 + len(self.forwards), "reason": ""})
        return done()

    def forward_to(self, conn: str, key: str, path: str, port: int) -> None:
        self.ordered.append((key, path, port))

    def forward_view(self, conn: str, key: str) -> dict[str, Any]:
        return self.forwards.get(key, {"state": "closed", "port": 0, "reason": "closed by close()"})

    def forward_page(self, conn: str, key: str) -> Future[dict[str, Any]]:
        return done({"path": "/notebook-mux/forward/SECRET/", "gateway": "http://127.0.0.1:5000"})

    def end_forward(self, conn: str, key: str) -> None:
        self.ended.append(key)
        self.forwards.pop(key, None)

    def on_forward(self, conn: str, key: str, wake: Callable[[], None]) -> Callable[[], None]:
        self.wake = wake
        return lambda: None


@pytest.fixture
def core(monkeypatch: pytest.MonkeyPatch) -> ForwardingCore:
    core = ForwardingCore()
    monkeypatch.setattr(fake_core, "FakeCore", lambda: core)
    fake_core.install(monkeypatch)
    return core


@pytest.fixture
def writing(core: ForwardingCore) -> Manager:
    made = manager(core)
    made._write = frozenset({"ref-dev"})
    made._forwards.clear()
    return made


def test_what_is_asked_and_what_there_is(core: ForwardingCore, writing: Manager) -> None:
    forward = writing.port_forward("svc/web", 80)
    [(ref, path, port, more)] = core.ordered
    assert (ref, path, port) == ("ref-dev", "/api/v1/namespaces/default/pods/web-0/portforward", 8080)
    assert more == {"scope": writing._identity.scope, "moves": True}
    assert (forward.url, forward.host, forward.port) == ("http://127.0.0.1:4000", "127.0.0.1", 4000)
    assert (forward.target, forward.pod, forward.pod_port, forward.cluster) == (
        "service default/web",
        "web-0",
        8080,
        "dev",
    )
    assert (forward.state, forward.reason, forward.error, forward.errors) == ("listening", "", "", 0)
    assert (forward.connections, forward.total, forward.bytes) == (0, 0, (0, 0))
    assert repr(forward) == "<Forward 127.0.0.1:4000 to web-0:8080 of service default/web>"
    [view] = core.forwards.values()
    view |= {"state": "lost", "reason": "gone", "sent": 3, "received": 4, "connections": 1, "total": 2}
    assert (forward.bytes.sent, forward.bytes.received, forward.connections, forward.total) == (3, 4, 1, 2)
    assert repr(forward).endswith(": lost, gone>")


def test_the_same_again(core: ForwardingCore, writing: Manager) -> None:
    forward = writing.port_forward("svc/web", 80)
    assert writing.port_forward("service/web", "80") is forward
    assert len(core.ordered) == 1
    assert writing.port_forward("web-0", 8080) is not forward
    assert core.ordered[-1][3]["moves"] is False
    [view] = [view for key, view in core.forwards.items() if "service" in key]
    view["state"] = "offline"
    assert writing.port_forward("svc/web", 80) is forward
    assert len(core.ordered) == 3, "asked again, on the same port"
    view["state"] = "ended"
    assert writing.port_forward("svc/web", 80) is not forward


def test_it_stays_without_a_name_for_it(core: ForwardingCore, writing: Manager) -> None:
    port = writing.port_forward("svc/web", 80).port
    gc.collect()
    assert core.ended == []
    assert writing.port_forward("svc/web", 80).port == port


def test_its_end(core: ForwardingCore, writing: Manager) -> None:
    with writing.port_forward("svc/web", 80) as forward:
        assert not forward.closed
    forward.close()
    assert len(core.ended) == 1
    assert forward.closed
    assert forward.state == "closed"
    another = writing.port_forward("svc/web", 80)
    assert another is not forward
    writing.close()
    assert another.closed
    assert len(core.ended) == 2


def test_a_forked_child_knows_where_it_is(
    core: ForwardingCore, writing: Manager, monkeypatch: pytest.MonkeyPatch
) -> None:
    forward = writing.port_forward("svc/web", 80)
    monkeypatch.setattr(holder, "running", lambda: None)
    assert (forward.url, forward.state) == ("http://127.0.0.1:4000", "offline")
    monkeypatch.undo()


def test_a_connection_that_was_closed(core: ForwardingCore, writing: Manager) -> None:
    forward = writing.port_forward("svc/web", 80)

    def view(conn: str, key: str) -> dict[str, Any]:
        raise Failure("closed", "there is no connection to 'auto'")

    core.forward_view = view  # type: ignore[method-assign]
    assert (forward.state, forward.reason) == ("closed", "there is no connection to 'auto'")


def test_another_pod_is_looked_for(core: ForwardingCore, writing: Manager, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOK_SECONDS", 0.01)
    forward = writing.port_forward("svc/web", 80)
    core.pods[0]["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    core.again()
    eventually(lambda: forward.pod == "web-1")
    eventually(lambda: not forward._looking.locked())
    assert core.ordered[-1][1:] == ("/api/v1/namespaces/default/pods/web-1/portforward", 8080)
    core.pods.clear()
    core.again()
    core.again()
    before = len(core.calls)
    eventually(lambda: len(core.calls) > before + 4, "it is looked for more than once")
    core.pods.append(pod("web-2"))
    eventually(lambda: forward.pod == "web-2")
    eventually(lambda: not forward._looking.locked())
    forward.close()
    asked = len(core.ordered)
    core.again()
    assert not forward._looking.locked()
    assert len(core.ordered) == asked


def test_looking_is_the_default(core: ForwardingCore) -> None:
    made = manager(core)
    made._write = frozenset()
    with pytest.raises(errors.WriteRefused, match="forwarding a port may change something, and dev is connected"):
        made.port_forward("svc/web", 80)
    assert core.calls == [], "nothing was asked"


@pytest.mark.parametrize("verb", ["get", "create"])
def test_the_missing_right(core: ForwardingCore, writing: Manager, verb: str) -> None:
    asked = []

    def review(ref: str, review: dict[str, Any]) -> dict[str, Any]:
        asked.append(review["spec"]["resourceAttributes"])
        return {"allowed": asked[-1]["verb"] != verb}

    core.review = review
    with pytest.raises(errors.Forbidden, match=f"you may not {verb} pods/portforward in namespace default"):
        writing.port_forward("svc/web", 80)
    assert (asked[-1]["subresource"], asked[-1]["name"]) == ("portforward", "web-0")
    assert core.ordered == []


def test_what_cannot_be(core: ForwardingCore, writing: Manager) -> None:
    with pytest.raises(errors.InvalidArgument, match="has no port 81"):
        writing.port_forward("svc/web", 81)
    with pytest.raises(errors.NotFound, match="web-7"):
        writing.port_forward("web-7", 80)
    core.pods[0]["status"] = {"phase": "Succeeded"}
    with pytest.raises(errors.InvalidArgument, match="has ended"):
        writing.port_forward("web-0", 80)
    core.failure = Failure("invalid", "64 ports are forwarded already", todo="close() some of them")
    with pytest.raises(errors.InvalidArgument, match="64 ports"):
        writing.port_forward("svc/web", 80)
    core.failure = None
    assert not writing.port_forward("svc/web", 80).closed


def test_a_gateway_elsewhere(core: ForwardingCore, writing: Manager, monkeypatch: pytest.MonkeyPatch) -> None:
    here = writing._identity
    monkeypatch.setattr(writing, "_identity", type(here)(**vars(here) | {"endpoint": ("url", "http://127.0.0.1:1")}))
    assert writing.port_forward("svc/web", 80).port
    monkeypatch.setattr(writing, "_identity", type(here)(**vars(here) | {"endpoint": ("url", "https://far.example")}))
    with pytest.raises(errors.InvalidArgument, match="the gateway is on another machine"):
        writing.port_forward("svc/web", 80)
    known = core.status
    monkeypatch.setattr(core, "status", lambda conn=None: known(conn) | {"dialect": "headlamp"})
    assert writing.port_forward("svc/web", 80).port, "by way of a Headlamp server the kernel listens itself"


def test_pages_through_jupyter_only_where_they_are_trusted(writing: Manager, monkeypatch: pytest.MonkeyPatch) -> None:
    forward = writing.port_forward("svc/web", 80)
    given: list[dict[str, Any]] = [{}, {"trusted": False}, {"trusted": 1}, {"trusted": "yes"}]
    for trusted in given:
        with pytest.raises(errors.InvalidArgument, match="unless you trust them"):
            forward.jupyter_url(**trusted)
    monkeypatch.delenv("JUPYTERHUB_SERVICE_PREFIX", raising=False)
    assert forward.jupyter_url(trusted=True) == "/proxy/5000/notebook-mux/forward/SECRET/"
    monkeypatch.setenv("JUPYTERHUB_SERVICE_PREFIX", "/user/me/")
    assert forward.jupyter_url(trusted=True) == "/user/me/proxy/5000/notebook-mux/forward/SECRET/"
    assert "SECRET" not in repr(forward) + repr(vars(forward))
