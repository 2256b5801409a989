"""Changes of files: ``mkdir``, ``rm``, ``cp``, ``mv``, ``ln``, ``touch``, ``chmod``, ``chown``, ``mktemp``."""

from __future__ import annotations

import errno
import re

from notebook_mux.playground.shell.commands.finding import walked
from notebook_mux.playground.shell.commands.listing import USERS
from notebook_mux.playground.shell.commands.registry import command
from notebook_mux.playground.shell.files import Place
from notebook_mux.playground.shell.inodes import Device, File, FileFault, Folder, Link, Live, Node, Program
from notebook_mux.playground.shell.running import Fail, Run


@command("mkdir", "folders: -p for those above")
async def mkdir(run: Run) -> int:
    """``mkdir [-p] [-m mode] folders``."""
    options, names = run.options("pm:v", "parents")
    if not names:
        raise Fail("missing operand")
    mode = int(options["m"], 8) if re.fullmatch("[0-7]{1,4}", options.get("m", "")) else 0o755
    for name in names:
        try:
            run.container.files.make_folder(name, run.cwd, mode, parents="p" in options or "parents" in options)
        except FileFault as fault:
            await run.complain(f"can't create directory '{name}': {fault}")
    return 0


@command("rmdir", "empty folders away")
async def rmdir(run: Run) -> int:
    """``rmdir folders``."""
    for name in run.options("p")[1]:
        try:
            place = run.container.files.there(name.rstrip("/") or "/", run.cwd, follow=False)
            if not isinstance(place.node, Folder):
                raise FileFault(errno.ENOTDIR)
            if place.node.names():
                raise FileFault(errno.ENOTEMPTY)
            run.container.files.remove(place)
        except FileFault as fault:
            await run.complain(f"'{name}': {fault}")
    return 0


@command("rm", "files away: -r -f")
async def rm(run: Run) -> int:
    """``rm [-r] [-f] paths``."""
    options, names = run.options("rRfiv", "recursive", "force")
    recursive = {"r", "R", "recursive"} & set(options)
    if not names and "f" not in options:
        raise Fail("missing operand")
    for name in names:
        try:
            if name.rstrip("/").rpartition("/")[2] in (".", "..") or not name.strip("/"):
                await run.complain("refusing to remove '.' or '..' directory or '/'")
                continue
            place = run.container.files.there(name.rstrip("/"), run.cwd, follow=False)
            if isinstance(place.node, Folder) and not recursive:
                raise FileFault(errno.EISDIR)
            if any(path.startswith(f"{place.path}/") for path in run.container.files.mounts):
                raise FileFault(errno.EBUSY)
            run.container.files.remove(place)
        except FileFault as fault:
            if not (fault.number == errno.ENOENT and {"f", "force"} & set(options)):
                await run.complain(f"can't remove '{name}': {fault}")
    return 0


@command("touch", "files, made or with the time of now")
async def touch(run: Run) -> int:
    """``touch [-c] files``."""
    options, names = run.options("cmad:t:r:")
    for name in names:
        try:
            place = run.find(name)
            if place.node is None and "c" not in options:
                run.container.files.add(place, File())
            elif place.node is not None:
                if place.mount.read_only:
                    raise FileFault(errno.EROFS)
                place.node.mtime = run.container.now()
        except FileFault as fault:
            await run.complain(f"{name}: {fault}")
    return 0


def _into(run: Run, target: Place, name: str) -> Place:
    """Where something of a name is put: in a folder, else at the place itself."""
    if isinstance(target.node, Folder):
        return run.container.files.find(f"{target.path}/{name.rstrip('/').rpartition('/')[2]}", follow=False)
    return target


