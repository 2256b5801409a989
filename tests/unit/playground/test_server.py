"""The playground over the wire: its faults, its knobs, its end."""

from __future__ import annotations

import gzip
import socket
import ssl
import threading
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from notebook_mux.playground import streaming
from notebook_mux.playground.scenarios import Settings, UnknownScenario
from notebook_mux.playground.server import Playground
from tests.playground import RunningPlayground
from tests.unit.playground.client import TABLE, Client
from tests.unit.playground.worlds import config_map
from tests.waiting import eventually

MAPS = "/api/v1/namespaces/default/configmaps"
FLUSH = b"\0\0\xff\xff"
"""What a flush of deflate ends with (RFC 1951, an empty stored block)."""


@pytest.fixture
def client(playground: RunningPlayground) -> Client:
    return Client(playground.kubeconfig)


async def test_in_this_process():
    async with Playground("empty", clusters=2) as playground:
        assert playground.url.startswith("https://127.0.0.1:")
        config = yaml.safe_load(playground.kubeconfig)
        assert [one["name"] for one in config["contexts"]] == ["demo-1", "demo-2"]
        assert config["current-context"] == "demo-1"
        assert len({one["user"]["token"] for one in config["users"]}) == 2
    with pytest.raises(UnknownScenario):
        Playground("nope")


def test_two_clusters_are_two_worlds(start_playground: Callable[..., RunningPlayground]):
    running = start_playground("empty", clusters=2)
    running.create(config_map("a"), cluster=1)
    assert running.get("configmaps", "a") is None
    assert running.get("configmaps", "a", cluster=1) is not None
    first, second = (one.token for one in running.playground.served)
    assert Client(running.kubeconfig, token=first).get(MAPS).status == 200
    assert Client(running.kubeconfig, token=second).get(MAPS).status == 401


def test_a_port_that_is_taken_is_an_error(start_playground: Callable[..., RunningPlayground]):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        async def begin() -> None:
            async with Playground("empty", port=port):
                pass

        import asyncio

        with pytest.raises(OSError, match="address already in use"):
            asyncio.run(begin())


def test_watches_are_closed(playground: RunningPlayground, client: Client):
    with client.watch(MAPS, resourceVersion=playground.revision) as events:
        playground.create(config_map("a"))
        assert next(events)["object"]["metadata"]["name"] == "a"
        assert playground.open_watches == 1
        playground.close_watches()
        assert list(events) == []
    assert playground.open_watches == 0
    assert playground.requests()["watch configmaps"] == 1


def test_history_expires(playground: RunningPlayground, client: Client):
    version = playground.revision
    playground.create(config_map("a"))
    playground.expire_history()
    (event,) = client.events(MAPS, resourceVersion=version)
    assert (event["type"], event["object"]["code"]) == ("ERROR", 410)
    exact = client.get(MAPS, resourceVersion=version, resourceVersionMatch="Exact")
    assert (exact.status, exact.json()["reason"]) == (410, "Expired")


def test_a_longest_life(playground: RunningPlayground, client: Client):
    playground.max_watch_seconds(0.2)
    with client.watch(MAPS, resourceVersion=playground.revision) as events:
        assert list(events) == []
    playground.max_watch_seconds(None)


def test_refusals(playground: RunningPlayground, client: Client):
    playground.refuse(429, times=1)
    busy = client.get(MAPS)
    assert (busy.status, busy.headers["Retry-After"], busy.body) == (
        429, "1", b"Too many requests, please try again later.\n",
    )  # fmt: skip
    assert client.get(MAPS).status == 200
    playground.refuse(503, path="/api/v1/namespaces")
    assert client.get(MAPS).json()["reason"] == "ServiceUnavailable"
    assert client.get("/version").status == 200
    playground.clear()
    assert client.get(MAPS).status == 200


