"""The server's own columns: for each kind a function from an object to the cells of its row.

Rules and texts are those of kubernetes/pkg/printers/internalversion/printers.go at v1.37.2. The server prints wide
always: all cells are there, and clients hide the columns of priority 1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from notebook_mux.printers import (
    admission,
    batch,
    cluster,
    config,
    devices,
    events,
    network,
    pods,
    rbac,
    storage,
    workloads,
)

Printer = Callable[[Mapping[str, Any], float], list[Any]]
"""From an object and the time (Unix seconds) to its cells."""

PRINTERS: dict[str, Printer] = {
    **pods.PRINTERS,
    **cluster.PRINTERS,
    **workloads.PRINTERS,
    **batch.PRINTERS,
    **network.PRINTERS,
    **config.PRINTERS,
    **storage.PRINTERS,
    **rbac.PRINTERS,
    **events.PRINTERS,
    **admission.PRINTERS,
    **devices.PRINTERS,
}
"""By resource, as ``pods`` or ``deployments.apps``; custom kinds have `custom`."""

__all__ = ["PRINTERS", "Printer"]
