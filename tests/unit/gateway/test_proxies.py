from __future__ import annotations

import pytest

from notebook_mux.gateway.proxies import address, from_environment


@pytest.mark.parametrize(
    ("url", "no_proxy", "through"),
    [
        ("https://k8s.example.com", "", True),
        ("https://k8s.example.com", "example.com", False),
        ("https://k8s.example.com", ".example.com", False),
        ("https://example.com", ".example.com", True),
        ("https://notexample.com", "example.com", True),
        ("https://k8s.example.com:6443", "example.com:6443", False),
        ("https://k8s.example.com", "example.com:6443", True),
        ("https://10.1.2.3:6443", "10.0.0.0/8", False),
        ("https://10.1.2.3:6443", "10.1.2.3", False),
        ("https://11.1.2.3:6443", "10.0.0.0/8", True),
        ("https://[fd00::1]:6443", "fd00::/16", False),
        ("https://k8s.example.com", "*", False),
        ("https://k8s.example.com", "other, K8S.EXAMPLE.COM ", False),
        ("https://localhost:6443", "", False),
        ("https://127.0.0.1:6443", "", False),
    ],
)
def test_no_proxy(url: str, no_proxy: str, through: bool):
    found = from_environment(url, {"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": no_proxy})
    assert found == (("http://proxy:3128", "HTTPS_PROXY") if through else ("", ""))


def test_which_variable():
    env = {"https_proxy": "secure:1", "HTTP_PROXY": "http://plain:2"}
    assert from_environment("https://a", env) == ("http://secure:1", "https_proxy")
    assert from_environment("http://a", env) == ("http://plain:2", "HTTP_PROXY")
    assert from_environment("https://a", {"HTTPS_PROXY": "socks5://s:3"}) == ("socks5://s:3", "HTTPS_PROXY")
    assert from_environment("https://a", {"ALL_PROXY": "http://all:4"}) == ("", "")


def test_an_address_has_no_user():
    for url in ("http://p:1", "http://me:canary@p:1", "socks5://me:can%40ary@p:1/x"):
        assert address(url) == "p:1"
    assert address("") == ""
