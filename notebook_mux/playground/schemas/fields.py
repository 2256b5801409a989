"""What a body says, held against what its kind has: ``fieldValidation=Strict``, ``Warn`` or ``Ignore`` (KEP-2885)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from notebook_mux.playground.kinds import Kind
from notebook_mux.playground.protobuf import table
from notebook_mux.playground.schemas import Schemas, pairs, structural
from notebook_mux.playground.schemas.pairs import NoJson, Pairs
from notebook_mux.playground.schemas.typed import Reader, WrongType
from notebook_mux.playground.status import ApiError, bad_request, cause, invalid, unsupported_body

Json = dict[str, Any]

STRICT, WARN, IGNORE = "Strict", "Warn", "Ignore"
MODES = ("", IGNORE, STRICT, WARN)
BODIES = ("application/json", "", "application/vnd.kubernetes.protobuf", "application/yaml")
"""Of a body that is an object; `encoding` has made JSON of them all."""

JSON_PATCH, STRATEGIC = "application/json-patch+json", "application/strategic-merge-patch+json"
NO_OBJECT = (
    'type struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }'
)
SCHEME = "pkg/runtime/scheme.go:111"
"""Where the real server's list of kinds was made; its messages say so."""

OBJECT_META = f"{table.META}.ObjectMeta"


def check_mode(query: Mapping[str, str], options: str) -> str:
    """The mode that a query asks for; warnings where it says nothing.

    Args:
        options: The kind of the query, such as ``CreateOptions``.

    Raises:
        ApiError: 422.
    """
    said = query.get("fieldValidation", "")
    if said not in MODES:
        listed = ", ".join(f'"{mode}"' for mode in MODES)
        text = f'Unsupported value: "{said}": supported values: {listed}'
        raise invalid("meta.k8s.io", options, "", cause("FieldValueNotSupported", "fieldValidation", text))
    return said or WARN


class FieldValidation:
    """Reads the bodies of one change.

    Args:
        schemas: Of the custom kinds; None looks at nothing, as for changes that the playground makes itself.
        mode: `STRICT`, `WARN` or `IGNORE`.
        warnings: Where to add what the client is told besides.
        noted: What is known of the body already: keys that stand twice in YAML.
    """

    def __init__(
        self,
        schemas: Schemas | None = None,
        mode: str = IGNORE,
        warnings: list[str] | None = None,
        noted: list[str] | None = None,
    ):
        self._schemas = schemas
        self._mode = mode
        self._warnings = warnings if warnings is not None else []
        self._noted = list(noted or ())
        self._looked = noted is not None

    def body(self, kind: Kind, media: str, text: bytes) -> Any:
        """The object of a create or replace.

        Args:
            media: The body's Content-Type; of another form than JSON it has been made JSON already.
            text: The body.

        Raises:
            ApiError: 400 or 415.
        """
        if media not in BODIES:
            raise unsupported_body()
        found = self._parse(kind, text)
        said = dict(found)
        self._check_kind(kind, said.get("kind") or kind.kind, said.get("apiVersion") or kind.api_version)
        try:
            obj, problems = self._read(kind, found)
        except WrongType as error:
            raise self._unhandled(kind, kind.kind, str(error)) from None
        listed = "".join(f"\n  {line}" for line in self._noted)
        lines = [f"yaml: unmarshal errors:{listed}"] if self._noted else []
        if self._mode == STRICT and (lines or problems):
            raise self._unhandled(kind, kind.kind, f"strict decoding error: {', '.join([*lines, *problems])}")
        self._warn([*self._noted, *problems])
        return obj

    @staticmethod
    def _unhandled(kind: Kind, said: str, why: str) -> ApiError:
        return bad_request(f'{said} in version "{kind.version}" cannot be handled as a {kind.kind}: {why}')

    def _warn(self, problems: list[str]) -> None:
        if self._mode == WARN:
            self._warnings += problems

    def _parse(self, kind: Kind, text: bytes) -> Pairs:
        try:
            found = pairs.parse(text)
            if not pairs.is_object(found):
                raise NoJson(f"json: cannot unmarshal {pairs.kind_of(found)} into Go value of {NO_OBJECT}")
            for name in ("kind", "apiVersion"):
                value = dict(found).get(name)
                if value is not None and not isinstance(value, str):
                    wrong = pairs.kind_of(value)
                    raise NoJson(f"json: cannot unmarshal {wrong} into Go struct field .{name} of type string")
        except NoJson as error:
            raise bad_request(
                f"the object provided is unrecognized (must be of type {kind.kind}): couldn't get version/kind; "
                f"json parse error: {error} ({pairs.shown(text)})"
            ) from None
        pairs_found: Pairs = found
        return pairs_found

    def _check_kind(self, kind: Kind, said: str, version: str) -> None:
        if (said, version) == (kind.kind, kind.api_version) or kind.custom:
            return  # of custom kinds another check says so
        message = table.message_of(version, said)
        if message is None:
            why = f'no kind "{said}" is registered for version "{version}" in scheme "{SCHEME}"'
            raise self._unhandled(kind, said, why)
        name = f"{version.rpartition('/')[2]}.{said}"
        internal = f"{kind.group.partition('.')[0] or 'core'}.{kind.kind}"
        raise self._unhandled(kind, said, f"converting ({name}) to ({internal}): unknown conversion")

    def _read(self, kind: Kind, value: Any) -> tuple[Any, list[str]]:
        """The object, and what is wrong with its fields."""
        if kind.custom:
            return self._read_custom(kind, value)
        message = table.message_of(kind.api_version, kind.kind)
        if message is None or self._schemas is None:
            return pairs.plain(value), []
        reader = Reader()
        return reader.read(message, value), reader.problems

    def _read_custom(self, kind: Kind, value: Any) -> tuple[Any, list[str]]:
        doubled = [f'duplicate field "{path}"' for path in pairs.duplicates(value)]
        obj = pairs.plain(value)
        schema = self._schemas.of(kind) if self._schemas is not None else None
        strange: list[str] = []
        if isinstance(obj.get("metadata"), dict):
            reader = Reader()
            metadata = reader.struct(OBJECT_META, dict(value)["metadata"], "metadata", "metadata")
            if reader.wrong is None:
                obj["metadata"] = metadata
            strange = [problem for problem in reader.problems if problem.startswith("unknown")]
        if schema is not None:
            strange += [f'unknown field "{path}"' for path in structural.prune(schema, obj)]
        return obj, doubled + strange

    # -------------------------------------------------------------------------------------------- patches

    def patch(self, media: str, text: bytes) -> None:
        """Look at a patch's body: whether a key stands there twice."""
        if self._schemas is None or self._mode == IGNORE:
            return
        try:
            found = pairs.duplicates(pairs.parse(text))
        except NoJson:
            return  # which is told where it is decoded
        prefix = "json patch " if media == JSON_PATCH else ""
        self._noted = [f'{prefix}duplicate field "{path}"' for path in found]

    def patched(self, kind: Kind, obj: Any, patch: Any, media: str) -> Any:
        """The object that came of a patch.

        Raises:
            ApiError: 422.
        """
        if self._schemas is None or not isinstance(obj, dict):
            return obj
        try:
            found, problems = self._read(kind, obj)
        except WrongType as error:
            raise self._no_patch(obj, patch, media, str(error)) from None
        problems = [*self._noted, *problems]
        if problems and self._mode == STRICT:
            raise self._no_patch(obj, patch, media, f"strict decoding error: {', '.join(problems)}")
        self._warn(problems)
        return found

    @staticmethod
    def _no_patch(obj: Json, patch: Any, media: str, why: str) -> ApiError:
        shown = pairs.go(patch) if media == STRATEGIC else msgspec.json.encode(obj).decode()
        quoted = msgspec.json.encode(shown).decode()
        return invalid("", "", "", cause("FieldValueInvalid", "patch", f"Invalid value: {quoted}: {why}"))

    def applied(self, text: bytes) -> None:
        """Look at an apply's body in YAML: whether a key stands there twice.

        Raises:
            ApiError: 400.
        """
        if self._schemas is None or self._mode == IGNORE:
            return
        lines = self._noted if self._looked else doubled_keys(text)
        if lines and self._mode == STRICT:
            listed = "".join(f"\n  {line}" for line in lines)
            raise bad_request(
                f"error strict decoding patch: error converting YAML to JSON: yaml: unmarshal errors:{listed}"
            )
        self._warn(lines)


