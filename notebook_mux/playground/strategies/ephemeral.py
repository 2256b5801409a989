"""Ephemeral containers: they can be added to a pod, and never changed or taken away (KEP-277).

The sub-resource takes nothing else of what it is given (``podEphemeralContainersStrategy``,
``ValidatePodEphemeralContainersUpdate``).
"""

from __future__ import annotations

from typing import Any

from notebook_mux.playground.checking.base import LABEL, LABEL_LIMIT, LABEL_SAID
from notebook_mux.playground.status import cause
from notebook_mux.playground.strategies.metadata import forbidden

Json = dict[str, Any]

SUBRESOURCE = "ephemeralcontainers"
FIELD = "ephemeralContainers"
PATH = f"spec.{FIELD}"
REFUSED = ("ports", "resources", "livenessProbe", "readinessProbe", "startupProbe", "lifecycle", "resizePolicy",
           "restartPolicy")  # fmt: skip
"""Fields of a container that one of these cannot have, in the order in which the real server names them."""


def only(old: Json, new: Json) -> Json:
    """The old state with the new one's ephemeral containers, and nothing else of it."""
    spec = {key: value for key, value in old["spec"].items() if key != FIELD}
    if (found := (new.get("spec") or {}).get(FIELD)) is not None:
        spec[FIELD] = found
    metadata = {**old["metadata"], "resourceVersion": new["metadata"].get("resourceVersion")}
    metadata.pop("managedFields", None)
    if "managedFields" in new["metadata"]:
        metadata["managedFields"] = new["metadata"]["managedFields"]
    return {**old, "metadata": metadata, "spec": spec}


def check(old: Json, new: Json) -> list[Json]:
    """What is wrong with a change of them: the causes of a 422."""
    spec = new["spec"]
    found = spec.get(FIELD) or []
    taken = {one["name"] for kind in ("initContainers", "containers") for one in spec.get(kind) or ()}
    targets = {one["name"] for one in spec.get("containers") or ()}
    causes = list[Json]()
    for at, one in enumerate(found):
        causes += _wrong(f"{PATH}[{at}]", one, taken, targets)
        taken.add(one.get("name", ""))
    if causes:
        return causes
    now = {one["name"]: one for one in found}
    for one in old["spec"].get(FIELD) or ():
        if one["name"] not in now:
            causes.append(forbidden(PATH, f'existing ephemeral containers "{one["name"]}" may not be removed\n'))
        elif now[one["name"]] != one:
            causes.append(forbidden(PATH, f'existing ephemeral containers "{one["name"]}" may not be changed\n'))
    return causes


def check_new(obj: Json) -> list[Json]:
    """A new pod has none."""
    return [forbidden(PATH, "cannot be set on create")] if (obj.get("spec") or {}).get(FIELD) else []


def _wrong(path: str, one: Json, taken: set[str], targets: set[str]) -> list[Json]:
    causes = list[Json]()
    name = one.get("name", "")
    if not name:
        causes.append(cause("FieldValueRequired", f"{path}.name", "Required value"))
    elif not LABEL.fullmatch(name) or len(name) > LABEL_LIMIT:
        causes.append(cause("FieldValueInvalid", f"{path}.name", f'Invalid value: "{name}": {LABEL_SAID}'))
    elif name in taken:
        causes.append(cause("FieldValueDuplicate", f"{path}.name", f'Duplicate value: "{name}"'))
    if not one.get("image"):
        causes.append(cause("FieldValueRequired", f"{path}.image", "Required value"))
    target = one.get("targetContainerName")
    if target and target not in targets:
        causes.append(cause("FieldValueNotFound", f"{path}.targetContainerName", f'Not found: "{target}"'))
    causes += [forbidden(f"{path}.{field}", "cannot be set for an Ephemeral Container")
               for field in REFUSED if one.get(field)]  # fmt: skip
    return causes
