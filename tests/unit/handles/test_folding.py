from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given, strategies as st

from notebook_mux.handles.folding import MOMENTS, UNREADABLE, Folder, container_of, read
from notebook_mux.handles.kin import Thing
from tests.unit.fake_core import stamp
from tests.unit.handles.happenings import event, record

NOW = 1_800_000_000.0

MESSAGES = st.sampled_from(["Back-off restarting", "Started container main", "", "é\u202e<b>x</b>"])
ABOUT = st.sampled_from(["Pod/web-0", "Pod/web-1", "Node/n1", "ReplicaSet/web-5d4"])


@st.composite
def changes(draw: st.DrawFn) -> list[tuple[str, str, Any, Any]]:
    """What a feed tells: events that come, come again with a higher count, change what they say, and go."""
    there: dict[tuple[str, str], tuple[Any, int]] = {}
    told: list[tuple[str, str, Any, Any]] = []
    for _ in range(draw(st.integers(0, 30))):
        key = (draw(st.sampled_from(["dev", "prod"])), f"uid-{draw(st.integers(0, 6))}")
        known = there.get(key)
        if known is not None and draw(st.booleans()):
            del there[key]
            told.append(("DELETED", key[0], known[0], known[0]))
            continue
        count = (known[1] if known else 0) + draw(st.integers(1, 5))
        first = draw(st.floats(10, 4000))
        made = event(
            key[1], draw(ABOUT), message=draw(MESSAGES), uid=key[1], count=count, first=first, last=first / 2,
            warning=draw(st.booleans()),
        )  # fmt: skip
        told.append(("MODIFIED" if known else "ADDED", key[0], made, known[0] if known else None))
        there[key] = (made, count)
    return told


@given(changes())
def test_no_event_is_lost_and_the_counts_add_up(told: list[tuple[str, str, Any, Any]]) -> None:
    folder = Folder()
    there: dict[tuple[str, str], Any] = {}
    for change in told:
        kind, cluster, new, old = change
        touched = folder.take([change])
        if kind == "DELETED":
            there.pop((cluster, old.uid))
        else:
            there[cluster, new.uid] = new
            assert read(cluster, new).cause in touched
    seen = {key: read(key[0], one) for key, one in there.items()}
    assert sum(fold.total[0] for fold in folder.folds.values()) == sum(one.times for one in seen.values())
    assert sum(len(fold.parts) for fold in folder.folds.values()) == len(there)
    for one in seen.values():
        count, first, last = folder.folds[one.cause].total
        assert count >= one.times
        assert first <= one.first <= one.last <= last
        assert one.last in folder.folds[one.cause].moments()
    keys = [cause.key for cause in folder.folds]
    assert len(set(keys)) == len(keys)
    again = Folder()
    again.take([("ADDED", cluster, one, None) for (cluster, _), one in there.items()])
    assert {c: (f.total, f.parts) for c, f in again.folds.items()} == {
        c: (f.total, f.parts) for c, f in folder.folds.items()
    }


def test_what_is_the_same_and_what_is_not() -> None:
    folder = Folder()
    for number in range(3):
        folder.put("dev", event(f"a{number}", count=number + 1, first=100 - number, last=50 - number))
    folder.put("dev", event("b", path="spec.containers{side}"))
    folder.put("dev", event("c", warning=True))
    folder.put("prod", event("a0"))
    folds = sorted((fold.folded() for fold in folder.folds.values()), key=lambda one: -one.count)
    assert [one.count for one in folds] == [6, 1, 1, 1]
    assert folds[0].events == ("a0", "a1", "a2")
    assert folds[0].object == "pod/web-0"
    assert 49 <= folds[0].span.total_seconds() <= 53
    assert folds[0].first.tzinfo is not None
    assert {one.container for one in folds} == {"", "side"}
    assert sum(one.warning for one in folds) == 1


def core(**content: Any) -> Any:
    metadata = {"name": "e", "creationTimestamp": stamp(NOW - 5)}
    return record("e", {"metadata": metadata, **content})


@pytest.mark.parametrize(
    ("content", "count", "first", "last"),
    [
        ({"count": 7, "firstTimestamp": stamp(NOW - 90), "lastTimestamp": stamp(NOW)}, 7, NOW - 90, NOW),
        # what the new API's recorders write, as core/v1 has it
        (
            {
                "eventTime": "2027-01-15T07:59:00.123456Z", "firstTimestamp": None, "lastTimestamp": None,
                "series": {"count": 4, "lastObservedTime": "2027-01-15T08:00:00.000001Z"},
            },
            4, NOW - 60 + 0.123456, NOW + 0.000001,
        ),
        ({"eventTime": stamp(NOW - 3), "series": None, "source": {}}, 1, NOW - 3, NOW - 3),
        ({"count": 0, "firstTimestamp": None}, 1, NOW - 5, NOW - 5),
        ({"count": 2, "firstTimestamp": stamp(NOW), "lastTimestamp": stamp(NOW - 50)}, 2, NOW, NOW),
        # and as the new API itself has it
        (
            {
                "regarding": {"kind": "Pod", "name": "web-0", "namespace": "default"}, "note": "said",
                "deprecatedCount": 3,
                "deprecatedFirstTimestamp": stamp(NOW - 9), "deprecatedLastTimestamp": stamp(NOW - 8),
                "reportingController": "kubelet", "reportingInstance": "n1",
            },
            3, NOW - 9, NOW - 8,
        ),
    ],
)  # fmt: skip
def test_count_and_times_by_the_servers_rules(content: Any, count: int, first: float, last: float) -> None:
    seen = read("dev", core(**content))
    assert seen.times == count
    assert seen.first == pytest.approx(first, abs=1e-3)
    assert seen.last == pytest.approx(last, abs=1e-3)
    if "note" in content:
        assert (seen.cause.message, seen.source) == ("said", "kubelet, n1")
        assert seen.cause.about == Thing("Pod", "default", "web-0")


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b'{"count":"many"}', b'{"message":7}', b"\xff\xfe"])
def test_what_cannot_be_read_is_not_lost(data: bytes) -> None:
    broken = record("odd", {})
    broken.object = data
    folder = Folder()
    folder.put("dev", broken)
    [fold] = folder.folds.values()
    assert fold.total[0] == 1
    assert fold.cause.message == UNREADABLE
    assert fold.folded().object == "odd"


def test_moments_of_what_goes_on_are_kept_and_bounded() -> None:
    folder = Folder()
    begun = time.time()
    for number in range(3 * MOMENTS):
        folder.put("dev", event("e", count=number + 1, first=9000, last=9000 - 10 * number))
    [fold] = folder.folds.values()
    assert fold.total[0] == 3 * MOMENTS
    moments = fold.moments()
    assert len(moments) == MOMENTS
    assert moments == sorted(moments)
    last = moments[-1] + 9000 - 10 * (3 * MOMENTS - 1)
    assert int(begun) <= last <= time.time()  # in whole seconds


def test_containers_by_their_path() -> None:
    paths = {
        "spec.containers{web}": "web", "spec.initContainers{init}": "init", "": "", "spec.nodeName": "", "x{y}": "",
    }  # fmt: skip
    assert {path: container_of(path) for path in paths} == paths
