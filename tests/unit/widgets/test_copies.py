"""The copy that a saved notebook keeps of a table."""

from __future__ import annotations

import random
import re
import threading

import pytest

from notebook_mux.widgets import html
from notebook_mux.widgets.copies import Look, group_title
from notebook_mux.widgets.table import Table
from tests.waiting import eventually

from .conftest import Page
from .fakes import FakeStream, pod
from .test_table import run

RNG = random.Random(6)


@pytest.fixture
def stream() -> FakeStream:
    made = FakeStream(("prod",))
    made.put(*(pod(number, RNG) for number in range(12)))
    return made


def lines(table: Table) -> list[str]:
    return table._static_text().split("\n")


def column(table: Table, at: int) -> list[str]:
    return [re.split(r"\s{2,}", line)[at] for line in lines(table)[1:] if not line.startswith("— ")]


def test_the_rows_are_as_their_user_saw_them(table):
    table.apply(filter="-n shop", sort="-Name", columns=["Status", "Name"], group="namespace")
    head, *rest = lines(table)
    assert re.match(
        r"pods · \d+ rows · filter: -n shop · grouped by namespace · sorted by Name descending · as of .* from prod",
        head,
    )
    assert rest[1].startswith("— shop · ")
    titles = column(table, 0)
    assert titles[0] == "Namespace"
    names = column(table, -1)
    assert names[0] == "Name"
    assert names[1:] == sorted(names[1:], reverse=True)
    made = table._static_html()
    assert 'scope="rowgroup"' in made
    assert made.index(names[1]) < made.index(names[-1])
    assert re.search(r"copy of \d{4}-.* from prod · run the cell", made)


def test_the_sort_of_the_view_that_was_arranged_last_counts(table):
    table.sort = "Name"
    Page(table).say(t="layout", view="v", order=["Name"], hidden=["Status", "Namespace"], sort="-Name")
    names = column(table, 0)
    assert names[0] == "Name"
    assert names[1:] == sorted(names[1:], reverse=True)
    assert "Status" not in lines(table)[1]


def test_states_have_a_shape_and_numbers_stand_at_the_right(table, stream):
    record = pod(0, RNG)
    record.cells = record.cells.replace(b"Running", b"CrashLoopBackOff")
    stream.put(record)
    table.apply(columns=["Name", "Status", ("Size", len)])
    made = table._static_html()
    assert made.count("text-align:right") == 1 + 12
    assert {"●", "■"} & set(made)


def test_what_is_said_beside_the_table_is_in_it(table):
    look = Look("", True, None, "label:app")
    assert look.words() == ["faults only", "grouped by label:app"]
    assert Look().words() == []
    assert [group_title("label:app", one) for one in ("web", "")] == ["app=web", "no label app"]
    assert [group_title("node", one) for one in ("n1", "")] == ["n1", "no node"]


def test_more_rows_than_a_copy_has_are_counted(table, stream):
    stream.put(*(pod(number, RNG) for number in range(500)))
    assert "… and 300 more rows" in table._static_html()
    made = table._copies()["text/plain"]
    assert made.count("\n") == html.TEXT_ROWS + 2
    assert made.endswith("… and 450 more rows")


def test_freezing_waits_for_no_function(table, stream, monkeypatch):
    written = []
    monkeypatch.setattr("IPython.display.display", lambda copy, **more: written.append(copy["text/html"]))
    go, calls = threading.Event(), []
    table.apply(columns=["Name", ("Size", lambda obj: calls.append(1) or (go.wait(60) and "done"))])
    page = Page(table)
    page.here()
    run(table, page)
    eventually(lambda: calls, "the first row's is called", seconds=30)
    answer = page.say(t="do", view="v", what="freeze", sort="-Name")
    assert answer is not None
    assert answer["ok"]
    assert len(calls) == 1
    assert written[0].count(">…<") == 12
    assert "sorted by Name descending" in written[0]
    go.set()
