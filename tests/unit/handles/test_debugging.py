from __future__ import annotations

import copy
from typing import Any

import pytest

from notebook_mux import errors
from notebook_mux.handles import debugging, starting
from notebook_mux.handles.debugging import debug_container
from notebook_mux.handles.identity import Identity
from notebook_mux.handles.objects import Object
from notebook_mux.handles.targets import Place
from notebook_mux.handles.waiting import Wait, blocking
from notebook_mux.kernel.failure import Failure
from tests.unit import fake_core
from tests.unit.fake_core import manager
from tests.unit.handles import pods_core
from tests.unit.handles.pods_core import PodsCore, wait_with

PATH = "/api/v1/namespaces/default/pods/web-0"


@pytest.fixture
def core(monkeypatch: pytest.MonkeyPatch) -> PodsCore:
    core = PodsCore()
    core.pods[PATH] = pods_core.pod("web-0", "main", "side")
    monkeypatch.setattr(fake_core, "FakeCore", lambda: core)
    fake_core.install(monkeypatch)
    return core


@pytest.fixture
def identity(core: PodsCore) -> Identity:
    return manager(core)._identity


def start(core: PodsCore, identity: Identity, image: Any = "busybox", target: str | None = None, **more: Any) -> Place:
    pod = Object(copy.deepcopy(core.pods[PATH]), "dev")
    return blocking(debug_container(identity, identity.contexts[0], pod, image, target, **more))


def test_what_is_asked(core: PodsCore, identity: Identity) -> None:
    place = start(core, identity, target="side")
    [(method, path, query, content_type, body)] = core.writes
    assert (method, path) == ("PATCH", f"{PATH}/ephemeralcontainers")
    assert query == {"fieldManager": "notebook-mux", "fieldValidation": "Strict"}
    assert content_type == "application/strategic-merge-patch+json"
    assert body == {
        "spec": {
            "$setElementOrder/ephemeralContainers": [{"name": place.container}],
            "ephemeralContainers": [
                {
                    "name": place.container,
                    "image": "busybox",
                    "env": [{"name": "NOTEBOOK_MUX_OWNER", "value": starting.owner()}],
                    "securityContext": {"capabilities": {"add": ["SYS_PTRACE"]}},
                    "stdin": True,
                    "tty": True,
                    "terminationMessagePolicy": "File",
                    "targetContainerName": "side",
                }
            ],
        }
    }
    assert place.context == identity.contexts[0]
    assert place.container.startswith("debugger-")
    assert len(place.container) == len("debugger-") + starting.SUFFIX
    assert place.pod["spec"]["ephemeralContainers"][0]["name"] == place.container, "the pod of now"


def test_the_one_that_is_there_is_used_again(core: PodsCore, identity: Identity) -> None:
    first = start(core, identity)
    assert start(core, identity).container == first.container
    assert len(core.writes) == 1
    names = {first.container}
    names.add(start(core, identity, image="alpine").container)
    names.add(start(core, identity, target="main").container)
    ordered = core.writes[-1][4]["spec"]["$setElementOrder/ephemeralContainers"]
    assert [one["name"] for one in core.pods[PATH]["spec"]["ephemeralContainers"]] == [one["name"] for one in ordered]
    assert len(names) == 3, "another image, and another target, are other containers"
    core.pods[PATH]["status"]["ephemeralContainerStatuses"][0]["state"] = {"terminated": {"exitCode": 0}}
    names.add(start(core, identity).container)
    assert len(names) == 4, "one that has ended is not started again"


def test_somebody_elses_is_not_ours(core: PodsCore, identity: Identity) -> None:
    theirs = debugging.container("debugger-other", "busybox", None)
    theirs["env"][0]["value"] = "another kernel"
    kubectls = {**theirs, "name": "debugger-third"}
    del kubectls["env"]
    core.pods[PATH]["spec"]["ephemeralContainers"] = [theirs, kubectls]
    assert start(core, identity).container not in ("debugger-other", "debugger-third")


@pytest.mark.parametrize(("image", "target"), [("", None), ("a b", None), (3, None), ("x" * 600, None), ("ok", "nope")])
def test_what_cannot_be_asked(core: PodsCore, identity: Identity, image: Any, target: str | None) -> None:
    with pytest.raises(errors.InvalidArgument):
        start(core, identity, image, target)
    assert core.writes == []


@pytest.mark.parametrize("verb", ["get", "create"])
def test_the_missing_rights(core: PodsCore, identity: Identity, verb: str) -> None:
    def review(ref: str, asked: dict[str, Any]) -> dict[str, Any]:
        attributes = asked["spec"]["resourceAttributes"]
        known = (attributes["verb"], attributes.get("subresource"))
        missing = ((verb, "attach"), ("patch", "ephemeralcontainers"), ("get", "exec"))
        return {"allowed": known not in missing[: len(missing) - may_exec]}

    core.review = review
    may_exec = False
    with pytest.raises(errors.Forbidden) as caught:
        start(core, identity)
    assert f"you may not patch pods/ephemeralcontainers, {verb} pods/attach in namespace default" in caught.value.what
    assert caught.value.todo == (
        "ask for a Role with: pods: get; pods/ephemeralcontainers: patch; pods/attach: get, create"
    )
    may_exec = True
    with pytest.raises(errors.Forbidden, match="you may not patch pods/ephemeralcontainers in namespace default"):
        start(core, identity)
    assert core.writes == []


