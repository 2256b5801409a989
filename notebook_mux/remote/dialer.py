"""What programs need of a cluster: its name, a WebSocket to one of its paths, and a request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import aiohttp

from notebook_mux.kube.answers import Answer


class Dialer(Protocol):
    """A cluster, reached directly by a gateway or through a Headlamp server."""

    @property
    def name(self) -> str:
        """As the user has it."""

    async def websocket(
        self, path: str, query: str = "", *, protocols: Sequence[str]
    ) -> aiohttp.ClientWebSocketResponse:
        """Open a WebSocket; nothing is sent twice, for a program must not be started twice.

        Raises:
            Refused: The answer was no upgrade.
            MuxError: No connection, or the login failed. Where its ``__context__`` is none of
                `notebook_mux.remote.program.NO_CONNECTION`, the request may have arrived.
        """


class Place(Dialer, Protocol):
    """A cluster that can be asked for more than WebSockets: a terminal's pod is deleted with it."""

    async def request(
        self,
        method: str,
        path: str,
        query: str = "",
        *,
        headers: Mapping[str, str] | None = None,
        body: str | bytes | None = None,
        timeout: float = 30.0,
    ) -> Answer:
        """One request; an error status is an answer. `timeout` in seconds.

        Raises:
            MuxError: No answer.
        """
