"""The legacy ``auth-provider: oidc`` of a kubeconfig: an id-token, and a new one by its refresh-token.

As kubectl does it (client-go, ``plugin/pkg/client/auth/oidc``), with two differences: certificates and https are never
left out, and the kubeconfig is read again before a refresh, for kubectl may have refreshed meanwhile.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus, urlsplit

import aiohttp
import msgspec

from notebook_mux.errors import LoginRequired
from notebook_mux.gateway import connecting, oidc_file, proxies, socks, tls
from notebook_mux.gateway.entries import Oidc, Server
from notebook_mux.life.redact import redact
from notebook_mux.wire import UNREADABLE

EARLY_SECONDS = 10.0
"""An id-token counts as expired so much before its time; client-go's number (oidc.go, ``expiryDelta``)."""

PROVIDER_SECONDS = 15.0
"""For one answer of the provider, its name and TLS included."""

ANSWER_BYTES = 1024 * 1024
"""client-go reads as much of one."""

WELL_KNOWN = "/.well-known/openid-configuration"
"""OpenID Connect Discovery 1.0, 4."""

OK = 200


class _Configuration(msgspec.Struct):
    token_endpoint: str
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)


class _Answer(msgspec.Struct):
    id_token: str = ""
    refresh_token: str = ""
    error: str = ""
    error_description: str = ""


class Claims(msgspec.Struct):
    """When it expires (Unix seconds), and whom it is of."""

    exp: float = 0.0
    sub: str = ""


@dataclass(frozen=True, repr=False)
class Tokens:
    """What is held now. All secrets."""

    id_token: str
    refresh_token: str


