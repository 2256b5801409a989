"""Control messages of notebook-mux.v1: text frames, one JSON object each, told apart by ``type``.

`decode_client` and `decode_gateway` validate what the other side sent; unknown fields are ignored, so that a later
version may add some.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from notebook_mux.errors import ProtocolError
from notebook_mux.wire import UNREADABLE
from notebook_mux.wire.kubeconfigs import NamedCluster
from notebook_mux.wire.sources import Source as Source  # noqa: PLC0414 - one of this module's names

SUBPROTOCOL = "notebook-mux.v1"
PATH = "/notebook-mux"
"""The path of the WebSocket behind the gateway's base URL."""

MAX_MESSAGE = 4 * 1024 * 1024
"""Bytes of one control message; the largest honest ones carry a body that is written: an API server takes 3 MiB."""

LARGE_ANSWER = 256 * 1024
"""Bytes of an answer's value above which it goes as a body, in frames between those of the streams."""


class Message(msgspec.Struct, tag_field="type", tag=str.lower, kw_only=True, omit_defaults=True):
    """The base of all control messages; the tag is the class name in lower case."""


# --- from the kernel's manager to the gateway ---------------------------------------------------------------------


class Hello(Message):
    """The first message on a socket. `kernel` is the connection file's name, which survives a kernel's restart."""

    package: str
    kernel: str = ""
    user: str = ""


class Contexts(Message):
    """Resolve contexts. `names`: None is the current one, ``["*"]`` all.

    Answer: a list of `Context`; where that is over `LARGE_ANSWER` bytes (1,000 contexts and more), as a body of JSON.
    """

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
    notes: list[str] = []
    """What the user should know of it, to be said once: sentences without a full stop."""


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


class Exec(Message):
    """Start a program in a container, or join it again, on the stream id `stream`.

    Attributes:
        program: Random, chosen by the client: the same one is never started twice by one gateway.
        attempt: 1 at first, and higher each time it is joined again; the highest has the program.
        instance: The gateway's that was asked first; "" at the first attempt.
        path: An exec or attach of a pod.
        stdin: Whether input will be sent.
        credit: Bytes that may be sent on the stream to begin with.
        received: Payload bytes of this program's frames that the client has had.
        timeout: Seconds from the start; 0 is no limit.
    """

    stream: int
    program: str
    cluster: str
    path: str
    query: str = ""
    attempt: int = 1
    instance: str = ""
    scope: str = ""
    stdin: bool = False
    credit: int = 0
    received: int = 0
    timeout: float = 0.0


class Terminal(Message):
    """Find a terminal or start one. Answer: a `terminals.TerminalFound`.

    Attributes:
        key: What the kernel calls it: one key of one kernel (`Hello.kernel`) and cluster is one terminal.
        start: ``find`` starts nothing; ``create`` starts it if it is not there; ``again`` starts the program anew where
            the last one has ended; ``take`` makes one of another kernel of the same notebook this kernel's.
        terminal: For ``again`` and ``take``: which.
        path: An exec or attach of a pod.
        queries: Encoded, tried in turn while the command of one is not there: the shells. One for attach.
        tty: Whether the program gets a terminal, which is asked for in the queries.
        stdin: Whether it gets input, the same.
        title: For lists of what is kept, such as ``bash in web-0``.
        notebook: Its path as the Jupyter server says it.
        delete: The path of a pod that is deleted with the terminal; "" is none.
    """

    id: int
    key: str
    cluster: str
    path: str
    queries: list[str]
    start: Literal["find", "create", "again", "take"] = "create"
    terminal: str = ""
    tty: bool = True
    stdin: bool = True
    scope: str = ""
    title: str = ""
    notebook: str = ""
    delete: str = ""


class Hangup(Message):
    """End a terminal for good: its program, its views, its pod where there is one. Answer: ``{}``."""

    id: int
    terminal: str


class Ticket(Message):
    """Ask for the right to look at a terminal over a WebSocket of a page's own. Answer: a `terminals.TicketGiven`.

    Attributes:
        origin: The page's, such as ``https://hub.example``: the WebSocket must come from there.
    """

    id: int
    terminal: str
    origin: str


class View(Message):
    """Look at a terminal on the stream id `stream`. Answered with `Shown` or `Ended`.

    Attributes:
        view: Random, 16 to 64 characters, and the same when the view comes again: input is numbered for each view.
        columns: The view's size; the smallest of all views is the terminal's. 0: this one has no say.
        rows: The same.
        credit: Bytes that may be sent on the stream to begin with.
        received: The place in the output that the view has come to; -1 for none: all that is kept is shown again.
        output: Whether it wants output; without, only frames of `Channel.ERROR` and `Channel.VIEW` come.
        ticket: On a page's own WebSocket: the right to look.
    """

    stream: int
    terminal: str
    view: str
    columns: int = 0
    rows: int = 0
    credit: int = 0
    received: int = -1
    output: bool = True
    ticket: str = ""


