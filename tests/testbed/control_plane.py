"""A real Kubernetes control plane on loopback, as an object: start, ask, break and end it.

etcd, kube-apiserver, controller-manager and scheduler are the real ones; in the nodes' place stand kwok, which moves
nodes and pods through their states, and a small kubelet for exec, attach, logs and port-forward.
"""

from __future__ import annotations

import contextlib
import dataclasses
import http.client
import json
import os
import shutil
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.testbed import build
from tests.testbed.certificates import Authority
from tests.testbed.parts import PARTS, Commands, Ports

READY_SECONDS = 90
"""It takes six seconds on two free cores; a busy machine gets fifteen times that."""
POLL_SECONDS = 0.05
ASKED_AGAIN_SECONDS = 10.0
"""For an answer of a server that starts, and may have missed the question."""
TRIES = 3
"""A port that was free may be taken by the time its server starts."""
STAGES = Path(__file__).with_name("stages.yaml")
"""What kwok's own stages leave out."""
PR_SET_PDEATHSIG = 1  # <linux/prctl.h>

LABELS = {"kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64", "node-role.kubernetes.io/worker": ""}
SIZE = {"cpu": "32", "memory": "256Gi", "pods": "20000"}


class Failed(RuntimeError):
    """The control plane, or a kubectl asked of it, did not do what it should; the message has its last words."""


class Refused(OSError):
    """The API server answered with an error: its number and its words."""


