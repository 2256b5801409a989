r"""The part of kubectl's JSONPath that conditions and printed columns use.

Names (``.status.phase``, ``['a.b']``, ``.metadata.annotations.a\.b``), indices, ``[*]`` and a filter by one comparison
(``[?(@.type=="Ready")]``); no recursive descent, unions or ranges, which are refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

from notebook_mux.errors import InvalidArgument

Step = Callable[[Any], Iterator[Any]]

_TOKEN = re.compile(
    r"""\.?\[\s*\?\(\s*@\.?(?P<field>[^=!<>\s]*?)\s*(?P<operator>==|!=)\s*(?P<value>"[^"]*"|'[^']*'|[^)\s]+)\s*\)\s*\]
    |\.?\[\s*(?P<index>-?\d+)\s*\]
    |\.?\[\s*(?P<all>\*)\s*\]|\.(?P<star>\*)
    |\.?\[\s*(?P<quoted>'[^']*'|"[^"]*")\s*\]
    |\.(?P<name>(?:\\.|[^.\[\]\\\s{}])+)""",
    re.VERBOSE,
)


@lru_cache(maxsize=256)
def compiled(path: str) -> Callable[[Any], list[Any]]:
    """A path as a function from an object to all that it finds there; an empty list where there is nothing.

    Args:
        path: With or without braces and with or without the leading ``$`` or point.

    Raises:
        InvalidArgument: The path cannot be read, or uses more of JSONPath than this module knows.
    """
    text = path.strip()
    if text.startswith("{") and text.endswith("}"):
        text = text[1:-1].strip()
    text = text.removeprefix("$")
    if text and text[0] not in ".[":
        text = "." + text
    steps: list[Step] = []
    at = 0
    while at < len(text):
        token = _TOKEN.match(text, at)
        if token is None:
            raise InvalidArgument(
                f"the JSONPath {path!r} cannot be read at {text[at:]!r}", todo="write it as in {.status.phase}"
            )
        steps.append(_step(token))
        at = token.end()
    if not steps:
        raise InvalidArgument(f"the JSONPath {path!r} is empty", todo="write it as in {.status.phase}")

    def found(value: Any) -> list[Any]:
        values = [value]
        for step in steps:
            values = [inner for outer in values for inner in step(outer)]
        return values

    return found


def _step(token: re.Match[str]) -> Step:
    groups = token.groupdict()
    if groups["operator"] is not None:
        return _filter(groups["field"], groups["operator"], groups["value"])
    if groups["index"] is not None:
        return _index(int(groups["index"]))
    if groups["all"] or groups["star"]:
        return _all
    if groups["quoted"] is not None:
        return _name(groups["quoted"][1:-1])
    return _name(re.sub(r"\\(.)", r"\1", groups["name"]))


def _name(name: str) -> Step:
    def step(value: Any) -> Iterator[Any]:
        if isinstance(value, dict) and name in value:
            yield value[name]

    return step


def _index(index: int) -> Step:
    def step(value: Any) -> Iterator[Any]:
        if isinstance(value, list) and -len(value) <= index < len(value):
            yield value[index]

    return step


def _all(value: Any) -> Iterator[Any]:
    if isinstance(value, list):
        yield from value
    elif isinstance(value, dict):
        yield from value.values()


def _filter(field: str, operator: str, quoted: str) -> Step:
    inner = compiled("." + field) if field else None
    wanted = quoted[1:-1] if quoted[0] in "'\"" else quoted

    def step(value: Any) -> Iterator[Any]:
        for item in value if isinstance(value, list) else ():
            values = [item] if inner is None else inner(item)
            if any(same(one, wanted) for one in values) == (operator == "=="):
                yield item

    return step


def same(value: Any, text: str) -> bool:
    """Whether a JSON value prints as `text`."""
    if value is None:
        return text == "null"
    if isinstance(value, bool):
        return text == str(value).lower()
    return str(value) == text
