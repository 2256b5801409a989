"""The server's end of an HTTP/1.1 connection (RFC 9112). Sans-IO: bytes in, bytes out.

Strict where leniency has been used to smuggle requests: no folded fields, no blanks before a colon, one length.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from notebook_mux.playground.web.messages import WITHOUT_BODY, Field, Request, Response, phrase

MAX_HEAD = 32 * 1024
"""Bytes of a request line and its fields; servers allow 8 KiB (Apache, a line) to 32 KiB (nginx, four of 8 KiB)."""

MAX_BODY = 1024 * 1024
"""Bytes of a request's body: nginx' own limit (client_max_body_size)."""

LINE = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+) ([\x21-\x7e\x80-\xff]+) HTTP/(\d)\.(\d)")
NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
SIZE = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(;[^\r\n]*)?")
END = b"\r\n\r\n"

Answer = Callable[[Request], Response]
Refuse = Callable[[int], Response]


class _Bad(Exception):
    """A request that cannot be read; its status."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class Connection:
    """One connection of a client.

    Args:
        answer: A request's response.
        refuse: The response to what is no request, by its status.
        client: The client's address and port.

    Attributes:
        over: Whether the server has closed it, behind what was returned last.
    """

    def __init__(self, answer: Answer, refuse: Refuse, client: tuple[str, int] = ("127.0.0.1", 40000)) -> None:
        self.over = False
        self._answer = answer
        self._refuse = refuse
        self._client = client
        self._buffer = bytearray()
        self._head: Request | None = None
        self._length: int | None = 0
        """Of the body of `_head`; None if it comes in chunks."""
        self._body = bytearray()
        self._continued = False

    def receive(self, data: bytes) -> bytes:
        """Bytes of the client's, cut anywhere; the server's."""
        out = bytearray()
        if self.over:
            return b""
        self._buffer += data
        try:
            while not self.over and (request := self._next(out)) is not None:
                out += self._respond(request)
        except _Bad as bad:
            self.over = True
            out += encode(self._refuse(bad.status), Request(), keep=False)
        return bytes(out)

    def end(self) -> bytes:
        """The client sends no more; what has come whole has been answered."""
        self.over = True
        return b""

    def _respond(self, request: Request) -> bytes:
        wanted = [one.strip().lower() for one in request.header("Connection").split(",")]
        keep = "keep-alive" in wanted if request.version == "HTTP/1.0" else "close" not in wanted
        response = self._answer(request)
        keep = keep and response.header("Connection").lower() != "close"
        self.over = not keep
        return encode(response, request, keep=keep)

    # --------------------------------------------------------------------------------------------- reading

    def _next(self, out: bytearray) -> Request | None:
        """The next whole request; None while more has to come."""
        if self._head is None:
            while self._buffer[:2] == b"\r\n":  # some clients send one behind a body (RFC 9112, 2.2)
                del self._buffer[:2]
            at = self._buffer.find(END)
            if at < 0:
                if len(self._buffer) > MAX_HEAD:
                    raise _Bad(431)
                if b"\n" in self._buffer:  # what is no request at all need not be waited for
                    _first_line(bytes(self._buffer).split(b"\n", 1)[0].removesuffix(b"\r"))
                return None
            if at > MAX_HEAD:
                raise _Bad(431)
            lines = bytes(self._buffer[:at])
            del self._buffer[: at + len(END)]
            self._begin(lines)
        whole = self._chunks() if self._length is None else self._counted(self._length)
        head = self._head
        if not whole or head is None:
            if head is not None and not self._continued and head.header("Expect").lower() == "100-continue":
                self._continued = True
                out += b"HTTP/1.1 100 Continue\r\n\r\n"
            return None
        body, self._head, self._body, self._continued = bytes(self._body), None, bytearray(), False
        return Request(head.method, head.target, head.headers, body, head.version, *self._client)

    def _begin(self, lines: bytes) -> None:
        first, *rest = lines.split(b"\r\n")
        method, target, version = _first_line(first)
        headers = tuple(_field(line.decode("latin-1")) for line in rest)
        request = Request(method, target, headers, b"", version, *self._client)
        hosts = [value for name, value in headers if name.lower() == "host"]
        if len(hosts) > 1 or (version == "HTTP/1.1" and not hosts):
            raise _Bad(400)
        lengths = {value for name, value in headers if name.lower() == "content-length"}
        encoding = request.header("Transfer-Encoding").lower()
        if encoding:
            if lengths or version == "HTTP/1.0":
                raise _Bad(400)
            if encoding != "chunked":
                raise _Bad(501)
            self._length = None
        else:
            if len(lengths) > 1 or not all(one.isascii() and one.isdigit() for one in lengths):
                raise _Bad(400)
            self._length = int(next(iter(lengths), "0"))
            if self._length > MAX_BODY:
                raise _Bad(413)
        self._head = request

    def _counted(self, length: int) -> bool:
        if len(self._buffer) < length:
            return False
        self._body += self._buffer[:length]
        del self._buffer[:length]
        return True

    def _chunks(self) -> bool:
        """Take chunks; whether the last one has come, and the fields behind it."""
        while True:
            at = self._buffer.find(b"\r\n")
            if at < 0:
                if len(self._buffer) > MAX_HEAD:
                    raise _Bad(400)
                return False
            size = SIZE.fullmatch(bytes(self._buffer[:at]))
            if size is None:
                raise _Bad(400)
            length = int(size[1], 16)
            if len(self._body) + length > MAX_BODY:
                raise _Bad(413)
            if length == 0:
                end = self._buffer.find(END, at)
                if self._buffer[at : at + 4] != END and end < 0:
                    if len(self._buffer) > MAX_HEAD:
                        raise _Bad(431)
                    return False
                del self._buffer[: (at if self._buffer[at : at + 4] == END else end) + len(END)]
                return True
            begin, stop = at + 2, at + 2 + length
            if len(self._buffer) < stop + 2:
                return False
            if self._buffer[stop : stop + 2] != b"\r\n":
                raise _Bad(400)
            self._body += self._buffer[begin:stop]
            del self._buffer[: stop + 2]


def _first_line(line: bytes) -> tuple[str, str, str]:
    match = LINE.fullmatch(line.decode("latin-1"))
    if match is None:
        raise _Bad(400)
    if match[3] != "1":
        raise _Bad(505)
    return match[1], match[2], "HTTP/1.0" if match[4] == "0" else "HTTP/1.1"


def _field(line: str) -> Field:
    name, colon, value = line.partition(":")
    if not colon or not NAME.fullmatch(name) or not VALUE.fullmatch(value):
        raise _Bad(400)
    return name, value.strip(" \t")


def encode(response: Response, request: Request, *, keep: bool) -> bytes:
    """A response's bytes.

    Args:
        response: With all its fields but those of the connection.
        request: What it answers.
        keep: Whether the connection goes on.
    """
    lines = [f"HTTP/1.1 {response.status} {phrase(response.status)}"]
    # Each on one line, whatever a config map has been put into it.
    lines += [f"{name}: {value}".translate(LINE_ENDS) for name, value in response.fields() if name != "Connection"]
    if response.status not in WITHOUT_BODY:
        lines.append(f"Content-Length: {len(response.body)}")
    lines.append(f"Connection: {'keep-alive' if keep else 'close'}")
    head = ("\r\n".join(lines)).encode("latin-1", "replace") + END
    return head if request.method == "HEAD" or response.status in WITHOUT_BODY else head + response.body


LINE_ENDS = {ord("\r"): " ", ord("\n"): " "}
