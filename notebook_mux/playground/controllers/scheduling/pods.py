"""What the scheduler wants to know of a pod, read once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from notebook_mux.playground import pod_resources
from notebook_mux.playground.store import Stored

Json = dict[str, Any]

MILLI_CPU, MEMORY = 100, 200 * 1024 * 1024
"""What a container that asks for nothing is taken to use when nodes are compared (schedutil, non_zero.go)."""

REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
ANY_ADDRESS = "0.0.0.0"  # noqa: S104 (a host port is compared with it, nothing listens)
HostPort = tuple[str, str, int]
"""Address, protocol, port."""


@dataclass(frozen=True)
class Term:
    """One term of an affinity between pods.

    Args:
        weight: How much it counts where it is a preference.
    """

    topology: str
    selector: Json | None
    namespaces: frozenset[str]
    namespace_selector: Json | None
    weight: int = 0


@dataclass
class PodInfo:
    """One pod.

    Args:
        stored: Its state.
        obj: The same, decoded.
    """

    stored: Stored
    obj: Json = field(repr=False)

    @property
    def spec(self) -> Json:
        """Its spec."""
        found: Json = self.obj["spec"]
        return found

    @property
    def key(self) -> tuple[str, str]:
        """Namespace and name."""
        return self.stored.key

    @property
    def namespace(self) -> str:
        """Its namespace."""
        return self.stored.namespace

    @property
    def labels(self) -> Mapping[str, str]:
        """Its labels."""
        return self.stored.labels

    @property
    def priority(self) -> int:
        """Its priority."""
        return int(self.spec.get("priority") or 0)

    @property
    def nominated(self) -> str:
        """The node that was made free for it; empty without one."""
        return str((self.obj.get("status") or {}).get("nominatedNodeName") or "")

    @cached_property
    def requests(self) -> dict[str, int]:
        """What it asks for: CPU in thousandths, all else in units."""
        found = pod_resources.requests(self.spec)
        return {name: one.milli if name == "cpu" else one.value for name, one in found.items() if one.nano}

    @cached_property
    def scored(self) -> tuple[int, int]:
        """CPU and memory as they count when nodes are compared."""
        count = len(self.spec.get("containers") or ())
        asked = self.requests
        silent = [one for one in self.spec.get("containers") or () if not _asks(one, "cpu")]
        without = [one for one in self.spec.get("containers") or () if not _asks(one, "memory")]
        cpu = asked.get("cpu", 0) + MILLI_CPU * (len(silent) if count else 0)
        return cpu, asked.get("memory", 0) + MEMORY * len(without)

    @cached_property
    def ports(self) -> frozenset[HostPort]:
        """The node's ports that it takes."""
        found = set()
        containers = [*(self.spec.get("containers") or ())]
        containers += [one for one in self.spec.get("initContainers") or () if one.get("restartPolicy") == "Always"]
        for one in containers:
            for port in one.get("ports") or ():
                if port.get("hostPort"):
                    found.add((port.get("hostIP") or ANY_ADDRESS, port.get("protocol") or "TCP", port["hostPort"]))
        return frozenset(found)

    @cached_property
    def claims(self) -> tuple[str, ...]:
        """The names of the claims on volumes that it uses."""
        found = []
        for volume in self.spec.get("volumes") or ():
            if (source := volume.get("persistentVolumeClaim")) is not None:
                found.append(str(source.get("claimName")))
            elif volume.get("ephemeral") is not None:
                found.append(f"{self.stored.name}-{volume['name']}")
        return tuple(found)

    def terms(self, kind: str, *, required: bool) -> tuple[Term, ...]:
        """Its terms of ``podAffinity`` or ``podAntiAffinity``."""
        return self._terms[kind, required]

    @cached_property
    def _terms(self) -> dict[tuple[str, bool], tuple[Term, ...]]:
        affinity = self.spec.get("affinity") or {}
        return {
            (kind, required): tuple(self._read(affinity.get(kind) or {}, required))
            for kind in ("podAffinity", "podAntiAffinity")
            for required in (True, False)
        }

    def _read(self, affinity: Json, required: bool) -> Iterator[Term]:
        for one in affinity.get(REQUIRED if required else PREFERRED) or ():
            term = one if required else one.get("podAffinityTerm") or {}
            names = frozenset(term.get("namespaces") or ())
            if not names and term.get("namespaceSelector") is None:
                names = frozenset({self.namespace})
            yield Term(str(term.get("topologyKey")), self._selector(term), names, term.get("namespaceSelector"),
                       0 if required else int(one.get("weight") or 0))  # fmt: skip

    def _selector(self, term: Json) -> Json | None:
        """A term's selector, with the values that it takes from the pod's own labels (KEP-3633)."""
        selector = term.get("labelSelector")
        added = [
            {"key": key, "operator": operator, "values": [self.labels[key]]}
            for name, operator in (("matchLabelKeys", "In"), ("mismatchLabelKeys", "NotIn"))
            for key in term.get(name) or ()
            if key in self.labels
        ]
        if selector is None or not added:
            return selector
        return {**selector, "matchExpressions": [*(selector.get("matchExpressions") or ()), *added]}

    @property
    def has_affinity(self) -> bool:
        """Whether it says anything of other pods."""
        return any(self._terms.values())


def _asks(container: Json, name: str) -> bool:
    return bool(((container.get("resources") or {}).get("requests") or {}).get(name))


def read(stored: Stored) -> PodInfo:
    """What there is to know of a stored pod."""
    return PodInfo(stored, stored.decode())
