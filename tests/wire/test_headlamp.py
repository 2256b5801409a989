"""Headlamp's envelopes, byte by byte: our own, and those recorded from a real server."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, strategies as st

from notebook_mux.errors import ProtocolError
from notebook_mux.wire import headlamp as wire

RECORDED = Path(__file__).parents[1] / "fixtures" / "headlamp"
OPTIONAL = {"data": "", "binary": False}


def frames(name: str, direction: str = "in") -> list[str]:
    """The text frames of a recording that went one way."""
    lines = [json.loads(line) for line in (RECORDED / f"{name}.jsonl").read_text().splitlines()]
    return [line["data"] for line in lines if (line["dir"], line["opcode"]) == (direction, "text")]


MULTIPLEXED = sorted(
    path.stem for path in RECORDED.glob("*.jsonl") if '"/wsMultiplexer"' in path.read_text().splitlines()[0]
)


def test_all_recordings_are_here():
    assert len(MULTIPLEXED) == 16


@pytest.mark.parametrize("name", MULTIPLEXED)
def test_what_a_real_server_says_is_read(name):
    assert frames(name)
    for frame in frames(name):
        envelope = wire.decode(frame)
        plain = json.loads(frame)
        assert envelope.type in (wire.STATUS, wire.DATA, wire.COMPLETE, wire.ERROR)
        assert json.loads(wire.encode(envelope)) == plain
        if envelope.type == wire.STATUS:
            assert wire.state_of(envelope).state in ("connected", "closed", "error")
            assert (envelope.query, envelope.user_id) == ("", "")
        if envelope.binary:
            assert isinstance(envelope.payload(), bytes)


@pytest.mark.parametrize("name", [name for name in MULTIPLEXED if name != "error-message"])
def test_what_was_said_to_a_real_server_is_what_we_say(name):
    for frame in frames(name, "out"):
        envelope = wire.decode(frame)
        assert json.loads(wire.encode(envelope)) == json.loads(frame)
        assert envelope.type in (wire.REQUEST, wire.CLOSE)


def test_the_order_of_the_fields_is_a_real_servers():
    (frame, *_) = (frame for frame in frames("log-follow-multiplexer") if wire.decode(frame).data)
    assert list(json.loads(wire.encode(wire.decode(frame)))) == list(json.loads(frame))


def test_our_bytes():
    envelope = wire.Envelope("c/1", "/api/v1/pods", "u1.7", wire.REQUEST, "watch=1&x=%3C")
    assert wire.encode(envelope) == (
        '{"clusterId":"c/1","path":"/api/v1/pods","query":"watch=1&x=%3C","userId":"u1.7","type":"REQUEST"}'
    )
    assert wire.encode(wire.Envelope("c", "/p", "u", wire.DATA, data="AP8=", binary=True)) == (
        '{"clusterId":"c","path":"/p","query":"","userId":"u","data":"AP8=","binary":true,"type":"DATA"}'
    )


text = st.text(max_size=20)


@given(cluster=text, path=text, query=text, user=text, data=text, binary=st.booleans())
def test_parts_that_are_shared_make_the_same_frame(cluster, path, query, user, data, binary):
    opening = wire.opening(cluster, path, query, user)
    frame = wire.data_frame(opening, msgspec.json.encode(data), binary=binary)
    assert frame.decode() == wire.encode(wire.Envelope(cluster, path, user, wire.DATA, query, data, binary))


@pytest.mark.parametrize("every", [bytes(range(256)), b"", b"\x00", b"\xff\xfe"])
def test_every_byte_is_carried(every):
    from base64 import b64encode

    assert wire.Envelope("c", "/p", "u", wire.DATA, data=b64encode(every).decode(), binary=True).payload() == every
    assert wire.Envelope("c", "/p", "u", wire.DATA, data="é").payload() == b"\xc3\xa9"
    with pytest.raises(ProtocolError, match="no base64"):
        wire.Envelope("c", "/p", "u", wire.DATA, data="=!", binary=True).payload()


GARBAGE = [
    *frames("error-message", "out")[:2],
    "", "null", "[]", "1", '"x"', "{", '{"clusterId":1,"path":"/p","userId":"u","type":"DATA"}',
    '{"clusterId":"c","path":null,"userId":"u","type":"DATA"}',
    '{"clusterId":"c","path":"/p","userId":"u","type":"DATA","binary":"yes"}',
    "[" * 100_000, '{"a":' * 100_000, '{"clusterId":' * 100_000, b"\xff\xfe\x00", b"\x00",
]  # fmt: skip


@pytest.mark.parametrize("frame", GARBAGE, ids=lambda frame: repr(frame[:40]))
def test_garbage_is_a_protocol_error(frame):
    with pytest.raises(ProtocolError, match="no envelope of a Headlamp multiplexer"):
        wire.decode(frame)
    assert isinstance(wire.names_in(frame), wire.Envelope)


@given(st.one_of(st.binary(max_size=200), st.text(max_size=200)))
def test_nothing_else_is_raised(frame):
    try:
        wire.state_of(wire.decode(frame))
    except ProtocolError:
        pass
    assert isinstance(wire.names_in(frame), wire.Envelope)


def test_what_can_be_read_of_garbage_is_named():
    assert wire.names_in('{"clusterId":"c","path":"/p","query":"q","userId":7,"type":[]}') == (
        wire.Envelope("c", "/p", "", "", "q")
    )


@pytest.mark.parametrize("data", ["", "{}", "[]", '{"state":1}', "{" * 10, '{"a":' * 100_000])
def test_a_status_that_says_nothing(data):
    with pytest.raises(ProtocolError, match="STATUS"):
        wire.state_of(wire.Envelope("c", "/p", "u", wire.STATUS, data=data))


def test_a_clusters_name_is_cleaned_and_cut_as_the_server_does_it():
    assert wire.cookie_stem("prod") == "headlamp-auth-prod"
    assert wire.cookie_stem("arn:aws:eks/x_y-1") == "headlamp-auth-arnawseksx_y-1"
    assert wire.cookie_stem("a" * 60) == "headlamp-auth-" + "a" * 50
    assert "".join(wire.cookie_parts("x" * 9000)) == "x" * 9000
