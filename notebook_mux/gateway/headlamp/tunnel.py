"""WebSockets below ``/clusters/<name>/`` (exec, attach, portforward, log, watch): message by message, both ways.

Pings and pongs are passed on too, so what a client learns of the other end is true. Each message is one frame on both
sides: an API server takes the continuation of a fragmented one for a message of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Any

import aiohttp
from aiohttp import web

from notebook_mux.gateway.cluster import Cluster
from notebook_mux.gateway.headlamp import doors, refusals, rest, streamed
from notebook_mux.gateway.headlamp.targets import Target
from notebook_mux.remote import keepalive
from notebook_mux.remote.sockets import ABNORMAL, NO_STATUS, Refused, Socket, cut, hang_up, pump
from notebook_mux.remote.upgrades import FAILED

MAX_CLIENT_FRAME = 4 * 1024 * 1024
"""Bytes of one message of a client: stdin is sent in pieces of some 32 KiB, a large paste is a few MiB."""

GOODBYE_SECONDS = 1.0
"""For the closing handshake with either side."""

OK = 200


def refusal(request: web.Request) -> web.Response | None:
    """What is wrong with an upgrade, looked at before any cluster is asked; None if nothing is."""
    if request.method != "GET":
        return refusals.response(405, "a WebSocket is opened by GET")
    bare = request.clone(headers=doors.with_protocols(request.headers, ()))
    if not web.WebSocketResponse(compress=False).can_prepare(bare).ok:
        return refusals.response(400, "a handshake that is none of a WebSocket (RFC 6455, 4.2.1)")
    return None


async def serve(request: web.Request, cluster: Cluster, target: Target) -> web.StreamResponse:
    """Upgrade the cluster's side, then the client's with the sub-protocol that the cluster chose.

    Raises:
        MuxError: The cluster could not be asked.
    """
    protocols = doors.public(doors.offered(request.headers))
    # As Headlamp's server does: a watch whose Accept asks for Tables has the printed columns.
    accept = {name: value for name, value in rest.passed_on(request.headers).items() if name == "accept"}
    try:
        upstream = await cluster.websocket(target.path, target.query, protocols=protocols, headers=accept)
    except Refused as refused:
        answer = refused.answer
        if answer.status == OK and streamed.takes(target):
            return await streamed.serve(request, cluster, target)
        if not answer.body:
            return refusals.response(
                502 if answer.status < FAILED else answer.status, f"the API server refused the upgrade: {answer.status}"
            )
        return web.Response(
            status=answer.status,
            body=answer.body,
            headers=rest.SAFE | {"Content-Type": answer.headers.get("content-type", "text/plain")},
        )
    try:
        chosen = [upstream.protocol] if upstream.protocol else []
        client = web.WebSocketResponse(
            timeout=GOODBYE_SECONDS,
            autoclose=False,
            autoping=False,
            protocols=chosen,
            compress=False,
            max_msg_size=MAX_CLIENT_FRAME,
        )
        try:
            await client.prepare(request.clone(headers=doors.with_protocols(request.headers, chosen)))
        except OSError:  # it has gone while the cluster was asked
            return client
        keepalive.probe(upstream)
        keepalive.probe(request.transport)
        await _both_ways(client, upstream)
        return client
    finally:
        await hang_up(upstream, GOODBYE_SECONDS)


async def _both_ways(client: web.WebSocketResponse, upstream: aiohttp.ClientWebSocketResponse) -> None:
    down = asyncio.create_task(pump(upstream, client))
    up = asyncio.create_task(pump(client, upstream))
    try:
        await asyncio.wait((down, up), return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (down, up):
            task.cancel()
        ends: Sequence[Any] = await asyncio.gather(down, up, return_exceptions=True)
        code, reason = next((end for end in ends if isinstance(end, tuple)), (ABNORMAL, b""))
        if code == ABNORMAL:
            cut(upstream)  # as it came: told goodbye in v5, an API server lets the program run
        # In tasks of their own: one that waits behind what was not taken may be told that it was cancelled.
        closing = [asyncio.create_task(_close(side, code, reason)) for side in (client, upstream)]
        await asyncio.gather(*closing, return_exceptions=True)


async def _close(side: Socket, code: int, reason: bytes) -> None:
    with contextlib.suppress(TimeoutError, OSError, aiohttp.ClientError, RuntimeError):
        async with asyncio.timeout(GOODBYE_SECONDS):
            await side.close(code=1011 if code == ABNORMAL else 1000 if code == NO_STATUS else code, message=reason)
