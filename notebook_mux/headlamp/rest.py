"""HTTP to a Headlamp server: its config, and the clusters' own APIs below ``/clusters/<name>``."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Mapping, MutableMapping
from urllib.parse import quote, urlsplit

import aiohttp
import msgspec
from yarl import URL

from notebook_mux._version import __version__
from notebook_mux.errors import GatewayError, LoginRequired, MuxError, ProtocolError, ServerError, TimedOut, Unreachable
from notebook_mux.headlamp import config as configs, cookies
from notebook_mux.kube.answers import Answer, plain, status_of
from notebook_mux.remote import keepalive
from notebook_mux.urls import is_loopback, shown
from notebook_mux.wire import UNREADABLE
from notebook_mux.wire.headlamp import TOKEN_HEADER

CONFIG_SECONDS = 10.0
"""For ``GET /config``, which asks no cluster."""

AT_ONCE = 16
"""Requests to one cluster at once, besides the question whether it is alive: a notebook with a thousand streams
lists them in turn. Counted for each cluster, so that one that does not answer holds up no other."""

CONNECT_SECONDS = 10.0
"""For TCP and TLS to the Headlamp server."""

ALIVE_SECONDS = 10.0
"""For ``/version`` of a cluster, the smallest answer there is."""

BAD_GATEWAY = 502
BEYOND = (BAD_GATEWAY, 503, 504)
"""What a proxy answers where the cluster does not: Headlamp's own with an empty body. An API server has no 502, and the
others only with a Status."""


class Server:
    """One Headlamp server. All calls on the loop's thread.

    Args:
        base: Its base URL, with the prefix it is served under.
        token: What the user gave: the desktop token, or, where the server asks for none, a cluster's own.
        tokens: By cluster the token that goes into its cookies; kept from one connection to the next.

    Attributes:
        renewed: Called when the server has set a new token for a cluster.
    """

    def __init__(self, base: str, token: str | None, tokens: MutableMapping[str, str]) -> None:
        self.base = base
        self.tokens = tokens
        self.renewed: Callable[[str], None] = lambda cluster: None
        self.login: str | None = None
        """A token for the clusters that are asked for, where it is not the server's own."""
        self._token = token
        self._backend: str | None = None
        self._session: aiohttp.ClientSession | None = None
        self._clusters: dict[str, Cluster] = {}

    def __repr__(self) -> str:
        return f"<Headlamp server {shown(self.base)}>"

    @property
    def origin(self) -> str:
        """Scheme, host and port: what a direct WebSocket must name as its Origin."""
        parts = urlsplit(self.base)
        return f"{parts.scheme}://{parts.netloc}"

    def headers(self, cluster: str | None = None) -> dict[str, str]:
        """The headers of a request or an upgrade; the token frozen in them is that of now.

        Args:
            cluster: Where it goes: Headlamp hands cookies on to the API server, which must see its own alone. None is
                the multiplexer, which is for all and reads the tokens of all.
        """
        found = {"User-Agent": f"notebook-mux/{__version__}"}
        if self._backend:
            found[TOKEN_HEADER] = self._backend
        tokens = self.tokens if cluster is None else {n: token for n, token in self.tokens.items() if n == cluster}
        if header := cookies.header(tokens):
            found["Cookie"] = header
        return found

    def cluster(self, name: str) -> Cluster:
        """A cluster by its name on the server."""
        if name not in self._clusters:
            self._clusters[name] = Cluster(self, name)
        return self._clusters[name]

    async def config(self) -> configs.Config:
        """What it serves; also finds out what the user's token is for.

        Raises:
            GatewayError: It does not answer, or refuses the token.
            ProtocolError: What answers is no Headlamp server.
        """
        status, body = await self._ask_config()
        if status in (401, 403) and self._token and not self._backend:
            self._backend = self._token
            status, body = await self._ask_config()
        elif self._token and not self._backend:
            self.login = self._token
        found = configs.read(body) if status == 200 else None
        if found is not None:
            return found
        if status in (401, 403):
            raise GatewayError(
                f"the Headlamp server at {shown(self.base)} refused the connection with HTTP {status}",
                said=body[:200].decode(errors="replace").strip() or None,
                todo="give its token (HEADLAMP_BACKEND_TOKEN) as ?token= of the URL"
                if not self._token
                else "check the URL's ?token=",
            )
        raise ProtocolError(f"what answers at {shown(self.base)} is no Headlamp server", todo="check the URL")

    async def _ask_config(self) -> tuple[int, bytes]:
        try:
            async with asyncio.timeout(CONFIG_SECONDS):
                response = await self.opened().get(f"{self.base}/config", headers=self.headers(), allow_redirects=False)
                async with response:
                    return response.status, await response.read()
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise self.failed(error) from None

    def failed(self, error: BaseException) -> GatewayError:
        """Our error for what went wrong between us and the server."""
        return GatewayError(
            f"no Headlamp server answers at {shown(self.base)}",
            said=str(error) or type(error).__name__,
            todo="is it running?",
        )

    def opened(self) -> aiohttp.ClientSession:
        """The one HTTP session."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, socket_factory=keepalive.made),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS),
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=not is_loopback(self.base),
            )
        return self._session

    def file_descriptors(self) -> list[int]:
        """Those of open connections, for a forked child to close."""
        return descriptors_of(self._session.connector if self._session is not None else None)

    async def close(self) -> None:
        """End all connections."""
        for cluster in self._clusters.values():
            cluster.close()
        session, self._session = self._session, None
        if session is not None:
            await session.close()


class Cluster:
    """One cluster behind a Headlamp server; as `notebook_mux.kube.discovery` asks one.

    Attributes:
        name: Its name on the server.
        server: That.
        last_contact: `time.monotonic` seconds of the last answer.
    """

    def __init__(self, server: Server, name: str) -> None:
        self.name = name
        self.last_contact = 0.0
        self.server = server
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._question: asyncio.Task[bool] | None = None

    @property
    def root(self) -> str:
        """The path of its API on the server."""
        return f"/clusters/{quote(self.name, safe='')}"

    async def request(
        self,
        method: str,
        path: str,
        query: str = "",
        *,
        headers: Mapping[str, str] | None = None,
        body: str | bytes | None = None,
        timeout: float = 30.0,
        session: aiohttp.ClientSession | None = None,
    ) -> Answer:
        """One request; an HTTP error is an answer like any other, but one of the proxy's own is `Unreachable`.

        `session` is another one than the server's, which ends with its bridge.

        Raises:
            Unreachable: The Headlamp server does not answer, or the cluster does not answer it.
            TimedOut: No answer within `timeout` seconds.
        """
        try:
            async with asyncio.timeout(timeout), self._turns:
                return await self._request(method, path, query, headers, body, session)
        except TimeoutError:
            raise TimedOut(
                f"no answer to {method} {path} within {timeout:g} s", cluster=self.name, todo="try again later"
            ) from None

    async def _request(
        self,
        method: str,
        path: str,
        query: str = "",
        headers: Mapping[str, str] | None = None,
        body: str | bytes | None = None,
        session: aiohttp.ClientSession | None = None,
    ) -> Answer:
        server = self.server
        url = URL(f"{server.base}{self.root}{path}{'?' if query else ''}{query}", encoded=True)
        try:
            # Never a redirect: it would carry cookies to whoever is named there.
            response = await (session or server.opened()).request(
                method, url, headers={**server.headers(self.name), **(headers or {})}, data=body, allow_redirects=False
            )
            async with response:
                content = await response.read()
        except TimeoutError:
            raise
        except (aiohttp.ClientError, OSError) as error:
            raise server.failed(error) from None
        self._renew((name, morsel.value) for name, morsel in response.cookies.items())
        found = Answer(response.status, plain(response.headers), content)
        if (beyond := self._beyond(found)) is not None:
            raise beyond
        self.last_contact = time.monotonic()
        return found

    def _beyond(self, answer: Answer) -> Unreachable | None:
        """The error where an answer is the proxy's own: the cluster has not answered it."""
        if answer.status != BAD_GATEWAY and (answer.status not in BEYOND or status_of(answer.body) is not None):
            return None
        return Unreachable(
            f"the Headlamp server cannot reach the cluster (HTTP {answer.status})",
            cluster=self.name,
            said=answer.said or None,
            todo="see whether the cluster is up, and what the server's log says",
        )

    @contextlib.asynccontextmanager
    async def stream(
        self, path: str, query: str = "", *, headers: Mapping[str, str], timeout: float | None, read_ahead: int
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """A long answer (a log), uncompressed, on a connection of its own; leaving the block ends it.

        It takes no turn of `AT_ONCE`: it may have no end. What goes wrong while its content is read is aiohttp's
        exception; `failed` makes one of ours of it.

        Args:
            path: The cluster's own, encoded.
            query: Encoded.
            headers: Besides those that say who asks.
            timeout: Seconds until the answer begins; None is no limit.
            read_ahead: Bytes that are taken before they are asked for.

        Raises:
            Unreachable: The Headlamp server does not answer.
            TimedOut: No beginning of an answer in time.
        """
        server = self.server
        url = URL(f"{server.base}{self.root}{path}{'?' if query else ''}{query}", encoded=True)
        wanted = {**server.headers(self.name), "Accept-Encoding": "identity", **headers}
        try:
            async with asyncio.timeout(timeout):
                response = await server.opened().get(
                    url, headers=wanted, allow_redirects=False, read_bufsize=read_ahead
                )
        except TimeoutError:
            raise TimedOut(f"no answer to GET {path} in time", cluster=self.name, todo="try again later") from None
        except (aiohttp.ClientError, OSError) as error:
            raise server.failed(error) from None
        try:
            self._renew((name, morsel.value) for name, morsel in response.cookies.items())
            yield response
        finally:
            if response.connection is not None and response.connection.transport is not None:
                response.connection.transport.abort()
            response.close()

    def refused(self, answer: Answer, what: str) -> MuxError:
        """Our error for an answer that is no success; `what` was tried."""
        if (beyond := self._beyond(answer)) is not None:
            return beyond
        error = answer.error(what, self.name)
        return with_advice(error or ServerError(f"{what}: the server answered {answer.status}", cluster=self.name))

    def failed(self, error: BaseException) -> MuxError:
        """Our error for what broke while an answer was read: the server hangs up where its own connection broke."""
        return Unreachable(
            "the connection to the cluster broke, on this side of the Headlamp server or behind it",
            cluster=self.name,
            said=str(error) or type(error).__name__,
            todo="it is tried again",
        )

    def _renew(self, set_cookies: object) -> None:
        token = cookies.renewed(self.name, set_cookies)  # type: ignore[arg-type]
        if token is not None and self.server.tokens.get(self.name) != token:
            self.server.tokens[self.name] = token
            self.server.renewed(self.name)

    async def probe(self, timeout: float) -> dict[str, str]:
        """Whether it answers, and takes our credentials: ``{"version": "v1.37.2"}``. `timeout` in seconds.

        Raises:
            LoginRequired, Forbidden, Unreachable, TimedOut, ServerError: What it said, or why it did not.
        """
        started = time.monotonic()
        found = await self.request("GET", "/version", timeout=timeout)
        if (error := found.error("ask for its version", self.name)) is not None:
            raise with_advice(error)
        # The version is for everyone; this is not.
        left = max(1.0, timeout - (time.monotonic() - started))
        api = await self.request("GET", "/api", headers={"Accept": "application/json"}, timeout=left)
        if (error := api.error("ask what it serves", self.name)) is not None:
            raise with_advice(error)
        return {"version": _version_of(found.body, self.name)}

    async def is_alive(self) -> bool:
        """Whether it answers anything at all just now; callers at the same time share one question."""
        if self._question is None or self._question.done():
            self._question = asyncio.create_task(self._ask(), name="is it alive")
        return await asyncio.shield(self._question)

    async def _ask(self) -> bool:
        try:
            async with asyncio.timeout(ALIVE_SECONDS):
                await self._request("GET", "/version")
        except (MuxError, TimeoutError):
            return False
        return True

    def close(self) -> None:
        """No more questions."""
        if self._question is not None:
            self._question.cancel()


def descriptors_of(connector: aiohttp.BaseConnector | None) -> list[int]:
    """The file descriptors of a connector's open connections, in use or kept."""
    held = []
    for kept in getattr(connector, "_conns", {}).values():
        held += [protocol.transport for protocol, _ in kept]
    held += [protocol.transport for protocol in getattr(connector, "_acquired", ())]
    sockets = [transport.get_extra_info("socket") for transport in held if transport is not None]
    return [one.fileno() for one in sockets if one is not None and one.fileno() >= 0]


def with_advice(error: MuxError) -> MuxError:
    """What to do about a login, in words for who connects to a Headlamp server."""
    if isinstance(error, LoginRequired):
        error.todo = "give the cluster's token as ?token= of the URL, as you would to Headlamp's own login"
    return error


def _version_of(body: bytes, cluster: str) -> str:
    try:
        return str(msgspec.json.decode(body, type=dict[str, object])["gitVersion"])
    except (KeyError, *UNREADABLE):
        raise ServerError("it answers, but not as a Kubernetes API server", cluster=cluster) from None
