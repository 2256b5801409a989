"""Which tests stay together when the suite runs in two sessions, and when it does."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from tests import beside

ALONE: list[dict[str, Any]] = [
    {"args_source": pytest.Config.ArgsSource.ARGS},
    {"keyword": "logs"},
    {"markexpr": "not slow"},
    {"capture": "no"},
    {"usepdb": True},
    {"collectonly": True},
    {"lf": True},
    {"numprocesses": 0},
    {"numprocesses": 3},
]


def config(**said: Any) -> Any:
    source = said.pop("args_source", pytest.Config.ArgsSource.TESTPATHS)
    plain = {"keyword": "", "markexpr": "", "capture": "fd", "usepdb": False, "collectonly": False, "lf": False}
    return SimpleNamespace(args_source=source, option=SimpleNamespace(**{**plain, "numprocesses": None, **said}))


def item(file: str, name: str = "test") -> Any:
    return SimpleNamespace(path=beside.TESTS / file, name=name)


def test_the_whole_suite_runs_in_two(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(beside.WITHIN, raising=False)
    monkeypatch.setattr(beside, "cores", lambda: 2)
    asked = config()
    assert beside.wanted(asked)
    beside.distribute(asked)
    assert (asked.option.numprocesses, asked.option.dist, asked.option.loadscopereorder) == (2, "loadfile", False)
    monkeypatch.setattr(beside, "cores", lambda: 1)
    assert not beside.wanted(config())


@pytest.mark.parametrize("said", ALONE, ids="-".join)
def test_what_somebody_looks_for_runs_as_it_is_asked_for(said: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beside, "cores", lambda: 8)
    assert not beside.wanted(config(**said))


def test_one_of_the_two_is_not_split_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beside, "cores", lambda: 8)
    within = config()
    within.workerinput = {}
    assert not beside.wanted(within)
    monkeypatch.setenv(beside.WITHIN, "gw0")
    assert not beside.wanted(config())


def test_a_missing_plugin_is_no_error() -> None:
    asked = config()
    del asked.option.numprocesses
    assert not beside.wanted(asked)


def test_the_dearest_files_are_first_and_files_are_whole() -> None:
    files = ["unit/test_ages.py", "controlplane/test_own.py", "browser/test_table.py", "unit/test_benchmarks.py"]
    items = [item(file, name) for file in files for name in ("b", "a")]
    beside.arrange(items)
    found = [(one.path.relative_to(beside.TESTS).as_posix(), one.name) for one in items]
    assert found == [(files[at], name) for at in (3, 2, 1, 0) for name in ("b", "a")]
