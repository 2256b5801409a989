"""What a feed of chosen events tells is what a reader of them sees, in whichever order things come."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from tests.unit.fake_core import install, manager
from tests.unit.handles.happenings import event, owned
from tests.unit.handles.test_events import EventCore

PODS = ["odd-0", "odd-1", "web-5d4f9c7b8-x7k2q", "web-5d4f9c7b8-zzzzz", "other-7"]
OWNERS = ["", "ReplicaSet/web-5d4f9c7b8", "ReplicaSet/other", "ReplicaSet/odd-set"]

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("event"), st.integers(0, 5), st.sampled_from(PODS), st.booleans()),
        st.tuples(st.just("gone"), st.integers(0, 5)),
        st.tuples(st.just("pod"), st.sampled_from(PODS), st.sampled_from(OWNERS)),
        st.tuples(st.just("unpod"), st.sampled_from(PODS)),
        st.tuples(st.just("set"), st.sampled_from(["odd-set", "other"]), st.sampled_from(["", "Deployment/web"])),
        st.tuples(st.just("look")),
    ),
    max_size=40,
)


@pytest.fixture
def core(monkeypatch: pytest.MonkeyPatch) -> EventCore:
    made = EventCore()
    monkeypatch.setattr("tests.unit.fake_core.FakeCore", lambda: made)
    install(monkeypatch)
    return made


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None)
@given(STEPS, st.booleans())
def test_a_feed_tells_what_is_there(core: EventCore, steps: list[tuple[Any, ...]], first: bool) -> None:
    made = manager(core)
    core.first = EventCore().first if first else {}
    events = made.events("deploy/web")
    feed = events._feed(lambda: None, initial=True)
    there: dict[str, str] = {}

    def look() -> None:
        for kind, _, new, old in feed.drain():
            uid = (new or old).uid
            if kind == "ADDED":
                assert uid not in there
            else:
                assert uid in there
            if kind == "DELETED":
                del there[uid]
            else:
                there[uid] = new.version

    about: dict[int, str] = {}
    for what, *more in steps:
        if what == "event":
            number, pod, again = more
            if number in about and not again:
                continue  # an event is of one object for ever
            about.setdefault(number, pod)
            core.of("events").put(event(f"n{number}", f"Pod/{about[number]}", count=len(about)))
        elif what == "gone":
            if more[0] in about:
                del about[more[0]]
                core.of("events").delete(f"uid-default-n{more[0]}")
        elif what == "pod":
            core.of("pods").put(owned(more[0], more[1]))
        elif what == "unpod":
            if f"uid-default-{more[0]}" in core.of("pods").records["dev"]:
                core.of("pods").delete(f"uid-default-{more[0]}")
        elif what == "set":
            core.of("replicasets").put(owned(more[0], more[1]))
        else:
            look()
    look()
    assert there == {uid: record.version for uid, record in events._view().records["dev"].items()}
    assert sum(one.count for one in events.folded) >= len(there)
    feed.close()
    made.close()
