"""The floors on the kernel's side: what a reader of these bytes must pay whatever it is made of, and the peer.

Run as a child with ``{"side": ..., "port": ..., "pods": ..., "changes": ...}``; it says ``{"ready": true}`` when it
holds all pods, marks its CPU at the order ``{"start": true}`` and says what the changes cost it.

- ``json``: a `websockets.asyncio` client reads binary frames of up to 64 KiB, each with several events; msgspec
  decodes of each event what a table needs, typed: metadata and cells. The object stays the bytes it came as. One dict
  by uid keeps both. No credit, no resume, no snapshots, no readers, no thread.
- ``records``: the same with notebook-mux.v1's own records in the frames, whose head the gateway has taken out: only
  the head and the cells are decoded, the object is a slice. It is leaner than the floor above, since it skips no
  5 kB of JSON, and shows what our kernel adds to its own bytes.
- ``official``: the `kubernetes` client's Watch over plain HTTP (a bare socket server, one chunk an event), kept in a
  dict by uid.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

import msgspec
from websockets.asyncio.client import ClientConnection, connect

from notebook_mux.wire.frames import FRAME_HEAD, RECORD_HEAD, Record
from tests.benchmarks.processes import arguments, order, orders, orders_async, say
from tests.benchmarks.scripted_gateway import LENGTH, RECORDS

Cells = list[str | int | float | bool | None]


class Metadata(msgspec.Struct, gc=False):
    """What every object's metadata has."""

    uid: str
    name: str
    resourceVersion: str  # noqa: N815 - the API's word
    creationTimestamp: str  # noqa: N815 - the API's word
    namespace: str = ""


class Content(msgspec.Struct):
    """An object, of which only the metadata is wanted."""

    metadata: Metadata


class Event(msgspec.Struct):
    """One event as the floor is sent it."""

    type: str
    cells: Cells
    object: Content


_decode_event = msgspec.json.Decoder(Event).decode
_decode_head = msgspec.json.Decoder(Record).decode
_decode_cells = msgspec.json.Decoder(Cells).decode

Store = dict[str, tuple[Any, Cells, bytes]]


def take_json(frame: bytes, store: Store) -> int:
    """Take in a frame of JSON events; returns how many there were."""
    at, end, count = 0, len(frame), 0
    unpack, size = LENGTH.unpack_from, LENGTH.size
    while at < end:
        (length,) = unpack(frame, at)
        at += size
        raw = frame[at : at + length]
        at += length
        event = _decode_event(raw)
        metadata = event.object.metadata
        if event.type == "DELETED":
            store.pop(metadata.uid, None)
        else:
            store[metadata.uid] = (metadata, event.cells, raw)
        count += 1
    return count


def take_records(frame: bytes, store: Store) -> int:
    """Take in a frame of records; returns how many there were."""
    at, end, count = FRAME_HEAD.size, len(frame), 0
    unpack, size = RECORD_HEAD.unpack_from, RECORD_HEAD.size
    while at < end:
        kind, _, head_size, cells_size, object_size = unpack(frame, at)
        at += size
        head = _decode_head(frame[at : at + head_size])
        at += head_size
        cells = _decode_cells(frame[at : at + cells_size])
        at += cells_size
        if kind == 2:
            store.pop(head.uid, None)
        else:
            store[head.uid] = (head, cells, frame[at : at + object_size])
        at += object_size
        count += 1
    return count


async def socket_floor(side: str, port: int, pods: int, changes: int) -> None:
    """``json`` or ``records``."""
    take = take_records if side == "records" else take_json
    store: Store = {}

    async def read(socket: ClientConnection, count: int) -> None:
        while count > 0:
            frame = await socket.recv()
            assert isinstance(frame, bytes)
            count -= take(frame, store)

    path = RECORDS if side == "records" else "/json"
    async with connect(f"ws://127.0.0.1:{port}{path}", compression=None, max_size=None, ping_interval=None) as socket:
        reader = await orders_async()
        await read(socket, pods)
        say(ready=True)
        await order(reader)
        cpu, wall = time.process_time(), time.monotonic()
        say(started=True)
        await read(socket, changes)
        say(cpu=time.process_time() - cpu, wall=time.monotonic() - wall, objects=len(store))


def official(port: int, pods: int, changes: int) -> None:
    """The official client's Watch."""
    from kubernetes import client, watch

    configuration = client.Configuration()
    configuration.host = f"http://127.0.0.1:{port}"
    api = client.CoreV1Api(client.ApiClient(configuration))
    listed = api.list_pod_for_all_namespaces().metadata
    assert listed is not None
    version = listed.resource_version
    given = orders()
    watching = watch.Watch()
    store: dict[str, Any] = {}
    events = watching.stream(api.list_pod_for_all_namespaces, resource_version=version)
    say(ready=True)
    next(given)
    cpu, wall = time.process_time(), time.monotonic()
    say(started=True)
    for count, event in enumerate(events, 1):
        store[event["object"].metadata.uid] = event["object"]
        if count == changes:
            break
    say(cpu=time.process_time() - cpu, wall=time.monotonic() - wall, objects=len(store))
    watching.stop()


def main(side: str, port: int, pods: int, changes: int) -> None:
    """Run the side that was asked for."""
    if side == "official":
        official(port, pods, changes)
    else:
        asyncio.run(socket_floor(side, port, pods, changes))


if __name__ == "__main__":
    main(**arguments())
