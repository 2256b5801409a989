"""Reads an expression: a text in, a tree of `Node` out (the grammar of cel-spec/doc/langdef.md)."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from typing import Any

from notebook_mux.playground.crds.cel.values import HIGHEST, LARGEST_UINT, LOWEST, Problem, SyntaxProblem, Uint

_TOKEN = re.compile(
    r"""(?P<space>[ \t\r\n\f]+|//[^\n]*)
    |(?P<text>[rRbB]{0,2}(?:\"\"\"(?:[^\\]|\\.)*?\"\"\"|'''(?:[^\\]|\\.)*?'''|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'))
    |(?P<number>0[xX][0-9a-fA-F]+[uU]?|(?:\d+\.\d+(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+|\d+[uU]?))
    |(?P<name>[_a-zA-Z][_a-zA-Z0-9]*)
    |(?P<sign>\|\||&&|<=|>=|==|!=|\.\?|\[\?|[-+*/%<>!?:.,()\[\]{}])""",
    re.VERBOSE | re.DOTALL,
)
RELATIONS = frozenset({"<", "<=", ">", ">=", "==", "!=", "in"})
RESERVED = frozenset({
    "as", "break", "const", "continue", "else", "for", "function", "if", "import", "let", "loop", "package",
    "namespace", "return", "var", "void", "while",
})  # fmt: skip
_EXPECTED = "'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}"
EXPECTED = "{'[', '{', '(', '.', '-', '!', " + _EXPECTED
"""What may begin an expression."""

EXPECTED_ARGUMENT = "{'[', '{', '(', ')', '.', '-', '!', " + _EXPECTED
EXPECTED_INDEX = "{'[', '{', '(', '.', '-', '!', '?', " + _EXPECTED
_BROKEN_TEXT = re.compile(r"""[rRbB]{0,2}("(?:[^"\\\n]|\\.)*|'(?:[^'\\\n]|\\.)*)\n?""")
_ESCAPE = re.compile(r"\\(?:[abfnrtv\\?\"'`]|[xX][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-3][0-7]{2})")

LONGEST_INT = 20
"""Characters of a number of 64 bits."""

DEEPEST = 50
"""Of expressions within expressions: a text from a definition must not exhaust the stack."""


@dataclass(frozen=True, slots=True)
class Node:
    """A part of an expression.

    Args:
        kind: ``literal``, ``name``, ``select``, ``index``, ``call``, ``list``, ``map``, ``unary``, ``binary``, ``if``,
            and ``optional`` for an item of a list or map that may be missing.
        value: The literal, the name, the operator, the field, the function.
        parts: What it is made of; the first of a method's is its receiver.
        position: Where it begins.
        method: Whether a call has a receiver.
        optional: Whether a field or item may be missing.
    """

    kind: str
    value: Any
    parts: tuple[Node, ...] = ()
    position: int = 0
    method: bool = False
    optional: bool = False


def parse(text: str) -> Node:
    """Read an expression.

    Raises:
        SyntaxProblem: It is none.
    """
    reader = _Reader(text)
    try:
        node = reader.expression()
        if reader.sign is not None:
            raise reader.problem()
    except SyntaxProblem as found:
        raise SyntaxProblem(*sorted((*reader.problems, *found.problems), key=lambda one: one.position)) from None
    if reader.problems:
        raise SyntaxProblem(*reader.problems)
    return node


def _wrong(text: str, position: int) -> SyntaxProblem:
    return SyntaxProblem(Problem(f"Syntax error: {text}", position))


class _Reader:
    def __init__(self, text: str):
        self._tokens: list[tuple[str, str, int]] = []
        self.problems: list[Problem] = []
        position = 0
        while position < len(text):
            match = _TOKEN.match(text, position)
            if match is None or (match.lastgroup == "text" and not _escapes(match[0])):
                broken = _broken(text, position)
                self.problems.append(_wrong(f"token recognition error at: '{broken}'", position).problems[0])
                position += len(broken)
                continue
            if match.lastgroup != "space":
                self._tokens.append((match.lastgroup or "", match[0], position))
            position = match.end()
        self._end = len(text)
        self._next = 0
        self._depth = 0

    @property
    def sign(self) -> str | None:
        """The next token; None at the end."""
        return self._tokens[self._next][1] if self._next < len(self._tokens) else None

    @property
    def position(self) -> int:
        return self._tokens[self._next][2] if self._next < len(self._tokens) else self._end

    def problem(self) -> SyntaxProblem:
        if self.sign is None:
            return _wrong(f"mismatched input '<EOF>' expecting {EXPECTED}", self.position)
        how = "extraneous" if self._next == len(self._tokens) - 1 else "mismatched"
        return _wrong(f"{how} input '{self.sign}' expecting <EOF>", self.position)

    def _begins(self, index: int) -> bool:
        """Whether an expression may begin with a token."""
        if index >= len(self._tokens):
            return False
        kind, text, _ = self._tokens[index]
        return kind != "sign" or text in ("[", "{", "(", ".", "-", "!")

    def _is(self, *signs: str) -> bool:
        return self._next < len(self._tokens) and self._tokens[self._next][0] != "text" and self.sign in signs

    def _take(self, *signs: str) -> str | None:
        if not self._is(*signs):
            return None
        self._next += 1
        return self._tokens[self._next - 1][1]

    def _need(self, sign: str, expected: str = "") -> None:
        if self._take(sign) is not None:
            return
        if self.sign is None:
            raise _wrong(f"mismatched input '<EOF>' expecting {expected or repr(sign)}", self.position)
        raise self.problem()

    # ------------------------------------------------------------------------------------------ what binds how

    def expression(self) -> Node:
        self._depth += 1
        if self._depth > DEEPEST:
            raise SyntaxProblem(Problem("expression recursion limit exceeded", self.position))
        node, at = self._or(), self.position
        if self._take("?"):
            yes = self._or()
            self._need(":")
            node = Node("if", "?", (node, yes, self.expression()), at)
        self._depth -= 1
        return node

    def _or(self) -> Node:
        node = self._and()
        while self._is("||"):
            at = self.position
            self._next += 1
            node = Node("binary", "||", (node, self._and()), at)
        return node

    def _and(self) -> Node:
        node = self._relation()
        while self._is("&&"):
            at = self.position
            self._next += 1
            node = Node("binary", "&&", (node, self._relation()), at)
        return node

    def _relation(self) -> Node:
        node = self._sum()
        while self._is(*RELATIONS):
            at = self.position
            sign = self._take(*RELATIONS)
            node = Node("binary", sign, (node, self._sum()), at)
        return node

    def _sum(self) -> Node:
        node = self._product()
        while self._is("+", "-"):
            at = self.position
            sign = self._take("+", "-")
            node = Node("binary", sign, (node, self._product()), at)
        return node

    def _product(self) -> Node:
        node = self._unary()
        while self._is("*", "/", "%"):
            at = self.position
            sign = self._take("*", "/", "%")
            node = Node("binary", sign, (node, self._unary()), at)
        return node

    def _unary(self) -> Node:
        at = self.position
        sign = self._take("!", "-")
        if sign is None:
            return self._member()
        if sign == "-" and self._next < len(self._tokens) and self._tokens[self._next][0] == "number":
            kind, text, _ = self._tokens[self._next]
            self._tokens[self._next] = (kind, f"-{text}", at)
            return self._member()
        self._depth += 1
        if self._depth > DEEPEST:
            raise SyntaxProblem(Problem("expression recursion limit exceeded", at))
        node = Node("unary", sign, (self._unary(),), at)
        self._depth -= 1
        return node

    def _member(self) -> Node:
        node = self._primary()
        while True:
            at = self.position
            if self._take("."):
                name, opening = self._name(), self.position
                if self._take("("):
                    node = Node("call", name, (node, *self._list(")")), opening, method=True)
                else:
                    node = Node("select", name, (node,), at)
            elif self._take(".?"):
                node = Node("select", self._name(), (node,), at, optional=True)
            elif sign := self._take("[", "[?"):
                if self.sign is None:
                    raise _wrong(f"mismatched input '<EOF>' expecting {EXPECTED_INDEX}", self.position)
                index = self.expression()
                self._need("]")
                node = Node("index", None, (node, index), at, optional=sign == "[?")
            else:
                return node

    def _name(self) -> str:
        if self._next >= len(self._tokens) or self._tokens[self._next][0] != "name":
            before = self._tokens[self._next - 1][1] if self._next else ""
            raise _wrong(f"no viable alternative at input '{before}{self.sign or ''}'", self.position)
        self._next += 1
        return self._tokens[self._next - 1][1]

    def _list(self, end: str, *, optional: bool = False) -> tuple[Node, ...]:
        found: list[Node] = []
        while not self._is(end):
            if self.sign is None:
                raise _wrong("missing ']' at '<EOF>'" if end == "]" else
                             f"mismatched input '<EOF>' expecting {EXPECTED_ARGUMENT}", self.position)  # fmt: skip
            found.append(self._item(optional or self._take("?") is not None if end == "]" else False))
            optional = False
            if not self._take(","):
                break
        self._need(end, "{']', ','}" if end == "]" else "")
        return tuple(found)

    def _item(self, optional: bool) -> Node:
        at = self.position
        return Node("optional", None, (self.expression(),), at) if optional else self.expression()

    def _primary(self) -> Node:
        if self._next >= len(self._tokens):
            raise self.problem()
        if not self._begins(self._next) and self.sign != "[?":
            how = "extraneous" if self._begins(self._next + 1) else "mismatched"
            said = _wrong(f"{how} input '{self.sign}' expecting {EXPECTED}", self.position)
            if how == "mismatched":
                raise said
            self.problems += said.problems
            self._next += 1
        kind, text, at = self._tokens[self._next]
        if kind == "number":
            self._next += 1
            return Node("literal", _number(text, at), position=at)
        if kind == "text":
            self._next += 1
            return Node("literal", _text(text, at), position=at)
        if self._take("("):
            node = self.expression()
            if self._take(")") is None:
                raise _wrong(f"missing ')' at '{self.sign or '<EOF>'}'", self.position)
            return node
        if sign := self._take("[", "[?"):
            return Node("list", None, self._list("]", optional=sign == "[?"), at)
        if self._take("{"):
            return self._map(at)
        self._take(".")
        name = self._name()
        if name in ("true", "false", "null"):
            return Node("literal", {"true": True, "false": False, "null": None}[name], position=at)
        if name in RESERVED or name == "in":
            raise SyntaxProblem(Problem(f"reserved identifier: {name}", at))
        opening = self.position
        if self._take("("):
            return Node("call", name, self._list(")"), opening)
        return Node("name", name, position=at)

    def _map(self, at: int) -> Node:
        found: list[Node] = []
        while not self._is("}"):
            optional = self._take("?") is not None
            found.append(self.expression())
            self._need(":")
            found.append(self._item(optional))
            if not self._take(","):
                break
        self._need("}", "{'}', ','}")
        return Node("map", None, tuple(found), at)


def _escapes(text: str) -> bool:
    """Whether all that is escaped in a text may be."""
    raw = "r" in re.match(r"[rRbB]*", text)[0].lower()  # type: ignore[index]
    return raw or "\\" not in _ESCAPE.sub("", text)


def _broken(text: str, position: int) -> str:
    """What is skipped where nothing can be read."""
    if match := _BROKEN_TEXT.match(text, position):
        wrong = next((at for at in range(position, match.end()) if text[at] == "\\"
                      and not _ESCAPE.match(text, at)), None)  # fmt: skip
        return text[position : match.end() if wrong is None else wrong + 2]
    return text[position : position + (2 if text[position] in "=&|" else 1)]


def _number(text: str, at: int) -> int | float:
    digits, unsigned = text.rstrip("uU"), text[-1] in "uU"
    if not digits.lower().lstrip("-").startswith("0x") and any(sign in digits for sign in ".eE"):
        return float(digits)
    found = int(digits, 16) if "x" in digits.lower() else int(digits) if len(digits) <= LONGEST_INT else HIGHEST + 1
    if unsigned:
        if not 0 <= found <= LARGEST_UINT:
            raise SyntaxProblem(Problem("invalid uint literal", at))
        return Uint(found)
    if not LOWEST <= found <= HIGHEST:
        raise SyntaxProblem(Problem("invalid int literal", at))
    return found


def _text(text: str, at: int) -> str | bytes:
    prefix = re.match(r"[rRbB]*", text)[0].lower()  # type: ignore[index]
    body = text[len(prefix) :].replace("\\?", "?").replace("\\`", "`").replace("\\X", "\\x")
    raw, of_bytes = "r" if "r" in prefix else "", "b" in prefix
    if of_bytes:
        body = "".join(char if char.isascii() else "".join(f"\\x{one:02x}" for one in char.encode()) for char in body)
    try:
        found: str | bytes = ast.literal_eval(f"{raw}{'b' if of_bytes else ''}{body}")
    except (ValueError, SyntaxError) as error:
        raise _wrong(f"invalid text: {error}", at) from None
    return found
