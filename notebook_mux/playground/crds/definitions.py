"""A CustomResourceDefinition itself: its defaults, and what is wrong with it.

The checks are those of kube-apiserver 1.37 for apiextensions.k8s.io/v1, but for what a conversion webhook needs: there
is no webhook here, and a definition that asks for one is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from notebook_mux.playground import causes
from notebook_mux.playground.checking.base import SUBDOMAIN, SUBDOMAIN_SAID
from notebook_mux.playground.crds import schemas
from notebook_mux.playground.crds.conditions import is_true

Json = dict[str, Any]

LABEL = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
LABEL_SAID = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, "
    "and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is "
    "'[a-z]([-a-z0-9]*[a-z0-9])?')"
)
IMMUTABLE = "field is immutable"
APPROVED = "api-approved.kubernetes.io"
COLUMN_TYPES = ("boolean", "date", "integer", "number", "string")
COLUMN_FORMATS = ("byte", "date", "date-time", "double", "float", "int32", "int64", "password")
SELECTABLE = 8
"""Fields that a version may name for selectors, at most."""

SELECTABLE_TYPES = ("string", "boolean", "integer")
WARNING_LENGTH = 256


def complete(crd: Json) -> None:
    """Fill in what a definition does not say."""
    spec = crd.setdefault("spec", {})
    names = spec.setdefault("names", {})
    kind = names.get("kind") or ""
    if not names.get("singular"):
        names["singular"] = kind.lower()
    if not names.get("listKind") and kind:
        names["listKind"] = f"{kind}List"
    spec.setdefault("conversion", {"strategy": "None"})


def begin(crd: Json) -> None:
    """Give a new definition its status: nothing is accepted yet."""
    crd["status"] = {
        "conditions": None,
        "acceptedNames": {"plural": "", "kind": ""},
        "storedVersions": _stored(crd),
    }


def follow(crd: Json, old: Json) -> None:
    """Note in a changed definition's status which versions objects may be stored in."""
    status = crd["status"] = {**(old.get("status") or {})}
    stored = list(status.get("storedVersions") or ())
    status["storedVersions"] = stored + [name for name in _stored(crd) if name not in stored]


def _stored(crd: Json) -> list[str]:
    """The version that objects are stored in, of a definition that may not be valid yet."""
    return [one.get("name") or "" for one in crd["spec"].get("versions") or () if one.get("storage")][:1]


def problems(new: Json, old: Json | None) -> list[Json]:
    """The causes for which a definition cannot be stored."""
    return list(_problems(new, old))


def _problems(new: Json, old: Json | None) -> Iterator[Json]:
    spec, metadata = new["spec"], new["metadata"]
    names, group = spec.get("names") or {}, spec.get("group") or ""
    name = f"{names.get('plural', '')}.{group}"
    if old is None and metadata.get("name") and metadata["name"] != name:
        yield causes.wrong("metadata.name", metadata["name"], 'must be spec.names.plural+"."+spec.group')
    yield from _of_group(group)
    yield from _of_scope(spec.get("scope") or "")
    versions = spec.get("versions") or []
    for index, version in enumerate(versions):
        if (version.get("schema") or {}).get("openAPIV3Schema") is None:
            yield causes.required(f"spec.versions[{index}].schema.openAPIV3Schema")
    for index, version in enumerate(versions):
        yield from _of_version(version, _Paths(index, versions))
    if len({one.get("name") for one in versions}) < len(versions):
        yield causes.wrong("spec.versions", versions, "must contain unique version names")
    if sum(bool(one.get("storage")) for one in versions) != 1:
        yield causes.wrong("spec.versions", versions, "must have exactly one version marked as storage version")
        if old is None and not any(one.get("storage") for one in versions):
            yield causes.wrong("status.storedVersions", None, "must have at least one stored version")
    if versions and not LABEL.fullmatch(versions[0].get("name") or ""):
        yield causes.wrong("spec.version", versions[0].get("name") or "", LABEL_SAID)
    yield from _of_names(names, "spec.names")
    yield from _of_conversion(spec.get("conversion") or {})
    if old is not None:
        yield from _unchanged(spec, old)
        yield from _of_stored(new, versions)
    yield from _of_approval(group, metadata, old)
    if spec.get("preserveUnknownFields"):
        text = "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead"
        yield causes.wrong("spec.preserveUnknownFields", True, text)


def _of_group(group: str) -> Iterator[Json]:
    if not group:
        yield causes.required("spec.group")
    elif not SUBDOMAIN.fullmatch(group):
        yield causes.wrong("spec.group", group, SUBDOMAIN_SAID)
    elif "." not in group:
        yield causes.wrong("spec.group", group, "should be a domain with at least one dot")


def _of_scope(scope: str) -> Iterator[Json]:
    if not scope:
        yield causes.required("spec.scope")
    elif scope not in ("Cluster", "Namespaced"):
        yield causes.unsupported("spec.scope", scope, ["Cluster", "Namespaced"])


