"""The line that is typed at a prompt: keys in, what the terminal shows out. Without input or output of its own."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum

LINE_LIMIT = 16 * 1024
"""Characters of a line; a shell's own limit is far above what is typed."""

ESCAPE_LIMIT = 64
"""Bytes of a key's sequence; a longer one is none."""

LISTED = 200
"""Names that are shown where a completion has several."""

Complete = Callable[[str], tuple[str, Sequence[str]]]
"""From the text before the cursor to what is to be added, and the names that it may be where it is not clear."""


class Key(Enum):
    """What ends a line."""

    ENTER = "enter"
    INTERRUPT = "interrupt"
    END = "end"


@dataclass(frozen=True, slots=True)
class Edited:
    """A line that has ended."""

    key: Key
    text: str = ""


def width(text: str) -> int:
    """Columns that a text takes."""
    columns = 0
    for char in text:
        if unicodedata.combining(char) or char < " ":
            continue
        columns += 2 if unicodedata.east_asian_width(char) in "WF" else 1
    return columns


SEQUENCES = {
    b"[A": "up", b"OA": "up", b"[B": "down", b"OB": "down", b"[C": "right", b"OC": "right", b"[D": "left",
    b"OD": "left",
    b"[H": "home", b"OH": "home", b"[1~": "home", b"[7~": "home", b"[F": "end", b"OF": "end", b"[4~": "end",
    b"[8~": "end", b"[3~": "delete", b"[1;5C": "word-right", b"[1;5D": "word-left", b"f": "word-right",
    b"b": "word-left", b"\x7f": "kill-word",
}  # fmt: skip
KEYS = {
    0x01: "home", 0x02: "left", 0x04: "eof", 0x05: "end", 0x06: "right", 0x08: "backspace", 0x0B: "kill-end",
    0x0C: "clear", 0x0E: "down", 0x10: "up", 0x15: "kill-line", 0x17: "kill-word", 0x7F: "backspace", 0x09: "tab",
}  # fmt: skip


