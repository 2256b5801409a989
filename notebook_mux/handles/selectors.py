"""Label and field selectors, as text or dict, checked for what no server would take.

The texts are those of kubectl's ``-l`` and ``--field-selector``; the server has the last word, and says it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from notebook_mux.errors import BadSelector

Selector = str | Mapping[str, Any] | None

LABEL_LENGTH = 63
"""Of a label's value and of its key's name (apimachinery/pkg/util/validation)."""

_VALUE = r"(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?)"
_PREFIX = r"(?:[a-z0-9](?:[-a-z0-9.]*[a-z0-9])?/)"
_KEY = rf"{_PREFIX}?{_VALUE}"
_REQUIREMENT = re.compile(
    rf"!?\s*{_KEY}"
    rf"|{_KEY}\s*(?:==?|!=)\s*{_VALUE}?"
    rf"|{_KEY}\s*[<>]\s*-?\d+"
    rf"|{_KEY}\s+(?:in|notin)\s*\(\s*{_VALUE}?(?:\s*,\s*{_VALUE}?)*\s*\)"
)
_COMMA = re.compile(r",(?![^(]*\))")
_FIELD_COMMA = re.compile(r"(?<!\\),")
_FIELD = re.compile(r"[^=!\s,]+\s*(?:==?|!=)\s*.*", re.DOTALL)


def label_selector(selector: Selector) -> str:
    """A label selector as the text the server takes; "" for none.

    Args:
        selector: Text such as ``app=web,tier in (a, b),!old``, or a dict of labels: a text or number must be equal, a
            list or set holds the values allowed, and None asks only that the label is there.

    Raises:
        BadSelector: No server would take it.
    """
    text = _joined(selector, _label_term)
    for term in _COMMA.split(text) if text else ():
        if not _REQUIREMENT.fullmatch(term.strip()):
            raise _bad("label selector", text, term, "write it as in app=web,tier in (a,b),!old")
        if any(len(word) > LABEL_LENGTH for word in re.findall(_VALUE, term.rpartition("/")[2])):
            raise _bad("label selector", text, term, f"a label has at most {LABEL_LENGTH} characters")
    return text


def field_selector(selector: Selector) -> str:
    """A field selector as the text the server takes; "" for none.

    Args:
        selector: Text such as ``status.phase!=Running,spec.nodeName=n1``, or a dict of fields and values.

    Raises:
        BadSelector: No server would take it.
    """
    text = _joined(selector, _field_term)
    for term in _FIELD_COMMA.split(text) if text else ():
        if not _FIELD.fullmatch(term.strip()):
            raise _bad("field selector", text, term, "write it as in status.phase!=Running,spec.nodeName=n1")
    return text


def _joined(selector: Selector, term: Any) -> str:
    if selector is None:
        return ""
    if isinstance(selector, str):
        return selector.strip()
    if isinstance(selector, Mapping):
        return ",".join(term(key, value) for key, value in selector.items())
    raise BadSelector(
        f"a selector is a text or a dict, not {type(selector).__name__}", todo="write it as 'app=web' or {'app': 'web'}"
    )


def _label_term(key: Any, value: Any) -> str:
    if value is None:
        return str(key)
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        return f"{key}={value}"
    if isinstance(value, Iterable):
        values = list(map(str, value))
        if values:
            return f"{key} in ({','.join(sorted(values) if isinstance(value, set | frozenset) else values)})"
    raise BadSelector(
        f"the label {key!r} cannot be compared with {value!r}",
        todo="give a text, a list of texts, or None for 'is there'; a boolean is the text 'true' or 'false'",
    )


def _field_term(key: Any, value: Any) -> str:
    if isinstance(value, bool):
        value = str(value).lower()
    if not isinstance(value, str | int):
        raise BadSelector(
            f"the field {key!r} cannot be compared with {value!r}",
            todo="give one text; a field selector knows = and !=",
        )
    # apimachinery/pkg/fields/selector.go: EscapeValue
    return f"{key}=" + re.sub(r"([\\,=])", r"\\\1", str(value))


def _bad(what: str, text: str, term: str, todo: str) -> BadSelector:
    shown = repr(term.strip()) if term.strip() else "an empty part"
    return BadSelector(f"the {what} {text!r} cannot be read at {shown}", todo=todo)
