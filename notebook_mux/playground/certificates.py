"""A certificate authority and a server certificate for loopback, made anew for each playground."""

from __future__ import annotations

import datetime
import ipaddress
import ssl
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from notebook_mux.listening import tls_context

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
        chain: The server's key and certificate, PEM.
    """

    authority: bytes
    chain: bytes

    def context(self, clients: str = "") -> ssl.SSLContext:
        """The server's side.

        Args:
            clients: The authority of clients' certificates, of `make_authority`; a client need not have one. Without
                it none is asked for.
        """
        context = tls_context(self.chain)
        if clients:
            context.load_verify_locations(cadata=_certificate_of(clients))
            context.verify_mode = ssl.CERT_OPTIONAL
        return context


def make_authority(days: int = DAYS, name: str = "notebook-mux playground") -> str:
    """Make an authority: its private key and its certificate, PEM."""
    now = begin()
    until = now + datetime.timedelta(days=days)
    key = ec.generate_private_key(ec.SECP256R1())
    called = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    usage = dict.fromkeys(USAGES, False)
    certificate = (
        x509.CertificateBuilder(called, called, key.public_key(), x509.random_serial_number(), now, until)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.KeyUsage(**{**usage, "key_cert_sign": True, "crl_sign": True}), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return (_private(key) + certificate.public_bytes(serialization.Encoding.PEM)).decode()


SERVICE_NAMES = ("kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local")
SERVICE_ADDRESS = "10.96.0.1"
"""How pods call the API server (kubeadm's certificate has the same)."""


def make(authority: str | None = None) -> Certificates:
    """Make a certificate for 127.0.0.1, ::1 and localhost.

    Args:
        authority: Who signs it, of `make_authority`; None makes a new one.
    """
    ca_key, ca = read_authority(authority or make_authority())
    ca_id = x509.SubjectKeyIdentifier.from_public_key(ca_key.public_key())
    now = begin()
    until = min(now + datetime.timedelta(days=DAYS), ca.not_valid_after_utc)
    usage = dict.fromkeys(USAGES, False)
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "kube-apiserver")])
    names = x509.SubjectAlternativeName(
        [
            x509.DNSName("localhost"),
            *map(x509.DNSName, SERVICE_NAMES),
            x509.IPAddress(ipaddress.ip_address(SERVICE_ADDRESS)),
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
    return Certificates(ca.public_bytes(pem), _private(key) + server.public_bytes(pem))


def read_authority(pems: str) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    """The key and the certificate of an authority of `make_authority`."""
    key = serialization.load_pem_private_key(pems.encode(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key, x509.load_pem_x509_certificate(_certificate_of(pems).encode())


def _certificate_of(pems: str) -> str:
    return pems[pems.index("-----BEGIN CERTIFICATE") :]


def begin() -> datetime.datetime:
    """A moment ago: a client's clock may be a little behind."""
    return datetime.datetime.now(datetime.UTC) - datetime.timedelta(minutes=5)


def _private(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
