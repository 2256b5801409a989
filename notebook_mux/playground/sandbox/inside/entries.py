"""Files as they go between the playground and a sandbox: packed, unpacked into a folder, and what of them has changed.

Paths are relative, their parts plain names. Unpacking happens inside, where the root is the sandbox's: whatever links
are there lead nowhere else.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator
from dataclasses import asdict, dataclass

FILE, FOLDER, LINK, GONE = "f", "d", "l", "-"
KINDS = frozenset({FILE, FOLDER, LINK, GONE})
MAX_FILE = 4 * 1024 * 1024
"""Bytes of a file that the playground keeps (shell.inodes: FILE_LIMIT)."""

MAX_ALL = 16 * 1024 * 1024
"""Bytes of all files that are told of at once."""

MAX_ENTRIES = 20_000


@dataclass(frozen=True, slots=True)
class Entry:
    """A file, a folder, a link, or that one of them has gone.

    Args:
        path: Relative: ``etc/hosts``.
        kind: One of `KINDS`.
        mode: The permissions.
        mtime: Unix seconds.
        data: The content of a file; the target of a link.
    """

    path: str
    kind: str
    mode: int = 0o644
    mtime: float = 0.0
    data: bytes = b""


class BadEntries(ValueError):
    """Bytes that are no entries."""


def pack(entries: list[Entry]) -> bytes:
    """Entries as bytes."""
    out = bytearray()
    for one in entries:
        fields = asdict(one)
        data = fields.pop("data")
        head = json.dumps({**fields, "size": len(data)}).encode()
        out += len(head).to_bytes(4, "big") + head + data
    return bytes(out)


def unpack(packed: bytes) -> Iterator[Entry]:
    """Entries of bytes.

    Raises:
        BadEntries: They are none.
    """
    at = count = 0
    while at < len(packed):
        length = int.from_bytes(packed[at : at + 4], "big")
        try:
            head = json.loads(packed[at + 4 : at + 4 + length])
            path, kind, size = str(head["path"]), str(head["kind"]), int(head["size"])
            mode, mtime = int(head["mode"]) & 0o7777, float(head["mtime"])
        except (ValueError, KeyError, TypeError, RecursionError, OverflowError) as fault:
            raise BadEntries(str(fault)) from None
        at += 4 + length
        count += 1
        parts = path.split("/")
        if kind not in KINDS or not 0 <= size <= len(packed) - at or count > MAX_ENTRIES or "\0" in path:
            raise BadEntries(f"{path!r}: no entry")
        if any(part in ("", ".", "..") for part in parts):
            raise BadEntries(f"{path!r}: no plain path")
        yield Entry(path, kind, mode, mtime, packed[at : at + size])
        at += size


def write(entry: Entry) -> None:
    """Make an entry below the working folder; one of a program of the machine, which is mounted, stays.

    Raises:
        OSError: It cannot be made.
    """
    path = entry.path
    if entry.kind == GONE:
        _remove(path)
        return
    if above := os.path.dirname(path):
        os.makedirs(above, exist_ok=True)
    if entry.kind == FOLDER:
        if os.path.islink(path) or not os.path.isdir(path):
            _remove(path)
            os.mkdir(path)
        os.chmod(path, entry.mode)
        return
    if entry.kind == LINK:
        if os.path.isdir(path) and not os.path.islink(path):
            return  # the machine's libraries are there already
        _remove(path)
        os.symlink(entry.data, path.encode())
        return
    fresh = f"{path}.fresh"
    file = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        at = 0
        while at < len(entry.data):
            at += os.write(file, entry.data[at:])
        os.fchmod(file, entry.mode)
        os.utime(file, (entry.mtime, entry.mtime))
    finally:
        os.close(file)
    try:
        os.rename(fresh, path)
    except OSError:
        os.unlink(fresh)
        raise


def _remove(path: str) -> None:
    if os.path.isdir(path) and not os.path.islink(path):
        for name in os.listdir(path):
            _remove(f"{path}/{name}")
        os.rmdir(path)
    elif os.path.lexists(path):
        os.unlink(path)


Seen = dict[str, tuple[int, int, int, int]]
"""By path: kind and mode, size, time of change, number."""


def seen(top: str, skipped: frozenset[str] = frozenset()) -> Seen:
    """What is below a folder, on its own file system only.

    Args:
        top: The folder, without a slash at its end; empty for the root.
        skipped: Paths that are not looked at.
    """
    found: Seen = {}
    device = os.lstat(top or "/").st_dev
    todo = [""]
    while todo and len(found) < MAX_ENTRIES:
        below = todo.pop()
        try:
            listed = list(os.scandir(f"{top}/{below}" if below else top or "/"))
        except OSError:
            continue
        for one in listed:
            path = f"{below}/{one.name}" if below else one.name
            try:
                status = one.stat(follow_symlinks=False)
            except OSError:
                continue
            if status.st_dev != device or path in skipped:
                continue
            if not (stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode) or stat.S_ISLNK(status.st_mode)):
                continue
            is_folder = stat.S_ISDIR(status.st_mode)
            size = 0 if is_folder else status.st_size
            found[path] = (status.st_mode, size, 0 if is_folder else status.st_mtime_ns, status.st_ino)
            if is_folder:
                todo.append(path)
    return found


def changes(top: str, before: Seen, now: Seen) -> list[Entry]:
    """What has changed between two looks; a file that is too long is left out, as are those beyond `MAX_ALL`."""
    out = [Entry(path, GONE) for path in sorted(before.keys() - now.keys(), reverse=True)]
    left = MAX_ALL
    for path in sorted(now):
        mode, size, mtime, _ = now[path]
        if before.get(path) == now[path]:
            continue
        kind = FOLDER if stat.S_ISDIR(mode) else LINK if stat.S_ISLNK(mode) else FILE
        data = b""
        try:
            if kind == LINK:
                data = os.readlink(f"{top}/{path}".encode())
            elif kind == FILE:
                if size > min(left, MAX_FILE):
                    continue
                data = _read(f"{top}/{path}")
        except OSError:
            continue
        left -= len(data)
        out.append(Entry(path, kind, stat.S_IMODE(mode), mtime / 1e9, data))
    return out


def _read(path: str) -> bytes:
    file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(file, "rb") as opened:
        return opened.read(MAX_FILE)
