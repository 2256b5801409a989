"""A body read as Go reads it into its struct: types checked, fields that there are not named, empty ones left out.

The table of protobuf fields says what the structs are (names, types, embedded structs). The texts are those of Go's
encoding/json and of the types that read themselves; sigs.k8s.io/json adds unknown and duplicate fields.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable
from functools import cache
from typing import Any

from notebook_mux.playground import quantities
from notebook_mux.playground.protobuf import table
from notebook_mux.playground.schemas import pairs
from notebook_mux.playground.schemas.pairs import Number

Json = dict[str, Any]

INT32 = 2**31
INT64 = 2**63
TYPE_META = ("kind", "apiVersion")
_MISSING: Any = object()


class WrongType(ValueError):
    """A value that its field cannot have; its words are Go's."""


class Reader:
    """Reads one body.

    Attributes:
        problems: Unknown and duplicate fields, in the order in which they are met.
        wrong: The first value of a wrong type.
    """

    def __init__(self) -> None:
        self.problems: list[str] = []
        self.wrong: WrongType | None = None

    def read(self, message: str, value: Any) -> Json:
        """The object that a body says.

        Args:
            message: What it is of, such as ``k8s.io.api.core.v1.Pod``.
            value: What was parsed; an object.

        Raises:
            WrongType: The first value of a wrong type.
        """
        found = self.struct(message, value, "", "", top=True)
        if self.wrong is not None:
            raise self.wrong
        return found

    def struct(self, message: str, value: Any, path: str, go: str, *, top: bool = False) -> Json:
        """One struct's fields, in the struct's order.

        Args:
            path: Where it is, as unknown fields are named: ``spec.containers[0]``.
            go: Where it is, as wrong types are named: ``spec.containers``.
            top: Whether it has a kind.
        """
        known = _known(message)
        name = message.rpartition(".")[2]
        got: Json = {}
        strange: set[str] = set()
        for key, inner in pairs.members(value):
            where = f"{path}.{key}" if path else key
            if top and key in TYPE_META:
                if key in got:
                    self.problems.append(f'duplicate field "{where}"')
                got[key] = inner
                continue
            if key not in known:
                if key not in strange:
                    self.problems.append(f'unknown field "{where}"')
                strange.add(key)
                continue
            if key in got:
                self.problems.append(f'duplicate field "{where}"')
            field, embedded = known[key]
            spelled = f"{embedded}{key}"
            got[key] = None if inner is None else self._field(
                field, inner, where, f"{go}.{spelled}" if go else spelled, name)  # fmt: skip
        head = {key: got[key] for key in TYPE_META if key in got} if top else {}
        rest = ((key, got[key], known[key][0]) for key in known if key in got)
        return head | {key: inner for key, inner, field in rest if not _is_left_out(field, inner)}

    def _field(self, field: table.Field, value: Any, path: str, go: str, struct: str) -> Any:
        if field.is_map:
            if not pairs.is_object(value):
                return self._wrong(value, struct, go, field.go_type)
            inner = field.go_type.partition("]")[2] or field.kind
            found: Json = {}
            for key, one in pairs.members(value):
                if key in found:
                    self.problems.append(f'duplicate field "{path}.{key}"')
                found[key] = self._item(field.kind, one, f"{path}.{key}", go, struct, inner)
            return found
        if field.is_list:
            if not pairs.is_list(value):
                return self._wrong(value, struct, go, field.go_type)
            inner = field.go_type.removeprefix("[]")
            return [
                self._item(field.kind, one, f"{path}[{index}]", go, struct, inner) for index, one in enumerate(value)
            ]
        return self._value(field.kind, value, path, go, struct, field.go_type)

    def _item(self, kind: str, value: Any, path: str, go: str, struct: str, go_type: str) -> Any:
        if value is None:
            return _ZEROS.get(kind, {})
        return self._value(kind, value, path, go, struct, go_type)

    def _value(self, kind: str, value: Any, path: str, go: str, struct: str, go_type: str) -> Any:
        own = _SPECIAL.get(kind)
        if own is not None:
            return own(self, value, struct, go)
        if kind == "string":
            return value if isinstance(value, str) else self._wrong(value, struct, go, go_type)
        if kind == "bool":
            return value if isinstance(value, bool) else self._wrong(value, struct, go, go_type)
        if kind in ("int32", "int64"):
            return self._int(value, struct, go, go_type, INT32 if kind == "int32" else INT64)
        if kind == "double":
            right = isinstance(value, int | float) and not isinstance(value, bool)
            return float(value) if right else self._wrong(value, struct, go, go_type)
        if kind == "bytes":
            return self._bytes(value, struct, go, go_type)
        if not pairs.is_object(value):
            return self._wrong(value, struct, go, go_type)
        return self.struct(kind, value, path, go)

    def _int(self, value: Any, struct: str, go: str, go_type: str, limit: int) -> Any:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return self._wrong(value, struct, go, go_type)
        if isinstance(value, int) and -limit <= value < limit:
            return value
        text = value.text if isinstance(value, Number) else str(value)
        return self._wrong(value, struct, go, go_type, f"number {text}")

    def _bytes(self, value: Any, struct: str, go: str, go_type: str) -> Any:
        if not isinstance(value, str):
            return self._wrong(value, struct, go, go_type)
        try:
            base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError):
            return self._note(WrongType(f"illegal base64 data at input byte {_bad_byte(value)}"))
        return value

    def _wrong(self, value: Any, struct: str, go: str, go_type: str, what: str = "") -> Any:
        said = what or pairs.kind_of(value)
        where = f"Go struct field {struct}.{go} of type {go_type}"
        return self._note(WrongType(f"json: cannot unmarshal {said} into {where}"))

    def _note(self, error: WrongType) -> Any:
        """Go reads on after a value of a wrong type, and says the first at the end."""
        self.wrong = self.wrong or error
        return None

    # ---------------------------------------------------------------------- types that read themselves

    def quantity(self, value: Any, struct: str, go: str) -> Any:
        """``500m``, and numbers."""
        text = value.text if isinstance(value, Number) else value if isinstance(value, str) else json.dumps(value)
        found = _QUANTITY.fullmatch(text) if not isinstance(value, bool | list) else None
        if found is None or found[1].count(".") > 1:
            raise WrongType(f"quantities must match the regular expression '{QUANTITY}'")
        try:
            return str(quantities.parse(text))
        except quantities.NoQuantity:
            raise WrongType("unable to parse quantity's suffix") from None

    def int_or_string(self, value: Any, struct: str, go: str) -> Any:
        """A port or its name, a number or a percentage."""
        return value if isinstance(value, str) else self._int(value, struct, go, "int32", INT32)

    def time(self, value: Any, struct: str, go: str) -> Any:
        """RFC 3339."""
        if not isinstance(value, str):
            raise WrongType(
                f"json: cannot unmarshal {pairs.kind_of(value)} into Go struct field {struct}.{go} of type string"
            )
        if not _TIME.fullmatch(value):
            raise WrongType(_no_time(value))
        return value

    def strings(self, value: Any, struct: str, go: str) -> Any:
        """A list of texts that is a type of its own."""
        return pairs.plain(value)

    def schema_or_list(self, value: Any, struct: str, go: str) -> Any:
        """A schema, or several; what is neither is read as if nothing stood there."""
        if pairs.is_object(value):
            return self._schema(value, go)
        return [self._schema(one, go) for one in value] if pairs.is_list(value) else None

    def schema_or_bool(self, value: Any, struct: str, go: str) -> Any:
        """A schema, or whether anything may stand there."""
        if not isinstance(value, bool) and not pairs.is_object(value):
            raise WrongType("boolean or JSON schema expected")
        return value if isinstance(value, bool) else self._schema(value, go)

    def _schema(self, value: Any, go: str) -> Any:
        """A schema within one; of unknown fields nothing is told there."""
        if not pairs.is_object(value):
            return self._wrong(value, "JSONSchemaProps", go, "v1.JSONSchemaProps")
        inner = Reader()
        found = inner.struct(f"{_EXTENSIONS}.JSONSchemaProps", value, "", go)
        self.wrong = self.wrong or inner.wrong
        return found

    def free(self, value: Any, struct: str, go: str) -> Any:
        """Any JSON."""
        return pairs.plain(value)


