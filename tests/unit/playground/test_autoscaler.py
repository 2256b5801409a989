"""Horizontal pod autoscalers on the figures of the metrics API, and the rules that hold them up."""

from __future__ import annotations

import re
from typing import Any

import pytest

from notebook_mux.playground.cluster import Cluster
from notebook_mux.playground.controllers import scaling_rules as rules
from notebook_mux.playground.controllers.autoscaler import KIND
from notebook_mux.playground.scenarios import apps
from tests.unit.playground.lives import Json, condition, container, created, now, pod, reasons, row, until
from tests.unit.playground.worlds import pods, world

CPU = {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}}}


@pytest.fixture
def cluster() -> Cluster:
    """A deployment whose pods request 50m each, and whose work a test sets."""
    found = world(nodes=2)
    apps.deployment(found, "web", "default", "nginx:1", 2)
    work(found, "50m")
    found.agenda.step(400)
    return found


def work(cluster: Cluster, load: str) -> None:
    cluster.update("deployments.apps", "default", "web", lambda one: one["metadata"].setdefault(
        "annotations", {}).update({"playground.notebook-mux/load": load}))  # fmt: skip


def scaler(cluster: Cluster, name: str = "web", target: str = "web", **spec: Any) -> None:
    reference = {"apiVersion": "apps/v1", "kind": "Deployment", "name": target}
    spec = {"scaleTargetRef": reference, "minReplicas": 1, "maxReplicas": 10, "metrics": [CPU], **spec}
    created(cluster, {"kind": "HorizontalPodAutoscaler", "apiVersion": "autoscaling/v2",
                      "metadata": {"name": name, "namespace": "default"}, "spec": spec})  # fmt: skip


def replicas(cluster: Cluster) -> int:
    return int(now(cluster, "web", "deployments.apps")["spec"]["replicas"])


def told(cluster: Cluster, name: str = "web") -> dict[str, tuple[str, str]]:
    obj = now(cluster, name, KIND)
    return {one["type"]: (one["status"], one["reason"]) for one in obj["status"].get("conditions", ())}


def test_it_finds_what_fits(cluster: Cluster):
    """50m by two pods of 50m is 50 %: nothing to do. Twice the work needs twice the pods."""
    scaler(cluster)
    cluster.agenda.step(31)
    assert replicas(cluster) == 2
    found = now(cluster, "web", KIND)
    assert row(cluster, found, KIND)[1:6] == ["Deployment/web", "cpu: 49%/50%", "1", 10, 2] or (
        row(cluster, found, KIND)[2] in ("cpu: 50%/50%", "cpu: 51%/50%", "cpu: 48%/50%")
    )
    assert told(cluster) == {
        "AbleToScale": ("True", "ReadyForNewScale"),
        "ScalingActive": ("True", "ValidMetricFound"),
        "ScalingLimited": ("False", "DesiredWithinRange"),
    }
    work(cluster, "100m")
    until(cluster, lambda: replicas(cluster) == 4, 60)
    assert told(cluster)["AbleToScale"] == ("True", "SucceededRescale")
    assert told(cluster)["ScaledToZero"] == ("False", "NotScaledToZero")
    (event,) = [one.decode() for one in cluster.store.items("events") if one.fields["reason"] == "SuccessfulRescale"]
    assert event["message"] == "New size: 4; reason: cpu resource utilization (percentage of request) above target"
    assert "lastScaleTime" in now(cluster, "web", KIND)["status"]


def test_it_shrinks_only_after_a_while(cluster: Cluster):
    scaler(cluster)
    work(cluster, "200m")
    until(cluster, lambda: replicas(cluster) >= 7, 600)
    cluster.agenda.step(120)
    work(cluster, "20m")
    cluster.agenda.step(60)
    assert told(cluster)["AbleToScale"] == ("True", "ScaleDownStabilized")
    most = replicas(cluster)
    assert most >= 7
    took = until(cluster, lambda: replicas(cluster) < most, 600)
    assert took > 150
    until(cluster, lambda: replicas(cluster) == 1, 600)
    assert "All metrics below target" in str([one.decode()["message"] for one in cluster.store.items("events")])


def test_its_limits(cluster: Cluster):
    scaler(cluster, minReplicas=3, maxReplicas=5)
    cluster.agenda.step(16)
    assert replicas(cluster) == 3
    work(cluster, "900m")
    until(cluster, lambda: replicas(cluster) == 5, 120)
    cluster.agenda.step(31)
    assert told(cluster)["ScalingLimited"] == ("True", "TooManyReplicas")
    cluster.update("deployments.apps", "default", "web", lambda one: one["spec"].update(replicas=8))
    cluster.agenda.step(16)
    assert replicas(cluster) == 5
    said = [one.decode()["message"] for one in cluster.store.items("events") if "New size" in one.decode()["message"]]
    assert "New size: 3; reason: Current number of replicas below Spec.MinReplicas" in said
    assert "New size: 5; reason: Current number of replicas above Spec.MaxReplicas" in said
    cluster.update("deployments.apps", "default", "web", lambda one: one["spec"].update(replicas=0))
    cluster.agenda.step(16)
    assert told(cluster)["ScalingActive"] == ("False", "ScalingDisabled")


