"""A certificate authority and a server certificate for loopback, made anew for each playground."""

from __future__ import annotations

import datetime
import ipaddress
import ssl
import tempfile
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

USAGES = ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "encipher_only",
          "decipher_only", "digital_signature", "key_cert_sign", "crl_sign")  # fmt: skip

DAYS = 30
"""Longer than any playground lives; a forgotten kubeconfig is worth nothing soon."""

KEPT_DAYS = 3650
"""Of an authority that is kept with a cluster's state, as kubeadm's (10 years)."""


@dataclass(frozen=True)
class Certificates:
    """What a server shows and what its clients check it with.

    Args:
        authority: The authority's certificate, PEM.
        context: The server's side.
    """

    authority: bytes
    context: ssl.SSLContext


def make_authority(days: int = DAYS) -> str:
    """Make an authority: its private key and its certificate, PEM."""
    now = _begin()
    until = now + datetime.timedelta(days=days)
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "notebook-mux playground")])
    usage = dict.fromkeys(USAGES, False)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, until)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.KeyUsage(**{**usage, "key_cert_sign": True, "crl_sign": True}), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return (_private(key) + certificate.public_bytes(serialization.Encoding.PEM)).decode()


def make(authority: str | None = None) -> Certificates:
    """Make a certificate for 127.0.0.1, ::1 and localhost.

    Args:
        authority: Who signs it, of `make_authority`; None makes a new one.
    """
    pems = (authority or make_authority()).encode()
    ca_key = serialization.load_pem_private_key(pems, None)
    assert isinstance(ca_key, ec.EllipticCurvePrivateKey)
    ca = x509.load_pem_x509_certificate(pems[pems.index(b"-----BEGIN CERTIFICATE") :])
    ca_id = x509.SubjectKeyIdentifier.from_public_key(ca_key.public_key())
    now = _begin()
    until = min(now + datetime.timedelta(days=DAYS), ca.not_valid_after_utc)
    usage = dict.fromkeys(USAGES, False)
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "kube-apiserver")])
    names = x509.SubjectAlternativeName(
        [
            x509.DNSName("localhost"),
            x509.DNSName("kubernetes.default.svc"),
            x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
            x509.IPAddress(ipaddress.ip_address("::1")),
        ]
    )
    server = (
        x509.CertificateBuilder(ca.subject, name, key.public_key(), x509.random_serial_number(), now, until)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.KeyUsage(**{**usage, "digital_signature": True}), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(ca_id), critical=False)
        .add_extension(names, critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    return Certificates(ca.public_bytes(pem), _context(_private(key) + server.public_bytes(pem)))


def _begin() -> datetime.datetime:
    """A moment ago: a client's clock may be a little behind."""
    return datetime.datetime.now(datetime.UTC) - datetime.timedelta(minutes=5)


def _private(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _context(chain: bytes) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    with tempfile.TemporaryDirectory(prefix="notebook-mux-") as folder:  # of mode 0700; ssl reads keys from files only
        file = Path(folder) / "server.pem"
        file.touch(0o600)
        file.write_bytes(chain)
        context.load_cert_chain(file)
    return context
