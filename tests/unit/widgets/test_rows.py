from __future__ import annotations

import json
import random

import pytest

from notebook_mux.widgets.rows import DELTA_ROWS, FIRST_PART, GONE, PART, Key, Rows
from notebook_mux.wire.frames import Record

from .fakes import COLUMNS, PODS, pod
from .page_copy import PageCopy

RNG = random.Random(1)


def rows(count: int = 0) -> Rows:
    made = Rows()
    made.described(COLUMNS, {"a": PODS, "b": PODS})
    made.take([("ADDED", "a", pod(number, RNG), None) for number in range(count)])
    return made


def test_changes_of_one_object_are_sent_once_and_as_of_now():
    made = rows()
    record = pod(1, RNG)
    made.take([("ADDED", "a", record, None)])
    newer = pod(1, RNG, version=2)
    made.take([("MODIFIED", "a", newer, record)])
    put, gone = json.loads(made.delta())
    assert gone == []
    [[cluster, uid, namespace, name, cells, alive, labels, owner]] = put
    assert (cluster, uid, namespace, name) == (0, newer.uid, newer.namespace, newer.name)
    assert cells[0] == newer.name
    assert alive["4"][1] == "{}"
    assert (labels, owner) == (None, None)
    assert made.changes == 2
    assert not made.pending


def test_what_is_gone_is_sent_as_its_key_with_the_cluster():
    made = rows()
    record = pod(1, RNG)
    made.take([("ADDED", "b", record, None), ("DELETED", "b", record, record)])
    assert json.loads(made.delta()) == [[], [[1, record.uid]]]


def test_a_whole_state_comes_in_parts_and_is_complete():
    made = rows(3000)
    made.rewind(everybody=True)
    names: list[str] = []
    sizes: list[int] = []
    last = False
    while not last:
        part, index, last = made.part()
        assert index == len(sizes)
        sizes.append(len(part))
        names += [row[3] for row in json.loads(part)]
    assert len(names) == len(set(names)) == 3000
    assert FIRST_PART <= sizes[0] < 2 * FIRST_PART
    assert all(size < PART + 4096 for size in sizes)
    assert not made.pending


def test_rows_that_come_and_go_while_the_parts_are_sent():
    made = rows(3000)
    made.rewind(everybody=True)
    made.part()
    late = pod(2999, RNG, version=2)
    made.take(
        [("DELETED", "a", pod(2998, RNG), None), ("MODIFIED", "a", late, None), ("ADDED", "a", pod(4000, RNG), None)]
    )
    put, gone = json.loads(made.delta())
    assert {row[1] for row in put} == {late.uid, pod(4000, RNG).uid}
    assert gone == [[0, pod(2998, RNG).uid]]
    seen = set()
    last = False
    while not last:
        part, _, last = made.part()
        seen |= {row[1] for row in json.loads(part)}
    assert late.uid in seen
    assert pod(2998, RNG).uid not in seen


def test_who_waits_for_changes_keeps_them_when_another_needs_everything():
    made = rows(5)
    made.rewind(everybody=False)
    assert len(json.loads(made.delta())[0]) == 5
    made = rows(5)
    made.rewind(everybody=True)
    assert json.loads(made.delta()) == [[], []]


def test_a_message_has_a_bounded_number_of_changes():
    made = rows(DELTA_ROWS + 10)
    assert len(json.loads(made.delta())[0]) == DELTA_ROWS
    assert len(json.loads(made.delta())[0]) == 10


def test_other_columns_send_the_rows_again():
    made = rows(3)
    made.delta()
    made.described(COLUMNS[:2], {"a": PODS, "b": PODS})
    assert len(json.loads(made.delta())[0]) == 3
    made.described(COLUMNS[:2], {"a": PODS, "b": PODS})
    assert not made.pending


def test_of_a_row_that_the_pages_have_only_what_has_changed_is_sent():
    made = rows()
    record = pod(1, RNG)

    def told(cells: list[str], **metadata: object) -> list[object]:
        changed = pod(1, RNG)
        changed.printed = record.printed
        changed.cells = json.dumps(cells).encode()
        changed.object = json.dumps({"metadata": metadata}).encode()
        made.take([("MODIFIED", "a", changed, record)])
        put, _ = json.loads(made.delta())
        return put[0] if put else []

    labels = {"app": "web"}
    key = [0, record.uid]
    full = [*key, record.namespace, record.name]
    running = [record.name, "1/1", "Running", "0", "<unknown>", "1.2.3.4", "n1", "<none>", "<none>"]
    assert told(running, labels=labels)[:5] == [*full, running]
    assert told(running, labels=labels) == [], "nothing that is shown has changed"
    failing = [*running[:2], "Error", "3 (5m ago)", *running[4:]]
    since = record.printed - 300
    assert told(failing, labels=labels) == [*key, {"2": "Error", "3": "3 (5m ago)"}, {"3": [since, "3 ({} ago)"]}]
    standing = [*failing[:3], "3", *failing[4:]]
    assert told(standing, labels=labels) == [*key, {"3": "3"}, {"3": GONE}]
    assert told(standing, labels={"app": "api"})[6:] == [{"app": "api"}, None], "labels come with the whole row"
    assert told(standing)[6:] == [None, None]
    made.rewind(everybody=True)
    assert json.loads(made.part()[0])[0][:5] == [*full, standing]
    made.take([("DELETED", "a", record, record)])
    made.delta()
    assert told(standing, labels=labels)[:5] == [*full, standing]


