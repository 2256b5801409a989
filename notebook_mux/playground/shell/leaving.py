"""How a script leaves what it is in."""

from __future__ import annotations


class Leave(Exception):
    """``exit``."""

    def __init__(self, code: int):
        self.code = code


class Return(Exception):
    """``return``."""

    def __init__(self, code: int):
        self.code = code


class Break(Exception):
    """``break``; ``continue`` if it goes on."""

    def __init__(self, levels: int, goes_on: bool):
        self.levels = levels
        self.goes_on = goes_on
