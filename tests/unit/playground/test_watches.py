"""One watcher without a socket; the rest of it is in the contract tests."""

from __future__ import annotations

import json
from typing import Any

import pytest

from notebook_mux.playground import options, watches
from notebook_mux.playground.accept import METADATA, OBJECT, TABLE
from notebook_mux.playground.cluster import Cluster
from notebook_mux.playground.paths import Target
from notebook_mux.playground.watches import Watcher
from tests.unit.playground.worlds import bare, config_map

LARGE = 1 << 20


def watcher(cluster: Cluster, form: str = OBJECT, **query: str) -> Watcher:
    asked = options.parse(query, watch=True)
    return Watcher(cluster, Target(cluster.kind("configmaps"), "default"), asked, form, lambda: None)


def take(one: Watcher, size: int = LARGE) -> list[Any]:
    return [json.loads(line) for line in one.take(size)]


def test_too_old_a_version_is_an_error_and_the_end():
    cluster = bare()
    cluster.create(config_map("a"))
    version = cluster.store.revision
    cluster.store.compact()
    cluster.create(config_map("b"))
    one = watcher(cluster, resourceVersion=str(version))
    (event,) = take(one)
    assert event["type"] == "ERROR"
    assert (event["object"]["code"], event["object"]["reason"]) == (410, "Expired")
    assert event["object"]["message"] == f"too old resource version: {version} ({version + 2})"
    assert one.ended


def test_changes_wait_until_they_are_taken_in_pieces():
    cluster = bare()
    one = watcher(cluster, resourceVersion=str(cluster.store.revision))
    for number in range(6):
        cluster.create(config_map(f"m-{number}"))
    assert len(take(one, 1)) == 1
    assert len(take(one)) == 5
    assert take(one) == []
    one.close()
    cluster.create(config_map("late"))
    assert take(one) == []


def test_a_watcher_that_does_not_read_is_ended(monkeypatch):
    monkeypatch.setattr(watches, "BACKLOG", 3)
    cluster = bare()
    one = watcher(cluster, resourceVersion=str(cluster.store.revision))
    for number in range(4):
        cluster.create(config_map(f"m-{number}"))
    assert one.ended
    assert take(one) == []


def test_the_beginning_is_of_one_moment():
    """What changes while a long beginning is sent comes after its bookmark, which has the beginning's version."""
    cluster = bare()
    for number in range(3):
        cluster.create(config_map(f"m-{number}"))
    version = cluster.store.revision
    query = {"sendInitialEvents": "true", "resourceVersionMatch": "NotOlderThan", "allowWatchBookmarks": "true"}
    one = watcher(cluster, **query)
    assert len(take(one, 1)) == 1
    cluster.remove("configmaps", "default", "m-2")
    events = take(one)
    assert [event["type"] for event in events] == ["ADDED", "ADDED", "BOOKMARK", "DELETED"]
    assert events[2]["object"]["metadata"]["resourceVersion"] == str(version)


@pytest.mark.parametrize("form", [OBJECT, METADATA, TABLE])
def test_bookmarks_in_each_form(form: str):
    cluster = bare()
    one = watcher(cluster, form, resourceVersion=str(cluster.store.revision))
    cluster.create({"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": "x", "namespace": "other"}})
    assert take(one) == []
    event = json.loads(one.bookmark())
    assert event["type"] == "BOOKMARK"
    obj = event["object"]
    assert obj["metadata"] == {"resourceVersion": str(cluster.store.revision)}
    assert obj["kind"] == {OBJECT: "ConfigMap", METADATA: "PartialObjectMetadata", TABLE: "Table"}[form]
    if form == TABLE:
        assert obj["columnDefinitions"]  # the first event, whatever it is
