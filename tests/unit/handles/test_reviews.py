"""What we may, by reviews: rules, single questions, and how many are asked."""

from __future__ import annotations

from typing import Any

import pytest

from notebook_mux.handles.reviews import Reviewer, Rules, side_by_side
from notebook_mux.handles.waiting import Wait, blocking
from notebook_mux.kernel.failure import Failure
from tests.unit import fake_core
from tests.unit.fake_core import FakeCore


@pytest.fixture
def core(monkeypatch: pytest.MonkeyPatch) -> FakeCore:
    return fake_core.install(monkeypatch)


def reviewer(core: FakeCore, budget: int = 10, seconds: float = 30.0) -> Reviewer:
    identity = fake_core.manager(core)._identity
    return Reviewer(identity, identity.contexts[0], budget=budget, seconds=seconds)


def rule(verbs: list[str], resources: list[str], **more: Any) -> dict[str, Any]:
    return {"verbs": verbs, "apiGroups": [""], "resources": resources, **more}


def test_rules() -> None:
    rules = Rules((rule(["list"], ["pods"]), rule(["*"], ["secrets"], resourceNames=["one"])), True)
    assert rules.grant("list", "", "pods")
    assert not rules.grant("watch", "", "pods")
    assert not rules.grant("list", "apps", "pods")
    assert not rules.grant("list", "", "secrets"), "one object by its name is not the list"
    assert Rules(({"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]},)).grant("watch", "x.example.com", "boats")
    assert not Rules(({"verbs": None, "apiGroups": "x"},)).grant("list", "x", "y")


def test_a_question_and_its_answer(core: FakeCore) -> None:
    asked = []

    def review(ref: str, body: dict[str, Any]) -> dict[str, Any]:
        asked.append((ref, body))
        return {"allowed": body["spec"]["resourceAttributes"]["namespace"] == "team"}

    core.review = review
    one = reviewer(core)
    assert blocking(one.may("list", "apps", "deployments", "team")) is True
    assert blocking(one.may("list", "apps", "deployments", None)) is False
    assert asked[0] == (
        "ref-dev",
        {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {
                "resourceAttributes": {"verb": "list", "group": "apps", "resource": "deployments", "namespace": "team"}
            },
        },
    )
    assert core.asked("http")[0][2:4] == ("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews")


def test_rules_of_a_namespace(core: FakeCore) -> None:
    core.review = lambda ref, body: {"resourceRules": [rule(["list"], ["pods"]), 7], "incomplete": False}
    assert blocking(reviewer(core).rules("team")) == Rules((rule(["list"], ["pods"]),), True)
    core.review = lambda ref, body: {"resourceRules": [], "incomplete": True}
    assert not blocking(reviewer(core).rules("team")).complete
    core.review = lambda ref, body: {"resourceRules": None, "incomplete": False, "evaluationError": "webhook"}
    assert blocking(reviewer(core).rules("team")) == Rules((), False)


def test_the_budget_ends(core: FakeCore) -> None:
    one = reviewer(core, budget=2)
    assert [blocking(one.may("list", "", "pods", None)) for _ in range(3)] == [True, True, None]
    assert one.left == 0
    assert len(core.asked("http")) == 2
    assert blocking(one.rules("team")) == Rules()


def test_not_knowing_is_an_answer(core: FakeCore, monkeypatch: pytest.MonkeyPatch) -> None:
    core.review = lambda ref, body: {"odd": 1}
    assert blocking(reviewer(core).may("list", "", "pods", None)) is None
    for answer in (
        fake_core.done((403, {}, b"no")),
        fake_core.done((201, {}, b"no JSON")),
        fake_core.done(Failure("x", "y")),
    ):
        monkeypatch.setattr(core, "http", lambda *args, answer=answer, **more: answer)
        assert blocking(reviewer(core).may("list", "", "pods", None)) is None
        assert blocking(reviewer(core).rules("team")) == Rules()


def test_side_by_side() -> None:
    running, most = 0, 0

    async def one(number: int) -> int:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await Wait(fake_core.done())
        running -= 1
        return number * number

    done = blocking(side_by_side(range(10), one, at_once=3))
    assert sorted(done) == [(number, number * number) for number in range(10)]
    assert most == 3

    async def fail(number: int) -> int:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        blocking(side_by_side([1], fail))
