from __future__ import annotations

import asyncio
import gc
import socket
import sys
import warnings

import pytest

from notebook_mux.listening import stop_accepting

PEERS = 20


async def lost(*, gently: bool) -> list[str]:
    """What is never closed when a server ends while peers connect."""
    server = await asyncio.start_server(lambda reader, writer: writer.transport.abort(), "127.0.0.1", 0)
    peers = [socket.create_connection(server.sockets[0].getsockname()) for _ in range(PEERS)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)  # accepted; that they are known to the server takes some turns more
    if gently:
        await stop_accepting(server.sockets)
    server.close()
    await asyncio.sleep(0.05)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        gc.collect()
    for peer in peers:
        peer.close()
    return [str(one.message) for one in said if "unclosed transport" in str(one.message)]


async def test_no_connection_is_lost() -> None:
    for _ in range(5):
        assert await lost(gently=True) == []


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="the trap is known of Python 3.11: run these tests with it")
async def test_the_trap_is_there() -> None:
    """Where no supported Python has it any more, `stop_accepting` may go too."""
    assert len(await lost(gently=False)) == PEERS