def test_other_metrics(cluster: Cluster):
    memory = {"type": "Resource", "resource": {"name": "memory", "target": {"type": "AverageValue",
                                                                          "averageValue": "8Mi"}}}  # fmt: skip
    one = {"type": "ContainerResource", "containerResource": {"name": "cpu", "container": "web",
           "target": {"type": "Utilization", "averageUtilization": 90}}}  # fmt: skip
    scaler(cluster, metrics=[memory, one])
    until(cluster, lambda: replicas(cluster) > 2, 60)  # each uses more than a third of 64Mi
    current = now(cluster, "web", KIND)["status"]["currentMetrics"]
    assert [found["type"] for found in current] == ["Resource", "ContainerResource"]
    assert re.fullmatch(r"\d+(Ki|Mi)?", current[0]["resource"]["current"]["averageValue"])  # bytes, where they are odd
    assert current[1]["containerResource"]["container"] == "web"


@pytest.mark.parametrize(
    ("target", "metric", "kind", "reason", "said"),
    [
        ("nope", CPU, "AbleToScale", "FailedGetScale", '"nope" not found'),
        ("bare", CPU, "ScalingActive", "FailedGetResourceMetric",
         "failed to get cpu utilization: missing request for cpu in container main of Pod bare-"),
        ("web", {"type": "Pods", "pods": {"metric": {"name": "rps"}, "target": {"type": "AverageValue",
                                                                                "averageValue": "1"}}},
         "ScalingActive", "FailedGetPodsMetric", "no custom metrics API (custom.metrics.k8s.io) registered"),
    ],
)  # fmt: skip
def test_what_it_cannot_do(cluster: Cluster, target: str, metric: Json, kind: str, reason: str, said: str):
    template = {"metadata": {"labels": {"app": "bare"}}, "spec": pod("bare", container())["spec"]}
    metadata = {"name": "bare", "namespace": "default"}
    created(cluster, {"kind": "Deployment", "apiVersion": "apps/v1", "metadata": metadata,
                      "spec": {"selector": {"matchLabels": {"app": "bare"}}, "template": template}})  # fmt: skip
    cluster.agenda.step(40)
    scaler(cluster, "hpa", target, metrics=[metric])
    cluster.agenda.step(16)
    assert told(cluster, "hpa")[kind] == ("False", reason)
    assert said in condition(now(cluster, "hpa", KIND), kind)["message"]
    assert reason in reasons(cluster, "hpa")
    if kind == "ScalingActive":
        assert row(cluster, now(cluster, "hpa", KIND), KIND)[2].endswith(("<unknown>/50%", "<unknown>/1"))
        assert "FailedComputeMetricsReplicas" in reasons(cluster, "hpa")


def test_new_pods_do_not_count_yet(cluster: Cluster):
    scaler(cluster)
    work(cluster, "400m")
    until(cluster, lambda: replicas(cluster) == 4, 30)
    before = replicas(cluster)
    cluster.agenda.step(16)
    # While the new ones are not measured they count for nothing, so that it does not run away.
    assert replicas(cluster) <= 2 * before
    assert len(pods(cluster, "web")) == replicas(cluster)


# --------------------------------------------------------------------------------------------------- rules alone


def normal(
    current: int, proposed: int, behaviour: Json | None = None, *, most: int = 100, **known: Any
) -> rules.Normal:
    history = rules.History(known.get("recommendations", []), known.get("ups", []), known.get("downs", []))
    return rules.normalise(history, 1000.0, rules.Limits(current, 1, most), proposed, behaviour)


FAST = {"scaleUp": {"policies": [{"type": "Percent", "value": 900, "periodSeconds": 60}]}}
SLOW_UP = {"scaleUp": {"policies": [{"type": "Pods", "value": 1, "periodSeconds": 60}]}}
CAUTIOUS = {"scaleUp": {"stabilizationWindowSeconds": 60}}
NEVER_DOWN = {"scaleDown": {"selectPolicy": "Disabled", "stabilizationWindowSeconds": 0}}
ONE_OR_HALF = [{"type": "Pods", "value": 1, "periodSeconds": 60}, {"type": "Percent", "value": 50, "periodSeconds": 60}]
LEAST_DOWN = {"scaleDown": {"stabilizationWindowSeconds": 0, "selectPolicy": "Min", "policies": ONE_OR_HALF}}


@pytest.mark.parametrize(
    ("found", "replicas", "why"),
    [
        (normal(1, 9), 4, "ScaleUpLimit"),
        (normal(5, 30), 10, "ScaleUpLimit"),
        (normal(5, 30, most=7), 7, "TooManyReplicas"),
        (normal(5, 0), 1, "TooFewReplicas"),
        (normal(5, 2, recommendations=[(800.0, 6)]), 6, "DesiredWithinRange"),
        (normal(5, 2, recommendations=[(600.0, 6)]), 2, "DesiredWithinRange"),
        (normal(1, 30, {}), 5, "ScaleUpLimit"),
        (normal(1, 30, FAST), 10, "ScaleUpLimit"),
        (normal(3, 9, SLOW_UP), 4, "ScaleUpLimit"),
        (normal(4, 9, SLOW_UP, ups=[(990.0, 1)]), 4, "ScaleUpLimit"),
        (normal(4, 9, SLOW_UP, ups=[(900.0, 1)]), 5, "ScaleUpLimit"),
        (normal(4, 9, CAUTIOUS, recommendations=[(990.0, 5)]), 5, "DesiredWithinRange"),
        (normal(8, 2, NEVER_DOWN), 8, "ScaleDownLimit"),
        (normal(8, 2, LEAST_DOWN), 7, "ScaleDownLimit"),
        (normal(8, 2, {"scaleDown": {"stabilizationWindowSeconds": 0}}), 2, "DesiredWithinRange"),
    ],
)
def test_windows_and_policies(found: rules.Normal, replicas: int, why: str):
    assert (found.replicas, found.why[0]) == (replicas, why)
