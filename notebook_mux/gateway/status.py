"""What the gateway says of itself: clients, upstreams, memory. No secrets, and nothing of any object."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from notebook_mux.gateway.session import Session
    from notebook_mux.gateway.shared import Shared
    from notebook_mux.remote.terminals import Kept


def report(shared: Shared) -> dict[str, Any]:
    """The status as plain data; times in Unix seconds, sizes in bytes."""
    clients = [_client(session) for session in shared.sessions]
    return {
        "service": "gateway",
        "instance": shared.instance,
        "package": shared.package,
        "user": shared.user,
        "pid": os.getpid(),
        "python": sys.version.split()[0],
        "since": shared.since,
        "now": time.time(),
        "write": shared.write,
        "environment": shared.environment,
        "served": shared.served,
        "clients": clients,
        "streams": sum(len(client["streams"]) for client in clients),
        "logs": sum(len(client["logs"]) for client in clients),
        "programs": [
            {
                "cluster": held.program.cluster.name,
                "path": held.program.order.path,
                "since": held.since,
                "attempt": held.attempt,
                "read": held.leave is not None,
                "over": held.program.over,
            }
            for held in shared.programs
        ],
        "terminals": [_terminal(kept) for kept in shared.terminals],
        "pages": len(shared.pages),
        "forwards": [
            {
                "cluster": held.forward.aim.cluster.name,
                "since": held.since,
                "client": held.leave is not None,
                "pages": bool(held.secret),
                **msgspec.to_builtins(held.forward.state),
            }
            for held in shared.forwards
        ],
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
        "logs": [
            {
                "cluster": pipe.api.name,
                "path": pipe.path,
                "query": pipe.query,
                "since": pipe.since,
                "status": pipe.status,
                "bytes": pipe.total,
                "over": pipe.over,
            }
            for pipe in session.logs.streams.values()
        ],
    }


def _terminal(kept: Kept) -> dict[str, Any]:
    terminal = kept.terminal
    columns, rows = terminal.size
    return {
        "terminal": terminal.id,
        "title": kept.title,
        "cluster": terminal.cluster.name,
        "kernel": kept.kernel,
        "notebook": kept.notebook,
        "path": terminal.order.path,
        "since": terminal.since,
        "state": terminal.word,
        "runs": terminal.runs,
        "columns": columns,
        "rows": rows,
        "views": len(terminal.viewers),
        "output": terminal.ring.end,
        "skipped": sum(viewer.skipped for viewer in terminal.viewers),
        "until": kept.until,
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
