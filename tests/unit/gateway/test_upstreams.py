from __future__ import annotations

import pytest

from notebook_mux.errors import InvalidArgument
from notebook_mux.gateway.upstreams import Upstreams, normalized
from tests.unit.gateway.model_server import Mirror, ModelCluster, until


async def test_one_for_the_same_and_another_for_anything_else():
    upstreams, cluster = Upstreams(linger=0.0), ModelCluster()
    one = upstreams.get(cluster, "/api/v1/pods", "labelSelector=a%3Db&fieldSelector=c%3Dd")  # type: ignore[arg-type]
    assert upstreams.get(cluster, "/api/v1/pods", "fieldSelector=c%3dd&labelSelector=a=b") is one  # type: ignore[arg-type]
    assert upstreams.get(cluster, "/api/v1/pods") is not one  # type: ignore[arg-type]
    other = ModelCluster()
    other.ref = "other"
    assert upstreams.get(other, "/api/v1/pods") is not upstreams.get(cluster, "/api/v1/pods")  # type: ignore[arg-type]
    assert len(upstreams) == 3
    await until(lambda: not len(upstreams))
    assert one.state.state == "closed", "nobody came"


async def test_it_ends_with_its_last_reader_and_begins_anew():
    upstreams, cluster = Upstreams(linger=0.0), ModelCluster()
    one = upstreams.get(cluster, "/api/v1/pods")  # type: ignore[arg-type]
    mirror = Mirror(one)
    one.subscribe(mirror)
    await until(lambda: one.is_synced)
    assert list(upstreams) == [one]
    one.unsubscribe(mirror)
    await until(lambda: not len(upstreams))
    again = upstreams.get(cluster, "/api/v1/pods")  # type: ignore[arg-type]
    assert again is not one
    assert again.incarnation != one.incarnation
    await upstreams.aclose()
    await until(lambda: not cluster.open)
    with pytest.raises(RuntimeError):
        upstreams.get(cluster, "/api/v1/pods")  # type: ignore[arg-type]


async def test_retry_is_for_one_cluster_or_all():
    upstreams, cluster = Upstreams(), ModelCluster()
    one = upstreams.get(cluster, "/api/v1/pods")  # type: ignore[arg-type]
    cluster.faults.append("403")
    one.subscribe(Mirror(one))
    await until(lambda: one.state.state == "forbidden")
    upstreams.retry("other")
    for _ in range(10):
        await until(lambda: True)
    assert one.state.state == "forbidden"
    upstreams.retry("model")
    await until(lambda: one.is_synced)
    await upstreams.aclose()


@pytest.mark.parametrize("query", ["watch=1", "limit=5", "resourceVersion=0", "labelSelector=a&labelSelector=b", "x"])
def test_only_selectors(query: str):
    with pytest.raises(InvalidArgument):
        normalized(query)


def test_normalized():
    assert normalized("") == ""
    assert normalized("labelSelector=&fieldSelector=a%3Db") == "fieldSelector=a%3Db"
    assert normalized("labelSelector=a in (b,c)") == "labelSelector=a%20in%20%28b%2Cc%29"
