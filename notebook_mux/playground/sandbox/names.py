"""DNS for a sandbox: one question, one answer (RFC 1035, section 4). Sans-IO."""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Callable

A, ANY = 1, 255
INTERNET = 1
TTL_S = 5
"""As the cluster's own (kubernetes/dns, the default of the plugin ``kubernetes``)."""

ANSWERED, UNKNOWN, UNCLEAR = 0, 3, 1
"""NOERROR, NXDOMAIN, FORMERR."""

HEADER = struct.Struct("!HHHHHH")
RESPONSE = 0x8580
"""A response, with authority, recursion wanted and to be had."""

MAX_ADDRESSES = 24
"""Of one answer: they fit into a datagram (RFC 1035, section 2.3.4)."""


def answer(datagram: bytes, addresses: Callable[[str], list[str]]) -> bytes | None:
    """The answer to a datagram; None where there is none to be given.

    Args:
        datagram: The question.
        addresses: Of a full name; raises LookupError for one that is not there.
    """
    if len(datagram) < HEADER.size:
        return None
    number, flags, questions, *_ = HEADER.unpack_from(datagram)
    if flags & 0x8000:
        return None  # an answer itself
    try:
        if questions != 1:
            raise ValueError(questions)
        name, end = _name(datagram)
        kind, network = struct.unpack_from("!HH", datagram, end)
    except (ValueError, IndexError, struct.error):
        return HEADER.pack(number, RESPONSE | UNCLEAR, 0, 0, 0, 0)
    question = datagram[HEADER.size : end + 4]
    try:
        found = [one for one in addresses(f"{name}.") if _is_ipv4(one)][:MAX_ADDRESSES]
    except LookupError:
        return HEADER.pack(number, RESPONSE | UNKNOWN, 1, 0, 0, 0) + question
    if network != INTERNET or kind not in (A, ANY):
        found = []
    records = b"".join(
        struct.pack("!HHHIH4s", 0xC000 | HEADER.size, A, INTERNET, TTL_S, 4, ipaddress.IPv4Address(one).packed)
        for one in found
    )
    return HEADER.pack(number, RESPONSE | ANSWERED, 1, len(found), 0, 0) + question + records


def _name(datagram: bytes) -> tuple[str, int]:
    """The name of a question, and where it ends.

    Raises:
        ValueError: It is none.
        IndexError: It goes on behind the end.
    """
    parts, at = [], HEADER.size
    while length := datagram[at]:
        if length > 63 or at - HEADER.size > 255:
            raise ValueError(length)
        label = datagram[at + 1 : at + 1 + length]
        if len(label) < length:
            raise IndexError(at)
        parts.append(label.decode("ascii"))
        at += 1 + length
    return ".".join(parts), at + 1


def _is_ipv4(text: str) -> bool:
    try:
        ipaddress.IPv4Address(text)
    except ValueError:
        return False
    return True
