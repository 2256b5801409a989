"""The playground as a process: its kubeconfig on disk, its lock and runtime file, its end."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import gc
import hmac
import socket as sockets
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aiohttp import web

from notebook_mux.life import files, folders
from notebook_mux.life.idle import IdleEnd
from notebook_mux.life.name import ServiceName
from notebook_mux.life.proof import BadNonce
from notebook_mux.life.runtime import Tenure
from notebook_mux.listening import stop_accepting
from notebook_mux.playground import scenarios
from notebook_mux.playground.sandbox import modes
from notebook_mux.playground.scenarios import Settings
from notebook_mux.playground.server import HOST, Playground
from notebook_mux.playground.state.errors import StateRefused

if TYPE_CHECKING:
    from notebook_mux.playground.state.folder import StateFolder

Json = dict[str, Any]


@dataclass(frozen=True)
class Wanted:
    """What was asked for on the command line.

    Args:
        port: Of the first cluster; 0 is any.
        kubeconfig: Where to write the kubeconfig; None is the runtime folder.
        launched: Whether a kernel started it: it has a lock, a runtime file, and ends when nobody needs it.
        state: Where it is kept; its kubeconfig lies there too.
        shell: Of exec and attach: one of `sandbox.modes.SHELLS`.
    """

    scenario: str
    seed: int
    clusters: int
    port: int = 0
    kubeconfig: Path | None = None
    launched: bool = False
    settings: Settings = field(default_factory=Settings)
    state: StateFolder | None = None
    shell: str = modes.AUTO

    @property
    def name(self) -> ServiceName:
        """Under which clients look for it."""
        mark = scenarios.fingerprint(self.scenario)[1] if scenarios.is_path(self.scenario) else ""
        return ServiceName("playground", f"{self.scenario}{mark} seed={self.seed} clusters={self.clusters}")


class Door:
    """The small plain server beside the API: proof, status. What the life of processes needs, without TLS."""

    def __init__(self, tenure: Tenure, playground: Playground):
        self._tenure = tenure
        self._playground = playground
        self.touched: Callable[[], None] = lambda: None
        self.more: dict[tuple[str, str], Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]] = {}
        """What else is answered to whoever has the token, by method and path."""
        self._runner: web.ServerRunner | None = None
        self._listening: sockets.socket | None = None

    async def open(self) -> int:
        """Listen; returns the port."""
        runner = web.ServerRunner(web.Server(self._answer, access_log=None), shutdown_timeout=0.5)
        await runner.setup()
        listening = sockets.create_server((HOST, self._tenure.port))
        await web.SockSite(runner, listening).start()
        self._runner, self._listening = runner, listening
        self._tenure.port = listening.getsockname()[1]
        return self._tenure.port

    async def close(self) -> None:
        """Stop listening."""
        runner, self._runner = self._runner, None
        if runner is not None and self._listening is not None:
            await stop_accepting([self._listening])
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
        more = self.more.get((request.method, request.path))
        if more is not None or (request.method == "GET" and request.path == "/status"):
            token = request.headers.get("Authorization", "").removeprefix("Bearer ")
            if not hmac.compare_digest(token.encode("utf-8", "replace"), self._tenure.token.encode()):
                return web.Response(status=401, text="a token is needed\n")
            return await more(request) if more is not None else web.json_response(status_of(self._playground))
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
        StateRefused: The state cannot be read or written.
        NoSandboxHere: It was asked for, and is refused here.
    """
    state = wanted.state
    if wanted.shell == modes.SANDBOX:
        from notebook_mux.playground.sandbox import entrance

        await entrance.check()
    playground = Playground(
        wanted.scenario, seed=wanted.seed, clusters=wanted.clusters, port=wanted.port, settings=wanted.settings,
        state=state, shell=wanted.shell,
    )  # fmt: skip
    door = Door(tenure, playground)
    async with _started(playground, state):
        gc.freeze()
        gc.enable()
        path = wanted.kubeconfig or (state.kubeconfig if state is not None else _own(wanted, tenure))
        files.write_private(path, playground.kubeconfig)
        if state is not None:
            state.serves({one.cluster.name: one.port for one in playground.served})
        try:
            return await _serve(wanted, tenure, playground, door, path, tell)
        finally:
            await door.close()
            if wanted.kubeconfig is None and state is None:
                files.remove(path)


def _own(wanted: Wanted, tenure: Tenure) -> Path:
    return folders.runtime_dir() / f"{wanted.name.stem()}-{tenure.instance}.kubeconfig"


@contextlib.asynccontextmanager
async def _started(playground: Playground, state: StateFolder | None) -> AsyncIterator[None]:
    """The playground while it serves; a port of kept state that is taken is told as such."""
    async with contextlib.AsyncExitStack() as stack:
        try:
            await stack.enter_async_context(playground)
        except OSError as error:
            if state is None or error.errno != errno.EADDRINUSE:
                raise
            ports = ", ".join(str(one.port) for one in playground.served)
            raise StateRefused(
                f"the state in {state.path} cannot be served where its kubeconfigs say it is: port {ports} is taken",
                said=str(error),
                todo="end what listens there, or give another --port: copies of the kubeconfig are then out of date",
            ) from None
        yield


async def until_the_end(end: Awaitable[str], state: StateFolder | None) -> str:
    """Wait for the end; what is kept comes to the disk once a second meanwhile.

    Raises:
        NotKept: It cannot be kept any more.
    """
    if state is None:
        return await end
    waiting, keeping = asyncio.ensure_future(end), asyncio.ensure_future(state.keep_synced())
    try:
        await asyncio.wait((waiting, keeping), return_when=asyncio.FIRST_COMPLETED)
        if keeping.done():
            await keeping
        return await waiting
    finally:
        for task in (waiting, keeping):
            task.cancel()


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
            or playground.open_forwards > 0
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
        return await until_the_end(end.wait(), wanted.state)


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    """Of uvloop, where it is to be had: it takes six tenths of the CPU."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop
    return uvloop.new_event_loop
