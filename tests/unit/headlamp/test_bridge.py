"""From the kernel's stores to a Headlamp server and back; the server has all of the traps."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial

import pytest

from notebook_mux.kernel.core import Core
from notebook_mux.kernel.failure import Failure
from tests.unit.headlamp.conftest import SOURCE, Watching, eventually
from tests.unit.headlamp.fake_server import MAPS, FakeHeadlamp


def more_than(asked: int, headlamp: FakeHeadlamp) -> bool:
    return len(headlamp.asked()) > asked


def test_a_list_and_then_its_changes(headlamp: FakeHeadlamp, make_core: Callable[..., Core]):
    headlamp.put("first")
    watching = Watching(make_core(), headlamp.url)
    assert list(watching.names) == ["first"]
    headlamp.put("second")
    headlamp.put("first", "changed")
    headlamp.delete("second")
    eventually(lambda: len(watching.told()) == 4)
    assert watching.seen == [("ADDED", "first"), ("ADDED", "second"), ("MODIFIED", "first"), ("DELETED", "second")]
    assert (watching.status["dialect"], watching.status["sockets"], watching.status["direct_sockets"]) == (
        "headlamp", 1, 0,
    )  # fmt: skip
    assert watching.stats["repeated"] == 0


def test_requests_probes_and_discovery_ride_along(headlamp: FakeHeadlamp, make_core: Callable[..., Core]):
    headlamp.put("one")
    core = make_core()
    watching = Watching(core, headlamp.url)
    assert core.probe(watching.conn, watching.ref, 30).result(60) == {"version": "v1.37.2"}
    status, _, body = core.http(watching.conn, watching.ref, "GET", MAPS).result(60)
    assert status == 200
    assert [item["metadata"]["name"] for item in json.loads(body)["items"]] == ["one"]
    with pytest.raises(Failure) as caught:
        core.http(watching.conn, watching.ref, "DELETE", f"{MAPS}/one").result(60)
    assert caught.value.code == "write-refused"


def test_an_end_is_followed_by_another_watch_with_another_id(headlamp: FakeHeadlamp, make_core: Callable[..., Core]):
    watching = Watching(make_core(), headlamp.url)
    for number in range(3):
        headlamp.put(f"before-{number}")
        eventually(partial(watching.has, f"before-{number}"))
        asked = len(headlamp.asked())
        headlamp.end()
        eventually(partial(more_than, asked, headlamp))
        headlamp.put(f"after-{number}")
        eventually(partial(watching.has, f"after-{number}"))
    users = [envelope["userId"] for envelope in headlamp.asked()]
    assert len(set(users)) == len(users)
    assert all(user.startswith("me.") for user in users)
    assert watching.stats["snapshots"] == 1, "an end is no reason for a new list"


def test_two_queries_of_one_path_survive_each_others_end(headlamp: FakeHeadlamp, make_core: Callable[..., Core]):
    core = make_core()
    one, two = Watching(core, headlamp.url), Watching(core, headlamp.url, selector="a=b")
    first = headlamp.asked()[0]["userId"]
    headlamp.end(user=first)
    eventually(lambda: headlamp.streams == 2, "the one that has ended is asked for again")
    headlamp.put("both")
    eventually(lambda: "both" in one.names and "both" in two.names)
    assert one.told() == two.told() == [("ADDED", "both")]


def test_an_expired_version_is_listed_again_and_told_as_the_difference(
    headlamp: FakeHeadlamp, make_core: Callable[..., Core]
):
    headlamp.put("stays")
    headlamp.put("goes")
    watching = Watching(make_core(), headlamp.url)
    core, conn = watching.core, watching.conn
    headlamp.stop()
    eventually(lambda: watching.state.state == "stale")
    headlamp.delete("goes")
    headlamp.put("new")
    headlamp.compact()
    headlamp.start()
    core.retry(conn)
    eventually(lambda: set(watching.names) == {"stays", "new"})
    eventually(lambda: watching.state.state == "live")
    assert sorted(watching.told()[2:]) == [("ADDED", "new"), ("DELETED", "goes")]
    assert watching.stats["relists"] == 1


def test_a_cut_socket_is_dialled_again_and_goes_on_where_it_stood(
    headlamp: FakeHeadlamp, make_core: Callable[..., Core]
):
    headlamp.put("one")
    watching = Watching(make_core(), headlamp.url)
    for number in range(5):
        headlamp.cut()
        headlamp.put(f"in-between-{number}")
        eventually(partial(watching.has, f"in-between-{number}"))
    assert len(watching.told()) == 6
    assert watching.stats["snapshots"] == 1
    assert watching.status["reconnects"] >= 1


def test_a_bookmark_moves_where_a_cut_goes_on(headlamp: FakeHeadlamp, make_core: Callable[..., Core]):
    watching = Watching(make_core(), headlamp.url)
    version = headlamp.bookmark()
    headlamp.put("one")
    eventually(lambda: "one" in watching.names)
    headlamp.delete("one")
    marked = headlamp.bookmark()
    eventually(lambda: not watching.names)
    asked = len(headlamp.asked())
    headlamp.end()
    eventually(lambda: len(headlamp.asked()) > asked)
    assert f"resourceVersion={marked}" in headlamp.asked()[-1]["query"]
    assert marked > version


def test_bad_handshake_goes_by_a_direct_socket_and_is_counted(headlamp: FakeHeadlamp, make_core: Callable[..., Core]):
    headlamp.handshake = "dialing WebSocket: websocket: bad handshake"
    watching = Watching(make_core(), headlamp.url)
    headlamp.put("one")
    eventually(lambda: "one" in watching.names)
    assert watching.status["direct_sockets"] == 1
    asked = len(headlamp.asked())
    headlamp.end()
    eventually(lambda: len(headlamp.directs) == 2)
    headlamp.put("two")
    eventually(lambda: "two" in watching.names)
    assert len(headlamp.asked()) == asked, "what is known to be refused is not asked for again at once"


@pytest.mark.parametrize(
    ("status", "state", "code"), [(401, "login", "login"), (403, "forbidden", "forbidden"), (404, "unreachable", None)]
)
def test_bad_handshake_is_explained_by_the_direct_path(
    headlamp: FakeHeadlamp, make_core: Callable[..., Core], status: int, state: str, code: str | None
):
    headlamp.put("one")
    headlamp.handshake = "dialing WebSocket: websocket: bad handshake"
    headlamp.direct_status = status
    watching = Watching(make_core(patience=1.0), headlamp.url, settle=False)
    eventually(lambda: watching.state.state == state, f"{state} and not live")
    assert watching.state.said == "said by the cluster"
    assert code in (None, watching.state.code)
    assert list(watching.names) == ["one"], "the list is shown, with the state"


def test_a_cluster_that_cannot_be_reached_is_a_state_and_goes_apart(
    headlamp: FakeHeadlamp, make_core: Callable[..., Core]
):
    core = make_core()
    watching = Watching(core, headlamp.url)
    headlamp.handshake = "dialing WebSocket: dial tcp 10.0.0.1:443: i/o timeout"
    headlamp.end()
    eventually(lambda: headlamp.sockets == 2, "it is asked for on a socket of its own lane")
    eventually(lambda: watching.state.state in ("unreachable", "stale", "connecting"))
    headlamp.handshake = ""
    core.retry(watching.conn)
    eventually(lambda: watching.state.state == "live")
    headlamp.put("one")
    eventually(lambda: "one" in watching.names)


def test_a_request_that_is_swallowed_is_asked_for_again(headlamp: FakeHeadlamp, make_core: Callable[..., Core]):
    headlamp.swallow = 1
    watching = Watching(make_core(tick_seconds=0.02, ack_seconds=0.1), headlamp.url)
    headlamp.put("one")
    eventually(lambda: "one" in watching.names)
    assert len(headlamp.asked()) >= 2
    assert len(headlamp.asked("CLOSE")) >= 1


@pytest.mark.parametrize(
    "frame",
    ["no json", "[]", '{"clusterId": 3}', json.dumps({"clusterId": "real", "path": MAPS, "userId": "", "type": "?"})],
)
def test_garbage_is_a_reason_and_a_back_off(headlamp: FakeHeadlamp, make_core: Callable[..., Core], frame: str):
    watching = Watching(make_core(), headlamp.url)
    headlamp.say(frame)
    eventually(lambda: watching.status["reconnects"] == 1)
    assert "Headlamp" in watching.status["last_error"]
    headlamp.put("one")
    eventually(lambda: "one" in watching.names)


@pytest.mark.parametrize("obj", [None, 7, {"metadata": 3}, "text"])
def test_an_event_that_cannot_be_read_leads_to_a_new_list(
    headlamp: FakeHeadlamp, make_core: Callable[..., Core], obj: object
):
    watching = Watching(make_core(), headlamp.url)
    headlamp.event("ADDED", obj)
    headlamp.put("one")
    eventually(lambda: "one" in watching.names)
    eventually(lambda: watching.state.state == "live")
    assert watching.status["reconnects"] == 0


def test_an_event_that_is_nested_too_deep_leads_to_a_new_list(headlamp: FakeHeadlamp, make_core: Callable[..., Core]):
    watching = Watching(make_core(), headlamp.url)
    asked = headlamp.asked()[-1]
    deep = '{"type":"ADDED","object":{"x":' + "[" * 50_000 + "]" * 50_000 + "}}"
    headlamp.say(json.dumps({**asked, "data": deep, "type": "DATA"}))
    headlamp.put("one")
    eventually(lambda: "one" in watching.names)
    eventually(lambda: watching.state.state == "live")
    assert watching.status["reconnects"] == 0


def test_a_lost_heartbeat_is_an_end(headlamp: FakeHeadlamp, make_core: Callable[..., Core]):
    watching = Watching(make_core(), headlamp.url)
    headlamp.end(state="error", error="heartbeat failed: write: broken pipe")
    eventually(lambda: len(headlamp.asked("CLOSE")) == 1)
    headlamp.put("one")
    eventually(lambda: "one" in watching.names)
    eventually(lambda: headlamp.streams == 1)


def test_the_desktop_token_is_a_header(headlamp: FakeHeadlamp, make_core: Callable[..., Core]):
    headlamp.backend_token = "desktop-secret"
    watching = Watching(make_core(), f"{headlamp.url}/?token=desktop-secret")
    assert watching.state.state == "live"
    assert headlamp.upgrades[0]["X-HEADLAMP_BACKEND-TOKEN"] == "desktop-secret"
    assert "Cookie" not in headlamp.upgrades[0]
    assert "secret" not in repr(watching.status)


def test_a_wrong_desktop_token_is_refused_with_its_reason(headlamp: FakeHeadlamp, make_core: Callable[..., Core]):
    headlamp.backend_token = "desktop-secret"
    with pytest.raises(Failure) as caught:
        make_core().connect(("url", f"{headlamp.url}/?token=wrong-secret"), 30).result(60)
    assert caught.value.code == "gateway"
    assert "secret" not in str(caught.value.fields)


def test_a_clusters_token_goes_as_cookies_of_the_upgrade(headlamp: FakeHeadlamp, make_core: Callable[..., Core]):
    headlamp.cluster_token = "cluster-secret"
    watching = Watching(make_core(), f"{headlamp.url}/?token=cluster-secret")
    assert watching.state.state == "live"
    assert headlamp.upgrades[0]["Cookie"] == "headlamp-auth-real.0=cluster-secret"
    assert "X-HEADLAMP_BACKEND-TOKEN" not in headlamp.upgrades[0]


def test_a_token_that_the_server_renews_makes_a_new_socket(headlamp: FakeHeadlamp, make_core: Callable[..., Core]):
    watching = Watching(make_core(), headlamp.url)
    headlamp.set_cookies = {"headlamp-auth-real.0": "renewed"}
    watching.core.http(watching.conn, watching.ref, "GET", MAPS).result(60)
    eventually(lambda: len(headlamp.upgrades) == 2)
    assert headlamp.upgrades[1]["Cookie"] == "headlamp-auth-real.0=renewed"
    headlamp.put("one")
    eventually(lambda: "one" in watching.names)


def test_another_token_of_the_user_makes_a_new_socket(headlamp: FakeHeadlamp, make_core: Callable[..., Core]):
    core = make_core()
    watching = Watching(core, f"{headlamp.url}/?token=first")
    core.connect(("url", f"{headlamp.url}/?token=second"), 30).result(60)
    eventually(lambda: len(headlamp.upgrades) == 2)
    assert headlamp.upgrades[1]["Cookie"] == "headlamp-auth-real.0=second"
    eventually(lambda: watching.state.state == "live")


def test_a_base_url_with_a_prefix(make_core: Callable[..., Core]):
    fake = FakeHeadlamp(prefix="/user/ann/headlamp").start()
    try:
        watching = Watching(make_core(), f"{fake.url}/")
        fake.put("one")
        eventually(lambda: "one" in watching.names)
    finally:
        fake.close()


def test_what_is_neither_is_refused_in_the_words_of_the_first_question(
    headlamp: FakeHeadlamp, make_core: Callable[..., Core]
):
    with pytest.raises(Failure) as caught:
        make_core().connect(("url", f"{headlamp.url}/elsewhere"), 30).result(60)
    assert caught.value.code == "gateway"


def test_a_kubeconfig_for_a_headlamp_server_is_refused(headlamp: FakeHeadlamp, make_core: Callable[..., Core]):
    core = make_core()
    conn = core.connect(("url", headlamp.url), 30).result(60)
    with pytest.raises(Failure, match="takes no kubeconfig"):
        core.contexts(conn, {**SOURCE, "kubeconfig": ["/x"]}, None, 30).result(60)


def test_a_stream_that_is_closed_is_closed_on_the_server(headlamp: FakeHeadlamp, make_core: Callable[..., Core]):
    watching = Watching(make_core(), headlamp.url)
    watching.core.close_stream(watching.stream)
    eventually(lambda: headlamp.streams == 0)
    assert headlamp.sockets == 1


def test_nothing_is_left_when_the_core_ends(headlamp: FakeHeadlamp, make_core: Callable[..., Core]):
    core = make_core()
    Watching(core, headlamp.url)
    core.shutdown()
    eventually(lambda: headlamp.sockets == 0)


def test_a_cluster_that_the_servers_proxy_does_not_reach_is_unreachable(
    headlamp: FakeHeadlamp, make_core: Callable[..., Core]
):
    core = make_core()
    watching = Watching(core, headlamp.url)
    for status, body, code in [
        (502, "", "unreachable"),
        (504, "<html>", "unreachable"),
        (502, '{"kind": "Status", "message": "no route"}', "unreachable"),
        (503, '{"kind": "Status", "message": "of an aggregated API"}', "server"),
    ]:
        headlamp.answers["/version"] = status, body
        with pytest.raises(Failure) as caught:
            core.probe(watching.conn, watching.ref, 30).result(60)
        assert caught.value.code == code


def test_two_clients_with_the_same_user_do_not_disturb_each_other(
    headlamp: FakeHeadlamp, make_core: Callable[..., Core]
):
    one, two = Watching(make_core(), headlamp.url), Watching(make_core(), headlamp.url)
    headlamp.put("both")
    eventually(lambda: one.has("both") and two.has("both"))
    two.core.close_stream(two.stream)
    eventually(lambda: len(headlamp.asked("CLOSE")) == 1)
    headlamp.put("one only")
    eventually(lambda: one.has("one only"))
    assert one.state.state == "live"


def test_large_objects_and_a_storm_of_them(headlamp: FakeHeadlamp, make_core: Callable[..., Core]):
    watching = Watching(make_core(), headlamp.url)
    headlamp.put("large", '"\\<&>é' * 500_000)
    for number in range(100):
        headlamp.put(f"map-{number}", "x" * 200_000)
    eventually(lambda: len(watching.names) == 101)
    assert watching.status["reconnects"] == 0
    assert watching.stats["repeated"] == watching.stats["skipped"] == 0


def test_nothing_is_ever_sent_as_data(headlamp: FakeHeadlamp, make_core: Callable[..., Core]):
    watching = Watching(make_core(), headlamp.url)
    headlamp.end()
    eventually(lambda: len(headlamp.asked()) == 2)
    watching.core.close_stream(watching.stream)
    eventually(lambda: headlamp.asked("CLOSE"))
    assert all("data" not in envelope and "binary" not in envelope for envelope in headlamp.requests)


def test_a_terminal_is_no_watch_and_is_refused(headlamp: FakeHeadlamp, make_core: Callable[..., Core]):
    watching = Watching(make_core(), headlamp.url)
    path = "/api/v1/namespaces/default/pods/x/exec"
    with pytest.raises(Failure) as caught:
        watching.core.http(watching.conn, watching.ref, "GET", path, "command=sh").result(60)
    assert caught.value.code == "write-refused"
