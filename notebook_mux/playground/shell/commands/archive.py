"""``tar``: what ``kubectl cp`` runs in a container, on files in memory."""

from __future__ import annotations

import io
import re
import tarfile

from notebook_mux.playground.shell.commands.finding import walked
from notebook_mux.playground.shell.commands.registry import command
from notebook_mux.playground.shell.inodes import File, FileFault, Folder, Link, Live, Program
from notebook_mux.playground.shell.running import WHOLE_LIMIT, Fail, Run
from notebook_mux.playground.shell.streams import PIECE

ENTRIES = 5_000
"""Files of one archive."""


@command("tar", "archives: cf, xf, tf, with z and -C")
async def tar(run: Run) -> int:
    """``tar c|x|t [v] [z] [m] f file [-C folder] paths``."""
    words = list(run.args)
    letters, names, archive, folder = "", list[str](), "-", run.cwd
    if words and not words[0].startswith("-"):
        words[0] = "-" + words[0]
    while words:
        word = words.pop(0)
        if word == "--":
            names += words
            break
        if word in ("--no-same-owner", "--no-same-permissions", "--warning=no-timestamp", "--overwrite"):
            continue
        if word.startswith("--") or not word.startswith("-") or word == "-":
            if word.startswith("--"):
                raise Fail(f"unrecognized option '{word}'")
            names.append(word)
            continue
        for at, letter in enumerate(word[1:], 1):
            if letter in "fC":
                value = word[at + 1 :] or (words.pop(0) if words else "")
                if letter == "f":
                    archive = value
                else:
                    folder = run.container.files.there(value, folder).path
                break
            letters += letter
    if unknown := re.sub("[cxtvzmpohkO]", "", letters):
        raise Fail(f"invalid option -- '{unknown[0]}'")
    if "c" in letters:
        return await _create(run, archive, folder, names, letters)
    if "x" in letters or "t" in letters:
        return await _extract(run, archive, folder, names, letters)
    raise Fail("must specify one of -c, -x, -t")


async def _create(run: Run, archive: str, folder: str, names: list[str], letters: str) -> int:
    if not names:
        raise Fail("empty archive")
    run.cwd = folder
    buffer, size = io.BytesIO(), 0
    with tarfile.open(fileobj=buffer, mode="w:gz" if "z" in letters else "w", format=tarfile.GNU_FORMAT) as made:
        for name in names:
            try:
                if name.startswith("/"):
                    await run.streams.stderr.write(b"tar: removing leading '/' from member names\n")
                async for inner, place, _ in walked(run, name):
                    node = place.node
                    info = tarfile.TarInfo(inner.lstrip("/") or ".")
                    assert node is not None
                    info.mode, info.mtime, info.uid, info.gid = node.mode, int(node.mtime), node.uid, node.gid
                    data = b""
                    if isinstance(node, Folder):
                        info.type = tarfile.DIRTYPE
                    elif isinstance(node, Link):
                        info.type, info.linkname = tarfile.SYMTYPE, node.target
                    elif isinstance(node, File | Live | Program):
                        run.container.files.check(node, 4)
                        data = node.content()
                        info.size = len(data)
                    else:
                        continue
                    size += len(data) + tarfile.BLOCKSIZE
                    if size > WHOLE_LIMIT:
                        raise Fail("out of memory: the playground's archives are small")
                    await run.spend(1 + len(data) / 1024)
                    made.addfile(info, io.BytesIO(data))
                    if "v" in letters:
                        await run.streams.stderr.write(f"{inner}\n".encode("utf-8", "surrogateescape"))
            except FileFault as fault:
                await run.complain(f"{name}: {fault}")
    if archive == "-":
        await run.write(buffer.getvalue())
    else:
        run.container.files.write(archive, buffer.getvalue(), run.cwd)
    return 0


async def _extract(run: Run, archive: str, folder: str, names: list[str], letters: str) -> int:
    if archive == "-":
        data = await run.everything(run.streams.stdin)
    else:
        data = run.container.files.read(archive, run.cwd)
    try:
        with tarfile.open(fileobj=io.BytesIO(await _plain(run, data)), mode="r:") as found:
            for count, info in enumerate(found):
                if count >= ENTRIES:
                    raise Fail("too many files for the playground")
                await run.spend(1 + min(info.size, WHOLE_LIMIT) / 1024)
                if names and not any(
                    info.name == name or info.name.startswith(f"{name.rstrip('/')}/") for name in names
                ):
                    continue
                if "t" in letters:
                    await run.write(f"{info.name}{'/' if info.isdir() else ''}\n")
                    continue
                if "v" in letters:
                    await run.write(f"{info.name}\n")
                _unpack(run, folder, info, found, letters)
    except (tarfile.TarError, EOFError, OSError) as error:
        raise Fail(f"short read: {error}" if not data else "invalid tar magic") from None
    return 0


async def _plain(run: Run, data: bytes) -> bytes:
    """An archive unpacked from gzip, as far as the limit goes."""
    import zlib

    if data[:2] != b"\x1f\x8b":
        return data
    unpacker, found = zlib.decompressobj(31), bytearray()
    while data and not unpacker.eof:
        found += unpacker.decompress(data, PIECE)
        data = unpacker.unconsumed_tail
        await run.spend(PIECE / 1024)
        if len(found) > WHOLE_LIMIT:
            raise Fail("out of memory: the playground's archives are small")
    return bytes(found)


def _unpack(run: Run, folder: str, info: tarfile.TarInfo, archive: tarfile.TarFile, letters: str) -> None:
    """One entry, below the folder and nowhere else."""
    parts = [part for part in info.name.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise Fail(f"name with '..' is not taken: {info.name}")
    files = run.container.files
    path = f"{folder.rstrip('/')}/{'/'.join(parts)}"
    if not parts or info.isdir():
        files.make_folder(path, mode=info.mode & 0o777, parents=True)
        return
    if info.issym():
        place = files.find_with_parents(path)
        place = files.find(path, follow=False)
        if place.node is not None and not isinstance(place.node, Folder):
            files.remove(place)
            place.node = None
        files.add(place, Link(info.linkname))
    elif info.isreg():
        content = archive.extractfile(info)
        data = content.read(WHOLE_LIMIT) if content is not None else b""
        if "O" in letters:
            return
        files.find_with_parents(path)
        files.write(path, data, mode=info.mode & 0o777)
        if "m" not in letters:
            files.node(path).mtime = float(info.mtime)
