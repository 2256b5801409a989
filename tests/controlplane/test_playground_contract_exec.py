# ruff: noqa: E501 - the words of a server are not cut
"""exec, attach and ephemeral containers: the same questions to the playground and a real API server.

The bed's kubelet has the real streaming code and runs programs of this machine, so what is compared is the protocol,
exit codes and words of the API server and the kubelet. The words of a container's runtime are not to be had there.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from notebook_mux.wire.remotecommand import V1, V1_BASE64, V4, V4_BASE64, V5, outcome
from tests.playground import RunningPlayground
from tests.unit.playground import sockets
from tests.unit.playground.client import MERGE, STRATEGIC, Client
from tests.unit.playground.sandboxes import SHELLS, need
from tests.waiting import eventually

Json = dict[str, Any]
WAIT_S = 90.0
PODS = "/api/v1/namespaces/default/pods"


def container(name: str, **more: Any) -> Json:
    return {"name": name, "image": "busybox:1", "command": ["sleep", "1000"], **more}


def pod(name: str, *containers: Json, **spec: Any) -> Json:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {"containers": [*containers], **spec},
    }


class Side:
    """One of the two, with two pods that run and one that no node has."""

    def __init__(self, kubeconfig: Path, folder: Path):
        self.client = Client(kubeconfig)
        self.server = sockets.Server(kubeconfig, folder)
        sleeping = container("main")
        for obj in (pod("exec-one", sleeping), pod("exec-two", sleeping, container("side")),
                    pod("exec-none", sleeping, nodeSelector={"no": "node"})):  # fmt: skip
            assert self.client.ask("POST", PODS, obj).status == 201
        for name in ("exec-one", "exec-two"):
            eventually(partial(self._runs, name), "it runs", seconds=WAIT_S)

    def _runs(self, name: str) -> bool:
        return bool(self.client.get(f"{PODS}/{name}").json()["status"]["phase"] == "Running")

    def close(self) -> None:
        for name in ("exec-one", "exec-two", "exec-none"):
            self.client.ask("DELETE", f"{PODS}/{name}", {"gracePeriodSeconds": 0})


@pytest.fixture(scope="module", params=[*SHELLS, "real"])
def side(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Side]:
    folder = tmp_path_factory.mktemp("exec")
    if request.param in SHELLS:
        need(request.param)
        running = RunningPlayground(folder, "empty", shell=request.param)
        found = Side(running.kubeconfig, folder)
        yield found
        found.close()
        running.close()
    else:
        found = Side(request.getfixturevalue("control_plane").kubeconfig, folder)
        yield found
        found.close()


def said(answer: Any) -> tuple[Any, ...]:
    body = answer.json()
    return answer.status, body.get("reason"), body.get("message"), body.get("details")


REFUSED: list[tuple[str, str, Json, tuple[int, str, str]]] = [
    ("GET", "none/exec", {}, (404, "NotFound", 'pods "none" not found')),
    ("GET", "exec-one/exec", {"container": "zz"}, (400, "BadRequest", "container zz is not valid for pod exec-one")),
    ("GET", "exec-two/attach", {}, (400, "BadRequest", "a container name must be specified for pod exec-two, choose one of: [main side]")),
    ("GET", "exec-none/exec", {}, (400, "BadRequest", "pod exec-none does not have a host assigned")),
    ("GET", "exec-one/exec", {"command": "ls", "stdout": "1"}, (400, "BadRequest", "Upgrade request required")),
    ("POST", "exec-one/exec", {"command": "ls"}, (400, "BadRequest", "Upgrade request required")),
    ("GET", "exec-one/attach", {"stdout": "1"}, (400, "BadRequest", "Upgrade request required")),
    ("PUT", "exec-one/exec", {}, (405, "MethodNotAllowed", "the server does not allow this method on the requested resource")),
    ("POST", "exec-one/ephemeralcontainers", {}, (405, "MethodNotAllowed", "the server does not allow this method on the requested resource")),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path", "query", "words"), REFUSED)
def test_what_is_refused_before(side: Side, method: str, path: str, query: Json, words: tuple[int, str, str]):
    assert said(side.client.ask(method, f"{PODS}/{path}", **query))[:3] == words


FAILED = "command terminated with non-zero exit code: "
ENDS: list[tuple[list[str], Any]] = [
    ([V5], b'\x03{"metadata":{},"status":"Failure","message":"' + FAILED.encode() + b'command terminated with exit code 3",'
           b'"reason":"NonZeroExitCode","details":{"causes":[{"reason":"ExitCode","message":"3"}]}}'),
    ([V4, V5], None),
    (["v3.channel.k8s.io", V4], b'\x03{"status":"Failure","message":"' + FAILED.encode() + b'exit status 3",'
           b'"reason":"NonZeroExitCode","details":{"causes":[{"reason":"ExitCode","message":"3"}]}}'),
    ([V1], b"\x03" + FAILED.encode() + b"exit status 3"),
    ([], b"\x03" + FAILED.encode() + b"exit status 3"),
]  # fmt: skip


@pytest.mark.parametrize(("protocols", "end"), ENDS)
async def test_each_version_and_its_end(side: Side, protocols: list[str], end: bytes | None):
    told = await side.server.session(
        f"{PODS}/exec-one/exec", protocols, command=["sh", "-c", "printf out; exit 3"], stdout=1
    )
    assert told.messages == [b"\x01", b"\x01out", end or ENDS[0][1]]
    assert told.code == 1000


@pytest.mark.parametrize("protocol", [V4_BASE64, V1_BASE64])
async def test_base64(side: Side, protocol: str):
    told = await side.server.session(f"{PODS}/exec-one/exec", [protocol], command=["printf", "out"], stdout=1)
    ends = ["3eyJzdGF0dXMiOiJTdWNjZXNzIn0="] if protocol == V4_BASE64 else []
    assert told.messages == ["1", "1b3V0", *ends]


async def test_nobody_understands_v3(side: Side):
    with pytest.raises(aiohttp.WSServerHandshakeError) as raised:
        await side.server.session(f"{PODS}/exec-one/exec", ["v3.channel.k8s.io"], command="true", stdout=1)
    assert raised.value.status == 403


async def test_input_sizes_and_rules(side: Side):
    path, server = f"{PODS}/exec-one/exec", side.server
    given = bytes(range(256)) * 1000
    told = await server.session(path, [V5], b"\x00" + given, b"\xff\x00", command="cat", stdin=1, stdout=1)
    assert (told.output, told.messages[-1]) == (given, b'\x03{"metadata":{},"status":"Success"}')
    told = await server.session(path, [V5], b"\xff\x00\x00", command="cat", stdin=1, stdout=1)
    assert told.messages in ([b"\x01"], [])  # a real server may close before it has said that nothing was printed
    assert told.code == 1000
    told = await server.session(path, [V5], command="true", stdin=1)
    assert told.messages == [b"\x03", b'\x03{"metadata":{},"status":"Success"}']
    told = await server.session(path, [V5], command=["sh", "-c", "echo e >&2"], stderr=1)
    assert told.messages[:2] == [b"\x02", b"\x02e\n"]
    told = await server.session(path, [V5], command="true")
    ended = outcome(told.messages[-1][1:])
    words = "unable to upgrade connection: you must specify at least 1 of stdin, stdout, stderr"
    assert (ended.message, ended.reason) == (f"Internal error occurred: {words}", "InternalError")
    told = await server.session(path, [V5], command="no-such-program", stdout=1)
    ended = outcome(told.messages[-1][1:])
    assert ended.message.startswith(
        "Internal error occurred: Internal error occurred: error executing command in container: "
    )
    assert 'exec: "no-such-program": executable file not found in $PATH' in ended.message


async def test_a_terminal(side: Side):
    # A real kubelet takes the terminal's size beside what is typed, and may do so later.
    sized = 'until [ "$(stty size)" = "33 101" ]; do sleep 0.05; done'
    query = {"command": ["sh", "-c", f"read x; {sized}; stty size; test -t 1 && echo on $x; exit 4"], "stdin": 1,
             "stdout": 1, "stderr": 1, "tty": 1}  # fmt: skip
    async with side.server.open(f"{PODS}/exec-one/exec", [V5], **query) as socket:
        await socket.send(b'\x04{"Width":101,"Height":33}', b"\x00typed\r")
        told = await socket.rest()
    assert told.output == b"typed\r\n33 101\r\non typed\r\n"
    assert outcome(told.messages[-1][1:]).code == 4


# ----------------------------------------------------------------------------------------- ephemeral containers


def test_ephemeral_containers_are_added_and_never_changed(side: Side):
    path = f"{PODS}/exec-one/ephemeralcontainers"

    def patch(**one: Any) -> Any:
        body = {
            "metadata": {"labels": {"is": "ignored"}},
            "spec": {"restartPolicy": "Never", "ephemeralContainers": [one]},
        }
        return side.client.ask("PATCH", path, body, media=STRATEGIC)

    before = side.client.get(path).json()
    made = patch(name="first", image="busybox", stdin=True, targetContainerName="main")
    assert made.status == 200
    after = made.json()
    assert after["spec"]["ephemeralContainers"] == [
        {"name": "first", "image": "busybox", "resources": {}, "terminationMessagePath": "/dev/termination-log",
         "terminationMessagePolicy": "File", "imagePullPolicy": "Always", "stdin": True, "targetContainerName": "main"}
    ]  # fmt: skip
    assert after["spec"]["restartPolicy"] == "Always"
    assert after["metadata"].get("labels") == before["metadata"].get("labels")
    assert after["metadata"]["generation"] == before["metadata"]["generation"] + 1
    assert [one["subresource"] for one in after["metadata"]["managedFields"] if one["manager"] == "contract"
            and "subresource" in one] == ["ephemeralcontainers"]  # fmt: skip
    assert [one["name"] for one in patch(name="second", image="x").json()["spec"]["ephemeralContainers"]] == [
        "second",
        "first",
    ]
    where = "spec.ephemeralContainers"
    for answer, field, reason, words in (
        (patch(name="none"), f"{where}[0].image", "FieldValueRequired", "Required value"),
        (patch(name="main", image="x"), f"{where}[0].name", "FieldValueDuplicate", 'Duplicate value: "main"'),
        (patch(name="t", image="x", targetContainerName="nope"), f"{where}[0].targetContainerName", "FieldValueNotFound", 'Not found: "nope"'),
        (patch(name="p", image="x", ports=[{"containerPort": 80}]), f"{where}[0].ports", "FieldValueForbidden", "Forbidden: cannot be set for an Ephemeral Container"),
        (side.client.ask("PATCH", path, {"spec": {"ephemeralContainers": []}}, media=MERGE), where, "FieldValueForbidden", None),
        (patch(name="first", image="other"), where, "FieldValueForbidden", None),
    ):  # fmt: skip
        cause = answer.json()["details"]["causes"][0]
        assert (answer.status, cause["field"], cause["reason"]) == (422, field, reason)
        assert words is None or cause["message"] == words
    assert (
        'existing ephemeral containers "first" may not be changed\n'
        in patch(name="first", image="other").json()["message"]
    )
    refused = side.client.ask(
        "PATCH", f"{PODS}/exec-one", {"spec": {"ephemeralContainers": [{"name": "z", "image": "x"}]}}, media=STRATEGIC
    )
    assert refused.status == 422
    new = pod("exec-new", container("main"), ephemeralContainers=[{"name": "e", "image": "x"}])
    assert (
        said(side.client.ask("POST", PODS, new))[2]
        == 'Pod "exec-new" is invalid: spec.ephemeralContainers: Forbidden: cannot be set on create'
    )

    def state() -> Json:
        found = side.client.get(f"{PODS}/exec-one").json()["status"].get("ephemeralContainerStatuses") or ()
        return next((one["state"] for one in found if one["name"] == "first"), {})

    eventually(lambda: "running" in state(), "its kubelet has started it", seconds=WAIT_S)


def test_discovery(side: Side):
    found = {one["name"]: (one["kind"], one["verbs"]) for one in side.client.get("/api/v1").json()["resources"]}
    assert {name: found[f"pods/{name}"] for name in ("attach", "exec", "ephemeralcontainers")} == {
        "attach": ("PodAttachOptions", ["create", "get"]),
        "exec": ("PodExecOptions", ["create", "get"]),
        "ephemeralcontainers": ("Pod", ["get", "patch", "update"]),
    }
