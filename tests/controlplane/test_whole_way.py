"""From a cell to a real API server and back, through the surface: the gateway is started as a notebook starts it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import notebook_mux as nm
from tests import waiting
from tests.testbed.control_plane import ControlPlane

WAIT_SECONDS = 40.0

eventually = partial(waiting.eventually, seconds=WAIT_SECONDS, pause=0.05)
CANARY = "canary-7f3e91c0-secret-value"

CRD = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "boats.example.com"},
    "spec": {
        "group": "example.com",
        "scope": "Namespaced",
        "names": {"plural": "boats", "singular": "boat", "kind": "Boat", "shortNames": ["bo"]},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "properties": {
                            "spec": {
                                "type": "object",
                                "properties": {
                                    "sails": {"type": "integer"},
                                    "since": {"type": "string", "format": "date-time"},
                                },
                            }
                        },
                    }
                },
                "additionalPrinterColumns": [
                    {"name": "Sails", "type": "integer", "jsonPath": ".spec.sails"},
                    {"name": "Since", "type": "date", "jsonPath": ".spec.since"},
                ],
            }
        ],
    },
}  # fmt: skip


def config_map(name: str, namespace: str, **data: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": namespace},
        "data": data,
    }


def create(plane: ControlPlane, obj: dict[str, Any]) -> None:
    plane.kubectl("apply", "-f", "-", input=json.dumps(obj))


def user(plane: ControlPlane, path: Path, name: str, namespace: str, *rules: str) -> Path:
    """A kubeconfig of a service account that may `rules` ("list,watch pods") in one namespace."""
    plane.kubectl("create", "serviceaccount", name, "-n", namespace)
    role = ""
    for number, rule in enumerate(rules):
        verbs, kind = rule.split()
        role = f"{name}-{number}"
        plane.kubectl("create", "role", role, "-n", namespace, f"--verb={verbs}", f"--resource={kind}")
        plane.kubectl(
            "create", "rolebinding", role, "-n", namespace, f"--role={role}", f"--serviceaccount={namespace}:{name}"
        )
    if role:  # the API server knows of it a moment later
        eventually(lambda: is_known(plane, role, namespace, f"system:serviceaccount:{namespace}:{name}"), role)
    return plane.write_kubeconfig(path, name, context=name, token=plane.token(name, namespace))


def is_known(plane: ControlPlane, role: str, namespace: str, who: str) -> bool:
    """Whether the API server lets somebody do what a role says."""
    path = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}/roles/{role}"
    [rule, *_] = json.loads(plane.api(path))["rules"]
    resource, _, subresource = rule["resources"][0].partition("/")
    attributes = {"verb": rule["verbs"][0], "group": rule["apiGroups"][0], "resource": resource,
                  "subresource": subresource, "namespace": namespace}  # fmt: skip
    return may(plane, who, **attributes)


def may(plane: ControlPlane, who: str, **attributes: str) -> bool:
    """Whether the API server lets somebody do something."""
    review = {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview",
              "spec": {"user": who, "resourceAttributes": attributes}}  # fmt: skip
    answer = json.loads(plane.api("/apis/authorization.k8s.io/v1/subjectaccessreviews", review))
    return bool(answer["status"]["allowed"])


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    nm.close()


def test_one_socket_and_the_same_objects_for_the_same_words(control_plane: ControlPlane, namespace: str) -> None:
    create(control_plane, config_map("one", namespace))
    manager = nm.connect(kubeconfig=control_plane.kubeconfig)
    stream = nm.watch("configmaps", namespace=namespace)
    before = manager.stats
    for _ in range(20):
        assert nm.connect(kubeconfig=control_plane.kubeconfig) is manager
        again = nm.watch("cm", namespace=namespace)
        assert [row["Name"] for row in again.rows] == [row["Name"] for row in stream.rows]  # Age goes on
        assert nm.watch("configmaps", namespace=namespace) is stream
    after = manager.stats
    assert (after.sockets, after.attempts) == (1, 1)
    assert after.subscriptions == before.subscriptions
    assert stream["one"].name == "one"
    with pytest.raises(LookupError, match="one"):
        stream["onne"]


def test_rows_are_what_kubectl_prints(control_plane: ControlPlane) -> None:
    nm.connect(kubeconfig=control_plane.kubeconfig)
    nodes = nm.watch("nodes")
    printed = control_plane.kubectl("get", "nodes", "-o", "wide").splitlines()
    for line in printed[1:]:
        row = next(r for r in nodes.rows if r["Name"] == line.split()[0])
        for title in ("Name", "Status", "Roles", "Version", "Internal-IP", "OS-Image"):
            assert str(row[title]) in line
    assert list(nodes.rows[0]) == [c["name"] for c in nodes.columns]


def test_changes_arrive_and_waits_end(control_plane: ControlPlane, namespace: str) -> None:
    nm.connect(kubeconfig=control_plane.kubeconfig)
    control_plane.kubectl("create", "deployment", "web", "-n", namespace, "--image=web", "--replicas=3")
    pods = nm.watch("pods", namespace=namespace, selector={"app": "web"})
    ready = pods.wait("condition=Ready", of=3, timeout=60)
    assert len(ready) == 3
    control_plane.kubectl("scale", "deployment", "web", "-n", namespace, "--replicas=1")
    eventually(lambda: len(pods) == 1)
    frame = pods.df()
    assert frame["Restarts"].dtype.kind == "i"


def test_a_kind_that_appears_later_and_goes_and_comes_back(control_plane: ControlPlane, namespace: str) -> None:
    nm.connect(kubeconfig=control_plane.kubeconfig)
    control_plane.kubectl("delete", "crd", "boats.example.com", "--ignore-not-found")
    with pytest.raises(nm.UnknownKind):
        nm.watch("boats", namespace=namespace)
    create(control_plane, CRD)
    control_plane.established("boats.example.com")
    boats = nm.watch("boats", namespace=namespace)
    eventually(lambda: boats.synced, "a new kind is served after a moment")
    assert boats.rows == []
    boat = {
        "apiVersion": "example.com/v1",
        "kind": "Boat",
        "metadata": {"name": "ada", "namespace": namespace},
        "spec": {"sails": 3, "since": "2020-01-01T00:00:00Z"},
    }
    create(control_plane, boat)
    eventually(lambda: [r["Sails"] for r in boats.rows] == [3])
    assert boats.rows[0]["Since"].endswith("y") or "y" in boats.rows[0]["Since"]
    control_plane.kubectl("delete", "crd", "boats.example.com")
    eventually(lambda: next(iter(boats.clusters.values())).state != "live", "the loss of the kind is a state")
    create(control_plane, CRD)
    control_plane.established("boats.example.com")
    create(control_plane, boat)
    nm.connect(kubeconfig=control_plane.kubeconfig).retry()
    eventually(lambda: [r["Name"] for r in boats.rows] == ["ada"], "it comes back with the kind")
    control_plane.kubectl("delete", "crd", "boats.example.com")


def test_a_forbidden_cluster_falls_to_what_is_allowed_and_says_so(
    control_plane: ControlPlane, namespace: str, tmp_path: Path
) -> None:
    create(control_plane, config_map("mine", namespace))
    kubeconfig = user(control_plane, tmp_path / "limited", "limited", namespace, "list,watch,get configmaps")
    nm.connect(kubeconfig=kubeconfig, namespace=namespace)
    everywhere = nm.watch("configmaps", namespace="*")
    assert "mine" in {row["Name"] for row in everywhere.rows}
    view = everywhere.clusters["limited"]
    assert view.state == "live"
    assert "forbidden" in view.reason
    assert namespace in view.reason
    with pytest.raises(nm.Forbidden) as caught:
        nm.watch("secrets", namespace=namespace)
    assert "cannot" in str(caught.value)
    assert "secrets" in str(caught.value)
    assert isinstance(caught.value, PermissionError)
    assert 2 <= len(caught.value.lines()) <= 5


def test_one_clusters_trouble_is_a_row_and_never_the_others(
    control_plane: ControlPlane, namespace: str, tmp_path: Path
) -> None:
    create(control_plane, config_map("here", namespace))
    expired = control_plane.write_kubeconfig(tmp_path / "expired", "nobody", context="expired", token="no.such.token")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        dead = json.loads(expired.read_text())
        dead["current-context"] = dead["contexts"][0]["name"] = "dead"
        dead["clusters"][0] = {"name": "dead", "cluster": {"server": f"https://127.0.0.1:{probe.getsockname()[1]}"}}
        dead["contexts"][0]["context"]["cluster"] = "dead"
        dead["users"][0]["name"] = dead["contexts"][0]["context"]["user"] = "dead"
        (tmp_path / "dead").write_text(json.dumps(dead))
        files = [control_plane.kubeconfig, expired, tmp_path / "dead"]
        manager = nm.connect("*", kubeconfig=files, timeout=10)
        stream = nm.watch("configmaps", namespace=namespace)
    assert "here" in {row["Name"] for row in stream.rows}
    assert {name: view.state for name, view in stream.clusters.items()} == {
        "testbed": "live",
        "expired": "login",
        "dead": "unreachable",
    }
    assert {c["state"] for c in map(_plain, manager.clusters.values())} == {"live", "login", "unreachable"}
    with pytest.raises(nm.LoginRequired):
        nm.connect(kubeconfig=expired, timeout=10)
    with pytest.raises(ConnectionError):
        nm.connect(kubeconfig=tmp_path / "dead", timeout=10)


def _plain(cluster: Any) -> dict[str, Any]:
    return cluster if isinstance(cluster, dict) else {"state": cluster.state}


def test_contexts_that_are_not_there(control_plane: ControlPlane, tmp_path: Path, monkeypatch: Any) -> None:
    with pytest.raises(nm.UnknownContext) as caught:
        nm.connect("testbett", kubeconfig=control_plane.kubeconfig)
    assert "testbed" in str(caught.value)
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "nothing"))
    with pytest.raises(nm.NoCluster) as nothing:
        nm.connect()
    assert "nothing" in str(nothing.value)
    assert "nm.demo()" in str(nothing.value)
    (tmp_path / "broken").write_text("clusters: [")
    with pytest.raises(nm.MuxError) as broken:
        nm.connect(kubeconfig=tmp_path / "broken")
    assert "broken" in str(broken.value)


def test_the_api_server_dies_and_comes_back(control_plane_with: Callable[..., ControlPlane], tmp_path: Path) -> None:
    plane = control_plane_with("--min-request-timeout=5")
    manager = nm.connect(kubeconfig=plane.kubeconfig)
    stream = nm.watch("configmaps", namespace="default")
    for number in range(3):
        create(plane, config_map(f"before-{number}", "default"))
    eventually(lambda: len(stream) == 4)
    plane.kill("apiserver")
    eventually(lambda: stream.clusters["testbed"].state == "unreachable")
    assert stream.clusters["testbed"].reason
    assert len(stream) == 4
    plane.start("apiserver")
    create(plane, config_map("after", "default"))
    manager.retry()
    eventually(lambda: "after" in {row["Name"] for row in stream.rows})
    eventually(lambda: stream.clusters["testbed"].state == "live")
    stats = manager.stats
    assert (stats.repeated, stats.snapshots, stats.reconnects) == (0, 1, 0)


def test_old_servers_and_short_histories(control_plane_with: Callable[..., ControlPlane]) -> None:
    plane = control_plane_with("--feature-gates=WatchList=false", "--min-request-timeout=5")
    nm.connect(kubeconfig=plane.kubeconfig)
    stream = nm.watch("configmaps", namespace="default")
    for number in range(12):
        create(plane, config_map(f"map-{number}", "default"))
        time.sleep(0.7)  # longer in all than the watch that the server ends after five seconds
    eventually(lambda: len(stream) == 13)
    assert nm.connect(kubeconfig=plane.kubeconfig).stats.repeated == 0


def test_no_secret_is_found_where_it_does_not_belong(
    control_plane: ControlPlane, namespace: str, tmp_path: Path
) -> None:
    control_plane.kubectl("create", "secret", "generic", "canary", "-n", namespace, f"--from-literal=key={CANARY}")
    kubeconfig = user(control_plane, tmp_path / "canary", "reader", namespace, "list,watch,get secrets")
    token = json.loads(kubeconfig.read_text())["users"][0]["user"]["token"]
    manager = nm.connect(kubeconfig=kubeconfig, namespace=namespace)
    stream = nm.watch("secrets", namespace=namespace)
    shown = [
        repr(manager),
        repr(stream),
        repr(stream["canary"]),
        str(manager.stats),
        repr(stream.clusters),
        str(stream.rows),
    ]
    shown += [json.dumps(_shown(thing), default=str) for thing in (manager, stream, nm.get("secrets", "canary"))]
    run = Path(os.environ["NOTEBOOK_MUX_RUNTIME_DIR"])
    shown += [log.read_text() for log in run.rglob("*.log")]
    import base64

    for text in shown:
        for secret in (CANARY, base64.b64encode(CANARY.encode()).decode(), token):
            assert secret not in text
    assert stream["canary"]["data"]["key"], "the user who asks for the value gets it"


def _shown(thing: Any) -> Any:
    bundle = thing._repr_mimebundle_() if hasattr(thing, "_repr_mimebundle_") else {}
    return bundle if isinstance(bundle, dict) else list(bundle)


def test_a_kernel_that_ends_leaves_the_gateway_and_the_next_one_finds_it(control_plane: ControlPlane) -> None:
    code = textwrap.dedent(
        f"""
        import notebook_mux as nm
        nm.connect(kubeconfig={str(control_plane.kubeconfig)!r})
        print(len(nm.watch("nodes")), nm.connect(kubeconfig={str(control_plane.kubeconfig)!r}).url)
        """
    )
    outputs = {
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60).stdout
        for _ in range(2)
    }
    assert len(outputs) == 1
    assert next(iter(outputs)).startswith("3 http://127.0.0.1:")
