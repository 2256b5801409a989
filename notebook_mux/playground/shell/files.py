"""Files of a container, in memory: nodes, paths with links and mounts, permissions, and a limit to what they hold.

Nothing here knows the host's files: a path is a way through these objects and ends among them.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from notebook_mux.playground.shell.inodes import (
    Device,
    File,
    FileFault,
    Folder,
    Link,
    Live,
    LiveFolder,
    Mount,
    Node,
    Program,
    Space,
)

NAME_LIMIT = 255
PATH_LIMIT = 4096
"""NAME_MAX and PATH_MAX of Linux."""

LINKS = 40
"""Links that are followed in one path (MAXSYMLINKS of Linux)."""

DEPTH = 64
"""Folders within folders."""


@dataclass(slots=True)
class Place:
    """Where a path leads.

    Args:
        path: Without links.
        parent: The folder that has it; None for the root.
        node: What is there; None if nothing is.
        mount: In which it is.
    """

    path: str
    parent: Folder | None
    node: Node | None
    mount: Mount

    @property
    def name(self) -> str:
        """The last part of its path."""
        return self.path.rpartition("/")[2]


@dataclass
class Files:
    """A container's files.

    Args:
        mounts: By their paths; ``/`` is the root.
        space: Of what is written outside of other mounts.
        now: The time, Unix seconds.
        uid: Whose permissions count; 0 may do everything.
    """

    mounts: dict[str, Mount]
    space: Space
    now: Callable[[], float]
    uid: int = 0
    gid: int = 0
    groups: tuple[int, ...] = field(default=())

    # ------------------------------------------------------------------------------------------------ paths

    def find(self, path: str, cwd: str = "/", *, follow: bool = True) -> Place:
        """Where a path leads; its last part need not be there.

        Raises:
            FileFault: A folder on the way is not there, is none, or may not be entered.
        """
        if not path:
            raise FileFault(errno.ENOENT)
        if len(path) > PATH_LIMIT:
            raise FileFault(errno.ENAMETOOLONG)
        root = Place("/", None, self.mounts["/"].node, self.mounts["/"])
        stack = [root]
        todo = [one for one in reversed((path if path.startswith("/") else f"{cwd}/{path}").split("/")) if one]
        is_folder = path.endswith(("/", "/."))
        links = 0
        while todo:
            name = todo.pop()
            here = stack[-1]
            if name in (".", ".."):
                self._enter(here)
                if name == ".." and len(stack) > 1:
                    stack.pop()
                continue
            folder = self._enter(here)
            if len(name.encode("utf-8", "surrogateescape")) > NAME_LIMIT:
                raise FileFault(errno.ENAMETOOLONG)
            full = f"{'' if here.path == '/' else here.path}/{name}"
            mount = self.mounts.get(full)
            node = mount.node if mount is not None else folder.get(name)
            if isinstance(node, Link) and (todo or follow or is_folder):
                links += 1
                if links > LINKS:
                    raise FileFault(errno.ELOOP)
                if node.target.startswith("/"):
                    stack = [root]
                todo += [one for one in reversed(node.target.split("/")) if one]
                continue
            stack.append(Place(full, folder, node, mount or here.mount))
            if node is None and todo:
                raise FileFault(errno.ENOENT)
        if is_folder and stack[-1].node is not None and not isinstance(stack[-1].node, Folder):
            raise FileFault(errno.ENOTDIR)
        return stack[-1]

    def _enter(self, place: Place) -> Folder:
        if place.node is None:
            raise FileFault(errno.ENOENT)
        if not isinstance(place.node, Folder):
            raise FileFault(errno.ENOTDIR)
        self.check(place.node, 1)
        return place.node

    def there(self, path: str, cwd: str = "/", *, follow: bool = True) -> Place:
        """Where a path leads, to something that is there.

        Raises:
            FileFault: It is not, or the way to it is closed.
        """
        place = self.find(path, cwd, follow=follow)
        if place.node is None:
            raise FileFault(errno.ENOENT)
        return place

    def node(self, path: str, cwd: str = "/", *, follow: bool = True) -> Node:
        """What is at a path.

        Raises:
            FileFault: Nothing is.
        """
        node = self.there(path, cwd, follow=follow).node
        assert node is not None
        return node

    def folder(self, path: str, cwd: str = "/") -> Folder:
        """The folder at a path, readable.

        Raises:
            FileFault: It is none.
        """
        node = self.node(path, cwd)
        if not isinstance(node, Folder):
            raise FileFault(errno.ENOTDIR)
        self.check(node, 4)
        return node

    def entries(self, place: Place) -> Iterable[tuple[str, Node]]:
        """What is in a folder, mounts in their places, by name."""
        assert isinstance(place.node, Folder)
        before = "" if place.path == "/" else place.path
        for name in place.node.names():
            mount = self.mounts.get(f"{before}/{name}")
            node = mount.node if mount is not None else place.node.get(name)
            if node is not None:
                yield name, node

    def may(self, node: Node, bit: int) -> bool:
        """Whether it may be read (4), written (2), entered or run (1)."""
        if self.uid == 0:
            return bit != 1 or isinstance(node, Folder) or bool(node.mode & 0o111)
        shift = 6 if node.uid == self.uid else 3 if node.gid == self.gid or node.gid in self.groups else 0
        return bool((node.mode >> shift) & bit)

    def check(self, node: Node, bit: int) -> None:
        """Refuse what may not be done.

        Raises:
            FileFault: EACCES.
        """
        if not self.may(node, bit):
            raise FileFault(errno.EACCES)

    # ---------------------------------------------------------------------------------------------- changes

    def changeable(self, place: Place) -> Folder:
        """The folder of a place, in which entries may be made and removed.

        Raises:
            FileFault: They may not.
        """
        if place.mount.read_only:
            raise FileFault(errno.EROFS)
        if place.parent is None or place.path in self.mounts:
            raise FileFault(errno.EBUSY)
        if isinstance(place.parent, LiveFolder):
            raise FileFault(errno.EPERM)
        self.check(place.parent, 2)
        return place.parent

    def _room(self, place: Place) -> Space:
        return place.mount.space or self.space

    def add(self, place: Place, node: Node) -> None:
        """Put something new at a place.

        Raises:
            FileFault: It cannot be there.
        """
        folder = self.changeable(place)
        if place.node is not None:
            raise FileFault(errno.EEXIST)
        if place.path.count("/") > DEPTH:
            raise FileFault(errno.ENAMETOOLONG)
        room = self._room(place)
        room.charge(node.cost)
        node.space = room
        node.uid, node.gid, node.mtime = self.uid, self.gid, self.now()
        folder.entries[place.name] = node
        folder.mtime = self.now()
        place.node = node

    def opened(self, path: str, cwd: str = "/", *, cut: bool, mode: int = 0o644) -> Node:
        """A file to be written, made if it is not there.

        Args:
            cut: Whether what is in it goes.

        Raises:
            FileFault: It cannot be.
        """
        place = self.find(path, cwd)
        node = place.node
        if node is None:
            if path.endswith("/"):
                raise FileFault(errno.EISDIR)
            node = File(mode=mode)
            self.add(place, node)
            return node
        if isinstance(node, Folder):
            raise FileFault(errno.EISDIR)
        if place.mount.read_only and not isinstance(node, Device) and not (isinstance(node, Live) and node.take):
            raise FileFault(errno.EROFS)
        self.check(node, 2)
        if isinstance(node, Program):
            raise FileFault(errno.ETXTBSY)
        if isinstance(node, Live) and node.take is None:
            raise FileFault(errno.EACCES)
        if isinstance(node, File):
            if node.space is None:
                self._room(place).charge(node.cost)
                node.space = self._room(place)
            if cut:
                node.cut(self.now())
        return node

    def write(self, path: str, data: bytes, cwd: str = "/", mode: int = 0o644) -> None:
        """Give a file this content.

        Raises:
            FileFault: It cannot be written.
        """
        node = self.opened(path, cwd, cut=True, mode=mode)
        if isinstance(node, File):
            node.write(0, data, self.now())
        elif isinstance(node, Live) and node.take is not None:
            node.take(data)

    def read(self, path: str, cwd: str = "/") -> bytes:
        """The content of a file.

        Raises:
            FileFault: There is none, or it may not be read.
        """
        node = self.node(path, cwd)
        self.check(node, 4)
        if isinstance(node, Folder):
            raise FileFault(errno.EISDIR)
        return node.content() if isinstance(node, File | Live | Program) else b""

    def make_folder(self, path: str, cwd: str = "/", mode: int = 0o755, *, parents: bool = False) -> None:
        """Make a folder, and with `parents` those on the way to it.

        Raises:
            FileFault: It cannot be made.
        """
        place = self.find_with_parents(path, cwd) if parents else self.find(path.rstrip("/") or "/", cwd)
        if parents and isinstance(place.node, Folder):
            return
        self.add(place, Folder(mode))

    def find_with_parents(self, path: str, cwd: str = "/") -> Place:
        """Where a path leads; folders on the way to it are made.

        Raises:
            FileFault: One cannot be made.
        """
        full = path if path.startswith("/") else f"{cwd}/{path}"
        parts = [one for one in full.split("/") if one]
        for count in range(1, len(parts)):
            place = self.find("/" + "/".join(parts[:count]))
            if place.node is None:
                self.add(place, Folder())
        return self.find("/" + "/".join(parts))

    def remove(self, place: Place) -> None:
        """Take something away, with all that is in it.

        Raises:
            FileFault: It cannot be.
        """
        folder = self.changeable(place)
        assert place.node is not None
        self._give_back(place.node)
        del folder.entries[place.name]
        folder.mtime = self.now()

    def _give_back(self, node: Node, depth: int = 0) -> None:
        if node.space is not None:
            node.space.charge(-node.cost)
            # Whoever still has it open writes into it at nobody's cost, but no more than one file's limit.
            node.space = None
        if isinstance(node, Folder) and not isinstance(node, LiveFolder) and depth <= DEPTH:
            for one in node.entries.values():
                self._give_back(one, depth + 1)

    def move(self, source: Place, target: Place) -> None:
        """Give something another name; what is there already goes.

        Raises:
            FileFault: It cannot be.
        """
        old, new = self.changeable(source), self.changeable(target)
        assert source.node is not None
        if target.node is source.node:
            return
        if target.path.startswith(f"{source.path}/"):
            raise FileFault(errno.EINVAL)
        if source.mount is not target.mount and isinstance(source.node, Folder):
            raise FileFault(errno.EXDEV)
        if target.node is not None:
            if isinstance(target.node, Folder) and target.node.names():
                raise FileFault(errno.ENOTEMPTY)
            if isinstance(target.node, Folder) != isinstance(source.node, Folder):
                raise FileFault(errno.EISDIR if isinstance(target.node, Folder) else errno.ENOTDIR)
            self.remove(target)
        del old.entries[source.name]
        new.entries[target.name] = source.node
        old.mtime = new.mtime = self.now()
