from __future__ import annotations

import sys
import threading
from collections.abc import Iterator

import pytest

from notebook_mux.kernel.core import Core
from notebook_mux.kernel.failure import Failure
from notebook_mux.wire import messages
from notebook_mux.wire.logs import LogEnd
from tests.unit.kernel.conftest import WAIT_SECONDS, eventually, linger_no_more
from tests.unit.kernel.core_logs import CLUSTERS, Logs
from tests.unit.kernel.log_gateway import LogGateway
from tests.unit.kernel.test_holder import run


@pytest.fixture
def gateway() -> Iterator[LogGateway]:
    fake = LogGateway()
    fake.start()
    yield fake
    fake.close()


@pytest.fixture
def conn(core: Core, gateway: LogGateway) -> str:
    return core.connect(("url", gateway.url), 30).result(60)


def test_lines_of_all_pods_come_and_go_on(core: Core, conn: str, gateway: LogGateway) -> None:
    gateway.add("web-0")
    gateway.add("web-1", "main", "side")
    gateway.write("web-0", b"zero")
    gateway.write("web-1", b"one", container="side")
    logs = Logs(core, conn)
    eventually(lambda: sorted(logs.lines()) == [("web-0/main", b"zero"), ("web-1/side", b"one")])
    gateway.write("web-1", b"two")
    eventually(lambda: logs.lines()[-1] == ("web-1/main", b"two"))
    state = logs.state
    assert [one["state"] for one in state["sources"]] == ["live"] * 3
    assert (state["pods"], state["lines"], state["settled"], state["closed"]) == (2, 3, True, False)
    assert state["problem"] is None
    [counted] = core.status(conn)["logs"]
    assert (counted["pods"], counted["states"], counted["lines"], counted["holders"]) == (2, {"live": 3}, 3, 1)


def test_the_same_logs_are_found_again(core: Core, conn: str, gateway: LogGateway) -> None:
    gateway.add("web-0")
    first = Logs(core, conn)
    assert Logs(core, conn).id == first.id
    assert Logs(core, conn, tail=10).id != first.id
    assert len(gateway.asked) == 2


def test_a_lost_socket_loses_no_line(core: Core, conn: str, gateway: LogGateway) -> None:
    gateway.add("web-0")
    gateway.add("web-1")
    gateway.write("web-0", b"a1", b"a1", b"a1")
    logs = Logs(core, conn, tail=2)
    logs.have(b"a1", b"a1")
    for turn in range(5):
        gateway.cut()
        gateway.write("web-0", b"turn %d" % turn)
        logs.have(b"a1", b"a1", *(b"turn %d" % one for one in range(turn + 1)))
    assert logs.marks() == []


def test_a_restarted_container(core: Core, conn: str, gateway: LogGateway) -> None:
    gateway.add("web-0")
    gateway.write("web-0", b"a1")
    logs = Logs(core, conn)
    logs.have(b"a1")
    gateway.write("web-0", b"a2")
    gateway.change("web-0", "stop")
    logs.stand(0, "waiting")
    gateway.change("web-0", "start")
    gateway.write("web-0", b"b1")
    logs.have(b"a1", b"a2", b"b1")
    assert "exit code 1" in logs.say("restarted")["text"]
    assert logs.state["sources"][0]["restart"] == 1


def test_a_restart_while_the_socket_is_away(core: Core, conn: str, gateway: LogGateway) -> None:
    gateway.add("web-0")
    gateway.write("web-0", b"a1")
    logs = Logs(core, conn)
    logs.have(b"a1")
    gateway.stop()
    gateway.write("web-0", b"a2")
    gateway.change("web-0", "stop", tell=False)
    gateway.change("web-0", "start", tell=False)
    gateway.write("web-0", b"b1")
    gateway.start()
    core.retry(conn)
    logs.have(b"a1", b"a2", b"b1")
    logs.say("restarted")


