from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, strategies as st

from notebook_mux.errors import ProtocolError
from notebook_mux.wire import frames
from notebook_mux.wire.frames import (
    MAX_FRAME,
    MAX_PAYLOAD,
    Channel,
    Kind,
    Position,
    Record,
    Skipped,
    decode_frame,
    decode_records,
    encode_columns,
    encode_frame,
    encode_position,
    encode_record,
    encode_skipped,
    split_record,
    uid_of,
)


def test_a_put_byte_by_byte():
    encoded = encode_record(Kind.PUT, 7, "u", "ns", "a", "70", "2026", 1.5, b'["a",1]', b'{"kind":"P"}')
    head = b'["u","ns","a","70","2026",1.5]'
    assert encoded == b"\x01" + bytes(7) + b"\x07" + b"\x00\x1e" + b"\0\0\0\x07" + b"\0\0\0\x0c" + head + (
        b'["a",1]' + b'{"kind":"P"}'
    )
    assert decode_records(encoded) == [
        (1, 7, Record("u", "ns", "a", "70", "2026", 1.5, b'["a",1]', b'{"kind":"P"}', 7)),
    ]


@pytest.mark.parametrize(
    ("encoded", "literal", "decoded"),
    [
        (
            encode_position(Kind.BEGIN, 258, Position("i", "c", "9")),
            b'\x03\0\0\0\0\0\0\x01\x02\0\x0d\0\0\0\0\0\0\0\0["i","c","9"]',
            (3, 258, Position("i", "c", "9")),
        ),
        (
            encode_position(Kind.END, 0, Position("", "", "")),
            b'\x04\0\0\0\0\0\0\0\0\0\x0a\0\0\0\0\0\0\0\0["","",""]',
            (4, 0, Position("", "", "")),
        ),
        (
            encode_position(Kind.RESUMED, 1, Position("i", "c", "ä")),
            b'\x05\0\0\0\0\0\0\0\x01\0\x0e\0\0\0\0\0\0\0\0["i","c","\xc3\xa4"]',
            (5, 1, Position("i", "c", "ä")),
        ),
        (
            encode_columns(3, b'[{"name":"Name"}]'),
            b'\x06\0\0\0\0\0\0\0\x03\0\x02\0\0\0\0\0\0\0\x11[][{"name":"Name"}]',
            (6, 3, b'[{"name":"Name"}]'),
        ),
        (
            encode_position(Kind.PROGRESS, (1 << 64) - 1, Position("i", "c", "9")),
            b'\x07\xff\xff\xff\xff\xff\xff\xff\xff\0\x0d\0\0\0\0\0\0\0\0["i","c","9"]',
            (7, (1 << 64) - 1, Position("i", "c", "9")),
        ),
        (
            encode_skipped(4, Skipped(12, "slow")),
            b'\x08\0\0\0\0\0\0\0\x04\0\x0b\0\0\0\0\0\0\0\0[12,"slow"]',
            (8, 4, Skipped(12, "slow")),
        ),
    ],
    ids=["begin", "end", "resumed", "columns", "progress", "skipped"],
)
def test_the_other_kinds_byte_by_byte(encoded, literal, decoded):
    assert encoded == literal
    assert decode_records(literal) == [decoded]


def test_a_frame_byte_by_byte():
    assert encode_frame(1, Channel.CHANGES, b"xy") == b"\0\0\0\x01\x10xy"
    assert encode_frame(0x01020304, Channel.CLOSE, b"") == b"\x01\x02\x03\x04\xff"
    assert decode_frame(b"\0\0\0\x01\x10xy") == (1, Channel.CHANGES, b"xy")
    assert decode_frame(b"\0\0\0\0\0") == (0, 0, b"")


def test_a_frame_has_a_limit():
    assert len(encode_frame(1, 16, bytes(MAX_PAYLOAD))) == MAX_FRAME
    with pytest.raises(ValueError, match="does not fit"):
        encode_frame(1, 16, bytes(MAX_PAYLOAD + 1))


@pytest.mark.parametrize("frame", [b"", b"\0", b"\0\0\0\x01"])
def test_a_frame_shorter_than_its_header(frame):
    with pytest.raises(ProtocolError):
        decode_frame(frame)


GOOD = encode_record(Kind.PUT, 7, "u", "ns", "a", "70", "", 1.5, b"[]", b"{}")


