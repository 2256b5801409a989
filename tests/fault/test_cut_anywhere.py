"""Whatever is cut, at whichever byte: then the store equals a fresh list, nothing is lost and nothing comes twice.

The whole way is real: the playground's API server, the gateway as a process of its own, a proxy that breaks the socket,
and the kernel's core.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from tests.api import Api
from tests.fault.conftest import GatewayProcess, TestedCore, eventually
from tests.fault.proxy import Faults, Proxy

BACK_SECONDS = 60.0
"""Several back-offs of a loaded machine."""

PATH = "/api/v1/namespaces/default/configmaps"
SOURCE: dict[str, Any] = {"kubeconfig": None, "env": {}, "in_cluster": False}
MANY = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


class Watched:
    """A stream of config maps over the whole way, and a log of what a reader was told."""

    def __init__(self, core: TestedCore, user: str = "reader") -> None:
        self.core = core
        self.conn = core.connect(("auto", None), 20).result(30)
        context = core.contexts(self.conn, SOURCE, None, 20).result(30)[0]
        self.ref = context["ref"]
        spec = (self.conn, (("one", self.ref, "default"),), "configmaps", ("default",), "", "", user)
        self.stream = core.open_stream(spec)
        core.hold(self.stream, "test")
        core.settled(self.stream).result(30)
        self.feed = core.feed(self.stream, lambda: None, initial=True)
        self.mirror: dict[str, str] = {}
        self.seen: list[tuple[str, str]] = []

    def take(self) -> dict[str, str]:
        """Apply what came to a mirror, and refuse what cannot be: an object added twice, a version twice in a row."""
        for kind, _, new, old in self.feed.drain():
            record = new or old
            assert record is not None
            if kind == "ADDED":
                assert record.name not in self.mirror, f"{record.name} was added twice"
            else:
                assert record.name in self.mirror, f"{record.name} was {kind} and had not been added"
                assert kind == "DELETED" or self.mirror[record.name] != record.version, "a version came twice"
            if kind == "DELETED":
                del self.mirror[record.name]
            else:
                self.mirror[record.name] = record.version
            self.seen.append((record.name, record.version))
        return self.mirror

    def store(self) -> dict[str, str]:
        return {r.name: r.version for r in self.core.read(self.stream).records["one"].values()}

    def fresh(self) -> dict[str, str]:
        """What a new list says, over the same socket."""
        status, _, body = self.core.http(self.conn, self.ref, "GET", PATH, "", timeout=20).result(40)
        assert status == 200
        return {o["metadata"]["name"]: o["metadata"]["resourceVersion"] for o in msgspec.json.decode(body)["items"]}

    def stats(self) -> dict[str, Any]:
        return self.core.status(self.conn)["streams"][0]

    def assert_equal(self, truth: Callable[[], dict[str, str]]) -> None:
        eventually(lambda: self.store() == truth(), "the store equals a fresh list", seconds=BACK_SECONDS)
        eventually(lambda: self.take() == self.store(), "the feed does not lead to the store")
        assert self.stats()["repeated"] == 0


def config_map(name: str, size: int = 10, value: str = "") -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": "default"},
        "data": {"value": value + "x" * size},
    }


class Way(NamedTuple):
    """All that lies between the API server and the reader."""

    gateway: GatewayProcess
    proxy: Proxy
    watched: Watched


class Changing:
    """Makes changes that only random numbers choose."""

    def __init__(self, api: Api, rng: random.Random) -> None:
        self.api = api
        self.rng = rng
        self.names = [name for name in api.versions(PATH) if name.startswith("map-")]
        for name in self.names:
            api.delete(f"{PATH}/{name}")
        self.names = []
        self.counter = itertools.count()

    def step(self) -> None:
        dice = self.rng.random()
        if dice < 0.5 or not self.names:
            name = f"map-{next(self.counter)}"
            self.api.create(PATH, config_map(name, self.rng.choice([10, 100, 5000, 100_000])))
            self.names.append(name)
        elif dice < 0.8:
            name = self.rng.choice(self.names)
            self.api.patch(f"{PATH}/{name}", {"data": {"value": str(next(self.counter))}})
        else:
            name = self.names.pop(self.rng.randrange(len(self.names)))
            self.api.delete(f"{PATH}/{name}")

    def truth(self) -> dict[str, str]:
        return self.api.versions(PATH)


@pytest.fixture(params=["playground", "control_plane"])
def cluster(request: pytest.FixtureRequest) -> Any:
    """Something with a kubeconfig: the embedded cluster and the real one."""
    return request.getfixturevalue(request.param)


@pytest.fixture
def api(cluster: Any) -> Iterator[Api]:
    """Straight to the API server, past all that is tested."""
    made = Api(cluster.kubeconfig)
    yield made
    made.close()


@pytest.fixture
def way(
    cluster: Any,
    core: TestedCore,
    start_gateway: Callable[..., GatewayProcess],
    proxied: Callable[[GatewayProcess], tuple[Proxy, Callable[[], str]]],
) -> Way:
    gateway = start_gateway(cluster.kubeconfig)
    proxy, core.target = proxied(gateway)
    return Way(gateway, proxy, Watched(core))


def test_cuts_at_any_byte(way: Way, api: Api) -> None:
    _, proxy, watched = way

    @MANY
    @given(
        cuts=st.lists(st.integers(0, 200_000), min_size=1, max_size=4),
        split=st.sampled_from([1, 7, 1000, 65536]),
        seed=st.integers(0, 2**32),
    )
    def run(cuts: list[int], split: int, seed: int) -> None:
        changing = Changing(api, random.Random(seed))
        for cut in cuts:
            proxy.faults = Faults(cut_after=cut, split=split if cut < 5000 else 65536)
            proxy.cut()
            for _ in range(6):
                changing.step()
        proxy.faults = Faults()
        proxy.cut()
        watched.assert_equal(changing.truth)

    run()
    assert proxy.accepted > MANY.max_examples, "the socket was cut and opened again in each example"
    assert watched.stats()["skipped"] == 0, "no state may be left out by a short cut"


def test_the_gateway_is_killed_and_comes_back(way: Way, api: Api) -> None:
    gateway, _, watched = way
    changing = Changing(api, random.Random(3))
    for _ in range(3):
        for _ in range(10):
            changing.step()
        watched.assert_equal(changing.truth)
        gateway.kill()
        for _ in range(10):
            changing.step()
        gateway.start()
        watched.core.retry(watched.conn)
        watched.assert_equal(changing.truth)
    assert watched.stats()["snapshots"] == 1, "a restarted gateway must watch from where we stood"


def test_a_gateway_that_stops_politely_says_so(way: Way, api: Api) -> None:
    gateway, _, watched = way
    gateway.stop()
    eventually(lambda: watched.core.read(watched.stream).states["one"].state == "stale")
    changing = Changing(api, random.Random(4))
    changing.step()
    gateway.start()
    watched.core.retry(watched.conn)
    watched.assert_equal(changing.truth)


def test_a_stalled_socket_is_noticed_when_it_is_cut(way: Way, api: Api) -> None:
    _, proxy, watched = way
    changing = Changing(api, random.Random(5))
    proxy.faults = Faults(stall_after=20_000)
    opened = watched.core.status(watched.conn)["reconnects"]
    proxy.cut()
    # What is cut below is the socket that stalls, and not an attempt at one, which would stall and not be cut.
    eventually(lambda: watched.core.status(watched.conn)["reconnects"] > opened, "it is back", seconds=BACK_SECONDS)
    for _ in range(20):
        changing.step()
    proxy.faults = Faults()
    watched.core.cut(watched.conn)
    watched.assert_equal(changing.truth)


def test_a_slow_and_splitting_network(way: Way, api: Api) -> None:
    _, proxy, watched = way
    changing = Changing(api, random.Random(6))
    proxy.faults = Faults(split=333, delay=0.0002)
    proxy.cut()
    for _ in range(30):
        changing.step()
    watched.assert_equal(changing.truth)
