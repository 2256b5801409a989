"""What `apply` is given, as documents: YAML or JSON as text or in files, dicts, objects, lists of these."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from notebook_mux import errors, yamls
from notebook_mux.handles.fetching import check_name
from notebook_mux.handles.objects import SECRET_FIELDS, Object
from notebook_mux.printing.differences import BOOKS

ENDINGS = (".yaml", ".yml", ".json")
"""Of the files that are taken from a folder, as kubectl takes them."""

SERVERS = ("managedFields", "resourceVersion", "uid", "creationTimestamp", "generation", "selfLink",
           "deletionTimestamp", "deletionGracePeriodSeconds")  # fmt: skip
"""Of the metadata: what a server writes. It stands in YAML that was copied from a cluster, and is nobody's wish."""

MASKED = re.compile(r"<hidden(?:, [^<>]*)?>|<masked>")
"""What this package shows in place of a secret."""

FIRST = (
    *("Namespace", "ResourceQuota", "StorageClass", "CustomResourceDefinition", "ServiceAccount", "PodSecurityPolicy"),
    *("Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding", "ConfigMap", "Secret", "Endpoints", "Service"),
    *("LimitRange", "PriorityClass", "PersistentVolume", "PersistentVolumeClaim", "Deployment", "StatefulSet"),
    *("CronJob", "PodDisruptionBudget"),
)
LAST = ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")
"""The order in which ``kubectl apply -k`` sends kinds (kustomize, ``api/resid``): what others need comes first."""


class Document(NamedTuple):
    """One object as it is to be.

    Args:
        content: Without what a server writes.
        source: Where it stands, such as ``web.yaml, line 12``; "" where it has no place.
        cluster: The cluster of the object that was given; "" where it says none.
    """

    content: dict[str, Any]
    source: str
    cluster: str = ""

    @property
    def kind(self) -> str:
        """Such as ``Deployment``."""
        return str(self.content["kind"])

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.content["metadata"]["name"])

    @property
    def words(self) -> str:
        """Such as ``Deployment web (web.yaml, line 12)``."""
        return f"{self.kind} {self.name}" + (f" ({self.source})" if self.source else "")


def documents(manifest: Any) -> list[Document]:
    """All documents, those that others need first; else in the order given.

    Raises:
        InvalidArgument: What was given cannot be read, is no object, or has masked secrets in it; with its place.
        NotFound: There is no such file.
    """
    try:
        found = [made for content, source in _contents(manifest, "") for made in _opened(content, source)]
    except RecursionError:
        raise errors.InvalidArgument(
            "lists in lists without an end cannot be applied", todo="give a list of objects"
        ) from None
    if not found:
        raise errors.InvalidArgument("there is nothing in what is to be applied", todo="give YAML, a path or a dict")
    return sorted(found, key=_rank)


def _rank(document: Document) -> int:
    if document.kind in FIRST:
        return FIRST.index(document.kind)
    return len(FIRST) + (1 if document.kind in LAST else 0)


def _contents(manifest: Any, source: str) -> Iterator[tuple[Any, str]]:
    if isinstance(manifest, str) and ("\n" in manifest or manifest.lstrip().startswith("{")):
        yield from read(manifest, source)
    elif isinstance(manifest, str | os.PathLike):
        yield from _files(manifest)
    elif isinstance(manifest, Mapping):
        yield manifest, source
    elif isinstance(manifest, Iterable) and not isinstance(manifest, bytes | bytearray):
        for one in manifest:
            yield from _contents(one, source)
    else:
        raise errors.InvalidArgument(
            f"a {type(manifest).__name__} cannot be applied", todo="give YAML as text, a path, a dict, an object"
        )


