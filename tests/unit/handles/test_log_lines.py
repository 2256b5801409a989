from __future__ import annotations

import pickle
from typing import Any

import pytest
from hypothesis import given, strategies as st

from notebook_mux.handles.log_lines import Line, everything, fields_of, mark_of

KLOG = 'I0102 15:04:05.123456       1 main.go:12] "Started \\"web\\"" port=80 took="1.5s" err=null'


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ('{"a": 1, "b": {"c": "x", "d": {}}, "e": [1]}', {"a": 1, "b.c": "x", "b.d": {}, "e": [1]}),
        ('  {"a": null}  ', {"a": None}),
        ('{"a": {"b": {"c": {"d": {"e": {"f": 1}}}}}}', {"a.b.c.d.e": {"f": 1}}),
        ('{"a": 1', {}),
        ("{not json}", {}),
        ("[1]", {}),
        ("", {}),
        ("a=1 b=2.5 c=x d=true e= f=-3 g=1e3", {"a": 1, "b": 2.5, "c": "x", "d": True, "e": "", "f": -3, "g": 1000.0}),
        ('level=info msg="two \\"words\\"" id=007', {"level": "info", "msg": 'two "words"', "id": "007"}),
        ("query=a=b&c time=12:30:01", {"query": "a=b&c", "time": "12:30:01"}),
        ("a=1", {}),
        ("said a=1 b=2", {}),
        ("a=1 b=2 said", {}),
        ('a="open b=2', {}),
        (KLOG, {"msg": 'Started "web"', "port": 80, "took": "1.5s", "err": None}),
        ("I0102 15:04:05.123456 1 main.go:12] plain words", {}),
        ("{" * 100_000, {}),
        ('a="' * 10_000, {}),
    ],
)
def test_fields(text: str, fields: dict[str, Any]) -> None:
    assert fields_of(text) == fields


@given(st.text(max_size=200) | st.text("{}[]\"'=\\ ab1:,", max_size=60))
def test_no_text_is_too_strange(text: str) -> None:
    assert isinstance(fields_of(text), dict)
    assert isinstance(mark_of(text)[1], str)


def test_a_line_is_a_value() -> None:
    line = Line(1_700_000_000_123_456_789, "dev", "default", "web-0", "main", "info", "a=1 b=2")
    assert line.stamp == "2023-11-14T22:13:20.123456789Z"
    assert line.time.isoformat() == "2023-11-14T22:13:20.123456+00:00"
    assert line.fields == {"a": 1, "b": 2}
    assert pickle.loads(pickle.dumps(line)) == line
    assert len({line, line}) == 1
    assert Line(-1, "", "", "", "", "", "").stamp == "1969-12-31T23:59:59.999999999Z"


def test_marks() -> None:
    assert mark_of('{"mark": "gap", "text": "lines are missing"}') == ("gap", "lines are missing")
    assert mark_of("[]") == ("gap", "[]")
    assert mark_of("{}") == ("gap", "")


def test_a_writer_that_is_faster_than_its_reader() -> None:
    asked = []

    def read(after: int, most: int) -> dict[str, Any]:
        asked.append(after)
        first = max(after + 1, 1)
        return {"first": first, "end": first + 10, "ends": b"....", "oldest": 1}

    assert len(everything(read, 35)) == 4
    assert asked == [-1, 10, 20, 30]
    assert everything(lambda after, most: {"first": 5, "end": 5, "ends": b"", "oldest": 5}, 100) == []
