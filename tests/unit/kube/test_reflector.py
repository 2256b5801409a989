from __future__ import annotations

from typing import Any

import pytest

from notebook_mux.kube.reflector import List, Reflector, Wait, Watch
from notebook_mux.kube.troubles import Trouble

EXPIRED = Trouble("expired", "too old", "too old resource version", 410)
THROTTLED = Trouble("throttled", "overloaded", "Too many requests", 429, 17.0)
INTERNAL = Trouble("internal", "failed", "etcd", 500)
REFUSED = Trouble("unreachable", "no connection", "Connection refused")
INVALID = Trouble("invalid", "refused", "field label not supported", 400)
OTHER = Trouble("other", "refused", "?", 503)


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def reflector(**options: Any) -> tuple[Reflector, Clock]:
    clock = Clock()
    return Reflector(clock=clock, random=lambda: 0.0, **options), clock


def live(**options: Any) -> tuple[Reflector, Clock]:
    """One that is through its initial events, at version 100, for a minute."""
    found, clock = reflector(**options)
    assert isinstance(found.step(), Watch)
    found.opened()
    found.initial_end("100")
    clock.now += 60
    return found, clock


def test_begins_with_its_initial_events():
    found, _ = reflector()
    assert found.step() == Watch(
        {"watch": "1", "allowWatchBookmarks": "true", "timeoutSeconds": "300", "sendInitialEvents": "true",
         "resourceVersionMatch": "NotOlderThan"}, initial=True,
    )  # fmt: skip
    found.opened()
    assert (found.state, found.synced) == ("connecting", False)
    found.initial_end("7")
    assert (found.state, found.synced, found.version) == ("live", True, "7")


def test_without_watch_list_pages_then_watches():
    found, _ = reflector()
    found.step()
    found.ended(0.0, 0, INVALID)
    assert found.step() == List({"limit": "500"}, first=True)
    assert not found.page("9", "token")
    assert found.step() == List({"limit": "500", "continue": "token"}, first=False)
    assert found.page("9", "")
    step = found.step()
    assert isinstance(step, Watch)
    assert step.params["resourceVersion"] == "9"
    assert "sendInitialEvents" not in step.params
    assert found.state == "live"


def test_whose_objects_are_held_begins_with_a_watch():
    found, _ = reflector(held="41", watch_list=False)
    step = found.step()
    assert isinstance(step, Watch)
    assert (step.params["resourceVersion"], step.initial) == ("41", False)
    assert found.synced
    found.ended(0.0, 0, EXPIRED)
    assert found.relists == 1
    assert isinstance(found.step(), List)


def test_a_bad_query_stops_until_retry():
    found, _ = reflector()
    found.ended(0.0, 0, INVALID)
    found.list_failed(INVALID)
    assert (found.state, found.trouble) == ("invalid", INVALID)
    assert found.step() == Wait(None)
    found.retry()
    assert isinstance(found.step(), List)


def test_a_token_that_expires_leads_to_a_whole_list():
    found, _ = reflector(watch_list=False)
    found.page("9", "token")
    found.list_failed(EXPIRED)
    assert found.step() == List({}, first=True)
    assert found.page("12", "")
    found.ended(60.0, 1, EXPIRED)
    found.waited()
    assert found.step() == List({"limit": "500"}, first=True), "the next one in pages again"


def test_a_failing_page_begins_the_list_anew():
    found, _ = reflector(watch_list=False)
    found.page("9", "token")
    found.list_failed(REFUSED)
    assert found.step() == Wait(0.8)
    found.waited()
    assert found.step() == List({"limit": "500"}, first=True)


@pytest.mark.parametrize("trouble", [EXPIRED, INVALID, Trouble("future", "", None, 504), OTHER])
def test_resume_or_fresh(trouble: Trouble):
    found, _ = reflector(resume="55")
    assert found.step() == List({"limit": "500", "resourceVersion": "55", "resourceVersionMatch": "Exact"}, first=True)
    found.list_failed(trouble)
    step = found.step()
    assert isinstance(step, Watch)
    assert step.initial
    found.initial_end("60")
    assert found.start_version == ""


def test_resume_survives_a_lost_connection():
    found, _ = reflector(resume="55")
    found.list_failed(REFUSED)
    found.waited()
    assert isinstance(found.step(), List)
    found.page("55", "")
    assert (found.start_version, found.version) == ("55", "55")


def test_a_normal_end_goes_on_at_once_from_the_last_version():
    found, _ = live()
    found.version = "123"
    found.ended(300.0, 10, None)
    step = found.step()
    assert isinstance(step, Watch)
    assert step.params["resourceVersion"] == "123"
    assert found.state == "live"
    found.progress("130")
    found.ended(2.0, 0, None)
    assert found.step() == Watch({**step.params, "resourceVersion": "130"}, initial=False)


