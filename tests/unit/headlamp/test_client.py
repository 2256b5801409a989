"""The client's half of the multiplexer, fed with frames of a real server and with those of a lying one."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import pytest

from notebook_mux.errors import InvalidArgument, ProtocolError
from notebook_mux.headlamp.client import (
    ACK_LIMIT,
    ACK_SECONDS,
    CLOSING_SECONDS,
    Asked,
    Connected,
    Data,
    Ended,
    InDoubt,
    Multiplexer,
    Refused,
    Silent,
)

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures" / "headlamp"
PATH = "/api/v1/namespaces/lab/configmaps"


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def multiplexer() -> tuple[Multiplexer, Clock]:
    clock = Clock()
    numbers = itertools.count(1)
    return Multiplexer(clock=clock, nonce=lambda: str(next(numbers))), clock


def frames(mux: Multiplexer) -> list[dict[str, Any]]:
    return [json.loads(frame) for frame in mux.outgoing()]


def status(state: str, error: str = "", path: str = PATH, cluster: str = "real") -> str:
    data = json.dumps({"state": state, "error": error})
    return json.dumps({"clusterId": cluster, "path": path, "query": "", "userId": "", "data": data, "type": "STATUS"})


def frame(watch: Asked, kind: str, data: str = "", **more: Any) -> str:
    fields = {"clusterId": watch.cluster, "path": watch.path, "query": watch.query, "userId": watch.user}
    return json.dumps({**fields, "data": data, "type": kind, **more})


def asked(mux: Multiplexer, query: str = "watch=1", path: str = PATH) -> Asked:
    watch = mux.watch("real", path, query, "me")
    mux.outgoing()
    return watch


def opened(mux: Multiplexer, query: str = "watch=1", path: str = PATH) -> Asked:
    watch = asked(mux, query, path)
    assert mux.receive(status("connected", path=path)) == [Connected(watch)]
    return watch


def replay(name: str, conn: str | None = None) -> list[Any]:
    """A recording as this client would have lived it: its own requests, and the server's words to their ids."""
    mux, _ = multiplexer()
    watches: dict[tuple[str, str, str, str], Asked] = {}
    served: dict[tuple[str, str, str], Asked] = {}
    events: list[Any] = []
    for line in (FIXTURES / f"{name}.jsonl").read_text(encoding="utf-8").splitlines():
        step = json.loads(line)
        if step["opcode"] != "text" or (conn is not None and step.get("conn") != conn):
            continue
        try:
            said = json.loads(step["data"])
        except ValueError:
            continue
        key = (said["clusterId"], said["path"], said["query"], said.get("userId", ""))
        if step["dir"] == "out":
            if said["type"] == "REQUEST" and said.get("userId"):
                watches[key] = mux.watch(*key)
                if (first := served.get((key[0], key[1], key[3]))) is None or first.over:
                    served[key[0], key[1], key[3]] = watches[key]
            elif said["type"] == "CLOSE" and key in watches:
                mux.close(watches[key])
        else:
            # The server has one stream for a cluster, path and user: that of the first request.
            if said["userId"]:
                said["userId"] = served[key[0], key[1], key[3]].user
            events += mux.receive(json.dumps(said))
    return events


def test_a_request_has_all_that_the_server_wants_and_an_id_of_its_own():
    mux, _ = multiplexer()
    first = mux.watch("real", PATH, "?watch=1&labelSelector=a%3Db", "me")
    second = mux.watch("real", PATH, "watch=1&labelSelector=a%3Db", "me")
    fields = {"clusterId": "real", "path": PATH, "query": "watch=1&labelSelector=a%3Db", "type": "REQUEST"}
    assert frames(mux) == [{**fields, "userId": "me.1"}, {**fields, "userId": "me.2"}]
    assert first.user != second.user
    assert frames(mux) == []


def test_the_path_goes_decoded_for_the_server_escapes_it():
    mux, _ = multiplexer()
    assert mux.watch("real", "/api/v1/namespaces/a%2Fb/pods", "", "me").path == "/api/v1/namespaces/a/b/pods"


@pytest.mark.parametrize("wrong", [("", PATH, "me"), ("real", "", "me"), ("real", PATH, ""), ("real", "/a?b", "me")])
def test_what_the_server_would_drop_in_silence_is_refused_here(wrong: tuple[str, str, str]):
    mux, _ = multiplexer()
    cluster, path, user = wrong
    with pytest.raises(InvalidArgument):
        mux.watch(cluster, path, "", user)
    assert frames(mux) == []


