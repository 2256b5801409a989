"""Watches of the playground and of a real API server, by the same assertions."""

from __future__ import annotations

import pytest

from tests.controlplane.sides import Json, config_map
from tests.unit.playground.client import MERGE, TABLE, Client


def test_a_watch_tells_each_change(side: Client, place: str):
    version = side.get(f"{place}/configmaps").json()["metadata"]["resourceVersion"]
    with side.watch(f"{place}/configmaps", resourceVersion=version) as events:
        made = side.ask("POST", f"{place}/configmaps", config_map("a", x="1")).json()
        changed = side.ask("PATCH", f"{place}/configmaps/a", {"data": {"x": "2"}}, media=MERGE).json()
        side.ask("DELETE", f"{place}/configmaps/a")
        seen = [next(events) for _ in range(3)]
    assert [event["type"] for event in seen] == ["ADDED", "MODIFIED", "DELETED"]
    assert [event["object"] for event in seen[:2]] == [made, changed]
    last = seen[2]["object"]
    assert last["data"] == {"x": "2"}
    assert int(last["metadata"]["resourceVersion"]) > int(changed["metadata"]["resourceVersion"])
    # Later, from the same version, the same is told again.
    assert side.events(f"{place}/configmaps", 3, resourceVersion=version) == seen


def test_a_selector_turns_changes_into_comings_and_goings(side: Client, place: str):
    side.ask("POST", f"{place}/configmaps", config_map("a", x="1"))
    version = side.get(f"{place}/configmaps").json()["metadata"]["resourceVersion"]
    with side.watch(f"{place}/configmaps", resourceVersion=version, labelSelector="of=test") as events:
        for label in ("other", "test"):
            patch = {"metadata": {"labels": {"of": label}}, "data": {"x": label}}
            changed = side.ask("PATCH", f"{place}/configmaps/a", patch, media=MERGE).json()
        seen = [next(events) for _ in range(2)]
    assert [event["type"] for event in seen] == ["DELETED", "ADDED"]
    assert seen[0]["object"]["data"] == {"x": "1"}  # its last matching state
    assert seen[1]["object"] == changed
    assert int(seen[0]["object"]["metadata"]["resourceVersion"]) > int(version)


@pytest.mark.parametrize("bookmarks", [True, False])
def test_a_watch_list_ends_with_its_bookmark(side: Client, place: str, bookmarks: bool):
    side.ask("POST", f"{place}/configmaps", config_map("a"))
    side.ask("POST", f"{place}/configmaps", config_map("b"))
    query: Json = {"sendInitialEvents": "true", "resourceVersionMatch": "NotOlderThan", "labelSelector": "of=test"}
    if bookmarks:
        query["allowWatchBookmarks"] = "true"
    events = side.events(f"{place}/configmaps", 2 + bookmarks, **query)
    assert [event["type"] for event in events[: 2 + bookmarks]] == ["ADDED", "ADDED"] + ["BOOKMARK"] * bookmarks
    # A real server adds a bookmark of its own shortly before a watch's time is up; nothing else may follow.
    assert {event["type"] for event in events[2 + bookmarks :]} <= ({"BOOKMARK"} if bookmarks else set())
    assert {event["object"]["metadata"]["name"] for event in events[:2]} == {"a", "b"}
    if bookmarks:
        last = events[2]["object"]
        assert (last["kind"], last["apiVersion"]) == ("ConfigMap", "v1")
        assert last["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}
        newest = max(int(event["object"]["metadata"]["resourceVersion"]) for event in events[:2])
        assert int(last["metadata"]["resourceVersion"]) >= newest


def test_a_watch_from_nowhere_begins_with_all_there_is(side: Client, place: str):
    side.ask("POST", f"{place}/configmaps", config_map("a"))
    for query in ({}, {"resourceVersion": "0"}):
        events = side.events(f"{place}/configmaps", 1, labelSelector="of=test", **query)
        assert [event["type"] for event in events] == ["ADDED"]


def test_a_watch_of_tables(side: Client, place: str):
    side.ask("POST", f"{place}/configmaps", config_map("a", x="1"))
    side.ask("POST", f"{place}/configmaps", config_map("b"))
    query = {
        "sendInitialEvents": "true",
        "resourceVersionMatch": "NotOlderThan",
        "allowWatchBookmarks": "true",
        "labelSelector": "of=test",
    }
    for include in ("Metadata", "Object", "None"):
        events = side.events(f"{place}/configmaps", 3, accept=TABLE, includeObject=include, **query)
        tables = [event["object"] for event in events]
        assert all(table["kind"] == "Table" and len(table["rows"]) == 1 for table in tables)
        assert [column["name"] for column in tables[0]["columnDefinitions"]] == ["Name", "Data", "Age"]
        # Two objects and at least one bookmark; a slow machine may see one more.
        assert len(tables) >= 3
        assert all(table["columnDefinitions"] is None for table in tables[1:])
        assert tables[2]["rows"][0]["cells"] == ["", 0, "<unknown>"]
        mark = tables[2]["rows"][0]["object"]
        assert mark["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}
        assert mark["metadata"]["resourceVersion"] == tables[2]["metadata"]["resourceVersion"]
        if include == "None":
            assert tables[0]["rows"][0]["object"] is None
            continue
        found = tables[0]["rows"][0]["object"]
        assert found["kind"] == ("ConfigMap" if include == "Object" else "PartialObjectMetadata")
        assert found["metadata"]["resourceVersion"] == tables[0]["metadata"]["resourceVersion"]


def test_one_object_is_not_watched(side: Client, place: str):
    side.ask("POST", f"{place}/configmaps", config_map("a"))
    assert side.get(f"{place}/configmaps/a", watch="1", timeoutSeconds="1").json()["metadata"]["name"] == "a"
    old = side.get(f"{place.replace('/v1', '/v1/watch')}/configmaps", timeoutSeconds="1", labelSelector="of=test")
    assert old.body.startswith(b'{"type":"ADDED","object":{"kind":"ConfigMap"')
