"""Names, fields and functions of an expression that there are not, found by the schema before anything is computed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from notebook_mux.playground.crds.cel.functions import CALLED, IN_NAMESPACES, MACROS, METHODS, NOT_HERE
from notebook_mux.playground.crds.cel.syntax import Node
from notebook_mux.playground.crds.cel.values import SyntaxProblem, Unsupported

Json = dict[str, Any]
Scope = Mapping[str, Json | None]
"""The schema of each name; None is anything."""

KNOWN_NAMES = frozenset({"int", "uint", "double", "bool", "string", "bytes", "list", "map", "null_type", "type"})
ESCAPES = {"__underscores__": "__", "__dot__": ".", "__dash__": "-", "__slash__": "/"}
KEYWORDS = frozenset({
    "true", "false", "null", "in", "as", "break", "const", "continue", "else", "for", "function", "if", "import", "let",
    "loop", "package", "namespace", "return",
})  # fmt: skip


def unescaped(name: str) -> str:
    """The field that a name in an expression means: CEL has no dots and dashes in names."""
    if name.startswith("__") and name.endswith("__") and name[2:-2] in KEYWORDS:
        return name[2:-2]
    for escape, text in ESCAPES.items():
        name = name.replace(escape, text)
    return name


def escaped(field: str) -> str | None:
    """The name of a field in an expression; None for one that has none."""
    if field in KEYWORDS:
        return f"__{field}__"
    name = field.replace("__", "__underscores__").replace(".", "__dot__").replace("-", "__dash__").replace(
        "/", "__slash__")  # fmt: skip
    return name if name.isidentifier() and name.isascii() else None


def check(node: Node, scope: Scope) -> Json | None:
    """Look for what there is not.

    Args:
        node: The expression.
        scope: The schemas of its names.

    Returns:
        The schema of its value; None for anything.

    Raises:
        SyntaxProblem: Something is not there.
        Unsupported: A function that this evaluator leaves out.
    """
    match node.kind:
        case "name":
            if node.value not in scope and node.value not in KNOWN_NAMES:
                raise SyntaxProblem(f"undeclared reference to '{node.value}' (in container '')", node.position)
            return scope.get(node.value)
        case "select":
            return _field(check(node.parts[0], scope), node)
        case "index":
            of = check(node.parts[0], scope)
            check(node.parts[1], scope)
            return _each(of) if of and of.get("type") != "object" else (of or {}).get("additionalProperties") or None
        case "literal":
            return {"type": of_type} if (of_type := _type_of(node.value)) else None
        case "if":
            kinds = [check(part, scope) for part in node.parts]
            return kinds[1]
        case "binary":
            return _binary(node, *(check(part, scope) for part in node.parts))
        case "unary":
            found = check(node.parts[0], scope)
            return {"type": "boolean"} if node.value == "!" else found
        case "call":
            return _call(node, scope)
    for part in node.parts:
        check(part, scope)
    return None


def _type_of(value: object) -> str:
    match value:
        case bool():
            return "boolean"
        case int():
            return "integer"
        case float():
            return "number"
        case str():
            return "string"
    return ""


SCALARS = {"integer": "int", "number": "double", "string": "string", "boolean": "bool"}


def _scalar(schema: Json | None) -> str:
    """The CEL type of a schema of plain values; empty where it is another or not known."""
    if not schema or schema.get("format") or schema.get("x-kubernetes-int-or-string"):
        return ""
    return SCALARS.get(schema.get("type", ""), "")


def _binary(node: Node, one: Json | None, other: Json | None) -> Json | None:
    """The schema of a computation.

    Raises:
        SyntaxProblem: Its sides do not go together.
    """
    left, right = _scalar(one), _scalar(other)
    numbers = {left, right} <= {"int", "double"} and node.value not in "+-*/%"
    wants_bool = node.value in ("&&", "||")
    wrong = left and right and left != right and not numbers and node.value != "in"
    if wants_bool and any(side not in ("", "bool") for side in (left, right)):
        wrong = True
    if wrong:
        raise SyntaxProblem(
            f"found no matching overload for '_{node.value}_' applied to '({left}, {right})'", node.position
        )
    if node.value in "+-*/%":
        return one if left and left == right else None
    return {"type": "boolean"}


def _field(of: Json | None, node: Node) -> Json | None:
    if of is None or of.get("type") != "object":
        if of is not None and of.get("type") in ("string", "integer", "number", "boolean", "array"):
            kind = {"integer": "int", "number": "double", "boolean": "bool", "array": "list"}.get(of["type"], "string")
            raise SyntaxProblem(f"type '{kind}' does not support field selection", node.position)
        return None
    properties, others = of.get("properties") or {}, of.get("additionalProperties")
    name = unescaped(node.value)
    if name in properties:
        found: Json = properties[name]
        return found
    if isinstance(others, dict):
        return others
    # What is kept without being named cannot be reached by rules either.
    raise SyntaxProblem(f"undefined field '{node.value}'", node.position)


def _each(of: Json | None) -> Json | None:
    if not of:
        return None
    return of.get("items") if of.get("type") == "array" else {"type": "string"} if of.get("type") == "object" else None


def _call(node: Node, scope: Scope) -> Json | None:
    if not node.method:
        if node.value == "has":
            if len(node.parts) != 1 or node.parts[0].kind != "select":
                raise SyntaxProblem(
                    "invalid argument to has() macro", node.parts[0].position if node.parts else node.position
                )
            check(node.parts[0], scope)
            return {"type": "boolean"}
        _need(node, node.value in CALLED)
        for part in node.parts:
            check(part, scope)
        return None
    receiver = node.parts[0]
    if receiver.kind == "name" and receiver.value not in scope:
        if (receiver.value, node.value) in IN_NAMESPACES:
            for part in node.parts[1:]:
                check(part, scope)
            return None
        if receiver.value in ("format", "cel", "math", "strings", "authorizer", "jsonpatch"):
            raise Unsupported(f"{receiver.value}.{node.value}")
    of = check(receiver, scope)
    if node.value in MACROS and len(node.parts) > 2:
        return _macro(node, of, scope)
    _need(node, node.value in METHODS)
    for part in node.parts[1:]:
        check(part, scope)
    return None


def _macro(node: Node, of: Json | None, scope: Scope) -> Json | None:
    variables = list(_variables(node))
    inner: dict[str, Json | None] = dict(scope)
    inner[variables[0]] = of if node.value in ("optMap", "optFlatMap") else _each(of)
    found = [check(part, inner) for part in node.parts[2:]]
    if node.value == "filter":
        return of
    return {"type": "array", "items": found[-1]} if node.value == "map" and found[-1] else None


def _variables(node: Node) -> Iterator[str]:
    if node.parts[1].kind != "name":
        raise SyntaxProblem("argument must be a simple name", node.parts[1].position)
    if len(node.parts) > 4 or (len(node.parts) == 4 and node.value != "map"):
        raise Unsupported(f"{node.value} with two variables")
    yield node.parts[1].value


def _need(node: Node, there: bool) -> None:
    if there:
        return
    if node.value in NOT_HERE:
        raise Unsupported(node.value)
    raise SyntaxProblem(f"undeclared reference to '{node.value}' (in container '')", node.position)
