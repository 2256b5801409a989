from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from notebook_mux.kernel.core import Core
from notebook_mux.kernel.failure import Failure
from notebook_mux.wire import messages
from notebook_mux.wire.frames import NUMBER, Channel, encode_frame
from tests.unit.kernel.conftest import eventually
from tests.unit.kernel.terminal_gateway import TerminalGateway

ORDER = {"key": "k", "path": "/api/v1/namespaces/a/pods/web-0/exec", "queries": ["container=main"], "scope": "s"}


@pytest.fixture
def gateway() -> Iterator[TerminalGateway]:
    fake = TerminalGateway()
    fake.start()
    yield fake
    fake.close()


@pytest.fixture
def core(monkeypatch: pytest.MonkeyPatch) -> Iterator[Core]:
    monkeypatch.setattr("notebook_mux.kernel.core.kernel_name", lambda: "kernel-1.json")
    made = Core()
    yield made
    made.shutdown()


@pytest.fixture
def conn(core: Core, gateway: TerminalGateway) -> str:
    return core.connect(("url", gateway.url), 30).result(60)


def opened(core: Core, conn: str, order: Any = ORDER, **more: Any) -> str:
    return core.terminals.open(conn, "ref-one", order, **more).result(60)


@pytest.fixture
def terminal(core: Core, conn: str, gateway: TerminalGateway) -> str:
    """One that runs."""
    made = opened(core, conn, about={"words": "web-0"})
    gateway.happen("k", "starting")
    gateway.happen("k", "running", command=["bash"])
    eventually(lambda: core.terminals.now(made)["state"] == "running", "it runs")
    return made


def stands(core: Core, terminal: str, state: str, **more: Any) -> None:
    def as_wanted() -> bool:
        now = core.terminals.now(terminal)
        return now["state"] == state and all(now[key] == value for key, value in more.items())

    eventually(as_wanted, f"{state} {more}")


class Page:
    """A page that looks at a terminal: its screen, and what it has typed."""

    def __init__(self, core: Core, terminal: str) -> None:
        self.core = core
        self.screen = b""
        self.words: list[dict[str, Any]] = []
        self.sent = 0
        self.name = core.terminals.look(terminal, "view", self.hear)

    def hear(self, items: list[Any]) -> None:
        for item in items:
            if isinstance(item, str):
                self.words.append(json.loads(item))
            elif item[4] == Channel.STDOUT:
                self.screen += item[5:]

    def say(self, *items: Any) -> None:
        self.core.terminals.said(
            self.name, [messages.encode(i) if isinstance(i, messages.Message) else i for i in items]
        )

    def view(self, **more: Any) -> None:
        self.say(messages.View(stream=1, terminal="", view="v" * 16, columns=80, rows=24, credit=1 << 20, **more))
        self.heard("shown")

    def type(self, keys: bytes) -> None:
        self.say(encode_frame(1, Channel.STDIN, NUMBER.pack(self.sent) + keys))
        self.sent += len(keys)

    def heard(self, kind: str, times: int = 1) -> dict[str, Any]:
        found: list[dict[str, Any]] = []

        def there() -> bool:
            found[:] = [word for word in self.words if word["type"] == kind]
            return len(found) >= times

        eventually(there, f"{kind} {times} times in {self.words}")
        return found[-1]


def test_it_is_started_once_and_found_again(core: Core, conn: str, gateway: TerminalGateway) -> None:
    first, second = core.terminals.open(conn, "ref-one", ORDER), core.terminals.open(conn, "ref-one", ORDER)
    assert first.result(60) == second.result(60) == opened(core, conn) == core.terminals.find(conn, "ref-one", "k")
    asked = [m for m in gateway.received if isinstance(m, messages.Terminal)]
    assert [m.start for m in asked] == ["create"]
    assert (asked[0].cluster, asked[0].path, asked[0].scope) == ("ref-one", ORDER["path"], "s")
    assert opened(core, conn, {**ORDER, "key": "other"}) != first.result(0)
    assert core.terminals.find(conn, "ref-one", "nope") == ""