class Editor:
    """One line.

    Args:
        prompt: What stands before it.
        history: Earlier lines, the newest last.
        complete: What the tab key asks; None for nothing.
        columns: The terminal's width.
    """

    def __init__(
        self,
        prompt: str,
        history: Sequence[str] = (),
        complete: Complete | None = None,
        columns: Callable[[], int] = lambda: 80,
    ):
        self.prompt = prompt
        self.text = ""
        self.cursor = 0
        self._columns = columns
        self._complete = complete
        self._lines = [*history, ""]
        self._at = len(history)
        self._row = 0
        self._partial = b""
        self._escape: bytes | None = None
        self._tabs = 0

    def feed(self, data: bytes) -> tuple[int, str, Edited | None]:
        """Take keys until the line ends.

        Returns:
            How many bytes were taken, what the terminal is to show, and the line if it has ended.
        """
        shown = list[str]()
        for at in range(len(data)):
            ended = self._byte(data[at : at + 1], shown)
            if ended is not None:
                return at + 1, "".join(shown), ended
        return len(data), "".join(shown), None

    def _byte(self, byte: bytes, shown: list[str]) -> Edited | None:
        code = byte[0]
        if code == 0x1B:  # a new one, even within another
            self._escape = b""
            return None
        if self._escape is not None:
            self._sequence(byte, shown)
            return None
        if code in (0x0D, 0x0A):
            shown.append(self._to_end() + "\n")
            return Edited(Key.ENTER, self.text)
        if code == 0x03:
            shown.append(self._to_end() + "^C\n")
            return Edited(Key.INTERRUPT)
        if code == 0x04 and not self.text:
            return Edited(Key.END)
        if code in KEYS:
            self._tabs = self._tabs + 1 if code == 0x09 else 0
            self._key("delete" if code == 0x04 else KEYS[code], shown)
        elif code >= 0x20:
            self._tabs = 0
            self._partial += byte
            self._character(shown)
        return None

    def _character(self, shown: list[str]) -> None:
        try:
            char = self._partial.decode()
        except UnicodeDecodeError as error:
            if error.reason == "unexpected end of data" and len(self._partial) < 4:
                return
            char = self._partial.decode(errors="replace")
        self._partial = b""
        if len(self.text) + len(char) <= LINE_LIMIT:
            self._insert(char, shown)

    def _sequence(self, byte: bytes, shown: list[str]) -> None:
        sequence = (self._escape or b"") + byte
        self._escape = sequence
        is_open = sequence[:1] in (b"[", b"O") and (len(sequence) == 1 or not 0x40 <= byte[0] <= 0x7E)
        if is_open and len(sequence) < ESCAPE_LIMIT:
            return
        self._escape = None
        if sequence in SEQUENCES:
            self._key(SEQUENCES[sequence], shown)

    # ----------------------------------------------------------------------------------------------- its keys

    def _key(self, key: str, shown: list[str]) -> None:
        text, cursor = self.text, self.cursor
        if key == "tab":
            self._tab(shown)
            return
        if key == "backspace" and cursor == len(text) and text and width(text[-1]) == 1 and self._column():
            self.text, self.cursor = text[:-1], cursor - 1
            shown.append("\b \b")
            return
        if key in ("up", "down"):
            self._recall(-1 if key == "up" else 1)
        elif key == "backspace" and cursor:
            self.text, self.cursor = text[: cursor - 1] + text[cursor:], cursor - 1
        elif key == "delete":
            self.text = text[:cursor] + text[cursor + 1 :]
        elif key == "kill-end":
            self.text = text[:cursor]
        elif key == "kill-line":
            self.text, self.cursor = text[cursor:], 0
        elif key == "kill-word":
            begin = len(text[:cursor].rstrip().rpartition(" ")[0])
            begin += bool(begin)
            self.text, self.cursor = text[:begin] + text[cursor:], begin
        elif key == "clear":
            shown.append("\x1b[H\x1b[2J")
            self._row = 0
        else:
            self.cursor = {
                "home": 0, "end": len(text), "left": max(0, cursor - 1), "right": min(len(text), cursor + 1),
                "word-left": self._word(-1), "word-right": self._word(1),
            }.get(key, cursor)  # fmt: skip
        shown.append(self._redrawn())

    def _word(self, step: int) -> int:
        at = self.cursor
        if step > 0:
            while at < len(self.text) and self.text[at] == " ":
                at += 1
            while at < len(self.text) and self.text[at] != " ":
                at += 1
            return at
        return len(self.text[:at].rstrip().rpartition(" ")[0]) + (" " in self.text[:at].strip())

    def _recall(self, step: int) -> None:
        self._lines[self._at] = self.text
        self._at = max(0, min(len(self._lines) - 1, self._at + step))
        self.text = self._lines[self._at]
        self.cursor = len(self.text)

    def _tab(self, shown: list[str]) -> None:
        if self._complete is None:
            return
        added, names = self._complete(self.text[: self.cursor])
        if added and len(self.text) + len(added) <= LINE_LIMIT:
            self._tabs = 0
            self._insert(added, shown)
        elif len(names) > 1 and self._tabs > 1:
            listed = "  ".join(names[:LISTED]) + (" ..." if len(names) > LISTED else "")
            shown.append(self._to_end() + "\n" + listed + "\n")
            self._row = 0
            shown.append(self._redrawn())
        else:
            shown.append("\a")

    def _insert(self, added: str, shown: list[str]) -> None:
        at_end = self.cursor == len(self.text)
        self.text = self.text[: self.cursor] + added + self.text[self.cursor :]
        self.cursor += len(added)
        if at_end and self._column():
            shown.append(added)
            self._row = self._position() // self._size()
        else:
            shown.append(self._redrawn())

    # ---------------------------------------------------------------------------------------- what is shown

    def _size(self) -> int:
        return self._columns() or 80

    def _position(self) -> int:
        return width(self.prompt) + width(self.text[: self.cursor])

    def _column(self) -> int:
        return self._position() % self._size()

    def _redrawn(self) -> str:
        """Prompt and line again, wherever the cursor stood in them, and the cursor in its place."""
        size = self._size()
        shown = "\r" + (f"\x1b[{self._row}A" if self._row else "") + "\x1b[J" + self.prompt + self.text
        total, position = width(self.prompt) + width(self.text), self._position()
        if total and total % size == 0:
            shown += "\r\n"  # a terminal waits behind its last column
        self._row = position // size
        up, column = total // size - self._row, position % size
        return shown + (f"\x1b[{up}A" if up else "") + "\r" + (f"\x1b[{column}C" if column else "")

    def _to_end(self) -> str:
        """The cursor behind the line's end."""
        if self.cursor == len(self.text):
            return ""
        self.cursor = len(self.text)
        return self._redrawn()
