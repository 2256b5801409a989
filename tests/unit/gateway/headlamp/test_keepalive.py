from __future__ import annotations

import socket
import sys
from typing import Any

import pytest

from notebook_mux.remote import keepalive
from tests.unit.gateway.headlamp.api import EXEC, PODS, served


class Transport:
    """Has a socket, or none any more."""

    def __init__(self, raw: socket.socket | None) -> None:
        self.raw = raw

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        assert name == "socket"
        return self.raw


def test_probes_are_switched_on():
    with socket.socket() as raw:
        keepalive.probe(Transport(raw))
        assert raw.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        if sys.platform == "linux":
            assert raw.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == keepalive.IDLE_SECONDS
            assert raw.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT) == keepalive.PROBES


def test_a_socket_is_made_with_them():
    with keepalive.made((socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", 1))) as raw:
        assert raw.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)


def test_what_has_gone_is_left_alone():
    keepalive.probe(None)
    keepalive.probe(Transport(None))
    raw = socket.socket()
    raw.close()
    keepalive.probe(Transport(raw))


@pytest.mark.parametrize("path", [f"/clusters/one{EXEC}", f"/clusters/one{PODS}?watch=1"])
async def test_direct_sockets_have_them_on_both_sides(path, tmp_path, monkeypatch):
    probed: list[Any] = []
    monkeypatch.setattr(keepalive, "probe", probed.append)
    async with served(tmp_path, write=True) as running, running.socket(path) as client:
        await client.send("x")
        await client.recv()
        assert len(probed) == 2
