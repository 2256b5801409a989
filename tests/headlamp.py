"""Headlamp servers for tests: a real one where an environment variable names it, and our own gateway's dialect.

``NOTEBOOK_MUX_HEADLAMP_SERVER=/path/to/headlamp-server`` (built from kubernetes-sigs/headlamp: ``go build ./cmd`` in
its folder ``backend``). Without it the tests with a real server are skipped, and say so.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from notebook_mux.urls import split_token
from tests import waiting
from tests.conftest import ORIGINAL_ENVIRON
from tests.serving import Place
from tests.testbed.control_plane import ControlPlane

VARIABLE = "NOTEBOOK_MUX_HEADLAMP_SERVER"
SERVERS = ["real", "ours"]
START_SECONDS = 60.0
END_SECONDS = 30.0

CERTIFICATE, TOKEN = "certificate", "token"
"""The clusters of a test's server: the same one, with a client certificate (which Headlamp's multiplexer sends on) and
with the token of a service account (which it does not)."""

ACCOUNT = "headlamp"
"""The tests' own service account; the shared ``default`` one never gets rights."""

eventually = partial(waiting.eventually, seconds=START_SECONDS, pause=0.05)


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def kubeconfig_of(plane: ControlPlane, path: Path, **more: dict[str, Any]) -> Path:
    """A kubeconfig with the contexts `CERTIFICATE` and `TOKEN`; `more` are further contexts as (cluster entry)."""
    account = {"kind": "ServiceAccount", "name": ACCOUNT, "namespace": "default"}
    metadata = {"name": ACCOUNT, "namespace": "default"}
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"}
    binding = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": "tests-headlamp"},
        "roleRef": role,
        "subjects": [account],
    }
    for made in ({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata}, binding):
        plane.kubectl("apply", "-f", "-", input=json.dumps(made))
    config = json.loads(plane.write_kubeconfig(path, context=CERTIFICATE).read_text())
    cluster = config["clusters"][0]["cluster"]
    entries = {TOKEN: cluster, **more}
    config["users"].append({"name": ACCOUNT, "user": {"token": plane.token(ACCOUNT)}})
    for name, entry in entries.items():
        config["clusters"].append({"name": name, "cluster": entry})
        config["contexts"].append({"name": name, "context": {"cluster": name, "user": ACCOUNT}})
    path.write_text(json.dumps(config))
    return path


@dataclass
class HeadlampServer:
    """A process that speaks Headlamp's dialect; the same port through restarts.

    Attributes:
        kind: One of `SERVERS`.
        url: With a token in its query where it has one.
    """

    kind: str
    kubeconfig: Path
    folder: Path
    port: int = 0
    url: str = ""
    arguments: list[str] = field(default_factory=list)
    process: subprocess.Popen[str] | None = None
    place: Place = field(default_factory=Place)

    def start(self) -> HeadlampServer:
        """Start, and wait until it answers."""
        if self.kind == "ours":
            self._start_ours()
        else:
            self._start_real()
        self.place.give_up()
        return self

    def _start_real(self) -> None:
        self.port = self.port or free_port()
        plugins = self.folder / "plugins"
        plugins.mkdir(exist_ok=True)
        command = [ORIGINAL_ENVIRON[VARIABLE], "-listen-addr", "127.0.0.1", "-port", str(self.port)]
        command += ["-kubeconfig", str(self.kubeconfig), "-kubeconfig-dir", str(self.folder / "kc")]
        command += ["-plugins-dir", str(plugins), "-user-plugins-dir", str(plugins), *self.arguments]
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, text=True, env=dict(os.environ))
        self.url = f"http://127.0.0.1:{self.port}"
        eventually(self.answers, "the Headlamp server answers")

    def _start_ours(self) -> None:
        command = [sys.executable, "-m", "notebook_mux.gateway", "--kubeconfig", str(self.kubeconfig), "--write"]
        command += ["--port", str(self.port), *self.arguments]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=dict(os.environ))
        assert self.process.stdout is not None
        self.url = self.process.stdout.readline().strip()
        self.port = urlsplit(self.url).port or 0

    def config(self) -> Any:
        """What ``/config`` answers; None if that is no JSON."""
        base, token = split_token(self.url)
        request = urllib.request.Request(f"{base}/config")
        if token:
            request.add_header("X-HEADLAMP_BACKEND-TOKEN", token)
        try:
            with urllib.request.urlopen(request, timeout=5) as answer:
                return json.load(answer)
        except (OSError, ValueError):
            return None

    def answers(self) -> bool:
        """Whether its clusters are there."""
        config = self.config()
        return bool(config and config.get("clusters"))

    def kill(self) -> None:
        """SIGKILL: no goodbye."""
        self._signal(signal.SIGKILL)
        self._reap()
        self.place.keep(self.port)  # for its next start

    def stall(self) -> None:
        """SIGSTOP: its sockets stay open and it says nothing more, until `go_on`."""
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """SIGCONT."""
        self._signal(signal.SIGCONT)

    def end(self) -> None:
        """End it, whatever state it is in."""
        if self.process is not None and self.process.poll() is None:
            self.go_on()
            self.process.terminate()
            try:
                self._reap()
            except subprocess.TimeoutExpired:
                self.kill()
        self.place.give_up()

    def _signal(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def _reap(self) -> None:
        assert self.process is not None
        self.process.wait(END_SECONDS)
        if self.process.stdout is not None:
            self.process.stdout.close()


def why_not(kind: str) -> str | None:
    """Why there is no such server; None if there is."""
    if kind == "ours" and find_spec("notebook_mux.gateway.headlamp") is None:
        return "this gateway does not serve Headlamp's dialect"
    if kind == "real" and not ORIGINAL_ENVIRON.get(VARIABLE):
        return f"no real Headlamp server: build one from kubernetes-sigs/headlamp and name it in {VARIABLE}"
    return None


@pytest.fixture
def start_headlamp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., HeadlampServer]]:
    """``start_headlamp("real" | "ours", kubeconfig)``: starts a server, and ends it after the test."""
    started: list[HeadlampServer] = []

    def start(kind: str, kubeconfig: Path, *arguments: str) -> HeadlampServer:
        if (sentence := why_not(kind)) is not None:
            pytest.skip(sentence)
        made = HeadlampServer(kind, kubeconfig, tmp_path_factory.mktemp("headlamp"), arguments=list(arguments))
        started.append(made)
        made.start()
        eventually(made.answers, "it answers as a Headlamp server")
        return made

    yield start
    for server in started:
        server.end()
