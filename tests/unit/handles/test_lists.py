from __future__ import annotations

import msgspec
import pytest

from notebook_mux.errors import ServerError
from notebook_mux.handles.lists import page


def test_a_table_with_objects() -> None:
    body = b"""{"kind":"Table","apiVersion":"meta.k8s.io/v1","metadata":{"resourceVersion":"9","continue":"abc"},
    "columnDefinitions":[{"name":"Name","type":"string","format":"name","description":"","priority":0}],
    "rows":[{"cells":["web-0", null,  3],"object":{"kind":"Pod","metadata":{"uid":"u","name":"web-0",
    "namespace":"ns","resourceVersion":"7","creationTimestamp":"2026-11-24T10:00:00Z"},"x": 1}}]}"""
    found = page(body, 5.0)
    (record,) = found.records.values()
    assert (found.next, [c["name"] for c in found.columns]) == ("abc", ["Name"])
    assert (record.uid, record.namespace, record.name, record.version) == ("u", "ns", "web-0", "7")
    assert (record.created, record.printed) == ("2026-11-24T10:00:00Z", 5.0)
    assert msgspec.json.decode(record.cells) == ["web-0", None, 3]
    assert msgspec.json.decode(record.object)["x"] == 1


def test_a_plain_list_and_objects_without_a_uid() -> None:
    found = page(b'{"kind":"NodeMetricsList","items":[{"metadata":{"name":"n1","creationTimestamp":null}}]}', 0.0)
    assert list(found.records) == ["-//n1"]
    assert found.columns == []
    assert found.records["-//n1"].cells == b"[]"


@pytest.mark.parametrize("body", [b'{"kind":"Table","rows":null}', b'{"kind":"PodList","items":null}', b"{}"])
def test_nothing(body: bytes) -> None:
    assert page(body, 0.0).records == {}


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"items":[1]}', b'{"kind":"Table","rows":[{"cells":[]}]}'])
def test_what_is_no_list(body: bytes) -> None:
    with pytest.raises(ServerError):
        page(body, 0.0)
