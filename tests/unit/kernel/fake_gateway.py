"""A gateway that does as it is told: notebook-mux.v1 over a real socket, objects from a dict, no Kubernetes."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from typing import Any

import msgspec
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from notebook_mux.kernel.thread import LoopThread
from notebook_mux.listening import stop_accepting
from notebook_mux.wire import frames, messages
from notebook_mux.wire.frames import Channel, Kind, Position
from tests.serving import Place

RESOURCES = [
    {"name": "pods", "singular": "pod", "kind": "Pod", "group": "", "version": "v1", "namespaced": True,
     "short_names": ["po"], "categories": ["all"], "verbs": ["list", "watch", "get"]},
    {"name": "nodes", "singular": "node", "kind": "Node", "group": "", "version": "v1", "namespaced": False,
     "short_names": ["no"], "categories": [], "verbs": ["list", "watch", "get"]},
]  # fmt: skip
END_SECONDS = 10.0
"""For a connection that begins or ends while the server does: less than `stop` waits for."""

COLUMNS = [{"name": "Name", "type": "string", "format": "name", "description": "", "priority": 0}]


def record(kind: Kind, number: int, name: str, version: str) -> bytes:
    """One object as a record."""
    return frames.encode_record(
        kind, number, f"uid-{name}", "default", name, version, "2026-01-01T00:00:00Z", 0.0,
        msgspec.json.encode([name]), msgspec.json.encode({"metadata": {"name": name, "resourceVersion": version}}),
    )  # fmt: skip


class FakeGateway:
    """Runs in a thread of its own; all public methods may be called from a test."""

    def __init__(self) -> None:
        self.thread = LoopThread("fake gateway")
        self.instance = "instance-1"
        self.incarnation = "incarnation-1"
        self.objects: dict[str, str] = {}
        self.log: list[tuple[int, bytes, str]] = []
        self.number = 0
        self.received: list[messages.ClientMessage] = []
        self.upgrades = 0
        self.sockets: dict[ServerConnection, dict[int, messages.Subscribe]] = {}
        self.answers: dict[type, Callable[[Any], list[messages.Message | bytes]]] = {}
        self.state_of: dict[str, messages.State] = {}
        self.greet = True
        self.mute: set[type] = set()
        self._server: Any = None
        self._place = Place()
        self.port = 0
        self._versions = itertools.count(100)

    @property
    def url(self) -> str:
        """The base URL."""
        return f"http://127.0.0.1:{self.port}/?token=secret"

    def encoded(self, kind: Kind, number: int, name: str, version: str) -> bytes:
        """One object as a record."""
        return record(kind, number, name, version)

    def start(self) -> FakeGateway:
        """Listen; on the same port as before after a `stop`."""

        async def listen() -> None:
            self._server = await serve(
                self._talk, "127.0.0.1", self.port, subprotocols=[Subprotocol(messages.SUBPROTOCOL)],
                compression=None, ping_interval=None, max_size=None, open_timeout=END_SECONDS,
                close_timeout=END_SECONDS,
            )  # fmt: skip
            self.port = self._server.sockets[0].getsockname()[1]

        self.thread.submit(listen()).result(30)
        self._place.give_up()
        return self

    def stop(self) -> None:
        """Stop listening and cut all sockets."""

        async def end() -> None:
            for socket in list(self.sockets):
                socket.transport.abort()
            await stop_accepting(self._server.sockets)
            self._server.close()
            await self._server.wait_closed()
            self._place.keep(self.port)

        self.thread.submit(end()).result(30)

    def close(self) -> None:
        """End for good."""
        self.stop()
        self._place.give_up()
        self.thread.stop(30)

    def speak(self) -> None:
        """Be mute no more: whatever has been received by now stays unanswered."""
        self._run(self.mute.clear)

    def cut(self) -> None:
        """Cut all sockets, keep listening."""
        self._run(lambda: [socket.transport.abort() for socket in list(self.sockets)])

    def restart(self) -> None:
        """As another instance that knows no numbers any more."""
        self.instance += "'"
        self.incarnation += "'"
        self.number, self.log = 0, []

    def put(self, name: str) -> str:
        """Create or change an object."""
        version = str(next(self._versions))
        self._run(lambda: self._change(Kind.PUT, name, version))
        return version

    def delete(self, name: str) -> None:
        """Delete one."""
        self._run(lambda: self._change(Kind.DELETE, name, str(next(self._versions))))

    def send_raw(self, *what: str | bytes) -> None:
        """Send frames as they are to all clients."""

        async def raw() -> None:
            for socket in list(self.sockets):
                for frame in what:
                    await socket.send(frame)

        self.thread.submit(raw()).result(30)

    def _run(self, function: Callable[[], Any]) -> None:
        async def call() -> None:
            function()

        self.thread.submit(call()).result(30)

    def _change(self, kind: Kind, name: str, version: str) -> None:
        self.number += 1
        if kind == Kind.PUT:
            self.objects[name] = version
        else:
            self.objects.pop(name, None)
        encoded = self.encoded(kind, self.number, name, version)
        self.log.append((self.number, encoded, version))
        for socket, streams in self.sockets.items():
            for stream in streams:
                self._send(socket, frames.encode_frame(stream, Channel.CHANGES, encoded))

    def _send(self, socket: ServerConnection, frame: str | bytes) -> None:
        task = asyncio.get_running_loop().create_task(self._quietly(socket, frame))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    _tasks: set[asyncio.Task[None]] = set()

    async def _quietly(self, socket: ServerConnection, frame: str | bytes) -> None:
        try:
            await socket.send(frame)
        except ConnectionClosed:
            return

    async def _talk(self, socket: ServerConnection) -> None:
        self.upgrades += 1
        self.sockets[socket] = {}
        try:
            async for text in socket:
                message = messages.decode_client(text)
                self.received.append(message)
                for frame in self._reply(socket, message):
                    self._send(socket, messages.encode(frame) if isinstance(frame, messages.Message) else frame)
        except ConnectionClosed:
            pass
        finally:
            del self.sockets[socket]

    def _reply(self, socket: ServerConnection, message: Any) -> list[Any]:
        if type(message) in self.mute:
            return []
        if (answer := self.answers.get(type(message))) is not None:
            return list(answer(message))
        if isinstance(message, messages.Hello):
            return [messages.Welcome(instance=self.instance, package="0")] if self.greet else []
        if isinstance(message, messages.Contexts):
            context = messages.Context(name="one", ref="ref-one", server="https://one", current=True)
            return [messages.Answer(id=message.id, value=[msgspec.to_builtins(context)])]
        if isinstance(message, messages.Scope):
            return [messages.Answer(id=message.id, value=message.write)]
        if isinstance(message, messages.Probe):
            return [messages.Answer(id=message.id, value={"version": "v1.37.2"})]
        if isinstance(message, messages.Discover):
            return self.body(message.id, msgspec.json.encode(RESOURCES))
        if isinstance(message, messages.Http):
            return self.body(message.id, message.path.encode())
        if isinstance(message, messages.Subscribe):
            return self._subscribe(socket, message)
        if isinstance(message, messages.Unsubscribe):
            self.sockets[socket].pop(message.stream, None)
        return []

    def body(self, id_: int, body: bytes, status: int = 200) -> list[Any]:
        """A long answer in pieces."""
        pieces = [body[at : at + 1000] for at in range(0, len(body), 1000)]
        return [
            messages.Head(id=id_, status=status),
            *(frames.encode_frame(id_, Channel.BODY, piece) for piece in pieces),
            frames.encode_frame(id_, Channel.END, b""),
        ]

    def _subscribe(self, socket: ServerConnection, message: messages.Subscribe) -> list[Any]:
        state = self.state_of.get(message.path)
        if state is not None:
            return [msgspec.structs.replace(state, stream=message.stream)]
        self.sockets[socket][message.stream] = message
        now = str(next(self._versions))
        at = Position(self.instance, self.incarnation, now)
        resume = message.resume
        known = {version: number for number, _, version in self.log}
        if resume is not None and (resume.instance, resume.incarnation) == (self.instance, self.incarnation):
            after: int | None = resume.number
        else:
            after = known.get(resume.version) if resume is not None else None
        columns = frames.encode_columns(self.number, msgspec.json.encode(COLUMNS))
        if after is not None:
            at = Position(self.instance, self.incarnation, resume.version if resume else now)
            payload = [frames.encode_position(Kind.RESUMED, after, at), columns]
            payload += [encoded for number, encoded, _ in self.log if number > after]
        else:
            payload = [frames.encode_position(Kind.BEGIN, 0, at), columns]
            payload += [self.encoded(Kind.PUT, self.number, name, version) for name, version in self.objects.items()]
            payload.append(frames.encode_position(Kind.END, self.number, at))
        live = messages.State(stream=message.stream, state="live", synced=True)
        return [live, *(frames.encode_frame(message.stream, Channel.CHANGES, one) for one in payload)]
