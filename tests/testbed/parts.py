"""The commands that a control plane consists of, and what each needs to know of the others."""

from __future__ import annotations

import socket
from dataclasses import dataclass, field
from pathlib import Path

from tests.testbed import build

PARTS = ("etcd", "apiserver", "controller-manager", "scheduler", "kwok", "kubelet")
"""In the order they start; they end in the other."""


def free_ports(count: int) -> list[int]:
    """Ports that were free a moment ago, all different."""
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]
    finally:
        for probe in probes:
            probe.close()


@dataclass
class Ports:
    """Where each part listens on loopback; they stay over a part's restart."""

    etcd: int
    peer: int
    apiserver: int
    kubelet: int
    kwok: int

    @classmethod
    def pick(cls) -> Ports:
        """Five free ones."""
        return cls(*free_ports(5))


@dataclass
class Commands:
    """The command line of each part of the control plane in ``folder``."""

    folder: Path
    ports: Ports
    apiserver_args: tuple[str, ...] = ()
    binary: Path = field(default_factory=build.control_plane_binary)
    kwok_binary: Path = field(default_factory=build.kwok_binary)

    def of(self, part: str) -> list[str]:
        """The words that start ``part``, one of `PARTS`."""
        words = {
            "etcd": self._etcd,
            "apiserver": self._apiserver,
            "controller-manager": self._controller_manager,
            "scheduler": self._scheduler,
            "kwok": self._kwok,
            "kubelet": self._kubelet,
        }[part]()
        program = self.kwok_binary if part == "kwok" else self.binary
        return [str(word) for word in ((program,) if part == "kwok" else (program, part)) + words]

    @property
    def _pki(self) -> Path:
        return self.folder / "pki"

    @property
    def _kubeconfig(self) -> Path:
        return self.folder / "admin.kubeconfig"

    def _etcd(self) -> tuple[object, ...]:
        store, peer = (f"http://127.0.0.1:{port}" for port in (self.ports.etcd, self.ports.peer))
        return (
            "--data-dir", self.folder / "etcd", "--unsafe-no-fsync", "--log-level=warn",
            "--listen-client-urls", store, "--advertise-client-urls", store,
            "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
            "--initial-cluster", f"default={peer}",
        )  # fmt: skip

    def _apiserver(self) -> tuple[object, ...]:
        pki = self._pki
        return (
            "--etcd-servers", f"http://127.0.0.1:{self.ports.etcd}",
            "--bind-address=127.0.0.1", "--advertise-address=127.0.0.1", "--secure-port", self.ports.apiserver,
            "--service-cluster-ip-range=10.96.0.0/16", "--endpoint-reconciler-type=none",
            "--tls-cert-file", pki / "server.crt", "--tls-private-key-file", pki / "server.key",
            "--client-ca-file", pki / "ca.crt", "--service-account-issuer=https://kubernetes.default.svc",
            "--service-account-key-file", pki / "accounts.key",
            "--service-account-signing-key-file", pki / "accounts.key",
            "--authorization-mode=Node,RBAC", "--allow-privileged", *self.apiserver_args,
        )  # fmt: skip

    def _controller_manager(self) -> tuple[object, ...]:
        pki = self._pki
        return (
            *self._client(), "--service-account-private-key-file", pki / "accounts.key",
            "--root-ca-file", pki / "ca.crt", "--cluster-signing-cert-file", pki / "ca.crt",
            "--cluster-signing-key-file", pki / "ca.key",
        )  # fmt: skip

    def _scheduler(self) -> tuple[object, ...]:
        return self._client()

    def _client(self) -> tuple[object, ...]:
        return "--kubeconfig", self._kubeconfig, "--leader-elect=false", "--bind-address=127.0.0.1", "--secure-port=0"

    def _kwok(self) -> tuple[object, ...]:
        return (
            "--kubeconfig", self._kubeconfig, "--config", self.folder / "kwok.yaml", "--manage-all-nodes",
            "--server-address", f"127.0.0.1:{self.ports.kwok}", "--node-ip=127.0.0.1",
            "--node-port", self.ports.kubelet, "--node-lease-duration-seconds=40",
        )  # fmt: skip

    def _kubelet(self) -> tuple[object, ...]:
        pki = self._pki
        return (
            "--address", f"127.0.0.1:{self.ports.kubelet}", "--folder", self.folder,
            "--kubeconfig", self._kubeconfig,
            "--tls-cert-file", pki / "server.crt", "--tls-private-key-file", pki / "server.key",
        )  # fmt: skip
