"""A sender in the gateway's place: it speaks notebook-mux.v1 to the kernel, or sends the floors what they read.

Run as a child with ``{"pods": 2000, "changes": 50000, "dialect": "v1" | "json" | "headlamp"}``. Everything is encoded
before it says ``{"port": ...}``, so that a reader, and never this process, sets the pace. Each order ``{"go": true}``
sends the changes to all who are connected. What is read here: ``{"counts": true}`` gives sockets and messages so far.

Dialects:

- ``v1``: what the kernel's manager speaks, frame by frame (`notebook_mux.wire`), credit included. On the path
  `RECORDS` the same binary frames come without a greeting, for the leaner floor.
- ``json``: binary frames of up to 64 KiB, each a run of ``[length: uint32][event]``, the event being
  ``{"type": ..., "cells": [...], "object": {...}}``.
- ``headlamp``: on the path `ENVELOPES` text frames as a Headlamp server sends them (`notebook_mux.wire.headlamp`): each
  event, as the API server wrote it, as text in an envelope of its own, after a COMPLETE.
"""

from __future__ import annotations

import asyncio
import struct
from typing import Any

import msgspec
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from notebook_mux.wire import frames, headlamp, messages
from notebook_mux.wire.frames import MAX_PAYLOAD, Channel, Kind, Position
from notebook_mux.wire.sending import Sender
from tests.benchmarks.pods import COLUMNS, CREATED, PRINTED, Pod, Population
from tests.benchmarks.processes import arguments, order, orders_async, say

RECORDS = "/records"
"""Path of the floor that reads notebook-mux.v1's data frames."""

ENVELOPES = headlamp.PATH
"""Path of Headlamp's envelopes; they come without being asked for."""

LENGTH = struct.Struct("!I")

RESOURCES = [{"name": "pods", "singular": "pod", "kind": "Pod", "group": "", "version": "v1", "namespaced": True,
              "short_names": ["po"], "categories": ["all"], "verbs": ["get", "list", "watch"]}]  # fmt: skip

HERE = Position("scripted", "one", "1")


class Payloads:
    """A stream's source: payloads that are ready, one after another."""

    def __init__(self) -> None:
        self.waiting: list[bytes] = []
        self._at = 0

    def put(self, payloads: list[bytes]) -> None:
        """Send these next."""
        self.waiting = self.waiting[self._at :] + payloads
        self._at = 0

    def pull(self, limit: int) -> tuple[int, bytes] | None:
        """The next one; each is within the limit already."""
        if self._at == len(self.waiting):
            return None
        self._at += 1
        return Channel.CHANGES, self.waiting[self._at - 1]


def batches(events: list[bytes], limit: int) -> list[bytes]:
    """Events joined to payloads of at most `limit` bytes."""
    joined: list[bytes] = []
    batch: list[bytes] = []
    size = 0
    for event in events:
        if batch and size + len(event) > limit:
            joined.append(b"".join(batch))
            batch, size = [], 0
        batch.append(event)
        size += len(event)
    return [*joined, b"".join(batch)] if batch else joined


class Script:
    """The pods, and all that will be sent, as payloads."""

    def __init__(self, pods: int, changes: int, dialect: str) -> None:
        self.population = Population(pods)
        event = {"v1": self._record, "json": self._event, "headlamp": self._envelopes}[dialect]
        self.dialect = dialect
        first = [event(pod, 0, "ADDED") for pod in self.population.pods]
        later = [event(self.population.change(), number, "MODIFIED") for number in range(1, changes + 1)]
        if dialect == "headlamp":
            self.first, self.changes = first, later
        else:
            self.first, self.changes = batches(first, MAX_PAYLOAD), batches(later, MAX_PAYLOAD)

    def _envelopes(self, pod: Pod, _: int, kind: str) -> bytes:
        content = f'{{"type":"{kind}","object":{self.population.object(pod).decode()}}}\n'
        complete = headlamp.Envelope("scripted", "/api/v1/pods", "user", headlamp.COMPLETE, "watch=1")
        data = headlamp.Envelope("scripted", "/api/v1/pods", "user", headlamp.DATA, "watch=1", content)
        return f"{headlamp.encode(complete)}\n{headlamp.encode(data)}".encode()

    def _record(self, pod: Pod, number: int, _: str) -> bytes:
        version = str(self.population.versions[pod.number])
        return frames.encode_record(
            Kind.PUT, number, pod.uid, pod.namespace, pod.name, version, CREATED, PRINTED,
            self.population.cells(pod), self.population.object(pod),
        )  # fmt: skip

    def _event(self, pod: Pod, _: int, kind: str) -> bytes:
        cells, content = self.population.cells(pod), self.population.object(pod)
        event = b'{"type":"%b","cells":%b,"object":%b}' % (kind.encode(), cells, content)
        return LENGTH.pack(len(event)) + event


