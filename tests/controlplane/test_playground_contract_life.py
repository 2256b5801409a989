"""The same assertions on evictions, budgets, jobs, autoscalers and nodes, against the playground and the real thing.

The real controllers run in the test bed; its pods are kwok's, so what is compared is what controllers and the API
server write.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.controlplane.sides import Json
from tests.unit.playground.client import JSON_PATCH, MERGE, Client
from tests.unit.playground.objects import container, deployment
from tests.waiting import eventually

WAIT_S = 90.0


def at(place: str, group: str) -> str:
    return place.replace("/api/v1", f"/apis/{group}")


def waited(ask: Callable[[], Json], holds: Callable[[Json], object], what: str) -> Json:
    """An object once something holds of it."""
    found: list[Json] = [{}]

    def look() -> object:
        found[0] = ask()
        return holds(found[0])

    eventually(look, what, seconds=WAIT_S, pause=0.1)
    return found[0]


def status(obj: Json) -> Json:
    found: Json = obj.get("status") or {}
    return found


def conditions(obj: Json) -> dict[str, tuple[Any, ...]]:
    return {one["type"]: (one["status"], one.get("reason"), one.get("message"))
            for one in status(obj).get("conditions") or ()}  # fmt: skip


def events(side: Client, place: str, name: str) -> set[tuple[str, str, str]]:
    found = side.get(f"{place}/events", fieldSelector=f"involvedObject.name={name}").json()["items"]
    return {(one["type"], one["reason"], one["message"]) for one in found}


def told(side: Client, place: str, name: str, *event: str) -> None:
    """Wait until something is said of an object: a real controller writes its events after its statuses."""
    eventually(lambda: event in events(side, place, name), f"{event} of {name}", seconds=WAIT_S, pause=0.1)


# ------------------------------------------------------------------------------------------ budgets and evictions


def test_budgets_and_evictions(side: Client, place: str):
    deployments, budgets = f"{at(place, 'apps/v1')}/deployments", f"{at(place, 'policy/v1')}/poddisruptionbudgets"
    web = deployment("web", replicas=3)
    web["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] = 1
    assert side.ask("POST", deployments, web).status == 201
    waited(lambda: side.get(f"{deployments}/web").json(), lambda one: status(one).get("readyReplicas") == 3, "web runs")
    budget = {"kind": "PodDisruptionBudget", "apiVersion": "policy/v1", "metadata": {"name": "web"},
              "spec": {"minAvailable": 3, "selector": {"matchLabels": {"app": "web"}}}}  # fmt: skip
    assert side.ask("POST", budgets, budget).status == 201
    found = waited(
        lambda: side.get(f"{budgets}/web").json(), lambda one: status(one).get("currentHealthy") == 3, "count"
    )
    kept = {key: value for key, value in status(found).items() if key != "conditions"}
    assert kept == {"currentHealthy": 3, "desiredHealthy": 3, "disruptionsAllowed": 0, "expectedPods": 3,
                    "observedGeneration": 1}  # fmt: skip
    assert conditions(found) == {"DisruptionAllowed": ("False", "InsufficientPods", "")}
    pods = side.get(f"{place}/pods").json()["items"]
    name = pods[0]["metadata"]["name"]

    def evict(pod: str = name, **more: Any) -> Any:
        body = {"kind": "Eviction", "apiVersion": "policy/v1", "metadata": {"name": pod}, **more}
        return side.ask("POST", f"{place}/pods/{name}/eviction", body)

    refused = evict()
    assert refused.status == 429
    assert refused.json() == {
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": "Cannot evict pod as it would violate the pod's disruption budget.", "reason": "TooManyRequests",
        "details": {"causes": [{"reason": "DisruptionBudget",
                                "message": "The disruption budget web needs 3 healthy pods and has 3 currently"}]},
        "code": 429,
    }  # fmt: skip
    wrong = evict("another")
    assert (wrong.status, wrong.json()["message"]) == (400, "name in URL does not match name in Eviction object")
    missing = side.ask("POST", f"{place}/pods/nope/eviction", {"kind": "Eviction", "apiVersion": "policy/v1",
                                                                "metadata": {"name": "nope"}})  # fmt: skip
    assert (missing.status, missing.json()["message"]) == (404, 'pods "nope" not found')
    assert side.get(f"{place}/pods/{name}/eviction").status == 405
    side.ask("PATCH", f"{budgets}/web", {"spec": {"minAvailable": 2}}, media=MERGE)
    found = waited(
        lambda: side.get(f"{budgets}/web").json(), lambda one: status(one)["disruptionsAllowed"] == 1, "room"
    )
    assert conditions(found) == {"DisruptionAllowed": ("True", "SufficientPods", "")}
    assert evict(deleteOptions={"dryRun": ["All"]}).status == 201
    done = evict()
    assert (done.status, done.json()) == (201, {
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201})  # fmt: skip
    eventually(lambda: side.get(f"{place}/pods/{name}").status == 404, "it is gone", seconds=WAIT_S, pause=0.1)
    second = {**budget, "metadata": {"name": "second"}}
    side.ask("POST", budgets, second)
    waited(lambda: side.get(f"{budgets}/second").json(), lambda one: status(one).get("expectedPods"), "it is counted")
    name = side.get(f"{place}/pods").json()["items"][0]["metadata"]["name"]
    waited(
        lambda: side.get(f"{deployments}/web").json(), lambda one: status(one).get("readyReplicas") == 3, "all are back"
    )
    name = next(one["metadata"]["name"] for one in side.get(f"{place}/pods").json()["items"]
                if one["status"]["phase"] == "Running")  # fmt: skip
    both = side.ask("POST", f"{place}/pods/{name}/eviction", {"kind": "Eviction", "apiVersion": "policy/v1",
                                                              "metadata": {"name": name}})  # fmt: skip
    assert (both.status, both.json()["message"]) == (
        500, "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.",
    )  # fmt: skip


# ---------------------------------------------------------------------------------------------------------- jobs


def job(name: str, **spec: Any) -> Json:
    template = {"spec": {"restartPolicy": "Never", "terminationGracePeriodSeconds": 0, "containers": [container("a")]}}
    return {"kind": "Job", "apiVersion": "batch/v1", "metadata": {"name": name}, "spec": {"template": template, **spec}}


def finish(side: Client, place: str, name: str, phase: str, code: int = 0) -> None:
    """Let the pods of a job end: their kubelets' part."""
    for pod in side.get(f"{place}/pods", labelSelector=f"job-name={name}").json()["items"]:
        if pod["status"].get("phase") not in ("Succeeded", "Failed"):
            times = {"startedAt": "2026-01-01T00:00:00Z", "finishedAt": "2026-01-01T00:00:01Z"}
            ended = {"terminated": {"exitCode": code, "reason": "Error" if code else "Completed", **times}}
            one = {"name": "a", "image": "a", "imageID": "", "ready": False, "restartCount": 0, "state": ended}
            side.ask("PATCH", f"{place}/pods/{pod['metadata']['name']}/status",
                     {"status": {"phase": phase, "containerStatuses": [one]}}, media=MERGE)  # fmt: skip


