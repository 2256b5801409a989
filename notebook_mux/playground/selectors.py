"""Label and field selectors, with the real server's words for bad ones.

The grammar is that of k8s.io/apimachinery/pkg/labels/selector.go and pkg/fields/selector.go.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from notebook_mux.playground.kinds import Kind

Predicate = Callable[[Mapping[str, str]], bool]


class BadSelector(ValueError):
    """A selector that the server refuses, with its words."""


_TOKEN = re.compile(r"\s*(==|=|!=|!|\(|\)|,|>|<|[^\s=!(),<>]+)")
_SYMBOLS = frozenset({"==", "=", "!=", "!", "(", ")", ",", ">", "<", ""})
_TERM = re.compile(r"(.*?)(!=|==|=)(.*)", re.DOTALL)
_NAME = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)")
_PREFIX = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
NAME_LIMIT = 63
"""Characters of a label's name and value (apimachinery/pkg/util/validation)."""


def labels(text: str) -> Predicate:
    """A predicate over an object's labels.

    Raises:
        BadSelector: In the server's words.
    """
    tokens = _tokens(text)
    if tokens == [""]:
        return lambda _: True
    requirements: list[Predicate] = []
    position = 0
    while True:
        requirement, position = _requirement(tokens, position)
        requirements.append(requirement)
        token = tokens[position]
        if token == "":
            break
        if token != ",":
            raise BadSelector(f"found '{token}', expected: ',' or 'end of string'")
        position += 1
        if tokens[position] == "":
            raise BadSelector("found '', expected: identifier after ','")
    if len(requirements) == 1:
        return requirements[0]
    return lambda found: all(requirement(found) for requirement in requirements)


def _tokens(text: str) -> list[str]:
    tokens = []
    position = 0
    text = text.rstrip()
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise BadSelector(f"unable to parse requirement: found '{text[position:]}'")
        tokens.append(match[1])
        position = match.end()
    return [*tokens, "", ""] if tokens else [""]


def _requirement(tokens: list[str], position: int) -> tuple[Predicate, int]:
    token = tokens[position]
    absent = token == "!"
    if absent:
        position += 1
        token = tokens[position]
    if token in _SYMBOLS:
        raise BadSelector(f"unable to parse requirement: found '{token}', expected: identifier")
    key = _key(token)
    operator = tokens[position + 1]
    if absent:
        return (lambda found: key not in found), position + 1
    if operator in ("", ","):
        return (lambda found: key in found), position + 1
    if operator in ("in", "notin"):
        values, position = _values(tokens, position + 2)
        if operator == "in":
            return (lambda found: found.get(key) in values), position
        return (lambda found: found.get(key) not in values), position
    if operator not in ("=", "==", "!=", ">", "<"):
        raise BadSelector(f"unable to parse requirement: found '{operator}', expected: in, notin, =, ==, !=, gt, lt")
    value = tokens[position + 2]
    position += 3
    if value in ("", ","):
        value = ""
        position -= 1
    elif value in _SYMBOLS:
        raise BadSelector(f"unable to parse requirement: found '{value}', expected: identifier")
    if operator in (">", "<"):
        return _compared(key, operator, value), position
    _value(key, value)
    if operator == "!=":
        return (lambda found: found.get(key) != value), position
    return (lambda found: found.get(key) == value), position


def _compared(key: str, operator: str, value: str) -> Predicate:
    try:
        limit = int(value)
    except ValueError:
        raise BadSelector(
            f'unable to parse requirement: values[0][{key}]: Invalid value: "{value}": '
            "for 'Gt', 'Lt' operators, the value must be an integer"
        ) from None

    def compare(found: Mapping[str, str]) -> bool:
        try:
            number = int(found.get(key, ""))
        except ValueError:
            return False
        return number > limit if operator == ">" else number < limit

    return compare


def _values(tokens: list[str], position: int) -> tuple[frozenset[str], int]:
    if tokens[position] != "(":
        raise BadSelector(f"unable to parse requirement: found '{tokens[position]}' expected: '('")
    values = {""} if tokens[position + 1] in (",", ")") else set[str]()
    position += 1
    before = "("
    while (token := tokens[position]) != ")":
        if token == "" or (token in _SYMBOLS and token != ","):
            words = {"(": "',', ')' or identifier", ",": "',', or identifier"}.get(before, "',' or ')'")
            raise BadSelector(f"unable to parse requirement: found '{token}', expected: {words}")
        if token != ",":
            values.add(token)
        elif tokens[position + 1] in (",", ")"):
            values.add("")
        before = token
        position += 1
    return frozenset(values), position + 1


def _key(key: str) -> str:
    prefix, slash, name = key.rpartition("/")
    good = bool(_NAME.fullmatch(name)) and len(name) <= NAME_LIMIT and (not slash or bool(_PREFIX.fullmatch(prefix)))
    if not good:
        raise BadSelector(
            f'unable to parse requirement: <nil>: Invalid value: "{key}": name part must consist of alphanumeric '
            "characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or "
            "'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
        )
    return key


def _value(key: str, value: str) -> None:
    if value and not (_NAME.fullmatch(value) and len(value) <= NAME_LIMIT):
        raise BadSelector(
            f'unable to parse requirement: values[0][{key}]: Invalid value: "{value}": a valid label must be an empty '
            "string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
            "alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is "
            "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
        )


