"""The sides of `log_pipe`: an API server that has nothing but logs, and the floor, which reads them and keeps nothing.

Run as a child with ``{"side": "serve", "folder": ...}`` it says ``{"port": ..., "kubeconfig": ...}``. A log's query
says what is written: ``tailLines`` pieces of ``limitBytes`` bytes each, every one a chunk and a write of its own, as an
API server flushes; and with ``sinceSeconds=n`` so many of them a second.

With ``{"side": "read", "port": ..., "ca": ...}`` it is the floor: one aiohttp client on uvloop, which at an order
``{"targets": [...]}`` reads these logs at once and says ``{"bytes": ...}``.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp

from tests.benchmarks.processes import arguments, many_files, order, orders_async, say
from tests.benchmarks.scripted_api import CHUNKED, TOKEN, UNSENT_BYTES, chunk, run_loop, write_kubeconfig
from tests.testbed.certificates import Authority

READ_BYTES = 256 * 1024
OTHER = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 24\r\n\r\n{"gitVersion":"v1.37.2"}'


async def write_log(writer: asyncio.StreamWriter, count: int, size: int, rate: int) -> None:
    """A whole log, flat out or so many pieces a second."""
    piece = chunk(b"2026-11-29T19:30:05.123456789Z ".ljust(size - 1, b"x")[: size - 1] + b"\n")
    began = time.monotonic()
    writer.write(CHUNKED)
    for number in range(count):
        writer.write(piece)
        if writer.transport.get_write_buffer_size() > UNSENT_BYTES:
            await writer.drain()
        if rate and (wait := began + number / rate - time.monotonic()) > 0:
            await asyncio.sleep(wait)
    writer.write(chunk(b""))
    await writer.drain()


async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One connection, until it closes."""
    try:
        while True:
            target = (await reader.readuntil(b"\r\n\r\n")).split(b" ", 2)[1].decode()
            parts = urlsplit(target)
            if parts.path.endswith("/log"):
                asked = {name: int(values[0]) for name, values in parse_qs(parts.query).items() if name != "follow"}
                await write_log(writer, asked["tailLines"], asked["limitBytes"], asked.get("sinceSeconds", 0))
            else:
                writer.write(OTHER)
    except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
        pass
    finally:
        writer.close()


async def serve(folder: str) -> None:
    """Be the API server until the input ends."""
    place = Path(folder)
    Authority(place)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(place / "server.crt", place / "server.key")
    server = await asyncio.start_server(talk, "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    say(port=port, kubeconfig=str(write_kubeconfig(place, port)))
    orders = await orders_async()
    while await order(orders) is not None:
        continue


async def read(port: int, ca: str) -> None:
    """Be the floor until the input ends."""
    context = ssl.create_default_context(cafile=ca)
    headers = {"Authorization": f"Bearer {TOKEN}", "Accept-Encoding": "identity"}
    timeout = aiohttp.ClientTimeout(total=None)
    async with aiohttp.ClientSession(headers=headers, timeout=timeout, read_bufsize=READ_BYTES) as session:

        async def one(target: str) -> int:
            size = 0
            async with session.get(f"https://127.0.0.1:{port}{target}", ssl=context) as response:
                while data := await response.content.readany():
                    size += len(data)
            return size

        say(ready=True)
        orders = await orders_async()
        while (given := await order(orders)) is not None:
            say(bytes=sum(await asyncio.gather(*(one(target) for target in given["targets"]))))


def main(side: str, **given: Any) -> None:
    """Run the side that was asked for."""
    many_files()
    run_loop(serve(**given) if side == "serve" else read(**given))


if __name__ == "__main__":
    main(**arguments())