LONG = "playground.notebook-mux/behaviour"


@pytest.fixture
def jobs(side: Client, place: str) -> Callable[..., str]:
    """Creates a job whose pods only end when a test says so; returns its path."""

    def create(name: str, **spec: Any) -> str:
        path = f"{at(place, 'batch/v1')}/jobs"
        made = job(name, **spec)
        made["spec"]["template"]["metadata"] = {"annotations": {LONG: "complete 100000"}}
        # Of a scheduler that there is not: no kubelet, and none of kwok's, takes these pods.
        made["spec"]["template"]["spec"]["schedulerName"] = "nobody"
        answer = side.ask("POST", path, made)
        assert answer.status == 201, answer.body
        return f"{path}/{name}"

    return create


def test_a_job_that_completes(side: Client, place: str, jobs: Callable[..., str]):
    path = jobs("good", completions=2, parallelism=2)
    found = waited(lambda: side.get(path).json(), lambda one: status(one).get("active") == 2, "two are made")
    assert {key: found["status"][key] for key in ("active", "ready", "terminating", "uncountedTerminatedPods")} == {
        "active": 2, "ready": 0, "terminating": 0, "uncountedTerminatedPods": {}}  # fmt: skip
    pods = side.get(f"{place}/pods").json()["items"]
    assert all(one["metadata"]["finalizers"] == ["batch.kubernetes.io/job-tracking"] for one in pods)
    finish(side, place, "good", "Succeeded")
    found = waited(lambda: side.get(path).json(), lambda one: "Complete" in conditions(one), "it is complete")
    said = ("True", "CompletionsReached", "Reached expected number of succeeded pods")
    assert conditions(found) == {"SuccessCriteriaMet": said, "Complete": said}
    kept = {key: found["status"].get(key) for key in ("succeeded", "failed", "active", "ready", "terminating")}
    assert kept == {"succeeded": 2, "failed": None, "active": None, "ready": 0, "terminating": 0}
    told(side, place, "good", "Normal", "Completed", "Job completed")
    assert all("finalizers" not in one["metadata"] for one in side.get(f"{place}/pods").json()["items"])


