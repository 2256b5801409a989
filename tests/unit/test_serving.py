"""What tests leave open is found, and what is on its way out is waited for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests import serving
from tests.serving import heard, quiet, talking


@pytest.fixture
async def port() -> AsyncIterator[int]:
    """Of a server that ends each connection when its client has."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with talking(talk) as found:
        yield found


async def test_what_is_left_open_is_named_and_cut(port: int, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(serving, "GOODBYE_S", 0.05)
    before = heard()
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.transport.pause_reading()  # type: ignore[attr-defined]  # not listened to, and open all the same
    file = writer.get_extra_info("socket").fileno()
    left = await quiet(before)
    assert any(f"fd={file} " in one for one in left), left
    assert writer.transport.is_closing()
    assert heard() == before


async def test_what_is_on_its_way_out_is_waited_for(port: int):
    before = heard()
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    while len(heard() - before) < 2:  # the server has it, too
        await asyncio.sleep(0)
    writer.close()
    assert await quiet(before) == []
    assert heard() == before


async def test_what_closed_when_its_last_bytes_had_left_is_let_be(port: int):
    before = heard()
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(bytes(1 << 24))  # more than the sockets hold
    writer.close()
    assert await quiet(before) == []
    assert heard() == before
