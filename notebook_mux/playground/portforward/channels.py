"""``v4.channel.k8s.io`` for port-forward, the server's end: two channels for each port of the query. Sans-IO.

Of the port number *i* channel 2*i* has the data, 2*i* + 1 the server's errors, as text. The first message on each is
the port, two bytes, little endian. (k8s.io/cri-streaming, pkg/streaming/portforward/websocket.go; for the client's end
see `notebook_mux.wire.portforward`.)
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Sequence

from notebook_mux.playground.portforward.dialing import Conversation, Dial, NotForwarded, uint16

BINARY, BASE64 = "v4.channel.k8s.io", "v4.base64.channel.k8s.io"
PROTOCOLS = (BINARY, BASE64)
PORT_SIZE = 2
PIECE = 32 * 1024
"""Bytes of data in a message, as much as the kubelet copies at once."""

MAX_PORTS = 127
"""A channel is a byte."""


def ports_of(values: Sequence[str]) -> list[int]:
    """The ports of a query's values, each of which may have several.

    Raises:
        ValueError: In the API server's words.
    """
    try:
        return [uint16(one) for value in values for one in value.split(",")]
    except ValueError as error:
        raise ValueError(f"cannot convert to []int32: {error}") from None


def refusal(ports: Sequence[int]) -> str:
    """A kubelet's words about ports that it cannot forward; "" if it can."""
    if not ports:
        return 'query parameter "port" is required'
    if 0 in ports:
        return 'port "0" must be > 0'
    return "" if len(ports) <= MAX_PORTS else f"{len(ports)} ports are more than a WebSocket has channels for"


class Channels:
    """The ports of one WebSocket.

    Args:
        ports: Those that are asked for.
        dial: Makes connections to the pod's ports.
        encoded: Whether messages are text: the channel as a digit, the rest in base64.
    """

    def __init__(self, ports: Sequence[int], dial: Dial, *, encoded: bool = False) -> None:
        self._encoded = encoded
        self._dial = dial
        self._ports = ports
        self._conversations: dict[int, Conversation] = {}
        """By the number of the data channel; those that have ended are not there."""

    @property
    def over(self) -> bool:
        """Whether all ports have ended; then the WebSocket is closed with 1000."""
        return not self._conversations

    def begin(self) -> Iterator[bytes]:
        """The first messages: all ports, then what a node says at once."""
        for number, port in enumerate(self._ports):
            named = port.to_bytes(PORT_SIZE, "little")
            yield self._message(2 * number, named)
            yield self._message(2 * number + 1, named)
        for number, port in enumerate(self._ports):
            try:
                self._conversations[2 * number] = self._dial(port)
            except NotForwarded as error:
                yield self._message(2 * number + 1, str(error).encode())

    def receive(self, message: bytes) -> Iterator[bytes]:
        """A message of the client's; the messages that answer it."""
        if not message:
            return
        channel, data = message[0], message[1:]
        if self._encoded:
            channel -= ord("0")
            try:
                data = base64.b64decode(data, validate=True)
            except binascii.Error:
                return
        conversation = self._conversations.get(channel)
        if conversation is None:
            return  # no such channel, one that only the server writes on, or one that has ended
        answer = conversation.receive(data)
        for at in range(0, len(answer), PIECE):
            yield self._message(channel, answer[at : at + PIECE])
        if conversation.over:
            del self._conversations[channel]

    def _message(self, channel: int, data: bytes) -> bytes:
        if self._encoded:
            return bytes([ord("0") + channel]) + base64.b64encode(data)
        return bytes([channel]) + data
