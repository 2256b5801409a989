"""The clients that people write Python with, unchanged, on the playground and on a real API server."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.playground import RunningPlayground
from tests.waiting import eventually

Json = dict[str, Any]

kubernetes = pytest.importorskip("kubernetes")
kubernetes_asyncio = pytest.importorskip("kubernetes_asyncio")

# What these clients leave open, a garbage collection closes at any moment.
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

SECONDS = 120

MANIFEST = """
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, labels: {of: clients}}
data: {color: blue}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {of: clients}}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 1
      containers: [{name: web, image: "nginx:1.29"}]
---
apiVersion: v1
kind: Pod
metadata: {name: box, labels: {app: box}}
spec:
  terminationGracePeriodSeconds: 1
  containers: [{name: box, image: "busybox:1.37", command: [sleep, "100000"]}]
"""


@pytest.fixture(scope="module", params=["playground", "real"])
def kubeconfig(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The kubeconfig of one of the two, with no word about a namespace."""
    if request.param == "real":
        yield str(request.getfixturevalue("control_plane").kubeconfig)
        return
    running = RunningPlayground(tmp_path_factory.mktemp("clients"))
    yield str(running.kubeconfig)
    running.close()


@pytest.fixture(scope="module")
def official(kubeconfig: str) -> Iterator[Any]:
    """The official client."""
    with kubernetes.config.new_client_from_config(kubeconfig) as client:
        yield client


@pytest.fixture(scope="module")
def place(official: Any, request: pytest.FixtureRequest) -> Iterator[str]:
    """A namespace with the objects of `MANIFEST`, made by the official client; its pods run."""
    core = kubernetes.client.CoreV1Api(official)
    name = core.create_namespace({"metadata": {"generateName": "clients-"}}).metadata.name
    watch = kubernetes.watch.Watch()
    for _ in watch.stream(core.list_namespaced_service_account, name, timeout_seconds=SECONDS):
        watch.stop()
    kubernetes.utils.create_from_yaml(official, yaml_objects=list(yaml.safe_load_all(MANIFEST)), namespace=name)
    running: set[str] = set()
    for event in watch.stream(core.list_namespaced_pod, name, timeout_seconds=SECONDS):
        pod = event["object"]
        if any(one.type == "Ready" and one.status == "True" for one in pod.status.conditions or ()):
            running.add(pod.metadata.name)
        if len(running) == 3:
            watch.stop()
    assert len(running) == 3
    yield name
    core.delete_namespace(name)


def test_the_official_client_reads_and_changes(official: Any, place: str):
    core, apps = kubernetes.client.CoreV1Api(official), kubernetes.client.AppsV1Api(official)
    pods = core.list_namespaced_pod(place, label_selector="app=web")
    assert [pod.status.phase for pod in pods.items] == ["Running"] * 2
    first = core.list_namespaced_pod(place, limit=1)
    rest = core.list_namespaced_pod(place, _continue=first.metadata._continue)
    assert {pod.metadata.name for pod in first.items + rest.items} >= {pod.metadata.name for pod in pods.items} | {
        "box"
    }
    assert apps.read_namespaced_deployment("web", place).spec.replicas == 2

    old = core.read_namespaced_config_map("settings", place)
    patched = core.patch_namespaced_config_map("settings", place, {"data": {"color": None, "size": "L"}})
    assert patched.data == {"size": "L"}
    old.data = {"late": "yes"}
    with pytest.raises(kubernetes.client.ApiException) as caught:
        core.replace_namespaced_config_map("settings", place, old)
    assert (caught.value.status, caught.value.reason) == (409, "Conflict")
    scaled = apps.patch_namespaced_deployment_scale(
        "web", place, [{"op": "replace", "path": "/spec/replicas", "value": 2}]
    )
    assert scaled.spec.replicas == 2
    with pytest.raises(kubernetes.client.ApiException) as caught:
        core.read_namespaced_pod("nope", place)
    assert caught.value.status == 404
    review = kubernetes.client.AuthorizationV1Api(official).create_self_subject_access_review(
        {"spec": {"resourceAttributes": {"verb": "delete", "resource": "nodes"}}})  # fmt: skip
    assert review.status.allowed is True
    assert kubernetes.client.VersionApi(official).get_code().minor == "37"


