"""The channels of exec and attach as a server speaks them: messages in, events out, and back.

Sans-IO; the other end is `notebook_mux.wire.remotecommand`. (KEP-4006; kubernetes, staging/src/k8s.io/cri-streaming
and apiserver/pkg/util/proxy.)
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from notebook_mux.playground.remotecommand.options import Streams
from notebook_mux.wire.frames import Channel
from notebook_mux.wire.remotecommand import MAX_SIDE, V1, V1_BASE64, V4, V4_BASE64, V5

PIECE = 32 * 1024
"""Bytes of output in one message, at most (measured on a real API server)."""

OLD = (V4, V4_BASE64, V1, V1_BASE64)
"""What a kubelet's own WebSocket server speaks."""


INTERNAL = "Internal error occurred: "
NON_ZERO = "command terminated with non-zero exit code: "


@dataclass(frozen=True, slots=True)
class Input:
    """Bytes for stdin."""

    data: bytes


@dataclass(frozen=True, slots=True)
class EndOfInput:
    """stdin ends; the output goes on."""


@dataclass(frozen=True, slots=True)
class Resize:
    """The terminal's size."""

    columns: int
    rows: int


@dataclass(frozen=True, slots=True)
class Broken:
    """What a server ends the connection for, without a Status."""


Event = Input | EndOfInput | Resize | Broken


def choose(offered: Sequence[str]) -> str | None:
    """The sub-protocol that is spoken; None for a refusal.

    v5 wins wherever it stands: the API server translates it. Without it the first that a kubelet knows is taken; with
    none offered that is the oldest, and its name is left empty.
    """
    if V5 in offered:
        return V5
    if not offered:
        return V1
    return next((one for one in offered if one in OLD), None)


class Server:
    """One session.

    Args:
        protocol: The sub-protocol.
        streams: What the client asked for.
    """

    def __init__(self, protocol: str, streams: Streams):
        self.protocol = protocol
        self._streams = streams
        self._base64 = "base64" in protocol
        self._closed = False

    def begin(self) -> bytes | str:
        """The first message: a channel without content, the lowest that the server writes on."""
        streams = self._streams
        channel = Channel.STDOUT if streams.stdout else Channel.STDERR if streams.stderr else Channel.ERROR
        return self._join(channel, b"")

    def receive(self, message: bytes | str) -> Event | None:
        """What a message says; None if that is nothing, or for nobody."""
        try:
            channel, payload = self._split(message)
        except (ValueError, binascii.Error):
            return Broken()
        if channel == Channel.CLOSE and self.protocol == V5:
            if len(payload) != 1 or payload[0] > Channel.RESIZE:
                return Broken()
            if payload[0] == Channel.STDIN and self._streams.stdin and not self._closed:
                self._closed = True
                return EndOfInput()
            return None
        if channel == Channel.STDIN and self._streams.stdin and payload and not self._closed:
            return Input(payload)
        if channel == Channel.RESIZE and self._streams.tty:
            return _size(payload)
        return None

    def write(self, channel: int, data: bytes) -> bytes | str:
        """A message of output, of at most `PIECE` bytes."""
        return self._join(channel, data)

    def end(self, code: int, failure: str = "", refusal: str = "") -> list[bytes | str]:
        """The messages at the end: the Status, or in the first versions its words alone.

        Args:
            code: The exit code.
            failure: Why there is none: the words of the runtime.
            refusal: The same, where the kubelet refused the API server's upgrade.
        """
        failure = f"{INTERNAL}{failure}" if failure else ""
        if self.protocol in (V1, V1_BASE64):
            words = failure or (f"{NON_ZERO}exit status {code}" if code else "")
            return [self._join(Channel.ERROR, words.encode())] if words else []
        status = self._failed(failure or refusal) if failure or refusal else self._ended(code)
        return [self._join(Channel.ERROR, msgspec.json.encode(status))]

    def _failed(self, words: str) -> dict[str, Any]:
        if self.protocol != V5:
            return {"status": "Failure", "message": words, "reason": "InternalError", "code": 500}
        # v5 is translated by the API server, which says in its turn that something failed.
        return {"metadata": {}, "status": "Failure", "message": f"{INTERNAL}{words}", "reason": "InternalError",
                "details": {"causes": [{"message": words}]}, "code": 500}  # fmt: skip

    def _ended(self, code: int) -> dict[str, Any]:
        metadata: dict[str, Any] = {"metadata": {}} if self.protocol == V5 else {}
        if not code:
            return {**metadata, "status": "Success"}
        how = f"command terminated with exit code {code}" if self.protocol == V5 else f"exit status {code}"
        return {**metadata, "status": "Failure", "message": f"{NON_ZERO}{how}", "reason": "NonZeroExitCode",
                "details": {"causes": [{"reason": "ExitCode", "message": str(code)}]}}  # fmt: skip

    def _split(self, message: bytes | str) -> tuple[int, bytes]:
        if not message:
            raise ValueError("a message without a channel")
        if not self._base64:
            data = message.encode() if isinstance(message, str) else message
            return data[0], data[1:]
        text = message if isinstance(message, str) else message.decode("latin-1")
        return int(text[0]), base64.b64decode(text[1:], validate=True)

    def _join(self, channel: int, payload: bytes) -> bytes | str:
        if self._base64:
            return f"{channel}{base64.b64encode(payload).decode()}"
        return bytes((channel,)) + payload


class _Size(msgspec.Struct):
    width: int = msgspec.field(default=0, name="Width")
    height: int = msgspec.field(default=0, name="Height")


def _size(payload: bytes) -> Event | None:
    try:
        found = msgspec.json.decode(payload, type=_Size)
    except msgspec.MsgspecError:
        return None
    if not (0 <= found.width <= MAX_SIDE and 0 <= found.height <= MAX_SIDE):
        return None
    return Resize(found.width, found.height)
