from __future__ import annotations

import itertools

import pytest

from notebook_mux.kernel.log_filter import LEAST, LOOKED_AT, LogFilter
from notebook_mux.tailing.reading import CONTINUED


@pytest.mark.parametrize(
    ("include", "exclude", "text", "kept"),
    [
        ("GET", "", b"GET /", True),
        ("GET", "", b"POST /", False),
        ("", "health", b"GET /health", False),
        ("GET", "health", b"GET /health", False),
        ("GET", "health", b"GET /", True),
        ("\ufffd", "", b"\xff", True),
    ],
)
def test_what_is_kept(include: str, exclude: str, text: bytes, kept: bool) -> None:
    assert LogFilter(include, exclude).keeps(text, 0, False) is kept


def test_what_belongs_to_a_line_goes_with_it() -> None:
    one = LogFilter("GET", "secret")
    assert one.keeps(b"  at x", CONTINUED, True)
    assert not one.keeps(b"  at x", CONTINUED, False)
    assert one.keeps(b"  at GET", CONTINUED, False)
    assert not one.keeps(b"  secret", CONTINUED, True)
    assert not LogFilter("", "secret").keeps(b"  at x", CONTINUED, False)
    assert LogFilter("", "secret").keeps(b"  at x", CONTINUED, True)


def test_nothing_to_filter_by() -> None:
    assert not LogFilter("", "")
    assert LogFilter("a", "")
    assert LogFilter("", "a")


def test_a_slow_expression_is_tried_on_less_of_a_line() -> None:
    clock = itertools.count(0, 0.2)  # each look at it is 0.2 s later, which is four times too long
    one = LogFilter(r"\w+@\w+\.com", "", clock=lambda: next(clock))
    assert not one.keeps(b"a" * 256 * 1024, 0, False)
    assert one.most == LOOKED_AT // 2
    for _ in range(10):
        one.keeps(b"a" * 256 * 1024, 0, False)
    assert one.most == LEAST
    assert one.keeps(b"me@example.com" + b"a" * 256 * 1024, 0, False)


def test_a_long_line_does_not_stop_the_loop_for_seconds() -> None:
    """Of 256 KiB the expression would take minutes, and meet the time limit of tests."""
    one = LogFilter(r"\w+@\w+\.com", "")
    for _ in range(20):
        assert not one.keeps(b"a" * 256 * 1024, 0, False)
