"""What YAML may cost: aliases of aliases would be a text of any size, lists in lists exhaust the stack."""

from __future__ import annotations

from typing import Any

ALIASED = 100_000
"""Values that aliases may stand for together."""

EXCESSIVE = "document contains excessive aliasing"
INTO_ITSELF = "anchor '{}' value contains itself"


class TooMuch(ValueError):
    """A document that is not read.

    Args:
        words: Go-yaml's.
        mark: Where, as PyYAML says it.

    Attributes:
        line: Where; the first is 1.
    """

    def __init__(self, words: str, mark: Any) -> None:
        super().__init__(words)
        self.line: int = mark.line + 1


def check(body: bytes) -> None:
    """Look at a document's aliases before anything follows them.

    Args:
        body: YAML; what is none is left to whoever reads it.

    Raises:
        TooMuch: They stand for too much, or for what they are in.
    """
    if b"&" not in body or b"*" not in body:
        return
    import yaml

    sizes: dict[str, int] = {}
    opened: list[tuple[str | None, int]] = []
    size, aliased = 0, 0
    try:
        for event in yaml.parse(body, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
            if isinstance(event, yaml.AliasEvent):
                if any(anchor == event.anchor for anchor, _ in opened):
                    raise TooMuch(INTO_ITSELF.format(event.anchor), event.start_mark)
                size += sizes.get(str(event.anchor), 1)
                aliased += sizes.get(str(event.anchor), 1)
                if aliased > ALIASED:
                    raise TooMuch(EXCESSIVE, event.start_mark)
            elif isinstance(event, yaml.CollectionStartEvent):
                opened.append((event.anchor, size))
                size = 1
            elif isinstance(event, yaml.CollectionEndEvent):
                anchor, before = opened.pop()
                if anchor is not None:
                    sizes[anchor] = size
                size += before
            elif isinstance(event, yaml.ScalarEvent):
                size += 1
                if event.anchor is not None:
                    sizes[event.anchor] = 1
    except yaml.YAMLError:
        return


def load(body: bytes, fast: Any, exact: Any) -> Any:
    """Read a document.

    Args:
        body: The document, of which `check` was asked.
        fast: A loader made of libyaml, if there is one.
        exact: One whose words about what is wrong are known here; it takes ten times as long.

    Raises:
        YAMLError: It is none.
    """
    import yaml

    try:
        return yaml.load(body, Loader=fast)  # noqa: S506  safe ones
    except yaml.YAMLError as error:
        if len(body) > EXACT:
            raise
        try:
            return yaml.load(body, Loader=exact)  # noqa: S506  as above
        except RecursionError:
            raise error from None


EXACT = 16 * 1024
"""Bytes of a document in which a mistake is looked for twice."""
