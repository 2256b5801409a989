"""Kubernetes' remotecommand channels (exec, attach) as a client speaks them: messages in, output out, and back.

Sans-IO. A message begins with its channel: 0 stdin, 1 stdout, 2 stderr, 3 the Status at the very end, 4 the terminal's
size, 255 (v5) the half close. In the base64 variants messages are text, and the channel is its digit. (KEP-4006;
kubernetes, staging/src/k8s.io/cri-streaming/pkg/streaming/remotecommand.)
"""

from __future__ import annotations

import base64
import binascii
import codecs
from collections.abc import Iterator
from enum import Enum
from typing import Any

import msgspec

from notebook_mux.errors import InvalidArgument, ProtocolError
from notebook_mux.wire.frames import Channel

V5 = "v5.channel.k8s.io"
V4 = "v4.channel.k8s.io"
V4_BASE64 = "v4.base64.channel.k8s.io"
V1 = "channel.k8s.io"
V1_BASE64 = "base64.channel.k8s.io"

OFFERED = (V5, V4, V4_BASE64)
"""What is offered, the best first: the last is for a way that passes text only. At least one always is: where none was
offered an API server answers with an empty one, and speaks the first."""

PROTOCOLS = frozenset({V5, V4, V4_BASE64, V1, V1_BASE64})
"""What is understood. v2 and v3 exist over SPDY only."""

PIECE = 16 * 1024
"""Bytes of stdin in one message. Stdin has no flow control of its own: while the program does not read, everything
behind it waits (a half close, the answer to a ping), so little is put under way at once."""

MAX_STATUS = 1024 * 1024
"""Bytes of a Status; honest ones have a few hundred, and a program's error text at most some KiB."""

MISSING = (
    "executable file not found",
    "no such file or directory",
    "not found in $path",
    "cannot find the file",
)
"""What container runtimes say of a command that is not there, in lower case: runc, the test bed and runc with a path,
crun, Windows' hcsshim."""

MAX_EXIT_CODE = 255
MAX_SIDE = 0xFFFF
"""Columns and rows are 16 bits (TerminalSize)."""


class Ended(Enum):
    """How a program ended."""

    EXITED = "exited"
    """By itself, with an exit code."""
    FAILED = "failed"
    """It could not be started, or the server failed on the way."""


class Outcome(msgspec.Struct, frozen=True):
    """What a Status says.

    Attributes:
        how: Whether there is an exit code.
        code: The exit code, 0 to 255; -1 where there is none.
        message: The server's words; "" at success.
        reason: Its reason, such as ``InternalError``.
    """

    how: Ended
    code: int = -1
    message: str = ""
    reason: str = ""

    @property
    def is_missing(self) -> bool:
        """Whether the command is not there: nothing was started, and another one may be."""
        return self.how is Ended.FAILED and any(words in self.message.lower() for words in MISSING)


