"""What is known of files: ``ls``, ``stat``, ``file``, ``du``, ``df``."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from notebook_mux.playground.shell import editor
from notebook_mux.playground.shell.commands.finding import walked
from notebook_mux.playground.shell.commands.registry import command
from notebook_mux.playground.shell.files import Place
from notebook_mux.playground.shell.inodes import FileFault, Folder, Link, Node, Program
from notebook_mux.playground.shell.running import Run

USERS = {0: "root", 1: "daemon", 33: "www-data", 65534: "nobody"}
"""Names that are known without ``/etc/passwd``."""

HALF_YEAR_S = 182 * 86_400
"""Files that are older have their year in a list."""

UNITS = "KMGT"


def rights(node: Node) -> str:
    """``-rw-r--r--``."""
    bits = "".join(flag if node.mode >> (8 - at) & 1 else "-" for at, flag in enumerate("rwxrwxrwx"))
    if node.mode & 0o1000:
        bits = bits[:-1] + ("t" if node.mode & 1 else "T")
    return node.kind + bits


def short(size: float) -> str:
    """A size as people read it."""
    unit = ""
    for letter in UNITS:
        if size < 1024:
            break
        size, unit = size / 1024, letter
    return f"{size:.1f}{unit}" if unit and size < 10 else f"{size:.0f}{unit}"


def when(mtime: float, now: float) -> str:
    """A file's time in a list."""
    moment = datetime.fromtimestamp(mtime, UTC)
    recent = -3600 < now - mtime < HALF_YEAR_S
    return f"{moment:%b} {moment.day:2} " + (f"{moment:%H:%M}" if recent else f" {moment:%Y}")


@command("ls", "files: -l -a -h -R -1 -d -t -S -r")
async def ls(run: Run) -> int:
    """``ls [options] paths``."""
    options, names = run.options("laAhR1dtSrFinsC", "color=", "all")
    files, folders = list[tuple[str, Node]](), list[tuple[str, Place]]()
    for name in names or ["."]:
        try:
            place = run.container.files.there(name, run.cwd, follow="l" not in options and "d" not in options)
            if isinstance(place.node, Link) and name.endswith("/"):
                place = run.container.files.there(name, run.cwd)
            node = place.node
            assert node is not None
            if isinstance(node, Folder) and "d" not in options:
                folders.append((name, place))
            else:
                files.append((name, node))
        except FileFault as fault:
            await run.complain(f"{name}: {fault}")
    if files:
        await _listed(run, options, files)
    several = len(names) > 1 or "R" in options
    for at, (name, place) in enumerate(folders):
        if "R" in options:
            async for inner, below, _ in walked(run, name):
                if isinstance(below.node, Folder):
                    await run.write(f"{'' if inner == name and not at and not files else chr(10)}{inner}:\n")
                    await _folder(run, options, below)
            continue
        if several:
            await run.write(f"{chr(10) if at or files else ''}{name}:\n")
        await _folder(run, options, place)
    return 0


async def _folder(run: Run, options: dict[str, str], place: Place) -> None:
    assert isinstance(place.node, Folder)
    try:
        run.container.files.check(place.node, 4)
    except FileFault as fault:
        await run.complain(f"can't open '{place.path}': {fault}")
        return
    entries = [one for one in run.container.files.entries(place)
               if not one[0].startswith(".") or {"a", "A", "all"} & set(options)]  # fmt: skip
    if "a" in options or "all" in options:
        entries = [(".", place.node), ("..", place.parent or place.node), *entries]
    if "l" in options:
        await run.write(f"total {sum(-(-node.size // 1024) for _, node in entries if node.kind != 'l')}\n")
    await _listed(run, options, entries)


