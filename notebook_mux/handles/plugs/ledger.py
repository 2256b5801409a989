"""Which numbers of a source that counts have come: how many are missing, came twice, or came too late. Pure."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field, replace
from typing import Self


@dataclass
class Ledger:
    """The account of one source, whose numbers rise by one. For one thread at a time.

    Attributes:
        first: The number that is to come first; None takes the first that comes.
        last: The highest so far; None before the first.
        received: How many different ones have come.
        twice: How many came once more.
        late: How many came after a higher one.
        longest: Seconds, the longest time between two arrivals.
        at: When the last one came, Unix seconds; 0 before the first.
    """

    first: int | None = None
    last: int | None = None
    received: int = 0
    twice: int = 0
    late: int = 0
    longest: float = 0.0
    at: float = 0.0
    _holes: list[tuple[int, int]] = field(default_factory=list)
    """Spans of numbers that have not come, both ends included, in order."""

    @property
    def missing(self) -> int:
        """How many have not come although a higher one has."""
        return sum(end - begin + 1 for begin, end in self._holes)

    def copy(self) -> Self:
        """It as it is now, whatever it takes from now on."""
        return replace(self, _holes=list(self._holes))

    def take(self, number: int, at: float) -> None:
        """A number has come.

        Args:
            number: The number.
            at: Unix seconds.
        """
        if self.at:
            self.longest = max(self.longest, at - self.at)
        self.at = at
        if self.last is None:
            self.first = number if self.first is None else self.first
            self.last = self.first - 1
        if number > self.last:
            if number > self.last + 1:
                self._holes.append((self.last + 1, number - 1))
            self.last = number
            self.received += 1
        elif self._fill(number):
            self.late += 1
            self.received += 1
        else:
            self.twice += 1

    def _fill(self, number: int) -> bool:
        """Take a number out of the holes; whether it was in one."""
        place = bisect_right(self._holes, (number, number)) - 1
        for index in (place, place + 1):
            if 0 <= index < len(self._holes) and self._holes[index][0] <= number <= self._holes[index][1]:
                begin, end = self._holes[index]
                self._holes[index : index + 1] = [
                    span for span in ((begin, number - 1), (number + 1, end)) if span[0] <= span[1]
                ]
                return True
        return False
