"""Events as an API server has them, for the tests of what is made of them."""

from __future__ import annotations

import itertools
import time
from typing import Any

import msgspec

from notebook_mux.wire.frames import Record
from tests.unit.fake_core import PODS, stamp

EVENTS = PODS | {"name": "events", "singular": "event", "kind": "Event", "short_names": ["ev"], "categories": []}
REPLICA_SETS = PODS | {
    "name": "replicasets", "singular": "replicaset", "kind": "ReplicaSet", "group": "apps", "short_names": ["rs"],
}  # fmt: skip
SERVICES = PODS | {"name": "services", "singular": "service", "kind": "Service", "short_names": ["svc"]}

COLUMNS = [
    {"name": name, "type": "string", "format": "name" if name == "Name" else "", "description": "", "priority": wide}
    for name, wide in (
        ("Last Seen", 0), ("Type", 0), ("Reason", 0), ("Object", 0), ("Subobject", 1), ("Source", 1), ("Message", 0),
        ("First Seen", 1), ("Count", 1), ("Name", 1),
    )
]  # fmt: skip

_numbers = itertools.count(1)


def record(
    name: str, content: dict[str, Any], *, namespace: str = "default", uid: str = "", cells: list[Any] | None = None
) -> Record:
    """An object as the core keeps it."""
    encode = msgspec.json.encode
    created = content.get("metadata", {}).get("creationTimestamp", stamp(time.time()))
    return Record(
        uid or f"uid-{namespace}-{name}",
        namespace,
        name,
        str(next(_numbers)),
        created,
        time.time(),
        encode(cells or []),
        encode(content),
    )


def event(
    name: str,
    about: str = "Pod/web-0",
    *,
    reason: str = "Started",
    message: str = "Started container main",
    warning: bool = False,
    count: int | None = 1,
    first: float = 60.0,
    last: float | None = None,
    namespace: str = "default",
    uid: str = "",
    path: str = "",
    **more: Any,
) -> Record:
    """An event of core/v1; `first` and `last` are seconds ago."""
    now = time.time()
    kind, _, named = about.partition("/")
    last = first if last is None else last
    content = {
        "metadata": {"name": name, "namespace": namespace, "creationTimestamp": stamp(now - first)},
        "involvedObject": {"kind": kind, "namespace": namespace, "name": named, "fieldPath": path},
        "type": "Warning" if warning else "Normal",
        "reason": reason,
        "message": message,
        "count": count,
        "firstTimestamp": stamp(now - first),
        "lastTimestamp": stamp(now - last),
        "source": {"component": "kubelet", "host": "n1"},
        **more,
    }
    if kind == "Node":
        content["involvedObject"]["namespace"] = ""
    cells = [
        "1m", content["type"], reason, about.lower(), path, "kubelet, n1", message, "1m", count or 1, name,
    ]  # fmt: skip
    return record(name, content, namespace=namespace, uid=uid, cells=cells)


def owned(name: str, owner: str = "", *, namespace: str = "default", uid: str = "", **more: Any) -> Record:
    """An object that says whom it belongs to, as in ``ReplicaSet/web-5d4``."""
    kind, _, owning = owner.partition("/")
    references = [{"kind": kind, "name": owning, "controller": True}] if owner else []
    metadata = {"name": name, "namespace": namespace, "ownerReferences": references}
    metadata["creationTimestamp"] = stamp(time.time() - 120)
    return record(name, {"metadata": metadata, **more}, namespace=namespace, uid=uid)
