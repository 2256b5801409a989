"""Reads the words of a shell script: quotes, ``$``, command substitutions (POSIX.1-2017, XCU 2.2 and 2.6)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from notebook_mux.playground.shell.nodes import Parameter, Part, Script, Substitution, Sum, Text, Word

if TYPE_CHECKING:
    from notebook_mux.playground.shell.parser import Parser

BARE = re.compile(r"[^\s;&|()<>'\"\\$`]+")
IN_QUOTES = re.compile(r'[^"\\$`]+')
NAME = re.compile(r"[A-Za-z_]\w*|[0-9]|[@*#?$!-]", re.ASCII)
BRACED_NAME = re.compile(r"[A-Za-z_]\w*|[0-9]+|[@*#?$!-]", re.ASCII)
OPERATOR = re.compile(r":?[-=+?]|##?|%%?|//?|:")
ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", "'": "'", '"': '"', "a": "\a", "e": "\x1b", "0": "\0"}


class SyntaxFault(Exception):
    """A script that is none, in a shell's words."""


class Incomplete(SyntaxFault):
    """A script that may become one with more lines."""


def word(parser: Parser) -> Word | None:
    """The word that begins here; None where none does."""
    parts = list[Part]()
    begun = False
    while parser.at < len(parser.text):
        char = parser.text[parser.at]
        if match := BARE.match(parser.text, parser.at):
            parser.at = match.end()
            parts.append(Text(match[0]))
        elif char == "'":
            parts.append(Text(_upto_quote(parser, parser.at + 1), True))
        elif char == '"':
            parser.at += 1
            inner = quoted(parser, '"')
            parts += inner or (Text("", True),)
        elif char == "\\":
            if parser.text.startswith("\\\n", parser.at):
                parser.at += 2
                continue
            if parser.at + 1 >= len(parser.text):
                raise Incomplete("unexpected end of file")
            parts.append(Text(parser.text[parser.at + 1], True))
            parser.at += 2
        elif parser.text.startswith("$'", parser.at):
            raw = _upto_quote(parser, parser.at + 2)
            said = re.sub(r"\\(.)", lambda match: ESCAPES.get(match[1], match[0]), raw, flags=re.DOTALL)
            parts.append(Text(said, True))
        elif char in "$`":
            parts.append(_expansion(parser, quoted=False))
        else:
            break
        begun = True
    return tuple(parts) if begun else None


def quoted(parser: Parser, end: str) -> list[Part]:
    """The parts of a text between double quotes, or up to another end; the end is passed over."""
    parts = list[Part]()
    while True:
        if parser.at >= len(parser.text):
            if not end:
                return parts
            raise Incomplete("unterminated quoted string")
        char = parser.text[parser.at]
        if end and char == end:
            parser.at += 1
            return parts
        if char == "\\":
            following = parser.text[parser.at + 1 : parser.at + 2]
            if following and following in f"$`\\\n{end or ''}":
                parts.append(Text("" if following == "\n" else following, True))
                parser.at += 2
            else:
                parts.append(Text("\\", True))
                parser.at += 1
        elif char in "$`":
            parts.append(_expansion(parser, quoted=True))
        elif match := IN_QUOTES.match(parser.text, parser.at):
            piece = match[0] if end == '"' or end == "" else match[0].partition(end)[0]
            parser.at += len(piece)
            parts.append(Text(piece, True))
        else:
            parts.append(Text(char, True))
            parser.at += 1


def document(text: str, depth: int) -> Word:
    """The text of a here-document."""
    return tuple(quoted(_inner(text, depth), ""))


def _inner(text: str, depth: int) -> Parser:
    from notebook_mux.playground.shell.parser import DEPTH, Parser

    if depth > DEPTH:
        raise SyntaxFault("too many commands within commands")
    return Parser(text, depth=depth + 1)


def _upto_quote(parser: Parser, begin: int) -> str:
    end = parser.text.find("'", begin)
    while end > begin and parser.text.startswith("$'", begin - 2) and parser.text[end - 1] == "\\":
        end = parser.text.find("'", end + 1)
    if end < 0:
        raise Incomplete("unterminated quoted string")
    parser.at = end + 1
    return parser.text[begin:end]


