"""One cluster as one identity: requests and long answers over HTTP/1.1."""

from __future__ import annotations

import asyncio
import contextlib
import io
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import unquote

import aiohttp
from multidict import CIMultiDict
from yarl import URL

from notebook_mux import clocks
from notebook_mux.errors import InvalidArgument, LoginRequired, MuxError, ServerError, TimedOut
from notebook_mux.gateway import connecting, upgrades
from notebook_mux.gateway.credentials import Credentials, Login
from notebook_mux.gateway.kubeconfig import ResolvedContext
from notebook_mux.gateway.request_headers import IMPERSONATION, checked
from notebook_mux.gateway.socks import SCHEMES as SOCKS, SocksConnector
from notebook_mux.kube.answers import Answer, plain
from notebook_mux.remote import keepalive
from notebook_mux.remote.relays import Relays, relayed
from notebook_mux.remote.sockets import Refused
from notebook_mux.remote.upgrades import CONNECT_SECONDS, MAX_FRAME, USER_AGENT

HEADERS_SECONDS = 30.0
"""For the beginning of a long answer: an API server waits up to 3 s for a fresh cache and writes headers at once."""

ALIVE_SECONDS = 10.0
"""For the smallest answer there is; it is not subject to priority and fairness, so an overloaded server gives it."""

THROTTLED_TRIES = 10
"""How often an answer with Retry-After is followed; client-go's number (rest/request.go)."""

READ_BUFFER = 256 * 1024
"""Bytes of one answer read ahead, so that a storm of events is taken in large pieces."""

LONG_BODY = 1024 * 1024
"""Bytes of a body from which aiohttp warns of handing it over whole."""

THROTTLED = 429
UNAUTHORIZED = 401

T = TypeVar("T")

_PATH = re.compile(r"/[!-~]*")
_QUERY = re.compile(r"[!-~]*")
_PROXIED = re.compile(r"/proxy(/|$)")


