"""How much is measured: the figures' own sizes, and tiny ones that only show that a benchmark still runs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Scale:
    """Sizes and times of all groups. Seconds where it says so."""

    store_pods: int = 2_000
    """Pods in the store while changes flow: what is in it before costs nothing."""
    changes: int = 50_000
    official_changes: int = 10_000
    """The official client takes about twenty times as long for each."""
    repeats: int = 3
    """Runs of each side, of which the cheapest counts: whatever else runs on the machine only adds."""
    paced_repeats: int = 2
    gateway_changes: int = 30_000
    paced_rate: float = 1_000.0
    paced_seconds: float = 10.0
    subscribers: int = 10
    """Further ones beside the first."""
    pods: int = 10_000
    """In the figures of memory, browser and re-run."""
    streams: int = 1_000
    upstreams: int = 50
    browser_seconds: float = 10.0
    imports: int = 11
    """Processes for each import whose median is taken."""


FULL = Scale()
TINY = Scale(
    store_pods=20,
    changes=200,
    official_changes=50,
    repeats=1,
    paced_repeats=1,
    gateway_changes=100,
    paced_rate=100.0,
    paced_seconds=0.3,
    subscribers=2,
    pods=50,
    streams=20,
    upstreams=5,
    browser_seconds=1.0,
    imports=1,
)
