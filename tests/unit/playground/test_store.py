from __future__ import annotations

import json

import pytest

from notebook_mux.playground.history import Change
from tests.unit.playground.worlds import bare, config_map


def test_an_object_is_bytes_and_each_caller_gets_a_copy():
    cluster = bare()
    stored = cluster.create(config_map("a", x="1"))
    obj = json.loads(stored.encoded)
    assert list(obj) == ["kind", "apiVersion", "metadata", "data"]
    assert obj["metadata"]["resourceVersion"] == str(cluster.store.revision)
    assert "kind" not in json.loads(stored.item)
    stored.decode()["data"]["x"] = "changed"
    assert stored.decode()["data"] == {"x": "1"}


def test_items_come_in_the_order_of_their_keys():
    cluster = bare()
    for namespace, name in (("b", "a"), ("a", "z"), ("a", "b")):
        cluster.create(config_map(name, namespace))
    assert [one.key for one in cluster.store.items("configmaps")] == [("a", "b"), ("a", "z"), ("b", "a")]
    assert [one.name for one in cluster.store.items("configmaps", "a")] == ["b", "z"]
    assert cluster.store.items("pods") == []


def test_changes_are_told_with_what_was_before():
    cluster, seen = bare(), list[Change]()
    stop = cluster.store.listen("configmaps", seen.append)
    stored = cluster.create(config_map("a"))
    cluster.update("configmaps", "default", "a", lambda obj: obj.update(data={"x": "1"}))
    cluster.update("configmaps", "default", "a", lambda obj: None)  # nothing changed: nothing told
    last = cluster.store.remove(stored.kind, stored.key)
    assert [change.type for change in seen] == ["ADDED", "MODIFIED", "DELETED"]
    assert seen[0].old is None
    assert seen[1].old is stored
    assert seen[2].new is last
    assert last.decode()["data"] == {"x": "1"}
    assert [change.revision for change in seen] == sorted(change.new.revision for change in seen)
    stop()
    cluster.create(config_map("b"))
    assert len(seen) == 3
    with pytest.raises(KeyError):
        cluster.store.remove(stored.kind, stored.key)


def test_the_past_can_be_asked_for_until_it_is_forgotten():
    cluster = bare()
    store = cluster.store
    states = {}
    for name in ("a", "b"):
        cluster.create(config_map(name, x="1"))
        states[store.revision] = [one.encoded for one in store.items("configmaps")]
    cluster.update("configmaps", "default", "a", lambda obj: obj.update(data={}))
    states[store.revision] = [one.encoded for one in store.items("configmaps")]
    cluster.remove("configmaps", "default", "b")
    states[store.revision] = [one.encoded for one in store.items("configmaps")]
    cluster.create(config_map("b", x="2"))
    for revision, encoded in states.items():
        found = store.items_at("configmaps", revision)
        assert found is not None
        assert [one.encoded for one in found] == encoded
    newest = store.revision
    store.compact()
    assert store.items_at("configmaps", newest) is None
    assert store.items_at("configmaps", store.revision) == store.items("configmaps")
    assert store.history("pods").floor == store.revision  # also of kinds that nobody has asked for yet


def test_versions_age_but_not_on_an_idle_cluster():
    cluster = bare()
    first = cluster.store.revision
    for number in range(150):
        cluster.create(config_map(f"m-{number}"))
    cluster.agenda.step(301)
    assert cluster.store.items_at("configmaps", first) == []
    cluster.agenda.step(300)
    assert cluster.store.items_at("configmaps", first) is None
    assert len(cluster.store.history("configmaps")) == 100
