"""What the gateway says of itself: clients, upstreams, memory. No secrets, and nothing of any object."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from notebook_mux.gateway.session import Session
    from notebook_mux.gateway.shared import Shared


def report(shared: Shared) -> dict[str, Any]:
    """The status as plain data; times in Unix seconds, sizes in bytes."""
    clients = [_client(session) for session in shared.sessions]
    return {
        "service": "gateway",
        "instance": shared.instance,
        "package": shared.package,
        "pid": os.getpid(),
        "python": sys.version.split()[0],
        "since": shared.since,
        "now": time.time(),
        "write": shared.write,
        "environment": shared.environment,
        "served": shared.served,
        "clients": clients,
        "streams": sum(len(client["streams"]) for client in clients),
        "upstreams": [_upstream(upstream) for upstream in shared.upstreams],
        "memory": resident_bytes(),
    }


def _client(session: Session) -> dict[str, Any]:
    hello = session.hello
    return {
        "kernel": hello.kernel if hello else "",
        "package": hello.package if hello else "",
        "since": session.since,
        "clusters": sorted(cluster.name for cluster in session.clusters.values()),
        "sent_bytes": session.sender.sent_bytes,
        "sent_frames": session.sender.sent_frames,
        "streams": [
            {
                "cluster": stream.cluster_name,
                "path": stream.message.path,
                "query": stream.message.query,
                "since": stream.since,
                "skipped": stream.subscriber.skipped,
                "snapshots": stream.subscriber.snapshots,
                "resumes": stream.subscriber.resumes,
                "waiting_bytes": stream.subscriber.waiting_bytes,
            }
            for stream in session.streams.values()
        ],
    }


def _upstream(upstream: Any) -> dict[str, Any]:
    ref, path, query = upstream.key
    state = upstream.state
    return {
        "cluster": ref,
        "path": path,
        "query": query,
        "state": state.state,
        "reason": state.reason,
        "since": state.since,
        "retry_at": state.retry_at,
        "synced": upstream.is_synced,
        "objects": len(upstream.records),
        "number": upstream.number,
        "readers": upstream.sinks,
    }


def resident_bytes() -> int:
    """The process's memory in RAM; 0 where the system does not say (Linux does)."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")
