"""What an upstream tells its readers: its state, and the calls it makes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

State = Literal["connecting", "live", "stale", "login", "forbidden", "unreachable", "missing", "invalid", "closed"]
"""``missing``: 404, the kind is not served; ``invalid``: 400 or 422, what was asked cannot be asked;
``stale``: it was live, and nothing has been heard for too long."""

Item = tuple[int, str, bool, bytes]
"""One change: (number, uid, whether it is a deletion, encoded record)."""


@dataclass(frozen=True, slots=True)
class UpstreamState:
    """The state of one upstream.

    Attributes:
        state: See `State`.
        reason: Why, in a few words of ours.
        said: The server's own words, or the system's or a plugin's.
        code: The HTTP status where one was the cause.
        since: Unix seconds at which `state` began.
        retry_at: Unix seconds of the next attempt, None if nothing waits.
        todo: What to do next, in a sentence of ours, where it is known.
        fresh: Unix seconds up to which the rows are known to be the server's; None while it is live, and before a
            list was complete.
        clock: The cluster's, as `notebook_mux.clocks` has it in plain numbers; None where it goes as the gateway's.
    """

    state: State = "connecting"
    reason: str = ""
    said: str | None = None
    code: int | None = None
    since: float = 0.0
    retry_at: float | None = None
    todo: str | None = None
    fresh: float | None = None
    clock: tuple[float, float, float] | None = None


class Sink(Protocol):
    """A reader of an upstream. Calls are made on the gateway's loop, one at a time; they must return at once."""

    def batch(self, records: Sequence[Item], payload: bytes) -> None:
        """Changes in the order of their numbers, and the same as one run of bytes that all sinks share."""

    def progress(self, number: int, version: str) -> None:
        """A bookmark: all up to `number` is what the server had at `version`."""

    def columns_changed(self) -> None:
        """`Upstream.columns` is another list."""

    def synced(self) -> None:
        """The first list is complete in `Upstream.records`."""

    def relisted(self) -> None:
        """A new list replaced an expired version; the difference was in the batches before this call."""

    def state_changed(self) -> None:
        """`Upstream.state` is another one."""
