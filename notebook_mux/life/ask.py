"""One question over HTTP to a service on this machine, which may turn out to be anything else.

Written on the bare socket, for two reasons: neither a proxy of the environment nor a redirect may get the question,
and an answer that comes a byte at a time, or without end, must not hold its asker.
"""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Mapping
from typing import Any

from notebook_mux.life import proof
from notebook_mux.life.runtime import Entry

__all__ = ["BadAnswer", "get", "proves"]

HOST = "127.0.0.1"
ANSWER_LIMIT = 4 * 1024 * 1024
"""Bytes; the status of a thousand streams has some hundred KiB."""

PROOF_LIMIT = 16 * 1024
PROOF_TIMEOUT_S = 3.0
"""A service answers within milliseconds unless the machine is busy; a process that only accepts never does."""


class BadAnswer(OSError):
    """Whoever answered speaks no HTTP, or too much of it."""


def get(
    port: int, path: str, *, headers: Mapping[str, str] | None = None, timeout: float = 5.0, limit: int = ANSWER_LIMIT
) -> tuple[int, bytes]:
    """Ask the process that listens on a port of the loopback interface.

    Args:
        port: The port.
        path: Path and query.
        headers: Further header fields.
        timeout: Seconds for the whole of it.
        limit: Bytes of the whole answer.

    Returns:
        Status code and body.

    Raises:
        OSError: Nobody listens, or no whole answer within time and limit (`BadAnswer`, `TimeoutError`).
    """
    deadline = time.monotonic() + timeout
    fields = {"Host": f"{HOST}:{port}", "Connection": "close", "Accept": "application/json", **(headers or {})}
    lines = [f"GET {path} HTTP/1.1", *(f"{key}: {value}" for key, value in fields.items()), "", ""]
    with socket.create_connection((HOST, port), timeout=timeout) as connection:
        connection.sendall("\r\n".join(lines).encode("latin-1"))
        answer = bytearray()
        while (length := _whole_length(answer)) is None or len(answer) < length:
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                raise TimeoutError("no whole answer in time")
            connection.settimeout(remaining)
            part = connection.recv(65536)
            if not part:
                break
            answer += part
            if len(answer) > limit:
                raise BadAnswer(f"an answer of more than {limit} bytes")
    return _parsed(bytes(answer))


def _head(answer: bytes | bytearray) -> tuple[list[str], int] | None:
    end = answer.find(b"\r\n\r\n")
    return None if end < 0 else (answer[:end].decode("latin-1").split("\r\n"), end + 4)


def _field(lines: list[str], name: str) -> str:
    for line in lines[1:]:
        key, _, value = line.partition(":")
        if key.strip().lower() == name:
            return value.strip()
    return ""


def _whole_length(answer: bytearray) -> int | None:
    """Bytes of the whole answer; None while that is not known, or if only its end will tell."""
    head = _head(answer)
    if head is None:
        return None
    length = _field(head[0], "content-length")
    return head[1] + int(length) if length.isascii() and length.isdigit() else None


def _parsed(answer: bytes) -> tuple[int, bytes]:
    head = _head(answer)
    if head is None:
        raise BadAnswer("no HTTP answer")
    lines, start = head
    version, _, rest = lines[0].partition(" ")
    status = rest[:3]
    if not version.startswith("HTTP/1.") or not (len(status) == 3 and status.isascii() and status.isdigit()):
        raise BadAnswer("no HTTP answer")
    if _field(lines, "transfer-encoding"):
        raise BadAnswer("an answer in chunks")  # no service of ours does
    length = _field(lines, "content-length")
    if length and len(answer) - start != int(length if length.isascii() and length.isdigit() else -1):
        raise BadAnswer("an answer that was cut short")
    return int(status), answer[start:]


def proves(entry: Entry, timeout: float = PROOF_TIMEOUT_S) -> bool:
    """Whether the process on the port of a runtime file is the one that wrote it; never raises.

    Args:
        entry: The runtime file.
        timeout: Seconds to wait for the answer.
    """
    nonce = proof.nonce()
    try:
        status, body = get(entry.port, f"{proof.PATH}?nonce={nonce}", timeout=timeout, limit=PROOF_LIMIT)
        reply: Any = json.loads(body) if status == 200 else None
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(reply, dict) and proof.verify(
        reply, entry.token, nonce, instance=entry.instance, port=entry.port, version=entry.version
    )
