"""What goes ahead to a page that comes back is what that page has there when all is there, by the page's own code."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from notebook_mux.ages import human_duration
from notebook_mux.widgets import ahead as ahead_, rows as rows_
from notebook_mux.widgets.columns import Column, server_columns
from notebook_mux.widgets.rows import Key, Rows
from notebook_mux.wire.frames import Record
from tests.conftest import need

from .fakes import COLUMNS, PODS, pod

HERE = Path(__file__).parent
FRONTEND = HERE.parents[2] / "notebook_mux" / "widgets" / "frontend"
NOW = 1_800_000_000.0
CASES = 100
SECONDS = 100

DATED = {"name": "Made", "type": "date", "format": "", "description": "", "priority": 0, "jsonPath": ".status.made"}
WIDGET = {"name": "widgets", "group": "example.com"}
WIDGETS = [
    *COLUMNS[:1],
    *({**COLUMNS[1], "name": name} for name in ("Version", "Size", "Note", "Note")),
    COLUMNS[4],
    DATED,
]
"""Of a kind whose cells may be anything."""

NAMES = ("web-{}", "web-0{}", "Web-{}", "{}", "api-{}-x")
NOTES: list[Any] = [
    "", "<none>", None, "n/a", "0", "7", "10", "7 ", "1/3", "2/6", "0/0", "1", "v1.9", "v1.10", "v1.10-rc.1", "1.10",
    "5m", "100Mi", "80%", "3 (5m ago)", "Running", "running", "web-2", "web-10", "web-02", True, False, 3, 0.5,
    "-1", "+2",
]  # fmt: skip


def made(rng: random.Random, number: int, kind: Any) -> Record:
    """An object as it may be just now."""
    record = pod(number, rng, now=NOW)
    record.name = NAMES[number % len(NAMES)].format(number // 12)
    if kind is PODS:
        printed = json.loads(record.cells)
        printed[0] = record.name
        printed[4] = rng.choice((printed[4], "<unknown>", "<invalid>", human_duration(rng.randrange(90_000))))
        ended = {
            "lastState": {"terminated": {"finishedAt": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(NOW - 301))}}
        }
        record.object = json.dumps({"metadata": {"labels": {"n": str(rng.randrange(3))}},
                                    "status": {"containerStatuses": [ended]}}).encode()  # fmt: skip
    else:
        printed = [record.name, *(rng.choice(NOTES) for _ in range(3)), human_duration(rng.randrange(90_000)), "5m"]
    record.cells = json.dumps(rng.choice((printed,) * 20 + (printed[:3], []))).encode()
    return record


def head(rows: Rows, kind: Any) -> dict[str, Any]:
    """What a page is told of it."""
    columns = [column._asdict() for column in server_columns(rows.columns)]
    named = {"kind": "", "resource": kind["name"], "group": kind["group"], "namespaced": True}
    return {"columns": columns, "kind": named, "clusters": [{"name": name} for name in ("east-10", "east-9")]}


def sorts(rng: random.Random, rows: Rows) -> str:
    """Some sort, of nothing too."""
    titles = [*(column.title for column in server_columns(rows.columns)), "Cluster", "Namespace", "Nothing"]
    return ",".join(rng.choice(("", "-")) + rng.choice(titles) for _ in range(rng.randrange(3)))


def messages(rows: Rows, *, cells: bool = False) -> list[str]:
    """All that pages lack, or the cells of it."""
    found = []
    while rows.more if cells else rows.pending:
        found.append(rows.delta().decode())
    return found


def told(rng: random.Random) -> tuple[dict[str, Any], list[Key] | None, int]:
    """A table that changed while nobody looked: what a page is told then, what goes ahead, and from which place on."""
    kind = rng.choice((PODS, WIDGET))
    rows = Rows()
    rows.described(
        COLUMNS if kind is PODS else WIDGETS, {"east-10": kind, "east-9": kind}, rng.choice(((), ("east-9",)))
    )
    clusters = {name: {n: made(rng, n, kind) for n in range(rng.randrange(60))} for name in ("east-10", "east-9")}
    rows.take([("ADDED", name, one, None) for name, held in clusters.items() for one in held.values()])
    stages = [messages(rows)]
    for name, held in clusters.items():
        for number in range(70):
            before = held.get(number)
            if rng.random() < 0.2:
                continue
            if before is not None and rng.random() < 0.1:
                rows.take([("DELETED", name, held.pop(number), before)])
            elif before is not None or rng.random() < 0.2:
                held[number] = made(rng, number, kind)
                rows.take([("MODIFIED" if before else "ADDED", name, held[number], before)])
    sort, first = sorts(rng, rows), rng.choice((0, 0, rng.randrange(40)))
    keys = rows.ahead(sort, first, first + rng.randrange(50))
    rows.hasten()
    stages += [[rows.delta(keys).decode()], messages(rows, cells=True), messages(rows)]
    return {"head": head(rows, kind), "sort": sort, "stages": stages, "keys": keys or []}, keys, first


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What a page's own code makes of such messages."""
    node, esbuild = shutil.which("node"), FRONTEND / "node_modules" / ".bin" / "esbuild"
    need(None if node else "the page's code needs Node, and there is none on the PATH")
    need(None if esbuild.exists() else f"the page's code needs esbuild: run `npm ci` in {FRONTEND}")
    script = tmp_path_factory.mktemp("page") / "order.mjs"
    words = [str(HERE / "page_order.ts"), "--bundle", "--format=esm", "--platform=node", f"--outfile={script}"]
    subprocess.run([esbuild, *words, "--log-level=warning"], check=True, timeout=SECONDS)

    def read(cases: list[dict[str, Any]]) -> Any:
        done = subprocess.run([str(node), script], input=json.dumps(cases), capture_output=True, text=True, check=True,
                              timeout=SECONDS)  # fmt: skip
        return json.loads(done.stdout)

    return read