@pytest.mark.parametrize(
    "payload",
    [
        GOOD[:-1],
        GOOD[:10],
        GOOD + b"\x01",
        b"\x00" + GOOD[1:],
        b"\x09" + GOOD[1:],
        b"\x08" + GOOD[1:],
        b"\x01" + encode_skipped(1, Skipped(1, "slow"))[1:],
        GOOD[:9] + b"\xff\xff" + GOOD[11:],
        GOOD[:11] + b"\xff\xff\xff\xff" + GOOD[15:],
        GOOD.replace(b'"ns"', b'"n" '),
        GOOD.replace(b'"ns"', b"nope"),
        GOOD.replace(b'"ns"', b'"\xff\xff'),
        GOOD.replace(b'"ns"', b'"\xffs"'),
    ],
    ids=["cut in the object", "cut in the head", "a rest", "kind 0", "kind 9",
         "a skip that is none", "a head that is none", "a head past the end", "cells past the end",
         "harmless blank", "no JSON", "no end of a text", "no UTF-8"],
)  # fmt: skip
def test_a_damaged_payload(payload, request):
    if "harmless" in request.node.callspec.id:
        assert decode_records(payload)
        return
    with pytest.raises(ProtocolError):
        decode_records(payload)


def _record(fields: tuple[Any, ...], number: int) -> Record:
    uid, namespace, name, version, created, printed, cells, content = fields
    return Record(uid, namespace, name, version, created, printed, cells, content, number)


texts = st.text(max_size=20)
raw = st.binary(max_size=60)
records = st.builds(
    lambda kind, number, head, printed, cells, content: (kind, number, (*head, printed, cells, content)),
    st.sampled_from([Kind.PUT, Kind.DELETE]),
    st.integers(0, (1 << 64) - 1),
    st.tuples(texts, texts, texts, texts, texts),
    st.floats(allow_nan=False, allow_infinity=False),
    raw,
    raw,
)
positions = st.builds(Position, texts, texts, texts)


@given(st.lists(records, max_size=20))
def test_what_is_encoded_is_decoded(given_records):
    payload = b"".join(encode_record(kind, number, *fields) for kind, number, fields in given_records)
    assert decode_records(payload) == [
        (int(kind), number, _record(fields, number)) for kind, number, fields in given_records
    ]


@given(st.sampled_from([Kind.BEGIN, Kind.END, Kind.RESUMED, Kind.PROGRESS]), st.integers(0, (1 << 64) - 1), positions)
def test_positions_come_back(kind, number, position):
    assert decode_records(encode_position(kind, number, position)) == [(int(kind), number, position)]


@given(st.binary(max_size=300))
def test_any_bytes_are_records_or_a_protocol_error(payload):
    try:
        decode_records(payload)
    except ProtocolError:
        pass


@given(st.data())
def test_a_flipped_byte_is_records_or_a_protocol_error(data):
    damaged = bytearray(GOOD * 2)
    damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    try:
        decode_records(bytes(damaged))
    except ProtocolError:
        pass


@pytest.mark.parametrize("size", [0, 1, MAX_PAYLOAD - 1, MAX_PAYLOAD, MAX_PAYLOAD + 1, 3 * MAX_PAYLOAD, 200_000])
def test_a_record_is_cut_and_joined(size):
    record = bytes(range(256)) * (size // 256) + bytes(size % 256)
    parts = list(split_record(record))
    assert [channel for channel, _ in parts] == [Channel.PART] * (len(parts) - 1) + [Channel.CHANGES]
    assert b"".join(payload for _, payload in parts) == record
    assert all(len(payload) <= MAX_PAYLOAD for _, payload in parts)
    assert len(parts) == max(1, -(-size // MAX_PAYLOAD))


def test_raw_json_is_taken_as_it_is():
    encoded = encode_record(
        Kind.PUT, 1, "u", "", "a", "1", "", 0.0, msgspec.Raw(b"[1]"), memoryview(b'{"a": 1}')
    )  # fmt: skip
    assert encoded.endswith(b'[1]{"a": 1}')


def test_objects_without_a_uid():
    assert uid_of("u", "ns", "a") == "u"
    assert uid_of("", "ns", "a") == "-/ns/a"
    assert uid_of("", "", "a") == "-//a"


def test_the_channels_of_terminals_are_kubernetes_own():
    assert [int(channel) for channel in Channel] == [0, 1, 2, 3, 4, 16, 17, 18, 19, 20, 21, 255]
    assert frames.MAX_FRAME == 65536
