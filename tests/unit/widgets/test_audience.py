from __future__ import annotations

import math
from typing import Any

from notebook_mux.widgets.audience import (
    AHEAD_SECONDS,
    EXPECTED,
    LEASE_SECONDS,
    MIN_INTERVAL,
    STUCK_INTERVAL,
    STUCK_LIMIT_SECONDS,
    STUCK_SECONDS,
    WINDOW,
    Audience,
)
from notebook_mux.widgets.messages import Places


def audience(**more) -> Audience:
    made = Audience(**more)
    made.epoch = "e"
    return made


def here(made: Audience, page: str = "p", now: float = 0.0, **more) -> None:
    said: dict[str, Any] = {"watching": True, "have": made.number, "epoch": made.epoch, "gap": False} | more
    made.here(page, now=now, **said)


def test_nobody_is_sent_to_without_a_page():
    assert audience().ready_at(0.0) == math.inf


def test_the_first_message_goes_at_once_and_the_next_after_the_interval():
    made = audience()
    here(made)
    assert made.ready_at(5.0) <= 5.0
    made.sent(5.0)
    assert made.ready_at(5.0) == 5.0 + MIN_INTERVAL


def test_never_more_in_flight_than_the_window():
    made = audience()
    here(made)
    now = 0.0
    sent = 0
    while made.ready_at(now) <= now and sent < 100:
        made.sent(now)
        sent += 1
        now += MIN_INTERVAL
    assert sent == WINDOW
    made.ack("p", made.number, now)
    assert made.ready_at(now) <= now


def test_stuck_acknowledgements_leave_one_message_a_second_for_ten_minutes():
    made = audience()
    here(made)
    times = []
    now = 0.0
    while (ready := made.ready_at(now)) < math.inf:
        made.expire(now)
        now = max(now, ready)
        here_lease = made.pages["p"]
        here_lease.lease = math.inf  # it is alive, but its words wait behind the running cell
        made.sent(now)
        times.append(now)
    gaps = [b - a for a, b in zip(times[WINDOW:], times[WINDOW + 1 :], strict=False)]
    assert min(gaps) >= STUCK_INTERVAL
    assert times[WINDOW] >= STUCK_SECONDS
    assert STUCK_LIMIT_SECONDS - 2 <= times[-1] <= STUCK_LIMIT_SECONDS + 2
    made.ack("p", made.number, now)
    assert made.ready_at(now) <= now + MIN_INTERVAL


def test_a_slow_page_delays_nobody_else():
    made = audience()
    here(made, "fast")
    here(made, "slow")
    for step in range(3 * WINDOW):
        now = step * MIN_INTERVAL
        assert made.ready_at(now) <= now
        made.sent(now)
        made.ack("fast", made.number, now)


def test_a_page_may_ask_for_a_slower_pace_but_gets_a_whole_state_at_full_speed():
    made = audience()
    here(made)
    made.sent(0.0)
    made.ack("p", 1, 0.0, pace=0.5)
    assert made.ready_at(0.0) == 0.5
    made.whole = True
    assert made.ready_at(0.0) == 0.0


def test_hidden_pages_get_nothing_and_keep_what_they_have():
    made = audience()
    here(made, watching=False)
    assert made.ready_at(0.0) == math.inf
    assert made.pages
    here(made, watching=True)
    assert not made.lost()
    assert made.ready_at(0.0) < math.inf


def test_a_page_that_is_seen_again_is_sent_what_it_lacks_at_full_speed():
    made = audience()
    here(made)
    made.sent(0.0)
    made.ack("p", 1, 0.0, pace=0.5)
    here(made, watching=False)
    here(made, watching=True)
    assert made.behind
    assert made.ready_at(0.0) == 0.0
    made.behind = False  # as its widget says when no more is left over
    assert made.ready_at(0.0) == MIN_INTERVAL


def test_a_page_draws_what_went_ahead_before_the_rest_follows():
    made = audience()
    here(made)
    here(made, watching=False)
    here(made, watching=True)
    made.foremost = True  # as its widget says
    made.sent(1.0)
    assert made.ready_at(1.0) == 1.0 + AHEAD_SECONDS
    made.foremost = False
    made.sent(1.2)
    assert made.ready_at(1.2) == 1.2


def test_a_lease_runs_out():
    made = audience()
    here(made, now=10.0)
    assert made.next_expiry() == 10.0 + LEASE_SECONDS
    made.expire(10.0 + LEASE_SECONDS - 1)
    assert made.pages
    made.expire(10.0 + LEASE_SECONDS)
    assert not made.pages


def test_who_lacks_something_gets_the_whole_state():
    made = audience()
    made.number = 7
    here(made, "new", have=-1, epoch="")
    here(made, "old run", have=7, epoch="other")
    here(made, "right", have=7)
    here(made, "gap", have=5, gap=True)
    assert {page.id for page in made.lost()} == {"new", "old run", "gap"}


def test_an_expected_page_is_sent_to_before_its_first_word():
    made = audience()
    made.expect(0.0)
    assert [page.id for page in made.lost()] == [EXPECTED]
    for page in made.lost():
        page.lost = False
    made.sent(0.0)
    here(made, have=1)
    assert EXPECTED not in made.pages
    assert not made.lost()


def test_a_page_that_is_there_needs_no_expecting():
    made = audience()
    here(made)
    made.expect(0.0)
    assert EXPECTED not in made.pages


def test_unknown_pages_cannot_acknowledge_and_nobody_what_was_not_sent():
    made = audience()
    assert not made.ack("stranger", 3, 0.0)
    here(made)
    made.sent(0.0)
    assert made.ack("p", 99, 0.0)
    assert made.pages["p"].acked == 1
    made.bye("p")
    assert not made.pages


def test_what_a_page_shows_is_noted_when_it_comes_back_and_at_no_other_time():
    made = audience()
    places = Places(view="v", sort="", first=0, last=30)
    here(made, places=places)
    assert made.places is None, "it has just come"
    here(made, watching=False)
    here(made, places=places)
    assert made.places == ("p", places)
    made.places = None
    here(made, places=places)
    assert made.places is None, "it is there"
    here(made, watching=False)
    here(made, places=places)
    here(made, "q", watching=False)
    here(made, "q")
    assert made.places is None, "the one that came last counts, and says nothing"
