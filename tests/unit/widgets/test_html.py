from __future__ import annotations

from typing import Any

from notebook_mux.widgets import html

EVIL = "<img src=x onerror=alert(1)>\"'&\x1b[31m\nnext"


def copy(**more) -> str:
    given: dict[str, Any] = {
        "key": "abc", "title": "pods", "states": [], "columns": ["Name"], "rows": [["web-0"]], "total": 1, "now": 0.0,
    }  # fmt: skip
    return html.copy(**(given | more))


def test_what_a_cluster_says_is_text():
    made = copy(title=EVIL, states=[EVIL], columns=[EVIL], rows=[[EVIL]])
    assert "<img" not in made
    assert made.count("&lt;img") == 5  # the title is the table's name too
    assert "\x1b" not in made
    assert "\nnext" not in made
    assert "<script" not in made


def test_it_says_when_it_was_and_is_found_by_its_view():
    made = copy()
    assert "copy of 19" in made
    assert 'class="notebook-mux-copy notebook-mux-abc"' in made
    assert "1 row<" in made
    assert "copy of 19" in copy(origin="kind-a")
    assert " from kind-a · run the cell" in copy(origin="kind-a")


def test_rows_and_cells_are_bounded():
    made = copy(rows=[["x" * 5000]] * 1000, total=1000)
    assert made.count("<tr>") == 1 + html.MAX_ROWS + 1
    assert "… and 800 more rows" in made
    assert "1000 rows, the first 200 shown" in made
    assert "x" * (html.MAX_CELL + 1) not in made


def test_beside_a_live_view_it_knows_what_became_of_that():
    assert "No live view: this page has no anywidget extension" in copy()
    assert "No live view" not in copy(beside=False)
    assert "@media print" in copy(beside=False)


def test_how_a_cluster_stood():
    assert html.standing("a", "live", "", None, None) == "a: live"
    made = html.standing("a", "login", "failed", "no browser", 1.0)
    assert made.startswith("a: login (failed: no browser) · rows are from 19")


def test_in_text_nothing_drives_a_terminal():
    given: dict[str, Any] = {"title": "pods", "states": [EVIL], "columns": ["Name", "Ready"], "now": 0.0, "key": "abc"}
    made = html.text(**given, rows=[[EVIL, "1/1"], ["web-0", "0/1"]], total=2)
    head, _, *table = made.split("\n")
    assert head.startswith("pods · 2 rows · as of 19")
    assert "\x1b" not in made
    assert len(table) == 3
    assert table[2].split() == ["web-0", "0/1"]
    assert table[1].index("1/1") == table[2].index("0/1")
    assert html.text(**given | {"states": []}, rows=[], total=0).count("\n") == 0


def test_a_tone_is_a_shape_and_words_too():
    cells = [
        html.Cell("Running", "good", "", shaped=True),
        html.Cell("CrashLoopBackOff", "bad", "the container ends again and again", shaped=True),
        html.Cell("12", "warn", right=True),
        html.Cell("0/1", "done"),
    ]
    made = copy(columns=list("abcd"), rows=[cells])
    assert "●</span> Running" in made
    assert 'title="the container ends again and again"' in made
    assert "■</span> <span" in made
    assert made.count("text-align:right") == 2, "the column's title stands above its numbers"
    assert "▲</span> 12" in made
    assert ">0/1<" in made
    plain = html.text(key="k", title="pods", states=[], columns=list("abcd"), rows=[cells], total=1, now=0.0)
    assert plain.split("\n")[-1] == "● Running  ■ CrashLoopBackOff  ▲ 12  0/1"


def test_groups_stand_above_their_rows():
    rows: list[html.Line] = [html.Group("shop", 2), ["web-0"], ["web-1"], html.Group(EVIL, 1), ["api"]]
    made = copy(rows=rows, total=3)
    assert made.count('scope="rowgroup"') == 2
    assert made.index("shop") < made.index("web-0")
    assert "<img" not in made
    plain = html.text(key="k", title="pods", states=[], columns=["Name"], rows=rows, total=3, now=0.0)
    assert plain.split("\n")[1:4] == ["Name", "— shop · 2", "web-0"]
    assert "\x1b" not in plain


def test_how_it_was_looked_at_is_said():
    assert "1 row · filter: web · sorted by Age" in copy(about=["filter: web", "sorted by Age"])


def test_titles_of_columns_drive_no_terminal() -> None:
    shown = html.text(key="k", title="t", states=[], columns=["a\x1b[31m"], rows=[["x"]], total=1, now=0.0)
    assert "\x1b" not in shown
