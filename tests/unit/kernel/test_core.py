"""The core over a real socket: one socket, shared attempts, streams that come back."""

from __future__ import annotations

import socket
import threading
from concurrent.futures import wait
from functools import partial
from typing import Any

import msgspec
import pytest

from notebook_mux.kernel.core import Core
from notebook_mux.kernel.endpoint import MAX_PROBES
from notebook_mux.kernel.failure import Failure
from notebook_mux.wire import messages
from tests.serving import quiet_port
from tests.unit.kernel.conftest import eventually, linger_no_more
from tests.unit.kernel.fake_gateway import FakeGateway

SOURCE = {"kubeconfig": ["/somewhere"], "env": {}, "in_cluster": False}


def connected(core: Core, gateway: FakeGateway) -> str:
    conn = core.connect(("url", gateway.url), 30).result(60)
    core.contexts(conn, SOURCE, None, 30).result(60)
    return conn


def opened(core: Core, conn: str, kind: str = "pods", **more: Any) -> str:
    spec = (
        conn,
        (("one", "ref-one", "default"),),
        kind,
        more.get("namespaces", ()),
        more.get("selector", ""),
        "",
        "me",
    )
    stream = core.open_stream(spec)
    core.hold(stream, "test")
    core.settled(stream).result(60)
    return stream


def names(core: Core, stream: str) -> set[str]:
    return {record.name for record in core.read(stream).records["one"].values()}


def of_type(gateway: FakeGateway, kind: type) -> list[Any]:
    return [message for message in gateway.received if isinstance(message, kind)]


def test_many_callers_share_one_attempt_and_one_socket(core: Core, gateway: FakeGateway) -> None:
    futures = [core.connect(("url", gateway.url), 30) for _ in range(50)]
    wait(futures, 30)
    assert {future.result() for future in futures} == {gateway.url.partition("/?")[0]}
    assert gateway.upgrades == 1


def test_callers_of_a_failing_attempt_all_get_its_error(core: Core) -> None:
    futures = [core.connect(("url", "http://127.0.0.1:9/?token=x"), 30) for _ in range(5)]
    for future in futures:
        with pytest.raises(Failure) as caught:
            future.result(60)
        assert caught.value.code == "gateway"
        assert "127.0.0.1:9" in caught.value.fields["what"]


def test_ten_thousand_clusters_are_not_asked_all_at_once(core: Core, gateway: FakeGateway) -> None:
    conn = connected(core, gateway)
    gateway.mute = {messages.Probe}
    futures = [core.probe(conn, "ref-one", 30) for _ in range(MAX_PROBES + 50)]
    eventually(lambda: len(of_type(gateway, messages.Probe)) == MAX_PROBES)
    first = of_type(gateway, messages.Probe)
    gateway.speak()
    gateway.send_raw(*(messages.encode(messages.Answer(id=one.id, value={"version": "v1"})) for one in first))
    wait(futures, 30)
    assert [future.result()["version"] for future in futures[:MAX_PROBES]] == ["v1"] * MAX_PROBES
    assert len(of_type(gateway, messages.Probe)) == MAX_PROBES + 50


def test_names_that_no_message_can_carry_end_no_connection(core: Core, gateway: FakeGateway) -> None:
    conn = connected(core, gateway)
    with pytest.raises(Failure) as caught:
        core.contexts(conn, SOURCE, [f"{'x' * 500}{at}" for at in range(10_000)], 30).result(60)
    assert caught.value.code == "invalid"
    assert "the names of 10000 contexts" in caught.value.fields["what"]
    assert len(core.contexts(conn, SOURCE, [f"{'x' * 390}{at}" for at in range(10_000)], 30).result(60)) == 1
    assert gateway.upgrades == 1


