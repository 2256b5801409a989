"""Small private files: written whole or not at all, read only if they can be nobody else's."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
import sys
import time
from pathlib import Path

__all__ = ["NotPrivate", "create_private", "read_private", "remove", "write_private"]

READ_LIMIT = 64 * 1024
"""Bytes; a runtime file has about one KiB."""

RENAME_TRIES = 10
RENAME_WAIT_S = 0.05
"""On Windows a file that a scanner or reader has open cannot be replaced for a moment."""


class NotPrivate(OSError):
    """A file that another user owns or can read or write, or that is no ordinary file."""


def write_private(path: Path, content: bytes) -> None:
    """Replace a file's content in one step; nobody but this user can read it, at no moment.

    Raises:
        OSError: It cannot be written.
    """
    beside = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    try:
        _write_new(beside, content)
        _replace(beside, path)
    finally:
        remove(beside)


def create_private(path: Path, content: bytes) -> bool:
    """Make a file, unless there is one: of several that try at once exactly one succeeds, whole.

    Returns:
        Whether this call made it.

    Raises:
        OSError: It cannot be written.
    """
    beside = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    try:
        _write_new(beside, content)
        try:
            os.link(beside, path)  # unlike a rename it fails if there is one
        except FileExistsError:
            return False
        except OSError:  # a file system without hard links: the content may be seen half written for a moment
            try:
                _write_new(path, content)
            except FileExistsError:
                return False
        return True
    finally:
        remove(beside)


def _write_new(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0), 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)


def _replace(source: Path, target: Path) -> None:
    for remaining in reversed(range(RENAME_TRIES)):
        try:
            source.replace(target)
            return
        except PermissionError:
            if sys.platform != "win32" or not remaining:
                raise
            time.sleep(RENAME_WAIT_S)


def read_private(path: Path, limit: int = READ_LIMIT) -> bytes:
    """The content of a file that only this user can read and write.

    Args:
        path: The file; a link is not followed.
        limit: Bytes; a longer file is refused.

    Raises:
        NotPrivate: It is a link, too long, no ordinary file, not ours, or open to others.
        OSError: It is not there or cannot be read.
    """
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    descriptor = os.open(path, flags)
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode) or found.st_size > limit:
            raise NotPrivate(f"{path} is no ordinary file of up to {limit} bytes")
        if sys.platform != "win32" and (found.st_uid != os.getuid() or found.st_mode & 0o077):
            raise NotPrivate(f"{path} can be reached by other users")
        return file.read(limit)


def remove(path: Path) -> None:
    """Remove a file if it is there and can be removed."""
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)
