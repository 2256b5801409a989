from __future__ import annotations

from base64 import urlsafe_b64encode

import pytest
from multidict import CIMultiDict, CIMultiDictProxy

from notebook_mux.gateway.headlamp import doors
from notebook_mux.wire.headlamp import COOKIE_BYTES, TOKEN_HEADER


def headers(*pairs: tuple[str, str]) -> CIMultiDictProxy[str]:
    return CIMultiDictProxy(CIMultiDict(pairs))


def protocol(token: str) -> str:
    return doors.TOKEN_PROTOCOL + urlsafe_b64encode(token.encode()).decode().rstrip("=")


def test_sub_protocols_are_read_from_all_their_fields():
    given = headers(("Sec-WebSocket-Protocol", "a, b,,"), ("sec-websocket-protocol", " c "))
    assert doors.offered(given) == ["a", "b", "c"]
    assert doors.offered(headers()) == []


def test_those_that_are_credentials_go_nowhere():
    private = [f"{beginning}x" for beginning in doors.PRIVATE_PROTOCOLS]
    assert doors.public(["a", *private, "b"]) == ["a", "b"]
    changed = doors.with_protocols(headers(("Sec-WebSocket-Protocol", "a"), ("X", "y")), ["b", "c"])
    assert list(changed.items()) == [("X", "y"), ("Sec-WebSocket-Protocol", "b, c")]
    assert "Sec-WebSocket-Protocol" not in doors.with_protocols(changed, [])


@pytest.mark.parametrize("token", ["secret", "é~?>", "x" * 5000])
def test_tokens_are_read_from_header_and_sub_protocol(token):
    given = headers((TOKEN_HEADER, token), ("Sec-WebSocket-Protocol", f"a, {protocol(token)}"))
    assert doors.shown_tokens(given) == [token, token]


@pytest.mark.parametrize("text", ["", "!", "a", "=", "YQ==!", "//", "gICA"])
def test_what_is_no_base64url_is_no_token(text):
    assert doors.shown_tokens(headers(("Sec-WebSocket-Protocol", doors.TOKEN_PROTOCOL + text)))[0] in ("", "a")


def test_cookies_are_named_as_headlamp_names_them():
    assert (
        doors.cookie_name("arn:aws:eks:eu-1:123:cluster/prod_a", 2) == "headlamp-auth-arnawsekseu-1123clusterprod_a.2"
    )
    assert doors.cookie_name("x" * 80, 0) == f"headlamp-auth-{'x' * 50}.0"


@pytest.mark.parametrize("size", [1, COOKIE_BYTES, COOKIE_BYTES + 1, COOKIE_BYTES * 3])
def test_a_token_in_pieces_is_put_together(size):
    token = "t" * size
    cookies = {doors.cookie_name("c", number): part for number, part in enumerate(doors.token_parts(token))}
    assert max(map(len, cookies.values())) <= COOKIE_BYTES
    assert doors.cookie_token(cookies, "c") == token
    assert doors.cookie_token(cookies, "other") == ""


@pytest.mark.parametrize("token", ["", "a b", "a;b", "a\r\nb", "é", "x" * (COOKIE_BYTES * doors.MAX_COOKIES + 1)])
def test_what_no_cookie_can_carry_is_refused(token):
    with pytest.raises(ValueError, match="no token"):
        doors.token_parts(token)
    assert doors.cookie_token({"headlamp-auth-c.0": "a b"}, "c") == ""