@command("cp", "copies: -r for folders")
async def cp(run: Run) -> int:
    """``cp [-r] sources target``."""
    options, names = run.options("rRapfidLPvT")
    if len(names) < 2:
        raise Fail("missing operand")
    *sources, last = names
    files = run.container.files
    target = files.find(last, run.cwd)
    if len(sources) > 1 and not isinstance(target.node, Folder):
        raise Fail(f"target '{last}' is not a directory")
    for name in sources:
        try:
            source = files.there(name, run.cwd)
            place = _into(run, target, source.path)
            if isinstance(source.node, Folder):
                if not {"r", "R", "a"} & set(options):
                    await run.complain(f"omitting directory '{name}'")
                    continue
                if (place.path + "/").startswith(source.path + "/"):
                    await run.complain(f"recursion detected, omitting directory '{name}'")
                    continue
                await _copied(run, source, place.path)
            else:
                assert source.node is not None
                _copy(run, source.node, place)
        except FileFault as fault:
            await run.complain(
                f"can't stat '{name}': {fault}" if fault.number == errno.ENOENT else f"'{name}': {fault}"
            )
    return 0


async def _copied(run: Run, source: Place, target: str) -> None:
    files = run.container.files
    async for name, place, _ in walked(run, source.path):
        rest = name[len(source.path) :].strip("/")
        to = files.find(f"{target}/{rest}" if rest else target, follow=False)
        assert place.node is not None
        if isinstance(place.node, Folder):
            if to.node is None:
                files.add(to, Folder(place.node.mode))
        else:
            _copy(run, place.node, to)


def _copy(run: Run, node: Node, to: Place) -> None:
    files = run.container.files
    if isinstance(node, Link):
        if to.node is not None:
            files.remove(to)
            to.node = None
        files.add(to, Link(node.target))
    elif isinstance(node, Program):
        if to.node is not None:
            files.remove(to)
            to.node = None
        files.add(to, Program(node.name))
    elif isinstance(node, File | Live):
        files.check(node, 4)
        files.write(to.path, node.content(), mode=node.mode & 0o777)
    elif isinstance(node, Device):
        files.write(to.path, b"")


@command("mv", "other names and places")
async def mv(run: Run) -> int:
    """``mv sources target``."""
    _, names = run.options("fivnT")
    if len(names) < 2:
        raise Fail("missing operand")
    *sources, last = names
    target = run.container.files.find(last, run.cwd)
    if len(sources) > 1 and not isinstance(target.node, Folder):
        raise Fail(f"target '{last}' is not a directory")
    for name in sources:
        try:
            source = run.container.files.there(name.rstrip("/") or "/", run.cwd, follow=False)
            place = _into(run, target, source.path)
            try:
                run.container.files.move(source, place)
            except FileFault as fault:
                if fault.number != errno.EXDEV:
                    raise
                await _copied(run, source, place.path)
                run.container.files.remove(source)
        except FileFault as fault:
            await run.complain(f"can't rename '{name}': {fault}")
    return 0


@command("ln", "links: -s")
async def ln(run: Run) -> int:
    """``ln -s target name``."""
    options, names = run.options("sfnv")
    if len(names) not in (1, 2):
        raise Fail("missing operand")
    name = names[1] if len(names) == 2 else names[0].rpartition("/")[2]
    files = run.container.files
    place = files.find(name, run.cwd, follow="n" not in options)
    if isinstance(place.node, Folder):
        place = files.find(f"{place.path}/{names[0].rpartition('/')[2]}", follow=False)
    else:
        place = files.find(name, run.cwd, follow=False)
    try:
        if place.node is not None and "f" in options:
            files.remove(place)
            place.node = None
        if "s" in options:
            files.add(place, Link(names[0]))
        else:
            node = files.node(names[0], run.cwd)
            if isinstance(node, Folder):
                raise FileFault(errno.EPERM)
            files.add(place, File(files.read(names[0], run.cwd), node.mode))
    except FileFault as fault:
        await run.complain(f"{name}: {fault}")
    return 0


