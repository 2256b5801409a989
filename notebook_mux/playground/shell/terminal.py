"""A terminal: what a Linux tty does between keys and programs, and the lines that a shell has edited on it."""

from __future__ import annotations

import asyncio
import signal
from collections import deque
from collections.abc import Callable

from notebook_mux.playground.shell.editor import Edited, Editor, Key
from notebook_mux.playground.shell.streams import LINE, PIECE, Sink, write_to_all

WAITING = 64 * 1024
"""Bytes that were typed and that nobody has read; a real one holds 4096 and drops what comes then."""

SIGNALS = {0x03: signal.SIGINT, 0x1C: signal.SIGQUIT}
"""Keys that are signals: Ctrl-C and Ctrl-\\."""


class Terminal:
    """A terminal. It is a source and a sink, as programs have it.

    Args:
        record: Is given what is written to it, as it was written; a container's log.

    Attributes:
        columns: Its width; 0 until somebody says it.
        rows: Its height.
        views: Where what it shows goes to.
        on_signal: Is told what the keys for signals mean to the program in the foreground.
    """

    def __init__(self, record: Callable[[bytes], None] | None = None):
        self.columns = 0
        self.rows = 0
        self.views: list[Sink] = []
        self.on_signal: Callable[[int], None] | None = None
        self.echoes = True
        self._record = record
        self._editor: Editor | None = None
        self._edited: asyncio.Future[Edited] | None = None
        self._raw = bytearray()
        self._line = bytearray()
        self._typed = deque[bytes]()
        self._hung_up = False
        self._some = asyncio.Event()
        self._working = asyncio.Lock()

    # -------------------------------------------------------------------------------------- the client's side

    def resize(self, columns: int, rows: int) -> None:
        """The size that its client shows."""
        self.columns, self.rows = columns, rows

    async def feed(self, data: bytes) -> None:
        """What was typed."""
        if len(self._raw) + sum(map(len, self._typed)) + len(self._line) + len(data) > WAITING:
            data = bytes(byte for byte in data if byte in SIGNALS)
        self._raw += data
        await self._work()

    def hang_up(self) -> None:
        """Nobody is there any more: whoever reads meets the end."""
        self._hung_up = True
        self._some.set()
        if self._edited is not None and not self._edited.done():
            self._edited.set_result(Edited(Key.END))

    async def _work(self) -> None:
        """Give what was typed to the line that is edited, else to whoever reads."""
        async with self._working:
            while self._raw:
                if self._editor is not None and self._edited is not None and not self._edited.done():
                    taken, shown, edited = self._editor.feed(bytes(self._raw[:PIECE]))
                    del self._raw[:taken]
                    await self.write(shown.encode("utf-8", "replace"))
                    if edited is not None and not self._edited.done():
                        self._edited.set_result(edited)
                else:
                    byte = self._raw[0]
                    del self._raw[:1]
                    await self._key(byte)

    async def _key(self, byte: int) -> None:
        """A key while no line is edited (termios(3): canonical mode)."""
        if byte in SIGNALS:
            self._line.clear()
            self._typed.clear()
            if self.on_signal is not None:
                self.on_signal(SIGNALS[byte])
            await self._echo(b"^C\n" if byte == 0x03 else b"^\\\n")
        elif byte in (0x0D, 0x0A):
            await self._echo(b"\n")
            self._pass_on(b"\n")
        elif byte == 0x04:
            if self._line:
                self._pass_on(b"")
            else:
                self._typed.append(b"")  # whoever reads meets the end there, once
                self._some.set()
        elif byte in (0x08, 0x7F):
            if self._line:
                while self._line and self._line[-1] & 0xC0 == 0x80:
                    self._line.pop()
                self._line.pop()
                await self._echo(b"\b \b")
        elif byte == 0x15:
            await self._echo(b"\b \b" * len(self._line))
            self._line.clear()
        else:
            self._line.append(byte)
            await self._echo(bytes((byte,)) if byte >= 0x20 or byte == 0x09 else b"^" + bytes((byte + 0x40,)))

    async def _echo(self, data: bytes) -> None:
        if self.echoes:
            await self.write(data)

    def _pass_on(self, end: bytes) -> None:
        self._typed.append(bytes(self._line + end))
        self._line.clear()
        self._some.set()

    # ------------------------------------------------------------------------------------------ the shell's

    async def edit(self, editor: Editor) -> Edited:
        """A line that is typed at a prompt."""
        if self._hung_up:
            return Edited(Key.END)
        self._edited = asyncio.get_running_loop().create_future()
        await self.write(editor.prompt.encode("utf-8", "replace"))
        self._raw[:0] = b"".join(self._typed) + self._line  # what was typed before the prompt came
        self._typed.clear()
        self._line.clear()
        self._editor = editor
        try:
            await self._work()
            return await self._edited
        finally:
            self._editor = self._edited = None

    # -------------------------------------------------------------------------------------- the programs'

    async def write(self, data: bytes) -> None:
        """Show something; a newline goes to the line's beginning too (termios(3): ONLCR)."""
        if not data:
            return
        if self._record is not None:
            self._record(data)
        shown = data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        await write_to_all(self.views, shown)

    def end(self) -> None:
        """It stays."""

    async def read(self, size: int = PIECE) -> bytes:
        """Typed lines."""
        while not self._typed:
            if self._hung_up:
                return b""
            self._some.clear()
            await self._some.wait()
        line = self._typed.popleft()
        if len(line) > size:
            self._typed.appendleft(line[size:])
        return line[:size]

    async def read_line(self) -> bytes:
        """A typed line."""
        return await self.read(LINE)

    def close(self) -> None:
        """It stays."""
