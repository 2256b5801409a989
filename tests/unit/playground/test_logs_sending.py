"""Logs over the wire: what ends a follower, what it costs, and who may read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from notebook_mux.playground.logs import sending
from tests.playground import RunningPlayground
from tests.unit.playground.client import Client
from tests.unit.playground.logged import pod
from tests.waiting import eventually

PODS = "/api/v1/namespaces/default/pods"
WAIT_S = 30.0


@pytest.fixture
def client(playground: RunningPlayground) -> Client:
    return Client(playground.kubeconfig)


@pytest.fixture
def started(playground: RunningPlayground) -> Callable[..., str]:
    """Creates a pod and waits until its container runs, or has run; gives the path of its log."""

    def start(name: str, *command: str, **more: Any) -> str:
        playground.create(pod(name, *command, **more))

        def begun() -> bool:
            found = playground.get("pods", name)
            return found is not None and found["status"].get("phase") != "Pending"

        eventually(begun, f"{name} runs", seconds=WAIT_S)
        return f"{PODS}/{name}/log"

    return start


def open_logs(playground: RunningPlayground) -> int:
    return playground.call(lambda: playground.playground.open_logs)


@pytest.mark.parametrize("now", [False, True])
def test_a_follower_ends_with_its_pod(
    now: bool, client: Client, playground: RunningPlayground, started: Callable[..., str]
):
    path = started("one", image="nginx:1", restart="Always")
    with client.opened(path, follow="true") as answer:
        assert answer.readline().startswith(b"/docker-entrypoint.sh")
        playground.delete("pods", "one", now=now)
        rest = answer.read()
    # Told to end it says so; taken away at once it cannot.
    assert rest.endswith(b"exit\n") == (not now)
    assert (b"shutting down" in rest) == (not now)
    eventually(lambda: open_logs(playground) == 0, "nobody follows", seconds=WAIT_S)


def test_another_pod_of_the_same_name_is_another_log(
    client: Client, playground: RunningPlayground, started: Callable[..., str]
):
    path = started("one", "sh", "-c", "echo first; sleep infinity")
    with client.opened(path, follow="true") as answer:
        assert answer.readline() == b"first\n"
        playground.delete("pods", "one")
        started("one", "sh", "-c", "echo second; sleep infinity")
        assert answer.read() == b""
    assert client.get(path).body == b"second\n"


def test_a_follower_ends_with_a_crash_and_the_rest_is_previous(client: Client, started: Callable[..., str]):
    path = started("one", "sh", "-c", "echo up; sleep 1; echo down; exit 3", restart="Always")
    with client.opened(path, follow="true", timestamps="true") as answer:
        followed = answer.read()
    assert [line.split(b" ", 1)[1] for line in followed.splitlines()] == [b"up", b"down"]
    # It is started again at once, the first time: the run that ended is the previous one.
    eventually(lambda: client.get(path, previous="true", timestamps="true").body == followed, "it is started again",
               seconds=WAIT_S)  # fmt: skip


def test_a_server_that_shuts_down_ends_its_followers_and_has_the_same_lines_afterwards(
    client: Client, playground: RunningPlayground, started: Callable[..., str]
):
    path = started("one", "sh", "-c", "echo up; sleep infinity")
    with client.opened(path, follow="true") as answer:
        assert answer.readline() == b"up\n"
        playground.stop()
        assert answer.read() == b""
    playground.start()
    assert client.get(path).body == b"up\n"


def test_a_stall_holds_a_follower_up(client: Client, playground: RunningPlayground, started: Callable[..., str]):
    path = started("one", "sh", "-c", "while true; do echo on; sleep 0.1; done")
    with client.opened(path, follow="true") as answer:
        assert answer.readline() == b"on\n"
        playground.stall()
        answer.fp.raw._sock.settimeout(1.5)  # type: ignore[attr-defined]  # for what comes from now on
        with pytest.raises(TimeoutError):
            answer.read()  # all there is: without a stall it would never end
    playground.resume()
    assert client.get(path, tailLines="1").body == b"on\n"


def test_a_reader_that_goes_is_noticed_though_its_container_is_quiet(
    client: Client, playground: RunningPlayground, started: Callable[..., str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(sending, "LOOK_S", 0.05)
    path = started("one", "sh", "-c", "echo up; sleep infinity")
    with client.opened(path, follow="true") as answer:
        assert answer.readline() == b"up\n"
        assert open_logs(playground) == 1
        assert playground.open_watches == 0
    eventually(lambda: open_logs(playground) == 0, "it is noticed", seconds=WAIT_S)
    listeners = playground.call(lambda: len(playground.playground.cluster.store._listeners["pods"]))
    path = started("two", "echo", "a")
    client.get(path)
    assert playground.call(lambda: len(playground.playground.cluster.store._listeners["pods"])) == listeners


def test_a_long_log_comes_in_pieces_and_whole(
    client: Client, playground: RunningPlayground, started: Callable[..., str], monkeypatch: pytest.MonkeyPatch
):
    path = started("one", "sh", "-c", "seq 4000; sleep infinity")
    whole = b"".join(b"%d\n" % number for number in range(1, 4001))
    eventually(lambda: client.get(path).body == whole, "all is written", seconds=WAIT_S)
    monkeypatch.setattr(sending, "PIECE", 100)
    assert client.get(path).body == whole
    assert client.get(path, limitBytes="5000").body == whole[:5000]
    assert client.get(path, tailLines="3").body == b"3998\n3999\n4000\n"


def test_logs_are_forbidden_apart_from_pods_and_with_them(
    client: Client, playground: RunningPlayground, started: Callable[..., str]
):
    path = started("one", "echo", "a")
    before = playground.requests().get("get pods/log", 0)
    assert client.get(path).status == 200
    assert playground.requests()["get pods/log"] == before + 1
    playground.forbid(verb="get", resource="pods/log")
    assert client.get(path).status == 403
    assert client.get(f"{PODS}/one").status == 200
    review = {"kind": "SelfSubjectAccessReview", "apiVersion": "authorization.k8s.io/v1"}
    for subresource, allowed in (("log", False), ("", True)):
        asked = {"verb": "get", "resource": "pods", "subresource": subresource, "namespace": "default"}
        answer = client.ask("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
                            {**review, "spec": {"resourceAttributes": asked}})  # fmt: skip
        assert answer.json()["status"]["allowed"] is allowed
    playground.clear()
    playground.forbid(resource="pods")
    assert client.get(path).status == 403
