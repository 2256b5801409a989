from __future__ import annotations

import ssl
import stat
import tempfile
from pathlib import Path
from typing import Any

import pytest

from notebook_mux.errors import InvalidArgument, LoginRequired
from notebook_mux.gateway import tls
from notebook_mux.gateway.entries import Server
from tests.unit.gateway.certificates import Authority


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


def test_trust(authority: Authority, tmp_path: Path):
    context = tls.client_context(Server(url="https://c", ca=authority.pem))
    assert context is not None
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert len(context.get_ca_certs()) == 1, "no authority but the cluster's own"
    (tmp_path / "ca.crt").write_bytes(authority.pem)
    from_file = tls.client_context(Server(url="https://c", ca_file=tmp_path / "ca.crt"))
    assert from_file is not None
    assert len(from_file.get_ca_certs()) == 1
    insecure = tls.client_context(Server(url="https://c", insecure=True))
    assert insecure is not None
    assert (insecure.verify_mode, insecure.check_hostname) == (ssl.CERT_NONE, False)
    assert tls.client_context(Server(url="http://c")) is None


@pytest.mark.parametrize(
    "ca", [b"junk", b"\xff\xfe", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]
)
def test_an_authority_that_cannot_be_used(ca: bytes, tmp_path: Path):
    with pytest.raises(InvalidArgument, match="certificate"):
        tls.client_context(Server(url="https://c", ca=ca))
    with pytest.raises(InvalidArgument, match=r"ca\.crt"):
        tls.client_context(Server(url="https://c", ca_file=tmp_path / "ca.crt"))


def test_keys_are_in_a_file_of_ours_for_a_moment_only(
    authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    modes: list[int] = []
    real = ssl.SSLContext.load_cert_chain

    def looking(self: ssl.SSLContext, certfile: Any, keyfile: Any, **more: Any) -> None:
        modes.extend(stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir())
        real(self, certfile, keyfile, **more)

    monkeypatch.setattr(ssl.SSLContext, "load_cert_chain", looking)
    cert, key = authority.sign("jane")
    tls.client_context(Server(url="https://c", insecure=True), cert, key)
    assert modes == [0o600, 0o600]
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(LoginRequired) as caught:
        tls.client_context(Server(url="https://c", insecure=True), cert, b"canary")
    assert "canary" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_missing_certificate_is_named(tmp_path: Path):
    with pytest.raises(LoginRequired, match="gone"):
        tls.client_context(Server(url="https://c", insecure=True), tmp_path / "gone", tmp_path / "key")
