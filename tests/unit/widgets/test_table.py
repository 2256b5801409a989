from __future__ import annotations

import json
import random
import time

import pytest
import traitlets

from notebook_mux.errors import Closed, InvalidArgument
from notebook_mux.widgets.table import Reference, Table

from .conftest import Page
from .fakes import PODS, FakeStream, pod, state
from .page_copy import PageCopy

RNG = random.Random(3)


@pytest.fixture
def stream() -> FakeStream:
    made = FakeStream(("a", "b"))
    made.put(*(pod(number, RNG) for number in range(6)), cluster="a")
    made.put(pod(0, RNG), cluster="b")
    return made


def shown(page: Page) -> dict[tuple[int, str], list]:
    """What the page has after all messages so far."""
    copy = PageCopy()
    for content, buffers in page.puts:
        whole = content.get("whole")
        copy.take(buffers[0], (buffers[1], whole["part"], whole["last"]) if whole else None)
    return copy.rows


def run(table: Table, page: Page, now: float | None = None) -> float:
    """Turns until there is nothing to say, acknowledged as they come."""
    now = now or time.monotonic()
    for _ in range(200):
        sent, _ = table.turn(now)
        if sent:
            page.say(t="ack", n=page.last()[0]["n"])
        elif not table._rows.pending:
            break
        now += 0.05
    return now + 1


def test_a_page_gets_all_rows_then_what_changes(table, stream):
    page = Page(table)
    page.here()
    now = run(table, page)
    assert len(shown(page)) == 7
    content, _ = page.puts[0]
    head = content["head"]
    assert [cluster["name"] for cluster in head["clusters"]] == ["a", "b"]
    assert head["several"] == [True, True]
    assert [c["title"] for c in head["columns"] if not c["wide"]] == ["Name", "Ready", "Status", "Restarts", "Age"]
    assert content["total"] == 7
    before = len(page.puts)
    newer = pod(1, RNG, version=9)
    stream.put(newer, cluster="a")
    stream.delete(pod(2, RNG), cluster="a")
    run(table, page, now)
    assert len(page.puts) == before + 1
    assert len(shown(page)) == 6
    assert shown(page)[0, newer.uid][4] == json.loads(newer.cells)


def test_ten_thousand_rows_and_a_storm_stay_within_20_messages_a_second(table, stream):
    stream.put(*(pod(number, RNG) for number in range(10_000)), cluster="a")
    page = Page(table)
    page.here()
    now = run(table, page)
    assert len(shown(page)) == 10_001
    assert len(page.puts) < 20
    before = len(page.puts)
    for step in range(100):  # a second, in steps of the gateway's batches
        stream.put(*(pod(RNG.randrange(10_000), RNG, version=step + 2) for _ in range(10)), cluster="a")
        if table.turn(now + step / 100)[0]:
            page.say(t="ack", n=page.last()[0]["n"])
    assert len(page.puts) - before <= 20
    run(table, page, now + 2)
    latest = {(0, uid): json.loads(record.cells) for uid, record in stream.records["a"].items()}
    assert {key: row[4] for key, row in shown(page).items() if key[0] == 0} == latest


def test_a_second_page_gets_everything_and_the_first_only_changes(table, stream):
    first = Page(table, "p1")
    first.here()
    now = run(table, first)
    second = Page(table, "p2")
    second.here()
    table.turn(now)
    assert second.last()[0]["whole"]["to"] == ["p2"]


def test_a_page_that_comes_while_another_is_told_everything_costs_that_one_nothing(table, stream):
    stream.put(*(pod(number, RNG) for number in range(5000)), cluster="a")
    first = Page(table, "p1")
    first.here()
    now = time.monotonic()
    table.turn(now)  # the first part
    first.say(t="ack", n=first.last()[0]["n"])
    first.here(watching=False, have=first.last()[0]["n"], epoch=first.last()[0]["epoch"])
    Page(table, "p2").here()
    run(table, first, now + 1)
    have = set()
    for content, buffers in first.puts:
        told = json.loads(buffers[1]) if "p1" in content.get("whole", {"to": ()})["to"] else []
        have |= {(row[0], row[1]) for row in [*json.loads(buffers[0])[0], *told]}
    assert len(have) == 5001
    assert first.last()[0]["whole"]["last"]


