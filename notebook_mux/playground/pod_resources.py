"""What a pod asks for: its containers, init containers, sidecars, pod level and overhead together.

The sums follow KEP-753 (sidecar containers) and KEP-2837 (pod level resources): sidecars run beside all that comes
after them, init containers one after the other before the rest.
"""

from __future__ import annotations

from typing import Any

from notebook_mux.playground.quantities import Amounts, add, amounts, most

Json = dict[str, Any]

POD_LEVEL = ("cpu", "memory")
"""Resources that a pod can ask for as a whole; huge pages are not modelled."""


def requests(spec: Json) -> Amounts:
    """What a pod asks for, by resource."""
    return _total(spec, "requests")


def limits(spec: Json) -> Amounts:
    """The most that a pod may use, by resource; without those that have no limit."""
    return _total(spec, "limits")


def _of(container: Json, kind: str) -> Amounts:
    return amounts((container.get("resources") or {}).get(kind))


def _total(spec: Json, kind: str) -> Amounts:
    total = add(*(_of(one, kind) for one in spec.get("containers") or ()))
    beside: Amounts = {}
    peak: Amounts = {}
    for one in spec.get("initContainers") or ():
        own = _of(one, kind)
        if one.get("restartPolicy") == "Always":
            beside = add(beside, own)
            total = add(total, own)
            peak = most(peak, beside)
        else:
            peak = most(peak, add(own, beside))
    total = most(total, peak)
    whole = amounts((spec.get("resources") or {}).get(kind))
    total |= {name: value for name, value in whole.items() if name in POD_LEVEL}
    overhead = amounts(spec.get("overhead"))
    if kind == "limits":
        overhead = {name: value for name, value in overhead.items() if name in total}
    return add(total, overhead)


def qos(spec: Json) -> str:
    """A pod's quality of service class (docs: "Pod Quality of Service Classes")."""
    if any((spec.get("resources") or {}).get(kind) for kind in ("requests", "limits")):
        asked, capped = (amounts(spec["resources"].get(kind)) for kind in ("requests", "limits"))
        return _class([(asked, capped)])
    containers = [*(spec.get("containers") or ()), *(spec.get("initContainers") or ())]
    return _class([(_of(one, "requests"), _of(one, "limits")) for one in containers])


def _class(pairs: list[tuple[Amounts, Amounts]]) -> str:
    counted = [
        tuple({name: one.nano for name, one in amount.items() if name in POD_LEVEL and one.nano} for amount in pair)
        for pair in pairs
    ]
    if not any(asked or capped for asked, capped in counted):
        return "BestEffort"
    if all(set(capped) == set(POD_LEVEL) and (not asked or asked == capped) for asked, capped in counted):
        return "Guaranteed"
    return "Burstable"