@pytest.mark.parametrize("heard", [True, False])
def test_a_cut_while_it_is_started_starts_it_once(core: Core, conn: str, gateway: TerminalGateway, heard: bool) -> None:
    gateway.cut_at_start(heard=heard)
    assert opened(core, conn)
    asked = [m.start for m in gateway.received if isinstance(m, messages.Terminal)]
    assert asked == ["create", "find"] if heard else ["create", "find", "create"]
    assert gateway.started == 1


@pytest.mark.parametrize("then", [{"restart": True}, {"refuse": True}])
def test_another_gateway_does_not_start_it_once_more(
    core: Core, conn: str, gateway: TerminalGateway, then: dict[str, bool]
) -> None:
    gateway.cut_at_start(heard=True, **then)
    with pytest.raises(Failure, match="whether it had started") as unknown:
        opened(core, conn)
    assert unknown.value.code == "outcome-unknown"
    assert (gateway.started, core.terminals.all()) == (1, [])
    gateway.refusal = None
    assert opened(core, conn), "whoever asks again wants it"


def test_looking_for_one_starts_none(core: Core, conn: str, gateway: TerminalGateway) -> None:
    assert opened(core, conn, {"key": "k", "scope": "s"}, create=False) == ""
    gateway.terminals["k"] = ("kept", "/api/v1/namespaces/a/pods/web-7/exec", ["container=side&tty=true"])
    gateway.shown["kept"] = [(Channel.ERROR, b'{"run":3,"state":"ended","at":2.0,"code":4}')]
    found = opened(core, conn, {"key": "k", "scope": "s"}, create=False)
    stands(core, found, "ended", returncode=4, run=3, kept=600.0, path="/api/v1/namespaces/a/pods/web-7/exec")
    assert core.terminals.settled(found).result(60)["state"] == "ended"
    assert core.terminals.settled(found, 0.01).result(60)["queries"] == ("container=side&tty=true",)
    gateway.restart()
    gateway.cut()
    stands(core, found, "lost")
    core.terminals.again(found).result(60)
    anew = [m for m in gateway.received if isinstance(m, messages.Terminal)][-1]
    assert (anew.start, anew.path, anew.tty, anew.stdin) == ("create", now_path(core, found), True, False)


def now_path(core: Core, terminal: str) -> str:
    return str(core.terminals.now(terminal)["path"])


def test_how_it_stands(core: Core, terminal: str, gateway: TerminalGateway) -> None:
    calls: list[int] = []
    undo = core.terminals.on_change(terminal, lambda: calls.append(1))
    stands(core, terminal, "running", command=("bash",))
    gateway.happen("k", "ended", code=3)
    stands(core, terminal, "ended", returncode=3)
    eventually(lambda: calls, "whoever watches is woken")
    undo()
    before = len(calls)
    core.terminals.again(terminal).result(60)
    gateway.happen("k", "running", run=2)
    stands(core, terminal, "running", run=2, returncode=None, command=("bash",))
    with pytest.raises(Failure, match="still runs"):
        core.terminals.again(terminal).result(60)
    gateway.happen("k", "lost", run=2, code="unreachable", what="the stream broke", said="EOF", todo="look")
    stands(core, terminal, "lost", code="unreachable", reason="the stream broke", said="EOF", todo="look")
    assert len(calls) == before
    assert core.terminals.all()[0]["id"] == terminal
    assert core.status()["connections"][0]["terminals"][0]["about"] == {"words": "web-0"}


def test_what_is_shown_again_is_not_lived_through_again(core: Core, terminal: str, gateway: TerminalGateway) -> None:
    gateway.happen("k", "ended", code=0)
    gateway.happen("k", "running", run=2)
    stands(core, terminal, "running", run=2)
    states: list[str] = []
    core.terminals.on_change(terminal, lambda: states.append(core.terminals.now(terminal)["state"]))
    gateway.cut()
    eventually(lambda: states and core.terminals.now(terminal)["offline"] is None, "it is back")
    assert set(states) == {"running"}
    gateway.shown[gateway.terminals["k"][0]].clear()
    states.clear()
    gateway.cut()
    eventually(lambda: states and core.terminals.now(terminal)["offline"] is None, "it is back once more")
    assert set(states) == {"running"}


