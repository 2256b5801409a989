"""What is filled in and what is refused before an object is stored, on both sides: defaults, limits, quotas, levels."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from notebook_mux.playground.kinds import Kinds
from tests.controlplane.sides import Json
from tests.testbed.control_plane import ControlPlane
from tests.unit.playground import objects
from tests.unit.playground.client import MERGE, Client
from tests.waiting import eventually

SECONDS = 60.0
SAYS_LITTLE = list(yaml.safe_load_all(Path(__file__).with_name("defaulted.yaml").read_text()))
OF_A_SERVER = frozenset({"uid", "resourceVersion", "creationTimestamp", "managedFields", "namespace"})


def container(**more: Any) -> Json:
    return {"name": "a", "image": "nginx:1", **more}


def pod(name: str, *containers: Json, **spec: Any) -> Json:
    found = list(containers) or [container()]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name},
            "spec": {"schedulerName": "nobody", "containers": found, **spec}}  # fmt: skip


def small(kind: str, name: str, spec: Json) -> Json:
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name}, "spec": spec}


def refused(answer: Any, status: int = 403) -> str:
    body = answer.json()
    assert (answer.status, body["code"], body["kind"]) == (status, status, "Status"), body
    assert body["reason"] == {403: "Forbidden", 422: "Invalid"}[status]
    return str(body["message"])


# ---------------------------------------------------------------------------------------------------- defaults


def _named_alike(value: Any, names: Json) -> Any:
    """An object without what a server chooses: what it generates gets a number in the order in which it is met."""
    if isinstance(value, dict):
        return {key: _named_alike(one, names) for key, one in value.items() if key != "nodePort"}
    if isinstance(value, list):
        return [_named_alike(one, names) for one in value]
    if isinstance(value, str) and value.startswith("kube-api-access-"):
        return "kube-api-access"
    return names.get(value, value) if isinstance(value, str) else value


def _shown(obj: Json) -> Json:
    metadata = obj["metadata"]
    names = {metadata.get("uid", "-"): "UID", (obj.get("spec") or {}).get("clusterIP", "-"): "IP"}
    names.pop("None", None)
    kept = copy.deepcopy(obj)
    kept["metadata"] = {key: value for key, value in metadata.items() if key not in OF_A_SERVER}
    if obj["kind"] == "PersistentVolume":
        kept["status"].pop("lastPhaseTransitionTime", None)
    found: Json = _named_alike(kept, names)
    return found


def _wait_for_account(side: Client, place: str) -> None:
    eventually(lambda: side.get(f"{place}/serviceaccounts/default").status == 200, seconds=SECONDS)


def test_defaults_are_the_same(playground: Any, control_plane: ControlPlane):
    sides = Client(playground.kubeconfig), Client(control_plane.kubeconfig)
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "filled"}}
    for side in sides:
        assert side.ask("POST", "/api/v1/namespaces", namespace).status == 201
        _wait_for_account(side, "/api/v1/namespaces/filled")
    for obj in SAYS_LITTLE:
        kind = Kinds().of_object(obj["apiVersion"], obj["kind"])
        assert kind is not None
        path = objects.path_of(kind.resource, "filled")
        ours, theirs = (side.ask("POST", path, obj, dryRun="All") for side in sides)
        assert (ours.status, theirs.status) == (201, 201), (obj, ours.body, theirs.body)
        assert _shown(ours.json()) == _shown(theirs.json()), (obj["kind"], obj["metadata"]["name"])
    sides[1].ask("DELETE", "/api/v1/namespaces/filled")


# ------------------------------------------------------------------------------------------- limits and quotas


def resources(asked: Json | None = None, capped: Json | None = None) -> Json:
    return {key: value for key, value in (("requests", asked), ("limits", capped)) if value}


@pytest.fixture
def ready(side: Client, place: str) -> str:
    """The place, when pods can be made there."""
    _wait_for_account(side, place)
    return place


def test_limit_ranges(side: Client, ready: str):
    of_containers = {"type": "Container", "max": {"cpu": "2"}, "min": {"cpu": "100m"},
                     "default": {"cpu": "500m", "memory": "256Mi"}, "defaultRequest": {"cpu": "200m"},
                     "maxLimitRequestRatio": {"cpu": "4"}}  # fmt: skip
    limits = [of_containers, {"type": "Pod", "max": {"memory": "1Gi"}},
              {"type": "PersistentVolumeClaim", "min": {"storage": "1Gi"}, "max": {"storage": "10Gi"}}]  # fmt: skip
    assert side.ask("POST", f"{ready}/limitranges", small("LimitRange", "limits", {"limits": limits})).status == 201

    def tried(**of: Any) -> Any:
        return side.ask("POST", f"{ready}/pods", pod("p", container(resources=resources(**of))), dryRun="All")

    # A server may know of a limit range a moment later.
    eventually(lambda: "annotations" in tried().json()["metadata"], seconds=SECONDS)
    filled = side.ask("POST", f"{ready}/pods", pod("p", initContainers=[container(name="i")]), dryRun="All").json()
    said = "cpu, memory request for container a; cpu, memory limit for container a; "
    assert filled["metadata"]["annotations"] == {
        "kubernetes.io/limit-ranger": f"LimitRanger plugin set: {said}{said.rstrip('; ')}".replace(
            "container a; cpu, memory request for container a; cpu, memory limit for container a",
            "container a; cpu, memory request for init container i; cpu, memory limit for init container i")
    }  # fmt: skip
    asked = {"cpu": "200m", "memory": "256Mi"}
    assert filled["spec"]["containers"][0]["resources"] == {
        "requests": asked, "limits": {"cpu": "500m", "memory": "256Mi"},
    }  # fmt: skip
    assert filled["status"]["qosClass"] == "Burstable"
    head = 'pods "p" is forbidden: '
    assert refused(tried(asked={"cpu": "50m"})).startswith(f"{head}[")
    one = refused(tried(asked={"cpu": "1"}, capped={"cpu": "3"}))
    assert one == f"{head}maximum cpu usage per Container is 2, but limit is 3"
    one = refused(tried(asked={"cpu": "100m"}, capped={"cpu": "1"}))
    assert one == f"{head}cpu max limit to request ratio per Container is 4, but provided ratio is 10.000000"
    one = refused(tried(capped={"memory": "2Gi"}))
    assert one == f"{head}maximum memory usage per Pod is 1Gi, but limit is 2Gi"
    two = refused(tried(asked={"cpu": "50m"}, capped={"cpu": "2500m"}))
    assert two == (
        f"{head}[minimum cpu usage per Container is 100m, but request is 50m, "
        "maximum cpu usage per Container is 2, but limit is 2500m, "
        "cpu max limit to request ratio per Container is 4, but provided ratio is 50.000000]"
    )
    claim = {"storageClassName": "x", "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "20Gi"}}}
    said = refused(side.ask("POST", f"{ready}/persistentvolumeclaims", small("PersistentVolumeClaim", "c", claim)))
    assert said == (
        'persistentvolumeclaims "c" is forbidden: maximum storage usage per PersistentVolumeClaim is 10Gi, '
        "but request is 20Gi"
    )


def test_quotas_count_and_refuse(side: Client, ready: str):
    hard = {"pods": "2", "requests.cpu": "1", "limits.memory": "1024Mi", "configmaps": "3", "services.nodeports": "1",
            "count/deployments.apps": "1"}  # fmt: skip
    assert side.ask("POST", f"{ready}/resourcequotas", small("ResourceQuota", "q", {"hard": hard})).status == 201

    def status() -> Json:
        found: Json = side.get(f"{ready}/resourcequotas/q").json()["status"]
        return found

    eventually(lambda: status().get("used"), seconds=SECONDS)
    assert status() == {
        "hard": {**hard, "limits.memory": "1Gi"},
        "used": {"configmaps": "1", "count/deployments.apps": "0", "limits.memory": "0", "pods": "0",
                 "requests.cpu": "0", "services.nodeports": "0"},
    }  # fmt: skip

    def made(name: str, **of: Any) -> Any:
        return side.ask("POST", f"{ready}/pods", pod(name, container(resources=resources(**of))))

    head = 'pods "b" is forbidden: '
    # A server's admission may know of a quota a moment later than of its status.
    needs = f"{head}failed quota: q: must specify limits.memory for: a; requests.cpu for: a"
    bare = pod("b", container())
    eventually(lambda: side.ask("POST", f"{ready}/pods", bare, dryRun="All").json().get("message") == needs,
               seconds=SECONDS)  # fmt: skip
    said = refused(made("b"))
    assert said == needs
    assert made("a", asked={"cpu": "0.6"}, capped={"memory": "512Mi"}).status == 201
    eventually(lambda: status()["used"]["requests.cpu"] == "600m", seconds=SECONDS)
    assert status()["used"]["pods"] == "1"
    said = refused(made("b", asked={"cpu": "500m"}, capped={"memory": "1Gi"}))
    assert said == (
        f"{head}exceeded quota: q, requested: limits.memory=1Gi,requests.cpu=500m, used: "
        "limits.memory=512Mi,requests.cpu=600m, limited: limits.memory=1Gi,requests.cpu=1"
    )
    ports = {"type": "NodePort", "ports": [{"name": "a", "port": 1}, {"name": "b", "port": 2}]}
    said = refused(side.ask("POST", f"{ready}/services", small("Service", "s", ports)))
    assert said == (
        'services "s" is forbidden: exceeded quota: q, requested: services.nodeports=2, used: services.nodeports=0, '
        "limited: services.nodeports=1"
    )
    deployments = ready.replace("/api/v1", "/apis/apps/v1") + "/deployments"
    assert side.ask("POST", deployments, objects.deployment("d", replicas=1)).status == 201
    said = refused(side.ask("POST", deployments, objects.deployment("e")))
    assert said == (
        'deployments.apps "e" is forbidden: exceeded quota: q, requested: count/deployments.apps=1, used: '
        "count/deployments.apps=1, limited: count/deployments.apps=1"
    )
    sets = deployments.replace("deployments", "replicasets")

    def failure() -> Json:
        found = side.get(sets).json()["items"]
        conditions = [one for rs in found for one in rs["status"].get("conditions", ())]
        return conditions[0] if conditions else {}

    eventually(failure, seconds=SECONDS)
    assert (failure()["type"], failure()["status"], failure()["reason"]) == ("ReplicaFailure", "True", "FailedCreate")
    said = failure()["message"]
    assert said.startswith('pods "d-')
    assert said.endswith('" is forbidden: failed quota: q: must specify limits.memory for: d; requests.cpu for: d')
    events = f"{ready}/events"
    about = {"fieldSelector": "reason=FailedCreate"}
    eventually(lambda: side.get(events, **about).json()["items"], seconds=SECONDS)
    found = side.get(events, **about).json()["items"][0]
    assert (found["type"], found["involvedObject"]["kind"], found["source"]["component"]) == (
        "Warning", "ReplicaSet", "replicaset-controller",
    )  # fmt: skip
    assert found["message"].startswith('Error creating: pods "d-')
    side.ask("DELETE", f"{ready}/pods/a", {"gracePeriodSeconds": 0})
    eventually(lambda: status()["used"]["pods"] == "0", seconds=SECONDS)
    raised = side.ask("PATCH", f"{ready}/resourcequotas/q", {"spec": {"hard": {"pods": "5"}}}, media=MERGE)
    assert raised.status == 200
    eventually(lambda: status()["hard"]["pods"] == "5", seconds=SECONDS)


# ------------------------------------------------------------------------------------- priorities and accounts


@pytest.fixture
def classes(side: Client) -> Iterator[list[str]]:
    """Names of priority classes that a test makes."""
    names: list[str] = []
    yield names
    for name in names:
        side.ask("DELETE", f"/apis/scheduling.k8s.io/v1/priorityclasses/{name}")


def test_priorities(side: Client, ready: str, classes: list[str]):
    path = "/apis/scheduling.k8s.io/v1/priorityclasses"
    for name, value, default in (("admission-high", 1000, False), ("admission-low", 5, True)):
        made = {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": name},
                "value": value, "globalDefault": default, "preemptionPolicy": "Never"}  # fmt: skip
        classes.append(name)
        assert side.ask("POST", path, made).status == 201
    second = {**made, "metadata": {"name": "admission-second"}}

    def tried(**spec: Any) -> Any:
        return side.ask("POST", f"{ready}/pods", pod("p", **spec), dryRun="All")

    def resolved(**spec: Any) -> tuple[Any, ...]:
        found = tried(**spec).json()["spec"]
        return found.get("priorityClassName"), found["priority"], found["preemptionPolicy"]

    eventually(lambda: resolved()[0], seconds=SECONDS)
    assert resolved() == ("admission-low", 5, "Never")
    assert resolved(priorityClassName="admission-high") == ("admission-high", 1000, "Never")
    critical = "system-node-critical"
    assert resolved(priorityClassName=critical) == (critical, 2000001000, "PreemptLowerPriority")
    assert refused(tried(priorityClassName="nope")) == (
        'pods "p" is forbidden: no PriorityClass with name nope was found'
    )
    assert refused(tried(priority=7)) == (
        'pods "p" is forbidden: the integer value of priority (7) must not be provided in pod spec; priority admission '
        "controller computed 5 from the given PriorityClass name"
    )
    assert refused(side.ask("POST", path, second)) == (
        'priorityclasses.scheduling.k8s.io "admission-second" is forbidden: PriorityClass admission-low is already '
        "marked as default. Only one default can exist"
    )


def test_service_accounts(side: Client, ready: str):
    place = ready.rsplit("/", 1)[1]
    assert refused(side.ask("POST", f"{ready}/pods", pod("p", serviceAccountName="nope"))) == (
        f'pods "p" is forbidden: error looking up service account {place}/nope: serviceaccount "nope" not found'
    )
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "quiet"},
               "automountServiceAccountToken": False, "imagePullSecrets": [{"name": "s"}]}  # fmt: skip
    assert side.ask("POST", f"{ready}/serviceaccounts", account).status == 201
    found = side.ask("POST", f"{ready}/pods", pod("p", serviceAccountName="quiet"), dryRun="All").json()["spec"]
    assert (found["serviceAccount"], found["imagePullSecrets"]) == ("quiet", [{"name": "s"}])
    assert "volumes" not in found
    mounted = {"volumeMounts": [{"name": "x", "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount"}]}
    of = pod("p", container(**mounted), volumes=[{"name": "x", "emptyDir": {}}])
    found = side.ask("POST", f"{ready}/pods", of, dryRun="All").json()["spec"]
    assert [one["name"] for one in found["volumes"]] == ["x"]


# ------------------------------------------------------------------------------------------ pod security levels

LEVEL = "pod-security.kubernetes.io/"


def test_levels_of_security(side: Client, ready: str):
    def labelled(**labels: str | None) -> Any:
        body = {"metadata": {"labels": {f"{LEVEL}{key}": value for key, value in labels.items()}}}
        return side.ask("PATCH", ready, body, media=MERGE)

    bad = container(
        securityContext={"privileged": True, "capabilities": {"add": ["NET_ADMIN", "CHOWN"]}},
        ports=[{"containerPort": 80, "hostPort": 80}],
        livenessProbe={"httpGet": {"port": 80, "host": "x.example"}},
    )
    volumes = [{"name": "h", "hostPath": {"path": "/x"}}]
    worst = pod("p", bad, container(name="b"), hostNetwork=True, hostPID=True, volumes=volumes,
                securityContext={"seccompProfile": {"type": "Unconfined"}, "sysctls": [{"name": "kernel.msgmax",
                "value": "1"}], "runAsUser": 0, "seLinuxOptions": {"user": "u"}})  # fmt: skip
    path = f"{ready}/pods"
    assert side.ask("POST", path, worst, dryRun="All").headers.get_all("Warning") is None
    assert labelled(warn="baseline").status == 200
    baseline = (
        'non-default capabilities (container "a" must not include "NET_ADMIN" in securityContext.capabilities.add), '
        'host namespaces (hostNetwork=true, hostPID=true), hostPath volumes (volume "h"), hostPort (container "a" uses '
        'hostPort 80), probe or lifecycle host (container "a" uses probe or lifecycle host "x.example"), privileged '
        '(container "a" must not set securityContext.privileged=true), seLinuxOptions (pod set forbidden '
        "securityContext.seLinuxOptions: user may not be set), seccompProfile (pod must not set "
        'securityContext.seccompProfile.type to "Unconfined"), forbidden sysctls (kernel.msgmax)'
    )

    def warned(answer: Any) -> list[str]:
        found = answer.headers.get_all("Warning") or []
        return [one.removeprefix('299 - "').removesuffix('"').replace('\\"', '"') for one in found]

    # What a label of a namespace means for its pods may be known a moment later.
    told = f'would violate PodSecurity "baseline:latest": {baseline}'
    eventually(lambda: told in warned(side.ask("POST", path, worst, dryRun="All")), seconds=SECONDS)
    assert side.ask("POST", path, pod("old")).status == 201
    name = ready.rsplit("/", 1)[1]

    def told_of_old() -> list[str]:
        labelled(warn=None, enforce=None)
        return warned(labelled(enforce="restricted"))

    # It looks for pods that are there already, and may know of a new one a moment later.
    eventually(told_of_old, seconds=SECONDS)
    assert told_of_old() == [
        f'existing pods in namespace "{name}" violate the new PodSecurity enforce level "restricted:latest"',
        "old: allowPrivilegeEscalation != false, unrestricted capabilities, runAsNonRoot != true, seccompProfile",
    ]
    plain = (
        'allowPrivilegeEscalation != false (container "a" must set securityContext.allowPrivilegeEscalation=false), '
        'unrestricted capabilities (container "a" must set securityContext.capabilities.drop=["ALL"]), runAsNonRoot '
        '!= true (pod or container "a" must set securityContext.runAsNonRoot=true), seccompProfile (pod or container '
        '"a" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")'
    )
    wanted = f'pods "p" is forbidden: violates PodSecurity "restricted:latest": {plain}'
    eventually(lambda: side.ask("POST", path, pod("p"), dryRun="All").json().get("message") == wanted, seconds=SECONDS)
    worst_said = refused(side.ask("POST", path, worst, dryRun="All"))
    assert 'restricted volume types (volume "h" uses restricted volume type "hostPath")' in worst_said
    assert "runAsUser=0 (pod must not set runAsUser=0)" in worst_said
    assert "hostPath volumes" not in worst_said
    good = {"allowPrivilegeEscalation": False, "runAsNonRoot": True, "capabilities": {"drop": ["ALL"]},
            "seccompProfile": {"type": "RuntimeDefault"}}  # fmt: skip
    assert side.ask("POST", path, pod("p", container(securityContext=good)), dryRun="All").status == 201
    deployments = ready.replace("/api/v1", "/apis/apps/v1") + "/deployments"
    answer = side.ask("POST", deployments, objects.deployment("d", replicas=0), dryRun="All")
    assert answer.status == 201  # only its pods would be refused
    assert warned(answer) == [f'would violate PodSecurity "restricted:latest": {plain}'.replace('"a"', '"d"')]
    assert refused(labelled(enforce="strict"), 422) == (
        f'Namespace "{name}" is invalid: metadata.labels[{LEVEL}enforce]: Invalid value: "strict": must be one of '
        "privileged, baseline, restricted"
    )
