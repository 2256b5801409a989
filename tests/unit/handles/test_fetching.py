from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

import msgspec
import pytest

from notebook_mux.errors import (
    Ambiguous,
    BadSelector,
    Forbidden,
    InvalidArgument,
    LoginRequired,
    NotFound,
    ServerError,
    UnknownKind,
    Unreachable,
)
from notebook_mux.handles.fetching import check_name, fetch_one
from notebook_mux.handles.objects import Object
from notebook_mux.handles.snapshot import Snapshot
from notebook_mux.handles.waiting import blocking
from notebook_mux.kernel.failure import Failure
from tests.unit import fake_core
from tests.unit.fake_core import POD_COLUMNS, FakeCore, manager

encode = msgspec.json.encode


@pytest.fixture
def core(monkeypatch: pytest.MonkeyPatch) -> FakeCore:
    return fake_core.install(monkeypatch)


def content(name: str, namespace: str = "default") -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": namespace, "uid": f"{namespace}/{name}"}}


def table(*names: str, namespace: str = "default", more: str = "") -> bytes:
    rows = [
        {"cells": [name, "1/1", "Running", "0", "5m", "", ""], "object": content(name, namespace)} for name in names
    ]
    return encode({"kind": "Table", "metadata": {"continue": more}, "columnDefinitions": POD_COLUMNS, "rows": rows})


def status(message: str) -> bytes:
    return encode({"kind": "Status", "message": message})


def test_a_list_is_a_snapshot(core: FakeCore) -> None:
    core.answer = lambda ref, path, query: (200, table("web-1", "web-0"))
    found = manager(core).get("po", selector={"app": "web"}, field_selector="status.phase=Running")
    assert isinstance(found, Snapshot)
    assert [row["Name"] for row in found.rows] == ["web-0", "web-1"]
    assert found["web-0"].kind == "Pod"
    assert found.synced
    (call,) = core.asked("http")
    assert call[1:4] == ("ref-dev", "GET", "/api/v1/namespaces/default/pods")
    assert parse_qs(call[4]) == {
        "includeObject": ["Object"],
        "limit": ["500"],
        "labelSelector": ["app=web"],
        "fieldSelector": ["status.phase=Running"],
    }
    assert call[5].startswith("application/json;as=Table")


def test_pages_are_put_together(core: FakeCore) -> None:
    pages = {None: table("a", more="one&two"), "one&two": table("b", more="three"), "three": table("c")}
    core.answer = lambda ref, path, query: (200, pages[parse_qs(query).get("continue", [None])[0]])
    assert [one.name for one in manager(core).get("pods")] == ["a", "b", "c"]


def test_a_page_that_has_expired_means_the_whole_at_once(core: FakeCore) -> None:
    def answer(ref: str, path: str, query: str) -> tuple[int, bytes]:
        asked = parse_qs(query)
        if "continue" in asked:
            return 410, status("The provided continue parameter is too old")
        return 200, table("a", more="x") if "limit" in asked else table("a", "b")

    core.answer = answer
    assert len(manager(core).get("pods")) == 2


def test_namespaces(core: FakeCore) -> None:
    def answer(ref: str, path: str, query: str) -> tuple[int, bytes]:
        if path == "/api/v1/pods":
            return 200, table("everywhere")
        namespace = path.split("/")[4]
        return 200, table(f"in-{namespace}", namespace=namespace)

    core.answer = answer
    m = manager(core)
    assert [one.name for one in m.get("pods")] == ["in-default"]
    assert [one.name for one in m.get("pods", namespace=["b", "a"])] == ["in-a", "in-b"]
    assert [one.name for one in m.get("pods", namespace="*")] == ["everywhere"]
    assert "Namespace" in m.get("pods", namespace="*").rows[0]
    m.get("apps/v1/deployments", namespace="a")
    assert core.asked("http")[-1][3] == "/apis/apps/v1/namespaces/a/deployments"
    core.answer = lambda ref, path, query: (200, table("n1", namespace=""))
    m.get("nodes", namespace="a")
    assert core.asked("http")[-1][3] == "/api/v1/nodes"