def test_what_is_forbidden(playground: RunningPlayground, client: Client):
    playground.forbid(verb="list", resource="pods", namespace="")
    refused = client.get("/api/v1/pods")
    assert refused.status == 403
    assert refused.json()["message"] == (
        'pods is forbidden: User "demo-admin" cannot list resource "pods" in API group "" at the cluster scope'
    )
    assert client.get("/api/v1/namespaces/default/pods").status == 200
    path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    review: dict[str, Any] = {"kind": "SelfSubjectAccessReview", "apiVersion": "authorization.k8s.io/v1"}
    review["spec"] = {"resourceAttributes": {"verb": "list", "resource": "pods"}}
    assert client.ask("POST", path, review).json()["status"] == {"allowed": False}


def test_impersonation_is_known(client: Client, playground: RunningPlayground):
    playground.forbid(user="jane")
    refused = client.get(MAPS, headers={"Impersonate-User": "jane", "Impersonate-Group": "dev"})
    assert 'User "jane" cannot list resource "configmaps"' in refused.json()["message"]
    who = {"kind": "SelfSubjectReview", "apiVersion": "authentication.k8s.io/v1"}
    answer = client.ask("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", who,
                        headers={"Impersonate-User": "joe", "Impersonate-Group": "dev"})  # fmt: skip
    assert answer.json()["status"]["userInfo"] == {"username": "joe", "groups": ["dev", "system:authenticated"]}


def test_a_stall(playground: RunningPlayground, client: Client):
    playground.stall()
    with pytest.raises(TimeoutError):
        client.get(MAPS, timeout=0.3)
    answers = list[int]()
    waiting = threading.Thread(target=lambda: answers.append(client.get(MAPS).status))
    waiting.start()
    playground.resume()
    waiting.join(60)
    assert answers == [200]


def test_stopped_and_started_on_the_same_port(playground: RunningPlayground, client: Client):
    playground.create(config_map("a"))
    version = playground.revision
    with client.watch(MAPS, resourceVersion=version) as events:
        playground.stop()
        assert list(events) == []
    with pytest.raises(ConnectionRefusedError):
        client.get(MAPS)
    playground.create(config_map("b"))  # the cluster lives on
    playground.start()
    assert [event["object"]["metadata"]["name"] for event in client.events(MAPS, resourceVersion=version)] == ["b"]