def test_who_waits_has_the_cells_of_all_before_what_is_in_the_objects():
    made = rows(3)
    made.delta()
    changed = [with_labels(number, {"app": "web"}, status="Error") for number in range(3)]
    made.take([("MODIFIED", "a", record, record) for record in changed])
    made.hasten()
    assert made.more
    first, _ = json.loads(made.delta())
    assert [row[2]["2"] for row in first] == ["Error"] * 3
    assert not made.more, "what is left is no cell"
    second, _ = json.loads(made.delta())
    assert [row[6] for row in second] == [{"app": "web"}] * 3
    assert not made.pending


def test_who_comes_back_once_more_waits_for_the_cells_that_changed_since():
    made = rows(3)
    made.delta()
    made.take([("MODIFIED", "a", record, record) for record in (pod(number, RNG, version=2) for number in range(3))])
    made.hasten()
    made.delta()
    assert not made.more
    made.take([("MODIFIED", "a", record, record) for record in (pod(number, RNG, version=3) for number in range(3))])
    made.hasten()
    assert made.more


def test_who_cannot_keep_up_has_what_is_in_the_objects_all_the_same():
    made = rows(3)
    made.delta()
    record = with_labels(1, {"app": "web"}, status="Error")
    made.take([("MODIFIED", "a", record, record)])
    made.hasten()
    told = []
    for version in range(4):  # more is always to come
        made.take([("ADDED", "a", pod(100 + version * DELTA_ROWS + number, RNG), None) for number in range(DELTA_ROWS)])
        told += [row for row in json.loads(made.delta())[0] if row[1] == record.uid]
    assert made.pending
    [change, row] = told
    assert change[2]["2"] == "Error"
    assert row[6] == {"app": "web"}


def test_a_row_that_cannot_be_made_keeps_no_other_from_being_seen(monkeypatch: pytest.MonkeyPatch):
    made = rows(3)
    whole = Rows.row

    def row(self: Rows, key: Key, record: Record, **how: bool) -> bytes:
        if record.name == pod(1, RNG).name:
            raise RuntimeError("nobody knows why")
        return whole(self, key, record, **how)

    monkeypatch.setattr(Rows, "row", row)
    put, _ = json.loads(made.delta())
    assert [one[3] for one in put] == [pod(number, RNG).name for number in range(3)]
    assert put[1][4] == [put[1][3], *[None] * (len(COLUMNS) - 1)]
    assert not made.pending


def with_labels(number: int, labels: dict[str, str], *, status: str = "Running", version: int = 1) -> Record:
    record = pod(number, RNG, version=version)
    record.cells = json.dumps([record.name, "1/1", status, "0", "5m", "1.2.3.4", "n1", "<none>", "<none>"]).encode()
    record.object = json.dumps({"metadata": {"labels": labels}}).encode()
    return record


@pytest.mark.parametrize("seed", range(40))
def test_all_pages_come_to_the_same_whenever_they_came(seed: int):
    rng = random.Random(seed)
    made = rows()
    pages: list[PageCopy] = [PageCopy()]
    waiting: list[PageCopy] = []
    for version in range(200):
        what = rng.random()
        if what < 0.6:
            number = rng.randrange(8)
            state = rng.choice(["Running", "Error", "Pending"])
            record = with_labels(number, {"app": rng.choice("ab")}, status=state, version=version)
            if rng.random() < 0.1:  # as another version of the kind has it
                record.cells = json.dumps(json.loads(record.cells)[:4]).encode()
            kind = "DELETED" if rng.random() < 0.15 else "MODIFIED"
            made.take([(kind, "a", record, record)])
        elif what < 0.7:
            made.hasten()
        elif what < 0.78:
            fresh = PageCopy()
            waiting = [fresh] if not made.sending_all else [*waiting, fresh]
            pages = [*pages, fresh][-3:]
            made.rewind(everybody=len(waiting) == len(pages))
        else:
            send(made, pages, waiting)
    while made.pending:
        send(made, pages, waiting)
    expected = {key: json.loads(made.row(key, record)) for key, record in made.latest.items()}
    for page in pages:
        assert page.rows == expected


def send(made: Rows, pages: list[PageCopy], waiting: list[PageCopy]) -> None:
    delta = made.delta()
    part = made.part() if made.sending_all else None
    for page in pages:
        page.take(delta, part if page in waiting else None)
