# ruff: noqa: E501 - a command is one line, as it is typed
"""A stock kubectl's exec, attach, cp, run and debug against the playground."""

from __future__ import annotations

import os
import pty
import re
import select
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from notebook_mux.playground.scenarios import Settings
from tests.playground import RunningPlayground
from tests.unit.playground.sandboxes import SAYS, SHELLS, need
from tests.waiting import eventually

pytestmark = pytest.mark.skipif(shutil.which("kubectl") is None, reason="there is no kubectl on the PATH")

WAIT_S = 60.0
Kubectl = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module", params=SHELLS)
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPlayground]:
    need(request.param)
    folder = tmp_path_factory.mktemp("kubectl")
    one = RunningPlayground(folder, "first-look", settings=Settings(still=True), shell=request.param)
    yield one
    one.close()


@pytest.fixture(scope="module")
def command(running: RunningPlayground) -> list[str]:
    cache = running.kubeconfig.parent / "cache"
    return ["kubectl", "--kubeconfig", str(running.kubeconfig), "--cache-dir", str(cache)]


@pytest.fixture(scope="module")
def kubectl(command: list[str], running: RunningPlayground) -> Kubectl:
    def run(*words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run([*command, *words], capture_output=True, text=True, timeout=WAIT_S, input=stdin,
                              check=False, cwd=running.kubeconfig.parent)  # fmt: skip

    return run


@pytest.fixture(scope="module")
def web(kubectl: Kubectl) -> str:
    return kubectl("get", "pods", "-l", "app=web", "-o", "jsonpath={.items[0].metadata.name}").stdout


class Typed:
    """kubectl on a terminal of its own."""

    def __init__(self, *words: str):
        pid, self._fd = pty.fork()
        if pid == 0:
            os.execvp(words[0], words)
        self._pid = pid
        self.shown = ""

    def sees(self, pattern: str) -> None:
        """Until something is shown that was not seen before."""
        deadline = time.monotonic() + WAIT_S
        while not (match := re.search(pattern, self.shown)):
            assert time.monotonic() < deadline, (pattern, self.shown)
            if select.select([self._fd], [], [], 0.2)[0]:
                try:
                    self.shown += os.read(self._fd, 65536).decode(errors="replace")
                except OSError:  # it has ended
                    assert re.search(pattern, self.shown), (pattern, self.shown)
        self.shown = self.shown[match.end() :]

    def type(self, text: str) -> None:
        os.write(self._fd, text.encode())

    def ends(self) -> int:
        """Its exit code."""
        deadline = time.monotonic() + WAIT_S
        while True:
            pid, status = os.waitpid(self._pid, os.WNOHANG)
            if pid:
                os.close(self._fd)
                return os.waitstatus_to_exitcode(status)
            assert time.monotonic() < deadline, self.shown
            if select.select([self._fd], [], [], 0.05)[0]:
                try:
                    self.shown += os.read(self._fd, 65536).decode(errors="replace")
                except OSError:
                    pass


def test_exec(kubectl: Kubectl, web: str):
    done = kubectl("exec", web, "--", "sh", "-c", "echo out; echo err >&2; exit 3")
    assert (done.returncode, done.stdout) == (3, "out\n")
    assert done.stderr == "err\ncommand terminated with exit code 3\n"
    assert kubectl("exec", "-i", web, "--", "tr", "a-z", "A-Z", stdin="piped\n").stdout == "PIPED\n"
    assert kubectl("exec", "deploy/web", "--", "hostname").stdout.startswith("web-")
    done = kubectl("exec", web, "--", "nope")
    assert (done.returncode, 'exec: "nope": executable file not found in $PATH' in done.stderr) == (1, True)
    assert "container nope is not valid for pod" in kubectl("exec", web, "-c", "nope", "--", "ls").stderr
    dns = kubectl("get", "pods", "-n", "kube-system", "-l", "app=coredns", "-o", "name").stdout.splitlines()[0]
    assert "executable file not found" in kubectl("exec", "-n", "kube-system", dns, "--", "sh").stderr


def test_copies(kubectl: Kubectl, web: str, tmp_path: Path):
    folder = tmp_path / "from"
    (folder / "inner").mkdir(parents=True)
    (folder / "inner" / "file").write_bytes(bytes(range(256)) * 500)
    assert kubectl("cp", str(folder), f"{web}:/tmp/to").returncode == 0
    assert kubectl("exec", web, "--", "wc", "-c", "/tmp/to/inner/file").stdout == "128000 /tmp/to/inner/file\n"
    assert kubectl("cp", f"{web}:/tmp/to", str(tmp_path / "back")).returncode == 0
    assert (tmp_path / "back" / "inner" / "file").read_bytes() == bytes(range(256)) * 500


def test_an_interactive_shell(command: list[str], web: str, running: RunningPlayground):
    typed = Typed(*command, "exec", "-it", web, "--", "bash")
    typed.sees(f"{SAYS[running.playground.cluster.shell]}[^$]*root@\\S+:/# ")
    typed.type("cd /etc/ngi\t\r")
    typed.sees(r"cd /etc/nginx/\S*\r\n[^$]*:/etc/nginx# ")
    typed.type("for i in 1 2; do\r")
    typed.sees("> ")
    typed.type("echo n$i; done\r")
    typed.sees("n1\r\nn2\r\n.*# ")
    typed.type("\x1b[A\x1b[A\x01echo up: \x05 \r")  # history, to the line's beginning and end
    typed.sees(r"\r\nup: cd /etc/nginx.*\r\n.*# ")
    typed.type("nonsens\x7f\x7f\x15echo gone\r")
    typed.sees("gone\r\n.*# ")
    typed.type("bash -c 'echo sle\"\"eps; exec sleep 100'\r")
    typed.sees("sleeps\r\n")  # not before: while it hands the terminal on, a real shell has no use for a key
    typed.type("\x03")
    typed.sees(r"\^C\r\n.*# ")
    typed.type("exit 7\r")
    assert typed.ends() == 7


def test_run_and_attach(command: list[str], kubectl: Kubectl):
    typed = Typed(*command, "run", "box", "-it", "--image=busybox", "--restart=Never", "--", "sh")
    typed.sees("/ # ")
    typed.type("echo $((6*7))\r")
    typed.sees("42\r\n/ # ")
    typed.type("exit 4\r")
    assert typed.ends() == 4
    assert "42" in kubectl("logs", "box").stdout
    done = kubectl(
        "run", "piped", "-i", "--rm", "--image=busybox", "--restart=Never", "--", "sh", stdin="hostname; exit 2\n"
    )
    assert (done.returncode, done.stdout.splitlines()[0]) == (2, "piped")
    kubectl("run", "script", "--image=busybox", "--restart=Never", "--", "sh", "-c",
            "ls / | wc -l > /tmp/n; [ $(cat /tmp/n) -gt 9 ] && echo many; exit 6")  # fmt: skip
    code = ("get", "pod", "script", "-o", "jsonpath={.status.containerStatuses[0].state.terminated.exitCode}")
    eventually(lambda: kubectl(*code).stdout == "6", "the script has ended", seconds=WAIT_S)
    assert kubectl("logs", "script").stdout == "many\n"


def test_debug(command: list[str], kubectl: Kubectl, web: str):
    typed = Typed(*command, "debug", "-it", web, "--image=busybox", "--target=web", "-c", "bug")
    typed.sees("/ # ")
    typed.type("ps; cat /proc/1/root/etc/nginx/nginx.conf | head -1\r")
    typed.sees("nginx: master process[^$]*user +nginx;\r\n/ # ")
    typed.type("exit\r")
    assert typed.ends() == 0
    state = kubectl("get", "pod", web, "-o", "jsonpath={.status.ephemeralContainerStatuses[0].state.terminated.reason}")
    assert state.stdout == "Completed"
    done = kubectl("debug", web, "--image=busybox", "--target=nope")
    assert (done.returncode, 'targetContainerName: Not found: "nope"' in done.stderr) == (1, True)
    typed = Typed(*command, "debug", "node/demo-node-2", "-it", "--image=busybox")
    typed.sees("/ # ")
    typed.type("chroot /host cat /etc/hostname\r")
    typed.sees("demo-node-2\r\n/ # ")
    typed.type("exit\r")
    assert typed.ends() == 0


def test_a_signal_restarts_a_server(kubectl: Kubectl):
    api = "killed"  # of the image of the scenario's own, whose pods an autoscaler takes away
    kubectl("run", api, "--image=ghcr.io/example/api:4.2.1")
    kubectl("wait", "--for=condition=Ready", f"pod/{api}", f"--timeout={WAIT_S:.0f}s")
    assert kubectl("exec", api, "--", "sh", "-c", "echo x > /tmp/x").returncode == 0
    assert kubectl("exec", api, "--", "kill", "1").returncode == 0
    count = (
        "get",
        "pod",
        api,
        "-o",
        "jsonpath={.status.containerStatuses[0].restartCount} {.status.containerStatuses[0].lastState.terminated.exitCode}",
    )
    eventually(lambda: kubectl(*count).stdout == "1 143", "it is started again", seconds=WAIT_S)
    assert kubectl("exec", api, "--", "cat", "/tmp/x").returncode == 1, "with fresh files"
