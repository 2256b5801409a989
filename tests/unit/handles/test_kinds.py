"""The table of kinds: discovery, permissions, custom ones, several clusters."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

import notebook_mux as nm
from notebook_mux import aio, errors
from notebook_mux.handles import kinds, managers
from notebook_mux.kernel.failure import Failure
from tests.unit import fake_core
from tests.unit.fake_core import DEPLOYMENTS, NODES, PODS, SECRETS, FakeCore

BOATS = PODS | {"name": "boats", "singular": "boat", "kind": "Boat", "group": "example.com", "short_names": ["bo"]}
METRICS = PODS | {
    "name": "nodes",
    "singular": "",
    "kind": "NodeMetrics",
    "group": "metrics.k8s.io",
    "verbs": ["get", "list"],
}
REVIEW = PODS | {"name": "tokenreviews", "singular": "tokenreview", "kind": "TokenReview", "verbs": ["create"]}


@pytest.fixture
def core(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeCore]:
    core = fake_core.install(monkeypatch)
    core.answer = crds("boats.example.com")
    yield core
    managers._known.clear()


def crds(*names: str) -> Any:
    rows = [{"cells": [name]} for name in names] or None
    return lambda ref, path, query: (200, msgspec.json.encode({"kind": "Table", "rows": rows}))


def connect(core: FakeCore, *aliases: str) -> nm.Manager:
    manager = fake_core.manager(core, *aliases)
    managers.set_default(manager)
    return manager


def allow(*allowed: tuple[str, str], rules: list[dict[str, Any]], incomplete: bool = False) -> Any:
    """Reviews that allow these pairs of verb and resource in all namespaces."""

    def review(ref: str, body: dict[str, Any]) -> dict[str, Any]:
        if body["kind"] == "SelfSubjectRulesReview":
            return {"resourceRules": rules, "incomplete": incomplete}
        asked = body["spec"]["resourceAttributes"]
        return {"allowed": (asked["verb"], asked["resource"]) in allowed and not asked["namespace"]}

    return review


RULES = [{"verbs": ["list", "watch"], "apiGroups": [""], "resources": ["pods", "nodes"]}]


def test_all_kinds_that_can_be_watched(core: FakeCore) -> None:
    core.served = [PODS, NODES, REVIEW, DEPLOYMENTS, DEPLOYMENTS | {"version": "v1beta1"}, BOATS, METRICS]
    connect(core)
    found = nm.kinds()
    rows = {row["Kind"]: row for row in found}
    assert list(rows) == ["Pod", "Node", "Deployment", "Boat", "NodeMetrics"]
    assert found.columns == list(kinds.COLUMNS[:-1]), "one cluster need not be named"
    assert rows["Deployment"] == {
        "Name": "deployments",
        "Short": ["deploy"],
        "API": "apps/v1",
        "Kind": "Deployment",
        "Namespaced": True,
        "List": "everywhere",
        "Watch": "everywhere",
        "Type": "built in",
        "Verbs": ["get", "list", "watch"],
    }
    assert rows["Pod"]["API"] == "v1"
    assert [rows[kind]["Type"] for kind in ("Pod", "Boat", "NodeMetrics")] == ["built in", "custom", "aggregated"]
    assert rows["NodeMetrics"]["Watch"] is None, "it can only be listed"


def test_what_is_allowed(core: FakeCore) -> None:
    core.review = allow(("list", "pods"), rules=RULES)
    connect(core)
    rows = {row["Name"]: (row["List"], row["Watch"]) for row in nm.kinds()}
    assert rows == {
        "pods": ("everywhere", "in default"),
        "nodes": ("no", "no"),
        "secrets": ("no", "no"),
        "deployments": ("no", "no"),
    }
    # The rules, and one question for each verb that they grant: what they do not is not allowed anywhere.
    assert len([call for call in core.asked("http") if call[2] == "POST"]) == 1 + 4


def test_what_the_rules_do_not_say_is_asked(core: FakeCore) -> None:
    core.review = allow(("list", "secrets"), ("watch", "nodes"), rules=[], incomplete=True)
    connect(core)
    rows = {row["Name"]: (row["List"], row["Watch"]) for row in nm.kinds()}
    assert rows["secrets"] == ("everywhere", "no")
    assert rows["nodes"] == ("no", "everywhere")


def test_too_many_kinds_are_question_marks(core: FakeCore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kinds, "MAX_REVIEWS", 6)
    core.review = allow(("list", "pods"), ("watch", "pods"), rules=RULES, incomplete=True)
    connect(core)
    found = nm.kinds()
    assert len([call for call in core.asked("http") if call[2] == "POST"]) == 6
    assert {(row["List"], row["Watch"]) for row in found} >= {("everywhere", "everywhere"), ("?", "?")}
    assert "too many kinds" in found.notes[0]


def test_who_may_everything_need_not_be_asked_each(core: FakeCore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kinds, "MAX_REVIEWS", 3)
    connect(core)
    assert {(row["List"], row["Watch"]) for row in nm.kinds()} == {("everywhere", "everywhere")}


@pytest.mark.parametrize("match", ["deploy", "DEPLOYMENT", "apps", "dep*", "?pps"])
def test_a_part_of_a_name(core: FakeCore, match: str) -> None:
    connect(core)
    assert [row["Name"] for row in nm.kinds(match=match)] == ["deployments"]


def test_nothing_by_that_name(core: FakeCore) -> None:
    connect(core)
    found = nm.kinds(match="nothing")
    assert not found
    assert "No kind that can be watched has 'nothing'" in found.text
    for odd in ("", 7):
        with pytest.raises(errors.InvalidArgument, match="names nothing"):
            nm.kinds(match=odd)  # type: ignore[arg-type]
    with pytest.raises(errors.UnknownContext):
        nm.kinds("nowhere")


def test_custom_kinds_that_may_not_be_listed_are_a_guess(core: FakeCore) -> None:
    core.served = [PODS, BOATS]
    connect(core)
    answers = iter([(403, b"{}"), (200, b"no JSON"), (200, b'{"rows": [7]}')])
    core.answer = lambda ref, path, query: next(answers)
    for _ in range(3):
        assert [row["Type"] for row in nm.kinds()] == ["built in", "custom?"]
    core.answer = lambda ref, path, query: (200, b'{"items": [{"metadata": {"name": "boats.example.com"}}]}')
    assert [row["Type"] for row in nm.kinds()] == ["built in", "custom"]


def test_several_clusters(core: FakeCore) -> None:
    core.resources = {"ref-a": [PODS, BOATS], "ref-b": [PODS, SECRETS]}

    def review(ref: str, body: dict[str, Any]) -> dict[str, Any]:
        asked = body["spec"].get("resourceAttributes", {})
        return {"allowed": ref == "ref-a" or asked.get("verb") == "watch"}

    core.review = review
    connect(core, "a", "b")
    found = nm.kinds()
    rows = {row["Name"]: row for row in found}
    assert rows["pods"]["Clusters"] == ["all"]
    assert rows["pods"]["List"] == "a: everywhere; b: no"
    assert rows["pods"]["Watch"] == "everywhere"
    assert rows["boats"]["Clusters"] == ["a"]
    assert rows["secrets"]["Clusters"] == ["b"]
    assert [row["Name"] for row in nm.kinds("b")] == ["pods", "secrets"]


def test_a_cluster_that_does_not_answer(core: FakeCore, monkeypatch: pytest.MonkeyPatch) -> None:
    manager = connect(core, "a", "b")
    known = core.discover

    def discover(conn: str, ref: str, refresh: bool = False) -> Any:
        return fake_core.done(Failure("unreachable", "no way to a")) if ref == "ref-a" else known(conn, ref, refresh)

    monkeypatch.setattr(core, "discover", discover)
    found = asyncio.run(aio.kinds())
    assert len(found) == 4
    assert found.notes[0] == "a did not answer: no way to a."
    with pytest.raises(nm.Unreachable, match="no way to a"):
        nm.kinds("a")
    manager.close()
