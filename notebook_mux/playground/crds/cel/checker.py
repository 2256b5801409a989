"""What is wrong with an expression before anything is computed.

Names, fields and functions that there are not, types that do not go together, texts that can be no duration, time or
pattern: all of it is found, as cel-go does.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from notebook_mux.playground.crds.cel import formatting
from notebook_mux.playground.crds.cel.declared import Overload, functions, methods, operators, variables_of
from notebook_mux.playground.crds.cel.functions import CALLED
from notebook_mux.playground.crds.cel.names import unescaped
from notebook_mux.playground.crds.cel.static import (
    ANYTHING,
    BOOL,
    BYTES,
    DOUBLE,
    DYN,
    ERROR,
    INT,
    NULL,
    OPAQUE,
    STRING,
    UINT,
    Bound,
    CelType,
    fits,
    list_of,
    map_of,
    optional_of,
    resolved,
    told,
    type_of_schema,
)
from notebook_mux.playground.crds.cel.syntax import Node
from notebook_mux.playground.crds.cel.values import CelError, Problem, SyntaxProblem, Uint
from notebook_mux.playground.regexes import RegexFault, fault_of, pattern_of

Scope = Mapping[str, CelType]
"""The type of each name."""

TYPE_NAMES = frozenset({"int", "uint", "double", "bool", "string", "bytes", "list", "map", "null_type", "type"})
CONVERSIONS = frozenset({"int", "uint", "double", "bool"})
LITERALS: tuple[tuple[type, CelType], ...] = (
    (bool, BOOL), (Uint, UINT), (int, INT), (float, DOUBLE), (str, STRING), (bytes, BYTES))  # fmt: skip


class Checked(NamedTuple):
    """What is known of an expression before it is computed.

    Args:
        type: Of its value.
        fault: Why it cannot be made ready all the same (a constant in it is none, a pattern is none); empty if it can.
    """

    type: CelType
    fault: str


def check(node: Node, scope: Scope) -> Checked:
    """The type of an expression's value.

    Args:
        node: The expression.
        scope: The types of its names.

    Raises:
        SyntaxProblem: It has none; all that is wrong is told.
    """
    checker = _Checker()
    found = told(checker.visit(node, scope), checker.bound)
    problems = checker.problems or checker.literals
    if problems:
        raise SyntaxProblem(*sorted(set(problems), key=lambda one: one.position))
    return Checked(found, checker.unready[0] if checker.unready else "")


class _Checker:
    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.literals: list[Problem] = []  # looked at where the types are right
        self.unready: list[str] = []  # and these after both
        self.bound: Bound = {}
        self._made = 0
        self._free = 0  # within values to be formatted, which may be of several types

    def visit(self, node: Node, scope: Scope) -> CelType:
        match node.kind:
            case "literal":
                return next((kind for of, kind in LITERALS if isinstance(node.value, of)), NULL)
            case "name":
                if node.value in scope:
                    return scope[node.value]
                if node.value in TYPE_NAMES:
                    return CelType("type", (CelType(node.value),))
                return self._undeclared(node, node.value)
            case "select":
                return self._select(node, self.visit(node.parts[0], scope), node.position)
            case "list":
                return list_of(self._alike(node.parts, scope))
            case "map":
                return map_of(self._alike(node.parts[::2], scope, keys=True), self._alike(node.parts[1::2], scope))
            case "optional":  # an item that may be missing, in a list or map
                return self.visit(node.parts[0], scope)
            case "binary" if node.value in ("&&", "||"):
                for part in node.parts:
                    self._is_bool(part, self.visit(part, scope))
                return BOOL
        if node.kind == "call":
            return self._call(node, scope)
        name = {"index": "_[?_]" if node.optional else "_[_]", "if": "_?_:_", "unary": f"{node.value}_"}.get(
            node.kind, "@in" if node.value == "in" else f"_{node.value}_")  # fmt: skip
        return self._overload(node, name, operators()[name], [self.visit(part, scope) for part in node.parts])

    # -------------------------------------------------------------------------------------------------- parts

    def _problem(self, position: int, text: str) -> CelType:
        self.problems.append(Problem(text, position))
        return ERROR

    def _undeclared(self, node: Node, name: str) -> CelType:
        return self._problem(node.position, f"undeclared reference to '{name}' (in container '')")

    def _is_bool(self, node: Node, found: CelType) -> None:
        if not fits(found, BOOL, self.bound):
            self._problem(node.position, f"expected type 'bool' but found '{told(found, self.bound)}'")

    def _alike(self, parts: Sequence[Node], scope: Scope, *, keys: bool = False) -> CelType:
        """The type of a list's items, or of a map's keys or values."""
        common: CelType | None = None
        mixed = False
        for part in parts:
            found = self.visit(part, scope)
            if part.kind == "optional" and not keys:
                inner = self._new("T")
                if not fits(found, optional_of(inner), self.bound):
                    said = told(found, self.bound)
                    self._problem(part.parts[0].position, f"expected type 'optional_type({said})' but found '{said}'")
                found = inner
            if common is None:
                common = found
            elif not fits(found, common, self.bound):
                wanted, said, mixed = told(common, self.bound), told(found, self.bound), True
                if not self._free:
                    self.literals.append(Problem(f"expected type '{wanted}' but found '{said}'", part.position))
        return DYN if mixed else common or self._new("T")

    def _new(self, letter: str) -> CelType:
        self._made += 1
        return CelType(f"{letter}{self._made}")

    def _select(self, node: Node, given: CelType, position: int) -> CelType:
        of = resolved(given, self.bound)
        if of.name == "optional_type" or node.optional:
            inner = of.of[0] if of.name == "optional_type" else of
            found = self._member(node, resolved(inner, self.bound), position)
            return optional_of(DYN if found is ERROR else found)
        return self._member(node, of, position)

    def _member(self, node: Node, of: CelType, position: int) -> CelType:
        if of.name == "map":
            return of.of[1]
        if of.schema is not None:
            # What is kept without being named cannot be reached by rules either.
            name = unescaped(node.value)
            schema = (of.schema.get("properties") or {}).get(name)
            found = None if schema is None else type_of_schema(schema, f"{of.name}.{name}")
            return found or self._problem(position, f"undefined field '{node.value}'")
        if of.open or of.name in ANYTHING:
            return ERROR if of is ERROR else DYN
        if of.name in OPAQUE:
            return self._problem(position, f"unexpected failed resolution of '{of}'")
        return self._problem(position, f"type '{told(of, self.bound)}' does not support field selection")

    # -------------------------------------------------------------------------------------------------- calls

    def _call(self, node: Node, scope: Scope) -> CelType:
        if not node.method:
            if node.value == "has" and len(node.parts) == 1:
                return self._has(node, scope)
            given = [self.visit(part, scope) for part in node.parts]
            return self._function(node, node.value, given, node.parts)
        receiver, arguments = node.parts[0], node.parts[1:]
        if receiver.kind == "name" and receiver.value not in scope:
            name = f"{receiver.value}.{node.value}"
            if name in functions():
                return self._function(node, name, [self.visit(part, scope) for part in arguments], arguments)
        of = self.visit(receiver, scope)
        if count := variables_of(node.value, len(arguments)):
            return self._macro(node, of, count, scope)
        self._free += node.value == "format"
        given = [of, *(self.visit(part, scope) for part in arguments)]
        self._free -= node.value == "format"
        if node.value not in methods() and node.value not in functions():
            return self._undeclared(node, node.value)
        found = self._overload(node, node.value, methods().get(node.value, ()), given, method=True)
        if node.value == "format" and found is not ERROR:
            self._formatted(node, scope)
        self._pattern(node, node.value, arguments)
        return found

    def _function(self, node: Node, name: str, given: list[CelType], parts: Sequence[Node]) -> CelType:
        if name not in functions() and name not in methods():
            return self._undeclared(node, name)
        found = self._overload(node, name, functions().get(name, ()), given)
        if found is not ERROR and parts and parts[0].kind == "literal":
            if name in ("duration", "timestamp") and isinstance(parts[0].value, str):
                if self._fails(name, parts[0]):
                    self.literals.append(Problem(f"invalid {name} argument", parts[0].position))
            elif name in CONVERSIONS and (said := self._fails(name, parts[0])):
                self.unready.append(said)
        self._pattern(node, name, parts[1:])
        return found

    @staticmethod
    def _fails(name: str, literal: Node) -> str:
        try:
            CALLED[name](literal.value)
        except CelError as error:
            return str(error)
        return ""

    def _pattern(self, node: Node, name: str, parts: Sequence[Node]) -> None:
        """A pattern that is written out has to be one."""
        if name not in ("matches", "find", "findAll") or not parts or parts[0].kind != "literal":
            return
        pattern = parts[0].value
        if not isinstance(pattern, str):
            return
        try:
            pattern_of(pattern)
        except re.error as error:
            if name == "matches":
                self.literals.append(Problem("invalid matches argument", parts[0].position))
            else:
                self.unready.append(f"error parsing regexp: {fault_of(error, pattern)}")
        except RegexFault as error:
            self.unready.append(f"error parsing regexp: {error}")

    def _formatted(self, node: Node, scope: Scope) -> None:
        text, values = node.parts[:2]
        if text.kind != "literal" or values.kind != "list":
            return
        quiet = _Checker()
        kinds = [told(quiet.visit(part, scope), quiet.bound) for part in values.parts]
        if fault := formatting.fault_of(text.value, kinds):
            said, index = fault
            self.literals.append(Problem(said, node.position if index < 0 else values.parts[index].position))

    def _has(self, node: Node, scope: Scope) -> CelType:
        part = node.parts[0]
        if part.kind != "select":
            raise SyntaxProblem(Problem("invalid argument to has() macro", part.position))
        self._select(part, self.visit(part.parts[0], scope), node.position)
        return BOOL

    def _overload(
        self, node: Node, name: str, overloads: Sequence[Overload], given: list[CelType], *, method: bool = False
    ) -> CelType:
        results: list[tuple[CelType, Bound]] = []
        for takes, gives in overloads:
            if len(takes) != len(given):
                continue
            self._made += 1
            bound = dict(self.bound)
            renamed = [self._own(one) for one in takes]
            if all(fits(one, wanted, bound) for one, wanted in zip(given, renamed, strict=True)):
                results.append((self._own(gives), bound))
        if not results:
            shown = [str(told(one, self.bound)) for one in given]
            said = f"{shown[0]}.({', '.join(shown[1:])})" if method else f"({', '.join(shown)})"
            return self._problem(node.position, f"found no matching overload for '{name}' applied to '{said}'")
        first, bound = results[0]
        if len(results) == 1:
            self.bound = bound
            return first
        kinds = {told(kind, self.bound) for kind, _ in results}
        return kinds.pop() if len(kinds) == 1 else DYN

    def _own(self, kind: CelType) -> CelType:
        """An overload's type with parameters of this call."""
        if kind.open and len(kind.name) == 1:
            return CelType(f"{kind.name}{self._made}")
        return CelType(kind.name, tuple(self._own(one) for one in kind.of)) if kind.of else kind

    # ------------------------------------------------------------------------------------------------- macros

    def _macro(self, node: Node, given: CelType, count: int, scope: Scope) -> CelType:
        names = node.parts[1 : 1 + count]
        for one in names:
            if one.kind != "name":
                raise SyntaxProblem(Problem("argument must be a simple name", one.position))
        if count == 2 and names[0].value == names[1].value:
            raise SyntaxProblem(Problem(f"duplicate variable name: {names[1].value}", names[1].position))
        of, body = resolved(given, self.bound), node.parts[1 + count :]
        if node.value in ("optMap", "optFlatMap"):
            return self._on_optional(node, of, names[0].value, body[0], scope)
        kinds = self._ranged(node.parts[0], of, count)
        inner = {**scope, **{one.value: kind for one, kind in zip(names, kinds, strict=True)}}
        found = [self.visit(part, inner) for part in body]
        match node.value:
            case "all" | "exists":
                self._is_bool(body[0], found[0])
                return BOOL
            case "exists_one" | "existsOne":
                self._chosen(node, found[0], INT)
                return BOOL
            case "filter":
                return self._chosen(node, found[0], list_of(kinds[0]))
            case "sortBy":
                name, sorted_by = "@sortByAssociatedKeys", [list_of(kinds[0]), list_of(found[0])]
                return self._overload(node, name, methods()[name], sorted_by, method=True)
            case "map" | "transformList":
                gives = list_of(found[-1])
            case "transformMap":
                gives = map_of(kinds[0], found[-1])
            case _:
                gives = map_of(self._new("K"), self._new("V"))
                if not fits(found[-1], gives, self.bound):
                    self._problem(body[-1].position, f"expected type '{told(gives, self.bound)}' but found "
                                                     f"'{told(found[-1], self.bound)}'")  # fmt: skip
        return self._chosen(node, found[0], gives) if len(found) == 2 else gives

    def _chosen(self, node: Node, condition: CelType, gives: CelType) -> CelType:
        """What a condition decides about: the macro goes on with one of two of the same type."""
        self._overload(node, "_?_:_", operators()["_?_:_"], [condition, gives, gives])
        return gives

    def _ranged(self, receiver: Node, of: CelType, count: int) -> list[CelType]:
        """The types of the names that a macro binds."""
        if of.name == "list":
            return [of.of[0]] if count == 1 else [INT, of.of[0]]
        if of.name == "map":
            return list(of.of[:count])
        if not of.open and of.name not in ANYTHING:
            said = f"expression of type '{of}' cannot be range of a comprehension (must be list, map, or dynamic)"
            self._problem(receiver.position, said)
            return [ERROR] * count
        return [DYN] * count

    def _on_optional(self, node: Node, of: CelType, name: str, body: Node, scope: Scope) -> CelType:
        if of.name != "optional_type":
            for called in ("hasValue", "value"):
                self._overload(node, called, methods()[called], [of], method=True)
        found = self.visit(body, {**scope, name: of.of[0] if of.name == "optional_type" else DYN})
        return found if node.value == "optFlatMap" else optional_of(found)
