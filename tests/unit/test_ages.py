from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from notebook_mux.ages import DAY, HOUR, MINUTE, YEAR, human_duration, parse_duration, parse_time, utc


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-3600, "<invalid>"),
        (-2, "<invalid>"),
        (-1.9, "0s"),
        (-1, "0s"),
        (0, "0s"),
        (0.9, "0s"),
        (119.99, "119s"),
        (120, "2m"),
        (121, "2m1s"),
        (5 * MINUTE + 30, "5m30s"),
        (10 * MINUTE - 1, "9m59s"),
        (10 * MINUTE, "10m"),
        (10 * MINUTE + 59, "10m"),
        (3 * HOUR - 1, "179m"),
        (3 * HOUR, "3h"),
        (7 * HOUR + 5 * MINUTE + 59, "7h5m"),
        (8 * HOUR - 1, "7h59m"),
        (8 * HOUR, "8h"),
        (48 * HOUR - 1, "47h"),
        (48 * HOUR, "2d"),
        (7 * DAY + 3 * HOUR, "7d3h"),
        (8 * DAY - 1, "7d23h"),
        (8 * DAY, "8d"),
        (2 * YEAR - 1, "729d"),
        (2 * YEAR, "2y"),
        (2 * YEAR + 10 * DAY, "2y10d"),
        (8 * YEAR - 1, "7y364d"),
        (8 * YEAR, "8y"),
        (100 * YEAR + 3 * DAY, "100y"),
    ],
)
def test_durations_print_as_kubectl_prints_them(seconds: float, text: str) -> None:
    assert human_duration(seconds) == text


@given(st.integers(min_value=0, max_value=200 * YEAR))
def test_what_is_printed_is_read_back_as_the_span_it_covers(seconds: int) -> None:
    text = human_duration(seconds)
    span = parse_duration(text)
    assert span is not None
    low, high = span
    assert low <= seconds < high
    assert human_duration(low) == text == human_duration(high - 1)
    assert human_duration(high) != text


@pytest.mark.parametrize(
    "text", ["", "s", "5", "<unknown>", "<invalid>", "90m30s", "2m0s", "5m 3s", "-5s", "5mm", "1d"]
)
def test_what_nothing_prints_is_no_duration(text: str) -> None:
    assert parse_duration(text) is None


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1970-01-01T00:01:00Z", 60.0),
        ("1970-01-01T01:01:00+01:00", 60.0),
        ("1970-01-01T00:01:00.250000Z", 60.25),
        ("1970-01-01T00:01:00.250000000Z", 60.25),
        ("0001-01-01T00:00:00Z", None),
        ("1970-01-01T00:01:00", None),
        ("yesterday", None),
        ("", None),
        (None, None),
    ],
)
def test_times(text: str | None, seconds: float | None) -> None:
    assert parse_time(text) == seconds


def test_utc() -> None:
    assert utc(60.0).isoformat() == "1970-01-01T00:01:00+00:00"
