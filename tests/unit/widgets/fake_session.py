"""A terminal with the interface that the widget reads, and a gateway's part in its views. No kernel, no cluster."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any

from notebook_mux.errors import ProtocolError, Unreachable
from notebook_mux.wire.frames import FRAME_HEAD, NUMBER, Channel, encode_frame

INPUT_CREDIT = 256 * 1024
PIECE = 16 * 1024


class FakeView:
    """One view: what the gateway and the kernel are to it."""

    def __init__(self, session: FakeSession, view: str, say: Callable[[list[Any]], None]) -> None:
        self.session, self.view, self._say = session, view, say
        self.asked: dict[str, Any] | None = None
        self.size = (0, 0)
        self.credit = 0
        self.granted = 0
        self.place = 0
        self.live = False
        self.closed = False

    def send(self, items: Sequence[Any]) -> None:
        with self.session.lock:
            for item in items:
                if isinstance(item, str):
                    self._control(json.loads(item))
                else:
                    self._stdin(bytes(item))

    def _control(self, message: dict[str, Any]) -> None:
        kind = message["type"]
        if kind == "view":
            self.asked = message
            self.session.views.append(self)
            self.size = (message.get("columns", 0), message.get("rows", 0))
            self.credit, self.live = message["credit"], False
            self.place = max(0, message.get("received", -1))
            columns, rows = self.session.size()
            taken = len(self.session.typed.get(self.view, b""))
            self.say({"type": "shown", "stream": 1, "place": self.place, "taken": taken, "credit": INPUT_CREDIT,
                      "columns": columns, "rows": rows, "kept": 600.0})  # fmt: skip
            self.session.resized()
        elif kind == "size":
            self.size = (message.get("columns", 0), message.get("rows", 0))
            self.session.resized()
        elif kind == "credit":
            self.credit += message["bytes"]
            self.granted += message["bytes"]
        elif kind == "unsubscribe":
            self.close()
        else:
            raise ProtocolError(f"a page sent {kind}")
        self.session.flush()

    def _stdin(self, frame: bytes) -> None:
        stream, channel = FRAME_HEAD.unpack_from(frame)
        if (stream, channel) != (1, Channel.STDIN):
            raise ProtocolError("a page has only input")
        (number,) = NUMBER.unpack_from(frame, FRAME_HEAD.size)
        data = frame[FRAME_HEAD.size + NUMBER.size :]
        typed = self.session.typed.setdefault(self.view, bytearray())
        assert number == len(typed), "input out of order"
        typed += data
        self.session.on_input(data)

    def say(self, *items: Any) -> None:
        if not self.closed:
            self._say([json.dumps(item) if isinstance(item, dict) else item for item in items])

    def note(self, **fields: Any) -> None:
        self.say(encode_frame(1, Channel.VIEW, json.dumps(fields).encode()))

    def flush(self) -> None:
        """Send what its credit allows."""
        if self.asked is None or self.closed:
            return
        at = 0
        for channel, payload in self.session.ring:
            start, at = at, at + len(payload)
            if at <= self.place:
                continue
            if self.credit <= 0:
                return
            piece = payload[max(0, self.place - start) :]
            frame = encode_frame(1, channel, piece)
            self.credit -= len(frame)
            self.place += len(piece)
            self.say(frame)
        if not self.live:
            self.live = True
            self.note(live=True)

    def close(self) -> None:
        self.closed = True
        if self in self.session.views:
            self.session.views.remove(self)
            self.session.resized()


class FakeSession:
    """See `notebook_mux.widgets.panes.Session`. `print` and `happen` are the program's, `typed` what came to it."""

    def __init__(self, words: str = "bash in web-0", *, running: bool = True) -> None:
        self.words, self.cluster, self.namespace = words, "kind-a", "default"
        self.pod, self.container = "web-0", "main"
        self.containers: list[tuple[str, str]] = [("main", "container"), ("setup", "init"), ("debug-1", "ephemeral")]
        self.command: list[str] = ["bash"]
        self.state, self.reason = "starting", ""
        self.returncode: int | None = None
        self.others: list[dict[str, Any]] = []
        self.kept = 600.0
        self.lock = threading.RLock()
        self.ring: list[tuple[int, bytes]] = []
        self.views: list[FakeView] = []
        self.typed: dict[str, bytearray] = {}
        self.watchers: list[Callable[[], None]] = []
        self.asked: list[tuple[str, ...]] = []
        self.fast: dict[str, Any] | None = None
        self.on_input: Callable[[bytes], None] = lambda _data: None
        self.runs = 0
        if running:
            self.begin()

    # --- the program --------------------------------------------------------------------------------------------------

    def print(self, data: bytes | str, channel: int = Channel.STDOUT) -> None:
        data = data.encode() if isinstance(data, str) else data
        with self.lock:
            for at in range(0, len(data), PIECE):
                self.ring.append((channel, data[at : at + PIECE]))
            self.flush()

    def happen(self, state: str, **more: Any) -> None:
        with self.lock:
            event = {"run": self.runs, "state": state, "at": time.time(), **more}
            self.ring.append((Channel.ERROR, json.dumps(event).encode()))
            self.state, self.returncode = state, more.get("code") if state == "ended" else None
            self.flush()
        self.changed()

    def begin(self) -> None:
        self.runs += 1
        self.happen("running", command=self.command)

    def changed(self, **fields: Any) -> None:
        for name, value in fields.items():
            setattr(self, name, value)
        for watcher in list(self.watchers):
            watcher()

    def flush(self) -> None:
        for view in list(self.views):
            view.flush()

    def size(self) -> tuple[int, int]:
        sizes = [view.size for view in self.views if all(view.size)]
        return (min(c for c, _ in sizes), min(r for _, r in sizes)) if sizes else (0, 0)

    def resized(self) -> None:
        columns, rows = self.size()
        for view in list(self.views):
            if columns:
                view.note(columns=columns, rows=rows)

    # --- what the widget calls ----------------------------------------------------------------------------------------

    def attach(self, view: str, say: Callable[[list[Any]], None]) -> FakeView:
        self.asked.append(("attach", view))
        return FakeView(self, view, say)

    def on_state(self, callback: Callable[[], None]) -> Callable[[], None]:
        self.watchers.append(callback)
        return lambda: self.watchers.remove(callback)

    def again(self) -> None:
        self.asked.append(("again",))
        self.begin()

    def take(self, terminal: str) -> None:
        self.asked.append(("take", terminal))

    def close(self) -> None:
        self.asked.append(("close",))
        self.changed(state="closed", reason="closed by close()")

    def ticket(self, origin: str) -> Future[dict[str, Any]]:
        self.asked.append(("ticket", origin))
        future: Future[dict[str, Any]] = Future()
        if self.fast is None:
            future.set_exception(Unreachable("there is no such way here"))
        else:
            future.set_result(self.fast)
        return future


