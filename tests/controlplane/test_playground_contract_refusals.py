"""What people get wrong: an object that cannot be is refused in the same words, one that is odd is warned of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from notebook_mux.playground.kinds import built_in
from tests.controlplane.sides import Json
from tests.playground import RunningPlayground
from tests.testbed.control_plane import ControlPlane
from tests.unit.playground.client import STRATEGIC, Client
from tests.unit.playground.objects import path_of

MISTAKES: list[tuple[str, Json]] = yaml.safe_load(Path(__file__).with_name("mistakes.yaml").read_text())
LEAST = 280
"""Of them; a file that was cut would show nothing."""


def path(plural: str) -> str:
    resource = next(kind.resource for kind in built_in() if kind.plural == plural and kind.served)
    return path_of(resource, "default")


def answered(side: Client, plural: str, obj: Json) -> tuple[Any, ...]:
    """All that a client goes by."""
    answer = side.ask("POST", path(plural), obj, dryRun="All")
    body = answer.json()
    warnings = sorted(answer.headers.get_all("Warning") or [])
    if answer.status < 400:
        return answer.status, warnings
    causes = (body.get("details") or {}).pop("causes", [])
    said = sorted((one["field"], one.get("reason", ""), one["message"]) for one in causes)
    return answer.status, body["reason"], body["message"], body.get("details"), said, warnings


def test_mistakes_are_refused_in_the_same_words(playground: RunningPlayground, control_plane: ControlPlane):
    ours, real = Client(playground.kubeconfig), Client(control_plane.kubeconfig)
    assert len(MISTAKES) >= LEAST
    refused = 0
    for plural, obj in MISTAKES:
        expected = answered(real, plural, obj)
        assert answered(ours, plural, obj) == expected, (plural, obj)
        refused += expected[0] == 422
    assert refused >= LEAST * 4 // 5


@pytest.mark.parametrize("name", ["default", "kube-system", "kube-public"])
def test_namespaces_that_are_always_there(side: Client, name: str):
    answer = side.ask("DELETE", f"/api/v1/namespaces/{name}", dryRun="All")
    assert (answer.status, answer.json()["message"]) == (
        403,
        f'namespaces "{name}" is forbidden: this namespace may not be deleted',
    )


def test_changes_are_looked_at_as_new_objects_are(side: Client, place: str):
    pods = f"{place}/pods"
    pod = {"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "p"},
           "spec": {"schedulerName": "nobody", "containers": [{"name": "a", "image": "b"}]}}  # fmt: skip
    assert side.ask("POST", pods, pod).status == 201
    answer = side.ask("PATCH", f"{pods}/p", {"metadata": {"labels": {"a b": "c"}}}, media=STRATEGIC)
    assert answer.status == 422
    assert answer.json()["message"].startswith(
        'Pod "p" is invalid: metadata.labels: Invalid value: "a b": name part must'
    )
    assert answer.json()["details"]["causes"][0]["field"] == "metadata.labels"


@pytest.mark.parametrize(
    ("size", "status"), [(1024 * 1024 - 1, 201), (1024 * 1024 + 1, 422)], ids=["fits", "does not fit"]
)
def test_the_size_of_a_config_map(side: Client, place: str, size: int, status: int):
    big = {"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": "big"}, "data": {"x": "a" * size}}
    answer = side.ask("POST", f"{place}/configmaps", big, dryRun="All")
    assert answer.status == status
    if status == 422:
        assert (
            answer.json()["message"] == 'ConfigMap "big" is invalid: []: Too long: may not be more than 1048576 bytes'
        )
