from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from notebook_mux.life import ask
from tests.serving import quiet_port

Answer = Callable[[list[bytes]], int]


@pytest.fixture
def answer() -> Iterator[Answer]:
    """Serves one connection: reads the question, then sends the parts one by one."""
    threads: list[threading.Thread] = []

    def serve(parts: list[bytes]) -> int:
        listener = socket.create_server(("127.0.0.1", quiet_port()))  # for it answers one visitor

        def run() -> None:
            with listener:
                connection, _ = listener.accept()
            with connection:
                asked.append(connection.recv(65536))
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                try:
                    for part in parts:
                        connection.sendall(part)
                except OSError:
                    pass

        threads.append(threading.Thread(target=run))
        threads[-1].start()
        return int(listener.getsockname()[1])

    yield serve
    for thread in threads:
        thread.join()


asked: list[bytes] = []


def test_status_and_body(answer: Answer) -> None:
    port = answer([b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"])
    assert ask.get(port, "/a?b=c", headers={"Authorization": "Bearer x"}) == (200, b"hello")
    assert asked[-1].startswith(b"GET /a?b=c HTTP/1.1\r\n")
    assert f"Host: 127.0.0.1:{port}\r\n".encode() in asked[-1]
    assert b"Authorization: Bearer x\r\n" in asked[-1]


def test_an_answer_in_pieces(answer: Answer) -> None:
    text = b"HTTP/1.1 404 Not Found\r\ncontent-length: 2\r\n\r\nno"
    assert ask.get(answer([text[at : at + 1] for at in range(len(text))]), "/") == (404, b"no")


def test_an_answer_that_only_its_end_ends(answer: Answer) -> None:
    assert ask.get(answer([b"HTTP/1.0 200 OK\r\n\r\n", b"hello"]), "/") == (200, b"hello")


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 2x0 OK\r\n\r\n",
        b"HTTP/2 200\r\n\r\n",
        b"ICY 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
)
def test_what_is_no_whole_answer_is_an_error(said: bytes, answer: Answer) -> None:
    with pytest.raises(ask.BadAnswer):
        ask.get(answer([said]), "/")


def test_an_answer_beyond_the_limit_is_an_error(answer: Answer) -> None:
    with pytest.raises(ask.BadAnswer, match="more than 100 bytes"):
        ask.get(answer([b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 200]), "/", limit=100)


def test_nobody_there_is_an_error() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        with pytest.raises(OSError, match="refused"):
            ask.get(unused.getsockname()[1], "/")


def test_no_answer_in_time_is_an_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(TimeoutError):
        ask.get(silent.getsockname()[1], "/", timeout=0.05)


def test_a_proxy_of_the_environment_is_not_asked(answer: Answer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    assert ask.get(answer([b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"]), "/") == (200, b"")
