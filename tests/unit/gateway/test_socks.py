from __future__ import annotations

import asyncio

import aiohttp
import pytest

from notebook_mux.gateway.socks import PORT, ProxyRefused, SocksConnector
from tests.serving import talking


async def test_what_a_url_says():
    connector = SocksConnector("socks5://me:p%40ss@proxy")
    async with connector:
        assert (connector._proxy["host"], connector._proxy["port"]) == ("proxy", PORT)
        assert (connector._proxy["username"], connector._proxy["password"]) == ("me", "p@ss")
        assert "p@ss" not in repr(connector)


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x05\xff", b"\x05\x00\x05\x01"])
async def test_what_is_no_socks_proxy(answer: bytes):
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(answer)

    async with (
        talking(talk) as port,
        aiohttp.ClientSession(connector=SocksConnector(f"socks5://127.0.0.1:{port}")) as session,
    ):
        with pytest.raises(ProxyRefused):
            await session.get("http://far-away.invalid/")


async def test_one_that_says_nothing():
    heard = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.set()
        await reader.read()

    timeout = aiohttp.ClientTimeout(sock_connect=0.2)
    async with (
        talking(silent) as port,
        aiohttp.ClientSession(connector=SocksConnector(f"socks5://127.0.0.1:{port}"), timeout=timeout) as session,
    ):
        with pytest.raises(aiohttp.ClientProxyConnectionError):
            await session.get("http://far-away.invalid/")
        await asyncio.wait_for(heard.wait(), 30)
