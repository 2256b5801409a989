from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, strategies as st

from notebook_mux.forwards.proxied import HEAD_BYTES, Gate

PORT = 40123
JUPYTER = b"Cookie: username-hub=x; _xsrf=2|abc\r\n"


def request(*fields: bytes, host: bytes = b"hub.example") -> bytes:
    return b"GET /a HTTP/1.1\r\nHost: " + host + b"\r\n" + b"".join(fields) + b"\r\nbody"


def passed(data: bytes, cuts: list[int]) -> tuple[bytes, bool]:
    """What came through a gate in these pieces, and whether it was refused."""
    gate, places = Gate(PORT), [0, *sorted(cuts), len(data)]
    through = b"".join(gate.feed(data[a:b]) for a, b in pairwise(places) if a < b)
    return through + gate.rest(), gate.refused


CUTS = st.lists(st.integers(0, 80), max_size=5)


@given(CUTS, st.sampled_from([b"hub.example", b"127.0.0.1:8888", b"localhost", b"localhost:40123\r\nHost: x"]))
def test_a_request_that_came_through_jupyter(cuts: list[int], host: bytes) -> None:
    assert passed(request(JUPYTER, host=host), cuts) == (b"", True)
    assert passed(request(b"X: y\r\n", JUPYTER.upper().replace(b"_XSRF", b"_xsrf"), host=host), cuts) == (b"", True)


@given(
    CUTS,
    st.sampled_from([
        request(JUPYTER, host=b"127.0.0.1:40123"),
        request(JUPYTER, host=b"LocalHost:40123"),
        request(b"Cookie: session=1\r\n", host=b"shop.example"),
        request(b"X: _xsrf=1\r\n"),
        request() + JUPYTER,
        b"GET key\r\n",
        b"GET /old HTTP/0.9\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"SSH-2.0-x\r\n",
        b"\0\1\2GET / HTTP/1.1\r\n" + JUPYTER + b"\r\n",
        b"GET / HTTP/1.1\r\nHost: x",
    ]),
)  # fmt: skip
def test_anything_else_passes_as_it_is(cuts: list[int], data: bytes) -> None:
    assert passed(data, cuts) == (data, False)


@pytest.mark.parametrize("begin", [b"GET /", b"GET / HTTP/1.1\r\nX: "])
def test_a_head_without_an_end_is_not_kept(begin: bytes) -> None:
    gate = Gate(PORT)
    assert gate.feed(begin + b"x" * HEAD_BYTES) == b""
    assert gate.refused
    assert gate.feed(b"more") == gate.rest() == b""


def test_nothing_is_looked_at_later() -> None:
    gate = Gate(PORT)
    assert gate.feed(b"hello") == b"hello"
    again = request(JUPYTER)
    assert gate.feed(again) is again
