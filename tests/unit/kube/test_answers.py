from __future__ import annotations

import json

import pytest

from notebook_mux.errors import (
    BadSelector,
    Forbidden,
    InvalidArgument,
    LoginRequired,
    MuxError,
    NotFound,
    ServerError,
)  # fmt: skip
from notebook_mux.kube.answers import Answer, names_of, status_of


def refusal(code: int, message: str = "no") -> Answer:
    return Answer(code, {}, json.dumps({"kind": "Status", "message": message, "code": code}).encode())


@pytest.mark.parametrize(
    ("code", "kind"),
    [(400, InvalidArgument), (401, LoginRequired), (403, Forbidden), (404, NotFound), (409, ServerError),
     (422, InvalidArgument), (500, ServerError), (302, ServerError)],
)  # fmt: skip
def test_errors(code: int, kind: type[MuxError]):
    error = refusal(code).error("list pods", "prod")
    assert type(error) is kind
    assert str(code) in str(error)
    assert (error.cluster, error.said) == ("prod", "no")
    assert error.todo


def test_selectors():
    for message in ("field label not supported: x", 'unable to parse requirement: <nil>: Invalid value: "="'):
        assert type(refusal(400, message).error("list pods", "prod")) is BadSelector


def test_no_error():
    assert Answer(200, {}, b"").error("x", "y") is None
    assert Answer(201, {}, b"").error("x", "y") is None


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"kind":"Status","message":"m","reason":"r"}', "m"),
        (b'{"kind":"Status","reason":"r"}', "r"),
        (b"plain words\n", "plain words"),
        (b"x" * 1000, "x" * 400),
        (b"<!doctype html><HTML><title>\n 502 Bad Gateway</title>", "a page: 502 Bad Gateway"),
        (b"<html><body>", "a page of HTML"),
        (b"\xff\xfe", "��"),
        (b"", ""),
    ],
)
def test_words(body: bytes, said: str):
    assert Answer(500, {}, body).said == said


def test_status():
    assert status_of(b'{"kind":"Pod"}') is None
    assert status_of(b"[1]") is None
    found = status_of(b'{"kind":"Status","details":{"causes":[{"reason":"A"},{}]}}')
    assert found is not None
    assert found.has_cause("A")
    assert not found.has_cause("B")
    assert Answer(429, {"retry-after": "5"}, b"").retry_after == 5.0
    assert Answer(429, {"retry-after": "Tue, 24 Nov"}, b"").retry_after is None


def test_what_is_nested_too_deep_is_no_status():
    assert status_of(b'{"kind":"Status","x":' + b"[" * 100_000) is None


@pytest.mark.parametrize(
    "body", [b"no JSON", b"[]", b'{"items": 3}', b'{"items": [{}]}', b'{"items": null}', b'{"items": ' + b"[" * 100_000]
)
def test_no_names(body: bytes):
    assert names_of(body) == []


def test_names():
    assert names_of(
        b'{"kind":"NamespaceList","items":[{"metadata":{"name":"b","uid":"1"}},{"metadata":{"name":"a"}}]}'
    ) == [
        "b",
        "a",
    ]
