from __future__ import annotations

import ssl

import aiohttp
import pytest

from notebook_mux.errors import LoginRequired, MuxError, TimedOut, Unreachable
from notebook_mux.gateway.connecting import error_of, version_of
from notebook_mux.gateway.socks import ProxyRefused


def found(error: BaseException) -> MuxError:
    return error_of(error, "prod", "https://c", 10.0)


@pytest.mark.parametrize(
    ("error", "kind", "what", "said"),
    [
        (ConnectionResetError(104, "x"), Unreachable, "the connection to https://c broke", "Connection reset by peer"),
        (aiohttp.ServerDisconnectedError(), Unreachable, "broke", "the server closed it"),
        (aiohttp.ClientPayloadError("long"), Unreachable, "broke", "the answer ended in its middle"),
        (aiohttp.ConnectionTimeoutError(), Unreachable, "no connection to https://c within 10 s", None),
        (aiohttp.SocketTimeoutError(), TimedOut, "no answer", None),
        (TimeoutError(), TimedOut, "no answer", None),
        (LoginRequired("mine"), LoginRequired, "mine", None),
    ],
)
def test_words(error: BaseException, kind: type[MuxError], what: str, said: str | None):
    result = found(error)
    assert type(result) is kind
    assert what in result.what
    assert result.said == said


def test_a_refused_client_certificate_is_a_login():
    refused = ssl.SSLError(1, "[SSL: TLSV13_ALERT_CERTIFICATE_REQUIRED] x")
    refused.reason = "TLSV13_ALERT_CERTIFICATE_REQUIRED"
    wrapped = aiohttp.ClientOSError(1, "x")
    wrapped.__cause__ = refused
    assert isinstance(found(wrapped), LoginRequired)
    refused.reason = "WRONG_VERSION_NUMBER"
    assert isinstance(found(wrapped), Unreachable)
    assert found(wrapped).said == "wrong version number"


def test_versions():
    assert version_of(b'{"gitVersion":"v1.37.2","major":"1"}') == "v1.37.2"
    for body in (b"", b"[]", b'{"gitVersion":1}', b"\xff"):
        with pytest.raises(ValueError, match="no version"):
            version_of(body)


def test_a_proxy_s_password_is_in_no_words():
    shown = error_of(OSError("to an HTTPS proxy https://me:canary@proxy:1 ssl:default"), "prod", "https://c", 10.0)
    assert "canary" not in str(shown)
    assert "to an HTTPS proxy https://me:[hidden]@proxy:1" in str(shown)


def test_where_the_proxy_is_set():
    for said, todo in (
        ("proxy-url", "see proxy-url in the kubeconfig"),
        ("https_proxy", "see the variable https_proxy"),
    ):
        shown = error_of(ProxyRefused("Host unreachable"), "prod", "https://c", 10.0, ("socks5://me:canary@p:1", said))
        assert (shown.said, shown.todo) == ("Host unreachable", todo)
        assert shown.what == "the proxy p:1 on the way to https://c refused"
