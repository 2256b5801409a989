"""The two protocols of a port-forward, against a pod's side that is made here."""

from __future__ import annotations

import base64

import pytest

from notebook_mux.playground.portforward import frames
from notebook_mux.playground.portforward.channels import Channels, ports_of, refusal
from notebook_mux.playground.portforward.dialing import Conversation, NotForwarded, dialer
from notebook_mux.playground.portforward.frames import Frame, Reader, encode, syn_stream
from notebook_mux.playground.portforward.headers import Compressor
from notebook_mux.playground.portforward.tunnel import Tunnel
from tests.unit.playground.test_portforward_spdy import DATA_STREAM, ERROR_STREAM, KUBECTL, NO_MORE_ERRORS, RESET_DATA
from tests.unit.playground.worlds import world


class Loud:
    """Answers in capital letters; ends when it is told ``bye``."""

    def __init__(self, port: int):
        self.port = port
        self.over = False

    def receive(self, data: bytes) -> bytes:
        self.over = b"bye" in data
        return data.upper()

    def end(self) -> bytes:
        self.over = True
        return b"THE END"


class Pod:
    """Listens on every port but 9."""

    def __init__(self) -> None:
        self.dialled: list[Loud] = []

    def dial(self, port: int) -> Conversation:
        if port == 9:
            raise NotForwarded("error forwarding port 9")
        self.dialled.append(Loud(port))
        return self.dialled[-1]


def data(stream: int, text: bytes, flags: int = 0) -> bytes:
    return encode(Frame(0, stream, text, flags))


def said(tunnel: Tunnel) -> list[tuple[int, int, bytes, int]]:
    """Type, stream, data and flags of what the server sent."""
    found = Reader().feed(tunnel.to_send())
    return [(one.type, one.stream, one.payload if one.type == 0 else b"", one.flags) for one in found]


def open_pair(tunnel: Tunnel, write: Compressor, number: int, port: str = "80", request: str = "1") -> None:
    for kind, stream in (("error", number), ("data", number + 2)):
        fields = {"streamType": kind, "port": port, **({"requestID": request} if request else {})}
        tunnel.receive(encode(syn_stream(stream, write.block(fields))))


def test_a_connection_of_kubectl():
    pod = Pod()
    tunnel = Tunnel(pod.dial)
    tunnel.receive(KUBECTL)
    assert said(tunnel) == [(2, 1, b"", 0), (2, 3, b"", 0)]
    assert [one.port for one in pod.dialled] == [8080]
    tunnel.receive(data(3, b"hello") + data(3, b" you"))
    assert said(tunnel) == [(0, 3, b"HELLO", 0), (0, 3, b" YOU", 0)]
    tunnel.receive(data(3, b"bye"))
    assert said(tunnel) == [(0, 3, b"BYE", 0), (0, 3, b"", 1), (0, 1, b"", 1)]
    tunnel.receive(RESET_DATA)
    assert said(tunnel) == []
    assert not tunnel.over


def test_the_client_ends_first():
    pod = Pod()
    tunnel = Tunnel(pod.dial)
    tunnel.receive(KUBECTL + data(3, b"x", frames.FIN))
    assert said(tunnel)[2:] == [(0, 3, b"X", 0), (0, 3, b"THE END", 0), (0, 3, b"", 1), (0, 1, b"", 1)]
    tunnel = Tunnel(pod.dial)
    tunnel.receive(KUBECTL + RESET_DATA + data(3, b"late"))
    assert said(tunnel)[2:] == [(0, 1, b"", 1)], "nothing goes on a stream that was reset"


def test_an_error_resets_both_streams():
    tunnel = Tunnel(Pod().dial)
    open_pair(tunnel, Compressor(), 1, port="9")
    assert said(tunnel)[2:] == [(0, 1, b"error forwarding port 9", 0), (3, 3, b"", 0), (3, 1, b"", 0)]
    tunnel.receive(data(3, b"what was under way"))
    assert said(tunnel) == []


def test_data_before_the_error_stream():
    tunnel, write = Tunnel(Pod().dial), Compressor()
    tunnel.receive(encode(syn_stream(1, write.block({"streamType": "data", "port": "80", "requestID": "7"}))))
    tunnel.receive(data(1, b"early"))
    assert said(tunnel) == [(2, 1, b"", 0)]
    tunnel.receive(encode(syn_stream(3, write.block({"streamType": "error", "port": "80", "requestID": "7"}))))
    assert said(tunnel) == [(2, 3, b"", 0), (0, 1, b"EARLY", 0)]


def test_many_at_once_and_clients_that_count_no_requests():
    pod, write = Pod(), Compressor()
    tunnel = Tunnel(pod.dial)
    open_pair(tunnel, write, 1, request="")
    open_pair(tunnel, write, 5, port="81", request="")
    said(tunnel)
    tunnel.receive(data(7, b"b") + data(3, b"a"))
    assert said(tunnel) == [(0, 7, b"B", 0), (0, 3, b"A", 0)]
    assert [one.port for one in pod.dialled] == [80, 81]