def _expansion(parser: Parser, *, quoted: bool) -> Part:
    text, at = parser.text, parser.at
    if text[at] == "`":
        end = at + 1
        while end < len(text) and text[end] != "`":
            end += 2 if text[end] == "\\" else 1
        if end >= len(text):
            raise Incomplete("EOF in backquote substitution")
        parser.at = end + 1
        inside = re.sub(r"\\([`\\$])", r"\1", text[at + 1 : end])
        return Substitution(_whole(inside, parser.depth), quoted)
    if text.startswith("$((", at) and (found := _sum(parser, at + 3, quoted)) is not None:
        return found
    if text.startswith("$(", at):
        parser.at = at + 2
        script = parser.script((")",))
        parser.take(")")
        return Substitution(script, quoted)
    if text.startswith("${", at):
        parser.at = at + 2
        return _braced(parser, quoted)
    if match := NAME.match(text, at + 1):
        parser.at = match.end()
        return Parameter(match[0], quoted=quoted)
    parser.at = at + 1
    return Text("$", quoted)


def _whole(text: str, depth: int) -> Script:
    inner = _inner(text, depth)
    script = inner.script(())
    if inner.at < len(inner.text):
        raise SyntaxFault('unexpected ")"')
    return script


def _sum(parser: Parser, begin: int, is_quoted: bool) -> Sum | None:
    """``$((...))``; None where the parentheses are of a subshell in a substitution."""
    level, at, text = 0, begin, parser.text
    while at < len(text):
        if text.startswith("))", at) and level == 0:
            parser.at = at + 2
            return Sum(tuple(quoted(_inner(text[begin:at], parser.depth), "")), is_quoted)
        level += {"(": 1, ")": -1}.get(text[at], 0)
        if level < 0:
            return None
        at += 1
    raise Incomplete("unexpected end of file")


def _braced(parser: Parser, is_quoted: bool) -> Part:
    """``${...}``, behind its brace."""
    text = parser.text
    if text.startswith("#", parser.at) and (match := re.compile(r"#([A-Za-z_]\w*|[0-9@*]+)\}").match(text, parser.at)):
        parser.at = match.end()
        return Parameter(match[1], "length", quoted=is_quoted)
    match = BRACED_NAME.match(text, parser.at)
    if match is None:
        raise SyntaxFault("bad substitution")
    parser.at = match.end()
    name = match[0]
    if parser.at >= len(text):
        raise Incomplete("unexpected end of file")
    if text[parser.at] == "}":
        parser.at += 1
        return Parameter(name, quoted=is_quoted)
    match = OPERATOR.match(text, parser.at)
    if match is None:
        raise SyntaxFault("bad substitution")
    parser.at = match.end()
    operator = "slice" if match[0] == ":" else match[0]
    ends = {"slice": ":", "/": "/", "//": "/"}.get(operator, "")
    argument, ended = _argument(parser, ends, is_quoted)
    other = None
    if ended == ends and ends:
        other, _ = _argument(parser, "", is_quoted)
    return Parameter(name, operator, argument, other, is_quoted)


def _argument(parser: Parser, end: str, is_quoted: bool) -> tuple[Word, str]:
    """A word up to the closing brace or another end, and which it was."""
    parts = list[Part]()
    while parser.at < len(parser.text):
        char = parser.text[parser.at]
        if char == "}" or (end and char == end):
            parser.at += 1
            return tuple(parts), char
        if char == "'" and not is_quoted:
            parts.append(Text(_upto_quote(parser, parser.at + 1), True))
        elif char == '"':
            parser.at += 1
            parts += quoted(parser, '"') or [Text("", True)]
        elif char == "\\":
            parts.append(Text(parser.text[parser.at + 1 : parser.at + 2], True))
            parser.at += 2
        elif char in "$`":
            parts.append(_expansion(parser, quoted=is_quoted))
        else:
            parts.append(Text(char, is_quoted))
            parser.at += 1
    raise Incomplete("unexpected end of file")
