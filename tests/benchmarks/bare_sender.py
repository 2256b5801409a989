"""What the system itself takes for sending bytes on loopback: what no server can be cheaper than.

Run as a child with ``{"side": "send", "readers": n}``; it says ``{"port": ...}`` and at an order ``{"pieces": n,
"size": bytes, "wait": seconds}`` sends so many pieces to each reader with ``sendall``, ``wait`` apart, and says what
these calls cost for one reader: ``{"cpu": ...}``. With ``{"side": "read", "readers": n, "port": ...}`` it is the
readers, and says ``{"ready": true}`` first.

On loopback the receiving half of TCP is done by the system while the sender is in its call, and is counted as the
sender's. It is in this figure as it is in that of every server beside it; what the readers themselves do is in neither.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import sys
import time

from tests.benchmarks.processes import arguments, orders, say

READ_BYTES = 256 * 1024
"""As uvloop reads."""


def send(readers: int) -> None:
    """Send what is ordered to who has connected."""
    with contextlib.ExitStack() as stack:
        listening = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        say(port=listening.getsockname()[1])
        taken = [stack.enter_context(listening.accept()[0]) for _ in range(readers)]
        for each in taken:
            each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for order in orders():
            piece = bytes(order["size"])
            cpu = 0.0
            for _ in range(order["pieces"]):
                began = time.thread_time()
                for each in taken:
                    each.sendall(piece)
                cpu += time.thread_time() - began
                if order["wait"]:
                    time.sleep(order["wait"])
            say(cpu=cpu / readers)


def read(readers: int, port: int) -> None:
    """Read until the input ends."""
    buffer = bytearray(READ_BYTES)
    with contextlib.ExitStack() as stack, selectors.DefaultSelector() as selector:
        for _ in range(readers):
            reading = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
            selector.register(reading, selectors.EVENT_READ, reading)
        selector.register(sys.stdin, selectors.EVENT_READ)
        say(ready=True)
        while True:
            for key, _ in selector.select():
                if key.data is None:
                    return
                if not key.data.recv_into(buffer):
                    selector.unregister(key.data)


def main(side: str, readers: int, port: int = 0) -> None:
    """Run the side that was asked for."""
    if side == "send":
        send(readers)
    else:
        read(readers, port)


if __name__ == "__main__":
    main(**arguments())