@pytest.mark.parametrize("seed", range(3))
def test_what_goes_ahead_is_what_will_be_there(page: Any, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    monkeypatch.setattr(rows_, "MANY", 0)
    rng = random.Random(seed)
    cases = [told(rng) for _ in range(CASES)]
    sure = 0
    for (case, keys, first), (_, ahead, cells, last) in zip(cases, page([case for case, _, _ in cases]), strict=True):
        if keys is None:
            continue
        sure += 1
        wanted = [list(key) for key in keys]
        for stage in (cells, last):
            assert stage["order"][first : first + len(wanted)] == wanted, case["sort"]
        assert ahead["rows"] == last["rows"], "and nothing of these rows changes any more"
    assert sure > CASES / 2


def rows(count: int = 5, **cells: Any) -> Rows:
    """Pods that nobody has been told of, with other cells in all of them."""
    found = Rows()
    found.described(COLUMNS, {"a": PODS})
    rng = random.Random(1)
    records = [pod(number, rng) for number in range(count)]
    titles = [column["name"] for column in COLUMNS]
    for record in records:
        printed = json.loads(record.cells)
        for title, cell in cells.items():
            printed[titles.index(title)] = cell
        record.cells = json.dumps(printed).encode()
    found.take([("ADDED", "a", record, None) for record in records])
    return found


def test_nothing_goes_ahead_of_a_few():
    assert rows(rows_.MANY).ahead("", 0, 10) is None
    assert rows(rows_.MANY + 1).ahead("", 0, 10) is not None


def test_nothing_goes_ahead_of_a_whole_state():
    made = rows(rows_.MANY + 1)
    made.rewind(everybody=False)
    assert made.ahead("", 0, 10) is None


def test_nothing_goes_ahead_with_more_that_is_gone_than_one_message_takes(monkeypatch):
    made = rows(rows_.MANY + 1)
    gone = pod(rows_.MANY + 1, random.Random(2))
    made.take([("DELETED", "a", gone, gone)])
    assert made.ahead("", 0, 10) is not None
    monkeypatch.setattr(rows_, "MANY_GONE", 0)
    assert made.ahead("", 0, 10) is None


@pytest.mark.parametrize(
    ("sort", "cells"),
    [
        ("Status", {"Status": "Läuft"}),
        ("Node", {"Node": ["a", "b"]}),
        ("IP", {"IP": {"a": 1}}),
        ("Restarts", {"Restarts": "5m"}),
        ("Restarts", {"Restarts": "many (5m ago)"}),
        ("Image", {}),
    ],
)
def test_nothing_goes_ahead_where_the_page_may_have_another_order(monkeypatch, sort, cells):
    monkeypatch.setattr(rows_, "MANY", 0)
    made = rows(**cells)
    monkeypatch.setattr(made.extras, "columns", lambda: [Column("Image", "string", "", False, "custom")])
    assert made.ahead(sort, 0, 10) is None
    assert made.ahead("", 0, 10) is not None


def test_nor_of_names_in_other_letters(monkeypatch):
    monkeypatch.setattr(rows_, "MANY", 0)
    made = rows()
    next(iter(made.latest.values())).name = "İstanbul"
    assert made.ahead("", 0, 10) is None


def test_only_what_is_alike_up_to_a_place_is_looked_at_further(monkeypatch):
    monkeypatch.setattr(rows_, "MANY", 0)
    made = rows(300)
    named = []
    monkeypatch.setattr(ahead_, "text_key", lambda text: (named.append(text), text)[1])
    assert len(made.ahead("", 120, 130) or ()) == 10
    assert len(named) == 100, "those of one namespace"


def test_what_goes_ahead_goes_with_what_is_gone_and_is_not_sent_twice():
    made = rows(rows_.MANY + 100)
    while made.pending:
        made.delta()
    rng = random.Random(2)
    changed = [pod(number, rng, version=2) for number in range(rows_.MANY + 50)]
    gone = pod(rows_.MANY + 60, rng)
    made.take([("MODIFIED", "a", record, None) for record in changed] + [("DELETED", "a", gone, gone)])
    keys = made.ahead("-Name", 0, 60)
    assert keys is not None
    made.hasten()
    put, left = json.loads(made.delta(keys))
    assert left == [[0, gone.uid]]
    sent = {row[1] for row in put}
    assert sent <= {uid for _, uid in keys}
    assert made.more
    while made.more:
        others, left = json.loads(made.delta())
        assert left == []
        assert not sent & {row[1] for row in others}
        sent |= {row[1] for row in others}
    assert len(sent) > rows_.MANY / 2