def test_what_was_rotated_away_is_said(core: Core, conn: str, gateway: LogGateway) -> None:
    gateway.answers[messages.Http] = lambda message: gateway.body(message.id, b"{}", 500)
    gateway.add("web-0")
    gateway.write("web-0", b"a1")
    logs = Logs(core, conn)
    logs.have(b"a1")
    gateway.stop()
    gateway.write("web-0", b"a2")
    gateway.change("web-0", "rotate", tell=False)
    gateway.write("web-0", b"a3")
    gateway.start()
    core.retry(conn)
    logs.have(b"a1", b"a3")
    gap = logs.say("gap")
    assert gap["from"] < gap["to"]


def test_a_container_that_waits_says_why_and_is_asked_when_it_runs(core: Core, conn: str, gateway: LogGateway) -> None:
    gateway.add("web-0", tell=False)
    gateway.pods["web-0"]["waiting"] = {"reason": "ImagePullBackOff", "message": "Back-off pulling image x"}
    gateway.add("web-1", tell=False)
    gateway.write("web-1", b"others go on")
    gateway.tell("web-0")
    gateway.tell("web-1")
    logs = Logs(core, conn)
    logs.have(b"others go on")
    at = logs.stand(0, "waiting")
    assert (at["reason"], at["said"]) == ("ImagePullBackOff", "Back-off pulling image x")
    assert "ImagePullBackOff" in logs.say("waiting")["text"]
    del gateway.pods["web-0"]["waiting"]
    gateway.tell("web-0")
    gateway.write("web-0", b"at last")
    logs.have(b"others go on", b"at last")


def test_pods_that_come_later_join_and_ended_ones_stay(core: Core, conn: str, gateway: LogGateway) -> None:
    gateway.add("web-0")
    gateway.write("web-0", b"a1")
    logs = Logs(core, conn, pattern="^web-")
    gateway.add("other")
    gateway.write("other", b"not wanted")
    gateway.add("web-1")
    gateway.write("web-1", b"b1")
    logs.have(b"a1", b"b1")
    assert "web-1" in logs.say("joined")["text"]
    gateway.change("web-0", "stop", tell=False)
    gateway.delete("web-0")
    logs.stand(0, "gone")
    logs.say("ended")
    assert logs.texts() == [b"a1", b"b1"]


def test_a_bound_on_pods_is_said_and_one_that_has_ended_makes_room(core: Core, conn: str, gateway: LogGateway) -> None:
    for at in range(4):
        gateway.add(f"web-{at}")
        gateway.write(f"web-{at}", b"%d" % at)
    logs = Logs(core, conn, max_pods=2)
    logs.have(b"0", b"1")
    assert logs.state["left_out"] == ["web-2", "web-3"]
    bound = logs.say("bound")
    assert "web-2" in bound["text"]
    assert "max_pods" in bound["todo"]
    gateway.nodes["web-0", "main"].over = True
    gateway.pods["web-0"]["status"]["phase"] = "Succeeded"
    gateway.change("web-0", "stop")
    logs.have(b"0", b"1", b"2")
    eventually(lambda: logs.state["left_out"] == ["web-3"])


def test_containers_are_chosen_by_pattern(core: Core, conn: str, gateway: LogGateway) -> None:
    gateway.add("web-0", "main", "side", init="prepare")
    for container in ("main", "side", "prepare"):
        gateway.write("web-0", container.encode(), container=container)
    gateway.nodes["web-0", "prepare"].over = True
    assert sorted(Logs(core, conn, follow=False).texts()) == [b"main", b"side"]
    assert sorted(Logs(core, conn, follow=False, container="^side$").texts()) == [b"side"]
    nothing = Logs(core, conn, container="nope")
    assert nothing.state["problem"]["code"] == "not-found"
    assert nothing.state["problem"]["todo"] == "there are: main, side, prepare"


