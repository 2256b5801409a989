from __future__ import annotations

import json
import random

from notebook_mux.widgets.rows import DELTA_ROWS, FIRST_PART, PART, Rows

from .fakes import COLUMNS, PODS, pod

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
    [[cluster, uid, namespace, name, cells, alive]] = put
    assert (cluster, uid, namespace, name) == (0, newer.uid, newer.namespace, newer.name)
    assert cells[0] == newer.name
    assert alive["4"][1] == "{}"
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