def test_a_real_servers_events_in_order():
    events = replay("subscribe-data")
    kinds = [json.loads(event.payload)["type"] for event in events if isinstance(event, Data)]
    assert kinds == ["ADDED", "MODIFIED", "DELETED"]
    assert isinstance(events[0], Connected)
    assert not any(isinstance(event, Ended) for event in events), "what we closed ourselves is no end"


def test_three_paths_are_told_apart():
    events = replay("three-paths")
    assert len({event.watch.path for event in events if isinstance(event, Data)}) == 3


def test_two_queries_of_one_path_both_come():
    events = replay("two-queries-with-nonce")
    assert len({event.watch.query for event in events if isinstance(event, Data)}) == 2


def test_an_expired_version_is_data_and_then_the_end():
    connected, data, ended = replay("gone-410")
    assert isinstance(connected, Connected)
    assert json.loads(data.payload)["object"]["code"] == 410
    assert ended == Ended(connected.watch)


def test_an_end_and_an_abort_look_the_same_and_the_next_request_is_refused():
    assert [type(event) for event in replay("upstream-end")][:2] == [Connected, Ended]
    refused = replay("upstream-abort")[-1]
    assert isinstance(refused, Refused)
    assert refused.unreached


def test_refusals_say_whether_the_cluster_answered():
    refusals = [event for event in replay("error-cluster") if isinstance(event, Refused)]
    assert [refusal.unreached for refusal in refusals] == [False, True, False, False, False]
    assert "key not found" in refusals[0].said
    assert all("bad handshake" in refusal.said for refusal in refusals[2:])


def test_bytes_come_as_base64():
    mux, _ = multiplexer()
    watch = opened(mux)
    assert mux.receive(frame(watch, "DATA", "AAH/", binary=True)) == [Data(watch, b"\0\1\xff")]
    assert mux.receive(frame(watch, "DATA", binary=True)) == [Data(watch, b"")]
    with pytest.raises(ProtocolError, match="base64"):
        mux.receive(frame(watch, "DATA", "?", binary=True))


def test_a_complete_means_nothing():
    mux, _ = multiplexer()
    assert mux.receive(frame(opened(mux), "COMPLETE")) == []


def test_closed_is_the_end_of_the_only_one_on_its_path():
    mux, _ = multiplexer()
    watch, other = opened(mux), opened(mux, path="/api/v1/nodes")
    assert mux.receive(status("closed")) == [Ended(watch)]
    assert mux.watches == [other]
    assert mux.receive(frame(watch, "DATA", "{}")) == []
    assert mux.unknown == 1


def test_closed_with_two_on_the_path_puts_both_in_doubt():
    mux, _ = multiplexer()
    one, two = opened(mux, "a=1"), opened(mux, "b=1")
    assert mux.receive(status("closed")) == [InDoubt((one, two))]
    mux.again(one, "a=1&resourceVersion=7")
    mux.again(two, "b=1&resourceVersion=8")
    assert [(said["userId"], said["query"], said["type"]) for said in frames(mux)] == [
        (one.user, "a=1&resourceVersion=7", "REQUEST"),
        (two.user, "b=1&resourceVersion=8", "REQUEST"),
    ]
    assert mux.receive(status("connected")) == [], "one of them lives again, whichever"
    assert mux.receive(frame(two, "DATA", "x")) == [Data(two, b"x")]
    assert mux.receive(frame(one, "DATA", "y")) == [Data(one, b"y")]


def test_one_in_doubt_may_be_refused():
    mux, _ = multiplexer()
    one, two = opened(mux), opened(mux)
    mux.receive(status("closed"))
    mux.again(one, "")
    refused = frame(one, "ERROR", json.dumps({"error": "dial tcp: connect: connection refused"}))
    assert mux.receive(refused) == [Refused(one, "dial tcp: connect: connection refused")]
    assert mux.watches == [two]


def test_the_closed_that_answers_a_close_ends_nobody_else():
    mux, _ = multiplexer()
    gone, other = opened(mux), opened(mux)
    mux.close(gone)
    mux.close(gone)
    assert [said["type"] for said in frames(mux)] == ["CLOSE"]
    assert mux.receive(status("closed")) == [InDoubt((other,))], "it may have been the other's own end"
    mux.again(other, "q")
    assert mux.receive(status("closed")) == [Ended(other)]