def test_a_request_that_no_message_can_carry_ends_no_connection(core: Core, gateway: FakeGateway) -> None:
    conn, ref = connected(core, gateway), "ref"
    with pytest.raises(Failure) as caught:
        core.http(
            conn, ref, "PATCH", "/api/v1/namespaces/a/configmaps/b", body='"' * (messages.MAX_MESSAGE // 2)
        ).result(60)
    assert caught.value.code == "invalid"
    assert "more than a cluster takes" in caught.value.fields["what"]
    assert gateway.upgrades == 1


def test_a_gateway_that_does_not_greet_is_given_up_after_the_callers_limit(core: Core, gateway: FakeGateway) -> None:
    gateway.greet = False
    with pytest.raises(Failure) as caught:
        core.connect(("url", gateway.url), 0.3).result(60)
    assert caught.value.code == "timeout"


def test_a_failed_endpoint_can_be_tried_again(core: Core, gateway: FakeGateway) -> None:
    gateway.stop()
    with pytest.raises(Failure):
        core.connect(("url", gateway.url), 30).result(60)
    gateway.start()
    connected(core, gateway)
    assert core.status(gateway.url.partition("/?")[0])["state"] == "open"


def test_a_stream_shows_what_is_there_and_follows(core: Core, gateway: FakeGateway) -> None:
    gateway.put("a")
    stream = opened(core, connected(core, gateway))
    assert names(core, stream) == {"a"}
    gateway.put("b")
    gateway.delete("a")
    eventually(lambda: names(core, stream) == {"b"})
    state = core.read(stream).states["one"]
    assert (state.state, state.synced) == ("live", True)
    assert core.read(stream) is core.read(stream)


def test_the_same_spec_is_the_same_stream_and_one_subscription(core: Core, gateway: FakeGateway) -> None:
    conn = connected(core, gateway)
    assert opened(core, conn) == opened(core, conn)
    assert len(of_type(gateway, messages.Subscribe)) == 1


def test_two_streams_of_one_path_share_a_subscription(core: Core, gateway: FakeGateway) -> None:
    gateway.put("a")
    conn = connected(core, gateway)
    first = opened(core, conn, "pods")
    second = opened(core, conn, "po")
    assert first != second
    assert names(core, second) == {"a"}
    assert len(of_type(gateway, messages.Subscribe)) == 1


def test_a_cut_resumes_without_a_snapshot(core: Core, gateway: FakeGateway) -> None:
    gateway.put("a")
    conn = connected(core, gateway)
    stream = opened(core, conn)
    gateway.put("b")
    eventually(lambda: "b" in names(core, stream))
    gateway.stop()
    eventually(lambda: core.read(stream).states["one"].state == "stale")
    gateway.put("c")
    gateway.delete("a")
    gateway.start()
    eventually(lambda: names(core, stream) == {"b", "c"})
    stats = core.status(conn)["streams"][0]
    assert (stats["snapshots"], stats["repeated"], stats["skipped"]) == (1, 0, 0)
    assert core.status(conn)["reconnects"] == 1
    assert of_type(gateway, messages.Subscribe)[-1].resume.number > 0


def test_another_instance_that_knows_nothing_gives_the_difference_of_a_snapshot(
    core: Core, gateway: FakeGateway
) -> None:
    gateway.put("stays")
    gateway.put("goes")
    conn = connected(core, gateway)
    stream = opened(core, conn)
    feed = core.feed(stream, lambda: None, initial=False)
    gateway.stop()
    gateway.restart()
    gateway.objects.pop("goes")
    gateway.objects["new"] = "999"
    gateway.start()
    eventually(lambda: names(core, stream) == {"stays", "new"})
    changes = feed.drain()
    assert sorted((kind, new.name) for kind, _, new, _ in changes if new) == [
        ("ADDED", "new"),
        ("DELETED", "goes"),
    ]
    assert of_type(gateway, messages.Contexts)[1:], "the new session was not told the contexts"


def test_pull_the_plug_and_be_back(core: Core, gateway: FakeGateway) -> None:
    conn = connected(core, gateway)
    stream = opened(core, conn)

    def back(turns: int) -> bool:
        status = core.status(conn)
        return bool(status["reconnects"] == turns and status["state"] == "open")

    for turn in range(5):
        core.cut(conn)
        eventually(partial(back, turn + 1))
        gateway.put(f"pod-{turn}")
        eventually(partial(lambda name: name in names(core, stream), f"pod-{turn}"))
    assert core.status(conn)["streams"][0]["repeated"] == 0


def test_a_reconnect_is_counted_when_the_socket_is_there(core: Core, gateway: FakeGateway) -> None:
    conn = connected(core, gateway)
    opened(core, conn)
    tried = core.status(conn)["attempts"]
    gateway.stop()
    eventually(lambda: core.status(conn)["attempts"] > tried, "it has been tried again")
    assert core.status(conn)["reconnects"] == 0
    gateway.start()
    core.retry(conn)
    eventually(lambda: core.status(conn)["state"] == "open")
    assert core.status(conn)["reconnects"] == 1


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x00",
        b"\x10\xff",
        b"\x10" + b"\x01" + b"\x00" * 8 + b"\x00\x02" + b"\x00" * 8 + b"[]",
        b"\x10" + b"\x63" + b"\x00" * 18,
        b"\x10" + b"\x01" + b"\xff" * 18,
        "{",
        '{"type":"nonsense"}',
        '{"type":"state"}',
        '{"type":"welcome","instance":"x","package":"y"}',
    ],
)
def test_a_malformed_frame_ends_that_connection_only(core: Core, gateway: FakeGateway, garbage: str | bytes) -> None:
    conn = connected(core, gateway)
    stream = opened(core, conn)
    if isinstance(garbage, bytes) and len(garbage) > 1:
        garbage = next(iter(next(iter(gateway.sockets.values())))).to_bytes(4, "big") + garbage
    gateway.send_raw(garbage)
    eventually(lambda: core.status(conn)["reconnects"] == 1)
    gateway.put("after")
    eventually(lambda: "after" in names(core, stream))
    assert core.status(conn)["last_error"]


