from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

import msgspec
import pytest

from notebook_mux import errors
from notebook_mux.handles import shells
from notebook_mux.handles.manager import Manager
from notebook_mux.handles.terminals import Session
from notebook_mux.handles.waiting import blocking
from notebook_mux.kernel.failure import Failure
from tests.unit import fake_core
from tests.unit.fake_core import FakeCore, manager

encode = msgspec.json.encode
OPTIONS: dict[str, Any] = {
    "command": None,
    "container": None,
    "image": None,
    "attach": False,
    "name": None,
    "namespace": None,
    "cluster": None,
}


def pod(name: str = "web-0", phase: str = "Running", **spec: Any) -> dict[str, Any]:
    containers = [{"name": "main", "tty": True, "stdin": True}, {"name": "side"}]
    return {
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"containers": containers, "initContainers": [{"name": "setup"}], **spec},
        "status": {"phase": phase, "conditions": [{"type": "Ready", "status": "True"}]},
    }


class Cluster:
    """What the one cluster has, by the end of a path."""

    def __init__(self) -> None:
        self.objects: dict[str, Any] = {"pods/web-0": pod()}
        self.asked: list[str] = []

    def __call__(self, ref: str, path: str, query: str) -> tuple[int, bytes]:
        self.asked.append(path)
        found = next((value for end, value in self.objects.items() if path.endswith(end)), None)
        return (200, encode(found)) if found is not None else (404, b"{}")


@pytest.fixture
def core(monkeypatch: pytest.MonkeyPatch) -> FakeCore:
    monkeypatch.setenv(shells.NOTEBOOK_VARIABLE, "/lesson.ipynb")
    return fake_core.install(monkeypatch)


@pytest.fixture
def cluster(core: FakeCore) -> Cluster:
    core.answer = made = Cluster()
    return made


@pytest.fixture
def writing(core: FakeCore, cluster: Cluster) -> Manager:
    made = manager(core)
    made._write = frozenset({"ref-dev"})
    return made


def shell(owner: Manager, target: Any = "web-0", **options: Any) -> Session:
    return blocking(shells.session(owner, shells.wish(target, **{**OPTIONS, **options})))


def order(core: FakeCore) -> dict[str, Any]:
    """What was ordered last."""
    found: dict[str, Any] = core.terminals.asked("open")[-1][2]
    return found


def commands(core: FakeCore) -> list[str]:
    return [dict(parse_qsl(query))["command"] for query in order(core)["queries"]]


def test_what_is_started(core: FakeCore, writing: Manager) -> None:
    found = shell(writing)
    assert (found.words, found.pod, found.namespace, found.container) == ("web-0", "web-0", "default", "main")
    assert found.containers == [("main", "container"), ("side", "container"), ("setup", "init")]
    asked = order(core)
    assert asked["path"] == "/api/v1/namespaces/default/pods/web-0/exec"
    assert parse_qsl(asked["queries"][0]) == [
        ("container", "main"),
        ("stdin", "true"),
        ("stdout", "true"),
        ("tty", "true"),
        ("command", "bash"),
    ]
    assert commands(core) == ["bash", "sh", "powershell", "cmd"]
    assert (asked["scope"], asked["notebook"]) == (writing._identity.scope, "/lesson.ipynb")
    assert (asked["tty"], asked["stdin"], asked["delete"], asked["title"]) == (True, True, "", "web-0")


def test_the_same_words_are_the_same_terminal(core: FakeCore, writing: Manager, cluster: Cluster) -> None:
    first = shell(writing)
    cluster.objects.clear()
    same: list[Any] = ["web-0", "pod/web-0", "po/web-0", " Pod/web-0 ", {"kind": "Pod", "metadata": {"name": "web-0"}}]
    assert {shell(writing, target).id for target in same} == {first.id}
    assert shell(writing, namespace="default").id == first.id
    assert len(core.terminals.asked("open")) == 1, "nothing was asked of anybody"


@pytest.mark.parametrize(
    "options",
    [
        {"command": "top"}, {"container": "side"}, {"attach": True}, {"name": "second"},
        {"command": ["sh", "-c", "ls"]}, {"container": "main"},
    ],
)  # fmt: skip
def test_other_words_are_another(core: FakeCore, writing: Manager, options: dict[str, Any]) -> None:
    first, second = shell(writing), shell(writing, **options)
    assert first.id != second.id
    assert shell(writing, **options).id == second.id


