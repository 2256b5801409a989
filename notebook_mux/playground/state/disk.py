"""The few ways in which a state folder is written to: all of them whole, or a record at an end."""

from __future__ import annotations

import mmap
import os
import secrets
from collections.abc import Iterable
from pathlib import Path

from notebook_mux.life import files
from notebook_mux.playground.state.errors import unreachable

MODE = 0o600
"""Keys and Secrets are in there."""


def write_whole(path: Path, pieces: Iterable[bytes]) -> None:
    """Put a file in place in one step; it is on the disk when this returns.

    Raises:
        OSError: It cannot be written; what was there still is.
    """
    beside = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    try:
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, MODE)
        with os.fdopen(descriptor, "wb") as file:
            for piece in pieces:
                file.write(piece)
            file.flush()
            os.fsync(descriptor)
        beside.replace(path)
        sync_folder(path.parent)
    finally:
        files.remove(beside)


def sync_folder(folder: Path) -> None:
    """Bring a folder's entries to the disk, where the system can."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        return  # Windows opens no folders
    try:
        os.fsync(descriptor)
    except OSError:
        pass  # some file systems cannot
    finally:
        os.close(descriptor)


def read(path: Path) -> memoryview:
    """A file's content, mapped: it may be larger than what one wants in memory twice.

    Raises:
        StateRefused: It cannot be read.
    """
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_size == 0:
                return memoryview(b"")
            return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    except OSError as error:
        raise unreachable(path, error) from None


def write_all(descriptor: int, data: bytes) -> None:
    """Write all of it, however much the system takes at once.

    Raises:
        OSError: It does not; some of it may be written.
    """
    written = os.write(descriptor, data)
    while written < len(data):
        written += os.write(descriptor, data[written:])
