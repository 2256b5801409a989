"""A service with nothing to serve: it lives as the gateway and the playground do. Run as a program by `test_life`."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from notebook_mux.errors import MuxError
from notebook_mux.life import logs, proof
from notebook_mux.life.idle import IdleEnd
from notebook_mux.life.name import ServiceName
from notebook_mux.life.runtime import Tenure
from notebook_mux.listening import stop_accepting


class Service:
    """Answers ``/prove``, ``/status`` (with the token) and ``/hold`` (a client that stays)."""

    def __init__(self, tenure: Tenure):
        self.tenure = tenure
        self.clients = 0
        self.accepting = True
        self.touched: Callable[[], None] = lambda: None

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            url = urlsplit(head.split(" ")[1])
            if not self.accepting:
                await self.reply(writer, 503, {})
            elif url.path == proof.PATH:
                self.touched()
                try:
                    await self.reply(writer, 200, self.tenure.answer(parse_qs(url.query).get("nonce", [""])[0]))
                except proof.BadNonce:
                    await self.reply(writer, 400, {})
            elif f"authorization: bearer {self.tenure.token}".lower() not in head.lower():
                await self.reply(writer, 401, {})
            elif url.path == "/hold":
                self.clients += 1
                await self.reply(writer, 200, {})
                await reader.read()
                self.clients -= 1
            else:
                await self.reply(writer, 200, {"clients": self.clients, "streams": 7, "upstreams": ["a", "b"]})
        writer.close()

    @staticmethod
    async def reply(writer: asyncio.StreamWriter, status: int, content: object) -> None:
        body = json.dumps(content).encode()
        writer.write(f"HTTP/1.1 {status} Said\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
        await writer.drain()


async def serve(tenure: Tenure) -> None:
    service = Service(tenure)
    server = await asyncio.start_server(service.serve, "127.0.0.1", 0)
    end = IdleEnd(
        tenure,
        busy=lambda: service.clients > 0,
        close_door=lambda: setattr(service, "accepting", False),
        open_door=lambda: setattr(service, "accepting", True),
    )
    service.touched = end.touch
    with end.signals():
        tenure.publish(server.sockets[0].getsockname()[1], {"session": os.getsid(0), "folder": str(Path.cwd())})
        print("serving with", tenure.token)
        await end.wait()
    await stop_accepting(server.sockets)
    server.close()


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--variant", default="")
    parser.add_argument("--fault", choices=["crash", "hang", "deaf"])
    arguments = parser.parse_args()
    name = ServiceName("standin", arguments.variant)
    logs.begin(name)
    if starts := os.environ.get("NOTEBOOK_MUX_TEST_STARTS"):
        with Path(starts).open("a") as file:
            file.write(f"{os.getpid()}\n")
    if arguments.fault == "crash":
        print("Authorization: Bearer abcdefgh12345678")
        raise RuntimeError("the disk is made of cheese")
    try:
        with Tenure(name) as tenure:
            if arguments.fault == "hang":
                time.sleep(600)
            asyncio.run(serve(tenure))
    except MuxError as error:
        print("\n".join(error.lines()), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
