"""Logs of a real API server and kubelet code, cut at any byte, rotated, restarted: each line comes once, in order.

``NOTEBOOK_MUX_CUTS`` says how many cuts.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from tests.api import Api
from tests.conftest import ORIGINAL_ENVIRON
from tests.fault.conftest import GatewayProcess, TestedCore
from tests.fault.proxy import Faults, Proxy
from tests.fault.test_cut_anywhere import SOURCE
from tests.testbed.control_plane import ControlPlane
from tests.testbed.logged import Logged, create_pod, runs
from tests.unit.tailing.held import Held, eventually

CUTS = int(ORIGINAL_ENVIRON.get("NOTEBOOK_MUX_CUTS", "20"))
CUT_SECONDS = 20
"""Of the time limit for each cut: several back-offs of a loaded machine."""

PODS = 3
FAR = 60_000
"""Bytes after which a cut comes at the latest: some hundred lines."""


class Way:
    """All that lies between a kubelet and the reader: the gateway as a process, a proxy, the core."""

    def __init__(self, core: TestedCore, gateway: GatewayProcess, proxy: Proxy, namespace: str) -> None:
        self.core, self.gateway, self.proxy = core, gateway, proxy
        self.conn = core.connect(("auto", None), 20).result(30)
        self.ref = core.contexts(self.conn, SOURCE, None, 20).result(30)[0]["ref"]
        self.namespace = namespace

    def cut(self) -> Callable[[], None]:
        """Cut the socket; gives what waits for the next one."""
        before = self.proxy.accepted
        self.proxy.cut()
        return lambda: eventually(lambda: self.proxy.accepted > before, "a new socket, which is cut")

    def logs(self, **spec: Any) -> Held:
        return Held(self.core, self.conn, (("one", self.ref, "default"),), namespaces=(self.namespace,), **spec)


@pytest.fixture
def api(control_plane: ControlPlane) -> Iterator[Api]:
    """Straight to the API server."""
    made = Api(control_plane.kubeconfig)
    yield made
    made.close()


@pytest.fixture
def pods(control_plane: ControlPlane, api: Api, namespace: str) -> dict[str, Logged]:
    """Pods that run, by name; the test writes what they log."""
    paths = {}
    made = {}
    for number in range(PODS):
        name = f"web-{number}"
        made[name] = Logged(control_plane, api, namespace, name)
        paths[name] = create_pod(api, namespace, name)
    for path in paths.values():
        eventually(partial(runs, api, path), f"{path} runs")
    return made


@pytest.fixture
def way(
    control_plane: ControlPlane,
    namespace: str,
    core: TestedCore,
    start_gateway: Callable[..., GatewayProcess],
    proxied: Callable[[GatewayProcess], tuple[Proxy, Callable[[], str]]],
) -> Way:
    gateway = start_gateway(control_plane.kubeconfig)
    proxy, core.target = proxied(gateway)
    return Way(core, gateway, proxy, namespace)


class Writing:
    """Writes lines that only random numbers choose; many are equal, some are split by the runtime."""

    def __init__(self, pods: dict[str, Logged], rng: random.Random) -> None:
        self.pods, self.rng = pods, rng
        self.count = itertools.count()

    def step(self) -> None:
        for pod in self.pods.values():
            for _ in range(self.rng.randrange(12)):
                text = self.rng.choice(
                    (b"equal", b"", b"line %d" % next(self.count), b"\xff\x00\x1b[31m", b"y" * self.rng.randrange(400))
                )
                stream = self.rng.choice(("stdout", "stderr"))
                if self.rng.random() < 0.02:
                    pod.write(b"z" * 40_000)
                elif self.rng.random() < 0.3:
                    last = pod.written[-1][0] if pod.written else None
                    pod.write(text, stream=stream, moment=last)  # the same moment once more
                else:
                    pod.write(text, stream=stream)


def assert_equal(logs: Held, pods: dict[str, Logged]) -> None:
    def had() -> dict[str, list[bytes]]:
        found: dict[str, list[bytes]] = {name: [] for name in pods}
        for source, text in logs.lines():
            found[source.partition("/")[0]].append(text)
        return found

    wanted = {name: [text for _, text in pod.written] for name, pod in pods.items()}
    try:
        eventually(lambda: had() == wanted)
    except AssertionError:
        for name, lines in had().items():
            assert lines == wanted[name], name
        raise


@pytest.mark.timeout(180 + CUTS * CUT_SECONDS)
def test_each_line_once_after_cuts_at_any_byte(way: Way, pods: dict[str, Logged]) -> None:
    rng = random.Random(11)
    writing = Writing(pods, rng)
    writing.step()
    logs = way.logs()
    for cut in range(CUTS):
        after = rng.randrange(FAR if cut % 2 else 3000)
        way.proxy.faults = Faults(cut_after=after, split=rng.choice([1, 7, 1000, 65536]) if after < 3000 else 65536)
        await_new = way.cut()
        for _ in range(3):
            writing.step()
        await_new()
        way.proxy.faults = Faults()
        way.core.retry(way.conn)
        assert_equal(logs, pods)
    assert way.proxy.accepted > CUTS, "each cut was followed by a new socket"
    assert logs.marks() == []


def test_restarts_and_rotations_while_it_is_cut(way: Way, pods: dict[str, Logged]) -> None:
    rng = random.Random(12)
    writing = Writing(pods, rng)
    logs = way.logs()
    for turn in range(4):
        writing.step()
        assert_equal(logs, pods)
        way.proxy.refuse(True)
        way.proxy.cut()
        for pod in pods.values():
            pod.write(b"during the cut %d" % turn)
        one = pods[f"web-{turn % PODS}"]
        one.stop()
        one.start()
        one.write(b"started %d" % turn)
        way.proxy.refuse(False)
        way.core.retry(way.conn)
        assert_equal(logs, pods)
        for pod in pods.values():
            pod.rotate()
    writing.step()
    assert_equal(logs, pods)
    logs.say("restarted", 4)
    assert [mark for mark in logs.marks() if mark["mark"] == "gap"] == []


def test_what_was_rotated_away_during_a_cut_is_said_with_its_span(way: Way, pods: dict[str, Logged]) -> None:
    logs = way.logs(names=("web-0",))
    web = pods["web-0"]
    web.write(b"before")
    logs.have(b"before")
    way.proxy.refuse(True)
    way.proxy.cut()
    web.write(b"lost")
    web.rotate()
    web.write(b"after")
    way.proxy.refuse(False)
    way.core.retry(way.conn)
    logs.have(b"before", b"after")
    gap = logs.say("gap")
    times = [moment for moment, _ in web.written]
    assert gap["from"].endswith(f".{times[0] % 10**9:09d}Z")
    assert gap["to"].endswith(f".{times[2] % 10**9:09d}Z")


def test_a_gateway_that_is_killed_and_an_api_server_that_restarts(
    control_plane_with: Callable[..., ControlPlane],
    core: TestedCore,
    start_gateway: Callable[..., GatewayProcess],
    proxied: Callable[[GatewayProcess], tuple[Proxy, Callable[[], str]]],
) -> None:
    plane = control_plane_with("--min-request-timeout=1800")
    api = Api(plane.kubeconfig)
    pods = {"web-0": Logged(plane, api, "default", "web-0")}
    path = create_pod(api, "default", "web-0")
    eventually(lambda: runs(api, path))
    api.close()
    gateway = start_gateway(plane.kubeconfig)
    proxy, core.target = proxied(gateway)
    way = Way(core, gateway, proxy, "default")
    writing = Writing(pods, random.Random(13))
    logs = way.logs(names=("web-0",))
    for what in ("gateway", "apiserver", "gateway"):
        writing.step()
        assert_equal(logs, pods)
        if what == "gateway":
            gateway.kill()
            writing.step()
            gateway.start()
        else:
            plane.kill("apiserver")
            writing.step()
            plane.start("apiserver")
        core.retry(way.conn)
        writing.step()
        assert_equal(logs, pods)
    assert [mark for mark in logs.marks() if mark["mark"] in ("gap", "restarted")] == []
