"""Our manager at Headlamp servers before a real API server: a real one where it is named, and our gateway's dialect."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import connect
from websockets.typing import Origin, Subprotocol

import notebook_mux as nm
from notebook_mux.kernel import holder
from notebook_mux.kernel.core import Core
from notebook_mux.kernel.dialect import Opener
from notebook_mux.kernel.failure import Failure
from notebook_mux.kube import table_events as tables
from notebook_mux.urls import split_token, websocket_url
from notebook_mux.wire.headlamp import TOKEN_HEADER
from tests import waiting
from tests.headlamp import CERTIFICATE, SERVERS, TOKEN, HeadlampServer, kubeconfig_of, start_headlamp
from tests.testbed.control_plane import ControlPlane

__all__ = ["start_headlamp"]

WAIT_SECONDS = 40.0
SOURCE: dict[str, Any] = {"kubeconfig": None, "env": {}, "in_cluster": False}

DEAD = {"server": "https://127.0.0.1:9"}
"""A cluster that refuses connections: the discard port."""


def eventually(condition: Callable[[], object], what: str = "") -> None:
    waiting.eventually(condition, what, seconds=WAIT_SECONDS, pause=0.05)


@pytest.fixture(params=SERVERS)
def server(
    request: pytest.FixtureRequest,
    control_plane: ControlPlane,
    tmp_path: Path,
    start_headlamp: Callable[..., HeadlampServer],
) -> HeadlampServer:
    """A server of each kind."""
    kubeconfig = kubeconfig_of(control_plane, tmp_path / "kubeconfig", dead=DEAD)
    return start_headlamp(request.param, kubeconfig)


@pytest.fixture
def core() -> Iterator[Core]:
    """A core that takes whoever answers for a Headlamp server: our own gateway would be found to be one."""
    made = Core(opener=Opener(headlamp=True))
    yield made
    made.shutdown()


class Watching:
    """A stream over a Headlamp server."""

    def __init__(
        self, core: Core, server: HeadlampServer, cluster: str, kind: str, namespace: str, *, settle: bool = True
    ) -> None:
        self.core = core
        self.conn = core.connect(("url", server.url), 20).result(30)
        self.ref = core.contexts(self.conn, SOURCE, [cluster], 20).result(30)[0]["ref"]
        spec = (self.conn, (("one", self.ref, namespace),), kind, (namespace,), "", "", "tests")
        self.stream = core.open_stream(spec)
        core.hold(self.stream, "test")
        self.feed = core.feed(self.stream, lambda: None, initial=True)
        if settle:
            core.settled(self.stream).result(30)
            eventually(lambda: self.state.state == "live", "it is live")

    @property
    def state(self) -> Any:
        return self.core.read(self.stream).states["one"]

    @property
    def records(self) -> dict[str, Any]:
        return {record.name: record for record in self.core.read(self.stream).records["one"].values()}

    @property
    def columns(self) -> list[str]:
        return [str(column["name"]) for column in self.core.read(self.stream).columns]

    def row(self, name: str) -> dict[str, Any]:
        return dict(zip(self.columns, json.loads(self.records[name].cells), strict=True))


def apply(plane: ControlPlane, *objects: dict[str, Any]) -> None:
    plane.kubectl("apply", "-f", "-", input=json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)}))


def config_map(name: str, namespace: str, **data: str) -> dict[str, Any]:
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def test_connect_finds_out_who_answers(server: HeadlampServer, control_plane: ControlPlane, namespace: str) -> None:
    apply(control_plane, config_map("one", namespace, key="value"))
    manager = nm.connect(CERTIFICATE, {"t": TOKEN}, url=server.url, namespace=namespace)
    try:
        assert {name: cluster.state for name, cluster in manager.clusters.items()} == {CERTIFICATE: "live", "t": "live"}
        status = holder.core().status(manager._identity.connection)
        assert status.get("dialect") == ("headlamp" if server.kind == "real" else None)
        rows = nm.watch("configmaps", cluster=CERTIFICATE, field_selector="metadata.name=one").rows
        assert [(row["Name"], row["Data"]) for row in rows] == [("one", 1)]
        assert nm.get("cm", "one", cluster=CERTIFICATE)["data"] == {"key": "value"}
        assert {row["Cluster"] for row in nm.get("nodes").rows} == {CERTIFICATE, "t"}
        assert manager.stats.sockets == 1
        assert nm.connect(CERTIFICATE, {"t": TOKEN}, url=server.url, namespace=namespace) is manager
        with pytest.raises(nm.UnknownContext, match="certificat"):
            nm.connect("certificat", url=server.url)
        with pytest.raises(nm.UnknownKind):
            nm.watch("configmapz")
    finally:
        nm.close()


@pytest.mark.parametrize("cluster", [CERTIFICATE, TOKEN])
def test_list_watch_and_the_sockets_that_it_takes(
    core: Core, server: HeadlampServer, control_plane: ControlPlane, namespace: str, cluster: str
) -> None:
    apply(control_plane, config_map("first", namespace, key="é & <b>"))
    watching = Watching(core, server, cluster, "configmaps", namespace)
    assert "first" in watching.records
    apply(control_plane, config_map("second", namespace))
    eventually(lambda: "second" in watching.records)
    apply(control_plane, config_map("first", namespace, key="1", other="2"))
    eventually(lambda: watching.row("first")["Data"] == 2)
    control_plane.kubectl("delete", "configmap", "second", "-n", namespace)
    eventually(lambda: "second" not in watching.records)
    status = core.status(watching.conn)
    forced = cluster == TOKEN and server.kind == "real"
    assert (status["sockets"], status["direct_sockets"]) == (1, int(forced))
    assert status["streams"][0]["repeated"] == 0


def test_probes_tell_who_answers(core: Core, server: HeadlampServer) -> None:
    conn = core.connect(("url", server.url), 20).result(30)
    found = {one["name"]: one for one in core.contexts(conn, SOURCE, ["*"], 20).result(30)}
    assert {CERTIFICATE, TOKEN, "dead"} <= found.keys()
    assert core.probe(conn, found[CERTIFICATE]["ref"], 10).result(30)["version"].startswith("v1.")
    with pytest.raises(Failure) as caught:
        core.probe(conn, found["dead"]["ref"], 10).result(30)
    assert caught.value.code == "unreachable"


def test_a_dead_cluster_disturbs_no_other(
    core: Core, server: HeadlampServer, control_plane: ControlPlane, namespace: str
) -> None:
    dead = Watching(core, server, "dead", "configmaps", namespace, settle=False)
    alive = Watching(core, server, CERTIFICATE, "configmaps", namespace)
    apply(control_plane, config_map("one", namespace))
    eventually(lambda: "one" in alive.records)
    eventually(lambda: dead.state.state == "unreachable")


def test_a_killed_server_comes_back_and_nothing_is_missed(
    core: Core, server: HeadlampServer, control_plane: ControlPlane, namespace: str
) -> None:
    watching = Watching(core, server, CERTIFICATE, "configmaps", namespace)
    server.kill()
    eventually(lambda: watching.state.state == "stale")
    apply(control_plane, config_map("meanwhile", namespace))
    server.start()
    core.connect(("url", server.url), 20).result(30)
    core.retry(watching.conn)
    eventually(lambda: "meanwhile" in watching.records)
    eventually(lambda: watching.state.state == "live")


def test_what_becomes_of_accept_on_a_direct_watch(server: HeadlampServer):
    """A server hands the header of a direct WebSocket on, so that the events are Tables; the multiplexer has none."""
    base, token = split_token(server.url)
    headers = {"Accept": tables.ACCEPT, **({TOKEN_HEADER: token} if token else {})}
    with connect(
        websocket_url(base, f"/clusters/{TOKEN}/api/v1/namespaces") + "?watch=1&includeObject=Object",
        additional_headers=headers,
        origin=Origin(base),
        subprotocols=[Subprotocol("base64.binary.k8s.io")],
        proxy=None,
    ) as socket:
        frame = socket.recv(WAIT_SECONDS)
        assert tables.is_table(frame if isinstance(frame, bytes) else frame.encode())
