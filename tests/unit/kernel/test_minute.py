"""A minute of figures: what is older falls out, and the second that is not over is not shown."""

from __future__ import annotations

from notebook_mux.kernel.minute import SECONDS, Minute, together


def test_each_second_has_its_sums_and_its_longest_lag() -> None:
    minute = Minute()
    minute.add(1000.1, 2, 100, 0.5)
    minute.add(1000.9, 3, 50, 0.2)
    minute.add(1002.0, 1, 10, 0.1)
    assert minute.read(1002.5)["changes"][-2:] == [5, 0], "the second that is not over is not shown"
    read = minute.read(1003.0)
    assert (read["changes"][-3:], read["bytes"][-3:], read["lag"][-3:]) == ([5, 0, 1], [150, 0, 10], [0.5, 0.0, 0.1])
    assert {len(seconds) for seconds in read.values()} == {SECONDS - 1}


def test_what_is_older_than_a_minute_falls_out() -> None:
    minute = Minute()
    for second in range(1000, 1200):
        minute.add(float(second), second, 1, 0.0)
    assert minute.read(1200.0)["changes"] == list(range(1141, 1200))
    assert sum(minute.read(1258.0)["changes"]) == 1199, "read without anything new"
    assert sum(minute.read(1259.0)["changes"]) == 0
    minute.add(5000.0, 7, 1, 0.0)
    assert sum(minute.read(5001.0)["changes"]) == 7, "a long silence leaves nothing behind"


def test_several_are_one() -> None:
    one, other = Minute(), Minute()
    one.add(1000.0, 1, 10, 0.1)
    other.add(1000.0, 2, 20, 0.4)
    all_ = together([one.read(1001.0), other.read(1001.0)])
    assert (all_["changes"][-1], all_["bytes"][-1], all_["lag"][-1]) == (3, 30, 0.4)
    assert sum(together([])["changes"]) == 0
