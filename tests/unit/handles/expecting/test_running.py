"""``nm.expect`` on the embedded cluster, by way of a gateway."""

from __future__ import annotations

import asyncio
import hashlib
import pickle
import re
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

import notebook_mux as nm
from notebook_mux import aio
from notebook_mux.handles.expecting import workloads
from notebook_mux.handles.expecting.looks import Things
from notebook_mux.handles.objects import Object
from tests import waiting
from tests.playground import RunningPlayground

WAIT_S = 60.0
eventually = partial(waiting.eventually, seconds=WAIT_S)


@pytest.fixture(scope="module")
def playground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPlayground]:
    running = RunningPlayground(tmp_path_factory.mktemp("expect"))
    yield running
    running.close()


@pytest.fixture(scope="module", autouse=True)
def manager(playground: RunningPlayground) -> Iterator[nm.Manager]:
    yield nm.connect(kubeconfig=playground.kubeconfig, write=True)
    nm.close()


def deployment(name: str, replicas: int = 2, **container: Any) -> dict[str, Any]:
    labels = {"app": name}
    spec = {"containers": [{"name": "main", "image": "nginx:1.27", **container}]}
    template = {"metadata": {"labels": labels}, "spec": spec}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "labels": labels},
            "spec": {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template}}  # fmt: skip


def service(name: str, selector: dict[str, str]) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name},
            "spec": {"selector": selector, "ports": [{"port": 80}]}}  # fmt: skip


@pytest.fixture(scope="module")
def web(playground: RunningPlayground) -> str:
    playground.create(deployment("web"))
    playground.create(service("web", {"app": "web"}))
    nm.expect("deploy/web", ready=2, timeout=WAIT_S)
    return "deploy/web"


def later(change: Callable[[], Any]) -> None:
    """Let something happen while a check already waits."""
    threading.Timer(0.3, change).start()


def failed(*arguments: Any, timeout: float = 0, **expected: Any) -> nm.ExpectationFailed:
    with pytest.raises(AssertionError) as caught:
        nm.expect(*arguments, timeout=timeout, **expected)
    assert isinstance(caught.value, nm.ExpectationFailed)
    return caught.value


def test_what_is_so_is_a_check(web: str) -> None:
    check = nm.expect(web, ready=2, image="nginx:1.27", condition="Available", field="spec.replicas", equals=2)
    assert check
    assert check.ok
    assert check.seen == {"ready": 2, "image": "nginx:1.27", "condition": "True", "field": 2}
    assert check.text.startswith(
        "✓ deploy/web: 2 of 2 are ready; image nginx:1.27; Available is True; spec.replicas is 2 ("
    )
    assert 0 <= check.took < WAIT_S
    assert nm.expect("app=web", ready=True, count=2).seen == {"count": 2, "ready": [1, 1]}
    assert nm.expect("pods", selector={"app": "web"}, ready=2).seen == {"ready": 2}
    assert nm.expect("svc/web", endpoints=2).seen == {"endpoints": 2}
    assert nm.expect(nm.get("deploy", "web"), that=lambda obj: obj["spec"]["replicas"] == 2).seen == {"that": True}
    assert nm.expect("nodes", ready=True, name="the nodes").text.startswith("✓ the nodes: ready")
    assert nm.expect("deploy/nobody", exists=False).seen == {"exists": 0}
    assert asyncio.run(aio.expect(web, ready=True, timeout=0)).seen == {"ready": 2}


def test_it_ends_at_the_change_that_makes_it_true(playground: RunningPlayground) -> None:
    later(lambda: playground.create(deployment("late", 1)))
    nm.expect("deploy/late", ready=1, timeout=WAIT_S)  # not there at first
    patch = {"spec": {"template": {"spec": {"containers": [{"name": "main", "image": "nginx:1.28"}]}}}}
    later(lambda: playground.patch("deployments.apps", "late", patch))
    check = nm.expect("deploy/late", image="docker.io/library/nginx:1.28", ready=1, timeout=WAIT_S)
    assert check.seen == {"ready": 1, "image": "nginx:1.28"}
    sets = [one for one in playground.list("replicasets.apps") if one["metadata"]["name"].startswith("late-")]
    assert sorted(one["status"].get("readyReplicas", 0) for one in sets) == [0, 1]  # it was rolled out, not only asked
    later(lambda: playground.delete("deployments.apps", "late"))
    nm.expect("deploy/late", exists=False, timeout=WAIT_S)


