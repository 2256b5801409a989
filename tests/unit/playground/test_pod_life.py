"""Pods' lives on the playground's own clock: what can go wrong, and how a kubelet tells it."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from notebook_mux.playground.cluster import Cluster
from notebook_mux.playground.controllers import behaviour, images, kubelet
from notebook_mux.playground.controllers.kubelet.lives import Life
from notebook_mux.playground.controllers.parts import begin_deletion
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
    seen,
    shown,
    status,
    until,
)  # fmt: skip
from tests.unit.playground.worlds import config_map, world

NOT_FOUND = "rpc error: code = NotFound desc = failed to pull and unpack image"


@pytest.fixture
def cluster() -> Cluster:
    return world(nodes=1)


def test_a_pod_that_runs_has_all_that_a_kubelet_writes(cluster: Cluster):
    resources = {"requests": {"cpu": "100m", "memory": "64Mi"}, "limits": {"cpu": "200m", "memory": "64Mi"}}
    obj = run(cluster, pod("one", container(image="nginx", resources=resources)), 6)
    found = obj["status"]
    assert (found["phase"], found["qosClass"], found["observedGeneration"]) == ("Running", "Burstable", 1)
    assert found["podIPs"] == [{"ip": found["podIP"]}]
    assert found["hostIPs"] == [{"ip": found["hostIP"]}]
    assert [(one["type"], one["status"], one["observedGeneration"]) for one in found["conditions"]] == [
        (kind, "True", 1)
        for kind in ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled")
    ]
    main = status(obj)
    assert (main["image"], main["ready"], main["started"]) == ("docker.io/library/nginx:latest", True, True)
    assert main["imageID"].startswith("docker.io/library/nginx@sha256:")
    assert (main["resources"], main["allocatedResources"]) == (resources, resources["requests"])
    assert [reason for reason in reasons(cluster) if reason != "Scheduled"] == [
        "Pulling",
        "Pulled",
        "Created",
        "Started",
    ]
    again = run(cluster, pod("two", container(image="nginx:latest", imagePullPolicy="IfNotPresent")), 6)
    assert again["status"]["podIP"] != found["podIP"]
    said = 'Container image "nginx:latest" already present on machine and can be accessed by the pod'
    assert ("Normal", "Pulled", said) in events(cluster, "two")


# -------------------------------------------------------------------------------------------------------- images


@pytest.mark.parametrize(
    ("image", "said"),
    [
        ("nginx:does-not-exist", f'{NOT_FOUND} "docker.io/library/nginx:does-not-exist"'),
        ("does-not-exist", "pull access denied, repository does not exist or may require authorization"),
        ("ghcr.io/does-not-exist/x:1", f'{NOT_FOUND} "ghcr.io/does-not-exist/x:1"'),
        ("invalid/x", 'failed to do request: Head "https://invalid/v2/x/manifests/latest": dial tcp: lookup invalid'),
        ("missing.example/x:1", "lookup missing.example on 10.96.0.10:53: no such host"),
        ("reg.invalid/x:1", "lookup reg.invalid on 10.96.0.10:53: no such host"),
        ("nginx:1.29", ""),
        ("ghcr.io/example/web:1", ""),
    ],
)
def test_which_images_cannot_be_pulled(image: str, said: str):
    assert said in images.failure(image)
    assert bool(images.failure(image)) == bool(said)


@pytest.mark.parametrize(
    ("image", "full", "problem"),
    [
        ("nginx", "docker.io/library/nginx:latest", ""),
        ("a/b:1", "docker.io/a/b:1", ""),
        ("localhost:5000/a", "localhost:5000/a:latest", ""),
        ("UPPER/a", "UPPER/a:latest", ""),
        ("q.io/a@sha256:" + "a" * 64, "q.io/a@sha256:" + "a" * 64, ""),
        ("Nginx", "Nginx", "invalid reference format: repository name (library/Nginx) must be lowercase"),
        ("nginx:a b", "nginx:a b", 'couldn\'t parse image name "nginx:a b": invalid reference format'),
    ],
)
def test_references_of_images(image: str, full: str, problem: str):
    assert images.full(image) == full
    assert problem in images.problem(image)
    assert bool(images.problem(image)) == bool(problem)


def test_an_image_that_is_not_there_is_tried_again_after_longer_and_longer_waits(cluster: Cluster):
    created(cluster, pod("one", container(image="nginx:does-not-exist")))
    assert seen(cluster, seconds=50)[:5] == [
        "Pending", "ContainerCreating", "ErrImagePull", "ImagePullBackOff", "ErrImagePull",
    ]  # fmt: skip
    until(cluster, lambda: shown(cluster) == "ImagePullBackOff")
    obj = now(cluster)
    assert obj["status"]["phase"] == "Pending"
    assert condition(obj, "PodReadyToStartContainers")["status"] == "True"
    waiting = status(obj)["state"]["waiting"]["message"]
    assert waiting.startswith(f'Back-off pulling image "nginx:does-not-exist": ErrImagePull: {NOT_FOUND}')
    told = events(cluster)
    assert ("Warning", "Failed", "Error: ErrImagePull") in told
    assert ("Warning", "Failed", "Error: ImagePullBackOff") in told
    assert ("Normal", "BackOff", 'Back-off pulling image "nginx:does-not-exist"') in told
    pulls = [one.decode() for one in cluster.store.items("events") if one.fields["reason"] == "Pulling"]
    cluster.agenda.step(600)
    (later,) = [one.decode() for one in cluster.store.items("events") if one.fields["reason"] == "Pulling"]
    assert 2 <= pulls[0]["count"] < later["count"] <= 6  # 10, 20, 40, 80, 160, 300 s between them


@pytest.mark.parametrize(
    ("more", "reason", "event"),
    [
        ({"image": "Nginx:1"}, "InvalidImageName", "InspectFailed"),
        ({"image": "busybox:1", "imagePullPolicy": "Never"}, "ErrImageNeverPull", "ErrImageNeverPull"),
        ({"env": [{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "c", "key": "a"}}}]},
         "CreateContainerConfigError", "Failed"),
        ({"envFrom": [{"secretRef": {"name": "s"}}]}, "CreateContainerConfigError", "Failed"),
    ],
)  # fmt: skip
def test_what_keeps_a_container_from_being_made(cluster: Cluster, more: Json, reason: str, event: str):
    obj = run(cluster, pod("one", {**container(), **more}), 8)
    assert row(cluster, obj)[1:3] == ["0/1", reason]
    assert event in reasons(cluster)
    assert obj["status"]["phase"] == "Pending"


def test_a_container_starts_once_its_configuration_is_there(cluster: Cluster):
    env = [{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "a"}}}]
    assert shown(cluster) == ""
    obj = run(cluster, pod("one", container(env=env)), 8)
    assert status(obj)["state"]["waiting"]["message"] == 'configmap "settings" not found'
    created(cluster, config_map("settings", b="1"))
    cluster.agenda.step(14)
    assert status(now(cluster))["state"]["waiting"]["message"] == "couldn't find key a in ConfigMap default/settings"
    cluster.update("configmaps", "default", "settings", lambda one: one["data"].update(a="1"))
    cluster.agenda.step(15)
    assert shown(cluster) == "Running"


def test_a_pod_waits_for_its_volumes(cluster: Cluster):
    volumes = [{"name": "v", "configMap": {"name": "files"}}, {"name": "unused", "secret": {"secretName": "nope"}}]
    main = container(volumeMounts=[{"name": "v", "mountPath": "/v"}])
    obj = run(cluster, pod("one", main, volumes=volumes), 8)
    assert row(cluster, obj)[1:3] == ["0/1", "ContainerCreating"]
    assert condition(obj, "PodReadyToStartContainers")["status"] == "False"
    assert "podIP" not in obj["status"]
    said = 'MountVolume.SetUp failed for volume "v" : configmap "files" not found'
    assert ("Warning", "FailedMount", said) in events(cluster)
    created(cluster, config_map("files", a="1"))
    cluster.agenda.step(20)
    assert shown(cluster) == "Running"


# ------------------------------------------------------------------------------------------------- ends and waits


def test_a_crash_loop_has_the_waits_of_a_real_one(cluster: Cluster):
    created(cluster, pod("one", behaviour="crash 5 3"))
    starts, last = list[float](), ""
    for _ in range(4000):
        cluster.agenda.step(0.25)
        begun = (status(now(cluster))["state"] if "containerStatuses" in now(cluster)["status"] else {}).get("running")
        if begun and begun["startedAt"] != last:
            last = begun["startedAt"]
            starts.append(cluster.agenda.now())
    waits = [round(b - a - 5) for a, b in itertools.pairwise(starts)]
    assert all(abs(found - real) <= 2 for found, real in zip(waits, (0, 10, 20, 40, 80, 160, 300), strict=False))
    assert len(waits) >= 7
    obj = now(cluster)
    assert status(obj)["lastState"]["terminated"]["exitCode"] == 3
    assert shown(cluster) in ("CrashLoopBackOff", "Running", "Error")
    (loop,) = [one.decode() for one in cluster.store.items("events") if one.fields["reason"] == "BackOff"]
    assert loop["message"] == f"Back-off restarting failed container main in pod one_default({obj['metadata']['uid']})"
    assert 10 <= loop["count"] <= 25  # a kubelet sends no more at once


def test_a_long_run_forgets_the_waits():
    life = Life("u")
    for at in (0.0, 100.0, 200.0):
        life.next("c/a", at)
    assert (life.remaining("c/a", 210.0, 215.0), life.remaining("c/a", 900.0, 900.0)) == (35.0, 0.0)
    life.next("c/a", 900.0)
    assert life.remaining("c/a", 901.0, 901.0) == 10.0


@pytest.mark.parametrize(
    ("annotations", "limit"),
    [({behaviour.BEHAVIOUR: "oom 2"}, "64Mi"), ({behaviour.MEMORY: "128Mi"}, "64Mi"),
     ({behaviour.MEMORY: "60Mi+1Mi/s"}, "64Mi")],
)  # fmt: skip
def test_more_memory_than_the_limit_is_the_end(cluster: Cluster, annotations: Json, limit: str):
    obj = pod("one", container(resources={"limits": {"memory": limit}}))
    obj["metadata"]["annotations"] = annotations
    created(cluster, obj)
    assert seen(cluster, seconds=20)[-3:] != []
    found = until(cluster, lambda: "OOMKilled" in str(status(now(cluster))["lastState"]), 40)
    assert found >= 0
    ended = status(now(cluster))["lastState"]["terminated"]
    assert (ended["exitCode"], ended["reason"]) == (137, "OOMKilled")
    cluster.agenda.step(8)
    assert shown(cluster) in ("OOMKilled", "CrashLoopBackOff", "Running")


@pytest.mark.parametrize(
    ("command", "policy", "phase", "text"),
    [
        (["sh", "-c", "sleep 1; exit 3"], "Never", "Failed", "Error"),
        (["sh", "-c", "sleep 1"], "Never", "Succeeded", "Completed"),
        (["sh", "-c", "sleep 1"], "OnFailure", "Succeeded", "Completed"),
        (["sh", "-c", "sleep 1"], "Always", "Running", "CrashLoopBackOff"),
        (["sh", "-c", "exit 3"], "OnFailure", "Running", "CrashLoopBackOff"),
        (["/bin/does-not-exist"], "Never", "Failed", "StartError"),
        (["/bin/does-not-exist"], "Always", "Running", "CrashLoopBackOff"),
    ],
)
def test_what_becomes_of_a_command_that_ends(cluster: Cluster, command: list[str], policy: str, phase: str, text: str):
    obj = run(cluster, pod("one", container(image="busybox", command=command), restartPolicy=policy), 11)
    assert (obj["status"]["phase"], shown(cluster)) == (phase, text)
    if phase in ("Succeeded", "Failed"):
        reason = {"Succeeded": "PodCompleted", "Failed": "PodFailed"}[phase]
        assert {condition(obj, kind)["reason"] for kind in ("Ready", "ContainersReady")} == {reason}


def test_a_shell_without_input_ends_and_one_with_a_terminal_does_not(cluster: Cluster):
    assert "CrashLoopBackOff" in seen_of(cluster, container(image="busybox"))
    assert seen_of(cluster, container(image="busybox", stdin=True, tty=True), "two")[-1] == "Running"


def seen_of(cluster: Cluster, main: Json, name: str = "one") -> list[str]:
    created(cluster, pod(name, main))
    return seen(cluster, name, 14)


def test_a_deadline_ends_a_pod(cluster: Cluster):
    obj = run(cluster, pod("one", activeDeadlineSeconds=5), 12)
    found = obj["status"]
    assert (found["phase"], found["reason"]) == ("Failed", "DeadlineExceeded")
    assert found["message"] == "Pod was active on the node longer than the specified deadline"
    assert shown(cluster) == "DeadlineExceeded" or status(obj)["state"]["terminated"]
    assert "terminated" in status(obj)["state"]
    assert {"DeadlineExceeded", "Killing"} <= set(reasons(cluster))


def test_someone_ends_a_container(cluster: Cluster):
    obj = run(cluster, pod("one", container(), container("beside")), 8)
    assert obj["status"]["phase"] == "Running"
    assert kubelet.kill(cluster, "default", "one", "main", 137)
    assert not kubelet.kill(cluster, "default", "one", "nope", 0)
    assert row(cluster, now(cluster))[1:3] == ["1/2", "Error"]
    cluster.agenda.step(5)
    obj = now(cluster)
    assert row(cluster, obj)[1:3] == ["2/2", "Running"]
    assert status(obj)["lastState"]["terminated"]["exitCode"] == 137
    assert [one["restartCount"] for one in obj["status"]["containerStatuses"]] == [1, 0]


def test_what_is_declared_for_an_image(cluster: Cluster):
    kubelet.declare(cluster, "example/app", "fail 2 7")
    obj = run(cluster, pod("one", restartPolicy="Never"), 10)
    assert status(obj)["state"]["terminated"]["exitCode"] == 7
    assert obj["metadata"]["annotations"] == {behaviour.BEHAVIOUR: "fail 2 7"}


def test_stages_of_single_containers():
    obj = pod("one", container("a"), container("b"), behaviour="crash 5; slow 3; nonsense; unready x")
    obj["metadata"]["annotations"][f"{behaviour.BEHAVIOUR}.b"] = "unhealthy 4; stops 9; unready 1 2"
    a, b = (behaviour.stages(obj, one) for one in obj["spec"]["containers"])
    assert (a.ends, a.code, a.slow) == (5.0, None, 3.0)
    assert (b.ends, b.unhealthy, b.stops, b.unready) == (None, 4.0, 9.0, (1.0, 2.0))


# ------------------------------------------------------------------------------------------------ init containers


def test_init_containers_run_one_after_the_other(cluster: Cluster):
    init = [container(name, "busybox", command=["sh", "-c", "sleep 3"]) for name in ("first", "second")]
    created(cluster, pod("one", initContainers=init))
    assert seen(cluster, seconds=25) == ["Pending", "Init:0/2", "Init:1/2", "PodInitializing", "Running"]
    obj = now(cluster)
    assert [one["ready"] for one in obj["status"]["initContainerStatuses"]] == [True, True]
    first, second = (one["state"]["terminated"] for one in obj["status"]["initContainerStatuses"])
    assert first["finishedAt"] <= second["startedAt"]
    assert condition(obj, "Initialized")["status"] == "True"


@pytest.mark.parametrize(
    ("policy", "texts", "phase"),
    [("Always", ["Init:Error", "Init:CrashLoopBackOff"], "Pending"), ("Never", ["Init:Error"], "Failed")],
)
def test_an_init_container_that_fails(cluster: Cluster, policy: str, texts: list[str], phase: str):
    init = [container("first", "busybox", command=["sh", "-c", "sleep 1; exit 1"])]
    created(cluster, pod("one", initContainers=init, restartPolicy=policy))
    assert set(texts) <= set(seen(cluster, seconds=12))
    obj = now(cluster)
    assert obj["status"]["phase"] == phase
    assert condition(obj, "Initialized")["message"] == "containers with incomplete status: [first]"


def test_a_sidecar_starts_before_and_ends_after_the_others(cluster: Cluster):
    probe = {"tcpSocket": {"port": 9000}, "periodSeconds": 1}
    side = container("side", restartPolicy="Always", ports=[{"containerPort": 9000}], startupProbe=probe)
    main = container("main", "busybox", command=["sh", "-c", "sleep 4"])
    created(cluster, pod("one", main, initContainers=[side], restartPolicy="Never"))
    until(cluster, lambda: row(cluster, now(cluster))[1:3] == ["2/2", "Running"])
    obj = now(cluster)
    begun = [one["state"]["running"]["startedAt"] for one in
             (status(obj, "side", "initContainerStatuses"), status(obj))]  # fmt: skip
    assert begun == sorted(begun)
    until(cluster, lambda: now(cluster)["status"]["phase"] == "Succeeded")
    assert "terminated" in status(now(cluster), "side", "initContainerStatuses")["state"]


# ------------------------------------------------------------------------------------------------------ their end


def deleted(cluster: Cluster, name: str = "one", **options: Any) -> None:
    stored = cluster.store.get("pods", "default", name)
    assert stored is not None
    begin_deletion(cluster, stored)


@pytest.mark.parametrize(
    ("more", "said", "least", "most"),
    [
        ({}, "", 0.5, 4.0),
        ({"lifecycle": {"preStop": {"sleep": {"seconds": 6}}}}, "", 6.0, 10.0),
        ({"lifecycle": {"preStop": {"exec": {"command": ["sleep", "7"]}}}}, "", 7.0, 11.0),
        ({}, "stops 100", 9.0, 11.5),
    ],
)
def test_how_long_a_pod_takes_to_go(cluster: Cluster, more: Json, said: str, least: float, most: float):
    run(cluster, pod("one", container(**more), behaviour=said, terminationGracePeriodSeconds=10), 8)
    deleted(cluster)
    cluster.agenda.step(0.25)
    assert shown(cluster) == "Terminating"
    assert ("Normal", "Killing", "Stopping container main") in events(cluster)
    took = until(cluster, lambda: cluster.get("pods", "default", "one") is None, 30)
    assert least <= took <= most


def test_a_pod_with_a_finalizer_stays_until_it_is_taken(cluster: Cluster):
    obj = pod("one")
    obj["metadata"]["finalizers"] = ["example.com/wait"]
    run(cluster, obj, 8)
    deleted(cluster)
    cluster.agenda.step(10)
    found = now(cluster)
    assert "terminated" in status(found)["state"]
    assert found["status"]["phase"] == "Succeeded"
    assert found["metadata"]["deletionGracePeriodSeconds"] == 0


def test_debug_containers_have_a_status_and_end(cluster: Cluster):
    run(cluster, pod("one"), 8)
    new = [{"name": "debugger", "image": "busybox", "stdin": True, "tty": True, "targetContainerName": "main"}]
    cluster.update("pods", "default", "one", lambda one: one["spec"].update(ephemeralContainers=new))
    cluster.agenda.step(5)
    found = status(now(cluster), "debugger", "ephemeralContainerStatuses")
    assert ("running" in found["state"], found["ready"], "started" in found) == (True, False, False)
    assert kubelet.kill(cluster, "default", "one", "debugger", 0)
    cluster.agenda.step(5)
    found = status(now(cluster), "debugger", "ephemeralContainerStatuses")
    assert found["state"]["terminated"]["exitCode"] == 0
    assert row(cluster, now(cluster))[1:3] == ["1/1", "Running"]


def test_kubelets_take_over_what_runs(cluster: Cluster):
    """As after a restart of the process: pods go on where their status says they are."""
    from notebook_mux.playground.controllers.recorder import Recorder

    run(cluster, pod("one", behaviour="complete 60", restartPolicy="Never"), 8)
    run(cluster, pod("two", behaviour="crash 5"), 12)
    cluster.store._listeners["pods"].clear()
    for _, _, entry in cluster.agenda._heap:
        entry.cancel()
    kubelet.Kubelet(cluster, Recorder(cluster)).start()
    cluster.agenda.step(80)
    assert now(cluster)["status"]["phase"] == "Succeeded"
    assert status(now(cluster, "two"))["restartCount"] >= 2
