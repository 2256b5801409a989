"""Owners of fields, against the schemas of the real kinds."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from notebook_mux.playground import schemas
from notebook_mux.playground.apply import fields, ownership
from notebook_mux.playground.apply.checks import check
from notebook_mux.playground.apply.conflicts import error
from notebook_mux.playground.apply.ownership import APPLY, UPDATE, Change, Conflicts, Managers, Owner
from notebook_mux.playground.apply.typed import Comparison, Mistyped, fields_of, merge, remove
from notebook_mux.playground.kinds import Kinds

Json = dict[str, Any]

NO_MAP: Any = "a"
POD = ".spec.template.spec"
DEPLOYMENT = schemas.of(Kinds().of("deployments.apps"))
CONFIG_MAP = schemas.of(Kinds().of("configmaps"))


def change(manager: str, operation: str = UPDATE, *, time: str = "t", subresource: str = "", **more: Any) -> Change:
    version = "apps/v1" if operation == UPDATE else ""
    return Change(
        Owner(manager, operation, version, subresource), "apps/v1", time, more.pop("schema", DEPLOYMENT), **more
    )


def deployment(*containers: Json, **spec: Any) -> Json:
    template = {"spec": {"containers": list(containers)}}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"},
            "spec": {"template": template, **spec}}  # fmt: skip


def written(managers: Managers) -> dict[str, Json]:
    return {one["manager"]: one["fieldsV1"] for one in ownership.encode(managers)}


def own(managers: Managers, manager: str) -> list[str]:
    """The paths that a manager owns."""
    return [
        path for owner, owned in managers.items() if owner.manager == manager for path in fields.paths(owned.fields)
    ]


# ------------------------------------------------------------------------------------------------- sets of fields


def test_sets_of_fields():
    one = fields.read({"f:a": {".": {}, "f:b": {}}, "f:l": {'k:{"name":"x"}': {".": {}, "f:name": {}}, 'v:"y"': {}}})
    assert fields.read(fields.write(one)) == one
    assert list(fields.paths(one)) == [".a", ".a.b", '.l[name="x"]', '.l[name="x"].name', '.l[="y"]']
    other = fields.read({"f:a": {}, "f:c": {"f:d": {}}})
    assert list(fields.paths(fields.union(one, other)))[:3] == [".a", ".a.b", ".c.d"]
    assert list(fields.paths(fields.intersection(one, other))) == [".a"]
    assert next(fields.paths(fields.difference(one, other))) == ".a.b"  # a member that goes leaves its children
    assert next(fields.paths(fields.without(one, other))) == '.l[name="x"]'  # here they go with it
    assert fields.difference(one, one) == {}
    assert list(fields.write(fields.read({"v:1": {}, "k:{}": {}, "f:z": {}, "f:a": {}, ".": {}}))) == [
        ".", "f:a", "f:z", "k:{}", "v:1",
    ]  # fmt: skip
    for wrong in ("text", {"x": {}}, {"f:a": []}):
        with pytest.raises(ValueError, match="no "):
            fields.read(wrong)


# --------------------------------------------------------------------------------------------- values by schema


def test_merging_keeps_what_is_not_said_and_the_order_of_items():
    live = deployment(*({"name": name, "image": "1", "args": ["a"]} for name in "abcd"), replicas=3)
    applied = deployment({"name": "c", "image": "2"}, {"name": "n"}, {"name": "a", "args": ["b"]})
    new = merge(live, applied, DEPLOYMENT)
    containers = new["spec"]["template"]["spec"]["containers"]
    assert [one["name"] for one in containers] == ["b", "c", "d", "n", "a"]
    assert containers[1] == {"name": "c", "image": "2", "args": ["a"]}
    assert containers[-1]["args"] == ["b"]  # an atomic list
    assert new["spec"]["replicas"] == 3
    gone = fields_of(deployment({"name": "b"}), DEPLOYMENT)
    left = remove(new, gone, DEPLOYMENT)["spec"]["template"]["spec"]["containers"]
    assert [one["name"] for one in left] == ["c", "d", "n", "a"]


def test_what_differs_between_two_states():
    old = deployment({"name": "a", "ports": [{"containerPort": 1}]}, replicas=1, selector={"matchLabels": {"x": "1"}})
    new = copy.deepcopy(old)
    new["spec"] |= {"replicas": 2, "paused": True}
    new["spec"]["selector"]["matchLabels"]["y"] = "2"
    new["spec"]["template"]["spec"]["containers"][0]["ports"] = [{"containerPort": 1, "protocol": "TCP", "name": "n"}]
    found = Comparison(old, new, DEPLOYMENT)
    container = '.spec.template.spec.containers[name="a"]'
    port = f'{container}.ports[containerPort=1,protocol="TCP"]'
    assert list(fields.paths(found.modified)) == [".spec.replicas", ".spec.selector"]
    assert list(fields.paths(found.added)) == [".spec.paused", f"{port}.name", f"{port}.protocol"]
    assert not Comparison(old, copy.deepcopy(old), DEPLOYMENT)
    back = Comparison(new, old, DEPLOYMENT)
    assert (back.removed, back.modified) == (found.added, found.modified)


def test_items_that_are_there_twice_are_one_field():
    one = deployment({"name": "a", "env": [{"name": "X", "value": "1"}, {"name": "X", "value": "2"}]})
    other = deployment({"name": "a", "env": [{"name": "X", "value": "1"}, {"name": "X", "value": "3"}]})
    path = '.spec.template.spec.containers[name="a"].env[name="X"]'
    assert list(fields.paths(Comparison(one, other, DEPLOYMENT).modified)) == [path]
    assert path in fields.paths(fields_of(one, DEPLOYMENT))


@pytest.mark.parametrize(
    ("applied", "words"),
    [
        ({"spec": {"replica": 1}}, ".spec.replica: field not declared in schema"),
        ({"spec": {"replicas": "1"}}, ".spec.replicas: expected numeric (int or float), got string"),
        ({"spec": {"paused": 1}}, ".spec.paused: expected boolean, got &{1}"),
        ({"spec": ["x"]}, ".spec: expected map, got &{[x]}"),
        (
            {"metadata": {"labels": {"a": {"b": 1}}}},
            '.metadata.labels.a: expected string, got &value.valueUnstructured{Value:map[string]interface {}{"b":1}}',
        ),
        ({"spec": {"template": {"spec": {"volumes": {"a": 1}}}}}, f"{POD}.volumes: expected list, got &{{map[a:1]}}"),
        (deployment({"name": "a"}, {"name": "a"}), f'{POD}.containers: duplicate entries for key [name="a"]'),
        ({"metadata": {"finalizers": ["x", "x"]}}, '.metadata.finalizers: duplicate entries for key [="x"]'),
        (deployment(NO_MAP), f"{POD}.containers: element 0: associative list with keys may not have non-map elements"),
        (
            {"b": 2, "spec": {"paused": "x"}},
            "errors:\n  .b: field not declared in schema\n  .spec.paused: expected boolean, got &{x}",
        ),
    ],
)
def test_objects_that_do_not_fit(applied: Json, words: str):
    with pytest.raises(Mistyped) as caught:
        check(applied, DEPLOYMENT)
    assert str(caught.value) == words


# ------------------------------------------------------------------------------------------------ who owns what


def test_a_creation_owns_what_it_says_but_not_what_each_object_has():
    new = deployment({"name": "a", "image": "x"}, replicas=1)
    new["metadata"] |= {"labels": {"app": "web"}, "uid": "u", "generation": 1}
    managers = ownership.update({}, new, {}, change("me"))
    assert written(managers)["me"] == {
        "f:metadata": {"f:labels": {".": {}, "f:app": {}}},
        "f:spec": {
            "f:replicas": {},
            "f:template": {"f:spec": {"f:containers": {'k:{"name":"a"}': {".": {}, "f:image": {}, "f:name": {}}}}},
        },
    }


def test_an_update_takes_what_it_changes_and_what_goes_is_nobodys():
    first = deployment({"name": "a", "image": "x"}, replicas=1, paused=True)
    managers = ownership.update({}, first, {}, change("one", time="t1"))
    second = deployment({"name": "a", "image": "y"}, replicas=1)
    managers = ownership.update(first, second, managers, change("two", time="t2"))
    image = '.spec.template.spec.containers[name="a"].image'
    assert own(managers, "two") == [image]
    assert image not in own(managers, "one")
    assert ".spec.paused" not in own(managers, "one")
    assert [(one["manager"], one["time"]) for one in ownership.encode(managers)] == [("one", "t1"), ("two", "t2")]
    # Nothing taken: the entry and its time stay as they are.
    assert ownership.update(second, second, managers, change("two", time="t3")) == managers
    # Through the status nobody can take the spec.
    third = {**second, "spec": {"replicas": 9}, "status": {"replicas": 4}}
    told = ownership.update(second, third, managers, change("two", subresource="status",
                                                            reset=fields.of_paths("spec")))  # fmt: skip
    entry = next(one for one in ownership.encode(told) if one.get("subresource") == "status")
    assert entry["fieldsV1"] == {"f:status": {"f:replicas": {}}}


def test_who_is_not_tracked_stays_so_until_the_first_apply():
    live = deployment({"name": "a", "image": "x"})
    assert ownership.update(live, deployment({"name": "a", "image": "y"}), {}, change("me")) == {}
    applied = deployment({"name": "a", "image": "x"}, replicas=2)
    new, managers = ownership.apply(live, applied, {}, change("me", APPLY), force=False)
    assert new["spec"]["replicas"] == 2
    assert {one["manager"]: one["operation"] for one in ownership.encode(managers)} == {
        "me": "Apply", "before-first-apply": "Update",
    }  # fmt: skip


def apply(live: Json, applied: Json, managers: Managers, manager: str, *, force: bool = False) -> tuple[Json, Managers]:
    return ownership.apply(live, applied, managers, change(manager, APPLY), force=force)


def test_applies_share_conflict_take_over_and_let_go():
    live, managers = apply({}, deployment({"name": "a", "image": "x"}, {"name": "b"}, replicas=1), {}, "one")
    # The same value is shared, another one is a conflict.
    live, managers = apply(live, deployment({"name": "a", "image": "x"}, paused=True), managers, "two")
    with pytest.raises(Conflicts) as caught:
        apply(live, deployment({"name": "a", "image": "y"}, replicas=2), managers, "two")
    image = '.spec.template.spec.containers[name="a"].image'
    told = error(caught.value)
    assert told.message == f'Apply failed with 2 conflicts: conflicts with "one":\n- .spec.replicas\n- {image}'
    assert [one["field"] for one in (told.details or {})["causes"]] == [".spec.replicas", image]
    # By force it is taken over; what is no longer said and nobody else has is taken away.
    live, managers = apply(live, deployment({"name": "a", "image": "y"}), managers, "two", force=True)
    assert "paused" not in live["spec"]
    assert image in own(managers, "two")
    assert image not in own(managers, "one")
    # What two have had stays with the one that still says it; an item goes with its last owner.
    live, managers = apply(live, deployment(replicas=1), managers, "one")
    assert [one["name"] for one in live["spec"]["template"]["spec"]["containers"]] == ["a"]
    assert own(managers, "one") == [".spec.replicas"]
    # A no-op keeps the time.
    again = ownership.apply(live, deployment(replicas=1), managers, change("one", APPLY, time="later"), force=False)
    assert again == (live, managers)
    # An update that changes what is applied takes it, and that is a conflict for the next apply.
    scaled = {**live, "spec": {**live["spec"], "replicas": 5}}
    managers = ownership.update(live, scaled, managers, change("scaler", subresource="scale"))
    with pytest.raises(Conflicts) as caught:
        apply(scaled, deployment(replicas=1), managers, "one")
    assert error(caught.value).message == (
        'Apply failed with 1 conflict: conflict with "scaler" with subresource "scale" using apps/v1: .spec.replicas'
    )


def test_without_a_schema_lists_are_one_value():
    custom = {"spec": {"list": [{"name": "a"}], "map": {"x": 1}}}
    plain: Any = {"schema": None, "typed": False}
    managers = ownership.update({}, custom, {}, change("one", **plain))
    assert written(managers)["one"] == {
        "f:spec": {".": {}, "f:list": {}, "f:map": {".": {}, "f:x": {}}},
    }
    more = {"spec": {"list": [{"name": "b"}], "map": {"y": 2}}}
    new, _ = ownership.apply(custom, more, managers, change("two", APPLY, **plain), force=True)
    assert new["spec"] == {"list": [{"name": "b"}], "map": {"x": 1, "y": 2}}


def test_only_so_many_updates_are_kept_apart():
    live: Json = {"data": {}}
    managers: Managers = {}
    for number in range(13):
        new = {"data": {**live["data"], f"k{number:02}": "v"}}
        managers = ownership.update(live, new, managers, change(f"m{number:02}", time=f"t{number:02}",
                                                                schema=CONFIG_MAP), track=True)  # fmt: skip
        live = new
    entries = ownership.encode(managers)
    assert [one["manager"] for one in entries] == ["ancient-changes", *(f"m{number:02}" for number in range(4, 13))]
    assert entries[0]["time"] == "t03"
    assert list(entries[0]["fieldsV1"]["f:data"]) == ["f:k00", "f:k01", "f:k02", "f:k03"]


def test_what_an_update_says_of_managers():
    entries = [{"manager": "me", "operation": "Update", "apiVersion": "v1", "fieldsType": "FieldsV1",
                "fieldsV1": {"f:data": {}}}]  # fmt: skip
    live = {"metadata": {"managedFields": entries}}
    assert ownership.known(live, None) == ownership.decode(entries)
    assert ownership.known(live, [{}]) == ownership.known(live, []) == {}
    assert ownership.known(live, [{"operation": "Nonsense"}]) == ownership.decode(entries)
    assert ownership.known(live, [{}], subresource=True) == ownership.decode(entries)
    other = [{**entries[0], "manager": "other"}]
    assert [owner.manager for owner in ownership.known(live, other)] == ["other"]
