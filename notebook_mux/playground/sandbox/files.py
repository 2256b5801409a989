"""The files of a container as its sandbox has them: both ways. The emulation keeps them; a sandbox has a copy.

What a sandbox says is not trusted: its entries become objects in memory, within the container's limits.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from notebook_mux.playground.sandbox.inside.entries import FILE, FOLDER, GONE, LINK, Entry
from notebook_mux.playground.sandbox.inside.serving import ROOT, VOLUMES
from notebook_mux.playground.shell.container import Container
from notebook_mux.playground.shell.files import DEPTH, Files
from notebook_mux.playground.shell.inodes import Device, File, FileFault, Folder, Link, Live, LiveFolder, Node, Program

SKIPPED = frozenset({"proc", "dev"})
"""Folders that a sandbox makes itself."""

VOLUMES_S = 5.0
"""How old a config map may be; with a real kubelet it is a minute."""

MORE = {
    "etc/bash.bashrc": b"PS1='\\u@\\h:\\w\\$ '\n",
    "etc/inputrc": b"set enable-bracketed-paste off\n",
    "etc/nsswitch.conf": b"passwd: files\ngroup: files\nhosts: files dns\n",
    "etc/vim/vimrc": b"set nocompatible backspace=indent,eol,start\nlet g:skip_defaults_vim = 1\n",
    "etc/vim/vimrc.tiny": b"set nocompatible backspace=indent,eol,start\n",
}
"""What the machine's programs need that an image's story does not have."""


@dataclass
class Look:
    """A container's files at one moment.

    Args:
        entries: By path, with `ROOT` or `VOLUMES` before it.
        volumes: Folders that are mounted read-only, by number.
        writable: Those that are mounted and can be written.
        volumes_at: When the volumes were read, by the loop's clock.
    """

    entries: dict[str, Entry] = field(default_factory=dict)
    volumes: list[str] = field(default_factory=list)
    writable: list[str] = field(default_factory=list)
    volumes_at: float = 0.0

    def since(self, before: Look) -> list[Entry]:
        """What has changed since an earlier moment."""
        gone = [Entry(path, GONE) for path in sorted(before.entries.keys() - self.entries.keys(), reverse=True)]
        return gone + [one for path, one in self.entries.items() if before.entries.get(path) != one]


def look(
    container: Container, before: Look | None = None, scripts: Sequence[Entry] = (), at: float | None = None
) -> Look:
    """The files of a container as they are now.

    Args:
        container: Which.
        before: What was seen before: volumes that were read a moment ago are not read again, for a token is a fresh
            one each time.
        scripts: What stands for programs that are not there.
        at: As of which moment, by the monotonic clock; looks as of the same one have the same volumes.
    """
    found = Look()
    files = container.files
    for path, mount in files.mounts.items():
        if path == "/" or path.strip("/") in ("proc", "sys") or not isinstance(mount.node, Folder):
            continue
        if mount.read_only or isinstance(mount.node, LiveFolder):
            found.volumes.append(path)
        else:
            found.writable.append(path)
    _walk(files, found, files.mounts["/"].node, "", ROOT)
    now = time.monotonic() if at is None else at
    if before is not None and now - before.volumes_at < VOLUMES_S:
        found.volumes_at = before.volumes_at
        found.entries |= {path: one for path, one in before.entries.items() if path.startswith(VOLUMES)}
    else:
        found.volumes_at = now
        for number, path in enumerate(found.volumes):
            _add(files, found, files.mounts[path].node, str(number), VOLUMES)
    for path, data in MORE.items():
        found.entries.setdefault(f"{ROOT}{path}", Entry(f"{ROOT}{path}", FILE, 0o644, container.started, data))
    found.entries |= {one.path: one for one in scripts}
    return found


def _walk(files: Files, found: Look, node: Node, below: str, before: str, depth: int = 0) -> None:
    if not isinstance(node, Folder) or depth > DEPTH:
        return
    for name in node.names():
        path = f"{below}/{name}" if below else name
        mount = files.mounts.get(f"/{path}") if before == ROOT else None
        one = mount.node if mount is not None else node.get(name)
        if one is None or path in SKIPPED or (before == ROOT and f"/{path}" in found.volumes):
            continue
        _add(files, found, one, path, before, depth)


def _add(files: Files, found: Look, node: Node, path: str, before: str, depth: int = 0) -> None:
    if isinstance(node, Program | Device):
        return
    kind, data = FILE, b""
    if isinstance(node, Folder):
        kind = FOLDER
    elif isinstance(node, Link):
        kind, data = LINK, node.target.encode("utf-8", "surrogateescape")
    elif isinstance(node, File | Live):
        data = node.content()
    full = f"{before}{path}"
    found.entries[full] = Entry(full, kind, _mode(files, node), node.mtime, data)
    _walk(files, found, node, path, before, depth + 1)


def _mode(files: Files, node: Node) -> int:
    """A node's permissions where there is one user only, who has everything: what the container's user may, its may."""
    own = sum(bit for bit in (4, 2, 1) if files.may(node, bit))
    return (node.mode & 0o7077) | own << 6


def apply(container: Container, changed: list[Entry]) -> list[str]:
    """Do to a container's files what was done in its sandbox.

    Returns:
        The paths of what cannot be kept: there is no room, or it cannot be changed.
    """
    files = dataclasses.replace(container.files, uid=0)
    lost = []
    for one in changed:
        try:
            _apply(files, f"/{one.path}", one, container.files.uid, container.files.gid)
        except FileFault:
            lost.append(one.path)
    return lost


def _apply(files: Files, path: str, entry: Entry, uid: int, gid: int) -> None:
    place = files.find(path, follow=False)
    known = place.node
    if isinstance(known, Program | Device) or path in files.mounts:
        return
    kinds = {FILE: File, FOLDER: Folder, LINK: Link}
    if known is not None and (entry.kind in (GONE, LINK) or not isinstance(known, kinds[entry.kind])):
        if not isinstance(known, Live):
            files.remove(place)
        known = None
    if entry.kind == GONE:
        return
    place = files.find(path, follow=False)
    if known is None:
        made: Node = Link(entry.data.decode("utf-8", "surrogateescape")) if entry.kind == LINK else kinds[entry.kind]()
        files.add(place, made)
        made.uid, made.gid = uid, gid
    if entry.kind == FILE:
        files.write(path, entry.data)
    node = files.node(path, follow=False)
    node.mode, node.mtime = entry.mode, entry.mtime
