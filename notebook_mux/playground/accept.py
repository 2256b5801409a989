"""In which form an answer is wanted: the object, its metadata only, or a table."""

from __future__ import annotations

from dataclasses import dataclass, field

from notebook_mux.playground.status import ApiError

OBJECT, METADATA, TABLE = "object", "metadata", "table"

_KINDS = {
    "Table": TABLE,
    "PartialObjectMetadata": METADATA,
    "PartialObjectMetadataList": METADATA,
}
JSON, YAML, PROTOBUF = "application/json", "application/yaml", "application/vnd.kubernetes.protobuf"
_JSON = (JSON, "application/*", "*/*", "")
_MEDIA = dict.fromkeys(_JSON, JSON) | {YAML: YAML, PROTOBUF: PROTOBUF}
_REPRESENTATIONS = (
    "application/json, application/yaml, application/vnd.kubernetes.protobuf, "
    "application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch"
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """One entry of an Accept header."""

    media: str
    parameters: dict[str, str] = field(default_factory=dict)


def entries(header: str) -> list[Wanted]:
    """The entries of an Accept header, in their order; weights are not used by Kubernetes' clients."""
    found = []
    for part in header.split(","):
        media, *rest = (word.strip() for word in part.split(";"))
        pairs = (word.partition("=") for word in rest)
        found.append(Wanted(media.lower(), {name.strip(): value.strip() for name, _, value in pairs}))
    return found


def form(header: str, *, lists: bool) -> str:
    """Which form to answer in: the first that the playground has.

    Args:
        header: The Accept header; empty is anything.
        lists: Whether the answer is a list, which changes the name of the metadata's form.

    Raises:
        ApiError: 406.
    """
    known = False
    for entry in entries(header):
        if entry.media not in _MEDIA:
            continue
        known = True
        kind = entry.parameters.get("as")
        if kind is None:
            return OBJECT
        if kind == "Table" and entry.media == PROTOBUF:
            continue  # a table's cells are free JSON
        partial = "PartialObjectMetadataList" if lists else "PartialObjectMetadata"
        right = kind == "Table" or kind == partial
        if right and (entry.parameters.get("v"), entry.parameters.get("g")) == ("v1", "meta.k8s.io"):
            return _KINDS[kind]
    raise only(OBJECTS) if known else not_acceptable()


def not_acceptable() -> ApiError:
    """406: none of the forms there are."""
    return ApiError(406, "NotAcceptable", f"406: Not Acceptable\n\nAvailable representations: {_REPRESENTATIONS}", {})


OBJECTS = "application/json, application/yaml, application/vnd.kubernetes.protobuf"
STREAMS = "application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch"


def only(types: str) -> ApiError:
    """406: a form there is, but not of what is asked for.

    Args:
        types: `OBJECTS` or `STREAMS`.
    """
    return ApiError(406, "NotAcceptable", f"only the following media types are accepted: {types}")


def media(header: str, *, plain: bool = False) -> list[str]:
    """The media types that an Accept header names and the playground has, the best first.

    Args:
        plain: Only those that are for objects as they are.
    """
    known = (entry for entry in entries(header) if entry.media in _MEDIA)
    return [_MEDIA[entry.media] for entry in known if not (plain and "as" in entry.parameters)]


def takes_json(header: str) -> bool:
    """Whether JSON is one of them."""
    return JSON in media(header)


def wants_aggregated(header: str) -> bool:
    """Whether discovery is wanted in one document (apidiscovery.k8s.io/v2).

    Raises:
        ApiError: 406, neither form that there is.
    """
    for entry in entries(header):
        if entry.media not in _JSON:
            continue
        kind = entry.parameters.get("as")
        if kind is None:
            return False
        group = (entry.parameters.get("g"), entry.parameters.get("v"))
        if kind == "APIGroupDiscoveryList" and group == ("apidiscovery.k8s.io", "v2"):
            return True
    raise only(OBJECTS)