def test_a_cut_shows_it_from_where_the_page_stood(core: Core, terminal: str, gateway: TerminalGateway) -> None:
    page = Page(core, terminal)
    gateway.show("k", Channel.STDOUT, b"before ")
    page.view()
    page.type(b"ls")
    gateway.show("k", Channel.STDOUT, b"seen ")
    eventually(lambda: page.screen == b"before seen " and len(gateway.typed) == 1, "it is shown")
    gateway.cut()
    page.heard("offline")
    page.heard("shown", 2)
    gateway.show("k", Channel.STDOUT, b"after")
    eventually(lambda: page.screen.endswith(b"after"), "it goes on")
    assert page.screen == b"before seen after"
    assert len([m for m in gateway.received if isinstance(m, messages.Terminal) and m.start == "find"]) == 1
    assert page.heard("shown")["taken"] == 2
    page.type(b"lost")
    page.say('{"type":"seen","opened":2}')
    page.sent = 2
    page.type(b"\r")
    eventually(lambda: len(gateway.typed) == 2, "it is typed")
    assert gateway.taken[gateway.terminals["k"][0], "v" * 16] == b"ls\r"


def test_credit_is_the_pages(core: Core, terminal: str, gateway: TerminalGateway) -> None:
    page = Page(core, terminal)
    page.view()
    stream = max(gateway.views)
    for _ in range(40):
        gateway.show("k", Channel.STDOUT, bytes(50_000))
    eventually(lambda: len(page.screen) == 2_000_000, "it has come")
    granted = [m for m in gateway.received if isinstance(m, messages.Credit)]
    assert {m.stream for m in granted} <= {0}
    page.say(messages.Credit(stream=1, bytes=77))
    eventually(lambda: messages.Credit(stream=stream, bytes=77) in gateway.received, "the page's credit")


def test_another_gateway_starts_nothing_by_itself(core: Core, terminal: str, gateway: TerminalGateway) -> None:
    page = Page(core, terminal)
    page.view()
    gateway.stop()
    stands(core, terminal, "running")
    eventually(lambda: core.terminals.now(terminal)["offline"] is not None, "it is away")
    gateway.restart()
    gateway.start()
    stands(core, terminal, "lost", code="outcome-unknown", offline=None)
    assert "the gateway that held it is gone" in core.terminals.now(terminal)["reason"]
    assert gateway.terminals == {}
    core.terminals.again(terminal).result(60)
    assert list(gateway.terminals) == ["k"]
    page.heard("renewed")
    page.view()
    gateway.happen("k", "running", command=["sh"])
    gateway.show("k", Channel.STDOUT, b"$ ")
    stands(core, terminal, "running", command=("sh",))
    eventually(lambda: page.screen == b"$ ", "it is shown")


def test_one_that_ended_while_the_socket_was_away(core: Core, terminal: str, gateway: TerminalGateway) -> None:
    name = gateway.terminals["k"][0]
    gateway.stop()
    gateway.shown[name].append((Channel.ERROR, b'{"run":1,"state":"ended","at":2.0,"code":9}'))
    gateway.start()
    stands(core, terminal, "ended", returncode=9, offline=None)


def test_one_that_the_gateway_has_no_more(core: Core, terminal: str, gateway: TerminalGateway) -> None:
    gateway.send_raw(*[
        messages.encode(messages.Ended(stream=stream, code="closed", what="it was ended by notebook-mux stop"))
        for stream in gateway.views
    ])  # fmt: skip
    stands(core, terminal, "lost", reason="it was ended by notebook-mux stop")


def test_a_refusal_when_it_is_looked_for_again(core: Core, terminal: str, gateway: TerminalGateway) -> None:
    gateway.refusal = messages.Failure(id=0, code="write-refused", what="this gateway only looks")
    gateway.cut()
    stands(core, terminal, "lost", code="write-refused", reason="this gateway only looks")


def test_a_start_that_fails_is_none(core: Core, conn: str, gateway: TerminalGateway) -> None:
    gateway.refusal = messages.Failure(id=0, code="forbidden", what="no")
    with pytest.raises(Failure, match="no"):
        opened(core, conn)
    assert core.terminals.all() == []
    gateway.refusal = None
    assert opened(core, conn)


