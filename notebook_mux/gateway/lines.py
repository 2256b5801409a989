"""Lines of a body that comes in pieces, without a limit on their length."""

from __future__ import annotations


class LineSplitter:
    """Bytes in, complete lines out; an object may come in thousands of pieces, each is copied once."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def feed(self, data: bytes) -> list[bytes]:
        """The lines that end in `data`, without their ends; empty lines are left out."""
        lines = data.split(b"\n")
        rest = lines.pop()
        if lines and self._parts:
            self._parts.append(lines[0])
            lines[0] = b"".join(self._parts)
            self._parts.clear()
        if rest:
            self._parts.append(rest)
        return [line for line in lines if line] if b"" in lines else lines

    @property
    def rest(self) -> bytes:
        """What came after the last line's end."""
        return b"".join(self._parts)