class _Paths:
    """Where errors about a version say that they are.

    The server looks at a definition in an older form, in which what all versions have in common stands above them.
    """

    def __init__(self, index: int, versions: list[Json]):
        self.own = f"spec.versions[{index}]"
        self._versions = versions

    def __call__(self, name: str, common: str) -> str:
        first = self._versions[0].get(name)
        alike = bool(first) and all(one.get(name) == first for one in self._versions)
        return f"spec.{common}" if alike else f"{self.own}.{name}"


def _of_version(version: Json, paths: _Paths) -> Iterator[Json]:
    path = paths.own
    if not LABEL.fullmatch(version.get("name") or ""):
        yield causes.wrong(f"{path}.name", version.get("name") or "", LABEL_SAID)
    warning = version.get("deprecationWarning")
    if warning is not None and not version.get("deprecated"):
        yield causes.wrong(f"{path}.deprecationWarning", warning, "can only be set for deprecated versions")
    elif warning == "":
        yield causes.wrong(f"{path}.deprecationWarning", warning, "must not be an empty string")
    elif warning is not None and len(warning) > WARNING_LENGTH:
        text = f"must be <= {WARNING_LENGTH} characters long"
        yield causes.wrong(f"{path}.deprecationWarning", warning, text)
    below = version.get("subresources") or {}
    schema = (version.get("schema") or {}).get("openAPIV3Schema")
    if schema is not None:
        at = paths("schema", "validation")
        yield from schemas.problems(schema, f"{at}.openAPIV3Schema", status="status" in below)
    yield from _of_scale(below.get("scale"), f"{paths('subresources', 'subresources')}.scale")
    columns = paths("additionalPrinterColumns", "additionalPrinterColumns")
    for index, column in enumerate(version.get("additionalPrinterColumns") or ()):
        yield from _of_column(column, f"{columns}[{index}]")
    fields = paths("selectableFields", "selectableFields")
    yield from _of_selectable(version.get("selectableFields") or (), schema or {}, fields)


def _of_scale(scale: Json | None, path: str) -> Iterator[Json]:
    if scale is None:
        return
    for name, below in (("specReplicasPath", ".spec"), ("statusReplicasPath", ".status")):
        value = scale.get(name) or ""
        if not value:
            yield causes.required(f"{path}.{name}")
        elif found := list(_of_path(value, f"{path}.{name}")):
            yield from found
        elif not value.startswith(f"{below}."):
            yield causes.wrong(f"{path}.{name}", value, f"should be a json path under {below}")
    selector = scale.get("labelSelectorPath")
    if selector:
        if found := list(_of_path(selector, f"{path}.labelSelectorPath")):
            yield from found
        elif not selector.startswith((".spec.", ".status.")):
            text = "should be a json path under either .spec or .status"
            yield causes.wrong(f"{path}.labelSelectorPath", selector, text)


def _of_path(value: str, path: str) -> Iterator[Json]:
    """What is wrong with a path that has to be plain: ``.spec.replicas``."""
    if not value.startswith("."):
        yield causes.wrong(path, value, "must be a simple json path starting with .")
    elif not all(step and re.fullmatch(r"[^\[\]\s]+", step) for step in value[1:].split(".")):
        yield causes.wrong(path, value, "must be a json path in the dot notation")


def _of_column(column: Json, path: str) -> Iterator[Json]:
    if not column.get("name"):
        yield causes.required(f"{path}.name")
    known = ",".join(COLUMN_TYPES)
    if not column.get("type"):
        yield causes.required(f"{path}.type", f"must be one of {known}")
    elif column["type"] not in COLUMN_TYPES:
        yield causes.wrong(f"{path}.type", column["type"], f"must be one of {known}")
    if column.get("format") and column["format"] not in COLUMN_FORMATS:
        yield causes.wrong(f"{path}.format", column["format"], f"must be one of {','.join(COLUMN_FORMATS)}")
    if not column.get("jsonPath"):
        yield causes.required(f"{path}.JSONPath")
    elif not column["jsonPath"].startswith("."):
        yield causes.wrong(f"{path}.JSONPath", column["jsonPath"], "must be a simple json path starting with .")


def _of_selectable(fields: Any, schema: Json, path: str) -> Iterator[Json]:
    seen: set[str] = set()
    for index, one in enumerate(fields):
        at, value = f"{path}[{index}].jsonPath", one.get("jsonPath") or ""
        if not value:
            yield causes.required(at)
            continue
        found: Json | None = schema
        for step in value.removeprefix(".").split("."):
            found = ((found or {}).get("properties") or {}).get(step)
        if found is None or not value.startswith("."):
            yield causes.wrong(at, value, "is an invalid path: does not refer to a valid field")
            continue
        if value.startswith(".metadata."):
            yield causes.wrong(at, value, "must not point to fields in metadata")
        if found.get("type") not in SELECTABLE_TYPES:
            text = (
                "must point to a field of type string, boolean or integer. Enum string fields and strings with "
                "formats are allowed."
            )
            yield causes.wrong(at, value, text)
        if value in seen:
            yield causes.duplicate(at, value)
        seen.add(value)
    if len(seen) > SELECTABLE:
        yield causes.too_many(path, len(seen), SELECTABLE)


