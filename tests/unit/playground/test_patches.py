from __future__ import annotations

from typing import Any

import pytest

from notebook_mux.playground import schemas
from notebook_mux.playground.apply.json_patch import OPERATIONS
from notebook_mux.playground.patches import MERGE, STRATEGIC, decode, json_patch, merge, strategic
from notebook_mux.playground.status import ApiError


def test_merge():
    obj = {"a": {"b": 1, "c": 2}, "list": [1, 2]}
    assert merge(obj, {"a": {"b": None, "d": {"e": None, "f": 1}}, "list": [3]}) == {
        "a": {"c": 2, "d": {"f": 1}}, "list": [3],
    }  # fmt: skip
    assert obj == {"a": {"b": 1, "c": 2}, "list": [1, 2]}
    assert merge("text", {"a": 1}) == {"a": 1}


POD_SPEC = schemas.definition("io.k8s.api.core.v1.PodSpec")
METADATA = schemas.definition("io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta")
DEPLOYMENT_SPEC = schemas.definition("io.k8s.api.apps.v1.DeploymentSpec")


def names(spec: dict[str, Any]) -> list[str]:
    return [one["name"] for one in spec["containers"]]


def test_strategic_merges_lists_by_the_key_of_the_schema():
    obj = {"containers": [{"name": "a", "image": "1", "env": [{"name": "X", "value": "1"}], "args": ["x", "y"]},
                          {"name": "b"}]}  # fmt: skip
    patch = {"containers": [{"name": "a", "env": [{"name": "Y", "value": None}], "args": ["z"]}, {"name": "c"}]}
    changed = strategic(obj, patch, POD_SPEC)
    # Items of the patch come in its order, those of the object alone where they were before the next of both.
    assert names(changed) == ["a", "c", "b"]
    assert changed["containers"][0] == {
        "name": "a", "image": "1", "env": [{"name": "Y"}, {"name": "X", "value": "1"}], "args": ["z"],
    }  # fmt: skip
    assert names(obj) == ["a", "b"]
    assert names(strategic(obj, {"containers": [{"$patch": "delete", "name": "b"}]}, POD_SPEC)) == ["a"]
    assert strategic(obj, {"containers": [{"$patch": "replace"}, {"name": "z"}]}, POD_SPEC)["containers"] == [
        {"name": "z"}
    ]
    order = {"$setElementOrder/containers": [{"name": "b"}, {"name": "a"}]}
    assert names(strategic(obj, order, POD_SPEC)) == ["b", "a"]
    assert names(strategic(obj, {**order, "containers": [{"name": "b", "image": "2"}]}, POD_SPEC)) == ["b", "a"]
    # Without a schema nothing is known of lists: they are replaced.
    assert names(strategic(obj, {"containers": [{"name": "z"}]}, None)) == ["z"]


def test_strategic_directives():
    assert strategic({"a": {"b": 1}}, {"a": {"$patch": "replace", "c": 2}}, None) == {"a": {"c": 2}}
    assert strategic({"a": {"b": 1}}, {"a": {"$patch": "delete"}}, None) == {"a": {}}
    assert strategic({}, {"a": {"$patch": "replace", "c": 2}, "d": {"e": None}}, None) == {"d": {}}
    assert strategic({"a": 1, "b": 2}, {"$retainKeys": ["b"], "b": 3}, None) == {"b": 3}
    rolling = {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}}
    to_recreate = {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}
    assert strategic(rolling, to_recreate, DEPLOYMENT_SPEC) == {"strategy": {"type": "Recreate"}}
    finalizers = {"finalizers": ["x", "z"]}
    assert strategic(finalizers, {"finalizers": ["y", "x"]}, METADATA) == {"finalizers": ["y", "x", "z"]}
    assert strategic(finalizers, {"$deleteFromPrimitiveList/finalizers": ["x"]}, METADATA) == {"finalizers": ["z"]}
    assert strategic(finalizers, {"$setElementOrder/finalizers": ["z", "x"]}, METADATA) == {"finalizers": ["z", "x"]}
    assert strategic({"args": ["x"]}, {"args": ["y"]}, None) == {"args": ["y"]}
    # What can be no finalizer is for whoever looks at the whole object.
    assert strategic(finalizers, {"finalizers": [[], "x", [], 1]}, METADATA) == {"finalizers": [[], "x", 1, "z"]}


