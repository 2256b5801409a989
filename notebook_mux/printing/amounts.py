"""What pods and nodes use, against what they asked for or have: the figures of ``kubectl top`` and k9s."""

from __future__ import annotations

import re
from decimal import ROUND_CEILING, Decimal
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec

_QUANTITY = re.compile(r"([+-]?[0-9.]{1,40})([eE][+-]?\d{1,2}|[numkMGTPE]|[KMGTPE]i)?", re.ASCII)
_POWERS = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = {f"{letter}i": 1024 ** (at + 1) for at, letter in enumerate("KMGTPE")}

NANO = 10**9
MEBI = 2**20

REMEMBERED = 4096
"""Quantities that were read: those of requests and limits come again with every pod of a workload."""

NOT_SET = "n/a"
"""What k9s prints where there is no request, or no limit, to compare with."""

ALWAYS = "Always"


class Amounts(NamedTuple):
    """CPU in thousand-millionths of a core, and memory in those of a byte."""

    cpu: int
    memory: int


NONE = Amounts(0, 0)


def quantity(text: Any) -> int:
    """A quantity of the API in thousand-millionths, rounded up; 0 for what is none."""
    return _quantity(text if isinstance(text, str) else str(text))


@lru_cache(maxsize=REMEMBERED)
def _quantity(text: str) -> int:
    found = _QUANTITY.fullmatch(text)
    if found is None:
        return 0
    try:
        number, unit = Decimal(found[1]), found[2] or ""
        if unit in _BINARY:
            number *= _BINARY[unit]
        else:
            number = number.scaleb(int(unit[1:]) if unit[:1] in "eE" and len(unit) > 1 else _POWERS[unit])
        return int((number * NANO).to_integral_value(ROUND_CEILING))
    except (ArithmeticError, ValueError):
        return 0


class _Resources(msgspec.Struct):
    requests: dict[str, Any] | None = None
    limits: dict[str, Any] | None = None


class _Container(msgspec.Struct):
    resources: _Resources | None = None
    restartPolicy: str | None = None  # noqa: N815 - the API's name


class _Spec(msgspec.Struct):
    containers: list[_Container] | None = None
    initContainers: list[_Container] | None = None  # noqa: N815 - the API's name
    resources: _Resources | None = None


class _Pod(msgspec.Struct):
    spec: _Spec | None = None


class _Status(msgspec.Struct):
    allocatable: dict[str, Any] | None = None


class _Node(msgspec.Struct):
    status: _Status | None = None


class _Measured(msgspec.Struct):
    usage: dict[str, Any] | None = None


class _Metadata(msgspec.Struct):
    name: str = ""
    namespace: str = ""


class _Metrics(msgspec.Struct):
    metadata: _Metadata
    usage: dict[str, Any] | None = None
    containers: list[_Measured] | None = None


class _List(msgspec.Struct):
    items: list[_Metrics] | None = None


_decode_pod = msgspec.json.Decoder(_Pod).decode
_decode_node = msgspec.json.Decoder(_Node).decode
_decode_list = msgspec.json.Decoder(_List).decode


def measured(body: bytes) -> dict[tuple[str, str], Amounts]:
    """A list of PodMetrics or NodeMetrics as (namespace, name) to what is used.

    Raises:
        msgspec.MsgspecError: It is none.
    """
    found = {}
    for one in _decode_list(body).items or ():
        usages = [one.usage] if one.containers is None else [container.usage for container in one.containers]
        found[one.metadata.namespace, one.metadata.name] = _sum(usages)
    return found


def asked(data: bytes) -> tuple[Amounts, Amounts]:
    """What a pod's JSON requests, and its limits: of its containers, and of those beside them that stay (sidecars).

    What is set for the pod as a whole counts in their place.
    """
    try:
        spec = _decode_pod(data).spec
    except (msgspec.MsgspecError, UnicodeError):
        return NONE, NONE
    if spec is None:
        return NONE, NONE
    stay = [one for one in spec.initContainers or () if one.restartPolicy == ALWAYS] + list(spec.containers or ())
    parts = [one.resources for one in stay if one.resources is not None]
    whole = spec.resources or _Resources()
    return (
        _over(whole.requests, _sum(part.requests for part in parts)),
        _over(whole.limits, _sum(part.limits for part in parts)),
    )


def allocatable(data: bytes) -> Amounts:
    """What a node's JSON says that it can give to pods."""
    try:
        status = _decode_node(data).status
    except (msgspec.MsgspecError, UnicodeError):
        return NONE
    return _sum([status.allocatable if status is not None else None])


def pod_cells(used: Amounts, data: bytes) -> tuple[Any, ...]:
    """CPU, percent of its requests, percent of its limits; and the same of memory."""
    requests, limits = asked(data)
    return (
        millicores(used.cpu), percent(used.cpu, requests.cpu), percent(used.cpu, limits.cpu),
        mebibytes(used.memory), percent(used.memory, requests.memory), percent(used.memory, limits.memory),
    )  # fmt: skip


def node_cells(used: Amounts, data: bytes) -> tuple[Any, ...]:
    """CPU, percent of what can be had; and the same of memory."""
    there = allocatable(data)
    return (
        millicores(used.cpu), percent(used.cpu, there.cpu), mebibytes(used.memory), percent(used.memory, there.memory),
    )  # fmt: skip


def millicores(cpu: int) -> str:
    """As ``kubectl top`` prints it: thousandths of a core, rounded up."""
    return f"{-(-cpu // (NANO // 1000))}m"


def mebibytes(memory: int) -> str:
    """As ``kubectl top`` prints it: whole mebibytes."""
    return f"{memory // (NANO * MEBI)}Mi"


def percent(used: int, of: int) -> int | str:
    """Whole percent, rounded down, as ``kubectl top`` and k9s have it."""
    return used * 100 // of if of > 0 else NOT_SET


def _sum(usages: Any) -> Amounts:
    cpu = memory = 0
    for usage in usages:
        if usage:
            cpu += quantity(usage.get("cpu", 0))
            memory += quantity(usage.get("memory", 0))
    return Amounts(cpu, memory)


def _over(whole: dict[str, Any] | None, parts: Amounts) -> Amounts:
    if not whole:
        return parts
    return Amounts(
        quantity(whole["cpu"]) if "cpu" in whole else parts.cpu,
        quantity(whole["memory"]) if "memory" in whole else parts.memory,
    )
