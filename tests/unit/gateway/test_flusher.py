from __future__ import annotations

import asyncio
from typing import Any

import pytest

from notebook_mux.gateway import flusher as module
from notebook_mux.gateway.flusher import Flusher


class Reader:
    def __init__(self) -> None:
        self.batches: list[tuple[list[int], bytes]] = []
        self.told: list[str] = []

    def batch(self, records: Any, payload: bytes) -> None:
        self.batches.append(([record[0] for record in records], payload))

    def progress(self, number: int, version: str) -> None:
        self.told.append(version)


class Still:
    """A clock that stands: on a busy machine the interval may be over between two lines of a test."""

    @staticmethod
    def monotonic() -> float:
        return 1000.0


def item(number: int, size: int = 1) -> tuple[int, str, bool, bytes]:
    return number, f"uid-{number}", False, b"x" * size


async def test_a_lone_change_goes_out_at_once_and_then_they_are_gathered(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "time", Still)
    flusher, reader = Flusher(interval=0.02), Reader()
    flusher.sinks[reader] = None  # type: ignore[index]
    flusher.put([item(1)])
    assert reader.batches == [([1], b"x")]
    flusher.put([item(2)])
    flusher.put([item(3)])
    assert len(reader.batches) == 1
    async with asyncio.timeout(30):
        while len(reader.batches) < 2:
            await asyncio.sleep(0.001)
    assert reader.batches[1] == ([2, 3], b"xx")


async def test_a_full_batch_does_not_wait_and_readers_share_its_bytes():
    flusher, one, two = Flusher(interval=60.0, size=100), Reader(), Reader()
    flusher.sinks |= {one: None, two: None}  # type: ignore[dict-item]
    flusher.put([item(1)])
    flusher.put([item(2, 50)])
    assert len(one.batches) == 1
    flusher.put([item(3, 50)])
    assert [numbers for numbers, _ in one.batches] == [[1], [2, 3]]
    assert one.batches[1][1] is two.batches[1][1]


async def test_a_batch_is_cut_where_a_frame_ends():
    flusher, reader = Flusher(interval=60.0, size=100), Reader()
    flusher.sinks[reader] = None  # type: ignore[index]
    flusher.put([item(number, 40) for number in range(1, 6)])
    flusher.put([item(6, 250), item(7, 10)])
    flusher.flush()
    assert [numbers for numbers, _ in reader.batches] == [[1, 2], [3, 4], [5], [6], [7]]
    assert [len(payload) for _, payload in reader.batches] == [80, 80, 40, 250, 10]


async def test_what_is_told_comes_after_the_changes_before_it():
    flusher, reader = Flusher(interval=60.0), Reader()
    flusher.sinks[reader] = None  # type: ignore[index]
    flusher.put([item(1)])
    flusher.put([item(2)])
    flusher.tell(lambda sink: sink.progress(2, f"after {len(reader.batches)}"))
    assert reader.told == ["after 2"]
    flusher.flush()
    assert len(reader.batches) == 2


async def test_without_readers_nothing_is_kept():
    flusher, reader = Flusher(), Reader()
    flusher.put([item(1)])
    flusher.sinks[reader] = None  # type: ignore[index]
    flusher.put([])
    flusher.flush()
    assert reader.batches == []
