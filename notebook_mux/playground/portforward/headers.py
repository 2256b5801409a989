"""SPDY/3.1 header blocks: name and value pairs, compressed with one zlib stream for each direction of a connection.

Draft "SPDY Protocol - Draft 3.1", section 2.6.10, "Name/Value Header Block". The dictionary is the protocol's own
(section 2.6.10.1); both sides have to have it byte for byte, and its checksum stands in the zlib header.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator

Headers = dict[str, str]
"""By lower-case name. Several values of one name stand in one text, with NUL between them."""

WORDS = (
    *("options", "head", "post", "put", "delete", "trace"),
    *("accept", "accept-charset", "accept-encoding", "accept-language", "accept-ranges", "age", "allow"),
    *("authorization", "cache-control", "connection", "content-base", "content-encoding", "content-language"),
    *("content-length", "content-location", "content-md5", "content-range", "content-type", "date", "etag", "expect"),
    *("expires", "from", "host", "if-match", "if-modified-since", "if-none-match", "if-range", "if-unmodified-since"),
    *("last-modified", "location", "max-forwards", "pragma", "proxy-authenticate", "proxy-authorization", "range"),
    *("referer", "retry-after", "server", "te", "trailer", "transfer-encoding", "upgrade", "user-agent", "vary", "via"),
    *("warning", "www-authenticate", "method", "get", "status", "200 OK", "version", "HTTP/1.1", "url", "public"),
    *("set-cookie", "keep-alive", "origin"),
)
"""Words of the dictionary that have their length before them."""

CODES = (
    *("100", "101", "201", "202", "205", "206", "300", "302", "303", "304", "305", "306", "307"),
    *("402", "405", "406", "407", "408", "409", "410", "411", "412", "413", "414", "415", "416", "417"),
    *("502", "504", "505"),
    *("203 Non-Authoritative Information", "204 No Content", "301 Moved Permanently", "400 Bad Request"),
    *("401 Unauthorized", "403 Forbidden", "404 Not Found", "500 Internal Server Error", "501 Not Implemented"),
    "503 Service Unavailable",
)
VALUES = (
    "Jan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMT",
    "chunked,text/html,image/png,image/jpg,image/gif,application/xml,application/xhtml+xml,text/plain,",
    "text/javascript,publicprivatemax-age=gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0.",
)
"""What stands in it without a length."""

COUNT = 4
"""Bytes of a count, of a length."""

MAX_BLOCK = 64 * 1024
"""Bytes of an uncompressed block; a port-forward's has a hundred."""


class BadHeaders(ValueError):
    """A header block that is none."""


def _counted(text: bytes) -> bytes:
    return len(text).to_bytes(COUNT, "big") + text


DICTIONARY = b"".join(_counted(word.encode()) for word in WORDS) + "".join((*CODES, *VALUES)).encode()


class Compressor:
    """Makes the header blocks of one direction."""

    def __init__(self) -> None:
        self._zlib = zlib.compressobj(zdict=DICTIONARY)

    def block(self, headers: Headers) -> bytes:
        """A compressed block."""
        plain = [len(headers).to_bytes(COUNT, "big")]
        for name, value in headers.items():
            plain += [_counted(name.lower().encode()), _counted(value.encode())]
        return self._zlib.compress(b"".join(plain)) + self._zlib.flush(zlib.Z_SYNC_FLUSH)


class Decompressor:
    """Reads the header blocks of one direction; each has to be read, or the next cannot be."""

    def __init__(self) -> None:
        self._zlib = zlib.decompressobj(zdict=DICTIONARY)

    def headers(self, block: bytes) -> Headers:
        """What a block says.

        Raises:
            BadHeaders: It cannot be read, or is too large.
        """
        try:
            plain = self._zlib.decompress(block, MAX_BLOCK)
        except zlib.error as error:
            raise BadHeaders(str(error)) from error
        if self._zlib.unconsumed_tail:
            raise BadHeaders(f"headers of more than {MAX_BLOCK} bytes")
        return dict(_pairs(iter(_texts(plain))))


def _texts(plain: bytes) -> Iterable[str]:
    """The block's names and values in turn."""
    count, at = int.from_bytes(plain[:COUNT], "big"), COUNT
    for _ in range(2 * count):
        begin = at + COUNT
        at = begin + int.from_bytes(plain[at:begin], "big")
        if at > len(plain) or begin > len(plain):
            raise BadHeaders("a text that is longer than its block")
        yield plain[begin:at].decode("latin-1")
    if at != len(plain):
        raise BadHeaders("a block that is longer than its texts")


def _pairs(texts: Iterator[str]) -> Iterator[tuple[str, str]]:
    for name in texts:
        yield name.lower(), next(texts)