def test_a_close_that_is_never_answered_hides_an_end_for_a_while_only():
    mux, clock = multiplexer()
    mux.close(asked(mux))
    watch = opened(mux)
    clock.now += CLOSING_SECONDS + 1
    assert mux.receive(status("closed")) == [Ended(watch)]


def test_connected_goes_to_the_one_that_asked_first():
    mux, _ = multiplexer()
    one, two = asked(mux), asked(mux)
    assert mux.receive(status("connected")) == [Connected(one)]
    assert mux.receive(status("connected")) == [Connected(two)]
    assert mux.receive(status("connected")) == []


def test_a_lost_heartbeat_is_an_end_and_the_key_is_given_up():
    mux, _ = multiplexer()
    watch = opened(mux)
    asked(mux)
    assert mux.receive(status("error", "heartbeat failed: broken pipe")) == [
        Ended(watch, "heartbeat failed: broken pipe")
    ]
    assert [(said["type"], said["userId"]) for said in frames(mux)] == [("CLOSE", watch.user)]


def test_the_error_of_a_dial_is_told_by_the_error_that_follows():
    mux, _ = multiplexer()
    watch = asked(mux)
    assert mux.receive(status("error", "websocket: bad handshake")) == []
    assert mux.receive(frame(watch, "ERROR", '{"error":"websocket: bad handshake"}')) == [
        Refused(watch, "websocket: bad handshake")
    ]
    assert mux.receive(frame(asked(mux), "ERROR", "plain words"))[0].said == "plain words"  # type: ignore[union-attr]


def test_an_error_of_an_open_one_closes_it():
    mux, _ = multiplexer()
    watch = opened(mux)
    assert mux.receive(frame(watch, "ERROR", "write failed")) == [Refused(watch, "write failed")]
    assert [said["type"] for said in frames(mux)] == ["CLOSE"]


def test_silence_is_noticed_from_when_the_server_must_have_read_it():
    mux, clock = multiplexer()
    watch = asked(mux)
    sent = mux.now()
    clock.now += 40
    assert mux.tick() == [], "the server may be dialling another cluster"
    mux.heard(sent - 1)
    clock.now += ACK_SECONDS + 1 - 40
    assert mux.tick() == [], "that ping went out before"
    mux.heard(sent)
    clock.now += ACK_SECONDS + 1
    assert mux.tick() == [Silent(watch)]
    assert [said["type"] for said in frames(mux)] == ["CLOSE"]
    assert mux.tick() == []


def test_without_any_pong_silence_has_a_limit_too():
    mux, clock = multiplexer()
    watch, live = asked(mux), opened(mux, path="/api/v1/pods")
    clock.now += ACK_LIMIT + 1
    assert mux.tick() == [Silent(watch)]
    assert mux.watches == [live]


@pytest.mark.parametrize(
    "garbage",
    ["", "{not json", "[]", "{}", '{"clusterId":1}', frame(Asked("real", PATH, "", "u", 0.0), "REQUEST"),
     json.dumps({"clusterId": "real", "path": PATH, "userId": "", "type": "STATUS", "data": "closed"})],
)  # fmt: skip
def test_garbage_is_named(garbage: str):
    mux, _ = multiplexer()
    opened(mux)
    with pytest.raises(ProtocolError):
        mux.receive(garbage)


def test_words_about_nobody_are_counted_and_passed_over():
    mux, _ = multiplexer()
    watch = opened(mux)
    stranger = Asked("real", PATH, "", "someone", 0.0)
    assert mux.receive(frame(stranger, "DATA", "{}")) == []
    assert mux.receive(frame(Asked("other", PATH, "", watch.user, 0.0), "DATA", "{}")) == []
    assert mux.receive(status("closed", path="/nowhere")) == []
    assert mux.receive(status("dreaming")) == []
    assert mux.unknown == 3
    assert mux.watches == [watch]


def test_closes_that_are_never_answered_are_not_counted_for_ever():
    mux, clock = multiplexer()
    staying = opened(mux)
    for _ in range(100):
        mux.close(asked(mux))
        clock.now += CLOSING_SECONDS
    assert len(mux._places["real", PATH].closing) <= 2
    assert mux.watches == [staying]
