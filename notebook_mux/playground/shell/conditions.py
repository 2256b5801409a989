"""``test``: conditions of strings, numbers and files (POSIX.1-2017, XCU test)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from notebook_mux.playground.shell.files import Files
from notebook_mux.playground.shell.inodes import Device, File, FileFault, Folder, Link, Live, Program
from notebook_mux.playground.shell.running import Streams

if TYPE_CHECKING:
    from notebook_mux.playground.shell.terminal import Terminal

NUMBERS = {"-eq": 0, "-ne": 0, "-lt": 0, "-le": 0, "-gt": 0, "-ge": 0}
WORDS = 100
"""Of one condition."""


class NoCondition(Exception):
    """Words that are none, in a shell's words."""


def holds(words: list[str], files: Files, cwd: str, terminal: Terminal | None, streams: Streams) -> bool:
    """Whether a condition holds.

    Raises:
        NoCondition: It is none.
    """
    if len(words) > WORDS:
        raise NoCondition("test: too many arguments")
    condition = _Condition(list(words), files, cwd, terminal, streams)
    if not words:
        return False
    found = condition.either()
    if condition.words:
        raise NoCondition(f"{condition.words[0]}: unknown operand")
    return found


class _Condition:
    def __init__(self, words: list[str], files: Files, cwd: str, terminal: Terminal | None, streams: Streams):
        self.words = words
        self.files = files
        self.cwd = cwd
        self.terminal = terminal
        self.streams = streams

    def either(self) -> bool:
        found = self._all()
        while self.words and self.words[0] == "-o":
            self.words.pop(0)
            other = self._all()
            found = found or other
        return found

    def _all(self) -> bool:
        found = self._one()
        while self.words and self.words[0] == "-a":
            self.words.pop(0)
            other = self._one()
            found = found and other
        return found

    def _one(self) -> bool:
        if not self.words:
            raise NoCondition("argument expected")
        if len(self.words) >= 3 and self.words[1] in ("=", "==", "!=", "<", ">", "-ef", "-nt", "-ot", *NUMBERS):
            left, operator, right = self.words[:3]
            del self.words[:3]
            return self._two(left, operator, right)
        word = self.words.pop(0)
        if word == "!" and self.words:
            return not self._one()
        if word == "(" and ")" in self.words:
            found = self.either()
            if self.words[:1] != [")"]:
                raise NoCondition("closing paren expected")
            self.words.pop(0)
            return found
        if len(word) == 2 and word[0] == "-" and word[1] in "bcdefghknLprsSStuwxz" and self.words and (
            self.words[0] not in ("-a", "-o") or len(self.words) == 1
        ):  # fmt: skip
            return self._of(word[1], self.words.pop(0))
        return word != ""

    @staticmethod
    def _number(text: str) -> int:
        digits = text.strip().lstrip("+-")
        if not (digits.isascii() and digits.isdigit()) or len(digits) > 18:
            raise NoCondition(f"{text}: bad number" if text else "bad number")
        return int(text.strip())

    def _two(self, left: str, operator: str, right: str) -> bool:
        if operator in NUMBERS:
            a, b = self._number(left), self._number(right)
            return {"-eq": a == b, "-ne": a != b, "-lt": a < b, "-le": a <= b, "-gt": a > b, "-ge": a >= b}[operator]
        if operator in ("-ef", "-nt", "-ot"):
            try:
                one, other = self.files.node(left, self.cwd), self.files.node(right, self.cwd)
            except FileFault:
                return False
            return {"-ef": one is other, "-nt": one.mtime > other.mtime, "-ot": one.mtime < other.mtime}[operator]
        return {"=": left == right, "==": left == right, "!=": left != right, "<": left < right, ">": left > right}[
            operator
        ]

    def _of(self, letter: str, word: str) -> bool:
        if letter == "n":
            return word != ""
        if letter == "z":
            return word == ""
        if letter == "t":
            streams = {"0": self.streams.stdin, "1": self.streams.stdout, "2": self.streams.stderr}
            return self.terminal is not None and streams.get(word) is self.terminal
        try:
            node = self.files.node(word, self.cwd, follow=letter not in "hL")
        except FileFault:
            return False
        if letter in "rwx":
            return self.files.may(node, {"r": 4, "w": 2, "x": 1}[letter])
        return {
            "e": True,
            "f": isinstance(node, File | Live | Program),
            "d": isinstance(node, Folder),
            "h": isinstance(node, Link),
            "L": isinstance(node, Link),
            "c": isinstance(node, Device),
            "s": node.size > 0,
        }.get(letter, False)
