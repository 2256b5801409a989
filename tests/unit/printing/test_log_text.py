from __future__ import annotations

import html
import re
import time
from typing import Any

import pytest
from hypothesis import given, strategies as st

from notebook_mux.handles.log_lines import Line
from notebook_mux.printing import log_text
from notebook_mux.printing.masking import MASKED

NOW = 1_700_000_100.0
BIDI = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c"


def line(text: str, *, pod: str = "web-0", container: str = "main", level: str = "", at: int = 0, **more: Any) -> Line:
    ns = (1_700_000_000 + at) * 1_000_000_000 + 5_000_000
    return Line(ns, "dev", "default", pod, container, level, text, **more)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain\ttab", "plain\ttab"),
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x1b[2J\x1b[Hgone", "gone"),
        ("\x1b]0;title\x07x", "x"),
        ("\x1b]8;;https://evil\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1b]52;c;Zm9v\x07", ""),
        ("\x1bPq#0\x1b\\six", "six"),
        ("\x9b31mred", "red"),
        ("\x1b", ""),
        ("\x1b[", ""),
        ("\x1bcreset", "reset"),
        ("a\rb\x00\x08\x7f", "a␍b␀␈␡"),
        ("\x85\xad", "<U+0085><U+00AD>"),
        ("a\u202eb", "a<U+202E>b"),
        ("\u200b\ufeff\u2028", "<U+200B><U+FEFF><U+2028>"),
        ("\ud800", "<U+D800>"),
        ("grün 日本 🙂", "grün 日本 🙂"),
    ],
)
def test_what_is_shown(text: str, shown: str) -> None:
    assert log_text.shown(text) == shown


@given(st.text(max_size=100))
def test_nothing_drives_a_terminal_or_turns_the_writing(text: str) -> None:
    shown = log_text.shown(text)
    assert not set(shown) & {*map(chr, range(9)), *map(chr, range(10, 32)), *map(chr, range(127, 160)), *BIDI}


def test_a_long_line() -> None:
    assert log_text.shown("a" * 30, 10) == "aaaaaaaaaa… and 20 more characters"
    secret = "ghp_" + "a1B2" * 10
    copied = log_text.html([line("x" * 985 + " " + secret)], now=NOW)
    assert "ghp_" not in copied
    assert len(log_text.html([line("a" * 256 * 1024)] * 200, now=NOW)) < 300_000


def test_html_is_harmless() -> None:
    hostile = "<script>alert(1)</script><img src=x onerror=alert(1)>\" onmouseover='x' &lt; </pre></div>"
    copied = log_text.html([line(hostile, pod='"><b>', container="<i>"), line("x", container="y")], now=NOW)
    tags = re.findall(r"<[^>]*>", copied)
    assert set(tags) <= {"</span>", *(tag for tag in tags if re.fullmatch(r'<span style="[\w:#;.-]+">', tag))}
    assert hostile in html.unescape(re.sub(r"</?span[^>]*>", "", copied))
    assert "{" not in copied


def test_colours() -> None:
    lines = [line("one"), line("two", pod="web-1"), line("bad", level="error"), line("odd", level="warning")]
    copied = log_text.html(lines, now=NOW).split("\n")
    assert f'<span style="color:{log_text.PALETTE[0]}">web-0 </span>' in copied[0]
    assert f'<span style="color:{log_text.PALETTE[1]}">web-1 </span>' in copied[1]
    assert f'<span style="color:{log_text.BAD}">bad</span>' in copied[2]
    assert f'<span style="color:{log_text.ODD}">odd</span>' in copied[3]
    place = {"cluster": "dev", "namespace": "default", "pod": "web-0", "container": "main", "color": 11}
    assert f"color:{log_text.PALETTE[3]}" in log_text.html(lines[:1], now=NOW, sources=[place])


def luminance(color: str) -> float:
    parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("color", [*log_text.PALETTE, log_text.BAD, log_text.ODD])
@pytest.mark.parametrize("back", ["#ffffff", "#111111"])
def test_each_can_be_read_on_light_and_dark(color: str, back: str) -> None:
    low, high = sorted([luminance(color), luminance(back)])
    assert (high + 0.05) / (low + 0.05) > 4.3


def test_marks_stand_out() -> None:
    mark = line("main was restarted", mark="restarted")
    assert log_text.html([mark], now=NOW).endswith('">--- main was restarted ---</span>')
    assert log_text.text([mark], now=NOW).endswith("web-0 --- main was restarted ---")


def test_secrets_are_masked_unless_asked() -> None:
    lines = [line("password=\x1b[1mhunter2\x1b[0m"), line("-----BEGIN PRIVATE KEY-----"), line("MIIEowIBAAKCAQEA" * 4)]
    for made in (log_text.html(lines, now=NOW), log_text.text(lines, now=NOW), "\n".join(log_text.plain(lines))):
        assert "hunter2" not in made
        assert "MIIE" not in made
        assert html.unescape(made).count(MASKED) == 3
    for made in (
        log_text.html(lines, now=NOW, masked=False),
        log_text.text(lines, now=NOW, masked=False),
        "\n".join(log_text.plain(lines, masked=False)),
    ):
        assert "hunter2" in made
        assert "MIIE" in made


def test_only_the_last_lines() -> None:
    copied = log_text.text([line(str(number)) for number in range(500)], now=NOW).split("\n")
    assert len(copied) == log_text.MAX_LINES
    assert copied[0].endswith(" 300")


def test_what_tells_lines_apart() -> None:
    def label(*lines: Line) -> str:
        return log_text.labels(lines)(lines[0])

    one = line("x")
    assert label(one) == "web-0 "
    assert label(one, line("x", container="side")) == "web-0/main "
    assert label(one, Line(0, "dev", "shop", "web-0", "main", "", "")) == "default/web-0 "
    assert label(one, Line(0, "prod", "default", "web-0", "main", "", "")) == "dev/web-0 "
    assert label(Line(0, "", "", "", "", "", "dropped", "bound"), one) == ""


def test_the_date_where_it_is_not_today(monkeypatch: pytest.MonkeyPatch) -> None:
    today = log_text.text([line("x")], now=1_700_000_000.0)
    assert today.startswith(time.strftime("%H:%M:%S.005", time.localtime(1_700_000_000)))
    later = log_text.text([line("x")], now=NOW + 86_400 * 3)
    assert later.startswith(time.strftime("%Y-%m-%d %H:%M:%S.005", time.localtime(1_700_000_000)))


def test_servers_words_in_a_mark_are_masked_and_end_no_key() -> None:
    words = line("container main waits: ErrImagePull: pull https://me:hunter2@registry/x", mark="waiting")
    key = [
        "-----BEGIN PRIVATE KEY-----",
        "MIIEvQIBADANBgkqhkiG9w0BAQEF",
        "AAOCAQ8AMIIBCgKCAQEAxyz1234",
        "-----END PRIVATE KEY-----",
    ]
    lines = [line(key[0]), line(key[1]), words, *map(line, key[2:])]
    for copy in ("\n".join(log_text.plain(lines)), log_text.text(lines, now=NOW), log_text.html(lines, now=NOW)):
        assert "hunter2" not in copy
        assert "ErrImagePull" in copy
        assert "MII" not in copy
        assert "AAOC" not in copy
    assert "hunter2" in "\n".join(log_text.plain(lines, masked=False))
