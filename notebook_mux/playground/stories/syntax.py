"""Small shell scripts as trees: lists of commands, loops, words. What is not understood is refused as a whole."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

TOKEN = re.compile(
    r"""
    (?P<space>[ \t]+ | \\\n)
    | (?P<comment>(?<![^\s;&|]) \#[^\n]*)
    | (?P<stream>[12]?>&[12])
    | (?P<op>&& | \|\| | ; | \n)
    | '(?P<literal>[^']*)'
    | "(?P<quoted>(?:\\.|[^"\\])*)"
    | (?P<bare>(?:\$\(\([^()]*(?:\([^()]*\)[^()]*)*\)\) | \$\([^()]*\) | \\. | [^\s;&|<>()'"\\`])+)
    """,
    re.VERBOSE | re.DOTALL,
)
"""Where none fits, there is something that is not understood: a pipe, a file, a job in the background."""

Part = tuple[str, bool]
"""A text, and whether ``$`` means something in it."""

Word = tuple[Part, ...]


class NotUnderstood(Exception):
    """A script that is more than this knows."""


@dataclass(frozen=True, slots=True)
class Command:
    """A simple command."""

    words: tuple[Word, ...]


@dataclass(frozen=True, slots=True)
class Loop:
    """``while`` and ``until``; `wanted` is the condition's outcome with which it goes on."""

    condition: Listing
    wanted: bool
    body: Listing


@dataclass(frozen=True, slots=True)
class For:
    """``for name in words``."""

    name: str
    words: tuple[Word, ...]
    body: Listing


@dataclass(frozen=True, slots=True)
class Listing:
    """Commands one after the other, each with what stands before it: ``;``, ``&&`` or ``||``."""

    items: tuple[tuple[str, Command | Loop | For], ...]


def parse(text: str) -> Listing:
    """A script as a tree.

    Raises:
        NotUnderstood: It uses more than is known here.
    """
    parser = _Parser(list(_tokens(text)))
    found = parser.listing(())
    if parser.tokens:
        raise NotUnderstood(text)
    return found


def word_of(text: str) -> Word:
    """A word that is taken as it is."""
    return ((text, False),)


def _tokens(text: str) -> Iterator[str | Word]:
    """Words, and operators as texts."""
    parts, at = list[Part](), 0
    while at < len(text):
        match = TOKEN.match(text, at)
        if match is None:
            raise NotUnderstood(text)
        at, kind = match.end(), match.lastgroup
        if kind == "literal":
            parts.append((match["literal"], False))
        elif kind == "quoted":
            parts.append((re.sub(r'\\([$`"\\])', _unescaped, match["quoted"]), True))
        elif kind == "bare":
            parts.append((re.sub(r"\\(.)", _unescaped, match["bare"]), True))
        else:
            if parts:
                yield tuple(parts)
                parts = []
            if kind == "op":
                yield ";" if match["op"] == "\n" else match["op"]
    if parts:
        yield tuple(parts)


def _unescaped(match: re.Match[str]) -> str:
    """What a backslash stood before; a dollar that means nothing becomes one that no expansion sees."""
    return DOLLAR if match[1] == "$" else match[1]


DOLLAR = "\ufdd0"
"""Stands for an escaped ``$`` until words are expanded: a code point that no text has."""


class _Parser:
    def __init__(self, tokens: list[str | Word]):
        self.tokens = tokens

    def listing(self, ends: tuple[str, ...]) -> Listing:
        """Commands until one of the ends, which stays."""
        items = list[tuple[str, Command | Loop | For]]()
        before = ";"
        while self.tokens:
            token = self.tokens[0]
            if isinstance(token, str):
                if token != ";" and (before != ";" or not items):
                    raise NotUnderstood(token)
                before = token if token != ";" or before == ";" else before
                self.tokens.pop(0)
                continue
            if self._keyword() in ends:
                break
            items.append((before, self._command()))
            before = ";"
        if before != ";" or (ends and not self.tokens):
            raise NotUnderstood("an end is missing")
        return Listing(tuple(items))

    def _keyword(self) -> str:
        token = self.tokens[0] if self.tokens else ""
        return token[0][0] if isinstance(token, tuple) and len(token) == 1 and token[0][1] else ""

    def _take(self, *words: str) -> None:
        for word in words:
            while self.tokens and self.tokens[0] == ";" and word != ";":
                self.tokens.pop(0)
            if self._keyword() != word:
                raise NotUnderstood(word)
            self.tokens.pop(0)

    def _command(self) -> Command | Loop | For:
        keyword = self._keyword()
        if keyword in ("while", "until"):
            self._take(keyword)
            condition = self.listing(("do",))
            return Loop(condition, keyword == "while", self._body())
        if keyword == "for":
            self._take("for")
            name = self._keyword()
            self._take(name, "in")
            return For(name, self._words(), self._body())
        if keyword in REFUSED:
            raise NotUnderstood(keyword)
        return Command(self._words())

    def _body(self) -> Listing:
        self._take("do")
        body = self.listing(("done",))
        self._take("done")
        return body

    def _words(self) -> tuple[Word, ...]:
        words = list[Word]()
        while self.tokens and isinstance(self.tokens[0], tuple):
            words.append(self.tokens.pop(0))  # type: ignore[arg-type]
        return tuple(words)


REFUSED = frozenset({"if", "then", "else", "elif", "fi", "case", "esac", "function", "do", "done", "{", "}", "[["})
"""Words of the shell's grammar that are not known here."""
