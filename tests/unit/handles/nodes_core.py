"""A core whose cluster has nodes, too, and whose gateway is this user's own."""

from __future__ import annotations

import os
from concurrent.futures import Future
from typing import Any

import pytest

from notebook_mux.handles.identity import Identity
from notebook_mux.kernel.failure import Failure
from notebook_mux.life import process, runtime
from tests.unit import fake_core
from tests.unit.fake_core import done, manager
from tests.unit.handles.pods_core import PodsCore

PODS = "/api/v1/namespaces/default/pods"


def node(name: str, system: str = "linux", **condition: str) -> dict[str, Any]:
    """One that is ready, unless its condition says otherwise."""
    ready = {"type": "Ready", "status": "True", **condition}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name},
        "status": {"nodeInfo": {"operatingSystem": system}, "conditions": [ready]},
    }


class NodesCore(PodsCore):
    """Its gateway is this very process; `held` are the paths of that one's terminals, `own` those of the kernel's."""

    def __init__(self) -> None:
        super().__init__()
        self.nodes = {name: node(name) for name in ("n1", "n2")}
        self.held: list[str] | Failure = []
        self.own: list[str] = []
        self.terminals: Any = self

    def gateway(self, conn: str) -> Future[Any]:
        """Its status."""
        held = self.held
        return done(held if isinstance(held, Failure) else {"terminals": [{"path": path} for path in held]})

    def all(self, conn: str | None = None) -> list[dict[str, Any]]:
        """The kernel's own terminals."""
        return [{"path": path} for path in self.own]

    def status(self, conn: str | None = None) -> dict[str, Any]:
        return {**super().status(conn), "instance": "instance"}


@pytest.fixture
def core(monkeypatch: pytest.MonkeyPatch) -> NodesCore:
    core = NodesCore()
    monkeypatch.setattr(fake_core, "FakeCore", lambda: core)
    fake_core.install(monkeypatch)
    ours = runtime.Entry({}, os.getpid(), process.start_mark(os.getpid()), 1.0, 1, "token", "instance", "1", {})
    monkeypatch.setattr(runtime, "read", lambda path: ours)
    return core


@pytest.fixture
def identity(core: NodesCore) -> Identity:
    return manager(core)._identity
