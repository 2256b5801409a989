"""What to do next about a refusal: found out by asking, within limits."""

from __future__ import annotations

import json
import re
import socket
import time
from typing import Any

import msgspec
import pytest

from notebook_mux import errors
from notebook_mux.handles import advice
from notebook_mux.kernel.failure import Failure
from tests.unit import fake_core
from tests.unit.fake_core import FakeCore, manager

HOST = socket.gethostname()


@pytest.fixture
def core(monkeypatch: pytest.MonkeyPatch) -> FakeCore:
    return fake_core.install(monkeypatch)


def forbid(core: FakeCore, *namespaces: str, allowed: tuple[str, ...] = (), listable: bool = True) -> None:
    """A cluster with these namespaces; what `allowed` are may be listed."""

    def answer(ref: str, path: str, query: str) -> tuple[int, bytes]:
        if path == "/api/v1/namespaces" and listable:
            return 200, msgspec.json.encode({"items": [{"metadata": {"name": name}} for name in namespaces]})
        return 403, json.dumps({"kind": "Status", "message": 'User "u" cannot list that'}).encode()

    def review(ref: str, body: dict[str, Any]) -> dict[str, Any]:
        return {"allowed": body["spec"]["resourceAttributes"]["namespace"] in allowed}

    core.answer, core.review = answer, review


def refused(core: FakeCore, kind: str = "pods", **more: Any) -> errors.Forbidden:
    with pytest.raises(errors.Forbidden) as caught:
        manager(core).get(kind, **more)
    assert 2 <= len(caught.value.lines()) <= 5
    return caught.value


def test_the_namespaces_that_would_work(core: FakeCore) -> None:
    forbid(core, "a", "b", "c", "default", allowed=("b", "c"))
    error = refused(core)
    assert error.said == 'User "u" cannot list that'
    assert error.todo == "namespace=['b', 'c'] would work: you may list pods there; checked 3 namespaces"


def test_none_would_work(core: FakeCore) -> None:
    forbid(core, "a", "b")
    error = refused(core, namespace="x")
    assert error.todo == "ask for the right to list pods: checked 2 namespaces (a, b), and none allows it"


def test_namespaces_that_may_not_be_listed(core: FakeCore) -> None:
    forbid(core, allowed=("default",), listable=False)
    error = refused(core, namespace="x")
    assert error.todo == "namespace=['default'] would work: you may list pods there; checked 1 namespace"
    error = refused(core)
    assert "none is known to check" in str(error.todo)


def test_projects_of_openshift(core: FakeCore) -> None:
    forbid(core, allowed=("mine",), listable=False)
    refuses = core.answer
    body = b'{"items": [{"metadata": {"name": "mine"}}]}'
    core.answer = lambda ref, path, query: (200, body) if path.endswith("/projects") else refuses(ref, path, query)
    assert "namespace=['mine'] would work" in str(refused(core).todo)


def test_the_questions_are_bounded(core: FakeCore) -> None:
    names = [f"n{number:03}" for number in range(500)]
    forbid(core, *names, allowed=tuple(names))
    error = refused(core)
    posts = [call for call in core.asked("http") if call[2] == "POST"]
    assert len(posts) == advice.MAX_CHECKED
    assert error.todo == (
        "namespace=['n000', 'n001', 'n002', 'n003', 'n004'] would work (and 35 more): you may list pods there;"
        " checked 40 of 500 namespaces"
    )


def test_what_is_in_no_namespace(core: FakeCore) -> None:
    forbid(core, "a")
    assert "in the whole cluster (a ClusterRole)" in str(refused(core, "nodes").todo)
    assert not [call for call in core.asked("http") if call[2] == "POST"]


def test_an_answer_that_cannot_be_read_leaves_the_plain_words(core: FakeCore, monkeypatch: pytest.MonkeyPatch) -> None:
    forbid(core, "a")
    one = manager(core)._identity
    error = errors.Forbidden("no", cluster="dev", todo="plain")

    def fails(*args: Any, **more: Any) -> Any:
        return fake_core.done(Failure("unreachable", "gone"))

    monkeypatch.setattr(core, "discover", fails)
    from notebook_mux.handles.waiting import blocking

    assert blocking(advice.advice(one, error, "pods", (), ("list",))).todo == "plain"
    other = errors.Forbidden("no", cluster="another", todo="plain")
    assert blocking(advice.advice(one, other, "pods", (), ("list",))) is other