def test_a_job_that_fails(side: Client, place: str, jobs: Callable[..., str]):
    path = jobs("bad", backoffLimit=0)
    waited(lambda: side.get(path).json(), lambda one: status(one).get("active") == 1, "one is made")
    finish(side, place, "bad", "Failed", 1)
    found = waited(lambda: side.get(path).json(), lambda one: "Failed" in conditions(one), "it has failed")
    said = ("True", "BackoffLimitExceeded", "Job has reached the specified backoff limit")
    assert conditions(found) == {"FailureTarget": said, "Failed": said}
    assert found["status"]["failed"] == 1
    told(side, place, "bad", "Warning", "BackoffLimitExceeded", "Job has reached the specified backoff limit")


def test_a_job_with_a_policy_for_failures(side: Client, place: str, jobs: Callable[..., str]):
    rule = {"action": "FailJob", "onExitCodes": {"containerName": "a", "operator": "In", "values": [42]}}
    path = jobs("policy", podFailurePolicy={"rules": [rule]})
    waited(lambda: side.get(path).json(), lambda one: status(one).get("active") == 1, "one is made")
    pod = side.get(f"{place}/pods", labelSelector="job-name=policy").json()["items"][0]["metadata"]["name"]
    finish(side, place, "policy", "Failed", 42)
    found = waited(lambda: side.get(path).json(), lambda one: "Failed" in conditions(one), "it has failed")
    namespace = place.rpartition("/")[2]
    said = f"Container a for pod {namespace}/{pod} failed with exit code 42 matching FailJob rule at index 0"
    assert conditions(found)["Failed"] == ("True", "PodFailurePolicy", said)


def test_an_indexed_job(side: Client, place: str, jobs: Callable[..., str]):
    path = jobs("many", completions=3, parallelism=3, completionMode="Indexed")
    waited(lambda: side.get(path).json(), lambda one: status(one).get("active") == 3, "three are made")
    pods = side.get(f"{place}/pods", labelSelector="job-name=many").json()["items"]
    index = "batch.kubernetes.io/job-completion-index"
    for pod in pods:
        number = pod["metadata"]["annotations"][index]
        assert pod["metadata"]["labels"][index] == number
        assert pod["metadata"]["generateName"] == f"many-{number}-"
        assert pod["spec"]["hostname"] == f"many-{number}"
        assert pod["spec"]["containers"][0]["env"] == [{"name": "JOB_COMPLETION_INDEX", "valueFrom": {"fieldRef": {
            "apiVersion": "v1", "fieldPath": f"metadata.labels['{index}']"}}}]  # fmt: skip
    finish(side, place, "many", "Succeeded")
    found = waited(lambda: side.get(path).json(), lambda one: "Complete" in conditions(one), "it is complete")
    assert (found["status"]["completedIndexes"], found["status"]["succeeded"]) == ("0-2", 3)


def test_suspended_jobs(side: Client, place: str, jobs: Callable[..., str]):
    path = jobs("waits", suspend=True)
    found = waited(lambda: side.get(path).json(), lambda one: "Suspended" in conditions(one), "it is suspended")
    assert conditions(found) == {"Suspended": ("True", "JobSuspended", "Job suspended")}
    assert "startTime" not in found["status"]
    side.ask("PATCH", path, {"spec": {"suspend": False}}, media=MERGE)
    found = waited(lambda: side.get(path).json(), lambda one: status(one).get("active") == 1, "it goes on")
    assert conditions(found) == {"Suspended": ("False", "JobResumed", "Job resumed")}
    side.ask("PATCH", path, {"spec": {"suspend": True}}, media=MERGE)
    found = waited(
        lambda: side.get(path).json(), lambda one: conditions(one)["Suspended"][0] == "True", "it waits again"
    )
    assert found["status"].get("failed") is None
    reasons = {"Suspended", "Resumed", "SuccessfulCreate"}
    eventually(lambda: {reason for _, reason, _ in events(side, place, "waits")} >= reasons, f"{reasons} are said",
               seconds=WAIT_S, pause=0.1)  # fmt: skip


def test_a_cron_job_of_a_place_that_there_is_not(side: Client, place: str):
    path = f"{at(place, 'batch/v1')}/cronjobs"
    made = side.ask("POST", path, {"kind": "CronJob", "apiVersion": "batch/v1", "metadata": {"name": "tick"}, "spec": {
        "schedule": "* * * * *", "suspend": True, "jobTemplate": {"spec": job("x")["spec"]}}})  # fmt: skip
    assert made.status == 201, made.body
    spec = made.json()["spec"]
    assert (spec["concurrencyPolicy"], spec["successfulJobsHistoryLimit"], spec["failedJobsHistoryLimit"]) == (
        "Allow", 3, 1,
    )  # fmt: skip


# --------------------------------------------------------------------------------------------------- autoscalers


