"""Certificates for requests, signed by a cluster's own authority for clients."""

from __future__ import annotations

import base64
import datetime
from collections.abc import Iterable
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from notebook_mux.playground import certificates

MOST_S = 31_536_000
"""A certificate's longest life (kube-controller-manager --cluster-signing-duration)."""

KEY_USAGES = {"digital signature": "digital_signature", "key encipherment": "key_encipherment",
              "signing": "digital_signature"}  # fmt: skip
EXTENDED = {"client auth": ExtendedKeyUsageOID.CLIENT_AUTH, "server auth": ExtendedKeyUsageOID.SERVER_AUTH}


def read(request: Any) -> x509.CertificateSigningRequest:
    """The request in a ``spec.request``.

    Raises:
        ValueError: It is none.
    """
    return x509.load_pem_x509_csr(base64.b64decode(request or ""))


def groups(request: x509.CertificateSigningRequest) -> list[str]:
    """The organizations of its subject."""
    return [str(one.value) for one in request.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)]


def common_name(request: x509.CertificateSigningRequest) -> str:
    """The common name of its subject."""
    return next((str(one.value) for one in request.subject.get_attributes_for_oid(NameOID.COMMON_NAME)), "")


def certificate(authority: str, request: x509.CertificateSigningRequest, usages: Iterable[str], seconds: int) -> bytes:
    """A certificate, PEM.

    It begins some minutes ago by this machine's clock, which is the one that it is checked by.

    Args:
        authority: Of `certificates.make_authority`.
        request: What is asked.
        usages: What it is for.
        seconds: How long it lives.
    """
    key, issuer = certificates.read_authority(authority)
    begin = certificates.begin()
    until = min(begin + datetime.timedelta(seconds=min(seconds, MOST_S)), issuer.not_valid_after_utc)
    builder = (
        x509.CertificateBuilder(issuer.subject, request.subject, request.public_key(), x509.random_serial_number(),
                                begin, until)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False)
    )  # fmt: skip
    if plain := {KEY_USAGES[one]: True for one in usages if one in KEY_USAGES}:
        usage = {**dict.fromkeys(certificates.USAGES, False), **plain}
        builder = builder.add_extension(x509.KeyUsage(**usage), critical=True)
    if extended := [EXTENDED[one] for one in usages if one in EXTENDED]:
        builder = builder.add_extension(x509.ExtendedKeyUsage(extended), critical=False)
    for name in request.extensions:
        if isinstance(name.value, x509.SubjectAlternativeName):
            builder = builder.add_extension(name.value, critical=False)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
