"""Reads an expression: a text in, a tree of `Node` out (the grammar of cel-spec/doc/langdef.md)."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from typing import Any

from notebook_mux.playground.crds.cel.values import CelError, SyntaxProblem, checked

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
EXPECTED = (
    "{'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}"
)
"""What may begin an expression."""

DEEPEST = 50
"""Of expressions within expressions: a text from a definition must not exhaust the stack."""


@dataclass(frozen=True, slots=True)
class Node:
    """A part of an expression.

    Args:
        kind: ``literal``, ``name``, ``select``, ``index``, ``call``, ``list``, ``map``, ``unary``, ``binary``, ``if``.
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
    except CelError as error:  # a number of more than 64 bits
        raise SyntaxProblem(str(error), reader.position) from None
    if reader.sign is not None:
        raise reader.problem()
    return node


class _Reader:
    def __init__(self, text: str):
        self._tokens: list[tuple[str, str, int]] = []
        position = 0
        while position < len(text):
            match = _TOKEN.match(text, position)
            if match is None:
                raise SyntaxProblem(f"token recognition error at: '{text[position]}'", position)
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
            return SyntaxProblem(f"mismatched input '<EOF>' expecting {EXPECTED}", self.position)
        return SyntaxProblem(f"extraneous input '{self.sign}' expecting <EOF>", self.position)

    def _is(self, *signs: str) -> bool:
        return self._next < len(self._tokens) and self._tokens[self._next][0] != "text" and self.sign in signs

    def _take(self, *signs: str) -> str | None:
        if not self._is(*signs):
            return None
        self._next += 1
        return self._tokens[self._next - 1][1]

    def _need(self, sign: str) -> None:
        if self._take(sign) is None:
            raise self.problem()

    # ------------------------------------------------------------------------------------------ what binds how

    def expression(self) -> Node:
        self._depth += 1
        if self._depth > DEEPEST:
            raise SyntaxProblem("expression recursion limit exceeded", self.position)
        at = self.position
        node = self._or()
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
        self._depth += 1
        if self._depth > DEEPEST:
            raise SyntaxProblem("expression recursion limit exceeded", at)
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
                index = self.expression()
                self._need("]")
                node = Node("index", None, (node, index), at, optional=sign == "[?")
            else:
                return node

    def _name(self) -> str:
        if self._next >= len(self._tokens) or self._tokens[self._next][0] != "name":
            raise self.problem()
        self._next += 1
        return self._tokens[self._next - 1][1]

    def _list(self, end: str) -> tuple[Node, ...]:
        found: list[Node] = []
        while not self._is(end):
            found.append(self.expression())
            if not self._take(","):
                break
        self._need(end)
        return tuple(found)

    def _primary(self) -> Node:
        if self._next >= len(self._tokens):
            raise self.problem()
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
                raise SyntaxProblem(f"missing ')' at '{self.sign or '<EOF>'}'", self.position)
            return node
        if self._take("["):
            return Node("list", None, self._list("]"), at)
        if self._take("{"):
            return self._map(at)
        self._take(".")
        name = self._name()
        if name in ("true", "false", "null"):
            return Node("literal", {"true": True, "false": False, "null": None}[name], position=at)
        if name in RESERVED or name == "in":
            raise SyntaxProblem(f"reserved identifier: {name}", at)
        opening = self.position
        if self._take("("):
            return Node("call", name, self._list(")"), opening)
        return Node("name", name, position=at)

    def _map(self, at: int) -> Node:
        found: list[Node] = []
        while not self._is("}"):
            found.append(self.expression())
            self._need(":")
            found.append(self.expression())
            if not self._take(","):
                break
        self._need("}")
        return Node("map", None, tuple(found), at)


def _number(text: str, at: int) -> int | float:
    digits = text.rstrip("uU")
    if digits.lower().startswith("0x"):
        return checked(int(digits, 16))
    return float(digits) if any(sign in digits for sign in ".eE") else _integer(digits, at)


def _integer(digits: str, at: int) -> int:
    if len(digits) > 20:
        raise SyntaxProblem("invalid int literal", at)
    return int(digits)


def _text(text: str, at: int) -> str | bytes:
    prefix = re.match(r"[rRbB]*", text)[0].lower()  # type: ignore[index]
    body = text[len(prefix) :]
    raw = "r" if "r" in prefix else ""
    try:
        found: str = ast.literal_eval(raw + body.replace("\\?", "?").replace("\\`", "`"))
    except (ValueError, SyntaxError) as error:
        raise SyntaxProblem(f"invalid text: {error}", at) from None
    return found.encode() if "b" in prefix else found
