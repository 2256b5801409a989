"""Where pods go and why they do not, on both sides: the scheduler's decisions, conditions and events."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

import pytest

from notebook_mux.playground.scenarios import base
from tests.controlplane.sides import Json
from tests.unit.playground.client import MERGE, Client
from tests.waiting import eventually

SECONDS = 90.0
NODES = ("tight-1", "tight-2")
ONLY = {"nodeSelector": {"of": "tight"}}
NOT_HELPFUL = "Preemption is not helpful for scheduling"
HEAD = "nodes are available:"


def _enlist(side: Client, playground: Any | None) -> None:
    """Two small nodes of a zone each."""
    for number, name in enumerate(NODES):
        labels = {"kubernetes.io/hostname": name, "of": "tight", "zone": f"z{number}", "rank": str(number * 10)}
        size = {"cpu": "2", "memory": "4Gi", "pods": "10"}
        if playground is None:
            made = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": labels},
                    "status": {"capacity": size, "allocatable": size}}  # fmt: skip
            assert side.ask("POST", "/api/v1/nodes", made).status == 201
        else:
            cluster = playground.playground.cluster
            playground.call(functools.partial(base.node, cluster, base.NodePlan(name), 5 + number))
            side.ask("PATCH", f"/api/v1/nodes/{name}", {"metadata": {"labels": labels}}, media=MERGE)
            status = {"status": {"capacity": size, "allocatable": size}}
            assert side.ask("PATCH", f"/api/v1/nodes/{name}/status", status, media=MERGE).status == 200

    def ready() -> bool:
        found = [side.get(f"/api/v1/nodes/{name}").json() for name in NODES]
        conditions = [one for node in found for one in node["status"].get("conditions", ())]
        up = sum((one["type"], one["status"]) == ("Ready", "True") for one in conditions)
        return up == len(NODES) and not any(node["spec"].get("taints") for node in found)

    eventually(ready, seconds=SECONDS)


@pytest.fixture
def nodes(side: Client, place: str, request: pytest.FixtureRequest) -> Iterator[int]:
    """Two nodes of the test's own; how many there are of all."""
    ours = "playground" in request.node.callspec.id
    _enlist(side, request.getfixturevalue("playground") if ours else None)
    pods = Pods(side, place)
    for name in NODES:  # until the scheduler knows of them, and that they are ready
        pods.make(f"on-{name}", nodeSelector={"kubernetes.io/hostname": name})
        assert pods.node(f"on-{name}") == name
        pods.delete(f"on-{name}")
    yield len(side.get("/api/v1/nodes").json()["items"])
    for name in NODES:
        side.ask("DELETE", f"/api/v1/nodes/{name}")
    for one in side.get(f"{place}/pods").json()["items"]:
        side.ask("DELETE", f"{place}/pods/{one['metadata']['name']}", {"gracePeriodSeconds": 0})


def listed(*reasons: str) -> str:
    """Reasons as the scheduler lists them."""
    return ", ".join(sorted(reasons))


class Pods:
    """Makes pods in a place, and waits for what becomes of them."""

    def __init__(self, side: Client, place: str):
        self._side, self._path, self._events = side, f"{place}/pods", f"{place}/events"

    def make(self, name: str, *, cpu: str = "", labels: Json | None = None, ports: Any = (), **spec: Any) -> Json:
        container: Json = {"name": "a", "image": "nginx:1"}
        if cpu:
            container["resources"] = {"requests": {"cpu": cpu}}
        if ports:
            container["ports"] = ports
        obj = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": labels or {}},
               "spec": {**ONLY, "terminationGracePeriodSeconds": 1, "containers": [container], **spec}}  # fmt: skip
        made = self._side.ask("POST", self._path, obj)
        assert made.status == 201, made.body
        found: Json = made.json()
        return found

    def get(self, name: str) -> Json:
        found: Json = self._side.get(f"{self._path}/{name}").json()
        return found

    def node(self, name: str) -> str:
        """The node that a pod gets."""
        eventually(lambda: self.get(name)["spec"].get("nodeName"), f"{name} has no node", seconds=SECONDS)
        return str(self.get(name)["spec"]["nodeName"])

    def condition(self, name: str) -> Json:
        conditions = self.get(name)["status"].get("conditions", ())
        return next((one for one in conditions if one["type"] == "PodScheduled"), {})

    def why(self, name: str) -> str:
        """What is said of a pod that gets none."""
        eventually(lambda: self.condition(name), f"{name} is not told of", seconds=SECONDS)
        found = self.condition(name)
        assert (found["status"], found["reason"], found["lastProbeTime"]) == ("False", "Unschedulable", None)
        return str(found["message"])

    def event(self, name: str, reason: str) -> Json:
        query = {"fieldSelector": f"reason={reason},involvedObject.name={name}"}
        eventually(lambda: self._side.get(self._events, **query).json()["items"], reason, seconds=SECONDS)
        found: Json = self._side.get(self._events, **query).json()["items"][0]
        return found

    def delete(self, name: str) -> None:
        self._side.ask("DELETE", f"{self._path}/{name}", {"gracePeriodSeconds": 0})


