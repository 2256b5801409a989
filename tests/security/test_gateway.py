"""Who may reach the gateway, what they may do there, and what nobody gets to see."""

from __future__ import annotations

import asyncio
import http.client
import json
import logging
from collections.abc import Callable
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from notebook_mux.errors import InvalidArgument, LoginRequired
from notebook_mux.gateway.server import Gateway
from notebook_mux.gateway.shared import Shared
from notebook_mux.life import proof
from notebook_mux.wire import messages
from tests.unit.gateway.serving import PODS, TOKEN, Serving, serving, until_closed

ROUTES = [("GET", "/"), ("GET", messages.PATH), ("GET", "/status"), ("POST", "/stop"), ("GET", "/nothing-here")]
PROVE = ("GET", f"/prove?nonce={'ab' * 32}")
CANARY = "canary-5f1e9c7a3b2d"

Reply = tuple[int, dict[str, str], str]


def ask(port: int, method: str, target: str, headers: dict[str, str | None] | None = None) -> Reply:
    """One request with exactly these header fields; None leaves Host out."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    given = {"Host": f"127.0.0.1:{port}"} | (headers or {})
    try:
        connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
        for name, value in given.items():
            if value is not None:
                connection.putheader(name, value)
        connection.endheaders()
        response = connection.getresponse()
        return response.status, dict(response.headers), response.read().decode()
    finally:
        connection.close()


async def asked(running: Serving, *args: Any, **options: Any) -> Reply:
    reply = await asyncio.to_thread(ask, running.gateway.port, *args, **options)
    assert TOKEN not in str(reply)
    return reply


BEARER: dict[str, str | None] = {"Authorization": f"Bearer {TOKEN}"}

FOREIGN_HOSTS: list[Callable[[int], str | None]] = [
    lambda port: "evil.example",
    lambda port: f"evil.example:{port}",
    lambda port: f"127.0.0.1.evil.example:{port}",
    lambda port: "127.0.0.1",
    lambda port: f"127.0.0.1:{port + 1}",
    lambda port: f"127.0.0.2:{port}",
    lambda port: f"0.0.0.0:{port}",
    lambda port: f"localhost.:{port}",
    lambda port: f"user@127.0.0.1:{port}",
    lambda port: None,
    lambda port: "",
]


@pytest.mark.parametrize(("method", "target"), [*ROUTES, PROVE])
async def test_a_foreign_host_is_refused_on_every_route(method, target):
    async with serving() as running:
        for host in FOREIGN_HOSTS:
            headers = BEARER | {"Host": host(running.gateway.port)}
            status, _, body = await asked(running, method, target, headers)
            assert status in (400, 403), headers
            if host(running.gateway.port) is not None:
                assert "this gateway is reached as" in body or status == 400


@pytest.mark.parametrize(("method", "target"), [*ROUTES, PROVE])
@pytest.mark.parametrize(
    "origin",
    ["http://evil.example", "null", "https://127.0.0.1:{port}", "http://127.0.0.1", "http://127.0.0.1:1",
     "http://127.0.0.1:{port}.evil.example", "http://127.0.0.1:{port}/", ""],
)  # fmt: skip
async def test_a_foreign_origin_is_refused_on_every_route(method, target, origin):
    async with serving() as running:
        headers = BEARER | {"Origin": origin.format(port=running.gateway.port)}
        status, fields, _ = await asked(running, method, target, headers)
        assert status == 403
        assert not any(name.lower().startswith("access-control") for name in fields)


@pytest.mark.parametrize(("method", "target"), ROUTES)
@pytest.mark.parametrize(
    ("query", "authorization"),
    [
        ("", None),
        ("", "Bearer wrong"),
        ("", f"Basic {TOKEN}"),
        ("", TOKEN),
        ("", "Bearer "),
        ("", f"Bearer {TOKEN}x"),
        ("", f"Bearer {TOKEN[:-1]}"),
        ("", f"Bearer {TOKEN.upper()}"),
        ("?token=", None),
        ("?token=wrong", None),
        ("?token=wrong", f"Bearer {TOKEN}"),
        (f"?token={TOKEN}", "Bearer wrong"),
        (f"?Token={TOKEN}", None),
        ("?token=%C3%A4%00%FF", None),
    ],
)
async def test_a_missing_or_wrong_token_is_refused_on_every_route_but_the_proof(method, target, query, authorization):
    async with serving() as running:
        status, _, body = await asked(running, method, target + query, {"Authorization": authorization})
        assert status == 401
        assert len(body.splitlines()) == 1
        assert running.stops == []


async def test_the_right_ones_pass():
    async with serving() as running:
        port = running.gateway.port
        for host in (f"127.0.0.1:{port}", f"localhost:{port}", f"[::1]:{port}", f"LOCALHOST:{port}"):
            assert (await asked(running, "GET", "/", BEARER | {"Host": host}))[0] == 200
            assert (await asked(running, "GET", "/", BEARER | {"Origin": f"http://{host}"}))[0] == 200
        assert (await asked(running, "GET", f"/?token={TOKEN}"))[0] == 200
        assert (await asked(running, "GET", f"/?token={TOKEN}", BEARER))[0] == 200
        assert (await asked(running, "GET", "/nothing-here", BEARER))[0] == 404
        assert (await asked(running, "POST", "/status", BEARER))[0] == 405
        assert (await asked(running, "GET", "/stop", BEARER))[0] == 405
        assert running.stops == []
        _, _, body = await asked(running, "GET", "/status", BEARER)
        assert json.loads(body)["clients"] == []
        assert (await asked(running, "POST", "/stop", BEARER))[0] == 200
        assert running.stops == ["stopped by its user"]


async def test_the_targets_own_host_does_not_count():
    async with serving() as running:
        port = running.gateway.port
        for target in (f"http://evil.example:{port}/", f"http://127.0.0.1:{port}/", "*"):
            assert (await asked(running, "GET", target, BEARER))[0] in (400, 403)


async def test_the_proof_proves_and_shows_nothing():
    async with serving() as running:
        nonce = proof.nonce()
        status, _, body = await asked(running, "GET", f"/prove?nonce={nonce}")
        assert status == 200
        assert proof.verify(
            json.loads(body), TOKEN, nonce, instance=running.shared.instance, port=running.gateway.port, version="0"
        )
        for query in ("", "?nonce=", "?nonce=short", f"?nonce={'zz' * 32}", f"?nonce={nonce}&nonce={nonce}"):
            assert (await asked(running, "GET", f"/prove{query}"))[0] == 400


@pytest.mark.parametrize(
    ("options", "status"),
    [
        ({"additional_headers": {}}, 401),
        ({"additional_headers": {"Authorization": "Bearer wrong"}}, 401),
        ({"origin": "http://evil.example"}, 403),
        ({"subprotocols": None}, 400),
        ({"subprotocols": ["notebook-mux.v2"]}, 400),
    ],
)
async def test_the_upgrade_is_guarded_too(options, status):
    async with serving() as running:
        with pytest.raises(InvalidStatus) as caught:
            await running.connect(**options).__aenter__()
        assert caught.value.response.status_code == status
        assert running.shared.served == 0
        assert TOKEN.encode() not in caught.value.response.body


async def test_an_upgrade_with_a_foreign_host_is_refused():
    async with serving() as running:
        status, _, _ = await asked(
            running, "GET", messages.PATH,
            BEARER | {
                "Host": "evil.example", "Upgrade": "websocket", "Connection": "Upgrade",
                "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version": "13",
                "Sec-WebSocket-Protocol": messages.SUBPROTOCOL,
            },
        )  # fmt: skip
        assert status == 403


async def test_no_upgrade_is_told_so():
    async with serving() as running:
        assert (await asked(running, "GET", messages.PATH, BEARER))[0] == 426


async def test_one_sub_protocol_of_several_is_agreed():
    async with serving() as running, running.client(subprotocols=["other", messages.SUBPROTOCOL]) as client:
        assert client.socket.subprotocol == messages.SUBPROTOCOL


async def test_a_gateway_that_ends_refuses():
    async with serving() as running:
        running.gateway.open_door(False)
        assert (await asked(running, "GET", "/", BEARER))[0] == 503
        running.gateway.open_door(True)
        assert (await asked(running, "GET", "/", BEARER))[0] == 200


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "192.0.2.1", "localhost", "::1"])
async def test_only_loopback_is_listened_on(host):
    running = Serving()
    with pytest.raises(InvalidArgument, match=r"127\.0\.0\.1 only"):
        await running.gateway.start(0, host)


async def test_a_base_path_goes_before_every_route():
    running = Serving()
    gateway = Gateway(running.shared, TOKEN, lambda nonce: {"proof": nonce}, base_path="/user/me/gateway/")
    running.gateway = gateway
    await gateway.start()
    try:
        assert gateway.url == f"http://127.0.0.1:{gateway.port}/user/me/gateway/"
        assert (await asked(running, "GET", "/user/me/gateway/", BEARER))[0] == 200
        assert (await asked(running, "GET", "/user/me/gateway/prove?nonce=x"))[0] == 200
        assert (await asked(running, "GET", "/prove?nonce=x"))[0] == 401
        assert (await asked(running, "GET", "/prove?nonce=x", BEARER))[0] == 404
        assert (await asked(running, "GET", "/user/me/gateway/status"))[0] == 401
    finally:
        await gateway.close("the test ends")


# --- writing ------------------------------------------------------------------------------------------------------

CHANGES = [
    ("DELETE", "/api/v1/namespaces/default/pods/web-0"),
    ("POST", "/api/v1/namespaces/default/pods"),
    ("PATCH", "/apis/apps/v1/namespaces/default/deployments/web"),
    ("PUT", "/api/v1/namespaces/default/configmaps/c"),
    ("post", "/api/v1/namespaces/default/pods/web-0/eviction"),
    ("GET", "/api/v1/namespaces/default/pods/web-0/exec"),
    ("GET", "/api/v1/namespaces/default/pods/web-0/attach"),
    ("GET", "/api/v1/namespaces/default/pods/web-0/portforward"),
    ("GET", "/api/v1/namespaces/default/services/web/proxy/shutdown"),
    ("GET", "/api/v1/nodes/n1/proxy/run/default/web-0/c"),
    ("GET", "/api/v1/namespaces/default/pods/web-0/%65xec"),
    ("HEAD", "/api/v1/namespaces/default/pods/web-0/exec"),
    ("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews"),
    ("POST", "/api/v1/namespaces/default/serviceaccounts/default/token"),
]


@pytest.mark.parametrize(("method", "path"), CHANGES)
async def test_writing_is_refused_whichever_way_it_comes(method, path):
    async with serving() as running, running.client() as client, running.client() as other:
        await client.resolve()
        await other.resolve()
        await other.ask(messages.Scope(id=1, scope="theirs", write=["ref-one"]))
        await client.ask(messages.Scope(id=1, scope="mine", write=["ref-two"]))
        for number, scope in enumerate(["", "mine", "theirs", "none"], 2):
            failure = await client.ask(
                messages.Http(id=number, cluster="ref-one", method=method, path=path, scope=scope)
            )
            assert failure.code == "write-refused"
            assert "write=True" in failure.todo
        assert running.clusters.known["ref-one"].asked == []
        assert await client.ask(messages.Scope(id=20, scope="mine", write=["ref-one"])) == ["ref-one"]
        head, _ = await client.ask(
            messages.Http(id=21, cluster="ref-one", method=method, path=path, scope="mine", body="{}")
        )
        assert head.status == 200
        assert running.clusters.known["ref-one"].asked == [(method.upper(), path, "", {}, "{}")]


async def test_the_last_scope_decides():
    async with serving() as running, running.client() as client:
        await client.resolve()
        await client.ask(messages.Scope(id=1, scope="m", write=["ref-one"]))
        assert await client.ask(messages.Scope(id=2, scope="m", write=["ref-two", "ref-unknown"])) == ["ref-two"]
        failure = await client.ask(messages.Http(id=3, cluster="ref-one", method="DELETE", path=f"{PODS}/x", scope="m"))
        assert failure.code == "write-refused"


async def test_a_gateway_by_hand_grants_no_writing():
    async with serving(own=messages.Source(kubeconfig=["own"]), write=False) as running, running.client() as client:
        await client.ask(messages.Contexts(id=1, source=messages.Source(), names=["*"]))
        assert await client.ask(messages.Scope(id=2, scope="m", write=["ref-one"])) == []
        failure = await client.ask(messages.Http(id=3, cluster="ref-one", method="DELETE", path=f"{PODS}/x", scope="m"))
        assert failure.code == "write-refused"
        assert "--write" in failure.todo


async def test_headers_that_change_who_asks_are_refused():
    async with serving() as running, running.client() as client:
        await client.resolve()
        for number, name in enumerate(["Authorization", "Impersonate-User", "Cookie", "X-Remote-User", "Host"], 1):
            failure = await client.ask(
                messages.Http(id=number, cluster="ref-one", method="GET", path=PODS, headers={name: CANARY})
            )
            assert failure.code == "invalid"
            assert CANARY not in str(failure)
        assert running.clusters.known["ref-one"].asked == []


async def test_cookies_of_a_cluster_stay_here():
    async with serving() as running, running.client() as client:
        await client.resolve()
        head, _ = await client.ask(messages.Http(id=1, cluster="ref-one", method="GET", path=PODS))
        assert head.headers == {"content-type": "text/plain"}


# --- secrets ------------------------------------------------------------------------------------------------------


async def test_a_canary_is_found_nowhere(caplog):
    """The gateway's token and a client's environment, after everything that can go wrong."""
    caplog.set_level(logging.DEBUG)
    seen: list[str] = []
    async with serving() as running:
        for target in ("/", "/status", "/nothing", f"/?token={CANARY}", f"/{CANARY}"):
            wrong: list[dict[str, str | None]] = [{name: CANARY} for name in ("Authorization", "Origin", "Host")]
            seen += [str(await asked(running, "GET", target, headers)) for headers in ({}, BEARER, *wrong)]
        async with running.client() as client:
            source = messages.Source(kubeconfig=["config"], env={"AWS_SECRET_ACCESS_KEY": CANARY})
            await client.ask(messages.Contexts(id=1, source=source, names=["*"]))
            running.clusters.known["ref-one"].error = LoginRequired("expired", said="the plugin failed")
            await client.ask(messages.Probe(id=2, cluster="ref-one"))
            running.clusters.known["ref-two"].probe = None  # type: ignore[method-assign, assignment]
            await client.ask(messages.Probe(id=3, cluster="ref-two"))
            await client.ask(messages.Http(id=4, cluster="ref-two", method="PUT", path=PODS, body=CANARY))
            await client.ask(messages.Status(id=5))
            seen += map(str, client.messages)
            seen += [str(payload) for _, _, payload in client.frames]
            seen += map(repr, (running.gateway, running.shared, *running.shared.sessions, running.contexts))
            await client.socket.send('{"type":"http","id":"' + CANARY + '"}')
            await until_closed(client)
            seen += map(str, client.messages)
    seen += [caplog.handler.format(entry) for entry in caplog.records if not entry.name.startswith("websockets")]
    everything = "\n".join(seen)
    assert CANARY not in everything
    assert TOKEN not in everything


def test_the_source_of_a_gateway_by_hand_is_in_no_repr():
    shared = Shared(instance="i", own=messages.Source(env={"AWS_SECRET_ACCESS_KEY": CANARY}))
    assert CANARY not in repr(shared)
