"""Until when credentials are good, read from themselves."""

from __future__ import annotations

import base64
import json
import time
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from notebook_mux.checks import certificates
from tests.unit.checks.servers import certificate


def token(claims: Any) -> str:
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"e30.{body}.sig"


def test_certificates(tmp_path: Path):
    pem, _ = certificate(ends=10)
    end = certificates.end_of_certificate(pem)
    assert end is not None
    assert abs(end - time.time() - 10 * certificates.DAY) < 60
    assert certificates.end_of_certificate(x509.load_pem_x509_certificate(pem).public_bytes(Encoding.DER)) == end
    (tmp_path / "c").write_bytes(b"words before\n" + pem)
    assert certificates.end_of_file(tmp_path / "c") == end
    assert certificates.end_of_file(tmp_path / "gone") is None
    for odd in (b"", b"x", b"-----BEGIN CERTIFICATE-----\nxx\n-----END CERTIFICATE-----"):
        assert certificates.end_of_certificate(odd) is None


def test_tokens():
    assert certificates.end_of_token(token({"exp": 1700000000})) == 1700000000.0
    for odd in ("", "a.b", "a.b.c", "a.!!.c", token([1]), token({}), token({"exp": "soon"}), token({"exp": True})):
        assert certificates.end_of_token(odd) is None


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(3, "3 s"), (100, "100 s"), (120, "2 minutes"), (7200, "2 hours"), (3 * 86400, "3 days"), (0, "0 s")],
)
def test_spans(seconds: float, words: str):
    assert certificates.span(seconds) == words
