from __future__ import annotations

import random

import pytest

from notebook_mux.handles.plugs.ledger import Ledger


def taken(*numbers: int, first: int | None = 1) -> Ledger:
    ledger = Ledger(first=first)
    for number in numbers:
        ledger.take(number, float(number))
    return ledger


@pytest.mark.parametrize(
    ("numbers", "received", "missing", "twice", "late"),
    [
        ((), 0, 0, 0, 0),
        ((1, 2, 3), 3, 0, 0, 0),
        ((2, 3), 2, 1, 0, 0),
        ((1, 5), 2, 3, 0, 0),
        ((1, 5, 3), 3, 2, 0, 1),
        ((1, 5, 3, 3), 3, 2, 1, 1),
        ((1, 5, 2, 4, 3), 5, 0, 0, 3),
        ((1, 1, 1), 1, 0, 2, 0),
        ((1, 10, 0), 2, 8, 1, 0),
    ],
)
def test_what_came(numbers: tuple[int, ...], received: int, missing: int, twice: int, late: int) -> None:
    ledger = taken(*numbers)
    assert (ledger.received, ledger.missing, ledger.twice, ledger.late) == (received, missing, twice, late)


def test_the_first_that_comes_may_be_any() -> None:
    ledger = taken(40, 41, 44, first=None)
    assert (ledger.first, ledger.last, ledger.received, ledger.missing) == (40, 44, 3, 2)


def test_the_longest_gap_is_between_two_arrivals() -> None:
    ledger = Ledger(first=1)
    for number, at in enumerate((100.0, 100.1, 103.1, 103.2), 1):
        ledger.take(number, at)
    assert ledger.longest == pytest.approx(3.0)


def test_any_order_adds_up() -> None:
    chance = random.Random(4)
    for _ in range(50):
        numbers = [chance.randint(1, 60) for _ in range(80)]
        ledger = taken(*numbers)
        assert ledger.received == len(set(numbers))
        assert ledger.twice == len(numbers) - len(set(numbers))
        assert ledger.missing == max(numbers) - len(set(numbers))
