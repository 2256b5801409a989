"""An apply's body, and what is asked of it before anything is merged."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import msgspec

from notebook_mux import yamls
from notebook_mux.playground.kinds import Kind
from notebook_mux.playground.status import bad_request, conflict

Json = dict[str, Any]

APPLY = "application/apply-patch+yaml"


TIMESTAMP, BOOL = "tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:bool"
BOOLEANS = {"y": True, "Y": True, "n": False, "N": False}
"""Words of YAML 1.1 that the server's library takes for booleans, and ours does not."""


@cache
def _loader() -> Any:
    """Reads YAML as the server does: what looks like a time is a text, and keys are texts."""
    import yaml

    base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

    class Loader(base):  # type: ignore[misc]
        def construct_yaml_bool(self, node: Any) -> bool:
            found: bool = BOOLEANS[node.value] if node.value in BOOLEANS else super().construct_yaml_bool(node)
            return found

        def construct_mapping(self, node: Any, deep: bool = False) -> Json:
            found = super().construct_mapping(node, deep)
            return {_key(key): value for key, value in found.items()}

    kept = {first: [one for one in resolvers if one[0] != TIMESTAMP]
            for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()}  # fmt: skip
    for first in BOOLEANS:
        kept[first] = [*kept.get(first, ()), (BOOL, re.compile("[yYnN]$"))]
    Loader.yaml_implicit_resolvers = kept
    Loader.add_constructor(BOOL, Loader.construct_yaml_bool)
    return Loader


def _key(key: Any) -> str:
    """A map's key as JSON has it."""
    if isinstance(key, bool):
        return "true" if key else "false"
    return "null" if key is None else str(key)


def read(body: bytes) -> Json:
    """The object that an apply's body says, in YAML or JSON.

    Raises:
        ApiError: 400.
    """
    try:
        found = msgspec.json.decode(body)
    except msgspec.DecodeError:
        found = _read_yaml(body)
    if found is None:
        return {}
    if not isinstance(found, dict):
        kind = "array" if isinstance(found, list) else "bool" if isinstance(found, bool) else (
            "number" if isinstance(found, int | float) else "string")  # fmt: skip
        raise bad_request(
            "error decoding patch: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal "
            f"{kind} into Go value of type map[string]interface {{}}"
        )
    return found


def _read_yaml(body: bytes) -> Any:
    import yaml

    try:
        yamls.check(body)
        return yaml.load(body, Loader=_loader())  # noqa: S506  a safe loader that knows less
    except yamls.TooMuch as error:
        raise bad_request(f"error encoding patch: yaml: {error}") from None
    except yaml.MarkedYAMLError as error:
        raise bad_request(f"error encoding patch: yaml: {_where(error)}{error.problem}") from None
    except yaml.YAMLError as error:
        raise bad_request(f"error encoding patch: yaml: {error}") from None


def _where(error: Any) -> str:
    """The line as the server's library counts it: from nought, but for what its scanner finds."""
    mark = error.problem_mark if error.problem_mark and error.problem_mark.line else error.context_mark
    line = (mark.line if mark else 0) + (1 if mark and mark.line and type(error).__name__ == "ScannerError" else 0)
    return f"line {line}: " if line else ""


def check(kind: Kind, applied: Json, name: str, *, exists: bool) -> None:
    """Refuse an apply of something else.

    Raises:
        ApiError: 400 or 409.
    """
    version, said = applied.get("apiVersion") or "", applied.get("kind") or ""
    if (version, said) != (kind.api_version, kind.kind):
        shown = version if "/" in str(version) else f"/{version}"
        raise bad_request(f"invalid object type: {shown}, Kind={said}")
    metadata = applied.get("metadata")
    if metadata is None:
        metadata = applied["metadata"] = {}
    if isinstance(metadata, dict):
        if metadata.get("managedFields") is not None:
            raise bad_request("metadata.managedFields must be nil")
        uid = metadata.get("uid")
        if uid and not exists:
            said = f"uid mismatch: the provided object specified uid {uid}, and no existing object was found"
            raise conflict(kind, name, said)


def check_name(name: str, metadata: Json) -> None:
    """Refuse a new object that does not say its name.

    Raises:
        ApiError: 400.
    """
    if not metadata.get("name"):
        raise bad_request(f"the name of the object ({name} based on URL) was undeterminable: name must be provided")
