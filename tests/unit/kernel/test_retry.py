"""The waits between attempts."""

from __future__ import annotations

import itertools
import random

from notebook_mux.kernel.retry import BACKOFF_MAX_SECONDS, FIRST_SECONDS, delays


def test_the_first_comes_at_once_and_the_others_grow_to_a_bound() -> None:
    waits = list(itertools.islice(delays(random.Random(1)), 12))
    assert waits[0] == FIRST_SECONDS <= 0.1
    assert 0.25 <= waits[1] <= 0.5
    assert all(BACKOFF_MAX_SECONDS / 2 <= wait <= BACKOFF_MAX_SECONDS for wait in waits[8:])


def test_jitter_differs_between_two_kernels() -> None:
    assert list(itertools.islice(delays(random.Random(1)), 5)) != list(itertools.islice(delays(random.Random(2)), 5))
