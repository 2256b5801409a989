"""Computes an expression: a tree and values in, a value out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from notebook_mux.playground.crds.cel import lists
from notebook_mux.playground.crds.cel.declared import variables_of
from notebook_mux.playground.crds.cel.functions import CALLED, IN_NAMESPACES, METHODS
from notebook_mux.playground.crds.cel.names import unescaped
from notebook_mux.playground.crds.cel.syntax import Node
from notebook_mux.playground.crds.cel.values import (
    LONGEST,
    CelError,
    Optional,
    Type,
    Uint,
    checked,
    compare,
    equal,
    is_number,
    text_of,
)
from notebook_mux.playground.shell.regex import Regex

Names = Mapping[str, Any]

TYPES = frozenset({"int", "uint", "double", "bool", "string", "bytes", "list", "map", "null_type", "type"})
STEPS = 300_000
"""Parts of an expression that are computed at most: the playground's own limit, in place of CEL's costs."""


def evaluate(node: Node, names: Names) -> Any:
    """The value of an expression.

    Args:
        node: The expression.
        names: What its names are.

    Raises:
        CelError: It has none.
    """
    try:
        return _Run().value(node, names)
    except RecursionError:  # a long chain of signs is a deep tree
        raise CelError("expression recursion limit exceeded") from None
    except (ArithmeticError, LookupError, OSError, TypeError, ValueError, AttributeError):  # a function on what is none
        raise CelError("no such overload") from None


class _Run:
    def __init__(self) -> None:
        self._steps = 0

    def value(self, node: Node, names: Names) -> Any:
        self._steps += 1
        if self._steps > STEPS:
            raise CelError("operation cancelled: actual cost limit exceeded")
        match node.kind:
            case "literal":
                return node.value
            case "name":
                if node.value in names:
                    return names[node.value]
                if node.value in TYPES:
                    return Type(node.value)
                raise CelError(f"no such attribute(s): {node.value}")
            case "select" | "index":
                return self._member(node, names)
            case "list":
                return [one for part in node.parts for one in self._item(part, names)]
            case "map":
                pairs = zip(node.parts[::2], node.parts[1::2], strict=True)
                return {self.value(key, names): one for key, part in pairs for one in self._item(part, names)}
            case "if":
                return self.value(node.parts[1 if self._bool(node.parts[0], names) else 2], names)
            case "unary":
                return self._unary(node, names)
            case "binary":
                return self._binary(node, names)
        return self._call(node, names)

    def _item(self, node: Node, names: Names) -> list[Any]:
        """An item of a list or map: none where it may be missing and is."""
        if node.kind != "optional":
            return [self.value(node, names)]
        found = self.value(node.parts[0], names)
        if not isinstance(found, Optional):
            raise CelError("no such overload")
        return [found.value] if found.there else []

    def _bool(self, node: Node, names: Names) -> bool:
        found = self.value(node, names)
        if not isinstance(found, bool):
            raise CelError("no such overload")
        return found

    def _member(self, node: Node, names: Names) -> Any:
        of = self.value(node.parts[0], names)
        key = node.value if node.kind == "select" else self.value(node.parts[1], names)
        optional = node.optional or isinstance(of, Optional)
        if isinstance(of, Optional):
            if not of.there:
                return of
            of = of.value
        if node.kind == "select" and isinstance(of, dict) and key not in of:
            key = unescaped(key)
        try:
            found = _item(of, key)
        except CelError:
            if optional:
                return Optional()
            raise
        return Optional(found, True) if optional else found

    def _unary(self, node: Node, names: Names) -> Any:
        if node.value == "!":
            return not self._bool(node.parts[0], names)
        found = self.value(node.parts[0], names)
        if not is_number(found):
            raise CelError("no such overload")
        return checked(-found) if isinstance(found, int) else -found

    def _binary(self, node: Node, names: Names) -> Any:
        if node.value in ("&&", "||"):
            return self._logic(node, names, decides=node.value == "||")
        one, other = (self.value(part, names) for part in node.parts)
        match node.value:
            case "==":
                return equal(one, other)
            case "!=":
                return not equal(one, other)
            case "in":
                return _within(one, other)
            case "<":
                return compare(one, other) < 0
            case "<=":
                return compare(one, other) <= 0
            case ">":
                return compare(one, other) > 0
            case ">=":
                return compare(one, other) >= 0
        return _arithmetic(node.value, one, other)

    def _logic(self, node: Node, names: Names, *, decides: bool) -> bool:
        return self._decided(((part, names) for part in node.parts), decides=decides)

    def _decided(self, each: Iterable[tuple[Node, Names]], *, decides: bool) -> bool:
        """One that decides is enough: an error of another does not count, whichever comes first."""
        error: CelError | None = None
        for part, names in each:
            try:
                if self._bool(part, names) is decides:
                    return decides
            except CelError as found:
                error = error or found
        if error is not None:
            raise error
        return not decides

    # ---------------------------------------------------------------------------------------------- calls

    def _call(self, node: Node, names: Names) -> Any:
        if not node.method:
            if node.value == "has":
                return self._has(node.parts[0], names)
            return self._matched(CALLED[node.value], node, names)
        receiver = node.parts[0]
        if receiver.kind == "name" and receiver.value not in names:
            name = f"{receiver.value}.{node.value}"
            if name in IN_NAMESPACES:
                return _apply(IN_NAMESPACES[name], [self.value(one, names) for one in node.parts[1:]])
        if count := variables_of(node.value, len(node.parts) - 1):
            return self._macro(node, count, names)
        return self._matched(METHODS[node.value], node, names)

    def _matched(self, function: Any, node: Node, names: Names) -> Any:
        """Call a function; the steps of the patterns that it looks for are counted as ours."""
        values = [self.value(one, names) for one in node.parts]
        before = Regex.done
        found = _apply(function, values)
        self._steps += Regex.done - before
        return found

    def _has(self, node: Node, names: Names) -> bool:
        of = self.value(node.parts[0], names)
        if isinstance(of, Optional):
            of = of.value if of.there else {}
        if not isinstance(of, dict):
            raise CelError("no such overload")
        return node.value in of or unescaped(node.value) in of

    def _macro(self, node: Node, count: int, names: Names) -> Any:
        of, variables = self.value(node.parts[0], names), [one.value for one in node.parts[1 : 1 + count]]
        body = node.parts[1 + count :]
        if isinstance(of, Optional):
            if not of.there:
                return of
            found = self.value(body[0], {**names, variables[0]: of.value})
            return found if node.value == "optFlatMap" else Optional(found, True)
        if not isinstance(of, (list, dict)):
            raise CelError("no such overload")
        pairs: Iterable[tuple[Any, ...]] = ((one,) for one in of)
        if count > 1:
            pairs = of.items() if isinstance(of, dict) else enumerate(of)
        each = [{**names, **dict(zip(variables, values, strict=True))} for values in pairs]
        match node.value:
            case "all":
                return self._any(body[0], each, decides=False)
            case "exists":
                return self._any(body[0], each, decides=True)
            case "exists_one" | "existsOne":
                return sum(self._bool(body[0], one) for one in each) == 1
            case "filter":
                return [one[variables[0]] for one in each if self._bool(body[0], one)]
            case "sortBy":
                return lists.by_keys(of, [self.value(body[0], one) for one in each])
        if len(body) > 1:
            each = [one for one in each if self._bool(body[0], one)]
        if node.value == "transformMap":
            return {one[variables[0]]: self.value(body[-1], one) for one in each}
        if node.value != "transformMapEntry":
            return [self.value(body[-1], one) for one in each]
        made: dict[Any, Any] = {}
        for one in each:
            for key, value in self.value(body[-1], one).items():
                if key in made:
                    raise CelError(f"insert failed: key {text_of(key)} already exists")
                made[key] = value
        return made

    def _any(self, body: Node, each: list[dict[str, Any]], *, decides: bool) -> bool:
        return self._decided(((body, one) for one in each), decides=decides)


def _item(of: Any, key: Any) -> Any:
    if isinstance(of, dict):
        for known, value in of.items():
            if equal(known, key):
                return value
        raise CelError(f"no such key: {key}")
    if isinstance(of, list) and is_number(key):
        if key != int(key) or not 0 <= key < len(of):
            raise CelError(f"index out of bounds: {key}")
        return of[int(key)]
    raise CelError("no such overload")


def _within(one: Any, other: Any) -> bool:
    if isinstance(other, (list, dict)):
        return any(equal(one, item) for item in other)
    raise CelError("no such overload")


def _arithmetic(sign: str, one: Any, other: Any) -> Any:
    if sign == "+" and type(one) is type(other) and isinstance(one, (str, bytes, list)):
        if len(one) + len(other) > LONGEST:
            raise CelError("operation cancelled: actual cost limit exceeded")
        return one + other
    times = (datetime, timedelta)
    if sign in "+-" and isinstance(one, times) and isinstance(other, times):
        try:
            return one + other if sign == "+" else one - other  # type: ignore[operator]
        except (TypeError, OverflowError) as error:
            raise CelError(str(error)) from None
    if not (is_number(one) and is_number(other) and type(one) is type(other)):
        raise CelError("no such overload")
    if isinstance(one, Uint):
        return checked(Uint(_of_ints(sign, int(one), int(other))))
    return _of_ints(sign, one, other) if isinstance(one, int) else _of_doubles(sign, one, other)


def _of_ints(sign: str, one: int, other: int) -> int:
    if sign in "/%" and other == 0:
        raise CelError("division by zero" if sign == "/" else "modulus by zero")
    match sign:
        case "+":
            return checked(one + other)
        case "-":
            return checked(one - other)
        case "*":
            return checked(one * other)
    quotient = abs(one) // abs(other) * (1 if (one < 0) == (other < 0) else -1)  # towards zero, as Go's
    return checked(quotient if sign == "/" else one - other * quotient)


def _of_doubles(sign: str, one: float, other: float) -> float:
    match sign:
        case "+":
            return one + other
        case "-":
            return one - other
        case "*":
            return one * other
        case "/" if other:
            return one / other
        case "/":
            return float("nan") if not one else float("inf") * (1 if one > 0 else -1)
    raise CelError("no such overload")


def _apply(function: Any, values: list[Any]) -> Any:
    try:
        return function(*values)
    except (TypeError, ValueError, KeyError, AttributeError):
        raise CelError("no such overload") from None
