"""Exec and attach through a Headlamp server: a WebSocket of its own for each, below ``/clusters/<name>``.

The multiplexer cannot carry them: its ``data`` is text, and is written without a lock. On the direct path the server
hands everything on as it is, the sub-protocols of remotecommand among it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import aiohttp
from yarl import URL

from notebook_mux.errors import GatewayError, LoginRequired, MuxError, TimedOut, Unreachable
from notebook_mux.headlamp.house import House
from notebook_mux.headlamp.rest import BEYOND, Cluster, with_advice
from notebook_mux.kube.answers import Answer, status_of
from notebook_mux.remote.sockets import Refused
from notebook_mux.remote.upgrades import upgrade
from notebook_mux.urls import is_loopback, shown

UPGRADE_SECONDS = 50.0
"""For the upgrade's answer: the server dials the cluster first, and its own limit is 45 s."""

UNAUTHORIZED = 401


class Dialer:
    """One cluster behind a Headlamp server; a `notebook_mux.remote.dialer.Dialer`. On the loop's thread.

    Args:
        cluster: The cluster.
        house: Has the connections, which outlive the bridge that dialled them.
    """

    def __init__(self, cluster: Cluster, house: House) -> None:
        self._cluster = cluster
        self._house = house

    @property
    def name(self) -> str:
        """As the server has it."""
        return self._cluster.name

    async def websocket(
        self, path: str, query: str = "", *, protocols: Sequence[str]
    ) -> aiohttp.ClientWebSocketResponse:
        """Open a WebSocket; nothing is sent twice.

        Args:
            path: The cluster's own, encoded.
            query: Encoded.
            protocols: At least one: where none is offered the server answers with an empty one.

        Raises:
            Refused: The answer was no upgrade.
            LoginRequired: The cluster wants a token, or another one.
            Unreachable: The server does not answer, or the cluster does not answer it.
            TimedOut: No answer in time.
        """
        server = self._cluster.server
        url = URL(f"{server.base}{self._cluster.root}{path}{'?' if query else ''}{query}", encoded=True)
        try:
            async with asyncio.timeout(UPGRADE_SECONDS):
                return await upgrade(
                    self._house.connector(),
                    url,
                    server.headers(self.name),
                    protocols,
                    trust_env=not is_loopback(server.base),
                )
        except Refused as refused:
            answer = refused.answer
            if answer.status == UNAUTHORIZED:
                raise self._login(refused) from None
            if answer.status in BEYOND and status_of(answer.body) is None:
                raise self._beyond(refused) from None
            raise
        except aiohttp.ClientConnectorError as error:
            raise server.failed(error) from None
        except aiohttp.ClientError as error:
            raise GatewayError(
                f"the Headlamp server at {shown(server.base)} broke off",
                said=str(error) or type(error).__name__,
                todo="see what its log says",
            ) from None
        except TimeoutError:
            raise TimedOut(
                f"no answer to the upgrade within {UPGRADE_SECONDS:g} s", cluster=self.name, todo="try again later"
            ) from None
        except OSError as error:
            raise server.failed(error) from None

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
        """One request, also when the bridge has gone; see `notebook_mux.headlamp.rest.Cluster.request`."""
        async with aiohttp.ClientSession(
            connector=self._house.connector(),
            connector_owner=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=not is_loopback(self._cluster.server.base),
        ) as session:
            return await self._cluster.request(
                method, path, query, headers=headers, body=body, timeout=timeout, session=session
            )

    def _login(self, refused: Refused) -> MuxError:
        error = refused.answer.error("starting the program", self.name)
        assert isinstance(error, LoginRequired)
        return with_advice(error)

    def _beyond(self, refused: Refused) -> Unreachable:
        return Unreachable(
            f"the Headlamp server cannot reach the cluster (HTTP {refused.answer.status})",
            cluster=self.name,
            said=refused.answer.said or None,
            todo="see whether the cluster is up, and what the server's log says",
        )
