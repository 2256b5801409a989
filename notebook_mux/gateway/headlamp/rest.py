"""REST, and watches and logs over HTTP, below ``/clusters/<name>/``: passed on with the gateway's own credentials."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine, Mapping
from typing import Any

import aiohttp
from aiohttp import web
from multidict import CIMultiDict

from notebook_mux.errors import InvalidArgument
from notebook_mux.gateway.cluster import Cluster
from notebook_mux.gateway.headlamp.targets import Target, is_followed, is_long
from notebook_mux.kube.scope import HEADERS, PASSED_ON
from notebook_mux.remote import keepalive

MAX_BODY = 3 * 1024 * 1024
"""Bytes of a request's body: what an API server takes (apiserver/pkg/server/config.go, MaxRequestBodyBytes)."""

ANSWER_SECONDS = 75.0
"""Until an answer begins: an API server gives up on its own after 60."""

READ_AHEAD = 64 * 1024
"""Bytes of an answer that are taken before the client has taken those before them."""

TICK_SECONDS = 1.0
"""How often it is looked whether the client of a long answer is still there: nothing says so while nothing is sent."""

GONE = 499
"""For a client that is there no more: nobody reads it."""

SAFE = {
    # A page that a pod serves through /proxy/ must not run as a page of the gateway.
    "Content-Security-Policy": "sandbox",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


async def answer(
    request: web.Request,
    cluster: Cluster,
    target: Target,
    *,
    more: Mapping[str, str] | None = None,
    acting: CIMultiDict[str] | None = None,
) -> web.StreamResponse:
    """Ask the cluster, and pass its answer on while it comes.

    Args:
        request: A client's.
        cluster: Whom to ask.
        target: For what.
        more: Headers besides those that any client's request may have.
        acting: See `Cluster.stream`.

    Raises:
        MuxError: The cluster could not be asked.
    """
    content = await body_of(request)
    headers = passed_on(request.headers) | dict(more or {})
    if not is_long(target):
        headers["Accept-Encoding"] = "gzip, deflate"  # as far as the gateway; a watch is never compressed
    asked = cluster.stream(
        target.path,
        target.query,
        headers=headers,
        method=request.method,
        body=content or None,
        # A node answers with the first line of a log, which a quiet container writes when it likes.
        timeout=None if is_followed(target) else ANSWER_SECONDS,
        read_ahead=READ_AHEAD,
        acting=acting,
    )
    async with contextlib.AsyncExitStack() as stack:
        upstream = await _begun(request, stack.enter_async_context(asked))
        if upstream is None:
            return web.Response(status=GONE)
        response = web.StreamResponse(status=upstream.status, headers=SAFE)
        for name, value in upstream.headers.items():
            if name.lower() in PASSED_ON:
                response.headers.add(name, value)
        await response.prepare(request)
        if is_long(target):
            keepalive.tune(upstream, READ_AHEAD)
            keepalive.probe(request.transport)
        if request.method != "HEAD":
            await _pass_on(request, upstream.content, response)
        return response


async def _begun(
    request: web.Request, asking: Coroutine[Any, Any, aiohttp.ClientResponse]
) -> aiohttp.ClientResponse | None:
    """An answer's beginning; None where the client has gone before it."""
    task = asyncio.create_task(asking)
    try:
        while not (await asyncio.wait((task,), timeout=TICK_SECONDS))[0]:
            if is_gone(request):
                return None
        return task.result()
    finally:
        if task.cancel():
            await asyncio.gather(task, return_exceptions=True)


async def body_of(request: web.Request) -> bytes:
    """The body of a request.

    Raises:
        InvalidArgument: It is too long.
    """
    parts: list[bytes] = []
    size = 0
    async for part in request.content.iter_any():
        size += len(part)
        if size > MAX_BODY:
            raise InvalidArgument(f"a body of more than {MAX_BODY >> 20} MiB, which no API server takes")
        parts.append(part)
    return b"".join(parts)


def passed_on(headers: Mapping[str, str]) -> dict[str, str]:
    """The header fields that a cluster gets: none that says who asks.

    Raises:
        InvalidArgument: The value of one is not printable.
    """
    found = {name.lower(): value for name, value in headers.items() if name.lower() in HEADERS}
    for name, value in found.items():
        if not (value.isascii() and value.isprintable()):
            raise InvalidArgument(f"the value of the header field {name} is not printable")
    return found


async def _pass_on(request: web.Request, source: aiohttp.StreamReader, response: web.StreamResponse) -> None:
    """Copy until either side ends. An answer that broke is cut, so that nobody takes it for a whole one."""
    copying = asyncio.create_task(_copy(source, response))
    try:
        while not copying.done():
            await asyncio.wait((copying,), timeout=TICK_SECONDS)
            if is_gone(request):
                return
        if copying.exception() is not None and request.transport is not None:
            request.transport.abort()
    finally:
        copying.cancel()
        with contextlib.suppress(asyncio.CancelledError, aiohttp.ClientError, OSError):
            await copying


async def _copy(source: aiohttp.StreamReader, response: web.StreamResponse) -> None:
    while data := await source.readany():
        await response.write(data)
    await response.write_eof()


def is_gone(request: web.Request) -> bool:
    """Whether the client's connection is there no more."""
    return request.transport is None or request.transport.is_closing()
