"""Headlamp's envelopes on ``/wsMultiplexer``, and where its tokens go, for both sides. Sans-IO.

Source: kubernetes-sigs/headlamp, backend/cmd/multiplexer.go (type Message) and
frontend/src/lib/k8s/api/v2/multiplexer.ts, for tokens backend/pkg/auth, as of 0.45.0. The protocol has no version of
its own.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any

import msgspec

from notebook_mux.errors import ProtocolError
from notebook_mux.wire import UNREADABLE

PATH = "/wsMultiplexer"

SUBPROTOCOL = "headlamp.multiplexer.k8s.io"
"""Optional: a server selects it if it is offered."""

TOKEN_HEADER = "X-HEADLAMP_BACKEND-TOKEN"
"""The header of a server that was started by Headlamp's desktop application (HEADLAMP_BACKEND_TOKEN)."""

COOKIE = "headlamp-auth-"
COOKIE_BYTES = 3800
"""Of a cluster's token in one cookie; browsers take 4,096 with the name and the attributes (RFC 6265, 6.1)."""

COOKIE_NAME = 50
"""Characters of a cluster's name in its cookies'."""

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


class _Names(msgspec.Struct):
    clusterId: Any = ""  # noqa: N815 - the wire's name
    path: Any = ""
    userId: Any = ""  # noqa: N815 - the wire's name
    type: Any = ""
    query: Any = ""


_NOT_NAME = re.compile(r"[^A-Za-z0-9_-]")

_names = msgspec.json.Decoder(_Names)
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


def opening(cluster_id: str, path: str, query: str, user_id: str) -> bytes:
    """The beginning of every frame of one subscription, for `data_frame`."""
    return encode(Envelope(cluster_id, path, user_id, "", query)).encode().removesuffix(b',"type":""}')


def data_frame(opening: bytes, text: bytes, *, binary: bool = False) -> bytes:
    """A DATA frame, made of parts that several may share; the same as `encode` makes.

    Args:
        opening: See `opening`.
        text: The data as JSON text, in its quotes.
        binary: Whether it is base64.
    """
    data = b"" if text == b'""' else b',"data":' + text
    return b"".join((opening, data, b',"binary":true' if binary else b"", b',"type":"DATA"}'))


def decode(frame: str | bytes) -> Envelope:
    """The envelope of a text frame.

    Raises:
        ProtocolError: It is no JSON object of the right shape, or one nested too deep.
    """
    try:
        return _decoder.decode(frame)
    except UNREADABLE as error:
        raise ProtocolError("a frame that is no envelope of a Headlamp multiplexer", said=str(error)) from None


def names_in(frame: str | bytes) -> Envelope:
    """What can be read of a frame that `decode` refuses, so that an answer can name it; "" for the rest."""
    try:
        found = _names.decode(frame)
    except UNREADABLE:
        return Envelope("", "", "", "")
    cluster, path, user, kind, query = (
        value if isinstance(value, str) else ""
        for value in (found.clusterId, found.path, found.userId, found.type, found.query)
    )
    return Envelope(cluster, path, user, kind, query)


def state_of(envelope: Envelope) -> State:
    """What a STATUS says.

    Raises:
        ProtocolError: Its data is not of that shape.
    """
    try:
        return _states.decode(envelope.data)
    except UNREADABLE as error:
        raise ProtocolError("a STATUS of a Headlamp multiplexer that cannot be read", said=str(error)) from None


def cookie_stem(cluster: str) -> str:
    """The name of a cluster's cookies, without a dot and the number behind it."""
    return COOKIE + _NOT_NAME.sub("", cluster)[:COOKIE_NAME]


def cookie_parts(token: str) -> list[str]:
    """A token in pieces that fit into cookies, by their numbers."""
    return [token[at : at + COOKIE_BYTES] for at in range(0, len(token), COOKIE_BYTES)]