def test_the_official_client_watches_to_the_end(official: Any, place: str):
    core, watch = kubernetes.client.CoreV1Api(official), kubernetes.watch.Watch()
    since = core.list_namespaced_secret(place).metadata.resource_version
    core.create_namespaced_secret(place, {"metadata": {"name": "watched"}, "stringData": {"a": "1"}})
    core.patch_namespaced_secret("watched", place, {"stringData": {"a": "2"}})
    core.delete_namespaced_secret("watched", place)
    seen = []
    for event in watch.stream(core.list_namespaced_secret, place, resource_version=since, timeout_seconds=SECONDS):
        seen.append((event["type"], event["object"].data["a"]))
        if event["type"] == "DELETED":
            watch.stop()
    assert seen == [("ADDED", "MQ=="), ("MODIFIED", "Mg=="), ("DELETED", "Mg==")]


def test_the_official_client_in_a_pod(official: Any, place: str, kubeconfig: str):
    core = kubernetes.client.CoreV1Api(official)
    assert isinstance(core.read_namespaced_pod_log("box", place, tail_lines=1), str)
    with kubernetes.config.new_client_from_config(kubeconfig) as own:  # stream() changes the client it is given
        execute = kubernetes.client.CoreV1Api(own).connect_get_namespaced_pod_exec
        said = kubernetes.stream.stream(execute, "box", place, command=["echo", "hello"], stdout=True, stderr=True)
        assert said == "hello\n"
        socket = kubernetes.stream.stream(execute, "box", place, command=["sh", "-c", "cat; exit 3"], stdin=True,
                                          stdout=True, stderr=True, _preload_content=False)  # fmt: skip
        socket.write_stdin("typed\n")
        assert socket.readline_stdout(timeout=SECONDS) == "typed"
        socket.close()
        with pytest.raises(kubernetes.client.ApiException):
            kubernetes.stream.stream(execute, "nope", place, command=["true"], stdout=True)


CRD = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: GROUP}
spec:
  group: clients.example.com
  scope: Namespaced
  names: {plural: boats, singular: boat, kind: Boat}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {sails: {type: integer}}}}}}
