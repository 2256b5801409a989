"""The query of a list or watch, checked as the real server checks it.

Rules: apimachinery/pkg/apis/meta/internalversion/validation/validation.go and defaults.go.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from notebook_mux.playground.status import ApiError, bad_request, cause, invalid

DIGITS = 20
"""Of the largest version."""

MATCHES = ("Exact", "NotOlderThan")


@dataclass(frozen=True, slots=True)
class ListOptions:
    """The query of a list or watch.

    Args:
        resource_version: None if absent; 0 is any.
        initial: ``sendInitialEvents``; None if absent.
        timeout: Seconds; None if absent.
    """

    watch: bool = False
    labels: str = ""
    fields: str = ""
    resource_version: int | None = None
    match: str = ""
    limit: int = 0
    token: str = ""
    bookmarks: bool = False
    initial: bool | None = None
    timeout: int | None = None
    include: str = "Metadata"


def boolean(text: str | None) -> bool:
    """A query's boolean: false only when absent, ``0``, or ``false`` in any case."""
    return text is not None and text.lower() not in ("0", "false")


def parse(query: Mapping[str, str], *, watch: bool = False) -> ListOptions:
    """Read the query.

    Raises:
        ApiError: 400, 422 or (a version that is no number, in a watch) 500.
    """
    watch = watch or boolean(query.get("watch"))
    options = ListOptions(
        watch=watch,
        labels=query.get("labelSelector", ""),
        fields=query.get("fieldSelector", ""),
        resource_version=_version(query.get("resourceVersion", ""), watch),
        match=query.get("resourceVersionMatch", ""),
        limit=_integer(query.get("limit")) or 0,
        token=query.get("continue", ""),
        bookmarks=boolean(query.get("allowWatchBookmarks")),
        initial=boolean(query["sendInitialEvents"]) if "sendInitialEvents" in query else None,
        timeout=_integer(query.get("timeoutSeconds")),
        include=query.get("includeObject") or "Metadata",
    )
    causes = list(_watch_causes(options) if watch else _list_causes(options))
    if causes:
        raise invalid("meta.k8s.io", "ListOptions", "", *causes)
    if watch and options.initial is None and not options.resource_version:
        # Since WatchList is on, a watch from nowhere is one that begins with all there is (defaults.go:25-37).
        return _with_initial(options)
    return options


def _with_initial(options: ListOptions) -> ListOptions:
    values: dict[str, Any] = {name: getattr(options, name) for name in ListOptions.__slots__}
    return ListOptions(**{**values, "initial": True})


def _integer(text: str | None) -> int | None:
    if not text:
        return None
    try:
        return int(text)
    except ValueError:
        raise bad_request(f'strconv.ParseInt: parsing "{text}": invalid syntax') from None


def _version(text: str, watch: bool) -> int | None:
    if not text:
        return None
    if text.isascii() and text.isdigit() and len(text) <= DIGITS:
        return int(text)
    said = f'resourceVersion: Invalid value: "{text}": strconv.ParseUint: parsing "{text}": invalid syntax'
    if watch:
        raise ApiError(500, "", said)
    raise bad_request(f"invalid resource version: {said}")


def _forbidden(field: str, text: str) -> dict[str, Any]:
    return cause("FieldValueForbidden", field, f"Forbidden: {text}")


def _unsupported(value: str, *known: str) -> dict[str, Any]:
    names = ", ".join(f'"{one}"' for one in known)
    return cause("FieldValueNotSupported", "resourceVersionMatch",
                 f'Unsupported value: "{value}": supported values: {names}')  # fmt: skip


def _list_causes(options: ListOptions) -> list[dict[str, Any]]:
    if options.initial is not None:
        return [_forbidden("sendInitialEvents", "sendInitialEvents is forbidden for list")]
    if not options.match:
        return []
    if options.resource_version is None:
        return [_forbidden("resourceVersionMatch",
                           "resourceVersionMatch is forbidden unless resourceVersion is provided")]  # fmt: skip
    if options.token:
        return [_forbidden("resourceVersionMatch", "resourceVersionMatch is forbidden when continue is provided")]
    if options.match not in MATCHES:
        return [_unsupported(options.match, "Exact", "NotOlderThan", "")]
    if options.match == "Exact" and options.resource_version == 0:
        return [_forbidden("resourceVersionMatch",
                           'resourceVersionMatch "exact" is forbidden for resourceVersion "0"')]  # fmt: skip
    return []


def _watch_causes(options: ListOptions) -> list[dict[str, Any]]:
    causes = []
    field = "resourceVersionMatch"
    if options.initial is not None:
        if options.match != "NotOlderThan":
            causes.append(_forbidden(field, f"sendInitialEvents requires setting {field} to NotOlderThan"))
        if options.match not in ("", "NotOlderThan"):
            causes.append(_unsupported(options.match, "NotOlderThan"))
    elif options.match:
        causes.append(_forbidden(field, f"{field} is forbidden for watch unless sendInitialEvents is provided"))
    return causes