def test_requests_come_back_over_the_same_socket(core: Core, gateway: FakeGateway) -> None:
    conn = connected(core, gateway)
    status, _, body = core.http(conn, "ref-one", "GET", "/api/v1/" + "x" * 5000).result(60)
    assert (status, body) == (200, b"/api/v1/" + b"x" * 5000)
    assert core.probe(conn, "ref-one", 30).result(60) == {"version": "v1.37.2"}
    assert gateway.upgrades == 1


def test_a_question_is_asked_again_after_a_cut_and_a_change_is_not(core: Core, gateway: FakeGateway) -> None:
    conn = connected(core, gateway)
    gateway.mute = {messages.Http}
    get = core.http(conn, "ref-one", "GET", "/api/v1/pods")
    post = core.http(conn, "ref-one", "POST", "/api/v1/pods", body="{}")
    eventually(lambda: len(of_type(gateway, messages.Http)) == 2)
    gateway.speak()
    gateway.cut()
    with pytest.raises(Failure) as caught:
        post.result(60)
    assert caught.value.code == "unreachable"
    assert get.result(60)[0] == 200
    assert [m.method for m in of_type(gateway, messages.Http)] == ["GET", "POST", "GET"]


def test_failures_cross_as_code_and_text(core: Core, gateway: FakeGateway) -> None:
    conn = connected(core, gateway)
    gateway.answers[messages.Probe] = lambda m: [
        messages.Failure(id=m.id, code="login", what="credentials expired", said="token is expired", todo="log in")
    ]
    with pytest.raises(Failure) as caught:
        core.probe(conn, "ref-one", 30).result(60)
    assert caught.value.code == "login"
    assert caught.value.fields["said"] == "token is expired"
    assert core.status(conn)["clusters"]["ref-one"]["state"] == "login"


def test_an_unknown_kind_is_looked_for_once_more_and_then_a_state(core: Core, gateway: FakeGateway) -> None:
    conn = connected(core, gateway)
    stream = opened(core, conn, "podz")
    state = core.read(stream).states["one"]
    assert (state.state, state.code) == ("unreachable", "unknown-kind")
    assert "pods" in (state.todo or "")
    assert [m.refresh for m in of_type(gateway, messages.Discover)] == [False, True]


def test_a_refused_upstream_is_a_state_with_the_servers_words(core: Core, gateway: FakeGateway) -> None:
    path = "/api/v1/namespaces/default/pods"
    gateway.state_of[path] = messages.State(stream=0, state="invalid", reason="bad selector", said="unable to parse")
    stream = opened(core, connected(core, gateway))
    state = core.read(stream).states["one"]
    assert (state.state, state.code, state.said) == ("closed", "bad-selector", "unable to parse")


