"""The pods' sub-resource resize: other resources for containers that run (KEP-1287)."""

from __future__ import annotations

import copy
from typing import Any

from notebook_mux.playground import defaults
from notebook_mux.playground.status import cause, invalid

Json = dict[str, Any]

KINDS = ("initContainers", "containers")
QOS = "Pod QOS Class may not change as a result of resizing"


def resized(old: Json, new: Json) -> Json:
    """A pod with the resources of another state of it, and nothing else of that.

    Raises:
        ApiError: 422, its quality of service class would be another.
    """
    found = copy.deepcopy(old)
    for kind in KINDS:
        wanted = {one["name"]: one for one in new["spec"].get(kind) or ()}
        for container in found["spec"].get(kind) or ():
            if container["name"] in wanted:
                container["resources"] = wanted[container["name"]].get("resources") or {}
    before = old["status"].get("qosClass") or defaults.qos(old["spec"])
    if defaults.qos(found["spec"]) != before:
        after = defaults.qos(found["spec"])
        raise invalid("", "Pod", old["metadata"]["name"],
                      cause("FieldValueInvalid", "spec", f'Invalid value: "{after}": {QOS}'))  # fmt: skip
    return found
