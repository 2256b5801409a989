from __future__ import annotations

import json
from typing import Any

import pytest

from notebook_mux.playground import lists, options
from notebook_mux.playground.cluster import Cluster
from notebook_mux.playground.paths import Target
from notebook_mux.playground.status import ApiError
from tests.unit.playground.worlds import bare, config_map


def ask(cluster: Cluster, namespace: str = "", **query: str) -> Any:
    target = Target(cluster.kind("configmaps"), namespace)
    return json.loads(lists.answer(cluster, target, options.parse(query), "object"))


def names(found: Any) -> list[str]:
    return [one["metadata"]["name"] for one in found["items"]]


def test_pages_over_all_namespaces():
    cluster = bare()
    for namespace, name in (("a", "x"), ("b", "a"), ("b", "y"), ("c", "a")):
        cluster.create(config_map(name, namespace))
    first = ask(cluster, limit="2")
    cluster.create(config_map("aa", "b"))
    second = ask(cluster, limit="2", **{"continue": first["metadata"]["continue"]})
    assert names(first) + names(second) == ["x", "a", "y", "a"]
    assert "continue" not in second["metadata"]
    assert first["metadata"]["remainingItemCount"] == 2
    assert names(ask(cluster, limit="2", resourceVersion="0")) == ["x", "a", "aa", "y", "a"]  # limit is not heeded


def test_an_expired_page_can_be_gone_on_with():
    cluster = bare()
    for name in ("a", "b", "c"):
        cluster.create(config_map(name))
    token = ask(cluster, "default", limit="1")["metadata"]["continue"]
    cluster.store.compact()
    cluster.create(config_map("bb"))
    with pytest.raises(ApiError) as caught:
        ask(cluster, "default", limit="1", **{"continue": token})
    status = caught.value.status()
    assert (status["code"], status["reason"]) == (410, "Expired")
    rest = ask(cluster, "default", **{"continue": status["metadata"]["continue"]})
    assert names(rest) == ["b", "bb", "c"]
    assert rest["metadata"]["resourceVersion"] == str(cluster.store.revision)


def test_exact_versions_that_are_too_old():
    cluster = bare()
    cluster.create(config_map("a"))
    version = str(cluster.store.revision)
    cluster.store.compact()
    for query in ({"resourceVersionMatch": "Exact"}, {"limit": "5"}):
        with pytest.raises(ApiError) as caught:
            ask(cluster, resourceVersion=version, **query)
        assert caught.value.code == 410
    assert names(ask(cluster, resourceVersion=version)) == ["a"]


@pytest.mark.parametrize("token", ["abc", "e30", "!!", "bnVsbA"])
def test_bad_tokens(token: str):
    with pytest.raises(ApiError) as caught:
        lists.decode_token(token, "")
    assert caught.value.code == 400
