"""Servers of tests, ended so that no connection is left behind which the garbage collector finds in another test."""

from __future__ import annotations

import asyncio
from typing import cast

from aiohttp import web

from notebook_mux.listening import stop_accepting


async def stop_serving(runner: web.BaseRunner) -> None:
    """End an aiohttp server whose clients may be connecting right now."""
    servers = [cast(asyncio.Server, site._server) for site in runner.sites]  # there is no other way to its sockets
    await stop_accepting(one for server in servers for one in server.sockets)
    await runner.cleanup()
