"""autoscaling/v1 beside v2: both servers say the same of an autoscaler in the version that it was not written in."""

from __future__ import annotations

import json
from typing import Any

from tests.controlplane.sides import Json
from tests.playground import RunningPlayground
from tests.testbed.control_plane import ControlPlane
from tests.unit.playground.client import MERGE, STRATEGIC, Client
from tests.unit.playground.test_autoscaling_v1 import CPU, METRICS, V1, V2, autoscaler

PREFIX = "autoscaling.alpha.kubernetes.io/"
BEHAVIOR = {"scaleDown": {"stabilizationWindowSeconds": 60}}


def written(obj: Json) -> Json:
    """The spec, and what annotations say of it."""
    annotations = obj["metadata"].get("annotations") or {}
    said = {
        name: json.loads(annotations[PREFIX + name]) for name in ("metrics", "behavior") if PREFIX + name in annotations
    }
    return {"apiVersion": obj["apiVersion"], "spec": obj["spec"], "said": said}


def conversed(client: Client) -> list[Any]:
    """What a server says of autoscalers that are written in one version and read in the other."""
    made = [
        client.ask("POST", V2, autoscaler("v2", "k-new", metrics=[*METRICS, CPU], behavior=BEHAVIOR)),
        client.ask("POST", V1, autoscaler("v1", "k-old", targetCPUUtilizationPercentage=33)),
        client.ask("POST", V1, autoscaler("v1", "k-bare")),
        client.ask("PATCH", f"{V1}/k-new", {"spec": {"targetCPUUtilizationPercentage": 41}}, media=STRATEGIC),
        client.ask("PATCH", f"{V1}/k-old", {"spec": {"targetCPUUtilizationPercentage": None}}, media=MERGE),
    ]
    seen = [client.get(f"{path}/{name}") for path in (V1, V2) for name in ("k-new", "k-old", "k-bare")]
    gone = [client.ask("DELETE", f"{V1}/{name}").json()["status"] for name in ("k-new", "k-old", "k-bare")]
    return [*[(one.status, written(one.json())) for one in (*made, *seen)], gone]


def test_versions_are_converted_alike(playground: RunningPlayground, control_plane: ControlPlane):
    ours, real = (conversed(Client(side.kubeconfig)) for side in (playground, control_plane))
    for found, expected in zip(ours, real, strict=True):
        assert found == expected
    assert ours[0][0] == 201
