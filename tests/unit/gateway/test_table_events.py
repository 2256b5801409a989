from __future__ import annotations

import msgspec
import pytest

from notebook_mux.gateway import table_events as wire

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
