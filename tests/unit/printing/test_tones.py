"""What the cells of a cluster's tables say at a glance. The browser's side runs the same vectors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from notebook_mux.printing import tones

VECTORS: dict[str, list[list[Any]]] = json.loads((Path(__file__).parent / "tones.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(("kind", "title", "cell", "state", "tone", "meaning"), VECTORS["tones"])
def test_the_tone_and_the_meaning_of_a_cell(
    kind: str, title: str, cell: Any, state: Any, tone: str, meaning: str
) -> None:
    assert (tones.tone(kind, title, cell, state), tones.meaning(kind, title, cell, state)) == (tone, meaning)


@pytest.mark.parametrize(("kind", "columns", "cells", "fault"), VECTORS["faults"])
def test_what_is_a_fault(kind: str, columns: list[str], cells: list[Any], fault: bool) -> None:
    assert tones.fault(kind, columns, cells) is fault
    assert tones.faults(kind, tuple(columns))(cells) is fault


def test_the_tones_of_conditions() -> None:
    assert [[*row[:2], tones.condition(*row[:2])] for row in VECTORS["conditions"]] == VECTORS["conditions"]


def test_which_columns_are_read_together() -> None:
    assert [[*row[:2], tones.partner(*row[:2])] for row in VECTORS["partners"]] == VECTORS["partners"]


def test_no_tone_is_a_colour_alone() -> None:
    said = [
        tone
        for words in tones._WORDS.values()
        for tone, meaning in words.values()
        if tone and meaning and tones.SHAPES[tone] and tones.NAMES[tone]
    ]
    assert len(said) == sum(tone != "" for words in tones._WORDS.values() for tone, _ in words.values())
    assert len(set(tones.SHAPES.values())) == len(tones.SHAPES) == len(tones.NAMES)
    assert set(tones.STYLES) == {*tones.SHAPES, ""}


def test_a_kind_is_known_by_its_resource_and_group() -> None:
    assert tones.key("pods") == "pods"
    assert tones.key("deployments", "apps") == "deployments.apps"
    assert tones.key("events", "events.k8s.io") == "events"


@pytest.mark.parametrize("cell", ["9" * 5000, "9" * 5000 + "/1", "1/" + "9" * 5000, "9" * 5000 + "%"])
@pytest.mark.parametrize("title", ["Ready", "Desired", "Replicas", "%CPU/R", "Completions", "Status"])
def test_numbers_of_more_digits_than_python_reads(title: str, cell: str) -> None:
    for kind in ("pods", "deployments.apps", "horizontalpodautoscalers.autoscaling", "boats.sea.example.com", ""):
        for state in ("", "3", cell):
            tones.look(kind, title, cell, state)
            tones.look(kind, title, "3", state)
