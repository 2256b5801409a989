"""One WebSocket to a multiplexer: opening, reading, writing, cutting. It knows nothing of what it carries."""

from __future__ import annotations

import asyncio
import os
import socket
from collections import deque
from collections.abc import AsyncIterator
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, InvalidURI

from notebook_mux._version import __version__
from notebook_mux.errors import GatewayError, ProtocolError
from notebook_mux.urls import is_loopback, shown, websocket_url
from notebook_mux.wire.frames import MAX_FRAME
from notebook_mux.wire.messages import MAX_MESSAGE, PATH, SUBPROTOCOL

OPEN_SECONDS = 10.0
"""For TCP and the handshake: a gateway on loopback answers in milliseconds, one behind a tunnel in a second."""

CLOSE_SECONDS = 1.0
"""For the closing handshake; a gateway that does not answer it is gone anyway."""

PING_SECONDS = 20.0
"""Between pings to an endpoint that is not on loopback (websockets' own default)."""

PONG_SECONDS = 60.0
"""How long such a pong may take: a cell that holds the GIL for most of a minute must not end a healthy socket."""


BAD_REQUEST = 400
"""A gateway's answer where no sub-protocol can be agreed (RFC 6455, 4.2.2 leaves it to the server)."""

SAME_VERSION = f"install one version of notebook-mux on both sides; here it is {__version__}"


CHECK_TOKEN = "check the URL's ?token=, or let nm.connect() start a gateway of its own"

_NEXT = {429: "close notebooks that you do not need, then run the cell again"}
"""What to do next after a refusal that no other token would change."""


class Transport:
    """An open WebSocket. All methods belong to the loop's thread, except `forget`."""

    def __init__(self, socket_: ClientConnection) -> None:
        self._socket = socket_
        self._outbox: deque[str | bytes] = deque()
        self._wanted = asyncio.Event()
        self._writer = asyncio.get_running_loop().create_task(self._write())
        self.sent_bytes = 0
        self.sent_frames = 0

    @classmethod
    async def open(cls, base: str, token: str | None) -> Transport:
        """Open the WebSocket of the gateway at `base` (http or https).

        Raises:
            GatewayError: Nothing listens there, it refuses us, or it is no multiplexer of ours.
        """
        url = websocket_url(base, PATH)
        loopback = is_loopback(url)
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        try:
            opened = await connect(
                url,
                subprotocols=[SUBPROTOCOL],  # type: ignore[list-item]  # websockets' NewType of str
                additional_headers=headers,
                compression=None,
                open_timeout=OPEN_SECONDS,
                close_timeout=CLOSE_SECONDS,
                # Loopback cannot go half-open, and a cell that holds the GIL would look like a dead peer.
                ping_interval=None if loopback else PING_SECONDS,
                ping_timeout=None if loopback else PONG_SECONDS,
                max_size=max(MAX_FRAME, MAX_MESSAGE),
                proxy=None if loopback else True,
            )
        except InvalidStatus as error:
            body = bytes(error.response.body or b"").decode(errors="replace").strip()
            if error.response.status_code == BAD_REQUEST and "sub-protocol" in body:
                raise GatewayError(
                    f"the gateway at {shown(url)} speaks another version than this notebook, {SUBPROTOCOL}",
                    said=body,
                    todo=SAME_VERSION,
                ) from None  # it is known what it is: nobody need look for another kind of server there
            raise GatewayError(
                f"the gateway at {shown(url)} refused the connection with HTTP {error.response.status_code}",
                said=body or None,
                todo=_NEXT.get(error.response.status_code, CHECK_TOKEN),
            ) from error
        except (InvalidHandshake, InvalidURI) as error:
            raise GatewayError(
                f"what answers at {shown(url)} is no gateway of notebook_mux",
                said=str(error),
                todo="check the URL",
            ) from error
        except (OSError, TimeoutError, ConnectionClosed) as error:
            raise GatewayError(
                f"no gateway answers at {shown(url)}",
                said=str(error) or type(error).__name__,
                todo="is it running?",
            ) from error
        if opened.subprotocol != SUBPROTOCOL:
            opened.transport.abort()
            raise ProtocolError(
                f"what answers at {shown(url)} does not speak {SUBPROTOCOL}",
                said=f"it agreed to {opened.subprotocol or 'no sub-protocol'}",
                todo=f"check the URL; if it is a gateway, {SAME_VERSION}",
            )
        return cls(opened)

    def send(self, frame: str | bytes) -> None:
        """Queue a frame; it is written in order, soon."""
        self._outbox.append(frame)
        self._wanted.set()

    async def _write(self) -> None:
        try:
            while True:
                await self._wanted.wait()
                self._wanted.clear()
                while self._outbox:
                    frame = self._outbox.popleft()
                    await self._socket.send(frame)
                    self.sent_bytes += len(frame)
                    self.sent_frames += 1
        except ConnectionClosed:
            return  # the reader tells

    async def frames(self) -> AsyncIterator[str | bytes]:
        """All frames until the socket closes, whichever way."""
        try:
            while True:
                yield await self._socket.recv()
        except ConnectionClosed:
            return

    @property
    def closing_words(self) -> str:
        """Why the socket closed, once it has."""
        code, reason = self._socket.close_code, self._socket.close_reason
        if code is None or code == 1006:
            return "the socket was cut"
        return f"the gateway closed the socket ({code}{' ' + reason if reason else ''})"

    def details(self) -> dict[str, Any]:
        """For the status: nothing but what the connection itself counts."""
        return {}

    def abort(self) -> None:
        """Cut the socket as a lost network would."""
        self._writer.cancel()
        self._socket.transport.abort()

    async def close(self) -> None:
        """Close politely, within `CLOSE_SECONDS`, after what is queued has been written."""
        if self._outbox:
            await asyncio.sleep(0)
        self._writer.cancel()
        try:
            await self._socket.close()
        finally:
            self._socket.transport.abort()  # nothing is left of it, also when nobody waited for the handshake's end

    def forget(self) -> None:
        """In a forked child: close the copy of the file descriptor without a word on the socket."""
        held = self._socket.transport.get_extra_info("socket")
        if isinstance(held, socket.socket) or hasattr(held, "fileno"):
            try:
                os.close(held.fileno())
            except OSError:
                return
