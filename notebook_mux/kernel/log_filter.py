"""Which lines of logs are kept, by the user's regular expressions."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable

from notebook_mux.tailing.reading import CONTINUED

LOOKED_AT = 16 * 1024
"""Bytes of a line that are looked at, as in a page. An expression such as ``\\w+@\\w+`` takes time that grows with the
square of a line's length: 0.4 s of these, and 6 s of 64 KiB."""

LEAST = 1024
"""Bytes that are looked at in any case."""

SLOW_SECONDS = 0.05
"""For one line: meanwhile the connection stands still, and all other threads of the kernel with it."""


class LogFilter:
    """See the module. It runs on the core's loop, so a line that takes too long has fewer bytes looked at from then on.

    An expression whose time doubles with each character, such as ``(a+)+$``, is not made harmless by that.

    Args:
        include: What a line must have; "" is nothing.
        exclude: What it must not have.
        clock: Seconds.

    Attributes:
        most: Bytes of a line that are looked at now.

    Raises:
        re.error: One is no regular expression.
    """

    def __init__(self, include: str, exclude: str, clock: Callable[[], float] = time.perf_counter) -> None:
        self.most = LOOKED_AT
        self._clock = clock
        self._include = re.compile(include) if include else None
        self._exclude = re.compile(exclude) if exclude else None

    def __bool__(self) -> bool:
        return self._include is not None or self._exclude is not None

    def keeps(self, text: bytes, flags: int, above: bool) -> bool:
        """Whether a line is kept.

        Args:
            text: The line.
            flags: See `tailing.reading`.
            above: Whether the line was kept that it would belong to.
        """
        words = text[: self.most].decode("utf-8", "replace")
        if len(words) <= LEAST:
            return self._keeps(words, flags, above)
        began = self._clock()
        kept = self._keeps(words, flags, above)
        took = self._clock() - began
        if took > SLOW_SECONDS:
            self.most = max(LEAST, int(len(words) * math.sqrt(SLOW_SECONDS / took)))
        return kept

    def _keeps(self, words: str, flags: int, above: bool) -> bool:
        if self._exclude is not None and self._exclude.search(words) is not None:
            return False
        if flags & CONTINUED and (above or self._include is None):
            return above
        return self._include is None or self._include.search(words) is not None
