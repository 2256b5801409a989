"""Port-forward's channels in literal frames, as a kube-apiserver 1.37 sends and takes them."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, strategies as st

from notebook_mux.errors import InvalidArgument, ProtocolError
from notebook_mux.wire.portforward import MAX_ERROR, PROTOCOL, PortForward, query

NAMED = (b"\x00\x50\x00", b"\x01\x50\x00")
"""Port 80, little endian, on both channels."""


def begun(port: int = 80) -> PortForward:
    forward = PortForward(PROTOCOL, port)
    for frame in (bytes((0,)) + port.to_bytes(2, "little"), bytes((1,)) + port.to_bytes(2, "little")):
        assert forward.receive(frame) == b""
    return forward


def test_the_ports_come_first():
    forward = PortForward("v4.channel.k8s.io", 80)
    assert not forward.ready
    assert forward.receive(NAMED[0]) == b""
    assert forward.ready
    assert forward.receive(NAMED[1]) == b""
    assert forward.receive(b"\x00HTTP/1.1 200 OK\r\n") == b"HTTP/1.1 200 OK\r\n"
    assert forward.error == ""


def test_a_port_of_two_bytes_is_little_endian():
    forward = PortForward(PROTOCOL, 8080)
    assert forward.receive(b"\x00\x90\x1f") == b""
    with pytest.raises(ProtocolError, match="another port"):
        PortForward(PROTOCOL, 8080).receive(b"\x00\x1f\x90")


def test_data_that_looks_like_a_port_is_data():
    assert begun().receive(b"\x00\x50\x00") == b"\x50\x00"


def test_what_is_written():
    assert begun().write(b"GET / HTTP/1.1\r\n") == b"\x00GET / HTTP/1.1\r\n"
    assert begun().write(bytes(range(256))) == b"\x00" + bytes(range(256))


def test_the_servers_words():
    forward = begun(9)
    assert forward.receive(b"\x01error forwarding port 9 to pod x, ") == b""
    assert forward.receive(b"\x01uid : dial tcp4 127.0.0.1:9: connection refused\n") == b""
    assert forward.error == "error forwarding port 9 to pod x, uid : dial tcp4 127.0.0.1:9: connection refused"


def test_an_empty_payload_is_nothing():
    assert begun().receive(b"\x00") == b""
    assert begun().receive(b"\x01") == b""


@pytest.mark.parametrize("frame", [b"", b"\x02x", b"\xff\x00", b"\x00\x51\x00", b"\x00\x50", b"\x01error"])
def test_what_no_server_sends(frame: bytes):
    with pytest.raises(ProtocolError):
        PortForward(PROTOCOL, 80).receive(frame)


def test_words_without_an_end():
    forward = begun()
    forward.receive(b"\x01" + b"x" * MAX_ERROR)
    with pytest.raises(ProtocolError, match="an error of more than"):
        forward.receive(b"\x01x")


@pytest.mark.parametrize("protocol", [None, "", "v5.channel.k8s.io", "portforward.k8s.io"])
def test_another_sub_protocol(protocol: str | None):
    with pytest.raises(ProtocolError, match="port-forward"):
        PortForward(protocol, 80)


def test_the_query():
    assert query(80) == "ports=80"
    for port in (0, -1, 65536):
        with pytest.raises(InvalidArgument):
            query(port)


@given(st.lists(st.binary(max_size=4)))
def test_any_bytes_are_taken_or_refused(frames: list[bytes]):
    forward = PortForward(PROTOCOL, 80)
    with contextlib.suppress(ProtocolError):
        for frame in frames:
            forward.receive(frame)
