"""OpenAPI v3 and v2, and `kubectl explain`: the playground says of what it serves what the real server says."""

from __future__ import annotations

import subprocess
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.controlplane.sides import Json
from tests.playground import RunningPlayground
from tests.testbed import build, openapi
from tests.testbed.control_plane import ControlPlane
from tests.unit.playground.client import Answer, Client
from tests.waiting import eventually

GVK = "x-kubernetes-group-version-kind"
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


def crd(plural: str, kind: str, *, scope: str = "Namespaced", **version: Any) -> Json:
    part = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
    spec = {"type": "object", "description": "What is wanted.", "required": ["size"], "properties": {
        "size": {"type": "integer", "minimum": 1, "description": "How big."},
        "parts": {"type": "array", "items": part,
                  "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]},
        "more": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
    }}  # fmt: skip
    schema = {"type": "object", "description": f"A {kind}.", "properties": {"spec": spec}}
    names = {"plural": plural, "singular": kind.lower(), "kind": kind}
    served = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}, **version}
    return {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": f"{plural}.explained.io"},
            "spec": {"group": "explained.io", "scope": scope, "names": names, "versions": [served]}}  # fmt: skip


def define(side: Client, kind: Json) -> None:
    """Make a definition, when an earlier test's of that name is gone, and has gone from the documents in its own time:
    what is waited for in them afterwards is this one."""
    path = f"{CRDS}/{kind['metadata']['name']}"
    schema = f"io.explained.v1.{kind['spec']['names']['kind']}"
    eventually(lambda: side.get(path).status == 404, path, seconds=90)
    eventually(lambda: schema not in documented(side)["schemas"], f"{schema} is not in version 3", seconds=90)
    eventually(
        lambda: schema not in side.get("/openapi/v2").json()["definitions"], f"{schema} is not in version 2", seconds=90
    )
    made = side.ask("POST", CRDS, kind)
    assert made.status == 201, made.body


def test_the_data_is_what_the_server_says(control_plane: ControlPlane):
    members = openapi.contents(openapi.fetcher(control_plane)) | openapi.templates(control_plane)
    with zipfile.ZipFile(openapi.TARGET) as archive:
        written = {name: archive.read(name) for name in archive.namelist()}
    assert written == members, "run `python -m tests.testbed.openapi`"


def test_documents_are_the_real_ones_of_what_is_served(playground: RunningPlayground, control_plane: ControlPlane):
    ours, real = Client(playground.kubeconfig), Client(control_plane.kubeconfig)
    index, real_index = ours.get("/openapi/v3").json()["paths"], real.get("/openapi/v3").json()["paths"]
    assert set(index) <= set(real_index)
    assert {"api/v1", "apis/apps/v1", "apis/apps", "version"} <= set(index)
    for name in (
        "api/v1",
        "apis/apps",
        "apis/apps/v1",
        "apis/autoscaling/v2",
        "apis/authorization.k8s.io/v1",
        "version",
    ):
        found, expected = ours.get(f"/openapi/v3/{name}").json(), real.get(f"/openapi/v3/{name}").json()
        assert list(found) == list(expected)
        assert (found["openapi"], found["info"]) == (expected["openapi"], expected["info"])
        assert found["paths"], name
        for path, said in found["paths"].items():
            assert said == expected["paths"][path], path
        for defined, schema in found["components"]["schemas"].items():
            assert schema == expected["components"]["schemas"][defined], defined


def test_what_caches_go_by(side: Client):
    path, _, mark = side.get("/openapi/v3").json()["paths"]["apis/batch/v1"]["serverRelativeURL"].partition("?hash=")
    assert side.get("/openapi/v3").headers["Content-Type"] == "text/plain; charset=utf-8"
    answer = side.get(path, hash=mark)
    assert (answer.status, answer.headers["ETag"], answer.headers["Vary"]) == (200, f'"{mark}"', "Accept")
    assert answer.headers["Cache-Control"] == "public, immutable"
    assert answer.headers["Expires"].endswith(" UTC")
    assert answer.headers["Content-Type"] == "application/json"
    again = side.get(path, hash=mark, headers={"If-None-Match": f'"{mark}"'})
    assert (again.status, again.body, again.headers["ETag"]) == (304, b"", f'"{mark}"')
    plain = side.get(path)
    assert (plain.headers["Cache-Control"], plain.headers["Expires"], plain.body) == (
        "no-cache, private",
        None,
        answer.body,
    )
    other = side.get(path, hash="ABC")
    assert (other.status, other.headers["Location"]) == (301, f"{path}?hash={mark}")
    assert (side.get(path, accept="text/html").status, side.get(path, accept="*/*").status) == (406, 200)
    assert (side.get("/openapi/v3/apis/nope/v1").status, side.get("/openapi/v3/apis/nope/v1").body) == (404, b"")


PROTOBUF = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"