def test_a_gap_brings_everything_again(table, stream):
    page = Page(table)
    page.here()
    now = run(table, page)
    content, _ = page.last()
    page.here(have=content["n"] - 1, epoch=content["epoch"], gap=True)
    table.turn(now)
    assert page.last()[0]["whole"]["to"] == ["p1"]


def test_a_hidden_page_gets_nothing_and_then_only_what_changed(table, stream):
    page = Page(table)
    page.here()
    now = run(table, page)
    content, _ = page.last()
    page.here(have=content["n"], epoch=content["epoch"], watching=False)
    before = len(page.puts)
    for version in range(2, 50):
        stream.put(pod(1, RNG, version=version), cluster="a")
        assert table.turn(now + version)[0] is False
    assert len(page.puts) == before
    page.here(have=content["n"], epoch=content["epoch"])
    table.turn(now + 60)
    content, buffers = page.last()
    assert "whole" not in content
    assert len(json.loads(buffers[0])[0]) == 1


def away(table: Table, stream: FakeStream, page: Page, changed: int) -> tuple[dict, float]:
    """A page that has seen 2,000 pods and is hidden while so many of them change: what it says then, and the time."""
    rng = random.Random(changed)
    stream.put(*(pod(number, rng) for number in range(2000)), cluster="a")
    page.here()
    now = run(table, page)
    content, _ = page.last()
    page.here(have=content["n"], epoch=content["epoch"], watching=False)
    stream.put(*(pod(number, rng, version=2) for number in range(changed)), cluster="a")
    return {"have": content["n"], "epoch": content["epoch"]}, now + 60


def test_a_page_that_comes_back_has_first_what_is_on_its_screen(table, stream):
    page = Page(table)
    said, now = away(table, stream, page, 2000)
    page.here(**said, places={"view": "v1", "sort": "-Restarts", "first": 0, "last": 30})
    before = len(page.puts)
    table.turn(now)
    content, buffers = page.last()
    ahead = content["ahead"]
    assert (ahead["page"], ahead["view"], ahead["sort"], ahead["first"]) == ("p1", "v1", "-Restarts", 0)
    table.sort = "-Restarts"
    found = [("ab"[cluster], stream.records["ab"[cluster]][uid]) for cluster, uid in ahead["rows"]]
    wanted = [(row["Cluster"], row["Namespace"], row["Name"]) for row in table.rows[:30]]
    assert [(cluster, record.namespace, record.name) for cluster, record in found] == wanted
    assert {row[1] for row in json.loads(buffers[0])[0]} <= {uid for _, uid in ahead["rows"]}
    assert content["more"]
    run(table, page, now)
    assert [content.get("ahead") for content, _ in page.puts[before + 1 :]] == [None] * (len(page.puts) - before - 1)
    latest = {(0, uid): json.loads(record.cells) for uid, record in stream.records["a"].items()}
    assert {key: row[4] for key, row in shown(page).items() if key[0] == 0} == latest


@pytest.mark.parametrize(
    ("changed", "sort", "more"),
    [(2000, "-Restarts", {"have": -1}), (2000, "app", {}), (100, "-Restarts", {}), (2000, "-Restarts", {"gap": True})],
)
def test_and_else_all_as_it_comes(table, stream, changed, sort, more):
    table.labels = ("app",)
    page = Page(table)
    said, now = away(table, stream, page, changed)
    page.here(**(said | more), places={"view": "v1", "sort": sort, "first": 0, "last": 30})
    before = len(page.puts)
    run(table, page, now)
    assert not [content for content, _ in page.puts[before:] if "ahead" in content]
    latest = {(0, uid): json.loads(record.cells) for uid, record in stream.records["a"].items()}
    assert {key: row[4][: len(latest[key])] for key, row in shown(page).items() if key[0] == 0} == latest


def test_nothing_goes_ahead_of_nothing(table, stream, monkeypatch):
    page = Page(table)
    said, now = away(table, stream, page, 100)
    page.here(**said, places={"view": "v1", "sort": "", "first": 0, "last": 500})
    monkeypatch.setattr(table._rows, "ahead", lambda *_: list(table._rows.latest))
    assert table.turn(now)[0]
    content, _ = page.last()
    assert not {"ahead", "more"} & content.keys(), "all is there: the page need not wait for others"


