"""The words that name a kind."""

from __future__ import annotations

from typing import Any

import pytest

from notebook_mux.kernel import kinds
from notebook_mux.kernel.failure import Failure


def resource(name: str, kind: str, group: str = "", version: str = "v1", **more: Any) -> kinds.Resource:
    return {
        "name": name,
        "singular": kind.lower(),
        "kind": kind,
        "group": group,
        "version": version,
        "namespaced": True,
        "short_names": [],
        "categories": [],
        "verbs": ["list", "watch"],
    } | more


SERVED = [
    resource("pods", "Pod", short_names=["po"], categories=["all"]),
    resource("events", "Event", short_names=["ev"]),
    resource("bindings", "Binding", verbs=["create"]),
    resource("deployments", "Deployment", "apps", short_names=["deploy"]),
    resource("events", "Event", "events.k8s.io"),
    resource("widgets", "Widget", "example.com", "v2"),
    resource("widgets", "Widget", "example.com", "v1"),
    resource("nodes", "Node", namespaced=False),
]


@pytest.mark.parametrize(
    ("word", "path"),
    [
        ("pods", "/api/v1/pods"),
        ("po", "/api/v1/pods"),
        ("Pod", "/api/v1/pods"),
        ("v1/pods", "/api/v1/pods"),
        ("deploy", "/apis/apps/v1/deployments"),
        ("deployments.apps", "/apis/apps/v1/deployments"),
        ("apps/v1/deployments", "/apis/apps/v1/deployments"),
        ("events", "/api/v1/events"),
        ("events.events.k8s.io", "/apis/events.k8s.io/v1/events"),
        ("widgets", "/apis/example.com/v2/widgets"),
        ("widgets.v1.example.com", "/apis/example.com/v1/widgets"),
        ("example.com/v1/widgets", "/apis/example.com/v1/widgets"),
    ],
)
def test_words(word: str, path: str) -> None:
    assert kinds.path(kinds.find(SERVED, word), None) == path


def test_paths_have_the_namespace_where_the_kind_has_one() -> None:
    assert kinds.path(kinds.find(SERVED, "po"), "shop") == "/api/v1/namespaces/shop/pods"
    assert kinds.path(kinds.find(SERVED, "node"), "shop") == "/api/v1/nodes"


@pytest.mark.parametrize(
    ("word", "code", "words"),
    [
        ("podz", "unknown-kind", "pods"),
        ("zzz", "unknown-kind", "zzz"),
        ("all", "invalid", "category"),
        ("", "invalid", "no kind"),
        ("a/b/c/d", "invalid", "no kind"),
        ("/pods", "invalid", "no kind"),
    ],
)
def test_words_that_name_nothing(word: str, code: str, words: str) -> None:
    with pytest.raises(Failure) as caught:
        kinds.find(SERVED, word)
    assert caught.value.code == code
    assert words in f"{caught.value.fields}"


@pytest.mark.parametrize(
    ("allowed", "checked", "total", "words"),
    [
        ([], [], 0, "none is known to check"),
        ([], ["a", "b"], 2, "checked 2 namespaces (a, b), and none allows it"),
        ([], list("abcdefg"), 9, "checked 7 of 9 namespaces (a, b, c, d, e, …)"),
        (["a"], ["a", "b"], 2, "namespace=['a'] would work: you may list pods there; checked 2 namespaces"),
        (list("abcdefg"), list("abcdefgh"), 8, "'e'] would work (and 2 more)"),
    ],
)
def test_what_to_do_where_a_namespace_is_forbidden(
    allowed: list[str], checked: list[str], total: int, words: str
) -> None:
    assert words in kinds.elsewhere(allowed, checked, total, "list pods")
