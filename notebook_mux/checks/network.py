"""The way to one server, step by step: its name, a connection, TLS. Nothing is sent but a TLS handshake."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import os
import socket
import ssl
import time
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

from notebook_mux.checks.certificates import SOON_SECONDS, end_of_certificate, span
from notebook_mux.checks.findings import Findings
from notebook_mux.errors import MuxError
from notebook_mux.gateway import tls
from notebook_mux.gateway.entries import Server
from notebook_mux.kube.troubles import vpn

STEP_SECONDS = 5.0
"""For each of name, connection and handshake: three times what they take to the other side of the world."""

PORTS = {"http": 80, "https": 443, "socks5": 1080, "socks5h": 1080}

VPN = vpn("where this runs, which is not always where the browser is")

EXPIRED, SELF_SIGNED = (10,), (18, 19, 20, 21)
"""OpenSSL's numbers (``X509_V_ERR_*``): has expired; self-signed, or signed by nobody who is trusted here."""

NOT_YET, OTHER_NAMES = (9,), (62, 64)


async def reach(found: Findings, server: Server) -> bool:
    """Check the way to a server; whether it is worth asking something over it."""
    through = "the proxy" if server.proxy else "the server"
    host, port = address_of(server.proxy or server.url)
    if server.proxy:
        found.add("info", "proxy", f"the way goes through a proxy at {host}:{port} (proxy-url, or HTTPS_PROXY)")
    if not await _name(found, host, through) or not await _connection(found, host, port, through):
        return False
    if server.proxy:
        return True  # TLS is inside of the proxy's tunnel; the first request shows it
    if not server.url.startswith("https:"):
        found.add("warning", "TLS", "plain HTTP: nothing is encrypted, and no credentials are sent", "use https://")
        return True
    return await _tls(found, server, host, port)


def address_of(url: str) -> tuple[str, int]:
    """Host and port of a URL."""
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or PORTS.get(parts.scheme, 443)


async def _name(found: Findings, host: str, whose: str) -> bool:
    with contextlib.suppress(ValueError):
        ipaddress.ip_address(host)
        return True
    try:
        async with asyncio.timeout(STEP_SECONDS):
            answers = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except TimeoutError:
        found.add("wrong", "name", f"no answer about the name {host} within {STEP_SECONDS:g} s", f"see DNS here; {VPN}")
        return False
    except OSError as error:
        words = error.strerror or "not known"
        found.add(
            "wrong", "name", f"the name of {whose}, {host}, is not known here: {words}", f"see its spelling; {VPN}"
        )
        return False
    number = len({answer[4][0] for answer in answers})
    found.add("ok", "name", f"{host} has {number} address{'' if number == 1 else 'es'}")
    return True


async def _connection(found: Findings, host: str, port: int, whose: str) -> bool:
    began = time.monotonic()
    try:
        async with _connected(host, port):
            found.add("ok", "connection", f"port {port} of {whose} answers after {_ms(began)}")
            return True
    except TimeoutError:
        what = f"no connection to {host}:{port} within {STEP_SECONDS:g} s: nobody answers"
        found.add("wrong", "connection", what, f"see whether {whose} runs, and what firewalls let through; {VPN}")
    except OSError as error:
        # Several addresses give an error without a number, with all their words in it.
        words = (
            os.strerror(error.errno) if error.errno else "Connection refused" if "refused" in str(error) else str(error)
        )
        what = f"no connection to {host}:{port} after {_ms(began)}: {words}"
        found.add("wrong", "connection", what, f"see whether {whose} runs and listens on port {port}; {VPN}")
    return False


async def _tls(found: Findings, server: Server, host: str, port: int) -> bool:
    try:
        context = await asyncio.to_thread(tls.client_context, server)
    except MuxError as error:
        found.error("TLS", error)
        return False
    assert context is not None
    name = server.tls_name or host
    try:
        certificate = await _handshake(host, port, context, name)
    except ssl.SSLCertVerificationError as error:
        await _not_trusted(found, error, host, port, name)
        return False
    except TimeoutError:
        what = f"the port is open, but no TLS came within {STEP_SECONDS:g} s"
        found.add("wrong", "TLS", what, f"something else may listen there, or take the connection on the way; {VPN}")
        return False
    except (OSError, asyncio.IncompleteReadError) as error:
        words = (getattr(error, "reason", None) or getattr(error, "strerror", None) or type(error).__name__).lower()
        what = f"no TLS with port {port}: {words.replace('_', ' ')}"
        found.add("wrong", "TLS", what, "see the server's address in the kubeconfig; does it begin with https://?")
        return False
    if server.insecure:
        what = "the certificate is not checked (insecure-skip-tls-verify): anyone on the way could be the server"
        found.add("warning", "TLS", what, "give certificate-authority in the kubeconfig instead")
        return True
    _until(found, certificate, time.time())
    return True


def _until(found: Findings, certificate: bytes, now: float) -> None:
    end = end_of_certificate(certificate)
    if end is None:
        found.add("ok", "TLS", "the certificate is trusted")
    elif end - now < SOON_SECONDS:
        what = f"the certificate is trusted, and ends in {span(end - now)}"
        found.add("warning", "TLS", what, "tell who runs the cluster: it has to be renewed")
    else:
        found.add("ok", "TLS", f"the certificate is trusted, and good for {span(end - now)}")


async def _not_trusted(found: Findings, error: ssl.SSLCertVerificationError, host: str, port: int, name: str) -> None:
    """Say why: the reason is in the certificate itself, which a handshake without trust shows."""
    blind = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    blind.check_hostname, blind.verify_mode = False, ssl.CERT_NONE
    end = None
    with contextlib.suppress(OSError, TimeoutError):  # then there is only the plain word
        end = end_of_certificate(await _handshake(host, port, blind, name))
    code, words = error.verify_code, error.verify_message or "not trusted"
    if code in EXPIRED:
        ago = f", {span(time.time() - end)} ago" if end is not None and end < time.time() else ""
        todo = "who runs the cluster must renew it (minikube, kind: start the cluster anew); see this machine's clock"
        found.add("wrong", "TLS", f"the certificate has expired{ago}", todo)
    elif code in NOT_YET:
        found.add("wrong", "TLS", "the certificate is not valid yet", "see this machine's clock")
    elif code in OTHER_NAMES:
        todo = "see the server's address in the kubeconfig, or set tls-server-name to the name in the certificate"
        found.add("wrong", "TLS", "the certificate is for another name than this server's", todo)
    elif code in SELF_SIGNED:
        todo = "the cluster may have been made anew: get its kubeconfig again; or see certificate-authority in it"
        found.add("wrong", "TLS", f"the certificate is signed by nobody trusted here: {words}", todo)
    else:
        found.add("wrong", "TLS", f"the certificate is not trusted: {words}", "see certificate-authority")


async def _handshake(host: str, port: int, context: ssl.SSLContext, name: str) -> bytes:
    """The server's certificate in DER, after a handshake."""
    async with _connected(host, port, ssl=context, server_hostname=name) as writer:
        return writer.get_extra_info("ssl_object").getpeercert(binary_form=True) or b""


@contextlib.asynccontextmanager
async def _connected(host: str, port: int, **options: object) -> AsyncIterator[asyncio.StreamWriter]:
    """A connection that is closed again without a word."""
    async with asyncio.timeout(STEP_SECONDS):
        _, writer = await asyncio.open_connection(host, port, **options)  # type: ignore[arg-type]
    try:
        yield writer
    finally:
        writer.transport.abort()


def _ms(began: float) -> str:
    return f"{(time.monotonic() - began) * 1000:.0f} ms"
