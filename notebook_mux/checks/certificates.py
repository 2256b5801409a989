"""Until when certificates and tokens are good, read from themselves. Nothing is verified here, and nothing is shown."""

from __future__ import annotations

from pathlib import Path

from cryptography import x509

from notebook_mux.gateway.oidc import claims

DAY = 86400.0
SOON_SECONDS = 7 * DAY
"""Before its end a certificate gets a word: who renews it needs some days."""


def end_of_certificate(content: bytes) -> float | None:
    """The end of a certificate in PEM or DER, the first of several, in Unix seconds; None if it is none."""
    try:
        if b"-----BEGIN" in content:
            return x509.load_pem_x509_certificate(content).not_valid_after_utc.timestamp()
        return x509.load_der_x509_certificate(content).not_valid_after_utc.timestamp()
    except (ValueError, TypeError):
        return None


def end_of_file(path: Path) -> float | None:
    """As `end_of_certificate`, of a file."""
    try:
        return end_of_certificate(path.read_bytes())
    except OSError:
        return None


def end_of_token(token: str) -> float | None:
    """The claim ``exp`` of a JSON web token, in Unix seconds; None if it is none or has none."""
    return claims(token).exp or None


def span(seconds: float) -> str:
    """A length of time in one unit: ``3 days``, ``5 hours``, ``40 minutes``."""
    for name, size in (("day", DAY), ("hour", 3600.0), ("minute", 60.0)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {name}s"
    return f"{seconds:.0f} s"
