"""Who answers at an endpoint: our own gateway, or a Headlamp server; found out by asking, once for each attempt.

Our gateway is asked first, on the route that only it has. What answers HTTP there, but is none, is asked for Headlamp's
``/config``.
"""

from __future__ import annotations

import importlib
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, Protocol

from websockets.exceptions import InvalidHandshake, InvalidStatus

from notebook_mux.errors import GatewayError, MuxError, ProtocolError
from notebook_mux.kernel.thread import in_thread
from notebook_mux.kernel.transport import Transport
from notebook_mux.urls import shown

if TYPE_CHECKING:
    from notebook_mux.headlamp.bridge import Bridge
    from notebook_mux.headlamp.house import House

REFUSED = (401, 403)
"""What a gateway of ours answers to a wrong token."""


class Wire(Protocol):
    """What a connection speaks notebook-mux.v1 with; see `Transport` for each."""

    @property
    def sent_bytes(self) -> int:
        """Bytes sent."""

    @property
    def sent_frames(self) -> int:
        """Frames sent."""

    @property
    def closing_words(self) -> str:
        """Why it closed, once it has."""

    def details(self) -> dict[str, Any]:
        """For the status."""

    def send(self, frame: str | bytes) -> None:
        """Queue a frame."""

    def frames(self) -> AsyncIterator[str | bytes]:
        """All frames until the end."""

    def abort(self) -> None:
        """Cut it."""

    async def close(self) -> None:
        """Close politely."""

    def forget(self) -> None:
        """In a forked child: close the copy of the file descriptor without a word."""


class Opener:
    """Opens what an endpoint turns out to be, again and again. On the loop's thread.

    Args:
        ask: Whether it may be a Headlamp server; not so for a gateway that we start ourselves.
        headlamp: Whether it is known to be one: even our own gateway speaks that dialect to who asks for it.
        options: For tests: those of `notebook_mux.headlamp.bridge.Bridge`.
    """

    def __init__(self, *, ask: bool = True, headlamp: bool = False, **options: Any) -> None:
        self._ask = ask
        self._options = options
        self._headlamp = headlamp
        self._tokens: dict[tuple[str, str | None], dict[str, str]] = {}
        self._houses: dict[str, House] = {}

    async def __call__(self, base: str, token: str | None) -> Wire:
        """Connect to what answers at `base`.

        Raises:
            GatewayError: Nothing does, or it refuses us.
            ProtocolError: It is neither.
        """
        if self._headlamp:
            try:
                return await self.open_headlamp(base, token)
            except ProtocolError:
                self._headlamp = False  # another server took the place
        try:
            return await Transport.open(base, token)
        except (GatewayError, ProtocolError) as error:
            if not self._ask or not isinstance(error.__cause__, InvalidHandshake):
                raise
            opened = await self._instead(base, token, error)
        self._headlamp = True
        return opened

    async def _instead(self, base: str, token: str | None, error: MuxError) -> Wire:
        """A Headlamp server, or the error of our own question where there is none."""
        bridge = await _bridge()
        try:
            found = await bridge.ask(base, token, self._renewed(base, token))
        except (GatewayError, ProtocolError) as other:
            cause = error.__cause__
            if isinstance(cause, InvalidStatus) and cause.response.status_code in REFUSED:
                raise error from None  # our own gateway, most likely, and another token
            if isinstance(other, GatewayError):
                raise other from None
            raise GatewayError(
                f"what answers at {shown(base)} is neither a gateway of notebook_mux nor a Headlamp server",
                said=error.said,
                todo="check the URL, and the prefix that it is served under",
            ) from None
        return await bridge.start(*found, self._house(base, bridge), **self._options)

    async def open_headlamp(self, base: str, token: str | None) -> Wire:
        """Connect to the Headlamp server at `base`; for errors see `Bridge.open`."""
        bridge = await _bridge()
        return await bridge.open(base, token, self._renewed(base, token), self._house(base, bridge), **self._options)

    async def close(self) -> None:
        """End what runs by way of a Headlamp server: it is kept here, from one socket to the next."""
        houses, self._houses = self._houses, {}
        for house in houses.values():
            await house.close()

    def forget(self) -> None:
        """In a forked child: close the copies of the file descriptors without a word."""
        for house in self._houses.values():
            house.forget()

    def _house(self, base: str, bridge: type[Bridge]) -> House:
        if base not in self._houses:
            self._houses[base] = bridge.house()
        return self._houses[base]

    def _renewed(self, base: str, token: str | None) -> dict[str, str]:
        return self._tokens.setdefault((base, token), {})


async def _bridge() -> type[Bridge]:
    """The class, imported only where there may be a Headlamp server, and off the loop: it brings aiohttp."""
    module = await in_thread(importlib.import_module, "notebook_mux.headlamp.bridge")
    found: type[Bridge] = module.Bridge
    return found