def test_all_namespaces_forbidden_falls_to_those_that_may_be_listed(core: FakeCore) -> None:
    def answer(ref: str, path: str, query: str) -> tuple[int, bytes]:
        if path == "/api/v1/namespaces":
            return 200, encode({"kind": "NamespaceList", "items": [{"metadata": {"name": n}} for n in "abc"]})
        if path.split("/")[4:5] in (["a"], ["c"]):
            return 200, table("web", namespace=path.split("/")[4])
        return 403, status('pods is forbidden: User "u" cannot list resource "pods" at the cluster scope')

    core.answer = answer
    found = manager(core).get("pods", namespace="*")
    assert [one.namespace for one in found] == ["a", "c"]
    assert "at the cluster scope; showing a, c" in found.clusters["dev"].reason


def test_forbidden_everywhere_is_forbidden(core: FakeCore) -> None:
    core.answer = lambda ref, path, query: (403, status("pods is forbidden"))
    for namespace in ("*", None):
        with pytest.raises(Forbidden, match="pods is forbidden") as caught:
            manager(core).get("pods", namespace=namespace)
        assert caught.value.cluster == "dev"


def test_one_clusters_trouble_is_a_state(core: FakeCore) -> None:
    core.answer = lambda ref, path, query: (200, table("web-0")) if ref == "ref-dev" else (401, status("Unauthorized"))
    found = manager(core, "dev", "prod").get("pods")
    assert [row["Cluster"] for row in found.rows] == ["dev"]
    assert not found.synced
    assert found.clusters["prod"].state == "login"
    assert "prod: login" in found._repr_mimebundle_()["text/plain"]


def test_the_trouble_of_all_is_raised(core: FakeCore) -> None:
    def answer(ref: str, path: str, query: str) -> tuple[int, bytes]:
        if ref == "ref-dev":
            raise Failure("unreachable", "connection refused")
        return 401, status("Unauthorized")

    core.answer = answer
    with pytest.raises(LoginRequired, match="no better on dev"):
        manager(core, "dev", "prod").get("pods")
    with pytest.raises(Unreachable) as caught:
        manager(core, "dev").get("pods")
    assert caught.value.cluster == "dev"


def test_kinds(core: FakeCore) -> None:
    core.answer = lambda ref, path, query: (200, table("x"))
    m = manager(core)
    for kind in ("pods", "pod", "po", "Pod", "v1/pods"):
        m.get(kind)
    assert {call[3] for call in core.asked("http")} == {"/api/v1/namespaces/default/pods"}
    with pytest.raises(UnknownKind, match="deployments"):
        m.get("deploymnets")
    assert ("discover", "ref-dev", True) in core.calls
    with pytest.raises(InvalidArgument, match="category"):
        m.get("all")


def test_a_kind_that_appears_later_is_found(core: FakeCore) -> None:
    core.answer = lambda ref, path, query: (200, table("x"))
    things = fake_core.PODS | {"name": "things", "singular": "thing", "kind": "Thing", "group": "example.com"}
    m = manager(core)
    asked = core.discover

    def discover(conn: str, ref: str, refresh: bool = False) -> Any:
        if refresh:
            core.served = [*core.served, things]
        return asked(conn, ref, refresh)

    core.discover = discover  # type: ignore[method-assign]
    assert len(m.get("things")) == 1
    assert core.asked("http")[0][3] == "/apis/example.com/v1/namespaces/default/things"


def test_a_selector_that_the_server_refuses(core: FakeCore) -> None:
    core.answer = lambda ref, path, query: (400, status("unable to parse requirement: values[0][a]: Invalid value"))
    with pytest.raises(BadSelector, match="Invalid value"):
        manager(core).get("pods", selector="a in (b)")


