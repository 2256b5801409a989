"""What a seed has chosen in the scenario of a lesson's own cluster."""

from __future__ import annotations

from typing import Any

from notebook_mux.handles.demos import Demo
from notebook_mux.handles.manager import Manager


def demo_of(manager: Manager) -> Demo:
    """The manager of a lesson that has a cluster of its own, which is an embedded one."""
    assert isinstance(manager, Demo)
    return manager


def chosen(manager: Manager, cluster: str | None = None) -> dict[str, Any]:
    """What was chosen in one of the lesson's clusters, by name; None is the first. Waits."""
    return demo_of(manager).chosen(cluster)
