"""``$((...))``: sums of a shell, with numbers of 64 bits (POSIX.1-2017, XCU 2.6.4)."""

from __future__ import annotations

import re
from collections.abc import Callable

TOKEN = re.compile(
    r"\s*(?:(0[xX][0-9a-fA-F]+|[0-9]+)|([A-Za-z_]\w*)|(\*\*|\+\+|--|<<=?|>>=?|[<>=!]=|&&|\|\||[-+*/%&|^]=|.))", re.ASCII
)
LIMIT = 4096
"""Characters of an expression."""

DEPTH = 50
"""Of parentheses and of variables that name others."""

BITS = 64
LEVELS: tuple[tuple[str, ...], ...] = (
    ("||",), ("&&",), ("|",), ("^",), ("&",), ("==", "!="), ("<", "<=", ">", ">="), ("<<", ">>"), ("+", "-"),
    ("*", "/", "%"),
)  # fmt: skip
"""Binary operators, the loosest first."""

ASSIGNING = ("=", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "<<=", ">>=")


class SumFault(Exception):
    """A sum that is none, in a shell's words."""


def wrapped(value: int) -> int:
    """A value as 64 bits hold it."""
    half = 1 << (BITS - 1)
    return (value + half) % (1 << BITS) - half


def number(text: str) -> int:
    """A shell's number: decimal, octal, hexadecimal.

    Raises:
        SumFault: It is none.
    """
    text = text.strip()
    sign = -1 if text.startswith("-") else 1
    digits = text.lstrip("+-")
    try:
        if len(digits) > LIMIT:
            raise ValueError
        if digits[:2].lower() == "0x":
            return wrapped(sign * int(digits, 16))
        return wrapped(sign * int(digits, 8 if len(digits) > 1 and digits[0] == "0" else 10)) if digits else 0
    except ValueError:
        raise SumFault("arithmetic syntax error") from None


def evaluate(text: str, get: Callable[[str], str], put: Callable[[str, str], None]) -> int:
    """The value of an expression.

    Raises:
        SumFault: It is none, or divides by nothing.
    """
    if len(text) > LIMIT:
        raise SumFault("arithmetic expression is too long")
    sum_ = _Sum(text, get, put)
    value = sum_.expression()
    if sum_.tokens:
        raise SumFault("arithmetic syntax error")
    return value


class _Sum:
    def __init__(self, text: str, get: Callable[[str], str], put: Callable[[str, str], None]):
        self.tokens = [match[1] or match[2] or match[3] for match in TOKEN.finditer(text.strip()) if match[0].strip()]
        self.tokens.reverse()
        self.get, self.put = get, put
        self.depth = 0
        self.skipping = 0
        """Whether what is read is not computed: behind an ``&&`` that has failed."""

    def next(self) -> str:
        return self.tokens[-1] if self.tokens else ""

    def take(self, *tokens: str) -> str:
        return self.tokens.pop() if self.next() in tokens else ""

    def expression(self) -> int:
        self.depth += 1
        if self.depth > DEPTH:
            raise SumFault("arithmetic expression is nested too deeply")
        value = self._choice()
        while self.take(","):
            value = self._choice()
        self.depth -= 1
        return value

    def _choice(self) -> int:
        if len(self.tokens) > 1 and self.next()[0].isidentifier() and self.tokens[-2] in ASSIGNING:
            name, operator = self.tokens.pop(), self.tokens.pop()
            value = self._choice()
            if operator != "=":
                value = self._compute(operator[:-1], self._value(name), value)
            self._set(name, value)
            return value
        condition = self._binary(0)
        if not self.take("?"):
            return condition
        self.skipping += not condition
        yes = self.expression()
        self.skipping -= not condition
        if not self.take(":"):
            raise SumFault("arithmetic syntax error")
        self.skipping += bool(condition)
        no = self._choice()
        self.skipping -= bool(condition)
        return yes if condition else no

    def _binary(self, level: int) -> int:
        if level == len(LEVELS):
            return self._power()
        value = self._binary(level + 1)
        while operator := self.take(*LEVELS[level]):
            skips = (operator == "&&" and not value) or (operator == "||" and bool(value))
            self.skipping += skips
            right = self._binary(level + 1)
            self.skipping -= skips
            value = self._compute(operator, value, right)
        return value

    def _power(self) -> int:
        base = self._unary()
        if not self.take("**"):
            return base
        exponent = self._power()
        if exponent < 0:
            raise SumFault("exponent less than 0")
        return wrapped(pow(base, exponent, 1 << BITS))

    def _unary(self) -> int:
        if operator := self.take("-", "+", "!", "~"):
            self.depth += 1
            if self.depth > DEPTH:
                raise SumFault("arithmetic expression is nested too deeply")
            value = self._unary()
            self.depth -= 1
            return {"-": wrapped(-value), "+": value, "!": int(not value), "~": ~value}[operator]
        if operator := self.take("++", "--"):
            name = self.tokens.pop() if self.tokens else ""
            return self._set(name, wrapped(self._value(name) + (1 if operator == "++" else -1)))
        return self._atom()

    def _atom(self) -> int:
        if not self.tokens:
            raise SumFault("arithmetic syntax error")
        token = self.tokens.pop()
        if token == "(":
            value = self.expression()
            if not self.take(")"):
                raise SumFault("arithmetic syntax error")
            return value
        if token[0].isdigit():
            return number(token)
        if not token[0].isidentifier():
            raise SumFault("arithmetic syntax error")
        value = self._value(token)
        if operator := self.take("++", "--"):
            self._set(token, wrapped(value + (1 if operator == "++" else -1)))
        return value

    def _value(self, name: str) -> int:
        text = self.get(name).strip()
        for _ in range(DEPTH):
            if not text[:1].isidentifier():
                return number(text)
            text = self.get(text).strip()
        raise SumFault("expression recursion level exceeded")

    def _set(self, name: str, value: int) -> int:
        if not name[:1].isidentifier():
            raise SumFault("arithmetic syntax error")
        if not self.skipping:
            self.put(name, str(value))
        return value

    def _compute(self, operator: str, a: int, b: int) -> int:
        if operator in ("/", "%"):
            if b == 0:
                if self.skipping:
                    return 0
                raise SumFault("divide by zero")
            quotient = abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)
            return wrapped(quotient if operator == "/" else a - b * quotient)
        computed: dict[str, Callable[[], int]] = {
            "||": lambda: int(bool(a or b)), "&&": lambda: int(bool(a and b)), "|": lambda: a | b, "^": lambda: a ^ b,
            "&": lambda: a & b, "==": lambda: int(a == b), "!=": lambda: int(a != b), "<": lambda: int(a < b),
            "<=": lambda: int(a <= b), ">": lambda: int(a > b), ">=": lambda: int(a >= b),
            "<<": lambda: a << (b % BITS), ">>": lambda: a >> (b % BITS), "+": lambda: a + b, "-": lambda: a - b,
            "*": lambda: a * b,
        }  # fmt: skip
        return wrapped(computed[operator]())
