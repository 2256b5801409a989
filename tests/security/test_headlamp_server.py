"""Who may reach Headlamp's dialect of the gateway, and what passes to a cluster."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from base64 import b64encode, urlsafe_b64encode
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from notebook_mux.wire import headlamp as wire
from tests.security.test_gateway import FOREIGN_HOSTS, Reply, ask
from tests.unit.gateway.headlamp.api import CLUSTER_TOKEN, EXEC, PODS, TOKEN, Served, served

REST = f"/clusters/one{PODS}"
ROUTES = [
    ("GET", "/config"),
    ("GET", wire.PATH),
    ("GET", REST),
    ("DELETE", f"{REST}/web-0"),
    ("POST", "/clusters/one/set-token"),
    ("GET", f"/clusters/one{EXEC}"),
    ("GET", "/clusters/none/api"),
    ("GET", "/clusters/"),
]
GOOD: dict[str, str | None] = {"X-HEADLAMP_BACKEND-TOKEN": TOKEN}
PROTOCOL = "base64url.headlamp.backend.authorization.k8s.io."
KEY = b64encode(bytes(16)).decode()
UPGRADE: dict[str, str | None] = {
    "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": KEY,
}  # fmt: skip
CANARY = "canary-2b7d90c1e4"


def protocol(token: str) -> str:
    return PROTOCOL + urlsafe_b64encode(token.encode()).decode().rstrip("=")


async def asked(running: Served, *args: Any, **options: Any) -> Reply:
    reply = await asyncio.to_thread(ask, running.gateway.port, *args, **options)
    assert TOKEN not in str(reply)
    return reply


# --- the door -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("method", "target"), [*ROUTES, ("GET", "/plugins")])
async def test_a_foreign_host_or_origin_is_refused_on_every_route(method, target, tmp_path):
    async with served(tmp_path, write=True) as running:
        port = running.gateway.port
        for upgrade in ({}, UPGRADE):
            for host in FOREIGN_HOSTS:
                assert (await asked(running, method, target, GOOD | upgrade | {"Host": host(port)}))[0] in (400, 403)
            for origin in (
                "http://evil.example",
                "null",
                f"https://127.0.0.1:{port}",
                f"http://127.0.0.1:{port + 1}",
                "",
            ):
                status, fields, _ = await asked(running, method, target, GOOD | upgrade | {"Origin": origin})
                assert status == 403
                assert not any(name.lower().startswith("access-control") for name in fields)
        assert running.api.seen == []


WRONG: list[dict[str, str | None]] = [
    {},
    {"X-HEADLAMP_BACKEND-TOKEN": "wrong"},
    {"X-HEADLAMP_BACKEND-TOKEN": ""},
    {"X-HEADLAMP-BACKEND-TOKEN": TOKEN},
    {"Sec-WebSocket-Protocol": protocol("wrong")},
    {"Sec-WebSocket-Protocol": PROTOCOL},
    {"Sec-WebSocket-Protocol": f"{PROTOCOL}!!!"},
    {"Sec-WebSocket-Protocol": f"{protocol(TOKEN)}, {protocol('wrong')}"},
    {"X-HEADLAMP_BACKEND-TOKEN": TOKEN, "Sec-WebSocket-Protocol": protocol("other")},
    {"X-HEADLAMP_BACKEND-TOKEN": TOKEN, "Authorization": "Bearer other"},
    {"X-HEADLAMP_BACKEND-TOKEN": TOKEN, "Authorization": f"Basic {TOKEN}"},
    {"Cookie": f"headlamp-auth-one.0={CLUSTER_TOKEN}; token={TOKEN}; X-HEADLAMP_BACKEND-TOKEN={TOKEN}"},
]


@pytest.mark.parametrize(("method", "target"), ROUTES)
async def test_without_the_right_token_nothing_is_served_and_nobody_asked(method, target, tmp_path):
    async with served(tmp_path, write=True) as running:
        for upgrade in ({}, UPGRADE):
            for headers in WRONG:
                status, fields, body = await asked(running, method, target, upgrade | headers)
                assert status == 403, headers
                assert len(body.splitlines()) == 1
                assert "Set-Cookie" not in fields
            for query in ("?token=", "?token=wrong", f"?token={TOKEN}&token=wrong"):
                assert (await asked(running, method, target + query, upgrade))[0] == 403
        assert running.api.seen == []


async def test_the_right_token_passes_in_each_way(tmp_path):
    async with served(tmp_path) as running:
        ways: list[dict[str, str | None]] = [
            GOOD,
            {"Authorization": f"Bearer {TOKEN}"},
            {"Sec-WebSocket-Protocol": protocol(TOKEN)},
            GOOD | {"Sec-WebSocket-Protocol": f"base64.binary.k8s.io, {protocol(TOKEN)}"},
        ]
        for headers in ways:
            assert (await asked(running, "GET", REST, headers))[0] == 200
        assert (await asked(running, "GET", f"{REST}?token={TOKEN}"))[0] == 200
        for request in running.api.seen:
            assert TOKEN not in str(request.headers) + request.raw_path


# --- paths --------------------------------------------------------------------------------------------------------

ESCAPES = [
    "/clusters/one/../stop",
    "/clusters/one/%2e%2e/stop",
    "/clusters/one/api/../../../stop",
    "/clusters/one/api/v1/..%2f..%2fstop",
    "/clusters/one/api/v1/%2e%2e%2f%2e%2e",
    "/clusters/one//evil.example/api",
    "/clusters/one//api/v1/pods",
    "/clusters/one/api//v1/pods",
    "/clusters/one/api/v1/pods%2fweb-0%2fexec",
    "/clusters/one/api/v1/pods%00",
    "/clusters/one/api/v1/pods%0d%0aX-Injected:%201",
    "/clusters/one/api/v1/pods%3fwatch=1",
    "/clusters/one/api/v1/pods%23",
    "/clusters/one/api/v1/pods;x=1/web-0",
    "/clusters/one/api/v1/pods\\..\\..",
    "/clusters/one/api/v1/%5c..%5c",
    "/clusters/one/api/v1/p%zz",
    "/clusters/one/api/v1/%25%32%65",
    "/clusters/one/metrics",
    "/clusters/one/debug/pprof",
    "/clusters/one/",
    "/clusters/one",
    "/clusters//api/v1/pods",
    "/clusters/../api/v1/pods",
    "/clusters/%2e%2e/api/v1/pods",
    "/clusters/one%2f..%2ftwo/api/v1/pods",
    "/clusters/team%2ftwo/api/v1/pods",
    "/clusters/team/two/api/v1/pods",
    "/clusters/one%00/api/v1/pods",
    "http://evil.example/clusters/one/api/v1/pods",
    "//evil.example/clusters/one/api/v1/pods",
    "/clusters/one/http://evil.example/api",
    "/clusters/one@evil.example/api/v1/pods",
    "/x/../clusters/one/api/v1/pods",
    "/%63lusters/one/api/v1/pods",
]


@pytest.mark.parametrize("target", ESCAPES)
async def test_no_path_leaves_its_cluster(target, tmp_path):
    async with served(tmp_path, write=True) as running:
        for method, headers in (("GET", GOOD), ("POST", GOOD), ("GET", GOOD | UPGRADE)):
            status, _, body = await asked(running, method, target, headers)
            assert status in (400, 403, 404), body
        assert running.api.seen == []
        assert running.gateway.accepting


@pytest.mark.parametrize(
    "path",
    ["/api/../stop", "//evil.example/", "http://evil.example/api", "/api/v1/pods?watch=1", "/api/v1/pods#x",
     "/api/v1/pods\r\nX-Injected: 1", "/api/v1/\0", "/metrics", "/api/v1/%2e%2e", "api/v1/pods", "/api/v1/..",
     "/api/v1/pods\\", "/é", "/api/v1/pods;x=1"],
)  # fmt: skip
async def test_no_path_of_the_multiplexer_does(path, tmp_path):
    async with served(tmp_path, write=True) as running, running.client() as client:
        await client.say(path=path)
        assert (await client.hears(wire.ERROR, path=path))["code"] == 400
        for query in ("watch=1&x=\r\nX-Injected: 1", "watch=1#x", "watch=1 x", "watch=1&x=é"):
            await client.say(query=query)
            assert (await client.hears(wire.ERROR, query=query))["code"] == 400
        assert running.api.seen == []


SMUGGLED = [
    "Cookie", "Impersonate-User", "impersonate-group", "Impersonate-Extra-Scopes", "X-Remote-User", "X-Forwarded-For",
    "Forwarded", "X-HTTP-Method-Override", "Proxy-Authorization", "X-HEADLAMP-USER-ID", "KUBECONFIG", "Referer",
    "User-Agent", "X-Real-IP", "Sec-WebSocket-Extensions", "Accept-Language",
]  # fmt: skip

# --- what passes --------------------------------------------------------------------------------------------------


async def test_only_listed_header_fields_pass(tmp_path):
    async with served(tmp_path, write=True) as running:
        secret: dict[str, str | None] = dict.fromkeys(SMUGGLED, CANARY)
        for method in ("GET", "DELETE"):
            assert (await asked(running, method, REST, GOOD | secret | {"Accept": "application/json"}))[0] == 200
        with contextlib.suppress(InvalidStatus, ConnectionClosed):
            given = {name: value or "" for name, value in (secret | GOOD).items() if name != "Sec-WebSocket-Extensions"}
            async with running.socket(f"/clusters/one{EXEC}", additional_headers=given, user_agent_header=None):
                pass
        assert len(running.api.seen) == 3
        for request in running.api.seen:
            assert CANARY not in str(request.headers)
            assert TOKEN not in str(request.headers)


async def test_a_body_cannot_smuggle_a_second_request(tmp_path):
    async with served(tmp_path, write=True) as running:
        port = running.gateway.port
        inner = f"DELETE {REST}/x HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n"
        for framing in (
            f"Content-Length: {len(inner)}\r\nTransfer-Encoding: chunked",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
            f"Content-Length: {len(inner)}\r\nContent-Length: 3",
            "Transfer-Encoding: x-chunked",
            "Content-Length: +5",
        ):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(
                f"POST {REST} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nX-HEADLAMP_BACKEND-TOKEN: {TOKEN}\r\n{framing}\r\n"
                f"Connection: close\r\n\r\n{inner}".encode()
            )
            answer = await reader.read()
            assert answer.startswith((b"HTTP/1.0 400", b"HTTP/1.1 400")) or answer.count(b"HTTP/1.1") == 1, framing
            writer.close()
            await writer.wait_closed()
        assert all(request.method == "POST" for request in running.api.seen)


async def test_a_cluster_sets_no_cookie_and_runs_no_page(tmp_path):
    async def page(request):
        from aiohttp import web

        return web.Response(
            text="<script>alert(1)</script>", content_type="text/html",
            headers={"Set-Cookie": "a=b", "Location": "http://evil.example", "Access-Control-Allow-Origin": "*",
                     "Content-Security-Policy": "default-src *", "Refresh": "0;url=http://evil.example"},
        )  # fmt: skip

    path = "/api/v1/namespaces/default/services/web/proxy/"
    async with served(tmp_path, write=True) as running:
        running.api.routes[path] = page
        for upgrade, expected in (({}, 200), (UPGRADE, 502)):
            status, fields, body = await asked(running, "GET", f"/clusters/one{path}", GOOD | upgrade)
            assert status == expected
            if expected == 200:
                assert fields["Content-Security-Policy"] == "sandbox"
                assert fields["X-Content-Type-Options"] == "nosniff"
            else:
                assert "<script>" not in body
            assert not {"Set-Cookie", "Location", "Access-Control-Allow-Origin", "Refresh"} & set(fields)


async def test_a_redirect_is_not_followed(tmp_path):
    async def away(request):
        from aiohttp import web

        return web.Response(status=302, headers={"Location": f"{running.api.url}/api/v1/secrets"})

    async with served(tmp_path) as running:
        running.api.routes[PODS] = away
        status, fields, _ = await asked(running, "GET", REST, GOOD)
        assert (status, "Location" in fields) == (302, False)
        assert len(running.api.seen) == 1


# --- cookies ------------------------------------------------------------------------------------------------------


async def test_a_cookie_alone_changes_nothing(tmp_path):
    async with served(tmp_path, write=True) as running:
        cookie: dict[str, str | None] = {"Cookie": f"headlamp-auth-one.0={CANARY}"}
        for method in ("GET", "POST", "DELETE", "PATCH"):
            assert (await asked(running, method, REST, cookie))[0] == 403
        assert (await asked(running, "GET", f"/clusters/one{EXEC}", cookie | UPGRADE))[0] == 403
        assert (await asked(running, "POST", "/clusters/one/set-token", cookie))[0] == 403
        assert (await asked(running, "GET", wire.PATH, cookie | UPGRADE))[0] == 403
        assert running.api.seen == []


@pytest.mark.parametrize(
    "body",
    ["", "{", "[]", '{"token": 1}', '{"token": "a b"}', '{"token": "a;b"}', '{"token": "a\\r\\nSet-Cookie: x=y"}',
     '{"token": "é"}', '{"token": "' + "x" * 40_000 + '"}', "[" * 100_000],
)  # fmt: skip
async def test_what_is_no_token_becomes_no_cookie(body, tmp_path):
    async with served(tmp_path) as running, running.http() as http:
        response = await http.post(running.url("/clusters/one/set-token"), data=body.encode())
        assert response.status == 400
        assert "Set-Cookie" not in response.headers


STRANGE: dict[str, Any] = {"a; Path=": "http://127.0.0.1:1"}


async def test_a_clusters_name_cannot_widen_a_cookie(tmp_path):
    async with served(tmp_path, **STRANGE) as running:
        for name in ("a;%20Path=", "a%3B%20Path=", "one;", "one,", "none", "..", "%2e%2e", "one/x"):
            status, fields, _ = await asked(running, "POST", f"/clusters/{name}/set-token", GOOD)
            assert status in (400, 403, 404)
            for value in fields.get("Set-Cookie", "").split(","):
                assert "Path=/;" not in value


# --- the handshake ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [{"Sec-WebSocket-Key": None}, {"Sec-WebSocket-Key": "short"}, {"Sec-WebSocket-Version": "12"},
     {"Sec-WebSocket-Version": None}, {"Upgrade": "SPDY/3.1"}, {"Upgrade": None}, {"Connection": "close"}],
)  # fmt: skip
async def test_nothing_is_dialled_before_the_handshake_is_right(change, tmp_path):
    async with served(tmp_path, write=True) as running:
        headers = {k: v for k, v in (GOOD | UPGRADE | change).items() if v is not None}
        for target in (f"/clusters/one{EXEC}", wire.PATH):
            assert (await asked(running, "GET", target, headers))[0] == 400
        assert running.api.seen == []


async def test_an_upgrade_by_another_method_is_refused(tmp_path):
    async with served(tmp_path, write=True) as running:
        assert (await asked(running, "POST", f"/clusters/one{EXEC}", GOOD | UPGRADE))[0] == 405
        assert running.api.seen == []


async def test_a_client_that_leaves_while_it_is_dialled_leaves_nothing(tmp_path, caplog):
    release = asyncio.Event()

    async def slow(request):
        await release.wait()
        return await running.api._exec(request)

    async with served(tmp_path, write=True) as running:
        running.api.routes[EXEC] = slow
        reader, writer = await asyncio.open_connection("127.0.0.1", running.gateway.port)
        fields = "".join(f"{k}: {v}\r\n" for k, v in (GOOD | UPGRADE).items())
        writer.write(
            f"GET /clusters/one{EXEC} HTTP/1.1\r\nHost: 127.0.0.1:{running.gateway.port}\r\n{fields}\r\n".encode()
        )
        while not running.api.seen:
            await asyncio.sleep(0.01)
        writer.transport.abort()
        release.set()
        while running.headlamp.tunnels:
            await asyncio.sleep(0.01)
        del reader
    assert [one for one in caplog.records if one.levelno >= logging.ERROR] == []


# --- secrets ------------------------------------------------------------------------------------------------------


async def test_no_secret_is_logged_or_shown(tmp_path, caplog):
    caplog.set_level(logging.DEBUG)
    seen: list[str] = []
    cookie: dict[str, str | None] = GOOD | {"Cookie": f"headlamp-auth-one.0={CANARY}"}
    async with served(tmp_path, write=True) as running:
        for target in ("/config", "/plugins", REST, f"/clusters/dead{PODS}", "/status", f"/clusters/{CANARY}/api"):
            status, fields, body = await asked(running, "GET", target, cookie)
            seen += [str(status), str(fields), body.replace(CANARY, "") if CANARY in target else body]
        name = protocol(TOKEN)
        for path in (wire.PATH, f"/clusters/one{EXEC}"):
            for protocols in ([name], ["v4.channel.k8s.io", name], [f"{PROTOCOL}{CANARY}"]):
                with contextlib.suppress(Exception):
                    async with running.socket(path, additional_headers={}, subprotocols=protocols) as socket:
                        await socket.send("x")
                        seen.append(str(await socket.recv()))
        seen += map(repr, (running.gateway, running.headlamp, *running.shared.clusters))
    seen += [caplog.handler.format(one) for one in caplog.records if not one.name.startswith("websockets")]
    everything = "\n".join(seen)
    for secret in (TOKEN, name, CANARY, CLUSTER_TOKEN):
        assert secret not in everything