def test_a_workload_by_any_name(core: FakeCore, writing: Manager, cluster: Cluster) -> None:
    selector = {"selector": {"matchLabels": {"app": "web"}}}
    deployment = {"kind": "Deployment", "metadata": {"name": "web", "namespace": "default"}, "spec": selector}
    listed = {"kind": "PodList", "items": [pod("web-b"), pod("web-a")]}
    cluster.objects = {"deployments/web": deployment, "/pods": listed}
    found = shell(writing, "deploy/web")
    assert (found.pod, found.words) == ("web-a", "web-a (deploy/web)")
    assert shell(writing, "deployments.apps/web").id == found.id
    cluster.objects.clear()
    assert shell(writing, "deploy/web").pod == "web-a", "it stays itself, whatever became of the pod"
    found.close()
    cluster.objects = {"deployments/web": deployment, "/pods": {**listed, "items": [pod("web-c")]}}
    assert shell(writing, "deploy/web").pod == "web-c"
    assert shell(writing, "app=web").words == "web-c (app=web)"
    assert shell(writing, {"app": "web"}).pod == "web-c"


@pytest.mark.parametrize(
    ("spec", "node", "first"),
    [
        ({"os": {"name": "windows"}}, "", "powershell"),
        ({"nodeSelector": {"kubernetes.io/os": "windows"}}, "", "powershell"),
        ({"nodeName": "n1"}, "windows", "powershell"),
        ({"nodeName": "n1"}, "linux", "bash"),
        ({"nodeName": "n2"}, "windows", "bash"),
        ({"os": {"name": "linux"}, "nodeName": "n1"}, "windows", "bash"),
    ],
)
def test_shells_of_the_pods_system(
    core: FakeCore, writing: Manager, cluster: Cluster, spec: dict[str, Any], node: str, first: str
) -> None:
    labels = {"labels": {"kubernetes.io/os": node}}
    cluster.objects = {
        "pods/web-0": pod(**spec),
        "nodes/n1": {"kind": "Node", "metadata": {"name": "n1", **labels}},
    }
    shell(writing)
    assert commands(core)[0] == first
    assert set(commands(core)) == {"bash", "sh", "powershell", "cmd"}


def test_a_command(core: FakeCore, writing: Manager, cluster: Cluster) -> None:
    found = shell(writing, command="top -d 'a b'")
    (query,) = order(core)["queries"]
    assert [value for key, value in parse_qsl(query) if key == "command"] == ["top", "-d", "a b"]
    assert found.words == "top -d a b in web-0"
    assert not any("nodes" in path for path in cluster.asked)


def test_attaching(core: FakeCore, writing: Manager) -> None:
    found = shell(writing, attach=True)
    assert (found.words, found.attached, found.stdin, found.tty) == ("attached to web-0", True, True, True)
    assert order(core)["path"].endswith("/pods/web-0/attach")
    assert parse_qsl(order(core)["queries"][0]) == [
        ("container", "main"), ("stdin", "true"), ("stdout", "true"), ("tty", "true"),
    ]  # fmt: skip
    found = shell(writing, attach=True, container="side")
    assert (found.stdin, found.tty) == (False, False)
    assert found.words == "attached to web-0 (to look at only: its container has no stdin)"
    assert (order(core)["stdin"], order(core)["tty"]) == (False, False)
    assert parse_qsl(order(core)["queries"][0]) == [("container", "side"), ("stdout", "true"), ("stderr", "true")]


def test_looking_is_the_default(core: FakeCore, cluster: Cluster) -> None:
    looking = manager(core)
    looking._write = frozenset()
    with pytest.raises(errors.WriteRefused, match="dev is connected to look only"):
        shell(looking)
    assert (core.terminals.calls, cluster.asked) == ([], [])
    looking._write = frozenset({"ref-dev"})
    shell(looking)
    looking._write = frozenset()
    with pytest.raises(errors.WriteRefused, match="dev is connected to look only"):
        shell(looking)


@pytest.mark.parametrize(("attach", "resource"), [(False, "exec"), (True, "attach")])
@pytest.mark.parametrize("verb", ["get", "create"])
def test_the_missing_right(core: FakeCore, writing: Manager, attach: bool, resource: str, verb: str) -> None:
    def review(ref: str, review: dict[str, Any]) -> dict[str, Any]:
        asked = review["spec"]["resourceAttributes"]
        return {"allowed": (asked["subresource"], asked["verb"]) != (resource, verb)}

    core.review = review
    with pytest.raises(errors.Forbidden, match=f"you may not {verb} pods/{resource} in namespace default"):
        shell(writing, attach=attach)
    assert core.terminals.asked("open") == []


def test_one_of_before_the_kernels_restart(core: FakeCore, writing: Manager, cluster: Cluster) -> None:
    shell(writing)
    (key,) = [now["key"] for now in core.terminals.all()]
    core.terminals.known.clear()
    cluster.objects = {"pods/web-7": pod("web-7")}
    core.terminals.kept[key] = {
        "state": "running",
        "path": "/api/v1/namespaces/default/pods/web-7/exec",
        "queries": ("container=side&stdin=true&tty=true&command=sh",),
        "command": ("sh",),
    }
    core.review = lambda ref, review: {"allowed": False}
    found = shell(writing)
    assert (found.pod, found.container, found.words, found.state) == ("web-7", "side", "web-7", "running")
    assert [name for name, _ in found.containers] == ["main", "side", "setup"]
    assert len(core.terminals.asked("open")) == 1, "no other was started"
    core.terminals.known.clear()
    cluster.objects.clear()
    assert shell(writing).containers == []


