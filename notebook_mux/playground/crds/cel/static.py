"""Types that are known before anything is computed, and which fits which (cel-spec/doc/langdef.md, "Type checking")."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class CelType:
    """A type.

    Args:
        name: ``int``, ``list``, ``net.IP`` ...; of an object where it stands; of a parameter one capital letter.
        of: Of the items of a list, the keys and values of a map, the value that may be missing.
        schema: Of an object.
    """

    name: str
    of: tuple[CelType, ...] = ()
    schema: Json | None = field(default=None, compare=False)

    def __str__(self) -> str:
        return f"{self.name}({', '.join(map(str, self.of))})" if self.of else self.name

    @property
    def open(self) -> bool:
        """Whether it is a parameter: any type, but the same at each place."""
        return self.name[:1].isupper()


DYN, ERROR, BOOL, INT, UINT, DOUBLE, STRING, BYTES, NULL = map(
    CelType, ("dyn", "!error!", "bool", "int", "uint", "double", "string", "bytes", "null")
)
DURATION, TIMESTAMP = CelType("duration"), CelType("timestamp")
ANYTHING = ("dyn", "!error!")
OPAQUE = frozenset({"kubernetes.URL", "net.IP", "net.CIDR", "kubernetes.Quantity", "kubernetes.Semver",
                    "kubernetes.NamedFormat"})  # fmt: skip
"""Types of Kubernetes' libraries, of which nothing is seen but what their functions say."""

SCALARS = {"integer": INT, "number": DOUBLE, "boolean": BOOL, "string": STRING}
FORMATS = {"byte": BYTES, "duration": DURATION, "date": TIMESTAMP, "date-time": TIMESTAMP}

Bound = dict[str, CelType]
"""What each parameter has turned out to be."""


def list_of(item: CelType) -> CelType:
    """A list's type."""
    return CelType("list", (item,))


def map_of(key: CelType, value: CelType) -> CelType:
    """A map's type."""
    return CelType("map", (key, value))


def optional_of(value: CelType) -> CelType:
    """The type of a value that may be missing."""
    return CelType("optional_type", (value,))


def type_of_schema(schema: Json | None, name: str = "selfType") -> CelType | None:
    """The type of what a schema describes; None where rules cannot see it.

    Args:
        schema: The schema.
        name: Of an object's type.
    """
    if schema is None:
        return DYN
    if schema.get("x-kubernetes-int-or-string"):
        return DYN
    match schema.get("type"):
        case "array":
            item = type_of_schema(schema.get("items") or {}, f"{name}.@idx")
            return None if item is None else list_of(item)
        case "object":
            if isinstance(others := schema.get("additionalProperties"), dict):
                value = type_of_schema(others, f"{name}.@elem")
                return None if value is None else map_of(STRING, value)
            return CelType(name, schema=schema)
        case "string":
            return FORMATS.get(schema.get("format", ""), STRING)
        case kind:
            return SCALARS.get(kind or "")


def resolved(kind: CelType, bound: Bound) -> CelType:
    """A type with what its parameters are; those that are still open stay."""
    while kind.open and kind.name in bound:
        kind = bound[kind.name]
    if not kind.of:
        return kind
    return CelType(kind.name, tuple(resolved(one, bound) for one in kind.of), kind.schema)


def told(kind: CelType, bound: Bound) -> CelType:
    """A type as messages show it: what is still open is anything."""
    kind = resolved(kind, bound)
    if kind.open:
        return DYN
    return CelType(kind.name, tuple(told(one, bound) for one in kind.of), kind.schema)


def _within(one: CelType, other: CelType) -> bool:
    return one.name == other.name or any(_within(one, part) for part in other.of)


def fits(given: CelType, wanted: CelType, bound: Bound) -> bool:
    """Whether a value of one type may stand where another is wanted; parameters are bound on the way."""
    given, wanted = resolved(given, bound), resolved(wanted, bound)
    if given.open or wanted.open:
        if given.name != wanted.name:
            one, other = (wanted, given) if wanted.open else (given, wanted)
            if _within(one, other):
                return False
            bound[one.name] = other
        return True
    if given.name in ANYTHING or wanted.name in ANYTHING or given.name == wanted.name == "type":
        return True
    if given.name == "null" or wanted.name == "null":
        other = wanted if given.name == "null" else given
        return given == wanted or other.schema is not None or other.name in ("duration", "timestamp", "optional_type")
    return given.name == wanted.name and len(given.of) == len(wanted.of) and all(
        fits(one, other, bound) for one, other in zip(given.of, wanted.of, strict=True))  # fmt: skip
