"""The two that must not be told apart, both at once: a step is taken on each, and what they say is compared."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.playground import RunningPlayground
from tests.testbed.control_plane import ControlPlane
from tests.unit.playground.client import Client
from tests.waiting import eventually

NEEDED = ("serviceaccounts/default", "configmaps/kube-root-ca.crt")
"""What a namespace has from its beginning; it comes a moment later."""


class Pair:
    """The playground and the real server, in this order.

    Args:
        kubeconfigs: How to reach them.
    """

    def __init__(self, *kubeconfigs: Path):
        self.kubeconfigs = kubeconfigs
        self._sides = tuple(Client(one) for one in kubeconfigs)
        self._made: list[str] = []

    def __iter__(self) -> Iterator[Client]:
        return iter(self._sides)

    def place(self, name: str) -> str:
        """The path of a new namespace of that name on both sides."""
        path = f"/api/v1/namespaces/{name}"
        body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        self._made.append(path)
        for side in self:
            assert side.ask("POST", "/api/v1/namespaces", body).status == 201
        for side in self:
            eventually(partial(_is_there, side, path), name, seconds=90)
        return path

    def clear(self) -> None:
        """Delete the namespaces again."""
        for side in self:
            for path in self._made:
                side.ask("DELETE", path, {"propagationPolicy": "Background"})


def _is_there(side: Client, path: str) -> bool:
    return all(side.get(f"{path}/{one}").status == 200 for one in NEEDED)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory, control_plane: ControlPlane) -> Iterator[Pair]:
    """Both servers, for all tests of a module; `Pair.place` gives each test a place of its own."""
    running = RunningPlayground(tmp_path_factory.mktemp("pair"), "empty")
    both = Pair(running.kubeconfig, control_plane.kubeconfig)
    yield both
    both.clear()
    running.close()
