"""A namespace of a side, with kubectl beside the API."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.controlplane.sides import Json
from tests.testbed import build
from tests.unit.playground.client import MERGE, Client
from tests.waiting import eventually

SECONDS = 120.0
TOOK_S = 60


class Place:
    """A namespace of a side: objects by kubectl and by the API."""

    def __init__(self, side: Client, path: str, kubeconfig: Path):
        self.side, self.path, self._kubeconfig = side, path, kubeconfig
        self.name = path.rsplit("/", 1)[1]

    def of(self, resource: str, name: str = "", group: str = "") -> str:
        root = self.path.replace("/api/v1", f"/apis/{group}") if group else self.path
        return f"{root}/{resource}" + (f"/{name}" if name else "")

    def make(self, kind: str, name: str, spec: Json, api: str = "apps/v1") -> Json:
        path = self.of(f"{kind.lower()}s", group="" if api == "v1" else api)
        made = self.side.ask("POST", path, {"apiVersion": api, "kind": kind, "metadata": {"name": name}, "spec": spec})
        assert made.status == 201, made.body
        found: Json = made.json()
        return found

    def get(self, resource: str, name: str = "", group: str = "apps/v1", **query: Any) -> Json:
        found: Json = self.side.get(self.of(resource, name, "" if group == "v1" else group), **query).json()
        return found

    def patch(self, resource: str, name: str, body: Json, group: str = "apps/v1") -> None:
        answer = self.side.ask("PATCH", self.of(resource, name, "" if group == "v1" else group), body, media=MERGE)
        assert answer.status == 200, answer.body

    def pods(self, app: str) -> list[Json]:
        found = self.get("pods", group="v1", labelSelector=f"app={app}")["items"]
        return [one for one in found if "deletionTimestamp" not in one["metadata"]]

    def messages(self, reason: str, name: str) -> list[str]:
        query = {"fieldSelector": f"reason={reason},involvedObject.name={name}"}
        return [one["message"] for one in self.get("events", group="v1", **query)["items"]]

    def kubectl(self, *words: str, fails: bool = False) -> str:
        command = [str(build.control_plane_binary()), "kubectl", "--kubeconfig", str(self._kubeconfig), "-n", self.name]
        done = subprocess.run([*command, *words], capture_output=True, text=True, timeout=TOOK_S + 30, check=False)
        assert bool(done.returncode) == fails, (words, done.stdout, done.stderr)
        return done.stderr if fails else done.stdout

    def until(self, condition: Callable[[], object], what: str = "") -> None:
        eventually(condition, what, seconds=SECONDS, pause=0.05)


@pytest.fixture
def here(side: Client, place: str, request: pytest.FixtureRequest) -> Iterator[Place]:
    which = "playground" if "playground" in request.node.callspec.id else "control_plane"
    found = Place(side, place, request.getfixturevalue(which).kubeconfig)
    found.until(lambda: side.get(f"{place}/serviceaccounts/default").status == 200)
    yield found
    for resource in ("deployments", "statefulsets", "daemonsets"):
        for one in found.get(resource)["items"]:
            side.ask("DELETE", found.of(resource, one["metadata"]["name"], "apps/v1"))
