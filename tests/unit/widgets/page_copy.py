"""A page's copy of a table, made of the messages that a widget sends."""

from __future__ import annotations

import json


class PageCopy:
    """What a page makes of what it is sent, as `frontend/src/table/rows.ts` does."""

    def __init__(self) -> None:
        self.rows: dict[tuple[int, str], list] = {}
        self.named: set[tuple[int, str]] | None = None

    def take(self, delta: bytes, part: tuple[bytes, int, bool] | None = None) -> None:
        """Take in a message.

        Args:
            delta: Rows or what has changed of them, and keys of those that have gone.
            part: Of a whole state, where the message has one for this page: rows, its index, whether it is the last.
        """
        if part is not None and part[1] == 0:
            self.named = set()
        put, gone = json.loads(delta)
        for row in put:
            self._change(row) if isinstance(row[2], dict) else self._put(row)
        for key in gone:
            self.rows.pop(tuple(key), None)
        if part is None:
            return
        for row in json.loads(part[0]):
            self._put(row)
        if part[2] and self.named is not None:
            self.rows = {key: row for key, row in self.rows.items() if key in self.named}
            self.named = None

    def _put(self, row: list) -> None:
        key = (row[0], row[1])
        if self.named is not None:
            self.named.add(key)
        self.rows[key] = row

    def _change(self, change: list) -> None:
        key = (change[0], change[1])
        if key not in self.rows or (self.named is not None and key not in self.named):
            return
        row = [*self.rows[key][:4], list(self.rows[key][4]), dict(self.rows[key][5]), *self.rows[key][6:]]
        for index, cell in change[2].items():
            row[4][int(index)] = cell
        for index, moment in change[3].items():
            if moment:
                row[5][index] = moment
            else:
                row[5].pop(index, None)
        self.rows[key] = row
