"""TLS contexts from certificates in memory or in files."""

from __future__ import annotations

import contextlib
import os
import ssl
import tempfile
from collections.abc import Iterator
from pathlib import Path

from notebook_mux.errors import InvalidArgument, LoginRequired
from notebook_mux.gateway.entries import Server

STRICT = getattr(ssl, "VERIFY_X509_STRICT", 0)


def client_context(
    server: Server, cert: bytes | Path | None = None, key: bytes | Path | None = None
) -> ssl.SSLContext | None:
    """The context for a server, None for plain HTTP. Reads files: call it in a thread.

    Raises:
        InvalidArgument: The certificate authority cannot be used.
        LoginRequired: The client's certificate or key cannot be used.
    """
    if not server.url.startswith("https:"):
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # As Go does: a CA bundle may hold what is no root, and clusters' own CAs seldom have every extension of RFC 5280.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.verify_flags &= ~STRICT
    # Upgrades (exec, port-forward) do not work over HTTP/2, and one connection would carry too few watches.
    context.set_alpn_protocols(["http/1.1"])
    if server.insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    else:
        _trust(context, server)
    if cert is not None and key is not None:
        _present(context, cert, key)
    return context


def _trust(context: ssl.SSLContext, server: Server) -> None:
    try:
        if server.ca is not None:
            context.load_verify_locations(cadata=server.ca.decode("ascii"))
        elif server.ca_file is not None:
            context.load_verify_locations(cafile=server.ca_file)
        elif server.cert_file is not None or server.cert_dir is not None:
            context.load_verify_locations(cafile=server.cert_file, capath=server.cert_dir)
        else:
            context.load_default_certs()
    except OSError as error:  # ssl.SSLError is one
        where = server.ca_file or server.cert_file or server.cert_dir or "certificate-authority-data"
        raise InvalidArgument(
            f"the certificate authority in {where} cannot be used",
            said=error.strerror or str(error),
            todo="correct the kubeconfig, or get the file again",
        ) from None
    except UnicodeDecodeError:
        raise InvalidArgument("certificate-authority-data has no certificate in PEM") from None


def _present(context: ssl.SSLContext, cert: bytes | Path, key: bytes | Path) -> None:
    try:
        with _file(cert) as cert_path, _file(key) as key_path:
            # Without `password` OpenSSL would ask for one on the terminal.
            context.load_cert_chain(cert_path, key_path, password=_no_password)
    except OSError as error:
        named = " and ".join(str(one) for one in (cert, key) if isinstance(one, Path))
        raise LoginRequired(
            f"the client certificate{f' in {named}' if named else ''} cannot be used",
            said=error.strerror or str(error),
            todo="get new credentials for this cluster",
        ) from None


def _no_password() -> str:
    raise PermissionError("the client key is encrypted")


@contextlib.contextmanager
def _file(content: bytes | Path) -> Iterator[str]:
    """A path to the content: `load_cert_chain` takes nothing else. Ours is 0600 and gone at once."""
    if isinstance(content, Path):
        yield str(content)
        return
    handle, path = tempfile.mkstemp(prefix="nm-")  # 0600
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        yield path
    finally:
        Path(path).unlink()