def test_watches_that_end_as_they_begin():
    found, _ = live()
    waits = []
    for _ in range(3):
        found.opened()
        found.ended(0.1, 0, None)
        step = found.step()
        assert isinstance(step, Wait)
        waits.append(step.seconds)
        found.waited()
    assert waits == [0.8, 1.6, 3.2]
    step = found.step()
    assert isinstance(step, Watch)
    assert step.initial, "after three of them it lists"


def test_short_watches_with_events_do_not_spin():
    found, _ = live()
    waits = 0
    for _ in range(20):
        found.opened()
        found.ended(0.1, 1, None)
        if isinstance(found.step(), Wait):
            waits += 1
            found.waited()
    assert waits >= 10


def test_no_connection_waits_longer_each_time_and_keeps_its_version():
    found, clock = live()
    waits = []
    for _ in range(7):
        found.ended(0.0, 0, REFUSED)
        step = found.step()
        assert isinstance(step, Wait)
        waits.append(step.seconds)
        assert (found.state, found.trouble) == ("unreachable", REFUSED)
        found.waited()
        watch = found.step()
        assert isinstance(watch, Watch)
        assert watch.params["resourceVersion"] == "100"
    assert waits == [0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30.0]
    found.opened()
    assert (found.state, found.trouble) == ("live", None)
    clock.now += 121
    found.ended(0.0, 0, REFUSED)
    assert found.step() == Wait(0.8)
    found.retry()
    assert isinstance(found.step(), Watch)


def test_a_connection_that_had_been_open_is_tried_again_at_once():
    found, _ = live()
    found.ended(30.0, 5, REFUSED)
    assert isinstance(found.step(), Watch)
    assert found.state == "live", "until that attempt fails there is nothing to show"
    found.ended(0.0, 0, REFUSED)
    assert found.step() == Wait(0.8)


def test_throttled_waits_as_told():
    found, _ = live()
    found.ended(0.0, 0, THROTTLED)
    assert found.step() == Wait(17.0)
    found.waited()
    step = found.step()
    assert isinstance(step, Watch)
    assert not step.initial


def test_expired_lists_again_at_once_and_not_twice_in_a_moment():
    found, _ = live()
    found.ended(10.0, 3, EXPIRED)
    step = found.step()
    assert isinstance(step, Watch)
    assert step.initial
    assert found.relists == 1
    found.initial_end("200")
    found.ended(0.5, 1, EXPIRED)
    assert isinstance(found.step(), Wait)
    assert found.state == "live"


def test_500_is_the_same_again_for_a_while():
    found, _ = live()
    for number in range(3):
        found.ended(0.2, 0, INTERNAL)
        assert isinstance(found.step(), Wait)
        found.waited()
        step = found.step()
        assert isinstance(step, Watch)
        assert step.initial == (number == 2)


def test_initial_events_that_break_off_become_a_plain_list():
    found, _ = reflector()
    for _ in range(2):
        assert isinstance(found.step(), Watch)
        found.opened()
        found.ended(1.0, 5, REFUSED)
        found.waited()
    assert isinstance(found.step(), List)
    found.page("5", "")
    found.ended(60.0, 1, EXPIRED)
    found.waited()
    step = found.step()
    assert isinstance(step, Watch)
    assert step.initial, "the server has WatchList all the same"


def test_initial_events_without_an_end_become_a_plain_list():
    found, _ = reflector()
    found.opened()
    found.ended(30.0, 5, Trouble("stalled", "silent"))
    assert isinstance(found.step(), List)


def test_rights_and_logins_are_tried_slowly():
    found, _ = reflector()
    found.ended(0.0, 0, Trouble("forbidden", "", "no", 403))
    assert (found.step(), found.state) == (Wait(10.0), "forbidden")
    found.waited()
    found.ended(0.0, 0, Trouble("login", "", "no", 401))
    assert (found.step(), found.state) == (Wait(5.0), "login")
    found.waited()
    found.ended(0.0, 0, Trouble("missing", "", "no", 404))
    assert (found.step(), found.state) == (Wait(0.8), "missing")


def test_a_stalled_watch_is_stale_until_it_is_open_again():
    found, _ = live()
    found.stale(Trouble("stalled", "silent for 40 s"))
    assert found.state == "stale"
    found.alive()
    assert found.state == "live"
    found.ended(130.0, 0, Trouble("stalled", "silent for 125 s"))
    assert found.state == "stale"
    assert isinstance(found.step(), Watch)
    found.ended(0.0, 0, REFUSED)
    assert found.state == "unreachable"


def test_a_watch_that_is_refused_after_a_good_list_stops():
    found, _ = live()
    found.ended(0.0, 0, INVALID)
    assert isinstance(found.step(), Watch)
    found.initial_end("101")
    found.ended(0.0, 0, INVALID)
    assert (found.step(), found.state) == (Wait(None), "invalid")


def test_what_has_no_place_waits_and_lists():
    found, _ = live()
    found.failed(OTHER)
    assert isinstance(found.step(), Wait)
    found.waited()
    step = found.step()
    assert isinstance(step, Watch)
    assert step.initial
