"""Control messages of notebook-mux.v1: text frames, one JSON object each, told apart by ``type``.

`decode_client` and `decode_gateway` validate what the other side sent; unknown fields are ignored, so that a later
version may add some.
"""

from __future__ import annotations

from typing import Any

import msgspec

from notebook_mux.errors import ProtocolError

SUBPROTOCOL = "notebook-mux.v1"
PATH = "/notebook-mux"
"""The path of the WebSocket behind the gateway's base URL."""

MAX_MESSAGE = 1024 * 1024
"""Bytes of one control message; the largest honest ones carry a body that is written to a cluster."""


class Message(msgspec.Struct, tag_field="type", tag=str.lower, kw_only=True, omit_defaults=True):
    """The base of all control messages; the tag is the class name in lower case."""


# --- from the kernel's manager to the gateway ---------------------------------------------------------------------


class Hello(Message):
    """The first message on a socket. `kernel` is the connection file's name, which survives a kernel's restart."""

    package: str
    kernel: str = ""
    user: str = ""


class Source(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Where contexts come from: kubeconfig files in kubectl's order, the environment for exec plugins, in-cluster."""

    kubeconfig: list[str] | None = None
    env: dict[str, str] = {}
    in_cluster: bool = False

    def __repr__(self) -> str:
        # The environment may hold keys of a cloud; a message that is logged or raised must not show them.
        return f"Source(kubeconfig={self.kubeconfig!r}, env={sorted(self.env)}, in_cluster={self.in_cluster})"


class Contexts(Message):
    """Resolve contexts. `names`: None is the current one, ``["*"]`` all. Answer: a list of `Context`."""

    id: int
    source: Source
    names: list[str] | None = None


class Context(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One resolved context. `ref` names cluster and identity by content and is what later messages send."""

    name: str
    ref: str = ""
    server: str = ""
    namespace: str = "default"
    user: str = ""
    current: bool = False
    error: dict[str, Any] | None = None
    """``{"code", "what", "said", "todo"}`` where this context cannot be used."""


class Scope(Message):
    """Set a manager's write scope to these refs, replacing the earlier. Answer: the list of refs granted."""

    id: int
    scope: str
    write: list[str]


class Probe(Message):
    """Ask a cluster whether it answers and who we are to it. Answer: ``{"version": ...}``. Seconds."""

    id: int
    cluster: str
    timeout: float = 30.0


class Discover(Message):
    """The kinds a cluster serves, in the server's order, as a body of JSON."""

    id: int
    cluster: str
    refresh: bool = False


class Http(Message):
    """One request to a cluster. Answer: `Head`, then the body. `timeout` in seconds."""

    id: int
    cluster: str
    method: str
    path: str
    query: str = ""
    headers: dict[str, str] = {}
    body: str | None = None
    scope: str = ""
    user: str = ""
    timeout: float = 30.0


class Resume(msgspec.Struct, kw_only=True):
    """Where a subscription stood: the last `Position` and number that its receiver has applied."""

    instance: str
    incarnation: str
    number: int
    version: str


class Subscribe(Message):
    """List and watch `path` with `query` on the stream id `stream`, with `credit` bytes to begin with."""

    stream: int
    cluster: str
    path: str
    query: str = ""
    user: str = ""
    credit: int = 0
    resume: Resume | None = None


class Unsubscribe(Message):
    """End a stream; frames of it that are under way are ignored by the sender of this."""

    stream: int


class Credit(Message):
    """`bytes` more may be sent on `stream`; 0 is the connection."""

    stream: int
    bytes: int


class Retry(Message):
    """Try again now, whatever waits: upstreams of one cluster, or all."""

    cluster: str | None = None


class Cancel(Message):
    """The answer to `id` is not wanted any more."""

    id: int


class Status(Message):
    """What the gateway does: clients, upstreams, memory. Answer as a body of JSON."""

    id: int


class Stop(Message):
    """End the gateway. Only a client that proved the token got so far."""

    id: int


# --- from the gateway to the kernel's manager ---------------------------------------------------------------------


class Welcome(Message):
    """The answer to `Hello`. `environment`: whether kubeconfig paths and variables of the client are taken."""

    instance: str
    package: str
    credit: int = 0
    environment: bool = False
    contexts: bool = True


class Answer(Message):
    """The small answer to a request."""

    id: int
    value: Any = None


class Head(Message):
    """A long answer's beginning; the body follows in frames of `Channel.BODY` and one of `Channel.END`."""

    id: int
    status: int = 200
    headers: dict[str, str] = {}


class Failure(Message):
    """A request failed; `code` is one of `notebook_mux.errors`, the rest are its fields."""

    id: int
    code: str
    what: str
    cluster: str | None = None
    said: str | None = None
    todo: str | None = None


class State(Message):
    """The state of a stream's upstream. `since` and `retry_at` are Unix seconds."""

    stream: int
    state: str
    reason: str = ""
    said: str | None = None
    status: int | None = None
    since: float = 0.0
    retry_at: float | None = None
    synced: bool = False


class Ended(Message):
    """A stream that the gateway refuses or ends for good."""

    stream: int
    code: str
    what: str
    said: str | None = None
    todo: str | None = None


class Goodbye(Message):
    """The gateway is about to close this connection, and why."""

    code: str
    what: str
    todo: str | None = None


ClientMessage = (
    Hello
    | Contexts
    | Scope
    | Probe
    | Discover
    | Http
    | Subscribe
    | Unsubscribe
    | Credit
    | Retry
    | Cancel
    | Status
    | Stop
)
GatewayMessage = Welcome | Answer | Head | Failure | State | Ended | Goodbye | Credit

_encode = msgspec.json.Encoder().encode
_client = msgspec.json.Decoder(ClientMessage)
_gateway = msgspec.json.Decoder(GatewayMessage)


def encode(message: Message) -> str:
    """A control message as the text of one frame."""
    return _encode(message).decode()


def decode_client(text: str | bytes) -> ClientMessage:
    """A message from a kernel's manager.

    Raises:
        ProtocolError: It is not one, or is over `MAX_MESSAGE`.
    """
    message: ClientMessage = _checked(_client, text)
    return message


def decode_gateway(text: str | bytes) -> GatewayMessage:
    """A message from a gateway.

    Raises:
        ProtocolError: It is not one, or is over `MAX_MESSAGE`.
    """
    message: GatewayMessage = _checked(_gateway, text)
    return message


def _checked(decoder: msgspec.json.Decoder[Any], text: str | bytes) -> Any:
    if len(text) > MAX_MESSAGE:
        raise ProtocolError(f"a control message of {len(text)} bytes; at most {MAX_MESSAGE} are allowed")
    try:
        return decoder.decode(text)
    except (msgspec.MsgspecError, UnicodeError) as error:
        raise ProtocolError("a control message cannot be decoded", said=str(error)) from error
