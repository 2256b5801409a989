"""Servers that go wrong in one way each."""

from __future__ import annotations

import atexit
import contextlib
import datetime
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HOST = "127.0.0.1"
SECONDS = 60.0

_TAKEN = contextlib.ExitStack()
"""Sockets that only keep their ports."""
atexit.register(_TAKEN.close)


def certificate(*, begins: float = -2.0, ends: float = 30.0, name: str = "localhost") -> tuple[bytes, bytes]:
    """A self-signed certificate and its key in PEM; days from now."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + datetime.timedelta(days=begins))
        .not_valid_after(now + datetime.timedelta(days=ends))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return signed.public_bytes(serialization.Encoding.PEM), private


@contextlib.contextmanager
def tls_server(folder: Path, cert: bytes, key: bytes) -> Iterator[int]:
    """Shakes hands and says nothing more; gives its port."""
    (folder / "server.pem").write_bytes(cert + key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")
    with listening() as listener:

        def serve() -> None:
            while True:
                try:
                    raw, _ = listener.accept()
                except OSError:
                    return  # closed: the test is over
                raw.settimeout(SECONDS)
                with raw, contextlib.suppress(OSError), context.wrap_socket(raw, server_side=True):
                    pass  # the client's loop may stand still just now: not a word is waited for

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


@contextlib.contextmanager
def listening(backlog: int = 5) -> Iterator[socket.socket]:
    """A listening socket that never accepts by itself."""
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        listener.listen(backlog)
        yield listener


@contextlib.contextmanager
def black_hole() -> Iterator[int]:
    """A port whose queue is full: the system drops who knocks, as a firewall would."""
    with listening(0) as listener, contextlib.ExitStack() as stack:
        for _ in range(3):
            knocking = stack.enter_context(socket.socket())
            knocking.setblocking(False)
            knocking.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


def refused_port() -> int:
    """A port on which nobody listens, nor can: it stays taken as long as the tests run."""
    taken = _TAKEN.enter_context(socket.socket())
    taken.bind((HOST, 0))
    port: int = taken.getsockname()[1]
    return port