class ControlPlane:
    """One control plane in one folder.

    Args:
        folder: A new folder, or one that a control plane runs in (see `attach`).
        nodes: How many nodes kwok plays.
        apiserver_args: More flags of kube-apiserver.
        ends_with_us: Whether its parts die with this process (Linux); a control plane of the command line outlives it.
    """

    def __init__(
        self, folder: Path, *, nodes: int = 3, apiserver_args: tuple[str, ...] = (), ends_with_us: bool = True
    ) -> None:
        self.folder = folder.resolve()
        self.nodes = nodes
        self.kubeconfig = self.folder / "admin.kubeconfig"
        self._apiserver_args = apiserver_args
        self._ends_with_us = ends_with_us
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._ports = Ports.pick()
        self._kept: dict[str, Any] = {}  # ports of parts that were killed, by part: see `kill`

    @classmethod
    def attach(cls, folder: Path) -> ControlPlane:
        """The control plane that an earlier process started in ``folder``."""
        plane = cls(folder, ends_with_us=False)
        said = json.loads((plane.folder / "testbed.json").read_text())
        plane._ports, plane.nodes = Ports(**said["ports"]), said["nodes"]
        plane._apiserver_args = tuple(said["apiserver_args"])
        return plane

    @property
    def server(self) -> str:
        """The API server's URL."""
        return f"https://127.0.0.1:{self._ports.apiserver}"

    # ------------------------------------------------------------ life

    def up(self) -> ControlPlane:
        """Start everything; returns when all nodes are Ready.

        Raises:
            Failed: if it does not come up, with the last lines of the log of the part that failed.
        """
        if (self.folder / "etcd").exists():
            raise Failed(f"{self.folder} was used before: end that one with `down`, then name a new folder")
        build.build()
        for left in reversed(range(TRIES)):
            try:
                self._up()
            except Failed as failure:
                self.down()
                if not left or "address already in use" not in str(failure):
                    raise
                shutil.rmtree(self.folder / "etcd", ignore_errors=True)
                self._ports = Ports.pick()
            else:
                break
        return self

    def _up(self) -> None:
        authority = Authority(self.folder / "pki")
        authority.client("admin", "system:masters")
        self.write_kubeconfig(self.kubeconfig, "admin")
        said = {"ports": dataclasses.asdict(self._ports), "nodes": self.nodes, "apiserver_args": self._apiserver_args}
        (self.folder / "testbed.json").write_text(json.dumps(said))
        lines = (f"2026-01-01T00:00:0{n}.000000000Z stdout F line {n}\n" for n in range(3))
        (self.folder / "container.log").write_text("".join(lines))
        (self.folder / "logs").mkdir(exist_ok=True)
        self._launch("etcd")
        self._launch("apiserver")
        words = [str(build.control_plane_binary()), "stages"]
        stages = subprocess.run(words, check=True, stdout=subprocess.PIPE, timeout=READY_SECONDS).stdout
        (self.folder / "kwok.yaml").write_bytes(stages + b"---\n" + STAGES.read_bytes())
        self._launch("kubelet")
        self._wait("kube-apiserver", self._serves, "etcd", "apiserver")
        for number in range(self.nodes):
            labels = {**LABELS, "kubernetes.io/hostname": f"node-{number}"}
            node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": f"node-{number}", "labels": labels}}
            self.api("/api/v1/nodes", {**node, "status": {"capacity": SIZE, "allocatable": SIZE}})
        for part in ("kwok", "controller-manager", "scheduler"):
            self._launch(part)
        self._wait("nodes and service accounts", self._usable, *PARTS)

    def down(self) -> None:
        """End all parts and what they started (a shell in a pod is a process of this machine). Twice is fine."""
        pids = {part: pid for part in reversed(PARTS) if (pid := self._pid(part)) is not None}
        started = [child for pid in pids.values() for child in _children(pid)]
        for part, pid in pids.items():
            if self._alive(part, pid):
                _signal(pid, signal.SIGKILL)  # nothing of its data is needed again
        for child in started:
            _signal(child, signal.SIGKILL)
        for part, pid in pids.items():
            while self._alive(part, pid):  # a killed process goes; only its parent's wait may be due
                time.sleep(POLL_SECONDS)
            (self.folder / f"{part}.pid").unlink(missing_ok=True)
        self._children.clear()
        for place in self._kept.values():
            place.give_up()

    # ------------------------------------------------------------ faults

    def stop(self, part: str) -> None:
        """Stall ``part``: its sockets stay open and it says nothing more, until `cont`."""
        _signal(self._running(part), signal.SIGSTOP)

    def cont(self, part: str) -> None:
        """Let a stopped ``part`` go on."""
        _signal(self._running(part), signal.SIGCONT)

    def kill(self, part: str) -> None:
        """End ``part`` at once, without its goodbye; returns when it is gone."""
        pid = self._running(part)
        _signal(pid, signal.SIGKILL)
        while self._alive(part, pid):
            time.sleep(POLL_SECONDS)
        (self.folder / f"{part}.pid").unlink(missing_ok=True)
        if (port := getattr(self._ports, part, None)) is not None:
            from tests.serving import Place  # not before a session of tests has a home of its own

            self._kept.setdefault(part, Place()).keep(port)  # it may listen there again, and nobody else

    def start(self, part: str, *, wait: bool = True) -> None:
        """Start ``part`` again with its port and data; with ``wait``, return when the API server serves."""
        pid = self._pid(part)
        if pid is not None and self._alive(part, pid):
            raise Failed(f"{part} is running")
        self._launch(part)
        if wait:
            self._wait(part, self._serves, part)

    # ------------------------------------------------------------ asking

    def kubectl(self, *words: str, input: str | None = None, timeout: float = 60.0) -> str:  # noqa: A002 (subprocess's)
        """What a stock kubectl of the same version prints.

        Raises:
            Failed: if it fails, with its own words.
        """
        command = [str(build.control_plane_binary()), "kubectl", "--kubeconfig", str(self.kubeconfig), *words]
        done = subprocess.run(command, input=input, capture_output=True, text=True, timeout=timeout, check=False)
        if done.returncode:
            raise Failed(f"kubectl {' '.join(words)}: {done.stderr.strip() or done.stdout.strip()}")
        return done.stdout

    def established(self, definition: str) -> None:
        """Wait until a custom kind is served, and listed among the kinds: that comes a moment later."""
        self.kubectl("wait", f"crd/{definition}", "--for=condition=Established", "--timeout=50s")
        group = definition.partition(".")[2]
        deadline = time.monotonic() + READY_SECONDS
        while definition not in self.kubectl("api-resources", f"--api-group={group}", "-o", "name").split():
            if time.monotonic() > deadline:
                raise Failed(f"{definition} is not listed after {READY_SECONDS} s")
            time.sleep(POLL_SECONDS)

    def api(self, path: str, body: object = None, *, method: str | None = None, timeout: float = 60.0) -> bytes:
        """One request to the API server as its administrator; a body is sent as JSON.

        Raises:
            Refused: if the answer is an error.
            OSError: if there is none.
        """
        context = ssl.create_default_context(cafile=str(self.folder / "pki/ca.crt"))
        context.load_cert_chain(self.folder / "pki/admin.crt", self.folder / "pki/admin.key")
        data = None if body is None else json.dumps(body).encode()
        verb = method or ("GET" if data is None else "POST")
        connection = http.client.HTTPSConnection("127.0.0.1", self._ports.apiserver, timeout=timeout, context=context)
        with contextlib.closing(connection):
            connection.request(verb, path, data, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            said = answer.read()
        if answer.status >= http.HTTPStatus.BAD_REQUEST:
            raise Refused(answer.status, said.decode(errors="replace"))
        return said

    def token(self, account: str, namespace: str = "default", *, seconds: int = 3600) -> str:
        """A bearer token of a service account."""
        path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{account}/token"
        answer: dict[str, Any] = json.loads(self.api(path, {"spec": {"expirationSeconds": seconds}}))
        return str(answer["status"]["token"])

    def write_kubeconfig(self, path: Path, user: str = "admin", *, context: str = "testbed", **auth: object) -> Path:
        """A kubeconfig for this control plane: the user's certificate, or the ``auth`` given (``token="..."``)."""
        pki = self.folder / "pki"
        auth = auth or {"client-certificate": str(pki / f"{user}.crt"), "client-key": str(pki / f"{user}.key")}
        cluster = {"server": self.server, "certificate-authority": str(pki / "ca.crt")}
        path.write_text(json.dumps({
            "apiVersion": "v1", "kind": "Config", "current-context": context,
            "clusters": [{"name": context, "cluster": cluster}],
            "users": [{"name": user, "user": auth}],
            "contexts": [{"name": context, "context": {"cluster": context, "user": user}}],
        }, indent=1))  # fmt: skip
        return path

    # ------------------------------------------------------------ processes

    def _launch(self, part: str) -> None:
        words = Commands(self.folder, self._ports, self._apiserver_args).of(part)
        mortal = _die_with_parent if self._ends_with_us and sys.platform == "linux" else None
        with (self.folder / f"{part}.log").open("ab") as log:
            # Before its program starts, the child makes one system call, which takes no lock.
            child = subprocess.Popen(
                words,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                preexec_fn=mortal,  # noqa: PLW1509
            )
        self._children[part] = child
        (self.folder / f"{part}.pid").write_text(str(child.pid))

    def _pid(self, part: str) -> int | None:
        try:
            return int((self.folder / f"{part}.pid").read_text())
        except (OSError, ValueError):
            return None

    def _running(self, part: str) -> int:
        pid = self._pid(part)
        if pid is None or not self._alive(part, pid):
            raise Failed(f"{part} is not running")
        return pid

    def _alive(self, part: str, pid: int) -> bool:
        child = self._children.get(part)
        if child is not None and child.pid == pid:
            return child.poll() is None
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
        return True

    def _serves(self) -> bool:
        return self.api("/readyz", timeout=ASKED_AGAIN_SECONDS) == b"ok"

    def _usable(self) -> bool:
        found = json.loads(self.api("/api/v1/nodes"))["items"]
        conditions = [c for node in found for c in node["status"].get("conditions", [])]
        ready = sum((c["type"], c["status"]) == ("Ready", "True") for c in conditions)
        # A pod made before the default account is there is refused.
        return ready == self.nodes and bool(self.api("/api/v1/namespaces/default/serviceaccounts/default"))

    def _wait(self, what: str, ready: Callable[[], bool], *needed: str) -> None:
        last: Exception | None = None
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            try:
                if ready():
                    return
            except OSError as error:  # refused, reset, and 403, 404 and 503 while it starts
                last = error
            for part in needed:
                child = self._children.get(part)
                if child is not None and child.poll() is not None:
                    raise Failed(f"{part} ended with {child.returncode}:\n{self._last_words(part)}")
            time.sleep(POLL_SECONDS)
        raise Failed(f"{what}: not ready after {READY_SECONDS} s ({last}); see the logs in {self.folder}")

    def _last_words(self, part: str, lines: int = 15) -> str:
        said = (self.folder / f"{part}.log").read_text(errors="replace").splitlines()
        return "\n".join(said[-lines:])


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


def _children(pid: int) -> list[int]:
    import psutil

    try:
        return [child.pid for child in psutil.Process(pid).children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _die_with_parent() -> None:
    import ctypes

    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
