"""A thousand of Headlamp's subscriptions on one socket: of our gateway, and of a Headlamp server where one is named.

``NOTEBOOK_MUX_HEADLAMP_SERVER=/path/to/headlamp-server`` names one (built from kubernetes-sigs/headlamp with ``go build
./cmd`` in its folder ``backend``). Both stand before the same scripted API server over TLS; the client, in a process of
its own, sends all REQUESTs at once and waits for the first event of each.
"""

from __future__ import annotations

import contextlib
import os
import socket
import statistics
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from notebook_mux.wire import headlamp as wire
from tests.benchmarks.pods import NAMESPACES, namespace
from tests.benchmarks.processes import Child, cpu_seconds, peak_memory
from tests.benchmarks.scale import Scale
from tests.benchmarks.serving import real_gateway, scripted_api
from tests.benchmarks.table import Row

GROUP = "Headlamp's dialect"
VARIABLE = "NOTEBOOK_MUX_HEADLAMP_SERVER"
NAME = "headlamp-server"
NOT_NAMED = f"no {NAME} beside it: {VARIABLE} names none"
MIB = 1024 * 1024

PODS_A_WATCH = 2
"""What is measured is the subscriptions, not their objects."""

START_SECONDS = 60.0
POLL_SECONDS = 0.05


def subscriptions(count: int, distinct: int) -> list[tuple[str, str]]:
    """(path, query) of `count` subscriptions to `distinct` watches, of which neighbours are others."""
    watches = []
    for number in range(distinct):
        query = "watch=1" if number < NAMESPACES else f"watch=1&labelSelector=part%3D{number // NAMESPACES}"
        watches.append((f"/api/v1/namespaces/{namespace(number % NAMESPACES)}/pods", query))
    return [watches[number % distinct] for number in range(count)]


@contextlib.contextmanager
def headlamp_server(program: str, kubeconfig: str) -> Iterator[tuple[Child, str]]:
    """A Headlamp server with a home of its own, and its URL."""
    with tempfile.TemporaryDirectory() as folder, socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        plugins = Path(folder, "plugins")
        plugins.mkdir()
        words = ("-listen-addr", "127.0.0.1", "-port", str(port), "-kubeconfig", kubeconfig, "-kubeconfig-dir",
                 str(Path(folder, "kc")), "-plugins-dir", str(plugins), "-user-plugins-dir", str(plugins))  # fmt: skip
        url = f"http://127.0.0.1:{port}/"
        with Child(NAME, program=program, words=words, env={"HOME": folder}, listens=False) as server:
            _wait_for(f"{url}config")
            yield server, url


def _wait_for(url: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            urllib.request.urlopen(url, timeout=START_SECONDS).close()
            return
        except (urllib.error.URLError, OSError):
            if time.monotonic() > deadline:
                raise
            time.sleep(POLL_SECONDS)


def measured(program: str | None, count: int, distinct: int) -> dict[str, Any]:
    """One server's figures; ours without a `program`."""
    with scripted_api(NAMESPACES * PODS_A_WATCH) as (api, said):
        kubeconfig = said["kubeconfig"]
        with real_gateway(kubeconfig) if program is None else headlamp_server(program, kubeconfig) as (server, url):
            parts = urlsplit(url)
            given = {
                "url": f"ws://{parts.netloc}{parts.path.rstrip('/')}{wire.PATH}", "cluster": "scripted",
                "token": parse_qs(parts.query).get("token", [""])[0], "subscriptions": subscriptions(count, distinct),
            }  # fmt: skip
            with Child("tests.benchmarks.headlamp_client", given) as client:
                client.hear()
                before = len(api.ask(counts=True)["requests"])
                cpu = cpu_seconds(server.pid)
                got = client.ask(go=True)
                cpu = cpu_seconds(server.pid) - cpu
                opened = api.ask(counts=True)["requests"][before:]
                peak = peak_memory(server.pid)
    firsts = got["firsts"]
    if not firsts:
        raise RuntimeError(f"no subscription had an event; {len(got['refused'])} were refused: {got['refused'][:1]}")
    return {
        "median": statistics.median(firsts), "last": firsts[-1], "cpu": cpu, "peak": peak / MIB,
        "upstreams": sum("watch=1" in request for request in opened), "served": len(firsts),
    }  # fmt: skip


FIGURES = (
    ("median", "first event, median", "s"),
    ("last", "... last", "s"),
    ("cpu", "... CPU until then", "s"),
    ("peak", "... peak memory", "MiB RSS"),
    ("upstreams", "... upstreams opened", ""),
)


def run(scale: Scale) -> list[Row]:
    """The group's figures."""
    program = os.environ.get(VARIABLE)
    rows: list[Row] = []
    for distinct in (min(scale.upstreams, NAMESPACES), scale.streams):
        ours = measured(None, scale.streams, distinct)
        theirs = measured(program, scale.streams, distinct) if program else {}
        notes = [] if program else [NOT_NAMED]
        for name, one in (("ours", ours), (NAME, theirs)):
            if one and one["served"] < scale.streams:
                notes.append(f"{name} served {one['served']:,} of {scale.streams:,}")
        for key, figure, unit in FIGURES:
            what = f"{scale.streams:,} subscriptions of {distinct:,} watches: {figure}" if key == "median" else figure
            peer = theirs.get(key)
            rows.append(Row(GROUP, what, ours[key], unit, NAME if program else "", peer,
                            note="; ".join(notes) if key == "median" else ""))  # fmt: skip
    return rows
