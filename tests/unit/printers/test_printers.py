"""What the contract tests do not compare with the real server: ages, and kinds that its controllers would change."""

from __future__ import annotations

from typing import Any

import pytest

from notebook_mux.playground.clock import rfc3339
from notebook_mux.playground.columns import definitions
from notebook_mux.playground.kinds import Kinds, custom
from notebook_mux.playground.scenarios.backups import COLUMNS
from notebook_mux.printers import PRINTERS
from notebook_mux.printers.cluster import ROLE_PREFIX
from notebook_mux.printers.custom import print_custom
from notebook_mux.printers.paths import MISSING, find
from notebook_mux.printers.storage import default_class
from tests.unit.playground.objects import printed
from tests.unit.playground.worlds import NOW


def ago(seconds: float) -> str:
    return rfc3339(NOW - seconds)


def cells(resource: str, obj: dict[str, Any]) -> list[Any]:
    obj["metadata"] = {"name": "x", "creationTimestamp": ago(90), **obj.get("metadata", {})}
    return PRINTERS[resource](obj, NOW)


def test_each_kind_prints_as_many_cells_as_it_has_columns():
    for kind in Kinds():
        if kind.served and kind.group != "metrics.k8s.io":  # a metrics server prints its own
            empty = PRINTERS[kind.resource]({"metadata": {}}, NOW)
            assert len(empty) == len(definitions(kind)), kind.resource
    for resource, obj, status in printed():
        assert len(cells(resource, {**obj, "status": status})) == len(definitions(Kinds().of(resource)))


def test_ages_count_to_now():
    container = {"name": "a", "restartCount": 3, "ready": True, "state": {"running": {}},
                 "lastState": {"terminated": {"finishedAt": ago(300)}}}  # fmt: skip
    pod = {"spec": {"containers": [{}]}, "status": {"phase": "Running", "containerStatuses": [container]}}
    assert cells("pods", pod)[:5] == ["x", "1/1", "Running", "3 (5m ago)", "90s"]
    running = {"spec": {}, "status": {"startTime": ago(61)}}
    assert cells("jobs.batch", running)[1:5] == ["Running", "0/1", "61s", "90s"]
    done = {"spec": {"completions": 3}, "status": {"startTime": ago(500), "completionTime": ago(400), "succeeded": 3,
            "conditions": [{"type": "Complete", "status": "True"}]}}  # fmt: skip
    assert cells("jobs.batch", done)[1:4] == ["Complete", "3/3", "100s"]
    assert cells("jobs.batch", {"spec": {"parallelism": 4}})[1:4] == ["Running", "0/1 of 4", ""]


@pytest.mark.parametrize(
    ("conditions", "deleted", "said"),
    [
        (["Failed", "Suspended"], True, "Failed"),
        (["Suspended"], True, "Terminating"),
        (["Suspended", "FailureTarget"], False, "Suspended"),
        (["FailureTarget"], False, "FailureTarget"),
        (["SuccessCriteriaMet"], False, "SuccessCriteriaMet"),
    ],
)
def test_the_status_of_a_job(conditions: list[str], deleted: bool, said: str):
    job = {"metadata": {"deletionTimestamp": ago(1)} if deleted else {},
           "status": {"conditions": [{"type": one, "status": "True"} for one in conditions]}}  # fmt: skip
    assert cells("jobs.batch", job)[1] == said


def test_pods_that_go():
    deleted = {"deletionTimestamp": ago(1)}
    assert cells("pods", {"metadata": deleted, "status": {"phase": "Running"}})[2] == "Terminating"
    assert cells("pods", {"metadata": deleted, "status": {"phase": "Succeeded"}})[2] == "Succeeded"
    assert cells("pods", {"metadata": deleted, "status": {"phase": "Running", "reason": "NodeLost"}})[2] == "Unknown"


def test_nodes():
    info = {"kubeletVersion": "v1", "kernelVersion": "6", "architecture": "arm64", "osImage": "os"}
    node = {
        "metadata": {"labels": {f"{ROLE_PREFIX}worker": "", "kubernetes.io/role": "b", ROLE_PREFIX: ""}},
        "spec": {"unschedulable": True},
        "status": {"conditions": [{"type": "Ready", "status": "Unknown"}], "nodeInfo": info,
                   "addresses": [{"type": "InternalIP", "address": "10.0.0.1"}]},
    }  # fmt: skip
    assert cells("nodes", node) == [
        "x", "NotReady,SchedulingDisabled", "b,worker", "90s", "v1", "10.0.0.1", "<none>", "os", "6 (arm64)",
        "<unknown>",
    ]  # fmt: skip
    assert cells("nodes", {})[1:3] == ["Unknown", "<none>"]


