from __future__ import annotations

import re
from typing import Any

import pytest

from notebook_mux.errors import InvalidArgument
from notebook_mux.handles.patterns import SHOWN, compiled, text_of, whole


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (None, ""),
        ("", ""),
        ("a.c", "a.c"),
        ("(?i)a", "(?i)a"),
        (re.compile("a"), "a"),
        (re.compile("a", re.IGNORECASE | re.MULTILINE | re.DOTALL | re.ASCII), "(?aims)a"),
        (re.compile("(?i)a"), "(?i)(?i)a"),
        (re.compile("a # b", re.VERBOSE), "(?x)a # b"),
    ],
)
def test_one_text_means_the_same(given: Any, text: str) -> None:
    assert text_of(given, "x=") == text
    if isinstance(given, re.Pattern):
        assert re.compile(text).flags == given.flags


@pytest.mark.parametrize(
    ("given", "name", "found"),
    [
        ("web", "web", True),
        ("web", "web-0", False),
        ("web.*", "web-0", True),
        ("a|b", "ab", False),
        ("a|b", "b", True),
        ("(?i)WEB", "web", True),
        ("(?x) web # it", "web", True),
        (re.compile("eb"), "web-0", True),
        (re.compile("^eb"), "web-0", False),
        ("web", "web\n", False),
    ],
)
def test_a_text_means_whole_names(given: Any, name: str, found: bool) -> None:
    assert (re.compile(whole(given, "x=")).search(name) is not None) is found


def shown(given: str) -> list[str]:
    with pytest.raises(InvalidArgument) as caught:
        compiled(given, "include=")
    return caught.value.what.split("\n")


def test_the_place_of_an_error() -> None:
    assert shown("ab(c") == [
        "include= is no regular expression: missing ), unterminated subpattern",
        "    ab(c",
        "      ^",
    ]
    assert shown("(?x)a\n  b)\nc")[1:] == ["      b)", "       ^"]
    assert shown("\x1b[31m[\u202e")[1:] == ["    .[31m[.", "     ^"]
    head, line, caret = shown("a" * 500 + "(" + "b" * 500)
    assert "unterminated subpattern" in head
    assert len(line) == SHOWN + 4
    assert line[caret.index("^")] == "("
    assert "nothing to repeat" in shown("*")[0]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (3, "not a int"),
        (re.compile(b"a"), "not compiled from bytes"),
        ("a{99999999999999999999}", "too large"),
    ],
)
def test_what_is_none(given: Any, words: str) -> None:
    with pytest.raises(InvalidArgument, match=words):
        compiled(given, "include=")