def test_a_table_whose_order_cannot_be_found_goes_on(table, stream, monkeypatch):
    page = Page(table)
    said, now = away(table, stream, page, 2000)

    def ahead(*_: object) -> None:
        raise KeyError("nobody knows why")

    monkeypatch.setattr(table._rows, "ahead", ahead)
    page.here(**said, places={"view": "v1", "sort": "-Restarts", "first": 0, "last": 30})
    assert table.turn(now)[0]
    assert "ahead" not in page.last()[0]


def test_what_a_page_shows_counts_when_it_comes_back_and_not_while_it_is_there(table, stream):
    page = Page(table)
    said, now = away(table, stream, page, 0)
    page.here(**said)
    now = run(table, page, now)
    content, _ = page.last()
    rng = random.Random(5)
    stream.put(*(pod(number, rng, version=3) for number in range(2000)), cluster="a")
    page.here(have=content["n"], epoch=content["epoch"],
              places={"view": "v1", "sort": "", "first": 0, "last": 30})  # fmt: skip
    table.turn(now)
    assert "ahead" not in page.last()[0]


def test_a_clusters_trouble_is_told_with_its_words(table, stream):
    page = Page(table)
    page.here()
    now = run(table, page)
    stream.say("b", name="login", reason="the token has expired", said="exec: not found", todo="log in again")
    table.turn(now)
    cluster = page.last()[0]["head"]["clusters"][1]
    assert (cluster["state"], cluster["reason"], cluster["said"], cluster["todo"]) == (
        "login", "the token has expired", "exec: not found", "log in again",
    )  # fmt: skip
    assert table.turn(now + 1)[0] is False, "said once"


def test_a_row_clicked_is_selected_in_python(table, stream):
    page = Page(table)
    page.here()
    run(table, page)
    heard = []
    table.observe(lambda change: heard.append(change.new), "selected")
    record = pod(3, RNG)
    answer = page.say(t="select", view="v1", rows=[[0, record.uid], [1, "gone meanwhile"]])
    assert answer is not None
    assert answer["selected"] == 1
    wanted = Reference("a", record.namespace, record.name, record.uid, "Pod")
    assert table.selected == (wanted,)
    assert heard == [(wanted,)]
    page.say(t="select", view="v2", rows=[])
    assert table.selected == ()


def test_selected_can_be_linked(table, stream):
    page = Page(table)
    page.here()
    run(table, page)

    class Other(traitlets.HasTraits):
        value = traitlets.Tuple()

    other = Other()
    traitlets.dlink((table, "selected"), (other, "value"))
    page.say(t="select", view="v1", rows=[[0, pod(3, RNG).uid]])
    assert other.value == table.selected != ()


def test_settings_from_python_and_from_a_page(table):
    page = Page(table)
    page.here()
    now = run(table, page)
    table.wide = True
    table.turn(now)
    assert page.last()[0]["head"]["settings"]["wide"] is True
    before = page.last()[0]["head"]["settings"]["at"]
    said = page.say(t="set", view="v9", name="filter", value="web")
    assert said is not None
    assert (table.filter, said["at"]) == ("web", before + 1)
    table.turn(now + 1)
    settings = page.last()[0]["head"]["settings"]
    assert (settings["filter"], settings["at"]) == ("web", said["at"])
    for name, value in (("filter", True), ("wide", "yes"), ("height", "9"), ("_stream", "x")):
        answer = page.say(t="set", view="v9", name=name, value=value)
        assert answer is not None
        assert answer["ok"] is False


def test_rows_are_filtered_and_in_order(table):
    table.apply(filter="api", sort="-Name")
    names = [row["Name"] for row in table.rows]
    assert names == ["api-0"]
    table.apply(filter="!api", sort="Name", wide=True)
    names = [row["Name"] for row in table.rows]
    assert names == sorted(names)
    assert len(names) == 6
    assert "IP" in table.columns