@pytest.mark.parametrize(
    "fields",
    [
        {"streamType": "data", "port": "0"},
        {"streamType": "data", "port": "65536"},
        {"streamType": "data", "port": "http"},
        {"streamType": "data"},
        {"streamType": "other", "port": "80"},
        {"port": "80"},
    ],
)
def test_streams_that_are_refused(fields: dict[str, str]):
    tunnel = Tunnel(Pod().dial)
    tunnel.receive(encode(syn_stream(1, Compressor().block(fields))))
    assert said(tunnel) == [(3, 1, b"", 0)]


def test_a_second_stream_of_a_kind():
    tunnel = Tunnel(Pod().dial)
    tunnel.receive(ERROR_STREAM + NO_MORE_ERRORS + DATA_STREAM)
    again = Tunnel(Pod().dial)
    write = Compressor()
    for stream in (1, 3):
        again.receive(encode(syn_stream(stream, write.block({"streamType": "error", "port": "80", "requestID": "4"}))))
    assert said(again)[2:] == [
        (0, 1, b"error processing stream for request 4: error stream already assigned", 0),
    ]  # fmt: skip


def test_what_is_no_spdy_ends_it():
    tunnel = Tunnel(Pod().dial)
    tunnel.receive(b"\x80\x02\0\1\0\0\0\0")
    assert tunnel.over


# ---------------------------------------------------------------------------------------------- the channels


def test_ports_of_a_query():
    assert ports_of(["80", "9090,9"]) == [80, 9090, 9]
    assert (refusal([80]), refusal([])) == ("", 'query parameter "port" is required')
    assert refusal([80, 0]) == 'port "0" must be > 0'
    assert "128 ports" in refusal([1] * 128)
    for text, why in (("x", 'parsing "x": invalid syntax'), ("65536", 'parsing "65536": value out of range')):
        with pytest.raises(ValueError, match=f"cannot convert to ..int32: strconv.ParseUint: {why}"):
            ports_of(["80", text])


def test_channels():
    pod = Pod()
    channels = Channels([80, 9, 8080], pod.dial)
    assert list(channels.begin()) == [
        b"\0\x50\0", b"\1\x50\0", b"\2\x09\0", b"\3\x09\0", b"\4\x90\x1f", b"\5\x90\x1f", b"\3error forwarding port 9",
    ]  # fmt: skip
    assert list(channels.receive(b"\0hello")) == [b"\0HELLO"]
    for message in (b"", b"\1x", b"\2x", b"\xff\0", b"\x09x"):
        assert list(channels.receive(message)) == [], message
    assert [len(one) for one in channels.receive(b"\4" + b"x" * 40_000)] == [32769, 7233]
    assert list(channels.receive(b"\0bye")) == [b"\0BYE"]
    assert list(channels.receive(b"\0more")) == []
    assert not channels.over
    assert list(channels.receive(b"\4bye")) == [b"\4BYE"]
    assert channels.over


def test_channels_as_text():
    channels = Channels([80], Pod().dial, encoded=True)
    assert list(channels.begin()) == [b"0UAA=", b"1UAA="]
    assert list(channels.receive(b"0" + base64.b64encode(b"hi"))) == [b"0" + base64.b64encode(b"HI")]
    assert list(channels.receive(b"0?")) == []


def test_a_refusal_is_the_only_thing_there_is():
    channels = Channels([9], Pod().dial)
    assert list(channels.begin())[2:] == [b"\1error forwarding port 9"]
    assert channels.over


# ----------------------------------------------------------------------------------------------- the pod


def test_a_node_s_words():
    cluster = world()
    cluster.create({
        "kind": "Pod", "apiVersion": "v1", "metadata": {"name": "web", "namespace": "default"},
        "spec": {"nodeName": "node-1", "containers": [{"name": "main", "image": "nginx"}]},
        "status": {"phase": "Running", "podIP": "10.244.0.9",
                   "containerStatuses": [{"name": "main", "restartCount": 0,
                                          "state": {"running": {"startedAt": "2026-01-01T00:00:00Z"}}}]},
    })  # fmt: skip
    stored = cluster.store.get("pods", "default", "web")
    assert stored is not None
    dial = dialer(cluster, stored)
    assert dial(80).receive(b"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n").startswith(b"HTTP/1.1 200 OK\r\n")
    with pytest.raises(
        NotForwarded, match=r"^error forwarding port 81 to pod [0-9a-f]{64}, uid : .*connection refused"
    ):
        dial(81)
    conversation = dial(80)
    cluster.remove("pods", "default", "web")
    assert (conversation.receive(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"), conversation.over) == (b"", True)
    with pytest.raises(NotForwarded, match="failed to find sandbox"):
        dial(80)
