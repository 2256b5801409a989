"""The embedded cluster: how soon it is there, what it costs at rest, its lists and watches beside a real API server.

The real one is the test bed's kube-apiserver with etcd; its controllers are ended before anything is measured, and it
has the playground's own pods. Changes come as PATCH requests on both sides, so that both pay for them alike.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import functools
import json
import os
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import yaml

from tests.benchmarks.processes import ROOT, Child, cpu_seconds, settle_memory
from tests.benchmarks.scale import Scale
from tests.benchmarks.table import Row
from tests.testbed import build
from tests.testbed.control_plane import ControlPlane

Json = dict[str, Any]

GROUP = "playground"
WARM_BOUND_MS, COLD_BOUND_MS = 1000.0, 3000.0
IDLE_BOUND_PERCENT = 1.0
MEMORY_BOUND_MB = 300.0
LATE_BOUND = 1.05
"""Of the time that changes at 5,000 a second take by the clock."""

LIST_BOUND = 2.0
RATE = 5_000.0
WATCHERS = 30
RATE_PODS = 2_000
MERGE = "application/merge-patch+json"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
AT_ONCE = 16
FOR_EVER = aiohttp.ClientTimeout()
"""A client's own limits, of 30 s for a connection, would count what else the machine does."""
MEGABYTE = 1_000_000

FIRST_ROW = """
import time
import notebook_mux as nm
began = time.perf_counter()
nm.demo()
rows = nm.watch("pods", namespace="*").rows
print(len(rows), (time.perf_counter() - began) * 1000)
"""


def why_not() -> str | None:
    """Why there is no real API server to stand beside."""
    return build.why_not()


# ------------------------------------------------------------------------------------------------ the first row


def _kept(folder: str) -> dict[str, str]:
    """An installed package has its bytecode: it is kept from one start to the next here too, wherever this runs."""
    return {"PYTHONPYCACHEPREFIX": f"{folder}/bytecode", "PYTHONDONTWRITEBYTECODE": ""}


