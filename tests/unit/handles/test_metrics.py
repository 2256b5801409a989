from __future__ import annotations

from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any

import pytest

from notebook_mux import errors
from notebook_mux.handles import metrics
from notebook_mux.handles.metrics import AGAIN_SECONDS, KEPT_SECONDS, POLL_SECONDS, Poller, Question
from notebook_mux.printing.amounts import Amounts, quantity
from tests.waiting import eventually

QUESTION = Question("auto", "scope", "me", "ref-a", "pods", "shop")
FIGURES = b'{"items":[{"metadata":{"name":"web","namespace":"shop"},"containers":[{"usage":{"cpu":"5m"}}]}]}'
KNOWN = {("shop", "web"): Amounts(quantity("5m"), 0)}


class Cluster:
    """Answers what a poller asks; the time passes when the test says so."""

    def __init__(self) -> None:
        self.now = 100.0
        self.asked: list[Question] = []
        self.answers: list[Any] = []
        self.poller = Poller(self.ask, lambda: self.now)
        self.woken = 0

    def ask(self, question: Question) -> Future[Any]:
        self.asked.append(question)
        future: Future[Any] = Future()
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, BaseException):
            future.set_exception(answer)
        else:
            future.set_result((answer[0], {}, answer[1]))
        return future

    def wake(self) -> None:
        self.woken += 1

    def passes(self, seconds: float) -> None:
        """Time goes by, and the thread looks again."""
        self.now += seconds
        self.poller._came.put(None)

    def answered(self, times: int) -> None:
        eventually(lambda: self.woken >= times, seconds=30)


@pytest.fixture
def cluster() -> Cluster:
    return Cluster()


def test_figures_come_at_once_and_again_while_they_are_held(cluster: Cluster) -> None:
    cluster.answers = [(200, FIGURES), (200, b'{"items":[]}')]
    undo = cluster.poller.hold(QUESTION, cluster.wake)
    cluster.answered(1)
    assert cluster.poller.answer(QUESTION) == (KNOWN, "", 100.0)
    cluster.passes(POLL_SECONDS)
    cluster.answered(2)
    assert cluster.poller.answer(QUESTION).figures == {}
    undo()
    cluster.passes(POLL_SECONDS)
    eventually(cluster.poller._came.empty, seconds=30)
    assert len(cluster.asked) == 2, "nobody looks"


def test_tables_of_the_same_share_an_answer(cluster: Cluster) -> None:
    cluster.answers = [(200, FIGURES)]
    first = cluster.poller.hold(QUESTION, cluster.wake)
    cluster.answered(1)
    second = cluster.poller.hold(QUESTION, cluster.wake)
    other = cluster.poller.hold(QUESTION._replace(namespace="default"), cluster.wake)
    cluster.answered(2)
    assert [question.namespace for question in cluster.asked] == ["shop", "default"]
    first()
    cluster.passes(POLL_SECONDS)
    cluster.answered(4)
    assert len(cluster.asked) == 4
    second()
    other()


@pytest.mark.parametrize(("selector", "query"), [("", ""), ("app in (a, b)", "labelSelector=app+in+%28a%2C+b%29")])
def test_what_is_sent(selector: str, query: str, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[Any] = []
    core = SimpleNamespace(http=lambda *given, **_: sent.append(given) or Future())
    monkeypatch.setattr("notebook_mux.kernel.holder.running", lambda: core)
    metrics._asked(QUESTION._replace(selector=selector))
    path = "/apis/metrics.k8s.io/v1beta1/namespaces/shop/pods"
    assert sent == [("auto", "ref-a", "GET", path, query)]


@pytest.mark.parametrize(
    ("answer", "words", "wait"),
    [
        ((404, b"404 page not found"), "is not installed", AGAIN_SECONDS),
        ((403, b'{"message":"no"}'), r"may not list pods.metrics.k8s.io in shop", AGAIN_SECONDS),
        ((401, b""), "wants a login", AGAIN_SECONDS),
        ((503, b"service unavailable\n"), "does not answer now: service unavailable", POLL_SECONDS),
        ((500, b""), "does not answer now: HTTP 500", POLL_SECONDS),
        ((200, b"<html>"), "cannot be read", AGAIN_SECONDS),
        (errors.Unreachable("no way there"), "was not reached: no way there", POLL_SECONDS),
        (OSError(), "was not reached: OSError", POLL_SECONDS),
    ],
)
def test_trouble_is_said_and_asked_again_later(cluster: Cluster, answer: Any, words: str, wait: float) -> None:
    cluster.answers = [answer]
    undo = cluster.poller.hold(QUESTION, cluster.wake)
    cluster.answered(1)
    assert words in cluster.poller.answer(QUESTION).trouble
    cluster.passes(wait - 1)
    cluster.passes(1)
    cluster.answered(2)
    assert len(cluster.asked) == 2
    undo()


def test_a_hiccup_keeps_the_last_figures(cluster: Cluster) -> None:
    cluster.answers = [(200, FIGURES), (503, b"soon")]
    undo = cluster.poller.hold(QUESTION, cluster.wake)
    cluster.answered(1)
    cluster.passes(POLL_SECONDS)
    cluster.answered(2)
    found = cluster.poller.answer(QUESTION)
    assert (found.figures, found.trouble) == (KNOWN, "the metrics API does not answer now: soon")
    undo()


def test_what_nobody_holds_is_dropped_after_a_while(cluster: Cluster) -> None:
    cluster.answers = [(200, FIGURES)]
    cluster.poller.hold(QUESTION, cluster.wake)()
    cluster.passes(KEPT_SECONDS + 1)
    eventually(lambda: QUESTION not in cluster.poller._polls, seconds=30)


def test_the_thread_ends_when_there_is_nothing_to_ask(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "IDLE_SECONDS", 0.01)
    cluster.answers = [(200, FIGURES)]
    undo = cluster.poller.hold(QUESTION, cluster.wake)
    cluster.answered(1)
    undo()
    cluster.passes(1)
    eventually(cluster.poller._came.empty, seconds=30)
    assert cluster.poller._thread is not None, "the answer is kept for a while, and then dropped"
    cluster.passes(KEPT_SECONDS)
    eventually(lambda: cluster.poller._thread is None, seconds=30)
    assert cluster.poller._polls == {}
    cluster.now += POLL_SECONDS
    cluster.poller.hold(QUESTION, cluster.wake)
    cluster.answered(2)


def test_the_path_is_the_namespaces_or_of_all() -> None:
    assert QUESTION.path == "/apis/metrics.k8s.io/v1beta1/namespaces/shop/pods"
    assert QUESTION._replace(namespace="").path == "/apis/metrics.k8s.io/v1beta1/pods"
