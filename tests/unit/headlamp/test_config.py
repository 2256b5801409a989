from __future__ import annotations

import json
from typing import Any

import pytest

from notebook_mux.errors import NoCluster, UnknownContext
from notebook_mux.headlamp import config as configs

BASE = "http://127.0.0.1:4466/prefix"


def config(*clusters: dict[str, Any]) -> configs.Config:
    found = configs.read(json.dumps({"clusters": list(clusters), "isDynamicClusterEnabled": False}).encode())
    assert found is not None
    return found


ONE = {
    "name": "real",
    "server": "https://1",
    "auth_type": "",
    "meta_data": {"namespace": "lab", "source": "kubeconfig"},
}
TWO = {"name": "team--prod", "server": "https://2", "meta_data": None}
BROKEN = {"name": "bad", "server": "", "error": "no server"}


@pytest.mark.parametrize("body", [b"", b"<html>", b"{}", b'{"clusters": 1}', b'{"clusters": [{}]}', b"\xff"])
def test_what_is_no_config_is_none(body: bytes):
    assert configs.read(body) is None


def test_contexts_by_name_all_or_the_only_one():
    (only,) = configs.contexts(BASE, config(ONE), None)
    assert (only.name, only.namespace, only.server) == ("real", "lab", "https://1")
    both = configs.contexts(BASE, config(ONE, TWO), ["*"])
    assert [context.name for context in both] == ["real", "team--prod"]
    assert both[1].namespace == "default"
    assert both[0].ref == only.ref != both[1].ref
    assert [c.name for c in configs.contexts(BASE, config(ONE, TWO), ["team--prod", "team--prod"])] == ["team--prod"]


def test_another_server_behind_the_same_name_is_another_cluster():
    (moved,) = configs.contexts(BASE, config({**ONE, "server": "https://9"}), None)
    assert moved.ref != configs.contexts(BASE, config(ONE), None)[0].ref


def test_none_of_several_is_the_current_one():
    with pytest.raises(UnknownContext, match="2 clusters"):
        configs.contexts(BASE, config(ONE, TWO), None)


def test_an_unknown_name_gets_near_ones_and_a_word_about_browsers():
    with pytest.raises(UnknownContext, match="reel") as caught:
        configs.contexts(BASE, config(ONE, TWO), ["reel"])
    assert "'real'" in str(caught.value)
    assert "browser" in str(caught.value)


def test_no_cluster_at_all():
    assert configs.read(b'{"clusters": null}') is not None
    with pytest.raises(NoCluster):
        configs.contexts(BASE, config(), ["*"])


def test_a_cluster_that_the_server_cannot_use_is_a_problem_of_its_own():
    (broken,) = configs.contexts(BASE, config(BROKEN), None)
    assert broken.ref == ""
    assert broken.error is not None
    assert broken.error["said"] == "no server"