def _python(words: list[str], folder: str) -> str:
    env = {**os.environ, **_kept(folder), "NOTEBOOK_MUX_RUNTIME_DIR": folder, "KUBECONFIG": f"{folder}/none"}
    done = subprocess.run([sys.executable, *words], cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{words[:2]} failed:\n{done.stderr[-2000:]}")
    return done.stdout


def _first_row(folder: str) -> float:
    rows, took = _python(["-c", FIRST_ROW], folder).split()
    if not int(rows):
        raise RuntimeError("no rows")
    return float(took)


def _stop(folder: str) -> None:
    """End gateway and playground, or the next start is not a cold one.

    Raises:
        RuntimeError: They did not both end.
    """
    said = _python(["-m", "notebook_mux", "stop"], folder)
    if not all(f"The {kind} (process" in said for kind in ("gateway", "playground")):
        raise RuntimeError(f"not both were there to be stopped: {said!r}")


def first_rows(repeats: int) -> list[Row]:
    """Cold: neither gateway nor playground runs; warm: both do, the kernel is new.

    The very first start, which also compiles the package, is not counted: an installed package is compiled.
    """
    cold, warm = [], []
    with tempfile.TemporaryDirectory() as folder:
        first = _first_row(folder)
        _stop(folder)
        for _ in range(repeats):
            cold.append(_first_row(folder))
            warm.append(_first_row(folder))
            _stop(folder)
    return [
        Row(GROUP, "nm.demo() to the first row, cold", min(cold), "ms", bound=COLD_BOUND_MS,
            note=f"gateway and playground are started; of {repeats}: {', '.join(f'{one:.0f}' for one in cold)}; "
                 f"not counted: {first:.0f} with no bytecode yet"),
        Row(GROUP, "nm.demo() to the first row, warm", min(warm), "ms", bound=WARM_BOUND_MS,
            note=f"both run, the kernel is new; of {repeats}: {', '.join(f'{one:.0f}' for one in warm)}"),
    ]  # fmt: skip


# ----------------------------------------------------------------------------------------------------- servers


@dataclass
class Server:
    """An API server that is measured."""

    pid: int
    session: aiohttp.ClientSession
    url: str
    kubeconfig: Path

    async def get(self, path: str, **headers: str) -> bytes:
        """A body, not compressed."""
        async with self.session.get(self.url + path, headers={"Accept-Encoding": "identity", **headers}) as answer:
            body = await answer.read()
            if answer.status != 200:
                raise RuntimeError(f"{path}: {answer.status} {body[:500]!r}")
            return body

    async def send(self, method: str, path: str, body: Any, media: str = "application/json") -> None:
        """A change."""
        headers = {"Content-Type": media}
        async with self.session.request(method, self.url + path, data=json.dumps(body), headers=headers) as answer:
            said = await answer.read()
            if answer.status >= 400:
                raise RuntimeError(f"{method} {path}: {answer.status} {said[:500]!r}")


def _config(kubeconfig: Path) -> tuple[Json, Json]:
    """The cluster and the user of a kubeconfig."""
    config = yaml.safe_load(kubeconfig.read_text())
    return config["clusters"][0]["cluster"], config["users"][0]["user"]


@contextlib.asynccontextmanager
async def _open(pid: int, kubeconfig: Path) -> AsyncIterator[Server]:
    cluster, user = _config(kubeconfig)
    context = ssl.create_default_context(cafile=cluster.get("certificate-authority"))
    headers = {}
    if "token" in user:
        context.load_verify_locations(cadata=base64.b64decode(cluster["certificate-authority-data"]).decode())
        headers["Authorization"] = f"Bearer {user['token']}"
    else:
        context.load_cert_chain(user["client-certificate"], user["client-key"])
    connector = aiohttp.TCPConnector(ssl=context, limit=0)
    async with aiohttp.ClientSession(
        connector=connector, headers=headers, read_bufsize=1 << 20, timeout=FOR_EVER
    ) as session:
        yield Server(pid, session, cluster["server"], kubeconfig)


@functools.cache
def _bytecode() -> tempfile.TemporaryDirectory[str]:
    """Of the whole package: what a running playground imports when it is first needed is not to be compiled then."""
    folder = tempfile.TemporaryDirectory(prefix="nm-bytecode-")
    _python(["-m", "compileall", "-q", "notebook_mux"], folder.name)
    return folder


@contextlib.contextmanager
def _playground(*words: str) -> Iterator[tuple[int, Path]]:
    with tempfile.TemporaryDirectory() as folder:
        at = Path(folder) / "kubeconfig"
        env = {**_kept(_bytecode().name), "NOTEBOOK_MUX_RUNTIME_DIR": folder}
        words = ("--kubeconfig", str(at), *words)
        with Child("notebook_mux.playground", words=words, env=env, listens=False) as child:
            child.line()
            child.line()
            yield child.pid, at


@contextlib.contextmanager
def _real() -> Iterator[ControlPlane]:
    with tempfile.TemporaryDirectory(prefix="nm-plane-") as folder:
        plane = ControlPlane(Path(folder), nodes=1)
        plane.up()
        try:
            yield plane
        finally:
            plane.down()


# ----------------------------------------------------------------------------------------------------- at rest


def _cpu_percent(pid: int, seconds: float) -> float:
    began, cpu = time.monotonic(), cpu_seconds(pid)
    time.sleep(seconds)
    return (cpu_seconds(pid) - cpu) / (time.monotonic() - began) * 100


def at_rest(scale: Scale) -> list[Row]:
    """CPU of a cluster that nobody asks anything."""
    rows = []
    for name, words in (("first-look, its story told", ()), ("first-look, --still", ("--still",))):
        with _playground(*words) as (pid, _):
            time.sleep(scale.paced_seconds / 5)
            percent = _cpu_percent(pid, scale.paced_seconds * 6)  # what comes once a minute is in it
            memory = settle_memory(pid)["rss"] / MEGABYTE
        rows.append(Row(GROUP, f"idle: {name}", percent, "% of a core", bound=IDLE_BOUND_PERCENT,
                        note=f"{memory:.0f} MB; nobody watches"))  # fmt: skip
    return rows


# --------------------------------------------------------------------------------------------------- one watcher


async def _lines(server: Server, seconds: float) -> tuple[int, float]:
    """Events that one watcher gets, and in how many seconds."""
    version = json.loads(await server.get("/api/v1/pods?limit=1"))["metadata"]["resourceVersion"]
    path = f"/api/v1/pods?watch=1&resourceVersion={version}"
    async with server.session.get(server.url + path) as answer:
        count, began = 0, 0.0
        async for piece in answer.content.iter_any():
            now = time.monotonic()
            if not began:
                began = now
                continue
            count += piece.count(b"\n")
            if now - began >= seconds:
                return count, now - began
    raise RuntimeError("the watch ended")


def one_watcher(scale: Scale) -> list[Row]:
    """5,000 changes a second."""

    async def measure(pid: int, kubeconfig: Path) -> tuple[int, float, float]:
        async with _open(pid, kubeconfig) as server:
            await _lines(server, scale.paced_seconds / 10)
            cpu = cpu_seconds(pid)
            count, took = await _lines(server, scale.paced_seconds)
            return count, took, (cpu_seconds(pid) - cpu) / took * 100

    with _playground("--scenario", "many-pods", "--pods", str(RATE_PODS), "--rate", str(RATE)) as (pid, kubeconfig):
        count, took, percent = asyncio.run(measure(pid, kubeconfig))
    return [
        Row(GROUP, f"{RATE:,.0f} changes a second to one watcher: time for {count:,}", took, "s", "by the clock",
            count / RATE, LATE_BOUND, f"{count / took:,.0f} a second; {percent:.0f} % of a core, changes included"),
    ]  # fmt: skip


# ------------------------------------------------------------------------------------------ beside the real one


async def _in_turn(work: Sequence[Awaitable[None]]) -> None:
    """So many at once."""
    rest = iter(work)

    async def one() -> None:
        for action in rest:
            await action

    await asyncio.gather(*(one() for _ in range(AT_ONCE)))


async def _copy(pods: list[Json], real: Server) -> None:
    """The same pods into the real server."""
    create: list[Awaitable[None]] = []
    finish: list[Awaitable[None]] = []
    for pod in pods:
        metadata = {key: pod["metadata"][key] for key in ("name", "namespace", "labels", "annotations")
                    if key in pod["metadata"]}  # fmt: skip
        path = f"/api/v1/namespaces/{metadata['namespace']}/pods"
        spec = {**pod["spec"], "serviceAccountName": "default"}
        made = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}
        create.append(real.send("POST", path, made))
        at, status = f"{path}/{metadata['name']}/status", {"status": pod["status"]}
        finish.append(real.send("PATCH", at, status, MERGE))
    await _in_turn(create)
    await _in_turn(finish)