@pytest.fixture
def pods(side: Client, place: str) -> Pods:
    eventually(lambda: side.get(f"{place}/serviceaccounts/default").status == 200, seconds=SECONDS)
    return Pods(side, place)


def affinity(kind: str, *terms: Json, soft: bool = False) -> Json:
    when = "preferred" if soft else "required"
    return {"affinity": {kind: {f"{when}DuringSchedulingIgnoredDuringExecution": list(terms)}}}


def of(app: str, topology: str = "kubernetes.io/hostname") -> Json:
    return {"topologyKey": topology, "labelSelector": {"matchLabels": {"app": app}}}


def test_why_there_is_no_place(side: Client, nodes: int, pods: Pods):
    others = nodes - len(NODES)
    elsewhere = f"{others} node(s) didn't match Pod's node affinity/selector"
    helpless = f"preemption: 0/{nodes} {HEAD} {nodes} {NOT_HELPFUL}."

    def said(reasons: list[str], end: str = helpless) -> str:
        return f"0/{nodes} {HEAD} {listed(*reasons)}. {end}"

    pods.make("huge", cpu="50")
    assert pods.why("huge") == said(["2 Insufficient cpu", elsewhere])
    event = pods.event("huge", "FailedScheduling")
    assert (event["type"], event["message"], event["action"], event["reportingComponent"], event["source"]) == (
        "Warning", pods.why("huge"), "Scheduling", "default-scheduler", {},
    )  # fmt: skip
    assert (event["firstTimestamp"], event["lastTimestamp"]) == (None, None)
    assert "count" not in event
    assert pods.condition("huge")["observedGeneration"] == 1
    pods.make("no-label", nodeSelector={"no": "such"})
    assert pods.why("no-label") == said([f"{nodes} node(s) didn't match Pod's node affinity/selector"])
    named = {"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["tight-1"]}]}
    terms = affinity("nodeAffinity")["affinity"]
    terms["nodeAffinity"] = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [named]}}
    pods.make("named", cpu="50", affinity=terms)
    assert pods.why("named") == said(
        ["1 Insufficient cpu", f"{nodes - 1} node(s) didn't satisfy plugin(s) [NodeAffinity]"]
    )
    pods.make("lonely", **affinity("podAffinity", of("nobody")))
    assert pods.why("lonely") == said(["2 node(s) didn't match pod affinity rules", elsewhere])
    spread = {"maxSkew": 1, "topologyKey": "no-such", "whenUnsatisfiable": "DoNotSchedule",
              "labelSelector": {"matchLabels": {"app": "x"}}}  # fmt: skip
    pods.make("spread", labels={"app": "x"}, topologySpreadConstraints=[spread])
    missing = "node(s) didn't match pod topology spread constraints (missing required label)"
    assert pods.why("spread") == said([f"2 {missing}", elsewhere])
    pods.make("claims", volumes=[{"name": "v", "persistentVolumeClaim": {"claimName": "nope"}}])
    assert pods.why("claims") == f'0/{nodes} {HEAD} persistentvolumeclaim "nope" not found. not found'
    pods.make("gated", schedulingGates=[{"name": "x.example/wait"}])
    gated = pods.condition("gated")
    assert (gated["reason"], gated["message"]) == (
        "SchedulingGated", "Scheduling is blocked due to non-empty scheduling gates",
    )  # fmt: skip
    pods.make("foreign", schedulerName="somebody")
    taint = {"spec": {"taints": [{"key": "k", "value": "v", "effect": "NoSchedule"}]}}
    assert side.ask("PATCH", "/api/v1/nodes/tight-1", taint, media=MERGE).status == 200
    cordon = {"spec": {"unschedulable": True}}
    assert side.ask("PATCH", "/api/v1/nodes/tight-2", cordon, media=MERGE).status == 200
    # The scheduler's own look at the nodes cannot be seen; another controller's, through the same watch cache, can.
    eventually(lambda: "unschedulable" in str(side.get("/api/v1/nodes/tight-2").json()["spec"].get("taints")),
               "the cordon is known", seconds=SECONDS)  # fmt: skip
    pods.make("kept-out")
    assert pods.why("kept-out") == said(
        ["1 node(s) had untolerated taint(s)", "1 node(s) were unschedulable", elsewhere]
    )
    pods.make("tolerant", tolerations=[{"key": "k", "operator": "Equal", "value": "v", "effect": "NoSchedule"}])
    assert pods.node("tolerant") == "tight-1"
    pods.make("never", cpu="1500m", tolerations=[{"operator": "Exists"}], nodeName="")
    assert pods.node("never") in NODES
    pods.make("blocked", cpu="1500m", preemptionPolicy="PreemptLowerPriority")
    side.ask("PATCH", "/api/v1/nodes/tight-2", {"spec": {"unschedulable": None, "taints": None}}, media=MERGE)
    side.ask("PATCH", "/api/v1/nodes/tight-1", {"spec": {"taints": None}}, media=MERGE)
    # What was in the way is gone: they go on by themselves.
    assert {pods.node("kept-out"), pods.node("blocked")} <= set(NODES)
    bound = pods.condition("blocked")
    assert (bound["status"], "reason" in bound, "message" in bound) == ("True", False, False)
    said_then = pods.event("blocked", "Scheduled")
    assert said_then["message"].startswith("Successfully assigned ")
    assert (said_then["action"], said_then["type"]) == ("Binding", "Normal")
    assert "nodeName" not in pods.get("foreign")["spec"]
    assert "conditions" not in pods.get("foreign")["status"]


