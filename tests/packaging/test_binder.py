"""Binder's own steps, in a bare environment and as an ordinary user would: then the notebooks run."""

from __future__ import annotations

import json
import re
import stat
from pathlib import Path

from tests.notebooks import lessons, times
from tests.packaging.conftest import REPOSITORY

BINDER = REPOSITORY / "binder"
FIRST = "notebooks/01_first_look.ipynb"


def test_binder_builds_without_node_and_runs_the_first_notebook_and_a_lesson(clone: Path, venv, run, tmp_path: Path):
    commands, environ = venv
    assert (clone / "binder/postBuild").stat().st_mode & stat.S_IXUSR
    run([clone / "binder/postBuild"], environ, clone)
    ran = run(
        [commands / "python", "-m", "jupyter", "nbconvert", "--to", "notebook", "--execute", FIRST,
         "--output-dir", tmp_path / "ran"],
        {**environ, "NOTEBOOK_MUX_STATIC": "1"}, clone,
    )  # fmt: skip
    executed = json.loads((tmp_path / "ran" / Path(FIRST).name).read_text())
    outputs = [o for cell in executed["cells"] for o in cell.get("outputs", ())]
    assert not [o for o in outputs if o["output_type"] == "error"], ran.stdout
    assert any("text/html" in o.get("data", {}) for o in outputs)
    run([commands / "python", "-m", "jupyter", "lab", "--version"], environ, clone)
    # Of the lessons the first: with nothing else on the PATH its kubectl is the one that came with the extra.
    (tmp_path / "home").mkdir()
    bare = times.environment(commands.parent, tmp_path / "home")
    assert times.run(commands.parent, lessons.paths()[0], bare, tmp_path) < times.LIMIT_S


def test_binder_needs_neither_root_nor_docker():
    assert {p.name for p in BINDER.iterdir()} == {"runtime.txt", "postBuild"}
    script = (BINDER / "postBuild").read_text()
    assert not re.search(r"\b(sudo|apt|apt-get|docker|conda)\b", script)


def test_the_badge_opens_the_first_notebook():
    badge = re.search(r"https://mybinder\.org/v2/\S+?urlpath=(\S+?)\)", (REPOSITORY / "README.md").read_text())
    assert badge is not None
    assert badge[1].replace("%2F", "/") == f"lab/tree/{FIRST}"
    assert (REPOSITORY / FIRST).is_file()
