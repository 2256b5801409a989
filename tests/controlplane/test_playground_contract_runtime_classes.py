"""RuntimeClasses: both servers give pods the same of their class, and refuse the same."""

from __future__ import annotations

from typing import Any

from tests.controlplane.both import kept
from tests.controlplane.sides import Json
from tests.playground import RunningPlayground
from tests.testbed.control_plane import ControlPlane
from tests.unit.playground.client import MERGE, TABLE, Client
from tests.waiting import eventually

CLASSES = "/apis/node.k8s.io/v1/runtimeclasses"
PODS = "/api/v1/namespaces/default/pods"
TOLERATED = {"key": "kata", "operator": "Exists"}
KATA: Json = {
    "handler": "kata",
    "overhead": {"podFixed": {"memory": "120Mi", "cpu": "0.25"}},
    "scheduling": {"nodeSelector": {"kata": "yes"}, "tolerations": [TOLERATED]},
}
WRONG: list[Json] = [
    {}, {"handler": "A_b"},
    {"handler": "a", "overhead": {"podFixed": {"memory": "-1"}}, "scheduling": {
        "nodeSelector": {"a b": "c d"}, "tolerations": [{"operator": "Exists", "value": "x"}, TOLERATED, TOLERATED]}},
]  # fmt: skip
SPECS: list[Json] = [
    {"runtimeClassName": "nope"}, {"runtimeClassName": "A_b"}, {"overhead": {"cpu": "1"}}, {"runtimeClassName": "kata"},
    {"runtimeClassName": "kata", "overhead": {"cpu": "1"}}, {"runtimeClassName": "plain"},
    {"runtimeClassName": "kata", "overhead": {"cpu": "250m", "memory": "120Mi"}},
    {"runtimeClassName": "kata", "nodeSelector": {"kata": "no"}},
    {"runtimeClassName": "plain", "overhead": {"cpu": "1"}},
    {"runtimeClassName": "kata", "tolerations": [{"key": "b", "operator": "Exists"}, TOLERATED]},
]  # fmt: skip


def _class(name: str, **rest: Any) -> Json:
    return {"apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass", "metadata": {"name": name}, **rest}


def _pod(**spec: Any) -> Json:
    containers = [{"name": "a", "image": "a"}]
    metadata = {"name": "of-a-class"}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"containers": containers, **spec}}


def answers(side: Client) -> list[Any]:
    """What a server says of classes, and of pods that have one."""
    found = [side.ask("POST", CLASSES, one) for one in (_class("kata", **KATA), _class("plain", handler="runc"))]
    found += [side.ask("POST", CLASSES, _class("wrong", **one)) for one in WRONG]
    found += [side.ask("PATCH", f"{CLASSES}/kata", {"handler": "runc"}, media=MERGE)]

    def known() -> bool:  # the real server's admission hears of classes a moment later
        return all(side.ask("POST", PODS, _pod(runtimeClassName=name), dryRun="All").status == 201
                   for name in ("kata", "plain"))  # fmt: skip

    eventually(known, "the classes are known", seconds=90)
    made = [side.ask("POST", PODS, _pod(**spec), dryRun="All") for spec in SPECS]
    columns = side.get(CLASSES, accept=TABLE).json()
    for name in ("kata", "plain"):
        found.append(side.ask("DELETE", f"{CLASSES}/{name}"))
    pods = []
    for answer in made:
        body = answer.json()
        names = ("overhead", "nodeSelector", "tolerations", "runtimeClassName")
        pods.append([body["spec"].get(name) for name in names] if answer.status == 201 else body)
    return [*(kept(one.json()) for one in found), *pods, columns["columnDefinitions"],
            [row["cells"][:2] for row in columns["rows"]]]  # fmt: skip


def test_runtime_classes(playground: RunningPlayground, control_plane: ControlPlane):
    ours, real = (answers(Client(one.kubeconfig)) for one in (playground, control_plane))
    for found, expected in zip(ours, real, strict=True):
        if isinstance(found, dict):
            found, expected = ({**one, "details": {key: value for key, value in (one.get("details") or {}).items()
                                                  if key != "uid"}} for one in (found, expected))  # fmt: skip
        assert found == expected
