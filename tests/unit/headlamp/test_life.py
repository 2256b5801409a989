"""What is opened is closed: sockets, tasks and HTTP, whenever the end comes. Warnings of unclosed ones fail the run."""

from __future__ import annotations

import asyncio
import gc
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import pytest

from notebook_mux.kernel.core import Core
from notebook_mux.kernel.dialect import Opener
from tests.serving import quiet_port
from tests.unit.headlamp.conftest import WAIT_SECONDS, Watching, eventually
from tests.unit.headlamp.fake_server import FakeHeadlamp

FIRST_BYTES = 4096


@contextmanager
def silent_server() -> Iterator[tuple[socket.socket, int]]:
    """Accepts, and never answers."""
    with socket.create_server(("127.0.0.1", quiet_port())) as listening:  # for each visitor is the core
        listening.settimeout(WAIT_SECONDS)
        yield listening, listening.getsockname()[1]


def is_closed_by_the_client(accepted: socket.socket) -> bool:
    """Read until the end that the client makes."""
    accepted.settimeout(WAIT_SECONDS)
    try:
        while accepted.recv(FIRST_BYTES):
            continue
    except ConnectionResetError:
        return True
    return True


def tasks_of(core: Core) -> list[str]:
    async def names() -> list[str]:
        me = asyncio.current_task()
        return [task.get_name() for task in asyncio.all_tasks() if task is not me]

    return core.thread.submit(names()).result(60)


def test_a_core_that_ends_while_it_asks_who_is_there_closes_that_socket(make_core: Callable[..., Core]):
    core = make_core()
    with silent_server() as (listening, port):
        core.connect(("url", f"http://127.0.0.1:{port}"), 30)
        accepted, _ = listening.accept()
        with accepted:
            assert accepted.recv(FIRST_BYTES).startswith(b"GET /notebook-mux")
            core.shutdown()
            assert is_closed_by_the_client(accepted)
    gc.collect()


@pytest.mark.parametrize("held", ["/config", "/wsMultiplexer"])
def test_a_core_that_ends_during_a_dial_closes_the_half_open_socket(held: str):
    """The server answers up to the step that is held, and then no more."""
    core = Core(opener=Opener())
    with silent_server() as (listening, port):
        core.connect(("url", f"http://127.0.0.1:{port}"), 30)
        while True:
            accepted, _ = listening.accept()
            accepted.settimeout(WAIT_SECONDS)
            asked = accepted.recv(FIRST_BYTES)
            if asked.startswith(f"GET {held} ".encode()):
                break
            body = b'{"clusters": [{"name": "real"}]}' if asked.startswith(b"GET /config") else b"<html>"
            head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
            accepted.sendall(head.encode() + body)
            accepted.close()
        with accepted:
            core.shutdown()
            assert is_closed_by_the_client(accepted)
    gc.collect()


def test_a_core_that_ends_during_a_direct_dial_closes_that_socket(
    headlamp: FakeHeadlamp, make_core: Callable[..., Core]
):
    headlamp.handshake = "websocket: bad handshake"
    headlamp.hold_directs = True
    core = make_core()
    Watching(core, headlamp.url, settle=False)
    eventually(lambda: headlamp.held == 1)
    core.shutdown()
    eventually(lambda: headlamp.held == 0)
    gc.collect()


def test_lost_sockets_and_dials_anew_leave_no_task(headlamp: FakeHeadlamp, make_core: Callable[..., Core]):
    core = make_core()
    watching = Watching(core, headlamp.url)
    eventually(lambda: watching.state.state == "live")
    before = sorted(tasks_of(core))
    for number in range(10):
        headlamp.cut()
        headlamp.put(f"one-{number}")
        eventually(partial(watching.has, f"one-{number}"))
    eventually(lambda: watching.state.state == "live")
    eventually(lambda: len(tasks_of(core)) <= len(before), "each lost socket's reader, writer and guard have ended")
    assert headlamp.sockets == 1
    core.shutdown()
    gc.collect()


def test_closing_a_connection_leaves_nothing_on_the_loop(headlamp: FakeHeadlamp, make_core: Callable[..., Core]):
    core = make_core()
    watching = Watching(core, headlamp.url)
    core.close(watching.conn).result(60)
    eventually(lambda: headlamp.sockets == 0)
    eventually(lambda: tasks_of(core) == [])
    gc.collect()


def test_a_refused_upgrade_leaves_no_http_session(headlamp: FakeHeadlamp, make_core: Callable[..., Core]):
    headlamp.refuse_upgrades = True
    core = make_core()
    future = core.connect(("url", headlamp.url), 30)
    assert "refused the WebSocket" in str(future.exception(15))
    eventually(lambda: tasks_of(core) == [])
    gc.collect()


FORK = """
import os, sys, time, warnings
import notebook_mux.kernel.holder as holder
warnings.simplefilter("ignore", DeprecationWarning)
core = holder.core()
url = {url!r}
conn = core.connect(("url", url), 30).result(60)
ref = core.contexts(conn, {{"kubeconfig": None, "env": {{}}, "in_cluster": False}}, ["*"], 30).result(60)[0]["ref"]
stream = core.open_stream((conn, (("one", ref, "default"),), "configmaps", (), "", "", ""))
core.hold(stream, "test")
core.settled(stream).result(60)
def names(core): return sorted(r.name for r in core.read(stream).records["one"].values())
pid = os.fork()
if pid == 0:
    child = holder.core()
    assert child is not core
    assert names(child) == ["a"], names(child)
    again = child.connect(("url", url), 30).result(60)
    os._exit(0 if child.status(again)["dialect"] == "headlamp" else 3)
assert os.waitpid(pid, 0)[1] == 0
print(core.status(conn)["state"], core.status(conn)["reconnects"], names(core))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks: not on Windows")
def test_a_forked_child_leaves_the_sockets_alone(headlamp: FakeHeadlamp):
    headlamp.put("a")
    command = [sys.executable, "-c", FORK.format(url=headlamp.url)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert ran.stdout == "open 0 ['a']\n", ran.stderr
    eventually(lambda: headlamp.sockets == 0)
