"""Who must not be taken for a service: other processes on its port, and files that are not its own."""

from __future__ import annotations

import contextlib
import socket
import sys
import threading
import time
from dataclasses import replace

import pytest

from notebook_mux.life import ask, files, runtime
from notebook_mux.life.launcher import find
from tests.fault.test_life import NAME, start, starts, write  # noqa: F401 - `starts` is a fixture

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="process groups and signals are not Windows's")


class Foreign:
    """Another user's process on the port of a runtime file: records what it is sent, answers as it likes."""

    def __init__(self, answer: bytes):
        self.heard = b""
        self._answer = answer
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                with connection, contextlib.suppress(OSError):
                    self.heard += connection.recv(65536)
                    connection.sendall(self._answer)

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()


def http(body: bytes, status: int = 200) -> bytes:
    return f"HTTP/1.1 {status} Said\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"", id="says nothing"),
        pytest.param(b"SSH-2.0-OpenSSH_9.6\r\n", id="another protocol"),
        pytest.param(http(b"{}"), id="no proof"),
        pytest.param(http(b'{"instance":"stale","version":"0.1.0","proof":"%s"}' % (b"0" * 64)), id="a wrong proof"),
        pytest.param(http(b"[" * 10_000), id="nested without end"),
        pytest.param(http(b'{"proof":"\\ud800"}'), id="half a character"),
        pytest.param(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 100_000, id="too much"),
        pytest.param(
            b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n", id="redirect"
        ),
    ],
)
def test_another_process_on_the_port_is_not_believed_and_not_told_the_token(answer: bytes) -> None:
    foreign = Foreign(answer)
    try:
        entry = write(port=foreign.port)
        assert find(NAME) is None
        running = start()
        assert running.port != foreign.port
        [note] = running.notes
        assert f"port {foreign.port}, where the standin was, belongs to another process of yours now" in note
        assert start().notes == (), "it is said once"
        assert foreign.heard.startswith(b"GET /prove?nonce=")
        assert entry.token.encode() not in foreign.heard
    finally:
        foreign.close()


def test_a_process_that_answers_a_byte_at_a_time_is_given_up() -> None:
    listener = socket.create_server(("127.0.0.1", 0))

    def drip() -> None:
        connection, _ = listener.accept()
        with connection, contextlib.suppress(OSError):
            while True:
                connection.sendall(b"x")
                time.sleep(0.02)

    thread = threading.Thread(target=drip, daemon=True)
    thread.start()
    entry = write(port=listener.getsockname()[1])
    assert not ask.proves(entry, timeout=0.3)
    thread.join()
    listener.close()


def test_an_asker_in_between_cannot_pass_the_question_on() -> None:
    running = start()
    entry = runtime.read(NAME.runtime_file())
    assert entry is not None
    listener = socket.create_server(("127.0.0.1", 0))

    def pass_on() -> None:
        connection, _ = listener.accept()
        with connection, socket.create_connection(("127.0.0.1", running.port)) as real:
            real.sendall(connection.recv(65536))
            while part := real.recv(65536):
                connection.sendall(part)

    thread = threading.Thread(target=pass_on, daemon=True)
    thread.start()
    assert not ask.proves(replace(entry, port=listener.getsockname()[1]))
    thread.join()
    listener.close()


def test_a_file_with_a_wrong_token_is_not_believed() -> None:
    start()
    entry = runtime.read(NAME.runtime_file())
    assert entry is not None
    assert ask.proves(entry)
    assert not ask.proves(replace(entry, token="w" * 43))


@pytest.mark.parametrize("part", ["boot", "host", "user", "server", "version", "prefix", "network"])
def test_a_file_of_another_name_is_not_believed(part: str) -> None:
    start()
    entry = runtime.read(NAME.runtime_file())
    assert entry is not None
    files.write_private(NAME.runtime_file(), replace(entry, key=entry.key | {part: "other"}).dump())
    assert find(NAME) is None
