"""Kinds from before there were better ones, which lessons and clusters still have, on both sides."""

from __future__ import annotations

from pathlib import Path

from tests.controlplane.places import Place
from tests.controlplane.sides import Json

MIRRORED = "endpointslicemirroring-controller.k8s.io"
WARNING = '299 - "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"'
TRIGGERED = "endpoints.kubernetes.io/last-change-trigger-time"


def running(here: Place, name: str, **labels: str) -> Json:
    """A pod that is ready."""
    spec = {"hostname": "first", "subdomain": "heads", "terminationGracePeriodSeconds": 1,
            "containers": [{"name": "a", "image": "nginx:1", "ports": [{"name": "web", "containerPort": 8080}]}]
    }  # fmt: skip
    made = here.side.ask("POST", here.of("pods"), {"apiVersion": "v1", "kind": "Pod",
                                                   "metadata": {"name": name, "labels": labels}, "spec": spec}
    )  # fmt: skip
    assert made.status == 201, made.body
    here.until(lambda: is_ready(here.get("pods", name, "v1")))
    found: Json = here.get("pods", name, "v1")
    return found


def is_ready(pod: Json) -> bool:
    return any(one["type"] == "Ready" and one["status"] == "True" for one in pod["status"].get("conditions", ()))


def test_each_service_has_its_endpoints(here: Place):
    pod = running(here, "p", app="x")
    two = [{"name": "a", "port": 80, "targetPort": "web"}, {"name": "b", "port": 81, "targetPort": 9}]
    for name, spec in (
        ("both", {"selector": {"app": "x"}, "ports": two}),
        ("heads", {"clusterIP": "None", "selector": {"app": "x"}, "ports": two[:1]}),
        ("bare", {"clusterIP": "None", "selector": {"app": "x"}}),
        ("lost", {"selector": {"app": "x"}, "ports": [{"port": 80, "targetPort": "no-such"}]}),
        ("empty", {"selector": {"app": "nobody"}, "ports": [{"port": 80}]}),
        ("manual", {"ports": [{"port": 80}]}),
        ("outside", {"type": "ExternalName", "externalName": "example.com", "selector": {"app": "x"}}),
    ):
        here.make("Service", name, spec, "v1")

    def there() -> dict[str, Json]:
        return {one["metadata"]["name"]: one for one in here.get("endpoints", group="v1")["items"]}

    here.until(lambda: set(there()) == {"both", "heads", "bare", "lost", "empty"} and all(
        there()[name].get("subsets") for name in ("both", "heads", "bare")))  # fmt: skip
    found = there()
    ours = {"endpoints.kubernetes.io/managed-by": "endpoint-controller"}
    assert found["both"]["metadata"]["labels"] == ours
    assert found["bare"]["metadata"]["labels"] == {**ours, "service.kubernetes.io/headless": ""}
    assert set(found["both"]["metadata"]["annotations"]) == {TRIGGERED}
    assert "ownerReferences" not in found["both"]["metadata"]
    target = {"kind": "Pod", "namespace": here.name, "name": "p", "uid": pod["metadata"]["uid"]}
    address = {"ip": pod["status"]["podIP"], "nodeName": pod["spec"]["nodeName"], "targetRef": target}
    (subset,) = found["both"]["subsets"]
    assert subset["addresses"] == [address]
    assert sorted(subset["ports"], key=lambda one: one["name"]) == [
        {"name": "a", "port": 8080, "protocol": "TCP"}, {"name": "b", "port": 9, "protocol": "TCP"}]  # fmt: skip
    assert found["heads"]["subsets"] == [
        {"addresses": [{"hostname": "first", **address}], "ports": [{"name": "a", "port": 8080, "protocol": "TCP"}]}
    ]  # fmt: skip
    assert found["bare"]["subsets"] == [{"addresses": [address]}]
    assert ["subsets" in found[name] for name in ("lost", "empty")] == [False, False]
    rows = here.kubectl("get", "ep", "heads", "empty", "--no-headers").splitlines()
    assert [row.split()[:2] for row in rows] == [["heads", f"{pod['status']['podIP']}:8080"], ["empty", "<none>"]]
    assert here.side.get(here.of("endpoints", "both")).headers.get_all("Warning") == [WARNING]
    here.patch("pods", "p/status", {"status": {"conditions": [{"type": "Ready", "status": "False"}]}}, "v1")
    here.until(lambda: "notReadyAddresses" in there()["heads"]["subsets"][0])
    here.until(lambda: there()["bare"]["subsets"] == [{"notReadyAddresses": [address]}], "each service in its time")
    here.patch("services", "bare", {"metadata": {"labels": {"of": "bare"}}, "spec": {"publishNotReadyAddresses": True}},
               "v1")  # fmt: skip
    here.until(lambda: "addresses" in there()["bare"]["subsets"][0])
    assert there()["bare"]["metadata"]["labels"]["of"] == "bare"
    here.side.ask("DELETE", here.of("services", "bare"))
    here.side.ask("DELETE", here.of("endpoints", "heads"))
    here.until(lambda: set(there()) == {"both", "heads", "lost", "empty"}, "one is gone, the other made again")


