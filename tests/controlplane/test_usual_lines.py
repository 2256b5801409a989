"""That a real API server writes the lines of a Table watch as the fast way of reading them expects."""

from __future__ import annotations

import asyncio

import pytest

from notebook_mux.gateway.lines import LineSplitter
from notebook_mux.kube import table_events as wire
from tests.controlplane.test_upstream import cluster_of
from tests.testbed.control_plane import ControlPlane

pytestmark = pytest.mark.control_plane

CHANGES = 5


async def test_all_changes_but_the_first_are_read_in_one_pass(control_plane: ControlPlane, namespace: str) -> None:
    splitter, lines = LineSplitter(), []
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    async with (
        asyncio.timeout(60),
        cluster_of(control_plane.kubeconfig) as cluster,
        cluster.stream(path, f"{wire.INCLUDE}&watch=1", headers={"Accept": wire.ACCEPT}) as response,
    ):
        assert response.status == 200
        for number in range(CHANGES):
            name = f"kept-{number}"
            await asyncio.to_thread(control_plane.kubectl, "create", "configmap", name, "-n", namespace)
        await asyncio.to_thread(control_plane.kubectl, "delete", "configmap", "kept-0", "-n", namespace)
        while not any(b'"DELETED"' in line for line in lines):
            lines += splitter.feed(await response.content.readany())
    assert wire.usual(lines[0]) is None  # it has the columns
    for line in lines[1:]:
        found = wire.usual(line)
        assert found is not None, line
        kind, metadata, cells, content = found
        event = wire.decode_event(line)
        [row] = event.object.rows or []
        assert (kind, bytes(cells), content) == (event.type, bytes(row.cells), bytes(row.object))
        assert metadata == wire.decode_content(row.object).metadata
    assert len(lines) > CHANGES
