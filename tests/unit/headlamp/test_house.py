from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator

import psutil
import pytest

from notebook_mux.headlamp.dialer import Dialer
from notebook_mux.headlamp.house import House
from notebook_mux.headlamp.rest import Server
from notebook_mux.remote.program import Order
from tests.unit.headlamp.fake_server import FakeHeadlamp
from tests.unit.remote.pods import EXEC, Pods, echo

ID = "program-of-the-test"


@pytest.fixture
async def house(headlamp: FakeHeadlamp) -> AsyncIterator[House]:
    """With a program that waits for its input."""
    headlamp.pods = Pods(echo)
    made = House()
    dialer = Dialer(Server(headlamp.url, None, {}).cluster("real"), made)
    made.programs.take(ID, 1, dialer, Order(EXEC, "command=cat&stdin=true", stdin=True))
    async with asyncio.timeout(30):
        while headlamp.pods.starts == 0 or made.sockets == 0:
            await asyncio.sleep(0.005)
    yield made
    await made.close()


def to(port: int) -> int:
    return sum(bool(one.raddr) and one.raddr.port == port for one in psutil.Process().net_connections("tcp"))


async def test_its_end_is_the_end_of_all(house: House, headlamp: FakeHeadlamp) -> None:
    assert (house.sockets, len(house.programs), to(headlamp.port)) == (1, 1, 1)
    await house.close()
    assert (house.sockets, len(house.programs), to(headlamp.port)) == (0, 0, 0)
    await house.close()


FORK = """
import asyncio, os, socket, sys, warnings
import psutil
from notebook_mux.forwards.forward import Aim
from notebook_mux.headlamp.dialer import Dialer
from notebook_mux.headlamp.house import House
from notebook_mux.headlamp.rest import Server
from notebook_mux.remote.program import Order
warnings.simplefilter("ignore", DeprecationWarning)
ports = [port := {port}]
def all_of(port): return [c for c in psutil.Process().net_connections("tcp") if port in (c.laddr.port, *c.raddr[1:])]
def open_ones(): return sum(len(all_of(one)) for one in ports)
class Slow:
    name = "slow"
    async def websocket(self, path, query, *, protocols):
        await asyncio.Event().wait()
async def main():
    house = House()
    dialer = Dialer(Server(f"http://127.0.0.1:{{port}}", None, {{}}).cluster("real"), house)
    program = house.programs.take("program-of-the-test", 1, dialer, Order({path!r}, "stdin=true", stdin=True)).program
    while not program.input_room or not house.sockets:
        await asyncio.sleep(0.01)
    forward = house.forwards.take(("kernel", "key"), Aim(Slow(), "/p", 80), 0, lambda: None).forward
    ports.append(forward.port)
    local = socket.create_connection(("127.0.0.1", forward.port))
    while not forward.state.connections:
        await asyncio.sleep(0.01)
    assert open_ones() == 4, "the program's, the one that listens, and both ends of a connection"
    pid = os.fork()
    if pid == 0:
        local.close()
        house.forget()
        os._exit(open_ones())
    assert os.waitpid(pid, 0)[1] == 0
    program.feed(0, b"still here")
    program.end_input()
    while not program.over or house.sockets:
        await asyncio.sleep(0.01)
    local.close()
    await house.forwards.aclose()
    print(open_ones(), program.ring.read(0, 100))
    await house.close()
asyncio.run(main())
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks: not on Windows")
def test_a_forked_child_leaves_it_alone(headlamp: FakeHeadlamp) -> None:
    headlamp.pods = Pods(echo)
    command = [sys.executable, "-c", FORK.format(port=headlamp.port, path=EXEC)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert ran.stdout == "0 (1, b'still here')\n", ran.stderr
