"""Who we are to a cluster: headers and a TLS context, kept fresh.

Never falls through to an anonymous request: what cannot be had is an error.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from multidict import CIMultiDict

from notebook_mux.errors import LoginRequired, MuxError
from notebook_mux.gateway import exec_plugin, oidc, tls
from notebook_mux.gateway.entries import Server, User

TOKEN_FILE_SECONDS = 60.0
"""A token file is read again after this; client-go's transport does so after a minute too."""

FAILURE_SECONDS = 5.0
"""A plugin's failure answers everyone for this long, so that fifty watches do not run it fifty times."""

SHORTEST_SECONDS = 5.0
"""What a plugin gave is used for at least this long, though it says that it has expired (a clock may be wrong); a 401
renews it all the same."""


@dataclass(frozen=True, repr=False)
class Login:
    """What to send with a request. Its repr shows nothing.

    Attributes:
        headers: Authorization and Impersonate-*.
        context: For TLS, None for plain HTTP.
        number: Which of the logins this is.
    """

    headers: CIMultiDict[str]
    context: ssl.SSLContext | None
    number: int


class Credentials:
    """One identity's credentials at one server. On the gateway's loop.

    Args:
        server: The cluster entry.
        user: The user entry.
        clock: Unix seconds.
        monotonic: Seconds.
    """

    def __init__(
        self,
        server: Server,
        user: User,
        *,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._server = server
        self._user = user
        self._clock = clock
        self._monotonic = monotonic
        self._lock = asyncio.Lock()
        self._login: Login | None = None
        self._number = 0
        self._stale_at: float | None = None
        self._expires: float | None = None
        self._made_at = 0.0
        self._failure: tuple[float, MuxError] | None = None
        # client-go sends no credentials over plain HTTP, only the impersonation (clientcmd/client_config.go).
        self._secure = server.url.startswith("https:")
        asks = self._secure and not (user.token or user.token_file)
        self._plugin = user.plugin if asks else None
        self._provider = oidc.Provider(user.oidc, clock) if asks and user.oidc is not None else None
        self._id_token = ""

    async def current(self) -> Login:
        """The login to use now.

        Raises:
            LoginRequired: It cannot be had; see `exec_plugin.run`.
            InvalidArgument: The certificate authority cannot be used.
        """
        login = self._login
        if login is not None and not self._is_over():
            return login
        async with self._lock:
            if self._login is None or self._is_over():
                self._login = await self._make()
            return self._login

    async def renewed(self, used: Login) -> Login | None:
        """The login after a 401 to `used`; None where there is nothing that could be newer.

        However many ask for the same `used`, it is renewed once.

        Raises:
            LoginRequired: It cannot be had.
        """
        user = self._user
        refreshes = self._provider is not None and self._provider.can_refresh
        if not (self._plugin or refreshes or (self._secure and user.token_file) or user.cert_file):
            return None
        async with self._lock:
            if self._login is None or self._login.number == used.number:
                self._login = await self._make(refused=self._id_token)
            return self._login

    def forget_failure(self) -> None:
        """Let the next request run the plugin again, though it has just failed."""
        self._failure = None

    def _is_over(self) -> bool:
        stale = self._stale_at is not None and self._monotonic() >= self._stale_at
        expired = self._expires is not None and self._clock() >= self._expires
        return stale or (expired and self._monotonic() >= self._made_at + SHORTEST_SECONDS)

    async def _make(self, refused: str = "") -> Login:
        if self._failure is not None:
            until, error = self._failure
            if self._monotonic() < until:
                raise _again(error)
        try:
            login = await self._made(refused)
        except MuxError as error:
            self._failure = (self._monotonic() + FAILURE_SECONDS, error)
            raise
        self._failure = None
        return login

    async def _made(self, refused: str) -> Login:
        user, headers = self._user, _impersonation(self._user)
        cert: bytes | Path | None = user.cert or user.cert_file
        key: bytes | Path | None = user.key or user.key_file
        expires: float | None = None
        stale_at: float | None = None
        token = ""
        if not self._secure:
            cert = key = None
        elif user.token_file is not None:
            token = await asyncio.to_thread(_read_token, user.token_file, user.token)
            stale_at = self._monotonic() + TOKEN_FILE_SECONDS
        elif user.token:
            token = user.token
        elif self._plugin is not None:
            issued = await exec_plugin.run(self._plugin, self._server)
            token, expires = issued.token, issued.expires
            if issued.cert is not None:
                cert, key = issued.cert, issued.key
        elif self._provider is not None:
            token, expires = await self._provider.id_token(refused)
            self._id_token = token
        if token:
            if not token.isascii() or not token.isprintable() or " " in token:
                raise LoginRequired("the token has characters that no HTTP header can carry", todo="get a new one")
            headers["Authorization"] = f"Bearer {token}"
        context = await self._context(cert, key)
        self._expires, self._stale_at, self._made_at = expires, stale_at, self._monotonic()
        self._number += 1
        return Login(headers, context, self._number)

    _made_for: tuple[object, ...] = ()

    async def _context(self, cert: bytes | Path | None, key: bytes | Path | None) -> ssl.SSLContext | None:
        """The last context if nothing changed that it was made of: connections are shared by context."""
        files = [path for path in (self._server.ca_file, cert, key) if isinstance(path, Path)]
        made_for = (cert, key, *await asyncio.to_thread(_stamps, files))
        if self._login is None or made_for != self._made_for:
            context = await asyncio.to_thread(tls.client_context, self._server, cert, key)
            self._made_for = made_for
            return context
        return self._login.context


def _impersonation(user: User) -> CIMultiDict[str]:
    headers: CIMultiDict[str] = CIMultiDict()
    if user.impersonate:
        headers.add("Impersonate-User", user.impersonate)
    if user.impersonate_uid:
        headers.add("Impersonate-Uid", user.impersonate_uid)
    for group in user.impersonate_groups:
        headers.add("Impersonate-Group", group)
    for name, values in user.impersonate_extra.items():
        for value in values:
            headers.add(f"Impersonate-Extra-{quote(name.lower(), safe='')}", value)
    return headers


def _read_token(path: Path, otherwise: str) -> str:
    try:
        token = path.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        token, said = "", getattr(error, "strerror", None) or "it is not text"
    else:
        said = "it is empty"
    if token or otherwise:
        return token or otherwise
    raise LoginRequired(f"the token file {path} cannot be used", said=said, todo="get new credentials")


def _stamps(files: list[Path]) -> list[tuple[int, int] | None]:
    stamps: list[tuple[int, int] | None] = []
    for path in files:
        try:
            found = path.stat()
        except OSError:
            stamps.append(None)
        else:
            stamps.append((found.st_mtime_ns, found.st_ino))
    return stamps


def _again(error: MuxError) -> MuxError:
    """The same error as an object of its own: one that was raised keeps its first traceback."""
    return type(error)(error.what, cluster=error.cluster, said=error.said, todo=error.todo)
