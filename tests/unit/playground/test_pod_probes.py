"""Probes of pods on the playground's own clock: servers, commands, pages and gates, as a kubelet asks them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from notebook_mux.playground.cluster import Cluster
from notebook_mux.playground.controllers.kubelet import probes
from notebook_mux.playground.logs.written import Written
from notebook_mux.playground.shell import worlds
from notebook_mux.playground.shell.execution import Execution
from notebook_mux.playground.web import accesses
from tests.unit.playground.lives import (
    Json,
    condition,
    container,
    created,
    events,
    now,
    pod,
    reasons,
    row,
    run,
    status,
    until,
)  # fmt: skip
from tests.unit.playground.logged import run_of
from tests.unit.playground.worlds import config_map, world
from tests.waiting import until as eventually


@pytest.fixture
def cluster() -> Cluster:
    return world(nodes=1)


def test_a_server_is_ready_once_it_listens(cluster: Cluster):
    ports = [{"name": "http", "containerPort": 8080}]
    probe = {"httpGet": {"path": "/ready", "port": "http"}, "periodSeconds": 2}
    obj = run(cluster, pod("one", container(ports=ports, readinessProbe=probe), behaviour="slow 12"), 10)
    assert row(cluster, obj)[1:3] == ["0/1", "Running"]
    assert condition(obj, "Ready")["message"] == "containers with unready status: [main]"
    address = obj["status"]["podIP"]
    refused = f"dial tcp {address}:8080: connect: connection refused"
    said = f'Readiness probe failed: Get "http://{address}:8080/ready": {refused}'
    assert ("Warning", "Unhealthy", said) in events(cluster)
    cluster.agenda.step(12)
    assert row(cluster, now(cluster))[1] == "1/1"
    timers = len(cluster.agenda._heap)
    cluster.agenda.step(60)
    assert len(cluster.agenda._heap) <= timers  # what passes is asked no more


def test_a_port_on_which_nothing_listens(cluster: Cluster):
    liveness = {"httpGet": {"path": "/", "port": 8080}, "periodSeconds": 2, "failureThreshold": 2}
    obj = run(cluster, pod("one", container(image="nginx:1", livenessProbe=liveness)), 14)
    assert status(obj)["restartCount"] >= 1
    assert ("Normal", "Killing", "Container main failed liveness probe, will be restarted") in events(cluster)
    good = {"httpGet": {"path": "/", "port": 80}, "periodSeconds": 2, "failureThreshold": 2}
    obj = run(cluster, pod("two", container(image="nginx:1", livenessProbe=good, readinessProbe=good)), 14)
    assert (status(obj)["restartCount"], status(obj)["ready"]) == (0, True)


def test_the_liveness_command_of_the_documentation(cluster: Cluster):
    """Its file is there for 30 s; three failures later the container is started again."""
    script = "touch /tmp/healthy; sleep 30; rm -f /tmp/healthy; sleep 600"
    probe = {"exec": {"command": ["cat", "/tmp/healthy"]}, "initialDelaySeconds": 5, "periodSeconds": 5}
    main = container("liveness", "registry.k8s.io/busybox:1.27.2", args=["/bin/sh", "-c", script], livenessProbe=probe)
    obj = run(cluster, pod("one", main), 30)
    assert status(obj, "liveness")["restartCount"] == 0
    assert "Unhealthy" not in reasons(cluster)
    cluster.agenda.step(25)
    obj = now(cluster)
    assert status(obj, "liveness")["restartCount"] == 1
    said = "Liveness probe failed: cat: can't open '/tmp/healthy': No such file or directory\n"
    assert ("Warning", "Unhealthy", said) in events(cluster)


def test_a_slow_start_needs_a_startup_probe(cluster: Cluster):
    ports, check = [{"containerPort": 80}], {"tcpSocket": {"port": 80}, "periodSeconds": 2, "failureThreshold": 3}
    slow = pod("slow", container(ports=ports, livenessProbe=check, startupProbe={**check, "failureThreshold": 30}),
               behaviour="slow 20")  # fmt: skip
    killed = pod("killed", container(ports=ports, startupProbe=check), behaviour="slow 20")
    created(cluster, slow)
    created(cluster, killed)
    cluster.agenda.step(10)
    assert status(now(cluster, "slow"))["started"] is False
    cluster.agenda.step(20)
    found = status(now(cluster, "slow"))
    assert (found["started"], found["ready"], found["restartCount"]) == (True, True, 0)
    assert status(now(cluster, "killed"))["restartCount"] >= 1
    assert "Container main failed startup probe, will be restarted" in {one for _, _, one in events(cluster, "killed")}


def test_unready_for_a_while(cluster: Cluster):
    probe = {"httpGet": {"path": "/", "port": 80}, "periodSeconds": 1, "failureThreshold": 1}
    main = container(ports=[{"containerPort": 80}], readinessProbe=probe)
    obj = run(cluster, pod("one", main, behaviour="unready 10 20"), 8)
    assert status(obj)["ready"]
    until(cluster, lambda: not status(now(cluster))["ready"], 10)
    assert any("HTTP probe failed with statuscode: 503" in said for _, _, said in events(cluster))
    until(cluster, lambda: status(now(cluster))["ready"], 15)


def test_http_probes_look_at_the_answer(cluster: Cluster):
    cluster.create(config_map("site", **{"index.html": "here"}))
    mount = [{"name": "site", "mountPath": "/usr/share/nginx/html"}]
    built = [{"containerPort": 8080}]
    volumes = [{"name": "site", "configMap": {"name": "site"}}]

    def probed(path: str, port: int = 80, **more: Any) -> Json:
        return {"httpGet": {"path": path, "port": port, **more}, "periodSeconds": 1, "failureThreshold": 1}

    for name, main in (
        ("missing", container(image="nginx:1", readinessProbe=probed("/nope"))),
        ("secure", container(image="nginx:1", readinessProbe=probed("/", scheme="HTTPS"))),
        ("mute", container(image="postgres:17", readinessProbe=probed("/", 5432))),
        ("moved", container(image="prom/prometheus", readinessProbe=probed("/", 9090))),
        ("mounted", container(image="nginx:1", readinessProbe=probed("/"), volumeMounts=mount)),
        ("built", container(image="nginx:1", readinessProbe=probed("/healthz", 8080), ports=built)),
        ("sick", container(image="agnhost:2", args=["liveness"], livenessProbe=probed("/healthz", 8080))),
    ):
        more: Any = {"volumes": volumes} if name == "mounted" else {}
        created(cluster, pod(name, main, **more))
    cluster.agenda.step(10)
    ready = {name: status(now(cluster, name))["ready"] for name in ("missing", "secure", "mute", "moved", "mounted",
                                                                   "built")}  # fmt: skip
    assert ready == {"missing": False, "secure": False, "mute": False, "moved": True, "mounted": True, "built": True}
    address = {name: now(cluster, name)["status"]["podIP"] for name in ready}
    for name, said in (
        ("missing", "HTTP probe failed with statuscode: 404"),
        ("secure", f'Get "https://{address["secure"]}:80/": http: server gave HTTP response to HTTPS client'),
        ("mute", f'Get "http://{address["mute"]}:5432/": EOF'),
    ):
        assert ("Warning", "Unhealthy", f"Readiness probe failed: {said}") in events(cluster, name)
    log = lines_of(cluster, "missing")
    assert any('"GET /nope HTTP/1.1" 404 153 "-" "kube-probe/1.37"' in line for line in log)
    assert not any("kube-probe" in line and " 200 " in line for line in log)
    cluster.agenda.step(30)
    assert any('"GET /healthz HTTP/1.1" 200 3 "-" "kube-probe/1.37"' in line for line in lines_of(cluster, "built"))
    assert status(now(cluster, "sick"))["restartCount"] >= 1
    assert ("Warning", "Unhealthy", "Liveness probe failed: HTTP probe failed with statuscode: 500") in events(
        cluster, "sick"
    )
    cluster.update("configmaps", "default", "site", lambda obj: obj.update(data={"other.html": "there"}))
    until(cluster, lambda: not status(now(cluster, "mounted"))["ready"], 120)
    assert ("Warning", "Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 403") in events(
        cluster, "mounted"
    )


def lines_of(cluster: Cluster, name: str) -> list[str]:
    """The log of a pod's container, also what real requests left."""
    run = run_of(cluster, name)
    asked = accesses.of(cluster).lines(accesses.RunKey(run.pod["metadata"]["uid"], "main", run.number))
    return [line.text for line in Written(run, asked).until(cluster.agenda.now())]


