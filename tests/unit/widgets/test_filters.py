"""A table's filter from Python and from pages: looked at before it is set, and the same for rows and for the copy."""

from __future__ import annotations

import json
import random

import pytest
import traitlets

from notebook_mux.errors import BadFilter
from notebook_mux.printing.rows import Rows
from notebook_mux.widgets.table import Table
from tests.unit.widgets.conftest import Page
from tests.unit.widgets.fakes import FakeStream, pod


@pytest.fixture
def stream() -> FakeStream:
    """Forty pods in two clusters, each with a label of its app."""
    made = FakeStream(("a", "b"))
    rng = random.Random(3)
    for number in range(40):
        record = pod(number, rng)
        record.object = json.dumps({"metadata": {"labels": {"app": record.name.partition("-")[0]}}}).encode()
        made.put(record, cluster="ab"[number % 2])
    return made


@pytest.fixture
def table(stream: FakeStream) -> Table:
    """A table of them."""
    return Table(stream)


def names(table: Table) -> list[str]:
    return [row["Name"] for row in table.rows]


def test_the_grammar_in_python(table):
    whole = table.rows
    assert isinstance(whole, Rows)
    table.filter = "app=web,api -n shop --cluster a age>1s !completed"
    assert names(table) == [  # ages may have gone on between the two
        row["Name"]
        for row in whole
        if row["Name"].startswith(("web-", "api-"))
        and (row["Cluster"], row["Namespace"]) == ("a", "shop")
        and row["Status"] != "Completed"
    ]
    rows = table.rows
    assert rows.filter("status=Running") == [row for row in rows if row["Status"] == "Running"]


def test_faults_are_a_setting_of_their_own(table):
    table.faults = True
    faulty = table.rows
    assert {row["Status"] for row in faulty} & {"CrashLoopBackOff", "Error", "Pending"}
    assert {row["Status"] for row in faulty}.isdisjoint({"Running", "Completed"})
    table.apply(faults=False, filter="--faults")
    assert names(table) == [row["Name"] for row in faulty]
    table.apply(filter="restarts>0", faults=True)
    assert names(table) == [row["Name"] for row in faulty if row["Restarts"] != "0"]


@pytest.mark.parametrize("text", ["cpu>200m", "web statu>3", '"web', "-n", "age>5", "-l app in (a", "/(/"])
def test_what_cannot_be_read_is_refused_and_nothing_is_set(table, text):
    table.apply(filter="web", wide=True)
    with pytest.raises(BadFilter) as caught:
        table.apply(filter=text, wide=False)
    assert caught.value.start is not None
    with pytest.raises(BadFilter):
        table.filter = text
    assert (table.filter, table.wide) == ("web", True)
    with pytest.raises(BadFilter):
        Table(table.stream, name=f"another {text}", filter=text)


def test_a_column_that_comes_with_the_same_call_is_known(table):
    table.apply(filter="cpu>200m owner~x", usage=True, columns={"Name": None, "Owner": ".metadata.owner"})
    table.usage = False
    with pytest.raises(BadFilter, match="usage=True"):
        _ = table.rows
    assert table._static_html().count("<tr>") == 1, "no row has such an owner; what else can be read of it counts"
    table.apply(filter="", labels=["app"])
    table.filter = "app>web"
    assert names(table) == []
    table.filter = "app>=web"
    assert {name.partition("-")[0] for name in names(table)} == {"web"}


def test_a_page_is_told_what_is_wrong_with_what_it_sets(table):
    page = Page(table)
    page.here()
    table.turn(0.0)
    answer = page.say(t="set", view="v1", name="filter", value="statu>3")
    assert answer is not None
    assert answer["ok"] is False
    assert "did you mean Status?" in answer["error"]
    assert table.filter == ""
    answer = page.say(t="set", view="v1", name="filter", value="status=Running")
    assert answer is not None
    assert answer["ok"] is True
    page.say(t="set", view="v1", name="faults", value=True)
    assert (table.filter, table.faults) == ("status=Running", True)


def test_a_linked_filter_is_looked_at_too(table):
    class Other(traitlets.HasTraits):
        text = traitlets.Unicode()

    other = Other()
    traitlets.link((table, "filter"), (other, "text"))
    other.text = "status=Running"
    assert table.filter == "status=Running"
    with pytest.raises(BadFilter):
        other.text = "statu<"
    assert table.filter == "status=Running"


def test_the_copy_has_the_rows_that_pass(table):
    table.apply(filter="app=web -n shop")
    made = table._static_html()
    assert made.count("<tr>") == 1 + len(table.rows)
