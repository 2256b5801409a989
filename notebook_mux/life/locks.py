"""A lock between processes that the system frees when its holder dies, however it dies."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from notebook_mux.life import files

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

__all__ = ["FileLock", "is_held"]

POLL_S = 0.05
"""Between two tries while waiting; there is no portable wait with a time limit."""


class FileLock:
    """An exclusive lock on a file of its own.

    It belongs to this object, not to the process: two objects of one process exclude each other too. Not reentrant.
    A forked child shares it until either lets go; a started program does not get it.

    Args:
        path: The lock file, in a folder of this user. It is made if needed, and left there.
    """

    def __init__(self, path: Path):
        self.path = path
        self._descriptor: int | None = None

    @property
    def held(self) -> bool:
        """Whether this object holds the lock."""
        return self._descriptor is not None

    def acquire(self, timeout: float = 0.0) -> bool:
        """Take the lock.

        Args:
            timeout: Seconds to wait for it; 0 tries once.

        Returns:
            Whether it was taken.

        Raises:
            OSError: The lock file cannot be opened.
        """
        deadline = time.monotonic() + timeout
        while not self._try():
            if time.monotonic() >= deadline:
                return False
            time.sleep(POLL_S)
        return True

    def _try(self) -> bool:
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600)
        try:
            _lock(descriptor)
            mine, there = os.fstat(descriptor), self.path.stat()
            if (mine.st_ino, mine.st_dev) != (there.st_ino, there.st_dev):
                raise BlockingIOError("removed and made anew while it was being opened")
        except (BlockingIOError, PermissionError, FileNotFoundError):
            os.close(descriptor)
            return False
        except BaseException:
            os.close(descriptor)
            raise
        self._descriptor = descriptor
        return True

    def is_current(self) -> bool:
        """Whether the file is still the one that was locked, and not removed by a cleaner of temporary files."""
        if self._descriptor is None:
            return False
        try:
            mine, there = os.fstat(self._descriptor), self.path.stat()
        except OSError:
            return False
        return (mine.st_ino, mine.st_dev) == (there.st_ino, there.st_dev)

    def release(self, *, remove: bool = False) -> None:
        """Let go, also for forked copies of this process.

        Args:
            remove: Remove the lock file too, while still holding it, which is the only safe moment.
        """
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is None:
            return
        if remove:
            files.remove(self.path)
        with contextlib.suppress(OSError):
            _unlock(descriptor)
        os.close(descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.release()


def is_held(path: Path) -> bool:
    """Whether somebody holds the lock of this file now."""
    if not path.exists():
        return False
    with FileLock(path) as lock:
        return not lock.acquire()


if sys.platform == "win32":

    def _lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

    def _unlock(descriptor: int) -> None:
        os.lseek(descriptor, 0, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)

else:

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _unlock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_UN)  # closing alone would leave it with a forked child
