from __future__ import annotations

import pickle
from concurrent.futures import Future
from typing import Any
from urllib.parse import parse_qsl

import msgspec
import pytest

from notebook_mux import errors
from notebook_mux.handles import programs
from notebook_mux.handles.manager import Manager
from notebook_mux.handles.programs import Completed, bytes_of, words_of
from notebook_mux.handles.waiting import Wait
from notebook_mux.kernel.failure import Failure
from tests.unit import fake_core
from tests.unit.fake_core import FakeCore, done, manager

encode = msgspec.json.encode
SUCCESS = b'{"status":"Success"}'
POD: dict[str, Any] = {
    "kind": "Pod",
    "metadata": {"name": "web-0", "namespace": "default"},
    "spec": {"containers": [{"name": "main"}]},
    "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]},
}


def failed(message: str, reason: str = "InternalError", **more: Any) -> bytes:
    return encode({"status": "Failure", "message": message, "reason": reason, **more})


class RunningCore(FakeCore):
    """Runs nothing, and answers so."""

    def __init__(self) -> None:
        super().__init__()
        self.result: Any = (SUCCESS, b"out\xff", b"err")
        self.runs: list[tuple[Any, ...]] = []
        self.answer = lambda ref, path, query: (200, encode(POD))

    def exec(self, conn: str, ref: str, path: str, query: str, **more: Any) -> Future[Any]:
        self.runs.append((ref, path, parse_qsl(query), more))
        return self.result if isinstance(self.result, Future) else done(self.result)


@pytest.fixture
def core(monkeypatch: pytest.MonkeyPatch) -> RunningCore:
    core = RunningCore()
    monkeypatch.setattr(fake_core, "FakeCore", lambda: core)
    fake_core.install(monkeypatch)
    return core


@pytest.fixture
def writing(core: RunningCore) -> Manager:
    return allowed(manager(core), "ref-dev")


def allowed(made: Manager, *refs: str) -> Manager:
    """The manager, which may have been another test's, with write on these clusters."""
    made._write = frozenset(refs)
    return made


def test_what_is_asked_and_what_comes(core: RunningCore, writing: Manager) -> None:
    found = writing.exec("web-0", "ls -l 'a b'", stdin="in", timeout=3)
    assert found == Completed(("ls", "-l", "a b"), b"out\xff", b"err", 0, "web-0")
    [(ref, path, query, more)] = core.runs
    assert (ref, path) == ("ref-dev", "/api/v1/namespaces/default/pods/web-0/exec")
    assert query == [
        ("container", "main"),
        ("stdout", "true"),
        ("stderr", "true"),
        ("stdin", "true"),
        ("command", "ls"),
        ("command", "-l"),
        ("command", "a b"),
    ]
    assert more == {"scope": writing._identity.scope, "stdin": b"in", "timeout": 3}
    assert writing.exec("web-0", ["ls"], text=True).stdout == "out\ufffd"
    assert ("stdin", "true") not in core.runs[-1][2]
    assert core.runs[-1][3]["stdin"] is None


def test_exit_codes(core: RunningCore, writing: Manager) -> None:
    causes = {"causes": [{"reason": "ExitCode", "message": "3"}]}
    core.result = (failed("exit", "NonZeroExitCode", details=causes), b"", b"no such thing\n")
    found = writing.exec("web-0", "ls")
    assert found.returncode == 3
    with pytest.raises(errors.ProgramFailed, match="ls in pod web-0 ended with exit code 3") as caught:
        writing.exec("web-0", "ls", check=True)
    assert caught.value.said == "no such thing"
    assert isinstance(caught.value.completed, Completed)
    assert isinstance(pickle.loads(pickle.dumps(caught.value)), errors.ProgramFailed)
    with pytest.raises(errors.ProgramFailed):
        Completed(("ls",), "", "text", 1, "p").check_returncode()
    Completed(("ls",), "", "text", 0, "p").check_returncode()


def test_what_cannot_be_started(core: RunningCore, writing: Manager) -> None:
    core.result = (failed('exec: "nope": executable file not found in $PATH'), b"", b"")
    with pytest.raises(errors.NotFound, match="'nope' cannot be run in container main of pod default/web-0"):
        writing.exec("web-0", "nope")
    core.result = (failed("the runtime is on fire"), b"", b"")
    with pytest.raises(errors.ServerError, match="'ls' could not be run") as caught:
        writing.exec("web-0", "ls")
    assert caught.value.said == "the runtime is on fire"


def test_failures_say_where(core: RunningCore, writing: Manager) -> None:
    core.result = Failure("outcome-unknown", "the gateway that had started the program is gone", todo="look")
    with pytest.raises(errors.OutcomeUnknown) as caught:
        writing.exec("web-0", "ls")
    where = "(container main of pod default/web-0) (cluster dev)"
    assert caught.value.lines() == [
        f"OutcomeUnknown: the gateway that had started the program is gone {where}",
        "  next: look",
    ]


