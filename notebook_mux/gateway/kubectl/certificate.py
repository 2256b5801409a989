"""A certificate for where the API is served, made anew by each gateway: kubectl sends a token to nobody without TLS."""

from __future__ import annotations

import datetime
import ipaddress
import ssl

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from notebook_mux.listening import tls_context

DAYS = 366
"""Longer than any gateway runs; its key is in no file, and a kubeconfig that was forgotten trusts nobody."""

USAGES = ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "encipher_only",
          "decipher_only", "crl_sign")  # fmt: skip


def make(host: str = "") -> tuple[bytes, ssl.SSLContext]:
    """A certificate that is its own authority, in PEM, and the server's TLS.

    Args:
        host: A name or address, besides 127.0.0.1, ::1 and localhost.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "notebook-mux gateway")])
    now = datetime.datetime.now(datetime.UTC) - datetime.timedelta(minutes=5)  # a clock may be a little behind
    until = now + datetime.timedelta(days=DAYS)
    usage = x509.KeyUsage(digital_signature=True, key_cert_sign=True, **dict.fromkeys(USAGES, False))
    names = [_general(text) for text in dict.fromkeys(("localhost", "127.0.0.1", "::1", host)) if text]
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, until)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return pem, tls_context(private + pem)


def _general(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)