def test_columns_are_chosen_by_title(table):
    assert table.columns == ["Name", "Ready", "Status", "Restarts", "Age"]
    table.columns = ["Name", "Node"]
    assert table.columns == ["Name", "Node"]
    table.columns = None
    assert "Ready" in table.columns


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"columns": ["Nam"]}, "Name"),
        ({"columns": "Name"}, "list of titles"),
        ({"sort": "-Nowhere"}, "Nowhere"),
        ({"wide": "yes"}, "wide"),
        ({"filter": 3}, "filter"),
        ({"height": 3}, "height cannot be 3"),
        ({"height": "tall"}, "height"),
    ],
)
def test_bad_settings_are_refused_and_nothing_is_set(table, settings, words):
    before = (table.columns, table.wide, table.filter, table.sort, table.height)
    with pytest.raises(InvalidArgument, match=words):
        table.apply(**({"wide": True} | settings))
    assert (table.columns, table.wide, table.filter, table.sort, table.height) == before


@pytest.mark.parametrize(("name", "value"), [("sort", "Nowhere"), ("height", -5), ("group", "x"), ("labels", ["!"])])
def test_a_trait_takes_what_apply_takes(table, name, value):
    before = getattr(table, name)
    with pytest.raises(InvalidArgument):
        setattr(table, name, value)
    assert getattr(table, name) == before


def test_titles_are_looked_for_where_nobody_looks_at_the_table(stream, pokes):
    table = Table(stream, source=lambda: stream)
    for settings in ({"columns": ["Nowhere"]}, {"sort": "Nowhere"}):
        with pytest.raises(InvalidArgument, match="Nowhere"):
            table.apply(**settings)
    table.apply(columns=["Name", "Mine:.metadata.uid"], sort="Mine")
    assert (table.columns, table.sort) == (["Name", "Mine"], "Mine")
    table.close()


def test_the_copy_has_the_rows_of_now_and_no_markup_of_theirs(table, stream):
    evil = pod(8, RNG)
    evil.cells = json.dumps(["<script>alert(1)</script>", *json.loads(evil.cells)[1:]]).encode()
    stream.put(evil, cluster="a")
    stream.say("b", name="stale", reason="<b>lost</b>")
    made = table._static_html()
    assert "<script" not in made
    assert "&lt;script&gt;" in made
    assert "<b>lost" not in made
    assert "b: stale" in made
    assert made.count("<tr>") == 1 + 8


def test_a_stream_is_let_go_when_nobody_looks_and_had_again(stream, pokes):
    given = []

    def source():
        given.append(1)
        return stream

    table = Table(stream, source=source)
    page = Page(table)
    page.here()
    now = run(table, page)
    assert (len(given), len(stream.feeds)) == (1, 1)
    page.say(t="bye")
    table.turn(now)
    assert stream.feeds == []
    assert table._stream is None
    page.here()
    run(table, page)
    assert len(given) == 2
    table.close()
    assert stream.feeds == []


def test_a_stream_that_others_ended_is_had_again(stream, pokes):
    current = [stream]
    table = Table(stream, source=lambda: current[0])
    page = Page(table)
    page.here()
    now = run(table, page)
    current[0] = FakeStream(("a", "b"))
    current[0].put(pod(1, RNG), cluster="a")
    stream.close()
    run(table, page, now)
    assert page.last()[0]["head"]["closed"] is False
    assert page.last()[0]["total"] == 1
    table.close()


def test_a_closed_stream_is_told(table, stream):
    page = Page(table)
    page.here()
    now = run(table, page)
    stream.close()
    table.turn(now)
    assert page.last()[0]["head"]["closed"] is True


def test_a_closed_table_reads_no_more(table):
    table.close()
    assert table.closed
    with pytest.raises(Closed, match="run the cell"):
        _ = table.rows
    assert "closed" in repr(table)


def test_a_kind_that_is_known_later_sends_the_rows_with_their_clocks(pokes):
    stream = FakeStream(("a",))
    stream.states["a"] = state("connecting", synced=False, resource=None)
    stream.put(pod(1, RNG))
    table = Table(stream)
    page = Page(table)
    page.here()
    now = run(table, page)
    stream.states["a"] = state(resource=PODS)
    stream.say("a", name="live", resource=PODS)
    run(table, page, now)
    row = shown(page)[0, pod(1, RNG).uid]
    assert "4" in row[5]
    table.close()


def test_nothing_of_the_rows_is_a_synced_trait(table):
    page = Page(table)
    page.here()
    run(table, page)
    saved = repr(table.get_state())
    assert "api-0" not in saved
    assert "kind-a" not in saved
