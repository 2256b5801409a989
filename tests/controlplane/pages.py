"""A page that looks at a terminal of this kernel: what it shows, as text. Kernels of tests import it too."""

from __future__ import annotations

import json
import re
import secrets
from functools import partial
from typing import Any

from notebook_mux.wire import messages
from notebook_mux.wire.frames import NUMBER, Channel, decode_frame, encode_frame
from tests import waiting

WAIT_SECONDS = 40.0
WINDOW = 1 << 20

eventually = partial(waiting.eventually, seconds=WAIT_SECONDS, pause=0.02)


class Page:
    """One view of a session, which takes all that comes."""

    def __init__(self, session: Any, columns: int = 80, rows: int = 24) -> None:
        self.session = session
        self.columns, self.rows = columns, rows
        self.view = secrets.token_hex(8)
        self.output = b""
        self.words: list[dict[str, Any]] = []
        self.live = 0
        self.sent = 0
        self._attached = session.attach(self.view, self._hear)
        self.look()

    def look(self) -> None:
        """Begin with a screen of its own."""
        self.output, self.sent, before = b"", 0, self.live
        view = messages.View(stream=1, terminal="", view=self.view, columns=self.columns, rows=self.rows, credit=WINDOW)
        self.say(view)
        eventually(lambda: self.live > before, f"it is shown: {self.words}")

    def say(self, *items: messages.Message | str | bytes) -> None:
        """Send what a page sends."""
        self._attached.send([messages.encode(i) if isinstance(i, messages.Message) else i for i in items])

    def type(self, text: str) -> None:
        """Press keys."""
        data = text.encode()
        self.say(encode_frame(1, Channel.STDIN, NUMBER.pack(self.sent) + data))
        self.sent += len(data)

    def sees(self, pattern: str) -> re.Match[str]:
        """What the screen has, once it has it."""
        found: list[re.Match[str] | None] = [None]

        def there() -> bool:
            found[0] = re.search(pattern, self.text)
            return found[0] is not None

        eventually(there, f"{pattern!r} in {self.text[-400:]!r}; {self.session!r}")
        assert found[0] is not None
        return found[0]

    def ask(self, script: str) -> str:
        """What a shell there writes between two marks."""
        mark = secrets.token_hex(4)
        self.type(f"echo {mark}'<'$({script})'>'\r")
        return self.sees(rf"{mark}<([^>]*)>").group(1)

    @property
    def text(self) -> str:
        """All that was shown."""
        return self.output.decode(errors="replace")

    def close(self) -> None:
        """Look no more."""
        self._attached.close()

    def _hear(self, items: list[Any]) -> None:
        """On the core's thread."""
        for item in items:
            if isinstance(item, str):
                word = json.loads(item)
                if word["type"] == "shown":
                    self._shown(word)  # first: who sees the word here types on from it
                self.words.append(word)
                continue
            _, channel, payload = decode_frame(item)
            if channel == Channel.STDOUT:
                self.output += payload
            elif channel == Channel.VIEW and json.loads(payload).get("live"):
                self.live += 1
            self.say(messages.Credit(stream=1, bytes=len(item)))

    def _shown(self, shown: dict[str, Any]) -> None:
        self.sent = shown.get("taken", 0)
        if shown["opened"] > 1:
            self.say(json.dumps({"type": "seen", "opened": shown["opened"]}))
