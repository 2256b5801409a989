from __future__ import annotations

import asyncio
import base64
import json
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from notebook_mux import clocks
from notebook_mux.errors import InvalidArgument, LoginRequired, ServerError, TimedOut, Unreachable
from notebook_mux.gateway.cluster import Cluster, Clusters
from notebook_mux.kube.answers import Answer
from tests.serving import talking
from tests.unit.gateway.certificates import Authority
from tests.unit.gateway.tls_api import VERSION, Api, context


async def test_a_token_and_impersonation(api: Api, connect: Callable[..., Cluster]):
    cluster = connect(
        api.url, {"token": "canary\n", "as": "jane", "as-groups": ["a", "b"], "as-user-extra": {"X/y": ["1"]}}
    )
    answer = await cluster.request("GET", "/api/v1/pods", "limit=5&labelSelector=a%3Db", headers={"Accept": "x/y"})
    assert (answer.status, json.loads(answer.body)) == (200, VERSION)
    assert answer.headers["content-type"].startswith("application/json")
    [request] = api.seen
    assert request.raw_path == "/api/v1/pods?limit=5&labelSelector=a%3Db"
    headers = request.headers
    assert headers["Authorization"] == "Bearer canary"
    assert (headers["Impersonate-User"], headers.getall("Impersonate-Group")) == ("jane", ["a", "b"])
    assert headers["Impersonate-Extra-x%2Fy"] == "1"
    assert headers["Accept"] == "x/y"
    assert headers["User-Agent"].startswith("notebook-mux/")
    assert "canary" not in repr(cluster) + repr(vars(cluster))


async def test_no_user(api: Api, connect: Callable[..., Cluster]):
    await connect(api.url, {}).request("GET", "/")
    assert "Authorization" not in api.seen[-1].headers


async def test_no_credentials_over_plain_http(connect: Callable[..., Cluster]):
    api = Api()
    await api.start(None)
    await connect(api.url, {"token": "canary", "as": "jane"}, trusted=False).request("GET", "/")
    assert "Authorization" not in api.seen[0].headers
    assert api.seen[0].headers["Impersonate-User"] == "jane"
    await api.stop()


@pytest.mark.parametrize("inline", [True, False])
async def test_a_client_certificate(
    inline: bool, authority: Authority, tmp_path: Path, connect: Callable[..., Cluster]
):
    api = Api()
    await api.start(authority.server_context(tmp_path, clients=True))
    cert, key = authority.sign("jane")
    (tmp_path / "c").write_bytes(cert)
    (tmp_path / "k").write_bytes(key)
    user = {"client-certificate": "c", "client-key": "k"}
    if inline:
        user = {
            f"{name}-data": base64.b64encode((tmp_path / path).read_bytes()).decode() for name, path in user.items()
        }
    assert (await connect(api.url, user).request("GET", "/")).status == 200
    with pytest.raises((LoginRequired, Unreachable)):
        await connect(api.url, {"token": "x"}).request("GET", "/")
    await api.stop()


async def test_a_token_file_is_read_again_after_a_401(api: Api, connect: Callable[..., Cluster], tmp_path: Path):
    path = tmp_path / "token"
    path.write_text("old\n")
    cluster = connect(api.url, {"tokenFile": "token"})

    def handle(request: web.Request) -> web.Response:
        good = request.headers["Authorization"] == "Bearer new"
        return web.json_response(VERSION, status=200 if good else 401)

    api.handle = handle
    assert (await cluster.request("GET", "/")).status == 401
    assert len(api.seen) == 2, "read again once"
    path.write_text("new\n")
    assert (await cluster.request("GET", "/")).status == 200
    path.unlink()
    assert (await cluster.request("GET", "/")).status == 200
    with pytest.raises(LoginRequired) as caught:
        await connect(api.url, {"tokenFile": "gone"}).request("GET", "/")
    assert "gone cannot be used" in str(caught.value)
    assert caught.value.cluster == "prod"


