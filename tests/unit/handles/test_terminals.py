from __future__ import annotations

from typing import Any

import pytest

from notebook_mux import errors
from notebook_mux.handles.terminals import Session, place_of
from notebook_mux.kernel.failure import Failure
from tests.unit import fake_core
from tests.unit.fake_core import FakeCore, manager
from tests.unit.fake_terminals import FakeTerminals

PATH = "/api/v1/namespaces/default/pods/web-0/exec"
ABOUT = {"words": "web-0", "cluster": "dev", "container": "main", "containers": [("main", "container")]}


@pytest.fixture
def core(monkeypatch: pytest.MonkeyPatch) -> FakeCore:
    return fake_core.install(monkeypatch)


@pytest.fixture
def terminals(core: FakeCore) -> FakeTerminals:
    return core.terminals


@pytest.fixture
def session(core: FakeCore) -> Session:
    order = {
        "key": "k",
        "scope": "s",
        "path": PATH,
        "queries": ["container=main&stdin=true&stdout=true&tty=true&command=bash"],
    }
    id_ = core.terminals.open("auto", "ref-dev", order, ABOUT).result()
    return Session(manager(core), id_, allowed)


async def allowed(session: Session) -> None:
    """Nothing is in the way."""


def test_what_it_is_of(session: Session) -> None:
    assert (session.words, session.cluster, session.namespace) == ("web-0", "dev", "default")
    assert (session.pod, session.container, session.containers) == ("web-0", "main", [("main", "container")])
    assert (session.command, session.attached, session.stdin) == (("bash",), False, True)
    assert session.tty
    assert repr(session) == "<Session of web-0: running>"


def test_what_it_is_of_is_what_it_was_started_with(session: Session, terminals: FakeTerminals) -> None:
    path = "/api/v1/namespaces/shop/pods/api-1/attach"
    terminals.happen(session.id, path=path, queries=("container=a%2Fb&stdout=true",))
    assert (session.namespace, session.pod, session.container) == ("shop", "api-1", "a/b")
    assert (session.attached, session.stdin, session.tty) == (True, False, False)
    terminals.happen(session.id, path="", queries=())
    assert (session.pod, session.container) == ("", "")


def test_how_it_stands(session: Session, terminals: FakeTerminals) -> None:
    assert (session.state, session.reason, session.returncode, session.kept) == ("running", "", None, 600.0)
    terminals.happen(session.id, state="ended", returncode=3, since=7.0, run=2)
    assert (session.state, session.returncode, session.since, session.run) == ("ended", 3, 7.0, 2)
    terminals.happen(session.id, state="lost", reason="the stream broke", said="EOF", todo="look", returncode=None)
    assert (session.state, session.reason, session.todo) == ("lost", "the stream broke (EOF)", "look")
    terminals.happen(session.id, state="running", offline=("the socket was cut", 2.0))
    assert (session.state, session.reason) == ("offline", "the socket was cut")
    assert repr(session) == "<Session of web-0: offline (the socket was cut)>"


def test_who_wants_to_know(session: Session, terminals: FakeTerminals) -> None:
    seen: list[str] = []
    undo = session.on_state(lambda: seen.append(session.state))
    terminals.happen(session.id, state="ended")
    undo()
    terminals.happen(session.id, state="running")
    assert seen == ["ended"]


def test_a_view(session: Session, terminals: FakeTerminals) -> None:
    heard: list[Any] = []
    attached = session.attach("v", heard.extend)
    (name,) = terminals.says
    terminals.says[name](["{}", b"\0"])
    assert heard == ["{}", b"\0"]
    attached.send(["{}", b"\0"])
    assert terminals.said_ == [(name, ["{}", b"\0"])]
    terminals.failing["said"] = Failure("protocol", "a page sent what is no message")
    with pytest.raises(errors.ProtocolError, match="no message"):
        attached.send(["nonsense"])
    attached.close()
    attached.close()
    assert terminals.says == {}


def test_tickets(session: Session, terminals: FakeTerminals) -> None:
    assert session.ticket("http://o").result(30)["port"] == 1
    assert terminals.asked("ticket") == [("ticket", session.id, "http://o")]
    terminals.failing["ticket"] = Failure("invalid", "there is no such way here")
    with pytest.raises(errors.InvalidArgument, match="no such way"):
        session.ticket("http://o").result(30)
    session.close()
    with pytest.raises(errors.Closed):
        session.ticket("http://o").result(30)


def test_the_next_run(session: Session, terminals: FakeTerminals) -> None:
    session.again()
    assert terminals.asked("again") == [("again", session.id)]
    terminals.failing["again"] = Failure("invalid", "its program still runs", todo="end it first")
    with pytest.raises(errors.InvalidArgument, match="still runs"):
        session.again()


def test_taking_over_asks_anew(core: FakeCore, session: Session, terminals: FakeTerminals) -> None:
    terminals.happen(session.id, others=({"terminal": "x", "title": "bash", "since": 1.0, "kernel": "k"},))
    assert session.others == [{"terminal": "x", "title": "bash", "since": 1.0, "kernel": "k"}]
    session.take("x")
    assert terminals.asked("take") == [("take", session.id, "x")]

    async def refuse(_: Session) -> None:
        raise errors.Forbidden("you may not")

    with pytest.raises(errors.Forbidden):
        Session(manager(core), session.id, refuse).take("x")
    assert len(terminals.asked("take")) == 1


def test_the_end(session: Session, terminals: FakeTerminals) -> None:
    session.close()
    session.close()
    assert (session.state, session.reason, session.closed) == ("closed", "closed by close()", True)
    assert (session.pod, session.words) == ("web-0", "web-0"), "what it was is still told"
    assert session.on_state(print)() is None
    with pytest.raises(errors.Closed):
        session.attach("v", print)
    with pytest.raises(errors.Closed):
        session.again()


def test_a_connection_that_was_closed(session: Session, terminals: FakeTerminals) -> None:
    assert session.state == "running"
    del terminals.known[session.id]
    assert (session.state, session.reason) == ("closed", "the connection was closed")


def test_paths() -> None:
    assert place_of(PATH) == ("default", "web-0")
    assert place_of("") == ("", "")