class Cluster:
    """A cluster and who we are to it. All calls on the gateway's loop.

    Attributes:
        ref: `ResolvedContext.ref`.
        name: The context's name, for messages.
        server: The API server's URL.
        last_contact: `time.monotonic` seconds of the last sign of life from the server.
        trouble: What kept the last request from an answer, None after an answer.
        clock: The server's, by its last answer.
    """

    def __init__(self, context: ResolvedContext) -> None:
        if context.error is not None:
            raise context.error
        self.ref = context.ref
        self.name = context.name
        self.server = context.server
        self.last_contact = 0.0
        self.trouble: MuxError | None = None
        self.clock = clocks.OURS
        self._endpoint = context.endpoint
        self._by_socks = URL(context.endpoint.proxy).scheme in SOCKS
        self._credentials = Credentials(context.endpoint, context.identity)
        self._session: aiohttp.ClientSession | None = None
        self._upgrading: tuple[aiohttp.TCPConnector, Relays] | None = None
        self._question: asyncio.Task[bool] | None = None
        self._closed = False

    def __repr__(self) -> str:
        return f"<Cluster {self.name!r} {self.ref}>"

    async def request(
        self,
        method: str,
        path: str,
        query: str = "",
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | str | None = None,
        timeout: float = 30.0,
        patient: bool = True,
    ) -> Answer:
        """One request; an HTTP error is an answer like any other (see `Answer.error`).

        Credentials are refreshed once after a 401.

        Args:
            method: ``GET``, ``POST`` ...
            path: The API's path, below the server's own.
            query: Encoded, without the question mark.
            headers: More headers; Authorization, Host, Impersonate-* and the like are ours and are refused.
            body: Sent as it is; give a Content-Type.
            timeout: Seconds for all of it.
            patient: Whether to try again as Retry-After says, after 429 and, for a GET, 5xx.

        Raises:
            LoginRequired: The credentials cannot be had (exec plugin, token file).
            Unreachable: No connection, or it broke.
            TimedOut: No answer within `timeout`.
            InvalidArgument: A path, query or header that cannot be sent.
        """
        try:
            async with asyncio.timeout(timeout):
                for tries in range(THROTTLED_TRIES + 1):
                    async with await self._send(method, path, query, headers, body) as response:
                        content = await response.read()
                        answer = Answer(response.status, plain(response.headers), content)
                    wait = answer.retry_after
                    again = answer.status == THROTTLED or (answer.status >= 500 and method == "GET")
                    if not patient or not again or wait is None or tries == THROTTLED_TRIES:
                        break
                    await asyncio.sleep(wait)
                return answer
        except TimeoutError:
            raise TimedOut(
                f"no answer to {method} {path} within {timeout:g} s",
                cluster=self.name,
                todo="see whether the cluster is overloaded, or give it more time",
            ) from None
        except (aiohttp.ClientError, OSError, asyncio.IncompleteReadError) as error:
            raise self._failed(error) from None

    @contextlib.asynccontextmanager
    async def stream(
        self,
        path: str,
        query: str = "",
        *,
        headers: Mapping[str, str] | None = None,
        method: str = "GET",
        body: bytes | None = None,
        timeout: float | None = HEADERS_SECONDS,
        read_ahead: int = READ_BUFFER,
        acting: CIMultiDict[str] | None = None,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """A long answer (watch, log), uncompressed; leaving the block ends it.

        What goes wrong while its content is read is aiohttp's exception; `failed` makes one of ours of it.

        Args:
            path: See `request`.
            query: See `request`.
            headers: See `request`; an Accept-Encoding of theirs is kept.
            method: See `request`.
            body: See `request`.
            timeout: Seconds until the answer begins; None is no limit: a log's node answers with its first line.
            read_ahead: Bytes that are taken before they are asked for.
            acting: Impersonate-* of whoever is asked as; the cluster decides whether we may.

        Raises:
            LoginRequired: The credentials cannot be had.
            Unreachable: No connection, or no beginning of an answer in time.
            InvalidArgument: A path or query that cannot be sent, or `acting` where our own entry says whom we act as.
        """
        wanted = {"Accept-Encoding": "identity", **(headers or {})}
        try:
            async with asyncio.timeout(timeout):
                response = await self._send(method, path, query, wanted, body, read_ahead, acting)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise self._failed(error) from None
        try:
            yield response
        finally:
            # One that was not read to its end is cut: nobody waits for TLS to say goodbye in the middle of it.
            if response.connection is not None and response.connection.transport is not None:
                response.connection.transport.abort()
            response.close()

    async def websocket(
        self,
        path: str,
        query: str = "",
        *,
        protocols: Sequence[str] = (),
        headers: Mapping[str, str] | None = None,
        max_frame: int = MAX_FRAME,
    ) -> aiohttp.ClientWebSocketResponse:
        """A WebSocket (exec, attach, portforward), without pings of its own; the caller closes it.

        Args:
            path: See `request`.
            query: See `request`.
            protocols: The sub-protocols to offer; the API server chooses.
            headers: As of `request`; a watch may ask for Tables.
            max_frame: Bytes; a longer one ends it.

        Raises:
            Refused: The server's answer was no upgrade.
            LoginRequired: The credentials cannot be had.
            Unreachable: No connection, or no answer in time.
            InvalidArgument: A path or query that cannot be sent.
        """
        url, connector = self._url(path, query), self._lasting()

        async def ask(login: Login) -> aiohttp.ClientWebSocketResponse:
            return await upgrades.upgrade(connector, self._endpoint, login, url, protocols, max_frame, headers)

        return await self._upgrade(ask)

    async def upgraded(
        self, method: str, path: str, query: str = "", *, headers: Mapping[str, str]
    ) -> aiohttp.ClientResponse:
        """A connection that was upgraded to something else than a WebSocket (SPDY): its answer; the caller closes it.

        Args:
            method: Such as ``POST``.
            path: See `request`.
            query: See `request`.
            headers: Those of the upgrade; none that says who asks.

        Raises:
            Refused, LoginRequired, Unreachable, InvalidArgument: See `websocket`.
        """
        url, connector = self._url(path, query), self._lasting()

        async def ask(login: Login) -> aiohttp.ClientResponse:
            return await upgrades.raw(connector, self._endpoint, login, method, url, headers)

        return await self._upgrade(ask)

    async def _upgrade(self, ask: Callable[[Login], Awaitable[T]]) -> T:
        try:
            async with asyncio.timeout(HEADERS_SECONDS):
                login = await self._credentials.current()
                try:
                    found = await ask(login)
                except Refused as refused:
                    newer = await self._credentials.renewed(login) if refused.answer.status == UNAUTHORIZED else None
                    if newer is None:
                        raise
                    found = await ask(newer)
        except MuxError as error:
            raise self._named(error) from None
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise self._failed(error) from None
        self.heard()
        self.trouble = None
        return found

    async def probe(self, timeout: float = 30.0) -> dict[str, str]:
        """Whether it answers, and whether it takes our credentials: ``{"version": "v1.37.2"}``.

        Raises:
            LoginRequired: 401, or the credentials cannot be had.
            Forbidden: 403 even for what every authenticated user may.
            Unreachable: No connection, a broken one, or TLS.
            TimedOut: No answer within `timeout`.
            ServerError: Any other answer.
        """
        started = time.monotonic()
        found = await self.request("GET", "/version", timeout=timeout)
        if (error := found.error("ask for its version", self.name)) is not None:
            raise error
        # The version is for everyone, a bad token included where anonymous requests are allowed; this is not.
        left = max(1.0, timeout - (time.monotonic() - started))
        api = await self.request("GET", "/api", headers={"Accept": "application/json"}, timeout=left)
        if (error := api.error("ask what it serves", self.name)) is not None:
            raise error
        try:
            return {"version": connecting.version_of(found.body)}
        except ValueError:
            raise ServerError(
                f"{self.server} answers, but not as a Kubernetes API server",
                cluster=self.name,
                said=found.said or None,
                todo="see the server's address in the kubeconfig",
            ) from None

    async def is_alive(self) -> bool:
        """Whether the server answers anything at all just now; callers at the same time share one question."""
        if self._question is None or self._question.done():
            self._question = asyncio.create_task(self._ask(), name="is it alive")
        return await asyncio.shield(self._question)

    async def _ask(self) -> bool:
        try:
            await self.request("GET", "/version", timeout=ALIVE_SECONDS, patient=False)
        except MuxError:
            return False
        return True

    def refused(self, answer: Answer, what: str) -> MuxError:
        """Our error for an answer that is no success; `what` was tried."""
        error = answer.error(what, self.name)
        return error or ServerError(f"{what}: the server answered {answer.status}", cluster=self.name)

    def failed(self, error: BaseException) -> MuxError:
        """Our error for what went wrong with a connection; `trouble` is that from now on."""
        return self._failed(error)

    def forget_failure(self) -> None:
        """Let the next request ask for credentials again, though that has just failed."""
        self._credentials.forget_failure()

    def heard(self) -> None:
        """The server has just sent something."""
        self.last_contact = time.monotonic()

    async def aclose(self) -> None:
        """End all connections. No request after that."""
        self._closed = True
        if self._question is not None:
            self._question.cancel()
            await asyncio.gather(self._question, return_exceptions=True)
        session, self._session = self._session, None
        if session is not None:
            await session.close()
        lasting, self._upgrading = self._upgrading, None
        if lasting is not None:
            await lasting[0].close()
            await lasting[1].aclose()

    # --- inside ---------------------------------------------------------------------------------------------------

    async def _send(
        self,
        method: str,
        path: str,
        query: str,
        headers: Mapping[str, str] | None,
        body: bytes | str | None,
        read_ahead: int = READ_BUFFER,
        acting: CIMultiDict[str] | None = None,
    ) -> aiohttp.ClientResponse:
        url, given = self._url(path, query), checked(headers)
        session = self._opened()
        try:
            login = await self._credentials.current()
        except MuxError as error:
            raise self._named(error) from None
        response = await self._once(session, method, url, given, body, read_ahead, login, acting)
        if response.status == UNAUTHORIZED:
            try:
                newer = await self._credentials.renewed(login)
                if newer is not None:
                    response.close()
                    response = await self._once(session, method, url, given, body, read_ahead, newer, acting)
            except MuxError as error:
                response.close()
                raise self._named(error) from None
            except BaseException:
                response.close()
                raise
        return response

    async def _once(
        self,
        session: aiohttp.ClientSession,
        method: str,
        url: URL,
        headers: Mapping[str, str],
        body: bytes | str | None,
        read_ahead: int,
        login: Login,
        acting: CIMultiDict[str] | None,
    ) -> aiohttp.ClientResponse:
        both = CIMultiDict(headers)
        both.extend(login.headers)
        if acting:
            if any(name.lower().startswith(IMPERSONATION) for name in both):
                raise InvalidArgument("this context acts as somebody else already", todo="leave out --as")
            both.extend(acting)
        began = time.time()
        # Never a redirect: it would carry credentials and impersonation to whoever is named there.
        response = await session.request(
            method,
            url,
            headers=both,
            # As aiohttp wants a long one; another object for each attempt, for it is read to its end.
            data=io.BytesIO(body) if isinstance(body, bytes) and len(body) > LONG_BODY else body,
            ssl=login.context if login.context is not None else True,
            server_hostname=self._endpoint.tls_name or None,
            proxy=None if self._by_socks else self._endpoint.proxy or None,
            allow_redirects=False,
            read_bufsize=read_ahead,
        )
        self.heard()
        if not _PROXIED.search(url.raw_path):  # there a pod's program answers
            self.clock = clocks.heard(response.headers, began, time.time(), self.clock)
        self.trouble = None
        return response

    def _opened(self) -> aiohttp.ClientSession:
        if self._closed:
            raise self._named(LoginRequired("this cluster is not in use any more", todo="connect again"))
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=self._connector(),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"User-Agent": USER_AGENT},
                trust_env=False,
                read_bufsize=READ_BUFFER,
            )
        return self._session

    def _connector(self, **options: Any) -> aiohttp.TCPConnector:
        if self._by_socks:
            return SocksConnector(self._endpoint.proxy, limit=0, **options)
        return aiohttp.TCPConnector(limit=0, socket_factory=keepalive.made, **options)

    def _lasting(self) -> aiohttp.TCPConnector:
        """Makes a connection of its own for each WebSocket: one that was used before may be gone, unnoticed."""
        self._opened()
        if self._upgrading is None:
            connector = self._connector(force_close=True)
            self._upgrading = connector, relayed(connector)
        return self._upgrading[0]

    def _url(self, path: str, query: str) -> URL:
        plain = unquote(path)
        if not _PATH.fullmatch(path) or "?" in path or "#" in path or {".", ".."} & set(plain.split("/")):
            raise InvalidArgument(f"{path[:200]!r} is no path of an API", cluster=self.name)
        if not _QUERY.fullmatch(query) or "#" in query:
            raise InvalidArgument(f"{query[:200]!r} is no encoded query", cluster=self.name)
        return URL(f"{self.server}{path}{'?' if query else ''}{query}", encoded=True)

    def _failed(self, error: BaseException) -> MuxError:
        self.trouble = connecting.error_of(
            error, self.name, self.server, CONNECT_SECONDS, (self._endpoint.proxy, self._endpoint.proxy_from)
        )
        return self.trouble

    def _named(self, error: MuxError) -> MuxError:
        error.cluster = error.cluster or self.name
        self.trouble = error
        return error


class Clusters:
    """All clusters that a gateway knows, by ref. On the gateway's loop."""

    def __init__(self) -> None:
        self._clusters: dict[str, Cluster] = {}

    def add(self, context: ResolvedContext) -> Cluster:
        """The cluster of a context, a new one if its ref is new.

        Raises:
            MuxError: The context's own error, if it has one.
        """
        if context.ref not in self._clusters or context.error is not None:
            self._clusters[context.ref] = Cluster(context)
        return self._clusters[context.ref]

    def get(self, ref: str) -> Cluster | None:
        """The cluster of a ref that was added."""
        return self._clusters.get(ref)

    async def drop(self, ref: str) -> None:
        """End a cluster, with all its connections, if it is there."""
        if (cluster := self._clusters.pop(ref, None)) is not None:
            await cluster.aclose()

    def __iter__(self) -> Iterator[Cluster]:
        return iter(list(self._clusters.values()))

    async def aclose(self) -> None:
        """End all."""
        clusters, self._clusters = list(self._clusters.values()), {}
        for cluster in clusters:
            await cluster.aclose()
