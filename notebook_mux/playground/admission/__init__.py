"""Admission: what the server changes in an object and what it refuses, after decoding and before storing.

The plug-ins that a real server has by default, in its order (kube-apiserver's reference, "enable-admission-plugins"):
first all that change an object, then, when the object is known to be valid, all that only look.
"""

from __future__ import annotations

from notebook_mux.playground.admission import (
    ingress,
    limits,
    nodes,
    priority,
    quota,
    runtime_classes,
    security,
    service_accounts,
    storage,
    tolerations,
)
from notebook_mux.playground.admission.base import CREATE, UPDATE, Request, Step

CHANGING: tuple[Step, ...] = (
    limits.fill,
    service_accounts.fill,
    nodes.taint_new,
    priority.resolve,
    tolerations.add_defaults,
    runtime_classes.resolve,
    storage.protect,
    storage.give_default_class,
    ingress.give_default_class,
)
LOOKING: tuple[Step, ...] = (
    limits.check,
    service_accounts.check,
    security.check,
    priority.check_default,
    storage.check_resize,
    quota.check,
)


def change(request: Request) -> None:
    """Let all plug-ins that do so change an object.

    Raises:
        ApiError: 403.
    """
    for step in CHANGING:
        step(request)


def look(request: Request) -> None:
    """Let all plug-ins look at the object as it will be; quotas count it, unless it is a dry run.

    Raises:
        ApiError: 403.
    """
    for step in LOOKING:
        step(request)


__all__ = ["CREATE", "UPDATE", "Request", "change", "look"]