def test_bookmarks_in_between(playground: RunningPlayground, client: Client, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(streaming, "BOOKMARK_S", 1.05)
    query: Any = {"resourceVersion": playground.revision, "allowWatchBookmarks": "true", "timeoutSeconds": "30"}
    with client.watch(MAPS, **query) as events:
        event = next(events)
    assert (event["type"], event["object"]["metadata"]) == ("BOOKMARK", {"resourceVersion": playground.revision})


def test_large_lists_are_compressed_when_asked(playground: RunningPlayground, client: Client):
    playground.create(config_map("large", x="x" * 200_000))
    plain = client.get(MAPS)
    assert plain.headers["Content-Encoding"] is None
    packed = client.get(MAPS, headers={"Accept-Encoding": "gzip, deflate"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.body) == plain.body
    small = client.get(f"{MAPS}/kube-root-ca.crt", headers={"Accept-Encoding": "gzip"})
    assert small.headers["Content-Encoding"] is None


def decompressed(body: bytes) -> bytes:
    """Of members of gzip, the last of which may not be whole yet."""
    found = b""
    while body:
        one = zlib.decompressobj(wbits=31)
        found += one.decompress(body)
        body = one.unused_data
    return found


def test_a_watch_list_is_compressed_in_many_members(playground: RunningPlayground, client: Client):
    query: dict[str, Any] = {"watch": "1", "sendInitialEvents": "true", "resourceVersionMatch": "NotOlderThan",
             "allowWatchBookmarks": "true"}  # fmt: skip
    with client.opened(MAPS, headers={"Accept-Encoding": "gzip"}, **query) as answer:
        assert answer.headers["Content-Encoding"] == "gzip"
        first, body = zlib.decompressobj(wbits=31), b""
        while not first.eof:
            piece = answer.read1()
            assert b"late" not in first.decompress(piece)
            body += piece
        playground.create(config_map("late"))
        while b'"name":"late"' not in decompressed(body):
            body += answer.read1()
        playground.close_watches()
        body += answer.read()
    assert gzip.decompress(body).endswith(b"}\n")
    # Go's reader gives out what stands before a flush, and waits at a member's end for what comes after it.
    assert zlib.decompressobj(31).decompress(body.partition(FLUSH)[0] + FLUSH).endswith(b"}\n")
    # Without bookmarks it is no watch list: clients that stop at a member's end (httpx) ask so.
    bare = {"watch": "1", "timeoutSeconds": "1"}
    assert "Content-Encoding" not in client.get(MAPS, headers={"Accept-Encoding": "gzip"}, **bare).headers


def test_a_watch_from_a_version_is_not_compressed(playground: RunningPlayground, client: Client):
    answer = client.get(
        MAPS, headers={"Accept-Encoding": "gzip"}, watch="1", resourceVersion="1000000", timeoutSeconds="1"
    )
    assert (answer.status, answer.headers["Content-Encoding"]) == (200, None)


def test_only_tls_and_only_with_its_authority(playground: RunningPlayground):
    port = int(playground.url.rpartition(":")[2])
    with (
        socket.create_connection(("127.0.0.1", port)) as plain,
        pytest.raises(ssl.SSLCertVerificationError),
        ssl.create_default_context().wrap_socket(plain, server_hostname="127.0.0.1"),
    ):
        pass
    context = ssl.create_default_context(cafile=str(playground.ca))
    with (
        socket.create_connection(("127.0.0.1", port)) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as connection,
    ):
        assert connection.version() in ("TLSv1.2", "TLSv1.3")


def test_a_body_that_is_too_large(client: Client):
    answer = client.ask("POST", MAPS, b"x" * (3 * 1024 * 1024 + 1))
    assert (answer.status, answer.json()["reason"]) == (413, "RequestEntityTooLarge")


def test_custom_objects(start_playground: Callable[..., RunningPlayground], tmp_path: Path):
    running = start_playground("first-look", settings=Settings(still=True))
    client = Client(running.kubeconfig)
    path = "/apis/demo.notebook-mux.dev/v1/namespaces/shop/backups"
    table = client.get(path, accept=TABLE).json()
    assert [column["name"] for column in table["columnDefinitions"]] == [
        "Name", "Source", "Phase", "Progress", "Size", "Verified", "Last Backup", "Age",
    ]  # fmt: skip
    assert table["rows"][-1]["cells"][:4] == ["db-nightly", "db", "Completed", 100]
    items = client.get(path).json()["items"]
    assert items[0]["kind"] == "Backup"  # custom objects say in lists what they are
    assert client.ask("PATCH", f"{path}/assets", {}, media="application/strategic-merge-patch+json").status == 415
    running.delete("customresourcedefinitions.apiextensions.k8s.io", "backups.demo.notebook-mux.dev", "")
    eventually(lambda: client.get(path).status == 404, "its objects go first, and then the kind", seconds=20)


def test_a_definition_of_a_kind_adds_and_serves_it(playground: RunningPlayground, client: Client):
    names = {"plural": "things", "singular": "thing", "kind": "Thing"}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {"type": "object"}}}
    made = client.ask("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", {
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "things.x.io"},
        "spec": {"group": "x.io", "scope": "Cluster", "names": names, "versions": [version]}})  # fmt: skip
    assert made.status == 201
    thing = {"apiVersion": "x.io/v1", "kind": "Thing", "metadata": {"name": "one"}}
    assert client.ask("POST", "/apis/x.io/v1/things", thing).status == 201
    assert client.get("/apis/x.io/v1/things", accept=TABLE).json()["rows"][0]["cells"][0] == "one"


def test_it_does_not_wait_for_a_client_that_went_away(playground: RunningPlayground, client: Client):
    with client.watch(MAPS, resourceVersion=playground.revision):
        pass
    for number in range(3):
        playground.create(config_map(f"m-{number}"))

    def noticed() -> bool:
        playground.create({**config_map(""), "metadata": {"generateName": "m-"}})
        return playground.open_watches == 0

    eventually(noticed, "that it has gone", seconds=60, pause=0.02)
