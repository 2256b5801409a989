"""A Redis that forgets everything when its container ends: RESP2, the commands of a first lesson. Sans-IO.

(Redis serialization protocol specification, version 2.) It keeps texts in memory, with times to live; lists, hashes and
the rest are refused as commands that are not known.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Sequence
from weakref import WeakKeyDictionary

from notebook_mux.playground.cluster import Cluster
from notebook_mux.playground.web.place import Place

MAX_COMMAND = 512 * 1024
"""Bytes of a command that has not come whole."""

KEPT = 10_000
"""Keys of a database; more are refused, as by a full one."""

KEPT_BYTES = 8 * 1024 * 1024
"""Bytes of its values."""

DIGITS = 18
"""Of a number."""

Args = Sequence[bytes]


class _Wrong(Exception):
    """An error of RESP."""


class Database:
    """The keys of one server.

    Args:
        now: The time, Unix seconds.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._values: dict[bytes, bytes] = {}
        self._ends: dict[bytes, float] = {}
        self._size = 0
        """Bytes of all values, or more: what has gone is taken off when there is no room."""

    def run(self, args: Args) -> bytes:
        """Run a command; its reply."""
        name = args[0].upper().decode("latin-1")
        command = getattr(self, f"_do_{name.lower()}", None) if name.isalpha() else None
        if command is None:
            return error(f"ERR unknown command '{args[0].decode('latin-1')}', with args beginning with: ")
        try:
            reply: bytes = command(list(args[1:]))
        except (IndexError, ValueError, TypeError):
            return error(f"ERR wrong number of arguments for '{name.lower()}' command")
        except _Wrong as wrong:
            return error(str(wrong))
        return reply

    def get(self, key: bytes) -> bytes | None:
        """A value, unless its time is over."""
        if key in self._ends and self._ends[key] <= self._now():
            del self._ends[key], self._values[key]
        return self._values.get(key)

    def _keep(self, key: bytes, value: bytes) -> None:
        """Set a value, as long as there is room."""
        size = self._size + len(value) - len(self._values.get(key, b""))
        if size > KEPT_BYTES or (key not in self._values and len(self._values) >= KEPT):
            self._size = sum(map(len, self._values.values()))  # some may have gone since
            size = self._size + len(value) - len(self._values.get(key, b""))
            if size > KEPT_BYTES or (key not in self._values and len(self._values) >= KEPT):
                raise _Wrong("OOM command not allowed when used memory > 'maxmemory'.")
        self._size = size
        self._values[key] = value

    def keys(self) -> list[bytes]:
        """All keys whose time is not over."""
        return [key for key in list(self._values) if self.get(key) is not None]

    # ----------------------------------------------------------------------------------------- the commands

    def _do_ping(self, args: Args) -> bytes:
        return bulk(args[0]) if args else b"+PONG\r\n"

    def _do_echo(self, args: Args) -> bytes:
        (said,) = args
        return bulk(said)

    def _do_select(self, args: Args) -> bytes:
        (number,) = args
        if number != b"0":
            raise _Wrong("ERR DB index is out of range")
        return OK

    def _do_client(self, args: Args) -> bytes:
        return OK

    def _do_command(self, args: Args) -> bytes:
        return b"*0\r\n"

    def _do_info(self, args: Args) -> bytes:
        return bulk(f"# Server\r\nredis_mode:standalone\r\nos:notebook_mux playground\r\n\r\n"
                    f"# Keyspace\r\ndb0:keys={len(self.keys())}\r\n".encode())  # fmt: skip

    def _do_dbsize(self, args: Args) -> bytes:
        return number_of(len(self.keys()))

    def _do_set(self, args: Args) -> bytes:
        key, value, *options = args
        words = [one.upper() for one in options]
        there = self.get(key) is not None
        if (b"NX" in words and there) or (b"XX" in words and not there):
            return NIL
        self._keep(key, value)
        if b"KEEPTTL" not in words:
            self._ends.pop(key, None)
        for word, unit in ((b"EX", 1.0), (b"PX", 0.001)):
            if word in words:
                self._ends[key] = self._now() + whole(options[words.index(word) + 1]) * unit
        return OK

    def _do_get(self, args: Args) -> bytes:
        (key,) = args
        found = self.get(key)
        return NIL if found is None else bulk(found)

    def _do_del(self, args: Args) -> bytes:
        found = [key for key in dict.fromkeys(args) if self.get(key) is not None]
        for key in found:
            del self._values[key]
            self._ends.pop(key, None)
        return number_of(len(found))

    def _do_exists(self, args: Args) -> bytes:
        return number_of(sum(self.get(key) is not None for key in args))

    def _do_keys(self, args: Args) -> bytes:
        (pattern,) = args
        wanted = pattern.decode("latin-1")
        return many([key for key in self.keys() if fnmatch.fnmatchcase(key.decode("latin-1"), wanted)])

    def _do_incr(self, args: Args) -> bytes:
        (key,) = args
        value = whole(self.get(key) or b"0") + 1
        self._keep(key, str(value).encode())
        return number_of(value)

    def _do_append(self, args: Args) -> bytes:
        key, more = args
        self._keep(key, (self.get(key) or b"") + more)
        return number_of(len(self._values[key]))

    def _do_expire(self, args: Args) -> bytes:
        key, seconds = args[0], whole(args[1])
        if self.get(key) is None:
            return number_of(0)
        self._ends[key] = self._now() + seconds
        return number_of(1)

    def _do_ttl(self, args: Args) -> bytes:
        (key,) = args
        if self.get(key) is None:
            return number_of(-2)
        return number_of(round(self._ends[key] - self._now()) if key in self._ends else -1)

    def _do_flushall(self, args: Args) -> bytes:
        self._values.clear()
        self._ends.clear()
        return OK


