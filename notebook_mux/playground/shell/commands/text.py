"""Programs of text: ``cat``, ``head``, ``tail``, ``wc``, ``sort``, ``uniq``, ``cut``, ``tr``, ``tee`` and more."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import random
import re
from collections import deque
from collections.abc import AsyncIterator

from notebook_mux.playground.shell.commands.registry import command
from notebook_mux.playground.shell.inodes import File, FileFault
from notebook_mux.playground.shell.patterns import CLASSES
from notebook_mux.playground.shell.running import Fail, FileSource, Run
from notebook_mux.playground.shell.streams import PIECE, Sink, Source, lines

LOOK_S = 0.3
"""How often ``tail -f`` looks whether a file has grown."""

SEQUENCE = 1_000_000
"""Numbers of one ``seq``."""

SORTED = 100_000
"""Lines that ``sort`` takes: a few tenths of a second, in which nothing else has its turn."""

COMPARED = 1_000
"""Lines of a file that ``diff`` takes."""

KEPT = 20_000
"""Lines that ``tail`` keeps."""


def decoded(data: bytes) -> str:
    """Bytes as text, so that they can be bytes again."""
    return data.decode("utf-8", "surrogateescape")


@command("cat", "files, one after the other")
async def cat(run: Run) -> int:
    """``cat [-n] files``."""
    options, names = run.options("nbvetAu")
    number = 0
    async for _, source in _opened(run, names):
        if "n" not in options and "b" not in options:
            while piece := await source.read():
                await run.write(piece)
            continue
        async for line in lines(source):
            number += 1
            await run.write(f"{number:6d}\t".encode() + line)
    return 0


async def _opened(run: Run, names: list[str]) -> AsyncIterator[tuple[str, Source]]:
    """The files of these names, with busybox's words for what is not there."""
    for name in names or ["-"]:
        if name == "-":
            yield name, run.streams.stdin
            continue
        try:
            source = run.open_source(name)
        except FileFault as fault:
            await run.complain(f"can't open '{name}': {fault}" if fault.number != 21 else f"read error: {fault}")
            continue
        yield name, source
        source.close()


@command("tac", "the lines of files, the last first")
async def tac(run: Run) -> int:
    """``tac files``."""
    async for _, source in _opened(run, run.args):
        data = await run.everything(source)
        await run.write(b"".join(reversed(data.splitlines(keepends=True))))
    return 0


@command("rev", "lines backwards")
async def rev(run: Run) -> int:
    """``rev files``."""
    async for _, source in _opened(run, run.args):
        async for line in lines(source):
            await run.write(decoded(line).rstrip("\n")[::-1] + "\n")
    return 0


def _counts(run: Run) -> list[str]:
    """``-5`` as ``-n 5``."""
    return [("-n" + arg[1:] if re.fullmatch(r"-\d+", arg) else arg) for arg in run.args]


@command("head", "the first lines: -n 5, -c 5")
async def head(run: Run) -> int:
    """``head [-n lines] [-c bytes] files``."""
    run.args = _counts(run)
    options, names = run.options("n:c:qv")
    counts = run.whole(options.get("c", options.get("n", "10")).lstrip("-"))
    back = options.get("n", "").startswith("-")
    async for name, source in _opened(run, names):
        if len(names) > 1 and "q" not in options:
            await run.write(f"{'' if name == names[0] else chr(10)}==> {name} <==\n")
        if "c" in options:
            left = counts
            while left > 0 and (piece := await source.read(min(left, PIECE))):
                left -= len(piece)
                await run.write(piece)
        elif back:
            data = (await run.everything(source)).splitlines(keepends=True)
            await run.write(b"".join(data[: len(data) - counts]))
        else:
            left = counts
            while left > 0 and (line := await source.read_line()):
                left -= 1
                await run.write(line)
    return 0


@command("tail", "the last lines: -n 5, -f to follow")
async def tail(run: Run) -> int:
    """``tail [-n lines] [-c bytes] [-f] files``."""
    run.args = _counts(run)
    options, names = run.options("n:c:fFqvs:", "follow")
    given = options.get("c", options.get("n", "10"))
    from_start = given.startswith("+")
    count = run.whole(given.lstrip("+-"))
    last: Source | None = None
    async for name, source in _opened(run, names):
        if len(names) > 1 and "q" not in options:
            await run.write(f"{'' if name == names[0] else chr(10)}==> {name} <==\n")
        last = source
        if from_start:
            data = await run.everything(source)
            parts = [data[count - 1 :]] if "c" in options else data.splitlines(keepends=True)[max(0, count - 1) :]
            await run.write(b"".join(parts))
        elif "c" in options:
            await run.write((await run.everything(source))[-count:] if count else b"")
        else:
            kept = deque[bytes](maxlen=min(count, KEPT))
            async for line in lines(source):
                await run.spend(0.05)
                kept.append(line)
            await run.write(b"".join(kept))
    if ({"f", "F", "follow"} & set(options)) and (isinstance(last, FileSource) or names):
        while last is not None:
            if piece := await last.read():
                await run.write(piece)
            else:
                await asyncio.sleep(LOOK_S)
    return 0


