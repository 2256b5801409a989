"""The files, and which contexts are looked at."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from notebook_mux.checks import doctor, machine
from notebook_mux.checks.entries import find
from notebook_mux.life.privacy import Privacy

CANARY = "canary-0b7e4d12"


def write(path: Path, names: list[str], current: str | None = None) -> str:
    contexts = [{"name": name, "context": {"cluster": "gone", "user": name}} for name in names]
    path.write_text(yaml.safe_dump({"contexts": contexts, **({"current-context": current} if current else {})}))
    path.chmod(0o600)
    return str(path)


def ask(paths: list[str], **more: Any) -> dict[str, Any]:
    source = {"kubeconfig": paths, "env": {}, "in_cluster": False}
    question: dict[str, Any] = {"source": source, "wanted": None, "words": "", "nothing": None, "explicit": False}
    question["by_url"] = False
    return question | {"facts": {}, "variables": []} | more


def look(question: dict[str, Any]) -> tuple[list[str], list[str]]:
    found = find(question["source"]["kubeconfig"], {}, in_cluster=False)
    chosen, notes = doctor.choose(found, question["wanted"])
    rows = doctor.files(found, question, notes, Privacy())
    return [f"{row['State']} {row['Check']}: {row['Found']}" for row in rows], [context.name for context in chosen]


def test_all_contexts_the_current_one_first(tmp_path: Path) -> None:
    path = write(tmp_path / "k", ["a", "b", "c"], "b")
    assert look(ask([path])) == ([f"ok file: {path}: 3 contexts"], ["b", "a", "c"])


def test_of_many_only_the_current_one(tmp_path: Path) -> None:
    path = write(tmp_path / "k", [f"c{number}" for number in range(doctor.MAX_CONTEXTS + 1)], "c7")
    rows, chosen = look(ask([path]))
    assert chosen == ["c7"]
    assert rows[-1] == "info contexts: 17 contexts are too many to ask: only the current one is looked at"
    assert look(ask([path], wanted=["c9", "c8"]))[1] == ["c9", "c8"]


def test_a_context_that_is_not_there(tmp_path: Path) -> None:
    rows, chosen = look(ask([write(tmp_path / "k", ["a"], "a")], wanted=["x"]))
    assert chosen == []
    assert rows[-1] == "wrong contexts: there is no context 'x'"


def test_no_current_context(tmp_path: Path) -> None:
    rows, chosen = look(ask([write(tmp_path / "k", ["a"])]))
    assert chosen == ["a"]
    assert rows[-1] == "warning contexts: no current-context is set"


def test_files_that_are_missing_broken_open_and_empty(tmp_path: Path) -> None:
    broken, empty, gone = tmp_path / "broken", tmp_path / "empty", tmp_path / "gone"
    broken.write_text(f"x: [{CANARY}")
    empty.write_text("{}")
    empty.chmod(0o644)
    rows, chosen = look(ask([str(broken), str(empty), str(gone)]))
    assert chosen == []
    said = "\n".join(rows)
    assert f"{broken} is not valid YAML" in said
    assert f"warning file: {gone}: no such file" in said
    assert "there is no context in these files" in said
    if sys.platform != "win32":
        assert f"warning file: {empty}: other users of this machine can read it" in said
    assert CANARY not in said


@pytest.mark.parametrize(("explicit", "state"), [(False, "warning"), (True, "wrong")])
def test_no_kubeconfig(explicit: bool, state: str) -> None:
    nothing = {"what": "no cluster to connect to", "todo": "nm.demo() starts one"}
    assert look(ask([], nothing=nothing, explicit=explicit))[0] == [f"{state} files: no cluster to connect to"]


async def test_the_whole_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "gateway", lambda privacy, start: [{"Area": "gateway"}])
    lines: list[Any] = []
    question = ask([write(tmp_path / "k", ["a"], "a")], facts={"kernel": ""}, variables=["KUBECONFIG"])
    rows = await doctor.examine(question, lines.append)
    areas = list(dict.fromkeys(row["Area"] for row in rows))
    assert areas == ["versions", "Jupyter", "environment", "gateway", "kubeconfig", "context a (current)"]
    assert [row for line in lines if line["t"] == "rows" for row in line["rows"]] == rows
    assert [line["what"] for line in lines if line["t"] == "now"][-1] == "the context a"
