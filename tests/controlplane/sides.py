"""The two that must not be told apart, and a place in each for a test's objects."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.unit.playground.client import Client

Json = dict[str, Any]


@pytest.fixture(params=["playground", "real"])
def side(request: pytest.FixtureRequest) -> Client:
    """One of the two."""
    if request.param == "playground":
        return Client(request.getfixturevalue("playground").kubeconfig)
    return Client(request.getfixturevalue("control_plane").kubeconfig)


@pytest.fixture
def place(side: Client, request: pytest.FixtureRequest) -> Iterator[str]:
    """The path of an empty namespace of this test's own."""
    name = f"c{abs(hash(request.node.nodeid)) % 10**9}"
    made = side.ask("POST", "/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    assert made.status == 201, made.body
    # What a real namespace has from its beginning comes a moment later, and one from another controller than the other.
    for kind, needed in (("configmaps", "kube-root-ca.crt"), ("serviceaccounts", "default")):
        with side.watch(f"/api/v1/namespaces/{name}/{kind}", fieldSelector=f"metadata.name={needed}") as events:
            next(events)
    yield f"/api/v1/namespaces/{name}"
    side.ask("DELETE", f"/api/v1/namespaces/{name}")


def config_map(name: str, **data: str) -> Json:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "labels": {"of": "test"}}, "data": data}
