"""The printed columns over Headlamp are those that the API server prints, also of objects that came as plain events."""

from __future__ import annotations

import json
import re
import ssl
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from notebook_mux.kernel.core import Core
from notebook_mux.kernel.dialect import Opener
from tests.controlplane.test_headlamp_client import Watching, apply, eventually
from tests.headlamp import CERTIFICATE, SERVERS, HeadlampServer, kubeconfig_of, start_headlamp
from tests.testbed.control_plane import ControlPlane

__all__ = ["start_headlamp"]

TIMES = re.compile(r"\b(?:\d+[ydhms]){1,2}\b")

TEMPLATE = {"metadata": {"labels": {"app": "x"}}, "spec": {"containers": [{"name": "c", "image": "i:1"}]}}
SELECTOR = {"matchLabels": {"app": "x"}}
CLAIM = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
VOLUME = {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "hostPath": {"path": "/tmp/x"}}
RULE = {"host": "a.example", "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": {
    "service": {"name": "x", "port": {"number": 80}}}}]}}  # fmt: skip
CPU = {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}}}
TARGET = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "x"}
SCALED = {"scaleTargetRef": TARGET, "maxReplicas": 3, "metrics": [CPU]}
JOB = {"template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "i:1"}]}}}
RULES = [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]

KINDS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "pods": ("v1", "Pod", {"spec": TEMPLATE["spec"]}),
    "deployments": ("apps/v1", "Deployment", {"spec": {"replicas": 2, "selector": SELECTOR, "template": TEMPLATE}}),
    "replicasets": ("apps/v1", "ReplicaSet", {"spec": {"replicas": 1, "selector": SELECTOR, "template": TEMPLATE}}),
    "statefulsets": ("apps/v1", "StatefulSet", {
        "spec": {"serviceName": "x", "selector": SELECTOR, "template": TEMPLATE}}),
    "daemonsets": ("apps/v1", "DaemonSet", {"spec": {"selector": SELECTOR, "template": TEMPLATE}}),
    "jobs": ("batch/v1", "Job", {"spec": JOB}),
    "cronjobs": ("batch/v1", "CronJob", {"spec": {"schedule": "0 0 * * *", "jobTemplate": {"spec": JOB}}}),
    "services": ("v1", "Service", {"spec": {"selector": {"app": "x"}, "ports": [{"port": 80, "protocol": "TCP"}]}}),
    "ingresses": ("networking.k8s.io/v1", "Ingress", {"spec": {"rules": [RULE]}}),
    "networkpolicies": ("networking.k8s.io/v1", "NetworkPolicy", {"spec": {"podSelector": SELECTOR}}),
    "configmaps": ("v1", "ConfigMap", {"data": {"a": "1"}}),
    "secrets": ("v1", "Secret", {"stringData": {"a": "1"}}),
    "serviceaccounts": ("v1", "ServiceAccount", {}),
    "persistentvolumeclaims": ("v1", "PersistentVolumeClaim", {"spec": CLAIM}),
    "roles": ("rbac.authorization.k8s.io/v1", "Role", {"rules": RULES}),
    "rolebindings": ("rbac.authorization.k8s.io/v1", "RoleBinding", {
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "x"},
        "subjects": [{"kind": "User", "name": "ann", "apiGroup": "rbac.authorization.k8s.io"}]}),
    "horizontalpodautoscalers": ("autoscaling/v2", "HorizontalPodAutoscaler", {"spec": SCALED}),
    "poddisruptionbudgets": ("policy/v1", "PodDisruptionBudget", {"spec": {"minAvailable": 1, "selector": SELECTOR}}),
    "endpointslices": ("discovery.k8s.io/v1", "EndpointSlice", {"addressType": "IPv4", "endpoints": [
        {"addresses": ["10.1.2.3"]}], "ports": [{"name": "h", "port": 80, "protocol": "TCP"}]}),
    "leases": ("coordination.k8s.io/v1", "Lease", {"spec": {"holderIdentity": "me"}}),
    "resourcequotas": ("v1", "ResourceQuota", {"spec": {"hard": {"pods": "100"}}}),
    "limitranges": ("v1", "LimitRange", {"spec": {"limits": [{"type": "Container", "max": {"cpu": "2"}}]}}),
}  # fmt: skip

