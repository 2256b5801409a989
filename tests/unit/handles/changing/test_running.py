from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import msgspec
import pytest

from notebook_mux import errors
from notebook_mux.handles.changing import calls
from notebook_mux.handles.manager import Manager
from notebook_mux.handles.waiting import blocking
from notebook_mux.kernel.failure import Failure
from notebook_mux.kernel.requests import LOST_WORDS
from notebook_mux.printing.outcome import Outcome
from tests.unit import fake_core
from tests.unit.fake_core import FakeCore, done, manager

PODS = "/api/v1/namespaces/default/pods"


class ChangingCore(FakeCore):
    """Pods that can be deleted.

    Attributes:
        there: By name.
        deleted: Names, in order; rehearsals are not among them.
        fault: Asked before a deletion that is none: what becomes of it; None lets it be.
        reviews: The access reviews that were asked for.
    """

    def __init__(self) -> None:
        super().__init__()
        self.there = {name: pod(name) for name in ("a", "b", "c", "d")}
        self.deleted: list[str] = []
        self.rehearsed = 0
        self.fault: Callable[[str], Future[Any] | None] = lambda name: None
        self.reviews: list[dict[str, Any]] = []
        self.review = self._review
        self.denied: set[tuple[str, str]] = set()
        self.answer = self._read

    def http(self, conn: str, ref: str, method: str, path: str, query: str = "", **more: Any) -> Future[Any]:
        if method != "DELETE":
            return super().http(conn, ref, method, path, query, **more)
        name = path.rpartition("/")[2]
        options = msgspec.json.decode(more["body"])
        assert options["preconditions"] == {"uid": f"uid-{name}"}
        if options.get("dryRun") == ["All"]:
            self.rehearsed += 1
        else:
            faulty = self.fault(name)
            if faulty is not None:
                return faulty
            self.deleted.append(name)
            del self.there[name]
        return done((200, {}, msgspec.json.encode({"kind": "Status"})))

    def _read(self, ref: str, path: str, query: str) -> tuple[int, bytes]:
        found = self.there.get(path.rpartition("/")[2])
        return (200, msgspec.json.encode(found)) if found else (404, b'{"kind":"Status","reason":"NotFound"}')

    def _review(self, ref: str, review: dict[str, Any]) -> dict[str, Any]:
        asked = review["spec"]["resourceAttributes"]
        self.reviews.append(asked)
        no = (asked["verb"], asked.get("name", "")) in self.denied
        return {"allowed": not no, "reason": "because" if no else ""}


def pod(name: str) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "default", "uid": f"uid-{name}"}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {}}


@pytest.fixture
def core(monkeypatch: pytest.MonkeyPatch) -> ChangingCore:
    core = ChangingCore()
    monkeypatch.setattr(fake_core, "FakeCore", lambda: core)
    fake_core.install(monkeypatch)
    return core


@pytest.fixture
def m(core: ChangingCore) -> Manager:
    made = manager(core)
    made._closed = False
    made._write = frozenset({"ref-dev"})
    return made


def delete(m: Manager, *names: str, dry_run: bool = False) -> Outcome:
    return blocking(calls.delete(m, [f"pod/{name}" for name in names], "background", None, dry_run, None, None))


def test_all_are_rehearsed_before_one_is_done(core: ChangingCore, m: Manager) -> None:
    assert [row["Result"] for row in delete(m, "a", "b", dry_run=True).rows] == ["deleted (server dry run)"] * 2
    assert (core.rehearsed, core.deleted) == (2, [])
    with pytest.raises(errors.NotFound):
        delete(m, "a", "nope")
    assert core.deleted == []
    outcome = delete(m, "a", "b", "a")
    assert ([row["Name"] for row in outcome.rows], sorted(core.deleted)) == (["a", "b"], ["a", "b"])
    assert not outcome.dry_run