def _files(given: str | os.PathLike[str]) -> Iterator[tuple[Any, str]]:
    words = os.fspath(given)
    if not isinstance(words, str) or not words.strip():
        raise errors.InvalidArgument(f"{given!r} is no manifest and no path", todo="give YAML as text, or a path")
    if "://" in words:
        raise errors.InvalidArgument(f"{words!r} is a URL", todo="fetch it yourself, look at it, and apply the text")
    path = Path(words).expanduser()
    try:
        if path.is_dir():
            paths = sorted(one for one in path.iterdir() if one.suffix in ENDINGS and one.is_file())
            if not paths:
                raise errors.NotFound(f"there is no {', '.join(ENDINGS)} in the folder {words}")
        else:
            paths = [path]
        for one in paths:
            yield from read(one.read_text(encoding="utf-8"), one.name)
    except FileNotFoundError:
        raise errors.NotFound(
            f"there is no file {words!r}", todo=f"it is looked for from {Path.cwd()}; YAML of one line begins with {{"
        ) from None
    except (OSError, ValueError) as error:  # what is no path, or no text
        raise errors.InvalidArgument(f"{words} cannot be read", said=str(error)) from None


def read(text: str, source: str = "") -> Iterator[tuple[Any, str]]:
    """The documents in a text, each with its place; empty ones are left out.

    Raises:
        InvalidArgument: It is no YAML; with the line. Or its aliases stand for too much.
    """
    import yaml

    where = f"{source}, " if source else ""
    try:
        yamls.check(text.encode())
        loader = _loader()(text)
        while loader.check_node():
            node = loader.get_node()
            content = loader.construct_document(node)
            if content is not None:
                yield content, f"{where}line {node.start_mark.line + 1}"
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f"line {mark.line + 1}, column {mark.column + 1}" if mark is not None else "somewhere"
        raise errors.InvalidArgument(
            f"the YAML cannot be read ({where}{line})", said=str(error.problem or error.context or "") or None
        ) from None
    except yamls.TooMuch as error:
        raise errors.InvalidArgument(
            f"the YAML cannot be read ({where}line {error.line})",
            said=str(error),
            todo="write out what its aliases stand for",
        ) from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise errors.InvalidArgument(
            f"the YAML cannot be read{f' ({source})' if source else ''}", said=str(error)
        ) from None