"""


def test_the_dynamic_client(official: Any, place: str):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        dynamic = kubernetes.dynamic.DynamicClient(official)
    definition = yaml.safe_load(CRD.replace("GROUP", "boats.clients.example.com"))
    crds = dynamic.resources.get(api_version="apiextensions.k8s.io/v1", kind="CustomResourceDefinition")
    crds.create(body=definition)
    try:
        for event in crds.watch(name="boats.clients.example.com", timeout=SECONDS):
            conditions = event["raw_object"].get("status", {}).get("conditions") or ()
            if any(one["type"] == "Established" and one["status"] == "True" for one in conditions):
                break
        groups = kubernetes.client.ApisApi(official).get_api_versions
        kinds = kubernetes.client.CustomObjectsApi(official).get_api_resources
        # Among all kinds it is listed a moment after it is served.
        eventually(lambda: any(one.name == "clients.example.com" for one in groups().groups), seconds=SECONDS)
        eventually(lambda: kinds("clients.example.com", "v1").resources, seconds=SECONDS)
        dynamic.resources.invalidate_cache()
        boats = dynamic.resources.get(api_version="clients.example.com/v1", kind="Boat")
        boat = {"apiVersion": "clients.example.com/v1", "kind": "Boat", "metadata": {"name": "b"}, "spec": {"sails": 2}}
        assert boats.create(body=boat, namespace=place).spec.sails == 2
        merge = "application/merge-patch+json"
        assert boats.patch(body={"spec": {"sails": 3}}, name="b", namespace=place, content_type=merge).spec.sails == 3
        with pytest.raises(kubernetes.dynamic.exceptions.UnprocessibleEntityError):
            boats.patch(body={"spec": {"sails": "x"}}, name="b", namespace=place, content_type=merge)
        assert [one.metadata.name for one in boats.get(namespace=place).items] == ["b"]
    finally:
        crds.delete(name="boats.clients.example.com")
    maps = dynamic.resources.get(api_version="v1", kind="ConfigMap")
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "applied"}, "data": {"a": "1"}}
    made = dynamic.server_side_apply(maps, body=body, namespace=place, field_manager="one")
    assert made.metadata.managedFields[0].operation == "Apply"
    with pytest.raises(kubernetes.dynamic.exceptions.ConflictError):
        dynamic.server_side_apply(maps, body={**body, "data": {"a": "2"}}, namespace=place, field_manager="two")


async def test_kubernetes_asyncio(kubeconfig: str, place: str):
    from kubernetes_asyncio import client, config, watch
    from kubernetes_asyncio.stream import WsApiClient

    async with await config.new_client_from_config(config_file=kubeconfig) as api:
        core = client.CoreV1Api(api)
        assert len((await core.list_namespaced_pod(place, label_selector="app=web")).items) == 2
        await core.create_namespaced_config_map(place, {"metadata": {"name": "a"}, "data": {"x": "1"}})
        changed = await core.patch_namespaced_config_map("a", place, {"data": {"x": "2"}})
        assert changed.data == {"x": "2"}
        seen = []
        async with watch.Watch() as events, asyncio.timeout(SECONDS):
            async for event in events.stream(core.list_namespaced_config_map, place, field_selector="metadata.name=a"):
                seen.append(event["type"])
                if event["type"] == "ADDED":
                    await core.delete_namespaced_config_map("a", place)
                if event["type"] == "DELETED":
                    break
        assert seen == ["ADDED", "DELETED"]
        assert isinstance(await core.read_namespaced_pod_log("box", place), str)
        with pytest.raises(client.ApiException) as caught:
            await core.read_namespaced_config_map("a", place)
        assert caught.value.status == 404
    settings = client.Configuration()
    await config.load_kube_config(config_file=kubeconfig, client_configuration=settings)
    async with WsApiClient(configuration=settings) as sockets:
        said = await client.CoreV1Api(sockets).connect_get_namespaced_pod_exec(
            "box", place, command=["echo", "hello"], stdout=True, stderr=True, stdin=False, tty=False)  # fmt: skip
    assert said == "hello\n"


async def test_kr8s(kubeconfig: str, place: str):
    pytest.importorskip("kr8s")
    import kr8s.asyncio
    from kr8s.asyncio.objects import ConfigMap, Deployment, Pod

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # it knows Kubernetes up to 1.35
        api = await kr8s.asyncio.api(kubeconfig=Path(kubeconfig), namespace=place)
    pods = [pod async for pod in api.get("pods", namespace=place, label_selector={"app": "web"})]
    assert [pod.status.phase for pod in pods] == ["Running"] * 2
    made = await ConfigMap({"metadata": {"name": "kr8s", "namespace": place}, "data": {"a": "1"}}, api=api)
    await made.create()
    await made.patch({"data": {"a": "2"}})
    await made.label(seen="yes")
    await made.refresh()
    assert (made.raw["data"], made.labels["seen"]) == ({"a": "2"}, "yes")
    seen = []
    async with asyncio.timeout(SECONDS):
        async for kind, obj in api.watch("configmaps", namespace=place, field_selector="metadata.name=kr8s"):
            seen.append(kind)
            if kind == "ADDED":
                await obj.delete()
            if kind == "DELETED":
                break
    assert seen == ["ADDED", "DELETED"]
    assert not await made.exists()
    deployment = await Deployment.get("web", namespace=place, api=api)
    await deployment.scale(1)
    async with asyncio.timeout(SECONDS):
        while not (await deployment.ready() and deployment.status.get("readyReplicas") == 1):
            await asyncio.sleep(0.05)
            await deployment.refresh()
    box = await Pod.get("box", namespace=place, api=api)
    await box.wait("condition=Ready", timeout=SECONDS)
    assert all(isinstance(line, str) for line in [line async for line in box.logs()])
    done = await box.exec(["sh", "-c", "echo out"])
    assert (done.returncode, done.stdout) == (0, b"out\n")
