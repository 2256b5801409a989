"""A fake gateway that keeps terminals: what they did is said by the test, and shown again to whoever looks."""

from __future__ import annotations

import itertools
import json
from typing import Any

import msgspec

from notebook_mux.wire import messages
from notebook_mux.wire.frames import FRAME_HEAD, NUMBER, Channel, encode_frame
from notebook_mux.wire.terminals import TerminalFound, TicketGiven
from tests.unit.kernel.fake_gateway import FakeGateway


class TerminalGateway(FakeGateway):
    """See the module. `terminals` is by key: id, path, queries; `log` of each what it showed."""

    def __init__(self) -> None:
        super().__init__()
        self.terminals: dict[str, tuple[str, str, list[str]]] = {}
        self.shown: dict[str, list[tuple[int, bytes]]] = {}
        self.taken: dict[tuple[str, str], bytes] = {}
        self.others: list[dict[str, Any]] = []
        self.refusal: messages.Failure | None = None
        self.hung_up: list[str] = []
        self.views: dict[int, messages.View] = {}
        self.typed: list[bytes] = []
        self.started = 0
        self._cut_at_start: dict[str, bool] | None = None
        self._names = itertools.count(1)

    def restart(self) -> None:
        """Another instance, which has no terminals."""
        super().restart()
        self.terminals, self.shown, self.taken = {}, {}, {}

    def cut_at_start(self, *, heard: bool, restart: bool = False, refuse: bool = False) -> None:
        """Cut the socket at the next start of a terminal, in place of an answer: before it has begun, or after."""
        self._cut_at_start = {"heard": heard, "restart": restart, "refuse": refuse}

    def happen(self, key: str, state: str, run: int = 1, **more: Any) -> None:
        """Something happens to a run of a terminal."""
        self.show(key, Channel.ERROR, json.dumps({"run": run, "state": state, "at": 1.5, **more}).encode())

    def show(self, key: str, channel: int, payload: bytes) -> None:
        """A terminal shows something."""
        name = self.terminals[key][0]

        def put() -> None:
            self.shown[name].append((channel, payload))
            for socket in self.sockets:
                for stream, view in self.views.items():
                    if view.terminal == name and (view.output or channel == Channel.ERROR):
                        self._send(socket, encode_frame(stream, channel, payload))

        self._run(put)

    async def _talk(self, socket: Any) -> None:
        self.upgrades += 1
        self.sockets[socket] = {}
        self.views.clear()
        try:
            async for frame in socket:
                if isinstance(frame, bytes):
                    self._typed(frame)
                    continue
                message = messages.decode_client(frame)
                self.received.append(message)
                for answer in self._reply(socket, message):
                    await socket.send(messages.encode(answer) if isinstance(answer, messages.Message) else answer)
        except Exception:  # noqa: BLE001 - the socket was cut
            return
        finally:
            del self.sockets[socket]

    def _typed(self, frame: bytes) -> None:
        stream, _ = FRAME_HEAD.unpack_from(frame)
        view = self.views[stream]
        (number,) = NUMBER.unpack_from(frame, FRAME_HEAD.size)
        before = self.taken.setdefault((view.terminal, view.view), b"")
        assert number <= len(before), "a gap"
        self.taken[view.terminal, view.view] = before[:number] + frame[FRAME_HEAD.size + NUMBER.size :]
        self.typed.append(frame)

    def _reply(self, socket: Any, message: Any) -> list[Any]:
        if isinstance(message, messages.Terminal):
            cut, self._cut_at_start = self._cut_at_start, None
            answer = [self._terminal(message)] if cut is None or cut["heard"] else []
            if cut is not None:
                if cut["restart"]:
                    self.restart()
                if cut["refuse"]:
                    self.refusal = messages.Failure(id=0, code="write-refused", what="this gateway only looks")
                socket.transport.abort()
            return answer
        if isinstance(message, messages.Hangup):
            self.hung_up.append(message.terminal)
            self.terminals = {key: at for key, at in self.terminals.items() if at[0] != message.terminal}
            return [messages.Answer(id=message.id, value={})]
        if isinstance(message, messages.Ticket):
            given = TicketGiven(ticket="secret", port=1, path="/p", seconds=30.0)
            return [messages.Answer(id=message.id, value=msgspec.to_builtins(given))]
        if isinstance(message, messages.View):
            return self._view(message)
        if isinstance(message, messages.Unsubscribe):
            self.views.pop(message.stream, None)
        return super()._reply(socket, message)

    def _terminal(self, message: messages.Terminal) -> messages.Message:
        if self.refusal is not None:
            return msgspec.structs.replace(self.refusal, id=message.id)
        known, created = self.terminals.get(message.key), False
        if message.start == "take":
            known = self.terminals[message.key] = (message.terminal, "/api/v1/namespaces/b/pods/taken/exec", ["q"])
            self.shown.setdefault(message.terminal, [])
        if known is None and message.start == "create":
            known, created = (f"terminal-{next(self._names)}", message.path, message.queries), True
            self.terminals[message.key] = known
            self.shown[known[0]] = []
            self.started += 1
        found = TerminalFound(created=created, others=self.others)
        if known is not None:
            found = TerminalFound(
                terminal=known[0], created=created, path=known[1], queries=known[2], others=self.others
            )
        return messages.Answer(id=message.id, value=msgspec.to_builtins(found))

    def _view(self, message: messages.View) -> list[Any]:
        log = self.shown.get(message.terminal)
        if log is None:
            return [messages.Ended(stream=message.stream, code="not-found", what="there is no such terminal")]
        self.views[message.stream] = message
        place, frames = 0, []
        for channel, payload in log:
            if place >= message.received and (message.output or channel == Channel.ERROR):
                frames.append(encode_frame(message.stream, channel, payload))
            place += len(payload)
        taken = len(self.taken.get((message.terminal, message.view), b""))
        start = max(0, message.received)
        first = messages.Shown(stream=message.stream, place=start, taken=taken, credit=1000, kept=600.0)
        return [first, *frames, encode_frame(message.stream, Channel.VIEW, b'{"live":true}')]
