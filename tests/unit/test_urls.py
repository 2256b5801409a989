from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from notebook_mux.errors import InvalidArgument
from notebook_mux.urls import host_of, split_token, websocket_url


@pytest.mark.parametrize(
    ("url", "base", "token"),
    [
        ("http://127.0.0.1:8123/?token=abc", "http://127.0.0.1:8123", "abc"),
        ("http://127.0.0.1:8123", "http://127.0.0.1:8123", None),
        ("http://127.0.0.1:8123/?token=", "http://127.0.0.1:8123", None),
        ("https://hub.example/user/ann/proxy/8123/?token=a%2Bb", "https://hub.example/user/ann/proxy/8123", "a+b"),
        ("  HTTP://Host.Example:80/Prefix//  ", "http://Host.Example:80/Prefix", None),
        ("http://[::1]:8123/x?token=t", "http://[::1]:8123/x", "t"),
        ("https://h/a%2Fb/?token=t", "https://h/a%2Fb", "t"),
    ],
)
def test_a_url_is_split(url: str, base: str, token: str | None) -> None:
    assert split_token(url) == (base, token)


@pytest.mark.parametrize(
    ("base", "expected"),
    [
        ("http://127.0.0.1:8123", "ws://127.0.0.1:8123/notebook-mux"),
        ("https://127.0.0.1:8123/", "wss://127.0.0.1:8123/notebook-mux"),
        ("http://https.example/http/https://x", "ws://https.example/http/https://x/notebook-mux"),
        ("https://http.example:443/user/http", "wss://http.example:443/user/http/notebook-mux"),
        ("http://[fe80::1]:80/p", "ws://[fe80::1]:80/p/notebook-mux"),
        ("HTTPS://H/P", "wss://H/P/notebook-mux"),
        ("http://h/a%20b%2Fc", "ws://h/a%20b%2Fc/notebook-mux"),
    ],
)
def test_only_the_scheme_is_swapped(base: str, expected: str) -> None:
    assert websocket_url(base, "/notebook-mux") == expected
    assert websocket_url(base, "notebook-mux") == expected


@pytest.mark.parametrize(
    "url",
    [
        "",
        "   ",
        "127.0.0.1:8123",
        "localhost:8123/?token=secret",
        "ws://127.0.0.1:8123/?token=secret",
        "wss://127.0.0.1:8123",
        "ftp://h/",
        "file:///etc/passwd",
        "http:/h/?token=secret",
        "http:h",
        "//h/?token=secret",
        "http://",
        "http:///path?token=secret",
        "http://:8123/?token=secret",
        "http://h:/?token=secret",
        "http://h:0/?token=secret",
        "http://h:99999/?token=secret",
        "http://h:port/?token=secret",
        "http://ann:secret@h/",
        "http://ann@h/",
        "http://h/#secret",
        "http://h/?token=secret#",
        "http://h/?token=secret&token=other",
        "http://h/?token=secret&next=/",
        "http://h/?secret",
        "http://h\\@evil/?token=secret",
        "http://h/a b?token=secret",
        "http://h/a\nb?token=secret",
        "http://h/\x7f?token=secret",
        "http://[::1/?token=secret",
    ],
)
def test_what_is_no_gateway_is_refused_without_showing_the_secret(url: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        split_token(url)
    assert "secret" not in str(caught.value)
    assert caught.value.todo


@pytest.mark.parametrize(
    "base", ["http://h/?token=secret", "http://h/?", "ws://h/", "http://u:secret@h", "http://h/#x"]
)
def test_a_base_is_checked_again(base: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        websocket_url(base, "/notebook-mux")
    assert "secret" not in str(caught.value)


@given(st.text(max_size=40))
def test_any_text_is_split_or_refused(text: str) -> None:
    for url in (text, "http://" + text, "https://h/" + text):
        try:
            base, _ = split_token(url)
        except InvalidArgument:
            continue
        assert split_token(base) == (base, None)
        assert websocket_url(base, "/p").startswith("ws")


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://me:secret@example.com:6443/a?b", "example.com:6443"),
        ("https://[::1]:6443", "[::1]:6443"),
        ("https://example.com", "example.com"),
        ("example.com:6443/path", "example.com:6443"),
        ("https://example.com:port", ""),
        ("", ""),
    ],
)
def test_the_host_alone(url: str, host: str):
    assert host_of(url) == host
