"""The way to a server, against servers that go wrong in one way each."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import pytest

from notebook_mux.checks import network
from notebook_mux.checks.findings import Findings
from notebook_mux.gateway.entries import Server
from notebook_mux.life.privacy import Privacy
from tests.unit.checks.servers import HOST, black_hole, certificate, listening, refused_port, tls_server


@pytest.fixture
def found() -> Findings:
    return Findings("context dev", Privacy())


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "STEP_SECONDS", 1.0)


def last(found: Findings) -> tuple[str, str, str]:
    row = found.rows[-1]
    return row["Check"], row["State"], row["Found"]


async def test_all_is_well(found: Findings, tmp_path: Path):
    cert, key = certificate()
    with tls_server(tmp_path, cert, key) as port:
        assert await network.reach(found, Server(f"https://localhost:{port}", ca=cert))
    assert [(row["Check"], row["State"]) for row in found.rows] == [("name", "ok"), ("connection", "ok"), ("TLS", "ok")]
    assert "good for 30 days" in found.rows[-1]["Found"]


async def test_a_certificate_that_ends_soon(found: Findings, tmp_path: Path):
    cert, key = certificate(ends=3.01)
    with tls_server(tmp_path, cert, key) as port:
        assert await network.reach(found, Server(f"https://localhost:{port}", ca=cert))
    assert last(found) == ("TLS", "warning", "the certificate is trusted, and ends in 3 days")


async def test_an_expired_certificate(found: Findings, tmp_path: Path):
    cert, key = certificate(begins=-30, ends=-4.01)
    with tls_server(tmp_path, cert, key) as port:
        assert not await network.reach(found, Server(f"https://localhost:{port}", ca=cert))
    assert last(found) == ("TLS", "wrong", "the certificate has expired, 4 days ago")
    assert "clock" in found.rows[-1]["Next"]


async def test_a_certificate_of_later(found: Findings, tmp_path: Path):
    cert, key = certificate(begins=1)
    with tls_server(tmp_path, cert, key) as port:
        assert not await network.reach(found, Server(f"https://localhost:{port}", ca=cert))
    assert last(found) == ("TLS", "wrong", "the certificate is not valid yet")


async def test_nobody_trusted(found: Findings, tmp_path: Path):
    cert, key = certificate()
    other, _ = certificate()
    with tls_server(tmp_path, cert, key) as port:
        assert not await network.reach(found, Server(f"https://localhost:{port}", ca=other))
    assert "signed by nobody trusted here" in found.rows[-1]["Found"]


async def test_another_name(found: Findings, tmp_path: Path):
    cert, key = certificate(name="elsewhere.example.com")
    with tls_server(tmp_path, cert, key) as port:
        assert not await network.reach(found, Server(f"https://localhost:{port}", ca=cert))
        assert last(found) == ("TLS", "wrong", "the certificate is for another name than this server's")
        assert await network.reach(
            found, Server(f"https://localhost:{port}", ca=cert, tls_name="elsewhere.example.com")
        )


async def test_not_checked(found: Findings, tmp_path: Path):
    with tls_server(tmp_path, *certificate()) as port:
        assert await network.reach(found, Server(f"https://{HOST}:{port}", insecure=True))
    assert last(found)[1] == "warning"
    assert "is not checked" in found.rows[-1]["Found"]


async def test_an_authority_that_cannot_be_used(found: Findings, tmp_path: Path):
    with tls_server(tmp_path, *certificate()) as port:
        assert not await network.reach(found, Server(f"https://{HOST}:{port}", ca_file=tmp_path / "gone"))
    assert "certificate authority" in found.rows[-1]["Found"]


async def test_a_refused_port(found: Findings):
    port = refused_port()
    assert not await network.reach(found, Server(f"https://{HOST}:{port}"))
    check, state, words = last(found)
    assert (check, state) == ("connection", "wrong")
    assert words.startswith(f"no connection to {HOST}:{port} after ")
    assert words.endswith("Connection refused")
    assert "VPN must be up where this runs" in found.rows[-1]["Next"]


@pytest.mark.skipif(sys.platform != "linux", reason="other systems answer when a queue is full")
async def test_an_address_that_swallows_all(found: Findings, soon: None):
    with black_hole() as port:
        assert not await network.reach(found, Server(f"https://{HOST}:{port}"))
    assert last(found) == ("connection", "wrong", f"no connection to {HOST}:{port} within 1 s: nobody answers")


async def test_a_listener_that_never_accepts(found: Findings, soon: None):
    with listening() as listener:
        assert not await network.reach(found, Server(f"https://{HOST}:{listener.getsockname()[1]}"))
    assert last(found) == ("TLS", "wrong", "the port is open, but no TLS came within 1 s")


async def test_a_port_that_speaks_something_else(found: Findings):
    import threading

    with listening() as listener:

        def serve() -> None:
            for _ in range(2):  # the look whether somebody is there, and the handshake
                with listener.accept()[0] as one:
                    if one.recv(100):
                        one.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        thread = threading.Thread(target=serve)
        thread.start()
        assert not await network.reach(found, Server(f"https://{HOST}:{listener.getsockname()[1]}"))
        thread.join()
    assert last(found)[1] == "wrong"
    assert found.rows[-1]["Found"].startswith("no TLS with port")


async def test_a_name_that_is_not_known(found: Findings, monkeypatch: pytest.MonkeyPatch):
    def nowhere(*args: object, **more: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", nowhere)
    assert not await network.reach(found, Server("https://nowhere.invalid:6443"))
    assert last(found)[:2] == ("name", "wrong")
    assert "nowhere.invalid, is not known here: Name or service not known" in last(found)[2]


async def test_plain_http(found: Findings):
    with listening() as listener:
        assert await network.reach(found, Server(f"http://{HOST}:{listener.getsockname()[1]}"))
    assert "no credentials are sent" in found.rows[-1]["Found"]


async def test_through_a_proxy_the_proxy_is_looked_at(found: Findings):
    with listening() as listener:
        port = listener.getsockname()[1]
        server = Server("https://far.example.com:6443", proxy=f"http://me:canary-word@{HOST}:{port}")
        assert await network.reach(found, server)
    assert [row["Check"] for row in found.rows] == ["proxy", "connection"]
    assert "canary" not in str(found.rows)