def scaler(target: str, **spec: Any) -> Json:
    reference = {"apiVersion": "apps/v1", "kind": "Deployment", "name": target}
    return {"kind": "HorizontalPodAutoscaler", "apiVersion": "autoscaling/v2", "metadata": {"name": target},
            "spec": {"scaleTargetRef": reference, "maxReplicas": 3, **spec}}  # fmt: skip


def test_autoscalers_without_figures(side: Client, place: str):
    """What they do by their limits alone, and how they say what is not there."""
    deployments, path = f"{at(place, 'apps/v1')}/deployments", f"{at(place, 'autoscaling/v2')}/horizontalpodautoscalers"
    for name, replicas in (("high", 5), ("low", 1), ("none", 0)):
        assert side.ask("POST", deployments, deployment(name, replicas=replicas)).status == 201
        assert side.ask("POST", path, scaler(name, minReplicas=2)).status == 201
    assert side.ask("POST", path, scaler("nope")).status == 201
    found = waited(lambda: side.get(f"{path}/nope").json(), conditions, "it says what is missing")
    missing = 'deployments.apps "nope" not found'
    said = f"the HPA controller was unable to get the target's current scale: {missing}"
    assert conditions(found) == {"AbleToScale": ("False", "FailedGetScale", said)}
    told(side, place, "nope", "Warning", "FailedGetScale", missing)

    def scaled(name: str, replicas: int, which: str) -> None:
        target, own = f"{deployments}/{name}", f"{path}/{name}"
        waited(lambda: side.get(target).json(), lambda one: one["spec"]["replicas"] == replicas, f"{name} is scaled")
        found = waited(lambda: side.get(own).json(), lambda one: status(one).get("lastScaleTime"), "it is told")
        able = ("True", "SucceededRescale", f"the HPA controller was able to update the target scale to {replicas}")
        assert conditions(found)["AbleToScale"] == able
        said = f"New size: {replicas}; reason: Current number of replicas {which}"
        told(side, place, name, "Normal", "SuccessfulRescale", said)

    scaled("high", 3, "above Spec.MaxReplicas")
    scaled("low", 2, "below Spec.MinReplicas")
    found = waited(lambda: side.get(f"{path}/none").json(), lambda one: "ScalingActive" in conditions(one), "it is off")
    off = ("False", "ScalingDisabled", "scaling is disabled since the replica count of the target is zero")
    assert conditions(found)["ScalingActive"] == off
    assert "currentReplicas" not in found["status"]
    assert (found["status"]["desiredReplicas"], found["status"]["observedGeneration"]) == (0, 1)


# -------------------------------------------------------------------------------------------------------- nodes


def test_a_node_of_which_nothing_is_heard(side: Client, place: str):
    """A node that nobody plays: it is tainted, and its pods go, but for those that may stay."""
    name = f"lost-{place.rpartition('/')[2]}"
    made = side.ask("POST", "/api/v1/nodes", {"kind": "Node", "apiVersion": "v1", "metadata": {"name": name}})
    assert made.status == 201, made.body
    try:
        cordoned = [{"op": "add", "path": "/spec/unschedulable", "value": True}]
        assert side.ask("PATCH", f"/api/v1/nodes/{name}", cordoned, media=JSON_PATCH).status == 200
        found = waited(lambda: side.get(f"/api/v1/nodes/{name}").json(), lambda one: (
            "node.kubernetes.io/unschedulable" in str(one["spec"].get("taints"))), "it is tainted")  # fmt: skip
        taint = next(one for one in found["spec"]["taints"] if one["key"] == "node.kubernetes.io/unschedulable")
        assert (taint["effect"], "timeAdded" in taint) == ("NoSchedule", True)
        for pod, tolerations in (("goes", []), ("stays", [{"operator": "Exists"}])):
            body = {"kind": "Pod", "apiVersion": "v1", "metadata": {"name": pod}, "spec": {
                "nodeName": name, "tolerations": tolerations, "containers": [container("a")],
                "terminationGracePeriodSeconds": 0}}  # fmt: skip
            assert side.ask("POST", f"{place}/pods", body).status == 201
        taints = [{"op": "add", "path": "/spec/taints/-", "value": {"key": "x", "effect": "NoExecute"}}]
        assert side.ask("PATCH", f"/api/v1/nodes/{name}", taints, media=JSON_PATCH).status == 200
        eventually(lambda: side.get(f"{place}/pods/goes").status == 404, "it is evicted", seconds=WAIT_S, pause=0.1)
        assert side.get(f"{place}/pods/stays").status == 200
        said = f"Marking for deletion Pod {place.rpartition('/')[2]}/goes"
        told(side, place, "goes", "Normal", "TaintManagerEviction", said)
    finally:
        side.ask("DELETE", f"/api/v1/nodes/{name}")