def _is_left_out(field: table.Field, value: Any) -> bool:
    if value is None:
        return True
    if field.is_pointer:
        return False
    if field.is_map or field.is_list or field.is_scalar:
        return table.OMIT_EMPTY in field.flags and not value
    return table.OMIT_ZERO in field.flags and not value


@cache
def _known(message: str) -> dict[str, tuple[table.Field, str]]:
    """The fields of a message by their names in JSON, each with the names of the structs embedded on the way to it."""
    found: dict[str, tuple[table.Field, str]] = {}
    for field in table.fields(message) or ():
        if field.name:
            found[field.name] = (field, "")
        else:
            prefix = field.kind.rpartition(".")[2]
            found |= {name: (one, f"{prefix}.{rest}") for name, (one, rest) in _known(field.kind).items()}
    return found


_ZEROS: Json = {"string": "", "bytes": "", "int32": 0, "int64": 0, "bool": False, "double": 0}
_META, _EXTENSIONS = table.META, "k8s.io.apiextensions-apiserver.pkg.apis.apiextensions.v1"
_SPECIAL: dict[str, Callable[[Reader, Any, str, str], Any]] = {
    f"{_META}.Time": Reader.time,
    f"{_META}.MicroTime": Reader.time,
    f"{_META}.Duration": Reader.free,
    f"{_META}.FieldsV1": Reader.free,
    f"{_META}.Verbs": Reader.strings,
    "k8s.io.apimachinery.pkg.api.resource.Quantity": Reader.quantity,
    "k8s.io.apimachinery.pkg.util.intstr.IntOrString": Reader.int_or_string,
    "k8s.io.apimachinery.pkg.runtime.RawExtension": Reader.free,
    "k8s.io.api.authentication.v1.ExtraValue": Reader.strings,
    "k8s.io.api.authentication.v1.AttestationValue": Reader.strings,
    "k8s.io.api.authorization.v1.ExtraValue": Reader.strings,
    "k8s.io.api.certificates.v1.ExtraValue": Reader.strings,
    f"{_EXTENSIONS}.JSON": Reader.free,
    f"{_EXTENSIONS}.JSONSchemaPropsOrArray": Reader.schema_or_list,
    f"{_EXTENSIONS}.JSONSchemaPropsOrBool": Reader.schema_or_bool,
    f"{_EXTENSIONS}.JSONSchemaPropsOrStringArray": Reader.free,
}

