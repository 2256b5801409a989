from __future__ import annotations

import json
import random
import threading
import time
from typing import Any

import pytest

from notebook_mux.errors import InvalidArgument
from notebook_mux.widgets import extras
from notebook_mux.widgets.columns import Column, Wish, base_titles, label_titles, laid_out, wishes
from notebook_mux.widgets.layouts import Layout
from notebook_mux.widgets.table import Table
from notebook_mux.wire.frames import Record
from tests.waiting import eventually

from .conftest import Page
from .fakes import FakeStream, pod
from .test_table import run, shown

RNG = random.Random(5)
KNOWN = ["Cluster", "Namespace", "Name", "Ready", "Status"]


def labelled(number: int, **more: object) -> Record:
    record = pod(number, RNG)
    owners = [{"kind": "ReplicaSet", "name": "web-5d", "controller": True}]
    metadata = {"name": record.name, "namespace": record.namespace, "labels": {"app": "web", "a/tier": "x"}}
    record.object = json.dumps({"metadata": {**metadata, "ownerReferences": owners}, **more}).encode()
    return record


@pytest.fixture
def stream() -> FakeStream:
    made = FakeStream(("a", "b"))
    made.put(labelled(1, spec={"nodeName": "n1"}), cluster="a")
    return made


@pytest.fixture
def page(table):
    made = Page(table)
    made.here()
    return made


def settings_of(table: Table, page: Page) -> dict:
    run(table, page, time.monotonic() + 10 * len(page.sent))
    return page.last()[0]["head"]["settings"]


@pytest.mark.parametrize(
    ("columns", "wanted"),
    [
        (None, None),
        (["Name", "Status"], (Wish("Name"), Wish("Status"))),
        (("Name", "Image:.spec.image"), (Wish("Name"), Wish("Image", ".spec.image"))),
        (["Name", "Image: {.spec.image}"], (Wish("Name"), Wish("Image", "{.spec.image}"))),
        ([("Image", "spec.image"), ("Parts", len)], (Wish("Image", "spec.image"), Wish("Parts", function=len))),
        ({"Name": None, "Image": ".spec.image"}, (Wish("Name"), Wish("Image", ".spec.image"))),
    ],
)
def test_columns_are_asked_for_in_several_ways(columns, wanted):
    assert wishes(columns, KNOWN) == wanted


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ("Name", "list of titles"),
        (7, "list of titles"),
        (["Nam"], "one of: Name"),
        (["Name", "Name"], "twice"),
        (["Image:.spec.[?"], "JSONPath"),
        ([("Status", ".status.phase")], "already"),
        ([("Image", 3)], "neither"),
        ([("", ".spec")], "without a title"),
        ([["Image", ".a", ".b"]], "list of titles"),
    ],
)
def test_columns_that_cannot_be_had_are_refused(columns, words):
    with pytest.raises(InvalidArgument, match=words):
        wishes(columns, KNOWN)


def test_labels_are_titled_by_what_is_clear():
    keys = ("app", "app.kubernetes.io/name", "a/tier", "b/tier", "pod-template-hash")
    assert label_titles(keys, ["Name"]) == ["app", "app.kubernetes.io/name", "a/tier", "b/tier", "pod-template-hash"]
    assert label_titles(("x.example/zone",), ["Name"]) == ["zone"]


def columns_named(*titles: str, **sources: Any) -> list[Column]:
    return [Column(t, "string", "", t.startswith("Wide"), sources.get(t, "server")) for t in titles]


@pytest.mark.parametrize(
    ("chosen", "wide", "layout", "wanted"),
    [
        (None, False, None, "Cluster Name Status app"),
        (None, True, None, "Cluster Name Status WideIP app"),
        (["Status", "Name"], False, None, "Cluster Status Name app"),
        (["Name", "Cluster", "Gone"], False, None, "Name Cluster app"),
        (["Name"], True, Layout((), ("Name", "Elsewhere")), "Cluster app"),
        (None, False, Layout(("Status", "Cluster", "Name")), "Status app Cluster Name"),
        (None, False, Layout(("Name", "Status"), ("Status",)), "Cluster Name app"),
        (None, False, Layout(("app", "Name", "WideIP"), ("Cluster",)), "app Name Status"),
        (None, True, Layout(("app", "Name", "Gone", "Name"), ("Cluster",)), "app Name Status WideIP"),
        (["Name"], False, Layout((), ("Name", "Cluster", "app")), "Cluster"),
    ],
)
def test_what_is_shown_in_what_order(chosen, wide, layout, wanted):
    columns = columns_named("Name", "Status", "WideIP", "app", app="label")
    assert laid_out(base_titles(columns, ["Cluster"], chosen, wide=wide), layout) == wanted.split()


