"""Which socket a watch goes by: the one for all, the one for clusters that hold others up, or one of its own."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable

from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, InvalidURI

from notebook_mux.errors import GatewayError, Unreachable
from notebook_mux.headlamp.rest import Cluster, Server
from notebook_mux.headlamp.sockets import DirectSocket, Listener, MuxSocket
from notebook_mux.kube.table_events import ACCEPT
from notebook_mux.kube.troubles import Trouble
from notebook_mux.urls import shown, websocket_url
from notebook_mux.wire.headlamp import PATH

PROBE_SECONDS = 30.0
"""A cluster that was heard of so lately is not asked whether it answers before the server is made to dial it."""

DIRECT_SECONDS = 300.0
"""How long a cluster's new watches go by sockets of their own, after one worked that the multiplexer had refused. A
token in the server's kubeconfig is the usual reason, and stays; a failure that passed may be another."""

APART_SECONDS = 300.0
"""How long a cluster that held others up goes by a socket of its own lane."""

ALL, APART = "all", "apart"


class Lanes:
    """The sockets to one server. All calls on the loop's thread.

    Args:
        server: Whose.
        room: See `MuxSocket`.
        lost: Called with the reason when the socket for all is gone, and whether garbage was the reason.
        options: Those of `MuxSocket`.

    Attributes:
        directs: Sockets of single watches that are open or being opened.
        forced: How many there have been.
    """

    def __init__(
        self,
        server: Server,
        room: Callable[[], Awaitable[None]],
        lost: Callable[[str, bool], None],
        **options: float,
    ) -> None:
        self.directs: set[DirectSocket] = set()
        self.forced = 0
        self._server = server
        self._room = room
        self._lost = lost
        self._options = options
        self._sockets: dict[str, MuxSocket] = {}
        self._dials: dict[str, asyncio.Task[MuxSocket]] = {}
        self._apart_until: dict[str, float] = {}
        self._direct_until: dict[str, float] = {}
        self._gone = {"received_bytes": 0, "received_frames": 0, "sent_bytes": 0, "sent_frames": 0}

    # --- choices --------------------------------------------------------------------------------------------------

    def quarantine(self, cluster: str) -> None:
        """A cluster that holds others up: the server does nothing else for a socket while it dials it."""
        self._apart_until[cluster] = time.monotonic() + APART_SECONDS

    def force_direct(self, cluster: str) -> None:
        """The multiplexer refused what a direct socket then did: see `DIRECT_SECONDS`."""
        self._direct_until.setdefault(cluster, time.monotonic() + DIRECT_SECONDS)

    def must_be_direct(self, cluster: str) -> bool:
        """Whether that is so now."""
        return _holds(self._direct_until, cluster)

    # --- multiplexed ----------------------------------------------------------------------------------------------

    async def socket_for(self, cluster: Cluster) -> MuxSocket:
        """The open socket for a watch of a cluster that is known to answer.

        Raises:
            Unreachable: The cluster does not answer, or (`GatewayError`) the server.
        """
        if time.monotonic() - cluster.last_contact > PROBE_SECONDS and not await cluster.is_alive():
            raise Unreachable("the cluster does not answer the Headlamp server", cluster=cluster.name)
        if _holds(self._apart_until, cluster.name):
            return await self.open(APART)
        apart = self._sockets.get(APART)
        if apart is not None and not apart.mux.watches:
            apart.abort()  # nobody needs it any more
        return await self.open()

    async def open(self, lane: str = ALL) -> MuxSocket:
        """Open a lane's socket, or give the one that is open; callers during the dial share it.

        Raises:
            GatewayError: It cannot be opened.
        """
        found = self._sockets.get(lane)
        if found is not None:
            return found
        dial = self._dials.get(lane)
        if dial is None or dial.done():
            dial = self._dials[lane] = asyncio.get_running_loop().create_task(self._dial(lane), name=f"dial {lane}")
            dial.add_done_callback(lambda task: task.cancelled() or task.exception())  # who asked may have gone
        return await asyncio.shield(dial)

    async def _dial(self, lane: str) -> MuxSocket:
        url = websocket_url(self._server.base, PATH)
        try:
            made = await MuxSocket.open(url, self._server.headers(), self._room, **self._options)
        except InvalidStatus as error:
            body = bytes(error.response.body or b"").decode(errors="replace").strip()
            raise GatewayError(
                f"the Headlamp server at {shown(self._server.base)} refused the WebSocket with HTTP"
                f" {error.response.status_code}",
                said=body[:200] or None,
                todo="check the URL and its ?token=",
            ) from None
        except (InvalidHandshake, InvalidURI, OSError, TimeoutError, ConnectionClosed) as error:
            raise self._server.failed(error) from None
        self._sockets[lane] = made
        made.ended.add_done_callback(lambda why: self._ended(lane, made, why.result()))
        return made

    def _ended(self, lane: str, socket: MuxSocket, why: str) -> None:
        for name in self._gone:
            self._gone[name] += getattr(socket, name)
        if self._sockets.get(lane) is socket:
            del self._sockets[lane]
            socket.abort()
            if lane == ALL:
                self._lost(why, socket.garbage)

    # --- direct ---------------------------------------------------------------------------------------------------

    @contextlib.asynccontextmanager
    async def direct(self) -> AsyncIterator[DirectSocket]:
        """A socket for one watch; counted while the block is in use."""
        made = DirectSocket()
        self.directs.add(made)
        try:
            yield made
        finally:
            self.directs.discard(made)

    async def run_direct(self, direct: DirectSocket, cluster: Cluster, path: str, listener: Listener) -> Trouble | None:
        """Watch on it until it ends; `path` is the cluster's own, with the query. See `DirectSocket.run`."""
        self.forced += 1
        url = websocket_url(self._server.base, cluster.root + path)
        headers = self._server.headers(cluster.name) | {"Accept": ACCEPT}
        return await direct.run(url, headers, self._server.origin, listener, self._room)

    # --- accounts and end -----------------------------------------------------------------------------------------

    def counts(self) -> dict[str, int]:
        """``sockets`` (multiplexed, open), ``direct_sockets``, and bytes and frames of the former, both ways."""
        sums = {name: gone + sum(getattr(s, name) for s in self._sockets.values()) for name, gone in self._gone.items()}
        return {"sockets": len(self._sockets), "direct_sockets": len(self.directs), **sums}

    async def close(self) -> None:
        """Close all sockets politely, and end dials that are under way."""
        try:
            await self._end_dials()
            sockets, self._sockets = list(self._sockets.values()), {}
            await asyncio.gather(*(socket.close() for socket in sockets))
        finally:
            self.abort()

    async def _end_dials(self) -> None:
        dials = list(self._dials.values())
        for dial in dials:
            dial.cancel()
        await asyncio.gather(*dials, return_exceptions=True)

    def abort(self) -> None:
        """Cut all sockets, and end dials that are under way."""
        for dial in self._dials.values():
            dial.cancel()
        sockets, self._sockets = list(self._sockets.values()), {}
        for socket in sockets:
            socket.abort()
        for direct in self.directs:
            direct.abort()

    def forget(self) -> None:
        """In a forked child: close the copies of the file descriptors without a word."""
        for socket in self._sockets.values():
            socket.forget()
        for direct in self.directs:
            direct.forget()


def _holds(until: dict[str, float], cluster: str) -> bool:
    """Whether what was said of a cluster holds still."""
    if until.get(cluster, float("inf")) < time.monotonic():
        del until[cluster]
    return cluster in until
