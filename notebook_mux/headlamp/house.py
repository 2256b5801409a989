"""What runs in containers by way of one Headlamp server. It is kept in the kernel's process, for nothing lies between.

A bridge is one multiplexed socket and ends with it; its house goes on, so that a program is not lost with a socket that
is none of its own: when that is cut, or made anew for another token.
"""

from __future__ import annotations

import contextlib
import os
import secrets

import aiohttp

from notebook_mux.forwards.forwards import Forwards
from notebook_mux.headlamp.rest import descriptors_of
from notebook_mux.remote.programs import Programs
from notebook_mux.remote.relays import Relays, relayed
from notebook_mux.remote.terminals import Terminals


class House:
    """See the module; a `House` of `remote.desk`, `remote.screens` and `forwards.desk`. On the loop's thread.

    Attributes:
        instance: Random: what a kernel goes by when it joins a program again.
        programs: All of them.
        terminals: The same.
        forwards: The same.
    """

    def __init__(self) -> None:
        self.instance = secrets.token_hex(8)
        self.programs = Programs()
        self.terminals = Terminals()
        self.forwards = Forwards()
        self._dialling: tuple[aiohttp.TCPConnector, Relays] | None = None

    def connector(self) -> aiohttp.BaseConnector:
        """Makes a connection of its own for each WebSocket."""
        if self._dialling is None:
            connector = aiohttp.TCPConnector(limit=0, force_close=True)
            self._dialling = connector, relayed(connector)
        return self._dialling[0]

    @property
    def sockets(self) -> int:
        """Those that are open."""
        return len(self._dialling[1]) if self._dialling is not None else 0

    def forget(self) -> None:
        """In a forked child: close the copies of the file descriptors without a word."""
        self.forwards.forget()
        if self._dialling is not None:
            connector, relays = self._dialling
            relays.forget()
            for descriptor in descriptors_of(connector):
                with contextlib.suppress(OSError):
                    os.close(descriptor)

    async def close(self) -> None:
        """End all programs, terminals and forwards, and their connections."""
        await self.forwards.aclose()
        await self.terminals.aclose()
        await self.programs.aclose()
        dialling, self._dialling = self._dialling, None
        if dialling is not None:
            await dialling[0].close()
            await dialling[1].aclose()