def plugin(path: Path, body: str) -> dict[str, Any]:
    path.write_text(f"#!{sys.executable}\nimport json, sys\n{body}\n")
    path.chmod(0o700)
    return {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": str(path), "interactiveMode": "Never"}}


COUNTING = """
import pathlib
log = pathlib.Path(sys.argv[0] + '.runs'); runs = len(log.read_text()) + 1 if log.exists() else 1
log.write_text('x' * runs)
print(json.dumps({'kind': 'ExecCredential', 'apiVersion': 'client.authentication.k8s.io/v1',
                  'status': {'token': f'tok-{runs}', 'expirationTimestamp': '2099-01-01T00:00:00Z'}}))
"""


async def test_a_plugin_runs_once_for_all_and_once_more_after_a_401(
    api: Api, connect: Callable[..., Cluster], tmp_path: Path
):
    cluster = connect(api.url, plugin(tmp_path / "login", COUNTING))
    runs = tmp_path / "login.runs"
    await asyncio.gather(*(cluster.request("GET", "/") for _ in range(5)))
    assert len(runs.read_text()) == 1

    def handle(request: web.Request) -> web.Response:
        return web.json_response(VERSION, status=200 if request.headers["Authorization"] == "Bearer tok-2" else 401)

    api.handle = handle
    answers = await asyncio.gather(*(cluster.request("GET", "/") for _ in range(5)))
    assert [answer.status for answer in answers] == [200] * 5
    assert len(runs.read_text()) == 2
    api.handle = lambda request: web.Response(status=401)
    assert (await cluster.request("GET", "/")).status == 401
    assert len(runs.read_text()) == 3


async def test_a_plugin_that_fails_never_leads_to_an_anonymous_request(
    api: Api, connect: Callable[..., Cluster], tmp_path: Path
):
    body = "open(sys.argv[0] + '.runs', 'a').write('x'); sys.exit('log in first')"
    cluster = connect(api.url, plugin(tmp_path / "login", body))
    for _ in range(3):
        with pytest.raises(LoginRequired, match="failed with exit code 1"):
            await cluster.request("GET", "/")
    assert not api.seen
    assert (tmp_path / "login.runs").read_text() == "x", "a failure is remembered for a moment"
    cluster.forget_failure()
    with pytest.raises(LoginRequired, match="log in first"):
        await cluster.probe()
    assert (tmp_path / "login.runs").read_text() == "xx"


async def test_tls_is_checked(api: Api, connect: Callable[..., Cluster], authority: Authority, tmp_path: Path):
    with pytest.raises(Unreachable) as caught:
        await connect(api.url, {}, trusted=False).request("GET", "/")
    assert f"the certificate of {api.url} is not trusted" in str(caught.value)
    assert caught.value.said
    assert (await connect(api.url, {}, trusted=False, **{"insecure-skip-tls-verify": True}).probe())["version"]
    with pytest.raises(Unreachable, match="not trusted"):
        await connect(api.url.replace("127.0.0.1", "localhost"), {}).request("GET", "/")
    assert await connect(api.url.replace("127.0.0.1", "localhost"), {}, **{"tls-server-name": "127.0.0.1"}).probe()
    plain = Api()
    await plain.start(None)
    with pytest.raises(Unreachable, match="no TLS with"):
        await connect(plain.url.replace("http:", "https:"), {}).request("GET", "/")
    await plain.stop()
    bad = connect(api.url, {}, trusted=False, **{"certificate-authority-data": base64.b64encode(b"junk").decode()})
    with pytest.raises(InvalidArgument, match="certificate authority"):
        await bad.request("GET", "/")


async def test_nobody_there(connect: Callable[..., Cluster], api: Api):
    await api.leave()
    cluster = connect(api.url, {"token": "x"})
    with pytest.raises(Unreachable) as caught:
        await cluster.probe()
    assert api.url in str(caught.value)
    assert caught.value.said == "Connection refused"
    assert caught.value.cluster == "prod"
    assert cluster.trouble is caught.value
    assert not await cluster.is_alive()
    with pytest.raises(Unreachable, match="no connection"):
        await connect("https://no-such-host.invalid", {}).request("GET", "/")


async def test_a_server_that_says_nothing(connect: Callable[..., Cluster]):
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with talking(silent) as port:
        cluster = connect(f"http://127.0.0.1:{port}", {}, trusted=False)
        with pytest.raises(TimedOut, match=r"within 0\.2 s"):
            await cluster.request("GET", "/", timeout=0.2)
        with pytest.raises(TimedOut):
            async with cluster.stream("/watch", timeout=0.2):
                pass
        await cluster.aclose()


async def test_something_else_there(api: Api, connect: Callable[..., Cluster]):
    api.handle = lambda request: web.Response(text="<html><title>Router login</title>", content_type="text/html")
    with pytest.raises(ServerError, match="not as a Kubernetes API server") as caught:
        await connect(api.url, {}).probe()
    assert caught.value.said == "a page: Router login"


async def test_throttling_is_followed_and_errors_are_answers(api: Api, connect: Callable[..., Cluster]):
    cluster = connect(api.url, {"token": "x"})
    answers = iter([429, 503, 200])

    def handle(request: web.Request) -> web.Response:
        return web.Response(status=next(answers), text="Too many requests", headers={"Retry-After": "0"})

    api.handle = handle
    assert (await cluster.request("GET", "/")).status == 200
    answers = iter([429])
    found = await cluster.request("GET", "/", patient=False)
    assert (found.status, found.said, found.retry_after) == (429, "Too many requests", 0.0)
    answers = iter([503])
    assert (await cluster.request("POST", "/")).status == 503, "who knows whether it was done"
    api.handle = lambda request: web.json_response({"kind": "Status", "message": "no"}, status=403)
    with pytest.raises(PermissionError, match="403"):
        await cluster.probe()


async def test_the_servers_clock_is_not_what_a_pods_program_says(api: Api, connect: Callable[..., Cluster]):
    api.handle = lambda request: web.Response(headers={clocks.HEADER: "4000000000;10"})
    cluster = connect(api.url, {"token": "x"})
    for path in ("/api/v1/namespaces/a/pods/b/proxy", "/api/v1/namespaces/a/services/b:80/proxy/page"):
        await cluster.request("GET", path)
        assert cluster.clock == clocks.OURS
    await cluster.request("GET", "/api/v1/namespaces/a/pods/proxy-1")
    assert cluster.clock.rate == 10


async def test_a_redirect_gets_no_credentials(api: Api, connect: Callable[..., Cluster]):
    api.handle = lambda request: web.Response(status=302, headers={"Location": "/elsewhere"})
    answer = await connect(api.url, {"token": "x"}).request("GET", "/")
    assert (answer.status, len(api.seen)) == (302, 1)


@pytest.mark.parametrize(
    ("path", "query", "headers"),
    [
        ("api", "", {}),
        ("/a b", "", {}),
        ("/a?b=c", "", {}),
        ("/a/../b", "", {}),
        ("/a/%2e%2e/b", "", {}),
        ("/a\r\nX: y", "", {}),
        ("/a", "b=c d", {}),
        ("/a", "b#c", {}),
        ("/a", "", {"Authorization": "x"}),
        ("/a", "", {"impersonate-user": "admin"}),
        ("/a", "", {"X-Remote-User": "admin"}),
        ("/a", "", {"X-Y": "a\r\nb: c"}),
        ("/a", "", {"X Y": "a"}),
    ],
)
async def test_what_cannot_be_sent(
    path: str, query: str, headers: dict[str, str], api: Api, connect: Callable[..., Cluster]
):
    with pytest.raises(InvalidArgument):
        await connect(api.url, {"token": "x"}).request("GET", path, query, headers=headers)
    assert not api.seen


async def test_a_stream(api: Api, connect: Callable[..., Cluster]):
    done = asyncio.Event()

    async def handle(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"a" * 300_000)
        try:
            while True:
                await response.write(b"a")
                await asyncio.sleep(0.01)
        finally:
            done.set()
        return response

    api.handle = handle
    cluster = connect(api.url, {"token": "x"})
    async with cluster.stream("/watch", "watch=1") as response:
        assert response.status == 200
        size = 0
        while size < 300_000:
            size += len(await response.content.readany())
    assert api.seen[0].headers["Accept-Encoding"] == "identity"
    async with asyncio.timeout(30):
        await done.wait()
    assert cluster.last_contact > 0


async def test_a_stream_that_may_take_its_time_is_probed(api: Api, connect: Callable[..., Cluster]):
    speaks = asyncio.Event()

    async def handle(request: web.Request) -> web.StreamResponse:
        await speaks.wait()
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(bytes(10_000_000))  # more than is read ahead: the connection is in use
        return response

    api.handle = handle
    cluster = connect(api.url, {"token": "x"})
    with pytest.raises(TimedOut):
        async with cluster.stream("/log", timeout=0.05):
            raise AssertionError
    asyncio.get_running_loop().call_later(0.2, speaks.set)
    async with cluster.stream("/log", timeout=None) as response:
        assert response.connection is not None
        assert response.connection.transport is not None
        raw = response.connection.transport.get_extra_info("socket")
        assert raw.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE), "from the beginning of its connection"


