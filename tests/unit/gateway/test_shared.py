from __future__ import annotations

import asyncio
from typing import Any

from notebook_mux.gateway.shared import Shared
from notebook_mux.remote.terminals import Kept
from tests.unit.remote.standing import terminal


async def test_a_gateway_that_keeps_a_terminal_is_not_idle():
    shared = Shared("instance-1")
    assert not shared.wanted
    one = terminal()
    shared.terminals._kept[one.id] = kept = Kept("kernel", "key", "ref", one)
    assert shared.wanted
    await shared.terminals.hang_up(kept)
    assert not shared.wanted


async def test_a_gateway_with_a_client_is_not_idle():
    shared = Shared("instance-1")
    for clients in (shared.sessions, shared.pages):
        client: Any = asyncio.Event()
        clients.add(client)
        assert shared.wanted
        clients.remove(client)
    assert not shared.wanted
