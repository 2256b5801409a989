"""Whose lines they are: pods that are made anew, that may be read and not watched, and that have gone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from notebook_mux.kernel.core import Core
from notebook_mux.tailing.store import LogStore
from notebook_mux.wire import messages
from tests.unit.kernel.conftest import eventually
from tests.unit.kernel.core_logs import Logs
from tests.unit.kernel.log_gateway import LogGateway
from tests.unit.tailing.held import Held
from tests.unit.tailing.node import Node


@pytest.fixture
def gateway() -> Iterator[LogGateway]:
    fake = LogGateway()
    fake.start()
    yield fake
    fake.close()


@pytest.fixture
def conn(core: Core, gateway: LogGateway) -> str:
    return core.connect(("url", gateway.url), 30).result(60)


# --- a pod that is made anew under its name: two pods, and nobody's lines twice ---------------------------------------


def made_anew(gateway: LogGateway, name: str) -> None:
    """The next pod of this name; its log is at the same address from now on."""
    old = gateway.nodes[name, "main"]
    node = Node()
    node.now = old.now + 3_000_000_000
    node.runs[0].number += 100  # another container
    gateway.change(name, "stop", tell=False)
    gateway.delete(name)
    gateway.nodes[name, "main"] = node
    gateway.pods[name]["metadata"]["uid"] += "-anew"
    gateway.tell(name)


def reads(gateway: LogGateway, name: str) -> None:
    def answer(message: Any) -> Any:
        return gateway.body(message.id, msgspec.json.encode(gateway.pods[name]))

    gateway.answers[messages.Http] = answer


@pytest.mark.parametrize("said", [b"old", b""])
def test_a_pod_that_is_made_anew_under_its_name(core: Core, conn: str, gateway: LogGateway, said: bytes) -> None:
    reads(gateway, "web-0")
    gateway.add("web-0")
    if said:
        gateway.write("web-0", said)
    logs = Logs(core, conn)
    logs.have(*filter(None, [said]))
    made_anew(gateway, "web-0")
    gateway.write("web-0", b"new 1")
    gateway.write("web-0", b"new 2")
    logs.have(*filter(None, [said]), b"new 1", b"new 2")
    logs.stand(0, "gone")
    logs.stand(1, "live")
    assert [one["lines"] for one in logs.state["sources"]] == [len(said) and 1, 2]


@pytest.mark.parametrize("said", [b"old", b""])
@pytest.mark.parametrize("tail", [-1, 10])
def test_a_pod_that_was_made_anew_while_the_socket_was_away(
    core: Core,
    conn: str,
    gateway: LogGateway,
    said: bytes,
    tail: int,
) -> None:
    reads(gateway, "web-0")
    gateway.add("web-0")
    if said:
        gateway.write("web-0", said)
    logs = Logs(core, conn, tail=tail)
    logs.have(*filter(None, [said]))
    gateway.stop()
    made_anew(gateway, "web-0")
    gateway.write("web-0", b"new 1")
    gateway.start()
    core.retry(conn)
    logs.stand(0, "gone")
    logs.stand(1, "live")
    gateway.write("web-0", b"new 2")
    logs.have(*filter(None, [said]), b"new 1", b"new 2")
    assert [one["lines"] for one in logs.state["sources"]] == [len(said) and 1, 2]
    assert [mark["mark"] for mark in logs.marks() if mark["mark"] != "joined"] == ["gap", "ended"]


# --- a pod that may be read and not watched --------------------------------------------------------------------------


PODS = "/api/v1/namespaces/default/pods"


@pytest.fixture
def unwatched(gateway: LogGateway, monkeypatch: pytest.MonkeyPatch) -> LogGateway:
    """Pods may be read and not listed; they are looked at each moment."""
    monkeypatch.setattr("notebook_mux.kernel.pod_asking.ASK_SECONDS", 0.02)

    def http(message: messages.Http) -> Any:
        name = message.path.rpartition("/")[2]
        if message.path == "/api/v1/namespaces":
            return gateway.body(message.id, b"{}", 403)
        if name not in gateway.pods:
            return gateway.body(message.id, b"{}", 404)
        return gateway.body(message.id, msgspec.json.encode(gateway.pod(name)))

    gateway.answers[messages.Http] = http
    gateway.state_of[PODS] = messages.State(stream=0, state="forbidden", said="pods is forbidden")
    return gateway


def test_a_pod_that_may_be_read_and_not_watched(core: Core, conn: str, unwatched: LogGateway) -> None:
    unwatched.add("web-0", tell=False)
    unwatched.write("web-0", b"a1")
    logs = Logs(core, conn, names=("web-0",))
    logs.have(b"a1")
    state = logs.state
    assert (state["problem"], state["settled"]) == (None, True)
    assert state["note"].startswith("pod web-0 may be read and not watched, so it is looked at every ")
    unwatched.write("web-0", b"a2")
    unwatched.change("web-0", "stop", tell=False)
    unwatched.change("web-0", "start", tell=False)
    unwatched.write("web-0", b"b1")
    logs.have(b"a1", b"a2", b"b1")
    logs.say("restarted")
    # one of the same name takes its place, and then none does
    unwatched.pods["web-0"]["metadata"]["uid"] = "another"
    eventually(lambda: len(logs.state["sources"]) == 2)
    logs.stand(0, "gone")
    del unwatched.pods["web-0"]
    unwatched.change("web-0", "stop", tell=False)
    logs.stand(1, "gone")


def test_it_is_watched_as_soon_as_it_may_be(core: Core, conn: str, unwatched: LogGateway) -> None:
    unwatched.add("web-0", tell=False)
    unwatched.write("web-0", b"a1")
    logs = Logs(core, conn, names=("web-0",))
    logs.have(b"a1")
    del unwatched.state_of[PODS]
    unwatched.cut()  # which has it subscribed anew
    unwatched.tell("web-0")
    eventually(lambda: logs.state["note"] == "")
    unwatched.write("web-0", b"a2")
    logs.have(b"a1", b"a2")
    assert len(logs.state["sources"]) == 1


def test_without_follow_it_is_read_once(core: Core, conn: str, unwatched: LogGateway) -> None:
    unwatched.add("web-0", tell=False)
    unwatched.write("web-0", b"a1")
    assert Logs(core, conn, names=("web-0",), follow=False).texts() == [b"a1"]


def test_one_that_may_not_be_read_either_is_a_problem(core: Core, conn: str, unwatched: LogGateway) -> None:
    unwatched.answers[messages.Http] = lambda message: unwatched.body(message.id, b"{}", 403)
    logs = Logs(core, conn, names=("web-0",))
    assert logs.state["problem"]["code"] == "forbidden"
    assert logs.state["note"] == ""


# --- what has gone ----------------------------------------------------------------------------------------------------


def test_what_has_gone_gives_its_place_up_when_none_of_its_lines_is_kept(
    core: Core, conn: str, gateway: LogGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("notebook_mux.kernel.logs.PLACE_SECONDS", 0.0)
    monkeypatch.setattr("notebook_mux.kernel.logs.LogStore", lambda: LogStore(max_lines=80))
    gateway.add("stays")
    gateway.write("stays", b"first")
    logs = Logs(core, conn)
    most = 0
    for at in range(40):
        name = f"job-{at}"
        gateway.add(name)
        gateway.write(name, *(b"%d %d" % (at, line) for line in range(10)))
        eventually(lambda: logs.texts()[-1] == b"%d 9" % at)  # noqa: B023 - of this turn
        names = {(pod, int(text.split()[0])) for pod, text in logs.lines() if text != b"first"}
        assert all(pod == f"job-{number}/main" for pod, number in names), "each line is of its own pod"
        gateway.nodes[name, "main"].over = True
        gateway.change(name, "stop", tell=False)
        gateway.delete(name)
        eventually(lambda: f"job-{at}" not in live_pods(logs))  # noqa: B023
        most = max(most, len(logs.state["sources"]))
    assert most < 20
    stream = core_logs(core, logs)
    assert len(stream._pods) < 20
    gateway.write("stays", b"and last")
    eventually(lambda: logs.lines()[-1] == ("stays/main", b"and last"))


def test_a_place_is_left_empty_a_while(core: Core, conn: str, gateway: LogGateway) -> None:
    gateway.add("web-0")
    logs = Logs(core, conn)
    gateway.change("web-0", "stop", tell=False)
    gateway.delete("web-0")
    logs.stand(0, "gone")
    gateway.add("web-1")
    eventually(lambda: len(logs.state["sources"]) == 2)
    logs.stand(1, "live")
    assert [one["pod"] for one in logs.state["sources"]] == ["web-0", "web-1"]


def live_pods(logs: Held) -> set[str]:
    return {one["pod"] for one in logs.state["sources"] if one["state"] != "gone"}


def core_logs(core: Core, logs: Held) -> Any:
    return core._logs._by_id[logs.id]