async def test_commands_of_probes_are_run(cluster: Cluster):
    probe = {"exec": {"command": ["sh", "-c", "cat /tmp/a && test -s /tmp/a"]}, "periodSeconds": 1,
             "failureThreshold": 1}  # fmt: skip
    created(cluster, pod("one", container(command=["sleep", "3600"], readinessProbe=probe)))

    def moved(holds: Callable[[], bool]) -> Callable[[], bool]:
        def moves() -> bool:
            cluster.agenda.step(0.5)
            return holds()

        return moves

    said = "Readiness probe failed: cat: can't open '/tmp/a': No such file or directory\n"
    await eventually(moved(lambda: ("Warning", "Unhealthy", said) in events(cluster)))
    assert not status(now(cluster))["ready"]
    for script, ready in (("echo 1 > /tmp/a", True), (": > /tmp/a", False), ("echo 2 > /tmp/a", True)):
        inside = worlds.of(cluster).container(now(cluster), "main")
        assert await Execution(inside, ["sh", "-c", script]).wait() == 0
        await eventually(moved(lambda ready=ready: status(now(cluster))["ready"] is ready))  # type: ignore[misc]
    slow = {"exec": {"command": ["sh", "-c", "test -e /tmp; sleep 30"]}, "timeoutSeconds": 1, "periodSeconds": 1}
    created(cluster, pod("two", container(command=["sleep", "3600"], readinessProbe=slow)))
    said = 'Readiness probe failed: command "sh -c test -e /tmp; sleep 30" timed out'
    await eventually(moved(lambda: ("Warning", "Unhealthy", said) in events(cluster, "two")))


