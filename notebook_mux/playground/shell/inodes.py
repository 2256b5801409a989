"""What files are made of, in memory: nodes of each kind, mounts, and a limit to what they hold."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from dataclasses import dataclass

NODE_BYTES = 256
"""What an empty file counts."""

FILE_LIMIT = 4 * 1024 * 1024
"""Bytes of one file."""

CONTAINER_LIMIT = 16 * 1024 * 1024
"""Bytes of all files that a container has written."""

CLUSTER_LIMIT = 64 * 1024 * 1024
"""Bytes of all files that were written in a cluster, so that no number of containers fills the process's memory."""


class FileFault(Exception):
    """Something that cannot be done with a file.

    Args:
        number: An errno.
    """

    def __init__(self, number: int):
        super().__init__(os.strerror(number))
        self.number = number


class Space:
    """Room for files; a part of another one's.

    Args:
        limit: Bytes.
    """

    def __init__(self, limit: int, of: Space | None = None):
        self.limit = limit
        self.used = 0
        self._of = of

    def charge(self, size: int) -> None:
        """Take room, or give it back where `size` is negative.

        Raises:
            FileFault: ENOSPC.
        """
        if size > 0 and self.used + size > self.limit:
            raise FileFault(errno.ENOSPC)
        if self._of is not None:
            self._of.charge(size)
        self.used += size

    def release(self) -> None:
        """Give all of it back."""
        self.charge(-self.used)


class Node:
    """Something that has a name in a folder."""

    kind = "-"

    def __init__(self, mode: int, mtime: float = 0.0, uid: int = 0, gid: int = 0):
        self.mode = mode
        self.mtime = mtime
        self.uid = uid
        self.gid = gid
        self.space: Space | None = None
        """What it is counted in; None for what came with the image."""

    @property
    def cost(self) -> int:
        """What it counts there, bytes."""
        return NODE_BYTES

    @property
    def size(self) -> int:
        """Bytes."""
        return 0


class File(Node):
    """A file with bytes of its own."""

    def __init__(self, data: bytes = b"", mode: int = 0o644, mtime: float = 0.0):
        super().__init__(mode, mtime)
        self.data = bytearray(data)

    @property
    def cost(self) -> int:
        """What it counts, bytes."""
        return NODE_BYTES + len(self.data)

    @property
    def size(self) -> int:
        """Bytes."""
        return len(self.data)

    def content(self) -> bytes:
        """All bytes."""
        return bytes(self.data)

    def write(self, at: int, data: bytes, now: float) -> None:
        """Put bytes at a place.

        Raises:
            FileFault: EFBIG, ENOSPC.
        """
        end = at + len(data)
        if end > FILE_LIMIT:
            raise FileFault(errno.EFBIG)
        grown = max(0, end - len(self.data))
        if self.space is not None:
            self.space.charge(grown)
        if at > len(self.data):
            self.data += bytes(at - len(self.data))
        self.data[at:end] = data
        self.mtime = now

    def cut(self, now: float) -> None:
        """Make it empty."""
        if self.space is not None:
            self.space.charge(-len(self.data))
        self.data.clear()
        self.mtime = now


class Program(Node):
    """One of the emulation's programs.

    Args:
        name: Its name in `commands.registry`.
    """

    NOTE = b"\x7fELF: a program of the playground's emulation; there is nothing else in it\n"

    def __init__(self, name: str, mtime: float = 0.0):
        super().__init__(0o755, mtime)
        self.name = name

    @property
    def size(self) -> int:
        """Bytes."""
        return len(self.NOTE)

    def content(self) -> bytes:
        """What it says of itself."""
        return self.NOTE


class Live(Node):
    """A file whose content is made when it is read, as in ``/proc``.

    Args:
        make: Makes it.
        write: Takes what is written to it; None refuses that.
    """

    def __init__(
        self,
        make: Callable[[], bytes],
        mode: int = 0o444,
        mtime: float = 0.0,
        write: Callable[[bytes], None] | None = None,
    ):
        super().__init__(mode, mtime)
        self._make = make
        self.take = write

    def content(self) -> bytes:
        """All bytes, as they are now."""
        return self._make()


class Device(Node):
    """``/dev/null`` and its like.

    Args:
        name: Which.
    """

    kind = "c"

    def __init__(self, name: str, mtime: float = 0.0):
        super().__init__(0o666, mtime)
        self.name = name


class Link(Node):
    """A symbolic link."""

    kind = "l"

    def __init__(self, target: str, mtime: float = 0.0):
        super().__init__(0o777, mtime)
        self.target = target

    @property
    def size(self) -> int:
        """Characters of its target."""
        return len(self.target)


class Folder(Node):
    """A folder."""

    kind = "d"

    def __init__(self, mode: int = 0o755, mtime: float = 0.0):
        super().__init__(mode, mtime)
        self.entries: dict[str, Node] = {}

    @property
    def size(self) -> int:
        """What most file systems say."""
        return 4096

    def get(self, name: str) -> Node | None:
        """An entry; None if there is none."""
        return self.entries.get(name)

    def names(self) -> list[str]:
        """The names of all entries, sorted."""
        return sorted(self.entries)


class LiveFolder(Folder):
    """A folder whose entries are made when somebody looks.

    Args:
        look: Makes them.
    """

    def __init__(self, look: Callable[[], dict[str, Node]], mode: int = 0o555, mtime: float = 0.0):
        super().__init__(mode, mtime)
        self._look = look

    def get(self, name: str) -> Node | None:
        """An entry."""
        return self._look().get(name)

    def names(self) -> list[str]:
        """The names of all entries."""
        return sorted(self._look())


@dataclass(slots=True)
class Mount:
    """Something that stands in the place of a folder or file.

    Args:
        node: What.
        source: What ``df`` and ``mount`` call it.
        kind: Its file system.
        read_only: Whether nothing in it can be changed.
        space: What is counted for its files; None is the container's.
    """

    node: Node
    source: str = "overlay"
    kind: str = "overlay"
    read_only: bool = False
    space: Space | None = None