def _of_names(names: Json, path: str) -> Iterator[Json]:
    for name in ("plural", "singular", "kind", "listKind"):
        if not names.get(name):
            yield causes.required(f"{path}.{name}")
    for name in ("plural", "singular"):
        if names.get(name) and not LABEL.fullmatch(names[name]):
            yield causes.wrong(f"{path}.{name}", names[name], LABEL_SAID)
    for name in ("kind", "listKind"):
        if names.get(name) and not LABEL.fullmatch(names[name].lower()):
            text = f"may have mixed case, but should otherwise match: {LABEL_SAID}"
            yield causes.wrong(f"{path}.{name}", names[name], text)
    for name in ("shortNames", "categories"):
        for index, value in enumerate(names.get(name) or ()):
            if not LABEL.fullmatch(value):
                yield causes.wrong(f"{path}.{name}[{index}]", value, LABEL_SAID)
    if names.get("kind") and names["kind"] == names.get("listKind"):
        yield causes.wrong(f"{path}.listKind", names["listKind"], "kind and listKind may not be the same")


def _of_conversion(conversion: Json) -> Iterator[Json]:
    strategy = conversion.get("strategy") or ""
    if not strategy:
        yield causes.required("spec.conversion.strategy")
    elif strategy == "Webhook":
        yield causes.forbidden(
            "spec.conversion.strategy", "the playground calls no webhooks; versions are converted by None only"
        )
    elif strategy != "None":
        yield causes.unsupported("spec.conversion.strategy", strategy, ["None", "Webhook"])
    elif conversion.get("webhook"):
        text = "should not be set when strategy is not set to Webhook"
        yield causes.forbidden("spec.conversion.webhookClientConfig", text)


def _unchanged(spec: Json, old: Json) -> Iterator[Json]:
    before = old["spec"]
    if is_true(old, "Established"):
        if spec.get("scope") != before.get("scope"):
            yield causes.wrong("spec.scope", spec.get("scope", ""), IMMUTABLE)
        if spec["names"].get("kind") != before["names"].get("kind"):
            yield causes.wrong("spec.names.kind", spec["names"].get("kind", ""), IMMUTABLE)
    if spec.get("group") != before.get("group"):
        yield causes.wrong("spec.group", spec.get("group", ""), IMMUTABLE)
    if spec["names"].get("plural") != before["names"].get("plural"):
        yield causes.wrong("spec.names.plural", spec["names"].get("plural", ""), IMMUTABLE)


def _of_stored(new: Json, versions: list[Json]) -> Iterator[Json]:
    there = {one.get("name") for one in versions}
    for index, name in enumerate((new.get("status") or {}).get("storedVersions") or ()):
        if name not in there:
            text = (
                f"missing from spec.versions; {name} was previously a storage version, and must remain in "
                f"spec.versions until a storage migration ensures no data remains persisted in {name} and removes "
                f"{name} from status.storedVersions"
            )
            yield causes.wrong(f"status.storedVersions[{index}]", name, text)


def _of_approval(group: str, metadata: Json, old: Json | None) -> Iterator[Json]:
    """Kubernetes' own groups need a word of who has approved."""
    if not (group == "k8s.io" or group == "kubernetes.io" or group.endswith((".k8s.io", ".kubernetes.io"))):
        return
    value = (metadata.get("annotations") or {}).get(APPROVED, "")
    if old is not None and (old["metadata"].get("annotations") or {}).get(APPROVED, "") == value:
        return
    path, see = f"metadata.annotations[{APPROVED}]", "see https://github.com/kubernetes/enhancements/pull/1111"
    if not value:
        yield causes.required(path, f'protected groups must have approval annotation "{APPROVED}", {see}')
    elif not value.startswith("unapproved") and not (urlsplit(value).scheme and urlsplit(value).netloc):
        text = (
            f'protected groups must have approval annotation "{APPROVED}" with either a URL or a reason starting '
            f'with "unapproved", {see}'
        )
        yield causes.wrong(path, value, text)


def warnings(new: Json, old: Json | None) -> list[str]:
    """What a writer is told of a definition: formats that nobody knows, and rules that the playground leaves out."""
    before = set() if old is None else set(_warnings(old))
    return [text for text in dict.fromkeys(_warnings(new)) if text not in before]


def _warnings(crd: Json) -> Iterator[str]:
    for index, version in enumerate(crd["spec"].get("versions") or ()):
        schema = (version.get("schema") or {}).get("openAPIV3Schema")
        if schema:
            yield from schemas.warnings(schema, f"spec.versions[{index}].schema.openAPIV3Schema")