@command("readlink", "where a link leads: -f")
async def readlink(run: Run) -> int:
    """``readlink [-f] path``."""
    options, names = run.options("fn")
    for name in names:
        try:
            place = run.find(name, follow="f" in options)
        except FileFault:
            return 1
        if "f" in options:
            await run.write(f"{place.path}\n")
        elif isinstance(place.node, Link):
            await run.write(f"{place.node.target}\n")
        else:
            run.code = 1
    return 0


@command("realpath", "a path without links")
async def realpath(run: Run) -> int:
    """``realpath paths``."""
    for name in run.args:
        await run.write(f"{run.container.files.there(name, run.cwd).path}\n")
    return 0


@command("chmod", "rights: 644, +x, u+w")
async def chmod(run: Run) -> int:
    """``chmod [-R] mode paths``."""
    recursive = "-R" in run.args
    words = [word for word in run.args if word not in ("-R", "-v", "-f")]
    if len(words) < 2:
        raise Fail("missing operand")
    mode, *names = words
    for name in names:
        try:
            async for _, place, _ in walked(run, name, 64 if recursive else 0):
                if place.mount.read_only:
                    raise FileFault(errno.EROFS)
                if isinstance(place.node, Link):
                    place = run.container.files.there(place.path)
                assert place.node is not None
                if run.container.files.uid not in (0, place.node.uid):
                    raise FileFault(errno.EPERM)
                place.node.mode = changed_mode(place.node.mode, mode, isinstance(place.node, Folder))
        except FileFault as fault:
            await run.complain(f"{name}: {fault}")
    return 0


def changed_mode(old: int, mode: str, folder: bool = False) -> int:
    """Rights after a change such as ``755`` or ``u+x,go-w``.

    Raises:
        Fail: It is none.
    """
    if re.fullmatch("[0-7]{1,4}", mode):
        return int(mode, 8)
    for part in mode.split(","):
        match = re.fullmatch("([ugoa]*)([-+=])([rwxXst]*)", part)
        if match is None:
            raise Fail(f"invalid mode '{mode}'")
        bits = sum({"r": 4, "w": 2, "x": 1, "X": int(folder or bool(old & 0o111))}.get(one, 0) for one in set(match[3]))
        whom = "ugo" if not match[1] or "a" in match[1] else match[1]
        mask = sum(bits << {"u": 6, "g": 3, "o": 0}[one] for one in set(whom))
        cleared = sum(7 << {"u": 6, "g": 3, "o": 0}[one] for one in set(whom))
        old = old | mask if match[2] == "+" else old & ~mask if match[2] == "-" else (old & ~cleared) | mask
    return old


@command("chown", "other owners")
async def chown(run: Run) -> int:
    """``chown [-R] user[:group] paths``."""
    words = [word for word in run.args if word not in ("-R", "-v", "-h")]
    if len(words) < 2:
        raise Fail("missing operand")
    if run.container.files.uid:
        raise Fail(f"{words[1]}: Operation not permitted")
    numbers = {name: number for number, name in USERS.items()}
    user, _, group = words[0].partition(":")
    ids = [
        numbers.get(one, int(one) if re.fullmatch(r"\d{1,9}", one) else -1) if one else None for one in (user, group)
    ]
    if -1 in ids:
        raise Fail(f"unknown user/group {words[0]}")
    for name in words[1:]:
        async for _, place, _ in walked(run, name, 64 if "-R" in run.args else 0):
            assert place.node is not None
            if place.mount.read_only:
                raise Fail(f"{name}: Read-only file system")
            place.node.uid = place.node.uid if ids[0] is None else ids[0]
            place.node.gid = place.node.gid if ids[1] is None else ids[1]
    return 0


@command("mktemp", "a new file in /tmp: -d for a folder")
async def mktemp(run: Run) -> int:
    """``mktemp [-d]``."""
    options, _ = run.options("dp:tu")
    path = f"/tmp/tmp.{run.container.cluster.suffix()}{run.container.cluster.suffix()}"  # noqa: S108 - of the emulation
    run.container.files.add(run.find(path), Folder(0o700) if "d" in options else File(mode=0o600))
    await run.write(f"{path}\n")
    return 0