async def _list_ms(server: Server, accept: str, repeats: int) -> tuple[float, int]:
    """Milliseconds of a list of all pods, its last byte included, and its size."""
    took, size = [], 0
    for _ in range(repeats):
        began = time.perf_counter()
        size = len(await server.get("/api/v1/pods", Accept=accept))
        took.append((time.perf_counter() - began) * 1000)
    return min(took), size


async def _delivered(server: Server, pods: list[tuple[str, str]], watchers: int, changes: int) -> float:
    """CPU of the server while so many changes go to so many watchers."""
    version = json.loads(await server.get("/api/v1/pods?limit=1"))["metadata"]["resourceVersion"]
    path = f"{server.url}/api/v1/pods?watch=1&resourceVersion={version}"
    ready = asyncio.Semaphore(0)

    async def watch() -> None:
        async with server.session.get(path) as answer:
            ready.release()
            count = 0
            async for piece in answer.content.iter_any():
                count += piece.count(b"\n")
                if count >= changes:
                    return

    tasks = [asyncio.ensure_future(watch()) for _ in range(watchers)]
    for _ in tasks:
        await ready.acquire()
    began = cpu_seconds(server.pid)
    for number in range(changes):
        namespace, name = pods[number % len(pods)]
        patch = {"metadata": {"annotations": {"at": str(time.monotonic_ns())}}}
        await server.send("PATCH", f"/api/v1/namespaces/{namespace}/pods/{name}", patch, MERGE)
    await asyncio.gather(*tasks)
    return cpu_seconds(server.pid) - began