def test_where_pods_go(nodes: int, pods: Pods):
    def terms(*found: Json) -> Json:
        return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": list(found)}}}

    def expression(key: str, operator: str, *values: str) -> Json:
        return {
            "matchExpressions": [{"key": key, "operator": operator, **({"values": list(values)} if values else {})}]
        }

    for name, term, node in (
        ("in", expression("zone", "In", "z1", "zx"), "tight-2"),
        ("not-in", expression("zone", "NotIn", "z1"), "tight-1"),
        ("greater", expression("rank", "Gt", "5"), "tight-2"),
        ("less", expression("rank", "Lt", "5"), "tight-1"),
    ):
        pods.make(name, affinity=terms(term))
        assert pods.node(name) == node, name
    preferred = [{"weight": 100, "preference": expression("zone", "In", "z1")}]
    pods.make("rather", affinity={"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": preferred}})
    assert pods.node("rather") == "tight-2"
    pods.make("first", labels={"app": "pair"}, **affinity("podAntiAffinity", of("pair")))
    where = pods.node("first")
    pods.make("second", labels={"app": "pair"}, **affinity("podAntiAffinity", of("pair")))
    assert {where, pods.node("second")} == set(NODES)
    pods.make("third", labels={"app": "pair"}, **affinity("podAntiAffinity", of("pair")))
    elsewhere = f"{nodes - 2} node(s) didn't match Pod's node affinity/selector"
    apart = "2 node(s) didn't match pod anti-affinity rules"
    nobody = listed("2 No preemption victims found for incoming pod", f"{nodes - 2} {NOT_HELPFUL}")
    assert pods.why("third") == (f"0/{nodes} {HEAD} {listed(elsewhere, apart)}. preemption: 0/{nodes} {HEAD} {nobody}.")
    pods.make("unwanted", labels={"app": "pair"})
    theirs = "2 node(s) didn't satisfy existing pods anti-affinity rules"
    assert pods.why("unwanted").startswith(f"0/{nodes} {HEAD} {listed(elsewhere, theirs)}. preemption:")
    pods.make("beside", **affinity("podAffinity", of("one", "zone")), labels={"app": "one"})
    zone = pods.node("beside")
    pods.make("beside-too", **affinity("podAffinity", of("one", "zone")))
    assert pods.node("beside-too") == zone
    port = [{"containerPort": 80, "hostPort": 8080}]
    for name in ("port-1", "port-2"):
        pods.make(name, ports=port)
    assert {pods.node("port-1"), pods.node("port-2")} == set(NODES)
    pods.make("port-3", ports=port)
    taken = "2 node(s) didn't have free ports for the requested pod ports"
    assert pods.why("port-3").startswith(f"0/{nodes} {HEAD} {listed(elsewhere, taken)}.")
    even = {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule",
            "labelSelector": {"matchLabels": {"app": "even"}}}  # fmt: skip
    for number in range(4):
        pods.make(f"even-{number}", labels={"app": "even"}, topologySpreadConstraints=[even])
    found = [pods.node(f"even-{number}") for number in range(4)]
    assert sorted(found) == ["tight-1", "tight-1", "tight-2", "tight-2"]
    only = {**ONLY["nodeSelector"], "zone": "z0"}
    policy = {**even, "nodeAffinityPolicy": "Ignore"}
    pods.make("even-5", labels={"app": "even"}, nodeSelector=only, topologySpreadConstraints=[policy])
    assert pods.node("even-5") == "tight-1"
    pods.make("even-6", labels={"app": "even"}, nodeSelector=only, topologySpreadConstraints=[policy])
    assert "1 node(s) didn't match pod topology spread constraints" in pods.why("even-6")


