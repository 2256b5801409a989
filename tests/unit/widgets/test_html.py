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
    assert made.count("&lt;img") == 4
    assert "\x1b" not in made
    assert "\nnext" not in made
    assert "<script" not in made


def test_it_says_when_it_was_and_is_found_by_its_view():
    made = copy()
    assert "copy of 19" in made
    assert 'class="notebook-mux-copy notebook-mux-abc"' in made
    assert "1 row ·" in made


def test_rows_and_cells_are_bounded():
    made = copy(rows=[["x" * 5000]] * 1000, total=1000)
    assert made.count("<tr>") == html.MAX_ROWS + 1
    assert "1000 rows, the first 200 shown" in made
    assert "x" * (html.MAX_CELL + 1) not in made
