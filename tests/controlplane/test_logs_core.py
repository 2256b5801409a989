"""Logs of a real API server and kubelet code, through the gateway and Headlamp servers, to the kernel's core."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from notebook_mux.kernel.core import Core
from notebook_mux.kernel.dialect import Opener
from tests.api import Api
from tests.fault.conftest import GatewayProcess, start_gateway
from tests.headlamp import CERTIFICATE, HeadlampServer, kubeconfig_of, start_headlamp
from tests.testbed.control_plane import ControlPlane
from tests.testbed.logged import Logged, create_pod, runs
from tests.unit.tailing.held import Clusters, Held, eventually

__all__ = ["start_gateway", "start_headlamp"]

WAYS = ["gateway", "ours", "real"]
SOURCE: dict[str, Any] = {"kubeconfig": None, "env": {}, "in_cluster": False}


class Way(NamedTuple):
    """From a kubeconfig to a core, and how a cluster is called there."""

    core: Core
    conn: str
    clusters: Clusters

    def logs(self, namespace: str, **spec: Any) -> Held:
        return Held(self.core, self.conn, self.clusters, namespaces=(namespace,), **spec)


@pytest.fixture(params=WAYS)
def way(
    request: pytest.FixtureRequest,
    start_gateway: Callable[..., GatewayProcess],
    start_headlamp: Callable[..., HeadlampServer],
    control_plane: ControlPlane,
    tmp_path: Path,
) -> Iterator[Way]:
    """A core on each way to the shared API server."""
    kubeconfig = kubeconfig_of(control_plane, tmp_path / "kubeconfig")
    if request.param == "gateway":
        url = start_gateway(kubeconfig).url
        core = Core()
    else:
        url = start_headlamp(request.param, kubeconfig).url
        core = Core(opener=Opener(headlamp=True))
    try:
        conn = core.connect(("url", url), 20).result(30)
        ref = core.contexts(conn, SOURCE, [CERTIFICATE], 20).result(30)[0]["ref"]
        yield Way(core, conn, (("one", ref, "default"),))
    finally:
        core.shutdown()


@pytest.fixture
def api(control_plane: ControlPlane) -> Iterator[Api]:
    """Straight to the API server."""
    made = Api(control_plane.kubeconfig)
    yield made
    made.close()


Start = Callable[..., Logged]


@pytest.fixture
def start(control_plane: ControlPlane, api: Api, namespace: str) -> Start:
    """Starts a pod with the container ``main``, whose log is written by the test."""

    def begin(name: str, **labels: str) -> Logged:
        logged = Logged(control_plane, api, namespace, name)
        path = create_pod(api, namespace, name, **labels)
        eventually(lambda: runs(api, path), f"{name} runs")
        return logged

    return begin


def texts(logged: Logged) -> list[bytes]:
    return [text for _, text in logged.written]


def test_all_that_was_written_and_all_that_comes(way: Way, namespace: str, start: Start) -> None:
    web = start("web-0")
    web.write(b"first", b"", b"\xff\x00 \x1b[31mred", b"x" * 100_000)
    logs = way.logs(namespace)
    logs.have(*texts(web))
    for number in range(20):
        web.write(b"line %d" % number, stream="stderr" if number % 2 else "stdout")
        logs.have(*texts(web))
    source = logs.state["sources"][0]
    assert (source["namespace"], source["pod"], source["container"]) == (namespace, "web-0", "main")
    assert source["state"] == "live"
    assert logs.marks() == []


def test_a_tail_of_some_pods_and_others_that_join(way: Way, namespace: str, start: Start) -> None:
    pods = [start(f"web-{number}", app="web") for number in range(3)]
    for number, pod in enumerate(pods):
        pod.write(*(b"%d old %d" % (number, line) for line in range(10)))
    start("other").write(b"not asked for")
    logs = way.logs(namespace, selector="app=web", tail=2)
    wanted = [b"%d old %d" % (number, line) for number in range(3) for line in (8, 9)]
    eventually(lambda: sorted(logs.texts()) == wanted)
    late = start("web-9", app="web")
    late.write(b"late")
    eventually(lambda: b"late" in logs.texts())
    assert "web-9" in logs.say("joined")["text"]


def test_a_restarted_container(way: Way, namespace: str, start: Start) -> None:
    web = start("web-0")
    logs = way.logs(namespace)
    for turn in range(3):
        web.write(b"turn %d" % turn, b"equal", b"equal")
        logs.have(*texts(web))
        web.write(b"last words %d" % turn)
        web.stop()
        logs.stand(0, "waiting")
        assert logs.texts() == texts(web)
        web.start()
    web.write(b"again")
    logs.have(*texts(web))
    logs.say("restarted", 3)
    assert logs.state["sources"][0]["restart"] == 3
    previous = way.logs(namespace, previous=True)
    assert previous.texts() == [b"turn 2", b"equal", b"equal", b"last words 2"]


def test_a_restart_that_was_told_of_late(way: Way, namespace: str, start: Start) -> None:
    web = start("web-0")
    logs = way.logs(namespace)
    web.write(b"a1")
    logs.have(b"a1")
    web.stop(tell=False)
    web.start(tell=False)
    web.write(b"b1")
    logs.have(b"a1", b"b1")
    web.tell(running=True)
    web.write(b"b2")
    logs.have(b"a1", b"b1", b"b2")
    logs.say("restarted")


def test_a_file_that_is_rotated_while_it_is_followed(way: Way, namespace: str, start: Start) -> None:
    web = start("web-0")
    logs = way.logs(namespace)
    for turn in range(4):
        web.write(*(b"turn %d line %d" % (turn, line) for line in range(50)))
        logs.have(*texts(web))
        web.rotate()
    web.write(b"the end")
    logs.have(*texts(web))
    assert logs.marks() == []


def test_what_waits_and_what_is_not_there(way: Way, namespace: str, api: Api, start: Start) -> None:
    start("web-0").write(b"others go on")
    path = f"/api/v1/namespaces/{namespace}/pods"
    spec = {"containers": [{"name": "main", "image": "missing.example/image"}]}
    api.create(path, {"metadata": {"name": "broken"}, "spec": spec})
    logs = way.logs(namespace)
    eventually(lambda: len(logs.state["sources"]) == 2)
    at = next(number for number, one in enumerate(logs.state["sources"]) if one["pod"] == "broken")
    eventually(lambda: logs.state["sources"][at]["reason"] in ("ErrImagePull", "ImagePullBackOff"))
    assert logs.state["sources"][at]["state"] == "waiting"
    logs.have(b"others go on")
    nothing = way.logs(namespace, container="nope")
    assert nothing.state["problem"]["todo"] == "there are: main"
    assert way.logs(namespace, names=("nobody",)).state["pods"] == 0


def test_a_pod_that_is_deleted(way: Way, namespace: str, api: Api, start: Start) -> None:
    web = start("web-0")
    logs = way.logs(namespace)
    web.write(b"last words")
    web.stop(tell=False)
    api("DELETE", f"/api/v1/namespaces/{namespace}/pods/web-0", gracePeriodSeconds=0)
    logs.stand(0, "gone")
    assert logs.texts() == [b"last words"]


def test_fifty_pods_at_once(way: Way, namespace: str, control_plane: ControlPlane, api: Api) -> None:
    pods = [Logged(control_plane, api, namespace, f"web-{number:02}") for number in range(50)]
    for number, pod in enumerate(pods):
        pod.write(*(b"%d %d" % (number, line) for line in range(20)))
        create_pod(api, namespace, f"web-{number:02}")
    logs = way.logs(namespace)
    wanted = sorted(itertools.chain.from_iterable(map(texts, pods)))
    eventually(lambda: sorted(logs.texts()) == wanted)
    assert logs.state["left_out"] == []
