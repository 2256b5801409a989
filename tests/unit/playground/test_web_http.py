"""HTTP/1.1, byte for byte."""

from __future__ import annotations

import pytest

from notebook_mux.playground.web.http1 import MAX_BODY, MAX_HEAD, Connection
from notebook_mux.playground.web.messages import Request, Response, http_date, log_date, text

OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: %d\r\nConnection: %s\r\n\r\n%s"


class Server:
    """Says what it was asked, and remembers it."""

    def __init__(self) -> None:
        self.asked: list[Request] = []
        self.answer = Response(200, b"")

    def connect(self) -> Connection:
        return Connection(self._answer, lambda status: text("", status), ("10.0.0.1", 5))

    def _answer(self, request: Request) -> Response:
        self.asked.append(request)
        return text(f"{request.method} {request.path}")


@pytest.fixture
def server() -> Server:
    return Server()


def ok(body: bytes, keep: bool = True) -> bytes:
    return OK % (len(body), b"keep-alive" if keep else b"close", body)


def test_a_request(server: Server):
    connection = server.connect()
    sent = b"GET /a%20b?x=1&y=%2F&x=2#f HTTP/1.1\r\nHost: web\r\nX-One:  1 \r\n\r\n"
    assert connection.receive(sent) == ok(b"GET /a b")
    [request] = server.asked
    assert (request.path, request.raw_path, request.query) == ("/a b", "/a%20b", {"x": "1", "y": "/"})
    assert (request.header("x-one"), request.header("none", "-")) == ("1", "-")
    assert (request.client, request.port, request.version) == ("10.0.0.1", 5, "HTTP/1.1")
    assert not connection.over


@pytest.mark.parametrize("size", [1, 2, 5, 1000])
def test_pipelined_and_cut_anywhere(server: Server, size: int):
    sent = (
        b"POST /one HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc\r\n"
        b"POST /two HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"3;ext=1\r\nabc\r\n0A\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n"
        b"PUT /three HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
        b"GET /four HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
        b"GET /never HTTP/1.1\r\nHost: a\r\n\r\n"
    )
    connection, out = server.connect(), b""
    for at in range(0, len(sent), size):
        out += connection.receive(sent[at : at + size])
    assert out == ok(b"POST /one") + ok(b"POST /two") + ok(b"PUT /three") + ok(b"GET /four", keep=False)
    assert [one.body for one in server.asked] == [b"abc", b"abc0123456789", b"", b""]
    assert connection.over


def test_old_clients(server: Server):
    connection = server.connect()
    assert connection.receive(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n") == ok(b"GET /")
    assert connection.receive(b"GET / HTTP/1.0\r\n\r\n") == ok(b"GET /", keep=False)
    assert connection.over


def test_heads_and_what_has_no_body(server: Server):
    connection = server.connect()
    assert connection.receive(b"HEAD /x HTTP/1.1\r\nHost: a\r\n\r\n") == ok(b"HEAD /x").removesuffix(b"HEAD /x")
    server._answer = lambda request: Response(204, b"x", headers=(("X", "a\r\nb"),))  # type: ignore[method-assign]
    said = server.connect().receive(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    assert said == b"HTTP/1.1 204 No Content\r\nX: a  b\r\nConnection: keep-alive\r\n\r\n"


def test_a_client_that_waits_for_a_word(server: Server):
    connection = server.connect()
    head = b"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"
    assert connection.receive(head) == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert connection.receive(b"a") == b""
    assert connection.receive(b"b") == ok(b"PUT /")


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"nonsense\r\n", 400),
        (b"GET / HTTP/2.0\r\n\r\n", 505),
        (b"GET /\r\n\r\n", 400),
        (b"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX : b\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: \x00\r\n\r\n", 400),
        (b"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
        (b"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\n", 400),
        (b"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        (b"PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501),
        (b"PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", 400),
        (b"PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n", 400),
        (b"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % (MAX_BODY + 1), 413),
        (b"PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nfffffff\r\n", 413),
        (b"GET / HTTP/1.1\r\nX: " + b"a" * MAX_HEAD, 431),
        (b"x" * (MAX_HEAD + 1), 431),
    ],
)
def test_what_is_no_request(server: Server, sent: bytes, status: int):
    connection = server.connect()
    said = connection.receive(sent)
    assert said.startswith(b"HTTP/1.1 %d " % status)
    assert b"Connection: close" in said
    assert (connection.over, server.asked) == (True, [])
    assert connection.receive(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n") == b""


def test_an_end_in_between(server: Server):
    connection = server.connect()
    connection.receive(b"GET / HTTP/1.1\r\nHo")
    assert (connection.end(), connection.over, server.asked) == (b"", True, [])


def test_dates():
    assert http_date(0) == "Thu, 01 Jan 1970 00:00:00 GMT"
    assert log_date(1_760_000_000) == "09/Oct/2025:08:53:20 +0000"
    assert Request(target="http://web:80/x?y").raw_path == "/x"
