"""A gateway's log pipe beside a bare aiohttp client that reads the same logs over TLS and keeps nothing.

The gateway does all that the floor does, and puts each byte onto a WebSocket. Its reader is this process, whose cost is
in no figure. Both sides read from one scripted server, in turn; what counts is the CPU time of the side's own process.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import msgspec
from websockets import Subprotocol
from websockets.sync.client import ClientConnection, connect

from notebook_mux.urls import split_token, websocket_url
from notebook_mux.wire import messages
from notebook_mux.wire.frames import FRAME_HEAD, Channel, decode_frame
from notebook_mux.wire.sending import CONNECTION_CREDIT, CONNECTION_STREAM, MAX_CREDIT
from tests.benchmarks.processes import Child, cpu_seconds
from tests.benchmarks.scale import Scale
from tests.benchmarks.table import Row

GROUP = "log_pipe"
PEER = "aiohttp alone"
SIDES = "tests.benchmarks.log_pipe_sides"
PATH = "/api/v1/namespaces/x/pods/web-{}/log"
MEGABYTE = 1 << 20
BATCH, LINE = 32 * 1024, 150
"""Bytes of a piece: an API server's largest copy, and a usual line."""

PODS, RATE = 20, 1000
"""Pods whose lines come one by one, and how many of each a second."""


class Reader:
    """A kernel's end, which takes everything and keeps nothing."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._ids = 1
        self._owed = 0
        self._say(messages.Hello(package="0"))
        self._say(messages.Contexts(id=1, source=messages.Source(), names=["*"]))
        while not isinstance(got := messages.decode_gateway(str(self._socket.recv())), messages.Answer):
            continue
        self._ref = msgspec.convert(got.value, list[messages.Context])[0].ref

    def _say(self, message: messages.Message) -> None:
        self._socket.send(messages.encode(message))

    def read(self, targets: list[str]) -> int:
        """Read these logs at once to their ends; the number of bytes."""
        open_, size = set(), 0
        for target in targets:
            self._ids += 1
            open_.add(self._ids)
            path, _, query = target.partition("?")
            self._say(messages.Log(stream=self._ids, cluster=self._ref, path=path, query=query, credit=MAX_CREDIT))
        while open_:
            frame = self._socket.recv()
            if isinstance(frame, str):
                raise RuntimeError(frame)
            stream, channel, payload = decode_frame(frame)
            self._owed += FRAME_HEAD.size + len(payload)
            if self._owed > CONNECTION_CREDIT // 2:
                self._say(messages.Credit(stream=CONNECTION_STREAM, bytes=self._owed))
                self._owed = 0
            if channel == Channel.END:
                if payload != b'{"status":200}':
                    raise RuntimeError(payload.decode())
                open_.remove(stream)
            else:
                size += len(payload)
        return size


def targets(pods: int, pieces: int, size: int, rate: int = 0) -> list[str]:
    """See `log_pipe_sides`."""
    paced = f"&sinceSeconds={rate}" if rate else ""
    return [f"{PATH.format(pod)}?follow=true&tailLines={pieces}&limitBytes={size}{paced}" for pod in range(pods)]


def run(scale: Scale) -> list[Row]:
    """The figures."""
    with tempfile.TemporaryDirectory() as folder, Child(SIDES, {"side": "serve", "folder": folder}) as api:
        said = api.hear()
        floor = Child(SIDES, {"side": "read", "port": said["port"], "ca": str(Path(folder) / "ca.crt")})
        gateway = Child("notebook_mux.gateway", words=["--kubeconfig", said["kubeconfig"]], listens=False)
        with floor, gateway:
            floor.hear()
            base, token = split_token(gateway.line())
            headers = {"Authorization": f"Bearer {token}"}
            with connect(
                websocket_url(base, messages.PATH),
                subprotocols=[Subprotocol(messages.SUBPROTOCOL)],
                additional_headers=headers,
                compression=None,
                max_size=None,
                proxy=None,
            ) as socket:
                return _measured(Reader(socket), floor, gateway, scale)


def _measured(reader: Reader, floor: Child, gateway: Child, scale: Scale) -> list[Row]:
    megabytes = scale.pipe_megabytes
    flood = targets(1, round(megabytes * MEGABYTE / BATCH), BATCH)
    lines = targets(1, round(megabytes * MEGABYTE / LINE / 10), LINE)
    paced = targets(PODS, round(RATE * scale.pipe_seconds), LINE, RATE)

    def ours(what: list[str]) -> tuple[float, float, int]:
        cpu, began = cpu_seconds(gateway.pid), time.monotonic()
        size = reader.read(what)
        return cpu_seconds(gateway.pid) - cpu, time.monotonic() - began, size

    def bare(what: list[str]) -> tuple[float, float, int]:
        cpu, began = cpu_seconds(floor.pid), time.monotonic()
        size = int(floor.ask(targets=what)["bytes"])
        return cpu_seconds(floor.pid) - cpu, time.monotonic() - began, size

    rows = []
    for words, what in (("32 KiB at a time", flood), ("lines one by one, flat out", lines)):
        for side in (ours, bare):
            side(what[:1])  # once, for what is made at the first use
        found = [(ours(what), bare(what)) for _ in range(scale.repeats)]
        a, b = (min(pair[at] for pair in found) for at in (0, 1))
        if a[2] != b[2]:
            raise RuntimeError(f"{a[2]} bytes, and {b[2]} beside them")
        gigabytes = a[2] / 1e9
        rows.append(Row(GROUP, f"CPU for 1 GB, {words}", a[0] / gigabytes, "s", PEER, b[0] / gigabytes))
        slow, fast = (min(pair[at][1] for pair in found) for at in (0, 1))
        rows.append(Row(GROUP, f"time for 1 GB, {words}", slow / gigabytes, "s", PEER, fast / gigabytes))
    (cpu, took, _), (least, lasted, _) = ours(paced), bare(paced)
    words = f"CPU, {PODS} pods of {RATE} lines a second each, one by one"
    rows.append(Row(GROUP, words, 100 * cpu / took, "% of a core", PEER, 100 * least / lasted))
    return rows
