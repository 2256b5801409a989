from __future__ import annotations

from notebook_mux.playground.history import Change, History
from tests.unit.playground.worlds import bare, config_map


def changes(count: int) -> list[Change]:
    cluster, seen = bare(), list[Change]()
    cluster.store.listen("configmaps", seen.append)
    for number in range(count):
        cluster.create(config_map(f"m-{number}", x="x" * 100))
    return seen


def test_what_came_after_a_version():
    history, made = History(0), changes(5)
    for change in made:
        history.add(change)
    for index, change in enumerate(made):
        assert history.after(change.revision) == made[index + 1 :]
    assert history.after(0) == made
    assert history.after(made[-1].revision + 100) == []


def test_the_oldest_go_when_there_are_too_many():
    history, made = History(0, changes=3), changes(5)
    for change in made:
        history.add(change)
    assert (len(history), history.floor, history.oldest) == (3, made[1].revision, made[2].revision)


def test_the_oldest_go_when_they_are_too_large():
    made = changes(5)
    history = History(0, size=2 * len(made[0].new.body) + 50)
    for change in made:
        history.add(change)
    assert len(history) == 2
    assert history.floor == made[2].revision


def test_compaction():
    history, made = History(0), changes(5)
    for change in made:
        history.add(change)
    history.compact(made[2].revision)
    assert history.after(history.floor) == made[3:]
    history.compact(made[-1].revision + 7)
    assert (len(history), history.floor, history.oldest) == (0, made[-1].revision + 7, made[-1].revision + 8)


def test_age_leaves_the_newest_changes():
    history, made = History(0), changes(5)
    for change in made:
        history.add(change)
    history.compact(made[-1].revision, keep=2)
    assert (len(history), history.floor) == (2, made[2].revision)
    history.compact(made[0].revision, keep=0)
    assert len(history) == 2
