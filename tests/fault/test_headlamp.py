"""The Headlamp dialect, cut at any byte, stalled and killed: then the store equals a fresh list, and it was told.

The whole way is real: an API server, a Headlamp server as a process of its own, a proxy that breaks its sockets, and
the kernel's core. ``NOTEBOOK_MUX_CUTS`` says how many cuts.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from notebook_mux.headlamp import watch as watch_module
from notebook_mux.kernel.core import Core
from notebook_mux.kernel.dialect import Opener
from tests.api import Api
from tests.conftest import ORIGINAL_ENVIRON
from tests.fault.conftest import eventually
from tests.fault.proxy import Faults, Proxy
from tests.fault.test_cut_anywhere import BACK_SECONDS, SOURCE, Changing, Watched
from tests.headlamp import CERTIFICATE, SERVERS, TOKEN, HeadlampServer, kubeconfig_of, start_headlamp
from tests.testbed.control_plane import ControlPlane

__all__ = ["start_headlamp"]

CUTS = int(ORIGINAL_ENVIRON.get("NOTEBOOK_MUX_CUTS", "20"))
CUT_SECONDS = 20
"""Of the time limit for each cut: several back-offs of a loaded machine."""

CHANGES = 6
"""Between a cut and the next."""

FAR = 60_000
"""Bytes after which a cut comes at the latest: some hundred events."""


class Over(Watched):
    """The same stream, over a Headlamp server behind a proxy."""

    def __init__(self, core: Core, url: str, cluster: str) -> None:
        self.core = core  # type: ignore[assignment]  # it needs no target
        self.conn = core.connect(("url", url), 20).result(30)
        self.ref = core.contexts(self.conn, SOURCE, [cluster], 20).result(30)[0]["ref"]
        spec = (self.conn, (("one", self.ref, "default"),), "configmaps", ("default",), "", "", "reader")
        self.stream = core.open_stream(spec)
        core.hold(self.stream, "test")
        core.settled(self.stream).result(30)
        self.feed = core.feed(self.stream, lambda: None, initial=True)
        self.mirror: dict[str, str] = {}
        self.seen: list[tuple[str, str]] = []

    @property
    def state(self) -> Any:
        return self.core.read(self.stream).states["one"]


class Way:
    """All that lies between an API server and the reader.

    Args:
        plane: The control plane.
        server: The Headlamp server.
        options: Those of `Bridge`.
    """

    def __init__(self, plane: ControlPlane, server: HeadlampServer, cluster: str, **options: Any) -> None:
        self.plane = plane
        self.server = server
        self.proxy = Proxy(server.port)
        self.core = Core(opener=Opener(headlamp=True, **options))
        self.api = Api(plane.kubeconfig)
        url = server.url.replace(f":{server.port}", f":{self.proxy.port}", 1)
        self.watched = Over(self.core, url, cluster)

    def close(self) -> None:
        self.core.shutdown()
        self.proxy.close()
        self.api.close()

    def live(self) -> None:
        """Wait until it is live, without patience for back-offs."""
        eventually(self._is_live, "it is live again", seconds=BACK_SECONDS, pause=0.2)

    def _is_live(self) -> bool:
        if self.watched.state.state != "live":
            self.core.retry(self.watched.conn)
        return bool(self.watched.state.state == "live")


@pytest.fixture
def make_way(
    tmp_path: Path,
    start_headlamp: Callable[..., HeadlampServer],
) -> Iterator[Callable[..., Way]]:
    """``make_way(kind, plane)``."""
    made: list[Way] = []

    def make(kind: str, plane: ControlPlane, cluster: str = CERTIFICATE, **options: Any) -> Way:
        server = start_headlamp(kind, kubeconfig_of(plane, tmp_path / "kubeconfig"))
        made.append(Way(plane, server, cluster, **options))
        return made[-1]

    yield make
    for way in made:
        way.close()


@pytest.mark.timeout(180 + CUTS * CUT_SECONDS)
@pytest.mark.parametrize("kind", SERVERS)
def test_the_store_equals_a_fresh_list_after_each_cut(
    make_way: Callable[..., Way], control_plane: ControlPlane, kind: str
) -> None:
    way = make_way(kind, control_plane)
    rng = random.Random(7)
    changing = Changing(way.api, rng)
    for cut in range(CUTS):
        after = rng.randrange(FAR if cut % 2 else 3000)
        way.proxy.faults = Faults(cut_after=after, split=rng.choice([1, 7, 1000, 65536]) if after < 3000 else 65536)
        way.proxy.cut()
        for _ in range(CHANGES):
            changing.step()
        way.proxy.faults = Faults()
        way.live()
        way.watched.assert_equal(changing.truth)
    assert way.proxy.accepted > CUTS, "each cut was followed by new sockets"
    assert way.watched.stats()["skipped"] == 0, "no state may be left out by a short cut"
    assert way.watched.stats()["snapshots"] == 1, "each cut is gone on from where it was"


@pytest.mark.parametrize("kind", SERVERS)
def test_direct_sockets_are_cut_too(make_way: Callable[..., Way], control_plane: ControlPlane, kind: str) -> None:
    way = make_way(kind, control_plane, TOKEN)
    rng = random.Random(8)
    changing = Changing(way.api, rng)
    for _ in range(5):
        way.proxy.faults = Faults(cut_after=rng.randrange(FAR))
        way.proxy.cut()
        for _ in range(CHANGES):
            changing.step()
        way.proxy.faults = Faults()
        way.live()
        way.watched.assert_equal(changing.truth)


@pytest.mark.parametrize("kind", SERVERS)
def test_a_stalled_server_is_noticed_and_told(
    make_way: Callable[..., Way], control_plane: ControlPlane, kind: str
) -> None:
    way = make_way(kind, control_plane, tick_seconds=0.1)
    way.live()
    changing = Changing(way.api, random.Random(9))
    way.server.stall()
    changing.step()
    eventually(lambda: way.watched.state.state == "stale", seconds=BACK_SECONDS)
    assert way.watched.state.reason
    way.server.go_on()
    way.live()
    way.watched.assert_equal(changing.truth)


@pytest.mark.parametrize("kind", SERVERS)
def test_a_cluster_that_stalls_behind_the_server_is_noticed_and_told(
    make_way: Callable[..., Way],
    control_plane_with: Callable[..., ControlPlane],
    kind: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The server's own socket answers all pings: only the watch itself can tell."""
    from notebook_mux.headlamp import rest

    plane = control_plane_with("--min-request-timeout=1800")
    monkeypatch.setattr(watch_module, "QUIET_SECONDS", 1.0)
    monkeypatch.setattr(rest, "ALIVE_SECONDS", 1.0)
    way = make_way(kind, plane, tick_seconds=0.5)
    way.live()
    plane.stop("apiserver")
    try:
        eventually(lambda: way.watched.state.state in ("stale", "unreachable"), seconds=BACK_SECONDS)
        assert way.watched.state.reason
    finally:
        plane.cont("apiserver")
    changing = Changing(way.api, random.Random(10))
    changing.step()
    way.live()
    way.watched.assert_equal(changing.truth)


