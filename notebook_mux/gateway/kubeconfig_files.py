"""kubeconfig files: read, checked and merged as kubectl merges them.

The first file that sets a value or has an entry of a name wins; an entry is taken whole, never merged field by field;
each entry remembers its file, for its relative paths count from there (client-go's clientcmd, ``loader.go``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from notebook_mux.errors import InvalidArgument

MAX_FILE = 16 * 1024 * 1024
"""Bytes; kubeconfigs of hundreds of clusters with inline certificates stay under one MiB."""

SECTIONS = {"clusters": "cluster", "users": "user", "contexts": "context"}


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Safe YAML that takes dates for text and refuses a key that stands twice."""


_Loader.yaml_implicit_resolvers = {
    first: [pair for pair in pairs if pair[0] != "tag:yaml.org,2002:timestamp"]
    for first, pairs in _Loader.yaml_implicit_resolvers.items()
}


def _mapping(loader: Any, node: yaml.MappingNode) -> dict[Any, Any]:
    seen: set[str] = set()
    for key, _ in node.value:
        if isinstance(key, yaml.ScalarNode):
            if key.value in seen and key.value != "<<":
                problem = f"the key {key.value!r} stands twice"
                raise yaml.constructor.ConstructorError(None, None, problem, key.start_mark)
            seen.add(key.value)
    loader.flatten_mapping(node)
    construct = loader.construct_object
    return {construct(key, deep=True): construct(value, deep=True) for key, value in node.value}


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


@dataclass(frozen=True, repr=False)
class Entry:
    """A named entry of a kubeconfig and the file it stands in. Its fields may be secrets, so its repr shows none."""

    kind: str
    name: str
    fields: Mapping[str, Any]
    file: Path

    def __repr__(self) -> str:
        return f"<{self.kind} {self.name!r} of {self.file}>"

    def wrong(self, what: str, *, todo: str | None = None) -> InvalidArgument:
        """An error that names this entry and its file."""
        where = f"{self.kind} {self.name!r} in {self.file}"
        return InvalidArgument(f"{where}: {what}", todo=todo or "correct the kubeconfig")

    def text(self, key: str) -> str:
        """A field as text, "" if absent.

        Raises:
            InvalidArgument: It is something else.
        """
        value = self.fields.get(key)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise self.wrong(f"{key} must be text, not {_kind(value)}", todo="put it in quotes")
        return value

    def flag(self, key: str) -> bool:
        """A field as a boolean, False if absent."""
        value = self.fields.get(key)
        if value is None:
            return False
        if not isinstance(value, bool):
            raise self.wrong(f"{key} must be true or false, not {_kind(value)}")
        return value

    def texts(self, key: str) -> list[str]:
        """A field as a list of texts, empty if absent."""
        value = self.fields.get(key)
        if value is None:
            return []
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self.wrong(f"{key} must be a list of texts")
        return value

    def table(self, key: str) -> dict[str, Any]:
        """A field as a mapping, empty if absent."""
        value = self.fields.get(key)
        if value is None:
            return {}
        if not isinstance(value, dict):
            raise self.wrong(f"{key} must be a mapping, not {_kind(value)}")
        return value

    def path(self, key: str) -> Path | None:
        """A field as a path; a relative one counts from the folder of the entry's file."""
        value = self.text(key)
        return self.file.parent / value if value else None


@dataclass(frozen=True)
class Kubeconfig:
    """What several files say together."""

    current: str = ""
    clusters: dict[str, Entry] = field(default_factory=dict)
    users: dict[str, Entry] = field(default_factory=dict)
    contexts: dict[str, Entry] = field(default_factory=dict)
    files: tuple[Path, ...] = ()


def read(paths: Sequence[Path]) -> Kubeconfig:
    """Read and merge; files that are not there are skipped.

    Raises:
        InvalidArgument: A file cannot be read, or is no kubeconfig; it names the file.
    """
    current, files = "", []
    found: dict[str, dict[str, Entry]] = {section: {} for section in SECTIONS}
    for path in dict.fromkeys(paths):
        document = _document(path)
        if document is None:
            continue
        files.append(path)
        named = document.get("current-context") or ""
        if not isinstance(named, str):
            raise InvalidArgument(f"{path}: current-context must be text, not {_kind(named)}", todo="put it in quotes")
        current = current or named
        for section, kind in SECTIONS.items():
            for name, entry in _entries(document, section, kind, path).items():
                found[section].setdefault(name, entry)
    return Kubeconfig(current, found["clusters"], found["users"], found["contexts"], tuple(files))


def _document(path: Path) -> dict[str, Any] | None:
    try:
        with path.open("rb") as file:
            text = file.read(MAX_FILE + 1)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise InvalidArgument(f"the kubeconfig {path} cannot be read", said=error.strerror) from None
    if len(text) > MAX_FILE:
        raise InvalidArgument(f"the kubeconfig {path} is over {MAX_FILE} bytes")
    try:
        document = yaml.load(text, _Loader)  # noqa: S506 - a SafeLoader
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        # Only where and what: a parser's excerpt of the file may be a secret.
        mark = getattr(error, "problem_mark", None)
        where = f" line {mark.line + 1}, column {mark.column + 1}" if mark is not None else ""
        said = getattr(error, "problem", None) or "it cannot be parsed"
        raise InvalidArgument(
            f"the kubeconfig {path} is not valid YAML:{where or ' somewhere'}", said=said, todo="correct the file"
        ) from None
    if document is None:
        return {}
    if not isinstance(document, dict) or document.get("kind") not in (None, "", "Config"):
        raise InvalidArgument(f"{path} is no kubeconfig", todo="a kubeconfig is a mapping of kind Config")
    return document


def _entries(document: dict[str, Any], section: str, kind: str, path: Path) -> dict[str, Entry]:
    entries: dict[str, Entry] = {}
    listed = document.get(section)
    if listed is None:
        return entries
    if not isinstance(listed, list):
        raise InvalidArgument(f"{path}: {section} must be a list, not {_kind(listed)}", todo="correct the file")
    for number, item in enumerate(listed, 1):
        name = item.get("name") if isinstance(item, dict) else None
        if not isinstance(name, str):
            raise InvalidArgument(f"{path}: entry {number} of {section} has no name in text", todo="correct the file")
        fields = item.get(kind)
        if fields is not None and not isinstance(fields, dict):
            raise InvalidArgument(
                f"{path}: {kind} {name!r} must be a mapping, not {_kind(fields)}", todo="correct the file"
            )
        if name in entries:
            raise InvalidArgument(f"{path}: {kind} {name!r} stands twice in {section}", todo="remove one of the two")
        entries[name] = Entry(kind, name, fields or {}, path)
    return entries


def _kind(value: object) -> str:
    names = {dict: "a mapping", list: "a list", bool: "true or false", int: "a number", float: "a number"}
    return names.get(type(value), type(value).__name__)
