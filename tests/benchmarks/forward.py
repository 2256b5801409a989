"""A forwarded port beside ``kubectl port-forward``: the same pod of the same real API server, in turn.

Both ways are wall-clock times of a client on this machine: bytes in one connection each way, and connections, one after
another, each from its opening to the one byte that it asks for.
"""

from __future__ import annotations

import contextlib
import json
import re
import socket
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import notebook_mux as nm
from tests.benchmarks.processes import Child
from tests.benchmarks.scale import Scale
from tests.benchmarks.table import Row
from tests.testbed import build
from tests.testbed.control_plane import ControlPlane

GROUP = "forward"
PEER = "kubectl port-forward"
POD = "web-0"
MEGABYTE = 1024 * 1024
PIECE = bytes(256 * 1024)
LIMIT_SECONDS = 120.0
SAID = re.compile(r"Forwarding from 127\.0\.0\.1:(\d+)")


def why_not() -> str | None:
    """What is missing here for these figures; None where nothing is."""
    return build.why_not()


def question(what: bytes, size: int) -> bytes:
    """See `forward_pod`."""
    return what + size.to_bytes(8)


def connect(port: int) -> socket.socket:
    """To a local port."""
    one = socket.create_connection(("127.0.0.1", port), timeout=LIMIT_SECONDS)
    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return one


def take(one: socket.socket, size: int) -> None:
    """Read so many bytes."""
    buffer = bytearray(len(PIECE))
    while size:
        got = one.recv_into(buffer, min(size, len(buffer)))
        if not got:
            raise RuntimeError("the forwarded connection ended early")
        size -= got


def download(port: int, size: int) -> float:
    """Seconds for so many bytes from the pod."""
    with connect(port) as one:
        began = time.perf_counter()
        one.sendall(question(b"d", size))
        take(one, size)
        return time.perf_counter() - began


def upload(port: int, size: int) -> float:
    """Seconds for so many bytes to the pod, until it says that it has them."""
    with connect(port) as one:
        began = time.perf_counter()
        one.sendall(question(b"u", size))
        left = size
        while left:
            piece = min(left, len(PIECE))
            one.sendall(memoryview(PIECE)[:piece])
            left -= piece
        take(one, 1)
        return time.perf_counter() - began


def connections(port: int, count: int) -> float:
    """Seconds for so many connections, one after another, each with an answer of one byte."""
    began = time.perf_counter()
    for _ in range(count):
        with connect(port) as one:
            one.sendall(question(b"d", 1))
            take(one, 1)
    return time.perf_counter() - began


@contextlib.contextmanager
def kubectl(plane: ControlPlane, port: int) -> Iterator[int]:
    """The local port of a ``kubectl port-forward`` that runs meanwhile."""
    words = ("kubectl", "--kubeconfig", str(plane.kubeconfig), "port-forward", f"pod/{POD}", f":{port}")
    with Child("kubectl", words=words, program=str(build.control_plane_binary()), listens=False) as running:
        found = SAID.search(running.line())
        if found is None:
            raise RuntimeError("kubectl did not say where it listens")
        yield int(found[1])


@contextlib.contextmanager
def sides() -> Iterator[tuple[int, int]]:
    """Our local port and kubectl's, to the same port of the same pod."""
    with tempfile.TemporaryDirectory() as folder, Child("tests.benchmarks.forward_pod") as pod:
        port: int = pod.hear()["port"]
        plane = ControlPlane(Path(folder), nodes=1)
        try:
            plane.up()
            spec = {"containers": [{"name": "main", "image": "x"}]}
            made = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": POD}, "spec": spec}
            plane.kubectl("apply", "-f", "-", input=json.dumps(made))
            plane.kubectl("wait", "--for=condition=Ready", f"pod/{POD}", "--timeout=60s")
            nm.connect(kubeconfig=plane.kubeconfig, write=True)
            with nm.port_forward(POD, port) as ours, kubectl(plane, port) as theirs:
                yield ours.port, theirs
        finally:
            nm.close()
            plane.down()


def run(scale: Scale) -> list[Row]:
    """All figures."""
    if (why := why_not()) is not None:
        raise RuntimeError(why)
    size = int(scale.forward_megabytes * MEGABYTE)
    count = scale.forward_connections
    measures = (
        (f"{scale.forward_megabytes:g} MB from a pod", download, size, size / MEGABYTE, "ms/MB"),
        (f"{scale.forward_megabytes:g} MB to a pod", upload, size, size / MEGABYTE, "ms/MB"),
        (f"{count} connections, one after another", connections, count, count, "ms"),
    )
    rows = []
    with sides() as ports:
        for figure, measure, amount, per, unit in measures:
            for port in ports:
                measure(port, max(1, amount // 20))  # warm
            best = [min(measure(port, amount) for _ in range(scale.repeats)) for port in ports]
            ours, theirs = (seconds * 1000 / per for seconds in best)
            rows.append(Row(GROUP, figure, ours, unit, PEER, theirs, note="the fastest run of each"))
    return rows
