from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, strategies as st

from notebook_mux.kube import table_events as wire

TABLE = (
    b'{"type":"MODIFIED","object":{"kind":"Table","apiVersion":"meta.k8s.io/v1","metadata":{"resourceVersion":"12"},'
    b'"columnDefinitions":null,"rows":[{"cells":["web", 1, null],"object":{"kind":"Pod","metadata":{"name":"web",'
    b'"namespace":"ns","uid":"u","resourceVersion":"12","creationTimestamp":"2026-01-01T00:00:00Z","labels":{"a":"b"}},'
    b'"spec":{}}}]}}'
)
PLAIN = (
    b'{"type":"ADDED","object":{"kind":"Table","rows":"none",'
    b'"metadata":{"name":"web","uid":"u","creationTimestamp":null}}}'
)
MARK = (
    b'{"type":"BOOKMARK","object":{"kind":"Table","metadata":{"resourceVersion":"9"},"columnDefinitions":[{"name":"N"}],'
    b'"rows":[{"cells":["",""],"object":{"kind":"Pod","metadata":{"resourceVersion":"9","creationTimestamp":null,'
    b'"annotations":{"k8s.io/initial-events-end":"true"}}}}]}}'
)


def test_a_row():
    event = wire.decode_event(TABLE)
    [row] = event.object.rows or []
    assert (event.type, bytes(row.cells)) == ("MODIFIED", b'["web", 1, null]')
    assert bytes(row.object).startswith(b'{"kind":"Pod"')
    metadata = wire.decode_content(row.object).metadata
    assert (metadata.uid, metadata.namespace, metadata.name, metadata.resourceVersion) == ("u", "ns", "web", "12")
    assert wire.columns_of(event.object.columnDefinitions) is None
    assert wire.is_table(TABLE)


def fully(line: bytes) -> tuple[str, wire.Metadata, bytes, bytes]:
    event = wire.decode_event(line)
    [row] = event.object.rows or []
    return event.type, wire.decode_content(row.object).metadata, bytes(row.cells), bytes(row.object)


def usually(line: bytes) -> tuple[str, wire.Metadata, bytes, bytes] | None:
    found = wire.usual(line)
    return found and (found[0], found[1], bytes(found[2]), found[3])


def line_of(kind: str, cells: object, content: object, **more: object) -> bytes:
    table = {"kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": {"resourceVersion": "1"},
             "columnDefinitions": None, "rows": [{"cells": cells, "object": content}], **more}  # fmt: skip
    return msgspec.json.encode({"type": kind, "object": table})


TRICKY = st.sampled_from(['"object":{', ',"object":', "}]}}", '"rows":[{"cells":', "\\", "\u2028", "é", '"'])
TEXTS = st.lists(st.one_of(TRICKY, st.text(max_size=5)), max_size=4).map("".join)


@given(
    st.sampled_from(["ADDED", "MODIFIED", "DELETED"]),
    st.lists(st.one_of(TEXTS, st.integers(-9, 9), st.none(), st.booleans()), max_size=4),
    st.dictionaries(
        TEXTS, st.one_of(TEXTS, st.lists(st.dictionaries(TEXTS, TEXTS, max_size=2), max_size=2)), max_size=3
    ),
)
def test_in_one_pass_a_row_is_what_it_is_in_two(kind, cells, rest):
    line = line_of(kind, cells, {"metadata": {"uid": "u", "name": "web"}, "rest": rest})
    assert usually(line) == fully(line)


def test_a_usual_row():
    assert usually(TABLE) == fully(TABLE)
    assert wire.usual(MARK) is None


@pytest.mark.parametrize(
    "line",
    [
        TABLE.replace(b'"columnDefinitions":null', b'"columnDefinitions":[{"name":"N"}]'),
        TABLE.replace(b'"columnDefinitions":null,', b""),
        TABLE.replace(b'],"object"', b'],"conditions":[],"object"'),
        TABLE.replace(b'],"object"', b'], "object"'),
        TABLE.replace(b"}]}}", b'}],"rest":[{}]}}'),
        TABLE.replace(b"}]}}", b'}]},"rest":[{}]}}'),
        TABLE.replace(b'"spec":{}}}', b'"spec":{}},"rest":{}}'),
        TABLE.replace(b"}]}}", b'},{"cells":[],"object":{"metadata":{}}}]}}'),
        TABLE.replace(b"MODIFIED", b"BOOKMARK"),
        TABLE.replace(b'"object":{"kind":"Pod"', b'"object":{"kind":"Pod'),
        TABLE[:-1],
        TABLE + b"}",
        b'{"type":"ADDED","object":{"kind":"Table","metadata":{},"rows":null}}',
        PLAIN,
    ],
)
def test_whatever_is_written_otherwise_is_left_to_the_full_decoder(line):
    assert wire.usual(line) is None


def test_a_plain_object():
    assert not wire.is_table(PLAIN.replace(b"Table", b"Pod"))
    metadata = wire.decode_content(wire.decode_plain(PLAIN).object).metadata
    assert (metadata.name, metadata.creationTimestamp) == ("web", None)


def test_bookmarks():
    assert wire.bookmark(MARK, table=True) == ("9", True)
    plain = b'{"type":"BOOKMARK","object":{"kind":"Pod","metadata":{"resourceVersion":"8"}}}'
    assert wire.bookmark(plain, table=False) == ("8", False)
    empty = b'{"type":"BOOKMARK","object":{"kind":"Table","metadata":{"resourceVersion":"7"},"rows":[]}}'
    assert wire.bookmark(empty, table=True) == ("7", False)
    assert wire.columns_of(wire.decode_event(MARK).object.columnDefinitions) == b'[{"name":"N"}]'


def test_an_error_in_a_watch_for_tables():
    line = (
        b'{"type":"ERROR","object":{"kind":"Status","metadata":{},"message":"too old","reason":"Expired","code":410}}'
    )
    assert wire.decode_event(line).type == "ERROR"
    trouble = wire.error(line)
    assert (trouble.kind, trouble.said, trouble.code) == ("expired", "too old", 410)


def test_lists():
    body = wire.decode_list(
        b'{"kind":"Table","metadata":{"resourceVersion":"5","continue":"tok"},"columnDefinitions":[],'
        b'"rows":[{"cells":["a"],"object":{"metadata":{"name":"a","uid":"1"}}}]}'
    )
    assert (body.metadata.resourceVersion, body.metadata.token) == ("5", "tok")
    [(metadata, cells, content)] = wire.members(body)
    assert (metadata.name, bytes(cells), bytes(content)) == ("a", b'["a"]', b'{"metadata":{"name":"a","uid":"1"}}')
    assert list(wire.members(wire.decode_list(b'{"kind":"Table","metadata":{},"rows":null}'))) == []
    plain = wire.decode_list(
        b'{"kind":"PodList","metadata":{"resourceVersion":"5"},"items":[{"metadata":{"name":"a"}}]}'
    )
    [(metadata, cells, _)] = wire.members(plain)
    assert (metadata.name, cells, plain.metadata.token) == ("a", b"[]", "")
    assert list(wire.members(wire.decode_list(b'{"kind":"PodList","metadata":{},"items":null}'))) == []


@pytest.mark.parametrize("line", [b"", b"{", b"[]", b'{"type":"ADDED"}', b'{"type":1,"object":{}}', b"\xff"])
def test_what_is_no_event(line: bytes):
    with pytest.raises((msgspec.MsgspecError, UnicodeError)):
        wire.decode_event(line)
    with pytest.raises((msgspec.MsgspecError, UnicodeError)):
        wire.decode_plain(line)
