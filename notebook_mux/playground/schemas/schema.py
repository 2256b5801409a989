"""What a field may hold: its type, how lists and maps of it are merged, what it is when nothing is said.

One schema is a node of an OpenAPI v3 document, with Kubernetes' own extensions: KEP-555 for how lists and maps are
merged by server-side apply, the ``patch`` ones for strategic merge patches.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

Json = dict[str, Any]

UNSET = msgspec.UNSET
"""The default of a schema that has none."""

REF_PREFIX = "#/components/schemas/"


class Node(msgspec.Struct, rename={
    "ref": "$ref",
    "all_of": "allOf",
    "one_of": "oneOf",
    "any_of": "anyOf",
    "additional": "additionalProperties",
    "list_type": "x-kubernetes-list-type",
    "map_keys": "x-kubernetes-list-map-keys",
    "map_type": "x-kubernetes-map-type",
    "patch_strategy": "x-kubernetes-patch-strategy",
    "patch_merge_key": "x-kubernetes-patch-merge-key",
    "preserve_unknown": "x-kubernetes-preserve-unknown-fields",
    "int_or_string": "x-kubernetes-int-or-string",
    "embedded": "x-kubernetes-embedded-resource",
}, omit_defaults=True, gc=False):  # fmt: skip
    """A schema as it is written; what is only for readers is not kept."""

    ref: str = ""
    all_of: list[Node] = []
    one_of: list[Any] = []
    any_of: list[Any] = []
    type: str = ""
    format: str = ""
    properties: dict[str, Node] = {}
    required: list[str] = []
    items: Node | None = None
    additional: Node | bool | None = None
    enum: list[Any] = []
    default: Any = UNSET
    nullable: bool = False
    list_type: str = ""
    map_keys: list[str] = []
    map_type: str = ""
    patch_strategy: str = ""
    patch_merge_key: str = ""
    preserve_unknown: bool = False
    int_or_string: bool = False
    embedded: bool = False


Resolve = Callable[[str], "Schema"]


class Schema:
    """What a field, an item or an object may hold. References are followed; what a field adds to its type goes first.

    Args:
        node: As it is written.
        resolve: The schema of a definition's name.
        name: The definition's, such as ``io.k8s.api.core.v1.Container``; empty for what is written in place.

    Attributes:
        name: The name of the definition that it is, or refers to.
        type: ``object``, ``array``, ``string``, ``integer``, ``number``, ``boolean``; empty for anything, and for what
            may be a number or a string (quantities, and numbers or percents).
        format: ``int32``, ``date-time``, ``byte``, ``int-or-string`` ...
        required: The fields that must be there.
        enum: The values there are; empty for any.
        default: What stands where nothing is said; `UNSET` for nothing.
        nullable: Whether null is a value.
        list_type: ``atomic``, ``set`` or ``map``; empty is atomic.
        map_keys: The fields that tell the items of a list of type ``map`` apart.
        map_type: ``atomic`` or ``granular``, of an object; empty is granular.
        patch_strategy: ``merge``, ``replace``, ``retainKeys`` or two of them with a comma between; empty is replace for
            lists and merge for objects.
        patch_merge_key: By which field a strategic merge tells items apart.
        preserve_unknown: Whether a custom object keeps fields that are not named.
        int_or_string: Whether it may be both.
        embedded: Whether it is a whole object with its kind.
    """

    __slots__ = (
        "_fields", "_items", "_node", "_others", "_resolve", "_target", "default", "embedded", "enum", "format",
        "int_or_string", "list_type", "map_keys", "map_type", "name", "nullable", "patch_merge_key", "patch_strategy",
        "preserve_unknown", "required", "type",
    )  # fmt: skip

    name: str
    type: str
    format: str
    required: tuple[str, ...]
    enum: tuple[Any, ...]
    default: Any
    nullable: bool
    list_type: str
    map_keys: tuple[str, ...]
    map_type: str
    patch_strategy: str
    patch_merge_key: str
    preserve_unknown: bool

    def __init__(self, node: Node, resolve: Resolve, name: str = ""):
        ref = node.ref or next((one.ref for one in node.all_of if one.ref), "")
        target = resolve(ref.removeprefix(REF_PREFIX)) if ref else None
        self._node = node
        self._resolve = resolve
        self._target = target
        self._fields: dict[str, Schema | None] = {}
        self._items: Schema | None = None
        self._others: Schema | None = None
        self.name = name or (target.name if target else "")
        self.type = node.type or (target.type if target else "")
        self.format = node.format or (target.format if target else "")
        self.required = tuple(node.required) or (target.required if target else ())
        self.enum = tuple(node.enum) or (target.enum if target else ())
        self.default = node.default if node.default is not UNSET else target.default if target else UNSET
        self.nullable = node.nullable or bool(target and target.nullable)
        self.list_type = node.list_type or (target.list_type if target else "")
        self.map_keys = tuple(node.map_keys) or (target.map_keys if target else ())
        self.map_type = node.map_type or (target.map_type if target else "")
        self.patch_strategy = node.patch_strategy or (target.patch_strategy if target else "")
        self.patch_merge_key = node.patch_merge_key or (target.patch_merge_key if target else "")
        self.preserve_unknown = node.preserve_unknown or bool(target and target.preserve_unknown)
        self.int_or_string = node.int_or_string or self.format == "int-or-string"
        self.embedded = node.embedded

    def __repr__(self) -> str:
        return f"<Schema {self.name or self.type or 'anything'}>"

    @property
    def properties(self) -> tuple[str, ...]:
        """The names of its fields."""
        own = tuple(self._node.properties)
        return own or (self._target.properties if self._target else ())

    def field(self, name: str) -> Schema | None:
        """The schema of one of its fields; None for a field that it does not name."""
        try:
            return self._fields[name]
        except KeyError:
            pass
        node = self._node.properties.get(name)
        found = Schema(node, self._resolve) if node else self._target.field(name) if self._target else None
        if found is not None:
            self._fields[name] = found
        return found

    @property
    def items(self) -> Schema | None:
        """The schema of a list's items."""
        if self._items is None and self._node.items is not None:
            self._items = Schema(self._node.items, self._resolve)
        return self._items or (self._target.items if self._target else None)

    @property
    def additional(self) -> Schema | None:
        """The schema of a map's values; None for an object with fields of its own, and where any value is right."""
        if self._others is None and isinstance(self._node.additional, Node):
            self._others = Schema(self._node.additional, self._resolve)
        return self._others or (self._target.additional if self._target else None)

    @property
    def open(self) -> bool:
        """Whether an object may have fields that are not named: a map, or one that nothing is known of."""
        if self.preserve_unknown or self._node.additional is True or self.additional is not None:
            return True
        return self.type in ("object", "") and not self.properties