@pytest.mark.parametrize(
    ("chosen", "layout", "wanted"),
    [
        (None, None, "Name Status CPU Mem Age Node app"),
        (["Status", "Age", "Name"], None, "Status CPU Mem Age Name app"),
        (["Name", "Age", "Mem"], None, "Name CPU Age Mem app"),
        (["Name", "Status"], None, "Name Status app CPU Mem"),
        (None, Layout(("Name", "Status", "Age", "Node", "app", "CPU", "Mem")), "Name Status Age Node app CPU Mem"),
        (None, Layout(("Age", "Name", "Status")), "Age Node app Name Status CPU Mem"),
    ],
)
def test_usage_stands_beside_the_state_unless_somebody_arranged_it(chosen, layout, wanted):
    columns = columns_named("Name", "Status", "Age", "Node", "app", "CPU", "Mem", app="label", CPU="usage", Mem="usage")
    assert laid_out(base_titles(columns, [], chosen, wide=False), layout) == wanted.split()


def test_a_row_says_its_labels_and_whose_it_is(table, page):
    run(table, page)
    [row] = shown(page).values()
    assert row[6:] == [{"app": "web", "a/tier": "x"}, "ReplicaSet/web-5d"]


@pytest.fixture
def patient(monkeypatch):
    """Functions are waited for, however long they take."""
    monkeypatch.setattr(extras, "WAIT_SECONDS", 30.0)


@pytest.mark.usefixtures("patient")
def test_own_columns_and_labels_stand_behind_the_servers(table, page):
    table.apply(columns=["Name", "Node of:.spec.nodeName", ("Size", lambda obj: len(obj["spec"]))], labels=["a/tier"])
    run(table, page)
    head = page.last()[0]["head"]
    assert [(c["title"], c["source"]) for c in head["columns"][-3:]] == [
        ("Node of", "custom"), ("Size", "custom"), ("tier", "label"),
    ]  # fmt: skip
    assert head["settings"]["columns"] == ["Name", "Node of", "Size"]
    assert head["settings"]["shown"] == ["Cluster", "Namespace", "Name", "Node of", "Size", "tier"]
    assert table.columns == ["Name", "Node of", "Size", "tier"]
    [row] = shown(page).values()
    assert row[4][-3:] == ["n1", 1, "x"]


def test_the_head_says_what_is_shown_and_what_was_asked(table, page):
    run(table, page)
    head = page.last()[0]["head"]
    assert head["kind"] == {"kind": "Pod", "resource": "pods", "group": "", "namespaced": True}
    assert head["question"] == {
        "kind": "",
        "namespaces": [],
        "clusters": None,
        "selector": "",
        "fieldSelector": "",
        "all": [],
        "own": [],
    }
    assert head["write"] == [False, False]
    assert head["notes"] == []


def test_settings_that_a_page_may_change(table, page):
    page.say(t="set", view="v", name="faults", value=True)
    page.say(t="set", view="v", name="usage", value=True)
    page.say(t="set", view="v", name="group", value="label:app")
    assert (table.faults, table.usage, table.group) == (True, True, "label:app")
    settings = settings_of(table, page)
    assert (settings["faults"], settings["usage"], settings["group"]) == (True, True, "label:app")
    page.say(t="set", view="v", name="group", value="")
    assert table.group is None
    for name, value in (("faults", "yes"), ("group", "colour"), ("labels", "app"), ("sort", "Name")):
        answer = page.say(t="set", view="v", name=name, value=value)
        assert answer is not None
        assert answer["ok"] is False


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"group": "nodes"}, "did you mean 'node'"),
        ({"group": "label:"}, "label's key"),
        ({"group": 3}, "label:KEY"),
        ({"labels": ["a b"]}, "label's key"),
        ({"labels": 3}, "list of keys"),
        ({"usage": "yes"}, "usage"),
        ({"faults": "no"}, "faults"),
        ({"sort": "Name,-Nowhere"}, "Nowhere"),
    ],
)
def test_bad_settings_are_refused(table, settings, words):
    with pytest.raises(InvalidArgument, match=words):
        table.apply(**({"wide": True} | settings))
    assert table.wide is False


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("group", "nodes", "grouped by 'nodes'"),
        ("group", 5, "grouped by 5"),
        ("labels", ("a b",), "label's key"),
        ("labels", None, "list of keys"),
        ("sort", object(), "give a text or None"),
        ("filter", 5, "filter cannot be 5\n  next: give a text"),
        ("wide", "x", "wide cannot be 'x'\n  next: give True or False"),
        ("height", -3, "height cannot be -3\n  next: give a whole number from 80 to 4000"),
        ("selected", 5, "selected cannot be 5"),
    ],
)
def test_what_a_setting_cannot_be_is_refused_where_it_is_set(table, name, value, words):
    table.apply(group="node", labels="app", sort="Name", filter="web", wide=True, height=300)
    before = getattr(table, name)
    with pytest.raises(InvalidArgument) as refused:
        setattr(table, name, value)
    assert words in str(refused.value)
    assert getattr(table, name) == before