@command("tee", "to files and on")
async def tee(run: Run) -> int:
    """``tee [-a] files``."""
    options, names = run.options("ai")
    sinks = list[Sink]()
    for name in names:
        try:
            sinks.append(run.open_sink(name, append="a" in options))
        except FileFault as fault:
            await run.complain(f"{name}: {fault}")
    while piece := await run.streams.stdin.read():
        for sink in sinks:
            await sink.write(piece)
        await run.write(piece)
    return 0


@command("wc", "lines, words, bytes")
async def wc(run: Run) -> int:
    """``wc [-l] [-w] [-c] files``."""
    options, names = run.options("lwcmL")
    chosen = [flag for flag in "lwcm" if flag in options] or ["l", "w", "c"]
    rows, total = list[tuple[list[int], str]](), dict.fromkeys("lwcm", 0)
    async for name, source in _opened(run, names):
        found, inside = dict.fromkeys("lwcm", 0), False
        while piece := await source.read():
            await run.spend(len(piece) / 1024)
            found["l"] += piece.count(b"\n")
            words = len(piece.split())
            found["w"] += words - (inside and words > 0 and not piece[:1].isspace())
            inside = not piece[-1:].isspace()
            found["c"] += len(piece)
            found["m"] += sum(byte & 0xC0 != 0x80 for byte in piece)
        rows.append(([found[flag] for flag in chosen], "" if name == "-" else name))
        total = {flag: total[flag] + found[flag] for flag in total}
    if len(rows) > 1:
        rows.append(([total[flag] for flag in chosen], "total"))
    for counts, name in rows:
        plain = len(counts) == 1
        shown = str(counts[0]) if plain else " ".join(f"{count:9d}" for count in counts)
        await run.write(f"{shown} {name}".rstrip() + "\n")
    return 0