def test_include_and_exclude(core: Core, conn: str, gateway: LogGateway) -> None:
    gateway.add("web-0")
    gateway.write("web-0", b"ERROR one", b"  its trace", b"INFO two", b"  more", b"ERROR secret", b"  hidden", b"x")
    logs = Logs(core, conn, include="ERROR|its", exclude="secret", follow=False)
    assert logs.texts() == [b"ERROR one", b"  its trace"]
    with pytest.raises(Failure) as caught:
        Logs(core, conn, include="(")
    assert caught.value.code == "invalid"


def test_a_slow_filter_is_said(core: Core, conn: str, gateway: LogGateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("notebook_mux.kernel.log_filter.SLOW_SECONDS", 1e-12)
    gateway.add("web-0")
    gateway.write("web-0", b"x" * 5000 + b"found", b"found")
    logs = Logs(core, conn, include="found")
    logs.have(b"x" * 5000 + b"found", b"found")
    assert "only its first 1,024 bytes are looked at" in logs.say("bound")["text"]
    gateway.write("web-0", b"x" * 5000 + b"found", b"found too")
    logs.have(b"x" * 5000 + b"found", b"found", b"found too")


@pytest.mark.parametrize(
    ("end", "state"),
    [
        (LogEnd(status=403, code="forbidden", what="no", said="cannot get pods/log", todo="ask"), "failed"),
        (LogEnd(status=500, code="server", what="no", said="dial tcp 10.0.0.1:10250: i/o timeout"), "unreachable"),
        (LogEnd(status=0, code="unreachable", what="the cluster does not answer"), "unreachable"),
    ],
    ids=["forbidden", "node", "cluster"],
)
def test_a_refusal_is_a_line_and_a_state_and_tried_again(
    core: Core, conn: str, gateway: LogGateway, end: LogEnd, state: str
) -> None:
    gateway.add("web-0")
    gateway.add("web-1")
    gateway.write("web-0", b"a1")
    gateway.write("web-1", b"b1")
    gateway.refusals["web-0", "main"] = end
    logs = Logs(core, conn)
    logs.have(b"b1")
    at = logs.stand(0, state)
    assert at["said"] == end.said
    assert at["retry_at"] is not None
    mark = logs.say("failed")
    assert (end.said or end.what) in mark["text"]
    gateway.refusals.clear()
    core.retry(conn)
    logs.have(b"b1", b"a1")
    logs.stand(0, "live")


def test_a_gateway_that_refuses(core: Core, conn: str, gateway: LogGateway) -> None:
    gateway.add("web-0")
    gateway.write("web-0", b"a1")
    gateway.ended = messages.Ended(stream=0, code="invalid", what="too many logs", todo="close some")
    logs = Logs(core, conn)
    assert logs.stand(0, "failed")["todo"] == "close some"
    gateway.ended = None
    core.retry(conn)
    logs.have(b"a1")


def test_without_follow_all_has_come_when_it_is_settled(core: Core, conn: str, gateway: LogGateway) -> None:
    gateway.add("web-0")
    gateway.write("web-0", *(b"line %d" % at for at in range(1000)))
    logs = Logs(core, conn, follow=False, tail=500)
    assert logs.texts() == [b"line %d" % at for at in range(500, 1000)]
    assert logs.state["sources"][0]["state"] == "ended"
    gateway.write("web-0", b"later")
    gateway.add("web-1")
    gateway.write("web-1", b"later")
    assert logs.texts()[-1] == b"line 999"


def test_previous(core: Core, conn: str, gateway: LogGateway) -> None:
    gateway.add("web-0")
    gateway.write("web-0", b"a1")
    gateway.change("web-0", "stop")
    gateway.change("web-0", "start")
    gateway.write("web-0", b"b1")
    assert Logs(core, conn, previous=True).texts() == [b"a1"]


def test_readers_are_woken(core: Core, conn: str, gateway: LogGateway) -> None:
    gateway.add("web-0")
    logs = Logs(core, conn)
    woken = threading.Event()
    undo = core.logs_feed(logs.id, woken.set)
    gateway.write("web-0", b"a1")
    assert woken.wait(WAIT_SECONDS)
    undo()
    eventually(lambda: logs.texts() == [b"a1"])
    woken.clear()
    gateway.write("web-0", b"a2")
    logs.have(b"a1", b"a2")
    assert not woken.is_set()


def test_what_nobody_holds_ends_with_its_requests(core: Core, conn: str, gateway: LogGateway) -> None:
    gateway.add("web-0")
    logs = Logs(core, conn)
    eventually(lambda: len(gateway._open) == 1)
    linger_no_more(core, conn)
    core.release_logs(logs.id, "test")
    eventually(lambda: not core.logs_alive(logs.id))
    eventually(lambda: len(gateway._open) == 0)
    with pytest.raises(Failure, match="ended"):
        core.logs_read(logs.id, 0)
    core.release_logs(logs.id, "test")
    eventually(lambda: core.status(conn)["streams"] == [])


def test_what_was_read_stays_after_a_close_for_who_holds_it(core: Core, conn: str, gateway: LogGateway) -> None:
    gateway.add("web-0")
    gateway.write("web-0", b"a1")
    logs = Logs(core, conn)
    logs.have(b"a1")
    core.close_logs(logs.id)
    eventually(lambda: logs.state["closed"])
    assert not core.logs_alive(logs.id)
    assert logs.texts() == [b"a1"]
    again = Logs(core, conn)
    assert again.id != logs.id
    core.release_logs(logs.id, "test")
    with pytest.raises(Failure):
        core.logs_state(logs.id)


def test_the_end_of_the_connection_ends_them(core: Core, conn: str, gateway: LogGateway) -> None:
    gateway.add("web-0")
    logs = Logs(core, conn)
    core.close(conn).result(60)
    assert logs.state["closed"]


def test_the_pods_stay_known_when_somebody_closes_their_stream(core: Core, conn: str, gateway: LogGateway) -> None:
    gateway.add("web-0")
    logs = Logs(core, conn)
    stream = core.open_stream((conn, CLUSTERS, "pods"))
    core.close_stream(stream)
    gateway.add("web-1")
    gateway.write("web-1", b"b1")
    logs.have(b"b1")


def test_pods_that_cannot_be_known_are_a_problem(core: Core, conn: str, gateway: LogGateway) -> None:
    path = "/api/v1/namespaces/default/pods"
    gateway.state_of[path] = messages.State(stream=0, state="unreachable", reason="no route", said="dial tcp")
    logs = Logs(core, conn)
    problem = logs.state["problem"]
    assert (problem["code"], problem["said"]) == ("unreachable", "dial tcp")


@pytest.mark.skipif(sys.platform == "win32", reason="needs os.fork: not on Windows")
def test_a_forked_child_reads_what_was_read(gateway: LogGateway) -> None:
    gateway.add("web-0")
    gateway.write("web-0", b"before the fork")
    out = run(
        gateway,
        """
        import warnings
        warnings.simplefilter("ignore", DeprecationWarning)
        logs = core.open_logs((conn, (("one", "ref-one", "default"),), (), (), "", "", "", "", -1, False, False))
        core.hold_logs(logs, "test")
        core.logs_settled(logs).result(60)
        pid = os.fork()
        if pid == 0:
            child = holder.core()
            state = child.logs_state(logs)
            read = child.logs_read(logs, 0)["text"]
            os._exit(0 if read == b"before the fork" and state["closed"] and not child.logs_alive(logs) else 3)
        assert os.waitpid(pid, 0)[1] == 0
        print(core.logs_alive(logs))
        """,
    )
    assert "True" in out


def test_without_follow_the_pods_are_watched_no_longer_than_that(
    core: Core, conn: str, gateway: LogGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway.add("web-0")
    hold = core.hold_logs

    def held(logs: str, holder: str) -> None:
        hold(logs, holder)
        linger_no_more(core, conn)

    monkeypatch.setattr(core, "hold_logs", held)
    logs = Logs(core, conn, follow=False)
    eventually(lambda: core.status(conn)["streams"] == [], "the stream of pods has ended")
    assert core.logs_alive(logs.id)
