from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from notebook_mux.life import redact as module
from notebook_mux.life.redact import HIDDEN, redact

JWT = "eyJhbGciOiJSUzI1NiIsImtpZCI6IjEifQ.eyJzdWIiOiJzeXN0ZW0ifQ.c2lnbmF0dXJl"
KEY = "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA\nshort\n-----END RSA PRIVATE KEY-----"


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("GET /?token=abc123 HTTP/1.1", "abc123"),
        ("ws://127.0.0.1:1/x?a=b&access_token=abc123&c=d", "abc123"),
        ("Authorization: Bearer abcdef12", "abcdef12"),
        ('{"Authorization": "Bearer abcdef12"}', "abcdef12"),
        ("authorization: basic dXNlcjpwYXNz", "dXNlcjpwYXNz"),
        ("Cookie: session=abc123; other=def456", "def456"),
        ("sent bearer abcdef12 to it", "abcdef12"),
        ("https://ada:hunter2@host/path", "hunter2"),
        ("base64url.bearer.authorization.k8s.io.YWJj, v4.channel.k8s.io", "YWJj"),
        (f"it said {JWT}.", "c2lnbmF0dXJl"),
        (KEY, "MIIEpAIBAAKCAQEA"),
        (KEY[:60], "MIIEpAIBAAKCAQEA"),
        ("client-key-data: LS0tLS1CRUdJTg==", "LS0tLS1CRUdJTg"),
        ("password='hunter 2'", "hunter 2"),
        ('"id_token": "abc123",', "abc123"),
        ("ghp_16C7e42F292c6912E7710c838347Ae178B4a", "838347Ae178B4a"),
        ("data: " + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo0NTY3ODk=", "SktMTU5PUFFS"),
        ("9f86d081884c7d659a2feaa0c55ad015a3bf4f1b", "a3bf4f1b"),
    ],
)
def test_secrets_are_taken_out(text: str, secret: str) -> None:
    assert secret not in redact(text)
    assert HIDDEN in redact(text)


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-24 14:00:00,000 INFO notebook_mux.gateway: 3 clients, 12 streams",
        'File "/usr/lib/python3.11/site-packages/notebook_mux/gateway/kubeconfig.py", line 12, in load',
        "/home/ada/projects/a_very_long_name_of_a_folder/another-long-name/and_one_more",
        "ValueError: Token has expired and refresh failed",
        "pods web-7d4b9c6f5-x2x4z in namespace kube-system: 6f1c9a52-7a0e-4b5e-9c4e-0d6c1f2b3a4d",
        "a_name_of_a_function_that_is_longer_than_forty_characters",
        "GET /api/v1/namespaces/default/pods?watch=true&resourceVersion=12345 200",
        "",
    ],
)
def test_the_rest_stays(text: str) -> None:
    assert redact(text) == text


def test_words_around_a_secret_stay() -> None:
    assert redact("GET /x?token=abc&b=c HTTP/1.1") == f"GET /x?token={HIDDEN}&b=c HTTP/1.1"
    assert redact("before Bearer abcdefgh after") == f"before Bearer {HIDDEN} after"


def test_a_named_secret_is_taken_out_wherever_it_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_secrets", set())
    module.add_secret("plain-words-only")
    module.add_secret("short")
    assert redact("xplain-words-onlyx short") == f"x{HIDDEN}x short"


@given(st.binary(min_size=32, max_size=200))
def test_random_bytes_in_base64_are_taken_out(content: bytes) -> None:
    import base64

    run = base64.b64encode(content).decode().rstrip("=")
    if len(set(content)) > 16:  # else it may well be a word
        assert run not in redact(f"value {run} end")


@given(st.text())
def test_redacting_twice_changes_nothing_more(text: str) -> None:
    assert redact(redact(text)) == redact(text)