CUSTOM = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "kites.example.com"},
    "spec": {
        "group": "example.com",
        "scope": "Namespaced",
        "names": {"plural": "kites", "singular": "kite", "kind": "Kite"},
        "versions": [{
            "name": "v1", "served": True, "storage": True,
            "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
            "additionalPrinterColumns": [
                {"name": "Tails", "type": "integer", "jsonPath": ".spec.tails"},
                {"name": "Colour", "type": "string", "jsonPath": ".spec.colour", "priority": 1},
                {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
            ],
        }],
    },
}  # fmt: skip


@pytest.fixture(params=SERVERS)
def server(
    request: pytest.FixtureRequest,
    control_plane: ControlPlane,
    tmp_path: Path,
    start_headlamp: Callable[..., HeadlampServer],
) -> HeadlampServer:
    """A server of each kind."""
    return start_headlamp(request.param, kubeconfig_of(control_plane, tmp_path / "kubeconfig"))


@pytest.fixture
def core() -> Iterator[Core]:
    """A core that takes whoever answers for a Headlamp server."""
    made = Core(opener=Opener(headlamp=True))
    yield made
    made.shutdown()


def plain(cells: list[Any]) -> list[Any]:
    """Cells without the times in them."""
    return [TIMES.sub("~", cell) if isinstance(cell, str) else cell for cell in cells]


def printed(plane: ControlPlane, path: str) -> dict[str, Any]:
    """By name version and cells, as the server prints them now."""
    pki = plane.folder / "pki"
    context = ssl.create_default_context(cafile=str(pki / "ca.crt"))
    context.load_cert_chain(str(pki / "admin.crt"), str(pki / "admin.key"))
    request = urllib.request.Request(plane.server + path)
    request.add_header("Accept", "application/json;as=Table;v=v1;g=meta.k8s.io")
    with urllib.request.urlopen(request, context=context, timeout=20) as answer:
        rows = json.load(answer)["rows"] or []
    found = {}
    for row in rows:
        metadata = row["object"]["metadata"]
        found[metadata["name"]] = metadata["resourceVersion"], plain(row["cells"])
    return found


def shown(watching: Watching) -> dict[str, Any]:
    """The same, as the stream has it."""
    return {name: (one.version, plain(json.loads(one.cells))) for name, one in watching.records.items()}


def cells_of(watching: Watching) -> Any:
    """The printers of a stream's only watch."""
    bridge: Any = watching.core._endpoints[watching.conn].connection._transport
    path = watching.core.status(watching.conn)["streams"][-1]["subscriptions"][0]["path"]
    return next(watch._cells for watch in bridge._watches.values() if watch._message.path == path)


def path_of(kind: str, api: str, namespace: str) -> str:
    return f"/{'apis' if '/' in api else 'api'}/{api}/namespaces/{namespace}/{kind}"


def test_the_common_kinds_are_printed_here_as_there(
    core: Core, server: HeadlampServer, control_plane: ControlPlane, namespace: str
) -> None:
    watchings = {kind: Watching(core, server, CERTIFICATE, kind, namespace) for kind in KINDS}
    apply(
        control_plane,
        *(
            {"apiVersion": api, "kind": name, "metadata": {"name": "x", "namespace": namespace}, **body}
            for api, name, body in KINDS.values()
        ),
    )
    for kind, (api, _, _) in KINDS.items():
        path = path_of(kind, api, namespace)
        eventually(
            lambda kind=kind, path=path: shown(watchings[kind]) == printed(control_plane, path),  # type: ignore[misc]
            f"{kind}: {shown(watchings[kind])} as {printed(control_plane, path)}",
        )
        assert "x" in watchings[kind].records