QUANTITY = "^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$"
_QUANTITY = re.compile(QUANTITY)
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
_LAYOUT = "2006-01-02T15:04:05Z07:00"
_STEPS = (("2006", r"\d{4}"), ("-", "-"), ("01", r"\d\d"), ("-", "-"), ("02", r"\d\d"), ("T", "T"), ("15", r"\d\d"),
          (":", ":"), ("04", r"\d\d"), (":", ":"), ("05", r"\d\d(\.\d+)?"), ("Z07:00", r"Z|[+-]\d\d:\d\d"))  # fmt: skip


def _no_time(value: str) -> str:
    rest = value
    for said, form in _STEPS:
        found = re.match(form, rest)
        if found is None:
            return f'parsing time "{value}" as "{_LAYOUT}": cannot parse "{rest}" as "{said}"'
        rest = rest[found.end() :]
    return f'parsing time "{value}": extra text: "{rest}"'


_ALPHABET = re.compile(r"[A-Za-z0-9+/]*={0,2}")
_QUANTUM = 4
"""Letters of base64 that belong together."""


def _bad_byte(value: str) -> int:
    """Where Go's decoder stops: at the first letter that is none, or at the beginning of what is incomplete."""
    found = _ALPHABET.match(value)
    good = found.end() if found else 0
    return good if good < len(value) else good // _QUANTUM * _QUANTUM