async def test_a_page_that_somebody_removes(cluster: Cluster):
    probe = {"httpGet": {"path": "/", "port": 80}, "periodSeconds": 1, "failureThreshold": 1}
    obj = run(cluster, pod("one", container(image="nginx:1", readinessProbe=probe)), 8)
    assert status(obj)["ready"]
    for script, ready in (("rm /usr/share/nginx/html/index.html", False),
                          ("echo back > /usr/share/nginx/html/index.html", True)):  # fmt: skip
        inside = worlds.of(cluster).container(now(cluster), "main")
        assert await Execution(inside, ["sh", "-c", script]).wait() == 0
        cluster.agenda.step(3)
        assert status(now(cluster))["ready"] is ready, script


def test_what_listens_where(cluster: Cluster):
    def listens(port: int, *containers: Json, at: float = 5.0) -> bool:
        obj = pod("p", *containers)
        probing = probes.Probing(probes.READINESS, {"tcpSocket": {"port": port}}, containers[0], obj, cluster)
        return probing.problem(at) is None

    assert listens(80, container(image="nginx"))
    assert not listens(8080, container(image="nginx"))
    assert listens(8080, container(image="nginx", ports=[{"containerPort": 8080}]))
    assert listens(1234, container(image="ghcr.io/somebody/unknown"))
    assert not listens(80, container(image="busybox", command=["sleep", "60"]))
    assert listens(80, container(image="busybox", command=["sleep", "60"]), container("b", "nginx"))
    assert not listens(80, container(image="nginx"), at=0.1)


def test_readiness_gates(cluster: Cluster):
    obj = run(cluster, pod("one", readinessGates=[{"conditionType": "example.com/open"}]), 8)
    ready = condition(obj, "Ready")
    assert (condition(obj, "ContainersReady")["status"], ready["status"], ready["reason"]) == (
        "True", "False", "ReadinessGatesNotReady",
    )  # fmt: skip
    assert ready["message"] == ('corresponding condition of pod readiness gate "example.com/open" does not exist.')
    gate = {"type": "example.com/open", "status": "True", "lastProbeTime": None, "lastTransitionTime": None}
    cluster.update("pods", "default", "one", lambda one: one["status"]["conditions"].append(gate))
    cluster.agenda.step(1)
    assert condition(now(cluster), "Ready")["status"] == "True"
    assert row(cluster, now(cluster))[8] == "1/1"