class Size(Message):
    """A view's size has changed; 0 by 0 has no say."""

    stream: int
    columns: int
    rows: int


class Forward(Message):
    """Find a forward of a pod's port or make one, on the stream id `stream`; on a stream that has it, point it anew.

    Its state (`forwards.ForwardState`) comes in frames of `Channel.FORWARD`; `Ended` refuses it, `Unsubscribe` ends it.

    Attributes:
        key: What the kernel calls it: one key of one kernel (`Hello.kernel`) is one forward.
        path: The port-forward of a pod.
        port: The pod's.
        local: The port to listen on, such as that of before; where it is taken, and for 0, any that is free.
        moves: Whether the client looks for another pod when this one has gone; new connections wait for it then.
        credit: Bytes that may be sent on the stream to begin with.
    """

    stream: int
    key: str
    cluster: str
    path: str
    port: int
    local: int = 0
    moves: bool = False
    scope: str = ""
    credit: int = 0


class Log(Message):
    """Read a container's log on the stream id `stream`: one request to the cluster, until the server ends its answer.

    Its bytes come as they are in frames of `Channel.STDOUT`, the first of which is empty and says that the server
    answers; then one of `Channel.END` with a `logs.LogEnd`. `Ended` refuses it, `Unsubscribe` ends it.

    Attributes:
        path: The log of a pod.
        query: Encoded, as the API server takes it.
        credit: Bytes that may be sent on the stream to begin with.
    """

    stream: int
    cluster: str
    path: str
    query: str = ""
    user: str = ""
    credit: int = 0


class Page(Message):
    """Open a forward's pages at a path of the gateway. Answer: a `forwards.PageGiven`."""

    id: int
    key: str


class Kubeconfig(Message):
    """Have clusters served to kubectl, see `kubeconfigs`. Answer: a kubeconfig, as a body of YAML."""

    id: int
    key: str
    contexts: list[NamedCluster] = []
    scope: str = ""


class Credit(Message):
    """`bytes` more may be sent on `stream`; 0 is the connection. From a gateway: bytes of a program's input."""

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
    """The answer to `Hello`. `environment`: whether kubeconfig paths and variables of the client are taken.

    `user`: as whom the gateway knows the client, where it has several users. `unasked`: whether a client that has not
    said whether it wants to write is meant to.
    """

    instance: str
    package: str
    credit: int = 0
    environment: bool = False
    contexts: bool = True
    user: str = ""
    unasked: bool = False


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
    """The state of a stream's upstream. `since`, `retry_at` and `fresh` are Unix seconds; `clock` is the cluster's."""

    stream: int
    state: str
    reason: str = ""
    said: str | None = None
    status: int | None = None
    since: float = 0.0
    retry_at: float | None = None
    synced: bool = False
    todo: str | None = None
    fresh: float | None = None
    clock: tuple[float, float, float] | None = None


class Joined(Message):
    """A program has its stream: `taken` bytes of its input are here, and `credit` more may be sent."""

    stream: int
    taken: int = 0
    credit: int = 0


class Shown(Message):
    """A view has its stream.

    Attributes:
        place: The place in the output of the first byte that comes.
        taken: Bytes of this view's input that have come.
        credit: Bytes of input that may be sent.
        columns: The terminal's size now; 0 where nobody has said one.
        rows: The same.
        kept: Seconds that the terminal is kept when nobody looks.
    """

    stream: int
    place: int
    taken: int = 0
    credit: int = 0
    columns: int = 0
    rows: int = 0
    kept: float = 0.0


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


Request = Contexts | Scope | Probe | Discover | Http | Terminal | Hangup | Ticket | Page | Kubeconfig | Status | Stop
"""What is answered once."""

ClientMessage = Hello | Request | Subscribe | Unsubscribe | Exec | View | Size | Forward | Log | Credit | Retry | Cancel
Opening = Subscribe | Exec | View | Forward | Log
"""What opens a stream."""

GatewayMessage = Welcome | Answer | Head | Failure | State | Joined | Shown | Ended | Goodbye | Credit

StreamMessage = State | Joined | Shown | Ended | Credit
"""What a gateway says of one stream."""

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
    except UNREADABLE as error:
        raise ProtocolError("a control message cannot be decoded", said=str(error)) from error
