"""A listing as a value, as text and as HTML."""

from __future__ import annotations

import re
import sys

import pandas as pd
import pytest

from notebook_mux.errors import InvalidArgument
from notebook_mux.printing import listing
from notebook_mux.printing.listing import Listing

ROWS = [
    {"Name": "dev", "Ready": True, "Verbs": ["get", "list"], "Problem": None},
    {"Name": "prod", "Ready": False, "Verbs": []},
]
COLUMNS = ["Name", "Ready", "Verbs", "Problem"]


def test_it_is_a_value():
    found = Listing("things", COLUMNS, ROWS, ["a note", ""])
    assert found.columns == COLUMNS
    assert found.rows == [ROWS[0], {**ROWS[1], "Problem": None}]
    assert list(found) == found.rows
    assert len(found) == 2
    assert found.notes == ["a note"]
    found.rows[0]["Name"] = "changed"
    found.columns.clear()
    assert found.rows[0]["Name"] == "dev"
    assert found.columns == COLUMNS


def test_an_empty_one_is_false_and_says_its_notes():
    found = Listing("things", COLUMNS, [], ["looked here and there"])
    assert not found
    assert found.text.splitlines()[1:] == ["looked here and there"]
    assert "<table" not in found._repr_html_()
    assert list(found.df().columns) == COLUMNS


def test_text_has_no_empty_column():
    lines = Listing("things", COLUMNS, ROWS, ["a note"]).text.splitlines()
    assert lines[0].startswith("things · 2 rows · ")
    assert lines[1:] == ["Name  Ready  Verbs", "dev   yes    get, list", "prod  no", "a note"]
    assert str(Listing("things", COLUMNS, ROWS)).splitlines()[1:] == lines[1:-1]


def test_a_frame():
    frame = Listing("things", COLUMNS, ROWS).df()
    assert isinstance(frame, pd.DataFrame)
    assert list(frame["Name"]) == ["dev", "prod"]


def test_a_frame_without_pandas(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(InvalidArgument, match="needs pandas"):
        Listing("things", COLUMNS, ROWS).df()


def test_html_is_escaped_and_follows_the_theme():
    bad = "<script>alert(1)</script>\x1b[31m\u202e"
    shown = Listing(bad, ["A<b>"], [{"A<b>": bad}], [bad])._repr_html_()
    assert "<script" not in shown
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert shown.count("&lt;script&gt;") == 3
    assert "A&lt;b&gt;" in shown
    assert "var(--jp-ui-font-color1,inherit)" in shown
    assert not re.search(r"#[0-9a-f]{3,6}(?!\))\b(?![^(]*\))", shown.replace("#8884)", ")")), "no colour of one theme"


def test_text_drives_no_terminal():
    shown = Listing("t", ["Name"], [{"Name": "a\x1b]0;x\x07b\nc"}], ["n\x1b[2J"]).text
    assert "\x1b" not in shown
    assert "\x07" not in shown
    assert len(shown.splitlines()) == 4


def test_long_ones_are_cut_where_they_are_shown():
    rows = [{"Name": "x" * 500} for _ in range(listing.MAX_ROWS + 3)]
    found = Listing("t", ["Name"], rows)
    assert "… 3 more" in repr(found)
    assert "… 3 more" in found._repr_html_()
    assert len(found.text.splitlines()) == listing.MAX_ROWS + 5, "a title, a head, and all rows"
    assert max(map(len, repr(found).splitlines())) == listing.MAX_CELL
    assert found.rows[0]["Name"] == "x" * 500


def test_the_bundle():
    found = Listing("t", ["Name"], [{"Name": "a"}])
    assert found._repr_mimebundle_() == {"text/plain": repr(found), "text/html": found._repr_html_()}