def test_all_of_a_call_must_hold_at_once(web: str) -> None:
    error = failed(web, ready=2, image="nginx:1.28", count=None)
    assert error.what == "deploy/web: expected image nginx:1.28, but image nginx:1.27"
    assert error.seen == {"ready": 2, "image": "nginx:1.27"}
    assert "  ✓ 2 of 2 are ready" in error.lines()


def test_a_failure_says_what_is_wrong_with_the_pods(playground: RunningPlayground) -> None:
    playground.create(deployment("broken", 2, image="nginx:no-such", command=["sh", "-c", "echo giving up; exit 3"]))
    nm.expect("deploy/broken", that=lambda obj: obj["status"].get("unavailableReplicas") == 2, timeout=WAIT_S)
    nm.expect("app=broken", that=lambda pods: all(_waits(pod) for pod in pods) and pods, timeout=WAIT_S)
    nm.events("deploy/broken", warnings=True).wait("create", of=1)
    error = failed("deploy/broken", ready=2, timeout=0.1)
    text = "\n".join(error.lines())
    assert error.what.startswith("deploy/broken: expected 2 ready pods, but 0 of 2 are ready")
    assert "container main ended with exit code 3" in text
    assert 'its last line: "giving up"' in text
    assert error.events
    assert all(one.warning and one.kind == "Pod" for one in error.events)
    assert [one.last for one in error.events] == sorted(one.last for one in error.events)
    assert "  warnings, the newest last:" in error.lines()
    assert pickle.loads(pickle.dumps(error)).what == error.what
    playground.delete("deployments.apps", "broken")


def _waits(pod: Any) -> bool:
    """Whether it is in its back-off, for ten seconds: one that has just been restarted runs, and is ready."""
    states = [one["state"].get("waiting", {}) for one in pod.get("status", {}).get("containerStatuses") or ()]
    return any(one.get("reason") == "CrashLoopBackOff" for one in states)


def test_what_is_not_there_has_near_names_and_a_service_its_selector(playground: RunningPlayground, web: str) -> None:
    error = failed("deploy/wbe", ready=2)
    assert error.what == "deploy/wbe: expected 2 ready pods, but it is not there"
    assert error.todo == "did you mean web?"
    playground.create(service("lost", {"app": "wbe"}))
    assert failed("svc/lost", endpoints=2).what == (
        "svc/lost: expected 2 ready endpoints, but 0 ready endpoints; its selector is app=wbe"
    )
    assert "  there is no pod with app=wbe" in failed("svc/lost", endpoints=2).lines()
    assert failed(web, exists=False).what == "deploy/web: expected that it is gone, but web is there"
    assert failed("pods", selector="app=web", count=3).what == "pods with app=web: expected 3, but 2 are there"
    assert "it asks for 2" in failed(web, ready=5).what


def test_what_cannot_be_read_is_not_taken_for_gone(playground: RunningPlayground, web: str) -> None:
    pods = nm.watch("deployments", field_selector="metadata.name=web")
    playground.stop()
    try:
        eventually(lambda: pods.clusters["demo"].state != "live")
        assert "cannot be read now: demo" in failed(web, exists=False, timeout=0.1).what
    finally:
        playground.start()
    nm.expect(web, ready=2, timeout=WAIT_S)


def test_hints_come_one_by_one(web: str) -> None:
    def ask() -> nm.ExpectationFailed:
        return failed(web, ready=3, hints=["look at .spec", "scale it", "kubectl scale deploy web --replicas 3"])

    first, second, third, fourth = ask(), ask(), ask(), ask()
    assert (first.hint, first.hints_left, first.lines()[-1]) == ("look at .spec", 2, "  hint 1 of 3: look at .spec")
    assert "scale it" not in str(first)
    assert (second.hint, second.hints_left) == ("scale it", 1)
    assert [third.hint, fourth.hint] == ["kubectl scale deploy web --replicas 3"] * 2
    assert third.hints_left == fourth.hints_left == 0
    assert failed(web, ready=4, hints=["another check"]).hints_left == 0