async def _listed(run: Run, options: dict[str, str], entries: list[tuple[str, Node]]) -> None:
    if "t" in options:
        entries = sorted(entries, key=lambda one: -one[1].mtime)
    elif "S" in options:
        entries = sorted(entries, key=lambda one: -one[1].size)
    if "r" in options:
        entries = entries[::-1]
    await run.spend(len(entries) / 10)
    if "l" in options:
        sizes = [short(node.size) if "h" in options else str(node.size) for _, node in entries]
        width = max(9, *map(len, sizes)) if sizes else 9
        for (name, node), size in zip(entries, sizes, strict=True):
            owner, group = USERS.get(node.uid, str(node.uid)), USERS.get(node.gid, str(node.gid))
            links = 2 if isinstance(node, Folder) else 1
            target = f" -> {node.target}" if isinstance(node, Link) else ""
            row = (
                f"{rights(node)} {links:4} {owner:8} {group:8} {size:>{width}} {when(node.mtime, run.container.now())}"
            )
            await run.write(f"{row} {name}{_mark(options, node)}{target}\n")
        return
    names = [name + _mark(options, node) for name, node in entries]
    if not run.is_on_terminal or "1" in options:
        await run.write("".join(f"{name}\n" for name in names))
        return
    widest = max(map(editor.width, names), default=0) + 2
    columns = max(1, run.columns // widest)
    rows = -(-len(names) // columns)
    for line in range(rows):
        cells = names[line::rows]
        await run.write("".join(cell + " " * (widest - editor.width(cell)) for cell in cells).rstrip() + "\n")


def _mark(options: dict[str, str], node: Node) -> str:
    if "F" not in options:
        return ""
    return {"d": "/", "l": "@"}.get(node.kind, "*" if node.mode & 0o111 and node.kind == "-" else "")


@command("stat", "what is known of files")
async def stat(run: Run) -> int:
    """``stat [-c form] paths``."""
    options, names = run.options("c:Lt")
    for name in names:
        try:
            node = run.container.files.node(name, run.cwd, follow="L" in options)
        except FileFault as fault:
            await run.complain(f"can't stat '{name}': {fault}")
            continue
        values = {"n": name, "s": str(node.size), "a": f"{node.mode:o}", "A": rights(node), "u": str(node.uid),
                  "U": USERS.get(node.uid, str(node.uid)), "g": str(node.gid), "G": USERS.get(node.gid, str(node.gid)),
                  "Y": str(int(node.mtime)), "F": {"-": "regular file", "d": "directory", "l": "symbolic link",
                                                   "c": "character special file"}[node.kind]}  # fmt: skip
        if "c" in options:
            await run.write(_formed(options["c"], values) + "\n")
            continue
        await run.write(f"  File: {name}\n  Size: {node.size}\t{values['F']}\n"
                        f"Access: ({node.mode:04o}/{rights(node)})  Uid: ({node.uid:5}/{values['U']:>8})   "
                        f"Gid: ({node.gid:5}/{values['G']:>8})\n"
                        f"Modify: {datetime.fromtimestamp(node.mtime, UTC):%Y-%m-%d %H:%M:%S}\n")  # fmt: skip
    return 0


def _formed(form: str, values: dict[str, str]) -> str:
    return re.sub("%([nsaAuUgGYF])", lambda match: values[match[1]], form)


@command("file", "what files are")
async def file(run: Run) -> int:
    """``file paths``."""
    for name in run.args:
        node = run.container.files.node(name, run.cwd)
        kind = {"d": "directory", "c": "character special"}.get(node.kind, "ASCII text" if node.size else "empty")
        await run.write(f"{name}: {'a program of the emulation' if isinstance(node, Program) else kind}\n")
    return 0


@command("du", "how much files take: -s -h")
async def du(run: Run) -> int:
    """``du [-s] [-h] paths``."""
    options, names = run.options("shakcd:m")

    def show(size: int) -> str:
        return short(size) if "h" in options and size >= 1024 else str(size if "h" in options else -(-size // 1024))

    for name in names or ["."]:
        sizes = dict[str, int]()
        try:
            async for inner, place, _ in walked(run, name):
                assert place.node is not None
                size = place.node.size if place.node.kind != "c" else 0
                above = inner
                while True:
                    if isinstance(place.node, Folder) or above != inner:
                        sizes[above] = sizes.get(above, 0) + size
                    if above == name or "/" not in above:
                        break
                    above = above.rpartition("/")[0] or "/"
                if inner == name and not isinstance(place.node, Folder):
                    sizes[name] = size
        except FileFault as fault:
            await run.complain(f"{name}: {fault}")
            continue
        for path, size in reversed(sizes.items()):
            if "s" not in options or path == name:
                await run.write(f"{show(size)}\t{path}\n")
    return 0


@command("df", "how full the file systems are: -h")
async def df(run: Run) -> int:
    """``df [-h] [paths]``."""
    options, names = run.options("hkTPi")
    files = run.container.files
    chosen = dict(files.mounts)
    if names:
        mounts = [files.there(name, run.cwd).mount for name in names]
        chosen = {path: mount for path, mount in files.mounts.items() if mount in mounts}
    rows = [("Filesystem", "Size" if "h" in options else "1K-blocks", "Used", "Available", "Use%", "Mounted on")]
    for path, mount in chosen.items():
        if mount.kind in ("proc", "sysfs"):
            continue
        space = mount.space or files.space
        size, used = max(1, space.limit // 1024), space.used // 1024
        numbers = [short(one * 1024) if "h" in options else str(one) for one in (size, used, size - used)]
        rows.append((mount.source, *numbers, f"{100 * used // size}%", path))  # type: ignore[arg-type]
    for row in rows:
        await run.write(f"{row[0]:20} {row[1]:>9} {row[2]:>9} {row[3]:>9} {row[4]:>4} {row[5]}\n")
    return 0
