"""A reader's queue: complete while it keeps up, folded by uid when it does not."""

from __future__ import annotations

from hypothesis import given, strategies as st

from notebook_mux.kernel.feed import Feed, FeedChange
from notebook_mux.wire.frames import Record


def pod(name: str, version: int) -> Record:
    return Record(f"uid-{name}", "default", name, str(version), "", 0.0)


def feed(limit: int) -> tuple[Feed, list[str]]:
    told: list[str] = []
    return Feed(lambda: told.append("wake"), lambda _: told.append("closed"), limit=limit), told


def test_one_wake_until_it_is_drained() -> None:
    queue, told = feed(10)
    for version in range(3):
        queue.push([("ADDED", "one", pod("a", version), None)])
        queue.nudge()
    assert told == ["wake"]
    assert len(queue.drain()) == 3
    queue.nudge()
    assert told == ["wake", "wake"]


def test_closing_is_told_once_and_ends_the_waking() -> None:
    queue, told = feed(10)
    queue.close()
    queue.close()
    queue.nudge()
    assert told == ["closed"]


def test_a_slow_reader_gets_the_last_state_of_each_and_knows_how_many_it_missed() -> None:
    queue, _ = feed(2)
    first, second, third = pod("a", 1), pod("a", 2), pod("a", 3)
    queue.push(
        [("MODIFIED", "one", first, None), ("MODIFIED", "one", second, first), ("MODIFIED", "one", third, second)]
    )
    assert queue.drain() == [("MODIFIED", "one", third, None)]
    assert queue.missed == 2


@given(st.lists(st.sampled_from("abc"), max_size=40), st.integers(1, 5), st.sets(st.integers(0, 40)))
def test_folding_never_changes_what_the_reader_ends_with(names: str, limit: int, drains: set[int]) -> None:
    queue, _ = feed(limit)
    truth: dict[str, Record] = {}
    mirror: dict[str, Record] = {}

    def take() -> None:
        for kind, _, new, _ in queue.drain():
            assert new is not None
            assert (kind == "ADDED") == (new.uid not in mirror)
            if kind == "DELETED":
                del mirror[new.uid]
            else:
                mirror[new.uid] = new

    for step, name in enumerate(names):
        new = pod(name, step)
        old = truth.get(new.uid)
        change: FeedChange
        if old is None:
            change, truth[new.uid] = ("ADDED", "one", new, None), new
        elif step % 3 == 0:
            change = ("DELETED", "one", new, truth.pop(new.uid))
        else:
            change, truth[new.uid] = ("MODIFIED", "one", new, old), new
        queue.push([change])
        if step in drains:
            take()
    take()
    assert mirror == truth
