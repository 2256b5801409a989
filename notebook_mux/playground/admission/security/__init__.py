"""PodSecurity: the levels of the Pod Security Standards that a namespace's labels ask for.

``pod-security.kubernetes.io/enforce`` refuses pods, ``warn`` tells whoever creates them or what makes them, ``audit``
goes into the audit log, which the playground does not have. Checks are those of the standards as of Kubernetes 1.37; a
version in a label is read, but all versions are judged by the newest.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from notebook_mux.playground.admission.base import CREATE, UPDATE, Request
from notebook_mux.playground.admission.security.levels import BASELINE, PRIVILEGED, RESTRICTED, violations
from notebook_mux.playground.status import cause, invalid

Json = dict[str, Any]

PREFIX = "pod-security.kubernetes.io/"
LEVELS = (PRIVILEGED, BASELINE, RESTRICTED)
MODES = ("enforce", "audit", "warn")
LATEST = "latest"
_VERSION = re.compile(r"latest|v1\.(0|[1-9]\d*)")
MOST_CHECKED = 3000
"""Pods of a namespace that are looked at when its level is raised (the real plug-in's limit)."""

TEMPLATES: dict[str, tuple[str, ...]] = {
    "replicationcontrollers": ("spec", "template"),
    "replicasets.apps": ("spec", "template"),
    "deployments.apps": ("spec", "template"),
    "statefulsets.apps": ("spec", "template"),
    "daemonsets.apps": ("spec", "template"),
    "jobs.batch": ("spec", "template"),
    "cronjobs.batch": ("spec", "jobTemplate", "spec", "template"),
}
"""Kinds that make pods, and where their pods' template is."""


@dataclass(frozen=True)
class Policy:
    """A level and a version."""

    level: str = PRIVILEGED
    version: str = LATEST

    def __str__(self) -> str:
        return f"{self.level}:{self.version}"


def policies(labels: Mapping[str, str]) -> tuple[dict[str, Policy], list[Json]]:
    """What a namespace asks for in each mode, and what is wrong with its labels (causes of a 422)."""
    found, wrong = dict.fromkeys(MODES, Policy()), []
    for mode in MODES:
        level, version = labels.get(f"{PREFIX}{mode}"), labels.get(f"{PREFIX}{mode}-version")
        field = f"metadata.labels[{PREFIX}{mode}]"
        if level is not None and level not in LEVELS:
            said = f'Invalid value: "{level}": must be one of {", ".join(LEVELS)}'
            wrong.append(cause("FieldValueInvalid", field, said))
            level = RESTRICTED if mode == "enforce" else PRIVILEGED  # fails closed where it refuses
        if version is not None and not _VERSION.fullmatch(version):
            said = f'Invalid value: "{version}": must be "latest" or "v1.x"'
            wrong.append(cause("FieldValueInvalid", f"{field[:-1]}-version]", said))
            version = LATEST
        found[mode] = Policy(level or PRIVILEGED, version or LATEST)
    enforced = found["enforce"]
    stricter = LEVELS.index(enforced.level) > LEVELS.index(found["warn"].level)
    if f"{PREFIX}warn" not in labels and f"{PREFIX}enforce" in labels and stricter and not wrong:
        version = found["warn"].version if f"{PREFIX}warn-version" in labels else enforced.version
        found["warn"] = Policy(enforced.level, version)
    return found, wrong


def check(request: Request) -> None:
    """Refuse, or warn of, pods that a namespace's level does not allow.

    Raises:
        ApiError: 403 for a pod, 422 for a namespace's labels.
    """
    resource = request.kind.resource
    if request.subresource not in ("", "ephemeralcontainers"):
        return
    if resource == "namespaces" and not request.subresource:
        _check_namespace(request)
    elif resource == "pods":
        if request.operation == CREATE or _is_new_program(request):
            _check_pod(request, request.obj, enforce=True)
    elif resource in TEMPLATES and not request.subresource:
        template: Any = request.obj
        for part in TEMPLATES[resource]:
            template = (template or {}).get(part) if isinstance(template, dict) else None
        if isinstance(template, dict):
            _check_pod(request, template, enforce=False)


def _is_new_program(request: Request) -> bool:
    """Whether a change of a pod changes what runs in it; nothing else is judged again."""
    if request.old is None:
        return False
    return list(_images(request.obj)) != list(_images(request.old))


def _images(pod: Json) -> Iterator[tuple[str, Any]]:
    for kind in ("initContainers", "containers", "ephemeralContainers"):
        for one in (pod.get("spec") or {}).get(kind) or ():
            yield kind, one.get("image")


def _check_pod(request: Request, pod: Json, *, enforce: bool) -> None:
    namespace = request.cluster.store.get("namespaces", "", request.namespace)
    if namespace is None:
        return
    wanted, _ = policies(namespace.labels)
    if enforce and (found := violations(wanted["enforce"].level, pod)):
        raise request.refusal(f'violates PodSecurity "{wanted["enforce"]}": {detailed(found)}')
    if found := violations(wanted["warn"].level, pod):
        request.warnings.append(f'would violate PodSecurity "{wanted["warn"]}": {detailed(found)}')


def detailed(found: list[tuple[str, str]]) -> str:
    """Violations with their details in brackets."""
    return ", ".join(f"{reason} ({detail})" if detail else reason for reason, detail in found)


# --------------------------------------------------------------------------------------- labels of a namespace


def _check_namespace(request: Request) -> None:
    new, wrong = policies((request.obj["metadata"].get("labels")) or {})
    old, were_wrong = policies(((request.old or {}).get("metadata") or {}).get("labels") or {})
    if wrong and (request.operation == CREATE or wrong != were_wrong):
        raise invalid("", "Namespace", request.name, *wrong)
    if request.operation != UPDATE:
        return
    now, before = new["enforce"], old["enforce"]
    relaxed = now.version == before.version and LEVELS.index(now.level) <= LEVELS.index(before.level)
    if now == before or now.level == PRIVILEGED or relaxed:
        return
    request.warnings += _existing(request, now)


def _existing(request: Request, policy: Policy) -> Iterator[str]:
    """What is told of pods that are there already; they stay."""
    by_reason: dict[str, list[str]] = {}
    stored = request.cluster.store.items("pods", request.name)
    for pod in stored[:MOST_CHECKED]:
        if found := violations(policy.level, pod.decode()):
            by_reason.setdefault(", ".join(reason for reason, _ in found), []).append(pod.name)
    if len(stored) > MOST_CHECKED:
        yield (
            f"new PodSecurity enforce level only checked against the first {MOST_CHECKED} of {len(stored)} "
            "existing pods"
        )
    if by_reason:
        yield f'existing pods in namespace "{request.name}" violate the new PodSecurity enforce level "{policy}"'
    yield from sorted(_among(names, reason) for reason, names in by_reason.items())


def _among(names: list[str], reason: str) -> str:
    others = len(names) - 1
    more = f" (and {others} other {'pod' if others == 1 else 'pods'})" if others else ""
    return f"{min(names)}{more}: {reason}"