async def _beside(scale: Scale, ours: tuple[int, Path], theirs: tuple[int, Path] | None) -> list[Row]:
    rows, figures = [], []
    async with _open(*ours) as mine, contextlib.AsyncExitStack() as stack:
        servers = [mine]
        pods = json.loads(await mine.get("/api/v1/pods"))["items"]
        if theirs is not None:
            real = await stack.enter_async_context(_open(*theirs))
            servers.append(real)
            await _copy(pods, real)
        keys = [(pod["metadata"]["namespace"], pod["metadata"]["name"]) for pod in pods]
        for server in servers:
            lists = [await _list_ms(server, accept, scale.repeats + 2) for accept in ("application/json", TABLE)]
            changes = scale.official_changes // 20
            alone = await _delivered(server, keys, 0, changes)
            crowd = await _delivered(server, keys, WATCHERS, changes)
            figures.append((lists, (crowd - alone) / changes / WATCHERS * 1e6))
    (lists, event), *peers = figures
    peer_lists, peer_event = peers[0] if peers else ([(None, 0), (None, 0)], None)
    name = "kube-apiserver" if peers else ""
    for what, (took, size), (peer, peer_size) in zip(("JSON", "Table"), lists, peer_lists, strict=True):
        rows.append(Row(GROUP, f"list of {len(keys):,} pods, {what}", took, "ms", name, peer, LIST_BOUND,
                        f"{size / MEGABYTE:.1f} MB, the real one's {peer_size / MEGABYTE:.1f} MB"))  # fmt: skip
    rows.append(Row(GROUP, f"CPU of an event to each of {WATCHERS} watchers", event, "µs", name, peer_event,
                    note="beside the same changes with no watcher"))  # fmt: skip
    return rows


def beside(scale: Scale) -> list[Row]:
    """Memory, lists and watches with many pods."""
    words = ("--scenario", "many-pods", "--pods", str(scale.pods), "--rate", "0")
    with contextlib.ExitStack() as stack:
        ours = stack.enter_context(_playground(*words))
        memory = settle_memory(ours[0])["rss"] / MEGABYTE
        theirs = None
        if why_not() is None:
            plane = stack.enter_context(_real())
            _calm(plane)
            theirs = int((plane.folder / "apiserver.pid").read_text()), plane.kubeconfig
        rows = asyncio.run(_beside(scale, ours, theirs))
        after = settle_memory(ours[0])["rss"] / MEGABYTE
    return [
        Row(GROUP, f"memory with {scale.pods:,} pods", memory, "MB", bound=MEMORY_BOUND_MB,
            note=f"{after:.0f} MB after its lists and changes"),
        *rows,
    ]  # fmt: skip


def _calm(plane: ControlPlane) -> None:
    """Make the playground's namespaces in the real cluster, and end what would move its pods."""
    for name in ("load-a", "load-b", "load-c"):
        plane.kubectl("create", "namespace", name)
        plane.kubectl("wait", "--for=create", "serviceaccount/default", "-n", name, "--timeout=60s")
    for part in ("controller-manager", "scheduler", "kwok"):
        plane.kill(part)


def run(scale: Scale) -> list[Row]:
    """The group's figures."""
    return [*first_rows(scale.repeats), *at_rest(scale), *one_watcher(scale), *beside(scale)]