@pytest.mark.parametrize("kind", ["nodes", "namespaces", "persistentvolumes", "storageclasses", "clusterroles"])
def test_kinds_of_the_cluster(
    core: Core, server: HeadlampServer, control_plane: ControlPlane, namespace: str, kind: str
) -> None:
    watching = Watching(core, server, CERTIFICATE, kind, "")
    api = {"storageclasses": "apis/storage.k8s.io/v1", "clusterroles": "apis/rbac.authorization.k8s.io/v1"}
    if kind == "persistentvolumes":
        control_plane.kubectl("delete", "pv", namespace, "--ignore-not-found")
        apply(
            control_plane,
            {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": namespace}, "spec": VOLUME},
        )
    elif kind == "namespaces":
        control_plane.kubectl("label", "namespace", namespace, "touched=yes")
    elif kind == "nodes":
        node = control_plane.kubectl("get", "nodes", "-o", "name").split()[0]
        control_plane.kubectl("annotate", node, f"touched={namespace}", "--overwrite")
    path = f"/{api.get(kind, 'api/v1')}/{kind}"
    try:
        eventually(lambda: shown(watching) == printed(control_plane, path), f"{kind}")
    finally:
        if kind == "persistentvolumes":  # a claim of another test would take it
            control_plane.kubectl("delete", "pv", namespace)


def test_events_are_printed_here_as_there(
    core: Core, server: HeadlampServer, control_plane: ControlPlane, namespace: str
) -> None:
    watching = Watching(core, server, CERTIFICATE, "events", namespace)
    control_plane.kubectl("create", "deployment", "web", "-n", namespace, "--image=web")
    eventually(lambda: len(watching.records) > 2)
    eventually(lambda: shown(watching) == printed(control_plane, f"/api/v1/namespaces/{namespace}/events"))


def test_a_custom_kinds_columns_come_from_its_definition(
    core: Core, server: HeadlampServer, control_plane: ControlPlane, namespace: str
) -> None:
    control_plane.kubectl("delete", "crd", "kites.example.com", "--ignore-not-found")
    apply(control_plane, CUSTOM)
    control_plane.established("kites.example.com")
    try:
        watching = Watching(core, server, CERTIFICATE, "kites", namespace)
        kite = {"apiVersion": "example.com/v1", "kind": "Kite", "metadata": {"name": "a", "namespace": namespace}}
        apply(control_plane, {**kite, "spec": {"tails": 3, "colour": "red"}})
        path = f"/apis/example.com/v1/namespaces/{namespace}/kites"
        eventually(lambda: "a" in watching.records and shown(watching) == printed(control_plane, path))
        assert watching.row("a")["Tails"] == 3
        assert cells_of(watching).exact, "no Table is asked for"
    finally:
        control_plane.kubectl("delete", "crd", "kites.example.com", "--ignore-not-found")


def test_a_kind_without_a_printer_here_gets_its_cells_from_tables(
    core: Core,
    server: HeadlampServer,
    control_plane: ControlPlane,
    namespace: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from notebook_mux.headlamp import cells

    monkeypatch.setattr(cells, "PRINTERS", {})
    watching = Watching(core, server, CERTIFICATE, "services", namespace)
    for number in range(3):
        service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": f"s{number}", "namespace": namespace}}
        apply(control_plane, {**service, "spec": {"ports": [{"port": 80}]}})
    path = f"/api/v1/namespaces/{namespace}/services"
    eventually(lambda: len(watching.records) == 3 and shown(watching) == printed(control_plane, path))
    assert not cells_of(watching).exact
    control_plane.kubectl("delete", "service", "s1", "-n", namespace)
    eventually(lambda: shown(watching) == printed(control_plane, path))
