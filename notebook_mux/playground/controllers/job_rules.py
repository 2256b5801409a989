"""What a job's rules say of its pods: indexes, the policies for failures and success, the wait after failures.

Behaviour and words follow kubernetes/pkg/controller/job.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from notebook_mux.playground.clock import since_epoch

Json = dict[str, Any]

INDEX = "batch.kubernetes.io/job-completion-index"
"""An annotation and a label of a pod of an indexed job."""

FAILURES = "batch.kubernetes.io/job-index-failure-count"
BACK_OFF_S, BACK_OFF_LIMIT_S = 10.0, 600.0
"""After a failure, doubled with each more (DefaultJobPodFailureBackOff, MaxJobPodFailureBackOff)."""

IGNORE, COUNT, FAIL_INDEX, FAIL_JOB = "Ignore", "Count", "FailIndex", "FailJob"


def is_indexed(spec: Json) -> bool:
    """Whether each pod has a number of its own."""
    return bool(spec.get("completionMode") == "Indexed")


def index_of(pod: Json) -> int | None:
    """A pod's number; None without one."""
    said = (pod["metadata"].get("annotations") or {}).get(INDEX, "")
    return int(said) if said.isdigit() else None


def read_indexes(text: str, most: int) -> set[int]:
    """The numbers of ``1,3-5``, below a limit."""
    found: set[int] = set()
    for part in text.split(",") if text else ():
        first, _, last = part.partition("-")
        found.update(range(int(first), int(last or first) + 1))
    return {one for one in found if one < most}


def write_indexes(numbers: Iterable[int]) -> str:
    """``1,3-5`` of numbers, as statuses have them."""
    spans: list[list[int]] = []
    for one in sorted(numbers):
        if spans and spans[-1][1] == one - 1:
            spans[-1][1] = one
        else:
            spans.append([one, one])
    return ",".join(str(a) if a == b else f"{a},{b}" if b == a + 1 else f"{a}-{b}" for a, b in spans)


def wait(failures: int, last: float, now: float) -> float:
    """Seconds until a pod may take the place of one that has failed."""
    if not failures:
        return 0.0
    return max(0.0, last + min(BACK_OFF_S * 2.0 ** (failures - 1), BACK_OFF_LIMIT_S) - now)


def ended_at(pod: Json) -> float:
    """When a pod ended, Unix seconds: its last container, else since when it is not ready."""
    status = pod.get("status") or {}
    ends = [((one.get("state") or {}).get("terminated") or {}).get("finishedAt")
            for one in status.get("containerStatuses") or ()]  # fmt: skip
    known = [one for one in ends if one]
    if known and len(known) == len(ends):
        return max(since_epoch(one) for one in known)
    for one in status.get("conditions") or ():
        if one["type"] == "Ready" and one["status"] == "False" and one.get("lastTransitionTime"):
            return since_epoch(one["lastTransitionTime"])
    return since_epoch(pod["metadata"]["creationTimestamp"])


def policy(spec: Json, pod: Json) -> tuple[str, str]:
    """What the policy for failures says of a pod that has failed: an action, and why, where it fails the job."""
    for number, rule in enumerate((spec.get("podFailurePolicy") or {}).get("rules") or ()):
        action = rule["action"]
        where = f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"
        if (codes := rule.get("onExitCodes")) is not None:
            found = _ended(pod, codes)
            if found is not None:
                code = found["state"]["terminated"]["exitCode"]
                return action, (
                    f"Container {found['name']} for pod {where} failed with exit code {code} matching {action} "
                    f"rule at index {number}"
                )
        else:
            wanted = {(one["type"], one.get("status", "True")) for one in rule.get("onPodConditions") or ()}
            for one in (pod.get("status") or {}).get("conditions") or ():
                if (one["type"], one["status"]) in wanted:
                    return action, f"Pod {where} has condition {one['type']} matching {action} rule at index {number}"
    return COUNT, ""


def _ended(pod: Json, codes: Json) -> Json | None:
    for kind in ("containerStatuses", "initContainerStatuses"):
        for one in (pod.get("status") or {}).get(kind) or ():
            ended = (one.get("state") or {}).get("terminated")
            if not ended or not ended["exitCode"] or codes.get("containerName", one["name"]) != one["name"]:
                continue
            if (ended["exitCode"] in codes["values"]) == (codes["operator"] == "In"):
                found: Json = one
                return found
    return None


def success(spec: Json, indexes: set[int]) -> str:
    """Which rule of the policy for success is met; empty if none is."""
    for number, rule in enumerate((spec.get("successPolicy") or {}).get("rules") or ()):
        count = rule.get("succeededCount")
        if "succeededIndexes" in rule:
            wanted = read_indexes(rule["succeededIndexes"], spec["completions"])
            met = len(wanted & indexes) >= (len(wanted) if count is None else count)
        else:
            met = count is not None and len(indexes) >= count
        if met:
            return f"Matched rules at index {number}"
    return ""


def with_index(template: Json, job: str, index: int, failures: int | None) -> Json:
    """A pod template for a number: a copy with its annotation, label, host name and variable."""
    metadata, spec = dict(template.get("metadata") or {}), dict(template.get("spec") or {})
    metadata["annotations"] = {**(metadata.get("annotations") or {}), INDEX: str(index)}
    if failures is not None:
        metadata["annotations"][FAILURES] = str(failures)
    metadata["labels"] = {**(metadata.get("labels") or {}), INDEX: str(index)}
    spec["hostname"] = f"{job}-{index}"
    variable = {
        "name": "JOB_COMPLETION_INDEX",
        "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": f"metadata.labels['{INDEX}']"}},
    }
    for kind in ("initContainers", "containers"):
        if kind in spec:
            spec[kind] = [{**one, "env": [*(one.get("env") or ()), variable]} for one in spec[kind]]
    return {"metadata": metadata, "spec": spec}
