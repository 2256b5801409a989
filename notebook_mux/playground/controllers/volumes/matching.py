"""Which volume is for which claim (docs: "Persistent Volumes", "Binding")."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from notebook_mux.playground.admission.storage import class_of
from notebook_mux.playground.controllers.scheduling.matching import selector_holds
from notebook_mux.playground.label_selectors import selects
from notebook_mux.playground.quantities import known

Json = dict[str, Any]

NO_PROVISIONER = "kubernetes.io/no-provisioner"
"""The provisioner of classes whose volumes are made by hand."""

SELECTED_NODE = "volume.kubernetes.io/selected-node"
BOUND = "pv.kubernetes.io/bind-completed"
BY_CONTROLLER = "pv.kubernetes.io/bound-by-controller"
WAITS = "WaitForFirstConsumer"


def size_of(claim: Json) -> int:
    """How many bytes a claim asks for."""
    return known(((claim.get("spec") or {}).get("resources") or {}).get("requests", {}).get("storage")).value


def capacity_of(volume: Json) -> int:
    """How many bytes a volume has."""
    return known((volume["spec"].get("capacity") or {}).get("storage")).value


def is_for(volume: Json, claim: Json) -> bool:
    """Whether a volume names a claim as its own."""
    ref, metadata = volume["spec"].get("claimRef") or {}, claim["metadata"]
    same = (ref.get("name"), ref.get("namespace")) == (metadata["name"], metadata["namespace"])
    return bool(ref) and same and ref.get("uid") in (None, "", metadata["uid"])


def fits(volume: Json, claim: Json) -> bool:
    """Whether a volume could be a claim's: mode, class, access, size, labels."""
    spec, wanted = volume["spec"], claim["spec"]
    if spec.get("volumeMode", "Filesystem") != wanted.get("volumeMode", "Filesystem"):
        return False
    if (class_of(volume) or "") != (class_of(claim) or ""):
        return False
    if not set(wanted.get("accessModes") or ()) <= set(spec.get("accessModes") or ()):
        return False
    selector = wanted.get("selector")
    if selector is not None and not selects(selector, volume["metadata"].get("labels") or {}):
        return False
    return capacity_of(volume) >= size_of(claim)


def is_reachable(volume: Json, name: str, labels: Mapping[str, str]) -> bool:
    """Whether a volume can be used on a node."""
    return selector_holds((volume["spec"].get("nodeAffinity") or {}).get("required"), name, labels)


def find(
    claim: Json, volumes: Iterable[Json], node: tuple[str, Mapping[str, str]] | None = None,
    taken: Iterable[str] = (),
) -> Json | None:  # fmt: skip
    """The volume for a claim: one that names it, else the smallest that fits and is free.

    Args:
        node: Name and labels of the node where it has to be reachable; None is anywhere.
        taken: Names of volumes that are for another claim already.
    """
    free = []
    for volume in volumes:
        if "deletionTimestamp" in volume["metadata"] or volume["metadata"]["name"] in taken:
            continue
        if node is not None and not is_reachable(volume, *node):
            continue
        if is_for(volume, claim):
            return volume
        if "claimRef" not in volume["spec"] and _is_free(volume) and fits(volume, claim):
            free.append(volume)
    return min(free, key=lambda one: (capacity_of(one), one["metadata"]["name"]), default=None)


def _is_free(volume: Json) -> bool:
    return (volume.get("status") or {}).get("phase", "Pending") in ("Available", "Pending")