def test_endpoints_that_somebody_wrote_are_mirrored(here: Place):
    here.make("Service", "manual", {"ports": [{"name": "web", "port": 80}]}, "v1")
    first = {"addresses": [{"ip": "10.1.2.4", "hostname": "h", "nodeName": "n1"}, {"ip": "10.1.2.3"}],
             "notReadyAddresses": [{"ip": "10.1.2.9"}], "ports": [{"name": "web", "port": 8080}]}  # fmt: skip
    written = {"apiVersion": "v1", "kind": "Endpoints", "subsets": [first],
               "metadata": {"name": "manual", "labels": {"a": "b"}, "annotations": {"x": "y", TRIGGERED: "z"}}
    }  # fmt: skip
    made = here.side.ask("POST", here.of("endpoints"), written)
    assert (made.status, made.headers.get_all("Warning")) == (201, [WARNING])

    def slices() -> list[Json]:
        found = here.get("endpointslices", group="discovery.k8s.io/v1", labelSelector="kubernetes.io/service-name")
        return sorted(found["items"], key=lambda one: (one["addressType"], str(one["ports"])))

    here.until(lambda: len(slices()) == 1)
    (one,) = slices()
    assert one["metadata"]["labels"] == {"a": "b", "endpointslice.kubernetes.io/managed-by": MIRRORED,
                                         "kubernetes.io/service-name": "manual"}  # fmt: skip
    assert one["metadata"]["annotations"] == {"x": "y"}
    assert one["metadata"]["ownerReferences"][0] | {"uid": ""} == {
        "apiVersion": "v1", "kind": "Endpoints", "name": "manual", "uid": "", "controller": True,
        "blockOwnerDeletion": True}  # fmt: skip
    assert one["ports"] == [{"name": "web", "port": 8080, "protocol": "TCP"}]
    assert sorted(one["endpoints"], key=str) == [
        {"addresses": ["10.1.2.3"], "conditions": {"ready": True}},
        {"addresses": ["10.1.2.4"], "conditions": {"ready": True}, "hostname": "h", "nodeName": "n1"},
        {"addresses": ["10.1.2.9"], "conditions": {"ready": False}},
    ]
    described = here.kubectl("describe", "svc", "manual")
    (line,) = (line for line in described.splitlines() if line.startswith("Endpoints:"))
    assert sorted(line.split()[1].split(",")) == ["10.1.2.3:8080", "10.1.2.4:8080"]  # a Go map's order
    subsets = [{"addresses": [{"ip": "10.1.2.3"}], "ports": [{"port": 1}]},
               {"addresses": [{"ip": "fd00::1"}], "ports": [{"port": 2}]}]  # fmt: skip
    here.patch("endpoints", "manual", {"subsets": subsets, "metadata": {"annotations": None}}, "v1")
    here.until(
        lambda: [(one["addressType"], one["ports"][0]["port"]) for one in slices()] == [("IPv4", 1), ("IPv6", 2)]
    )
    assert slices()[0]["endpoints"] == [{"addresses": ["10.1.2.3"], "conditions": {"ready": True}}]
    here.side.ask("DELETE", here.of("endpointslices", slices()[0]["metadata"]["name"], "discovery.k8s.io/v1"))
    here.until(lambda: len(slices()) == 2, "it is made again")
    here.patch(
        "endpoints", "manual", {"metadata": {"labels": {"endpointslice.kubernetes.io/skip-mirror": "true"}}}, "v1"
    )
    here.until(lambda: not slices())
    here.patch("endpoints", "manual", {"metadata": {"labels": {"endpointslice.kubernetes.io/skip-mirror": None}}}, "v1")
    here.until(lambda: len(slices()) == 2)
    here.patch("services", "manual", {"spec": {"selector": {"app": "x"}}}, "v1")
    here.until(lambda: [one["metadata"]["ownerReferences"][0]["kind"] for one in slices()] == ["Service"])
    here.until(lambda: "subsets" not in here.get("endpoints", "manual", "v1"), "the controller has taken it over")
    assert TRIGGERED in here.get("endpoints", "manual", "v1")["metadata"]["annotations"]


