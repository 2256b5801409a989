from __future__ import annotations

from typing import Any

import pytest

from notebook_mux.playground.patches import json_patch, merge, strategic
from notebook_mux.playground.status import ApiError


def test_merge():
    obj = {"a": {"b": 1, "c": 2}, "list": [1, 2]}
    assert merge(obj, {"a": {"b": None, "d": {"e": None, "f": 1}}, "list": [3]}) == {
        "a": {"c": 2, "d": {"f": 1}}, "list": [3],
    }  # fmt: skip
    assert obj == {"a": {"b": 1, "c": 2}, "list": [1, 2]}
    assert merge("text", {"a": 1}) == {"a": 1}


def test_strategic_merges_known_lists_by_their_key():
    obj = {"containers": [{"name": "a", "image": "1", "env": [{"name": "X", "value": "1"}]}, {"name": "b"}]}
    patch = {"containers": [{"name": "a", "env": [{"name": "Y", "value": "2"}]}, {"name": "c"}],
             "$setElementOrder/containers": [{"name": "a"}]}  # fmt: skip
    assert strategic(obj, patch)["containers"] == [
        {"name": "a", "image": "1", "env": [{"name": "X", "value": "1"}, {"name": "Y", "value": "2"}]},
        {"name": "b"},
        {"name": "c"},
    ]
    assert len(obj["containers"]) == 2
    assert strategic(obj, {"containers": [{"$patch": "delete", "name": "b"}]})["containers"] == obj["containers"][:1]
    assert strategic(obj, {"containers": [{"$patch": "replace"}, {"name": "z"}]}) == {"containers": [{"name": "z"}]}


def test_strategic_directives():
    assert strategic({"a": {"b": 1}}, {"a": {"$patch": "replace", "c": 2}}) == {"a": {"c": 2}}
    assert strategic({"a": {"b": 1}}, {"a": {"$patch": "delete"}}) == {}
    assert strategic({"a": 1, "b": 2}, {"$retainKeys": ["b"], "b": 3}) == {"b": 3}
    assert strategic({"finalizers": ["x"]}, {"finalizers": ["y", "x"]}) == {"finalizers": ["x", "y"]}
    assert strategic({"finalizers": ["x", "y"]}, {"$deleteFromPrimitiveList/finalizers": ["x"]}) == {
        "finalizers": ["y"]
    }
    assert strategic({"args": ["x"]}, {"args": ["y"]}) == {"args": ["y"]}


@pytest.mark.parametrize(
    ("operation", "result"),
    [
        ({"op": "add", "path": "/l/1", "value": 9}, {"a": {"b/c": 1}, "l": [1, 9, 2]}),
        ({"op": "add", "path": "/l/-", "value": 9}, {"a": {"b/c": 1}, "l": [1, 2, 9]}),
        ({"op": "replace", "path": "/a/b~1c", "value": 2}, {"a": {"b/c": 2}, "l": [1, 2]}),
        ({"op": "remove", "path": "/l/0"}, {"a": {"b/c": 1}, "l": [2]}),
        ({"op": "move", "from": "/l", "path": "/m"}, {"a": {"b/c": 1}, "m": [1, 2]}),
        ({"op": "copy", "from": "/l/0", "path": "/c"}, {"a": {"b/c": 1}, "l": [1, 2], "c": 1}),
        ({"op": "test", "path": "/l/0", "value": 1}, {"a": {"b/c": 1}, "l": [1, 2]}),
        ({"op": "replace", "path": "", "value": {}}, {}),
    ],
)
def test_json_patch(operation: dict[str, Any], result: Any):
    obj = {"a": {"b/c": 1}, "l": [1, 2]}
    assert json_patch(obj, [operation]) == result
    assert obj == {"a": {"b/c": 1}, "l": [1, 2]}


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "test", "path": "/l/0", "value": 2},
        {"op": "remove", "path": "/none"},
        {"op": "add", "path": "/l/7", "value": 1},
        {"op": "replace", "path": "/a/x/y", "value": 1},
        {"op": "what", "path": "/a"},
        {"path": "/a"},
        {"op": "remove", "path": "a"},
        "text",
    ],
)
def test_json_patches_that_fail(operation: Any):
    with pytest.raises(ApiError) as caught:
        json_patch({"a": {}, "l": [1, 2]}, [operation])
    assert caught.value.code == 422


def test_a_json_patch_is_a_list():
    with pytest.raises(ApiError) as caught:
        json_patch({}, {})
    assert caught.value.code == 400