def test_the_more_important_takes_the_place_of_the_less(side: Client, nodes: int, pods: Pods):
    path = "/apis/scheduling.k8s.io/v1/priorityclasses"
    classes = (("scheduling-high", 1000, "PreemptLowerPriority"), ("scheduling-polite", 1000, "Never"))
    for name, value, policy in classes:
        made = {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": name},
                "value": value, "preemptionPolicy": policy}  # fmt: skip
        assert side.ask("POST", path, made).status in (201, 409)
    for number in range(2):
        pods.make(f"low-{number}", cpu="1500m")
    where = {pods.node(f"low-{number}"): f"low-{number}" for number in range(2)}
    assert set(where) == set(NODES)
    elsewhere = f"{nodes - 2} node(s) didn't match Pod's node affinity/selector"
    short = f"0/{nodes} {HEAD} {listed('2 Insufficient cpu', elsewhere)}. preemption:"
    nobody = listed("2 No preemption victims found for incoming pod", f"{nodes - 2} {NOT_HELPFUL}")

    def tried(name: str, **spec: Any) -> None:
        eventually(lambda: _made(pods, name, spec), f"no class for {name}", seconds=SECONDS)

    tried("equal")
    assert pods.why("equal") == f"{short} 0/{nodes} {HEAD} {nobody}."
    pods.delete("equal")
    tried("polite", priorityClassName="scheduling-polite")
    assert pods.why("polite") == f"{short} not eligible due to preemptionPolicy=Never."
    pods.delete("polite")
    tried("high", priorityClassName="scheduling-high")
    event = pods.event("high", "FailedScheduling")
    node = event["message"].partition(" on node ")[2].partition(",")[0]
    assert event["message"] == f"{short} found a potential placement for pod on node {node}, preempting 1 victims"
    assert pods.node("high") == node
    assert "nominatedNodeName" not in pods.get("high")["status"]
    victim = where[node]
    preempted = pods.event(victim, "Preempted")
    uid = pods.get("high")["metadata"]["uid"]
    assert (preempted["message"], preempted["type"], preempted["action"], preempted["reportingComponent"]) == (
        f"Preempted by pod {uid} on node {node}", "Normal", "Preempting", "default-scheduler",
    )  # fmt: skip
    assert pods.get(victim).get("reason") == "NotFound"
    (other,) = set(where.values()) - {victim}
    assert pods.get(other)["status"]["phase"] in ("Pending", "Running")
    for name, *_ in classes:
        side.ask("DELETE", f"{path}/{name}")


def _made(pods: Pods, name: str, spec: Json) -> bool:
    """Whether a pod was made: a new class is known to admission a moment later."""
    try:
        pods.make(name, cpu="1500m", **spec)
    except AssertionError as error:
        if "PriorityClass" not in str(error):
            raise
        return False
    return True
