from __future__ import annotations

import itertools
import json
import random
from typing import Any

import pytest

from notebook_mux.handles.changing.merging import NONE, Clash, merged


def containers(*pairs: tuple[str, str]) -> dict[str, Any]:
    return {"spec": {"containers": [{"name": name, "image": image} for name, image in pairs]}}


A, B, C = ("a", "1"), ("b", "1"), ("c", "1")
A2, A3, B2 = ("a", "2"), ("a", "3"), ("b", "2")


@pytest.mark.parametrize(
    ("base", "mine", "theirs", "both"),
    [
        ({"a": 1, "b": 1}, {"a": 2, "b": 1}, {"a": 1, "b": 2}, {"a": 2, "b": 2}),
        ({"a": 1}, {"a": 2}, {"a": 2}, {"a": 2}),
        ({"a": 1, "b": 1}, {"b": 1}, {"a": 1, "b": 1, "c": 1}, {"b": 1, "c": 1}),
        ({"a": 1}, {"a": 1, "m": {"x": 1}}, {"a": 1, "m": {"y": 1}}, {"a": 1, "m": {"y": 1, "x": 1}}),
        ({"a": 1}, {"a": True}, {"a": 1, "b": 1}, {"a": True, "b": 1}),
        ({"l": [1, 2]}, {"l": [1, 2, 3]}, {"l": [1, 2], "b": 1}, {"l": [1, 2, 3], "b": 1}),
        (containers(A, B), containers(A, B2), containers(A2, B), containers(A2, B2)),
        (containers(A), containers(A, B), containers(C, A), containers(C, A, B)),
        (containers(A, B), containers(B), containers(A, B, C), containers(B, C)),
        (containers(A, B), containers(B, A), containers(A, C, B), containers(B, A, C)),
        (containers(A), containers(A, B), containers(A, B), containers(A, B)),
        ({"l": [{"port": 1}]}, {"l": [{"port": 1}, {"port": 2}]}, {"l": [{"port": 1, "name": "x"}]},
         {"l": [{"port": 1, "name": "x"}, {"port": 2}]}),
    ],
)  # fmt: skip
def test_what_only_one_has_changed(base: Any, mine: Any, theirs: Any, both: Any) -> None:
    found, clashes = merged(base, mine, theirs)
    assert (json.dumps(found, sort_keys=True), clashes) == (json.dumps(both, sort_keys=True), [])
    assert merged(base, theirs, mine)[1] == []


@pytest.mark.parametrize(
    ("base", "mine", "theirs", "clash"),
    [
        ({"s": {"n": 1}}, {"s": {"n": 2}}, {"s": {"n": 3}}, Clash("s.n", 2, 3)),
        ({"s": {"n": 1}}, {"s": {}}, {"s": {"n": 3}}, Clash("s.n", NONE, 3)),
        ({"s": {"n": 1}}, {}, {"s": {"n": 3}}, Clash("s", NONE, {"n": 3})),
        ({}, {"n": 2}, {"n": "2"}, Clash("n", 2, "2")),
        ({"l": {"a.b/c": "x"}}, {"l": {"a.b/c": "y"}}, {"l": {"a.b/c": "z"}}, Clash("l[a.b/c]", "y", "z")),
        ({"l": [1]}, {"l": [1, 2]}, {"l": [1, 3]}, Clash("l", [1, 2], [1, 3])),
        ({"l": []}, {"l": [{"name": "x"}, {}]}, {"l": [{"name": "y"}]},
         Clash("l", [{"name": "x"}, {}], [{"name": "y"}])),
        (containers(A), containers(A2), containers(A3), Clash("spec.containers[a].image", "2", "3")),
        (containers(A, B, C), containers(C, B, A), containers(B, A, C),
         Clash("spec.containers", ["c", "b", "a"], ["b", "a", "c"])),
    ],
)  # fmt: skip
def test_what_both_have_changed_is_named(base: Any, mine: Any, theirs: Any, clash: Clash) -> None:
    found, clashes = merged(base, mine, theirs)
    assert clashes == [clash]
    if clash.path != "spec.containers":
        assert found == theirs


def test_nothing_is_lost_and_nothing_invented() -> None:
    """Each field is as one of the two has it, and as the one that has changed it."""
    rng = random.Random(7)
    values = [NONE, 0, False, "x", {"k": 1}, [{"name": "n", "v": 1}]]
    for _ in range(2000):
        base, mine, theirs = (
            {key: value for key in "abc" if (value := rng.choice(values)) is not NONE} for _ in range(3)
        )
        found, clashes = merged(base, mine, theirs)
        clashing = {clash.path[0] for clash in clashes}
        for key, (one, other) in itertools.product("abc", ((mine, theirs), (theirs, mine))):
            was, is_ = base.get(key, NONE), other.get(key, NONE)
            if (was, type(was)) == (is_, type(is_)):
                assert (found.get(key, NONE), key in clashing) == (one.get(key, NONE), False)