@pytest.mark.parametrize(
    ("patch", "code", "words"),
    [
        ({"containers": [{"image": "x"}]}, 500, "map: map[image:x] does not contain declared merge key: name"),
        ({"containers": [{"$patch": "merge", "name": "a"}]}, 500, "merging lists cannot yet be specified in the patch"),
        ({"containers": [{"$patch": "z", "name": "a"}]}, 500, "unknown patch type: z in map: map[$patch:z name:a]"),
        ({"nodeSelector": {"$patch": "z"}}, 500, "unknown patch type: z in map: map[$patch:z]"),
        ({"$retainKeys": ["a"], "hostname": "b"}, 400, "invalid patch format of retainKeys"),
        ({"$setElementOrder/containers": "b"}, 500, "expected a []interface {}, but received a string"),
        (
            {"$setElementOrder/containers": [{"name": "a"}], "containers": [{"name": "k"}]},
            500,
            "The order in patch list:\n[map[name:k]]\n doesn't match $setElementOrder list:\n[map[name:a]]\n",
        ),
    ],
)
def test_strategic_patches_that_cannot_be(patch: dict[str, Any], code: int, words: str):
    with pytest.raises(ApiError) as caught:
        strategic({"containers": [{"name": "a"}], "nodeSelector": {}}, patch, POD_SPEC)
    assert (caught.value.code, caught.value.message) == (code, words)


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
        # What the server's library forgives.
        ({"op": "remove", "path": "/l/-1"}, {"a": {"b/c": 1}, "l": [1]}),
        ({"op": "add", "path": "/l/-2", "value": 9}, {"a": {"b/c": 1}, "l": [1, 9, 2]}),
        ({"op": "replace", "path": "/a/new", "value": 2}, {"a": {"b/c": 1, "new": 2}, "l": [1, 2]}),
        ({"op": "test", "path": "/a/none", "value": None}, {"a": {"b/c": 1}, "l": [1, 2]}),
        ({"op": "add", "path": "x/l/01", "value": 9}, {"a": {"b/c": 1}, "l": [1, 9, 2]}),
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
        {"op": "add", "path": "/l/x", "value": 1},
        {"op": "replace", "path": "/l/-", "value": 1},
        {"op": "add", "value": 1},
    ],
)
def test_json_patches_that_fail(operation: Any):
    with pytest.raises(ApiError) as caught:
        json_patch({"a": {}, "l": [1, 2]}, [operation])
    assert caught.value.code == 422


@pytest.mark.parametrize(
    ("patch", "code", "words"),
    [
        ({}, 400, "error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp"),
        (["x"], 400, "error decoding patch: json: cannot unmarshal string into Go value of type handlers.jsonPatchOp"),
        (
            [{"op": "test", "path": "/a", "value": 1}] * (OPERATIONS + 1),
            413,
            "Request entity too large: The allowed maximum operations in a JSON patch is 10000, got 10001",
        ),
    ],
)
def test_a_json_patch_is_a_list_of_operations(patch: Any, code: int, words: str):
    with pytest.raises(ApiError) as caught:
        json_patch({"a": 1}, patch)
    assert (caught.value.code, caught.value.message) == (code, words)


def test_a_test_tells_true_from_one():
    with pytest.raises(ApiError):
        json_patch({"a": {"b": [True]}}, [{"op": "test", "path": "/a", "value": {"b": [1]}}])


NO_MAP = "Go value of type map[string]interface {}"


def test_bodies_of_patches():
    assert decode(MERGE, b'{"a": 1}') == {"a": 1}
    for media, body, words in (
        (MERGE, b"{", "invalid JSON patch"),
        (
            MERGE,
            b"[]",
            f"error decoding patch: json: cannot unmarshal array into {NO_MAP}",
        ),
        (STRATEGIC, b"7", f"json: cannot unmarshal number into {NO_MAP}"),
    ):
        with pytest.raises(ApiError) as caught:
            decode(media, body)
        assert (caught.value.code, caught.value.message) == (400, words)