@cache
def _loader() -> Any:
    """Reads YAML as Go's library does, by which kubectl and the server read it.

    What looks like a time is a text, so is ``22:22``, keys are texts, and a key that stands twice is an error.
    """
    import yaml

    base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

    class Loader(base):  # type: ignore[misc]  # which of the two there is, is known at run time
        """See `_loader`."""

        def construct_mapping(self, node: Any, deep: bool = False) -> dict[str, Any]:
            seen = set()
            for key, _ in node.value:
                if key.tag == "tag:yaml.org,2002:merge":
                    continue
                if (name := (key.tag, str(key.value))) in seen:
                    raise yaml.constructor.ConstructorError(
                        None, None, f"the key {key.value!r} stands twice", key.start_mark
                    )
                seen.add(name)
            self.flatten_mapping(node)
            # keys as texts at once: 1 and true are one key of a dict
            return {
                _key(self.construct_object(key, deep=True)): self.construct_object(value, deep=deep)
                for key, value in node.value
            }

    timestamp, number, float_ = (f"tag:yaml.org,2002:{name}" for name in ("timestamp", "int", "float"))
    kept = {
        first: [one for one in resolvers if one[0] not in (timestamp, number, float_)]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    integers = re.compile(r"[-+]?(?:0b[01_]+|0o?[0-7_]+|0|[1-9][0-9_]*|0x[0-9a-fA-F_]+)$")
    floats = re.compile(
        r"(?:[-+]?(?:[0-9][0-9_]*\.[0-9_]*|\.[0-9][0-9_]*|[0-9][0-9_]*)(?:[eE][-+]?[0-9]+)?"
        r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$"
    )
    for first in "-+.0123456789":
        kept[first] = [*kept.get(first, ()), (number, integers), (float_, floats)]
    Loader.yaml_implicit_resolvers = kept
    Loader.add_constructor(number, lambda loader, node: _integer(node.value))
    Loader.add_constructor(float_, lambda loader, node: _float(node.value))
    return Loader


def _integer(text: str) -> int:
    sign, digits = (-1, text[1:]) if text[0] == "-" else (1, text.removeprefix("+"))
    digits = digits.replace("_", "")
    if len(digits) > 1 and digits[0] == "0" and digits[1] in "01234567":
        return sign * int(digits, 8)
    return sign * int(digits, 0)


def _float(text: str) -> float | int:
    """As Go writes it into JSON: ``1e3`` and ``08`` are whole numbers there."""
    value = float(text.replace("_", "").lower().replace(".inf", "inf").replace(".nan", "nan"))
    return int(value) if value.is_integer() and abs(value) < 2**53 else value


def _key(key: Any) -> str:
    if isinstance(key, bool):
        return "true" if key else "false"
    return "null" if key is None else str(key)


def _opened(content: Any, source: str) -> Iterator[Document]:
    """A document, or those in a list of them."""
    if not isinstance(content, Mapping):
        raise _wrong(f"what is to be applied is {_named(content)} and no object", source)
    kind, items = str(content.get("kind") or ""), content.get("items")
    if kind == "List" or (kind.endswith("List") and isinstance(items, list | tuple)):
        shared = {"apiVersion": content.get("apiVersion"), "kind": kind.removesuffix("List")} if kind != "List" else {}
        if items is not None and not isinstance(items, list | tuple):
            raise _wrong(f"a {kind} whose items are no list", source, "give objects as its items")
        for at, one in enumerate(items or ()):
            place = f"{source}, item {at}" if source else f"item {at}"
            if isinstance(one, Mapping):
                one = Object({**shared, **one}, getattr(content, "cluster", "") or getattr(one, "cluster", ""))
            yield from _opened(one, place)
        return
    yield _document(content, source)


def _document(content: Mapping[str, Any], source: str) -> Document:
    version, kind, metadata = content.get("apiVersion"), content.get("kind"), content.get("metadata")
    for field, value in (("apiVersion", version), ("kind", kind)):
        if not isinstance(value, str) or not value:
            raise _wrong(f"an object without {field}", source, "such as apiVersion: v1 and kind: ConfigMap")
    if not isinstance(metadata, Mapping):
        metadata = {}
    name = metadata.get("name")
    if not isinstance(name, str) or not name:
        words = "it has generateName, and an apply needs a name" if metadata.get("generateName") else "give one"
        raise _wrong(f"a {kind} without metadata.name", source, words)
    check_name(name, source)
    _refuse_masked(content, source)
    cleaned = {key: value for key, value in content.items() if key != "status"}
    kept = {key: value for key, value in metadata.items() if key not in SERVERS}
    annotations = kept.get("annotations")
    if isinstance(annotations, Mapping):
        kept["annotations"] = {key: value for key, value in annotations.items() if key not in BOOKS}
        if not kept["annotations"]:
            del kept["annotations"]
    cleaned["metadata"] = kept
    try:
        msgspec.json.encode(cleaned)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        problem = _wrong(
            f"{kind} {name} cannot be written as JSON", source, "give texts, numbers, lists and dicts only"
        )
        problem.said = str(error)
        raise problem from None
    return Document(cleaned, source, str(getattr(content, "cluster", "") or ""))


def _refuse_masked(content: Mapping[str, Any], source: str) -> None:
    """A Secret's YAML as it is shown has no values in it: they must not be overwritten by what stands for them."""
    if content.get("kind") != "Secret":
        return
    for field in SECRET_FIELDS:
        values = content.get(field)
        for key, value in values.items() if isinstance(values, Mapping) else ():
            if isinstance(value, str) and MASKED.fullmatch(value):
                raise _wrong(
                    f"the value of {field}.{key} in this Secret is hidden, so it cannot be applied",
                    source,
                    "take obj.yaml(show_secrets=True), which has it",
                )


def _wrong(what: str, source: str, todo: str | None = None) -> errors.InvalidArgument:
    return errors.InvalidArgument(f"{what}{f' ({source})' if source else ''}", todo=todo)


def _named(content: Any) -> str:
    return {str: "a text", list: "a list", int: "a number", float: "a number", bool: "a boolean"}.get(
        type(content), f"a {type(content).__name__}"
    )