class Provider:
    """One user's login at an OpenID provider. On the gateway's loop; one call at a time.

    Args:
        oidc: The entry.
        clock: Unix seconds.
    """

    def __init__(self, oidc: Oidc, clock: Callable[[], float] = time.time) -> None:
        self._oidc = oidc
        self._clock = clock
        self._held = Tokens(oidc.id_token, oidc.refresh_token)

    @property
    def can_refresh(self) -> bool:
        """Whether there is a refresh-token."""
        return bool(self._held.refresh_token)

    async def id_token(self, refused: str = "") -> tuple[str, float]:
        """A token that is valid for some seconds, and until when (Unix seconds).

        Args:
            refused: A token that the server did not take, though it looks valid.

        Raises:
            LoginRequired: There is none, and none can be had.
            Unreachable: The provider does not answer.
        """
        if (found := self._valid(self._held, refused)) is not None:
            return found
        there = await asyncio.to_thread(oidc_file.read, self._oidc.file, self._oidc.user)
        if there is not None and self._is_newer(*there):
            self._held = Tokens(*there)
            if (found := self._valid(self._held, refused)) is not None:
                return found
        if not self._held.refresh_token:
            raise self._over("it has expired and there is no refresh-token")
        self._held = await self._refreshed(self._held)
        if (found := self._valid(self._held, "")) is None:
            raise self._over("the provider gave an id-token that is none, or expired")
        return found

    def _is_newer(self, id_token: str, refresh_token: str) -> bool:
        """Whether this stands in the kubeconfig since it was read, and is of the same person."""
        if (id_token, refresh_token) == (self._oidc.id_token, self._oidc.refresh_token):
            return False
        return not self._held.id_token or claims(id_token).sub == claims(self._held.id_token).sub

    def _valid(self, tokens: Tokens, refused: str) -> tuple[str, float] | None:
        if not tokens.id_token or tokens.id_token == refused:
            return None
        until = claims(tokens.id_token).exp - EARLY_SECONDS
        return (tokens.id_token, until) if self._clock() < until else None

    async def _refreshed(self, held: Tokens) -> Tokens:
        issuer = self._oidc.issuer
        try:
            async with asyncio.timeout(2 * PROVIDER_SECONDS), self._session(issuer) as ask:
                configuration = await self._configuration(ask)
            async with asyncio.timeout(2 * PROVIDER_SECONDS), self._session(configuration.token_endpoint) as ask:
                answer = await self._asked_for_tokens(ask, configuration, held.refresh_token)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            proxy = proxies.from_environment(issuer, self._oidc.env)
            found = connecting.error_of(error, "", issuer, PROVIDER_SECONDS, proxy)
            raise type(found)(
                f"the login of user {self._oidc.user!r} cannot be renewed: {found.what}",
                said=found.said,
                todo="see whether the network (a VPN?) reaches it, and idp-certificate-authority in the kubeconfig",
            ) from None
        fresh = Tokens(answer.id_token, answer.refresh_token or held.refresh_token)
        if fresh.refresh_token != held.refresh_token:
            # The old one may be good for nothing now, so kubectl must find the new one where it left the old.
            at = self._oidc
            await asyncio.to_thread(
                oidc_file.write, at.file, at.user, held.refresh_token, fresh.id_token, fresh.refresh_token
            )
        return fresh

    @contextlib.asynccontextmanager
    async def _session(self, url: str) -> AsyncIterator[Callable[..., Any]]:
        """A way to ask the provider, through the proxy of the environment, trusting what the entry says."""
        if urlsplit(url).scheme != "https":
            raise self._over(f"{url[:200]} is no https, and what is sent there is secret")
        oidc, env = self._oidc, self._oidc.env
        server = Server(url, oidc.ca, oidc.ca_file, cert_file=oidc.cert_file, cert_dir=oidc.cert_dir)
        context = await asyncio.to_thread(tls.client_context, server) or True
        proxy, _ = proxies.from_environment(url, env)
        by_socks = urlsplit(proxy).scheme in socks.SCHEMES
        connector = socks.SocksConnector(proxy) if by_socks else aiohttp.TCPConnector()
        timeout = aiohttp.ClientTimeout(total=PROVIDER_SECONDS)
        async with aiohttp.ClientSession(connector=connector, timeout=timeout, trust_env=False) as session:

            async def ask(method: str, at: str, **more: Any) -> tuple[int, bytes]:
                # Never a redirect: what is sent is secret, and what comes back says where the next secret goes.
                async with session.request(
                    method, at, ssl=context, proxy=None if by_socks else proxy or None, allow_redirects=False, **more
                ) as response:
                    content = await response.content.read(ANSWER_BYTES)
                    while not response.content.at_eof() and len(content) < ANSWER_BYTES:
                        content += await response.content.read(ANSWER_BYTES - len(content))
                    return response.status, content

            yield ask

    async def _configuration(self, ask: Callable[..., Any]) -> _Configuration:
        status, content = await ask("GET", self._oidc.issuer.rstrip("/") + WELL_KNOWN)
        try:
            if status != OK:
                raise ValueError(f"HTTP {status}")
            found = msgspec.json.decode(content, type=_Configuration)
            (urlsplit(found.token_endpoint).hostname or "").encode("idna")  # or the resolver stumbles over it
            return found
        except (ValueError, *UNREADABLE) as error:
            said = str(error) if status != OK else "its answer is no OpenID configuration"
            raise self._over(f"{self._oidc.issuer} does not say where tokens are to be had", said) from None

    async def _asked_for_tokens(
        self, ask: Callable[..., Any], configuration: _Configuration, refresh_token: str
    ) -> _Answer:
        oidc = self._oidc
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        basic = f"{quote_plus(oidc.client_id)}:{quote_plus(oidc.client_secret)}"  # RFC 6749, 2.3.1
        named = {"Authorization": f"Basic {base64.b64encode(basic.encode()).decode()}"}
        in_form = form | {"client_id": oidc.client_id}
        in_form |= {"client_secret": oidc.client_secret} if oidc.client_secret else {}
        ways: list[tuple[dict[str, str], dict[str, str]]] = [(named, form), ({}, in_form)]
        if not oidc.client_secret or "client_secret_basic" not in configuration.token_endpoint_auth_methods_supported:
            ways = ways[1:]
        for headers, data in ways:
            status, content = await ask("POST", configuration.token_endpoint, headers=headers, data=data)
            answer = _decoded(content)
            if status == OK or answer.error != "invalid_client":
                break
        if status == OK and answer.id_token:
            return answer
        what = f"{oidc.issuer} gave no new id-token" if status == OK else f"{oidc.issuer} refused the refresh-token"
        words = " ".join(word for word in (answer.error, answer.error_description) if word)
        raise self._over(what, redact(words.replace(refresh_token, "…")[:400]) or f"HTTP {status}")

    def _over(self, what: str, said: str | None = None) -> LoginRequired:
        return LoginRequired(
            f"the login of user {self._oidc.user!r} cannot be renewed: {what}",
            said=said,
            todo="log in again with what made this kubeconfig; for the future an exec plugin such as kubelogin",
        )


def _decoded(content: bytes) -> _Answer:
    try:
        return msgspec.json.decode(content, type=_Answer)
    except UNREADABLE:
        return _Answer()


def claims(token: str) -> Claims:
    """What a JSON web token says (RFC 7519, 3); of one that is none, nothing. It is not verified: the server does."""
    try:
        payload = token.split(".")[1]
        return msgspec.json.decode(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)), type=Claims)
    except (IndexError, ValueError, *UNREADABLE):
        return Claims()