def test_what_came_before_the_time_limit_is_kept(core: RunningCore, writing: Manager) -> None:
    core.result = Failure("timeout", "the program did not end within 1 s", stdout=b"out\xff", stderr=b"err")
    with pytest.raises(errors.TimedOut) as caught:
        writing.exec("web-0", "ls")
    assert (caught.value.stdout, caught.value.stderr) == (b"out\xff", b"err")
    with pytest.raises(errors.TimedOut) as caught:
        writing.exec("web-0", "ls", text=True)
    assert (caught.value.stdout, caught.value.stderr) == ("out\ufffd", "err")
    core.result = Failure("timeout", "no gateway")
    with pytest.raises(errors.TimedOut) as caught:
        writing.exec("web-0", "ls", text=True)
    assert (caught.value.stdout, errors.TimedOut("x").stderr) == (None, None)


def test_looking_is_the_default(core: RunningCore) -> None:
    with pytest.raises(errors.WriteRefused, match="dev is connected to look only"):
        allowed(manager(core)).exec("web-0", "ls")
    assert core.calls == [], "nothing was asked"
    two = allowed(manager(core, "dev", "prod"), "ref-dev")
    core.answer = lambda ref, path, query: (200, encode(POD)) if ref == "ref-prod" else (404, b"{}")
    with pytest.raises(errors.WriteRefused, match="prod is connected to look only"):
        two.exec("web-0", "ls")
    assert core.runs == []


@pytest.mark.parametrize("verb", ["get", "create"])
def test_the_missing_right(core: RunningCore, writing: Manager, verb: str) -> None:
    asked = []

    def review(ref: str, review: dict[str, Any]) -> dict[str, Any]:
        asked.append(review["spec"]["resourceAttributes"])
        return {"allowed": asked[-1]["verb"] != verb}

    core.review = review
    with pytest.raises(errors.Forbidden, match=f"you may not {verb} pods/exec in namespace default"):
        writing.exec("web-0", "ls")
    assert asked[-1] == {
        "verb": verb,
        "group": "",
        "resource": "pods",
        "subresource": "exec",
        "name": "web-0",
        "namespace": "default",
    }
    assert core.runs == []


def test_a_cluster_that_answers_no_review_is_asked_all_the_same(core: RunningCore, writing: Manager) -> None:
    core.review = lambda ref, review: {}
    assert writing.exec("web-0", "ls").returncode == 0


def test_a_ready_pod_of_a_workload(core: RunningCore, writing: Manager) -> None:
    owner = {"kind": "Deployment", "metadata": {"name": "web", "namespace": "default"},
             "spec": {"selector": {"matchLabels": {"app": "web"}}}}  # fmt: skip
    pods: list[dict[str, Any]] = []

    def answer(ref: str, path: str, query: str) -> tuple[int, bytes]:
        if path.endswith("/deployments/web"):
            return 200, encode(owner)
        assert ("labelSelector", "app=web") in parse_qsl(query)
        rows = [{"cells": [], "object": pod} for pod in pods]
        return 200, encode({"kind": "Table", "metadata": {}, "columnDefinitions": [], "rows": rows})

    core.answer = answer
    with pytest.raises(errors.NotFound, match="no pod of deploy/web is ready: it has none"):
        writing.exec("deploy/web", "ls")
    for name, phase in (("a", "Pending"), ("c", "Running"), ("b", "Running")):
        status = {**POD["status"], "phase": phase}
        metadata = {"name": name, "namespace": "default", "uid": name}
        pods.append({**POD, "metadata": metadata, "status": status})
    assert writing.exec("deploy/web", "ls").pod == "b"
    del pods[1:]
    with pytest.raises(errors.NotFound, match="a is Pending"):
        writing.exec("deploy/web", "ls")
    owner["spec"] = {}
    with pytest.raises(errors.InvalidArgument, match="deploy/web selects no pods"):
        writing.exec("deploy/web", "ls")


def test_who_does_not_wait_any_more_ends_it(core: RunningCore, writing: Manager) -> None:
    core.result = future = Future()
    steps = programs.run(writing, "web-0", "ls", None, None, False, False, None, None, None)
    wait: Wait[Any] = steps.send(None)
    while wait.future is not future:
        wait = steps.send(wait.future.result())
    assert wait.words() == "running ls in container main of pod default/web-0 of dev"
    steps.close()
    assert future.cancelled()


@pytest.mark.parametrize("command", ["", " ", "'open", [], [""], [1], None, 3, ["a", None], ["a\0b"], ["a\ud800"]])
def test_what_is_no_command(command: Any) -> None:
    with pytest.raises(errors.InvalidArgument):
        words_of(command)


def test_words_and_bytes() -> None:
    assert words_of("sh -c 'ls | wc'") == ("sh", "-c", "ls | wc")
    assert words_of(("ls", "")) == ("ls", "")
    assert [bytes_of(given) for given in (None, "é", b"x", bytearray(b"y"), memoryview(b"z"))] == [
        None, b"\xc3\xa9", b"x", b"y", b"z",
    ]  # fmt: skip
    with pytest.raises(errors.InvalidArgument, match=r"path.read_bytes|text or bytes, not list"):
        bytes_of(["x"])


@pytest.mark.parametrize("timeout", [0, -1, float("nan")])
def test_a_time_limit_that_is_none(core: RunningCore, writing: Manager, timeout: float) -> None:
    with pytest.raises(errors.InvalidArgument, match="leaves no time"):
        writing.exec("web-0", "ls", timeout=timeout)