class RemoteCommand:
    """One session of a client.

    Args:
        protocol: The sub-protocol that the server chose.
        stdin: Whether stdin was asked for; without it none may be sent.
        tty: Whether a terminal was asked for; without one no size may be sent, or the server reads nothing more.

    Raises:
        ProtocolError: The server chose what is none of `PROTOCOLS`.
    """

    def __init__(self, protocol: str | None, *, stdin: bool = False, tty: bool = False) -> None:
        if protocol not in PROTOCOLS:
            raise ProtocolError(f"the server chose {protocol or 'no sub-protocol'}, which is none of remotecommand's")
        self.protocol = protocol
        self.ready = False
        """Whether the server has said anything: nothing may be sent before."""
        self._stdin = stdin
        self._tty = tty
        self._base64 = "base64" in protocol
        self._status = bytearray()

    @property
    def half_close(self) -> bool:
        """Whether stdin can be ended: before v5 only by closing all, which loses the output."""
        return self.protocol == V5

    def receive(self, message: bytes | str) -> tuple[int, bytes] | None:
        """One whole message: output as (1 or 2, bytes), or None if there is none in it.

        Raises:
            ProtocolError: It is none of a server's.
        """
        channel, payload = self._split(message)
        self.ready = True
        if channel in (Channel.STDOUT, Channel.STDERR):
            return (channel, payload) if payload else None
        if channel != Channel.ERROR:
            raise ProtocolError(f"the server wrote on channel {channel}, which is not its own")
        self._status += payload
        if len(self._status) > MAX_STATUS:
            raise ProtocolError(f"a Status of more than {MAX_STATUS} bytes")
        return None

    @property
    def has_status(self) -> bool:
        """Whether a Status has begun: the program is over, and whoever still writes to it writes to nobody."""
        return bool(self._status)

    def status(self) -> bytes | None:
        """The Status, once all has been received; None where none came, so the outcome is not known.

        The first protocol has none: no word there is success, and what it says is plain text.
        """
        if self.protocol in (V1, V1_BASE64):
            text = self._status.decode(errors="replace")
            made = {"status": "Failure", "message": text, "reason": "InternalError"} if text else {"status": "Success"}
            return msgspec.json.encode(made)
        return bytes(self._status) if self._status else None

    def write(self, data: bytes) -> Iterator[bytes | str]:
        """Stdin as messages, in pieces of `PIECE`.

        Raises:
            InvalidArgument: No stdin was asked for.
        """
        if not self._stdin:
            raise InvalidArgument("a program that was started without stdin takes none")
        for at in range(0, len(data), PIECE):
            yield self._join(Channel.STDIN, data[at : at + PIECE])

    def close_stdin(self) -> bytes | str:
        """The message that ends stdin; the output goes on.

        Raises:
            InvalidArgument: This version has none.
        """
        if not self.half_close:
            raise InvalidArgument(f"{self.protocol} cannot end stdin", todo="Kubernetes 1.30 and later can")
        return self._join(Channel.CLOSE, bytes((Channel.STDIN,)))

    def resize(self, columns: int, rows: int) -> bytes | str:
        """The message with a terminal's size.

        Raises:
            InvalidArgument: There is no terminal, or no such size.
        """
        if not self._tty:
            raise InvalidArgument("a program without a terminal has no size")
        if not (0 < columns <= MAX_SIDE and 0 < rows <= MAX_SIDE):
            raise InvalidArgument(f"a terminal of {columns} by {rows}")
        return self._join(Channel.RESIZE, msgspec.json.encode({"Width": columns, "Height": rows}))

    def _split(self, message: bytes | str) -> tuple[int, bytes]:
        if not message:
            raise ProtocolError("an empty message, without a channel")
        if not self._base64:
            data = message.encode() if isinstance(message, str) else message
            return data[0], data[1:]
        text = message if isinstance(message, str) else message.decode("latin-1")
        try:
            return int(text[0]), base64.b64decode(text[1:], validate=True)
        except (ValueError, binascii.Error) as error:
            raise ProtocolError("a message that is not base64", said=str(error)) from None

    def _join(self, channel: int, payload: bytes) -> bytes | str:
        if self._base64:
            return f"{channel}{base64.b64encode(payload).decode()}"
        return bytes((channel,)) + payload


def outcome(status: bytes) -> Outcome:
    """What a Status says.

    Raises:
        ProtocolError: It is no Status.
    """
    try:
        found: dict[str, Any] = msgspec.json.decode(status, type=dict[str, Any])
    except msgspec.MsgspecError as error:
        raise ProtocolError("the end of a program cannot be read", said=str(error)) from None
    if found.get("status") == "Success":
        return Outcome(Ended.EXITED, 0)
    message, reason = str(found.get("message") or ""), str(found.get("reason") or "")
    if reason == "NonZeroExitCode" and (code := _exit_code(found.get("details"))) is not None:
        return Outcome(Ended.EXITED, code, message, reason)
    return Outcome(Ended.FAILED, -1, message, reason)


def _exit_code(details: Any) -> int | None:
    causes = details.get("causes") if isinstance(details, dict) else None
    for cause in causes if isinstance(causes, list) else ():
        if isinstance(cause, dict) and cause.get("reason") == "ExitCode":
            text = str(cause.get("message"))
            if text.isascii() and text.isdigit() and int(text) <= MAX_EXIT_CODE:
                return int(text)
    return None


class Text:
    """Output as text: UTF-8 decoded across messages; what is none becomes U+FFFD."""

    def __init__(self) -> None:
        self._decode = codecs.getincrementaldecoder("utf-8")(errors="replace").decode

    def feed(self, data: bytes, *, last: bool = False) -> str:
        """The text of the next bytes; a character that is cut in two waits for the rest, unless they are the last."""
        return self._decode(data, last)