def test_no_shell(core: FakeCore, writing: Manager) -> None:
    missing = 'exec: "cmd": executable file not found in $PATH'
    core.terminals.first = {"state": "ended", "returncode": None, "reason": missing, "run": 1}
    with pytest.raises(errors.NotFound, match="there is no shell in container main of pod default/web-0") as caught:
        shell(writing)
    assert "bash, sh, powershell, cmd were tried" in caught.value.what
    assert caught.value.said == missing
    assert "nm.shell('web-0', image='busybox')" in str(caught.value.todo)
    assert core.terminals.known == {}, "it is tried anew the next time"
    with pytest.raises(errors.NotFound, match="'nope' cannot be run in container main"):
        shell(writing, command="nope")
    core.terminals.first |= {"reason": "the runtime is on fire"}
    with pytest.raises(errors.ServerError, match="no shell could be started in container main"):
        shell(writing)
    with pytest.raises(errors.ServerError, match="'top' could not be run in container main"):
        shell(writing, command="top")


def test_a_start_that_is_refused(core: FakeCore, writing: Manager) -> None:
    core.terminals.first = {"state": "lost", "code": "forbidden", "reason": "not allowed", "said": "no", "todo": "ask"}
    with pytest.raises(errors.Forbidden, match="not allowed") as caught:
        shell(writing)
    assert (caught.value.cluster, caught.value.said, caught.value.todo) == ("dev", "no", "ask")
    assert core.terminals.known == {}
    core.terminals.failing["open"] = Failure("invalid", "too many terminals")
    with pytest.raises(errors.InvalidArgument, match="too many"):
        shell(writing)


def test_a_program_that_ends_at_once_was_there(core: FakeCore, writing: Manager) -> None:
    core.terminals.first = {"state": "ended", "returncode": 127, "reason": ""}
    assert shell(writing, command="false").returncode == 127


def test_pods_and_containers_that_are_not_there(core: FakeCore, writing: Manager, cluster: Cluster) -> None:
    with pytest.raises(errors.InvalidArgument, match="no container 'nope'") as caught:
        shell(writing, container="nope")
    assert caught.value.todo == "one of: main, side, setup"
    cluster.objects = {"pods/web-0": pod(phase="Succeeded")}
    with pytest.raises(errors.InvalidArgument, match="has ended"):
        shell(writing)
    with pytest.raises(errors.NotFound):
        shell(writing, "web-1")


def test_taking_over_asks_for_the_right_again(core: FakeCore, writing: Manager) -> None:
    found = shell(writing)
    core.review = lambda ref, review: {"allowed": False}
    with pytest.raises(errors.Forbidden, match="pods/exec"):
        found.take("x")
    core.review = lambda ref, review: {"allowed": True}
    found.take("x")
    writing._write = frozenset()
    with pytest.raises(errors.WriteRefused):
        found.take("x")


def test_two_clusters(core: FakeCore, cluster: Cluster) -> None:
    two = manager(core, "dev", "prod")
    two._write = frozenset({"ref-prod"})
    core.answer = lambda ref, path, query: (200, encode(pod())) if ref == "ref-prod" else (404, b"{}")
    found = shell(two)
    assert found.cluster == "prod"
    assert shell(two).id == found.id
    assert shell(two, cluster="prod").id != found.id
    two._write = frozenset({"ref-dev"})
    with pytest.raises(errors.WriteRefused, match="prod"):
        shell(two, name="another")


@pytest.mark.parametrize(
    "options",
    [
        {"command": ""}, {"command": []}, {"command": "a\0b"}, {"container": ""}, {"container": 3}, {"image": ""},
        {"name": ""}, {"attach": True, "command": "ls"}, {"attach": True, "image": "busybox"},
        {"target": "node/n1", "attach": True}, {"target": "node/n1", "container": "c"}, {"target": ""},
        {"namespace": "A"}, {"target": 7},
    ],
)  # fmt: skip
def test_what_cannot_be_asked(options: dict[str, Any]) -> None:
    given = {"target": "web-0", **OPTIONS, **options}
    with pytest.raises(errors.InvalidArgument):
        shells.wish(**given)


def test_closing_all_of_a_manager(core: FakeCore, writing: Manager) -> None:
    mine = [shell(writing), shell(writing, name="second")]
    order = {"key": "k", "scope": "another manager's", "path": "", "queries": []}
    other = core.terminals.open("auto", "ref-dev", order).result()
    core.terminals.failing["close"] = Failure("timeout", "no answer")
    blocking(shells.close_all(writing._identity))
    assert {call[1] for call in core.terminals.asked("close")} == {one.id for one in mine}
    assert list(core.terminals.known) == [other]
