"""Our one thread, and what leaves the core as a failure."""

from __future__ import annotations

import asyncio
import threading

import pytest

from notebook_mux.errors import Forbidden
from notebook_mux.kernel.failure import Failure
from notebook_mux.kernel.thread import LoopThread, in_thread
from notebook_mux.urls import is_loopback, shown


def test_the_thread_is_a_daemon_and_ends() -> None:
    thread = LoopThread("a test's")
    found = next(t for t in threading.enumerate() if t.name == "a test's")
    assert found.daemon
    assert not thread.here

    async def where() -> bool:
        return thread.here

    assert thread.submit(where()).result(30)
    thread.stop(30)
    assert not found.is_alive()
    thread.call(print)  # harmless afterwards
    with pytest.raises(RuntimeError, match="closed"):
        thread.submit(where())


async def test_blocking_work_runs_elsewhere_and_its_error_comes_back() -> None:
    assert await in_thread(threading.get_ident) != threading.get_ident()
    with pytest.raises(ZeroDivisionError):
        await in_thread(lambda: 1 / 0)
    task = asyncio.ensure_future(in_thread(threading.Event().wait, 0.05))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Failure("login", "expired"), "login"),
        (Forbidden("no"), "forbidden"),
        (TimeoutError(), "timeout"),
        (ConnectionRefusedError("refused"), "unreachable"),
        (RuntimeError("odd"), "error"),
    ],
)
def test_any_exception_becomes_code_and_text(error: Exception, code: str) -> None:
    failure = Failure.of(error)
    assert failure.code == code
    assert failure.fields["what"]


@pytest.mark.parametrize(
    ("url", "loopback"),
    [
        ("ws://127.0.0.1:1/x", True),
        ("ws://localhost/x", True),
        ("ws://[::1]:5/x", True),
        ("wss://hub.example/x", False),
        ("ws://10.0.0.1/x", False),
    ],
)
def test_loopback(url: str, loopback: bool) -> None:
    assert is_loopback(url) is loopback


def test_a_url_is_shown_without_its_secrets() -> None:
    assert shown("ws://user:secret@host:1/p?token=secret") == "ws://host:1/p"
    assert shown("http://[::1]:5/") == "http://[::1]:5/"
