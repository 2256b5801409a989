"""Which libraries a program loads, read from its file as the loader reads it (elf(5), ld.so(8)); nothing is run.

Libraries are looked for where a loader looks that has no cache, which is so in a sandbox.
"""

from __future__ import annotations

import platform
import struct
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

MAGIC = b"\x7fELF"
IS_64_LITTLE = b"\x02\x01"
"""ELFCLASS64, ELFDATA2LSB: all machines that sandboxes are made on."""

LOAD, DYNAMIC, INTERPRETER = 1, 2, 3
NEEDED, STRINGS, RPATH, RUNPATH = 1, 5, 15, 29
HEADER_LIMIT = 1 << 20
"""Bytes of tables that are read."""


class NoElf(ValueError):
    """A file that is no program, or is damaged."""


@dataclass(frozen=True)
class Loaded:
    """What a program or library asks for.

    Args:
        interpreter: What loads it; empty for what is static, and for libraries.
        needed: Names of libraries.
        folders: Where it wants them to be looked for first.
    """

    interpreter: str
    needed: tuple[str, ...]
    folders: tuple[str, ...]


def folders() -> tuple[str, ...]:
    """Where a loader looks that has no cache: Debian's folders, Fedora's, and those of all."""
    triple = f"{platform.machine()}-linux-gnu"
    return (f"/lib/{triple}", f"/usr/lib/{triple}", "/lib64", "/usr/lib64", "/lib", "/usr/lib")


def closure(path: str) -> frozenset[str]:
    """All that a program loads, itself left out: paths as the loader finds them.

    Raises:
        NoElf: It is no program, or something that it loads is not there.
    """
    first = read(path)
    found = {first.interpreter} if first.interpreter else set[str]()
    todo = [(path, first)]
    while todo:
        whose, one = todo.pop()
        for name in one.needed:
            library = _find(name, whose, one)
            if library not in found:
                found.add(library)
                todo.append((library, read(library)))
    return frozenset(found)


def _find(name: str, whose: str, one: Loaded) -> str:
    here = str(Path(whose).parent)
    own = [folder.replace("$ORIGIN", here).replace("${ORIGIN}", here) for folder in one.folders]
    for path in [name] if "/" in name else [f"{folder}/{name}" for folder in (*own, *folders())]:
        try:
            read(path)
        except NoElf:
            continue
        return path
    raise NoElf(f"{whose} needs {name}, which is not there")


@lru_cache(maxsize=1024)
def read(path: str) -> Loaded:
    """What a file asks for.

    Raises:
        NoElf: It is no program for this machine.
    """
    try:
        with Path(path).open("rb") as file:
            head = file.read(64)
            if head[:4] != MAGIC or head[4:6] != IS_64_LITTLE:
                raise NoElf(path)
            at, = struct.unpack_from("<Q", head, 32)  # fmt: skip
            size, count = struct.unpack_from("<HH", head, 54)
            file.seek(at)
            table = file.read(min(size * count, HEADER_LIMIT))
            parts = [struct.unpack_from("<IIQQQQ", table, at * size) for at in range(count)]

            def content(kind: int) -> bytes:
                for what, _, offset, _, _, length in parts:
                    if what == kind:
                        file.seek(offset)
                        return file.read(min(length, HEADER_LIMIT))
                return b""

            interpreter = content(INTERPRETER).rstrip(b"\0").decode()
            entries = list(struct.iter_unpack("<QQ", content(DYNAMIC)))
            strings = next((value for tag, value in entries if tag == STRINGS), 0)
            start = next((offset + strings - address for what, _, offset, address, _, length in parts
                          if what == LOAD and address <= strings < address + length), 0)  # fmt: skip

            def text(value: int) -> str:
                file.seek(start + value)
                return file.read(4096).partition(b"\0")[0].decode()

            needed = tuple(text(value) for tag, value in entries if tag == NEEDED)
            wanted = [text(value) for tag, value in entries if tag in (RPATH, RUNPATH)]
    except (OSError, struct.error, UnicodeDecodeError, ValueError) as error:
        raise NoElf(f"{path}: {error}") from None
    return Loaded(interpreter, needed, tuple(one for folder in wanted for one in folder.split(":") if one))