def test_trouble_keeps_what_to_do_and_of_when_the_rows_are(core: Core, gateway: FakeGateway) -> None:
    gateway.put("a")
    conn = connected(core, gateway)
    stream = opened(core, conn)
    assert core.read(stream).states["one"].fresh is None
    [asked] = of_type(gateway, messages.Subscribe)
    told = messages.State(
        stream=asked.stream, state="login", reason="it failed", todo="log in", since=9.0, synced=True, fresh=5.0
    )
    gateway.send_raw(messages.encode(told))
    eventually(lambda: core.read(stream).states["one"].state == "login")
    state = core.read(stream).states["one"]
    assert (state.todo, state.fresh) == ("log in", 5.0)
    standing = core.status(conn)["streams"][0]["standing"]["ref-one"]
    assert (standing["state"], standing["todo"], standing["fresh"]) == ("login", "log in", 5.0)
    gateway.stop()
    eventually(lambda: core.read(stream).states["one"].state == "stale")
    assert core.read(stream).states["one"].fresh == 5.0, "the cut is later, the rows are not"


def test_forbidden_everywhere_falls_to_the_namespaces_that_are_allowed(core: Core, gateway: FakeGateway) -> None:
    gateway.put("a")
    gateway.state_of["/api/v1/pods"] = messages.State(stream=0, state="forbidden", said="pods is forbidden")

    def http(message: messages.Http) -> list[Any]:
        if message.path == "/api/v1/namespaces":
            return gateway.body(
                message.id, b'{"items":[{"metadata":{"name":"default"}},{"metadata":{"name":"closed"}}]}'
            )
        allowed = b"true" if '"namespace":"default"' in (message.body or "") else b"false"
        return gateway.body(message.id, b'{"status":{"allowed":' + allowed + b"}}", 201)

    gateway.answers[messages.Http] = http
    stream = opened(core, connected(core, gateway), namespaces=("*",))
    state = core.read(stream).states["one"]
    assert state.namespaces == ("default",)
    assert state.state == "live"
    assert "pods is forbidden" in state.reason
    assert "showing default" in state.reason
    assert names(core, stream) == {"a"}


def test_a_forbidden_namespace_is_told_with_those_that_are_allowed(core: Core, gateway: FakeGateway) -> None:
    path = "/api/v1/namespaces/secret/pods"
    gateway.state_of[path] = messages.State(stream=0, state="forbidden", reason="not allowed", said="pods is forbidden")
    reviewed: list[str] = []

    def http(message: messages.Http) -> list[Any]:
        if message.path == "/api/v1/namespaces":
            return gateway.body(message.id, b"{}", 403)
        asked = msgspec.json.decode(message.body or "")["spec"]["resourceAttributes"]
        reviewed.append(asked["namespace"])
        allowed = b"true" if asked["namespace"] == "default" else b"false"
        return gateway.body(message.id, b'{"status":{"allowed":' + allowed + b"}}", 201)

    gateway.answers[messages.Http] = http
    stream = opened(core, connected(core, gateway), namespaces=("secret",))
    state = core.read(stream).states["one"]
    assert (state.state, state.said) == ("forbidden", "pods is forbidden")
    assert state.todo == "namespace=['default'] would work: you may list and watch pods there; checked 2 namespaces"
    assert set(reviewed) == {"secret", "default"}, "the namespaces cannot be listed: those that are known are checked"


@pytest.mark.parametrize("where", ["namespaces", "reviews"])
@pytest.mark.parametrize(
    "answer", [b"<html>a proxy's page</html>", b"[]", b"{}", b'{"items":[3]}', b'{"status":"Failure"}']
)
def test_a_forbidden_namespace_is_told_also_where_nonsense_is_answered(
    core: Core, gateway: FakeGateway, where: str, answer: bytes
) -> None:
    path = "/api/v1/namespaces/secret/pods"
    gateway.state_of[path] = messages.State(stream=0, state="forbidden", reason="not allowed", said="pods is forbidden")
    names = b'{"items":[{"metadata":{"name":"default"}}]}'

    def http(message: messages.Http) -> list[Any]:
        if message.path == "/api/v1/namespaces":
            return gateway.body(message.id, names if where == "reviews" else answer)
        return gateway.body(message.id, answer, 201)

    gateway.answers[messages.Http] = http
    stream = opened(core, connected(core, gateway), namespaces=("secret",))
    state = core.read(stream).states["one"]
    assert (state.state, state.said) == ("forbidden", "pods is forbidden")
    assert "none allows it" in (state.todo or "")


