"""The control plane's keys: one authority, a server certificate for loopback, certificates for its users."""

from __future__ import annotations

import datetime
import ipaddress
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

DAYS = 30
NAMES = ("localhost", "kubernetes.default.svc")


class Authority:
    """Signs certificates for one test bed; all it makes lies in ``folder``."""

    def __init__(self, folder: Path) -> None:
        """Make the authority, the API server's certificate and the key that signs service accounts' tokens."""
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "testbed")])
        usage = x509.KeyUsage(
            digital_signature=True, key_cert_sign=True, crl_sign=True, content_commitment=False,
            key_encipherment=False, data_encipherment=False, key_agreement=False,
            encipher_only=False, decipher_only=False,
        )  # fmt: skip
        self._certificate = (
            self._builder(self._name, self._key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self._key.public_key()), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        self._write("ca", self._certificate, self._key)
        self.server()
        self._write_key("accounts.key", ec.generate_private_key(ec.SECP256R1()))

    def server(self, name: str = "server") -> None:
        """A server's certificate for loopback: ``NAME.crt`` and ``NAME.key``."""
        alternatives = [*(x509.DNSName(n) for n in NAMES), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        extra = x509.SubjectAlternativeName(alternatives)
        self._issue(name, "kube-apiserver", (), ExtendedKeyUsageOID.SERVER_AUTH, extra)

    def client(self, name: str, *groups: str) -> None:
        """A user's certificate: ``NAME.crt`` and ``NAME.key``; the groups are the organizations."""
        self._issue(name, name, groups, ExtendedKeyUsageOID.CLIENT_AUTH, None)

    def _issue(
        self, file: str, common: str, groups: tuple[str, ...], use: x509.ObjectIdentifier,
        names: x509.SubjectAlternativeName | None,
    ) -> None:  # fmt: skip
        key = ec.generate_private_key(ec.SECP256R1())
        organizations = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in groups]
        subject = x509.Name([*organizations, x509.NameAttribute(NameOID.COMMON_NAME, common)])
        builder = (
            self._builder(subject, key.public_key())
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([use]), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
        )
        if names is not None:
            builder = builder.add_extension(names, critical=False)
        self._write(file, builder.sign(self._key, hashes.SHA256()), key)

    def _builder(self, subject: x509.Name, public: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        now = datetime.datetime.now(datetime.UTC)
        return x509.CertificateBuilder(
            issuer_name=self._name, subject_name=subject, public_key=public,
            serial_number=x509.random_serial_number(),
            not_valid_before=now - datetime.timedelta(hours=1), not_valid_after=now + datetime.timedelta(days=DAYS),
        )  # fmt: skip

    def _write(self, name: str, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> None:
        (self.folder / f"{name}.crt").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        self._write_key(f"{name}.key", key)

    def _write_key(self, file: str, key: ec.EllipticCurvePrivateKey) -> None:
        # The form that Go's service account reader takes too.
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
        )
        path = self.folder / file
        path.touch(mode=0o600)
        path.write_bytes(pem)
