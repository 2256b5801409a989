"""``proxy-url`` and the proxies of the environment, through real proxies to a real TLS server."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
import uvloop

from notebook_mux.errors import InvalidArgument, Unreachable
from notebook_mux.gateway.cluster import Cluster, Clusters
from tests.kubeconfig.proxies import running
from tests.unit.gateway.certificates import Authority
from tests.unit.gateway.tls_api import Api, context

FAR = "far-away.invalid:6443"
"""A name that only the proxy knows."""

PASSWORD = "canary:p@ss/word"
ENCODED = "me:canary%3Ap%40ss%2Fword"

Connect = Callable[..., Cluster]


async def reach(scheme: str, authority: Authority, folder: Path) -> None:
    """Reach a TLS server that only the proxy can reach, by its certificate's name; and not by another."""
    api, clusters = Api(), Clusters()
    tls = authority.server_context(folder) if scheme == "https" else None
    async with AsyncExitStack() as stack:
        await api.start(authority.server_context(folder))
        stack.push_async_callback(api.stop)
        stack.push_async_callback(clusters.aclose)
        proxy = await stack.enter_async_context(running(scheme, tls=tls))
        proxy.names[FAR] = api.port
        fields: dict[str, Any] = {"proxy-url": proxy.url, "tls-server-name": "127.0.0.1"}
        cluster = clusters.add(context(folder, f"https://{FAR}", {"token": "canary"}, authority, **fields))
        assert await cluster.probe() == {"version": "v1.37.2"}
        assert set(proxy.asked) == {FAR}, "the proxy was given the name, not an address"
        assert proxy.down > 0
        assert api.seen[0].headers["Authorization"] == "Bearer canary"
        del fields["tls-server-name"]
        unnamed = clusters.add(context(folder, f"https://{FAR}", {"token": "canary"}, authority, **fields))
        with pytest.raises(Unreachable, match="is not trusted"):
            await unnamed.request("GET", "/")


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
@pytest.mark.parametrize("scheme", ["http", "https", "socks5", "socks5h"])
def test_a_server_that_only_the_proxy_can_reach(scheme: str, loop: Any, authority: Authority, tmp_path: Path):
    """TLS within TLS and sockets that somebody else connected are each loop's own business; a gateway runs on both."""
    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(reach(scheme, authority, tmp_path))


async def test_the_proxy_of_the_one_who_asks(api: Api, connect: Connect, monkeypatch: pytest.MonkeyPatch):
    async with running("http") as proxy, running("socks5") as other:
        proxy.names[FAR] = other.names[FAR] = api.port
        named = {"tls-server-name": "127.0.0.1"}
        monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")  # this process's own, which is not asked
        await connect(f"https://{FAR}", {}, env={"HTTPS_PROXY": proxy.url}, **named).request("GET", "/")
        await connect(f"https://{FAR}", {}, env={"https_proxy": other.url}, **named).request("GET", "/")
        assert (proxy.asked, other.asked) == ([FAR], [FAR])
        both = connect(f"https://{FAR}", {}, env={"HTTPS_PROXY": other.url}, **named, **{"proxy-url": proxy.url})
        await both.request("GET", "/")
        assert (len(proxy.asked), len(other.asked)) == (2, 1), "proxy-url wins"
        passed = connect(f"https://{FAR}", {}, env={"HTTPS_PROXY": proxy.url, "NO_PROXY": ".invalid"}, **named)
        with pytest.raises(Unreachable, match="no connection"):
            await passed.request("GET", "/")
        assert (len(proxy.asked), len(other.asked)) == (2, 1), "NO_PROXY names it"
        await connect(api.url, {}, env={"HTTPS_PROXY": proxy.url}).request("GET", "/")
        assert (len(proxy.asked), len(other.asked)) == (2, 1), "this machine is never asked of a proxy"


