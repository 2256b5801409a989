"""What went wrong on the way to a server, in words."""

from __future__ import annotations

import os
import platform
import ssl

import aiohttp
import msgspec

from notebook_mux.errors import InvalidArgument, LoginRequired, MuxError, TimedOut, Unreachable
from notebook_mux.gateway.proxies import address
from notebook_mux.gateway.socks import ProxyRefused
from notebook_mux.kube.troubles import vpn
from notebook_mux.life.redact import redact


class _Version(msgspec.Struct, rename="camel"):
    git_version: str


_version = msgspec.json.Decoder(_Version)


def version_of(body: bytes) -> str:
    """``gitVersion`` of an answer to ``/version``.

    Raises:
        ValueError: It is something else.
    """
    try:
        return _version.decode(body).git_version
    except (msgspec.MsgspecError, UnicodeError) as error:
        raise ValueError("no version") from error


def error_of(
    error: BaseException, cluster: str, server: str, connect_seconds: float, proxy: tuple[str, str] = ("", "")
) -> MuxError:
    """The error of our tree for what aiohttp, ssl or the system raised.

    Args:
        error: What was raised.
        cluster: The cluster's name.
        server: Its URL.
        connect_seconds: The time limit that a `aiohttp.ConnectionTimeoutError` stands for.
        proxy: The URL of the proxy on the way and where it is set, both "" without one.
    """
    if isinstance(error, MuxError):
        return error
    if isinstance(error, aiohttp.InvalidURL):
        return InvalidArgument(f"{server} is not a usable URL", cluster=cluster)
    if isinstance(error, aiohttp.ClientHttpProxyError | ProxyRefused):
        answer = f"{error.status} {error.message}" if isinstance(error, aiohttp.ClientHttpProxyError) else str(error)
        return Unreachable(
            f"the proxy {address(proxy[0])} on the way to {server} refused",
            cluster=cluster,
            said=answer,
            todo=f"see {_named(proxy[1])}",
        )
    certificate = _cause(error, ssl.SSLCertVerificationError)
    if isinstance(certificate, ssl.SSLCertVerificationError):
        return Unreachable(
            f"the certificate of {server} is not trusted",
            cluster=cluster,
            said=certificate.verify_message or str(certificate),
            todo="see certificate-authority and tls-server-name in the kubeconfig",
        )
    tls = _cause(error, ssl.SSLError)
    if isinstance(tls, ssl.SSLError):
        return _tls(tls, cluster, server)
    if isinstance(error, aiohttp.ClientProxyConnectionError):
        return Unreachable(
            f"no connection to the proxy {address(proxy[0])} on the way to {server}",
            cluster=cluster,
            said=_words(error) or None,
            todo=f"see {_named(proxy[1])}",
        )
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        what = f"no connection to {server} within {connect_seconds:g} s"
        return Unreachable(what, cluster=cluster, todo=_reach())
    if isinstance(error, aiohttp.ClientConnectorError):
        return Unreachable(
            f"no connection to {server}",
            cluster=cluster,
            said=_words(error),
            todo=f"see whether the cluster runs; {_reach()}",
        )
    if isinstance(error, (aiohttp.ServerTimeoutError, TimeoutError)):
        return TimedOut(f"no answer from {server} in time", cluster=cluster)
    if isinstance(error, aiohttp.ClientResponseError):
        return Unreachable(f"{server} does not speak HTTP", cluster=cluster, said=error.message or None)
    said = _words(error) or None
    return Unreachable(f"the connection to {server} broke", cluster=cluster, said=said, todo="it is tried again")


def _named(proxy_from: str) -> str:
    return "proxy-url in the kubeconfig" if proxy_from == "proxy-url" else f"the variable {proxy_from}"


def _reach() -> str:
    return vpn(f"on {platform.node()}, where this runs")


def _tls(error: ssl.SSLError, cluster: str, server: str) -> MuxError:
    reason = (error.reason or str(error)).replace("_", " ").lower()
    # With TLS 1.3 a client learns that its certificate was refused when it reads the first answer.
    if "alert" in reason and ("certificate" in reason or "unknown ca" in reason):
        return LoginRequired(
            f"{server} refused our client certificate", cluster=cluster, said=reason, todo="get new credentials"
        )
    return Unreachable(
        f"no TLS with {server}", cluster=cluster, said=reason, todo="see the server's address in the kubeconfig"
    )


def _cause(error: BaseException, kind: type[BaseException]) -> BaseException | None:
    """The first error of a kind among those that led to `error`."""
    waiting = [error]
    for _ in range(16):  # aiohttp wraps at most three deep, two errors each
        if not waiting:
            break
        one = waiting.pop(0)
        inner = [getattr(one, name, None) for name in ("os_error", "certificate_error")]
        # aiohttp's own certificate error is by its class one of ssl's, but has none of its fields.
        if isinstance(one, kind) and not any(inner):
            return one
        # TLS within TLS: Python 3.11's asyncio stumbles with a TypeError over the error that it should report.
        led = one.__context__ if isinstance(one, TypeError) else None
        waiting += [cause for cause in (*inner, one.__cause__, led) if isinstance(cause, BaseException)]
    return None


def _words(error: BaseException) -> str:
    """The system's words, without Python's decoration around them."""
    inner = getattr(error, "os_error", None) or error
    if isinstance(inner, aiohttp.ServerDisconnectedError):
        return "the server closed it"
    if isinstance(inner, aiohttp.ClientPayloadError):
        return "the answer ended in its middle"
    number = getattr(inner, "errno", None)
    if isinstance(number, int) and number > 0:
        return os.strerror(number)
    # aiohttp names the proxy's URL in some, which may have a password in it.
    return redact((getattr(inner, "strerror", None) or str(inner)).strip())
