"""Lists: consistent, at an exact version, in pages."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from typing import Any

from notebook_mux.playground import selectors, tables
from notebook_mux.playground.cluster import Cluster
from notebook_mux.playground.options import ListOptions
from notebook_mux.playground.paths import Target
from notebook_mux.playground.selectors import BadSelector
from notebook_mux.playground.status import bad_request, expired, too_large
from notebook_mux.playground.store import Key, Stored

Json = dict[str, Any]

TOO_OLD = "The resourceVersion for the provided list is too old."
CONTINUE_TOO_OLD = (
    "The provided continue parameter is too old to display a consistent list result. You can start a new list without "
    "the continue parameter, or use the continue token in this response to retrieve the remainder of the results. "
    "Continuing with the provided token results in an inconsistent list - objects that were created, modified, or "
    "deleted between the time the first chunk was returned and now may show up in the list."
)
"""apiserver/pkg/storage/etcd3/errors.go."""

ANY_VERSION = -1
"""In a continue token: go on with what there is now."""


class Filter:
    """What of a target a request wants: namespace, name, labels and fields.

    Raises:
        ApiError: 400, a bad selector.
    """

    def __init__(self, target: Target, options: ListOptions):
        self.namespace = target.namespace
        self._name = target.name
        try:
            self._labels = selectors.labels(options.labels) if options.labels else None
            self._fields = selectors.fields(target.kind, options.fields) if options.fields else None
        except BadSelector as error:
            raise bad_request(str(error)) from None
        self.selects = bool(options.labels or options.fields)

    def __call__(self, stored: Stored) -> bool:
        """Whether it wants this object."""
        if self.namespace and stored.namespace != self.namespace:
            return False
        if self._name and stored.name != self._name:
            return False
        if self._labels is not None and not self._labels(stored.labels):
            return False
        return self._fields is None or self._fields(stored.namespace, stored.name, stored.fields)


def answer(cluster: Cluster, target: Target, options: ListOptions, form: str) -> bytes:
    """The body of a list.

    Raises:
        ApiError: 400, 410 or 504.
    """
    wanted = Filter(target, options)
    items, revision = _items(cluster, target, options)
    items = [stored for stored in items if wanted(stored)]
    metadata: Json = {"resourceVersion": str(revision)}
    if options.limit and options.resource_version != 0 and len(items) > options.limit:
        rest = len(items) - options.limit
        items = items[: options.limit]
        metadata["continue"] = encode_token(revision, items[-1].key, target.namespace)
        if not wanted.selects:
            metadata["remainingItemCount"] = rest
    items = [stored.seen_as(target.kind) for stored in items]
    return tables.many(target.kind, items, metadata, form, options.include, cluster.agenda.now())


def _items(cluster: Cluster, target: Target, options: ListOptions) -> tuple[Sequence[Stored], int]:
    store, resource = cluster.store, target.kind.resource
    version = options.resource_version
    if version is not None and version > store.revision:
        raise too_large(version, store.revision)
    if options.token:
        revision, start = decode_token(options.token, target.namespace)
        if revision == ANY_VERSION:
            found: list[Stored] | None = store.items(resource, target.namespace)
            revision = store.revision
        else:
            found = store.items_at(resource, revision, target.namespace)
        if found is None:
            fresh = encode_token(ANY_VERSION, start, target.namespace)
            raise expired(CONTINUE_TOO_OLD, {"continue": fresh})
        return [stored for stored in found if stored.key > start], revision
    exact = options.match == "Exact" or (options.limit and not options.match and version)
    if exact and version is not None:
        found = store.items_at(resource, version, target.namespace)
        if found is None:
            raise expired(TOO_OLD)
        return found, version
    return store.items(resource, target.namespace), store.revision


def encode_token(revision: int, last: Key, namespace: str) -> str:
    """A continue token, as the real server's: the key after the last one seen (storage/continue.go:100)."""
    key = last[1] if namespace or not last[0] else f"{last[0]}/{last[1]}"
    text = json.dumps({"v": "meta.k8s.io/v1", "rv": revision, "start": f"{key}\0"}, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode_token(token: str, namespace: str) -> tuple[int, Key]:
    """The version of a continue token and the last key seen.

    Raises:
        ApiError: 400.
    """
    try:
        data = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        revision, start = int(data["rv"]), str(data["start"]).removesuffix("\0")
    except (ValueError, KeyError, TypeError) as error:
        raise bad_request(f"invalid continue token: continue key is not valid: {error}") from None
    if namespace or "/" not in start:
        return revision, (namespace, start)
    first, _, name = start.partition("/")
    return revision, (first, name)