def match_expressions(selector: Mapping[str, Any] | None) -> Predicate:
    """A predicate for a ``spec.selector`` with matchLabels and matchExpressions; an absent one matches nothing."""
    if not selector:
        return lambda _: False
    wanted = dict(selector.get("matchLabels") or {})
    expressions = list(selector.get("matchExpressions") or ())

    def matches(found: Mapping[str, str]) -> bool:
        if any(found.get(key) != value for key, value in wanted.items()):
            return False
        return all(_expression(expression, found) for expression in expressions)

    return matches


def selector_of(kind: Kind, spec: Mapping[str, Any]) -> dict[str, Any] | None:
    """The selector that a workload's spec has; that of a replication controller is a plain map of labels."""
    found = spec.get("selector")
    return {"matchLabels": found} if found and kind.resource == "replicationcontrollers" else found


def _expression(expression: Mapping[str, Any], found: Mapping[str, str]) -> bool:
    key, values = expression["key"], expression.get("values") or ()
    operator = expression["operator"]
    if operator == "In":
        return bool(found.get(key) in values)
    if operator == "NotIn":
        return bool(found.get(key) not in values)
    present = key in found
    return present if operator == "Exists" else not present


# ------------------------------------------------------------------------------------------------- fields

_PATHS: dict[str, dict[str, tuple[str, ...]]] = {
    "pods": {
        name: tuple(name.split("."))
        for name in (
            "spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName",
            "spec.hostNetwork", "status.phase", "status.podIP", "status.podIPs", "status.nominatedNodeName",
        )
    },
    "nodes": {"spec.unschedulable": ("spec", "unschedulable")},
    "namespaces": {"status.phase": ("status", "phase")},
    "secrets": {"type": ("type",)},
    "jobs.batch": {"status.successful": ("status", "succeeded")},
    "replicasets.apps": {"status.replicas": ("status", "replicas")},
    "replicationcontrollers": {"status.replicas": ("status", "replicas")},
    "events": {
        "reason": ("reason",),
        "type": ("type",),
        "reportingComponent": ("reportingComponent",),
        "source": ("source", "component"),
        **{
            f"involvedObject.{name}": ("involvedObject", name)
            for name in ("kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath")
        },
    },
}  # fmt: skip
"""Besides the two of the metadata (kubernetes/pkg/apis/core/v1/conversion.go:32-320, batch and apps likewise)."""

_WITH_OWN_WORDS = frozenset({"pods", "nodes", "namespaces", "secrets", "events", "jobs.batch", "replicasets.apps"})
"""These kinds name the label that is not supported, all others name those that are."""


def fields_of(kind: Kind, obj: Mapping[str, Any]) -> Mapping[str, str]:
    """What field selectors may ask of an object, besides name and namespace."""
    if kind.definition is not None:
        return {name: _custom_text(obj, name) for name in kind.definition.selectable}
    paths = _PATHS.get(kind.resource)
    if not paths:
        return {}
    found = {}
    for part, names in _plan(kind.resource):
        # What was decoded is dicts; to ask for any mapping, or for a part once a field, takes a sixth of a change.
        inside = obj.get(part) if part else obj
        get = inside.get if isinstance(inside, dict) else {}.get
        for name, last in names:
            value = get(last)
            found[name] = value if type(value) is str and last != "podIPs" else _text(value, last)
    return found


@cache
def _plan(resource: str) -> tuple[tuple[str, tuple[tuple[str, str], ...]], ...]:
    """Of which part of an object its fields are: the part's name, and for each field its own and its last step."""
    parts: dict[str, list[tuple[str, str]]] = {}
    for name, path in _PATHS[resource].items():
        part, last = path if len(path) == 2 else ("", path[0])
        parts.setdefault(part, []).append((name, last))
    return tuple((part, tuple(names)) for part, names in parts.items())


def _custom_text(obj: Any, path: str) -> str:
    """A selectable field of a custom object; empty without it."""
    for step in path.split("."):
        obj = obj.get(step) if isinstance(obj, Mapping) else None
    return "" if obj is None else str(obj).lower() if isinstance(obj, bool) else str(obj)


def _text(value: Any, last: str) -> str:
    """A value as selectors compare it, by the last step of its path."""
    if last == "podIPs":
        return ",".join(str(one.get("ip", "")) for one in value or ())
    if value is None:
        return "false" if last in ("unschedulable", "hostNetwork") else "0" if last == "replicas" else ""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)


def fields(kind: Kind, text: str) -> Callable[[str, str, Mapping[str, str]], bool]:
    """A predicate over an object's namespace, name and fields.

    Raises:
        BadSelector: In the server's words.
    """
    terms = [_term(part, text) for part in text.split(",") if part]
    known: Container[str] = _PATHS.get(kind.resource, {})
    if kind.definition is not None:
        known = kind.definition.selectable
    for name, _, _ in terms:
        if name in known or name == "metadata.name" or (name == "metadata.namespace" and kind.namespaced):
            continue
        if kind.resource in _WITH_OWN_WORDS:
            raise BadSelector(f"field label not supported: {name}")
        if kind.custom:
            raise BadSelector(f"field label not supported: {name}")
        raise BadSelector(f'"{name}" is not a known field selector: only "metadata.name", "metadata.namespace"')

    def matches(namespace: str, name: str, found: Mapping[str, str]) -> bool:
        for field, equal, value in terms:
            if field == "metadata.name":
                actual = name
            elif field == "metadata.namespace":
                actual = namespace
            else:
                actual = found.get(field, "")
            if (actual == value) != equal:
                return False
        return True

    return matches


def _term(part: str, whole: str) -> tuple[str, bool, str]:
    match = _TERM.fullmatch(part)
    if match is not None:
        return match[1].strip(), match[2] != "!=", match[3].strip()
    raise BadSelector(f"invalid selector: '{whole}'; can't understand '{part}'")