@pytest.mark.parametrize("scheme", ["http", "socks5"])
async def test_a_plain_server(scheme: str, connect: Connect):
    api = Api()
    await api.start(None)
    async with running(scheme) as proxy:
        proxy.names[FAR] = api.port
        cluster = connect(f"http://{FAR}", {}, trusted=False, **{"proxy-url": proxy.url})
        assert (await cluster.request("GET", "/version")).status == 200
        assert proxy.asked == [FAR]
    await api.stop()


@pytest.mark.parametrize("scheme", ["http", "socks5"])
async def test_a_password_reaches_the_proxy_and_nobody_else(
    scheme: str, api: Api, connect: Connect, caplog: pytest.LogCaptureFixture
):
    caplog.set_level("DEBUG")
    async with running(scheme) as proxy:
        proxy.names[FAR] = api.port
        proxy.credentials = f"me:{PASSWORD}"
        good = connect(f"https://{FAR}", {}, **{"proxy-url": proxy.with_user(ENCODED), "tls-server-name": "127.0.0.1"})
        await good.request("GET", "/")
        assert set(proxy.given) == {f"me:{PASSWORD}"}
        assert "Proxy-Authorization" not in api.seen[0].headers
        bad = connect(f"https://{FAR}", {}, **{"proxy-url": proxy.with_user("me:canary-wrong")})
        with pytest.raises(Unreachable, match="refused") as caught:
            await bad.request("GET", "/")
        assert "see proxy-url in the kubeconfig" in str(caught.value)
        shown = str(caught.value) + repr(caught.value) + repr(good) + repr(vars(good)) + caplog.text
        assert "canary" not in shown
        assert "p%40ss" not in shown


@pytest.mark.parametrize("scheme", ["http", "socks5"])
async def test_a_proxy_that_refuses_is_not_there_or_is_none(scheme: str, api: Api, connect: Connect):
    async with running(scheme) as proxy:
        proxy.refuse = True
        with pytest.raises(
            Unreachable, match=f"the proxy 127.0.0.1:{proxy.port} on the way to https://{FAR} refused"
        ) as caught:
            await connect(f"https://{FAR}", {}, env={"HTTPS_PROXY": proxy.url}).request("GET", "/")
        assert caught.value.said
        assert caught.value.todo == "see the variable HTTPS_PROXY"
    with contextlib.closing(socket.socket()) as nobody:
        nobody.bind(("127.0.0.1", 0))  # and does not listen
        url = f"{scheme}://127.0.0.1:{nobody.getsockname()[1]}"
        there = url.rpartition("/")[2]
        with pytest.raises(
            Unreachable, match=f"no connection to the proxy {there} on the way to https://{FAR}"
        ) as caught:
            await connect(f"https://{FAR}", {}, **{"proxy-url": url}).request("GET", "/")
    assert caught.value.said == "Connection refused"
    async with running("socks5" if scheme == "http" else "http") as other:
        with pytest.raises(Unreachable, match=r"proxy|broke|does not speak HTTP"):
            await connect(f"https://{FAR}", {}, **{"proxy-url": f"{scheme}://127.0.0.1:{other.port}"}).request(
                "GET", "/"
            )


async def test_one_identity_for_each_proxy(connect: Connect):
    refs = {
        connect("https://c", {}, env={"HTTPS_PROXY": proxy, "NO_PROXY": passed}).ref
        for proxy, passed in (("", ""), ("http://a", ""), ("http://b", ""), ("http://x:y@a", ""), ("http://a", "c"))
    }
    assert len(refs) == 4, "passed by is as without"


@pytest.mark.parametrize("url", ["ftp://p", "socks4://p", "p:3128", "http://", "http://p:port", "socks5://:canary@"])
def test_a_proxy_url_that_kubectl_refuses(url: str, connect: Connect):
    with pytest.raises(InvalidArgument, match="proxy-url") as caught:
        connect("https://c", {}, **{"proxy-url": url})
    assert "canary" not in str(caught.value)
