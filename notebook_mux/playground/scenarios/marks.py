"""YAML with the lines that things stand in, so that an error can name them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from notebook_mux import yamls
from notebook_mux.errors import BadScenario

MAP_TAG = "tag:yaml.org,2002:map"
TIMESTAMP = "tag:yaml.org,2002:timestamp"


@dataclass(frozen=True, slots=True)
class Place:
    """A line of a scenario's file.

    Args:
        file: The file's name, or its path.
        line: Counted from 1.
    """

    file: str
    line: int

    def wrong(self, what: str, *, said: str | None = None, todo: str | None = None) -> BadScenario:
        """The error for something here."""
        return BadScenario(f"{self.file}, line {self.line}: {what}", said=said, todo=todo)


class Map(dict[str, Any]):
    """A mapping that knows where it and its keys stand."""

    def __init__(self, place: Place) -> None:
        super().__init__()
        self.place = place
        self.places: dict[str, Place] = {}

    def at(self, key: str) -> Place:
        """Where a key stands; where the mapping begins if it has none."""
        return self.places.get(key, self.place)


class Seq(list[Any]):
    """A list that knows where it and its items stand."""

    def __init__(self, place: Place) -> None:
        super().__init__()
        self.place = place
        self.places: list[Place] = []


def documents(text: str, file: str) -> list[Any]:
    """The documents of a file: `Map`, `Seq` and scalars, without those that are empty.

    Raises:
        BadScenario: It is no YAML, or a key stands twice in a mapping.
    """
    import yaml

    try:
        yamls.check(text.encode())
    except yamls.TooMuch as error:
        raise Place(file, error.line).wrong(str(error)) from None
    except UnicodeEncodeError as error:
        raise Place(file, 1).wrong("it has characters that no text has", said=str(error)) from None
    try:
        nodes = _nodes(text, _loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)))
    except yaml.YAMLError as first:
        try:
            nodes = _nodes(text, _loader(yaml.SafeLoader))  # ten times as slow, and says what is wrong
        except (yaml.YAMLError, RecursionError) as error:
            raise _no_yaml(error if isinstance(error, yaml.YAMLError) else first, file) from None
    reader = _loader(yaml.SafeLoader)("")
    found = [_value(node, reader, file) for node in nodes]
    return [one for one in found if one is not None]


def _nodes(text: str, loader: Any) -> list[Any]:
    import yaml

    return list(yaml.compose_all(text, Loader=loader))


def _no_yaml(error: Any, file: str) -> BadScenario:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    said = ", ".join(str(one) for one in (getattr(error, "context", None), getattr(error, "problem", None)) if one)
    return Place(file, mark.line + 1 if mark is not None else 1).wrong("this is no YAML", said=said or str(error))


@cache
def _loader(base: Any) -> Any:
    """What looks like a time is a text, as in JSON."""
    resolvers = {first: [one for one in found if one[0] != TIMESTAMP]
                 for first, found in base.yaml_implicit_resolvers.items()}  # fmt: skip
    return type("Loader", (base,), {"yaml_implicit_resolvers": resolvers})


def _value(node: Any, reader: Any, file: str) -> Any:
    import yaml

    place = Place(file, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        if node.tag != MAP_TAG:
            raise place.wrong(f"{node.tag} is no mapping")
        _refuse_doubled(node, file)
        reader.flatten_mapping(node)
        found = Map(place)
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise Place(file, key.start_mark.line + 1).wrong("a key that is no text")
            name = key.value
            found[name] = _value(value, reader, file)
            found.places[name] = Place(file, key.start_mark.line + 1)
        return found
    if isinstance(node, yaml.SequenceNode):
        items = Seq(place)
        for item in node.value:
            items.append(_value(item, reader, file))
            items.places.append(Place(file, item.start_mark.line + 1))
        return items
    try:
        return reader.construct_object(node)
    except (yaml.YAMLError, ValueError) as error:
        raise place.wrong(f"{node.value!r} cannot be read", said=str(getattr(error, "problem", error))) from None


def _refuse_doubled(node: Any, file: str) -> None:
    seen: dict[str, int] = {}
    for key, _ in node.value:
        line = key.start_mark.line + 1
        if key.value in seen and key.value != "<<":
            raise Place(file, line).wrong(f"the key {key.value!r} stands here twice, first in line {seen[key.value]}")
        seen[key.value] = line