def test_a_refusal_in_words(connect: Callable[..., Cluster]):
    cluster = connect("http://127.0.0.1:9", {}, trusted=False)
    error = cluster.refused(Answer(404, {}, b"gone"), "reading it")
    assert (error.code, error.cluster, error.said) == ("not-found", "prod", "gone")
    assert cluster.refused(Answer(204, {}, b""), "reading it").what == "reading it: the server answered 204"


async def test_through_a_proxy(connect: Callable[..., Cluster]):
    proxy = Api()
    await proxy.start(None)
    cluster = connect("http://far-away.invalid", {}, trusted=False, **{"proxy-url": proxy.url})
    assert (await cluster.probe())["version"] == "v1.37.2"
    assert proxy.seen[0].headers["Host"] == "far-away.invalid"
    proxy.handle = lambda request: web.Response(status=403)
    secure = connect("https://far-away.invalid", {}, trusted=False, **{"proxy-url": proxy.url})
    with pytest.raises(Unreachable, match="proxy"):
        await secure.request("GET", "/")
    await proxy.stop()


async def test_clusters_are_kept_by_content(api: Api, authority: Authority, tmp_path: Path):
    clusters = Clusters()
    one = clusters.add(context(tmp_path, api.url, {"token": "x"}, authority))
    assert clusters.add(context(tmp_path, api.url, {"token": "x"}, authority)) is one
    other = clusters.add(context(tmp_path, api.url, {"token": "y"}, authority))
    assert other is not one
    assert (clusters.get(one.ref), clusters.get("none")) == (one, None)
    assert list(clusters) == [one, other]
    bad = context(tmp_path, "", {}, None)
    with pytest.raises(InvalidArgument):
        clusters.add(bad)
    await clusters.aclose()
    with pytest.raises(LoginRequired, match="not in use any more"):
        await one.request("GET", "/")
