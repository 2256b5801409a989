"""The query of a log: numbers and times as Go reads them, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from notebook_mux.playground.logs.options import instant, parse
from notebook_mux.playground.status import ApiError

LAYOUT = '" as "2006-01-02T15:04:05Z07:00": cannot parse '

# What Go's time.Parse (1.26) said to each: seconds, or the words.
TIMES: list[tuple[str, int | str]] = [
    ("2026-01-01T00:00:00Z", 1767225600),
    ("2026-01-01T1:00:00Z", 1767229200),
    ("2026-01-01T00:00:00.123Z", 1767225600),
    ("2026-01-01T00:00:00+01:00", 1767222000),
    ("", 0),
    ("null", 0),
    ("0001-01-01T00:00:00+01:00", 0),
    ("0001-01-01T00:00:00Z", -62135596800),
    ("yesterday", f'parsing time "yesterday{LAYOUT}"yesterday" as "2006"'),
    ("20", f'parsing time "20{LAYOUT}"20" as "2006"'),
    ("2026-1-1", f'parsing time "2026-1-1{LAYOUT}"1-1" as "01"'),
    ("2026-01-01 00:00:00Z", f'parsing time "2026-01-01 00:00:00Z{LAYOUT}" 00:00:00Z" as "T"'),
    ("2026-01-01T00:00:00", f'parsing time "2026-01-01T00:00:00{LAYOUT}"" as "Z07:00"'),
    ("2026-01-01T00:00:00 01:00", f'parsing time "2026-01-01T00:00:00 01:00{LAYOUT}" 01:00" as "Z07:00"'),
    ("2026-13-01T00:00:00Z", 'parsing time "2026-13-01T00:00:00Z": month out of range'),
    ("2026-02-30T00:00:00Z", 'parsing time "2026-02-30T00:00:00Z": day out of range'),
    ("2026-01-01T25:00:00Z", 'parsing time "2026-01-01T25:00:00Z": hour out of range'),
    ("2026-01-01T00:61:00Z", 'parsing time "2026-01-01T00:61:00Z": minute out of range'),
    ("2026-01-01T00:00:00+25:00", 'parsing time "2026-01-01T00:00:00+25:00": time zone offset hour out of range'),
    ("2026-01-01T00:00:00Zx", 'parsing time "2026-01-01T00:00:00Zx": extra text: "x"'),
]


@pytest.mark.parametrize(("text", "found"), TIMES)
def test_times(text: str, found: int | str):
    if isinstance(found, int):
        assert instant(text) == found
        return
    with pytest.raises(ApiError) as caught:
        instant(text)
    assert (caught.value.code, caught.value.message) == (400, found)


@pytest.mark.parametrize("text", ["", "0", "false", "FALSE", "False"])
def test_what_is_false(text: str):
    asked = parse({} if not text else {"follow": text, "previous": text, "timestamps": text}, "p")
    assert (asked.follow, asked.previous, asked.timestamps) == (False, False, False)


@pytest.mark.parametrize("text", ["", "1", "true", "no", "x"])
def test_what_is_true(text: str):
    assert parse({"follow": text}, "p").follow


def test_since_is_in_whole_seconds_or_from_now():
    assert parse({"sinceTime": "2026-01-01T00:00:00.999Z"}, "p").oldest(5.5) == 1767225600
    assert parse({"sinceSeconds": "3"}, "p").oldest(1767225600.5) == 1767225597.5
    assert parse({}, "p").oldest(1767225600.5) == 0


def test_several_faults_are_told_at_once():
    query = {"tailLines": "-1", "limitBytes": "0", "sinceSeconds": "0", "stream": "All"}
    with pytest.raises(ApiError) as caught:
        parse(query, "p")
    details: Any = caught.value.details
    assert [one["field"] for one in details["causes"]] == ["tailLines", "limitBytes", "sinceSeconds", "stream"]
    assert caught.value.message.startswith('PodLogOptions "p" is invalid: [tailLines: Invalid value: -1: must be')