def test_taking_over(core: Core, terminal: str, gateway: TerminalGateway) -> None:
    mine, page = gateway.terminals["k"][0], Page(core, terminal)
    page.view()
    with pytest.raises(Failure, match="not there any more"):
        core.terminals.take(terminal, "theirs").result(60)
    assert gateway.hung_up == []
    gateway.others = [{"terminal": "theirs", "title": "bash", "since": 1.0, "kernel": "kernel-0.json"}]
    core.terminals.take(terminal, "theirs").result(60)
    page.heard("renewed")
    assert gateway.hung_up == [mine]
    gateway.terminals["k"] = ("theirs", "/p", [])
    gateway.happen("k", "running")
    stands(core, terminal, "running", path="/api/v1/namespaces/b/pods/taken/exec")
    page.view()


def test_closing_ends_it(core: Core, conn: str, terminal: str, gateway: TerminalGateway) -> None:
    page = Page(core, terminal)
    page.view()
    name = gateway.terminals["k"][0]
    core.terminals.close(terminal).result(60)
    assert gateway.hung_up == [name]
    assert page.heard("ended")["code"] == "closed"
    core.terminals.close(terminal).result(60)
    for call in (core.terminals.now, core.terminals.again, lambda id_: core.terminals.look(id_, "v", print)):
        with pytest.raises(Failure, match="closed"):
            call(terminal)
    page.say(messages.Size(stream=1, columns=1, rows=1))
    core.terminals.look_away(page.name)
    assert opened(core, conn) != terminal


def test_a_connection_that_is_closed_leaves_it_running(
    core: Core, conn: str, terminal: str, gateway: TerminalGateway
) -> None:
    page = Page(core, terminal)
    page.view()
    core.close(conn).result(60)
    assert page.heard("ended")["what"] == "the connection was closed"
    assert (gateway.hung_up, list(gateway.terminals)) == ([], ["k"])
    assert core.terminals.all() == []


def test_a_view_that_goes(core: Core, terminal: str, gateway: TerminalGateway) -> None:
    page = Page(core, terminal)
    page.view()
    before = len(gateway.views)
    core.terminals.look_away(page.name)
    eventually(lambda: len(gateway.views) == before - 1, "its stream is ended")
    page.say(messages.Size(stream=1, columns=1, rows=1))
    with pytest.raises(Failure, match="a page sent"):
        page.say(messages.Hangup(id=1, terminal="x"))


def test_tickets(core: Core, terminal: str) -> None:
    given = core.terminals.ticket(terminal, "http://o").result(60)
    assert given.pop("terminal").startswith("terminal-"), "the gateway's name of it"
    assert given == {"ticket": "secret", "port": 1, "path": "/p", "seconds": 30.0}


def test_without_a_name_a_process_is_for_itself(gateway: TerminalGateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("notebook_mux.kernel.core.kernel_name", lambda: "")
    keys = []
    for _ in range(2):
        core = Core()
        conn = core.connect(("url", gateway.url), 30).result(60)
        opened(core, conn)
        keys += [m.key for m in gateway.received if isinstance(m, messages.Terminal)][-1:]
        assert core.terminals.find(conn, "ref-one", "k")
        core.shutdown()
    assert len({*keys, "k"}) == 3


def test_a_command_that_is_not_there_seems_to_run_for_a_moment(
    core: Core, terminal: str, gateway: TerminalGateway
) -> None:
    settled = core.terminals.settled(terminal, calm=60.0)
    gateway.happen("k", "running", command=["sh"])
    stands(core, terminal, "running", command=("sh",))
    assert not settled.done()
    gateway.happen("k", "ended", code=None, message="executable file not found")
    assert settled.result(60)["state"] == "ended"
    gateway.happen("k", "running", run=2)
    stands(core, terminal, "running", run=2)
    assert core.terminals.settled(terminal, calm=0.01).result(60)["run"] == 2


def test_its_data_is_kept_with_it(core: Core, terminal: str) -> None:
    core.terminals.describe(terminal, {"words": "other"})
    stands(core, terminal, "running", about={"words": "other"})
