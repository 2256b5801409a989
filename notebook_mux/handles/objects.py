"""Objects of a cluster as a reader gets them: a dict of its own, with names for what is asked most."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

REPR_LINES = 80
"""Lines of an object that a notebook shows by itself; ``print(obj.yaml())`` shows all."""

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
"""kubectl's annotation with the whole manifest, values of a Secret included."""

SECRET_FIELDS = ("data", "stringData")

_decode = msgspec.json.Decoder(dict[str, Any]).decode


class Object(dict[str, Any]):
    """One object as the API server sent it, decoded for this reader alone: an edit reaches nobody else.

    It shows itself as YAML, without a Secret's values.
    """

    __slots__ = ("_cluster",)

    def __init__(self, content: Mapping[str, Any], cluster: str = "") -> None:
        super().__init__(content)
        self._cluster = cluster

    @classmethod
    def of(cls, record: Any, cluster: str, resource: Mapping[str, Any] | None) -> Object:
        """A stored record as an object; items of a list carry no kind of their own and get their resource's."""
        content = _decode(record.object) if record.object else {}
        if resource is not None and "kind" not in content:
            group, version = resource["group"], resource["version"]
            content = {
                "apiVersion": f"{group}/{version}" if group else version,
                "kind": resource["kind"],
                **content,
            }
        if "metadata" not in content:
            known = {"name": record.name, "namespace": record.namespace}
            content["metadata"] = {key: value for key, value in known.items() if value}
        return cls(content, cluster)

    @property
    def name(self) -> str:
        """Its name."""
        return str(self._metadata("name"))

    @property
    def namespace(self) -> str:
        """Its namespace; "" for what is in none."""
        return str(self._metadata("namespace"))

    @property
    def kind(self) -> str:
        """Its kind, such as ``Pod``."""
        return str(self.get("kind") or "")

    @property
    def cluster(self) -> str:
        """The cluster it came from, by the name it has in `connect`."""
        return self._cluster

    def yaml(self, *, show_secrets: bool = False) -> str:
        """The object as YAML, without managed fields.

        Args:
            show_secrets: Whether a Secret's values are in it.
        """
        content = dict(self) if show_secrets else veiled(self)
        metadata = content.get("metadata")
        if isinstance(metadata, Mapping):
            content["metadata"] = {key: value for key, value in metadata.items() if key != "managedFields"}
        return yaml_of(content)

    def _metadata(self, key: str) -> Any:
        metadata = self.get("metadata")
        return (metadata.get(key) if isinstance(metadata, Mapping) else None) or ""

    def copy(self) -> Object:
        """A shallow copy."""
        return Object(self, self._cluster)

    def __repr__(self) -> str:
        where = f"{self.namespace}/{self.name}" if self.namespace else self.name
        return f"<{self.kind or 'Object'} {where}{f' in {self.cluster}' if self.cluster else ''}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return Object, (dict(self), self._cluster)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        if getattr(printer, "indentation", 0) or cycle:  # inside a list or dict
            printer.text(repr(self))
            return
        lines = self.yaml().splitlines()
        shown = lines[:REPR_LINES]
        if len(lines) > REPR_LINES:
            shown.append(f"# … {len(lines) - REPR_LINES} more lines: print(obj.yaml())")
        printer.text("\n".join(shown))


def veiled(content: Mapping[str, Any]) -> dict[str, Any]:
    """The object with a Secret's values replaced by their lengths."""
    shown = dict(content)
    if shown.get("kind") != "Secret":
        return shown
    for field in SECRET_FIELDS:
        values = shown.get(field)
        if isinstance(values, Mapping):
            shown[field] = {key: f"<hidden, {len(str(value))} characters>" for key, value in values.items()}
    metadata = shown.get("metadata")
    if isinstance(metadata, Mapping) and LAST_APPLIED in (metadata.get("annotations") or {}):
        annotations = {**metadata["annotations"], LAST_APPLIED: "<hidden>"}
        shown["metadata"] = {**metadata, "annotations": annotations}
    return shown


def yaml_of(content: Mapping[str, Any]) -> str:
    """An object as YAML, with all that is in it."""
    import yaml

    text: str = yaml.dump(dict(content), Dumper=_dumper(), sort_keys=False, allow_unicode=True, width=100)
    return text


class Change:
    """One change of a stream.

    Attributes:
        type: ``"ADDED"``, ``"MODIFIED"`` or ``"DELETED"``.
        cluster: The cluster's name.
    """

    __slots__ = ("_new", "_object", "_old", "_old_object", "_resource", "cluster", "type")

    def __init__(self, kind: str, cluster: str, new: Any, old: Any, resource: Mapping[str, Any] | None) -> None:
        self.type = kind
        self.cluster = cluster
        self._new = new
        self._old = old
        self._resource = resource
        self._object: Object | None = None
        self._old_object: Object | None = None

    @property
    def object(self) -> Object:
        """The object now; of one that was deleted its last state."""
        if self._object is None:
            self._object = Object.of(self._new or self._old, self.cluster, self._resource)
        return self._object

    @property
    def old(self) -> Object | None:
        """The object before the change; None for one that was added."""
        if self._old_object is None and self._old is not None:
            self._old_object = Object.of(self._old, self.cluster, self._resource)
        return self._old_object

    def __repr__(self) -> str:
        record = self._new or self._old
        where = f"{record.namespace}/{record.name}" if record.namespace else record.name
        kind = f"{self._resource['kind']} " if self._resource else ""
        return f"<Change {self.type} {kind}{where} in {self.cluster}>"


def _dumper() -> Any:
    """A YAML dumper that writes texts of several lines as blocks."""
    import yaml

    class Dumper(yaml.SafeDumper):
        """See `_dumper`."""

    def text(dumper: Any, value: str) -> Any:
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)

    Dumper.add_representer(str, text)
    Dumper.add_representer(Object, lambda dumper, value: dumper.represent_dict(value.items()))
    return Dumper