def check_types(api_version: str, kind: str, value: Any) -> None:
    """Refuse a body whose fields have other types than those of its kind.

    Args:
        api_version: Of the kind.
        kind: What the body is to be.
        value: The body, decoded.

    Raises:
        ApiError: 400.
    """
    version = api_version.rpartition("/")[2]
    if not isinstance(value, dict):
        wrong = pairs.kind_of(value)
        raise bad_request(
            f"the object provided is unrecognized (must be of type {kind}): couldn't get version/kind; "
            f"json parse error: json: cannot unmarshal {wrong} into Go value of {NO_OBJECT}"
        )
    message = table.message_of(api_version, kind)
    if message is None:
        return
    try:
        Reader().read(message, value)
    except WrongType as error:
        raise bad_request(f'{kind} in version "{version}" cannot be handled as a {kind}: {error}') from None


MAYBE_DOUBLED = re.compile(rb"^[ \t]*[\w\"'./-]+\s*:|[{,]\s*[\w\"'./-]+\s*:", re.MULTILINE)


def doubled_keys(text: bytes) -> list[str]:
    """The keys that stand twice in YAML, as go-yaml says it, one a line."""
    import yaml

    keys = [found.strip(b" \t\n{,") for found in MAYBE_DOUBLED.findall(text)]
    if len(set(keys)) == len(keys):
        return []  # no key stands there twice, in whatever object
    try:
        return _doubled(yaml.compose(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))
    except yaml.YAMLError:
        return []  # which is told where it is decoded


def _doubled(node: Any) -> list[str]:
    import yaml

    found: list[str] = []
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    found.append(f'line {key.start_mark.line + 1}: key "{key.value}" already set in map')
                seen.add(key.value)
            found += _doubled(value)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            found += _doubled(value)
    return found


__all__ = ["IGNORE", "STRICT", "WARN", "FieldValidation", "check_mode", "check_types", "doubled_keys"]
