"""One forward: a listening port on loopback, its connections, and what it says of them. It outlives its client."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket as sockets
from collections.abc import Callable
from dataclasses import dataclass

import aiohttp

from notebook_mux.errors import MuxError, ServerError
from notebook_mux.forwards.tunnel import READ_AHEAD, Tunnel
from notebook_mux.listening import stop_accepting
from notebook_mux.remote.dialer import Dialer
from notebook_mux.remote.sockets import Refused
from notebook_mux.wire.forwards import ForwardState

LOOPBACK = "127.0.0.1"

MAX_CONNECTIONS = 256
"""At once on one forward: a browser opens six to a host, a load test some hundred; each is a WebSocket of its own."""

BACKLOG = 128

HALF_CLOSED_SECONDS = 30.0
"""How long an answer may be silent after the local side has said that it sends no more. The pod does not hear of that,
so a server that waits for it would wait for ever; and most who say it have gone."""

IDLE_SECONDS = 4 * 3600.0
"""Without a byte: the kubelet's own limit (streamingConnectionIdleTimeout)."""

PING_SECONDS = 30.0
"""Without a byte, between pings: many load balancers end what is silent for a minute."""

TICK_SECONDS = 5.0
"""Between looks at what is silent."""

MOVE_SECONDS = 10.0
"""How long a new connection waits for another pod where the one before has gone."""

NOT_FOUND = 404

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Aim:
    """Where a forward goes.

    Attributes:
        cluster: Reaches the API server.
        path: A pod's portforward.
        port: The pod's port.
        moves: Whether the client looks for another pod when this one has gone.
    """

    cluster: Dialer
    path: str
    port: int
    moves: bool = False