def test_a_function_says_what_is_wrong_with_an_assert(web: str) -> None:
    def colour(obj: nm.Object) -> bool:
        """the colour is green"""
        assert "colour" in obj["metadata"]["labels"], "there is no label colour"
        return bool(obj["metadata"]["labels"]["colour"] == "green")

    assert failed(web, that=colour).what == "deploy/web: expected the colour is green, but there is no label colour"
    assert "it raised KeyError: 'x'" in failed(web, that=lambda obj: obj["x"]).what
    with pytest.raises(NameError):
        nm.expect(web, that=lambda obj: no_such_name)  # type: ignore[name-defined]  # noqa: F821
    calls = iter([False, False, True])
    assert nm.expect(that=lambda: next(calls), name="the third time").text.startswith("✓ the third time: it holds")


def test_who_may_what(playground: RunningPlayground) -> None:
    playground.create({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "reader"}})
    error = failed("sa/reader", can="list pods", cannot=["delete pods", "get pods/log"])
    assert error.what == "sa/reader: expected the right to list pods, but may not list pods"
    rules = [{"apiGroups": [""], "resources": ["pods", "pods/log"], "verbs": ["list", "get"]}]
    role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "read"}, "rules": rules}
    subject = {"kind": "ServiceAccount", "name": "reader", "namespace": "default"}
    binding = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": "read"},
               "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "read"},
               "subjects": [subject]}  # fmt: skip
    playground.create(role)
    later(lambda: playground.create(binding))
    cannot = ["delete pods", "list pods in kube-system", "list nodes", "get secrets web-tls"]
    check = nm.expect("sa/reader", can=["list pods", "get pods/log"], cannot=cannot, timeout=WAIT_S)
    assert check.seen["can get pods/log"] is True
    assert check.seen["cannot list nodes"] is False
    assert nm.expect(can=["list pods in *", "create deployments"], timeout=0)
    assert failed("sa/raeder", can="list pods").todo == "did you mean reader?"
    assert nm.expect("user/jane", cannot="list pods", timeout=0)
    assert nm.expect("group/system:masters", can="delete nodes", timeout=0)


def test_answers_are_compared_and_not_given_away() -> None:
    assert nm.expect(value=1, equals=lambda: len(nm.get("nodes")), name="how many nodes").seen == {"value": 1}
    assert nm.expect(value=" Nginx ", sha=hashlib.sha256(b"nginx").hexdigest()[:8])
    error = failed(value=41, equals=42, name="how many", hints=["count again"])
    assert error.lines() == ["ExpectationFailed: how many: 41 is not right", "  hint 1 of 1: count again"]
    assert "42" not in str(error)
    assert "there is no answer yet" in failed(value=..., equals=42).what
    assert "there is no answer yet" in failed(value=None, sha="0" * 8).what


@pytest.mark.parametrize(
    ("target", "expected", "says"),
    [
        ("deploy/web", {"count": 3}, "count= is of a list"),
        ("deploy/web", {"endpoints": 2}, "endpoints= is of a service"),
        ("deploy/web", {"ready": -1}, "ready=-1"),
        ("deploy/web", {"ready": "3"}, "ready='3'"),
        ("deploy/web", {"can": "list pods"}, "nobody who can"),
        ("deploy/web", {"timeout": "soon"}, "timeout='soon'"),
        ("deploy/web", {"equals": 3}, "equals= is of a field="),
        ("deploy/web", {"field": "a..b"}, "JSONPath"),
        ("deploy/web", {"hints": 3}, "hints=3"),
        ("deploy/web", {"that": 3}, "that=3"),
        ("deploy/web", {"condition": ""}, "condition=''"),
        ("deploy/web", {"image": 3}, "image=3"),
        ("deploy/web", {"exists": False, "ready": 3}, "leaves nothing else"),
        ("deploy/web", {"selector": "a=b"}, "exclude each other"),
        ("deploy/web", {"value": 3, "equals": 3}, "checked by itself"),
        ("deploy/web", {"namespace": "NO"}, "namespace's name"),
        ("sa/x", {"can": "pods"}, "is no right"),
        (None, {}, "nothing is expected"),
        (None, {"ready": 3}, "not said what"),
        (None, {"value": 3}, "checked by itself"),
        (None, {"value": 3, "sha": "xyz"}, "no hash"),
        (3, {}, "names nothing that can be checked"),
        ("", {}, "names nothing"),
    ],
)
def test_bad_arguments(target: Any, expected: dict[str, Any], says: str) -> None:
    with pytest.raises(nm.InvalidArgument) as caught:
        nm.expect(target, **expected)
    assert says in str(caught.value)


def test_a_kind_that_is_not_served() -> None:
    with pytest.raises(nm.UnknownKind):
        nm.expect("frobs", count=3)


