"""Write the playground's OpenAPI data from the test bed's API server.

    python -m tests.testbed.openapi DIR        # the folder of a test bed that runs, see `python -m tests.testbed`

The file is the same for the same server; `tests/controlplane/test_playground_contract_openapi.py` fails where it is
old.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import notebook_mux.playground.schemas as schemas_of_playground
from notebook_mux.playground.schemas import library
from tests.testbed.control_plane import POLL_SECONDS, ControlPlane, Failed, Refused

Json = dict[str, Any]
Fetch = Callable[[str], Any]

TARGET = Path(schemas_of_playground.__file__).parent / library.DATA

DOCUMENTS = (
    "admissionregistration.k8s.io/v1", "apiextensions.k8s.io/v1", "apiregistration.k8s.io/v1", "apps/v1",
    "authentication.k8s.io/v1", "authorization.k8s.io/v1", "autoscaling/v1", "autoscaling/v2", "batch/v1",
    "certificates.k8s.io/v1", "coordination.k8s.io/v1", "discovery.k8s.io/v1", "events.k8s.io/v1",
    "flowcontrol.apiserver.k8s.io/v1", "networking.k8s.io/v1", "node.k8s.io/v1", "policy/v1",
    "rbac.authorization.k8s.io/v1", "scheduling.k8s.io/v1", "storage.k8s.io/v1",
)  # fmt: skip
"""The stable groups: those that the playground serves, and those it may. Without dynamic resource allocation."""

OF_EACH_DOCUMENT = ("DeleteOptions", "WatchEvent")
"""Kinds of apimachinery that say in each document that they are of this document's group as well."""

WORTH_SHARING = 64
EPOCH = (1980, 1, 1, 0, 0, 0)
GVK = "x-kubernetes-group-version-kind"


def contents(fetch: Fetch) -> dict[str, bytes]:
    """The members of the data file.

    Args:
        fetch: Gets a document of ``/openapi/v3`` by its name there, such as ``apis/apps/v1``.
    """
    groups = sorted({name.partition("/")[0] for name in DOCUMENTS})
    names = ["api", "apis", "version", "api/v1", *(f"apis/{name}" for name in DOCUMENTS),
             *(f"apis/{group}" for group in groups)]  # fmt: skip
    packages: dict[str, Json] = {}
    kinds = set()
    members: dict[str, Any] = {}
    for name in names:
        document = fetch(name)
        for defined, schema in document["components"]["schemas"].items():
            schema = _plain(defined, schema, name)
            before = packages.setdefault(library.package(defined), {}).setdefault(defined, schema)
            if before != schema:
                raise ValueError(f"{defined} is another in {name}")
            for one in schema.get(GVK, ()):
                kinds.add((one["group"], one["version"], one["kind"], defined))
        head = {"openapi": document["openapi"], "info": document["info"],
                "securitySchemes": document["components"]["securitySchemes"]}  # fmt: skip
        if members.setdefault("head.json", head) != head:
            raise ValueError(f"{name} has another head")
        members[f"paths/{name}.json"] = library.fold(document["paths"], WORTH_SHARING)
    members["kinds.json"] = sorted(kinds)
    members |= {f"definitions/{name}.json": found for name, found in packages.items()}
    return {name: _text(found) for name, found in sorted(members.items())}


def _text(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def templates(plane: ControlPlane) -> dict[str, bytes]:
    """The members for custom kinds: what the server says of one of each scope."""
    found = {}
    for scope in ("Namespaced", "Cluster"):
        plane.api(f"/apis/{CRDS}", _stand_in(scope))
        name = f"apis/{library.STAND_IN_GROUP}/v1"
        try:
            document = _wait_for(plane, name, scope)
        finally:
            plane.api(f"/apis/{CRDS}/{library.STAND_IN_PLURAL}.{library.STAND_IN_GROUP}", method="DELETE")
            _wait_until_gone(plane, name)
        own = {key: value for key, value in document["components"]["schemas"].items() if key.startswith("in.stand.")}
        paths = library.fold(document["paths"], WORTH_SHARING)
        found[f"templates/{scope.lower()}.json"] = _text({"paths": paths, "schemas": own})
    return found


CRDS = "apiextensions.k8s.io/v1/customresourcedefinitions"
SECONDS = 30.0


def _stand_in(scope: str) -> Json:
    schema = {"openAPIV3Schema": {"type": "object"}}
    version = {"name": "v1", "served": True, "storage": True, "schema": schema,
               "subresources": {"status": {}, "scale": {"specReplicasPath": ".spec.replicas",
                                                        "statusReplicasPath": ".status.replicas"}}}  # fmt: skip
    names = {"plural": library.STAND_IN_PLURAL, "kind": library.STAND_IN_KIND}
    spec = {"group": library.STAND_IN_GROUP, "names": names, "scope": scope, "versions": [version]}
    metadata = {"name": f"{library.STAND_IN_PLURAL}.{library.STAND_IN_GROUP}"}
    return {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": metadata,
            "spec": spec}  # fmt: skip


def _wait_for(plane: ControlPlane, name: str, scope: str) -> Json:
    """The document of a kind that is new."""
    path = f"/apis/{library.STAND_IN_GROUP}/v1/"
    path += ("namespaces/{namespace}/" if scope == "Namespaced" else "") + library.STAND_IN_PLURAL
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        with contextlib.suppress(Refused):
            document: Json = json.loads(plane.api(f"/openapi/v3/{name}"))
            if path in document["paths"]:
                return document
        time.sleep(POLL_SECONDS)
    raise Failed(f"no document {name} after {SECONDS} s")


def _wait_until_gone(plane: ControlPlane, name: str) -> None:
    deadline = time.monotonic() + SECONDS
    while name in json.loads(plane.api("/openapi/v3"))["paths"] and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)


def _plain(name: str, schema: Json, document: str) -> Json:
    """A definition without what is added to it in each document."""
    if name.rpartition(".")[2] not in OF_EACH_DOCUMENT or GVK not in schema:
        return schema
    group, _, version = document.partition("/")[2].rpartition("/")
    own = {"group": group if document.startswith("apis/") else "", "version": version}
    kept = [one for one in schema[GVK] if not one["group"]]
    there = [{key: one[key] for key in ("group", "version")} for one in schema[GVK]]
    if own not in there or len(there) > 2:
        raise ValueError(f"{name} in {document} is of {there}")
    return {**schema, GVK: kept}


def write(target: Path, members: dict[str, bytes]) -> None:
    """Write the data file."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name, EPOCH), content, zipfile.ZIP_DEFLATED, 9)


def fetcher(plane: ControlPlane) -> Fetch:
    """Gets documents of a test bed's API server."""
    return lambda name: json.loads(plane.api(f"/openapi/v3/{name}"))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.testbed.openapi", description=__doc__)
    parser.add_argument("folder", type=Path)
    plane = ControlPlane.attach(parser.parse_args().folder)
    members = contents(fetcher(plane)) | templates(plane)
    write(TARGET, members)
    print(f"{TARGET}: {TARGET.stat().st_size} bytes, {len(members)} members")


if __name__ == "__main__":
    main()
