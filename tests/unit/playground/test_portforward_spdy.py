"""SPDY/3.1 with literal frames: those that a stock kubectl 1.32.4 sent for a port-forward to port 8080."""

from __future__ import annotations

import zlib

import pytest

from notebook_mux.playground.portforward import frames, headers
from notebook_mux.playground.portforward.frames import BadFrame, Frame, Reader, encode, syn_stream
from notebook_mux.playground.portforward.headers import BadHeaders, Compressor, Decompressor
from notebook_mux.playground.portforward.spdy import Data, Ended, Gone, Opened, Session

ERROR_STREAM = bytes.fromhex(
    "80030001 0000003e 00000001 00000000 0000"
    "78f9e3c6a7c202253a060606ce2248fc6482d22da30138e59514a526e6420b17d65450d0430aea22709eb030b03000000000ffff"
)
NO_MORE_ERRORS = bytes.fromhex("00000001 01000000")
DATA_STREAM = bytes.fromhex("80030001 0000001c 00000003 00000000 0000 826a46550a2a8712b1a844b302000000ffff")
RESET_DATA = bytes.fromhex("80030003 00000008 00000003 00000005")
PING = bytes.fromhex("80030006 00000004 00000001")
GOAWAY = bytes.fromhex("80030007 00000008 00000000 00000000")
KUBECTL = ERROR_STREAM + NO_MORE_ERRORS + DATA_STREAM

ASKED = {"port": "8080", "requestid": "0"}


def opened() -> Session:
    session = Session()
    session.receive(KUBECTL)
    return session


def sent(session: Session) -> list[Frame]:
    return list(Reader().feed(session.to_send()))


def test_the_dictionary_is_the_protocols_own():
    assert (len(headers.DICTIONARY), zlib.adler32(headers.DICTIONARY)) == (1423, 0xE3C6A7C2)


def test_what_kubectl_says():
    events = Session().receive(KUBECTL)
    assert events == [
        Opened(1, {"streamtype": "error", **ASKED}),
        Ended(1),
        Opened(3, {"streamtype": "data", **ASKED}),
    ]


@pytest.mark.parametrize("size", [1, 3, 7, 50])
def test_frames_are_cut_anywhere(size: int):
    session, events = Session(), []
    for at in range(0, len(KUBECTL), size):
        events += session.receive(KUBECTL[at : at + size])
    assert events == Session().receive(KUBECTL)


def test_streams_are_taken_and_answered():
    session = opened()
    session.accept(1)
    session.accept(3)
    reply, other = sent(session)
    assert [(one.type, one.stream, one.flags) for one in (reply, other)] == [(2, 1, 0), (2, 3, 0)]
    read = Decompressor()
    assert [read.headers(one.payload) for one in (reply, other)] == [{}, {}]
    session.send(3, b"x" * 70_000)
    pieces = sent(session)
    assert [len(one.payload) for one in pieces] == [32768, 32768, 4464]
    assert {(one.type, one.stream) for one in pieces} == {(0, 3)}
    session.end(3)
    session.end(3)
    session.send(3, b"too late")
    assert session.to_send() == bytes.fromhex("00000003 01000000")
    assert session.receive(bytes.fromhex("00000003 00000002") + b"hi" + bytes.fromhex("00000003 01000000")) == [
        Data(3, b"hi"), Ended(3),
    ]  # fmt: skip
    session.reset(3)
    assert session.to_send() == b"", "both had ended it"


def test_resets_both_ways():
    session = opened()
    assert session.receive(RESET_DATA + RESET_DATA) == [Gone(3)]
    session.send(3, b"x")
    session.reset(1)
    session.reset(1)
    assert session.to_send() == bytes.fromhex("80030003 00000008 00000001 00000005")
    # Data on a stream that its sender has ended is against the protocol; on one that is gone it is late.
    session = opened()
    assert session.receive(bytes.fromhex("00000001 00000001 61")) == [Gone(1)]
    assert session.to_send() == bytes.fromhex("80030003 00000008 00000001 00000001")
    assert session.receive(bytes.fromhex("00000001 00000001 61")) == []


def test_pings_settings_and_windows():
    session = Session()
    assert session.receive(PING) == []
    assert session.to_send() == PING
    settings = bytes.fromhex("80030004 0000000c 00000001 00000007 00010000")
    window = bytes.fromhex("80030009 00000008 00000003 00010000")
    ours = bytes.fromhex("80030006 00000004 00000002")
    assert session.receive(settings + window + ours) == []
    assert (session.to_send(), session.over) == (b"", False)


def test_a_goodbye():
    session = opened()
    assert session.receive(GOAWAY + PING) == []
    assert (session.over, session.error, session.to_send()) == (True, "", b"")
    assert session.receive(PING) == []


@pytest.mark.parametrize("number", [2, 3])
def test_numbers_that_streams_may_not_have(number: int):
    session, write = Session(), Compressor()
    session.receive(encode(syn_stream(3, write.block({"port": "1"}))))
    assert session.receive(encode(syn_stream(number, write.block({"port": "2"})))) == []
    assert sent(session) == [frames.reset(number, frames.PROTOCOL_ERROR)]
    assert session.receive(encode(syn_stream(5, write.block({"port": "3"})))) == [Opened(5, {"port": "3"})]


def test_too_many_streams(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("notebook_mux.playground.portforward.spdy.MAX_STREAMS", 1)
    session = Session()
    assert session.receive(KUBECTL)[0] == Opened(1, {"streamtype": "error", **ASKED})
    assert sent(session) == [frames.reset(3, frames.REFUSED_STREAM)]


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (bytes.fromhex("80020001 00000000"), "version 2"),
        (bytes.fromhex("80030003 00000004 00000001"), "a control frame of type 3 with 4 bytes"),
        (bytes.fromhex("00000001 00ffffff"), "a frame of 16777215 bytes"),
        (bytes.fromhex("80030001 0000000e 00000001 00000000 0000 deadbeef"), "incorrect header check"),
    ],
)
def test_what_is_no_spdy(data: bytes, why: str):
    session = Session()
    assert session.receive(data) == []
    assert session.over
    assert why in session.error


def test_headers_there_and_back():
    write, read = Compressor(), Decompressor()
    for said in ({"a": "1", "b": "x" * 500}, {}, {"a": "1"}):
        assert read.headers(write.block(said)) == said
    assert Decompressor().headers(Compressor().block({"StreamType": "data"})) == {"streamtype": "data"}


@pytest.mark.parametrize(
    ("plain", "why"),
    [
        (b"\0\0\0\1\0\0\0\x05ab", "longer than its block"),
        (b"\0\0\0\0rest", "longer than its texts"),
        (b"\0\0\0\1\0\0\0\1a\0\1\x86\xa0" + b"x" * 100_000, "more than 65536 bytes"),
    ],
)
def test_bad_header_blocks(plain: bytes, why: str):
    squeeze = zlib.compressobj(zdict=headers.DICTIONARY)
    block = squeeze.compress(plain) + squeeze.flush(zlib.Z_SYNC_FLUSH)
    with pytest.raises(BadHeaders, match=why):
        Decompressor().headers(block)


def test_a_frame_that_is_too_long_to_send():
    with pytest.raises(BadFrame, match="16777216 bytes"):
        encode(Frame(0, 1, bytes(1 << 24)))
