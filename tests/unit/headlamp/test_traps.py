"""Each trap of ``TRAPS.md`` names its tests, and they are there."""

from __future__ import annotations

import re
from pathlib import Path

import notebook_mux.headlamp

TRAPS = Path(notebook_mux.headlamp.__file__).with_name("TRAPS.md").read_text(encoding="utf-8")
TESTS = Path(__file__).resolve().parents[2]
NAMED = re.compile(r"`([\w/]+\.py)::(\w+)`")
KNOWN = 18
"""The traps of the multiplexer that are known."""


def test_all_traps_are_there_and_each_row_names_a_test():
    rows = [
        line for line in TRAPS.splitlines() if line.startswith("|") and not line.startswith(("| #", "| what", "| ---"))
    ]
    assert [line.split("|")[1].strip() for line in rows[:KNOWN]] == [str(number) for number in range(1, KNOWN + 1)]
    assert all(NAMED.search(line) for line in rows)


def test_the_tests_that_are_named_exist():
    found = set(NAMED.findall(TRAPS))
    assert len(found) > KNOWN
    for path, name in found:
        text = (TESTS / path).read_text(encoding="utf-8")
        assert re.search(rf"^(async )?def {name}\(", text, re.MULTILINE), f"{path}::{name}"
