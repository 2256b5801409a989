"""kubeconfig files: read, checked and merged as kubectl merges them.

The first file that sets a value or has an entry of a name wins; an entry is taken whole, never merged field by field;
each entry remembers its file, for its relative paths count from there (client-go's clientcmd, ``loader.go``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from notebook_mux.errors import InvalidArgument

MAX_FILE = 64 * 1024 * 1024
"""Bytes; 10,000 clusters with inline certificates are 21 MB."""

MAX_PARSED = 4
"""Parsed files that are kept: a cell that is run again must not hold the gateway for the seconds that a huge one takes,
for the parser holds the GIL."""

_parsed: dict[bytes, dict[str, Any]] = {}
"""By the hash of their content; nobody changes what they hold."""

SECTIONS = {"clusters": "cluster", "users": "user", "contexts": "context"}


class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Safe YAML that takes dates for text and refuses a key that stands twice."""


Loader.yaml_implicit_resolvers = {
    first: [pair for pair in pairs if pair[0] != "tag:yaml.org,2002:timestamp"]
    for first, pairs in Loader.yaml_implicit_resolvers.items()
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


Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


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
        content = document(path)
        if content is None:
            continue
        files.append(path)
        named = content.get("current-context") or ""
        if not isinstance(named, str):
            raise InvalidArgument(f"{path}: current-context must be text, not {_kind(named)}", todo="put it in quotes")
        current = current or named
        for section, kind in SECTIONS.items():
            for name, entry in _entries(content, section, kind, path).items():
                found[section].setdefault(name, entry)
    return Kubeconfig(current, found["clusters"], found["users"], found["contexts"], tuple(files))


def document(path: Path) -> dict[str, Any] | None:
    """What one file says, None if it is not there; nobody changes it, for it is kept.

    Raises:
        InvalidArgument: As `read`.
    """
    try:
        with path.open("rb") as file:
            text = file.read(MAX_FILE + 1)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise InvalidArgument(f"the kubeconfig {path} cannot be read", said=error.strerror) from None
    if len(text) > MAX_FILE:
        raise InvalidArgument(f"the kubeconfig {path} is over {MAX_FILE} bytes")
    content = hashlib.sha256(text).digest()
    if content in _parsed:
        return _parsed[content]
    try:
        document = _first(text)
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
    while len(_parsed) >= MAX_PARSED:
        _parsed.pop(next(iter(_parsed), b""), None)
    _parsed[content] = document
    return document


def _first(text: bytes) -> Any:
    """The first document; kubectl reads no other."""
    loader = Loader(text)
    try:
        return loader.get_data()
    finally:
        loader.dispose()


def _entries(document: dict[str, Any], section: str, kind: str, path: Path) -> dict[str, Entry]:
    entries: dict[str, Entry] = {}
    listed = document.get(section)
    if listed is None:
        return entries
    if not isinstance(listed, list):
        raise InvalidArgument(f"{path}: {section} must be a list, not {_kind(listed)}", todo="correct the file")
    for number, item in enumerate(listed, 1):
        name = item.get("name") if isinstance(item, dict) else None
        fields = item.get(kind) if isinstance(item, dict) else None
        if not isinstance(name, str):
            problem = f"entry {number} of {section} has no name in text"
        elif fields is not None and not isinstance(fields, dict):
            problem = f"{kind} {name!r} must be a mapping, not {_kind(fields)}"
        elif name in entries:
            problem = f"{kind} {name!r} stands twice in {section}"
        else:
            entries[name] = Entry(kind, name, fields or {}, path)
            continue
        raise InvalidArgument(f"{path}{_line(path, section, number)}: {problem}", todo="correct the file")
    return entries


def _line(path: Path, section: str, number: int) -> str:
    """Where an entry stands, in words; "" if the file has changed meanwhile. Reads the file again."""
    try:
        root: Any = yaml.compose(path.read_bytes(), Loader)
        listed = next(value for key, value in root.value if key.value == section)
        return f", line {listed.value[number - 1].start_mark.line + 1}"
    except (OSError, yaml.YAMLError, ValueError, AttributeError, TypeError, IndexError, StopIteration):
        return ""


def _kind(value: object) -> str:
    names = {dict: "a mapping", list: "a list", bool: "true or false", int: "a number", float: "a number"}
    return names.get(type(value), type(value).__name__)
