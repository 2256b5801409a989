"""Headlamp's envelopes on ``/wsMultiplexer``, for both sides. Sans-IO.

Source: kubernetes-sigs/headlamp, backend/cmd/multiplexer.go (type Message) and frontend/src/lib/k8s/api/v2/multiplexer.ts
as of 0.45.0. The protocol has no version of its own.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any

import msgspec

from notebook_mux.errors import ProtocolError

PATH = "/wsMultiplexer"

SUBPROTOCOL = "headlamp.multiplexer.k8s.io"
"""Optional: a server selects it if it is offered."""

REQUEST = "REQUEST"
CLOSE = "CLOSE"
STATUS = "STATUS"
DATA = "DATA"
COMPLETE = "COMPLETE"
ERROR = "ERROR"


class Envelope(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """One message, in either direction.

    Attributes:
        cluster_id: The cluster's name on the server.
        path: Decoded text; the server escapes it.
        user_id: Chosen by the client; a part of the server's key, which leaves the query out.
        type: REQUEST and CLOSE from the client; STATUS, DATA, COMPLETE and ERROR from the server.
        query: Goes upstream raw, without a question mark; not omitted when empty.
        data: Text, or standard base64 if `binary`.
        binary: Whether `data` stands for bytes.
    """

    cluster_id: str
    path: str
    user_id: str
    type: str
    query: str = ""
    data: str = ""
    binary: bool = False

    def payload(self) -> bytes:
        """The bytes that `data` stands for.

        Raises:
            ProtocolError: It is marked as base64 and is none.
        """
        if not self.binary:
            return self.data.encode()
        try:
            return base64.b64decode(self.data, validate=True)
        except binascii.Error as error:
            raise ProtocolError("a binary envelope whose data is no base64", said=str(error)) from None


class State(msgspec.Struct, frozen=True):
    """What the data of a STATUS says: ``connected``, ``error`` or ``closed``, and why."""

    state: str
    error: str = ""


_decoder = msgspec.json.Decoder(Envelope)
_states = msgspec.json.Decoder(State)


def encode(envelope: Envelope) -> str:
    """The text frame of an envelope, as Headlamp's own client and server write it: with all that is not optional."""
    fields: dict[str, Any] = {
        "clusterId": envelope.cluster_id,
        "path": envelope.path,
        "query": envelope.query,
        "userId": envelope.user_id,
    }
    if envelope.data:
        fields["data"] = envelope.data
    if envelope.binary:
        fields["binary"] = True
    fields["type"] = envelope.type
    return msgspec.json.encode(fields).decode()


def decode(frame: str | bytes) -> Envelope:
    """The envelope of a text frame.

    Raises:
        ProtocolError: It is no JSON object of the right shape.
    """
    try:
        return _decoder.decode(frame)
    except (msgspec.MsgspecError, UnicodeError) as error:
        raise ProtocolError("a frame that is no envelope of a Headlamp multiplexer", said=str(error)) from None


def state_of(envelope: Envelope) -> State:
    """What a STATUS says.

    Raises:
        ProtocolError: Its data is not of that shape.
    """
    try:
        return _states.decode(envelope.data)
    except (msgspec.MsgspecError, UnicodeError) as error:
        raise ProtocolError("a STATUS of a Headlamp multiplexer that cannot be read", said=str(error)) from None
