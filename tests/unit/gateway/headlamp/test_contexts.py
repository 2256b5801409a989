from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from notebook_mux.errors import InvalidArgument, UnknownContext
from notebook_mux.gateway.headlamp import contexts as module
from notebook_mux.gateway.headlamp.contexts import Contexts, listed, shown_name
from notebook_mux.gateway.shared import Shared
from notebook_mux.wire.messages import Source
from tests.unit.gateway.headlamp.api import CLUSTER_TOKEN, kubeconfig


@pytest.fixture
def shared(tmp_path: Path) -> Shared:
    path = tmp_path / "config"
    path.write_text(json.dumps(kubeconfig("https://one.example", broken="ftp://x")))
    return Shared(instance="i", own=Source(kubeconfig=[str(path)]))


async def test_all_are_found_by_headlamps_names(shared: Shared):
    found = await Contexts(shared).all()
    assert list(found) == ["one", "team--two", "dead", "broken"]
    assert shown_name("a/b/c") == "a--b--c"


async def test_a_cluster_is_the_gateways_own(shared: Shared):
    contexts = Contexts(shared)
    first = await contexts.cluster("one")
    assert await contexts.cluster("one") is first
    assert (first.name, first.server) == ("one", "https://one.example")
    assert shared.clusters.get(first.ref) is first
    with pytest.raises(UnknownContext):
        await contexts.cluster("team/two")
    with pytest.raises(InvalidArgument):
        await contexts.cluster("broken")


async def test_a_token_is_another_identity(shared: Shared):
    contexts = Contexts(shared)
    plain, mine, again, theirs = [await contexts.cluster("one", token) for token in ("", "mine", "mine", "theirs")]
    assert mine is again
    assert len({plain.ref, mine.ref, theirs.ref}) == 3


async def test_a_token_that_may_be_another_clusters_goes_to_none(tmp_path: Path):
    path = tmp_path / "config"
    path.write_text(json.dumps(kubeconfig("https://one.example", **{"o:ne": "https://other.example"})))
    contexts = Contexts(Shared(instance="i", own=Source(kubeconfig=[str(path)])))
    for name in ("one", "o:ne"):
        with pytest.raises(InvalidArgument, match="their cookies have one name"):
            await contexts.cluster(name, "mine", by_name=True)
        assert (await contexts.cluster(name, by_name=True)).name == name
        assert (await contexts.cluster(name, "mine")).name == name, "a cookie's path tells them apart"
    assert (await contexts.cluster("dead", "mine", by_name=True)).name == "dead"


async def test_a_kubeconfig_is_read_once_for_many_requests(shared: Shared):
    reads: list[Any] = []
    load = shared.load

    def counted(*args: Any, **options: Any) -> Any:
        reads.append(args)
        return load(*args, **options)

    shared.load = counted
    contexts = Contexts(shared)
    for _ in range(10):
        await contexts.all()
    assert len(reads) == 1


async def test_no_kubeconfig_is_no_cluster(tmp_path: Path):
    shared = Shared(instance="i", own=Source(kubeconfig=[str(tmp_path / "none")]))
    assert await Contexts(shared).all() == {}


async def test_what_is_listed_has_no_secret_and_no_path(shared: Shared, tmp_path: Path):
    found = [listed(context) for context in (await Contexts(shared).all()).values()]
    assert [one["name"] for one in found] == ["one", "team--two", "dead", "broken"]
    assert "error" in found[3]
    assert CLUSTER_TOKEN not in str(found[:3])
    assert str(tmp_path) not in str(found[:3])


def test_the_cache_is_short():
    assert module.FRESH_SECONDS < 5
