from __future__ import annotations

from notebook_mux.kube.backoff import Backoff


def test_doubles_with_jitter_up_to_a_limit_and_forgets():
    now = [0.0]
    backoff = Backoff(clock=lambda: now[0], random=lambda: 0.25)
    waits = []
    for _ in range(8):
        waits.append(round(backoff.next(), 3))
        now[0] += waits[-1]
    assert waits == [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 37.5, 37.5]
    now[0] += 120.0
    assert backoff.next() == 1.0
    backoff.next()
    backoff.clear()
    assert backoff.next() == 1.0


def test_a_long_wait_is_not_a_while_without_trouble():
    now = [0.0]
    backoff = Backoff(10.0, 300.0, clock=lambda: now[0], random=lambda: 0.0)
    for _ in range(7):
        wait = backoff.next()
        now[0] += wait
    assert wait == 300.0