CONTROLLER = """
apiVersion: v1
kind: ReplicationController
metadata: {name: old}
spec:
  replicas: 2
  template:
    metadata: {labels: {app: old}}
    spec: {terminationGracePeriodSeconds: 1, containers: [{name: a, image: 'nginx:1'}]}
"""


def names(here: Place, app: str = "old") -> set[str]:
    return {one["metadata"]["name"] for one in here.pods(app)}


def test_a_replication_controller(here: Place, tmp_path: Path):
    running(here, "orphan", app="old")
    (tmp_path / "rc.yaml").write_text(CONTROLLER)
    here.kubectl("create", "-f", str(tmp_path / "rc.yaml"))
    here.until(lambda: here.get("replicationcontrollers", "old", "v1")["status"].get("availableReplicas") == 2)
    found = here.get("replicationcontrollers", "old", "v1")
    assert (found["spec"]["selector"], found["metadata"]["labels"]) == ({"app": "old"}, {"app": "old"})
    assert found["status"] == {"replicas": 2, "fullyLabeledReplicas": 2, "readyReplicas": 2, "availableReplicas": 2,
                               "observedGeneration": 1}  # fmt: skip
    assert "orphan" in names(here)
    adopted = here.get("pods", "orphan", "v1")["metadata"]["ownerReferences"]
    assert adopted == [{"apiVersion": "v1", "kind": "ReplicationController", "name": "old", "controller": True,
                        "uid": found["metadata"]["uid"], "blockOwnerDeletion": True}]  # fmt: skip
    (second,) = names(here) - {"orphan"}
    here.until(lambda: here.messages("SuccessfulCreate", "old") == [f"Created pod: {second}"])
    assert here.kubectl("scale", "rc", "old", "--replicas=3") == "replicationcontroller/old scaled\n"
    assert here.side.get(here.of("replicationcontrollers", "old/scale")).json()["status"]["selector"] == "app=old"
    assert here.kubectl("expose", "rc", "old", "--port=80") == "service/old exposed\n"
    assert here.get("services", "old", "v1")["spec"]["selector"] == {"app": "old"}
    said = here.kubectl("rollout", "status", "rc/old", fails=True)
    assert said == "error: no status viewer has been implemented for ReplicationController\n"
    here.until(lambda: here.get("replicationcontrollers", "old", "v1")["status"].get("availableReplicas") == 3)
    before = names(here)
    here.kubectl("label", "pod", "orphan", "app=other", "--overwrite")
    here.until(lambda: len(names(here)) == 3 and "orphan" not in names(here), "it is let go, and replaced")
    assert "ownerReferences" not in here.get("pods", "orphan", "v1")["metadata"]
    assert before - {"orphan"} < names(here)
    here.kubectl("delete", "rc", "old", "--cascade=orphan")
    here.until(lambda: not any("ownerReferences" in one["metadata"] for one in here.pods("old")))
    there = names(here)
    assert len(there) == 3
    here.kubectl("create", "-f", str(tmp_path / "rc.yaml"))
    here.until(lambda: len(names(here)) == 2 and names(here) < there, "the new one adopts them, and has one too many")
    here.kubectl("delete", "rc", "old")
    here.until(lambda: not here.get("pods", group="v1", labelSelector="app=old")["items"])


def test_a_replica_set_adopts_and_lets_go(here: Place):
    running(here, "orphan", app="set")
    template = {"metadata": {"labels": {"app": "set"}},
                "spec": {"terminationGracePeriodSeconds": 1, "containers": [{"name": "a", "image": "nginx:1"}]},
    }  # fmt: skip
    here.make("ReplicaSet", "set", {"replicas": 1, "selector": {"matchLabels": {"app": "set"}}, "template": template})
    here.until(lambda: "ownerReferences" in here.get("pods", "orphan", "v1")["metadata"])
    here.until(lambda: here.get("replicasets", "set")["status"].get("readyReplicas") == 1)
    assert names(here, "set") == {"orphan"}
    here.kubectl("label", "pod", "orphan", "app-")
    here.until(lambda: len(names(here, "set")) == 1)
    assert "ownerReferences" not in here.get("pods", "orphan", "v1")["metadata"]
    here.kubectl("label", "pod", "orphan", "app=set")
    here.until(lambda: len(here.get("pods", group="v1")["items"]) == 1, "one of the two is too many")
    here.side.ask("DELETE", here.of("replicasets", "set", "apps/v1"))
