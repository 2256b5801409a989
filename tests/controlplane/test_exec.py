"""Programs in containers of a real API server, whose kubelet runs real processes: every byte, every way to end."""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pytest

import notebook_mux as nm
from notebook_mux import aio
from tests import waiting
from tests.controlplane.test_whole_way import create, user
from tests.testbed.control_plane import ControlPlane

WAIT_SECONDS = 40.0
EVERY = bytes(range(256))

eventually = partial(waiting.eventually, seconds=WAIT_SECONDS, pause=0.05)


def pod(name: str, namespace: str, **spec: Any) -> dict[str, Any]:
    containers = [{"name": "main", "image": "x"}, {"name": "side", "image": "x"}]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "labels": {"app": name}},
        "spec": {"containers": containers, **spec},
    }


@pytest.fixture
def web(control_plane: ControlPlane, namespace: str) -> Iterator[str]:
    """A running pod, and a manager that may write."""
    init = [{"name": "setup", "image": "x"}]
    create(control_plane, pod("web-0", namespace, initContainers=init))
    control_plane.kubectl("wait", "--for=condition=Ready", "pod/web-0", "-n", namespace, "--timeout=60s")
    nm.connect(kubeconfig=control_plane.kubeconfig, write=True, namespace=namespace)
    yield "web-0"
    nm.close()


def shell(target: Any, script: str, **options: Any) -> Any:
    return nm.exec(target, ["sh", "-c", script], **options)


def test_output_errors_and_exit_codes(web: str) -> None:
    done = shell(web, "echo out; echo err >&2; exit 3")
    assert (done.stdout, done.stderr, done.returncode, done.pod) == (b"out\n", b"err\n", 3, "web-0")
    assert done.args == ("sh", "-c", "echo out; echo err >&2; exit 3")
    with pytest.raises(nm.ProgramFailed, match="exit code 3") as caught:
        done.check_returncode()
    assert (caught.value.said, caught.value.completed) == ("err", done)
    with pytest.raises(nm.ProgramFailed):
        shell(web, "exit 255", check=True)
    assert nm.exec(web, "echo 'two  words' $HOME", text=True, check=True).stdout == "two  words $HOME\n"
    assert nm.exec(f"pod/{web}", ["true"]).returncode == 0
    assert shell(web, "printf 'gr\\303\\274n \\377'", text=True).stdout == "grün �"


@pytest.mark.parametrize("code", [0, 1, 2, 126, 127, 255])
def test_every_exit_code(web: str, code: int) -> None:
    assert shell(web, f"exit {code}").returncode == code


def test_every_byte_both_ways(web: str) -> None:
    done = nm.exec(web, "cat", stdin=EVERY * 1000)
    assert (done.stdout, done.stderr) == (EVERY * 1000, b"")
    done = shell(web, "cat >&2", stdin=EVERY)
    assert (done.stdout, done.stderr) == (b"", EVERY)
    assert nm.exec(web, "cat", stdin="grün\n", text=True).stdout == "grün\n"


def test_input_ends(web: str) -> None:
    assert nm.exec(web, "wc -c", stdin=b"", text=True).stdout.strip() == "0"
    content = random.Random(1).randbytes(4 * 1024 * 1024)
    assert nm.exec(web, "sha256sum", stdin=content, text=True).stdout.split()[0] == hashlib.sha256(content).hexdigest()


def test_without_input_there_is_none(web: str) -> None:
    assert nm.exec(web, "cat").stdout == b""


