"""Expands the words of a script: parameters, substitutions, sums, fields, names of files (POSIX.1-2017, XCU 2.6)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from notebook_mux.playground.shell import patterns
from notebook_mux.playground.shell.arithmetic import SumFault, evaluate
from notebook_mux.playground.shell.inodes import FileFault, Folder
from notebook_mux.playground.shell.nodes import Parameter, Part, Substitution, Sum, Text, Word

if TYPE_CHECKING:
    from notebook_mux.playground.shell.interpreter import Shell
    from notebook_mux.playground.shell.running import Streams

WORD_LIMIT = 256 * 1024
"""Characters of an expanded word."""

WORDS_LIMIT = 50_000
"""Fields of one command."""

MATCHES = 5_000
"""Names that a pattern stands for."""

BLANKS = " \t\n"


class Fault(Exception):
    """What a shell refuses, in its words; it ends the command."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Some of an expanded word.

    Args:
        quoted: Whether its characters are themselves.
        splits: Whether it is cut into fields.
        ends: Whether a field ends behind it: ``"$@"``.
    """

    text: str
    quoted: bool = False
    splits: bool = False
    ends: bool = False


async def text_of(shell: Shell, word: Word, streams: Streams) -> str:
    """A word as one text: a value, a file's name.

    Raises:
        Fault: It cannot be expanded.
    """
    return "".join(
        piece.text + (" " if piece.ends else "") for piece in await _pieces(shell, _tilde(shell, word), streams)
    )


async def pattern_of(shell: Shell, word: Word, streams: Streams) -> str:
    """A word as a pattern, in which what is quoted is itself.

    Raises:
        Fault: It cannot be expanded.
    """
    pieces = await _pieces(shell, word, streams)
    return "".join(patterns.escaped(piece.text) if piece.quoted else piece.text for piece in pieces)


async def fields_of(shell: Shell, words: Sequence[Word], streams: Streams) -> list[str]:
    """Words as the fields that a command gets.

    Raises:
        Fault: They cannot be expanded.
    """
    found, size = list[str](), 0
    for word in words:
        for field in _split(await _pieces(shell, _tilde(shell, word), streams), shell.get("IFS", BLANKS)):
            names = _names(shell, field)
            size += sum(map(len, names))
            found += names
            if len(found) > WORDS_LIMIT or size > 4 * WORD_LIMIT:
                raise Fault("argument list too long")
    return found


def _tilde(shell: Shell, word: Word) -> Word:
    if word and isinstance(word[0], Text) and not word[0].quoted and word[0].text.startswith("~"):
        name, slash, rest = word[0].text[1:].partition("/")
        if not name and (slash or len(word) == 1):
            return (Text(shell.get("HOME", "/"), True), Text(slash + rest), *word[1:])
    return word


async def _pieces(shell: Shell, word: Word, streams: Streams) -> list[Piece]:
    found = list[Piece]()
    for part in word:
        found += await _expanded(shell, part, streams)
        if sum(len(piece.text) for piece in found) > WORD_LIMIT:
            raise Fault("out of memory: a word is too long for the playground")
    return found


async def _expanded(shell: Shell, part: Part, streams: Streams) -> list[Piece]:
    if isinstance(part, Text):
        return [Piece(part.text, part.quoted)]
    if isinstance(part, Substitution):
        output = await shell.output_of(part.script, streams)
        return [Piece(output.rstrip("\n"), part.quoted, not part.quoted)]
    if isinstance(part, Sum):
        expression = await text_of(shell, part.expression, streams)
        try:
            return [Piece(str(evaluate(expression, shell.get, shell.set)), part.quoted)]
        except SumFault as fault:
            raise Fault(str(fault)) from None
    return await _parameter(shell, part, streams)


async def _parameter(shell: Shell, part: Parameter, streams: Streams) -> list[Piece]:
    name, operator = part.name, part.operator
    if name in "@*" and operator in ("", "slice"):
        args = shell.args
        if operator == "slice":
            begin, end = await _slice(shell, part, len(args) + 1, streams)
            args = [shell.name, *args][begin:end]
        if part.quoted and name == "*":
            return [Piece((shell.get("IFS", BLANKS) or " ")[:1].join(args), True)]
        ends = [Piece(arg, part.quoted, not part.quoted, at < len(args) - 1) for at, arg in enumerate(args)]
        return ends or ([Piece("", False)] if part.quoted else [])
    value = shell.value(name)
    if operator.startswith(":") and value == "":
        value = None
    if operator == "length":
        length = len(shell.args) if name in "@*" else len(value or "")
        return [Piece(str(length), part.quoted)]
    kind = operator.lstrip(":")
    if kind in ("-", "=", "?", "+") and operator:
        if (value is None) != (kind == "+"):
            return await _instead(shell, part, kind, streams)
        value = None if kind == "+" else value
    elif value is None and shell.options["u"] and name not in "@*":
        raise Fault(f"{name}: parameter not set")
    value = value or ""
    if operator in ("#", "##", "%", "%%"):
        pattern = await pattern_of(shell, part.argument, streams)
        await shell.container.effort.spend(patterns.units(value, pattern))
        value = patterns.trimmed(value, pattern, front=operator[0] == "#", longest=len(operator) == 2)
    elif operator == "slice":
        begin, end = await _slice(shell, part, len(value), streams)
        value = value[begin:end]
    elif operator in ("/", "//"):
        new = await text_of(shell, part.other or (), streams)
        pattern = await pattern_of(shell, part.argument, streams)
        await shell.container.effort.spend(patterns.units(value, pattern, min(len(value), patterns.REPLACED)))
        value = patterns.replaced(value, pattern, new, everywhere=operator == "//")
    return [Piece(value, part.quoted, not part.quoted)]


async def _instead(shell: Shell, part: Parameter, kind: str, streams: Streams) -> list[Piece]:
    """What stands for a parameter that is not set, or for one that is."""
    if kind == "?":
        said = await text_of(shell, part.argument, streams) or "parameter not set"
        raise Fault(f"{part.name}: {said}")
    if kind == "=":
        value = await text_of(shell, part.argument, streams)
        shell.set(part.name, value)
        return [Piece(value, part.quoted, not part.quoted)]
    pieces = await _pieces(shell, part.argument, streams)
    return [Piece(piece.text, piece.quoted or part.quoted, not (piece.quoted or part.quoted), piece.ends)
            for piece in pieces]  # fmt: skip


async def _slice(shell: Shell, part: Parameter, length: int, streams: Streams) -> tuple[int, int]:
    try:
        begin = evaluate(await text_of(shell, part.argument, streams) or "0", shell.get, shell.set)
        begin = max(0, begin + length) if begin < 0 else begin
        if part.other is None:
            return begin, length
        size = evaluate(await text_of(shell, part.other, streams) or "0", shell.get, shell.set)
    except SumFault as fault:
        raise Fault(str(fault)) from None
    return begin, max(begin, begin + size if size >= 0 else length + size)


Field = list[Piece]


def _split(pieces: list[Piece], separators: str) -> list[Field]:
    """Pieces as fields; quoted ones stay whole, and make a field even if they are empty."""
    fields, current, begun = list[Field](), list[Piece](), False

    def end() -> None:
        nonlocal current, begun
        if begun:
            fields.append(current)
        current, begun = [], False

    for piece in pieces:
        if not piece.splits or not separators:
            if piece.quoted or piece.text:
                current.append(piece)
                begun = True
        else:
            word = ""
            for char in piece.text:
                if char not in separators:
                    word += char
                    continue
                if word:
                    current.append(Piece(word))
                    begun, word = True, ""
                if char not in BLANKS:
                    begun = True  # a separator that is no blank ends a field even if it is empty
                end()
            if word:
                current.append(Piece(word))
                begun = True
        if piece.ends:
            end()
    end()
    return fields


def _names(shell: Shell, field: Field) -> list[str]:
    """The names of files that fit a field; the field itself if it is no pattern, or none fits."""
    plain = "".join(piece.text for piece in field)
    if shell.options["f"]:
        return [plain]
    pattern = "".join(
        patterns.escaped(piece.text) if piece.quoted else piece.text.replace("\\", "\\\\") for piece in field
    )
    if not patterns.is_pattern(pattern):
        return [plain]
    return globbed(shell, pattern) or [plain]


def globbed(shell: Shell, pattern: str) -> list[str]:
    """The names of files that fit a pattern, sorted.

    Raises:
        Fault: They are too many.
    """
    found = ["/" if pattern.startswith("/") else ""]
    parts = [one for one in pattern.split("/") if one]
    files, budget = shell.container.files, patterns.Budget()
    for at, part in enumerate(parts):
        following = list[str]()
        for before in found:
            if not patterns.is_pattern(part):
                following.append(before + patterns.unescaped(part))
                continue
            try:
                place = files.there(before or ".", shell.cwd)
                if not isinstance(place.node, Folder) or not files.may(place.node, 4):
                    continue
                names = [name for name, _ in files.entries(place)]
            except FileFault:
                continue
            hidden = part.startswith((".", "\\."))
            following += [before + name for name in names
                          if (hidden or not name.startswith(".")) and patterns.fits(name, part, budget)]  # fmt: skip
            if len(following) > MATCHES:
                raise Fault("argument list too long")
        last = at == len(parts) - 1
        found = following if last else [f"{one}/" for one in following]
    return sorted(one for one in found if one and _exists(shell, one))


def _exists(shell: Shell, path: str) -> bool:
    try:
        return shell.container.files.find(path, shell.cwd, follow=False).node is not None
    except FileFault:
        return False
