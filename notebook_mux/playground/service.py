"""The playground as a process: its kubeconfig on disk, its lock and runtime file, its end."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web

from notebook_mux.life import files, folders
from notebook_mux.life.idle import IdleEnd
from notebook_mux.life.name import ServiceName
from notebook_mux.life.proof import BadNonce
from notebook_mux.life.runtime import Tenure
from notebook_mux.playground.scenarios import Settings
from notebook_mux.playground.server import HOST, Playground

Json = dict[str, Any]


@dataclass(frozen=True)
class Wanted:
    """What was asked for on the command line.

    Args:
        port: Of the first cluster; 0 is any.
        kubeconfig: Where to write the kubeconfig; None is the runtime folder.
        launched: Whether a kernel started it: it has a lock, a runtime file, and ends when nobody needs it.
    """

    scenario: str
    seed: int
    clusters: int
    port: int = 0
    kubeconfig: Path | None = None
    launched: bool = False
    settings: Settings = field(default_factory=Settings)

    @property
    def name(self) -> ServiceName:
        """Under which clients look for it."""
        return ServiceName("playground", f"{self.scenario} seed={self.seed} clusters={self.clusters}")


class Door:
    """The small plain server beside the API: proof, status. What the life of processes needs, without TLS."""

    def __init__(self, tenure: Tenure, playground: Playground):
        self._tenure = tenure
        self._playground = playground
        self.touched: Callable[[], None] = lambda: None
        self._runner: web.ServerRunner | None = None

    async def open(self) -> int:
        """Listen; returns the port."""
        runner = web.ServerRunner(web.Server(self._answer, access_log=None), shutdown_timeout=0.5)
        await runner.setup()
        await web.TCPSite(runner, HOST, self._tenure.port).start()
        self._runner = runner
        self._tenure.port = runner.addresses[0][1]
        return self._tenure.port

    async def close(self) -> None:
        """Stop listening."""
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.host.partition(":")[0] not in (HOST, "localhost"):
            return web.Response(status=421, text="not this host\n")
        if "Origin" in request.headers:
            return web.Response(status=403, text="not for browsers\n")
        if request.method == "GET" and request.path == "/prove":
            self.touched()
            try:
                return web.json_response(self._tenure.answer(request.query.get("nonce", "")))
            except BadNonce as error:
                return web.Response(status=400, text=f"{error}\n")
        if request.method == "GET" and request.path == "/status":
            token = request.headers.get("Authorization", "").removeprefix("Bearer ")
            if not hmac.compare_digest(token.encode("utf-8", "replace"), self._tenure.token.encode()):
                return web.Response(status=401, text="a token is needed\n")
            return web.json_response(status_of(self._playground))
        return web.Response(status=404, text="404 page not found\n")


def status_of(playground: Playground) -> Json:
    """What is there, for ``notebook-mux status``."""
    return {
        "clients": playground.open_watches,
        "clusters": [
            {
                "name": one.cluster.name,
                "url": one.url,
                "watches": len(one.api.streams),
                "objects": {kind.resource: count for kind in one.cluster.kinds
                            if (count := one.cluster.store.count(kind.resource))},
            }
            for one in playground.served
        ],
    }  # fmt: skip


async def run(wanted: Wanted, tenure: Tenure, tell: Callable[[str], None]) -> str:
    """Serve until the end.

    Args:
        wanted: What was asked for.
        tenure: The process's tenure.
        tell: Writes a line: the first cluster's URL, then the kubeconfig's path.

    Returns:
        Why it ended.

    Raises:
        OSError: A port is taken, or the kubeconfig cannot be written.
    """
    playground = Playground(
        wanted.scenario, seed=wanted.seed, clusters=wanted.clusters, port=wanted.port, settings=wanted.settings
    )
    door = Door(tenure, playground)
    async with playground:
        path = wanted.kubeconfig or folders.runtime_dir() / f"{wanted.name.stem()}-{tenure.instance}.kubeconfig"
        files.write_private(path, playground.kubeconfig)
        try:
            return await _serve(wanted, tenure, playground, door, path, tell)
        finally:
            await door.close()
            if wanted.kubeconfig is None:
                files.remove(path)


async def _serve(
    wanted: Wanted, tenure: Tenure, playground: Playground, door: Door, path: Path, tell: Callable[[str], None]
) -> str:
    async def close_door() -> None:
        await door.close()

    async def open_door() -> None:
        await door.open()

    port = await door.open()
    end = IdleEnd(
        tenure,
        busy=lambda: (
            not wanted.launched
            or playground.open_watches > 0
            or playground.open_logs > 0
            or playground.recently_asked()
        ),
        close_door=close_door,
        open_door=open_door,
    )
    door.touched = end.touch
    with end.signals():
        tenure.publish(port, {"kubeconfig": str(path), "url": playground.url})
        tell(playground.url)
        tell(str(path))
        return await end.wait()


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    """Of uvloop, where it is to be had: it takes six tenths of the CPU."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop
    return uvloop.new_event_loop
