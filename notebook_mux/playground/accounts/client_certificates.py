"""Users by the certificate that they show at the API's TLS (docs: "Authenticating", "X509 client certificates")."""

from __future__ import annotations

import asyncio
import hashlib
import ssl
from functools import lru_cache

from notebook_mux.playground.access import AUTHENTICATED, User

CREDENTIAL = "authentication.kubernetes.io/credential-id"


def user_of(transport: asyncio.BaseTransport | None) -> User | None:
    """Whose certificate a connection has shown; None without one. TLS has checked who signed it, and its dates."""
    if transport is None or not transport.get_extra_info("peercert"):
        return None
    shown: ssl.SSLObject = transport.get_extra_info("ssl_object")
    found = shown.getpeercert(True)
    return _user(found) if found else None


@lru_cache(maxsize=256)
def _user(encoded: bytes) -> User | None:
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    subject = x509.load_der_x509_certificate(encoded).subject
    names = [str(one.value) for one in subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    if not names or not names[0]:
        return None
    groups = (str(one.value) for one in subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME))
    extra = {CREDENTIAL: (f"X509SHA256={hashlib.sha256(encoded).hexdigest()}",)}
    return User(names[0], (*groups, AUTHENTICATED), extra)