def test_rights_are_asked_for_all_at_once_and_by_name_where_that_is_refused(core: ChangingCore, m: Manager) -> None:
    delete(m, "a", "b", dry_run=True)
    assert [(one["verb"], one.get("name")) for one in core.reviews] == [("get", None), ("delete", None)]
    core.reviews.clear()
    core.denied = {("delete", "")}  # but each of them may be, by its name
    delete(m, "a", "b")
    assert ("delete", "b") in {(one["verb"], one.get("name")) for one in core.reviews}
    core.denied = {("delete", ""), ("delete", "d")}
    with pytest.raises(errors.Forbidden, match="you may not delete pods in namespace default") as caught:
        delete(m, "c", "d")
    assert "pod default/d" in str(caught.value)
    assert caught.value.said == "because"
    assert "pods: get, delete" in str(caught.value)
    assert sorted(core.deleted) == ["a", "b"]


def test_what_nobody_can_tell(core: ChangingCore, m: Manager) -> None:
    core.fault = lambda name: done(Failure("unreachable", LOST_WORDS)) if name == "b" else None
    with pytest.raises(errors.OutcomeUnknown, match="nobody can tell"):
        delete(m, "b")
    with pytest.raises(errors.PartlyDone, match=r"1 of 2 done; not pod default/b") as caught:
        delete(m, "a", "b")
    assert [row["Result"] for row in caught.value.outcome.rows] == ["deleted", "unknown"]
    core.fault = lambda name: done(Failure("unreachable", "no route to the cluster"))
    with pytest.raises(errors.Unreachable, match="no route"):
        delete(m, "c")


def test_where_all_fail_it_is_said_once(core: ChangingCore, m: Manager) -> None:
    body = msgspec.json.encode({"kind": "Status", "message": "etcd is down"})
    core.fault = lambda name: done((500, {}, body))
    with pytest.raises(errors.PartlyDone, match="0 of 2 done") as caught:
        delete(m, "a", "b")
    assert caught.value.said == "etcd is down"
    with pytest.raises(errors.ServerError, match="HTTP 500"):
        delete(m, "a")


def test_one_that_is_stopped_says_what_was_done(
    core: ChangingCore, m: Manager, capsys: pytest.CaptureFixture[str]
) -> None:
    core.fault = lambda name: Future() if name != "a" else None
    steps = calls.delete(m, [f"pod/{name}" for name in "abc"], "background", None, False, None, None)
    wait = steps.send(None)
    while wait.future.done():
        wait = steps.send(wait.future.result())
    steps.close()  # which an interrupt does
    said = capsys.readouterr().err
    assert "stopped after 1 of 3" in said
    lines = {line.split()[2]: line for line in said.splitlines() if line.startswith("Pod")}
    assert "deleted" in lines["a"]
    assert "unknown" in lines["b"]
    assert "under way" in lines["b"]


def test_what_is_no_target(core: ChangingCore, m: Manager) -> None:
    for target, words in {
        "app=web": "no one object",
        "pod/a pod/b": "no one object",
        7: "names nothing that could be changed",
        (): "nothing was named",
        "": "names nothing that could be changed",
        "pod/": "names nothing that could be changed",
    }.items():
        with pytest.raises(errors.InvalidArgument, match=words):
            blocking(calls.restart(m, target, False, None, None))
    namespaces: list[Any] = [5, "../x"]
    for namespace in namespaces:
        with pytest.raises(errors.InvalidArgument, match="cannot be a namespace's name"):
            blocking(calls.restart(m, "pod/a", False, namespace, None))
    with pytest.raises(errors.InvalidArgument, match="no object and no row"):
        blocking(calls.restart(m, {"app": "web"}, False, None, None))
    m._write = frozenset()
    with pytest.raises(errors.WriteRefused):
        delete(m, "a")
    assert core.deleted == []


def test_several_namespaces_to_look_in(core: ChangingCore, m: Manager) -> None:
    with pytest.raises(errors.Ambiguous, match="there 2 times"):  # these pods are in every namespace
        blocking(calls.delete(m, "pod/a", "background", None, False, ["default", "other"], ["dev"]))
    assert core.deleted == []


def test_owners_in_a_circle(core: ChangingCore, m: Manager) -> None:
    own = {"apiVersion": "v1", "kind": "Pod", "name": "a", "uid": "uid-a", "controller": True}
    core.there["a"]["metadata"]["ownerReferences"] = [own]
    with pytest.raises(errors.InvalidArgument, match="kept by pod a"):
        blocking(calls.restart(m, "pod/a", False, None, None))
