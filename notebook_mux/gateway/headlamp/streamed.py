"""Watches and logs as direct WebSockets before a cluster that has them over HTTP only, or lets nothing else through.

An API server serves them as WebSockets too (apiserver/pkg/endpoints/handlers/watch.go and wsstream/stream.go), with an
event a text frame whatever was agreed, and a log as text frames of base64, or as binary ones.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib

import aiohttp
from aiohttp import WSMsgType, web

from notebook_mux.gateway.cluster import Cluster
from notebook_mux.gateway.headlamp import doors, rest
from notebook_mux.gateway.headlamp.targets import Target, is_set
from notebook_mux.gateway.lines import LineSplitter
from notebook_mux.remote import keepalive

BASE64 = "base64.binary.k8s.io"
KNOWN = (BASE64, "binary.k8s.io")
"""Sub-protocols of a stream that only goes down (apiserver/pkg/util/wsstream/stream.go)."""

READ_AHEAD = 16 * 1024
GOODBYE_SECONDS = 1.0
MAX_CLIENT_FRAME = 1024
"""Bytes; a client has nothing to say here."""

OK = 200
NORMAL, BROKE = 1000, 1011
"""Close codes (RFC 6455, 7.4.1)."""


def takes(target: Target) -> bool:
    """Whether a request is for a watch or a log."""
    return is_watch(target) or target.path.endswith("/log")


def is_watch(target: Target) -> bool:
    """Whether a request is for a watch."""
    return is_set(target.query, "watch")


async def serve(request: web.Request, cluster: Cluster, target: Target) -> web.StreamResponse:
    """Ask over HTTP and answer with a WebSocket.

    Raises:
        MuxError: The cluster could not be asked.
    """
    usual = "application/json" if is_watch(target) else "*/*"
    headers = {"Accept": rest.passed_on(request.headers).get("accept", usual)}
    async with cluster.stream(target.path, target.query, headers=headers, read_ahead=READ_AHEAD) as upstream:
        if upstream.status != OK:
            body = await upstream.content.read(READ_AHEAD)
            return web.Response(status=upstream.status, body=body, headers=rest.SAFE)
        chosen = [name for name in doors.public(doors.offered(request.headers)) if name in KNOWN][:1]
        client = web.WebSocketResponse(
            timeout=GOODBYE_SECONDS, protocols=chosen, compress=False, max_msg_size=MAX_CLIENT_FRAME
        )
        try:
            await client.prepare(request.clone(headers=doors.with_protocols(request.headers, chosen)))
        except OSError:  # it has gone while the cluster was asked
            return client
        keepalive.tune(upstream, READ_AHEAD)
        keepalive.probe(request.transport)
        passing = asyncio.create_task(_pass_on(upstream.content, client, is_watch(target)))
        leaving = asyncio.create_task(_until_it_leaves(client))
        try:
            await asyncio.wait((passing, leaving), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (passing, leaving):
                task.cancel()
            end, _ = await asyncio.gather(passing, leaving, return_exceptions=True)
            with contextlib.suppress(OSError, TimeoutError, RuntimeError):
                async with asyncio.timeout(GOODBYE_SECONDS):
                    await client.close(code=NORMAL if end is None else BROKE)
        return client


async def _pass_on(content: aiohttp.StreamReader, client: web.WebSocketResponse, watch: bool) -> None:
    splitter = LineSplitter()
    while data := await content.readany():
        if watch:
            for line in splitter.feed(data):
                await client.send_str(line.decode(errors="replace"))
        elif client.ws_protocol == BASE64:
            await client.send_str(base64.b64encode(data).decode())
        else:
            await client.send_bytes(data)


async def _until_it_leaves(client: web.WebSocketResponse) -> None:
    async for message in client:
        if message.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
            return