def test_a_stream_is_advised_too(core: FakeCore) -> None:
    forbid(core, "team", allowed=("team",))
    core.prepare = lambda stream: stream.say(
        "forbidden", "not allowed", said="User u cannot list pods", code="forbidden"
    )
    with pytest.raises(errors.Forbidden) as caught:
        manager(core).watch("pods")
    assert caught.value.said == "User u cannot list pods"
    assert "namespace=['team'] would work: you may list and watch pods there" in str(caught.value.todo)


def test_a_stream_that_wants_a_login_says_where_and_how(core: FakeCore) -> None:
    words = "the credential plugin 'gke-gcloud-auth-plugin' failed with exit code 1"
    core.prepare = lambda stream: stream.say("login", words, said="Please run: gcloud auth login")
    with pytest.raises(errors.LoginRequired) as caught:
        manager(core).watch("pods")
    what, said, todo = caught.value.lines()
    assert words in what
    assert said == "  said: Please run: gcloud auth login"
    assert f"in a terminal on {HOST} run: gcloud auth login (or: kubectl " in todo


def test_one_object_is_advised_too(core: FakeCore) -> None:
    forbid(core, "team", allowed=("team",))
    with pytest.raises(errors.Forbidden) as caught:
        manager(core).get("pods", "web-0")
    assert "namespace=['team'] would work: you may get pods there" in str(caught.value.todo)


def test_a_stream_of_a_cluster_that_is_away_says_when_it_is_tried_again(core: FakeCore) -> None:
    soon = time.time() + 30

    def away(stream: fake_core.FakeStream) -> None:
        stream.say("unreachable", "no connection to https://dev:6443 within 10 s", retry_at=soon)

    core.prepare = away
    stream = manager(core).watch("pods")
    with pytest.raises(errors.NotSynced, match="no connection to https://dev:6443 within 10 s") as caught:
        _ = stream.rows
    assert re.fullmatch(
        rf"it is tried again by itself, next in (30|29|28) s; .* VPN must be up on {re.escape(HOST)}, where this runs",
        str(caught.value.todo),
    )
    stream.close()


def test_where_it_runs() -> None:
    assert advice.here(("auto", None)) == HOST
    assert advice.here(("url", "http://127.0.0.1:8123/?token=t")) == HOST
    assert advice.here(("url", "https://hub.example.com/x")) == "hub.example.com"


def test_a_login_names_host_and_command(core: FakeCore) -> None:
    one = manager(core)
    error = errors.LoginRequired("the credential plugin 'aws' failed with exit code 255 on here", said="token expired")
    told = advice.plain_advice(one._identity, one._identity.contexts[0], error)
    command = "aws sso login (or: kubectl --kubeconfig /k --context dev get namespaces)"
    assert told.lines() == [
        "LoginRequired: the credential plugin 'aws' failed with exit code 255 on here",
        "  said: token expired",
        f"  next: in a terminal on {HOST} run: {command}; then run the cell again",
    ]


def test_how_long_it_took_is_said_of_a_request_too(core: FakeCore, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*args: Any, **more: Any) -> Any:
        return fake_core.done(Failure("unreachable", "no connection to https://dev:6443", said="Connection refused"))

    monkeypatch.setattr(core, "http", fails)
    with pytest.raises(errors.Unreachable) as caught:
        manager(core).get("pods")
    assert re.search(r"no connection to https://dev:6443.*, after \d+\.\d s", caught.value.what)


def test_a_server_that_is_away(core: FakeCore) -> None:
    one = manager(core)
    context = one._identity.contexts[0]
    error = errors.Unreachable("no connection to https://dev:6443", cluster="dev", said="Connection refused")
    told = advice.plain_advice(one._identity, context, error, 0.25)
    assert told.what == "no connection to https://dev:6443, after 0.2 s"
    assert f"its VPN must be up on {HOST}" in str(told.todo)
    late = advice.plain_advice(
        one._identity, context, errors.Unreachable("no connection to https://dev:6443 within 10 s")
    )
    assert late.what == "no connection to https://dev:6443 within 10 s"
    ours = errors.GatewayError("the gateway is away", todo="x")
    assert advice.plain_advice(one._identity, context, ours).todo == "x"