OK = b"+OK\r\n"
NIL = b"$-1\r\n"


def bulk(text: bytes) -> bytes:
    """A text as a reply."""
    return b"$%d\r\n%s\r\n" % (len(text), text)


def many(texts: Sequence[bytes]) -> bytes:
    """Texts as a reply."""
    return b"*%d\r\n" % len(texts) + b"".join(map(bulk, texts))


def number_of(number: int) -> bytes:
    """A number as a reply."""
    return b":%d\r\n" % number


def error(words: str) -> bytes:
    """An error as a reply."""
    return f"-{words.replace(chr(13), ' ').replace(chr(10), ' ')}\r\n".encode()


def whole(text: bytes) -> int:
    """A number of a command's."""
    if not text.removeprefix(b"-").isdigit() or len(text) > DIGITS:
        raise _Wrong("ERR value is not an integer or out of range")
    return int(text)


class Connection:
    """A client's connection: commands as arrays of texts, or as lines of words.

    Args:
        database: What they work on.

    Attributes:
        over: Whether the server has closed it.
    """

    def __init__(self, database: Database) -> None:
        self.over = False
        self._database = database
        self._buffer = bytearray()

    def receive(self, data: bytes) -> bytes:
        """Bytes of the client's, cut anywhere; the replies."""
        out = bytearray()
        self._buffer += data
        while not self.over:
            try:
                args = self._next()
            except _Wrong as wrong:
                self.over = True
                return bytes(out + error(str(wrong)))
            if args is None:
                break
            if args and args[0].upper() == b"QUIT":
                self.over = True
                out += OK
            elif args:
                out += self._database.run(args)
        return bytes(out)

    def end(self) -> bytes:
        """The client sends no more."""
        self.over = True
        return b""

    def _next(self) -> Args | None:
        if len(self._buffer) > MAX_COMMAND:
            raise _Wrong("ERR Protocol error: too big inline request")
        at = self._buffer.find(b"\n")
        if at < 0:
            return None
        line = bytes(self._buffer[:at]).removesuffix(b"\r")
        if not line.startswith(b"*"):
            del self._buffer[: at + 1]
            return line.split()
        args, at = list[bytes](), at + 1
        for _ in range(_length(line, b"*")):
            end = self._buffer.find(b"\n", at)
            if end < 0:
                return None
            size = _length(bytes(self._buffer[at:end]).removesuffix(b"\r"), b"$")
            at = end + 1 + size + 2
            if len(self._buffer) < at:
                return None
            args.append(bytes(self._buffer[end + 1 : end + 1 + size]))
        del self._buffer[:at]
        return args


def _length(line: bytes, mark: bytes) -> int:
    if not line.startswith(mark) or not line[1:].isdigit():
        raise _Wrong(f"ERR Protocol error: expected '{mark.decode()}'")
    return int(line[1:])


_databases: WeakKeyDictionary[Cluster, dict[tuple[str, str, int], Database]] = WeakKeyDictionary()


class Redis:
    """The server of a container.

    Args:
        place: Where it runs.
    """

    ports = (6379,)

    def __init__(self, place: Place) -> None:
        self.place = place

    def listens(self) -> set[int]:
        """The port it is told, else its usual one."""
        told = self.place.option("--port") or ""
        return {int(told)} if told.isascii() and told.isdigit() else set(self.ports)

    def connect(self, port: int, client: tuple[str, int]) -> Connection:
        """A client's connection."""
        key = (self.place.pod["metadata"]["uid"], self.place.container["name"], self.place.number)
        known = _databases.setdefault(self.place.cluster, {})
        # An older life of the container has taken its keys with it.
        for other in [one for one in known if one[:2] == key[:2] and one != key]:
            del known[other]
        if key not in known:
            known[key] = Database(self.place.cluster.agenda.now)
        return Connection(known[key])
