"""A scenario's file, read strictly: what it is, what the seed chooses, its nodes, manifests and story.

The format is described in ``FORMAT.md`` beside this.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from notebook_mux.errors import BadScenario
from notebook_mux.playground.checking.base import LABEL, LABEL_LIMIT, SUBDOMAIN, SUBDOMAIN_LIMIT
from notebook_mux.playground.metrics import quantity
from notebook_mux.playground.scenarios import steps
from notebook_mux.playground.scenarios.base import NodePlan
from notebook_mux.playground.scenarios.marks import Map, Place, Seq, documents
from notebook_mux.playground.scenarios.steps import Step, mapping, sequence, shown, text
from notebook_mux.playground.scenarios.values import chosen, filled, near, plain, seconds

HEADER = ("title", "teaches", "choose", "age", "nodes", "namespaces", "story")
NODE = ("name", "count", "cpu", "memory", "pods", "labels", "taints", "control-plane")
EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
TAINT = re.compile(r"([^=:\s]+)(?:=([^=:\s]*))?:(\w+)")

AGE_S = 600.0
"""How long ago the manifests were applied, where nothing is said."""

LONGEST_AGE_S = 8 * 86_400.0
"""The nodes are nine days old."""

MAX_NODES = 500
LIMIT = 1024 * 1024
"""Bytes of a file."""

NAMES = "small letters, digits and - between them"

GIVEN = ("namespace", "seed")
"""Names that are known without being chosen."""


@dataclass(frozen=True)
class Scenario:
    """What one cluster is to be.

    Args:
        file: Of the file, for errors.
        title: One line.
        teaches: What it is for.
        chosen: What the seed has chosen.
        age: Seconds since the manifests were applied.
        nodes: The cluster's.
        namespaces: With their labels; the first is that of what names none.
        manifests: As they stand in the file.
        story: What happens.
    """

    file: str
    title: str
    teaches: str
    chosen: Mapping[str, Any]
    age: float
    nodes: tuple[NodePlan, ...]
    namespaces: Mapping[str, Mapping[str, str]]
    manifests: tuple[Map, ...]
    story: tuple[Step, ...]

    @property
    def namespace(self) -> str:
        """Where things are that name no namespace."""
        return next(iter(self.namespaces), "default")


class Source:
    """A file that has been read.

    Args:
        file: Its name in errors.
        text: All of it.

    Raises:
        BadScenario: It is no YAML, or its first document does not say what it should.
    """

    def __init__(self, file: str, text_: str):
        self.file = file
        found = documents(text_, file)
        begin = Place(file, 1)
        if not found:
            raise begin.wrong("there is nothing in it", todo="begin with title: and teaches:")
        self._header = mapping(found[0], begin)
        if "kind" in self._header and "apiVersion" in self._header:
            raise self._header.place.wrong(
                "it begins with a manifest", todo="begin with title: and teaches:, and --- before the first manifest"
            )
        for key in self._header:
            if key not in HEADER:
                raise self._header.at(key).wrong(f"there is no {key!r} in a scenario", todo=near(key, HEADER))
        for key in ("title", "teaches"):
            if key not in self._header:
                raise self._header.place.wrong(f"{key!r} is missing", todo="each scenario has a title and teaches")
        self.title = " ".join(text(self._header["title"], self._header.at("title")).split())
        self.teaches = text(self._header["teaches"], self._header.at("teaches")).strip()
        self._choices = self._read_choices()
        self._manifests = [self._manifest(one) for one in found[1:]]

    def _read_choices(self) -> dict[str, list[Any]]:
        if "choose" not in self._header:
            return {}
        said = mapping(self._header["choose"], self._header.at("choose"))
        for name, values in said.items():
            if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]*", name) or name in GIVEN:
                raise said.at(name).wrong(f"{name!r} cannot be the name of a choice",
                                          todo=f"a word of letters that is not one of {', '.join(GIVEN)}")  # fmt: skip
            if not sequence(values, said.at(name)):
                raise said.at(name).wrong(f"{name!r} has nothing to choose from")
        return dict(said)

    def _manifest(self, value: Any) -> Map:
        place = value.place if isinstance(value, Map | Seq) else Place(self.file, 1)
        found = mapping(value, place)
        for key in ("apiVersion", "kind"):
            if not isinstance(found.get(key), str):
                raise place.wrong(f"a manifest without {key!r}", todo="each document after the first is a manifest")
        mapping(found.get("metadata"), found.at("metadata"))
        _check_behaviours(found)
        return found

    def scenario(self, seed: str, number: int = 0, namespace: str = "") -> Scenario:
        """What one cluster is to be.

        Args:
            seed: Chooses.
            number: Of the cluster; see `values.chosen`.
            namespace: Where all namespaced things go, whatever the file says; empty is where it says.

        Raises:
            BadScenario: Something in it is not right.
        """
        choice = chosen(self._choices, seed, number)
        known = {**choice, "seed": seed, "namespace": namespace}
        namespaces = self._namespaces(known)
        known["namespace"] = namespace or next(iter(namespaces), "default")
        header = filled(self._header, known, self._header.place)
        age = seconds(header["age"], header.at("age")) if "age" in header else AGE_S
        if not 0 < age <= LONGEST_AGE_S:
            raise header.at("age").wrong(
                f"an age of {header['age']}", todo="from 1s to 8d: the nodes are nine days old"
            )
        story = steps.read(header["story"], header.at("story"), choice) if "story" in header else ()
        for step in story:
            if step.time[0] < -age or (step.start is not None and step.start[0] < -age):
                raise step.place.wrong("it happens before the manifests are applied", todo=f"at is -{age:g}s or later")
        return Scenario(
            self.file, self.title, self.teaches, choice, age, _nodes(header), namespaces,
            tuple(filled(one, known, one.place) for one in self._manifests), story,
        )  # fmt: skip

    def _namespaces(self, known: Mapping[str, Any]) -> dict[str, dict[str, str]]:
        if "namespaces" not in self._header:
            return {}
        at = self._header.at("namespaces")
        said = sequence(filled(self._header["namespaces"], known, at), at)
        found: dict[str, dict[str, str]] = {}
        for one, place in zip(said, said.places, strict=True):
            if isinstance(one, Map):
                _only(one, ("name", "labels"), "a namespace")
                name = text(one.get("name"), place)
                found[name] = _labels(one, "labels")
            else:
                found[name := text(one, place)] = {}
            if not LABEL.fullmatch(name) or len(name) > LABEL_LIMIT:
                raise place.wrong(f"{shown(name)} cannot be a namespace's name", todo=NAMES)
        return found


def _only(said: Map, known: tuple[str, ...], what: str) -> None:
    for key in said:
        if key not in known:
            raise said.at(key).wrong(f"{what} has no {key!r}", todo=near(key, known))


def _labels(said: Map, key: str) -> dict[str, str]:
    if key not in said:
        return {}
    found = mapping(said[key], said.at(key))
    for name, value in found.items():
        if not isinstance(value, str):
            raise found.at(name).wrong(f"{shown(value)} is no text", todo="quote it: labels are texts")
    return dict(found)


def _nodes(header: Map) -> tuple[NodePlan, ...]:
    value, place = header.get("nodes", 3), header.at("nodes")
    if isinstance(value, int) and not isinstance(value, bool):
        _count(value, place)
        return tuple(NodePlan(f"node-{n + 1}", control_plane=n == 0 and value > 1) for n in range(value))
    found: list[NodePlan] = []
    for one, at in zip(sequence(value, place), value.places, strict=True):
        found += _of_one(mapping(one, at), len(found))
    if not found or len(found) > MAX_NODES:
        raise place.wrong(f"{len(found)} nodes", todo=f"1 to {MAX_NODES}")
    if len({one.name for one in found}) < len(found):
        raise place.wrong("two nodes have one name")
    return tuple(found)


def _of_one(said: Map, before: int) -> list[NodePlan]:
    _only(said, NODE, "a node")
    count = _count(said.get("count", 1), said.at("count"))
    name = text(said.get("name", "node"), said.at("name"))
    if not SUBDOMAIN.fullmatch(name) or len(name) > SUBDOMAIN_LIMIT - len(f"-{MAX_NODES}"):
        raise said.at("name").wrong(f"{shown(name)} cannot be a node's name", todo=NAMES)
    names = [name] if count == 1 and "name" in said else [f"{name}-{before + n + 1}" for n in range(count)]
    if "count" in said and "name" in said:
        names = [f"{name}-{n + 1}" for n in range(count)]
    control_plane = said.get("control-plane", False)
    if not isinstance(control_plane, bool):
        raise said.at("control-plane").wrong(f"{shown(control_plane)} is neither true nor false")
    sizes = {}
    for key in ("cpu", "memory", "pods"):
        if key in said:
            try:
                if quantity.value(str(said[key])) <= 0:
                    raise ValueError
            except ValueError:
                raise said.at(key).wrong(f"{shown(said[key])} is no quantity", todo="such as 4, 500m, 8Gi") from None
            sizes[key] = str(said[key])
    taints = tuple(_taint(said) if "taints" in said else ())
    return [NodePlan(one, labels=_labels(said, "labels"), taints=taints, control_plane=control_plane, **sizes)
            for one in names]  # fmt: skip


def _count(value: Any, place: Place) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MAX_NODES:
        raise place.wrong(f"{shown(value)} is no number of nodes", todo=f"1 to {MAX_NODES}")
    return value


def _taint(said: Map) -> list[dict[str, str]]:
    found = []
    listed = sequence(said["taints"], said.at("taints"))
    for one, place in zip(listed, listed.places, strict=True):
        match = TAINT.fullmatch(one) if isinstance(one, str) else None
        if match is None or match[3] not in EFFECTS:
            raise place.wrong(f"{shown(one)} is no taint", todo=f"key=value:EFFECT, which is {', '.join(EFFECTS)}")
        found.append({"key": match[1], **({"value": match[2]} if match[2] else {}), "effect": match[3]})
    return found


def _check_behaviours(value: Any) -> None:
    """Look at what manifests say of the behaviour of containers: a kubelet takes no notice of what it cannot read."""
    from notebook_mux.playground.controllers.behaviour import BEHAVIOUR

    if isinstance(value, Map):
        for key, one in value.items():
            if key == BEHAVIOUR or key.startswith(f"{BEHAVIOUR}."):
                if "${" not in str(one):
                    steps.behaviour(one, value.at(key))
            else:
                _check_behaviours(one)
    elif isinstance(value, Seq):
        for one in value:
            _check_behaviours(one)


# ----------------------------------------------------------------------------------------------------------- files

LIBRARY = Path(__file__).parent / "library"


def source(path: Path) -> Source:
    """A scenario's file.

    Raises:
        BadScenario: It cannot be read, or is none.
    """
    try:
        stat = path.stat()
        if stat.st_size > LIMIT:
            raise BadScenario(f"{path} is larger than any scenario", todo=f"at most {LIMIT >> 20} MiB")
        return _source(path, stat.st_mtime_ns, stat.st_size)
    except OSError as error:
        raise BadScenario(f"the scenario {path} cannot be read", said=error.strerror or str(error)) from None


@lru_cache(maxsize=64)
def _source(path: Path, _changed: int, _size: int) -> Source:
    name = path.name if path.parent == LIBRARY else str(path)
    try:
        return Source(name, path.read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        raise Place(name, 1).wrong("it is not UTF-8", said=str(error)) from None


def parts_of(scenario: Scenario) -> dict[str, Any]:
    """What is told of a scenario: title, teaches, chosen."""
    return {"title": scenario.title, "teaches": scenario.teaches, "chosen": plain(dict(scenario.chosen))}