def test_a_stream_without_holders_lingers_and_ends(core: Core, gateway: FakeGateway) -> None:
    conn = connected(core, gateway)
    stream = opened(core, conn)
    linger_no_more(core, conn)
    core.release(stream, "test")
    eventually(lambda: not core.alive(stream))
    eventually(lambda: of_type(gateway, messages.Unsubscribe))
    with pytest.raises(Failure) as caught:
        core.read(stream)
    assert caught.value.code == "closed"


def test_a_feed_replays_and_follows_without_a_hole(core: Core, gateway: FakeGateway) -> None:
    for number in range(50):
        gateway.put(f"pod-{number}")
    stream = opened(core, connected(core, gateway))
    seen: set[str] = set()
    woken = threading.Event()
    feed = core.feed(stream, woken.set, initial=True)
    for number in range(50, 100):
        gateway.put(f"pod-{number}")

    def all_there() -> bool:
        for kind, cluster, new, _ in feed.drain():
            assert (kind, cluster) == ("ADDED", "one")
            assert new is not None
            assert new.name not in seen
            seen.add(new.name)
        return len(seen) == 100

    eventually(all_there)
    assert woken.is_set()
    feed.close()


def test_waiting_on_the_cores_own_thread_is_refused(core: Core, gateway: FakeGateway) -> None:
    conn = connected(core, gateway)
    caught: list[str] = []

    def wait_here() -> None:
        try:
            core.probe(conn, "ref-one", 1)
        except Failure as failure:
            caught.append(failure.code)

    core.thread.call(wait_here)
    eventually(lambda: caught == ["wrong-thread"])


def test_closing_ends_the_socket_and_a_new_connect_opens_another(core: Core, gateway: FakeGateway) -> None:
    conn = connected(core, gateway)
    stream = opened(core, conn)
    core.close(conn).result(60)
    eventually(lambda: not gateway.sockets)
    assert not core.alive(stream)
    connected(core, gateway)
    assert gateway.upgrades == 2


def test_a_gateway_of_another_version_says_what_it_is(core: Core) -> None:
    said = b"this gateway speaks the sub-protocol notebook-mux.v9; none else was agreed"
    head = f"HTTP/1.1 400 Bad Request\r\nContent-Length: {len(said)}\r\nConnection: close\r\n\r\n".encode()
    with socket.create_server(("127.0.0.1", quiet_port())) as listening:

        def answer() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(head + said)

        thread = threading.Thread(target=answer)
        thread.start()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/"
        with pytest.raises(Failure) as caught:
            core.connect(("url", url), 30).result(60)
        thread.join()
    assert "speaks another version than this notebook, notebook-mux.v1" in caught.value.fields["what"]
    assert caught.value.fields["said"] == said.decode()
    assert "install one version of notebook-mux on both sides" in caught.value.fields["todo"]


def test_what_stood_for_a_context_stands_for_it_still_however_it_was_asked_for(
    core: Core, gateway: FakeGateway
) -> None:
    ref = ["before"]

    def contexts(message: messages.Contexts) -> list[Any]:
        context = messages.Context(name="one", ref=ref[0], server="https://one", current=True)
        return [messages.Answer(id=message.id, value=[msgspec.to_builtins(context)])]

    gateway.answers[messages.Contexts] = contexts
    conn = core.connect(("url", gateway.url), 30).result(60)
    for names in (["*"], ["one"]):
        core.contexts(conn, SOURCE, names, 30).result(60)
    ref[0] = "renewed"
    core.contexts(conn, SOURCE, ["*"], 30).result(60)
    core.probe(conn, "before", 30).result(60)
    assert of_type(gateway, messages.Probe)[-1].cluster == "renewed"