def test_workloads_in_the_middle_of_something():
    template = {"spec": {"containers": [{"name": "a", "image": "b"}], "nodeSelector": {"k": "v"}}}
    counts = {"desiredNumberScheduled": 5, "currentNumberScheduled": 4, "numberReady": 3, "updatedNumberScheduled": 2,
              "numberAvailable": 1}  # fmt: skip
    assert cells("daemonsets.apps", {"spec": {"template": template}, "status": counts}) == [
        "x", 5, 4, 3, 2, 1, "k=v", "90s", "a", "b", "<none>",
    ]  # fmt: skip
    state = {"readyReplicas": 1, "updatedReplicas": 2, "availableReplicas": 1}
    assert cells("deployments.apps", {"spec": {"replicas": 3}, "status": state})[1:5] == ["1/3", 2, 1, "90s"]
    cron = {"spec": {"schedule": "* * * * *"}, "status": {"active": [{}, {}], "lastScheduleTime": ago(30)}}
    assert cells("cronjobs.batch", cron)[1:7] == ["* * * * *", "<none>", "<unset>", 2, "30s", "90s"]


def test_volumes():
    claim = {"spec": {"volumeName": "v", "storageClassName": "c"},
             "status": {"phase": "Bound", "capacity": {"storage": "8Gi"},
                        "accessModes": ["ReadWriteOncePod"]}}  # fmt: skip
    assert cells("persistentvolumeclaims", claim) == [
        "x",
        "Bound",
        "v",
        "8Gi",
        "RWOP",
        "c",
        "<unset>",
        "90s",
        "<unset>",
    ]
    volume = {
        "spec": {"capacity": {"storage": "8Gi"}, "claimRef": {"namespace": "n", "name": "c"}},
        "status": {"phase": "Bound"},
    }
    assert cells("persistentvolumes", volume)[:6] == ["x", "8Gi", "", "", "Bound", "n/c"]
    balancer = {
        "spec": {
            "type": "LoadBalancer",
            "clusterIPs": ["1.2.3.4"],
            "ports": [{"port": 80, "nodePort": 30080, "protocol": "TCP"}],
        }
    }
    assert cells("services", balancer)[1:5] == ["LoadBalancer", "1.2.3.4", "<pending>", "80:30080/TCP"]


def test_the_default_storage_class_is_the_newest():
    def of(name: str, stamp: str, default: str = "true") -> dict[str, Any]:
        annotations = {"storageclass.kubernetes.io/is-default-class": default}
        return {"metadata": {"name": name, "creationTimestamp": stamp, "annotations": annotations}}

    assert default_class([]) == ""
    assert default_class([of("b", ago(5)), of("a", ago(5)), of("old", ago(9)), of("no", ago(1), "false")]) == "a"


def crd(columns: Any) -> Any:
    version: dict[str, Any] = {"name": "v1", "served": True, "storage": True}
    if columns is not None:
        version["additionalPrinterColumns"] = columns
    names = {"plural": "xs", "kind": "X"}
    kind = custom({"spec": {"group": "g.io", "scope": "Namespaced", "names": names, "versions": [version]}})
    assert kind is not None
    return kind


def test_custom_kinds_have_the_columns_of_their_definition():
    kind = crd(COLUMNS)
    assert [column["type"] for column in definitions(kind)][1:] == [
        "string", "string", "integer", "number", "boolean", "date", "date",
    ]  # fmt: skip
    obj = {"metadata": {"name": "a", "creationTimestamp": ago(90)}, "spec": {"source": ["x", 1]},
           "status": {"progress": 7.9, "gibibytes": 2, "verified": "yes", "lastBackupTime": ago(3600)}}  # fmt: skip
    assert print_custom(kind.columns, obj, NOW) == ["a", '["x",1]', None, 7, 2.0, None, "60m", "90s"]
    obj["status"] = {"lastBackupTime": "yesterday", "phase": None}
    assert print_custom(kind.columns, obj, NOW)[2:7] == ["", None, None, None, "<invalid>"]
    plain = crd(None)
    assert [column["name"] for column in definitions(plain)] == ["Name", "Age"]
    assert print_custom(plain.columns, obj, NOW) == ["a", "90s"]
    assert print_custom(crd([]).columns, obj, NOW) == ["a"]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (".a.b", 1),
        (".list[0]", {"t": "x", "v": 1}),
        (".list[-1].v", 2),
        (".list[7]", MISSING),
        ('.list[?(@.t=="y")].v', 2),
        ('.list[?(@.t=="z")].v', MISSING),
        (".list[*].v", 1),
        (r".a.dotted\.key", 3),
        (".a['dotted.key']", 3),
        (".none.x", MISSING),
        (".a.b.c", MISSING),
        ("{broken", MISSING),
    ],
)
def test_paths(path: str, value: Any):
    obj = {"a": {"b": 1, "dotted.key": 3}, "list": [{"t": "x", "v": 1}, {"t": "y", "v": 2}]}
    assert find(obj, path) == value