@pytest.mark.parametrize("kind", SERVERS)
def test_an_api_server_that_ends_watches_and_restarts(
    make_way: Callable[..., Way], control_plane_with: Callable[..., ControlPlane], kind: str
) -> None:
    plane = control_plane_with("--min-request-timeout=1800")
    way = make_way(kind, plane)
    changing = Changing(way.api, random.Random(11))
    for _ in range(2):
        for _ in range(CHANGES):
            changing.step()
        way.watched.assert_equal(changing.truth)
        plane.kill("apiserver")
        eventually(lambda: way.watched.state.state != "live", seconds=BACK_SECONDS)
        plane.start("apiserver")
        way.api.close()
        way.live()
    for _ in range(CHANGES):
        changing.step()
    way.watched.assert_equal(changing.truth)


def test_a_server_that_is_killed_and_comes_back(make_way: Callable[..., Way], control_plane: ControlPlane) -> None:
    """Our own has another token and so another URL after each start: see tests/controlplane/test_headlamp_client."""
    way = make_way("real", control_plane)
    changing = Changing(way.api, random.Random(12))
    for _ in range(3):
        way.server.kill()
        for _ in range(CHANGES):
            changing.step()
        way.server.start()
        way.live()
        way.watched.assert_equal(changing.truth)
    assert way.watched.stats()["snapshots"] == 1
