"""Upgrades to SPDY/3.1, passed on as bytes: exec and port-forward of an older kubectl, or before an older API server.

kubectl speaks WebSockets since 1.31, and falls back to this where they are refused (client-go, ``FallbackExecutor``).
"""

from __future__ import annotations

import asyncio
import contextlib

import aiohttp
from aiohttp import web
from multidict import CIMultiDict

from notebook_mux.gateway.cluster import Cluster
from notebook_mux.gateway.headlamp import refusals, rest
from notebook_mux.gateway.headlamp.targets import Target
from notebook_mux.remote import keepalive
from notebook_mux.remote.raw import Raw
from notebook_mux.remote.sockets import Refused
from notebook_mux.remote.upgrades import SWITCHING

SPDY = "SPDY/3.1"
PROTOCOL = "X-Stream-Protocol-Version"
"""The header by which both sides agree on what the streams mean (apimachinery, ``httpstream``)."""

METHODS = frozenset({"GET", "POST"})


def refusal(request: web.Request) -> web.Response | None:
    """What is wrong with an upgrade, looked at before any cluster is asked; None if nothing is."""
    if request.headers["Upgrade"].lower() != SPDY.lower():
        return refusals.response(400, f"an upgrade to a WebSocket or to {SPDY} is served here, and to nothing else")
    if request.method not in METHODS:
        return refusals.response(405, f"{SPDY} is asked for by POST")
    return None


async def serve(request: web.Request, cluster: Cluster, target: Target) -> web.StreamResponse:
    """Upgrade the cluster's side, then the client's, and pass bytes on until either ends.

    Raises:
        MuxError: The cluster could not be asked.
    """
    headers = CIMultiDict({"Connection": "Upgrade", "Upgrade": SPDY})
    headers.extend((PROTOCOL, value) for value in request.headers.getall(PROTOCOL, []))
    try:
        answer = await cluster.upgraded(request.method, target.path, target.query, headers=headers)
    except Refused as refused:
        said = refused.answer
        kind = {"Content-Type": said.headers.get("content-type", "text/plain")}
        return web.Response(status=said.status, body=said.body, headers=rest.SAFE | kind)
    try:
        chosen = {PROTOCOL: answer.headers[PROTOCOL]} if PROTOCOL in answer.headers else {}
        response = web.StreamResponse(status=SWITCHING, headers={"Connection": "Upgrade", "Upgrade": SPDY, **chosen})
        with contextlib.suppress(ConnectionError):  # it has gone while the cluster was asked
            upstream, client = Raw.of_answer(answer), Raw.of_request(request)
            await response.prepare(request)
            keepalive.probe(request.transport)
            await _both_ways(client, upstream)
        return response
    finally:
        if answer.connection is not None and answer.connection.transport is not None:
            answer.connection.transport.abort()
        answer.close()


async def _both_ways(client: Raw, upstream: Raw) -> None:
    ways = [asyncio.create_task(_copy(client, upstream)), asyncio.create_task(_copy(upstream, client))]
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)
        upstream.close()
        client.close()


async def _copy(source: Raw, sink: Raw) -> None:
    with contextlib.suppress(ConnectionError, aiohttp.ClientError):
        while data := await source.read():
            await sink.write(data)
