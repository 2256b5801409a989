"""What went wrong on the way to a server, in words."""

from __future__ import annotations

import os
import ssl

import aiohttp
import msgspec

from notebook_mux.errors import InvalidArgument, LoginRequired, MuxError, TimedOut, Unreachable


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


def error_of(error: BaseException, cluster: str, server: str, connect_seconds: float) -> MuxError:
    """The error of our tree for what aiohttp, ssl or the system raised.

    Args:
        error: What was raised.
        cluster: The cluster's name.
        server: Its URL.
        connect_seconds: The time limit that a `aiohttp.ConnectionTimeoutError` stands for.
    """
    if isinstance(error, MuxError):
        return error
    if isinstance(error, aiohttp.InvalidURL):
        return InvalidArgument(f"{server} is not a usable URL", cluster=cluster)
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return Unreachable(
            f"the proxy on the way to {server} refused",
            cluster=cluster,
            said=f"{error.status} {error.message}",
            todo="see proxy-url in the kubeconfig, or HTTPS_PROXY",
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
            f"no connection to the proxy on the way to {server}",
            cluster=cluster,
            said=_words(error),
            todo="see proxy-url in the kubeconfig, or HTTPS_PROXY",
        )
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        what = f"no connection to {server} within {connect_seconds:g} s"
        return Unreachable(what, cluster=cluster, todo="see whether the network (a VPN?) reaches it")
    if isinstance(error, aiohttp.ClientConnectorError):
        return Unreachable(
            f"no connection to {server}",
            cluster=cluster,
            said=_words(error),
            todo="see whether the cluster runs and the network (a VPN?) reaches it",
        )
    if isinstance(error, (aiohttp.ServerTimeoutError, TimeoutError)):
        return TimedOut(f"no answer from {server} in time", cluster=cluster)
    if isinstance(error, aiohttp.ClientResponseError):
        return Unreachable(f"{server} does not speak HTTP", cluster=cluster, said=error.message or None)
    said = _words(error) or None
    return Unreachable(f"the connection to {server} broke", cluster=cluster, said=said, todo="it is tried again")


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


def _cause(error: BaseException | None, kind: type[BaseException]) -> BaseException | None:
    for _ in range(8):  # aiohttp wraps at most three deep
        inner = getattr(error, "os_error", None) or getattr(error, "certificate_error", None)
        # aiohttp's own certificate error is by its class one of ssl's, but has none of its fields.
        if error is None or (inner is None and isinstance(error, kind)):
            return error
        error = inner or error.__cause__
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
    return (getattr(inner, "strerror", None) or str(inner)).strip()