@command("sort", "lines in order: -n -r -u -k 2 -t ,")
async def sort(run: Run) -> int:
    """``sort [-nrufhV] [-k field] [-t separator] files``."""
    options, names = run.options("nrufhVbdsk:t:o:")
    data = bytearray()
    async for _, source in _opened(run, names):
        data += await run.everything(source)
        if data and not data.endswith(b"\n"):
            data += b"\n"
    rows = decoded(bytes(data)).splitlines()
    key_spec, separator = options.get("k", ""), options.get("t")
    match = re.match(r"(\d+)(?:\.\d+)?([a-z]*)(?:,(\d+)([a-z]*))?", key_spec)
    flags = set(options) | set((match[2] or "") + (match[4] or "") if match else "")

    def field(row: str) -> str:
        if match is None:
            return row
        parts = row.split(separator) if separator else row.split()
        first, last = int(match[1][:6]) - 1, int(match[3][:6]) if match[3] else len(parts)
        return (separator or " ").join(parts[first:last])

    def key(row: str) -> tuple[float, str]:
        text = field(row)
        if "n" in flags or "h" in flags:
            number = re.match(r"\s*(-?\d{0,300}\.?\d*)([KMGT]?)", text)
            try:
                value = float(number[1]) if number else 0.0
            except ValueError:
                value = 0.0
            scale = {"K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}.get(number[2] if number and "h" in flags else "", 1.0)
            return value * scale, ""
        return 0.0, text.lower() if "f" in flags else text

    if len(rows) > SORTED:
        raise Fail("out of memory")
    await run.spend(len(rows) / 20)
    rows.sort(key=lambda row: (key(row), "" if "s" in flags else row), reverse="r" in flags)
    if "u" in options:
        rows = [row for at, row in enumerate(rows) if at == 0 or key(row) != key(rows[at - 1])]
    text = "".join(f"{row}\n" for row in rows)
    if "o" in options:
        run.container.files.write(options["o"], text.encode("utf-8", "surrogateescape"), run.cwd)
    else:
        await run.write(text)
    return 0


@command("uniq", "without lines that stand twice: -c -d -u")
async def uniq(run: Run) -> int:
    """``uniq [-c] [-d] [-u] [file]``."""
    options, names = run.options("cdui")
    before: bytes | None = None
    count = 0

    async def tell() -> None:
        if before is None or ("d" in options and count < 2) or ("u" in options and count > 1):
            return
        await run.write((f"{count:7d} ".encode() if "c" in options else b"") + before + b"\n")

    async for _, source in _opened(run, names[:1]):
        async for line in lines(source):
            await run.spend(0.05)
            line = line.rstrip(b"\n")
            if before is not None and (line == before or ("i" in options and line.lower() == before.lower())):
                count += 1
                continue
            await tell()
            before, count = line, 1
    await tell()
    return 0


def ranges(text: str) -> list[tuple[int, int]]:
    """``1,3-5,7-`` as spans that begin at 0.

    Raises:
        Fail: It is none.
    """
    found = list[tuple[int, int]]()
    for part in text.split(","):
        match = re.fullmatch(r"(\d{0,6})(-?)(\d{0,6})", part)
        if not match or not (match[1] or match[3]):
            raise Fail(f"invalid range: {text}")
        first = int(match[1] or 1) - 1
        last = int(match[3]) if match[3] else (first + 1 if not match[2] else 10**7)
        found.append((max(0, first), last))
    return sorted(found)


@command("cut", "parts of lines: -d : -f 1,3  -c 1-5")
async def cut(run: Run) -> int:
    """``cut [-d separator] [-f fields] [-c characters] files``."""
    options, names = run.options("d:f:c:b:sn")
    given = options.get("f") or options.get("c") or options.get("b")
    if given is None:
        raise Fail("expected a list of bytes, characters, or fields")
    spans, separator = ranges(given), options.get("d", "\t") or "\t"
    async for _, source in _opened(run, names):
        async for line in lines(source):
            await run.spend(0.05)
            text = decoded(line).rstrip("\n")
            if "f" in options:
                if separator not in text:
                    if "s" not in options:
                        await run.write(f"{text}\n")
                    continue
                parts = text.split(separator)
                chosen = [part for at, part in enumerate(parts) if any(a <= at < b for a, b in spans)]
                await run.write(separator.join(chosen) + "\n")
            else:
                await run.write("".join(text[a:b] for a, b in spans) + "\n")
    return 0


def characters(text: str) -> list[str]:
    """A set of ``tr``: ranges and classes as characters."""
    text = re.sub(r"\\(.)", lambda match: {"n": "\n", "t": "\t", "r": "\r", "0": "\0"}.get(match[1], match[1]), text)
    found, at = list[str](), 0
    while at < len(text) and len(found) < 4096:
        if text.startswith("[:", at) and (end := text.find(":]", at)) > 0 and text[at + 2 : end] in CLASSES:
            found += [chr(code) for code in range(128) if CLASSES[text[at + 2 : end]](chr(code))]
            at = end + 2
        elif text[at + 1 : at + 2] == "-" and at + 2 < len(text):
            found += [chr(code) for code in range(ord(text[at]), min(ord(text[at + 2]), ord(text[at]) + 1024) + 1)]
            at += 3
        else:
            found.append(text[at])
            at += 1
    return found


@command("tr", "other characters: tr a-z A-Z, tr -d x, tr -s ' '")
async def tr(run: Run) -> int:
    """``tr [-c] [-d] [-s] from to``."""
    options, sets = run.options("cCds")
    if not sets:
        raise Fail("missing operand")
    old = characters(sets[0])
    new = characters(sets[1]) if len(sets) > 1 else []
    keeps = "c" in options or "C" in options
    old_set, squeezed = set(old), set(new or old) if "s" in options else set[str]()
    table = dict(zip(old, new + new[-1:] * max(0, len(old) - len(new)), strict=False)) if new else {}
    last, rest = "", b""
    while piece := await run.streams.stdin.read():
        whole = rest + piece
        keep = 0
        while keep < min(3, len(whole)) and whole[-1 - keep] & 0xC0 == 0x80:
            keep += 1
        rest = b""
        if keep and whole[-1 - keep] >= 0xC0 and keep < 3:
            whole, rest = whole[: -1 - keep], whole[-1 - keep :]
        found = list[str]()
        for char in decoded(whole):
            chosen = (char in old_set) != keeps
            if "d" in options and chosen:
                continue
            new_char = (new[-1] if keeps else table.get(char, char)) if chosen and new and "d" not in options else char
            if squeezed and new_char == last and (new_char in squeezed or (keeps and chosen)):
                continue
            last = new_char
            found.append(new_char)
        await run.spend(len(whole) / 512)
        await run.write("".join(found))
    await run.write(rest)
    return 0


@command("seq", "numbers: seq 5, seq 2 2 10")
async def seq(run: Run) -> int:
    """``seq [first [step]] last``."""
    options, words = run.options("ws:") if not any(re.fullmatch(r"-\d+", one) for one in run.args) else ({}, run.args)
    numbers = [run.whole(word, -1) for word in words]
    if not 1 <= len(numbers) <= 3:
        raise Fail("usage: seq [-w] [-s SEP] [FIRST [INC]] LAST")
    first, step = (numbers[0] if len(numbers) > 1 else 1), (numbers[1] if len(numbers) > 2 else 1)
    if step == 0:
        raise Fail("increment must not be zero")
    values = range(first, numbers[-1] + (1 if step > 0 else -1), step)[:SEQUENCE]
    width = max(len(str(values[0])), len(str(values[-1]))) if values and "w" in options else 0
    separator = options.get("s", "\n")
    for at in range(0, len(values), 1000):
        text = separator.join(f"{value:0{width}d}" for value in values[at : at + 1000])
        await run.write(text + ("\n" if at + 1000 >= len(values) else separator))
    return 0


@command("yes", "a word, for ever")
async def yes(run: Run) -> int:
    """``yes [words]``."""
    line = (" ".join(run.args) or "y") + "\n"
    piece = line * max(1, 4096 // len(line))
    while True:
        await run.write(piece)


@command("shuf", "lines in any order")
async def shuf(run: Run) -> int:
    """``shuf [-n number] [file]``."""
    options, names = run.options("n:e")
    async for _, source in _opened(run, names[:1]):
        rows = (await run.everything(source)).splitlines(keepends=True)
        random.shuffle(rows)
        await run.write(b"".join(rows[: run.whole(options["n"])] if "n" in options else rows))
    return 0


@command("base64", "to and from base64")
async def base64_(run: Run) -> int:
    """``base64 [-d] [-w columns] [file]``."""
    options, names = run.options("dw:", "decode")
    async for _, source in _opened(run, names[:1]):
        data = await run.everything(source)
        if "d" in options or "decode" in options:
            try:
                await run.write(base64.b64decode(b"".join(data.split()), validate=True))
            except ValueError:
                raise Fail("truncated input") from None
            continue
        text = base64.b64encode(data).decode()
        width = run.whole(options.get("w", "76")) or len(text) or 1
        for begin in range(0, len(text), 1000 * width):  # in pieces: a column alone makes a line of each character
            piece = text[begin : begin + 1000 * width]
            await run.write("".join(f"{piece[at : at + width]}\n" for at in range(0, len(piece), width)))
    return 0


def _sums(name: str) -> None:
    async def summed(run: Run) -> int:
        async for label, source in _opened(run, run.args):
            digest = hashlib.new(name, usedforsecurity=False)
            while piece := await source.read():
                digest.update(piece)
                await run.spend(len(piece) / 1024)
            await run.write(f"{digest.hexdigest()}  {label}\n")
        return 0

    command(f"{name}sum", f"{name} of files")(summed)


for _name in ("md5", "sha1", "sha256", "sha512"):
    _sums(_name)


@command("od", "bytes as numbers")
async def od(run: Run) -> int:
    """``od [-c] [-x] [file]``; the same as ``hexdump -C``."""
    names = [arg for arg in run.args if not arg.startswith("-")]
    at = 0
    async for _, source in _opened(run, names[:1]):
        data = await run.everything(source)
        for at in range(0, len(data), 16):
            row = data[at : at + 16]
            shown = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in row)
            await run.write(f"{at:08x}  {' '.join(f'{byte:02x}' for byte in row):47}  |{shown}|\n")
        await run.write(f"{len(data):08x}\n")
    return 0


@command("hexdump", "bytes as numbers")
async def hexdump(run: Run) -> int:
    """``hexdump -C [file]``."""
    return await od(run)


@command("diff", "whether two files differ, and where")
async def diff(run: Run) -> int:
    """``diff [-u] [-q] one other``."""
    import difflib

    options, names = run.options("uqbBwr")
    if len(names) != 2:
        raise Fail("missing operand", 2)
    texts = list[list[str]]()
    for name in names:
        try:
            node = run.container.files.node(name, run.cwd)
            if isinstance(node, File) and node.size > 256 * 1024:
                raise Fail(f"{name}: too big for the playground", 2)
            texts.append(decoded(run.container.files.read(name, run.cwd)).splitlines(keepends=True))
        except FileFault as fault:
            raise Fail(f"can't stat '{name}': {fault}", 2) from None
    if texts[0] == texts[1]:
        return 0
    if max(map(len, texts)) > COMPARED:
        raise Fail("too many lines for the playground", 2)
    if "q" in options:
        await run.write(f"Files {names[0]} and {names[1]} differ\n")
    else:
        await run.write("".join(difflib.unified_diff(texts[0], texts[1], names[0], names[1])))
    return 1