def test_one_label_is_a_list_of_one(table):
    table.labels = "app"
    assert table.labels == ("app",)
    table.apply(labels="tier", filter=b"web")
    assert (table.labels, table.filter) == (("tier",), "web")


def test_columns_arranged_in_a_page_are_pythons_too(table, page):
    arranged = {"order": ["Status", "Name", "Cluster"], "hidden": ["Restarts", "Namespace"], "widths": {"Name": 300}}
    before = settings_of(table, page)["at"]
    answer = page.say(t="layout", view="v1", **arranged)
    assert answer is not None
    assert table.columns == ["Status", "Age", "Name", "Ready", "Cluster"]
    settings = settings_of(table, page)
    assert settings["layout"] == arranged
    assert before < answer["at"] == settings["at"], "by it a page knows what is older than its own"
    page.say(t="layout", view="v1", kind="nodes", order=["Age"])
    assert table.columns == ["Status", "Age", "Name", "Ready", "Cluster"], "that was of what the table showed before"
    table.apply(columns=["Name", "Age"])
    assert table.columns == ["Name", "Age"], "what a cell says wins"
    page.say(t="layout", view="v1", **arranged)
    table.columns = None
    assert table.columns == ["Name", "Ready", "Status", "Restarts", "Age"]
    assert settings_of(table, page)["layout"] is None


@pytest.mark.parametrize("wrong", [{"order": "Name"}, {"widths": {"Name": 1}}, {"hidden": ["x" * 999]}, {"more": 1}])
def test_an_arrangement_that_is_none_is_refused(table, page, wrong):
    answer = page.say(t="layout", view="v1", **wrong)
    assert answer is not None
    assert answer["ok"] is False


def heads_of(page: Page) -> dict:
    return next(content["head"] for content, _ in reversed(page.puts) if "head" in content)


def test_a_function_that_comes_late_is_sent_when_it_comes(table, stream, page):
    go = threading.Event()
    table.apply(columns=["Name", ("Size", lambda obj: go.wait(60) and len(obj["spec"]))])
    now = run(table, page)
    [row] = shown(page).values()
    assert row[4][-1] == "…"
    go.set()
    eventually(lambda: not table._rows.extras.busy, seconds=30)
    run(table, page, now)
    [row] = shown(page).values()
    assert row[4][-1] == 1
    assert heads_of(page)["columns"][-1]["type"] == "integer"


@pytest.mark.usefixtures("patient")
def test_a_function_that_fails_breaks_nothing(table, stream, page):
    table.apply(columns=["Name", ("Size", lambda obj: len(obj["status"]))])
    now = run(table, page)
    [row] = shown(page).values()
    assert (row[3], row[4][-1]) == (row[4][0], "!KeyError")
    assert heads_of(page)["notes"] == ["the column Size: KeyError: 'status'"]
    table.apply(columns=["Name"])
    run(table, page, now)
    assert heads_of(page)["notes"] == []


def test_a_moment_in_a_column_of_ones_own_goes_on(table, stream, page):
    since = time.time() - 5 * 86400 - 100
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(since))
    stream.put(labelled(1, spec={"begun": stamp}), cluster="a")
    table.apply(columns=["Name", "Begun:.spec.begun"])
    run(table, page)
    [row] = shown(page).values()
    last = str(len(row[4]) - 1)
    assert row[5][last] == [int(since), "{}"]
    assert heads_of(page)["columns"][-1]["type"] == "date"
    assert table.rows[0]["Begun"] == "5d"


def test_rows_have_all_columns_in_python(table, stream):
    table.apply(columns=["Name", ("Size", lambda obj: len(obj["spec"]))], labels=["app", "none"])
    [row] = table.rows
    assert (row["Size"], row["app"], row["none"]) == (1, "web", "<none>")
    assert {"Cluster", "Namespace", "Ready", "Node"} <= row.keys()