def test_it_is_shown_as_a_green_line_and_hostile_text_stays_text(playground: RunningPlayground) -> None:
    data = {"text": "<img src=x onerror=alert(1)>\u202e"}
    playground.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "bad"}, "data": data})
    html = nm.expect("cm/bad", field="data.text")._repr_mimebundle_()["text/html"]
    assert "&lt;img src=x" in html
    assert "<img" not in html
    assert "\u202e" not in html
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "stringData": {"key": "hush"}}
    playground.create(secret)
    assert "aHVzaA" not in nm.expect("secret/s", field="data.key").text
    assert "aHVzaA" not in str(failed("secret/s", field="data.key", equals="b"))


def test_in_a_notebook_a_failure_is_a_few_lines(playground: RunningPlayground, web: str) -> None:
    source = (
        "import notebook_mux as nm\n"
        f"nm.connect(kubeconfig={str(playground.kubeconfig)!r})\n"
        "nm.expect('deploy/web', ready=3, timeout=0, hints=['scale it'])"
    )
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)])
    with pytest.raises(CellExecutionError) as caught:
        NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(Path.cwd())}}).execute()
    assert caught.value.ename == "ExpectationFailed"
    [output] = [one for one in notebook.cells[0].outputs if one.output_type == "error"]
    assert output.traceback == [
        "ExpectationFailed: deploy/web: expected 3 ready pods, but 2 of 2 are ready: it asks for 2",
        "  hint 1 of 1: scale it",
    ]


def test_what_a_service_answers(playground: RunningPlayground, web: str) -> None:
    check = nm.expect("svc/web", endpoints=2, answers="Welcome to nginx", timeout=WAIT_S)
    assert check.seen == {"endpoints": 2, "answers": 200}
    assert nm.expect("svc/web", answers=404, path="/no/such?page=1", port=80)
    assert nm.expect("svc/web", answers=re.compile("<title>.*nginx"))
    error = failed("svc/web", answers="Hello", port=80)
    assert error.what.startswith("svc/web: expected an answer with 'Hello' in it, but it answers 200: <!DOCTYPE html>")
    playground.create(service("nobody", {"app": "nobody"}))
    error = failed("svc/nobody", answers=True)
    assert "no endpoints available for service" in error.what
    with pytest.raises(nm.InvalidArgument, match="of a service or a pod"):
        nm.expect(web, answers=True)


def test_what_nobody_has_looked_at_is_not_ready(playground: RunningPlayground) -> None:
    """A DaemonSet wants no pods until its controller says how many: that is not all of them."""
    template = deployment("agent")["spec"]["template"]
    spec = {"selector": {"matchLabels": {"app": "agent"}}, "template": template}
    made = {"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": {"name": "agent", "generation": 1}, "spec": spec}
    fresh = Object(made)
    for look in (workloads.ready(True, False)[1], workloads.ready(0, False)[1], workloads.image("nginx:1.27")):
        seen = look(Things([fresh]))
        assert (seen.ok, workloads.NOT_SEEN in seen.words) == (False, True)
    playground.create(made)
    assert nm.expect("ds/agent", ready=True, image="nginx:1.27", timeout=WAIT_S).seen["ready"] > 0


def test_an_api_server_that_reaches_nobody_is_no_answer(playground: RunningPlayground) -> None:
    playground.create(service("lonely", {"app": "nobody"}))
    for right in ("lonely", 503, re.compile("endpoints")):  # its own words have all of these
        error = failed("svc/lonely", answers=right, timeout=0.1)
        assert 'it answers 503: no endpoints available for service "lonely"' in error.what


def test_a_function_that_says_nothing_does_not_hold(web: str) -> None:
    async def looks(obj: Any) -> bool:
        return False

    error = failed(web, that=looks)
    assert "it gave a coroutine, and not whether it holds" in error.what
    error = failed("app=web", that=lambda pods: (False for _ in pods))
    assert "it gave a generator" in error.what
    error = failed(web, that=lambda obj: looks)
    assert "it gave a function" in error.what


@pytest.mark.parametrize(
    ("right", "near"), [("delte pods", "delete"), ("get pods/logs", "log"), ("create pods/execs", "exec")]
)
def test_a_right_that_is_written_wrong_is_no_right_that_is_lacking(right: str, near: str) -> None:
    with pytest.raises(nm.InvalidArgument) as caught:
        nm.expect("sa/default", cannot=[right])
    assert f"did you mean {near}" in str(caught.value.todo)