def test_twenty_megabytes(web: str) -> None:
    size = 20 * 1024 * 1024
    content = nm.exec(web, ["sh", "-c", f"yes 0123456789abcde | head -c {size}; echo end >&2; exit 7"])
    assert (len(content.stdout), content.stderr, content.returncode) == (size, b"end\n", 7)
    assert hashlib.sha256(content.stdout).digest() == hashlib.sha256(b"0123456789abcde\n" * (size // 16)).digest()


def test_a_program_that_does_not_read_its_input(web: str) -> None:
    for code in range(20):
        done = shell(web, f"echo no >&2; exit {code}", stdin=bytes(4 * 1024 * 1024))
        assert (done.returncode, done.stderr) == (code, b"no\n")


FOR_EVER = "while :; do echo $0; sleep 0.1; done"
"""A program that is ended by its connection's end: one that neither reads nor writes is not, whoever started it."""


def test_the_time_limit_ends_it(web: str) -> None:
    with pytest.raises(nm.TimedOut, match="did not end within 4 s") as caught:
        nm.exec(web, ["sh", "-c", FOR_EVER, "limit-98765"], timeout=4)  # its start included, on a busy machine
    assert caught.value.stdout.startswith(b"limit-98765\n")
    eventually(lambda: not running("limit-98765"), "the process has ended")
    with pytest.raises(nm.TimedOut):
        nm.exec(web, ["sh", "-c", "cat; : input-98765"], stdin=bytes(64), timeout=0.001)
    eventually(lambda: not running("cat; : input-98765"), "the process has ended")


def running(word: str) -> list[psutil.Process]:
    return [process for process in psutil.process_iter(["cmdline"]) if word in (process.info["cmdline"] or ())]


def test_there_is_no_such_thing(web: str, namespace: str) -> None:
    with pytest.raises(nm.NotFound, match="'no-such-command' cannot be run in container main of pod") as caught:
        nm.exec(web, "no-such-command")
    assert "not found" in (caught.value.said or "")
    with pytest.raises(nm.InvalidArgument, match="no container 'nope'") as refused:
        nm.exec(web, "true", container="nope")
    assert refused.value.todo == "one of: main, side, setup"
    with pytest.raises(nm.NotFound, match="web-1") as missing:
        nm.exec("web-1", "true")
    assert "web-0" in (missing.value.todo or "")
    with pytest.raises(nm.InvalidArgument, match="selects no pods"):
        nm.exec("configmap/kube-root-ca.crt", "true")


def test_containers(web: str, control_plane: ControlPlane, namespace: str) -> None:
    where = partial(shell, web, "echo $CONTAINER", text=True)
    assert where().stdout == "main\n"
    assert where(container="side").stdout == "side\n"
    assert where(container="setup").stdout == "setup\n"
    patch = {"spec": {"ephemeralContainers": [{"name": "debug", "image": "x"}]}}
    control_plane.kubectl(
        "patch", "pod", web, "-n", namespace, "--subresource=ephemeralcontainers", "-p", json.dumps(patch)
    )
    assert where(container="debug").stdout == "debug\n"
    control_plane.kubectl("annotate", "pod", web, "-n", namespace, "kubectl.kubernetes.io/default-container=side")
    assert where().stdout == "side\n"


def test_workloads_services_objects_and_rows(web: str, control_plane: ControlPlane, namespace: str) -> None:
    control_plane.kubectl("create", "deployment", "api", "-n", namespace, "--image=x", "--replicas=2")
    control_plane.kubectl("rollout", "status", "deployment/api", "-n", namespace, "--timeout=60s")
    control_plane.kubectl("expose", "deployment", "api", "-n", namespace, "--port=80")
    for target in ("deploy/api", "deployments.apps/api", "svc/api", "rs/" + nm.get("rs").rows[0]["Name"]):
        assert nm.exec(target, "true").pod.startswith("api-")
    pods = nm.get("pods")
    assert nm.exec(pods["web-0"], "true").pod == "web-0"
    assert nm.exec(next(row for row in pods.rows if row["Name"] == "web-0"), "true").pod == "web-0"
    assert nm.exec(nm.get("deploy", "api"), "true").pod.startswith("api-")
    control_plane.kubectl("scale", "deployment", "api", "-n", namespace, "--replicas=0")
    eventually(lambda: len(nm.get("pods")) == 1, "the pods are gone")
    with pytest.raises(nm.NotFound, match=r"no pod of deploy/api is ready: it has none"):
        nm.exec("deploy/api", "true")


def test_two_of_that_name(web: str, control_plane: ControlPlane, namespace: str) -> None:
    other = f"{namespace}-b"
    control_plane.kubectl("create", "namespace", other)
    create(control_plane, pod("web-0", other))
    with pytest.raises(nm.Ambiguous, match="is there 2 times"):
        nm.exec("web-0", "true", namespace=[namespace, other])
    control_plane.kubectl("delete", "namespace", other, "--wait=false")


def test_looking_is_the_default(web: str, control_plane: ControlPlane) -> None:
    nm.connect(kubeconfig=control_plane.kubeconfig)
    with pytest.raises(nm.WriteRefused, match="look only") as caught:
        nm.exec(web, "true")
    assert caught.value.todo == "connect with nm.connect(..., write=True)"


def test_the_missing_right_is_named(web: str, control_plane: ControlPlane, namespace: str, tmp_path: Path) -> None:
    for name, rules, verb in (
        ("viewer", ["get,list pods"], "get"),
        ("getter", ["get,list pods", "get pods/exec"], "create"),
    ):
        nm.connect(kubeconfig=user(control_plane, tmp_path / name, name, namespace, *rules), write=True)
        with pytest.raises(nm.Forbidden, match=f"you may not {verb} pods/exec in namespace {namespace}") as caught:
            nm.exec(web, "true", namespace=namespace)
        assert "--verb=get,create --resource=pods/exec" in (caught.value.todo or "")
    path = user(control_plane, tmp_path / "runner", "runner", namespace, "get,list pods", "get,create pods/exec")
    nm.connect(kubeconfig=path, write=True)
    assert nm.exec(web, "true", namespace=namespace).returncode == 0


async def test_awaited_side_by_side(web: str) -> None:
    results = await asyncio.gather(*(aio.exec(web, ["sh", "-c", f"echo {n}"], text=True) for n in range(20)))
    assert [done.stdout for done in results] == [f"{n}\n" for n in range(20)]
    unwanted = asyncio.create_task(aio.exec(web, ["sh", "-c", FOR_EVER, "unwanted-98765"], timeout=None))
    await asyncio.to_thread(eventually, lambda: running("unwanted-98765"), "it runs")
    unwanted.cancel()
    with pytest.raises(asyncio.CancelledError):
        await unwanted
    await asyncio.to_thread(eventually, lambda: not running("unwanted-98765"), "it has ended")
