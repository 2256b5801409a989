"""Our own printers give the cells that a real API server prints, for objects of all kinds that it serves by itself."""

from __future__ import annotations

import json
import re
import ssl
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from notebook_mux.printers import PRINTERS
from tests.testbed.control_plane import ControlPlane
from tests.waiting import eventually

TIMES = re.compile(r"\b(?:\d+[ydhms]){1,2}\b")
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"

UNPRINTED = {
    "ipaddresses.networking.k8s.io",  # the server gives more cells than it has columns
    "podcertificaterequests.certificates.k8s.io",
    "resourcepoolstatusrequests.resource.k8s.io",
    "storageversions.internal.apiserver.k8s.io",
}
"""Kinds that nobody looks at in a table: their cells are asked of the server."""


@pytest.fixture
def objects(control_plane: ControlPlane, namespace: str) -> Iterator[set[str]]:
    """Objects of the kinds in ``printed.yaml``, gone after the test; gives the kinds that could be made."""
    text = Path(__file__).with_name("printed.yaml").read_text().replace("NAMESPACE", namespace)
    found = list(yaml.safe_load_all(text.replace("NAME", namespace)))
    words = ("-n", namespace, "-f", "-")
    try:
        control_plane.kubectl("create", *words, input=yaml.safe_dump_all(found))
        yield {one["kind"] for one in found}
    finally:
        control_plane.kubectl("delete", "--ignore-not-found", "--wait=false", *words, input=yaml.safe_dump_all(found))


def get(plane: ControlPlane, path: str, accept: str = "application/json") -> Any:
    pki = plane.folder / "pki"
    context = ssl.create_default_context(cafile=str(pki / "ca.crt"))
    context.load_cert_chain(str(pki / "admin.crt"), str(pki / "admin.key"))
    request = urllib.request.Request(plane.server + path)
    request.add_header("Accept", accept)
    with urllib.request.urlopen(request, context=context, timeout=20) as answer:
        return json.load(answer)


def plain(cells: list[Any]) -> list[Any]:
    """Cells without the times in them."""
    return [TIMES.sub("~", cell) if isinstance(cell, str) else cell for cell in cells]


def placed(obj: Any) -> tuple[str, str, str]:
    """What tells objects of one kind, and their states, apart."""
    metadata = obj["metadata"]
    return metadata.get("namespace", ""), metadata["name"], metadata.get("resourceVersion", "")


def served(plane: ControlPlane) -> Iterator[tuple[str, str, str]]:
    """All kinds that can be listed: the resource with its group, its kind, its path."""
    groups = [("", "/api/v1")]
    groups += [
        (one["name"], f"/apis/{one['preferredVersion']['groupVersion']}") for one in get(plane, "/apis")["groups"]
    ]
    for group, path in groups:
        if group.endswith(".k8s.io") or "." not in group:  # custom kinds have their columns from their definitions
            for one in get(plane, path)["resources"]:
                if "/" not in one["name"] and "list" in one["verbs"]:
                    yield f"{one['name']}.{group}".rstrip("."), one["kind"], f"{path}/{one['name']}"


def test_the_server_and_we_print_the_same(control_plane: ControlPlane, objects: set[str]) -> None:
    seen: set[str] = set()

    def all_kinds_seen() -> bool:
        seen.update(same(control_plane))
        return objects <= seen

    # Controllers change what was just made: an object may be another one in each of the two lists, but not for long.
    eventually(all_kinds_seen, seconds=100)


def same(control_plane: ControlPlane) -> set[str]:
    """Compare all that is there; gives the kinds that could be."""
    seen: set[str] = set()
    for resource, kind, path in served(control_plane):
        if resource in UNPRINTED:
            continue
        assert resource in PRINTERS, f"{resource} has no printer"
        rows = get(control_plane, path, TABLE)["rows"] or []
        items = {placed(one): one for one in get(control_plane, path)["items"]}
        for row in rows:
            item = items.get(placed(row["object"]))
            if item is None:
                continue  # it came, went or changed between the two lists
            seen.add(kind)
            wanted = plain(row["cells"])
            if resource == "storageclasses.storage.k8s.io":  # lists alone mark the default
                wanted[0] = wanted[0].removesuffix(" (default)")
            assert plain(PRINTERS[resource](item, time.time())) == wanted, f"{resource} {row['cells'][0]}"
    return seen
