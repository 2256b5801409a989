"""What the benchmarks print: one table, each row a figure of ours beside the floor or peer of the same run."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass

PACKAGES = (
    "websockets", "msgspec", "aiohttp", "uvloop", "kubernetes", "kubernetes_asyncio", "kr8s", "lightkube", "ipywidgets",
    "jupyterlab",
)  # fmt: skip
"""Whose versions the figures depend on."""


@dataclass(frozen=True)
class Row:
    """One figure.

    Attributes:
        group: The benchmark it belongs to.
        figure: What was measured.
        ours: Our figure in `unit`.
        unit: Of `ours` and `peer`.
        peer_name: What stands beside it: a floor of this benchmark, or another library.
        peer: Its figure in the same run, or None.
        bound: What the ratio (or, without a peer, `ours`) may be at most, or None where nothing is promised.
        note: What a reader must know.
    """

    group: str
    figure: str
    ours: float
    unit: str
    peer_name: str = ""
    peer: float | None = None
    bound: float | None = None
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """Ours over the peer's."""
        return self.ours / self.peer if self.peer else None

    @property
    def verdict(self) -> str:
        """``ok``, ``OVER``, or nothing where no bound is."""
        if self.bound is None:
            return ""
        reached = self.ratio if self.peer is not None else self.ours
        return "ok" if reached is not None and reached <= self.bound else "OVER"


@dataclass(frozen=True)
class Failed:
    """A group that gave no figures, and why."""

    group: str
    why: str


def machine() -> str:
    """What the figures were measured on."""
    versions = []
    for name in PACKAGES:
        try:
            versions.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            continue
    system = f"{platform.system()} {platform.release()} {platform.machine()}"
    return f"{os.cpu_count()} cores, {system}, Python {platform.python_version()}, {', '.join(versions)}"


def number(value: float | None) -> str:
    """Three significant digits, no exponent."""
    if value is None:
        return ""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}" if value else "0"


def text(rows: Sequence[Row], failures: Sequence[Failed] = ()) -> str:
    """The table for a terminal."""
    heads = ("figure", "ours", "unit", "beside", "its", "ratio", "at most", "")
    lines: list[tuple[str, ...]] = []
    groups: list[str] = []
    for row in rows:
        bound = "" if row.bound is None else number(row.bound)
        lines.append(
            (row.figure, number(row.ours), row.unit, row.peer_name, number(row.peer), number(row.ratio), bound,
             row.verdict)
        )  # fmt: skip
        groups.append(row.group)
    widths = [max(len(line[index]) for line in [heads, *lines]) for index in range(len(heads))]
    right = {1, 4, 5, 6}

    def joined(line: Sequence[str]) -> str:
        cells = [
            cell.rjust(width) if index in right else cell.ljust(width)
            for index, (cell, width) in enumerate(zip(line, widths, strict=True))
        ]
        return "  ".join(cells).rstrip()

    shown = [machine(), ""]
    if lines:
        shown.append(joined(heads))
    last = ""
    for group, line, row in zip(groups, lines, rows, strict=True):
        if group != last:
            shown.append(f"-- {group}")
            last = group
        shown.append(joined(line))
        if row.note:
            shown.append(f"     {row.note}")
    shown += [f"-- {failure.group}\nNOT MEASURED: {failure.why}" for failure in failures]
    return "\n".join(shown)


def plain(rows: Sequence[Row], failures: Sequence[Failed] = ()) -> dict[str, object]:
    """The same as data."""
    return {
        "machine": machine(),
        "rows": [{**asdict(row), "ratio": row.ratio, "verdict": row.verdict} for row in rows],
        "failures": [asdict(failure) for failure in failures],
    }
