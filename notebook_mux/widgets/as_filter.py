"""What of a filter kubectl can do: labels, fields, namespaces, clusters; and in words what it cannot."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from notebook_mux.filtering import parse, selectors
from notebook_mux.filtering.judging import plain
from notebook_mux.filtering.terms import Alternative, Compared, Faults, Labels, Requirement, Scope, Term

FIELDS = {
    "": {"name": "metadata.name"},
    "pods": {"node": "spec.nodeName", "ip": "status.podIP", "nominatednode": "status.nominatedNodeName"},
    "events": {"type": "type", "reason": "reason"},
    "secrets": {"type": "type"},
    "namespaces": {"status": "status.phase"},
}
"""Columns whose cells are fields that servers select by, by the resource; "" is of every kind (kubernetes v1.37,
``pkg/apis/*/v1/conversion.go`` and the strategies' ``SelectableFields``)."""

LOWER = {"name", "node", "ip", "nominatednode"}
"""Those that are in small letters, as a filter need not write them."""


class Said(NamedTuple):
    """A filter in kubectl's words.

    Attributes:
        labels: Parts of ``-l``.
        fields: Parts of ``--field-selector``.
        namespaces: The only ones that pass; None for all.
        clusters: The only ones that pass, in small letters; None for all.
        remarks: What kubectl cannot do, as it stands in the filter.
    """

    labels: tuple[str, ...]
    fields: tuple[str, ...]
    namespaces: tuple[str, ...] | None
    clusters: tuple[str, ...] | None
    remarks: tuple[str, ...]


def said(text: str, titles: Sequence[str], resource: Any) -> Said:
    """A filter in kubectl's words.

    Args:
        text: The filter.
        titles: Of the columns that it may speak of: another key is a label's.
        resource: What the rows are of; None where that is not known.
    """
    known = {plain(title) for title in titles} | {"name", "namespace", "cluster"}
    fields_ = FIELDS[""] | FIELDS.get(resource["name"] if resource is not None else "", {})
    labels: list[str] = []
    fields: list[str] = []
    only: dict[str, tuple[str, ...]] = {}
    remarks: list[str] = []
    parsed = parse(text)
    for term in parsed.terms:
        part = text[term.span[0] : term.span[1]]
        scope = _scope(term)
        if scope is not None and scope[0] not in only:
            only[scope[0]] = scope[1]
        elif isinstance(term, Labels):
            labels += map(_required, term.requirements)
        elif isinstance(term, Compared) and plain(term.key) not in known and (words := _label(term)) is not None:
            labels.append(words)
        elif isinstance(term, Compared) and (words := _field(term, fields_)) is not None:
            fields.append(words)
        else:
            remarks.append("only what is not as it should be" if isinstance(term, Faults) else part)
    remarks += [text[mistake.start : mistake.end] for mistake in parsed.mistakes if mistake.end > mistake.start]
    return Said(tuple(labels), tuple(fields), only.get("namespace"), only.get("cluster"), tuple(remarks))


def compared(text: str) -> list[str]:
    """The keys that a filter compares, as `filtering` tells them apart: columns' and labels'."""
    return [plain(term.key) for term in parse(text).terms if isinstance(term, Compared)]


def _exact(alternatives: Sequence[Alternative]) -> list[str] | None:
    """The alternatives as texts; None where one has a wildcard."""
    return None if any(len(one) != 1 for one in alternatives) else [one[0] for one in alternatives]


def _scope(term: Term) -> tuple[str, tuple[str, ...]] | None:
    """Namespaces or clusters that alone pass, and which of the two."""
    if isinstance(term, Scope):
        names = _exact(term.alternatives)
        return (term.what, tuple(name.lower() for name in names)) if names else None
    if isinstance(term, Compared) and term.op == "=" and not term.negated:
        what, names = plain(term.key), _exact(term.alternatives)
        if what in ("namespace", "cluster") and names:
            return what, tuple(name.lower() for name in names)
    return None


def _required(one: Requirement) -> str:
    key, values = one.key, one.values
    match one.op:
        case "exists":
            return key
        case "absent":
            return f"!{key}"
        case "<" | ">":
            return f"{key}{one.op}{values[0]}"
        case "in":
            return f"{key}={values[0]}" if len(values) == 1 else f"{key} in ({','.join(values)})"
        case _:
            return f"{key}!={values[0]}" if len(values) == 1 else f"{key} notin ({','.join(values)})"


def _label(term: Compared) -> str | None:
    names = _exact(term.alternatives) if term.op == "=" else None
    if names is None:
        return None
    meant = Requirement(term.key, "notin" if term.negated else "in", tuple(names))
    words = _required(meant)
    # what stands in quotes may be what no label can be, and would be read as something else
    return words if selectors.read(words, 0, len(words), blanks=True)[0] == (meant,) else None


def _field(term: Compared, known: dict[str, str]) -> str | None:
    """One field that is equal, or is not; a selector of fields knows no other."""
    key = plain(term.key)
    names = _exact(term.alternatives) if term.op == "=" else None
    if key not in known or names is None or (len(names) != 1 and not term.negated):
        return None
    if any(set(name) & set(",=\\") for name in names):
        return None
    values = [name.lower() if key in LOWER else name for name in names]
    return ",".join(f"{known[key]}{'!=' if term.negated else '='}{value}" for value in values)