def test_an_answer_that_is_no_list(core: FakeCore) -> None:
    core.answer = lambda ref, path, query: (200, b"<html>")
    with pytest.raises(ServerError):
        manager(core).get("pods")
    with pytest.raises(ServerError):
        manager(core).get("pods", "web-0")


# --- one object ---------------------------------------------------------------------------------------------------


def test_one_object(core: FakeCore) -> None:
    core.answer = lambda ref, path, query: (200, encode({"kind": "Pod", **content("web-0")}))
    found = manager(core).get("pods", "web-0")
    assert isinstance(found, Object)
    assert (found.name, found.cluster) == ("web-0", "dev")
    assert core.asked("http") == [
        ("http", "ref-dev", "GET", "/api/v1/namespaces/default/pods/web-0", "", "application/json")
    ]
    manager(core).get("pods", "a:b@c", namespace="x")
    assert core.asked("http")[-1][3] == "/api/v1/namespaces/x/pods/a%3Ab%40c"


def test_a_name_that_is_not_there_has_near_ones(core: FakeCore) -> None:
    core.answer = lambda ref, path, query: (200, table("web-0", "db-0")) if query else (404, status("not found"))
    with pytest.raises(NotFound, match="did you mean web-0") as caught:
        manager(core).get("pods", "web-00")
    assert "in default" in str(caught.value)
    core.answer = lambda ref, path, query: (403, status("no")) if query else (404, status("not found"))
    with pytest.raises(NotFound, match="no pod 'web-00'"):
        manager(core).get("pods", "web-00")


def test_a_name_in_two_clusters_is_ambiguous(core: FakeCore) -> None:
    core.answer = lambda ref, path, query: (200, encode({"kind": "Pod", **content("web-0")}))
    m = manager(core, "dev", "prod")
    with pytest.raises(Ambiguous, match="prod: default/web-0"):
        m.get("pods", "web-0")
    assert m.get("pods", "web-0", cluster="prod").cluster == "prod"


def test_a_name_in_one_of_two_clusters_is_found(core: FakeCore) -> None:
    def answer(ref: str, path: str, query: str) -> tuple[int, bytes]:
        if ref == "ref-dev":
            raise Failure("unreachable", "connection refused")
        return 200, encode({"kind": "Pod", **content("web-0")})

    core.answer = answer
    assert manager(core, "dev", "prod").get("pods", "web-0").cluster == "prod"
    core.answer = lambda ref, path, query: (404, b"") if ref == "ref-prod" else answer(ref, path, query)
    with pytest.raises(Unreachable):
        manager(core, "dev", "prod").get("pods", "web-0")


def test_a_name_in_all_namespaces_or_several(core: FakeCore) -> None:
    def answer(ref: str, path: str, query: str) -> tuple[int, bytes]:
        if "fieldSelector" in query:
            assert parse_qs(query)["fieldSelector"] == ["metadata.name=web-0"]
            return 200, table("web-0", namespace="b")
        if path == "/api/v1/namespaces/b/pods/web-0":
            return 200, encode({"kind": "Pod", **content("web-0", "b")})
        return 404, status("not found")

    core.answer = answer
    m = manager(core)
    assert m.get("pods", "web-0", namespace="*").namespace == "b"
    assert m.get("pods", "web-0", namespace=["a", "b"]).namespace == "b"


@pytest.mark.parametrize("named", [{"selector": "a=b"}, {"field_selector": "a=b"}])
def test_a_name_and_a_selector_exclude_each_other(core: FakeCore, named: Any) -> None:
    with pytest.raises(InvalidArgument):
        manager(core).get("pods", "web-0", **named)
    with pytest.raises(InvalidArgument):
        manager(core).get("pods", "")


@pytest.mark.parametrize("name", ["", "..", "a/b", "a%2fb", "a\0", " ", "\ud800", 5, None, b"a"])
def test_what_no_object_is_called_is_no_path(name: Any) -> None:
    with pytest.raises(InvalidArgument, match="cannot be an object's name"):
        blocking(fetch_one([], "pods", name, ()))
    check_name("system:node-1.a_B")
