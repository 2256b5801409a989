"""Messages between the playground and a sandbox: one JSON object each, with files beside it (unix(7), SCM_RIGHTS).

A message is one packet of a ``SOCK_SEQPACKET``; what is longer than `INLINE` goes in a file of its own, in memory.
"""

from __future__ import annotations

import json
import os
import socket
import stat
from typing import Any

Json = dict[str, Any]

INLINE = 16 * 1024
"""Bytes of a packet."""

MAX_FILES = 250
"""Files beside a message (SCM_MAX_FD is 253)."""

BODY_LIMIT = 64 * 1024 * 1024
"""Bytes of a message's body, at most."""


class BadMessage(Exception):
    """What came is no message."""


def send(to: socket.socket, message: Json, files: list[int] | None = None, body: bytes | None = None) -> None:
    """Send a message.

    Args:
        to: Where.
        message: What can be JSON.
        files: Descriptors that go with it; they stay the sender's.
        body: Bytes beside it.

    Raises:
        OSError: The other end has gone, or has no room.
    """
    text = json.dumps(message).encode()
    bodies = [in_memory(text)] if len(text) > INLINE else []
    head = b"+" if bodies else b" " + text
    if body is not None:
        bodies.append(in_memory(body))
        head = b"b" + head
    try:
        socket.send_fds(to, [head], bodies + (files or []))
    finally:
        for file in bodies:
            os.close(file)


def receive(of: socket.socket) -> tuple[Json, list[int], bytes] | None:
    """The next message, the files beside it, and its body; None at the end.

    Raises:
        BadMessage: It is none.
        OSError: As recvmsg(2).
    """
    head, files, _, _ = socket.recv_fds(of, INLINE + 64, MAX_FILES, socket.MSG_CMSG_CLOEXEC)
    try:
        if not head:
            return None
        has_body = head[:1] == b"b"
        head = head[has_body:]
        text = taken(files.pop(0)) if head == b"+" else head[1:]
        body = taken(files.pop(0)) if has_body else b""
        message = json.loads(text)
        if not isinstance(message, dict):
            raise BadMessage("no object")
        return message, files, body
    except (ValueError, IndexError, RecursionError) as fault:
        for file in files:
            os.close(file)
        raise BadMessage(str(fault)) from None


def in_memory(data: bytes) -> int:
    """A file with these bytes, in memory; the caller closes it."""
    file = os.memfd_create("m", os.MFD_CLOEXEC)
    at = 0
    while at < len(data):
        at += os.pwrite(file, data[at:], at)
    return file


def taken(file: int) -> bytes:
    """All of a file that somebody sent, which is closed then.

    Raises:
        BadMessage: It is no plain file, or too long.
    """
    try:
        found = os.fstat(file)
        if not stat.S_ISREG(found.st_mode) or found.st_size > BODY_LIMIT:
            raise BadMessage("no plain file, or too long")
        data = bytearray()
        while len(data) < found.st_size and (piece := os.pread(file, found.st_size - len(data), len(data))):
            data += piece
        return bytes(data)
    finally:
        os.close(file)