class Forward:
    """Listens from its making on. On the gateway's loop.

    Args:
        aim: Where it goes.
        port: The port to listen on; where it is taken, and for 0, any that is free.
        allowed: Called before each connection; raises `MuxError` where the client may not do that any more.

    Attributes:
        changed: Called when its state has changed; set by the client that has it just now.

    Raises:
        OSError: No port is free.
    """

    def __init__(self, aim: Aim, port: int, allowed: Callable[[], None]) -> None:
        self.aim = aim
        self.allowed = allowed
        self.changed: Callable[[], None] = lambda: None
        self.has_client = True
        self._total = self._sent = self._received = self._errors = 0
        self._error = self._lost = ""
        self._tunnels: dict[Tunnel, asyncio.Task[None]] = {}
        self._moved = asyncio.Event()
        self._keeper: asyncio.Task[None] | None = None
        self._listening = _listen(port)
        self.port: int = self._listening.getsockname()[1]
        self._serving = asyncio.create_task(self._serve(), name="forward")

    def point(self, aim: Aim) -> None:
        """Have new connections go elsewhere; those that stand go on."""
        if aim != self.aim:
            self.aim, self._lost = aim, ""
            self._moved.set()
            self._moved = asyncio.Event()
            self.changed()

    @property
    def state(self) -> ForwardState:
        """What it says of itself now."""
        live = [(tunnel.sent, tunnel.received) for tunnel in self._tunnels]
        return ForwardState(
            port=self.port,
            state="lost" if self._lost else "listening",
            reason=self._lost,
            path=self.aim.path,
            connections=len(live),
            total=self._total,
            sent=self._sent + sum(sent for sent, _ in live),
            received=self._received + sum(received for _, received in live),
            errors=self._errors,
            error=self._error,
        )

    async def aclose(self) -> None:
        """Stop listening and end all connections."""
        self._serving.cancel()
        await asyncio.gather(self._serving, return_exceptions=True)
        while self._tunnels:  # one that was accepted just now comes while the others end
            for task in self._tunnels.values():
                task.cancel()
            await asyncio.gather(*self._tunnels.values(), return_exceptions=True)
        self._listening.close()  # here, for a task that is cancelled at once never runs
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)

    def forget(self) -> None:
        """In a forked child: close its copies, or the port stays taken for as long as the child lives."""
        self._listening.close()
        for tunnel in self._tunnels:
            tunnel.forget()

    # --- connections ----------------------------------------------------------------------------------------------

    async def _serve(self) -> None:
        # In two steps: one that is cancelled while it begins to listen would leave the loop a closed descriptor, and
        # whatever gets its number next would never be heard.
        server = await asyncio.start_server(
            self._accept, sock=self._listening, limit=READ_AHEAD, backlog=BACKLOG, start_serving=False
        )
        try:
            await server.start_serving()
            await asyncio.Event().wait()
        finally:
            await stop_accepting([self._listening])
            server.close()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tunnel = Tunnel(reader, writer)
        if len(self._tunnels) >= MAX_CONNECTIONS and not self._make_room():
            tunnel.reset()
            self._failed(f"there are {MAX_CONNECTIONS} connections already, and another one was refused")
            return
        self._total += 1
        task = self._tunnels[tunnel] = asyncio.create_task(self._run(tunnel), name="forward connection")
        task.add_done_callback(lambda _: self._gone(tunnel))
        if self._keeper is None or self._keeper.done():
            self._keeper = asyncio.create_task(self._keep(), name="forward keeper")
        self.changed()

    def _make_room(self) -> bool:
        """End the connection whose local side has finished first; whether there was one."""
        finished = [tunnel for tunnel in self._tunnels if tunnel.half_closed]
        if not finished:
            return False
        oldest = min(finished, key=lambda tunnel: tunnel.last)
        oldest.end()
        return True

    def _gone(self, tunnel: Tunnel) -> None:
        tunnel.reset()
        del self._tunnels[tunnel]
        self._sent += tunnel.sent
        self._received += tunnel.received
        self.changed()

    async def _run(self, tunnel: Tunnel) -> None:
        aim = self.aim
        try:
            try:
                await self._once(tunnel)
            except Refused as refused:
                if not await self._moved_on(refused, aim):
                    raise
                await self._once(tunnel)
        except Refused as refused:
            self._failed(_words(refusal(refused, self.aim.cluster.name)))
        except MuxError as error:
            self._failed(_words(error))
        except (OSError, aiohttp.ClientError) as error:
            self._failed(f"the connection to the pod broke: {str(error) or type(error).__name__}")
        except Exception as error:  # one connection's failure is its own
            log.exception("a forwarded connection failed")
            self._failed(f"the gateway failed: {type(error).__name__}")

    async def _once(self, tunnel: Tunnel) -> None:
        self.allowed()
        aim = self.aim
        await tunnel.connect(aim.cluster, aim.path, aim.port)
        if self._lost:  # a pod of the same name has come in its place
            self._lost = ""
            self.changed()
        await tunnel.run(aim.cluster.name)

    async def _moved_on(self, refused: Refused, aim: Aim) -> bool:
        """The pod has gone, if that is what it is: wait for another one; whether there is one."""
        if refused.answer.status != NOT_FOUND:
            return False
        if aim != self.aim:
            return True  # while this was asked for
        self._lost = refused.answer.said or "the pod has gone"
        self.changed()
        if not (self.aim.moves and self.has_client):
            return False
        try:
            async with asyncio.timeout(MOVE_SECONDS):
                await self._moved.wait()
        except TimeoutError:
            return False
        return True

    def _failed(self, words: str) -> None:
        self._errors += 1
        self._error = words
        self.changed()

    async def _keep(self) -> None:
        """Look after what is silent, while there are connections."""
        loop = asyncio.get_running_loop()
        pinged: dict[Tunnel, float] = {}
        while self._tunnels:
            await asyncio.sleep(TICK_SECONDS)
            now = loop.time()
            for tunnel in list(self._tunnels):
                silent = now - tunnel.last
                if silent >= (HALF_CLOSED_SECONDS if tunnel.half_closed else IDLE_SECONDS):
                    tunnel.end()
                elif now - max(tunnel.last, pinged.get(tunnel, 0.0)) >= PING_SECONDS:
                    pinged[tunnel] = now
                    await tunnel.ping()
            pinged = {tunnel: at for tunnel, at in pinged.items() if tunnel in self._tunnels}


def _listen(port: int) -> sockets.socket:
    with contextlib.suppress(OSError, OverflowError):
        return sockets.create_server((LOOPBACK, port), backlog=BACKLOG)
    return sockets.create_server((LOOPBACK, 0), backlog=BACKLOG)


def refusal(refused: Refused, cluster: str) -> MuxError:
    """The error for an upgrade that was refused."""
    answer = refused.answer
    error = answer.error("forwarding a port", cluster)
    return error or ServerError("forwarding a port: the server answered no upgrade", cluster=cluster)


def _words(error: MuxError) -> str:
    return f"{error.what}: {error.said}" if error.said else error.what
