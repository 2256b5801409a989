"""Kubernetes' port-forward as a client speaks it over a WebSocket: ``v4.channel.k8s.io``, one port a connection.

Sans-IO. Of the port number *i* in the query channel 2*i* has the data and 2*i* + 1 the server's errors, as text. The
first message on each is the port, two bytes, little endian. There is no half close: the end of one side is the end of
the connection. (kubernetes, staging/src/k8s.io/cri-streaming/pkg/streaming/portforward/websocket.go.)
"""

from __future__ import annotations

from urllib.parse import urlencode

from notebook_mux.errors import InvalidArgument, ProtocolError

PROTOCOL = "v4.channel.k8s.io"

PORTS = range(1, 65536)

DATA, ERROR = 0, 1
"""The channels of the first port."""

PORT_SIZE = 2

MAX_ERROR = 64 * 1024
"""Bytes of the server's words; honest ones are one sentence."""


def query(port: int) -> str:
    """The query of a port-forward to one port, encoded.

    Raises:
        InvalidArgument: There is no such port.
    """
    if port not in PORTS:
        raise InvalidArgument(f"the port {port}", todo=f"ports are {PORTS.start} to {PORTS.stop - 1}")
    return urlencode({"ports": port})


class PortForward:
    """One connection to one port of a pod.

    Args:
        protocol: The sub-protocol that the server chose.
        port: The port that was asked for.

    Raises:
        ProtocolError: The server chose another one.
    """

    def __init__(self, protocol: str | None, port: int) -> None:
        if protocol != PROTOCOL:
            raise ProtocolError(f"the server chose {protocol or 'no sub-protocol'} for a port-forward, not {PROTOCOL}")
        self.port = port
        self._named = port.to_bytes(PORT_SIZE, "little")
        self._unnamed = {DATA, ERROR}
        self._said = bytearray()

    @property
    def ready(self) -> bool:
        """Whether the server has named the port of the data: it has taken the connection, the pod may not have."""
        return DATA not in self._unnamed

    @property
    def error(self) -> str:
        """The server's words; "" where there are none."""
        return self._said.decode(errors="replace").strip()

    def receive(self, message: bytes | str) -> bytes:
        """One whole message: what the pod sent, b"" where it says something else.

        Raises:
            ProtocolError: It is none of a server's.
        """
        data = message.encode() if isinstance(message, str) else message
        if not data:
            raise ProtocolError("an empty message, without a channel")
        channel, payload = data[0], data[1:]
        if channel not in (DATA, ERROR):
            raise ProtocolError(f"the server wrote on channel {channel}, which is none of the port's")
        if channel in self._unnamed:
            if payload != self._named:
                raise ProtocolError(f"the server began channel {channel} with another port than the one asked for")
            self._unnamed.discard(channel)
            return b""
        if channel == DATA:
            return payload
        self._said += payload
        if len(self._said) > MAX_ERROR:
            raise ProtocolError(f"an error of more than {MAX_ERROR} bytes")
        return b""

    def write(self, data: bytes) -> bytes:
        """The message that brings `data` to the pod. Not to be fragmented: the server hands out single frames."""
        return b"\0" + data
