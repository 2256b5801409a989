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
    field_changes: int = 10_000
    """For the client libraries beside us, whose slowest takes a second for 700."""
    field_repeats: int = 2
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
    table_pods: int = 50_000
    """In a table that is opened and scrolled; as many as `pods`: the same table."""
    table_keys: int = 60
    table_clicks: int = 200
    table_hidden_seconds: float = 70.0
    """With another tab in front, before it is looked what that costs: a view counts as hidden after a minute."""
    table_returns: int = 5
    table_minutes: float = 0.5
    """Of changes, between whose first fifth and end memory is compared."""
    all_ways: bool = True
    """Of terminals: through the kernel and the test bed too, and beside JupyterLab's small one: the same code."""
    cat_megabytes: float = 20.0
    """In the figures of terminals."""
    terminal_repeats: int = 4
    """Runs of a terminal's output, of which the fastest counts."""
    terminal_keys: int = 150
    key_seconds: float = 2.0
    """A key that is not back after so long counts as missed."""
    held_seconds: float = 12.0
    """For which a cell holds the GIL while keys are pressed."""
    flood_seconds: float = 3.0
    """Of a flood before it is to end."""
    flood_megabytes: float = 100.0
    """After which memory is looked at."""
    forward_megabytes: float = 100.0
    """Each way through a forwarded port."""
    forward_connections: int = 100
    log_pods: int = 20
    """In the figures of logs, and lines a second of all together."""
    log_rate: float = 20_000.0
    log_bed_rate: float = 5_000.0
    """Through a real API server and kubelet."""
    log_seconds: float = 60.0
    log_keys: int = 20
    """Pressed between two looks at the kernel's memory."""
    log_first_pods: int = 30
    log_repeats: int = 3
    pipe_megabytes: float = 200.0
    pipe_seconds: float = 10.0
    class_students: int = 30
    class_seconds: float = 20.0
    """For which they type, read and watch; and as long again for which they only look."""
    imports: int = 11
    """Processes for each import whose median is taken."""


FULL = Scale()
TINY = Scale(
    store_pods=20,
    changes=200,
    official_changes=50,
    field_changes=50,
    field_repeats=1,
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
    table_pods=50,
    table_keys=6,
    table_clicks=4,
    table_hidden_seconds=0.5,
    table_returns=1,
    table_minutes=0.02,
    all_ways=False,
    cat_megabytes=0.1,
    terminal_repeats=1,
    terminal_keys=4,
    key_seconds=30.0,
    held_seconds=1.0,
    flood_seconds=0.1,
    flood_megabytes=1.0,
    forward_megabytes=1.0,
    forward_connections=3,
    log_pods=3,
    log_rate=300.0,
    log_bed_rate=150.0,
    log_seconds=2.0,
    log_keys=2,
    log_first_pods=3,
    log_repeats=1,
    pipe_megabytes=1.0,
    pipe_seconds=0.3,
    class_students=3,
    class_seconds=1.0,
    imports=1,
)