def test_version_2_is_the_real_one_of_what_is_served(playground: RunningPlayground, control_plane: ControlPlane):
    sides = [Client(playground.kubeconfig), Client(control_plane.kubeconfig)]
    for side in sides:
        define(side, crd("houses", "House"))
        eventually(
            lambda side=side: "io.explained.v1.House" in side.get("/openapi/v2").json()["definitions"],  # type: ignore[misc]
            seconds=90,
        )
    found, expected = (side.get("/openapi/v2").json() for side in sides)
    for side in sides:
        side.ask("DELETE", f"{CRDS}/houses.explained.io")
    assert list(found) == list(expected)
    assert {"/api/v1/pods", "/apis/explained.io/v1/houses"} <= set(found["paths"])
    for part in ("paths", "definitions", "parameters"):
        for name, said in found[part].items():
            theirs = expected[part].get(name)
            if name.endswith(openapi.OF_EACH_DOCUMENT):
                said, theirs = dict(said), dict(theirs)
                kinds, more = said.pop(GVK), theirs.pop(GVK)
                assert [one for one in more if one in kinds] == kinds
            assert said == theirs, name
    for part in ("info", "security", "securityDefinitions"):
        assert found[part] == expected[part]


def test_what_caches_of_version_2_go_by(side: Client):
    answers: list[Answer] = []

    def are_of_one_document() -> bool:
        plain, message = side.get("/openapi/v2"), side.get("/openapi/v2", accept=PROTOBUF)
        answers[:] = plain, message, side.get("/openapi/v2", headers={"If-None-Match": plain.headers["ETag"]})
        return answers[2].status == 304 and message.headers["ETag"] == plain.headers["ETag"]

    # A custom kind that another test has let go goes from the document in its own time, which may be between the two.
    eventually(are_of_one_document, "both forms are of one document", seconds=90)
    plain, message, again = answers
    assert plain.headers["Content-Type"] == "application/json"
    assert message.headers["Content-Type"] == "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
    mark = plain.headers["ETag"]
    assert (message.headers["ETag"], message.headers["Cache-Control"]) == (mark, "no-cache, private")
    assert (again.status, again.body, again.headers["ETag"]) == (304, b"", mark)
    statuses = [side.get("/openapi/v2", accept=one).status for one in ("text/html", "application/yaml", "*/*")]
    assert statuses == [406, 406, 200]


def documented(side: Client) -> Json:
    """What a server says of the custom kinds of these tests."""
    answer = side.get("/openapi/v3/apis/explained.io/v1")
    if answer.status != 200:
        return {"schemas": {}}
    return {"paths": answer.json()["paths"], "schemas": answer.json()["components"]["schemas"]}


def test_custom_kinds(playground: RunningPlayground, control_plane: ControlPlane):
    sides = [Client(playground.kubeconfig), Client(control_plane.kubeconfig)]
    scaled = {"scale": {"specReplicasPath": ".spec.size", "statusReplicasPath": ".status.size"}, "status": {}}
    kinds = [crd("houses", "House", subresources=scaled), crd("towns", "Town", scope="Cluster")]
    found: list[Json] = []
    wanted = {"io.explained.v1.House", "io.explained.v1.Town"}
    for side in sides:  # what an earlier test defined goes away in its own time
        eventually(
            lambda side=side: "apis/explained.io/v1" not in side.get("/openapi/v3").json()["paths"],  # type: ignore[misc]
            seconds=90,
        )
        for kind in kinds:
            define(side, kind)

        eventually(lambda side=side: wanted <= documented(side)["schemas"].keys(), seconds=90)  # type: ignore[misc]
        found.append(documented(side))
        for kind in kinds:
            side.ask("DELETE", f"{CRDS}/{kind['metadata']['name']}")
    for document in found:
        # The real server has here all groups that there ever were.
        document["schemas"]["io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions"].pop(GVK)
    assert found[0] == found[1]


EXPLAINED = [
    "pods",
    "pods.spec.containers --recursive",
    "deploy.spec.strategy",
    "jobs.spec.template.spec.volumes.secret",
    "hpa --api-version=autoscaling/v2",
    "houses.spec.parts",
    "houses --recursive",
    "pods.spec --output=plaintext-openapiv2",
    "houses.spec --recursive --output=plaintext-openapiv2",
    "pods.spec.nope",
    "nope",
]


def test_explain(playground: RunningPlayground, control_plane: ControlPlane, tmp_path: Path):
    said = []
    for number, kubeconfig in enumerate((playground.kubeconfig, control_plane.kubeconfig)):
        side = Client(kubeconfig)
        define(side, crd("houses", "House"))
        eventually(
            lambda side=side: (
                documented(side)["schemas"]  # type: ignore[misc]
                and "io.explained.v1.House" in side.get("/openapi/v2").json()["definitions"]
            ),
            seconds=90,
        )
        command = [str(build.control_plane_binary()), "kubectl", "--kubeconfig", str(kubeconfig),
                   "--cache-dir", str(tmp_path / str(number)), "explain"]  # fmt: skip
        answers = [subprocess.run([*command, *words.split()], capture_output=True, text=True) for words in EXPLAINED]
        said.append([(one.returncode, one.stdout, one.stderr) for one in answers])
        side.ask("DELETE", f"{CRDS}/houses.explained.io")
    for words, ours, real in zip(EXPLAINED, *said, strict=True):
        assert ours == real, words
    assert "FIELDS" in said[0][0][1]


@pytest.mark.parametrize("path", ["/openapi/v3/nope", "/openapi/nope"])
def test_what_is_not_there(side: Client, path: str):
    assert side.get(path).status == 404