def test_refusals_have_the_servers_words(core: PodsCore, identity: Identity) -> None:
    def refused(status: int, said: str, **more: Any) -> pytest.ExceptionInfo[errors.MuxError]:
        core.refuse = lambda method, path: (status, {"kind": "Status", "message": said, **more})
        with pytest.raises(errors.MuxError) as caught:
            start(core, identity)
        assert caught.value.said == said
        return caught

    rbac = 'pods "web-0" is forbidden: User "u" cannot patch resource "pods/ephemeralcontainers"'
    assert refused(403, rbac).value.todo == "ask for that right"
    level = 'pods "web-0" is forbidden: violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false'
    assert "pod-security.kubernetes.io/enforce" in (refused(403, level).value.todo or "")
    hook = 'admission webhook "images.example" denied the request: no such registry'
    assert "a rule of this cluster" in (refused(400, hook).value.todo or "")
    assert refused(403, hook).type is errors.Forbidden
    assert refused(422, "spec.ephemeralContainers[0].image: Required value").type is errors.InvalidArgument
    assert refused(404, "gone", details={"name": "web-0"}).type is errors.NotFound


def test_a_server_without_them(core: PodsCore, identity: Identity) -> None:
    core.refuse = lambda method, path: (404, {"kind": "Status", "reason": "NotFound", "details": {}})
    with pytest.raises(errors.ServerError, match="dev has no ephemeral containers") as caught:
        start(core, identity)
    assert "Kubernetes 1.25" in (caught.value.todo or "")


def test_a_lost_answer_is_not_asked_twice(core: PodsCore, identity: Identity) -> None:
    core.refuse = lambda method, path: Failure("unreachable", "lost", todo="look whether the change happened")
    with pytest.raises(errors.Unreachable, match="lost"):
        start(core, identity)
    assert len(core.writes) == 1


def test_the_kubelets_words(core: PodsCore, identity: Identity) -> None:
    core.after = wait_with("ErrImagePull", 'failed to resolve reference "nope": not found')
    with pytest.raises(errors.ServerError, match=r"the image nope of .* cannot be had \(ErrImagePull\)") as caught:
        start(core, identity, "nope")
    assert caught.value.said == 'failed to resolve reference "nope": not found'
    assert caught.value.cluster == "dev"
    with pytest.raises(errors.ServerError):
        start(core, identity, "nope")
    assert len(core.writes) == 1, "it goes on trying: no second one is added"
    core.after = wait_with("CreateContainerConfigError", "no such secret")
    core.after(core.pods[PATH])
    with pytest.raises(errors.ServerError, match="cannot be started"):
        start(core, identity, "nope")


def test_one_that_ends_at_once(core: PodsCore, identity: Identity) -> None:
    def after(pod: dict[str, Any]) -> None:
        pods_core.run_all(pod)
        pod["status"]["ephemeralContainerStatuses"][0]["state"] = {"terminated": {"exitCode": 0, "reason": "Completed"}}

    core.after = after
    with pytest.raises(errors.ServerError, match="ended at once with exit code 0") as caught:
        start(core, identity, "hello-world")
    assert "does not start a shell" in (caught.value.todo or "")


def test_the_pod_goes(core: PodsCore, identity: Identity) -> None:
    def ended(pod: dict[str, Any]) -> None:
        pod["status"] |= {"phase": "Failed", "reason": "Evicted", "message": "low on memory"}

    core.after = ended
    with pytest.raises(errors.ServerError, match="has ended") as caught:
        start(core, identity)
    assert caught.value.said == "Evicted: low on memory"
    core.pods[PATH] = pods_core.pod()
    core.after = lambda pod: pod["metadata"].update(uid="another")
    with pytest.raises(errors.NotFound, match="another has its name"):
        start(core, identity)
    core.pods[PATH] = pods_core.pod()
    core.after = lambda pod: None
    core.answer = lambda ref, path, query: (404, b"{}")
    with pytest.raises(errors.NotFound, match="is gone"):
        start(core, identity)


def test_what_it_waits_for_is_told(core: PodsCore, identity: Identity) -> None:
    core.after = wait_with("ContainerCreating", "pulling busybox")
    steps = debug_container(identity, identity.contexts[0], Object(copy.deepcopy(core.pods[PATH]), "dev"), "b", None)
    wait: Wait[Any] = steps.send(None)
    words = []
    while not any("ContainerCreating" in said for said in words):
        words.append(wait.words())
        try:
            value = wait.future.result(wait.remaining())
        except TimeoutError:
            wait = steps.throw(wait.late())
        else:
            wait = steps.send(value)
    steps.close()
    [name] = [one["name"] for one in core.pods[PATH]["spec"]["ephemeralContainers"]]
    what = f"waiting for container {name} of pod default/web-0 of dev"
    assert what in words
    assert words[-1] == f"{what} (ContainerCreating: pulling busybox)"


def test_a_pod_that_is_pending_itself(core: PodsCore, identity: Identity) -> None:
    """One whose init container hangs is what a debug container is for."""

    def after(pod: dict[str, Any]) -> None:
        pods_core.run_all(pod)
        pod["status"]["phase"] = "Pending"

    core.after = after
    assert start(core, identity).container


def test_it_takes_too_long(core: PodsCore, identity: Identity) -> None:
    core.after = wait_with("ContainerCreating")
    with pytest.raises(errors.TimedOut, match=r"does not run after 0\.2 s") as caught:
        start(core, identity, timeout=0.2)
    assert caught.value.said == "ContainerCreating"
    core.after = pods_core.run_all
    core.pods[PATH]["status"]["ephemeralContainerStatuses"].clear()
    start(core, identity)
    assert len(core.writes) == 1, "run again, it goes on waiting for the same one"