class Gateway:
    """Serves the script."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.sockets: dict[ServerConnection, Payloads] = {}
        self.wanted: dict[ServerConnection, asyncio.Event] = {}
        self.upgrades = 0
        self.received = 0

    async def talk(self, socket: ServerConnection) -> None:
        """One socket, until it closes."""
        self.upgrades += 1
        self.sockets[socket] = Payloads()
        self.wanted[socket] = asyncio.Event()
        assert socket.request is not None
        try:
            if socket.request.path == messages.PATH:
                await self._v1(socket)
            else:
                await self._floor(socket)
        except ConnectionClosed:
            pass
        finally:
            del self.sockets[socket], self.wanted[socket]

    def go(self) -> None:
        """Send the changes to all."""
        for socket, payloads in self.sockets.items():
            payloads.put(self.script.changes)
            self.wanted[socket].set()

    async def _floor(self, socket: ServerConnection) -> None:
        payloads, wanted = self.sockets[socket], self.wanted[socket]
        payloads.put(self.script.first)
        text = self.script.dialect == "headlamp"
        records = socket.request is not None and socket.request.path == RECORDS
        while True:
            while (pulled := payloads.pull(MAX_PAYLOAD)) is not None:
                if text:
                    for envelope in pulled[1].split(b"\n"):
                        await socket.send(envelope + b"\n", text=True)
                else:
                    await socket.send(frames.encode_frame(1, Channel.CHANGES, pulled[1]) if records else pulled[1])
            wanted.clear()
            await wanted.wait()

    async def _v1(self, socket: ServerConnection) -> None:
        sender, wanted, payloads = Sender(), self.wanted[socket], self.sockets[socket]
        streams: list[int] = []

        async def write() -> None:
            while True:
                if payloads.waiting and streams:
                    sender.wake(streams[0])
                while (frame := sender.next()) is not None:
                    await socket.send(frame)
                wanted.clear()
                await wanted.wait()

        writer = asyncio.get_running_loop().create_task(write())
        try:
            async for text in socket:
                self.received += 1
                message = messages.decode_client(text)
                if isinstance(message, messages.Credit):
                    sender.grant(message.stream, message.bytes)
                elif isinstance(message, messages.Subscribe):
                    streams.append(message.stream)
                    begin = frames.encode_position(Kind.BEGIN, 0, HERE)
                    columns = frames.encode_columns(0, msgspec.json.encode(COLUMNS))
                    payloads.put([begin, columns, *self.script.first, frames.encode_position(Kind.END, 0, HERE)])
                    sender.add(message.stream, payloads, message.credit)
                    sender.control(messages.State(stream=message.stream, state="live", synced=True))
                else:
                    for answer in self._answer(message):
                        await socket.send(answer)
                wanted.set()
        finally:
            writer.cancel()

    def _answer(self, message: Any) -> list[str | bytes]:
        if isinstance(message, messages.Hello):
            return [messages.encode(messages.Welcome(instance="scripted", package="0", environment=True))]
        if isinstance(message, messages.Contexts):
            context = messages.Context(name="scripted", ref="ref", server="https://scripted", current=True)
            return [messages.encode(messages.Answer(id=message.id, value=[msgspec.to_builtins(context)]))]
        if isinstance(message, messages.Scope):
            return [messages.encode(messages.Answer(id=message.id, value=message.write))]
        if isinstance(message, messages.Probe):
            return [messages.encode(messages.Answer(id=message.id, value={"version": "v1.37.2"}))]
        if isinstance(message, messages.Discover):
            return [
                messages.encode(messages.Head(id=message.id)),
                frames.encode_frame(message.id, Channel.BODY, msgspec.json.encode(RESOURCES)),
                frames.encode_frame(message.id, Channel.END, b""),
            ]
        return []


async def main() -> None:
    """Serve until the input ends."""
    gateway = Gateway(Script(**arguments()))
    async with serve(
        gateway.talk, "127.0.0.1", 0, select_subprotocol=lambda _, offered: offered[0] if offered else None,
        compression=None, ping_interval=None, max_size=None,
    ) as server:  # fmt: skip
        say(port=next(iter(server.sockets)).getsockname()[1])
        reader = await orders_async()
        while (given := await order(reader)) is not None:
            if "go" in given:
                gateway.go()
            say(sockets=len(gateway.sockets), upgrades=gateway.upgrades, received=gateway.received)


if __name__ == "__main__":
    asyncio.run(main())
