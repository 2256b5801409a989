"""A fake gateway with pods that log: what they write is said by the test."""

from __future__ import annotations

import threading
from typing import Any
from urllib.parse import parse_qs

import msgspec

from notebook_mux.wire import frames, messages
from notebook_mux.wire.frames import Channel, Kind
from notebook_mux.wire.logs import LogEnd
from tests.unit.kernel.fake_gateway import FakeGateway
from tests.unit.tailing.node import Answer, Node

PIECE = 1000
"""Bytes of a frame."""


class LogGateway(FakeGateway):
    """See the module. `nodes` are by (pod, container); `refusals` end a log before it begins."""

    def __init__(self) -> None:
        super().__init__()
        self.nodes: dict[tuple[str, str], Node] = {}
        self.pods: dict[str, dict[str, Any]] = {}
        self.refusals: dict[tuple[str, str], LogEnd] = {}
        self.ended: messages.Ended | None = None
        self.asked: list[tuple[str, str]] = []
        self._open: dict[int, tuple[Any, Answer]] = {}
        self._pod_lock = threading.Lock()

    # --- what a test says -------------------------------------------------------------------------------------------

    def add(self, name: str, *containers: str, init: str = "", phase: str = "Running", tell: bool = True) -> None:
        """A pod with containers that run."""
        for container in (*(containers or ("main",)), *filter(None, [init])):
            self.nodes[name, container] = Node()
        self.pods[name] = {
            "metadata": {"name": name, "namespace": "default", "uid": f"uid-{name}"},
            "spec": {
                "containers": [{"name": one} for one in containers or ("main",)],
                **({"initContainers": [{"name": init}]} if init else {}),
            },
            "status": {"phase": phase},
        }
        if tell:
            self.tell(name)

    def tell(self, name: str) -> None:
        """The pod's state of now reaches who watches."""
        self.put(name)

    def write(self, name: str, *texts: bytes, container: str = "main") -> None:
        """Lines."""

        def put() -> None:
            for text in texts:
                node = self.nodes[name, container]
                node.now += 1000
                node.write(text)
            self._pump()

        self._run(put)

    def change(self, name: str, what: str, container: str = "main", *, tell: bool = True) -> None:
        """``stop``, ``start`` or ``rotate``."""

        def do() -> None:
            getattr(self.nodes[name, container], what)()
            self._pump()

        self._run(do)
        if tell:
            self.tell(name)

    # --- what a client sees -----------------------------------------------------------------------------------------

    def pod(self, name: str) -> dict[str, Any]:
        """As it stands now."""
        pod: Any = self.pods.get(name, {"metadata": {"name": name, "namespace": "default", "uid": f"uid-{name}"}})
        if pod.get("status") is not None:
            statuses = [self._status(name, one["name"]) for one in pod["spec"]["containers"]]
            pod = {**pod, "status": {**pod["status"], "containerStatuses": statuses}}
        found: dict[str, Any] = pod
        return found

    def encoded(self, kind: Kind, number: int, name: str, version: str) -> bytes:
        pod = self.pod(name)
        return frames.encode_record(
            kind, number, pod["metadata"]["uid"], "default", name, version, "2026-01-01T00:00:00Z", 0.0,
            b"[]", msgspec.json.encode(pod),
        )  # fmt: skip

    def _status(self, name: str, container: str) -> Any:
        node = self.nodes[name, container]
        at = node.status()
        states: dict[str, dict[str, Any]] = {
            "running": {"running": {"startedAt": "2027-01-15T08:00:00Z"}},
            "waiting": {"waiting": {"reason": at.reason}},
            "terminated": {"terminated": {"exitCode": at.exit_code or 0, "reason": "Error", "containerID": at.id}},
        }
        state = states[at.state]
        last = {"terminated": {"exitCode": at.exit_code, "reason": "Error"}} if at.exit_code is not None else {}
        if waiting := self.pods[name].get("waiting"):
            return {"name": container, "state": {"waiting": waiting}}
        return {
            "name": container, "containerID": at.id, "restartCount": at.restart, "state": state, "lastState": last
        }  # fmt: skip

    def _reply(self, socket: Any, message: Any) -> list[Any]:
        if isinstance(message, messages.Log):
            return self._log(socket, message)
        if isinstance(message, messages.Unsubscribe) and message.stream in self._open:
            del self._open[message.stream]
            return []
        return super()._reply(socket, message)

    def _log(self, socket: Any, message: messages.Log) -> list[Any]:
        pod = message.path.split("/")[-2]
        container = parse_qs(message.query)["container"][0]
        self.asked.append((pod, message.query))
        if self.ended is not None:
            return [msgspec.structs.replace(self.ended, stream=message.stream)]
        end = self.refusals.get((pod, container))
        if end is None:
            answer = self.nodes[pod, container].get(message.query)
            if answer.error is None:
                self._open[message.stream] = (socket, answer)
                return [frames.encode_frame(message.stream, Channel.STDOUT, b""), *self._sent(message.stream)]
            end = LogEnd(status=answer.error[0], code="server", what="refused", said=answer.error[1])
        return [frames.encode_frame(message.stream, Channel.END, msgspec.json.encode(end))]

    def _sent(self, stream: int) -> list[bytes]:
        _, answer = self._open[stream]
        data, answer.pending[:] = bytes(answer.pending), b""
        pieces = [data[at : at + PIECE] for at in range(0, len(data), PIECE)]
        sent = [frames.encode_frame(stream, Channel.STDOUT, piece) for piece in pieces]
        if answer.over:
            del self._open[stream]
            sent.append(frames.encode_frame(stream, Channel.END, msgspec.json.encode(LogEnd(status=200))))
        return sent

    def _pump(self) -> None:
        for stream, (socket, _) in list(self._open.items()):
            if socket not in self.sockets:
                del self._open[stream]
                continue
            for frame in self._sent(stream):
                self._send(socket, frame)