class ShellSession(FakeSession):
    """The same with a real program of this machine in a terminal, to try the widget without a cluster."""

    def __init__(self, command: Sequence[str] = ("bash", "--norc", "-i")) -> None:
        super().__init__(running=False)
        self.command = list(command)
        self.begin()

    def begin(self) -> None:
        import os
        import pty

        pid, self._fd = pty.fork()
        if pid == 0:
            os.environ.update(TERM="xterm-256color", PS1="$ ")
            os.execvp(self.command[0], self.command)
        self.on_input = self._write
        super().begin()
        threading.Thread(target=self._read, args=(pid,), daemon=True).start()

    def _write(self, data: bytes) -> None:
        import os

        os.write(self._fd, data)

    def _read(self, pid: int) -> None:
        import os

        while True:
            try:
                data = os.read(self._fd, 65536)
            except OSError:
                break
            if not data:
                break
            self.print(data)
        _, status = os.waitpid(pid, 0)
        os.close(self._fd)
        self.on_input = lambda data: None
        self.happen("ended", code=os.waitstatus_to_exitcode(status), message="")

    def resized(self) -> None:
        import fcntl
        import struct
        import termios

        super().resized()
        columns, rows = self.size()
        if columns and hasattr(self, "_fd") and self.state == "running":
            fcntl.ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
