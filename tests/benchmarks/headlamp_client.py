"""A client of ``/wsMultiplexer`` that asks for much at once and notes when the first event of each comes.

Run as a child with ``{"url": ..., "token": ..., "cluster": ..., "subscriptions": [[path, query], ...]}``; it connects,
says ``{"ready": true}``, and at the order ``{"go": true}`` sends all REQUESTs, one after another, each with a user id
of its own, since a Headlamp server tells subscriptions of one path apart by nothing else. It says ``{"firsts":
[seconds, ...], "refused": [...]}`` when each has had an event or an ERROR, or after `LIMIT_SECONDS`.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

import msgspec
from websockets.asyncio.client import ClientConnection, connect

from notebook_mux.wire import headlamp
from tests.benchmarks.processes import arguments, order, orders_async, say

LIMIT_SECONDS = 120.0
TOKEN_HEADER = "X-HEADLAMP_BACKEND-TOKEN"


class Said(msgspec.Struct, rename="camel"):
    """What is read of an envelope; what it carries is left alone."""

    type: str
    user_id: str = ""
    data: msgspec.Raw = msgspec.Raw()


_decode = msgspec.json.Decoder(Said).decode


async def ask(socket: ClientConnection, cluster: str, subscriptions: list[list[str]]) -> None:
    """Send all REQUESTs."""
    for number, (path, query) in enumerate(subscriptions):
        envelope = headlamp.Envelope(cluster, path, f"user-{number}", headlamp.REQUEST, query)
        await socket.send(headlamp.encode(envelope))


async def main(url: str, token: str, cluster: str, subscriptions: list[list[str]]) -> None:
    """Measure once."""
    headers = {TOKEN_HEADER: token} if token else {}
    async with connect(
        url, additional_headers=headers, compression=None, max_size=None, ping_interval=None, max_queue=None
    ) as socket:
        reader = await orders_async()
        say(ready=True)
        await order(reader)
        began = time.monotonic()
        asking = asyncio.create_task(ask(socket, cluster, subscriptions))
        firsts: dict[str, float] = {}
        refused: list[Any] = []
        try:
            async with asyncio.timeout(LIMIT_SECONDS):
                while len(firsts) + len(refused) < len(subscriptions):
                    said = _decode(await socket.recv())
                    if said.type == headlamp.DATA:
                        firsts.setdefault(said.user_id, time.monotonic() - began)
                    elif said.type == headlamp.ERROR:
                        refused.append(bytes(said.data).decode())
        except TimeoutError:
            pass
        asking.cancel()
        say(firsts=sorted(firsts.values()), refused=refused)
        await order(reader)


if __name__ == "__main__":
    asyncio.run(main(**arguments()))
