from __future__ import annotations

import base64

import pytest

from notebook_mux.gateway.oidc import Claims, claims
from tests.kubeconfig.provider import jwt


def test_what_a_token_says():
    assert claims(jwt(1_800_000_000.5, "jané")) == Claims(1_800_000_000.5, "jané")


DEEP = base64.urlsafe_b64encode(b'{"x":' + b"[" * 100_000).decode()


@pytest.mark.parametrize(
    "token", ["", "a", "a.b", "a.b.c", "..", "é.é.é", "a.bnVsbA.c", "a.eyJleHAiOiJzb29uIn0.c", f"a.{DEEP}.c"]
)
def test_what_is_no_token_says_nothing(token: str):
    assert claims(token) == Claims()
