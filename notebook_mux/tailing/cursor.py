"""Where a reader stands in one container's log, and which of the lines that come again it has had.

An API server cuts ``sinceTime`` to the whole second and gives all lines from there on, so some come again. What comes
again is the end of what was delivered, in the same order: it is found there as a whole, time stamps and texts, so that
equal lines count by number and lines that stand before the first one wanted are not taken for new ones.

Pure: no clock, no input.
"""

from __future__ import annotations

from array import array

from notebook_mux.tailing.lines import NS, Batch, parse_stamp, say_second

SKEW = NS
"""Nanoseconds by which a line may be older than the one before it: a runtime stamps stdout and stderr each by itself,
and then writes them one after the other. As much more is asked for again."""

HELD_LINES = 65_536
HELD_BYTES = 32 * 1024 * 1024
"""Of lines that come again, held until it is known which are new: more than a node sends of two seconds. Past that the
time stamps decide."""

CANDIDATES = 4096
"""Places in what was delivered that are looked at, where the beginning of it has been rotated away: more than one only
where lines are equal, text and time."""

ITEM = array("q").itemsize


class Cursor:
    """Of one instance of a container.

    Args:
        since: RFC 3339, whole seconds: where the user's question begins; "" is the beginning.
        cut: Whether there may be lines before the first one that comes (``tailLines``).

    Attributes:
        high: The time stamp up to which lines were delivered; 0 for none.
    """

    def __init__(self, since: str = "", *, cut: bool = False) -> None:
        self.high = 0
        self._stamps = array("q")
        self._hashes = array("q")
        self._since = since
        self._floor = (parse_stamp(since) or 0) if since else 0
        self._cut = cut
        self._before = -1  # the highest time stamp of a line that may stand before those kept here

    def __len__(self) -> int:
        return len(self._stamps)

    def add(self, batch: Batch) -> None:
        """These lines were delivered."""
        stamps = batch.stamps
        if not stamps:
            return
        if self._cut and not self.high:
            self._before = stamps[0] + SKEW
        self._stamps.extend(stamps)
        self._hashes.extend(map(hash, batch.texts))
        last, top = stamps[-1], max(stamps)
        # A clock that was set back: from here on the new time counts, or what follows would never be asked for.
        self.high = last if last < max(self.high, top) - SKEW else max(self.high, top)
        self._prune()

    def _prune(self) -> None:
        since = self._from() - SKEW
        stamps = self._stamps
        if stamps[0] >= since:
            return
        at, size = 0, len(stamps) - 1
        while at < size and stamps[at] < since:
            at += 1
        self._before = max(self._before, *stamps[:at])
        del stamps[:at], self._hashes[:at]

    def _from(self) -> int:
        return max(self._floor, (self.high - SKEW) // NS * NS)

    @property
    def since(self) -> str:
        """What to ask for as ``sinceTime``; the user's own where nothing has come yet."""
        return say_second(self._from()) if self.high else self._since

    def again(self) -> Again:
        """For lines that are asked for by `since`."""
        start = self._from()
        kept = [at for at, stamp in enumerate(self._stamps) if stamp >= start]
        stamps = array("q", [self._stamps[at] for at in kept])
        hashes = array("q", [self._hashes[at] for at in kept])
        return Again(stamps, hashes, self.high, self._before if self._before >= start else -1)


class Again:
    """Tells what is new in an answer that begins with old lines.

    Args:
        stamps: Of the lines that were delivered and are asked for again, in their order.
        hashes: Of their texts.
        high: The highest of them.
        before: The highest time stamp of lines that may stand before them in the answer; -1 for none.

    Attributes:
        state: ``"open"``, ``"found"`` or ``"missed"``: nothing of what was delivered comes again.
    """

    def __init__(self, stamps: array[int], hashes: array[int], high: int, before: int = -1) -> None:
        self.state = "open" if stamps else "found"
        self._stamps, self._hashes = stamps, hashes
        self._high, self._before = high, before
        self._last = max(high, before, max(stamps, default=0)) + SKEW  # no old line is newer
        self._held: list[Batch] = []
        self._held_bytes = 0
        self._new_stamps = array("q")
        self._new_hashes = array("q")

    def take(self, batch: Batch) -> Batch | None:
        """The lines that are new, or None while that is open or they were `missed`."""
        if self.state == "found":
            return batch
        self._hold(batch)
        skip = self._found()
        if skip is not None:
            return self._release(skip)
        return None

    def settle(self) -> Batch | None:
        """The answer has ended: decide on what is there, as `take`."""
        came = len(self._new_stamps)
        if self.state != "open":
            return None
        if came <= len(self._stamps) and self._same(0, 0, came):  # only old ones
            self.state = "found"
            self._held = []
            return None
        skip = self._rotated(final=True)
        if skip is not None:
            return self._release(skip)
        self.state = "missed"
        return None

    def decide(self) -> Batch | None:
        """No more comes for now: as `settle`, but where all that came may be the first of the old lines."""
        came = len(self._new_stamps)
        return None if came <= len(self._stamps) and self._same(0, 0, came) else self.settle()

    def held(self, *, every: bool = False) -> Batch:
        """All lines of an answer in which nothing was found, but (without `every`) those that are surely old."""
        batch, self._held = _joined(self._held), []
        if self._before < 0 or every:
            return batch
        kept = [at for at, stamp in enumerate(batch.stamps) if stamp > self._high]
        if len(kept) == len(batch.stamps):
            return batch
        places = {at: new for new, at in enumerate(kept)}
        return Batch(
            [batch.stamps[at] for at in kept],
            [batch.texts[at] for at in kept],
            [places[at] for at in batch.cut if at in places],
            batch.remarks,
        )

    def _hold(self, batch: Batch) -> None:
        self._held.append(batch)
        self._held_bytes += sum(map(len, batch.texts))
        if self.state == "open":
            self._new_stamps.extend(batch.stamps)
            self._new_hashes.extend(map(hash, batch.texts))

    def _release(self, skip: int) -> Batch:
        self.state = "found"
        batch, self._held = _joined(self._held), []
        return batch.behind(skip)

    def _found(self) -> int | None:
        """How many of the lines held are old; None while it is open, or where they were missed."""
        if self.state != "open" or not self._new_stamps:
            return None
        size = min(len(self._stamps), len(self._new_stamps))
        if self._same(0, 0, size):
            return len(self._stamps) if size == len(self._stamps) else None
        full = len(self._new_stamps) > HELD_LINES or self._held_bytes > HELD_BYTES
        if self._before >= 0:
            at = self._whole()
            if at is not None:
                return at + len(self._stamps)
            if not full and self._new_stamps[-1] <= self._last:
                return None
        skip = self._rotated(final=full)
        if skip is None and not (self._pending and not full):
            self.state = "missed"
        return skip

    def _same(self, old: int, new: int, size: int) -> bool:
        return (
            self._hashes[old : old + size] == self._new_hashes[new : new + size]
            and self._stamps[old : old + size] == self._new_stamps[new : new + size]
        )

    def _whole(self) -> int | None:
        """Where all that was delivered stands in what has come."""
        wanted, there = self._hashes.tobytes(), self._new_hashes.tobytes()
        at = there.find(wanted)
        while at >= 0:
            place, off = divmod(at, ITEM)
            if not off and self._same(0, place, len(self._stamps)):
                return place
            at = there.find(wanted, at + 1)
        return None

    _pending = False

    def _rotated(self, *, final: bool) -> int | None:
        """The answer begins in the midst of what was delivered, for a node has rotated the rest away."""
        first, came, size = self._new_hashes[0], len(self._new_stamps), len(self._stamps)
        self._pending = False
        at, tries = 0, 0
        while tries < CANDIDATES:
            try:
                at = self._hashes.index(first, at + 1)
            except ValueError:
                return None
            tries += 1
            left = size - at
            if self._same(at, 0, min(left, came)):
                if left <= came or final:
                    return min(left, came)
                self._pending = True
                return None
        return None


def _joined(batches: list[Batch]) -> Batch:
    if len(batches) == 1:
        return batches[0]
    stamps: list[int] = []
    texts: list[bytes] = []
    cut: list[int] = []
    remarks: list[bytes] = []
    for batch in batches:
        cut += [at + len(stamps) for at in batch.cut]
        stamps += batch.stamps
        texts += batch.texts
        remarks += batch.remarks
    return Batch(stamps, texts, cut, remarks)
