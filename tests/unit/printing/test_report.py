"""A report in text, in colour and in HTML."""

from __future__ import annotations

from typing import Any

import pytest

from notebook_mux.printing import report
from notebook_mux.printing.report import Report


def row(state: str = "ok", area: str = "versions", todo: str | None = None, found: str = "3.11") -> dict[str, Any]:
    return {"Area": area, "Check": "Python", "State": state, "Found": found, "Next": todo}


ROWS = [row(), row("warning", todo="look"), row("wrong", "gateway", "do this"), row("info", "gateway")]


def test_text_is_by_area() -> None:
    title, *lines = Report(ROWS, ["a note"]).text.splitlines()
    assert title.startswith("doctor · 1 thing is wrong, and 1 to look at · ")
    assert lines == [
        "versions",
        "  ✓ Python               3.11",
        "  ! Python               warning: 3.11",
        "                         next: look",
        "gateway",
        "  ✗ Python               wrong: 3.11",
        "                         next: do this",
        "  · Python               3.11",
        "a note",
    ]


def test_colours_are_never_alone() -> None:
    plain, inked = report.lines(ROWS), report.lines(ROWS, report.inked)
    assert [line.replace("\x1b[0m", "") for line in inked] != plain
    for state, mark in report.MARKS.items():
        assert f"\x1b[{report.INKS[state]}m{mark}\x1b[0m" in "\n".join(inked)
    assert "✗".translate(report.PLAIN_MARKS) == "x"


@pytest.mark.parametrize(
    ("states", "words"),
    [
        ([], "all is well"),
        (["ok", "info"], "all is well"),
        (["ok", "warning"], "nothing is wrong; 1 to look at"),
        (["wrong"], "1 thing is wrong"),
        (["wrong", "wrong", "warning"], "2 things are wrong, and 1 to look at"),
    ],
)
def test_the_verdict(states: list[str], words: str) -> None:
    rows = [row(state) for state in states]
    assert report.verdict(rows) == words
    assert Report(rows).ok == ("wrong" not in states)


def test_html() -> None:
    shown = Report([row("wrong", found="<b>\x1b[31m")])._repr_html_()
    assert "&lt;b&gt;" in shown
    assert "\x1b" not in shown
    assert "color:var(--jp-error-color1,#c62828)" in shown
    assert ">wrong</td>" in shown
    assert "<script" not in shown


def test_no_word_of_advice_is_cut() -> None:
    todo = "do " * 200
    assert todo.strip() in Report([row(todo=todo.strip())])._repr_html_()


def test_it_is_a_listing() -> None:
    found = Report(ROWS)
    assert len(found) == 4
    assert found.columns == list(report.COLUMNS)
    assert list(found.df()["State"]) == ["ok", "warning", "wrong", "info"]
    assert "\x1b" not in Report([row(found="\x1b[2J")]).text
