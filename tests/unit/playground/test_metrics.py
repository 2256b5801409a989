"""The metrics API: its figures, and how it answers."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from notebook_mux.playground import accept
from notebook_mux.playground.cluster import Cluster
from notebook_mux.playground.controllers import nodes
from notebook_mux.playground.metrics import quantity, serving
from notebook_mux.playground.metrics.figures import Figures
from notebook_mux.playground.paths import Target
from notebook_mux.playground.quantities import NoQuantity
from notebook_mux.playground.scenarios import apps
from notebook_mux.playground.status import ApiError
from tests.unit.playground.lives import Json, container, created, pod
from tests.unit.playground.worlds import pods, world


@pytest.fixture
def cluster() -> Cluster:
    found = world(nodes=2)
    apps.deployment(found, "web", "default", "nginx:1", 2)
    found.agenda.step(60)
    return found


def ask(cluster: Cluster, plural: str = "pods", name: str = "", form: str = accept.OBJECT, **query: str) -> Any:
    kind = cluster.kind(f"{plural}.{serving.GROUP}")
    namespace = "default" if plural == "pods" else ""
    return msgspec.json.decode(serving.answer(cluster, Target(kind, namespace, name), query, form))


def used(cluster: Cluster, name: str, container: str = "main") -> tuple[float, float]:
    found = next(one["usage"] for one in ask(cluster, name=name)["containers"] if one["name"] == container)
    return quantity.value(found["cpu"]), quantity.value(found["memory"])


@pytest.mark.parametrize(
    ("text", "value"),
    [("250m", 0.25), ("2", 2.0), ("1.5", 1.5), ("64Mi", 64 * 2**20), ("1e3", 1000.0), ("100k", 1e5), ("5n", 5e-9)],
)
def test_quantities(text: str, value: float):
    assert quantity.value(text) == pytest.approx(value)


@pytest.mark.parametrize("text", ["", "x", "1.5.2", "64MiB", "-"])
def test_what_is_no_quantity(text: str):
    with pytest.raises(NoQuantity):
        quantity.value(text)


def test_pods_and_nodes_in_the_form_of_metrics_server(cluster: Cluster):
    found = ask(cluster)
    assert (found["kind"], found["apiVersion"]) == ("PodMetricsList", "metrics.k8s.io/v1beta1")
    assert len(found["items"]) == 2
    one = found["items"][0]
    assert set(one) == {"metadata", "timestamp", "window", "containers"}
    assert one["metadata"]["labels"]["app"] == "web"
    assert one["containers"][0]["name"] == "web"
    cpu, memory = used(cluster, one["metadata"]["name"], "web")
    assert 0.001 < cpu < 0.05  # of a request of 50m
    assert 0 < memory < 64 * 2**20
    node = ask(cluster, "nodes", "node-1")
    assert (node["kind"], node["metadata"]["name"]) == ("NodeMetrics", "node-1")
    mine = [used(cluster, obj["metadata"]["name"], "web")[0] for obj in pods(cluster, "web")
            if obj["spec"]["nodeName"] == "node-1"]  # fmt: skip
    assert quantity.value(node["usage"]["cpu"]) > sum(mine)


def test_selectors_and_what_is_not_there(cluster: Cluster):
    assert ask(cluster, labelSelector="app=nope")["items"] == []
    assert len(ask(cluster, labelSelector="app=web")["items"]) == 2
    name = pods(cluster, "web")[0]["metadata"]["name"]
    assert [one["metadata"]["name"] for one in ask(cluster, fieldSelector=f"metadata.name={name}")["items"]] == [name]
    with pytest.raises(ApiError, match=r'pods\.metrics\.k8s\.io "nope" not found'):
        ask(cluster, name="nope")
    with pytest.raises(ApiError, match="unable to parse requirement"):
        ask(cluster, labelSelector="a in")
    nodes.stop(cluster, "node-2")
    assert [one["metadata"]["name"] for one in ask(cluster, "nodes")["items"]] == ["node-1"]


def test_as_a_table(cluster: Cluster):
    found = ask(cluster, form=accept.TABLE)
    assert [one["name"] for one in found["columnDefinitions"]] == ["Name", "cpu", "memory", "Window"]
    assert len(found["rows"]) == 2


def test_figures_depend_on_the_seed_and_the_time_alone(cluster: Cluster):
    assert ask(cluster) == ask(cluster)
    before = ask(cluster)["items"][0]["containers"]
    cluster.agenda.step(60)
    assert ask(cluster)["items"][0]["containers"] != before
    other = world(nodes=2, seed=9)
    apps.deployment(other, "web", "default", "nginx:1", 2)
    other.agenda.step(60)
    assert ask(other)["items"][0]["containers"] != before


def test_new_pods_and_finished_ones_have_none(cluster: Cluster):
    created(cluster, pod("new", behaviour="complete 60", restartPolicy="Never"))
    cluster.agenda.step(5)
    with pytest.raises(ApiError):
        ask(cluster, name="new")
    cluster.agenda.step(40)
    assert ask(cluster, name="new")["containers"][0]["name"] == "main"
    cluster.agenda.step(60)
    with pytest.raises(ApiError):
        ask(cluster, name="new")


def test_what_is_declared(cluster: Cluster):
    resources = {"requests": {"cpu": "200m"}, "limits": {"memory": "100Mi", "cpu": "400m"}}
    said = {"cpu": "90%", "memory.main": "20Mi+1Mi/s", "cpu.beside": "900m"}
    obj = pod("one", container(resources=resources), container("beside", resources=resources))
    obj["metadata"]["annotations"] = {f"playground.notebook-mux/{key}": value for key, value in said.items()}
    created(cluster, obj)
    cluster.agenda.step(40)
    cpu, memory = used(cluster, "one")
    assert cpu == pytest.approx(0.18)
    assert 35 * 2**20 < memory < 60 * 2**20
    assert used(cluster, "one", "beside")[0] == pytest.approx(0.4)  # its limit


def test_work_is_shared_by_the_pods_of_a_workload(cluster: Cluster):
    def total() -> float:
        return sum(used(cluster, one["metadata"]["name"], "web")[0] for one in pods(cluster, "web"))

    cluster.update("deployments.apps", "default", "web", lambda one: one["metadata"].setdefault(
        "annotations", {}).update({"playground.notebook-mux/load": "600m"}))  # fmt: skip
    assert total() == pytest.approx(0.6, rel=0.05)
    cluster.update("deployments.apps", "default", "web", lambda one: one["spec"].update(replicas=4))
    cluster.agenda.step(60)
    assert total() == pytest.approx(0.6, rel=0.05)
    assert len(pods(cluster, "web")) == 4


def test_a_pod_that_asks_a_service_in_a_loop_is_load(cluster: Cluster):
    """The walk-through of the documentation: php-apache and its load generator."""
    apps.deployment(cluster, "php-apache", "default", "registry.k8s.io/hpa-example", 1, port=80, probe="/")
    apps.service(cluster, "php-apache", "default")
    cluster.agenda.step(60)
    name = pods(cluster, "php-apache")[0]["metadata"]["name"]
    assert used(cluster, name, "php-apache")[0] < 0.005
    asks = ["/bin/sh", "-c", "while sleep 0.01; do wget -q -O- http://php-apache; done"]
    created(cluster, pod("load-generator", container("load-generator", "busybox:1.28", command=asks)))
    cluster.agenda.step(60)
    assert used(cluster, name, "php-apache")[0] == pytest.approx(0.5)  # its limit
    assert list(Figures(cluster, cluster.agenda.now()).of_pod(pods(cluster, "load-generator")[0])) == ["load-generator"]


def test_the_metrics_service_is_registered(cluster: Cluster):
    found = cluster.get("apiservices.apiregistration.k8s.io", "", "v1beta1.metrics.k8s.io")
    assert found is not None
    assert found["status"]["conditions"][0]["status"] == "True"


def test_that_it_can_only_be_read(cluster: Cluster):
    kinds: list[Json] = [{"verbs": kind.verbs} for kind in cluster.kinds if kind.group == serving.GROUP]
    assert kinds == [{"verbs": ("get", "list")}] * 2
